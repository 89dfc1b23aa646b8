"""From one row of a maker's file to one meter's file, and from there into a folder.

A `Recipe` says how; `meter_file` makes the file of a row, or says what is wrong with the row without saying what stands in
it. `KeyFolder` puts files in place: whole or not at all, for their owner alone from the first octet on, and never over one
that says something else unless that is asked for.
"""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

import tomlkit

from meterwright.cli.key_import.columns import KEYS, Column
from meterwright.cli.key_import.table import Row
from meterwright.cli.key_import.urls import UrlTemplate
from meterwright.cli.meter_files import parse_meter_file
from meterwright.cli.meters import require_usable
from meterwright.errors import UsageError
from meterwright.security import BOOK_PASSWORDS, Secret, is_test_key
from meterwright.security.suites import SUITES
from meterwright.values import SecuritySuite

__all__ = ["KeyFolder", "MeterFile", "Outcome", "Recipe", "file_name", "meter_file"]

_KEY_SIZES: Final = tuple(sorted({suite.key_size for suite in SUITES.values()}))
_TITLE_SIZE: Final = 8
_LONGEST_SERIAL: Final = 100
_LARGEST_METER_FILE: Final = 1 << 20
_SEPARATORS: Final = re.compile(r"[\s:_-]+")
_SPREADSHEET: Final = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_KEY_LIKE: Final = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?", re.IGNORECASE)
_HEX_LIKE: Final = re.compile(r"(?:[0-9a-f]{2}){8,}", re.IGNORECASE)
_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for itself."""

_KEYS_OF: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "high-gmac": (Column.GLOBAL_UNICAST, Column.AUTHENTICATION),
        "authenticated": (Column.GLOBAL_UNICAST, Column.AUTHENTICATION),
        "encrypted": (Column.GLOBAL_UNICAST, Column.AUTHENTICATION),
        "authenticated-encrypted": (Column.GLOBAL_UNICAST, Column.AUTHENTICATION),
    }
)
"""The keys that an authentication or a security cannot do without: each authenticates its Initiate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How rows of `width` cells become files. `secret` is the column of the password, where one is used.

    `hex_passwords`: they are written in hex, not as people type them.

    `authentication` and `security` are written as they are; where they are None, what a row holds decides.
    """

    width: int
    columns: Mapping[Column, int]
    url: UrlTemplate
    secret: Column | None = None
    hex_passwords: bool = False
    client: int | None = None
    companion: str | None = None
    authentication: str | None = None
    security: str | None = None

    def cell(self, row: Row, column: Column) -> str:
        """What a row has in a column; nothing where there is no such column. The cell may be a secret."""
        return row.cell(self.columns[column]) if column in self.columns else ""


@dataclass(frozen=True, slots=True)
class MeterFile:
    """A meter's file, not written yet. `known_to_all` are its secrets that protect nothing, `hex_like` is its password."""

    serial: str
    name: str
    content: Secret
    known_to_all: tuple[Column, ...]
    hex_like: bool


def meter_file(row: Row, recipe: Recipe) -> MeterFile:
    """The file of a row. UsageError says what is wrong with the row, and no value of it."""
    if any(cell.strip() for cell in row.cells[recipe.width :]):
        raise UsageError("there are more cells than headers")
    serial = _serial(row, recipe)
    keys = dict(_keys(row, recipe))
    text = "" if recipe.secret is None else recipe.cell(row, recipe.secret)
    password = None if recipe.secret is None else _password(text, recipe.secret, recipe)
    _refuse_what_lacks(recipe, keys, password)
    lines = [f"# the meter {serial}", "[meter]", *_meter_lines(row, recipe, keys, password), "", "[keys]"]
    if password is not None:
        lines.append(f"password = {_quoted(_written(password, text, recipe))}")
    lines += [f"{column.value} = {_quoted(key.reveal().hex())}" for column, key in keys.items()]
    known = [column for column, key in keys.items() if is_test_key(key)]
    if recipe.secret is not None and password in BOOK_PASSWORDS:
        known.append(recipe.secret)
    hex_like = not recipe.hex_passwords and _HEX_LIKE.fullmatch(text) is not None
    content = Secret("\n".join((*lines, "")).encode("utf-8"))
    require_usable(parse_meter_file(content.reveal(), "its file"))
    return MeterFile(serial, file_name(serial), content, tuple(known), hex_like)


def file_name(serial: str) -> str:
    """The name of a meter's file: a serial number may hold anything, a name may not. Another serial has another name."""
    if _SAFE_NAME.fullmatch(serial) and not _RESERVED.fullmatch(serial):
        return f"{serial}.toml"
    readable = re.sub(r"[^A-Za-z0-9._-]|^[^A-Za-z0-9]", "_", serial)[:40]
    digest = hashlib.sha256(serial.encode("utf-8", "surrogatepass")).hexdigest()
    return f"m_{readable}-{digest[:16]}.toml"


# ------------------------------------------------------------------------------------------------ a row


def _serial(row: Row, recipe: Recipe) -> str:
    """The serial number. What may be a key in the wrong column gets into no file's name."""
    serial = recipe.cell(row, Column.SERIAL).strip()
    if not serial or not serial.isprintable() or len(serial) > _LONGEST_SERIAL:
        raise UsageError("the serial number is missing, longer than 100 characters, or not printable")
    if _KEY_LIKE.fullmatch(_SEPARATORS.sub("", serial)):
        raise UsageError("the serial number looks like a key: is this the right column?")
    if _SPREADSHEET.fullmatch(serial):
        raise UsageError("a spreadsheet has rounded the serial number: have the column written as text")
    return serial


def _keys(row: Row, recipe: Recipe) -> Iterator[tuple[Column, Secret]]:
    """The keys that the row has, all of one size."""
    size = None
    for column in KEYS:
        text = recipe.cell(row, column)
        if not text.strip():
            continue
        key = _from_hex(text, column)
        if key.size not in _KEY_SIZES:
            raise UsageError(f"the {column.told} has {key.size} octets, and 16 or 32 are right")
        if size not in (None, key.size):
            raise UsageError(f"the {column.told} has {key.size} octets, and the key before it {size}")
        size = key.size
        yield column, key


def _from_hex(text: str, column: Column) -> Secret:
    """The octets of hex digits, with or without 0x and what people put between them."""
    digits = _SEPARATORS.sub("", text)
    if digits[:2] in ("0x", "0X"):
        digits = digits[2:]
    try:
        return Secret.from_hex(digits)
    except UsageError:
        raise UsageError(f"the {column.told} is not written in hex digits") from None


def _password(text: str, column: Column, recipe: Recipe) -> Secret:
    """A password as it is written, or from hex."""
    password = _from_hex(text, column) if recipe.hex_passwords else _from_text(text, column)
    if not password.size:
        raise UsageError(f"the {column.told} is missing")
    return password


def _from_text(text: str, column: Column) -> Secret:
    if text != text.strip() or not text.isprintable():
        raise UsageError(f"the {column.told} has spaces around it, or characters that no keyboard has")
    return Secret(text.encode("utf-8"))


def _refuse_what_lacks(recipe: Recipe, keys: Mapping[Column, Secret], password: Secret | None) -> None:
    """A file without what its own `[meter]` asks for would be refused by every command."""
    if not keys and password is None:
        raise UsageError("there is neither a key nor a password")
    wanted = {
        *_KEYS_OF.get(recipe.authentication or "", ()),
        *_KEYS_OF.get(recipe.security or _security(keys) or "", ()),
    }
    for column in KEYS:
        if column in wanted and column not in keys:
            raise UsageError(f"the {column.told} is missing")


def _written(password: Secret, text: str, recipe: Recipe) -> str:
    return password.reveal().hex() if recipe.hex_passwords else f"text:{text}"


def _meter_lines(
    row: Row, recipe: Recipe, keys: Mapping[Column, Secret], password: Secret | None
) -> Iterator[str]:
    """The table `[meter]`. What is not known is left out, rather than guessed."""
    values = {column: recipe.cell(row, column).strip() for column in recipe.url.columns}
    known: Mapping[str, str | int | None] = {
        "url": recipe.url.fill(values),
        "client": recipe.client,
        "companion": recipe.companion,
        "authentication": recipe.authentication or _authentication(recipe, password),
        "security": recipe.security or _security(keys),
        "suite": _suite(keys),
        "meter_system_title": _meter_system_title(row, recipe),
    }
    for name, value in known.items():
        if value is not None:
            yield f"{name} = {value if isinstance(value, int) else _quoted(value)}"


def _authentication(recipe: Recipe, password: Secret | None) -> str | None:
    """What the password is for. Keys alone may be for a login with GMAC or for none: a person must say."""
    return None if password is None or recipe.secret is None else recipe.secret.value


def _security(keys: Mapping[Column, Secret]) -> str | None:
    return "authenticated-encrypted" if Column.GLOBAL_UNICAST in keys else None


def _suite(keys: Mapping[Column, Secret]) -> int | None:
    """The suite, where the size of the keys tells: only one has the long ones."""
    long = any(key.size == SUITES[SecuritySuite.SUITE_2].key_size for key in keys.values())
    return int(SecuritySuite.SUITE_2) if long else None


def _meter_system_title(row: Row, recipe: Recipe) -> str | None:
    text = recipe.cell(row, Column.METER_SYSTEM_TITLE)
    if not text.strip():
        return None
    title = _from_hex(text, Column.METER_SYSTEM_TITLE)
    if title.size != _TITLE_SIZE:
        raise UsageError(f"the meter's system title has {title.size} octets, and {_TITLE_SIZE} are right")
    return title.reveal().hex().upper()


def _quoted(text: str) -> str:
    return tomlkit.string(text).as_string()


# ------------------------------------------------------------------------------------------------ a folder


class Outcome(Enum):
    """What became of a file."""

    WRITTEN = "written"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


class KeyFolder:
    """The folder of meters' files. `dry`: say what would be done, and do nothing."""

    def __init__(self, folder: Path, *, replace: bool = False, dry: bool = False) -> None:
        self._folder = folder
        self._replace = replace
        self._dry = dry
        if not dry:
            self._make()

    def _make(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageError(
                f"the folder {self._folder} cannot be made: {error.strerror or error}",
                hint="give another one with --into",
            ) from None

    @property
    def others_write(self) -> bool:
        """Whether others may put files into the folder, or take some away."""
        try:
            return os.name == "posix" and self._folder.stat().st_mode & 0o022 != 0
        except OSError:
            return False

    def put(self, file: MeterFile) -> Outcome:
        """Put a file in place. UsageError where another one is there, or the disk fails."""
        path = self._folder / file.name
        try:
            return self._put(path, file.content)
        except OSError as error:
            raise UsageError(f"{file.name} cannot be written: {error.strerror or error}") from None

    def finish(self) -> None:
        """Force the new names to the disk; Windows does so by itself, and can't open folders."""
        if sys.platform == "win32" or self._dry:
            return
        with suppress(OSError):  # the files themselves are on the disk; a file system may not know this
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _put(self, path: Path, content: Secret) -> Outcome:
        there = os.path.lexists(path)
        if there and path.is_file() and content.matches(_content_of(path)):
            if not self._dry and os.name == "posix" and path.stat().st_mode & 0o077:
                path.chmod(0o600)
            return Outcome.UNCHANGED
        if there and not self._replace:
            raise _taken(path)
        if not self._dry:
            self._write(path, content)
        return Outcome.REPLACED if there else Outcome.WRITTEN

    def _write(self, path: Path, content: Secret) -> None:
        """Beside its place first, so that nobody finds half a file there."""
        descriptor, name = tempfile.mkstemp(prefix=".keys-", dir=self._folder)  # 0600 from the beginning
        fresh = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(content.reveal())
                opened.flush()
                os.fsync(descriptor)
            if self._replace:
                fresh.replace(path)
            else:
                _name(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)


def _content_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST_METER_FILE)


def _name(fresh: Path, path: Path) -> None:
    """Give a file its name, unless another program has taken that name meanwhile."""
    try:
        if sys.platform == "win32":
            fresh.rename(path)
        else:
            path.hardlink_to(fresh)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # a stick with FAT has no links
        if os.path.lexists(path):
            raise _taken(path) from None
        fresh.replace(path)


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path.name} is there and says something else; --replace overwrites it")
