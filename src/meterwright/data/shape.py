"""Arrays of structures of one shape: a `struct` reads all their rows at once (Green Book, A-XDR). For `rows`, and the tree.

Row 0 tells the shape: its tags, and the lengths of its strings. From it comes one `struct` that reads a row, and the octets
that must stand at the same places of all rows. One slice a place proves them, and no tag is looked at again.

Nothing is refused here: where rows are not of one shape, or anything is odd, the plain decoder has the word, and the errors
are its own. Work is bounded: row 0 is looked at without what nests in it, its columns are at most `MOST_COLUMNS`, and nothing
is copied before it is proved.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import isnan
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from meterwright.codec import decode_length, length_octets
from meterwright.data.tree import DECODERS, DEEPEST_NESTING, FORMATS, Data, DataTag, node
from meterwright.errors import RemoteProtocolError
from meterwright.values import BitString, CosemDate, CosemDateTime, CosemTime

__all__ = [
    "MOST_COLUMNS",
    "PLAIN_ARRAY",
    "Column",
    "Convert",
    "Kind",
    "Plan",
    "Row",
    "Shaped",
    "column_of",
    "octets_of",
    "plan_of",
    "shaped",
    "shaped_contents",
]

MOST_COLUMNS: Final = 255
"""Of more columns no `struct` is made: real profiles have some dozens."""
_LONGEST: Final = 0xFFFF
_FEWEST_ROWS: Final = 8
"""An array of fewer is read sooner than its shape is known."""

Row: TypeAlias = tuple[Any, ...]
"""The values of one structure: what `Data.value` is for each element."""


class Column(NamedTuple):
    """What a column holds. `length` is that of a string, as sent (of a bit-string in bits); 0 for all others."""

    tag: DataTag
    length: int = 0


def column_of(data: Data) -> Column:
    """The column that a node stands in."""
    value = data.value
    if isinstance(value, BitString):
        return Column(data.tag, value.length)
    if data.tag is DataTag.UTF8_STRING and isinstance(value, str):
        return Column(data.tag, len(value.encode("utf-8", "surrogateescape")))
    return Column(data.tag, len(value) if isinstance(value, bytes | str) else 0)


Convert: TypeAlias = Callable[[Any], Any]


class Kind(NamedTuple):
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


def octets_of(value: Any) -> bytes:
    """Those of a date or time."""
    octets: bytes = value.to_octets()
    return octets


def _text(encoding: str, errors: str = "strict") -> Kind:
    def read(octets: bytes) -> str:
        return octets.decode(encoding, errors)

    def write(text: str) -> bytes:
        return text.encode(encoding, errors)

    return Kind(read, write)


def _bits(length: int) -> Kind:
    def read(octets: bytes) -> BitString:
        return BitString(octets, length)

    def write(bits: BitString) -> bytes:
        if bits.length != length:
            raise ValueError("of another length")
        return bits.octets

    return Kind(read, write)


_KINDS: Final = {
    DataTag.NULL_DATA: Kind(_no_value, _no_octets, 0),
    DataTag.DONT_CARE: Kind(_no_value, _no_octets, 0),
    DataTag.VISIBLE_STRING: _text("latin-1"),
    DataTag.UTF8_STRING: _text("utf-8", "surrogateescape"),
    DataTag.DATE_TIME: Kind(CosemDateTime.from_octets, octets_of, 12),
    DataTag.DATE: Kind(CosemDate.from_octets, octets_of, 5),
    DataTag.TIME: Kind(CosemTime.from_octets, octets_of, 4),
}
_NUMBERS: Final = {**FORMATS, DataTag.BOOLEAN: "?", DataTag.FLOAT32: "f"}
_NOTHING: Final = (DataTag.NULL_DATA, DataTag.DONT_CARE)
_SIMPLE: Final = frozenset({*_NUMBERS, *_KINDS, DataTag.BIT_STRING, DataTag.OCTET_STRING})


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows of one shape are read and written at once."""

    row: struct.Struct
    """Reads and writes the values of a row; what is the same in all rows is skipped, and zero when written."""
    constants: tuple[tuple[int, bytes], ...]
    """Where in a row which octet must stand: tags, lengths, the head of the structure."""
    sizes: tuple[tuple[int, int], ...]
    """Columns that are octets for `struct`, which would cut or fill them, and how many they must be."""
    kinds: tuple[tuple[int, Kind], ...]
    """Columns whose values are no numbers and no octets."""
    odd: tuple[int, ...]
    """Columns of float32, whose not-a-numbers the tree alone keeps."""
    booleans: tuple[int, ...]
    """Columns that `struct` would make of anything."""


def plan_of(columns: tuple[Column, ...], *, tagged: bool = True) -> Plan | None:
    """The plan for a shape, None where it can't be followed. Rows of a compact array are not `tagged`."""
    return _madeplan_of(columns, tagged) if len(columns) <= MOST_COLUMNS else None  # before anything is kept


@lru_cache(maxsize=64)
def _madeplan_of(columns: tuple[Column, ...], tagged: bool) -> Plan | None:
    head = b"\x02" + length_octets(len(columns)) if tagged else b""
    constants = list(enumerate(_single_octets(head)))
    format_, position = f">{len(constants)}x", len(constants)
    for column in columns:
        found = _cell_format(column, bytes((column.tag,)) if tagged else b"")
        if found is None:
            return None
        head, cell = found
        constants += enumerate(_single_octets(head), position)
        format_ += f"{len(head)}x{cell}"
        position += len(head) + struct.calcsize(f">{cell}")
    tags = [column.tag for column in columns]
    return Plan(
        struct.Struct(format_),
        tuple(constants),
        tuple((index, _size(column)) for index, column in enumerate(columns) if column.tag not in _NUMBERS),
        tuple((index, kind) for index, column in enumerate(columns) if (kind := _kind(column))),
        tuple(index for index, tag in enumerate(tags) if tag is DataTag.FLOAT32),
        tuple(index for index, tag in enumerate(tags) if tag is DataTag.BOOLEAN),
    )


def _single_octets(octets: bytes) -> list[bytes]:
    return [octets[index : index + 1] for index in range(len(octets))]


def _kind(column: Column) -> Kind | None:
    return _bits(column.length) if column.tag is DataTag.BIT_STRING else _KINDS.get(column.tag)


def _size(column: Column) -> int:
    """How many octets a cell has that is no number."""
    if column.tag is DataTag.BIT_STRING:
        return (column.length + 7) // 8
    kind = _KINDS.get(column.tag)
    return column.length if kind is None or kind.size is None else kind.size


def _cell_format(column: Column, head: bytes) -> tuple[bytes, str] | None:
    """The octets before a value, `head` first, and how `struct` reads the value."""
    if number := _NUMBERS.get(column.tag):
        return head, number
    kind = _kind(column)
    if (kind is None and column.tag is not DataTag.OCTET_STRING) or not 0 <= column.length <= _LONGEST:
        return None
    if kind is None or kind.size is None:
        head += length_octets(column.length)
    return head, f"{_size(column)}s"


class Shaped(NamedTuple):
    """Rows of one shape: its columns and plan, the rows as `struct` gives them, and where they end."""

    columns: tuple[Column, ...]
    plan: Plan
    rows: list[Row]
    end: int

    def turned(self) -> list[Iterable[Any]]:
        """The columns. The rows are gone then: what dies early spares the garbage collector's rounds."""
        columns: list[Iterable[Any]] = list(zip(*self.rows, strict=True))
        self.rows.clear()
        return columns


def shaped(octets: bytes, start: int, count: int, depth: int) -> Shaped | None:
    """The `count` rows that begin at `start`, `depth` deep; None where they are not of one shape."""
    columns = _first_columns(octets, start, depth)
    plan = None if columns is None or not count else plan_of(columns)
    if columns is None or plan is None or start + count * plan.row.size > len(octets):
        return None
    return _proved(octets, start, count, columns, plan)


def shaped_contents(octets: bytes, start: int, tags: Sequence[DataTag], most: int) -> Shaped | None:
    """The rows of a compact array whose contents go from `start` to the end; None where they are not of one shape.

    `tags` are those of its columns, `most` is how many rows it may have.
    """
    columns = _contents_columns(octets, start, tags)
    plan = None if columns is None else plan_of(columns, tagged=False)
    if columns is None or plan is None or not plan.row.size:
        return None
    count, rest = divmod(len(octets) - start, plan.row.size)
    if rest or not 0 < count <= most:
        return None
    return _proved(octets, start, count, columns, plan)


def _proved(octets: bytes, start: int, count: int, columns: tuple[Column, ...], plan: Plan) -> Shaped | None:
    """The rows, once each place has been seen to hold what it must."""
    size = plan.row.size
    end = start + count * size
    for offset, octet in plan.constants:
        if octets[start + offset : end : size] != octet * count:
            return None
    rows: list[Row] = list(plan.row.iter_unpack(octets[start:end]))
    if any(any(map(isnan, map(itemgetter(index), rows))) for index in plan.odd):
        return None
    return Shaped(columns, plan, rows, end)


def _first_columns(octets: bytes, position: int, depth: int) -> tuple[Column, ...] | None:
    """The columns of row 0, None where something nests in it: that would be read again at each level."""
    try:
        if octets[position] != DataTag.STRUCTURE or depth >= DEEPEST_NESTING:
            return None
        count, position = decode_length(octets, position + 1)
        if count > MOST_COLUMNS:
            return None
        columns: list[Column] = []
        for _ in range(count):
            tag = octets[position]
            if tag not in _SIMPLE:
                return None
            element, position = DECODERS[tag](octets, position + 1, depth)
            columns.append(column_of(element))
    except (IndexError, struct.error, RemoteProtocolError):  # the plain decoder will tell, in its own words
        return None
    return tuple(columns)


def _contents_columns(octets: bytes, position: int, tags: Sequence[DataTag]) -> tuple[Column, ...] | None:
    """The columns by row 0 of the contents, None where something nests in it or it is no row."""
    if len(tags) > MOST_COLUMNS or not _SIMPLE.issuperset(tags):
        return None
    columns: list[Column] = []
    try:
        for tag in tags:
            element, position = DECODERS[tag](octets, position, 0)
            columns.append(column_of(element))
    except (IndexError, struct.error, RemoteProtocolError):  # the plain decoder will tell, in its own words
        return None
    return tuple(columns)


# ------------------------------------------------------------------------------------------------ into the tree

PLAIN_ARRAY: Final = DECODERS[DataTag.ARRAY]
"""What reads an array element by element: any array, and the judge of all."""


def _decode_array(octets: bytes, position: int, depth: int) -> tuple[Data, int]:
    """An array, its rows by their shape where there are some: the same nodes, for a third of the time."""
    count, start = decode_length(octets, position)
    if count < _FEWEST_ROWS or count > len(octets) - start or octets[start] != DataTag.STRUCTURE:
        return PLAIN_ARRAY(octets, position, depth)
    found = shaped(octets, start, count, depth + 1)
    if found is None or not found.columns:
        return PLAIN_ARRAY(octets, position, depth)
    values = found.turned()
    for index, kind in found.plan.kinds:
        values[index] = map(kind.read, values[index])
    nodes = [
        repeat(node((column.tag, None)), count)  # one for all, as the plain decoder has it
        if column.tag in _NOTHING
        else map(node, zip(repeat(column.tag), cells, strict=False))
        for column, cells in zip(found.columns, values, strict=True)
    ]
    structures = map(node, zip(repeat(DataTag.STRUCTURE), zip(*nodes, strict=True), strict=False))
    return node((DataTag.ARRAY, tuple(structures))), found.end


DECODERS[DataTag.ARRAY] = _decode_array
