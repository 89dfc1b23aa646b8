"""Scripts and schedules of a simulated meter, in time that passes when told to."""

from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.cosem import (
    ExecutedScript,
    ExecutionTime,
    ScheduleType,
    Script,
    ScriptAction,
    ScriptService,
    ScriptTable,
    SingleActionSchedule,
)
from meterwright.data import Data, enum, integer, long_unsigned, null_data, structure
from meterwright.server import ActionOutcome
from meterwright.simulator import ManualClock, Refusal
from meterwright.simulator.schedules import (
    MOST_ENTRIES,
    ScheduleBehaviour,
    ScriptTableBehaviour,
    next_execution,
)
from meterwright.values import (
    DAYLIGHT_SAVING_BEGIN,
    LAST_DAY,
    SECOND_LAST_DAY,
    ActionResult,
    CosemDate,
    CosemTime,
    DataAccessResult,
    Obis,
)

INDIA = timezone(timedelta(hours=5, minutes=30))
NOON = datetime(2026, 3, 1, 12, tzinfo=INDIA)
"""A Sunday."""
TABLE = "0.0.10.0.107.255"
SCHEDULE = "0.0.15.0.2.255"
ACTIVATE = ScriptAction(ScriptService.EXECUTE_METHOD, 18, Obis.of("0.0.44.0.0.255"), 4, integer(0))
EXECUTION_TIME = 4
OPEN = ExecutionTime(CosemTime(), CosemDate())
CLEARED = "01 01 02 02 09 04 FF FF FF FF 09 05 FF FF FF FF FF"
MINUTE, HOUR, DAY = 60, 3600, 86400
HOURLY = ExecutionTime(CosemTime(minute=0, second=0), CosemDate())


def at(clock: str, day: str = "2026-03-01") -> ExecutionTime:
    """One moment."""
    return ExecutionTime(
        CosemTime.from_time(time.fromisoformat(clock)), CosemDate.from_date(date.fromisoformat(day))
    )


class Bench:
    """A schedule on a table, a clock, and what was done."""

    def __init__(
        self,
        *entries: ExecutionTime,
        schedule_type: ScheduleType = ScheduleType.DIFFERENT_TIMES_OPEN_DATES,
        start: datetime = NOON,
    ) -> None:
        self.clock = ManualClock(start)
        self.off_by = timedelta(0)
        self.runs: list[datetime] = []
        self.kept: list[tuple[ExecutionTime, ...]] = []
        self.result = ActionResult.SUCCESS
        self.table = ScriptTableBehaviour(TABLE, [Script(1, (ACTIVATE,))], {1: self.activate})
        self.schedule = ScheduleBehaviour(
            SCHEDULE,
            self.table,
            1,
            local_time=self.now,
            schedule_type=schedule_type,
            entries=entries,
            changed=self.kept.append,
        )

    def now(self) -> datetime:
        return self.clock.now() + self.off_by

    def activate(self) -> ActionResult:
        self.runs.append(self.now())
        return self.result

    def write(self, *entries: ExecutionTime) -> None:
        """As a client does."""
        self.schedule.set(EXECUTION_TIME, SingleActionSchedule.execution_time.type(entries))

    def read(self) -> tuple[ExecutionTime, ...]:
        """As a client does."""
        return SingleActionSchedule.execution_time.type.from_data(self.schedule.get(EXECUTION_TIME))

    def ticks(self, seconds: int, step: int = 1) -> list[str]:
        """When the script was started while so many seconds passed."""
        before = len(self.runs)
        for _ in range(0, seconds, step):
            self.clock.pass_by(step)
            self.schedule.tick()
        return [f"{moment:%m-%d %H:%M:%S}" for moment in self.runs[before:]]

    def deadline(self) -> str | None:
        """When a tick is wanted."""
        deadline = self.schedule.deadline
        return None if deadline is None else f"{deadline:%m-%d %H:%M:%S}"

    def sleeps(self, times: int) -> list[str]:
        """When the script was started by somebody who sleeps until each deadline."""
        before = len(self.runs)
        for _ in range(times):
            deadline = self.schedule.deadline
            if deadline is None:
                break
            self.clock.pass_by((deadline - self.now()).total_seconds())
            assert self.schedule.tick() is self.result
        return [f"{moment:%y-%m-%d %H:%M:%S}" for moment in self.runs[before:]]


def refusal(act: object) -> DataAccessResult:
    assert callable(act)
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value.data_access_result


class TestScripts:
    """A table of fixed scripts."""

    def test_what_a_client_sees(self) -> None:
        table = Bench().table
        assert table.get(2) == ScriptTable.scripts.type((Script(1, (ACTIVATE,)),))
        element = table.list_element()
        assert (element.class_id, str(element.logical_name)) == (9, TABLE)
        assert [each.access_mode for each in element.access_rights.attribute_access] == [1, 1]
        assert refusal(lambda: table.set(2, table.get(2))) is DataAccessResult.READ_WRITE_DENIED

    def test_a_script_is_started_by_its_number_and_its_result_is_the_answer(self) -> None:
        bench = Bench()
        assert bench.table.invoke(1, long_unsigned(1)) == ActionOutcome(ActionResult.SUCCESS)
        bench.result = ActionResult.TEMPORARY_FAILURE
        assert bench.table.invoke(1, long_unsigned(1)) == ActionOutcome(ActionResult.TEMPORARY_FAILURE)
        assert len(bench.runs) == 2

    @pytest.mark.parametrize(
        ("parameter", "result"),
        [
            (long_unsigned(0), ActionResult.SUCCESS),
            (long_unsigned(2), ActionResult.OTHER_REASON),
            (integer(1), ActionResult.TYPE_UNMATCHED),
            (None, ActionResult.TYPE_UNMATCHED),
        ],
        ids=["null-script", "unknown", "another-type", "nothing"],
    )
    def test_what_starts_nothing(self, parameter: Data | None, result: ActionResult) -> None:
        bench = Bench()
        assert bench.table.invoke(1, parameter) == ActionOutcome(result)
        assert bench.runs == []

    def test_each_script_has_its_port(self) -> None:
        done: list[int] = []

        def port(number: int) -> ActionResult:
            done.append(number)
            return ActionResult.SUCCESS

        two = [Script(1, ()), Script(7, ())]
        table = ScriptTableBehaviour(TABLE, two, {1: partial(port, 1), 7: partial(port, 7)})
        assert table.execute(7) is ActionResult.SUCCESS
        assert done == [7]
        assert 7 in table
        assert 2 not in table

    @pytest.mark.parametrize("numbers", [(), (1, 2), (1, 1), (0,), (2,)])
    def test_a_script_without_a_port_is_a_mistake(self, numbers: tuple[int, ...]) -> None:
        ports = {number: lambda: ActionResult.SUCCESS for number in ((0,) if numbers == (0,) else (1,))}
        with pytest.raises(ValueError, match=TABLE):
            ScriptTableBehaviour(TABLE, [Script(number, ()) for number in numbers], ports)

    def test_a_schedule_of_a_script_that_is_not_there_is_a_mistake(self) -> None:
        bench = Bench()
        for selector in (0, 2):
            with pytest.raises(ValueError, match=f"no script {selector}"):
                ScheduleBehaviour(SCHEDULE, bench.table, selector, local_time=bench.now)


class TestWhatAClientSees:
    """Reading and writing the object."""

    def test_script_and_type_are_read_only(self) -> None:
        schedule = Bench(schedule_type=ScheduleType.ONE_ENTRY).schedule
        script = structure(ExecutedScript)(ExecutedScript(Obis.of(TABLE), 1))
        assert (schedule.get(2), schedule.get(3)) == (script, enum(1))
        modes = [each.access_mode for each in schedule.list_element().access_rights.attribute_access]
        assert modes == [1, 1, 1, 3]
        assert refusal(lambda: schedule.set(2, script)) is DataAccessResult.READ_WRITE_DENIED

    def test_what_was_written_is_read_back_and_kept(self) -> None:
        bench = Bench()
        assert bench.schedule.get(EXECUTION_TIME).to_octets() == b"\x01\x00"
        bench.write(at("13:00"), HOURLY)
        assert bench.read() == (at("13:00"), HOURLY)
        bench.schedule.set(EXECUTION_TIME, Data.from_octets(bytes.fromhex(CLEARED)))
        assert bench.read() == (OPEN,)
        assert bench.kept == [(at("13:00"), HOURLY), (OPEN,)]

    def test_a_moment_stays_to_be_read_when_it_is_over(self) -> None:
        bench = Bench()
        bench.write(at("12:01"))
        assert bench.ticks(2 * MINUTE) == ["03-01 12:01:00"]
        assert bench.read() == (at("12:01"),)
        assert bench.kept == [(at("12:01"),)]

    @pytest.mark.parametrize(
        "data", [null_data(None), enum(1), SingleActionSchedule.execution_time.type.parts[0](OPEN)]
    )
    def test_another_type_is_refused(self, data: Data) -> None:
        bench = Bench(at("13:00"))
        assert refusal(lambda: bench.schedule.set(EXECUTION_TIME, data)) is DataAccessResult.TYPE_UNMATCHED
        assert bench.deadline() == "03-01 13:00:00"

    def test_too_many_are_refused(self) -> None:
        bench = Bench(at("13:00"))
        entries = [HOURLY] * (MOST_ENTRIES + 1)
        assert refusal(lambda: bench.write(*entries)) is DataAccessResult.OTHER_REASON
        bench.write(*entries[1:])
        assert bench.read() == tuple(entries[1:])

    def test_what_cannot_be_kept_does_not_count(self) -> None:
        bench = Bench()

        def full_disk(entries: tuple[ExecutionTime, ...]) -> None:
            raise OSError(f"no room for {entries}")

        schedule = ScheduleBehaviour(
            SCHEDULE, bench.table, 1, local_time=bench.now, entries=[at("13:00")], changed=full_disk
        )
        with pytest.raises(OSError, match="no room"):
            schedule.set(EXECUTION_TIME, Data.from_octets(b"\x01\x00"))
        assert schedule.execution_time() == (at("13:00"),)
        assert schedule.deadline == datetime(2026, 3, 1, 13, tzinfo=INDIA)

    @pytest.mark.parametrize(
        ("number", "entries", "fits"),
        [
            (1, (), True),
            (1, (HOURLY,), True),
            (1, (at("13:00"), at("14:00")), False),
            (2, (at("13:00"), at("13:00", "2026-03-02")), True),
            (2, (at("13:00"), at("14:00")), False),
            (2, (HOURLY,), False),
            (3, (HOURLY, HOURLY), True),
            (3, (HOURLY, at("14:00")), False),
            (4, (at("13:00"), at("14:00")), True),
            (4, (at("13:00"), HOURLY), False),
            (5, (at("13:00"), HOURLY), True),
            (9, (at("13:00"), HOURLY), True),
            *((number, (OPEN,), True) for number in range(1, 6)),
        ],
    )
    def test_the_type_says_what_may_be_written(
        self, number: int, entries: tuple[ExecutionTime, ...], *, fits: bool
    ) -> None:
        bench = Bench(schedule_type=ScheduleType(number))
        if fits:
            bench.write(*entries)
            assert bench.read() == entries
        else:
            assert refusal(lambda: bench.write(*entries)) is DataAccessResult.OTHER_REASON
            assert bench.kept == []


class TestWhen:
    """An entry is reached."""

    def test_one_moment_once(self) -> None:
        bench = Bench()
        bench.write(at("12:05"))
        assert bench.deadline() == "03-01 12:05:00"
        assert bench.ticks(5 * MINUTE - 1) == []
        assert bench.ticks(1) == ["03-01 12:05:00"]
        assert bench.deadline() is None
        assert bench.ticks(2 * DAY, HOUR) == []

    def test_a_tick_tells_what_became_of_the_script(self) -> None:
        bench = Bench(at("12:01"))
        bench.result = ActionResult.OTHER_REASON
        assert bench.schedule.tick() is None
        bench.clock.pass_by(MINUTE)
        assert bench.schedule.tick() is ActionResult.OTHER_REASON
        assert bench.schedule.tick() is None

    def test_it_can_be_asked_without_a_clock(self) -> None:
        schedule = Bench(at("12:01")).schedule
        asked = [schedule.due(NOON + timedelta(seconds=seconds)) for seconds in (0, 59, 60, DAY)]
        assert asked == [False, False, True, True]

    def test_a_tick_that_comes_late_is_not_too_late(self) -> None:
        assert Bench(at("12:05")).ticks(2 * HOUR, HOUR) == ["03-01 13:00:00"]

    @pytest.mark.parametrize("when", ["11:59:59", "12:00:00"])
    def test_a_moment_that_is_past_when_written_never_comes(self, when: str) -> None:
        bench = Bench()
        bench.write(at(when))
        assert bench.deadline() is None
        assert bench.ticks(DAY, MINUTE) == []
        bench.off_by = -timedelta(days=2)
        assert bench.ticks(3 * DAY, MINUTE) == []

    @pytest.mark.parametrize("entries", [(), (OPEN,), (ExecutionTime(CosemTime(hundredths=0), CosemDate()),)])
    def test_cleared_means_never(self, entries: tuple[ExecutionTime, ...]) -> None:
        bench = Bench(at("12:01"))
        bench.write(*entries)
        assert bench.deadline() is None
        assert bench.ticks(DAY, MINUTE) == []

    def test_several_moments_each_once(self) -> None:
        bench = Bench(at("12:30"), at("12:10"), at("12:20", "2026-03-02"), at("12:10"))
        assert bench.ticks(2 * DAY, MINUTE) == ["03-01 12:10:00", "03-01 12:30:00", "03-02 12:20:00"]

    def test_written_anew_the_old_moments_are_gone(self) -> None:
        bench = Bench(at("12:10"), at("12:20"))
        bench.write(at("12:15"))
        assert bench.ticks(HOUR, MINUTE) == ["03-01 12:15:00"]

    def test_the_same_moment_written_again_after_it_came_is_past(self) -> None:
        bench = Bench(at("12:10"))
        bench.ticks(HOUR, MINUTE)
        bench.write(at("12:10"))
        assert bench.ticks(HOUR, MINUTE) == []

    def test_hundredths_are_not_looked_at(self) -> None:
        entry = ExecutionTime(CosemTime(12, 5, 0, 50), CosemDate(2026, 3, 1))
        assert Bench(entry).deadline() == "03-01 12:05:00"

    @pytest.mark.parametrize(
        ("clock", "day", "expected"),
        [
            (CosemTime(2, 0, 0), CosemDate(), ["26-03-02 02:00:00", "26-03-03 02:00:00"]),
            (CosemTime(13), CosemDate(), ["26-03-01 13:00:00", "26-03-02 13:00:00"]),
            (CosemTime(13, 15), CosemDate(), ["26-03-01 13:15:00", "26-03-02 13:15:00"]),
            (CosemTime(minute=15), CosemDate(), ["26-03-01 12:15:00", "26-03-01 13:15:00"]),
            (CosemTime(second=30), CosemDate(), ["26-03-01 12:00:30", "26-03-01 12:01:30"]),
            (CosemTime(hour=13, second=5), CosemDate(), ["26-03-01 13:00:05", "26-03-01 13:01:05"]),
            (CosemTime(), CosemDate(day_of_week=3), ["26-03-04 00:00:00", "26-03-11 00:00:00"]),
            (CosemTime(0, 0, 0, 0), CosemDate(day_of_month=1), ["26-04-01 00:00:00", "26-05-01 00:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(day_of_month=31), ["26-03-31 00:00:00", "26-05-31 00:00:00"]),
            (
                CosemTime(0, 0, 0),
                CosemDate(day_of_month=LAST_DAY),
                ["26-03-31 00:00:00", "26-04-30 00:00:00"],
            ),
            (
                CosemTime(0, 0, 0),
                CosemDate(None, 2, SECOND_LAST_DAY),
                ["27-02-27 00:00:00", "28-02-28 00:00:00"],
            ),
            (CosemTime(2, 0, 0), CosemDate(None, 3, LAST_DAY, 7), ["26-03-29 02:00:00", "27-03-28 02:00:00"]),
            (
                CosemTime(2, 0, 0),
                CosemDate(None, 3, SECOND_LAST_DAY, 7),
                ["26-03-22 02:00:00", "27-03-21 02:00:00"],
            ),
            (CosemTime(2, 0, 0), CosemDate(None, 3, 8, 7), ["26-03-08 02:00:00", "27-03-14 02:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(None, None, 31, 1), ["26-04-06 00:00:00", "26-06-01 00:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(None, 12, 31, 5), ["27-01-01 00:00:00", "27-12-31 00:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(None, 2, 29), ["28-02-29 00:00:00", "32-02-29 00:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(2027), ["27-01-01 00:00:00", "27-01-02 00:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(2026, 4, 1, 1), ["26-04-01 00:00:00"]),
            (CosemTime(0, 0, 0), CosemDate(2026, 4, LAST_DAY), ["26-04-30 00:00:00"]),
        ],
        ids=lambda each: str(each) if not isinstance(each, list) else "",
    )
    def test_what_is_open_means_every(self, clock: CosemTime, day: CosemDate, expected: list[str]) -> None:
        assert Bench(ExecutionTime(clock, day)).sleeps(2) == expected

    @pytest.mark.parametrize(
        ("clock", "day"),
        [
            (CosemTime(24, 0, 0), CosemDate()),
            (CosemTime(0, 60, 0), CosemDate()),
            (CosemTime(0, 0, 60), CosemDate()),
            (CosemTime(0, 0, 0), CosemDate(month=13)),
            (CosemTime(0, 0, 0), CosemDate(month=DAYLIGHT_SAVING_BEGIN)),
            (CosemTime(0, 0, 0), CosemDate(month=0)),
            (CosemTime(0, 0, 0), CosemDate(month=2, day_of_month=30)),
            (CosemTime(0, 0, 0), CosemDate(day_of_month=0)),
            (CosemTime(0, 0, 0), CosemDate(day_of_month=32)),
            (CosemTime(0, 0, 0), CosemDate(day_of_week=8)),
            (CosemTime(0, 0, 0), CosemDate(day_of_month=1, day_of_week=0)),
            (CosemTime(0, 0, 0), CosemDate(2025)),
            (CosemTime(0, 0, 0), CosemDate(65534, 1, 1)),
            (CosemTime(0, 0, 0), CosemDate(0, 1, 1)),
        ],
        ids=str,
    )
    def test_what_is_no_moment_never_comes(self, clock: CosemTime, day: CosemDate) -> None:
        assert Bench(ExecutionTime(clock, day)).deadline() is None

    def test_any_pattern_of_days_comes_again(self) -> None:
        leap_day = ExecutionTime(CosemTime(0), CosemDate(None, 2, 29, None))
        assert next_execution(leap_day, datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)
        monday = ExecutionTime(CosemTime(0), CosemDate(None, 2, LAST_DAY, 1))
        assert next_execution(monday, NOON) == datetime(2027, 2, 22, tzinfo=INDIA)

    def test_a_saturday_from_the_end_of_december_on_may_be_in_january(self) -> None:
        entry = ExecutionTime(CosemTime(0), CosemDate(None, 12, 31, 6))
        assert next_execution(entry, datetime(2027, 1, 1, tzinfo=UTC)) == datetime(2027, 1, 2, tzinfo=UTC)

    @pytest.mark.parametrize("year", [None, 9999])
    def test_the_calendar_has_an_end(self, year: int | None) -> None:
        entry = ExecutionTime(CosemTime(0), CosemDate(year, None, 31, 1))
        assert next_execution(entry, datetime(9999, 12, 30, tzinfo=UTC)) is None

    @given(st.binary(min_size=9, max_size=9), st.datetimes(timezones=st.just(UTC)))
    def test_any_octets_have_a_moment_or_none(self, octets: bytes, after: datetime) -> None:
        entry = ExecutionTime(CosemTime.from_octets(octets[:4]), CosemDate.from_octets(octets[4:]))
        found = next_execution(entry, after)
        assert found is None or found > after.replace(tzinfo=None)

    @given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
    def test_an_exact_entry_is_its_moment_if_that_is_later(self, moment: datetime, after: datetime) -> None:
        entry = ExecutionTime(CosemTime.from_time(moment.time()), CosemDate.from_date(moment))
        exact = moment.replace(microsecond=0)
        expected = exact if exact > after and exact.year < MAXYEAR else None
        assert next_execution(entry, after) == expected

    @given(
        st.tuples(*(st.none() | st.integers(0, most) for most in (23, 59, 59))),
        st.tuples(st.none() | st.sampled_from((2026, 2027)), st.none() | st.integers(1, 12)),
        st.none() | st.integers(1, 7),
    )
    def test_what_comes_fits_what_is_given(
        self,
        clock: tuple[int | None, int | None, int | None],
        day: tuple[int | None, int | None],
        weekday: int | None,
    ) -> None:
        entry = ExecutionTime(CosemTime(*clock), CosemDate(*day, None, weekday))
        found = next_execution(entry, NOON)
        if found is not None:
            parts = (found.hour, found.minute, found.second, found.year, found.month, found.isoweekday())
            given_parts = (*clock, *day, weekday)
            assert all(part in (None, is_) for part, is_ in zip(given_parts, parts, strict=True))


class TestClocksThatAreSet:
    """The meter's local time does not only pass."""

    def test_local_time_counts_not_utc(self) -> None:
        bench = Bench(at("13:00"), start=NOON.astimezone(UTC).astimezone(INDIA))
        assert bench.ticks(DAY, MINUTE) == ["03-01 13:00:00"]

    def test_set_forward_over_moments_the_script_is_started_once(self) -> None:
        bench = Bench(at("12:10"), at("12:20"), HOURLY)
        bench.off_by = timedelta(hours=3, minutes=30)
        assert bench.ticks(HOUR, MINUTE) == ["03-01 15:31:00", "03-01 16:00:00"]

    def test_set_back_what_happened_once_does_not_happen_twice(self) -> None:
        bench = Bench(at("12:10"), at("12:50"))
        bench.ticks(30 * MINUTE, MINUTE)
        bench.off_by = -timedelta(minutes=30)
        assert bench.ticks(2 * HOUR, MINUTE) == ["03-01 12:50:00"]

    def test_set_back_open_entries_are_met_again(self) -> None:
        bench = Bench(HOURLY)
        assert bench.ticks(90 * MINUTE, MINUTE) == ["03-01 13:00:00"]
        bench.off_by = -timedelta(hours=1)
        assert bench.deadline() == "03-01 13:00:00"
        assert bench.ticks(60 * MINUTE, MINUTE) == ["03-01 13:00:00"]

    def test_a_clock_that_was_wrong_for_a_while_leaves_open_entries_as_they_were(self) -> None:
        bench = Bench(HOURLY)
        bench.off_by = timedelta(days=10_000)
        bench.ticks(1)
        bench.off_by = timedelta(0)
        assert bench.ticks(HOUR - 1) == ["03-01 13:00:00"]

    def test_a_script_that_fails_is_not_started_again(self) -> None:
        bench = Bench()

        def broken() -> ActionResult:
            bench.runs.append(bench.now())
            raise OSError("no disk")

        table = ScriptTableBehaviour(TABLE, [Script(1, ())], {1: broken})
        schedule = ScheduleBehaviour(SCHEDULE, table, 1, local_time=bench.now, entries=[at("12:01")])
        bench.clock.pass_by(MINUTE)
        with pytest.raises(OSError, match="no disk"):
            schedule.tick()
        assert schedule.tick() is None
        assert len(bench.runs) == 1


class TestKept:
    """A meter that is started again gets the entries that were kept."""

    def test_what_is_to_come_comes(self) -> None:
        first = Bench()
        first.write(at("12:10"))
        again = Bench(*first.kept[-1], start=NOON + timedelta(minutes=5))
        assert again.read() == (at("12:10"),)
        assert again.kept == []
        assert again.ticks(HOUR, MINUTE) == ["03-01 12:10:00"]

    @pytest.mark.parametrize("minutes", [10, 11], ids=["done-in-the-same-second", "missed"])
    def test_what_was_done_or_missed_does_not(self, minutes: int) -> None:
        again = Bench(at("12:10"), start=NOON + timedelta(minutes=minutes))
        assert again.ticks(HOUR, MINUTE) == []
        assert again.read() == (at("12:10"),)
