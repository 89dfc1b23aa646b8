"""The states of an association, and the one table that says what may happen in which (Green Book 9.4.4).

The table serves both roles: a signal is *sent* by one side and *received* by the other, and both move alike. Who caused
an illegal signal decides whose fault it is: ours, a LocalProtocolError; theirs, a RemoteProtocolError.

===============  ===================================================================
IDLE             no association; what a meter pushes unasked may still arrive
PENDING          an AARQ is on its way, or is being considered
AUTHENTICATING   accepted, if each side answers the other's challenge; nothing else may be asked for
ASSOCIATED       services may be asked for
RELEASING        an RLRQ is on its way
===============  ===================================================================
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.values import Role

__all__ = ["CLIENT_SIGNALS", "TRANSITIONS", "Role", "Signal", "State", "transition"]


class State(Enum):
    """How far an association has come."""

    IDLE = "idle"
    PENDING = "pending"
    AUTHENTICATING = "authenticating"
    ASSOCIATED = "associated"
    RELEASING = "releasing"


class Signal(Enum):
    """What moves an association from state to state."""

    AARQ = "AARQ"
    AARE_ACCEPTED = "AARE, accepted"
    AARE_CHALLENGING = "AARE, with a challenge"
    AARE_REJECTED = "AARE, rejected"
    PROOF = "an answer to the meter's challenge"
    PROOF_ACCEPTED = "an answer to the client's challenge"
    PROOF_REFUSED = "a refused answer to a challenge"
    REQUEST = "a request"
    RESPONSE = "a response"
    NOTIFICATION = "a notification"
    RLRQ = "RLRQ"
    RLRE = "RLRE"
    ABORT = "an abort"
    AGREED = "an agreement made beforehand"


CLIENT_SIGNALS: Final = frozenset({Signal.AARQ, Signal.PROOF, Signal.REQUEST, Signal.RLRQ})
"""What a client sends; the meter sends the rest. An abort is nobody's message: the link fell, or time ran out; nor is an agreement."""

TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = MappingProxyType(
    {
        State.IDLE: {
            Signal.AARQ: State.PENDING,
            Signal.AGREED: State.ASSOCIATED,  # there without any AARQ
            Signal.NOTIFICATION: State.IDLE,
            Signal.ABORT: State.IDLE,
        },
        State.PENDING: {
            Signal.AARE_ACCEPTED: State.ASSOCIATED,
            Signal.AARE_CHALLENGING: State.AUTHENTICATING,
            Signal.AARE_REJECTED: State.IDLE,
            Signal.NOTIFICATION: State.PENDING,
            Signal.ABORT: State.IDLE,
        },
        State.AUTHENTICATING: {
            Signal.AARQ: State.PENDING,
            Signal.PROOF: State.AUTHENTICATING,
            Signal.PROOF_ACCEPTED: State.ASSOCIATED,
            Signal.PROOF_REFUSED: State.IDLE,
            Signal.NOTIFICATION: State.AUTHENTICATING,
            Signal.RLRQ: State.RELEASING,
            Signal.ABORT: State.IDLE,
        },
        State.ASSOCIATED: {
            Signal.AARQ: State.PENDING,  # a client that lost track begins anew; the meter forgets the old association
            Signal.REQUEST: State.ASSOCIATED,
            Signal.RESPONSE: State.ASSOCIATED,
            Signal.NOTIFICATION: State.ASSOCIATED,
            Signal.RLRQ: State.RELEASING,
            Signal.ABORT: State.IDLE,
        },
        State.RELEASING: {
            Signal.RESPONSE: State.RELEASING,  # a late answer, on its way when we asked to release
            Signal.NOTIFICATION: State.RELEASING,
            Signal.RLRE: State.IDLE,
            Signal.ABORT: State.IDLE,
        },
    }
)


def transition(role: Role, state: State, signal: Signal) -> State:
    """The next state. The error of whoever caused the signal where the table has none."""
    following = TRANSITIONS[state].get(signal)
    if following is None:
        raise _illegal(role, state, signal)
    return following


def _illegal(role: Role, state: State, signal: Signal) -> MeterwrightError:
    what = f"{signal.value} has no place while the association is {state.value}"
    ours = (signal in CLIENT_SIGNALS) == (role is Role.CLIENT)
    kind = LocalProtocolError if ours else RemoteProtocolError
    return kind(what, layer="association")
