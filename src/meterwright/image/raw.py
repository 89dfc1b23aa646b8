"""A firmware image as a raw file: its octets are the image. Read piece by piece, never copied whole.

A file may be written to while an update takes hours. What was hashed when the image was opened is all that is ever given
out: a piece that is not the same any more is a UsageError, and a file that was cut short too (a mapped one would end the
process).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from meterwright.errors import UsageError

__all__ = ["LARGEST_IMAGE", "FirmwareImage", "image_identifier"]

LARGEST_IMAGE: Final = 0xFFFF_FFFF
"""image_transfer_initiate says the size in four octets."""
_PIECE: Final = 1 << 18
"""Octets that are read, hashed and kept at a time."""


class FirmwareImage:
    """The octets of a firmware and their sha-256; a context manager that lets go of the file.

    Slicing gives octets: ``image[0:128]``. `name` is for people.
    """

    def __init__(self, octets: bytes | BinaryIO, name: str) -> None:
        size = len(octets) if isinstance(octets, bytes) else octets.seek(0, 2)
        if not size:
            raise UsageError(f"{name} is empty: an image has octets", hint="is it the right file?")
        if size > LARGEST_IMAGE:
            raise UsageError(f"{name} has {size} octets, more than an image can have ({LARGEST_IMAGE})")
        self.name = name
        self._octets = octets
        self._size = size
        self._kept: tuple[int, bytes] = (-1, b"")
        whole = hashlib.sha256()
        digests: list[bytes] = []
        for piece in self._pieces():
            whole.update(piece)
            digests.append(hashlib.sha256(piece).digest())
        self._digests = digests
        self.sha256 = whole.hexdigest()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file. UsageError where it cannot be read, is empty or is too large."""
        try:
            if (
                path.exists() and not path.is_file() and not path.is_dir()
            ):  # opening a pipe would wait for its writer
                raise UsageError(f"the image {path} is no file", hint="copy it into a file first")
            file = path.open("rb")
            try:
                return cls(file, str(path))
            except BaseException:
                file.close()
                raise
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UsageError(f"the image {path} cannot be read: {reason}", hint="check the path") from None

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: slice, /) -> bytes:
        if isinstance(self._octets, bytes):
            return self._octets[index]
        start, stop, step = index.indices(self._size)
        first, last = start // _PIECE, (stop - 1) // _PIECE
        parts = b"".join(self._same_piece(number) for number in range(first, last + 1))
        return parts[start - first * _PIECE : stop - first * _PIECE : step] if start < stop else b""

    def __repr__(self) -> str:
        return f"<FirmwareImage {self.name}, {len(self)} octets, sha-256 {self.sha256[:12]}…>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        if not isinstance(self._octets, bytes):
            self._octets.close()

    def _pieces(self) -> Iterator[bytes]:
        for number in range(-(-self._size // _PIECE)):
            yield self._piece(number)

    def _piece(self, number: int) -> bytes:
        start = number * _PIECE
        if isinstance(self._octets, bytes):
            return self._octets[start : start + _PIECE]
        self._octets.seek(start)
        return self._octets.read(min(_PIECE, self._size - start))

    def _same_piece(self, number: int) -> bytes:
        """A piece as it was when the image was opened; the last one is kept at hand."""
        kept, piece = self._kept
        if kept == number:
            return piece
        try:
            piece = self._piece(number)
        except OSError as error:
            raise UsageError(f"{self.name} cannot be read any more: {error.strerror or error}") from None
        if hashlib.sha256(piece).digest() != self._digests[number]:
            raise UsageError(
                f"{self.name} has changed since it was opened: nothing of what it holds now was sent",
                hint="let nothing write to an image while it is being sent; then run the update again",
            )
        self._kept = (number, piece)
        return piece


def image_identifier(text: str) -> bytes:
    """The octets of an identifier a person typed: text as it is, or ``hex:`` and hex digits."""
    try:
        octets = bytes.fromhex(text.removeprefix("hex:")) if text.startswith("hex:") else text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(
            f"{text!r} is no identifier: it is not UTF-8", hint="write its octets as hex:…"
        ) from None
    except ValueError:
        raise UsageError(f"{text!r} is no identifier: hex digits belong behind hex:") from None
    if not octets:
        raise UsageError(
            "the identifier is empty", hint="the meter's maker says which identifier the image has"
        )
    return octets
