"""Script table (class 9): named lists of things for the meter to do. Blue Book 4.5.2.

A script writes attributes or executes methods of the meter's own objects, in order. Other objects start it: schedules,
register monitors, and a client that calls `execute`.
"""

from dataclasses import dataclass
from typing import Annotated

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method
from meterwright.data import (
    Data,
    anything,
    array,
    enumerated,
    integer,
    logical_name,
    long_unsigned,
    structure,
)
from meterwright.values import Obis, OpenIntEnum

__all__ = ["Script", "ScriptAction", "ScriptService", "ScriptTable"]


class ScriptService(OpenIntEnum):
    """What an action does with the attribute or method its index names."""

    WRITE_ATTRIBUTE = 1
    EXECUTE_METHOD = 2


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """One step of a script. `index` is an attribute's or a method's number, `parameter` what is written or handed over."""

    service_id: Annotated[ScriptService, enumerated(ScriptService)]
    class_id: Annotated[int, long_unsigned]
    logical_name: Annotated[Obis, logical_name]
    index: Annotated[int, integer]
    parameter: Annotated[Data, anything]


@dataclass(frozen=True, slots=True)
class Script:
    """A script; by its identifier other objects start it."""

    script_identifier: Annotated[int, long_unsigned]
    actions: Annotated[tuple[ScriptAction, ...], array(structure(ScriptAction))]


class ScriptTable(InterfaceClass[A_co], class_id=9, version=0):
    """Script table. That which activates images is 0.0.10.0.107.255."""

    scripts = Attribute(2, array(structure(Script)), static=True)

    execute = Method(1, long_unsigned)
