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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from math import isnan
from operator import itemgetter
from typing import Any, Final, NamedTuple

from meterwright.codec import decode_length, length_octets
from meterwright.data.compact import TypeDescription
from meterwright.data.shape import (
    Column,
    Convert,
    Plan,
    Row,
    Shaped,
    column_of,
    octets_of,
    plan_of,
    shaped,
    shaped_contents,
)
from meterwright.data.tree import MISFITS, Data, DataTag, node
from meterwright.data.types import unexpected
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import CosemDateTime

__all__ = ["Row", "RowShape", "Rows", "decode_rows", "encode_rows"]

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
        return cls(tuple(column_of(element) for element in _elements_of(row)))


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
    plan = plan_of(shape.columns)
    octets = _packed(plan, rows) if plan and rows else None
    return _tree_of(shape.columns, rows).to_octets() if octets is None else octets


# ------------------------------------------------------------------------------------------------ by the tree


def _elements_of(row: Data) -> tuple[Data, ...]:
    if row.tag is not DataTag.STRUCTURE or not isinstance(row.value, tuple):
        raise unexpected(row, "a structure")
    return row.value


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


def _rows_of_one_shape(octets: bytes, date_times: frozenset[int]) -> Rows | None:
    """The rows, None where they are not of one shape, or more follows."""
    try:
        found = _COMPOUND[octets[0]](octets)
    except (LookupError, struct.error, RemoteProtocolError):  # the tree will tell, in its own words
        return None
    if found is None or found.end != len(octets):
        return None
    readers: list[tuple[int, Convert]] = [
        (index, partial(map, kind.read)) for index, kind in found.plan.kinds
    ]
    readers += [
        (index, CosemDateTime.many_from_octets)
        for index, column in enumerate(found.columns)
        if index in date_times and column == _MOMENT
    ]
    return Rows(RowShape(found.columns), _converted(found.turned(), readers) if readers else found.rows)


def _shaped_array(octets: bytes) -> Shaped | None:
    count, start = decode_length(octets, 1)
    return shaped(octets, start, count, 1)


def _shaped_compact_array(octets: bytes) -> Shaped | None:
    description, start, end = TypeDescription.before_contents(octets, 1)
    if description.tag is not DataTag.STRUCTURE or end != len(octets):
        return None
    return shaped_contents(octets, start, [part.tag for part in description.parts], description.most)


_COMPOUND: Final[Mapping[int, Callable[[bytes], Shaped | None]]] = {
    DataTag.ARRAY: _shaped_array,
    DataTag.COMPACT_ARRAY: _shaped_compact_array,
}


def _converted(columns: list[Iterable[Any]], converters: Iterable[tuple[int, Convert]]) -> list[Row]:
    """The rows of these columns, some of them converted: a column at once is quicker than cells here and there."""
    for index, convert in converters:
        columns[index] = convert(columns[index])
    return list(zip(*columns, strict=True))


def _packed(plan: Plan, rows: Sequence[Sequence[Any]]) -> bytes | None:
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


def _raw(plan: Plan, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]] | None:
    """The rows as `struct` takes them, None where it would take what the tree does not, or make something else of it."""
    writers: list[tuple[int, Convert]] = [(index, partial(map, kind.write)) for index, kind in plan.kinds]
    converted = {index for index, _ in writers}
    writers += [
        (index, partial(map, octets_of))
        for index, _ in plan.sizes
        if index not in converted and isinstance(rows[0][index], CosemDateTime)
    ]
    raw = _converted(list(zip(*rows, strict=True)), writers) if writers else rows
    if any(any(len(row[index]) != size for row in raw) for index, size in plan.sizes):
        return None
    if any(any(map(isnan, map(itemgetter(index), raw))) for index in plan.odd):
        return None
    if not all(all(isinstance(row[index], int) for row in raw) for index in plan.booleans):
        return None
    return raw
