"""Wire types: how one field stands on the wire in A-XDR (IEC 61334-6).

A wire type is a small frozen value that is put into an annotation, ``Annotated[int, Unsigned(2)]``. It is compiled once,
when the class that bears it is made, into a `Codec`: two plain closures, and a way to trace which octets meant what.
Closures take ``(octets, position)`` and give ``(value, position after it)``; where octets end too early they may let an
IndexError or struct.error out, which `codec.engine` turns into a RemoteProtocolError that names the field.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from meterwright.codec.length import decode_length, encode_length, truncated
from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "Alternative",
    "Boolean",
    "Choice",
    "Codec",
    "Default",
    "Enumerated",
    "FixedOctets",
    "Mapped",
    "OctetString",
    "Optional",
    "SequenceOf",
    "Signed",
    "Span",
    "Unsigned",
    "WireType",
]

T = TypeVar("T")
Octets: TypeAlias = bytes


@dataclass(slots=True)
class Span:
    """A named run of octets while it is traced: `end` stays None, and `value` too, where decoding broke inside it."""

    name: str
    start: int
    end: int | None = None
    value: object = None
    children: "list[Span]" = field(default_factory=list["Span"])

    def child(self, name: str, start: int) -> "Span":
        """A new part of this run."""
        part = Span(name, start)
        self.children.append(part)
        return part

    def close(self, end: int, value: object) -> None:
        """The run is read: where it ended and what it meant."""
        self.end = end
        self.value = value


class Codec(Generic[T]):
    """One compiled wire type. `trace` reads like `decode` and leaves a `Span` for every part it understood."""

    __slots__ = ("decode", "encode", "trace")

    def __init__(
        self,
        encode: Callable[[T, bytearray], None],
        decode: Callable[[Octets, int], tuple[T, int]],
        trace: Callable[[Octets, int, Span], tuple[T, int]] | None = None,
    ) -> None:
        self.encode: Final = encode
        self.decode: Final = decode
        self.trace: Final[Callable[[Octets, int, Span], tuple[T, int]]] = trace or _leaf(decode)


def _leaf(decode: Callable[[Octets, int], tuple[T, int]]) -> Callable[[Octets, int, Span], tuple[T, int]]:
    """Tracing a type that has no parts is decoding it."""

    def trace(octets: Octets, position: int, _span: Span) -> tuple[T, int]:
        return decode(octets, position)

    return trace


class WireType(Protocol):
    """Anything that can be compiled into a codec; the escape hatch for a field that no type below describes."""

    def codec(self) -> Codec[Any]:
        """The compiled form."""
        ...


_UNSIGNED = {1: ">B", 2: ">H", 4: ">I", 8: ">Q"}
_SIGNED = {1: ">b", 2: ">h", 4: ">i", 8: ">q"}


def _integer(format_: str) -> Codec[int]:
    packer = struct.Struct(format_)
    pack, unpack_from, size = packer.pack, packer.unpack_from, packer.size

    def encode(value: int, out: bytearray) -> None:
        out += pack(value)

    def decode(octets: Octets, position: int) -> tuple[int, int]:
        return unpack_from(octets, position)[0], position + size

    return Codec(encode, decode)


def _octet() -> Codec[int]:
    def encode(value: int, out: bytearray) -> None:
        if not 0 <= value <= 0xFF:
            raise LocalProtocolError(f"{value} does not fit one octet", layer="codec")
        out.append(value)

    def decode(octets: Octets, position: int) -> tuple[int, int]:
        return octets[position], position + 1

    return Codec(encode, decode)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """UnsignedN: a big endian natural number of 1, 2, 4 or 8 octets."""

    octets: int

    def codec(self) -> Codec[int]:
        return _octet() if self.octets == 1 else _integer(_UNSIGNED[self.octets])


@dataclass(frozen=True, slots=True)
class Signed:
    """IntegerN: a big endian two's complement number of 1, 2, 4 or 8 octets."""

    octets: int

    def codec(self) -> Codec[int]:
        return _integer(_SIGNED[self.octets])


@dataclass(frozen=True, slots=True)
class Boolean:
    """BOOLEAN: 00 is false, anything else true; 01 is sent."""

    def codec(self) -> Codec[bool]:
        def encode(value: bool, out: bytearray) -> None:
            out.append(1 if value else 0)

        def decode(octets: Octets, position: int) -> tuple[bool, int]:
            return octets[position] != 0, position + 1

        return Codec(encode, decode)


@dataclass(frozen=True, slots=True)
class OctetString:
    """OCTET STRING with its length before it."""

    def codec(self) -> Codec[bytes]:
        def encode(value: bytes, out: bytearray) -> None:
            encode_length(len(value), out)
            out += value

        def decode(octets: Octets, position: int) -> tuple[bytes, int]:
            length, start = decode_length(octets, position)
            end = start + length
            if end > len(octets):
                raise truncated(octets, end, f"string of {length} octets")
            return octets[start:end], end

        return Codec(encode, decode)


@dataclass(frozen=True, slots=True)
class FixedOctets:
    """OCTET STRING (SIZE (n)): n octets, no length."""

    size: int

    def codec(self) -> Codec[bytes]:
        size = self.size

        def encode(value: bytes, out: bytearray) -> None:
            if len(value) != size:
                raise LocalProtocolError(f"{len(value)} octets where {size} belong", layer="codec")
            out += value

        def decode(octets: Octets, position: int) -> tuple[bytes, int]:
            end = position + size
            if end > len(octets):
                raise truncated(octets, end, f"string of {size} octets")
            return octets[position:end], end

        return Codec(encode, decode)


@dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """A value made from, and written as, one of another wire type: `read` must accept whatever the wire can carry."""

    wire: WireType
    read: Callable[[Any], T]
    write: Callable[[T], Any]

    def codec(self) -> Codec[T]:
        inner, read, write = self.wire.codec(), self.read, self.write
        encode_inner, decode_inner = inner.encode, inner.decode

        def encode(value: T, out: bytearray) -> None:
            encode_inner(write(value), out)

        def decode(octets: Octets, position: int) -> tuple[T, int]:
            raw, end = decode_inner(octets, position)
            return read(raw), end

        return Codec(encode, decode)


def Enumerated(enum: type[IntEnum]) -> Mapped[IntEnum]:  # noqa: N802 - reads as the ASN.1 type it is
    """ENUMERATED in one octet. The enum must be open: a meter may send a code that nobody wrote down."""
    return Mapped(Unsigned(1), enum, int)


@dataclass(frozen=True, slots=True)
class Optional:
    """OPTIONAL: 00 absent, 01 present. `None` stands for absence and for nothing else."""

    wire: WireType

    def codec(self) -> Codec[Any]:
        inner = self.wire.codec()
        encode_inner, decode_inner = inner.encode, inner.decode

        def encode(value: Any, out: bytearray) -> None:
            out.append(0 if value is None else 1)
            if value is not None:
                encode_inner(value, out)

        def present(octets: Octets, position: int) -> bool:
            usage = octets[position]
            if usage > 1:
                raise RemoteProtocolError(
                    f"{usage:02x} where only 00 (absent) or 01 (present) is legal",
                    offset=position,
                    layer="codec",
                )
            return usage == 1

        def decode(octets: Octets, position: int) -> tuple[Any, int]:
            if present(octets, position):
                return decode_inner(octets, position + 1)
            return None, position + 1

        def trace(octets: Octets, position: int, span: Span) -> tuple[Any, int]:
            if present(octets, position):
                return inner.trace(octets, position + 1, span)
            return None, position + 1

        return Codec(encode, decode, trace)


@dataclass(frozen=True, slots=True)
class Default:
    """DEFAULT: 00 stands for the default value, 01 is followed by another."""

    wire: WireType
    value: object

    def codec(self) -> Codec[Any]:
        inner, default = Optional(self.wire).codec(), self.value
        encode_inner, decode_inner = inner.encode, inner.decode

        def encode(value: Any, out: bytearray) -> None:
            encode_inner(None if value == default else value, out)

        def decode(octets: Octets, position: int) -> tuple[Any, int]:
            value, end = decode_inner(octets, position)
            return default if value is None else value, end

        return Codec(encode, decode)


@dataclass(frozen=True, slots=True)
class SequenceOf:
    """SEQUENCE OF: a count in length coding, then the items.

    Every item takes at least one octet, so a count that exceeds the octets left is refused before anything is built.
    """

    wire: WireType

    def codec(self) -> Codec[tuple[Any, ...]]:
        inner = self.wire.codec()
        encode_inner, decode_inner = inner.encode, inner.decode

        def encode(items: Iterable[Any], out: bytearray) -> None:
            listed = tuple(items)
            encode_length(len(listed), out)
            for item in listed:
                encode_inner(item, out)

        def counted(octets: Octets, position: int) -> tuple[int, int]:
            count, start = decode_length(octets, position)
            if count > len(octets) - start:
                raise RemoteProtocolError(
                    f"{count} items cannot stand in the {len(octets) - start} octets left",
                    offset=position,
                    layer="codec",
                )
            return count, start

        def decode(octets: Octets, position: int) -> tuple[tuple[Any, ...], int]:
            count, position = counted(octets, position)
            items: list[Any] = []
            for _ in range(count):
                item, position = decode_inner(octets, position)
                items.append(item)
            return tuple(items), position

        def trace(octets: Octets, position: int, span: Span) -> tuple[tuple[Any, ...], int]:
            count, position = counted(octets, position)
            items: list[Any] = []
            for index in range(count):
                part = span.child(f"[{index}]", position)
                item, position = inner.trace(octets, position, part)
                part.close(position, item)
                items.append(item)
            return tuple(items), position

        return Codec(encode, decode, trace)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One arm of a CHOICE: its tag octet, the Python type that stands for it, its wire type."""

    tag: int
    type: type
    wire: WireType


@dataclass(frozen=True, slots=True, init=False)
class Choice:
    """CHOICE: a tag octet, then the alternative it names. The Python type of a value selects the arm when sending."""

    alternatives: tuple[Alternative, ...]

    def __init__(self, *alternatives: Alternative) -> None:
        object.__setattr__(self, "alternatives", alternatives)

    def codec(self) -> Codec[Any]:
        by_tag = {arm.tag: arm.wire.codec() for arm in self.alternatives}
        by_type = {arm.type: (arm.tag, by_tag[arm.tag].encode) for arm in self.alternatives}
        legal = " or ".join(f"{arm.tag:02x} ({arm.type.__name__})" for arm in self.alternatives)

        def encode(value: Any, out: bytearray) -> None:
            try:
                tag, encode_arm = by_type[type(value)]
            except KeyError:
                raise LocalProtocolError(
                    f"a {type(value).__name__} is none of {legal}", layer="codec"
                ) from None
            out.append(tag)
            encode_arm(value, out)

        def arm(octets: Octets, position: int) -> Codec[Any]:
            try:
                return by_tag[octets[position]]
            except KeyError:
                raise RemoteProtocolError(
                    f"{octets[position]:02x} where only {legal} is legal", offset=position, layer="codec"
                ) from None

        def decode(octets: Octets, position: int) -> tuple[Any, int]:
            return arm(octets, position).decode(octets, position + 1)

        def trace(octets: Octets, position: int, span: Span) -> tuple[Any, int]:
            return arm(octets, position).trace(octets, position + 1, span)

        return Codec(encode, decode, trace)
