"""The tools our own tests are made with, for yours: virtual time, joined pairs, hypothesis strategies.

========================  ==========================================================================
run_in_virtual_time       asyncio without waiting; deadlocks are told
AssociationPair           client and meter as two association machines, a function plays the meter
StackPair                 client and meter as whole stacks over the wrapper
apdus, data_trees …       hypothesis strategies from the declarations; only these need hypothesis
========================  ==========================================================================
"""

from typing import TYPE_CHECKING

from meterwright.testing.pairs import AssociationPair, Interference, Passed, Player, StackPair, pass_all
from meterwright.testing.virtual_time import Deadlock, VirtualTimeError, run_in_virtual_time, virtual_now

if TYPE_CHECKING:
    from meterwright.testing.strategies import apdus, data_of, data_trees

__all__ = [
    "AssociationPair",
    "Deadlock",
    "Interference",
    "Passed",
    "Player",
    "StackPair",
    "VirtualTimeError",
    "apdus",
    "data_of",
    "data_trees",
    "pass_all",
    "run_in_virtual_time",
    "virtual_now",
]

_NEED_HYPOTHESIS = frozenset({"apdus", "data_of", "data_trees"})


def __getattr__(name: str) -> object:
    """The strategies, when they are first asked for."""
    if name not in _NEED_HYPOTHESIS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from meterwright.testing import strategies

    found: object = getattr(strategies, name)
    return found
