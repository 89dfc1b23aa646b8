"""The states of an HDLC connection, and the one table that says what may happen in which (IEC 62056-46 6.4.4).

The table serves both roles: a frame is *sent* by one side and *received* by the other, and both move alike. Who sends
what no state allows is to blame: ours is a LocalProtocolError, theirs a RemoteProtocolError. On the wire such a frame
is mostly a late or doubled one, so stations ask `following` first and pass over what has no place.

===============  =========================================================================
DISCONNECTED     normal disconnected mode: UI alone is heard; a meter answers the rest by DM
CONNECTING       an SNRM is on its way
CONNECTED        normal response mode: APDUs go both ways
DISCONNECTING    a DISC is on its way
===============  =========================================================================
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.link.hdlc.frame import FrameKind
from meterwright.values import Role

__all__ = ["SENDERS", "SIGNALS", "TRANSITIONS", "Role", "Signal", "State", "following", "transition"]


class State(Enum):
    """How far a connection has come."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"


class Signal(Enum):
    """What moves a connection from state to state: a frame, or its end without one."""

    SNRM = "SNRM"
    DISC = "DISC"
    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    I = "an I frame"  # noqa: E741 - the standard's name
    RR = "RR"
    RNR = "RNR"
    UI = "a UI frame"
    FAILURE = "a failure"


SIGNALS: Final[Mapping[FrameKind, Signal]] = MappingProxyType(
    {kind: Signal[kind.name] for kind in FrameKind if kind is not FrameKind.OTHER}
)
"""The signal that each frame is."""

_CLIENT: Final = frozenset({Role.CLIENT})
_SERVER: Final = frozenset({Role.SERVER})
_BOTH: Final = frozenset(Role)

SENDERS: Final[Mapping[Signal, frozenset[Role]]] = MappingProxyType(
    {
        Signal.SNRM: _CLIENT,
        Signal.DISC: _CLIENT,
        Signal.UA: _SERVER,
        Signal.DM: _SERVER,
        Signal.FRMR: _SERVER,
        Signal.I: _BOTH,
        Signal.RR: _BOTH,
        Signal.RNR: _BOTH,
        Signal.UI: _BOTH,
        Signal.FAILURE: _BOTH,
    }
)
"""Who may send each signal. A failure is nobody's: time ran out, or the wire fell."""

TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = MappingProxyType(
    {
        State.DISCONNECTED: {
            Signal.SNRM: State.CONNECTING,
            Signal.DISC: State.DISCONNECTING,  # whoever held the line before may have died without one
            Signal.UI: State.DISCONNECTED,
            Signal.FAILURE: State.DISCONNECTED,
        },
        State.CONNECTING: {
            Signal.SNRM: State.CONNECTING,
            Signal.DISC: State.DISCONNECTING,
            Signal.UA: State.CONNECTED,
            Signal.DM: State.DISCONNECTED,
            Signal.FRMR: State.DISCONNECTED,
            Signal.UI: State.CONNECTING,
            Signal.FAILURE: State.DISCONNECTED,
        },
        State.CONNECTED: {
            Signal.SNRM: State.CONNECTING,  # begins anew: numbers and associations are forgotten
            Signal.DISC: State.DISCONNECTING,
            Signal.DM: State.DISCONNECTED,
            Signal.FRMR: State.DISCONNECTED,
            Signal.I: State.CONNECTED,
            Signal.RR: State.CONNECTED,
            Signal.RNR: State.CONNECTED,
            Signal.UI: State.CONNECTED,
            Signal.FAILURE: State.DISCONNECTED,
        },
        State.DISCONNECTING: {
            Signal.DISC: State.DISCONNECTING,
            Signal.UA: State.DISCONNECTED,
            Signal.DM: State.DISCONNECTED,
            Signal.FRMR: State.DISCONNECTED,
            Signal.UI: State.DISCONNECTING,
            Signal.FAILURE: State.DISCONNECTED,
        },
    }
)


def following(sender: Role, state: State, signal: Signal) -> State | None:
    """The next state; None where the signal has no place in this one, or does not come from that side."""
    return TRANSITIONS[state].get(signal) if sender in SENDERS[signal] else None


def transition(role: Role, sender: Role, state: State, signal: Signal) -> State:
    """The next state of us, who are `role`. The error of whoever sent the signal where there is none."""
    found = following(sender, state, signal)
    if found is None:
        raise _illegal(role, sender, state, signal)
    return found


def _illegal(role: Role, sender: Role, state: State, signal: Signal) -> MeterwrightError:
    what = f"{signal.value} of the {sender.value} has no place while the link is {state.value}"
    if sender is role:
        return LocalProtocolError(what, layer="hdlc", hint="open the link first, and send while it is open")
    return RemoteProtocolError(what, layer="hdlc")
