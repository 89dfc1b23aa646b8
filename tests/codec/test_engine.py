"""The engine: what a declaration becomes, and how a wrong one is refused when it is made."""

import dataclasses
from typing import Annotated, Any

import pytest

from meterwright.codec import (
    Apdu,
    ApduRegistry,
    Boolean,
    OctetString,
    Optional,
    Sequence,
    SequenceOf,
    Unsigned,
    apdu,
    declared_fields,
    sequence,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError

REGISTRY = ApduRegistry()


@sequence
class Part(Sequence):
    """Two octets and a flag."""

    number: Annotated[int, Unsigned(2)]
    flag: Annotated[bool, Boolean()]


@apdu(0x70, registry=REGISTRY)
class WholeThing(Apdu):
    """One of everything that an annotation may be."""

    part: Part
    maybe: Part | None
    many: tuple[Part, ...]
    text: Annotated[bytes, OctetString()] | None


@apdu(0x71, 1, registry=REGISTRY, label="first-arm")
class FirstArm(Apdu):
    """A choice octet after the tag."""

    number: Annotated[int, Unsigned(1)]


@apdu(0x71, 2, registry=REGISTRY)
class SecondArm(FirstArm):
    """Fields are inherited, in their order."""

    more: Annotated[int, Unsigned(1)]


WHOLE = WholeThing(Part(1, True), None, (Part(2, False), Part(3, True)), b"x")


def test_fields_stand_in_the_order_of_the_declaration() -> None:
    assert WHOLE.to_octets().hex() == "70" + "000101" + "00" + "02" + "000200" + "000301" + "010178"
    assert REGISTRY.decode(WHOLE.to_octets()) == WHOLE
    assert SecondArm(5, 6).to_octets().hex() == "71020506"


def test_declared_fields_are_told() -> None:
    fields = declared_fields(WholeThing)
    assert list(fields) == ["part", "maybe", "many", "text"]
    assert isinstance(fields["maybe"], Optional)
    assert isinstance(fields["many"], SequenceOf)
    assert fields["text"] == Optional(OctetString())


def test_values_are_frozen_and_have_slots() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        WHOLE.part = Part(9, True)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # it is frozen
    assert not hasattr(WHOLE, "__dict__")
    assert hash(WHOLE) == hash(dataclasses.replace(WHOLE))
    assert not hasattr(REGISTRY.decode(WHOLE.to_octets()), "__dict__")


def test_labels_are_made_from_names_or_given() -> None:
    assert (WholeThing.label, FirstArm.label, SecondArm.label) == ("whole-thing", "first-arm", "second-arm")


def test_the_registry_lists_and_finds() -> None:
    assert list(REGISTRY) == [WholeThing, FirstArm, SecondArm]
    assert REGISTRY.find(b"\x71\x02") is SecondArm


@pytest.mark.parametrize(
    ("octets", "offset", "says"),
    [
        ("", 0, "without a single octet"),
        ("00", 0, "00 is no APDU tag known here"),
        ("71", 1, "nothing where one of 01, 02 is legal"),
        ("7103", 1, "03 where one of 01, 02 is legal"),
        ("710205", 3, "too early"),
        ("7102050607", 4, "1 octets too many"),
        ("70000101", 4, "too early"),
    ],
)
def test_what_is_no_apdu_is_refused_and_says_where(octets: str, offset: int, says: str) -> None:
    with pytest.raises(RemoteProtocolError, match=says) as caught:
        REGISTRY.decode(bytes.fromhex(octets))
    assert caught.value.where.offset == offset
    assert caught.value.where.layer in ("apdu", "codec")


def test_an_error_names_the_apdu() -> None:
    with pytest.raises(RemoteProtocolError, match="whole-thing") as caught:
        REGISTRY.decode(bytes.fromhex("7000010102"))
    assert caught.value.where.about == "whole-thing"
    assert str(caught.value).endswith("(whole-thing, in codec, at octet 4)")


def test_a_prefix_may_be_read_alone() -> None:
    assert REGISTRY.decode_prefix(bytes.fromhex("710105FFFF")) == (FirstArm(5), 3)


def test_a_trace_tells_the_parts() -> None:
    span, error = REGISTRY.trace(WHOLE.to_octets())
    assert error is None
    assert [(part.name, part.start, part.end) for part in span.children] == [
        ("part", 1, 4),
        ("maybe", 4, 5),
        ("many", 5, 12),
        ("text", 12, 15),
    ]
    assert [part.name for part in span.children[0].children] == ["number", "flag"]
    assert [part.name for part in span.children[2].children] == ["[0]", "[1]"]


def test_a_trace_of_what_breaks_keeps_what_was_read_until_then() -> None:
    span, error = REGISTRY.trace(bytes.fromhex("70000101 00 05"))
    assert isinstance(error, RemoteProtocolError)
    assert error.where.offset == 5
    assert [(part.name, part.end) for part in span.children] == [("part", 4), ("maybe", 5), ("many", None)]
    assert span.end is None


@pytest.mark.parametrize("octets", ["", "FF", "71", "7101"])
def test_a_trace_never_raises(octets: str) -> None:
    span, error = REGISTRY.trace(bytes.fromhex(octets))
    assert isinstance(error, RemoteProtocolError)
    assert span.end is None


@pytest.mark.parametrize("value", [-1, 70000, None, "1", 1.5, b"\x00"])
def test_a_value_that_does_not_fit_names_its_field(value: Any) -> None:
    with pytest.raises(LocalProtocolError, match=r"WholeThing\.part|Part\.number"):
        WholeThing(Part(value, True), None, (), None).to_octets()


class TestWrongDeclarations:
    """Mistakes are told when the class is made, with the field's name."""

    def test_a_plain_type_has_no_wire_type(self) -> None:
        with pytest.raises(TypeError, match=r"Wrong\.number: .* has no wire type"):

            @sequence
            class Wrong(Sequence):
                number: int

    def test_an_annotation_without_a_wire_type(self) -> None:
        with pytest.raises(TypeError, match=r"Wrong\.number: .* carries no wire type"):

            @sequence
            class Wrong(Sequence):
                number: Annotated[int, "two octets"]

    def test_a_union_of_two(self) -> None:
        with pytest.raises(TypeError, match=r"Wrong\.either: .* has no wire type"):

            @sequence
            class Wrong(Sequence):
                either: Part | FirstArm

    def test_a_tuple_of_fixed_length(self) -> None:
        with pytest.raises(TypeError, match=r"Wrong\.two: "):

            @sequence
            class Wrong(Sequence):
                two: tuple[Part, Part]

    def test_a_field_with_a_default(self) -> None:
        with pytest.raises(TypeError, match=r"Wrong\.number: a field has no default"):

            @sequence
            class Wrong(Sequence):
                number: Annotated[int, Unsigned(1)] = 5

    @pytest.mark.parametrize(("tag", "choice"), [(0x70, None), (0x70, 1), (0x71, None), (0x71, 1)])
    def test_a_tag_that_is_taken(self, tag: int, choice: int | None) -> None:
        with pytest.raises(TypeError, match="is taken"):

            @apdu(tag, choice, registry=REGISTRY)
            class Wrong(Apdu):
                number: Annotated[int, Unsigned(1)]

        assert list(REGISTRY) == [WholeThing, FirstArm, SecondArm]
