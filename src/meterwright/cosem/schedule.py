"""Single action schedule (class 22): one script, and the moments at which the meter starts it. Blue Book 4.5.7.

The moments are the meter's local time, without deviation. An empty array, or an entry all of which is left open, starts
nothing: this is how a schedule is cleared.
"""

from dataclasses import dataclass
from typing import Annotated

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass
from meterwright.data import (
    array,
    enumerated,
    logical_name,
    long_unsigned,
    octet_date,
    octet_time,
    structure,
)
from meterwright.values import CosemDate, CosemTime, Obis, OpenIntEnum

__all__ = ["ExecutedScript", "ExecutionTime", "ScheduleType", "SingleActionSchedule"]


class ScheduleType(OpenIntEnum):
    """How many entries execution_time may have, whether their times may differ, and whether their dates may be open."""

    ONE_ENTRY = 1
    """Its date may be open."""
    SAME_TIME = 2
    SAME_TIME_OPEN_DATES = 3
    DIFFERENT_TIMES = 4
    DIFFERENT_TIMES_OPEN_DATES = 5


@dataclass(frozen=True, slots=True)
class ExecutedScript:
    """The script that is started: its table, and its identifier there."""

    script_logical_name: Annotated[Obis, logical_name]
    script_selector: Annotated[int, long_unsigned]


@dataclass(frozen=True, slots=True)
class ExecutionTime:
    """When: time first, then date. What is left open in the date means every; hundredths must be 0."""

    time: Annotated[CosemTime, octet_time]
    date: Annotated[CosemDate, octet_date]


class SingleActionSchedule(InterfaceClass[A_co], class_id=22, version=0):
    """Single action schedule. That which activates images is 0.0.15.0.2.255, that of the end of billing 0.0.15.0.0.255."""

    executed_script = Attribute(2, structure(ExecutedScript), static=True)
    type = Attribute(3, enumerated(ScheduleType), static=True)
    execution_time = Attribute(4, array(structure(ExecutionTime)), static=True)
