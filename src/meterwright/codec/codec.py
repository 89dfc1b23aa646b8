"""What a wire type is compiled into: functions from values to octets and back, and a way to tell which octets meant what.

``write(value)`` gives octets, ``decode(octets, position)`` a value and the position after it. Where octets end too early they
may let an IndexError or struct.error out, which `codec.engine` turns into a RemoteProtocolError that names the APDU.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

__all__ = ["Codec", "Composed", "Converted", "Layout", "Octets", "Packed", "Span", "WireType"]

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


@dataclass(frozen=True, slots=True)
class Packed:
    """A field of fixed size: how `struct` packs it, and how many octets that are."""

    format: str
    size: int


@dataclass(frozen=True, slots=True)
class Converted:
    """A value that is read from, and written as, one of another codec."""

    inner: "Codec[Any]"
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Composed:
    """An object of a declared class, whose slots are these fields one after the other."""

    cls: type[Any]
    fields: "Mapping[str, Codec[Any]]"


Layout: TypeAlias = Packed | Converted | Composed | None
"""How a codec can be joined with its neighbours (`codec.straight`); None for one that has to stand alone."""


class Codec(Generic[T]):
    """One compiled wire type. `trace` reads like `decode` and leaves a `Span` for every part it understood."""

    __slots__ = ("decode", "layout", "trace", "write")

    def __init__(
        self,
        write: Callable[[T], Octets],
        decode: Callable[[Octets, int], tuple[T, int]],
        trace: Callable[[Octets, int, Span], tuple[T, int]] | None = None,
        layout: Layout = None,
    ) -> None:
        self.write = write
        self.decode = decode
        self.trace: Final[Callable[[Octets, int, Span], tuple[T, int]]] = trace or _leaf(decode)
        self.layout: Final = layout

    def encode(self, value: T, out: bytearray) -> None:
        """Append the octets of a value."""
        out += self.write(value)


def _leaf(decode: Callable[[Octets, int], tuple[T, int]]) -> Callable[[Octets, int, Span], tuple[T, int]]:
    """Tracing a type that has no parts is decoding it."""

    def trace(octets: Octets, position: int, _span: Span) -> tuple[T, int]:
        return decode(octets, position)

    return trace


class WireType(Protocol):
    """Anything that can be compiled into a codec; the escape hatch for a field that no type in `codec.wire` describes."""

    def codec(self) -> Codec[Any]:
        """The compiled form."""
        ...
