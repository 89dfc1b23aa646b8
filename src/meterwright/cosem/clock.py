"""Clock (class 8): the meter's date and time, its deviation from UTC, daylight saving. Blue Book 4.5.1."""

from dataclasses import dataclass
from typing import Annotated

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method, trigger
from meterwright.data import boolean, enumerated, flags, integer, long, octet_date_time, structure, unsigned
from meterwright.values import ClockStatus, CosemDateTime, OpenIntEnum

__all__ = ["Clock", "ClockBase", "PresetTime"]


class ClockBase(OpenIntEnum):
    """What the clock takes its time from."""

    UNDEFINED = 0
    INTERNAL_CRYSTAL = 1
    MAINS_50_HZ = 2
    MAINS_60_HZ = 3
    GPS = 4
    RADIO_CONTROLLED = 5


@dataclass(frozen=True, slots=True)
class PresetTime:
    """A time to be set later, by adjust_to_preset_time, while the interval is valid."""

    preset_time: Annotated[CosemDateTime, octet_date_time]
    validity_interval_start: Annotated[CosemDateTime, octet_date_time]
    validity_interval_end: Annotated[CosemDateTime, octet_date_time]


class Clock(InterfaceClass[A_co], class_id=8, version=0, instance="0.0.1.0.0.255"):
    """Date and time. time_zone and deviations in minutes; shift_time in seconds, -900 to 900."""

    time = Attribute(2, octet_date_time)
    time_zone = Attribute(3, long, static=True)
    status = Attribute(4, flags(ClockStatus, unsigned))
    daylight_savings_begin = Attribute(5, octet_date_time, static=True)
    daylight_savings_end = Attribute(6, octet_date_time, static=True)
    daylight_savings_deviation = Attribute(7, integer, static=True)
    daylight_savings_enabled = Attribute(8, boolean, static=True)
    clock_base = Attribute(9, enumerated(ClockBase), static=True)

    adjust_to_quarter = Method(1, trigger)
    adjust_to_measuring_period = Method(2, trigger)
    adjust_to_minute = Method(3, trigger)
    adjust_to_preset_time = Method(4, trigger)
    preset_adjusting_time = Method(5, structure(PresetTime))
    shift_time = Method(6, long)
