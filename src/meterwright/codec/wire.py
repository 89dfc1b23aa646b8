"""Wire types: how one field stands on the wire in A-XDR (IEC 61334-6).

A wire type is a small frozen value that is put into an annotation, ``Annotated[int, Unsigned(2)]``. It is compiled once,
when the class that bears it is made, into a `Codec`.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Final, Generic, TypeVar

from meterwright.codec.codec import Codec, Converted, Octets, Packed, Span, WireType
from meterwright.codec.length import decode_length, length_octets, truncated
from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "Alternative",
    "Boolean",
    "Choice",
    "Default",
    "Enumerated",
    "FixedOctets",
    "Mapped",
    "OctetString",
    "Optional",
    "SequenceOf",
    "Signed",
    "Unsigned",
]

T = TypeVar("T")

_UNSIGNED: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_SIGNED: Final = {1: "b", 2: "h", 4: "i", 8: "q"}


def _packed(format_: str) -> Codec[Any]:
    packer = struct.Struct(f">{format_}")
    unpack_from, size = packer.unpack_from, packer.size

    def decode(octets: Octets, position: int) -> tuple[Any, int]:
        return unpack_from(octets, position)[0], position + size

    return Codec(packer.pack, decode, layout=Packed(format_, size))


def _octet() -> Codec[int]:
    def write(value: int) -> Octets:
        if not 0 <= value <= 0xFF:
            raise LocalProtocolError(f"{value} does not fit one octet", layer="codec")
        return bytes((value,))

    def decode(octets: Octets, position: int) -> tuple[int, int]:
        return octets[position], position + 1

    return Codec(write, decode, layout=Packed(_UNSIGNED[1], 1))


@dataclass(frozen=True, slots=True)
class Unsigned:
    """UnsignedN: a big endian natural number of 1, 2, 4 or 8 octets."""

    octets: int

    def codec(self) -> Codec[int]:
        return _octet() if self.octets == 1 else _packed(_UNSIGNED[self.octets])


@dataclass(frozen=True, slots=True)
class Signed:
    """IntegerN: a big endian two's complement number of 1, 2, 4 or 8 octets."""

    octets: int

    def codec(self) -> Codec[int]:
        return _packed(_SIGNED[self.octets])


@dataclass(frozen=True, slots=True)
class Boolean:
    """BOOLEAN: 00 is false, anything else true; 01 is sent."""

    def codec(self) -> Codec[bool]:
        return _packed("?")


@dataclass(frozen=True, slots=True)
class OctetString:
    """OCTET STRING with its length before it."""

    def codec(self) -> Codec[bytes]:
        def write(value: bytes) -> Octets:
            return length_octets(len(value)) + value

        def decode(octets: Octets, position: int) -> tuple[bytes, int]:
            length, start = decode_length(octets, position)
            end = start + length
            if end > len(octets):
                raise truncated(octets, end, f"string of {length} octets")
            return octets[start:end], end

        return Codec(write, decode)


@dataclass(frozen=True, slots=True)
class FixedOctets:
    """OCTET STRING (SIZE (n)): n octets, no length."""

    size: int

    def codec(self) -> Codec[bytes]:
        size = self.size

        def write(value: bytes) -> Octets:
            if len(value) != size:
                raise LocalProtocolError(f"{len(value)} octets where {size} belong", layer="codec")
            return b"" + value

        def decode(octets: Octets, position: int) -> tuple[bytes, int]:
            end = position + size
            if end > len(octets):
                raise truncated(octets, end, f"string of {size} octets")
            return octets[position:end], end

        return Codec(write, decode, layout=Packed(f"{size}s", size))


@dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """A value made from, and written as, one of another wire type: `read` must accept whatever the wire can carry."""

    wire: WireType
    read: Callable[[Any], T]
    write: Callable[[T], Any]

    def codec(self) -> Codec[T]:
        inner, read, write = self.wire.codec(), self.read, self.write

        def write_converted(value: T) -> Octets:
            return inner.write(write(value))

        def decode(octets: Octets, position: int) -> tuple[T, int]:
            raw, end = inner.decode(octets, position)
            return read(raw), end

        return Codec(write_converted, decode, layout=Converted(inner, read, write))


def Enumerated(enum: type[IntEnum]) -> Mapped[IntEnum]:  # noqa: N802 - reads as the ASN.1 type it is
    """ENUMERATED in one octet. The enum must be open: a meter may send a code that nobody wrote down."""
    return Mapped(Unsigned(1), _members(enum), int)


@cache
def _members(enum: type[IntEnum]) -> Callable[[int], IntEnum]:
    """Looks a member up; calling an enum takes five times as long."""
    return _Members(enum).__getitem__


class _Members(dict[int, IntEnum]):
    """The members of an enum by their octet, those that nobody wrote down as soon as they come: 256 at most."""

    def __init__(self, enum: type[IntEnum]) -> None:
        super().__init__((int(member), member) for member in enum)
        self._enum = enum

    def __missing__(self, octet: int) -> IntEnum:
        return self.setdefault(octet, self._enum(octet))

    def __repr__(self) -> str:
        return f"<members of {self._enum.__name__}>"


@dataclass(frozen=True, slots=True)
class Optional:
    """OPTIONAL: 00 absent, 01 present. `None` stands for absence and for nothing else."""

    wire: WireType

    def codec(self) -> Codec[Any]:
        inner = self.wire.codec()

        def write(value: Any) -> Octets:
            return b"\x00" if value is None else b"\x01" + inner.write(value)

        def decode(octets: Octets, position: int) -> tuple[Any, int]:
            usage = octets[position]
            if usage == 1:
                return inner.decode(octets, position + 1)
            if usage:
                raise _no_usage(usage, position)
            return None, position + 1

        def trace(octets: Octets, position: int, span: Span) -> tuple[Any, int]:
            if octets[position] == 1:
                return inner.trace(octets, position + 1, span)
            return decode(octets, position)

        return Codec(write, decode, trace)


def _no_usage(usage: int, position: int) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{usage:02x} where only 00 (absent) or 01 (present) is legal", offset=position, layer="codec"
    )


@dataclass(frozen=True, slots=True)
class Default:
    """DEFAULT: 00 stands for the default value, 01 is followed by another."""

    wire: WireType
    value: object

    def codec(self) -> Codec[Any]:
        inner, default = Optional(self.wire).codec(), self.value

        def write(value: Any) -> Octets:
            return inner.write(None if value == default else value)

        def decode(octets: Octets, position: int) -> tuple[Any, int]:
            value, end = inner.decode(octets, position)
            return default if value is None else value, end

        return Codec(write, decode)


@dataclass(frozen=True, slots=True)
class SequenceOf:
    """SEQUENCE OF: a count in length coding, then the items.

    Every item takes at least one octet, so a count that exceeds the octets left is refused before anything is built.
    """

    wire: WireType

    def codec(self) -> Codec[tuple[Any, ...]]:
        inner = self.wire.codec()

        def write(items: Iterable[Any]) -> Octets:
            written = [inner.write(item) for item in items]
            return length_octets(len(written)) + b"".join(written)

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
                item, position = inner.decode(octets, position)
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

        return Codec(write, decode, trace)


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
        by_type = {arm.type: (bytes((arm.tag,)), by_tag[arm.tag]) for arm in self.alternatives}
        legal = " or ".join(f"{arm.tag:02x} ({arm.type.__name__})" for arm in self.alternatives)

        def write(value: Any) -> Octets:
            try:
                tag, inner = by_type[type(value)]
            except KeyError:
                raise LocalProtocolError(
                    f"a {type(value).__name__} is none of {legal}", layer="codec"
                ) from None
            return tag + inner.write(value)

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

        return Codec(write, decode, trace)
