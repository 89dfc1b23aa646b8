"""The invocation counters of a simulated meter, kept in its record: they survive its process, killed at any moment.

What a client sent is kept once it is accepted, for each association by the object that tells it (0.0.43.1.x.255), so that what
the object shows never goes back; of what the meter sends itself a range is reserved in the record before any of it is used.
"""

from dataclasses import replace
from typing import Final

from meterwright.security import CounterOwner, CounterRecord, CounterStore, ReceiveCounter
from meterwright.security.counters import FIRST
from meterwright.simulator.image_machine import ImageMachine
from meterwright.values import Obis

__all__ = ["KeptCounter", "MeterCounterStore"]


class KeptCounter(ReceiveCounter):
    """The numbers that one association has taken. `value` is what the object of the counter shows."""

    def __init__(self, machine: ImageMachine, counter: Obis) -> None:
        self._machine: Final = machine
        self._name: Final = str(counter)
        super().__init__(machine.record.counters.get(self._name))

    @property
    def value(self) -> int:
        """The number that was taken last; 0 where none was yet."""
        return self.last or 0

    def accept(self, number: int, *, verified: bool) -> None:
        record = self._machine.record
        self._machine.remember(replace(record, counters={**record.counters, self._name: number}))
        super().accept(number, verified=verified)


class MeterCounterStore(CounterStore):
    """The numbers that the meter sends with."""

    def __init__(self, machine: ImageMachine) -> None:
        self._machine: Final = machine

    def record(self, owner: CounterOwner) -> CounterRecord:
        return CounterRecord(self._machine.record.reserved.get(str(owner)))

    def reserve(self, owner: CounterOwner, count: int, at_least: int = FIRST) -> range:
        numbers, known = self.record(owner).reserving(count, at_least)
        record = self._machine.record
        reserved = {**record.reserved, str(owner): known.reserved or 0}
        self._machine.remember(replace(record, reserved=reserved))
        return numbers

    def accepted(self, owner: CounterOwner, number: int) -> None:
        """A meter asks nobody for its counter, and so need not know."""
