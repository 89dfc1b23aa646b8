"""Scripts of a simulated meter, and schedules that start them (classes 9 and 22; Blue Book 4.5.2 and 4.5.7).

A schedule has no clock and no timer: it asks for the meter's local time, says by `deadline` when it wants to be asked again,
and does by `tick` what is due. When an entry is reached:

==============================  =====================================================================================
nothing left open               at that moment of the meter's local time, once and never again
parts of the date open          on every such day. A day of the week beside an open date counts: with "last" it is
                                the last such day of the month, with a day of the month the first from there on
parts of the time open          at every such time; but what is open behind the last part given counts as 0
no entries, or all of it open   never
no such moment, or it is past   never; past is what is not later than the local time when it is written
==============================  =====================================================================================

Hundredths are not looked at. A clock that jumps over moments starts the script once, however many they were; one that is set
back meets open entries again, and what happened once does not happen twice. What falls due while the process is not there is
missed. Months in which daylight saving begins or ends are no months here: such a meter has none.

An array that does not fit the schedule's `type`, or is longer than `MOST_ENTRIES`, is refused with other-reason.
"""

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Final, NamedTuple

from meterwright.cosem import (
    ExecutedScript,
    ExecutionTime,
    ScheduleType,
    Script,
    ScriptTable,
    SingleActionSchedule,
)
from meterwright.simulator.behaviour import Behaviour, Refusal, Stored, invokes, reads, writes
from meterwright.values import (
    LAST_DAY,
    SECOND_LAST_DAY,
    ActionResult,
    CosemDate,
    CosemTime,
    DataAccessResult,
    Obis,
)

__all__ = ["MOST_ENTRIES", "RunsScript", "ScheduleBehaviour", "ScriptTableBehaviour", "next_execution"]

RunsScript = Callable[[], ActionResult]
"""Does what a script says, and tells what became of it."""

MOST_ENTRIES: Final = 64
"""How many moments a schedule takes."""

_NULL_SCRIPT: Final = 0
_YEARS_AHEAD: Final = 41
"""Every pattern of days comes again within as many: a 29 February that is a Monday, across the year 2100."""


class ScriptTableBehaviour(Behaviour, implements=ScriptTable):
    """Scripts that nobody changes. `ports` do what they say, by script identifier; 0 is the script that does nothing."""

    def __init__(
        self, logical_name: Obis | str, scripts: Iterable[Script], ports: Mapping[int, RunsScript]
    ) -> None:
        listed = tuple(scripts)
        super().__init__(logical_name, [Stored(ScriptTable.scripts, listed)])
        identifiers = [each.script_identifier for each in listed]
        if sorted(identifiers) != sorted(ports) or _NULL_SCRIPT in identifiers:
            raise ValueError(f"{self!r}: scripts {identifiers} need a port each, and are not 0")
        self._ports = dict(ports)

    def __contains__(self, identifier: int) -> bool:
        return identifier in self._ports

    def run(self, identifier: int) -> ActionResult:
        """Start a script; one that is not here is other-reason."""
        if identifier == _NULL_SCRIPT:
            return ActionResult.SUCCESS
        port = self._ports.get(identifier)
        return ActionResult.OTHER_REASON if port is None else port()

    @invokes(ScriptTable.execute)
    def execute(self, identifier: int) -> ActionResult:
        return self.run(identifier)


def _not_kept(_entries: tuple[ExecutionTime, ...]) -> None:
    """For a schedule that forgets all with its process."""


class ScheduleBehaviour(Behaviour, implements=SingleActionSchedule):
    """A schedule that starts one script of a table, at moments that a client may write.

    `local_time` gives what the meter's clock shows; its time zone is handed back, and else not looked at. `entries` are what was kept, and `changed`
    is told what to keep from now on, before it counts: what it raises keeps the schedule as it was.
    """

    def __init__(
        self,
        logical_name: Obis | str,
        table: ScriptTableBehaviour,
        script_selector: int,
        *,
        local_time: Callable[[], datetime],
        schedule_type: ScheduleType = ScheduleType.ONE_ENTRY,
        entries: Iterable[ExecutionTime] = (),
        changed: Callable[[tuple[ExecutionTime, ...]], None] = _not_kept,
    ) -> None:
        if script_selector not in table:
            raise ValueError(f"{table!r} has no script {script_selector}")
        super().__init__(
            logical_name,
            [
                Stored(SingleActionSchedule.executed_script, ExecutedScript(table.obis, script_selector)),
                Stored(SingleActionSchedule.type, schedule_type),
            ],
        )
        self._run = table.run
        self._selector = script_selector
        self._type = schedule_type
        self._local_time = local_time
        self._changed = changed
        self._seen = _shown(local_time())
        self._next: datetime | None = None
        self._take(tuple(entries))

    @property
    def deadline(self) -> datetime | None:
        """The local time at which `tick` is wanted; None where nothing is to come."""
        now = self._local_time()
        self._look(_shown(now))
        return None if self._next is None else self._next.replace(tzinfo=now.tzinfo)

    @property
    def seconds_left(self) -> float | None:
        """How long until then, by the meter's clock; None where nothing is to come."""
        deadline = self.deadline
        return None if deadline is None else max((deadline - self._local_time()).total_seconds(), 0.0)

    def due(self, now: datetime) -> bool:
        """Whether an entry is reached by that local time, and the script was not started for it yet."""
        return self._next is not None and self._next <= _shown(now)

    def tick(self) -> ActionResult | None:
        """Start the script if its time has come, and tell what became of it; None where it has not."""
        now = _shown(self._local_time())
        self._look(now)
        if not self.due(now):
            return None
        self._arm(now)
        return self._run(self._selector)

    @reads(SingleActionSchedule.execution_time)
    def execution_time(self) -> tuple[ExecutionTime, ...]:
        return self._entries

    @writes(SingleActionSchedule.execution_time)
    def set_execution_time(self, entries: tuple[ExecutionTime, ...]) -> None:
        if len(entries) > MOST_ENTRIES or not _fits(self._type, entries):
            raise Refusal(DataAccessResult.OTHER_REASON)
        self._changed(entries)
        self._take(entries)

    def _take(self, entries: tuple[ExecutionTime, ...]) -> None:
        self._entries = entries
        self._pending = entries
        self._arm(_shown(self._local_time()))

    def _look(self, now: datetime) -> None:
        """See whether the clock was set back."""
        if now < self._seen:
            self._arm(now)
        else:
            self._seen = now

    def _arm(self, now: datetime) -> None:
        """From now on; an entry with no moment left is done with, whatever the clock will show."""
        self._seen = now
        coming = {each: moment for each in self._pending if (moment := next_execution(each, now))}
        self._pending = tuple(coming)
        self._next = min(coming.values(), default=None)


# ------------------------------------------------------------------------------------------------ what a type allows


class _Rule(NamedTuple):
    """What the entries of a schedule must be."""

    one_entry: bool = False
    same_time: bool = False
    open_dates: bool = True


_RULES: Final[Mapping[ScheduleType, _Rule]] = {
    ScheduleType.ONE_ENTRY: _Rule(one_entry=True),
    ScheduleType.SAME_TIME: _Rule(same_time=True, open_dates=False),
    ScheduleType.SAME_TIME_OPEN_DATES: _Rule(same_time=True),
    ScheduleType.DIFFERENT_TIMES: _Rule(open_dates=False),
}


def _fits(schedule_type: ScheduleType, entries: tuple[ExecutionTime, ...]) -> bool:
    """Whether a schedule of that type has such entries. One that is all open clears, and does so in every type."""
    rule = _RULES.get(schedule_type, _Rule())
    given = [each for each in entries if not _is_open(each)]
    too_many = rule.one_entry and len(entries) > 1
    times_differ = rule.same_time and len({each.time for each in given}) > 1
    dates_open = not rule.open_dates and not all(each.date.is_exact for each in given)
    return not (too_many or times_differ or dates_open)


# ------------------------------------------------------------------------------------------------ when


def next_execution(entry: ExecutionTime, after: datetime) -> datetime | None:
    """The first moment of an entry later than `after`, as that clock shows it; None where there is none."""
    if _is_open(entry):
        return None
    start = _shown(after)
    for day in _days(entry.date, start.date()):
        for clock in _times(entry.time):
            moment = datetime.combine(day, clock)
            if moment > start:
                return moment.replace(tzinfo=after.tzinfo)
    return None


def _shown(moment: datetime) -> datetime:
    """What a clock shows at that moment."""
    return moment.replace(tzinfo=None)


def _is_open(entry: ExecutionTime) -> bool:
    """Whether nothing of an entry is given."""
    return set(entry.date.octets + entry.time.octets[:3]) == {0xFF}


def _days(rule: CosemDate, start: date) -> Iterator[date]:
    """The days that are meant, from `start` on, in order."""
    for year in _years(rule.year, start.year):
        for month in range(1, 13) if rule.month is None else (rule.month,):
            if 1 <= month <= 12:
                yield from (day for day in _days_of(rule, year, month) if day >= start)


def _years(given: int | None, start: int) -> Iterable[int]:
    if given is None:  # a day of the week from the end of December on may be in January
        return range(max(start - 1, 1), min(start + _YEARS_AHEAD, MAXYEAR))
    return (given,) if start <= given < MAXYEAR else ()


def _days_of(rule: CosemDate, year: int, month: int) -> Iterable[date]:
    """The days of one month that are meant."""
    days = [date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]
    number, weekday = rule.day_of_month, rule.day_of_week
    if number not in (None, LAST_DAY, SECOND_LAST_DAY):
        found = days[number - 1 : number] if number else []
        if weekday is None or None not in (rule.year, rule.month):
            return found
        return [day + timedelta((weekday - day.isoweekday()) % 7) for day in found if weekday in _WEEKDAYS]
    if weekday is not None:
        days = [day for day in days if day.isoweekday() == weekday]
    return days[_FROM_THE_END[number]]


_WEEKDAYS: Final = range(1, 8)
_FROM_THE_END: Final = {None: slice(None), LAST_DAY: slice(-1, None), SECOND_LAST_DAY: slice(-2, -1)}


def _times(rule: CosemTime) -> Iterator[time]:
    """The times of day that are meant, in order."""
    hour, minute, second = rule.hour, rule.minute, rule.second
    nothing_behind = minute is None and second is None
    hours = range(24) if hour is None and not nothing_behind else (hour or 0,)
    minutes = range(60) if minute is None and second is not None else (minute or 0,)
    if (second or 0) < 60:
        yield from (time(h, m, second or 0) for h in hours if h < 24 for m in minutes if m < 60)
