"""Invocation counters in files: one small file for each key and system title, shared by all programs of this machine.

A reservation holds an exclusive lock, writes the new file beside the old one, forces it to the disk, and puts it in the old
one's place; only then are its numbers given out. A program killed anywhere in between leaves a gap in the numbers, never a
number for two. What cannot be read is an error and never a new beginning: with an old number a key is given away.

A folder that was copied, or brought back from a backup, is behind what was sent since: the meter's own counter object
(`security.recover`) tells. The files hold no key, only fingerprints; they are 0600 all the same, in a folder of 0700.
"""

import json
import os
import sys
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from weakref import WeakSet

from meterwright.client.durable import sync_folder
from meterwright.errors import SecurityError, UsageError
from meterwright.security import CounterOwner, CounterRecord, CounterStore
from meterwright.security.counters import FIRST

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_to_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


__all__ = ["FileCounterStore"]

_FORMAT: Final = 1
_LONGEST: Final = 4096
_PATIENCE: Final = 10.0
_A_MOMENT: Final = 0.005


class FileCounterStore(CounterStore):
    """Counters under `directory`, which is made when the first is reserved."""

    def __init__(self, directory: Path, *, patience: float = _PATIENCE) -> None:
        self._directory = directory
        self._patience = patience
        _STORES.add(self)

    def record(self, owner: CounterOwner) -> CounterRecord:
        return _read(self._path(owner), owner)

    def reserve(self, owner: CounterOwner, count: int, at_least: int = FIRST) -> range:
        with self._locked(owner) as path:
            numbers, record = _read(path, owner).reserving(count, at_least)
            _replace(path, _to_text(record, owner))
        return numbers

    def accepted(self, owner: CounterOwner, number: int) -> None:
        with self._locked(owner) as path:
            known = _read(path, owner)
            record = known.accepting(number)
            if record != known:
                _replace(path, _to_text(record, owner))

    def _path(self, owner: CounterOwner) -> Path:
        return self._directory / f"{owner}.counter"

    @contextmanager
    def _locked(self, owner: CounterOwner) -> Generator[Path]:
        """Nobody else has this counter while we do. The lock's file stays: removing one would let two in."""
        path = self._path(owner)
        with _complaining(path):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor, path, self._patience)
            try:
                with _complaining(path):
                    yield path
            finally:
                _unlock(
                    descriptor
                )  # closing is not enough: a child that was forked meanwhile has it open too
        finally:
            os.close(descriptor)


_STORES: Final[WeakSet[FileCounterStore]] = WeakSet()


def _forked() -> None:
    """A child of fork has copies of ranges that its parent goes on using: void there."""
    for store in _STORES:
        store.epoch += 1


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forked)


@contextmanager
def _complaining(path: Path) -> Generator[None]:
    """Turns a failing disk into an error a person understands."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"the invocation counter {path} cannot be kept: {error.strerror or error}",
            hint="nothing may be sent without it: free the disk, or set METERWRIGHT_STATE to a directory of yours",
        ) from error


def _lock(descriptor: int, path: Path, patience: float) -> None:
    """Wait for the lock, but not for ever: who has it needs it for milliseconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            _try_to_lock(descriptor)
        except OSError:
            if time.monotonic() >= deadline:
                raise UsageError(
                    f"the invocation counter {path} is held by another program",
                    hint="a program that was stopped may hold it: end that program",
                ) from None
            time.sleep(_A_MOMENT)
        else:
            return


def _read(path: Path, owner: CounterOwner) -> CounterRecord:
    """What the file says; nothing reserved where there is no file. SecurityError where it says nothing that can be trusted."""
    with _complaining(path):
        try:
            with path.open("rb") as file:
                content = file.read(_LONGEST)
        except FileNotFoundError:
            return CounterRecord()
    try:
        return _from_text(content, owner)
    except (ValueError, RecursionError):
        raise SecurityError(
            f"the invocation counter {path} is damaged, and a lower number than was used would give the key away",
            layer="security",
            hint="read the meter's counter object, then remove this file and go on above both that value and what you know to have used",
        ) from None


def _to_text(record: CounterRecord, owner: CounterOwner) -> bytes:
    content = {
        "format": _FORMAT,
        "owner": str(owner),
        "reserved": record.reserved,
        "accepted": record.accepted,
    }
    check = zlib.crc32(json.dumps(content).encode())
    return json.dumps({**content, "check": check}).encode() + b"\n"


def _from_text(content: bytes, owner: CounterOwner) -> CounterRecord:
    """ValueError or RecursionError where it is not, octet for octet, what `_to_text` writes for this owner."""
    match json.loads(content):
        case {"reserved": int() | None as reserved, "accepted": int() | None as accepted}:
            record = CounterRecord(reserved, accepted)
        case other:
            raise ValueError(other)
    if content != _to_text(record, owner):
        raise ValueError(record)
    return record


def _replace(path: Path, content: bytes) -> None:
    """Put the new file where the old one is, so that either is found whole, after a power cut too."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    sync_folder(path.parent)
