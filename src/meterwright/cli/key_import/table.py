"""A maker's file of comma-separated values, row by row: with its headers, its lines' numbers, and a cap for everything.

Commas, semicolons or tabs, UTF-8 or UTF-16, with or without a byte order mark, as spreadsheets write it. What is damaged (a
quote that never ends, more than a row can hold) is an error of the whole file, told by its line and never by what stands
there.
"""

import csv
import io
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError

__all__ = ["KeyTable", "Row", "read_table", "table_of"]

_LARGEST: Final = 64 << 20
_MOST_ROWS: Final = 1_000_000
_LONGEST_CELL: Final = 4096
_DELIMITERS: Final = ",;\t"
_MARKS: Final = (
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and the line it begins in. Its cells may be secrets."""

    line: int
    cells: Sequence[str] = field(repr=False)

    def cell(self, index: int) -> str:
        """A cell as it is written; nothing where the row is too short."""
        return self.cells[index] if index < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A file that was read: its headers, and its rows as often as they are asked for."""

    headers: Sequence[str] = field(repr=False)
    _text: str = field(repr=False)
    _delimiter: str
    _header_line: int

    def rows(self) -> Iterator[Row]:
        """The rows below the headers, without empty ones. UsageError where the file is damaged or has too many."""
        count = 0
        for row in _parsed(self._text, self._delimiter):
            if row.line <= self._header_line:
                continue
            count += 1
            if count > _MOST_ROWS:
                raise UsageError(f"there are more than {_MOST_ROWS} rows", hint="split the file")
            yield row


def read_table(file: Path) -> KeyTable:
    """The table in a file. UsageError where it cannot be read, or holds none."""
    try:
        with file.open("rb") as opened:
            octets = opened.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", hint="check the path") from None
    if len(octets) > _LARGEST:
        raise UsageError(f"{file} has more than {_LARGEST >> 20} MiB", hint="split it")
    return table_of(octets)


def table_of(octets: bytes) -> KeyTable:
    """The table that octets are. UsageError where they are none."""
    text = _decoded(octets)
    delimiter = _delimiter(text)
    headers = next(
        (row for row in _parsed(text, delimiter) if not (row.line == 1 and _tells_delimiter(text))), None
    )
    if headers is None:
        raise UsageError("the file is empty", hint="its first line must hold headers")
    return KeyTable([cell.strip() for cell in headers.cells], text, delimiter, headers.line)


def _decoded(octets: bytes) -> str:
    coding = next((name for mark, name in _MARKS if octets.startswith(mark)), None) or _unmarked(octets)
    try:
        return octets.decode(coding)
    except UnicodeDecodeError:
        pass  # raised from here, an error would carry the whole file in its context
    raise UsageError("the file is no text in UTF-8 or UTF-16", hint="save it as CSV in UTF-8")


def _unmarked(octets: bytes) -> str:
    """The coding of a text without a mark: in UTF-16, one of its first two octets is 0."""
    zeros = [octet == 0 for octet in octets[:2]]
    return _BY_ZEROS.get(tuple(zeros), "utf-8")


_BY_ZEROS: Final[Mapping[tuple[bool, ...], str]] = MappingProxyType(
    {(True, False): "utf-16-be", (False, True): "utf-16-le"}
)


def _first_line(text: str) -> str:
    return next((line for line in re.split(r"[\r\n]+", text[:_LONGEST_CELL]) if line), "")


def _tells_delimiter(text: str) -> bool:
    """Whether the first line is `sep=;`, which tells spreadsheets the delimiter and is no header."""
    line = text[:6].splitlines()[:1]
    return (
        bool(line) and len(line[0]) == 5 and line[0].lower().startswith("sep=") and line[0][4] in _DELIMITERS
    )


def _delimiter(text: str) -> str:
    """What stands between cells: said so, or seen in the line of headers, where nobody's password can mislead."""
    if _tells_delimiter(text):
        return text[4]
    try:
        found = csv.Sniffer().sniff(_first_line(text), delimiters=_DELIMITERS).delimiter
    except csv.Error:
        return ","  # one column
    return found if found and found in _DELIMITERS else ","


def _parsed(text: str, delimiter: str) -> Generator[Row]:
    """Every row that is not empty, the headers too."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            cells = []
            broken = True
        else:
            broken = False
        if cells is None:
            return
        if broken or any(len(cell) > _LONGEST_CELL for cell in cells):
            raise UsageError(
                f"line {line}: this is no row of a CSV file, or a cell has more than {_LONGEST_CELL} characters",
                hint="a quote that is never closed looks like that; a quote inside quotes is written twice",
            )
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)
