"""What a value in the table `[keys]` of a meter's file stands for: the octets of a key or a password.

===========  ========================================================================================
written      means
===========  ========================================================================================
hex digits   these octets; spaces between them do not matter
text:…       what follows, as UTF-8: a password as people write it
-----BEGIN   a key in PEM, as other programs write it: for pairs of keys, and in a file rather than here
env:NAME     what the environment variable NAME holds: hex digits or text:…
file:PATH    what a file holds, looked for from the folder of the meter's file: hex digits or text:…
===========  ========================================================================================

Refused: a file that others may write (whoever writes it chooses our key), is no plain file, or is long; a place that names
another place; nothing at all. Errors say which key and which place, never what was found there.
"""

import os
import shlex
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError
from meterwright.security import Secret
from meterwright.values import Finding, Level

__all__ = ["Notice", "is_elsewhere", "resolve_secret", "tell_if_open"]

Notice = Callable[[Finding], None]
"""Who is told what is not wrong and still worth knowing."""

_TEXT: Final = "text:"
_PEM: Final = "-----BEGIN "
_LONGEST: Final = 4096
_MODES_TELL: Final = os.name == "posix"
_OTHERS_WRITE: Final = 0o022
_OTHERS_READ: Final = 0o044
_WAYS: Final = "write hex digits, text:PASSWORD, env:NAME or file:PATH"


def _unheard(_finding: Finding) -> None:
    """Nobody asked."""


def resolve_secret(text: str, *, base: Path, what: str, notice: Notice = _unheard) -> Secret:
    """The octets that a value means. `what` names the key in errors, `base` is the folder of the meter's file.

    A file that others may read is told to `notice`. UsageError where the value means nothing that can be used.
    """
    kind, colon, named = text.partition(":")
    source = _SOURCES.get(kind) if colon else None
    if source is None:
        return _written(text, what)
    held, place = source(_Named(named, base, what, notice))
    return _written(held, f"{what}, from {place}")


def is_elsewhere(text: str) -> bool:
    """Whether a value names a place where the secret is, and is none itself."""
    kind, colon, _ = text.partition(":")
    return bool(colon) and kind in _SOURCES


def tell_if_open(path: Path, notice: Notice) -> None:
    """Told where others may read or write a meter's file in which secrets stand."""
    try:
        mode = path.stat().st_mode if _MODES_TELL else 0
    except OSError:
        return  # it was read a moment ago: whatever became of it, others do not read it now
    if mode & (_OTHERS_READ | _OTHERS_WRITE):
        can = "write" if mode & _OTHERS_WRITE else "read"
        told = f"others may {can} {path}, in which secrets stand"
        notice(Finding(Level.WARNING, "readable-secret", told, hint=f"chmod 600 {shlex.quote(str(path))}"))


@dataclass(frozen=True, slots=True)
class _Named:
    """A place where a secret is to be found, and all that is needed to complain about it."""

    name: str
    base: Path
    what: str
    notice: Notice


def _written(text: str, where: str) -> Secret:
    """The octets of hex digits, or of what follows text: in a value."""
    kind, colon, _ = text.partition(":")
    if colon and kind in _SOURCES:
        raise UsageError(
            f"{where}: there stands another place in place of the secret", hint="write hex digits or text:…"
        )
    if text.startswith(_PEM):
        octets = _encoded(text)
    else:
        octets = _encoded(text.removeprefix(_TEXT)) if text.startswith(_TEXT) else _from_hex(text)
    if octets is None:
        raise UsageError(f"{where}: this is neither hex digits nor text:…", hint=_WAYS)
    if not octets:
        raise UsageError(f"{where}: there is nothing", hint=f"leave it out, or {_WAYS}")
    return Secret(octets)


def _encoded(text: str) -> bytes | None:
    """As UTF-8; octets of an environment that are none come through as they are. None where that cannot be."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None  # raised from here, an error would carry the secret in its context


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _from_variable(named: _Named) -> tuple[str, str]:
    """What an environment variable holds, and what the place is called."""
    held = os.environ.get(named.name) if named.name.isprintable() else None
    if held is None:
        raise UsageError(
            f"{named.what}: there is no environment variable {named.name}",
            hint="set it for this command; in the meter's file, env: is followed by its name and nothing else",
        )
    return held, f"the environment variable {named.name}"


def _from_file(named: _Named) -> tuple[str, str]:
    """What a file holds, without the end of its line, and what the place is called."""
    path = named.base / named.name
    place = f"the file {path}"
    octets = _octets_of(path, named)
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise UsageError(f"{named.what}, from {place}: it holds no text", hint="write hex digits or text:…")
    if text.startswith(_PEM):
        return text, place
    line = text[:-1].removesuffix("\r") if text.endswith("\n") else text
    if "\n" in line or "\r" in line:
        raise UsageError(f"{named.what}, from {place}: it holds more than one line", hint="leave one")
    return line, place


def _octets_of(path: Path, named: _Named) -> bytes:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            _check(os.fstat(file.fileno()).st_mode, path, named)
            octets = file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no name of a file"
        raise UsageError(
            f"{named.what}: {path} cannot be read: {why}",
            hint="check the path; it is looked for from the folder of the meter's file",
        ) from None
    if len(octets) > _LONGEST:
        raise UsageError(f"{named.what}: {path} has more than {_LONGEST} octets, too many for a secret")
    return octets


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to does not hold us up."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check(mode: int, path: Path, named: _Named) -> None:
    """Whether a secret may be taken from a file with that mode. Windows keeps its rights elsewhere."""
    if not stat.S_ISREG(mode):
        raise UsageError(f"{named.what}: {path} is no plain file")
    if not _MODES_TELL:
        return
    mend = f"chmod 600 {shlex.quote(str(path))}"
    if mode & _OTHERS_WRITE:
        raise UsageError(f"{named.what}: others may write {path}, and so choose the secret", hint=mend)
    if mode & _OTHERS_READ:
        told = f"{named.what}: others may read {path}"
        named.notice(Finding(Level.WARNING, "readable-secret", told, hint=mend))


_SOURCES: Final[Mapping[str, Callable[[_Named], tuple[str, str]]]] = MappingProxyType(
    {"env": _from_variable, "file": _from_file}
)
"""Where a secret may be kept, other than in the meter's file itself."""
