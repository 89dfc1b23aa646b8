"""Wire types, one by one: octets both ways, what each refuses, and what each says about it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.codec import (
    Alternative,
    Boolean,
    Choice,
    Default,
    Enumerated,
    FixedOctets,
    Mapped,
    OctetString,
    Optional,
    SequenceOf,
    Signed,
    Span,
    Unsigned,
    WireType,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import DataAccessResult

TWO_ARMS = Choice(Alternative(0, bytes, OctetString()), Alternative(5, int, Unsigned(2)))


def sent(wire: WireType, value: Any) -> str:
    out = bytearray()
    wire.codec().encode(value, out)
    return out.hex()


def read(wire: WireType, octets: str) -> Any:
    """The value; the octets after it are left alone."""
    raw = bytes.fromhex(octets)
    value, end = wire.codec().decode(b"\xee" + raw + b"\xee", 1)
    assert end == 1 + len(raw)
    return value


@pytest.mark.parametrize(
    ("wire", "value", "octets"),
    [
        (Unsigned(1), 255, "ff"),
        (Unsigned(2), 0x1234, "1234"),
        (Unsigned(4), 1, "00000001"),
        (Unsigned(8), (1 << 64) - 1, "ffffffffffffffff"),
        (Signed(1), -1, "ff"),
        (Signed(2), -32768, "8000"),
        (Signed(4), -2, "fffffffe"),
        (Signed(8), -1, "ffffffffffffffff"),
        (Boolean(), True, "01"),
        (Boolean(), False, "00"),
        (OctetString(), b"\xaa\xbb", "02aabb"),
        (OctetString(), bytes(130), "8182" + "00" * 130),
        (FixedOctets(3), b"abc", "616263"),
        (Mapped(Unsigned(1), lambda octet: octet * 2, lambda value: value // 2), 8, "04"),
        (Enumerated(DataAccessResult), DataAccessResult.OTHER_REASON, "fa"),
        (Optional(Unsigned(1)), None, "00"),
        (Optional(Unsigned(1)), 0, "0100"),
        (Default(Boolean(), True), True, "00"),
        (Default(Boolean(), True), False, "0100"),
        (SequenceOf(Unsigned(2)), (), "00"),
        (SequenceOf(Unsigned(2)), (1, 2), "0200010002"),
        (TWO_ARMS, b"a", "000161"),
        (TWO_ARMS, 3, "050003"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_octets_both_ways(wire: WireType, value: object, octets: str) -> None:
    assert sent(wire, value) == octets
    assert read(wire, octets) == value


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        (Unsigned(1), 256),
        (Unsigned(1), -1),
        (FixedOctets(3), b"ab"),
        (TWO_ARMS, "text"),
        (TWO_ARMS, True),
    ],
)
def test_what_does_not_fit_is_our_fault(wire: WireType, value: object) -> None:
    with pytest.raises(LocalProtocolError):
        sent(wire, value)


@pytest.mark.parametrize(
    ("wire", "octets", "offset", "says"),
    [
        (Optional(Unsigned(1)), "02", 0, "02 where only 00 (absent) or 01 (present)"),
        (Default(Boolean(), True), "FF", 0, "ff where only 00"),
        (TWO_ARMS, "01", 0, "01 where only 00 (bytes) or 05 (int) is legal"),
        (OctetString(), "0311", 2, "a string of 3 octets needs 2 more"),
        (FixedOctets(6), "0102", 2, "a string of 6 octets needs 4 more"),
        (SequenceOf(Unsigned(1)), "0401", 0, "4 items cannot stand in the 1 octets left"),
        (SequenceOf(Unsigned(1)), "84FFFFFFFF", 0, "4294967295 items"),
    ],
)
def test_what_is_illegal_is_their_fault(wire: WireType, octets: str, offset: int, says: str) -> None:
    codec, raw = wire.codec(), bytes.fromhex(octets)
    readings: list[Callable[[], object]] = [
        lambda: codec.decode(raw, 0),
        lambda: codec.trace(raw, 0, Span("field", 0)),
    ]
    for reading in readings:
        with pytest.raises(RemoteProtocolError) as caught:
            reading()
        assert says in caught.value.what
        assert caught.value.where.offset == offset


@given(st.lists(st.binary(max_size=5), max_size=5))
def test_a_trace_names_every_item(items: list[bytes]) -> None:
    wire = SequenceOf(OctetString())
    octets = bytes.fromhex(sent(wire, items))
    span = Span("list", 0)
    value, end = wire.codec().trace(octets, 0, span)
    assert value == tuple(items)
    assert end == len(octets)
    assert [(part.name, part.value) for part in span.children] == [
        (f"[{index}]", item) for index, item in enumerate(items)
    ]
    assert [part.start for part in span.children[1:]] == [part.end for part in span.children[:-1]]


def test_a_count_is_refused_before_anything_is_built() -> None:
    """The inner type is not even asked once."""
    asked: list[int] = []

    def ask(octet: int) -> int:
        asked.append(octet)
        return octet

    wire = SequenceOf(Mapped(Unsigned(1), ask, int))
    with pytest.raises(RemoteProtocolError):
        wire.codec().decode(b"\x83\xff\xff\xff" + bytes(1000), 0)
    assert asked == []
