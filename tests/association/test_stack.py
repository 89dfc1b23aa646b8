"""The client's stack: link and association joined."""

import pytest
from tests.association.client_scripts import GET, aare, got

from meterwright.association import Answered, Associated, AssociationEnded, ClientStack, RequestFailed, State
from meterwright.errors import ConnectionLost, RemoteProtocolError
from meterwright.link import WrapperFrame, WrapperLink


def new_stack() -> ClientStack:
    return ClientStack(WrapperLink(client_sap=16, server_sap=1))


def associated() -> ClientStack:
    stack = new_stack()
    stack.open(0, 5)
    stack.data_to_send()
    stack.receive(WrapperFrame(1, 16, aare()).to_octets(), 0)
    return stack


def test_octets_go_down_and_come_up() -> None:
    stack = new_stack()
    stack.open(0, 5)
    assert stack.deadline == 5
    assert stack.data_to_send().startswith(bytes.fromhex("0001 0010 0001"))
    assert stack.data_to_send() == b""
    (event,) = stack.receive(WrapperFrame(1, 16, aare()).to_octets(), 0)
    assert isinstance(event, Associated)


def test_several_requests_leave_as_several_frames() -> None:
    stack = associated()
    stack.request(GET, 0, 1)
    stack.request(GET, 0, 1)
    size = len(GET.to_octets())
    assert len(stack.data_to_send()) == 2 * (8 + size)


def test_answers_may_come_in_pieces_or_together() -> None:
    stack = associated()
    ids = [stack.request(GET, 0, 1) for _ in range(2)]
    octets = b"".join(WrapperFrame(1, 16, got(each)).to_octets() for each in ids)
    assert stack.receive(octets[:5], 0) == []
    events = stack.receive(octets[5:], 0)
    assert [event.invoke_id for event in events if isinstance(event, Answered)] == ids


@pytest.mark.parametrize(("source", "destination"), [(1, 17), (2, 16), (16, 1)])
def test_frames_for_others_are_passed_over(source: int, destination: int) -> None:
    stack = associated()
    invoke_id = stack.request(GET, 0, 1)
    assert stack.receive(WrapperFrame(source, destination, got(invoke_id)).to_octets(), 0) == []
    assert stack.receive(WrapperFrame(source, destination, b"\xaa").to_octets(), 0) == []
    assert stack.association.state is State.ASSOCIATED


def test_a_stream_that_is_no_wrapper_is_an_error() -> None:
    (event,) = associated().receive(b"HTTP/1.1 400 Bad Request", 0)
    assert isinstance(event, AssociationEnded)
    assert isinstance(event.error, RemoteProtocolError)
    assert "no wrapper header" in event.error.what


def test_time_passes_down() -> None:
    stack = associated()
    invoke_id = stack.request(GET, 0, 3)
    (event,) = stack.tick(3)
    assert isinstance(event, RequestFailed)
    assert event.invoke_id == invoke_id


def test_after_a_lost_link_half_a_frame_is_forgotten() -> None:
    stack = associated()
    stack.receive(b"\x00\x01\x00", 0)
    error = ConnectionLost("cut")
    assert stack.lost(error) == [AssociationEnded(error)]
    stack.open(0, 5)
    (event,) = stack.receive(WrapperFrame(1, 16, aare()).to_octets(), 0)
    assert isinstance(event, Associated)
