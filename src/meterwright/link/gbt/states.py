"""The states of a block transfer, and the one table that says what may happen in which (Green Book 9.4.6.13).

The table serves both roles: a client begins in OURS, a meter in THEIRS, and they take turns.

===============  ===================================================================
OURS             this side is to speak: a client that awaits nothing, a meter that owes an answer
SENDING          blocks of ours are out, and more are left
THEIRS           the other side is to speak: all of ours is out
RECEIVING        blocks of theirs have come, and more are left
===============  ===================================================================
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from meterwright.values import Role

__all__ = ["FIRST", "TRANSITIONS", "Signal", "State", "following"]


class State(Enum):
    """Whose turn it is to speak, and whether it is in the midst of it."""

    OURS = "ours"
    SENDING = "sending"
    THEIRS = "theirs"
    RECEIVING = "receiving"


class Signal(Enum):
    """What moves a transfer from state to state."""

    SENT = "an APDU has gone out to its end"
    SENT_PART = "blocks have gone out, not the last"
    CAME = "an APDU has come to its end"
    CAME_PART = "a block has come that leaves some missing"


TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = MappingProxyType(
    {
        State.OURS: {
            Signal.SENT: State.THEIRS,
            Signal.SENT_PART: State.SENDING,
            Signal.CAME: State.OURS,
        },
        State.SENDING: {
            Signal.SENT: State.THEIRS,
            Signal.SENT_PART: State.SENDING,
            Signal.CAME: State.OURS,  # an answer in the midst of the request, an APDU in place of a block
            Signal.CAME_PART: State.RECEIVING,
        },
        State.THEIRS: {
            Signal.SENT: State.THEIRS,
            Signal.SENT_PART: State.SENDING,  # what was lost goes out again
            Signal.CAME: State.OURS,
            Signal.CAME_PART: State.RECEIVING,
        },
        State.RECEIVING: {
            Signal.SENT: State.THEIRS,
            Signal.CAME: State.OURS,
            Signal.CAME_PART: State.RECEIVING,
        },
    }
)

FIRST: Final[Mapping[Role, State]] = MappingProxyType({Role.CLIENT: State.OURS, Role.SERVER: State.THEIRS})
"""Where each side begins: a client asks."""


def following(state: State, signal: Signal) -> State | None:
    """The next state; None where the signal has no place."""
    return TRANSITIONS[state].get(signal)
