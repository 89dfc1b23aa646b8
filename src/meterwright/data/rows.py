"""Rows: an array of structures as plain Python values, beside the tree and many times as fast (Green Book, A-XDR).

A profile's buffer (class 7) is thousands of structures of one shape: the same tags, the same lengths of strings. Row 0 tells
the shape. From it come one `struct` that reads a row, and the octets that must stand at the same places of all rows. One
slice a place proves them for the whole buffer, and the rows are read without looking at a tag again.

Whatever is not of one shape is read as a tree: null-data for what did not change, strings of other lengths, arrays within.
The tree is the definition: rows are the values of its nodes, and errors are its errors.

Refuses what is no array (or compact array) of structures. Work is bounded: a shape has at most `MOST_COLUMNS` columns or is
not followed, and no octet is looked at more than once before the tree is asked.
"""

import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import starmap
from math import isnan
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from meterwright.codec import decode_length, length_octets
from meterwright.data.tree import FORMATS, MISFITS, Data, DataTag, decode_data, node
from meterwright.data.types import unexpected
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import BitString, CosemDate, CosemDateTime, CosemTime

__all__ = ["MOST_COLUMNS", "Column", "Row", "RowShape", "Rows", "decode_rows", "encode_rows"]

MOST_COLUMNS: Final = 255
"""Of more columns no `struct` is made: real profiles have some dozens."""
_LONGEST: Final = 0xFFFF

Row: TypeAlias = tuple[Any, ...]
"""The values of one structure: what `Data.value` is for each element."""


class Column(NamedTuple):
    """What a column holds. `length` is that of a string, as sent (of a bit-string in bits); 0 for all others."""

    tag: DataTag
    length: int = 0


_MOMENT: Final = Column(DataTag.OCTET_STRING, 12)


@dataclass(frozen=True, slots=True)
class RowShape:
    """What all rows have in common."""

    columns: tuple[Column, ...]

    @property
    def tags(self) -> tuple[DataTag, ...]:
        """The tag of each column."""
        return tuple(column.tag for column in self.columns)

    @classmethod
    def of(cls, row: Data) -> "RowShape":
        """The shape of one structure. RemoteProtocolError where it is none."""
        return cls(tuple(_column(element) for element in _elements_of(row)))


class Rows(NamedTuple):
    """A buffer: the rows, and their shape. The shape is None where there are no rows, or rows of several shapes."""

    shape: RowShape | None
    rows: list[Row]


def decode_rows(octets: bytes, date_times: Collection[int] = ()) -> Rows:
    """The rows of a buffer. RemoteProtocolError where `octets` are no array of structures.

    In the columns `date_times`, counted from 0, octet-strings of twelve octets become CosemDateTime.
    """
    found = _rows_of_one_shape(octets, frozenset(date_times))
    return _rows_of_tree(Data.from_octets(octets), date_times) if found is None else found


def encode_rows(shape: RowShape, rows: Sequence[Sequence[Any]]) -> bytes:
    """The octets of an array of structures. LocalProtocolError where a value does not fit its column's tag.

    Strings may have other lengths than the shape says, which takes longer. CosemDateTime may stand where octets are meant.
    """
    plan = _plan(shape.columns)
    octets = _packed(plan, rows) if plan and rows else None
    return _tree_of(shape.columns, rows).to_octets() if octets is None else octets


# ------------------------------------------------------------------------------------------------ by the tree


def _elements_of(row: Data) -> tuple[Data, ...]:
    if row.tag is not DataTag.STRUCTURE or not isinstance(row.value, tuple):
        raise unexpected(row, "a structure")
    return row.value


def _column(data: Data) -> Column:
    value = data.value
    if isinstance(value, BitString):
        return Column(data.tag, value.length)
    if data.tag is DataTag.UTF8_STRING and isinstance(value, str):
        return Column(data.tag, len(value.encode("utf-8", "surrogateescape")))
    return Column(data.tag, len(value) if isinstance(value, bytes | str) else 0)


def _rows_of_tree(data: Data, date_times: Collection[int]) -> Rows:
    if data.tag not in (DataTag.ARRAY, DataTag.COMPACT_ARRAY) or not isinstance(data.value, tuple):
        raise unexpected(data, "an array")
    rows: list[Row] = [tuple([element.value for element in _elements_of(row)]) for row in data.value]
    if date_times:
        rows = [_with_date_times(row, date_times) for row in rows]
    shape = RowShape.of(data.value[0]) if rows else None
    return Rows(shape if all(RowShape.of(row) == shape for row in data.value) else None, rows)


def _with_date_times(row: Row, date_times: Collection[int]) -> Row:
    return tuple(
        CosemDateTime.from_octets(value)
        if index in date_times and isinstance(value, bytes) and len(value) == 12
        else value
        for index, value in enumerate(row)
    )


def _tree_of(columns: tuple[Column, ...], rows: Iterable[Sequence[Any]]) -> Data:
    made: list[Data] = []
    for row in rows:
        if len(row) != len(columns):
            raise LocalProtocolError(f"a row of {len(row)} values for {len(columns)} columns", layer="data")
        made.append(node((DataTag.STRUCTURE, tuple(map(_cell, columns, row)))))
    return Data(DataTag.ARRAY, tuple(made))


def _cell(column: Column, value: Any) -> Data:
    if column.tag is DataTag.OCTET_STRING and isinstance(value, CosemDateTime):
        value = value.to_octets()
    return node((column.tag, value))


# ------------------------------------------------------------------------------------------------ by the shape

Convert: TypeAlias = Callable[[Any], Any]


class _Kind(NamedTuple):
    """How a tag whose value is no number stands in a `struct`: as `size` octets, converted cell by cell."""

    read: Convert
    write: Convert
    size: int | None = None  # None: the column tells


def _no_value(_octets: object) -> None:
    return None


def _no_octets(value: object) -> bytes:
    if value is not None:
        raise ValueError("not None")
    return b""


def _octets(value: Any) -> bytes:
    octets: bytes = value.to_octets()
    return octets


def _text(encoding: str, errors: str = "strict") -> _Kind:
    def read(octets: bytes) -> str:
        return octets.decode(encoding, errors)

    def write(text: str) -> bytes:
        return text.encode(encoding, errors)

    return _Kind(read, write)


def _bits(length: int) -> _Kind:
    def read(octets: bytes) -> BitString:
        return BitString(octets, length)

    def write(bits: BitString) -> bytes:
        if bits.length != length:
            raise ValueError("of another length")
        return bits.octets

    return _Kind(read, write)


_KINDS: Final = {
    DataTag.NULL_DATA: _Kind(_no_value, _no_octets, 0),
    DataTag.DONT_CARE: _Kind(_no_value, _no_octets, 0),
    DataTag.VISIBLE_STRING: _text("latin-1"),
    DataTag.UTF8_STRING: _text("utf-8", "surrogateescape"),
    DataTag.DATE_TIME: _Kind(CosemDateTime.from_octets, _octets, 12),
    DataTag.DATE: _Kind(CosemDate.from_octets, _octets, 5),
    DataTag.TIME: _Kind(CosemTime.from_octets, _octets, 4),
}
_NUMBERS: Final = {**FORMATS, DataTag.BOOLEAN: "?", DataTag.FLOAT32: "f"}


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows of one shape are read and written at once."""

    row: struct.Struct
    """Reads and writes the values of a row; what is the same in all rows is skipped, and zero when written."""
    constants: tuple[tuple[int, bytes], ...]
    """Where in a row which octet must stand: tags, lengths, the head of the structure."""
    sizes: tuple[tuple[int, int], ...]
    """Columns that are octets for `struct`, which would cut or fill them, and how many they must be."""
    kinds: tuple[tuple[int, _Kind], ...]
    """Columns whose values are no numbers and no octets."""
    odd: tuple[int, ...]
    """Columns of float32, whose not-a-numbers the tree alone keeps."""
    booleans: tuple[int, ...]
    """Columns that `struct` would make of anything."""


def _plan(columns: tuple[Column, ...]) -> _Plan | None:
    """The plan for a shape, None where it can't be followed."""
    return _made_plan(columns) if len(columns) <= MOST_COLUMNS else None  # before anything is kept


@lru_cache(maxsize=64)
def _made_plan(columns: tuple[Column, ...]) -> _Plan | None:
    constants = list(enumerate(_single_octets(b"\x02" + length_octets(len(columns)))))
    format_, position = f">{len(constants)}x", len(constants)
    for column in columns:
        found = _cell_format(column)
        if found is None:
            return None
        head, cell = found
        constants += enumerate(_single_octets(head), position)
        format_ += f"{len(head)}x{cell}"
        position += len(head) + struct.calcsize(f">{cell}")
    tags = [column.tag for column in columns]
    return _Plan(
        struct.Struct(format_),
        tuple(constants),
        tuple((index, _size(column)) for index, column in enumerate(columns) if column.tag not in _NUMBERS),
        tuple((index, kind) for index, column in enumerate(columns) if (kind := _kind(column))),
        tuple(index for index, tag in enumerate(tags) if tag is DataTag.FLOAT32),
        tuple(index for index, tag in enumerate(tags) if tag is DataTag.BOOLEAN),
    )


def _single_octets(octets: bytes) -> list[bytes]:
    return [octets[index : index + 1] for index in range(len(octets))]


def _kind(column: Column) -> _Kind | None:
    return _bits(column.length) if column.tag is DataTag.BIT_STRING else _KINDS.get(column.tag)


def _size(column: Column) -> int:
    """How many octets a cell has that is no number."""
    if column.tag is DataTag.BIT_STRING:
        return (column.length + 7) // 8
    kind = _KINDS.get(column.tag)
    return column.length if kind is None or kind.size is None else kind.size


def _cell_format(column: Column) -> tuple[bytes, str] | None:
    """The octets before a value, and how `struct` reads the value."""
    head = bytes((column.tag,))
    if number := _NUMBERS.get(column.tag):
        return head, number
    kind = _kind(column)
    if (kind is None and column.tag is not DataTag.OCTET_STRING) or not 0 <= column.length <= _LONGEST:
        return None
    if kind is None or kind.size is None:
        head += length_octets(column.length)
    return head, f"{_size(column)}s"


def _rows_of_one_shape(octets: bytes, date_times: frozenset[int]) -> Rows | None:
    """The rows, None where they are not of one shape."""
    head = _head(octets)
    if head is None:
        return None
    count, start, shape = head
    plan = _plan(shape.columns)
    if plan is None or len(octets) - start != count * plan.row.size:
        return None
    body, size = octets[start:], plan.row.size
    if not all(body[offset::size] == octet * count for offset, octet in plan.constants):
        return None
    rows: list[Row] = list(plan.row.iter_unpack(body))
    if any(any(map(isnan, map(itemgetter(index), rows))) for index in plan.odd):
        return None
    readers: list[tuple[int, Convert]] = [(index, partial(map, kind.read)) for index, kind in plan.kinds]
    readers += [
        (index, CosemDateTime.many_from_octets)
        for index, column in enumerate(shape.columns)
        if index in date_times and column == _MOMENT
    ]
    return Rows(shape, _converted(rows, readers) if readers else rows)


def _head(octets: bytes) -> tuple[int, int, RowShape] | None:
    """How many rows there are, where they begin, and the shape of the first."""
    try:
        count, start = decode_length(octets, 1)
        if octets[0] != DataTag.ARRAY or not count or octets[start] != DataTag.STRUCTURE:
            return None
        first, _ = decode_data(octets, start, 1)
    except (IndexError, RemoteProtocolError):  # the tree will tell, in its own words
        return None
    return count, start, RowShape.of(first)


def _converted(rows: Iterable[Iterable[Any]], converters: Iterable[tuple[int, Convert]]) -> list[Row]:
    """The rows with some of their columns converted; they are turned round, as a column is quicker than cells here and there."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for index, convert in converters:
        columns[index] = convert(columns[index])
    return list(zip(*columns, strict=True))


def _packed(plan: _Plan, rows: Sequence[Sequence[Any]]) -> bytes | None:
    """The rows, None where a value is not as the plan has it."""
    try:
        raw = _raw(plan, rows)
        if raw is None:
            return None
        body = bytearray().join(starmap(plan.row.pack, raw))
    except (*MISFITS, LookupError):  # the tree will tell
        return None
    count, size = len(rows), plan.row.size
    for offset, octet in plan.constants:
        body[offset::size] = octet * count
    return b"".join((b"\x01", length_octets(count), body))


def _raw(plan: _Plan, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]] | None:
    """The rows as `struct` takes them, None where it would take what the tree does not, or make something else of it."""
    writers: list[tuple[int, Convert]] = [(index, partial(map, kind.write)) for index, kind in plan.kinds]
    converted = {index for index, _ in writers}
    writers += [
        (index, partial(map, _octets))
        for index, _ in plan.sizes
        if index not in converted and isinstance(rows[0][index], CosemDateTime)
    ]
    raw = _converted(rows, writers) if writers else rows
    if any(any(len(row[index]) != size for row in raw) for index, size in plan.sizes):
        return None
    if any(any(map(isnan, map(itemgetter(index), raw))) for index in plan.odd):
        return None
    if not all(all(isinstance(row[index], int) for row in raw) for index in plan.booleans):
        return None
    return raw
