"""The engine behind ``@sequence`` and ``@apdu``: a declaration becomes a frozen dataclass with a compiled codec.

A class lists its fields in the order of the standard, each annotated with a wire type. When the class is made, the hints
are resolved (a mistake is told at import, with the field's name), the codecs of the fields are composed into one,
and ``@apdu`` registers the class under its tag. Nothing is decoded by hand twice.

    @apdu(tag=0xC0, choice=0x01)
    class GetRequestNormal(Apdu):
        invoke_id_and_priority: InvokeIdAndPriorityField
        attribute: AttributeDescriptor
        access_selection: SelectiveAccess | None

Annotations understood: ``Annotated[T, wire type]``, a class made by ``@sequence``, ``X | None`` (OPTIONAL) and
``tuple[X, ...]`` (SEQUENCE OF). Modules that declare must not postpone their annotations.
"""

import struct
import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import (
    Annotated,
    Any,
    ClassVar,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from meterwright.codec.codec import Codec, Composed, Span, WireType
from meterwright.codec.straight import MISFITS, straight_maker, straight_reader, straight_writer
from meterwright.codec.wire import Optional, SequenceOf
from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Apdu", "ApduRegistry", "Declared", "Sequence", "apdu", "declared_fields", "sequence"]

C = TypeVar("C", bound="Sequence")
A = TypeVar("A", bound="Apdu")


class Sequence:
    """What ``@sequence`` makes: a frozen value that knows how it stands on the wire."""

    __slots__ = ()
    wire_codec: ClassVar[Codec[Any]]


class Apdu(Sequence):
    """What ``@apdu`` makes: a sequence behind its own tag octets (`prefix`)."""

    __slots__ = ()
    prefix: ClassVar[bytes]
    label: ClassVar[str]

    def to_octets(self) -> bytes:
        """The whole APDU. LocalProtocolError where a field does not fit its wire type."""
        return self.prefix + self.wire_codec.write(self)


@dataclass(frozen=True, slots=True)
class Declared:
    """A class made by ``@sequence`` as a wire type: of a field, or of an arm of a choice."""

    cls: type[Sequence]

    def codec(self) -> Codec[Any]:
        return self.cls.wire_codec


def _wire_type(hint: Any) -> WireType:
    """The wire type that an annotation stands for; TypeError says which annotation has none."""
    if get_origin(hint) is Annotated:
        for mark in get_args(hint)[1:]:
            if hasattr(mark, "codec"):
                return mark  # type: ignore[no-any-return]  # hasattr is the check: WireType has this one method
        raise TypeError(f"{hint} carries no wire type")
    if get_origin(hint) is tuple and get_args(hint)[1:] == (...,):
        return SequenceOf(_wire_type(get_args(hint)[0]))
    if get_origin(hint) in (Union, types.UnionType):
        present = [arm for arm in get_args(hint) if arm is not type(None)]
        if len(present) == 1 and len(get_args(hint)) == 2:
            return Optional(_wire_type(present[0]))
    if isinstance(hint, type) and issubclass(hint, Sequence) and hasattr(hint, "wire_codec"):
        return Declared(hint)
    raise TypeError(
        f"{hint} has no wire type: use Annotated[…, wire type], a @sequence class, X | None or tuple[X, …]"
    )


def declared_fields(cls: type[Sequence]) -> dict[str, WireType]:
    """Field name to wire type, in wire order, of a class made by ``@sequence`` or ``@apdu``."""
    hints = get_type_hints(cls, include_extras=True)
    wires: dict[str, WireType] = {}
    for name in _field_types(cls):
        try:
            wires[name] = _wire_type(hints[name])
        except TypeError as error:
            raise TypeError(f"{cls.__name__}.{name}: {error}") from None
    return wires


def _field_types(cls: type[Sequence]) -> dict[str, object]:
    """Field name to annotation, in wire order. TypeError where a field has a default: who makes an APDU says all of it."""
    declared = fields(cls)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # made a dataclass
    for each in declared:
        if each.default is not MISSING or each.default_factory is not MISSING:
            raise TypeError(f"{cls.__name__}.{each.name}: a field has no default")
    return {each.name: each.type for each in declared}


def _plain(composed: Composed) -> Codec[Any]:
    """The codecs of the fields one after the other: what a declaration means, and whose field is at fault.

    Slots are set directly: it is what makes frozen values cheap to decode.
    """
    cls = composed.cls
    parts = [(name, codec, getattr(cls, name).__set__) for name, codec in composed.fields.items()]

    def write(value: Any) -> bytes:
        out = bytearray()
        for name, codec, _ in parts:
            try:
                out += codec.write(getattr(value, name))
            except MISFITS as error:
                raise LocalProtocolError(
                    f"{cls.__name__}.{name} cannot be encoded: {error}", layer="codec", about=cls.__name__
                ) from error
        return bytes(out)

    def decode(octets: bytes, position: int) -> tuple[Any, int]:
        made = object.__new__(cls)
        for _, codec, set_field in parts:
            value, position = codec.decode(octets, position)
            set_field(made, value)
        return made, position

    def trace(octets: bytes, position: int, span: Span) -> tuple[Any, int]:
        made = object.__new__(cls)
        for name, codec, set_field in parts:
            part = span.child(name.replace("_", "-"), position)
            value, position = codec.trace(octets, position, part)
            part.close(position, value)
            set_field(made, value)
        return made, position

    return Codec(write, decode, trace, composed)


def _compiled(cls: type[Sequence]) -> Codec[Any]:
    """The codec of a declaration; what it does is written straight when it is used first: most programs use few."""
    composed = Composed(cls, {name: wire.codec() for name, wire in declared_fields(cls).items()})
    plain = _plain(composed)

    def straighten() -> None:
        codec.write = straight_writer(composed, plain.write)
        codec.decode = straight_reader(composed, plain.decode)

    def write(value: Any) -> bytes:
        straighten()
        return codec.write(value)

    def decode(octets: bytes, position: int) -> tuple[Any, int]:
        straighten()
        return codec.decode(octets, position)

    codec: Codec[Any] = Codec(write, decode, plain.trace, composed)
    return codec


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def sequence(cls: type[C]) -> type[C]:
    """Declare a SEQUENCE without a tag of its own: a part of an APDU."""
    made = dataclass(frozen=True, slots=True, init=False)(cls)
    made.__init__ = straight_maker(made, _field_types(made))  # type: ignore[method-assign]  # as dataclass does
    if "wire_codec" not in cls.__dict__:
        made.wire_codec = _compiled(made)
    return made


def _label(name: str) -> str:
    """GetRequestNormal is get-request-normal: the standard's name in kebab case."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class ApduRegistry:
    """Which class stands behind which tag octets. One registry per family of APDUs; it knows none by itself."""

    def __init__(self) -> None:
        self._by_tag: dict[int, type[Apdu] | dict[int, type[Apdu]]] = {}

    def __iter__(self) -> "Any":
        for entry in self._by_tag.values():
            if isinstance(entry, dict):
                yield from entry.values()
            else:
                yield entry

    def add(self, cls: type[Apdu]) -> None:
        """Register a class under its prefix; two classes for one prefix are a mistake of ours."""
        tag, *choice = cls.prefix
        if choice:
            arms = self._by_tag.setdefault(tag, {})
            if not isinstance(arms, dict) or choice[0] in arms:
                raise TypeError(f"{cls.__name__}: {cls.prefix.hex()} is taken")
            arms[choice[0]] = cls
        elif tag in self._by_tag:
            raise TypeError(f"{cls.__name__}: {cls.prefix.hex()} is taken")
        else:
            self._by_tag[tag] = cls

    def find(self, octets: bytes) -> type[Apdu]:
        """The class for the APDU that starts here; RemoteProtocolError where there is none."""
        try:
            entry = self._by_tag[octets[0]]
            return entry[octets[1]] if isinstance(entry, dict) else entry
        except (IndexError, KeyError):
            raise self._unknown(octets) from None

    def _unknown(self, octets: bytes) -> RemoteProtocolError:
        """Why no class reads these octets."""
        if not octets:
            return RemoteProtocolError("an APDU without a single octet", offset=0, layer="apdu")
        entry = self._by_tag.get(octets[0])
        if not isinstance(entry, dict):
            return RemoteProtocolError(f"{octets[0]:02x} is no APDU tag known here", offset=0, layer="apdu")
        legal = ", ".join(f"{choice:02x}" for choice in sorted(entry))
        found = f"{octets[1]:02x}" if len(octets) > 1 else "nothing"
        return RemoteProtocolError(f"{found} where one of {legal} is legal", offset=1, layer="apdu")

    def decode_prefix(self, octets: bytes) -> tuple[Apdu, int]:
        """The APDU at the start of `octets` and where it ends; what follows is the caller's business."""
        cls = self.find(octets)
        try:
            value, end = cls.wire_codec.decode(octets, len(cls.prefix))
        except RemoteProtocolError as error:
            error.within(layer="apdu", about=cls.label)
            raise
        except (IndexError, struct.error):
            raise RemoteProtocolError(
                "the octets end too early", offset=len(octets), layer="apdu", about=cls.label
            ) from None
        return value, end

    def decode(self, octets: bytes) -> Apdu:
        """The one APDU that `octets` are. RemoteProtocolError where they are none, or more than one."""
        value, end = self.decode_prefix(octets)
        if end != len(octets):
            raise RemoteProtocolError(
                f"{len(octets) - end} octets too many after the APDU",
                offset=end,
                layer="apdu",
                about=value.label,
            )
        return value

    def trace(self, octets: bytes) -> tuple[Span, RemoteProtocolError | None]:
        """What each octet means, as far as it can be told, and the error that ended the reading, if one did."""
        span = Span("apdu", 0)
        try:
            cls = self.find(octets)
            span.name = cls.label
            value, end = cls.wire_codec.trace(octets, len(cls.prefix), span)
        except RemoteProtocolError as error:
            return span, error
        except (IndexError, struct.error):
            return span, RemoteProtocolError("the octets end too early", offset=len(octets), layer="apdu")
        span.close(end, value)
        return span, None


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def apdu(
    tag: int, choice: int | None = None, *, registry: ApduRegistry, label: str | None = None
) -> Callable[[type[A]], type[A]]:
    """Declare an APDU: its tag, the choice octet after it where it has one, and the registry it belongs to."""

    def declare(cls: type[A]) -> type[A]:
        cls.prefix = bytes((tag,)) if choice is None else bytes((tag, choice))
        cls.label = label or _label(cls.__name__)
        made = sequence(cls)
        registry.add(made)
        return made

    return declare
