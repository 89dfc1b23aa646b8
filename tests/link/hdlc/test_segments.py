"""Segments: whatever is cut is put together again, with the LLC header before the first alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.errors import RemoteProtocolError
from meterwright.link.hdlc import FrameKind, HdlcParameters, control
from meterwright.link.hdlc.segments import LLC_COMMAND, LLC_RESPONSE, Reassembly, split
from meterwright.link.hdlc.traffic import Traffic


@given(st.binary(max_size=600).filter(lambda apdu: apdu[:1] != b"\xe6"), st.integers(32, 300))
def test_round_trip(apdu: bytes, size: int) -> None:
    segments = split(LLC_RESPONSE, apdu, size)
    assert all(len(segment) == size for segment in segments[:-1])
    assert 0 < len(segments[-1]) <= size
    reassembly = Reassembly(600)
    for segment in segments[:-1]:
        assert reassembly.add(segment, last=False) is None
        assert reassembly.is_under_way
    assert reassembly.add(segments[-1], last=True) == apdu
    assert not reassembly.is_under_way


def test_the_cap_holds_to_the_octet() -> None:
    reassembly = Reassembly(100)
    assert reassembly.add(LLC_COMMAND + bytes(100), last=True) == bytes(100)
    with pytest.raises(RemoteProtocolError, match="grows beyond"):
        reassembly.add(LLC_COMMAND + bytes(101), last=True)
    assert reassembly.add(bytes(100), last=True) == bytes(100)


@given(
    st.integers(1, 7),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
    st.binary(min_size=50, max_size=50),
)
def test_traffic_over_a_line_that_loses_frames(window: int, sizes: list[int], dice: bytes) -> None:
    """One sends, the other takes: every turn loses some frames, acknowledges what came, and goes on from there."""
    apdus = [bytes((index + 1,)) * size for index, size in enumerate(sizes)]
    parameters = HdlcParameters(32, 32, window, window)
    sender = Traffic(parameters, LLC_COMMAND, 1000)
    receiver = Traffic(parameters, LLC_RESPONSE, 1000)
    for apdu in apdus:
        sender.queue(apdu)
    delivered: list[bytes] = []
    for turn in range(1000):
        if not sender.has_unacknowledged:
            break
        burst = sender.burst()
        assert len(burst) <= window
        assert [what.poll for what, _, _ in burst] == [False] * (len(burst) - 1) + [True]
        for what, information, segmented in burst:
            lost = turn < len(dice) and dice[turn] >> what.send_number & 1
            if lost or not receiver.is_awaited(what):
                continue
            whole = receiver.accept(information, segmented=segmented)
            delivered += [] if whole is None else [whole]
        answer = receiver.acknowledgement()
        assert answer == control(FrameKind.RR, receive=receiver.receive_number)
        assert sender.acknowledge(answer.receive_number) is not None
    assert delivered == apdus
    assert sender.acknowledge((sender.send_number + 1) % 8) is None
