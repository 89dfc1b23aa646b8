"""BER (X.690), as far as the four ACSE APDUs need it: definite lengths, context tags, object identifiers, integers.

An ACSE APDU is a class whose fields are annotated ``Annotated[T | None, Tagged(0xA1, …)]``. Fields are written in the
order of the class and read in any order; tags nobody declared are passed over by their length, a field seen twice is
refused. Field types read and write the *content* octets; `Tagged` adds tag and length.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol

from meterwright.codec.codec import Codec, Span
from meterwright.codec.length import decode_length, length_octets, truncated
from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "BerType",
    "Content",
    "Explicit",
    "ExplicitChoice",
    "Integer",
    "ObjectIdentifier",
    "Tagged",
    "ber_codec",
]


class BerType(Protocol):
    """How the content octets of one BER element read and are written. `offset` is where the content starts, for errors."""

    def read(self, content: bytes, offset: int, /) -> Any: ...

    def write(self, value: Any, /) -> bytes: ...


def _element(tag: int, content: bytes) -> bytes:
    return b"%c%b%b" % (tag, length_octets(len(content)), content)


def _read_element(octets: bytes, position: int) -> tuple[int, bytes, int, int]:
    """Tag, content, where the content starts and ends."""
    tag = octets[position]
    length, start = decode_length(octets, position + 1)
    end = start + length
    if end > len(octets):
        raise truncated(octets, end, f"element {tag:02x} of {length} octets")
    return tag, octets[start:end], start, end


def _octets(value: Any) -> bytes:
    return b"".join((value,))  # not bytes(value): of a number that makes as many zeros


@dataclass(frozen=True, slots=True)
class Content:
    """The content octets themselves, made into a value by `of` (bytes unless told)."""

    of: Callable[[bytes], Any] = bytes
    to: Callable[[Any], bytes] = _octets

    def read(self, content: bytes, _offset: int) -> Any:
        return self.of(content)

    def write(self, value: Any) -> bytes:
        return self.to(value)


@dataclass(frozen=True, slots=True)
class Integer:
    """A non-negative INTEGER of one or two octets, as an open enum or an int."""

    enum: type[IntEnum] | type[int] = int

    def read(self, content: bytes, offset: int) -> int:
        if len(content) not in (1, 2):
            raise RemoteProtocolError(f"an integer of {len(content)} octets", offset=offset, layer="acse")
        value = int.from_bytes(content, "big")
        if value > 0xFF:
            raise RemoteProtocolError(f"{value} is none of its codes", offset=offset, layer="acse")
        return self.enum(value)

    def write(self, value: int) -> bytes:
        return bytes((value,))


@dataclass(frozen=True, slots=True)
class ObjectIdentifier:
    """An OBJECT IDENTIFIER below a known arc: the last arc as an open enum."""

    arc: bytes
    enum: type[IntEnum]

    def read(self, content: bytes, offset: int) -> IntEnum:
        if content[:-1] != self.arc:
            raise RemoteProtocolError(
                f"object identifier {content.hex()} is not below {self.arc.hex()}",
                offset=offset,
                layer="acse",
            )
        return self.enum(content[-1])

    def write(self, value: int) -> bytes:
        return self.arc + bytes((value,))


@dataclass(frozen=True, slots=True)
class Explicit:
    """An EXPLICIT tag: the content is one element of `tag`, whose content is of type `inner`."""

    tag: int
    inner: BerType

    def read(self, content: bytes, offset: int) -> Any:
        tag, inner, start, end = _sole_element(content, offset)
        if tag != self.tag:
            raise RemoteProtocolError(f"{tag:02x} where {self.tag:02x} is legal", offset=offset, layer="acse")
        del end
        return self.inner.read(inner, offset + start)

    def write(self, value: Any) -> bytes:
        return _element(self.tag, self.inner.write(value))


@dataclass(frozen=True, slots=True)
class ExplicitChoice:
    """A CHOICE of explicit arms: tag to (Python type, content type)."""

    arms: Mapping[int, tuple[type, BerType]]

    def read(self, content: bytes, offset: int) -> Any:
        tag, inner, start, _ = _sole_element(content, offset)
        if tag not in self.arms:
            legal = " or ".join(f"{arm:02x}" for arm in self.arms)
            raise RemoteProtocolError(f"{tag:02x} where {legal} is legal", offset=offset, layer="acse")
        return self.arms[tag][1].read(inner, offset + start)

    def write(self, value: Any) -> bytes:
        for tag, (python_type, inner) in self.arms.items():
            if isinstance(value, python_type):
                return _element(tag, inner.write(value))
        raise LocalProtocolError(f"{value!r} is no arm of this choice", layer="acse")


def _sole_element(content: bytes, offset: int) -> tuple[int, bytes, int, int]:
    """The one element that `content` must be."""
    try:
        tag, inner, start, end = _read_element(content, 0)
    except IndexError:
        raise RemoteProtocolError(
            "the octets end too early: an element is missing", offset=offset + len(content), layer="acse"
        ) from None
    except RemoteProtocolError as error:
        raise RemoteProtocolError(
            error.what, offset=offset + (error.where.offset or 0), layer="acse"
        ) from None
    if end != len(content):
        raise RemoteProtocolError(f"{len(content) - end} octets too many", offset=offset + end, layer="acse")
    return tag, inner, start, end


@dataclass(frozen=True, slots=True)
class Tagged:
    """The context tag of one field of an ACSE APDU, and the type of its content."""

    tag: int
    type: BerType


def _written(name: str, kind: BerType, value: Any) -> bytes:
    try:
        return kind.write(value)
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"{name} cannot be encoded: {error}", layer="acse") from error


def ber_codec(make: Callable[..., Any], tagged: Mapping[str, Tagged]) -> Codec[Any]:
    """The codec of an ACSE APDU behind its own tag: a length, then the tagged fields."""
    by_tag: Final = {each.tag: (name, each.type) for name, each in tagged.items()}

    def write(value: Any) -> bytes:
        content = b""
        for name, each in tagged.items():
            part = getattr(value, name)
            if part is not None:
                content += _element(each.tag, _written(name, each.type, part))
        return length_octets(len(content)) + content

    def read(octets: bytes, position: int, span: Span | None) -> tuple[Any, int]:
        length, position = decode_length(octets, position)
        end = position + length
        if end > len(octets):
            raise truncated(octets, end, f"content of {length} octets")
        values: dict[str, Any] = dict.fromkeys(tagged)
        while position < end:
            tag, content, start, stop = _read_element(octets[:end], position)
            name, kind = by_tag.get(tag, (None, None))
            part = (
                None if span is None else span.child((name or f"tag {tag:02x}").replace("_", "-"), position)
            )
            if name is not None and kind is not None:
                if values[name] is not None:
                    raise RemoteProtocolError(f"a second {name}", offset=position, layer="acse")
                values[name] = kind.read(content, start)
            if part is not None:
                part.close(stop, content if name is None else values[name])
            position = stop
        return make(**values), end

    return Codec(write, lambda octets, position: read(octets, position, None), read)
