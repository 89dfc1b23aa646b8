"""Bit strings, checked against the plain way: a list of truth values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import BitString

bit_lists = st.lists(st.booleans(), max_size=100)


@st.composite
def received(draw: st.DrawFn) -> BitString:
    """A bit string as a meter may send it, its padding anything."""
    octets = draw(st.binary(max_size=20))
    unused = draw(st.integers(0, 7)) if octets else 0
    return BitString(octets, len(octets) * 8 - unused)


def test_bit_0_is_the_most_significant_of_the_first_octet() -> None:
    bits = BitString(b"\x80\x40", 10)
    assert bits[0]
    assert not bits[1]
    assert bits[9]
    assert bits[-1]
    assert bits.to_text() == "1000000001"


@given(bit_lists)
def test_bits_round_trip(bits: list[bool]) -> None:
    string = BitString.from_bits(bits)
    assert string.to_bits() == tuple(bits)
    assert len(string) == len(bits)
    assert bool(string) == bool(bits)
    assert BitString.from_text(string.to_text()) == string
    assert [string[index] for index in range(len(bits))] == bits
    assert [string[index - len(bits)] for index in range(len(bits))] == bits


@given(received())
def test_counting_and_searching_agree_with_the_plain_way(string: BitString) -> None:
    bits = list(string)
    assert len(bits) == string.length
    assert string.count() == sum(bits)
    assert list(string.zeros()) == [index for index, bit in enumerate(bits) if not bit]
    assert string.first_zero() == (bits.index(False) if False in bits else None)
    assert string.to_text() == "".join("01"[bit] for bit in bits)


@given(received())
def test_padding_is_kept(string: BitString) -> None:
    assert BitString(string.octets, string.length) == string
    assert string.octets == BitString(string.octets, string.length).octets


def test_padding_neither_counts_nor_is_searched_but_makes_a_difference() -> None:
    assert BitString(b"\xff", 4).count() == 4
    assert BitString(b"\xf0", 4).first_zero() is None
    assert BitString(b"\xff", 4) != BitString(b"\xf0", 4)
    assert BitString(b"\xff", 4).to_bits() == BitString(b"\xf0", 4).to_bits()


def test_the_empty_one() -> None:
    empty = BitString.from_bits([])
    assert (empty.octets, empty.length, empty.count(), empty.first_zero()) == (b"", 0, 0, None)
    assert empty.to_text() == ""
    assert repr(empty) == "BitString.from_text('')"


def test_the_map_of_a_big_image_is_quick_and_prints_short() -> None:
    blocks = 1_000_000
    full = BitString(b"\xff" * (blocks // 8), blocks)
    assert full.first_zero() is None
    assert full.count() == blocks
    gap = BitString(b"\xff" * (blocks // 8 - 1) + b"\xfe", blocks)
    assert list(gap.zeros()) == [blocks - 1]
    assert repr(gap) == "<BitString of 1000000 bits, 999999 of them 1>"
    assert BitString.from_text(gap.to_text()) == gap


def test_short_ones_print_whole() -> None:
    assert repr(BitString.from_text("0101")) == "BitString.from_text('0101')"
    assert len(repr(BitString.from_text("1" * 64))) < 100
    assert len(repr(BitString.from_text("1" * 65))) < 100


@pytest.mark.parametrize(
    ("octets", "length"), [(b"", 1), (b"\x00", 9), (b"\x00", 0), (b"\x00\x00", 8), (b"", -1)]
)
def test_a_length_that_does_not_fit_is_refused(octets: bytes, length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} bits do not take {len(octets)} octets"):
        BitString(octets, length)


@pytest.mark.parametrize("index", [4, -5, 1000])
def test_an_index_outside_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match=f"bit {index} of a bit string of 4"):
        BitString.from_text("0101")[index]


@pytest.mark.parametrize("text", ["012", "0b1", " 01", "0_1", "١"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="0 and 1 only"):
        BitString.from_text(text)
