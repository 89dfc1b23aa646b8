"""Wireless M-Bus: check sequences, both formats, what stands before an APDU, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard, in_blocks

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link import Telegram, WmbusListener
from meterwright.link.mbus import Segment
from meterwright.link.wmbus import FrameFormat, check_sequence, dlms_segment

ADDRESS = bytes.fromhex("785634120107")
LAPI = bytes.fromhex("0117")
telegrams = st.builds(
    Telegram,
    st.integers(0, 255),
    st.text("ABCXYZ", min_size=3, max_size=3),
    st.binary(min_size=6, max_size=6),
    st.binary(min_size=1, max_size=240),
)
formats = st.sampled_from([FrameFormat.A, FrameFormat.B])


def telegram(information: bytes, frame_format: FrameFormat = FrameFormat.A, number: int = 0) -> bytes:
    address = bytes((number,)) + ADDRESS[1:]
    return Telegram(0x44, "MWS", address, information).to_octets(frame_format)


def test_the_check_value_of_the_catalogue() -> None:
    """CRC-16/EN-13757 over the digits 1 to 9."""
    assert check_sequence(b"123456789").hex() == "c2b7"


@pytest.mark.parametrize(
    ("octets", "frame_format", "information"),
    [
        ("0f44ae0c7856341201074447780b134365871e6d", FrameFormat.A, "780b13436587"),
        ("1444ae0c7856341201078c2027780b134365877ac5", FrameFormat.B, "8c2027780b13436587"),
    ],
)
def test_the_examples_of_the_standard(octets: str, frame_format: FrameFormat, information: str) -> None:
    """EN 13757-4, the annex with examples: a gas meter of the maker CEN, in both frame formats."""
    telegram = Telegram(0x44, "CEN", ADDRESS, bytes.fromhex(information))
    assert Telegram.from_octets(bytes.fromhex(octets)) == telegram
    assert telegram.to_octets(frame_format).hex() == octets
    assert (telegram.identification, telegram.version, telegram.medium) == ("12345678", 1, 7)


@given(telegrams, formats)
def test_any_telegram_comes_back(sent: Telegram, frame_format: FrameFormat) -> None:
    assert Telegram.from_octets(sent.to_octets(frame_format)) == sent


@pytest.mark.parametrize("size", [1, 15, 16, 17, 100, 114, 115, 116, 117, 118, 119, 160, 240])
def test_sizes_around_the_borders_of_blocks(size: int) -> None:
    sent = Telegram(0x44, "MWS", ADDRESS, bytes(range(size)))
    for frame_format in (FrameFormat.A, FrameFormat.B):
        octets = sent.to_octets(frame_format)
        assert Telegram.from_octets(octets) == sent
        counted = len(octets) - 1 if frame_format is FrameFormat.B else 9 + size
        assert octets[0] == counted


def test_a_receiver_may_have_taken_the_check_sequences_away() -> None:
    sent = Telegram(0x44, "MWS", ADDRESS, b"\x10\x01\x67" + PUSH)
    came = Telegram.from_octets(sent.to_octets(FrameFormat.STRIPPED))
    assert not came.checked
    assert came.information == sent.information


@given(telegrams, formats, st.integers(0, 400), st.integers(0, 7))
def test_no_flipped_bit_passes_for_checked(
    sent: Telegram, frame_format: FrameFormat, at: int, bit: int
) -> None:
    octets = bytearray(sent.to_octets(frame_format))
    octets[at % len(octets)] ^= 1 << bit
    try:
        came = Telegram.from_octets(bytes(octets))
    except RemoteProtocolError:
        return
    assert not came.checked


@given(st.binary(max_size=300))
def test_any_octets_are_harmless(octets: bytes) -> None:
    listener = WmbusListener()
    listener.receive(octets, 0.0)
    listener.receive(telegram(octets[:240]), 0.0)


@pytest.mark.parametrize("frame_format", list(FrameFormat))
@pytest.mark.parametrize(
    "head",
    [
        "100167",  # DLMS transport layer, the only segment
        "7d00000000",  # COSEM data, short transport header
        "7d000000000167",  # the same, and SAPs behind it
        "7c785634122f5d010700000000",  # long transport header
        "8c2000100167",  # behind an extended link layer
        "8e20002f5d785634120107100167",
    ],
)
def test_what_may_stand_before_an_apdu(head: str, frame_format: FrameFormat) -> None:
    assert heard(WmbusListener(), telegram(bytes.fromhex(head) + PUSH, frame_format)) == [PUSH]


def test_an_extended_link_layer_with_its_check_sequence() -> None:
    content = b"\x10\x01\x67" + PUSH
    check = check_sequence(content)[::-1]
    plain = b"\x8d\x20\x00" + bytes(4) + check + content
    assert dlms_segment(plain).octets == PUSH
    with pytest.raises(RemoteProtocolError, match="check sequence of the extended link layer"):
        dlms_segment(plain[:-1] + b"\x00")
    with pytest.raises(RemoteProtocolError, match="encrypted by the extended link layer"):
        dlms_segment(b"\x8d\x20\x00" + bytes((0, 0, 0, 0x20)) + check + content)


@pytest.mark.parametrize(
    ("information", "said"),
    [
        ("", "nothing follows"),
        ("7800", "CI 78 is none"),
        ("90", "CI 90 is none"),
        ("10", "no APDU"),
        ("100167", "no APDU"),
        ("7d0000", "ends within"),
        ("7d00000005" + "00", "mode 5"),
        ("8c20", "ends within its extended"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_reason(information: str, said: str) -> None:
    with pytest.raises(RemoteProtocolError, match=said):
        dlms_segment(bytes.fromhex(information))


def test_segments_of_several_meters_at_once() -> None:
    parts = [PUSH[:20], PUSH[20:]]
    segments = [Segment(n, n == 1, 1, 0x67, part).to_octets() for n, part in enumerate(parts)]
    listener = WmbusListener()
    mixed = [telegram(segment, number=meter) for segment in segments for meter in range(6)]
    assert heard(listener, *mixed) == [PUSH] * 6
    assert listener.missed == 0
    flood = [telegram(segments[0], number=meter) for meter in range(200)]
    assert heard(listener, *flood) == []
    assert listener.missed == 200 - 32
    assert len(listener._segments) == 32


def test_blocks() -> None:
    octets = [telegram(b"\x10\x01\x67" + block) for block in in_blocks(PUSH, 20)]
    assert heard(WmbusListener(), *octets) == [PUSH]


def test_counts() -> None:
    listener = WmbusListener()
    assert heard(listener, b"", b"\x10\x44", telegram(b"\x78\x00"), telegram(b"\x10\x01\x67" + PUSH)) == [
        PUSH
    ]
    assert (listener.broken, listener.passed_over) == (2, 1)


def test_what_can_not_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="capitals"):
        Telegram(0x44, "mw", ADDRESS, b"x").to_octets()
    with pytest.raises(LocalProtocolError, match="do not fit"):
        Telegram(0x44, "MWS", ADDRESS, bytes(250)).to_octets()
