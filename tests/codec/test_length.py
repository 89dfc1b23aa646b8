"""Lengths: shortest when sent, any definite form when read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.codec import decode_length, encode_length, length_octets, truncated
from meterwright.errors import LocalProtocolError, RemoteProtocolError

SHORTEST = [
    (0, "00"),
    (1, "01"),
    (127, "7F"),
    (128, "8180"),
    (255, "81FF"),
    (256, "820100"),
    (65535, "82FFFF"),
    (65536, "83010000"),
    (0xFFFFFF, "83FFFFFF"),
    (0x1000000, "8401000000"),
    (0xFFFFFFFF, "84FFFFFFFF"),
]


@pytest.mark.parametrize(("length", "octets"), SHORTEST)
def test_the_shortest_form_is_sent_and_read(length: int, octets: str) -> None:
    out = bytearray()
    encode_length(length, out)
    assert out.hex().upper() == octets
    assert length_octets(length) == out
    assert decode_length(bytes(out), 0) == (length, len(out))


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 3), st.binary(max_size=3))
def test_any_longer_form_is_read(length: int, more: int, before: bytes) -> None:
    needed = max(1, (length.bit_length() + 7) // 8)
    size = min(4, needed + more)
    octets = before + bytes((0x80 | size,)) + length.to_bytes(size, "big") + b"\x00"
    assert decode_length(octets, len(before)) == (length, len(before) + 1 + size)


def test_five_octets_of_length_are_not_sent() -> None:
    with pytest.raises(LocalProtocolError, match="4294967296 cannot be coded"):
        encode_length(1 << 32, bytearray())


def test_no_length_is_negative() -> None:
    with pytest.raises(OverflowError):
        length_octets(-1)


@pytest.mark.parametrize("first", [0x80, *range(0x85, 0x100)])
def test_the_indefinite_form_and_more_than_four_octets_are_refused(first: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"{first:02x} is no length") as caught:
        decode_length(b"\x00" + bytes((first,)) + bytes(200), 1)
    assert caught.value.where.offset == 1


@pytest.mark.parametrize("octets", ["81", "8200", "83FFFF", "84000000"])
def test_a_length_that_ends_too_early_is_refused(octets: str) -> None:
    with pytest.raises(RemoteProtocolError, match="a length needs 1 more") as caught:
        decode_length(bytes.fromhex(octets), 0)
    assert caught.value.where.offset == len(octets) // 2


def test_truncated_names_what_is_missing_and_where() -> None:
    error = truncated(b"abc", 10, "name")
    assert "a name needs 7 more" in error.what
    assert error.where.offset == 3
