"""Who this installation is: its own client system title, drawn once and kept in `state/system-title`.

A nonce is a system title and a counter, so two installations that share a title and a key give the key away. Each draws its
own title, `MWC` and five random octets, and never changes it: meters and makers know it by then. Of several programs that
begin at the same moment one puts its title in place, whole and on the disk, and all of them use that one. What the file
says is either such a title or an error, never a reason to draw another.

The title is no secret. The file is 0600 all the same, as whoever writes it decides who we are. It must not be copied to
another computer, nor into an image that many computers start from: the counters beside it would be used twice.
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from meterwright.client.durable import sync_folder
from meterwright.errors import UsageError

__all__ = ["installation_title"]

_FILE: Final = "system-title"
_MAKER: Final = b"MWC"
_RANDOM: Final = 5
_WRITTEN: Final = re.compile(rb"4D5743[0-9A-F]{10}\n")
"""All that the file may hold: 16 hex digits, the first six of which are the maker."""
_LONGEST: Final = 64


def installation_title(state: Path) -> bytes:
    """The client system title of this installation, made when it is asked for the first time. UsageError if it is damaged."""
    path = state / _FILE
    with _complaining(path):
        content = _read(path)
        if content is None:
            _offer(path, _MAKER + secrets.token_bytes(_RANDOM))
            content = _read(path)
    if content is None or not _WRITTEN.fullmatch(content):
        raise UsageError(
            f"{path} does not hold the system title of this installation any more",
            hint="bring it back from a backup; if there is none, remove it: a new title is drawn, and meters and makers "
            "who know the old one must be told",
        )
    return bytes.fromhex(content.decode("ascii"))


@contextmanager
def _complaining(path: Path) -> Generator[None]:
    """Turns a failing disk into an error a person understands."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"the system title {path} cannot be kept: {error.strerror or error}",
            hint="free the disk, or set METERWRIGHT_STATE to a directory of yours on a disk of this computer",
        ) from error


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except FileNotFoundError:
        return None


def _offer(path: Path, title: bytes) -> None:
    """Put a title in place, unless another program was quicker: its title is ours then."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{_FILE}-", dir=path.parent)  # 0600 from the beginning
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(title.hex().upper().encode("ascii") + b"\n")
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            _put(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def _put(fresh: Path, path: Path) -> None:
    """Give a file its name. FileExistsError where the name is taken: what replaces would take another's title away."""
    if sys.platform == "win32":
        fresh.rename(path)
    else:
        path.hardlink_to(fresh)
