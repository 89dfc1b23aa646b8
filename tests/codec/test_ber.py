"""BER, as far as ACSE needs it: elements by tag, in any order, once each."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.codec import (
    Content,
    Explicit,
    ExplicitChoice,
    Integer,
    ObjectIdentifier,
    Span,
    Tagged,
    ber_codec,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import AssociationResult, ReleaseRequestReason


@dataclass(frozen=True)
class Made:
    """Stands for an ACSE APDU."""

    bits: bytes | None = None
    octets: bytes | None = None
    number: int | None = None
    name: IntEnum | None = None
    either: IntEnum | None = None


ARC = b"\x60\x85"
CODEC = ber_codec(
    Made,
    {
        "bits": Tagged(0x80, Content()),
        "octets": Tagged(0xA2, Explicit(0x04, Content())),
        "number": Tagged(0x83, Integer()),
        "name": Tagged(0xA1, Explicit(0x06, ObjectIdentifier(ARC, AssociationResult))),
        "either": Tagged(
            0xA3,
            ExplicitChoice(
                {
                    0xA1: (AssociationResult, Explicit(0x02, Integer(AssociationResult))),
                    0xA2: (ReleaseRequestReason, Explicit(0x02, Integer(ReleaseRequestReason))),
                }
            ),
        ),
    },
)
WHOLE = Made(b"\x07\x80", b"abc", 5, AssociationResult.REJECTED_PERMANENT, ReleaseRequestReason.USER_DEFINED)


def read(hexadecimal: str) -> Made:
    """All of the octets."""
    made, end = CODEC.decode(bytes.fromhex(hexadecimal), 0)
    assert end == len(bytes.fromhex(hexadecimal))
    assert isinstance(made, Made)
    return made


def test_octets_both_ways() -> None:
    out = bytearray()
    CODEC.encode(WHOLE, out)
    body = bytes.fromhex("80020780 A2050403616263 830105 A1050603608501 A305A20302011E")
    assert bytes(out) == bytes((len(body),)) + body
    assert CODEC.decode(bytes(out), 0) == (WHOLE, len(out))


def test_nothing_is_a_length_of_zero() -> None:
    out = bytearray()
    CODEC.encode(Made(), out)
    assert (bytes(out), read("00")) == (b"\x00", Made())


@given(st.permutations(["80020780", "A2050403616263", "830105", "A1050603608501", "A305A20302011E"]))
def test_order_does_not_matter(elements: list[str]) -> None:
    body = "".join(elements)
    assert read(f"{len(body) // 2:02X}{body}") == WHOLE


def test_unknown_tags_are_passed_over() -> None:
    assert read("08 BD03414243 830105") == Made(number=5)


@pytest.mark.parametrize(
    ("hexadecimal", "offset", "says"),
    [
        ("02", 1, "2 more"),
        ("03830205", 4, "element 83 of 2 octets needs 1 more"),
        ("06830105830105", 4, "a second number"),
        ("028300", 3, "an integer of 0 octets"),
        ("0583030000FF", 3, "an integer of 3 octets"),
        ("0483020100", 3, "256 is none of its codes"),
        ("02A200", 3, "an element is missing"),
        ("06A20404016100", 6, "1 octets too many"),
        ("05A203020161", 3, "02 where 04 is legal"),
        ("04A2020403", 5, "3 more"),
        ("06A10406026085", 5, "is not below"),
        ("05A303A00100", 3, "a0 where a1 or a2 is legal"),
        ("0180", 2, None),
    ],
)
def test_what_is_broken_is_refused_and_says_where(hexadecimal: str, offset: int, says: str | None) -> None:
    octets = bytes.fromhex(hexadecimal)
    readings: list[Callable[[], object]] = [
        lambda: CODEC.decode(octets, 0),
        lambda: CODEC.trace(octets, 0, Span("apdu", 0)),
    ]
    for reading in readings:
        with pytest.raises((RemoteProtocolError, IndexError)) as caught:
            reading()
        if says is None:
            assert isinstance(caught.value, IndexError)  # the engine makes "the octets end too early" of it
            continue
        assert isinstance(caught.value, RemoteProtocolError)
        assert says in caught.value.what
        assert caught.value.where.offset == offset


def test_no_arm_of_a_choice_is_our_fault() -> None:
    with pytest.raises(LocalProtocolError, match="no arm of this choice"):
        CODEC.encode(Made(either=WrongEnum.ONE), bytearray())


class WrongEnum(IntEnum):
    """Not an arm."""

    ONE = 1


def test_a_trace_names_each_element_known_or_not() -> None:
    span = Span("apdu", 0)
    CODEC.trace(bytes.fromhex("08BD03414243830105"), 0, span)
    assert [(part.name, part.start, part.end, part.value) for part in span.children] == [
        ("tag bd", 1, 6, b"ABC"),
        ("number", 6, 9, 5),
    ]
