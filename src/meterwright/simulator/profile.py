"""Profiles of a simulated meter (class 7; Blue Book 4.3.6): rows that its clock captures, and the parts of them that are asked for.

What a row holds depends on its moment alone. So nothing runs in the background: whenever somebody looks, the rows that became
due since are made, and so is, at the first look, what the buffer holds of the time before. A clock that is set makes no rows
of its own; those to come bear its new time. `reset` and what `capture` added last as long as the process.

Rows come as `BufferForm` says. What a client selects wrongly is answered so (the books leave the choice to the maker):

==============================================================  =========================
no descriptor, or values that the column cannot be compared to  type-unmatched
a column that is not captured, entry or column 0 as the first,  scope-of-access-violated
a first column that there is not, or columns in reverse
an entry or value after the last, entries in reverse            no rows
==============================================================  =========================
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Final, TypeAlias

from meterwright.cosem import (
    CaptureObject,
    ProfileGeneric,
    ProfileSelector,
    SortMethod,
    entry_descriptor,
    range_descriptor,
)
from meterwright.data import CompactArray, Data, DataTag, TypeDescription, null_data, octet_date_time
from meterwright.simulator.behaviour import Behaviour, Stored, exact, invokes, reads, selects
from meterwright.simulator.clock import MeterClock
from meterwright.simulator.objects import ClockBehaviour
from meterwright.simulator.profile_selection import Cells, Table, columns_between, columns_named, rows_between
from meterwright.values import CosemDateTime, Obis

__all__ = ["BufferForm", "Moments", "ProfileBehaviour", "ProfileColumn", "clock_column", "every"]

Moments: TypeAlias = Callable[[datetime, datetime], Iterable[datetime]]
"""When something is captured: the moments after the first, and not after the second, in order."""

_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_UNSORTED: Final = CaptureObject(0, Obis(bytes(6)), 0)


class BufferForm(Enum):
    """How rows are sent."""

    ARRAY = "array"
    COMPACT_ARRAY = "compact-array"
    NULL_DATA = "null-data"
    """An array in which null-data stands for what can be told from the row before."""


@dataclass(frozen=True, slots=True)
class ProfileColumn:
    """What a column holds, and its cell at a moment of true time."""

    captured: CaptureObject
    at: Callable[[datetime], Data]


def clock_column(shown: ClockBehaviour) -> ProfileColumn:
    """The column of the meter's clock."""
    captured = CaptureObject.of(shown.interface.class_id, shown.obis, 2)
    return ProfileColumn(
        captured, lambda moment: octet_date_time(CosemDateTime.from_datetime(shown.at(moment)))
    )


def every(period: timedelta) -> Moments:
    """At every whole period, counted from a midnight on."""

    def moments(after: datetime, until: datetime) -> Iterator[datetime]:
        moment = _BEGINNING + ((after - _BEGINNING) // period + 1) * period
        while moment <= until:
            yield moment
            moment += period

    return moments


class ProfileBehaviour(Behaviour, implements=ProfileGeneric):
    """A profile. `reach` is how far back the rows go that its buffer can hold; `capture_period` in seconds, 0 where it has none."""

    def __init__(
        self,
        logical_name: Obis | str,
        columns: Sequence[ProfileColumn],
        moments: Moments,
        *,
        clock: MeterClock,
        shown: ClockBehaviour,
        reach: timedelta,
        capture_period: int,
        profile_entries: int,
        sort_method: SortMethod = SortMethod.FIFO,
        form: BufferForm = BufferForm.ARRAY,
    ) -> None:
        if sort_method not in (SortMethod.FIFO, SortMethod.LIFO):
            raise ValueError(f"simulated profiles are not sorted by {sort_method.label}")
        captured = tuple(each.captured for each in columns)
        super().__init__(
            logical_name,
            [
                Stored(ProfileGeneric.capture_objects, captured),
                Stored(ProfileGeneric.capture_period, capture_period),
                Stored(ProfileGeneric.sort_method, sort_method),
                Stored(ProfileGeneric.sort_object, _UNSORTED),
                Stored(ProfileGeneric.profile_entries, profile_entries),
            ],
        )
        self._columns = tuple(columns)
        self._captured = captured
        self._moments = moments
        self._clock = clock
        self._shown = shown
        self._reach = reach
        self._period = timedelta(seconds=capture_period)
        self._newest_first = sort_method is SortMethod.LIFO
        self._form = form
        self._rows: deque[Cells] = deque(maxlen=profile_entries)
        self._seen: datetime | None = None

    @reads(ProfileGeneric.buffer)
    def buffer(self) -> Data:
        return self._sent(range(len(self._columns)), self._table().rows)

    @selects(ProfileGeneric.buffer, ProfileSelector.RANGE)
    def range(self, parameters: Data) -> Data:
        wanted = exact(range_descriptor, parameters)
        table = self._table()
        columns = columns_named(table, wanted.selected_values)
        return self._sent(columns, rows_between(table, wanted))

    @selects(ProfileGeneric.buffer, ProfileSelector.ENTRY)
    def entries(self, parameters: Data) -> Data:
        wanted = exact(entry_descriptor, parameters)
        table = self._table()
        columns = columns_between(table, wanted.from_selected_value, wanted.to_selected_value)
        return self._sent(columns, table.entries(wanted.from_entry, wanted.to_entry))

    @reads(ProfileGeneric.entries_in_use)
    def entries_in_use(self) -> int:
        self._catch_up()
        return len(self._rows)

    @invokes(ProfileGeneric.reset)
    def reset(self, _: None) -> None:
        self._catch_up()
        self._rows.clear()

    @invokes(ProfileGeneric.capture)
    def capture(self, _: None) -> None:
        self._catch_up()
        self._capture(self._clock.now())

    def _table(self) -> Table:
        self._catch_up()
        return Table(self._captured, tuple(reversed(self._rows) if self._newest_first else self._rows))

    def _catch_up(self) -> None:
        """Capture what became due since somebody looked, as far back as the buffer reaches."""
        now = self._clock.now()
        off_by = self._shown.at(now) - now
        oldest = now - self._reach
        since = oldest if self._seen is None else max(self._seen, oldest)
        self._seen = now
        for moment in self._moments(since + off_by, now + off_by):
            self._capture(moment - off_by)

    def _capture(self, moment: datetime) -> None:
        self._rows.append(tuple(each.at(moment) for each in self._columns))

    def _sent(self, columns: Sequence[int], rows: Iterable[Cells]) -> Data:
        chosen = [tuple(row[index] for index in columns) for row in rows]
        if self._form is BufferForm.NULL_DATA:
            chosen = self._without_what_can_be_told(columns, chosen)
        structures = tuple(Data(DataTag.STRUCTURE, row) for row in chosen)
        if self._form is not BufferForm.COMPACT_ARRAY:
            return Data(DataTag.ARRAY, structures)
        sample = tuple(self._columns[index].at(self._clock.now()) for index in columns)
        described = TypeDescription.of(Data(DataTag.STRUCTURE, sample))
        return Data(DataTag.COMPACT_ARRAY, CompactArray(structures, described))

    def _without_what_can_be_told(self, columns: Sequence[int], rows: list[Cells]) -> list[Cells]:
        """The first row as it is, and of the others what differs from what is expected after the row before."""
        clocks = [self._captured[index].is_clock for index in columns]
        shorter = [
            tuple(
                null_data(None) if self._can_be_told(before, cell, is_clock=is_clock) else cell
                for before, cell, is_clock in zip(earlier, row, clocks, strict=True)
            )
            for earlier, row in pairwise(rows)
        ]
        return rows[:1] + shorter

    def _can_be_told(self, before: Data, cell: Data, *, is_clock: bool) -> bool:
        if not is_clock:
            return before == cell
        moments = [octet_date_time.from_data(each).to_datetime() for each in (before, cell)]
        return bool(self._period) and moments[1] - moments[0] == self._period
