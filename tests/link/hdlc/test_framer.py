"""Any cut, any noise, any flag: the frames that are intact come out, and nothing else does."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.hdlc.line import flipped
from tests.link.hdlc.test_frame import CLIENT, GOLDEN, SERVER, frames

from meterwright.link.hdlc import Frame, FrameKind, HdlcAddress, HdlcFramer, control

RR = Frame(SERVER, CLIENT, control(FrameKind.RR, receive=1))
FULL_OF_FLAGS = Frame(SERVER, CLIENT, control(FrameKind.I), b"~" * 40 + b"~\xa0\x07" + b"~}~")


def in_pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    borders = sorted({cut % (len(octets) + 1) for cut in cuts} | {0, len(octets)})
    return [octets[start:end] for start, end in itertools.pairwise(borders)]


def all_frames(framer: HdlcFramer, pieces: list[bytes]) -> list[Frame]:
    return [frame for piece in pieces for frame in framer.receive(piece)]


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 5000), max_size=12), st.booleans())
def test_any_cut_with_one_flag_or_two_between(sent: list[Frame], cuts: list[int], shared: bool) -> None:
    octets = b"".join(frame.to_octets() for frame in sent)
    if shared:
        octets = b"~" + b"".join(frame.to_octets()[1:] for frame in sent)
    framer = HdlcFramer()
    assert all_frames(framer, in_pieces(octets, cuts)) == sent
    assert framer.dropped == framer.broken == 0
    assert not framer.is_mid_frame


def test_octet_by_octet_each_frame_comes_with_its_last() -> None:
    framer = HdlcFramer()
    for frame in [*GOLDEN.values(), FULL_OF_FLAGS]:
        octets = frame.to_octets()
        for octet in octets[:-1]:
            assert framer.receive(bytes((octet,))) == []
        assert framer.is_mid_frame
        assert framer.receive(octets[-1:]) == [frame]


@given(
    st.lists(st.tuples(st.binary(max_size=30), frames), max_size=4),
    st.lists(st.integers(0, 5000), max_size=12),
)
def test_any_noise_between(parts: list[tuple[bytes, Frame]], cuts: list[int]) -> None:
    octets = b"".join(noise + frame.to_octets() for noise, frame in parts)
    framer = HdlcFramer()
    found = all_frames(framer, in_pieces(octets, cuts)) + framer.abandon()
    assert found == [frame for _, frame in parts]


def test_noise_that_announces_a_long_frame_hides_no_frame_for_long() -> None:
    """What is announced is invented, but its header can be checked after at most a dozen octets."""
    for noise in (b"~\xa7\xff", b"~\xa7\xff\x03", b"~\xa7\xff\x03\x21\x10", b"~\xaf\xff~\xa7\xff~"):
        framer = HdlcFramer()
        found = framer.receive(noise + RR.to_octets() + RR.to_octets())
        assert found == [RR, RR]


def test_noise_in_quantity_with_frames_hidden_in_it() -> None:
    dice = random.Random(7)
    framer = HdlcFramer()
    found: list[Frame] = []
    for _ in range(200):
        noise = bytes(
            dice.choice((0x7E, 0xA0, 0xA7, 0x03, 0x21, dice.randrange(256)))
            for _ in range(dice.randrange(40))
        )
        found += framer.receive(noise + FULL_OF_FLAGS.to_octets())
    found += framer.abandon()
    assert found == [FULL_OF_FLAGS] * 200


@pytest.mark.parametrize(
    "frame", [*GOLDEN.values(), FULL_OF_FLAGS], ids=lambda frame: frame.to_octets().hex()[:30]
)
def test_every_flipped_bit_costs_its_frame_and_no_other(frame: Frame) -> None:
    octets = frame.to_octets()
    for bit in range(8 * len(octets)):
        framer = HdlcFramer()
        found = framer.receive(RR.to_octets() + flipped(octets, bit) + RR.to_octets()) + framer.abandon()
        assert found in ([RR, RR], [RR, frame, RR] if bit < 8 or bit >= 8 * len(octets) - 8 else [RR, RR])


@pytest.mark.parametrize("missing", range(1, 45))
def test_a_frame_that_lost_an_octet_does_not_block_what_follows(missing: int) -> None:
    """A reply with one octet of its check sequence missing has blocked another library for ever."""
    octets = next(iter(frame.to_octets() for frame in GOLDEN.values() if frame.control.kind is FrameKind.I))
    framer = HdlcFramer()
    assert framer.receive(octets[:missing] + octets[missing + 1 :]) == []
    found = framer.receive(octets)
    found += framer.receive(octets)
    assert found[-1] == GOLDEN[octets.hex()]
    assert len(found) >= 1


def test_7e_in_information_and_in_check_sequences() -> None:
    wanted = {"information": 0, "header": 0, "frame": 0}
    for number in range(3000):
        information = number.to_bytes(3, "big")
        octets = Frame(HdlcAddress(number % 120), CLIENT, control(FrameKind.I), information).to_octets()
        wanted["information"] += 0x7E in information
        wanted["header"] += 0x7E in octets[6:8]
        wanted["frame"] += 0x7E in octets[-3:-1]
        assert [frame.information for frame in HdlcFramer().receive(octets)] == [information]
    assert all(wanted.values())


def test_nothing_but_noise_holds_little() -> None:
    framer = HdlcFramer()
    for _ in range(300):
        assert framer.receive(b"\x55" * 1000) == []
        assert framer.receive(b"~\xa7\xff\x03\x21\x10") == []
        assert len(framer._buffer) <= 2049
    assert framer.dropped > 290_000


def test_the_most_that_is_held_is_one_frame() -> None:
    framer = HdlcFramer()
    octets = Frame(SERVER, CLIENT, control(FrameKind.I), bytes(2000)).to_octets()
    for octet in octets[:-1] + b"\x00" * 5000:
        framer.receive(bytes((octet,)))
        assert len(framer._buffer) <= 2049
    assert framer.receive(RR.to_octets()) == [RR]


def test_what_is_abandoned_gives_back_the_frames_inside() -> None:
    framer = HdlcFramer()
    begun = Frame(SERVER, CLIENT, control(FrameKind.I), bytes(500)).to_octets()[:20]
    assert framer.receive(begun + RR.to_octets()) == []
    assert framer.abandon() == [RR]
    assert not framer.is_mid_frame
    assert framer.receive(RR.to_octets()) == [RR]


def test_what_was_left_out_is_counted() -> None:
    framer = HdlcFramer()
    framer.receive(b"\x01\x02\x03" + flipped(RR.to_octets(), 60) + RR.to_octets())
    assert framer.dropped == 3 + 7
    assert framer.broken == 1


@pytest.mark.parametrize("bit", range(8 * len(RR.to_octets())))
def test_one_broken_frame_alone_is_counted_once_at_most(bit: int) -> None:
    framer = HdlcFramer()
    found = framer.receive(flipped(RR.to_octets(), bit)) + framer.abandon()
    assert found == []
    assert framer.broken == (bit == 11 or 24 <= bit < 64)  # else it has not even the form of a frame
    assert framer.receive(RR.to_octets()) == [RR]


class TestEcho:
    """A line that gives back what was sent."""

    def test_our_own_frame_is_dropped_once(self) -> None:
        framer = HdlcFramer()
        framer.expect_echo(RR.to_octets())
        assert framer.receive(RR.to_octets()) == []
        assert framer.receive(RR.to_octets()) == [RR]
        assert framer.echoes == 1

    def test_even_amid_other_octets(self) -> None:
        framer = HdlcFramer()
        framer.expect_echo(RR.to_octets())
        assert framer.receive(b"\x00" + RR.to_octets() + FULL_OF_FLAGS.to_octets()) == [FULL_OF_FLAGS]

    def test_an_echo_that_was_lost_takes_nothing_with_it(self) -> None:
        framer = HdlcFramer()
        framer.expect_echo(FULL_OF_FLAGS.to_octets())
        framer.expect_echo(RR.to_octets())
        assert framer.receive(RR.to_octets()) == []
        assert framer.receive(FULL_OF_FLAGS.to_octets()) == [FULL_OF_FLAGS]

    def test_a_line_that_does_not_echo_after_all(self) -> None:
        framer = HdlcFramer()
        framer.expect_echo(RR.to_octets())
        assert framer.receive(FULL_OF_FLAGS.to_octets()) == [FULL_OF_FLAGS]
        assert framer.receive(RR.to_octets()) == [RR]

    def test_no_end_of_echoes_is_remembered(self) -> None:
        framer = HdlcFramer()
        for _ in range(1000):
            framer.expect_echo(RR.to_octets())
        assert len(framer._expected) <= 16

    def test_another_line_knows_nothing_of_it(self) -> None:
        framer = HdlcFramer()
        framer.expect_echo(RR.to_octets())
        framer.receive(RR.to_octets()[:4])
        framer.forget()
        assert framer.receive(RR.to_octets()) == [RR]
