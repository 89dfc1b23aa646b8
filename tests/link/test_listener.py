"""Pushes in blocks that nobody acknowledges: put together in order, bounded, and a gap costs that push alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.link.pushes import PUSH, heard, in_blocks

from meterwright.link import BlockJoiner, PlcListener
from meterwright.link.plc import LlcFrame


@given(st.binary(min_size=1, max_size=400), st.integers(1, 120))
def test_blocks_of_any_size_are_put_together(apdu: bytes, size: int) -> None:
    joiner = BlockJoiner()
    answers = [joiner.add(block) for block in in_blocks(apdu, size)]
    assert answers[-1] == apdu
    assert answers[:-1] == [None] * (len(answers) - 1)
    assert joiner.missed == 0


def test_what_is_no_block_comes_as_it_is() -> None:
    assert BlockJoiner().add(PUSH) == PUSH
    assert BlockJoiner().add(b"\xe0") == b"\xe0"


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_block_costs_that_push_alone(lost: int) -> None:
    joiner = BlockJoiner()
    blocks = in_blocks(PUSH, 15)
    assert len(blocks) == 3
    kept = [block for number, block in enumerate(blocks) if number != lost]
    assert [joiner.add(block) for block in kept] == [None, None]
    assert [joiner.add(block) for block in blocks][-1] == PUSH
    assert joiner.missed >= 1


def test_a_block_twice_or_out_of_order_completes_nothing() -> None:
    first, second, third = in_blocks(PUSH, 15)
    for order in (
        [first, first, third],
        [first, second, second, third],
        [second, first, third],
        [first, third],
    ):
        joiner = BlockJoiner()
        assert [joiner.add(block) for block in order] == [None] * len(order)


def test_a_plain_push_ends_what_was_under_way() -> None:
    joiner = BlockJoiner()
    first, second, *_ = in_blocks(PUSH, 15)
    assert [joiner.add(each) for each in (first, PUSH, second)] == [None, PUSH, None]
    assert joiner.missed == 2


def test_endless_blocks_are_given_up() -> None:
    joiner = BlockJoiner(longest=1000)
    blocks = in_blocks(bytes(5000), 100)
    assert not any(joiner.add(block) for block in blocks)
    assert joiner.missed
    assert not joiner.is_under_way


def test_blocks_of_many_senders_are_kept_apart_and_counted() -> None:
    listener = PlcListener()
    blocks = in_blocks(PUSH, 15)
    frames = [LlcFrame(sender, 0, block).to_octets() for block in blocks for sender in range(1, 9)]
    assert heard(listener, *frames) == [PUSH] * 8
    flood = [LlcFrame(sender, 0, blocks[0]).to_octets() for sender in range(1, 200)]
    assert heard(listener, *flood) == []
    assert listener.missed >= 199 - 32
