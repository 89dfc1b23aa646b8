"""Compact arrays (Blue Book, common data types; Green Book, A-XDR): one description of the type, then values without tags.

    13  02 02 11 11  04  01 02 03 04      two structures of two unsigned: {1, 2} and {3, 4}
    tag description  length  contents

The elements are `Data` with tags, as those of any array. The description stands beside them: so the octets come back, also
where there is no element. In the contents strings keep their lengths, and arrays have as many elements as the description
says. How many elements there are is found by reading them; such as take no octets can't be counted, and are refused.

A description of a few octets can stand for billions of nodes. So no more elements are taken than `TypeDescription.most`,
which is known before the first is read: a compact array has never more than `DENSEST` nodes for each of its octets.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final, Self

from meterwright.codec import Span, decode_length, length_octets, truncated
from meterwright.data.trace import TRACERS
from meterwright.data.tree import (
    DECODERS,
    DEEPEST_NESTING,
    MISFITS,
    WRITERS,
    Data,
    DataTag,
    Decode,
    check_depth,
    counted,
    misfit,
    node,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["ARRAY_CONTENTS", "CONTENTS_DESCRIPTION", "DENSEST", "CompactArray", "TypeDescription"]

CONTENTS_DESCRIPTION: Final = "contents-description"
ARRAY_CONTENTS: Final = "array-contents"

DENSEST: Final = 8
"""So many nodes may stand for one octet, on average. Of {unsigned, null-data, null-data} it would be four."""

_COMPOUND: Final = (DataTag.ARRAY, DataTag.STRUCTURE)
_LEAST_OCTETS: Final[dict[DataTag, int]] = {
    tag: DECODERS[tag](bytes(12), 0, 0)[1]
    for tag in WRITERS
    if tag not in (*_COMPOUND, DataTag.COMPACT_ARRAY)
}
"""What a simple type takes at least, without its tag: what it makes of zeros, an empty string among them."""
_LARGEST_COUNT: Final = 0xFFFF
_NO_LIMIT: Final = 0xFFFF_FFFF  # more octets no length can tell
_count_at: Final = struct.Struct(">H").unpack_from


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """The type of all elements: a simple one, a structure of `parts`, or an array of `count` times its one part.

    LocalProtocolError where that is no type that can be described.
    """

    tag: DataTag
    parts: "tuple[TypeDescription, ...]" = ()
    count: int = 0
    octets: bytes = field(init=False, repr=False, compare=False)
    nodes: int = field(init=False, repr=False, compare=False)
    """How many nodes an element has, itself among them."""
    least: int = field(init=False, repr=False, compare=False)
    """How many octets an element has in the contents at least."""
    depth: int = field(init=False, repr=False, compare=False)
    """How deep arrays and structures nest in an element."""

    def __post_init__(self) -> None:
        times = self.times
        derived = {
            "octets": self._head() + b"".join([part.octets for part in self.parts]),
            "nodes": 1 + times * sum(part.nodes for part in self.parts),
            "least": _LEAST_OCTETS.get(self.tag, 0) + times * sum(part.least for part in self.parts),
            "depth": 1 + max((part.depth for part in self.parts), default=0) if self.tag in _COMPOUND else 0,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def times(self) -> int:
        """How often the parts stand one after the other in an element."""
        return self.count if self.tag is DataTag.ARRAY else 1

    @property
    def most(self) -> int:
        """How many elements of this type a compact array may have."""
        if not self.least:
            return 0
        beyond = self.nodes - DENSEST * self.least
        return _NO_LIMIT if beyond <= 0 else DENSEST * len(self.octets) // beyond

    def to_octets(self) -> bytes:
        """The description as it stands before the contents (and in the template of compact data, class 62)."""
        return self.octets

    @classmethod
    def from_octets(cls, octets: bytes) -> "TypeDescription":
        """The one description that `octets` are. RemoteProtocolError where they are none, or more."""
        try:
            description, end = _read_type(octets, 0, 0, Span(CONTENTS_DESCRIPTION, 0))
        except (IndexError, struct.error):
            raise RemoteProtocolError("the octets end too early", offset=len(octets), layer="data") from None
        if end != len(octets):
            raise RemoteProtocolError(
                f"{len(octets) - end} octets too many after the type description", offset=end, layer="data"
            )
        return description

    @classmethod
    def before_contents(cls, octets: bytes, position: int) -> tuple["TypeDescription", int, int]:
        """The description that begins at `position` of a compact array, and where the contents begin and end.

        RemoteProtocolError, IndexError or struct.error where there is none.
        """
        description, position = _read_type(octets, position, 1, Span(CONTENTS_DESCRIPTION, position))
        return description, *_contents(octets, position)

    @classmethod
    def of(cls, data: Data) -> "TypeDescription":
        """What describes this node, an array in it by its first element. LocalProtocolError where nothing can."""
        return _type_of(data, 0)

    def _head(self) -> bytes:
        """The octets before those of the parts."""
        tag, parts, count = self.tag, self.parts, self.count
        if tag is DataTag.ARRAY and len(parts) == 1 and 0 <= count <= _LARGEST_COUNT:
            return bytes((tag,)) + count.to_bytes(2, "big")
        if tag is DataTag.STRUCTURE and not count:
            return bytes((tag,)) + length_octets(len(parts))
        if tag in _LEAST_OCTETS and not parts and not count:
            return bytes((tag,))
        told = (
            f"a {tag.label} of {len(parts)} parts, {count} times," if tag in _COMPOUND else f"a {tag.label}"
        )
        raise LocalProtocolError(f"{told} can't be described in a compact array", layer="data")


class CompactArray(tuple[Data, ...]):  # noqa: SLOT001 - a tuple's subclass can have none but empty slots
    """The elements of a compact array, and the `description` of their type: told, or that of the first element.

    That the others are of this type is looked at when it is sent. Beside a plain tuple it is its elements; two compact
    arrays are equal when their descriptions are, too.
    """

    description: TypeDescription

    def __new__(cls, elements: Iterable[Data] = (), description: TypeDescription | None = None) -> Self:
        made = super().__new__(cls, elements)
        if description is None:
            description = TypeDescription.of(made[0]) if made else TypeDescription(DataTag.NULL_DATA)
        made.__dict__["description"] = description
        return made

    @classmethod
    def from_contents(cls, description: TypeDescription, contents: bytes) -> Self:
        """The elements whose values `contents` are. RemoteProtocolError where they are not all of this type."""
        return cls(_elements(description, contents, 0, len(contents), _reader(description)), description)

    def to_contents(self) -> bytes:
        """The values without their tags. LocalProtocolError where an element is not of the type, or has no octets."""
        if len(self) > self.description.most:
            raise LocalProtocolError(
                "elements without octets, or too many nodes for their octets: no compact array holds them",
                layer="data",
                hint="send them as an array",
            )
        write = _writer(self.description)
        try:
            return b"".join([write(element) for element in self])
        except MISFITS as error:
            raise LocalProtocolError("an element of the compact array is no Data", layer="data") from error

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompactArray) and other.description != self.description:
            return False
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of a compact array can't be set")

    def __getnewargs__(self) -> tuple[object, ...]:
        return tuple(self), self.description

    def __repr__(self) -> str:
        return f"CompactArray({super().__repr__()}, {self.description!r})"


# ------------------------------------------------------------------------------------------------ descriptions

_SIMPLE_TYPES: Final[dict[int, TypeDescription]] = {tag: TypeDescription(tag) for tag in _LEAST_OCTETS}


def _type_of(data: Data, depth: int) -> TypeDescription:
    tag, value = data
    if depth > DEEPEST_NESTING:
        raise LocalProtocolError(f"data nested deeper than {DEEPEST_NESTING}", layer="data")
    if tag not in _COMPOUND:
        return TypeDescription(tag)
    if not isinstance(value, tuple):
        raise misfit(tag, value)
    if tag is DataTag.STRUCTURE:
        return TypeDescription(tag, tuple(_type_of(each, depth + 1) for each in value))
    item = _type_of(value[0], depth + 1) if value else _SIMPLE_TYPES[DataTag.NULL_DATA]
    return TypeDescription(tag, (item,), len(value))


def _read_type(octets: bytes, position: int, depth: int, span: Span) -> tuple[TypeDescription, int]:
    """The description that starts at `position`, and where it ends; every part of it gets a span."""
    start, octet = position, octets[position]
    if simple := _SIMPLE_TYPES.get(octet):
        return simple, position + 1
    if octet == DataTag.STRUCTURE:
        count, position = counted(octets, position + 1, depth)
        size = count
    elif octet == DataTag.ARRAY:
        check_depth(position + 1, depth)
        size, count, position = 1, _count_at(octets, position + 1)[0], position + 3
    else:
        raise RemoteProtocolError(f"{octet:02x} is no type that can be described", offset=start, layer="data")
    parts: list[TypeDescription] = []
    for index in range(size):
        part = span.child(f"[{index}]", position)
        description, position = _read_type(octets, position, depth + 1, part)
        part.close(position, description)
        parts.append(description)
    tag = DataTag(octet)
    return TypeDescription(tag, tuple(parts), count if tag is DataTag.ARRAY else 0), position


# ------------------------------------------------------------------------------------------------ contents


def _elements(
    description: TypeDescription, octets: bytes, position: int, end: int, read: Decode
) -> list[Data]:
    """What stands from `position` to `end`: whole elements, and not too many of them."""
    elements: list[Data] = []
    most = description.most
    if position < end and (not most or description.least > end - position):
        raise _no_elements(description, position, end)
    start = position
    try:
        while position < end:
            if len(elements) == most:
                raise RemoteProtocolError(
                    f"more than {most} elements of this type are too many nodes for their octets",
                    offset=position,
                    layer="data",
                )
            start = position
            element, position = read(octets, position, 0)
            elements.append(element)
    except (IndexError, struct.error):  # all octets end there, not only the contents
        position = end + 1
    if position > end:
        raise RemoteProtocolError("the contents end before the last element does", offset=start, layer="data")
    return elements


def _no_elements(description: TypeDescription, position: int, end: int) -> RemoteProtocolError:
    """Why not even one element can stand there."""
    why = "takes more"
    if not description.least:
        why = "takes none"
    elif not description.most:
        why = "has too many nodes for so few"
    return RemoteProtocolError(
        f"the contents have {end - position} octets, and an element of this type {why}",
        offset=position,
        layer="data",
    )


def _reader(description: TypeDescription) -> Decode:
    """What reads one element: the decoder of a simple type begins behind its tag, so it does without."""
    tag = description.tag
    if tag not in _COMPOUND:
        return DECODERS[tag]
    readers = [_reader(part) for part in description.parts]
    times = range(description.times)

    def read(octets: bytes, position: int, depth: int) -> tuple[Data, int]:
        elements: list[Data] = []
        for _ in times:
            for reader in readers:
                element, position = reader(octets, position, depth)
                elements.append(element)
        return node((tag, tuple(elements))), position

    return read


def _tracer(description: TypeDescription, span: Span) -> Decode:
    """What reads one element and leaves a span for it, as the next part of `span`."""
    tag = description.tag

    def read(octets: bytes, position: int, depth: int) -> tuple[Data, int]:
        part = span.child(f"[{len(span.children)}]", position)
        if tag in _COMPOUND:
            readers = [_tracer(each, part) for each in description.parts]
            elements: list[Data] = []
            for reader in readers * description.times:
                element, position = reader(octets, position, depth)
                elements.append(element)
            data = Data(tag, tuple(elements))
        else:
            data, position = DECODERS[tag](octets, position, depth)
        part.close(position, data)
        return data, position

    return read


def _writer(description: TypeDescription) -> Callable[[Data], bytes]:
    """What writes one element, which must be of this type."""
    tag = description.tag
    write_tagged = WRITERS[tag]
    writers = [_writer(part) for part in description.parts]
    size = len(writers) * description.times

    def write_simple(data: Data) -> bytes:
        if data.tag != tag:
            raise _another(tag, data)
        return write_tagged(data.value, 0)[1:]

    def write(data: Data) -> bytes:
        elements = data.value
        if data.tag != tag or not isinstance(elements, tuple) or len(elements) != size:
            raise _another(tag, data)
        return b"".join([writer(each) for writer, each in zip(cycle(writers), elements, strict=False)])

    return write if tag in _COMPOUND else write_simple


def _another(tag: DataTag, data: Data) -> LocalProtocolError:
    return LocalProtocolError(
        f"{data.tag.label} where each element of the compact array has {tag.label}"
        f"{' of another size' if data.tag == tag else ''}",
        layer="data",
        hint="a compact array has one type for all its elements; send others as an array",
    )


# ------------------------------------------------------------------------------------------------ as a node of a tree


def _decode(octets: bytes, position: int, depth: int) -> tuple[Data, int]:
    check_depth(position, depth)
    description, position = _read_type(octets, position, depth + 1, Span(CONTENTS_DESCRIPTION, position))
    start, end = _contents(octets, position)
    elements = _elements(description, octets, start, end, _reader(description))
    return Data(DataTag.COMPACT_ARRAY, CompactArray(elements, description)), end


def _trace(octets: bytes, position: int, span: Span, depth: int) -> tuple[Data, int]:
    check_depth(position, depth)
    described = span.child(CONTENTS_DESCRIPTION, position)
    description, position = _read_type(octets, position, depth + 1, described)
    described.close(position, description)
    contents = span.child(ARRAY_CONTENTS, position)
    start, end = _contents(octets, position)
    array = CompactArray(
        _elements(description, octets, start, end, _tracer(description, contents)), description
    )
    contents.close(end, array)
    return Data(DataTag.COMPACT_ARRAY, array), end


def _contents(octets: bytes, position: int) -> tuple[int, int]:
    """Where the contents begin and end."""
    length, start = decode_length(octets, position)
    if start + length > len(octets):
        raise truncated(octets, start + length, f"compact-array of {length} octets")
    return start, start + length


def _write(value: Any, depth: int) -> bytes:
    if not isinstance(value, CompactArray):
        raise misfit(DataTag.COMPACT_ARRAY, value)
    if depth + value.description.depth >= DEEPEST_NESTING:
        raise LocalProtocolError(f"data nested deeper than {DEEPEST_NESTING}", layer="data")
    contents = value.to_contents()
    return b"\x13" + value.description.octets + length_octets(len(contents)) + contents


DECODERS[DataTag.COMPACT_ARRAY] = _decode
WRITERS[DataTag.COMPACT_ARRAY] = _write
TRACERS[DataTag.COMPACT_ARRAY] = _trace
