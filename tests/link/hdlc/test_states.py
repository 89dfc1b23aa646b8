"""The table of states: whole, without dead ends, and just in its blame."""

import itertools

import pytest

from meterwright.errors import Blame, LocalProtocolError, RemoteProtocolError
from meterwright.link.hdlc import SENDERS, TRANSITIONS, FrameKind, Role, Signal, State, following, transition
from meterwright.link.hdlc.states import SIGNALS

ALL = list(itertools.product(Role, State, Signal))


def test_every_state_has_a_row_and_every_signal_a_sender() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(SENDERS) == set(Signal)
    assert all(SENDERS.values())
    assert {signal for row in TRANSITIONS.values() for signal in row} == set(Signal)


def test_every_frame_is_a_signal() -> None:
    assert set(SIGNALS) == set(FrameKind) - {FrameKind.OTHER}
    assert set(SIGNALS.values()) == set(Signal) - {Signal.FAILURE}


def test_every_state_is_reached_and_leads_back() -> None:
    def reach(start: State) -> set[State]:
        reached = {start}
        for _ in State:
            reached |= {following for state in reached for following in TRANSITIONS[state].values()}
        return reached

    for state in State:
        assert reach(state) == set(State)


@pytest.mark.parametrize(("sender", "state", "signal"), ALL)
def test_every_signal_is_handled_or_refused_by_name(sender: Role, state: State, signal: Signal) -> None:
    found = following(sender, state, signal)
    assert found == (TRANSITIONS[state].get(signal) if sender in SENDERS[signal] else None)
    for role in Role:
        if found is not None:
            assert transition(role, sender, state, signal) is found
            continue
        ours = role is sender
        with pytest.raises(LocalProtocolError if ours else RemoteProtocolError) as caught:
            transition(role, sender, state, signal)
        assert caught.value.blame is (Blame.OURS if ours else Blame.THEIRS)
        assert signal.value in caught.value.what
        assert state.value in caught.value.what
        assert sender.value in caught.value.what
        assert caught.value.where.layer == "hdlc"


@pytest.mark.parametrize("state", State)
def test_a_failure_ends_any_state(state: State) -> None:
    assert TRANSITIONS[state][Signal.FAILURE] is State.DISCONNECTED


@pytest.mark.parametrize("state", State)
def test_ui_needs_no_connection_and_changes_none(state: State) -> None:
    assert TRANSITIONS[state][Signal.UI] is state


def test_numbered_frames_live_in_a_connection_alone() -> None:
    for state, signal in itertools.product(State, (Signal.I, Signal.RR, Signal.RNR)):
        assert (signal in TRANSITIONS[state]) == (state is State.CONNECTED)


def test_only_a_client_connects_and_only_a_meter_agrees() -> None:
    assert following(Role.SERVER, State.DISCONNECTED, Signal.SNRM) is None
    assert following(Role.CLIENT, State.CONNECTING, Signal.UA) is None


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.CONNECTED] = {}  # type: ignore[index]  # pyright: ignore[reportIndexIssue]  # that is what is tested
