"""Frames: the books' examples, every length, every control octet, every flipped bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.hdlc.line import flipped
from tests.link.hdlc.test_address import ADDRESSES

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.hdlc import (
    CONTROLS,
    LONGEST_FRAME,
    Control,
    Frame,
    FrameKind,
    HdlcAddress,
    HdlcFramer,
    control,
)
from meterwright.link.hdlc.crc import AFTER_CHECK, check_sequence
from meterwright.link.hdlc.frame import _encoded_header, _header

CLIENT = HdlcAddress.of_client(16)
SERVER = HdlcAddress.of_server(1)
AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400007e1f04b0")
UA_INFORMATION = bytes.fromhex("818014050200ef060200ef070400000001080400000001")

GOLDEN = {
    "7ea0070321930f017e": Frame(SERVER, CLIENT, control(FrameKind.SNRM)),
    "7ea00802232193bd647e": Frame(HdlcAddress.of_server(1, 17), CLIENT, control(FrameKind.SNRM)),
    "7ea00a000212a52193fa517e": Frame(HdlcAddress.of_server(1, 1234), CLIENT, control(FrameKind.SNRM)),
    "7ea0202103737398818014050200ef060200ef070400000001080400000001074b7e": Frame(
        CLIENT, SERVER, control(FrameKind.UA), UA_INFORMATION
    ),
    "7ea00703215303c77e": Frame(SERVER, CLIENT, control(FrameKind.DISC)),
    "7ea00721031f6be97e": Frame(CLIENT, SERVER, control(FrameKind.DM)),
    "7ea02b032110fbafe6e600601da109060760857405080101be10040e01000000065f1f0400007e1f04b0caea7e": Frame(
        SERVER, CLIENT, control(FrameKind.I), b"\xe6\xe6\x00" + AARQ
    ),
    "7ea00703213117877e": Frame(SERVER, CLIENT, control(FrameKind.RR, receive=1)),
}

frames = st.builds(
    Frame, ADDRESSES, ADDRESSES, st.sampled_from(CONTROLS), st.binary(max_size=300), st.booleans()
)


@pytest.mark.parametrize("octets", GOLDEN)
def test_the_frames_of_the_books(octets: str) -> None:
    frame = GOLDEN[octets]
    assert frame.to_octets().hex() == octets
    assert Frame.from_octets(bytes.fromhex(octets)[1:-1]) == frame
    assert HdlcFramer().receive(bytes.fromhex(octets)) == [frame]


@given(frames)
def test_round_trip(frame: Frame) -> None:
    octets = frame.to_octets()
    assert Frame.from_octets(octets[1:-1]) == frame
    assert octets[0] == octets[-1] == 0x7E
    assert int.from_bytes(octets[1:3], "big") & 0x7FF == len(octets) - 2


@pytest.mark.parametrize("server", [SERVER, HdlcAddress.of_server(1, 17), HdlcAddress.of_server(1, 1234)])
def test_every_length_of_information(server: HdlcAddress) -> None:
    """247..256 announced lengths that were 256 too small in another library; 2030 is the most that is negotiated."""
    payload = bytes(index * 7 & 0xFF for index in range(2031))
    for size in range(2031):
        frame = Frame(server, CLIENT, control(FrameKind.I), payload[:size])
        octets = frame.to_octets()
        assert int.from_bytes(octets[1:3], "big") == 0xA000 | len(octets) - 2
        assert HdlcFramer().receive(octets) == [frame]


def test_the_longest_frame_and_one_octet_more() -> None:
    room = LONGEST_FRAME - 9
    longest = Frame(SERVER, CLIENT, control(FrameKind.I), bytes(room))
    assert len(longest.to_octets()) == LONGEST_FRAME + 2
    assert HdlcFramer().receive(longest.to_octets()) == [longest]
    with pytest.raises(LocalProtocolError, match=f"{room + 1} octets do not fit"):
        Frame(SERVER, CLIENT, control(FrameKind.I), bytes(room + 1)).to_octets()


@pytest.mark.parametrize("octets", GOLDEN)
def test_every_flipped_bit_between_the_flags_is_refused(octets: str) -> None:
    whole = bytes.fromhex(octets)
    for bit in range(8 * (len(whole) - 2)):
        with pytest.raises(RemoteProtocolError):
            Frame.from_octets(flipped(whole[1:-1], bit))


def test_headers_are_remembered_as_they_were_and_broken_ones_not_at_all() -> None:
    good = Frame(SERVER, CLIENT, control(FrameKind.I, send=3), b"\x01\x02").to_octets()[1:-1]
    again = Frame.from_octets(good)
    remembered = _header.cache_info().currsize
    for bit in range(8 * 7):
        with pytest.raises(RemoteProtocolError):
            Frame.from_octets(flipped(good, bit))
    assert _header.cache_info().currsize == remembered
    assert Frame.from_octets(good) == again


def test_only_so_many_headers_are_remembered() -> None:
    for cache in (_header, _encoded_header):
        assert cache.cache_info().maxsize == 1024


def test_a_wrong_header_check_is_refused_even_under_a_right_frame_check() -> None:
    octets = bytes.fromhex("7ea02b032110fbaf")[1:-2] + b"\x00\x00"
    information = b"\xe6\xe6\x00" + AARQ
    wrong = octets + information
    wrong += check_sequence(wrong)
    with pytest.raises(RemoteProtocolError, match="header's check sequence"):
        Frame.from_octets(wrong)


def test_a_header_check_before_no_information_is_taken() -> None:
    header = bytes.fromhex("a009032131")
    header += check_sequence(header)
    octets = header + check_sequence(b"", AFTER_CHECK)
    assert Frame.from_octets(octets) == Frame(SERVER, CLIENT, control(FrameKind.RR, receive=1))


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        ("", 0),
        ("a00703219301", 0),
        ("50070321930f01", 0),
        ("a0080321930f01", 0),
        ("a009000003219300bb", 2),
        ("a00800000000930f", 2),
        ("a008022302239300", 8),
    ],
)
def test_what_is_no_frame_says_where(octets: str, offset: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Frame.from_octets(bytes.fromhex(octets))
    assert caught.value.where.offset == offset
    assert caught.value.where.layer == "hdlc"
    assert caught.value.hint


@given(st.binary(max_size=64))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    try:
        Frame.from_octets(octets)
    except RemoteProtocolError:
        return
    assert Frame.from_octets(octets).to_octets()


class TestControls:
    """The control octets, IEC 62056-46 table by table."""

    @pytest.mark.parametrize(
        ("octet", "kind", "poll"),
        [
            (0x93, FrameKind.SNRM, True),
            (0x83, FrameKind.SNRM, False),
            (0x53, FrameKind.DISC, True),
            (0x73, FrameKind.UA, True),
            (0x1F, FrameKind.DM, True),
            (0x97, FrameKind.FRMR, True),
            (0x13, FrameKind.UI, True),
            (0x03, FrameKind.UI, False),
        ],
    )
    def test_unnumbered(self, octet: int, kind: FrameKind, poll: bool) -> None:
        assert CONTROLS[octet] == Control(octet, kind, poll)
        assert control(kind, poll=poll) == CONTROLS[octet]

    def test_the_client_s_i_frames(self) -> None:
        octets = [control(FrameKind.I, send=number, receive=number).octet for number in range(8)]
        assert bytes(octets).hex() == "10325476" + "98badcfe"

    def test_receiver_ready(self) -> None:
        octets = [control(FrameKind.RR, receive=number).octet for number in range(8)]
        assert bytes(octets).hex() == "1131517191b1d1f1"
        assert [control(FrameKind.RNR, receive=number).octet for number in (0, 7)] == [0x15, 0xF5]

    def test_rej_and_srej_are_not_used(self) -> None:
        assert {CONTROLS[octet].kind for octet in (0x09, 0x19, 0x0D, 0xFD)} == {FrameKind.OTHER}

    def test_every_octet_means_one_thing(self) -> None:
        known = [each for each in CONTROLS if each.kind is not FrameKind.OTHER]
        assert len(known) == 128 + 2 * 16 + 2 * 6
        for each in known:
            made = control(each.kind, poll=each.poll, send=each.send_number, receive=each.receive_number)
            assert made is each

    @pytest.mark.parametrize(
        ("kind", "send", "receive"),
        [
            (FrameKind.SNRM, 1, 0),
            (FrameKind.RR, 1, 0),
            (FrameKind.I, 8, 0),
            (FrameKind.I, 0, -1),
            (FrameKind.OTHER, 0, 0),
        ],
    )
    def test_a_control_octet_that_cannot_be(self, kind: FrameKind, send: int, receive: int) -> None:
        with pytest.raises(LocalProtocolError, match="no control octet says"):
            control(kind, send=send, receive=receive)
