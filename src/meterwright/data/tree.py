"""The self-describing Data tree (Blue Book, common data types): every simple tag, arrays and structures.

A `Data` is a tag and its value; arrays and structures hold tuples of `Data`. What each tag carries in Python:

=====================================  ===============================================================
null-data, dont-care                   None
boolean                                bool (any octet but 00 is true; 01 is sent)
bit-string                             BitString
integers, enum, bcd, delta types       int
octet-string                           bytes
visible-string, utf8-string            str (octets that are not legal text survive a round trip)
float32, float64                       float
date-time, date, time                  CosemDateTime, CosemDate, CosemTime
array, structure                       tuple[Data, ...]
compact-array                          CompactArray: such a tuple that knows its type description
=====================================  ===============================================================

Nesting is capped; a count that exceeds the octets left is refused before anything is built, so a tree never has more
nodes than the octets it came from. Compact arrays, whose elements bear no tags, have a module of their own: `data.compact`
enters them into the tables here, with a cap of its own.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from math import isnan
from typing import Any, Final, NamedTuple, TypeAlias

from meterwright.codec import decode_length, length_octets, truncated
from meterwright.data.floats import nan_from_single, single_from_nan
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import BitString, CosemDate, CosemDateTime, CosemTime

__all__ = [
    "DECODERS", "DEEPEST_NESTING", "FORMATS", "MISFITS", "WRITERS", "Content", "Data", "DataTag", "Decode",
    "check_depth", "counted", "decode_data", "encode_data", "misfit", "node",
]  # fmt: skip

DEEPEST_NESTING: Final = 32
"""How deep arrays and structures may nest: real object lists need five."""

Content: TypeAlias = (
    bool
    | int
    | float
    | bytes
    | str
    | BitString
    | CosemDateTime
    | CosemDate
    | CosemTime
    | tuple["Data", ...]
    | None
)


class DataTag(IntEnum):
    """The tags of Data."""

    NULL_DATA = 0x00
    ARRAY = 0x01
    STRUCTURE = 0x02
    BOOLEAN = 0x03
    BIT_STRING = 0x04
    DOUBLE_LONG = 0x05
    DOUBLE_LONG_UNSIGNED = 0x06
    OCTET_STRING = 0x09
    VISIBLE_STRING = 0x0A
    UTF8_STRING = 0x0C
    BCD = 0x0D
    INTEGER = 0x0F
    LONG = 0x10
    UNSIGNED = 0x11
    LONG_UNSIGNED = 0x12
    COMPACT_ARRAY = 0x13
    LONG64 = 0x14
    LONG64_UNSIGNED = 0x15
    ENUM = 0x16
    FLOAT32 = 0x17
    FLOAT64 = 0x18
    DATE_TIME = 0x19
    DATE = 0x1A
    TIME = 0x1B
    DELTA_INTEGER = 0x1C
    DELTA_LONG = 0x1D
    DELTA_DOUBLE_LONG = 0x1E
    DELTA_UNSIGNED = 0x1F
    DELTA_LONG_UNSIGNED = 0x20
    DELTA_DOUBLE_LONG_UNSIGNED = 0x21
    DONT_CARE = 0xFF

    __hash__ = int.__hash__  # an enum hashes its name, for each node of a tree

    @property
    def label(self) -> str:
        """The standard's name: double-long-unsigned."""
        return self.name.lower().replace("_", "-")


class Data(NamedTuple):
    """One node: a tag and its value. Arrays and structures hold their elements as a tuple."""

    tag: DataTag
    value: Content

    def to_octets(self) -> bytes:
        """The node in A-XDR. LocalProtocolError where a value does not fit its tag."""
        tag, value = self
        return WRITERS[tag](value, 0)

    @classmethod
    def from_octets(cls, octets: bytes) -> "Data":
        """The one node that `octets` are. RemoteProtocolError where they are none, or more."""
        data, end = decode_data(octets, 0)
        if end != len(octets):
            raise RemoteProtocolError(
                f"{len(octets) - end} octets too many after the data", offset=end, layer="data"
            )
        return data


FORMATS: Final = {
    DataTag.DOUBLE_LONG: "i",
    DataTag.DOUBLE_LONG_UNSIGNED: "I",
    DataTag.BCD: "B",
    DataTag.INTEGER: "b",
    DataTag.LONG: "h",
    DataTag.UNSIGNED: "B",
    DataTag.LONG_UNSIGNED: "H",
    DataTag.LONG64: "q",
    DataTag.LONG64_UNSIGNED: "Q",
    DataTag.ENUM: "B",
    DataTag.FLOAT64: "d",
    DataTag.DELTA_INTEGER: "b",
    DataTag.DELTA_LONG: "h",
    DataTag.DELTA_DOUBLE_LONG: "i",
    DataTag.DELTA_UNSIGNED: "B",
    DataTag.DELTA_LONG_UNSIGNED: "H",
    DataTag.DELTA_DOUBLE_LONG_UNSIGNED: "I",
}

_new: Final = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # generic, as it should be
"""Makes a node at half the cost of calling `Data`: a profile has thousands."""

node: Final[Callable[[tuple[DataTag, Content]], Data]] = partial(_new, Data)
"""``node((tag, value))`` is ``Data(tag, value)`` for two thirds of the time, where a value's type is known to be right."""

Decode: TypeAlias = Callable[[bytes, int, int], tuple[Data, int]]
"""The node whose tag stands before a position, and where it ends; the number is how deep it stands."""
Write: TypeAlias = Callable[[Any, int], bytes]
"""The octets of a value, tag and all; the number is how deep it stands."""


def decode_data(octets: bytes, position: int, depth: int = 0) -> tuple[Data, int]:
    """The node that starts at `position`, and the position after it. RemoteProtocolError where there is none."""
    try:
        return _decode(octets, position, depth)
    except (IndexError, struct.error):
        raise RemoteProtocolError("the octets end too early", offset=len(octets), layer="data") from None


def encode_data(data: Data, out: bytearray) -> None:
    """Append a node. LocalProtocolError where a value does not fit its tag."""
    out += data.to_octets()


def _decode(octets: bytes, position: int, depth: int) -> tuple[Data, int]:
    return DECODERS[octets[position]](octets, position + 1, depth)


def _decode_nothing_known(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
    raise RemoteProtocolError(f"{octets[position - 1]:02x} is no data tag", offset=position - 1, layer="data")


def misfit(tag: DataTag, value: object) -> LocalProtocolError:
    """The error for a value that is not of its tag's kind."""
    shown = value if isinstance(value, int | float) else f"a {type(value).__name__}"  # it may be a secret
    return LocalProtocolError(f"{shown} is no {tag.label}", layer="data")


_FEW: Final = 8
"""So many elements of a structure are appended one by one faster than a list of them is made and joined."""
MISFITS: Final = (struct.error, TypeError, AttributeError, ValueError, OverflowError)
"""What comes out of writing a value that is not of its tag's kind."""


def _packed(tag: DataTag, format_: str) -> tuple[Decode, Write]:
    reader, writer = struct.Struct(f">{format_}"), struct.Struct(f">B{format_}")
    unpack_from, size, pack, octet = reader.unpack_from, reader.size, writer.pack, int(tag)

    def decode(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
        return _new(Data, (tag, unpack_from(octets, position)[0])), position + size

    def write(value: Any, _depth: int) -> bytes:
        try:
            return pack(octet, value)
        except MISFITS as error:
            raise misfit(tag, value) from error

    return decode, write


def _single() -> tuple[Decode, Write]:
    """float32, whose not-a-numbers `struct` does not all keep."""
    tag = DataTag.FLOAT32
    _, write_number = _packed(tag, "f")
    unpack_from, head = struct.Struct(">f").unpack_from, bytes((tag,))

    def decode(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
        (number,), end = unpack_from(octets, position), position + 4
        return Data(tag, nan_from_single(octets[position:end]) if isnan(number) else number), end

    def write(value: Any, depth: int) -> bytes:
        is_nan = isinstance(value, float) and isnan(value)
        return head + single_from_nan(value) if is_nan else write_number(value, depth)

    return decode, write


def _fixed(tag: DataTag, size: int, read: Callable[[bytes], Any]) -> tuple[Decode, Write]:
    head = bytes((tag,))

    def decode(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
        end = position + size
        if end > len(octets):
            raise truncated(octets, end, tag.label)
        return _new(Data, (tag, read(octets[position:end]))), end

    def write(value: Any, _depth: int) -> bytes:
        try:
            octets: bytes = head + value.to_octets()
        except MISFITS as error:
            raise misfit(tag, value) from error
        if len(octets) != 1 + size:
            raise misfit(tag, value)
        return octets

    return decode, write


def _short_heads(octet: bytes) -> list[bytes]:
    """Tag and length at once, for all lengths of one octet."""
    return [octet + length_octets(length) for length in range(0x80)]


def _string(
    tag: DataTag,
    read: Callable[[bytes], Any],
    octets_of: Callable[[Any], bytes],
    as_it_is: type[bytes] | None = None,
) -> tuple[Decode, Write]:
    octet = bytes((tag,))
    heads = _short_heads(octet)

    def decode(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
        length, start = decode_length(octets, position)
        end = start + length
        if end > len(octets):
            raise truncated(octets, end, f"{tag.label} of {length} octets")
        return _new(Data, (tag, read(octets[start:end]))), end

    def write(value: Any, _depth: int) -> bytes:
        try:
            content = value if type(value) is as_it_is else octets_of(value)
            length = len(content)
            return (heads[length] if length < 0x80 else octet + length_octets(length)) + content
        except MISFITS as error:
            raise misfit(tag, value) from error

    return decode, write


def _octets(value: Any) -> bytes:
    return b"".join((value,))  # not bytes(value): of a number that makes as many zeros


def _nothing(tag: DataTag) -> tuple[Decode, Write]:
    nothing, octets = Data(tag, None), bytes((tag,))

    def write(value: Any, _depth: int) -> bytes:
        if value is not None:
            raise misfit(tag, value)
        return octets

    return (lambda _octets, position, _depth: (nothing, position)), write


def _decode_boolean(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
    return Data(DataTag.BOOLEAN, octets[position] != 0), position + 1


def _write_boolean(value: Any, _depth: int) -> bytes:
    if not isinstance(value, int):  # as a bool is
        raise misfit(DataTag.BOOLEAN, value)
    return b"\x03\x01" if value else b"\x03\x00"


def _decode_bit_string(octets: bytes, position: int, _depth: int) -> tuple[Data, int]:
    length, start = decode_length(octets, position)
    end = start + (length + 7) // 8
    if end > len(octets):
        raise truncated(octets, end, f"bit-string of {length} bits")
    return Data(DataTag.BIT_STRING, BitString(octets[start:end], length)), end


def _write_bit_string(value: Any, _depth: int) -> bytes:
    try:
        octets: bytes = b"\x04" + length_octets(value.length) + value.octets
    except MISFITS as error:
        raise misfit(DataTag.BIT_STRING, value) from error
    return octets


def counted(octets: bytes, position: int, depth: int) -> tuple[int, int]:
    """How many elements follow; refused where they cannot all be there, or nest too deep."""
    count, start = decode_length(octets, position)
    if count > len(octets) - start:
        raise RemoteProtocolError(
            f"{count} elements cannot stand in the {len(octets) - start} octets left",
            offset=position,
            layer="data",
        )
    check_depth(position, depth)
    return count, start


def check_depth(position: int, depth: int) -> None:
    """Refuse what nests too deep."""
    if depth >= DEEPEST_NESTING:
        raise RemoteProtocolError(f"nested deeper than {DEEPEST_NESTING}", offset=position, layer="data")


def _elements(tag: DataTag) -> tuple[Decode, Write]:
    octet = bytes((tag,))
    heads = _short_heads(octet)

    def decode(octets: bytes, position: int, depth: int) -> tuple[Data, int]:
        count, position = counted(octets, position, depth)
        elements: list[Data] = []
        append, depth = elements.append, depth + 1
        for _ in range(count):
            element, position = DECODERS[octets[position]](octets, position + 1, depth)
            append(element)
        return _new(Data, (tag, tuple(elements))), position

    def write(value: Any, depth: int) -> bytes:
        if depth >= DEEPEST_NESTING:
            raise LocalProtocolError(f"data nested deeper than {DEEPEST_NESTING}", layer="data")
        depth += 1
        try:
            count = len(value)
            octets = heads[count] if count < 0x80 else octet + length_octets(count)
            if count > _FEW:
                return octets + b"".join([WRITERS[each](content, depth) for each, content in value])
            for each, content in value:
                octets += WRITERS[each](content, depth)
        except MISFITS as error:
            raise misfit(tag, value) from error
        return octets

    return decode, write


_CODERS: Final[dict[DataTag, tuple[Decode, Write]]] = {
    **{tag: _packed(tag, format_) for tag, format_ in FORMATS.items()},
    DataTag.NULL_DATA: _nothing(DataTag.NULL_DATA),
    DataTag.DONT_CARE: _nothing(DataTag.DONT_CARE),
    DataTag.ARRAY: _elements(DataTag.ARRAY),
    DataTag.STRUCTURE: _elements(DataTag.STRUCTURE),
    DataTag.BOOLEAN: (_decode_boolean, _write_boolean),
    DataTag.BIT_STRING: (_decode_bit_string, _write_bit_string),
    DataTag.OCTET_STRING: _string(DataTag.OCTET_STRING, bytes, _octets, bytes),
    DataTag.VISIBLE_STRING: _string(
        DataTag.VISIBLE_STRING, lambda content: content.decode("latin-1"), lambda text: text.encode("latin-1")
    ),
    DataTag.UTF8_STRING: _string(
        DataTag.UTF8_STRING,
        lambda content: content.decode("utf-8", "surrogateescape"),
        lambda text: text.encode("utf-8", "surrogateescape"),
    ),
    DataTag.FLOAT32: _single(),
    DataTag.DATE_TIME: _fixed(DataTag.DATE_TIME, 12, CosemDateTime.from_octets),
    DataTag.DATE: _fixed(DataTag.DATE, 5, CosemDate.from_octets),
    DataTag.TIME: _fixed(DataTag.TIME, 4, CosemTime.from_octets),
}
DECODERS: Final[list[Decode]] = [_decode_nothing_known] * 256
for _tag, (_decoder, _) in _CODERS.items():
    DECODERS[_tag] = _decoder
WRITERS: Final = {tag: writer for tag, (_, writer) in _CODERS.items()}
