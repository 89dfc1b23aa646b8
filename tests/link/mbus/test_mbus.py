"""Wired M-Bus: golden frames, every way a line breaks them, and segments put together."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard, in_blocks

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link import LongFrame, MbusFramer, MbusListener, Unsolicited
from meterwright.link.mbus import Segment
from meterwright.link.mbus.frame import LONGEST_FRAME
from meterwright.security import Ciphers, Keys, Secret, unprotect

# The example that TINETZ, a network operator in Austria, gives out for its customer interface; the key is 10 11 … 1f.
TINETZ = bytes.fromhex(
    "68fafa6853ff000167db084b464d10100000238201092100295b9aefc1546e644a2c9e32edd42cbd0f1b945b194d086885c4d8df86dd52cb5b44"
    "8854a6d548d5d270739b2a169d05b013f9015070089d3c5fa45ca05e92309a645cc83d7da40fbc8f4cf9c225afa69a25ff0b2ac9c2744550aba5"
    "3ce9143fd10b0ad85fd30bd6b6dffee65f8204dc9c5067ca73b62e299a39d50aa730b2b9ae3836bc2f3490fb41be5b6f930d84952976369dd7da"
    "bbb5a4354aeca1d2486cff2eb0c6206380ba501d122af75d716d3092c3960506a15e06fab0ee5b7dfa3c2cdf0cafd051b88e44b8b9fb8865f20c"
    "b89d1143cdc7efeb07fb4c4898e764e9e3a32ddc3d1f0f16"
    "6826266853ff110167b46961ce962b2c78050c96598c7e4d26658043f9cbca78189bd01b139f8ae0f7391116"
)
frames = st.builds(LongFrame, st.integers(0, 255), st.integers(0, 255), st.binary(min_size=1, max_size=256))


def of_segments(apdu: bytes, size: int) -> list[bytes]:
    """The frames that carry an APDU, so many octets in each."""
    parts = [apdu[start : start + size] for start in range(0, len(apdu), size)]
    return [
        LongFrame(
            0x53, 0xFF, Segment(number, number + 1 == len(parts), 1, 0x67, part).to_octets()
        ).to_octets()
        for number, part in enumerate(parts)
    ]


def test_the_operators_example_is_read_and_opened() -> None:
    (event,) = MbusListener().receive(TINETZ, 0.0)
    assert isinstance(event, Unsolicited)
    assert (event.source, event.destination) == (1, 0x67)
    assert event.apdu[:11].hex() == "db084b464d1010000023" + "82"
    keys = Keys(global_unicast=Secret(bytes(range(0x10, 0x20))))
    opened = unprotect(event.apdu, Ciphers(keys), None)
    assert opened.apdu.startswith(bytes.fromhex("0f0029b2dc0c07e50713010f2e2300ff8880020c0906"))


def test_its_frames_are_written_as_they_came() -> None:
    both = MbusFramer().receive(TINETZ)
    assert b"".join(frame.to_octets() for frame in both) == TINETZ
    segments = [frame.segment for frame in both]
    assert [(each.number, each.last) for each in segments if each] == [(0, False), (1, True)]


@given(frames)
def test_any_frame_comes_back(frame: LongFrame) -> None:
    assert LongFrame.from_octets(frame.to_octets()) == frame


def test_a_length_that_does_not_fit_its_octet_is_read_as_meant() -> None:
    frame = LongFrame(0x53, 0xFF, bytes.fromhex("000167") + bytes(252))
    octets = frame.to_octets()
    assert octets[:4].hex() == "68010168"
    assert len(octets) == 263
    assert MbusFramer().receive(octets) == [frame]
    with pytest.raises(LocalProtocolError, match="do not fit"):
        LongFrame(0x53, 0xFF, bytes(257)).to_octets()
    with pytest.raises(LocalProtocolError, match="do not fit"):
        LongFrame(0x53, 0xFF, b"").to_octets()


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 20, 254, 255])
def test_a_flipped_bit_anywhere_breaks_the_frame(at: int) -> None:
    octets = bytearray(TINETZ[:256])
    octets[at] ^= 0x04
    with pytest.raises(RemoteProtocolError):
        LongFrame.from_octets(bytes(octets))


@given(st.lists(frames, max_size=4), st.lists(st.integers(0, 1200), max_size=8))
def test_any_cut(sent: list[LongFrame], cuts: list[int]) -> None:
    octets = b"".join(frame.to_octets() for frame in sent)
    borders = sorted({cut % (len(octets) + 1) for cut in cuts} | {0, len(octets)})
    framer = MbusFramer()
    found = [
        frame for start, end in itertools.pairwise(borders) for frame in framer.receive(octets[start:end])
    ]
    assert found == sent
    assert framer.dropped == framer.broken == 0


@given(st.lists(st.tuples(st.binary(max_size=20), frames), max_size=3))
def test_noise_before_a_frame_hides_it_until_the_line_is_silent_at_most(
    parts: list[tuple[bytes, LongFrame]],
) -> None:
    """Noise may look like the beginning of a frame that takes the next in; what is intact in it is found."""
    framer = MbusFramer()
    octets = b"".join(noise + frame.to_octets() for noise, frame in parts)
    found = framer.receive(octets) + framer.abandon()
    sent = [frame for _, frame in parts]
    assert [frame for frame in found if frame in sent] == sent


def test_a_truncated_frame_costs_itself_alone() -> None:
    for size in range(1, 250, 7):
        listener = MbusListener()
        assert heard(listener, TINETZ[:size]) == []
        events = listener.receive(TINETZ, 10.0)
        assert len(events) == 1, size


@given(st.binary(max_size=600))
def test_any_octets_are_harmless(octets: bytes) -> None:
    listener = MbusListener()
    listener.receive(octets, 0.0)
    listener.receive(octets, 10.0)


def test_nothing_grows_in_a_flood() -> None:
    framer = MbusFramer()
    for noise in (b"\x68", b"\x68\xff\xff\x68", b"\x00", b"\x16\x68"):
        for _ in range(300):
            framer.receive(noise * 20)
            assert len(framer._buffer) <= LONGEST_FRAME


@pytest.mark.parametrize("size", [3, 17, len(PUSH)])
def test_segments_of_any_size_are_put_together(size: int) -> None:
    assert heard(MbusListener(), *of_segments(PUSH, size)) == [PUSH]


def test_a_lost_segment_costs_that_push_alone() -> None:
    segments = of_segments(PUSH, 10)
    for lost in range(len(segments)):
        listener = MbusListener()
        kept = [each for number, each in enumerate(segments) if number != lost]
        assert heard(listener, *kept) == []
        assert heard(listener, *segments) == [PUSH]
        assert listener.missed >= 1


def test_no_push_has_more_than_sixteen_segments() -> None:
    with pytest.raises(LocalProtocolError, match="0 to 15"):
        of_segments(PUSH * 2, 1)
    listener = MbusListener()
    middle = LongFrame(0x53, 0xFF, Segment(15, False, 1, 0x67, b"x").to_octets()).to_octets()
    first = [
        LongFrame(0x53, 0xFF, Segment(n, False, 1, 0x67, b"x").to_octets()).to_octets() for n in range(15)
    ]
    assert heard(listener, *first, *[middle] * 50) == []
    assert listener.missed


def test_blocks_in_segments() -> None:
    octets = [frame for block in in_blocks(PUSH, 20) for frame in of_segments(block, 12)]
    assert heard(MbusListener(), *octets) == [PUSH]


def test_what_is_no_dlms_is_passed_over() -> None:
    listener = MbusListener()
    assert heard(listener, LongFrame(0x08, 1, bytes.fromhex("7212345678")).to_octets(), b"\xe5") == []
    assert listener.passed_over == 1
