"""An HDLC line on which a meter pushes, with all that meters make of the standard, and nothing that a line does to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard, in_blocks

from meterwright.link import HdlcListener, Unsolicited
from meterwright.link.hdlc import CONTROLS, Frame, HdlcAddress
from meterwright.link.hdlc.listener import begins_a_push

LLC = b"\xe6\xe7\x00"

# From the documentation of consumer ports: Kaifa's list 1 (control 10, data tag before the date-time) and Aidon's.
KAIFA = bytes.fromhex(
    "7ea027010201105a87e6e7000f40000000090c07e5031702131a3aff8000000201060000" + "0bf35b057e"
)
AIDON = bytes.fromhex(
    "7ea02a41088313" + "0413e6e7000f40000000000101020309060100010700ff" + "0600001d3a02020f00161b16f97e"
)
DESTINATIONS = [HdlcAddress(0x20), HdlcAddress(0x67, 0x7F, 2), HdlcAddress(1, 17, 4)]


def frame(
    information: bytes, *, segmented: bool = False, control: int = 0x03, meter: int = 1, address: int = 0
) -> bytes:
    source, destination = HdlcAddress(meter, 1, 2), DESTINATIONS[address]
    return Frame(destination, source, CONTROLS[control], information, segmented).to_octets()


def segments(apdu: bytes, size: int, *, repeats_llc: bool) -> list[bytes]:
    parts = [apdu[start : start + size] for start in range(0, len(apdu), size)]
    heads = [LLC if number == 0 or repeats_llc else b"" for number in range(len(parts))]
    return [
        frame(head + part, segmented=number + 1 < len(parts), control=0x03)
        for number, (head, part) in enumerate(zip(heads, parts, strict=True))
    ]


@pytest.mark.parametrize("octets", [KAIFA, AIDON])
def test_frames_of_consumer_ports(octets: bytes) -> None:
    (event,) = HdlcListener().receive(octets, 0.0)
    assert event.apdu[:5].hex() == "0f40000000"


@pytest.mark.parametrize("control", [0x03, 0x13, 0x10, 0x00])
@pytest.mark.parametrize("address", [0, 1, 2])
def test_controls_and_addresses_that_meters_use(control: int, address: int) -> None:
    assert HdlcListener().receive(frame(LLC + PUSH, control=control, address=address), 0.0) == [
        Unsolicited(PUSH, 1, DESTINATIONS[address].upper)
    ]


@pytest.mark.parametrize("control", [0x93, 0x73, 0x11, 0x32, 0x30, 0x53, 0x1F])
def test_frames_of_a_connection_are_passed_over(control: int) -> None:
    listener = HdlcListener()
    assert heard(listener, frame(LLC + PUSH, control=control)) == []
    assert listener.passed_over == 1


@pytest.mark.parametrize("repeats_llc", [False, True])
@pytest.mark.parametrize("size", [5, 16, 30])
def test_segments_with_the_llc_header_once_or_every_time(size: int, repeats_llc: bool) -> None:
    listener = HdlcListener()
    assert heard(listener, *segments(PUSH, size, repeats_llc=repeats_llc)) == [PUSH]
    assert listener.missed == 0


def test_flags_may_be_shared() -> None:
    octets = b"".join(each[:-1] for each in segments(PUSH, 16, repeats_llc=False)) + b"~"
    assert heard(HdlcListener(), octets) == [PUSH]


def test_blocks_with_the_llc_header_before_the_first_only() -> None:
    first, *others = in_blocks(PUSH, 20)
    assert heard(HdlcListener(), frame(LLC + first), *(frame(each) for each in others)) == [PUSH]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_segment_costs_that_push_alone(lost: int) -> None:
    """Which has no end where the last is lost; where one in the midst is, what comes out is not the push."""
    pieces = segments(PUSH, 16, repeats_llc=False)
    listener = HdlcListener()
    kept = [each for number, each in enumerate(pieces) if number != lost]
    assert PUSH not in heard(listener, *kept)
    assert heard(listener, *pieces, now=10.0)[-1:] == [PUSH]


def test_a_push_that_begins_anew_ends_the_one_before() -> None:
    first, *_ = segments(PUSH, 16, repeats_llc=False)
    listener = HdlcListener()
    assert heard(listener, first, frame(LLC + PUSH)) == [PUSH]
    assert listener.missed == 1


def test_somebody_else_in_between_ends_it_too() -> None:
    first, second, third = segments(PUSH, 16, repeats_llc=False)
    listener = HdlcListener()
    assert heard(listener, first, frame(LLC + PUSH, meter=2), second, third)[0] == PUSH
    assert listener.missed == 1


def test_silence_ends_what_was_under_way() -> None:
    first, second, third = segments(PUSH, 16, repeats_llc=False)
    listener = HdlcListener(pause=1.0)
    assert heard(listener, first, second, now=0.0) == []
    assert PUSH not in heard(listener, third, now=2.0)
    assert heard(listener, third[:10], now=10.0) == []
    assert heard(listener, AIDON, now=20.0) != []


def test_a_push_may_pause_for_three_seconds_in_its_midst() -> None:
    """As those of an E450 do (esphome/esphome pull 16942), between segments and within one frame."""
    first, second, third = segments(PUSH, 16, repeats_llc=False)
    listener = HdlcListener()
    pieces = [first, second[:9], second[9:], third]
    found = [each for number, piece in enumerate(pieces) for each in heard(listener, piece, now=3.0 * number)]
    assert found == [PUSH]


def test_a_push_without_end_is_given_up() -> None:
    listener = HdlcListener(longest_apdu=1000)
    endless = frame(bytes(100), segmented=True)
    assert heard(listener, *[endless] * 200) == []
    assert listener.missed
    assert heard(listener, frame(LLC + PUSH), now=10.0) == [PUSH]


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_noise_between_pushes(noises: list[bytes]) -> None:
    listener = HdlcListener()
    octets = b"".join(noise + frame(LLC + PUSH) for noise in noises) + frame(LLC + PUSH)
    found = heard(listener, octets) + heard(listener, frame(LLC + PUSH), now=10.0)
    assert found.count(PUSH) == len(noises) + 2


@given(st.binary(max_size=200), st.integers(0, 255), st.booleans())
def test_any_information_is_harmless(information: bytes, control: int, segmented: bool) -> None:
    listener = HdlcListener()
    listener.receive(frame(information, control=control, segmented=segmented), 0.0)
    listener.receive(frame(LLC + information, control=control, segmented=segmented), 0.5)


def test_only_what_a_push_begins_with_begins_one() -> None:
    assert begins_a_push(LLC + PUSH)
    assert not begins_a_push(LLC)
    assert not begins_a_push(LLC + b"\x00")
    assert not begins_a_push(PUSH)
