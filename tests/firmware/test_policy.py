"""How patient an update is: the pauses between polls, and the turns they make."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.firmware import Activation, Patience, UpdatePolicy
from meterwright.firmware.policy import PollTimes
from meterwright.firmware.run import turns
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.values import Obis


def test_pauses_grow_up_to_the_longest() -> None:
    assert list(itertools.islice(PollTimes(0.5, 2.0), 6)) == [0.5, 0.75, 1.125, 1.6875, 2.0, 2.0]


@given(st.floats(0.001, 10), st.floats(10, 1000))
def test_pauses_never_shrink_and_never_exceed_the_longest(first: float, longest: float) -> None:
    pauses = list(itertools.islice(PollTimes(first, longest), 60))
    assert pauses[0] == first
    assert pauses == sorted(pauses)
    assert max(pauses) <= longest
    assert pauses[-1] == longest


def test_each_poll_begins_anew() -> None:
    patience = Patience()
    first, second = patience.polls(), patience.polls()
    next(first)
    assert next(second) == patience.poll_first


def moments(patience: Patience, within: float) -> list[float]:
    """When the turns of a poll came."""

    async def play() -> list[float]:
        return [virtual_now() async for _ in turns(patience, within)]

    return run_in_virtual_time(play())


def test_turns_come_at_once_then_with_growing_pauses_and_the_last_at_the_end() -> None:
    at = moments(Patience(poll_first=1, poll_longest=4), 10)
    assert at == pytest.approx([0, 1, 2.5, 4.75, 8.125, 10])


@pytest.mark.parametrize("within", [0, 0.1, 0.5, 3, 1800])
def test_the_first_turn_comes_at_once_and_none_after_the_time(within: float) -> None:
    at = moments(Patience(), within)
    assert at[0] == 0
    assert at[-1] == pytest.approx(within)


def test_the_defaults_are_those_that_are_documented() -> None:
    policy = UpdatePolicy()
    assert policy.activation is Activation.NOW
    assert policy.expected_version is None
    assert policy.version_object == Obis.parse("1.0.0.2.0.255")
    assert not policy.take_over
    assert not policy.any_identification
    assert policy.patience.watch == 10
    assert policy.patience.connect <= 5, "a meter that is not there is told soon"
