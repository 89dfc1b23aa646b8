"""Objects that many simulated meters have: computed values, and the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from meterwright.cosem import (
    Clock,
    ClockBase,
    DataObject,
    Register,
)
from meterwright.data import Data
from meterwright.simulator.behaviour import Behaviour, Refusal, Stored, invokes, reads, writes
from meterwright.simulator.clock import MeterClock
from meterwright.values import ClockStatus, CosemDateTime, DataAccessResult, ScalerUnit

__all__ = ["ClockBehaviour", "ComputedData", "ComputedRegister"]

_ANY_DATE: Final = CosemDateTime()


class ComputedData(Behaviour, implements=DataObject):
    """A Data object whose value is asked for anew at each read."""

    def __init__(self, logical_name: str, value: Callable[[], Data]) -> None:
        super().__init__(logical_name)
        self._value = value

    @reads(DataObject.value)
    def value(self) -> Data:
        return self._value()


class ComputedRegister(Behaviour, implements=Register):
    """A register whose number is asked for anew at each read."""

    def __init__(self, logical_name: str, scaler_unit: ScalerUnit, value: Callable[[], Data]) -> None:
        super().__init__(logical_name, [Stored(Register.scaler_unit, scaler_unit)])
        self._value = value

    @reads(Register.value)
    def value(self) -> Data:
        return self._value()


class ClockBehaviour(Behaviour, implements=Clock):
    """A clock in UTC, without daylight saving. It may be set; what it is off by lasts as long as the process."""

    def __init__(self, clock: MeterClock, logical_name: str = "0.0.1.0.0.255") -> None:
        super().__init__(
            logical_name,
            [
                Stored(Clock.time_zone, 0),
                Stored(Clock.status, ClockStatus(0)),
                Stored(Clock.daylight_savings_begin, _ANY_DATE),
                Stored(Clock.daylight_savings_end, _ANY_DATE),
                Stored(Clock.daylight_savings_deviation, 0),
                Stored(Clock.daylight_savings_enabled, False),
                Stored(Clock.clock_base, ClockBase.INTERNAL_CRYSTAL),
            ],
        )
        self._clock = clock
        self._off_by = timedelta(0)

    @property
    def now(self) -> datetime:
        """What the clock shows."""
        return self.at(self._clock.now())

    def at(self, moment: datetime) -> datetime:
        """What it shows at that moment of true time, as it is set now."""
        return moment + self._off_by

    @reads(Clock.time)
    def time(self) -> CosemDateTime:
        return CosemDateTime.from_datetime(self.now)

    @writes(Clock.time)
    def set_time(self, value: CosemDateTime) -> None:
        """A time without deviation is local time; one with wildcards is none."""
        true = self._clock.now()
        try:
            moment = value.to_datetime()
            self._off_by = (moment if moment.tzinfo else moment.replace(tzinfo=true.tzinfo)) - true
        except (ValueError, OverflowError):
            raise Refusal(DataAccessResult.OTHER_REASON) from None

    @invokes(Clock.shift_time)
    def shift(self, seconds: int) -> None:
        if not -900 <= seconds <= 900:
            raise Refusal(DataAccessResult.OTHER_REASON)
        self._off_by += timedelta(seconds=seconds)
