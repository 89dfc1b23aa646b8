"""What a simulated meter measures and logs: the same for the same time, seed and serial number.

Its load profile has a row each quarter of an hour, and holds thirty days. Its event log has a row a day, at a moment that
looks like chance: high and low voltage, each followed by its end (the codes of IS 15959).
"""

import hashlib
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from meterwright.cosem import CaptureObject
from meterwright.data import Data, double_long_unsigned, long_unsigned
from meterwright.simulator.behaviour import Behaviour
from meterwright.simulator.clock import MeterClock
from meterwright.simulator.objects import ClockBehaviour, ComputedData
from meterwright.simulator.profile import ProfileBehaviour, ProfileColumn, clock_column, every

__all__ = [
    "ENERGY",
    "EVENT_CODE",
    "EVENT_LOG",
    "LOAD_PROFILE",
    "VOLTAGE",
    "Measurement",
    "event_log",
    "load_profile",
]

ENERGY: Final = "1.0.1.8.0.255"
VOLTAGE: Final = "1.0.32.7.0.255"
LOAD_PROFILE: Final = "1.0.99.1.0.255"
EVENT_LOG: Final = "0.0.99.98.0.255"
EVENT_CODE: Final = "0.0.96.11.0.255"

_MADE: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Since when the meters count energy."""
_LARGEST_COUNT: Final = 1 << 32
_QUARTER: Final = timedelta(minutes=15)
_LOAD_ENTRIES: Final = 30 * 96
_DAY: Final = timedelta(days=1)
_EVENT_ENTRIES: Final = 100
_EVENT_CODES: Final = (7, 8, 9, 10)


class Measurement:
    """What a household consumes."""

    def __init__(self, seed: int, serial: int) -> None:
        chance = hashlib.sha256(f"{seed}/{serial}".encode()).digest()
        self._watts = 200 + int.from_bytes(chance[:2], "big") % 600
        self._phase = chance[2] / 256
        self._start = int.from_bytes(chance[3:6], "big")

    def energy(self, moment: datetime) -> Data:
        """In 0.1 Wh, never less than before; it starts anew from 0 where the counter overflows."""
        counted = int(self._watts * _seconds_until(moment) / 360)
        return double_long_unsigned((self._start + counted) % _LARGEST_COUNT)

    def voltage(self, moment: datetime) -> Data:
        """In 0.1 V: 225 to 235 V within ten minutes."""
        turn = 2 * math.pi * (_seconds_until(moment) / 600 + self._phase)
        return long_unsigned(2300 + round(50 * math.sin(turn)))


def _seconds_until(moment: datetime) -> float:
    return max((moment - _MADE).total_seconds(), 0.0)


def load_profile(measured: Measurement, clock: MeterClock, shown: ClockBehaviour) -> ProfileBehaviour:
    """Energy and voltage, each quarter of an hour."""
    return ProfileBehaviour(
        LOAD_PROFILE,
        [
            clock_column(shown),
            ProfileColumn(CaptureObject.of(3, ENERGY, 2), measured.energy),
            ProfileColumn(CaptureObject.of(3, VOLTAGE, 2), measured.voltage),
        ],
        every(_QUARTER),
        clock=clock,
        shown=shown,
        reach=_LOAD_ENTRIES * _QUARTER,
        capture_period=int(_QUARTER.total_seconds()),
        profile_entries=_LOAD_ENTRIES,
    )


class _Events:
    """One event a day."""

    def __init__(self, seed: int, serial: int) -> None:
        self._of = f"{seed}/{serial}"

    def moments(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """When they happen."""
        for day in range(_day(after), _day(until) + 1):
            moment = self._moment(day)
            if after < moment <= until:
                yield moment

    def code(self, moment: datetime) -> Data:
        """That of the event which happened last."""
        day = _day(moment)
        if self._moment(day) > moment:
            day -= 1
        return long_unsigned(_EVENT_CODES[day % len(_EVENT_CODES)])

    def _moment(self, day: int) -> datetime:
        chance = hashlib.sha256(f"{self._of}/event/{day}".encode()).digest()
        return _MADE + day * _DAY + timedelta(seconds=int.from_bytes(chance[:4], "big") % 86_400)


def _day(moment: datetime) -> int:
    return (moment - _MADE) // _DAY


def event_log(seed: int, serial: int, clock: MeterClock, shown: ClockBehaviour) -> tuple[Behaviour, ...]:
    """The object of the event code, and the log that captures it whenever something happens."""
    events = _Events(seed, serial)
    log = ProfileBehaviour(
        EVENT_LOG,
        [clock_column(shown), ProfileColumn(CaptureObject.of(1, EVENT_CODE, 2), events.code)],
        events.moments,
        clock=clock,
        shown=shown,
        reach=(_EVENT_ENTRIES + 1) * _DAY,
        capture_period=0,
        profile_entries=_EVENT_ENTRIES,
    )
    return ComputedData(EVENT_CODE, lambda: events.code(clock.now())), log
