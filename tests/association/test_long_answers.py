"""A long answer keeps its invoke id from its first block to its last, whatever else is asked for in between."""

import pytest
from tests.association.client_scripts import GET, associated, got

from meterwright.apdu import GetRequestNext, GetResponseWithDataBlock
from meterwright.association import Answered
from meterwright.errors import LocalProtocolError
from meterwright.exchange import CONFIRMED


def block(invoke_id: int, number: int, *, last: bool = False) -> bytes:
    """One block of a long answer."""
    return GetResponseWithDataBlock(CONFIRMED.with_id(invoke_id), last, number, b"\x0f").to_octets()


def test_nobody_else_gets_the_invoke_id_between_two_blocks() -> None:
    client = associated()
    long = client.request(GET, 10)
    client.receive(block(long, 1))
    others = {client.request(GET, 10) for _ in range(15)}
    assert long not in others
    following = GetRequestNext(CONFIRMED.with_id(long), 1)
    assert client.request(following, 10, continues=True) == long
    (event,) = client.receive(block(long, 2, last=True))
    assert isinstance(event, Answered)


def test_it_is_free_again_after_the_last_block() -> None:
    client = associated()
    long = client.request(GET, 10)
    client.receive(block(long, 1))
    client.request(GetRequestNext(CONFIRMED.with_id(long), 1), 10, continues=True)
    client.receive(block(long, 2, last=True))
    seen: set[int] = set()
    for _ in range(16):
        invoke_id = client.request(GET, 10)
        client.receive(got(invoke_id))
        seen.add(invoke_id)
    assert long in seen


def test_it_is_free_again_where_nobody_asks_for_the_next_block() -> None:
    client = associated()
    for _ in range(40):  # there are 16
        invoke_id = client.request(GET, 10)
        (event,) = client.receive(block(invoke_id, 1))
        assert isinstance(event, Answered)
        client.end_transfer(event.apdu)


def test_what_was_given_up_between_blocks_waits_for_its_late_answer() -> None:
    client = associated()
    long = client.request(GET, 10)
    (event,) = client.receive(block(long, 1))
    assert isinstance(event, Answered)
    client.request(GetRequestNext(CONFIRMED.with_id(long), 1), 10, continues=True)
    client.give_up(long)
    client.end_transfer(event.apdu)
    assert long not in {client.request(GET, 10) for _ in range(15)}


def test_open_requests_forbid_to_associate_anew() -> None:
    client = associated()
    client.request(GET, 10)
    with pytest.raises(LocalProtocolError, match="1 requests are open"):
        client.associate(deadline=20)
