"""Hex in whatever dress, and raw octets."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.diagnose import read_octets
from meterwright.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "c701c10a",
        "C701C10A",
        "C7 01 C1 0A",
        " c7:01:c1:0a\n",
        "c7-01-c1-0a",
        "c7, 01, c1, 0a,",
        "0xc7 0x01 0xC1 0X0a",
        "0xC7,0x1,0xc1,0xA",
        "0xc701c10a",
        r"\xc7\x01\xc1\x0a",
        '"c701c10a"',
        "[0xc7, 0x01, 0xc1, 0x0a]",
        "{c7|01|c1|0a}",
        "c701\nc10a\n",
        "c701c\n10a",
    ],
)
def test_hex_in_any_dress(text: str) -> None:
    assert read_octets(text) == bytes.fromhex("c701c10a")
    assert read_octets(text.encode("ascii")) == bytes.fromhex("c701c10a")


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "0x", "::", "hello", "c701 is it", "c70", "c7 1 c1 0", "c7 1", "ç7 01"]
)
def test_text_that_is_no_hex_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_octets(text)
    assert "hex" in refused.value.what
    assert refused.value.hint


def test_raw_octets_are_taken_as_they_are() -> None:
    assert read_octets(b"\xc7\x01\xc1\x00\x00") == b"\xc7\x01\xc1\x00\x00"
    assert read_octets(b"/KFM5") == b"/KFM5"
    assert read_octets(b"") == b""


@given(st.binary(min_size=1), st.sampled_from(["", " ", ":", "-", ", ", "\n"]))
def test_hex_round_trip(octets: bytes, separator: str) -> None:
    assert read_octets(separator.join(f"{octet:02x}" for octet in octets)) == octets


@given(st.binary())
def test_octets_are_never_refused(octets: bytes) -> None:
    assert isinstance(read_octets(octets), bytes)


@given(st.text())
def test_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert read_octets(text)
