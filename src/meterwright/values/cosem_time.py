"""Date and time as meters write them: 12 octets, any part of which may be left open.

Clocks, schedules, profiles and time stamps all use the date-time, date and time of the Blue Book ("Date and
time formats"). A field may be "not specified" (None here), which in a schedule means "every"; months and
days have special codes; a meter may send a 31st of June. So the octets themselves are the value, kept as
they came, and the fields are read out of them; only `to_datetime`, `to_date` and `to_time` ask for a moment
that exists.

Refused, with ValueError: a wrong number of octets, a field too large for its octets, and a conversion of
what is no moment.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from itertools import repeat
from types import MemberDescriptorType
from typing import ClassVar, Final, Self, overload

from meterwright.values.clock_status import ClockStatus

__all__ = [
    "DAYLIGHT_SAVING_BEGIN",
    "DAYLIGHT_SAVING_END",
    "LAST_DAY",
    "SECOND_LAST_DAY",
    "CosemDate",
    "CosemDateTime",
    "CosemTime",
]

DAYLIGHT_SAVING_END: Final = 0xFD
"""A month: the one in which daylight saving ends."""
DAYLIGHT_SAVING_BEGIN: Final = 0xFE
"""A month: the one in which daylight saving begins."""
SECOND_LAST_DAY: Final = 0xFD
"""A day of the month."""
LAST_DAY: Final = 0xFE
"""A day of the month."""

_OPEN = 0xFF
_OPEN_YEAR = 0xFFFF
_OPEN_DEVIATION = -0x8000

_ALL_WELL = ClockStatus(0)


class _OctetField:
    """A field of one octet; FF is not specified and reads as None."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    @overload
    def __get__(self, instance: None, owner: object) -> Self: ...
    @overload
    def __get__(self, instance: "_Moment", owner: object) -> int | None: ...
    def __get__(self, instance: "_Moment | None", owner: object) -> Self | int | None:
        if instance is None:
            return self
        octet = instance.octets[self._offset]
        return None if octet == _OPEN else octet


@dataclass(frozen=True, slots=True, init=False, repr=False)
class _Moment:
    """A date, a time or both, by its octets: two are equal when their octets are."""

    SIZE: ClassVar[int]
    FIELDS: ClassVar[tuple[str, ...]]

    octets: bytes

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """Any octets are taken as they are, if there are `SIZE` of them."""
        if len(octets) != cls.SIZE:
            raise ValueError(f"a {cls.__name__} has {cls.SIZE} octets, not {len(octets)}")
        moment = object.__new__(cls)
        _set_octets(moment, bytes(octets))
        return moment

    @classmethod
    def many_from_octets(cls, each: Iterable[bytes]) -> list[Self]:
        """As `from_octets` one by one, for a third of the time: a column of a profile."""
        given = each if isinstance(each, tuple) else tuple(each)
        if wrong := set(map(len, given)) - {cls.SIZE}:
            raise ValueError(f"a {cls.__name__} has {cls.SIZE} octets, not {min(wrong)}")
        moments = list(map(object.__new__, repeat(cls, len(given))))
        kept = given if set(map(type, given)) == {bytes} else map(bytes, given)
        deque(map(_set_octets, moments, kept), maxlen=0)  # runs the map, and keeps nothing
        return moments

    def to_octets(self) -> bytes:
        """The octets, as they came or as the fields made them."""
        return self.octets

    def __repr__(self) -> str:
        fields: list[tuple[str, object]] = [(name, getattr(self, name)) for name in self.FIELDS]
        given = ", ".join(f"{name}={value!r}" for name, value in fields if value is not None)
        return f"{type(self).__name__}({given})"


# The way past `frozen` at half the cost of object.__setattr__: profiles hold time stamps by the thousand.
_octets_slot: MemberDescriptorType = vars(_Moment)["octets"]
_set_octets = _octets_slot.__set__


@dataclass(frozen=True, slots=True, init=False, repr=False)
class CosemDate(_Moment):
    """A date, 5 octets: a day, or a rule for days such as the last Sunday (7) of every March."""

    SIZE = 5
    FIELDS = ("year", "month", "day_of_month", "day_of_week")

    month = _OctetField(2)
    day_of_month = _OctetField(3)
    day_of_week = _OctetField(4)

    def __init__(
        self,
        year: int | None = None,
        month: int | None = None,
        day_of_month: int | None = None,
        day_of_week: int | None = None,
    ) -> None:
        _set_octets(self, _date_octets(year, month, day_of_month, day_of_week))

    @classmethod
    def from_date(cls, day: date) -> Self:
        """That day, its day of the week (1 is Monday) filled in."""
        return cls(day.year, day.month, day.day, day.isoweekday())

    @property
    def year(self) -> int | None:
        """The year in full, as 2024."""
        return _year_of(self.octets)

    @property
    def is_exact(self) -> bool:
        """Whether this is one day that exists, so that `to_date` has an answer."""
        return _succeeds(self.to_date)

    def to_date(self) -> date:
        """The one day meant; the day of the week is not compared. ValueError if there is none."""
        year, month, day = self.year, self.month, self.day_of_month
        if year is None or month is None or day is None:
            raise ValueError(f"{self} is not one day: a part of it is not specified")
        try:
            return date(year, month, day)
        except ValueError as error:
            raise ValueError(f"{self} is not a day of the calendar: {error}") from error

    def __str__(self) -> str:
        """As `2024-07-01`, or a rule as `*-dst-begin-last Sun`; `*` is "not specified"."""
        year = "*" if self.year is None else f"{self.year:04}"
        day = f"{year}-{_named(self.month, _MONTHS)}-{_named(self.day_of_month, _DAYS)}"
        is_open = None in (self.year, self.month, self.day_of_month)
        is_rule = is_open or self.month in _MONTHS or self.day_of_month in _DAYS
        if is_rule and self.day_of_week is not None:
            return f"{day} {_named(self.day_of_week, _WEEKDAYS)}"
        return day


@dataclass(frozen=True, slots=True, init=False, repr=False)
class CosemTime(_Moment):
    """A time of day, 4 octets: a moment, or a rule such as minute 15 of every hour."""

    SIZE = 4
    FIELDS = ("hour", "minute", "second", "hundredths")

    hour = _OctetField(0)
    minute = _OctetField(1)
    second = _OctetField(2)
    hundredths = _OctetField(3)

    def __init__(
        self,
        hour: int | None = None,
        minute: int | None = None,
        second: int | None = None,
        hundredths: int | None = None,
    ) -> None:
        _set_octets(self, _time_octets(hour, minute, second, hundredths))

    @classmethod
    def from_time(cls, clock: time) -> Self:
        """That time of day, cut to hundredths; a time zone is not looked at."""
        return cls(clock.hour, clock.minute, clock.second, clock.microsecond // 10_000)

    @property
    def is_exact(self) -> bool:
        """Whether this is one time of day that exists, so that `to_time` has an answer."""
        return _succeeds(self.to_time)

    def to_time(self) -> time:
        """The one time of day meant; hundredths left open count as 0. ValueError if there is none."""
        hour, minute, second, hundredths = self.hour, self.minute, self.second, self.hundredths or 0
        if hour is None or minute is None or second is None:
            raise ValueError(f"{self} is not one time of day: a part of it is not specified")
        if hundredths > 99:
            raise ValueError(f"{self} is not a time of day: {hundredths} hundredths")
        try:
            return time(hour, minute, second, hundredths * 10_000)
        except ValueError as error:
            raise ValueError(f"{self} is not a time of day: {error}") from error

    def __str__(self) -> str:
        clock = ":".join(_named(part, {}) for part in (self.hour, self.minute, self.second))
        return f"{clock}.{self.hundredths:02}" if self.hundredths else clock


@dataclass(frozen=True, slots=True, init=False, repr=False)
class CosemDateTime(_Moment):
    """A date and time, 12 octets, with its deviation from UTC and the state of the clock it was read from.

    `deviation` is in minutes and, by the book, what is added to local time to get UTC: -60 in Central
    European winter, -120 in its summer. Many meters, most Indian ones among them, have the opposite sign;
    `inverted_deviation` takes it so (see `Quirks`).
    """

    SIZE = 12
    FIELDS = (*CosemDate.FIELDS, *CosemTime.FIELDS, "deviation", "clock_status")

    month = _OctetField(2)
    day_of_month = _OctetField(3)
    day_of_week = _OctetField(4)
    hour = _OctetField(5)
    minute = _OctetField(6)
    second = _OctetField(7)
    hundredths = _OctetField(8)

    def __init__(
        self,
        year: int | None = None,
        month: int | None = None,
        day_of_month: int | None = None,
        *,
        day_of_week: int | None = None,
        hour: int | None = None,
        minute: int | None = None,
        second: int | None = None,
        hundredths: int | None = None,
        deviation: int | None = None,
        clock_status: ClockStatus | None = None,
    ) -> None:
        octets = (
            _date_octets(year, month, day_of_month, day_of_week)
            + _time_octets(hour, minute, second, hundredths)
            + _deviation_octets(deviation)
            + bytes([_octet("clock_status", clock_status)])
        )
        _set_octets(self, octets)

    @classmethod
    def from_datetime(
        cls,
        moment: datetime,
        *,
        inverted_deviation: bool = False,
        clock_status: ClockStatus | None = _ALL_WELL,
    ) -> Self:
        """The local time of `moment`, cut to hundredths, with its deviation if it is aware.

        Where its time zone says that daylight saving is on, a given status says so too.
        """
        if clock_status is not None and moment.dst():
            clock_status |= ClockStatus.DAYLIGHT_SAVING_ACTIVE
        octets = (
            CosemDate.from_date(moment).octets
            + CosemTime.from_time(moment.time()).octets
            + _deviation_octets(_deviation_of(moment, inverted=inverted_deviation))
            + bytes([_octet("clock_status", clock_status)])
        )
        return cls.from_octets(octets)

    @property
    def year(self) -> int | None:
        """The year in full, as 2024."""
        return _year_of(self.octets)

    @property
    def deviation(self) -> int | None:
        """Minutes, as sent; see the class for its sign."""
        minutes = int.from_bytes(self.octets[9:11], "big", signed=True)
        return None if minutes == _OPEN_DEVIATION else minutes

    @property
    def clock_status(self) -> ClockStatus | None:
        """The state of the meter's clock at that moment."""
        octet = self.octets[11]
        return None if octet == _OPEN else ClockStatus(octet)

    @property
    def date(self) -> CosemDate:
        """The first five octets."""
        return CosemDate.from_octets(self.octets[:5])

    @property
    def time(self) -> CosemTime:
        """The four octets after the date."""
        return CosemTime.from_octets(self.octets[5:9])

    @property
    def is_exact(self) -> bool:
        """Whether this is one moment that exists, so that `to_datetime` has an answer."""
        return _succeeds(self.to_datetime)

    def to_datetime(self, *, inverted_deviation: bool = False) -> datetime:
        """The one moment meant, aware if the deviation is given; ValueError if there is none.

        The day of the week is not compared, hundredths left open count as 0, the status is not looked at.
        """
        zone = _zone_of(self.deviation, inverted=inverted_deviation)
        return datetime.combine(self.date.to_date(), self.time.to_time(), zone)

    def __str__(self) -> str:
        """As `2024-07-01 12:00:00+02:00 [daylight-saving-active]`; `*` is "not specified"."""
        labels = ", ".join(self.clock_status.labels) if self.clock_status else ""
        return f"{self.date} {self.time}{_offset_text(self.deviation)}{labels and f' [{labels}]'}"


_MONTHS = {DAYLIGHT_SAVING_END: "dst-end", DAYLIGHT_SAVING_BEGIN: "dst-begin"}
_DAYS = {SECOND_LAST_DAY: "second-last", LAST_DAY: "last"}
_WEEKDAYS = dict(enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), start=1))


def _octet(field: str, value: int | None) -> int:
    if value is None:
        return _OPEN
    if not 0 <= value < _OPEN:
        raise ValueError(f"{field} must be 0..254, or None for not specified; got {int(value)}")
    return value


def _date_octets(
    year: int | None, month: int | None, day_of_month: int | None, day_of_week: int | None
) -> bytes:
    number = _OPEN_YEAR if year is None else year
    if year is not None and not 0 <= year < _OPEN_YEAR:
        raise ValueError(f"year must be 0..65534, or None for not specified; got {year}")
    rest = (_octet("month", month), _octet("day_of_month", day_of_month), _octet("day_of_week", day_of_week))
    return number.to_bytes(2, "big") + bytes(rest)


def _time_octets(hour: int | None, minute: int | None, second: int | None, hundredths: int | None) -> bytes:
    parts = (("hour", hour), ("minute", minute), ("second", second), ("hundredths", hundredths))
    return bytes(_octet(field, value) for field, value in parts)


def _deviation_octets(minutes: int | None) -> bytes:
    if minutes is None:
        minutes = _OPEN_DEVIATION
    elif not _OPEN_DEVIATION < minutes <= 0x7FFF:
        raise ValueError(f"deviation must be -32767..32767 minutes, or None for not specified; got {minutes}")
    return minutes.to_bytes(2, "big", signed=True)


def _year_of(octets: bytes) -> int | None:
    year = octets[0] << 8 | octets[1]
    return None if year == _OPEN_YEAR else year


def _deviation_of(moment: datetime, *, inverted: bool) -> int | None:
    offset = moment.utcoffset()
    if offset is None:
        return None
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest:
        raise ValueError(f"{moment} is {offset} off UTC: a deviation has whole minutes")
    return minutes if inverted else -minutes


def _zone_of(deviation: int | None, *, inverted: bool) -> timezone | None:
    if deviation is None:
        return None
    offset = timedelta(minutes=deviation if inverted else -deviation)
    if abs(offset) >= timedelta(days=1):
        raise ValueError(f"a deviation of {deviation} minutes is a day or more: no time zone has it")
    return timezone(offset)


def _offset_text(deviation: int | None) -> str:
    if deviation is None:
        return ""
    hours, minutes = divmod(abs(deviation), 60)
    return f"{'-' if deviation > 0 else '+'}{hours:02}:{minutes:02}"


def _named(value: int | None, names: Mapping[int, str]) -> str:
    return "*" if value is None else names.get(value, f"{value:02}")


def _succeeds(convert: Callable[[], object]) -> bool:
    try:
        convert()
    except ValueError:
        return False
    return True
