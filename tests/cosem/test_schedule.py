"""Single action schedule: declared by the book's numbers, and octet for octet what a meter sends."""

from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from tests.cosem.fakes import BlockingFake

from meterwright.cosem import ExecutedScript, ExecutionTime, ScheduleType, SingleActionSchedule
from meterwright.data import Data, octet_date, octet_date_time, octet_string, octet_time
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_of
from meterwright.values import LAST_DAY, CosemDate, CosemDateTime, CosemTime, Obis

SCHEDULE = "0.0.15.0.2.255"
NIGHT = ExecutionTime(CosemTime(2, 30, 0, 0), CosemDate(2026, 3, 1, 7))
"""A Sunday, at half past two."""
NIGHT_OCTETS = "02 02 09 04 02 1E 00 00 09 05 07 EA 03 01 07"
OPEN_OCTETS = "02 02 09 04 FF FF FF FF 09 05 FF FF FF FF FF"


def execution_time(octets: str) -> tuple[ExecutionTime, ...]:
    """The entries in a meter's answer."""
    fake = BlockingFake({f"22/{SCHEDULE}/4": Data.from_octets(bytes.fromhex(octets))})
    return SingleActionSchedule(fake, SCHEDULE).execution_time.get()


def test_numbers_and_names() -> None:
    declared = SingleActionSchedule
    assert (declared.class_id, declared.version, declared.instance) == (22, 0, None)
    assert [(number, each.name, each.type.name) for number, each in declared.attributes.items()] == [
        (1, "logical_name", "logical-name"),
        (2, "executed_script", "structure ExecutedScript"),
        (3, "type", "enum ScheduleType"),
        (4, "execution_time", "array of structure ExecutionTime"),
    ]
    assert all(each.static for each in declared.attributes.values())
    assert declared.methods == {}
    assert [int(each) for each in ScheduleType.__members__.values()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("entries", "octets"),
    [
        ((), "01 00"),
        ((NIGHT,), f"01 01 {NIGHT_OCTETS}"),
        ((NIGHT, ExecutionTime(CosemTime(), CosemDate())), f"01 02 {NIGHT_OCTETS} {OPEN_OCTETS}"),
        (
            (ExecutionTime(CosemTime(0, 0, 0, 0), CosemDate(day_of_month=1)),),
            "01 01 02 02 09 04 00 00 00 00 09 05 FF FF FF 01 FF",
        ),
    ],
    ids=["none", "one-moment", "one-open", "the-first-of-every-month"],
)
def test_moments_octet_for_octet(entries: tuple[ExecutionTime, ...], octets: str) -> None:
    fake = BlockingFake()
    SingleActionSchedule(fake, SCHEDULE).execution_time.set(entries)
    [(attribute, data)] = fake.written
    assert (attribute, data.to_octets()) == (f"22/{SCHEDULE}/4", bytes.fromhex(octets))
    assert execution_time(octets) == entries


def test_an_entry_reads_well() -> None:
    (entry,) = execution_time(f"01 01 {NIGHT_OCTETS}")
    assert (entry.time.to_time(), entry.date.to_date()) == (time(2, 30), date(2026, 3, 1))
    assert f"{entry.date} {entry.time}" == "2026-03-01 02:30:00"
    last = ExecutionTime(CosemTime(3, 0, 0, 0), CosemDate(month=3, day_of_month=LAST_DAY, day_of_week=7))
    assert f"{last.date} {last.time}" == "*-03-last Sun 03:00:00"


def test_the_script_it_starts() -> None:
    octets = bytes.fromhex("02 02 09 06 00 00 0A 00 6B FF 12 00 01")
    fake = BlockingFake({f"22/{SCHEDULE}/2": Data.from_octets(octets)})
    script = ExecutedScript(Obis.of("0.0.10.0.107.255"), 1)
    schedule = SingleActionSchedule(fake, SCHEDULE)
    assert schedule.executed_script.get() == script
    schedule.executed_script.set(script)
    assert fake.written[0][1].to_octets() == octets


@pytest.mark.parametrize(
    ("octets", "label"),
    [
        ("16 01", "one-entry"),
        ("16 05", "different-times-open-dates"),
        ("11 02", "same-time"),
        ("16 09", "unknown-9"),
    ],
)
def test_the_type_is_an_open_enumeration(octets: str, label: str) -> None:
    fake = BlockingFake({f"22/{SCHEDULE}/3": Data.from_octets(bytes.fromhex(octets))})
    assert SingleActionSchedule(fake, SCHEDULE).type.get().label == label


def test_dates_and_times_with_their_own_tags_are_understood() -> None:
    assert execution_time("01 01 02 02 1B 02 1E 00 00 1A 07 EA 03 01 07") == (NIGHT,)


@given(data_of(SingleActionSchedule.execution_time.type))
def test_what_is_sent_is_read(data: Data) -> None:
    kind = SingleActionSchedule.execution_time.type
    value = kind.from_data(data)
    assert kind(value) == data
    assert kind.from_data(Data.from_octets(kind(value).to_octets())) == value


@pytest.mark.parametrize(
    "octets",
    [
        "00",
        "09 09 02 1E 00 00 07 EA 03 01 07",
        "01 01 02 01 09 04 02 1E 00 00",
        "01 01 02 02 09 05 07 EA 03 01 07 09 04 02 1E 00 00",
        "01 01 02 02 09 03 02 1E 00 09 05 07 EA 03 01 07",
        "01 01 02 02 09 04 02 1E 00 00 09 0C 07 EA 03 01 07 02 1E 00 00 80 00 00",
        "01 01 02 02 06 02 1E 00 00 09 05 07 EA 03 01 07",
    ],
    ids=["null", "octets", "no-date", "date-first", "three-octets", "a-date-time", "a-number"],
)
def test_what_is_no_moment_is_refused(octets: str) -> None:
    with pytest.raises(RemoteProtocolError):
        execution_time(octets)


@pytest.mark.parametrize(
    "value",
    [
        NIGHT,
        (octet_time(NIGHT.time),),
        (ExecutedScript(Obis.of(SCHEDULE), 1),),
        ("02:30", "2026-03-01"),
        octet_date(NIGHT.date),
        octet_date_time(CosemDateTime()),
        octet_string(b""),
        None,
    ],
)
def test_what_is_no_entry_is_not_sent(value: Any) -> None:
    fake = BlockingFake()
    with pytest.raises(LocalProtocolError):
        SingleActionSchedule(fake, SCHEDULE).execution_time.set(value)
    assert fake.written == []
