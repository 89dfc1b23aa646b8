"""Where a simulated meter keeps its state: in a folder, or in memory.

The folder of a meter, ``DIR/<meter>/``, survives its process, killed at any moment (not the power cut of the machine it
runs on: nothing is forced through the system's own buffers, a block would cost a hundred times as much):

``state.json``      the record; true whenever the meter has answered
``image-<n>.part``  transfer n: the image at its full size from the beginning, and behind it the map of blocks
``active.bin``      the image that runs, once one was activated

A block's octets are written before its bit, its bit before the record, the record before the answer leaves. A new transfer
has a file of its own and begins with the record that names it. ``active.bin`` is replaced before the record says so.
The record's file is replaced whole, but for its counts, which change with every block: they have fixed places, and are
written over in one go (a replaced file costs a millisecond on some file systems, this a hundredth of it).
Every write goes through `Disk`, so that a test may fail any of them.
"""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final

from meterwright.errors import UsageError
from meterwright.simulator.record import (
    BlockMap,
    MeterRecord,
    only_counts_differ,
    record_from_json,
    record_to_json,
)

__all__ = ["DirectoryStorage", "Disk", "MemoryStorage", "MeterStorage"]

_CHUNK: Final = 1 << 16


class MeterStorage(ABC):
    """What an image machine asks of its memory. OSError where that fails."""

    @abstractmethod
    def load(self, fresh: MeterRecord) -> tuple[MeterRecord, BlockMap]:
        """What was kept, or `fresh` where nothing was. UsageError where what is there cannot be understood."""

    @abstractmethod
    def keep(self, record: MeterRecord, blocks: BlockMap) -> None:
        """Keep the record; with one of a transfer that was begun, its file takes the place of the old."""

    @abstractmethod
    def begin(self, transfer: int, size: int, blocks: int) -> None:
        """Make room for a new image, without any block. It counts once a record names it."""

    @abstractmethod
    def write(self, offset: int, octets: bytes) -> None:
        """Write a part of the image."""

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """A part of the image, as it was written."""

    @abstractmethod
    def mark(self, number: int, blocks: BlockMap) -> None:
        """Write the octet of the map that block `number` stands in."""

    @abstractmethod
    def install(self, size: int) -> None:
        """The image becomes the active one."""

    @abstractmethod
    def active_sha256(self) -> bytes:
        """The hash of the image that was installed last; b"" where none was."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open."""

    def image(self, size: int) -> Iterator[bytes]:
        """The first `size` octets of the image, piece by piece."""
        for offset in range(0, size, _CHUNK):
            yield self.read(offset, min(_CHUNK, size - offset))

    def image_sha256(self, size: int) -> bytes:
        """The hash of the first `size` octets of the image."""
        return _sha256(self.image(size))


def _sha256(pieces: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


class MemoryStorage(MeterStorage):
    """Remembers as long as it lives: for tests and large populations. `active` is the image installed last."""

    def __init__(self) -> None:
        self.active: bytes | None = None
        self._kept: tuple[MeterRecord, bytes] | None = None
        self._image = bytearray()
        self._next: tuple[int, bytearray] | None = None

    def load(self, fresh: MeterRecord) -> tuple[MeterRecord, BlockMap]:
        self._next = None
        if self._kept is None:
            self.keep(fresh, BlockMap(0))
        record, octets = self._kept or (fresh, b"")
        return record, BlockMap(record.image.blocks_total, octets)

    def keep(self, record: MeterRecord, blocks: BlockMap) -> None:
        self._kept = (record, bytes(blocks.octets))
        if self._next is not None and self._next[0] == record.image.transfer:
            self._image, self._next = self._next[1], None

    def begin(self, transfer: int, size: int, blocks: int) -> None:  # noqa: ARG002 - the map is kept with the record
        self._next = (transfer, bytearray(size))

    def write(self, offset: int, octets: bytes) -> None:
        self._image[offset : offset + len(octets)] = octets

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self._image[offset : offset + length])

    def mark(self, number: int, blocks: BlockMap) -> None:
        """The map is kept with the record."""

    def install(self, size: int) -> None:
        self.active = bytes(self._image[:size])

    def active_sha256(self) -> bytes:
        return b"" if self.active is None else hashlib.sha256(self.active).digest()

    def close(self) -> None:
        """Nothing is open."""


class Disk:
    """The writes to files, each of which may be the last."""

    def replace(self, path: Path, content: bytes, *, mode: int = 0o644) -> None:
        """Put a file with this content where `path` is: a reader sees the old one or the new one."""
        new = path.with_name(path.name + ".new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            while content:
                content = content[os.write(file, content) :]
        finally:
            os.close(file)
        new.replace(path)

    def replace_with(self, path: Path, pieces: Iterator[bytes]) -> None:
        """As `replace`, piece by piece."""
        new = path.with_name(path.name + ".new")
        with new.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        new.replace(path)

    def create(self, path: Path, size: int) -> None:
        """Make a file of that many zero octets."""
        with path.open("wb") as file:
            file.truncate(size)

    def write_at(self, file: FileIO, offset: int, octets: bytes) -> None:
        """Overwrite a part of a file."""
        file.seek(offset)
        while octets:
            octets = octets[file.write(octets) or 0 :]

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)


class DirectoryStorage(MeterStorage):
    """Keeps a meter's state in `directory`, which is made where it is not there."""

    def __init__(self, directory: Path, disk: Disk | None = None) -> None:
        self._directory = directory
        self._disk = disk or Disk()
        self._state = directory / "state.json"
        self._active = directory / "active.bin"
        self._transfer, self._size = 0, 0
        self._file: FileIO | None = None
        self._kept: tuple[MeterRecord, int] | None = None
        self._state_file: FileIO | None = None
        self._next: tuple[int, FileIO, int] | None = None

    def load(self, fresh: MeterRecord) -> tuple[MeterRecord, BlockMap]:
        self.close()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            if not self._state.exists():
                self.keep(fresh, BlockMap(0))
            record = record_from_json(self._state.read_bytes(), str(self._state), fresh.meter)
            self._remove_leftovers(record.image.transfer)
            return record, self._open_transfer(record)
        except OSError as error:
            raise self._unusable(f"cannot be used: {error.strerror or error}") from None

    def keep(self, record: MeterRecord, blocks: BlockMap) -> None:
        content = record_to_json(record, blocks)
        if (
            self._kept is not None
            and self._kept[1] == len(content)
            and only_counts_differ(record, self._kept[0])
        ):
            if self._state_file is None:
                self._state_file = FileIO(self._state, "r+b")
            self._disk.write_at(self._state_file, 0, content)
            return
        self._forget_kept()
        self._disk.replace(self._state, content)
        self._kept = (record, len(content))
        if self._next is None or self._next[0] != record.image.transfer:
            return
        old, old_file = self._transfer, self._file
        (self._transfer, self._file, self._size), self._next = self._next, None
        if old_file is not None:
            old_file.close()
        with suppress(OSError):  # what is left over is removed by the next start
            self._disk.remove(self._transfer_path(old))

    def begin(self, transfer: int, size: int, blocks: int) -> None:
        path = self._transfer_path(transfer)
        self._disk.create(path, size + (blocks + 7) // 8)
        if self._next is not None:
            self._next[1].close()
        self._next = (transfer, FileIO(path, "r+b"), size)

    def write(self, offset: int, octets: bytes) -> None:
        self._disk.write_at(self._transfer_file, offset, octets)

    def read(self, offset: int, length: int) -> bytes:
        self._transfer_file.seek(offset)
        return self._transfer_file.read(length)

    def mark(self, number: int, blocks: BlockMap) -> None:
        octet = number >> 3
        self._disk.write_at(self._transfer_file, self._size + octet, bytes(blocks.octets[octet : octet + 1]))

    def install(self, size: int) -> None:
        self._disk.replace_with(self._active, self.image(size))

    def active_sha256(self) -> bytes:
        if not self._active.exists():
            return b""
        with self._active.open("rb") as file:
            return _sha256(iter(lambda: file.read(_CHUNK), b""))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._next is not None:
            self._next[1].close()
        self._file = self._next = None
        self._forget_kept()

    def _forget_kept(self) -> None:
        if self._state_file is not None:
            self._state_file.close()
        self._kept = self._state_file = None

    def _open_transfer(self, record: MeterRecord) -> BlockMap:
        image = record.image
        self._transfer, self._size = image.transfer, image.size
        if not image.size:
            return BlockMap(0)
        path, blocks = self._transfer_path(image.transfer), image.blocks_total
        if not path.exists() or path.stat().st_size != image.size + (blocks + 7) // 8:
            raise self._unusable(f"lacks a whole {path.name}")
        return BlockMap(blocks, self.read(image.size, (blocks + 7) // 8))

    def _remove_leftovers(self, transfer: int) -> None:
        """Files of a transfer that was never begun, of one that was replaced, and half-written ones."""
        kept = self._transfer_path(transfer)
        for path in (*self._directory.glob("image-*.part"), *self._directory.glob("*.new")):
            if path != kept:
                self._disk.remove(path)

    def _transfer_path(self, transfer: int) -> Path:
        return self._directory / f"image-{transfer}.part"

    @property
    def _transfer_file(self) -> FileIO:
        """Opened when it is first wanted: a population has more meters than a process may have files."""
        if self._file is None:
            self._file = FileIO(self._transfer_path(self._transfer), "r+b")
        return self._file

    def _unusable(self, why: str) -> UsageError:
        return UsageError(
            f"{self._directory} {why}",
            hint="give another --state-dir, or remove this meter's folder to begin with a new meter",
        )
