"""From the spans that decoding left to a tree of parts that covers every octet, each with its name in words.

A span tells a field's range and value. Between a field's start and its value stand octets of the encoding itself (presence,
choice, count, tag): what they are follows from the field's declared wire type. Where decoding broke, the octet that broke
it becomes a part of its own, and all after it is marked as not read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from meterwright.apdu import (
    AttributeDescriptor,
    ConfirmedServiceError,
    InvokedApdu,
    MethodDescriptor,
    Unreadable,
)
from meterwright.apdu.acse import AcseApdu
from meterwright.apdu.fields import GET_DATA_RESULT
from meterwright.codec import (
    Apdu,
    Choice,
    Default,
    Optional,
    Sequence,
    SequenceOf,
    Span,
    WireType,
    declared_fields,
    decode_length,
)
from meterwright.data import ARRAY_CONTENTS, CONTENTS_DESCRIPTION, Data, DataField, DataTag, decode_data
from meterwright.diagnose.elements import Element, class_name, element, guess, subject
from meterwright.diagnose.explanation import Part, State
from meterwright.diagnose.quirks import ContentsField, UntaggedField, length_quirk, quirk, quirks_of
from meterwright.diagnose.subjects import ABOUT_LISTS, ABOUT_ONE, IN_BLOCKS, Subjects
from meterwright.diagnose.wording import kebab, legal, words
from meterwright.dictionary import describe
from meterwright.errors import RemoteProtocolError
from meterwright.values import AuthenticationMechanism, Finding, ServiceErrorClass, service_error_name

__all__ = ["annotate", "broken", "illegal"]

_RETURN_PARAMETERS: Final = "return-parameters"


@dataclass(frozen=True, slots=True)
class _Field:
    """What is known of a field before its octets are looked at."""

    name: str
    wire: WireType | None = None
    type: str = ""
    secret: bool = False
    about: Subjects | None = None
    """What the elements of a list are about."""


def annotate(
    octets: bytes, cls: type[Apdu], span: Span, problem: RemoteProtocolError | None
) -> tuple[Part, list[Finding]]:
    """The parts of one APDU, and the quirks met on the way."""
    annotator = _Annotator(octets, problem)
    return annotator.root(cls, span), annotator.quirks


def broken(octets: bytes, name: str, at: int, problem: str) -> Part:
    """An APDU of which nothing is understood from the octet `at` on."""
    first = (_leaf(octets, 0, at, name, ""),) if at else ()
    return Part(
        0,
        len(octets),
        name,
        "",
        octets,
        State.ILLEGAL,
        (*first, *illegal(octets, at, at, "", legal(problem))),
    )


def illegal(octets: bytes, position: int, at: int, name: str, problem: str) -> Iterator[Part]:
    """The parts from `position` on where decoding broke at the octet `at`."""
    size = len(octets)
    at = max(position, min(at, size))
    if position < at:
        cut = at == size
        state, told = (State.ILLEGAL, "ends too early") if cut else (State.READ, "begun")
        yield _leaf(octets, position, at, name, told, state=state)
    if at < size:
        yield _leaf(octets, at, at + 1, "illegal", problem, state=State.ILLEGAL)
    if at + 1 < size:
        yield _leaf(
            octets, at + 1, size, "unreadable", f"{size - at - 1} octets can't be read", state=State.UNREAD
        )


def _leaf(octets: bytes, start: int, end: int, name: str, value: str, *, state: State = State.READ) -> Part:
    return Part(start, end, name, value, octets[start:end], state)


class _Annotator:
    """One APDU: its octets, where and why decoding broke (if it did), and the quirks met so far."""

    def __init__(self, octets: bytes, problem: RemoteProtocolError | None) -> None:
        self.quirks: list[Finding] = []
        self._octets = octets
        self._problem = "" if problem is None else legal(problem.what)
        at = None if problem is None else problem.where.offset
        self._broken_at = len(octets) if at is None else min(at, len(octets))

    def root(self, cls: type[Apdu], span: Span) -> Part:
        """The whole APDU."""
        size = len(self._octets)
        prefix = self._prefix_end(cls, span)
        parts = [_leaf(self._octets, 0, prefix, cls.label, _prefix_words(cls))]
        about, wires = Subjects(), _wires(cls)
        for child in span.children:
            parts.append(self._field(child, self._known(child, wires, about, span)))
            about.see(child.value)
        position = parts[-1].end
        if span.end is None:
            parts.extend(illegal(self._octets, position, self._broken_at, cls.label, self._problem))
        elif position < size:
            parts.append(self._trailing(position))
        if isinstance(span.value, ConfirmedServiceError):
            parts[-2:] = _error_parts(parts[-2:], span.value)
        return Part(0, size, cls.label, "", self._octets, parts=tuple(parts))

    def _trailing(self, position: int) -> Part:
        size = len(self._octets)
        if not any(self._octets[position:]):
            return _leaf(self._octets, position, size, "padding", f"{size - position} zero octets")
        told = f"{size - position} octets follow the APDU"
        return _leaf(self._octets, position, size, "trailing", told, state=State.UNREAD)

    def _prefix_end(self, cls: type[Apdu], span: Span) -> int:
        """Where the first field starts: after the tag, and in ACSE after the length."""
        if not issubclass(cls, AcseApdu):
            return len(cls.prefix)
        first = span.children[0].start if span.children else span.end
        if first is not None:
            self._note(length_quirk(self._octets, 1))
            return first
        return min(len(cls.prefix), len(self._octets))

    def _known(self, span: Span, wires: Mapping[str, WireType], about: Subjects, root: Span) -> _Field:
        """What the declaration and the fields before tell of a field."""
        wire = wires.get(span.name)
        if span.name == _RETURN_PARAMETERS:
            return _Field(span.name, self._return_parameters(span))
        if span.name in ABOUT_LISTS and isinstance(wire, SequenceOf):
            return _Field(span.name, wire, about=about)
        if span.name in ABOUT_ONE and about.one:
            return _Field(span.name, wire, about.one.type, about.one.secret)
        secret = _is_secret(span, root) or (span.name in IN_BLOCKS and about.any_secret)
        return _Field(span.name, wire, secret=secret)

    def _return_parameters(self, span: Span) -> WireType:
        """The wire type that read the return parameters of a single response, which takes more than the book allows."""
        octets, start, value = self._octets, span.start, span.value
        if isinstance(value, Unreadable):
            self._problem, self._broken_at = legal(value.problem), min(value.offset, len(octets))
        elif span.start == span.end:
            message = (
                "the octet that says whether return parameters follow is missing; 00 or 01 is legal here"
            )
            self.quirks.append(quirk("missing-return-parameters-flag", message, start))
        elif isinstance(value, Data) and not _is_get_data_result(octets, start + 1):
            message = f"{octets[start + 1]:02x} is the tag of the data; 00 (data) should stand before it"
            self.quirks.append(quirk("missing-choice", message, start + 1))
            return Optional(DataField())
        return Optional(GET_DATA_RESULT)

    def _field(self, span: Span, known: _Field) -> Part:
        """One field: the octets of its encoding, the fields in it, or its value."""
        closed = span.end is not None and not isinstance(span.value, Unreadable)
        end = span.end if closed and span.end is not None else len(self._octets)
        if known.secret:
            told = f"{end - span.start} octets, not shown"
            return _leaf(self._octets, span.start, end, known.name, told, state=State.HIDDEN)
        limit = span.children[0].start if span.children else end
        heads, wire = self._heads(known, span, limit if closed else min(limit, self._broken_at))
        type_name = known.type or self._type_by_shape(span, heads)
        position = heads[-1].end if heads else span.start
        if span.children and position < limit:
            heads.append(_leaf(self._octets, position, limit, "encoding", ""))
        parts = [*heads, *self._children(span, replace(known, wire=wire, type=type_name))]
        position = parts[-1].end if parts else span.start
        if not closed:
            parts.extend(illegal(self._octets, position, self._broken_at, known.name, self._problem))
        elif position < end or not parts:
            parts.append(self._value(span, _Field(known.name, wire, type_name), position, end))
        if not parts:
            told = "missing: the octets end here"
            parts.append(_leaf(self._octets, end, end, known.name, told, state=State.ILLEGAL))
        if len(parts) == 1 and not span.children:
            return self._sole(parts[0], known.name)
        told = words(span.value, type_name) if closed else ""
        return Part(span.start, end, known.name, told, self._octets[span.start : end], parts=tuple(parts))

    def _value(self, span: Span, known: _Field, position: int, end: int) -> Part:
        """The octets of a field's value itself."""
        if position < end:
            self.quirks.extend(quirks_of(self._octets, position, known.wire, span.value))
        return _leaf(self._octets, position, end, known.name, words(span.value, known.type))

    def _type_by_shape(self, span: Span, heads: list[Part]) -> str:
        if not isinstance(span.value, Data):
            return ""
        if any(head.name in _ARRAYS for head in heads):
            return _IN_ARRAY
        return guess(span.value, in_array=False)

    def _sole(self, part: Part, name: str) -> Part:
        """A field whose octets are all one run goes by its own name."""
        return Part(part.start, part.end, name, part.value, part.octets, part.state)

    def _children(self, span: Span, known: _Field) -> Iterator[Part]:
        if isinstance(span.value, AttributeDescriptor | MethodDescriptor):
            yield from self._descriptor(span, span.value)
            return
        wires = _wires(type(span.value))
        for index, child in enumerate(span.children):
            if part := _COMPACT_PARTS.get(child.name):
                yield self._field(child, _Field(child.name, part, known.type))
            elif isinstance(known.wire, _DescriptionField):
                yield self._field(child, _Field(child.name, known.wire))
            elif isinstance(known.wire, DataField):
                yield self._field(child, self._element(child, element(known.type, index), known))
            elif isinstance(known.wire, SequenceOf):
                named = None if known.about is None else known.about.at(index)
                type_name, secret = ("", False) if named is None else (named.type, named.secret)
                yield self._field(child, _Field(child.name, known.wire.wire, type_name, secret))
            else:
                yield self._field(child, _Field(child.name, wires.get(child.name)))

    def _element(self, span: Span, named: Element, parent: _Field) -> _Field:
        """An element of an array or structure; its shape tells its type where nothing else does."""
        type_name = named.type
        if not type_name and isinstance(span.value, Data):
            is_array = span.value.tag.label in _ARRAYS
            type_name = _IN_ARRAY if is_array else guess(span.value, in_array=parent.type == _IN_ARRAY)
        untagged = isinstance(parent.wire, UntaggedField)
        return _Field(named.name, UntaggedField() if untagged else DataField(), type_name)

    def _descriptor(self, span: Span, value: AttributeDescriptor | MethodDescriptor) -> Iterator[Part]:
        """Class, logical name and number, each with its name."""
        told = (class_name(value.class_id), describe(value.instance_id), subject(value).name)
        for child, name in zip(span.children, told, strict=True):
            text = str(child.value)
            end = len(self._octets) if child.end is None else child.end
            yield _leaf(self._octets, child.start, end, child.name, f"{text} ({name})" if name else text)

    def _heads(self, known: _Field, span: Span, limit: int) -> tuple[list[Part], WireType | None]:
        """The octets that say how the value is coded, up to `limit`, and the wire type of the value.

        In a sequence that was not read to its end the wire types are not known; only data has numbered children there.
        """
        parts: list[Part] = []
        position = span.start
        elements = bool(span.children) and span.children[0].name.startswith("[")
        wire = known.wire or (DataField() if elements else None)
        while position < limit:
            octet = self._octets[position]
            if isinstance(wire, Optional | Default):
                parts.append(
                    _leaf(
                        self._octets, position, position + 1, "presence", _presence(octet, wire, known.name)
                    )
                )
                wire = wire.wire if octet == 1 else None
            elif isinstance(wire, Choice):
                arms = {arm.tag: arm for arm in wire.alternatives}
                if octet not in arms:
                    break
                wire = arms[octet].wire
                told = f"{octet:02x}: {kebab(arms[octet].type)}"
                parts.append(_leaf(self._octets, position, position + 1, "choice", told))
            else:
                parts.extend(self._count(wire, position, limit))
                break
            position += 1
        return parts, wire

    def _count(self, wire: WireType | None, position: int, limit: int) -> Iterator[Part]:
        """Tag and count of an array or structure, the count of a SEQUENCE OF, the length of contents."""
        octet = self._octets[position]
        tagged = isinstance(wire, DataField) and not isinstance(wire, UntaggedField)
        name, start, thing = "count", position, "element"
        if isinstance(wire, ContentsField):
            name, thing = "length", "octet"
        elif isinstance(wire, _DescriptionField) and octet == DataTag.ARRAY:
            yield from self._described_array(position, limit)
            return
        elif tagged and octet == DataTag.COMPACT_ARRAY:
            yield _leaf(self._octets, position, position + 1, DataTag.COMPACT_ARRAY.label, "tag")
            return
        elif tagged and octet in (DataTag.ARRAY, DataTag.STRUCTURE):
            name, start = DataTag(octet).label, position + 1
        elif not isinstance(wire, SequenceOf):
            return
        if start >= limit:
            return
        try:
            count, end = decode_length(self._octets, start)
        except RemoteProtocolError:
            return
        if end > limit:
            return
        self._note(length_quirk(self._octets, start))
        yield _leaf(self._octets, position, end, name, f"{count} {thing}{'' if count == 1 else 's'}")

    def _described_array(self, position: int, limit: int) -> Iterator[Part]:
        """Tag and count of an array in a type description: the count has always two octets."""
        end = position + 3
        if end <= limit:
            count = int.from_bytes(self._octets[position + 1 : end], "big")
            told = f"{count} element{'' if count == 1 else 's'}"
            yield _leaf(self._octets, position, end, DataTag.ARRAY.label, told)

    def _note(self, finding: Finding | None) -> None:
        if finding is not None:
            self.quirks.append(finding)


_IN_ARRAY: Final = "array of "
"""The type of an array of nobody knows what."""
_ARRAYS: Final = (DataTag.ARRAY.label, DataTag.COMPACT_ARRAY.label)


class _DescriptionField(DataField):
    """The type description of a compact array, or one of the descriptions in it."""


_COMPACT_PARTS: Final[Mapping[str, DataField]] = {
    CONTENTS_DESCRIPTION: _DescriptionField(),
    ARRAY_CONTENTS: ContentsField(),
}


def _wires(cls: type[object]) -> Mapping[str, WireType]:
    """The wire types of a declared class by the names its spans have; ACSE is BER and has none."""
    if not issubclass(cls, Sequence) or issubclass(cls, AcseApdu):
        return {}
    if cls not in _WIRES:
        _WIRES[cls] = {name.replace("_", "-"): wire for name, wire in declared_fields(cls).items()}
    return _WIRES[cls]


_WIRES: Final[dict[type[Sequence], Mapping[str, WireType]]] = {}
"""Declarations never change, so what was resolved once is kept."""


def _is_get_data_result(octets: bytes, position: int) -> bool:
    """Whether the octets to the end are a Get-Data-Result that holds data."""
    if octets[position] != 0:
        return False
    try:
        _, end = decode_data(octets, position + 1)
    except RemoteProtocolError:
        return False
    return end == len(octets)


def _is_secret(span: Span, root: Span) -> bool:
    """Whether a field must not be shown: a key, or a password (a challenge of high-level authentication may be)."""
    if span.name == "dedicated-key":
        return span.end is None or span.value is not None
    if span.name != "calling-authentication-value":
        return False
    mechanisms = [each.value for each in root.children if each.name == "mechanism-name"]
    return not any(
        isinstance(each, AuthenticationMechanism) and each > AuthenticationMechanism.LOW
        for each in mechanisms
    )


def _error_parts(parts: list[Part], error: ConfirmedServiceError) -> Iterator[Part]:
    """Class and code of a ConfirmedServiceError by their names; what a code means depends on the class."""
    names = (ServiceErrorClass(error.error_class).label, service_error_name(error.error_class, error.code))
    for part, name in zip(parts, names, strict=True):
        yield replace(part, value=f"{name} ({part.value})")


def _prefix_words(cls: type[Apdu]) -> str:
    if issubclass(cls, AcseApdu):
        return "tag and length"
    return "tag and choice" if issubclass(cls, InvokedApdu) else "tag"


def _presence(octet: int, wire: WireType, name: str) -> str:
    if octet != 1:
        return f"{octet:02x}: the default" if isinstance(wire, Default) else f"{octet:02x}: absent"
    spoken = name.replace("-", " ")
    return f"01: {spoken} {'follow' if spoken.endswith('s') else 'follows'}"
