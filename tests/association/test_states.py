"""The table of states: whole, without dead ends, and just in its blame."""

import itertools

import pytest

from meterwright.association import CLIENT_SIGNALS, TRANSITIONS, Role, Signal, State, transition
from meterwright.errors import Blame, LocalProtocolError, RemoteProtocolError

ALL = list(itertools.product(State, Signal))
ILLEGAL = [(state, signal) for state, signal in ALL if signal not in TRANSITIONS[state]]


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(State)


def test_every_state_is_reached_from_idle() -> None:
    reached = {State.IDLE}
    for _ in State:
        reached |= {following for state in reached for following in TRANSITIONS[state].values()}
    assert reached == set(State)


def test_every_state_leads_back_to_idle() -> None:
    for state in State:
        reached = {state}
        for _ in State:
            reached |= {following for each in reached for following in TRANSITIONS[each].values()}
        assert State.IDLE in reached


def test_every_signal_is_in_some_row() -> None:
    assert {signal for row in TRANSITIONS.values() for signal in row} == set(Signal)


@pytest.mark.parametrize("state", State)
def test_an_abort_ends_any_state(state: State) -> None:
    assert transition(Role.CLIENT, state, Signal.ABORT) is State.IDLE
    assert transition(Role.SERVER, state, Signal.ABORT) is State.IDLE


@pytest.mark.parametrize("state", State)
def test_a_notification_may_come_at_any_time_and_changes_nothing(state: State) -> None:
    assert transition(Role.CLIENT, state, Signal.NOTIFICATION) is state


def test_requests_and_responses_change_nothing() -> None:
    for state, signal in ALL:
        if signal in (Signal.REQUEST, Signal.RESPONSE) and signal in TRANSITIONS[state]:
            assert TRANSITIONS[state][signal] is state


def test_there_is_something_illegal() -> None:
    assert (State.IDLE, Signal.REQUEST) in ILLEGAL
    assert (State.ASSOCIATED, Signal.AARE_ACCEPTED) in ILLEGAL


@pytest.mark.parametrize(("state", "signal"), ILLEGAL)
@pytest.mark.parametrize("role", Role)
def test_an_illegal_move_is_the_fault_of_who_made_it(role: Role, state: State, signal: Signal) -> None:
    ours = (role is Role.CLIENT) == (signal in CLIENT_SIGNALS)
    with pytest.raises(LocalProtocolError if ours else RemoteProtocolError) as caught:
        transition(role, state, signal)
    assert caught.value.blame is (Blame.OURS if ours else Blame.THEIRS)
    assert signal.value in caught.value.what
    assert state.value in caught.value.what
    assert caught.value.where.layer == "association"


@pytest.mark.parametrize(("state", "signal"), ALL)
def test_both_roles_move_alike(state: State, signal: Signal) -> None:
    if signal in TRANSITIONS[state]:
        assert transition(Role.CLIENT, state, signal) is transition(Role.SERVER, state, signal)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.IDLE] = {}  # type: ignore[index]  # pyright: ignore[reportIndexIssue]  # that is what is tested
