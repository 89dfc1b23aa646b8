"""Date and time: lossless for any octets, and right where they are a moment."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import (
    DAYLIGHT_SAVING_BEGIN,
    DAYLIGHT_SAVING_END,
    LAST_DAY,
    SECOND_LAST_DAY,
    ClockStatus,
    CosemDate,
    CosemDateTime,
    CosemTime,
)

CET = timezone(timedelta(hours=1))
IST = timezone(timedelta(hours=5, minutes=30))


class CentralEuropeanSummer(tzinfo):
    """A zone that says of itself that daylight saving is on; the system's zones may be missing here."""

    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(hours=2)

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta(hours=1)

    def tzname(self, _: datetime | None) -> str:
        return "CEST"


whole_minute_zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
hundredths = st.integers(0, 99).map(lambda number: number * 10_000)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """What a date-time can hold: whole hundredths, naive or a whole number of minutes off UTC."""
    moment = draw(st.datetimes(timezones=st.none() | whole_minute_zones))
    return moment.replace(microsecond=draw(hundredths))


# ------------------------------------------------------------------------------------------- octets


@given(st.binary(min_size=12, max_size=12))
def test_any_12_octets_round_trip(octets: bytes) -> None:
    moment = CosemDateTime.from_octets(octets)
    assert moment.to_octets() == octets
    assert moment.date.to_octets() + moment.time.to_octets() == octets[:9]
    again = CosemDateTime(
        moment.year,
        moment.month,
        moment.day_of_month,
        day_of_week=moment.day_of_week,
        hour=moment.hour,
        minute=moment.minute,
        second=moment.second,
        hundredths=moment.hundredths,
        deviation=moment.deviation,
        clock_status=moment.clock_status,
    )
    assert again == moment
    assert hash(again) == hash(moment)
    assert str(moment)


@given(st.binary(min_size=5, max_size=5))
def test_any_5_octets_are_a_date(octets: bytes) -> None:
    day = CosemDate.from_octets(octets)
    assert day.to_octets() == octets
    assert CosemDate(day.year, day.month, day.day_of_month, day.day_of_week) == day
    assert str(day)


@given(st.binary(min_size=4, max_size=4))
def test_any_4_octets_are_a_time(octets: bytes) -> None:
    clock = CosemTime.from_octets(octets)
    assert clock.to_octets() == octets
    assert CosemTime(clock.hour, clock.minute, clock.second, clock.hundredths) == clock
    assert str(clock)


@given(st.binary(min_size=12, max_size=12), st.booleans())
def test_any_12_octets_are_a_moment_or_a_value_error(octets: bytes, inverted: bool) -> None:
    moment = CosemDateTime.from_octets(octets)
    if moment.is_exact:
        converted = moment.to_datetime(inverted_deviation=inverted)
        assert (converted.tzinfo is None) == (moment.deviation is None)
        assert (converted.year, converted.minute) == (moment.year, moment.minute)
    else:
        with pytest.raises(ValueError, match=r"is not|no time zone"):
            moment.to_datetime(inverted_deviation=inverted)


@pytest.mark.parametrize("kind", [CosemDate, CosemTime, CosemDateTime])
def test_other_sizes_are_refused(kind: type[CosemDate | CosemTime | CosemDateTime]) -> None:
    for size in {*range(14)} - {kind.SIZE}:
        with pytest.raises(ValueError, match=f"a {kind.__name__} has {kind.SIZE} octets, not {size}"):
            kind.from_octets(bytes(size))


def test_the_octets_are_kept_apart_from_a_buffer_they_came_in() -> None:
    buffer = bytearray.fromhex("07E8010101000000FF800000")
    moment = CosemDateTime.from_octets(buffer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # under test
    buffer[0] = 0
    assert moment.year == 2024


# ------------------------------------------------------------------------------------------- fields


def test_a_golden_date_time() -> None:
    moment = CosemDateTime.from_octets(bytes.fromhex("07E8010101000000FF800000"))
    assert moment == CosemDateTime(
        2024, 1, 1, day_of_week=1, hour=0, minute=0, second=0, clock_status=ClockStatus(0)
    )
    assert moment.hundredths is None
    assert moment.deviation is None
    assert moment.clock_status == ClockStatus(0)
    assert moment.is_exact
    assert moment.to_datetime() == datetime(2024, 1, 1)  # noqa: DTZ001  # it has no zone
    assert str(moment) == "2024-01-01 00:00:00"


def test_nothing_specified() -> None:
    moment = CosemDateTime()
    assert moment.to_octets().hex().upper() == "FFFFFFFFFFFFFFFFFF8000FF"
    assert repr(moment) == "CosemDateTime()"
    assert str(moment) == "*-*-* *:*:*"
    assert CosemDate().to_octets() == b"\xff" * 5
    assert CosemTime().to_octets() == b"\xff" * 4


def test_the_parts_of_a_date_time_are_values_of_their_own() -> None:
    moment = CosemDateTime.from_octets(bytes.fromhex("07E8010203040506 07FFC480".replace(" ", "")))
    assert moment.date == CosemDate(2024, 1, 2, 3)
    assert moment.time == CosemTime(4, 5, 6, 7)
    assert moment.deviation == -60
    assert moment.clock_status is ClockStatus.DAYLIGHT_SAVING_ACTIVE


def test_values_of_different_kinds_are_never_equal() -> None:
    values: set[object] = {CosemDate(), CosemTime(), CosemDateTime(), CosemDate().to_octets()}
    assert len(values) == 4


@pytest.mark.parametrize("field", ["month", "day_of_month", "day_of_week"])
@pytest.mark.parametrize("value", [-1, 255, 256])
def test_fields_that_do_not_fit_are_refused(field: str, value: int) -> None:
    with pytest.raises(
        ValueError, match=rf"{field} must be 0\.\.254, or None for not specified; got {value}"
    ):
        CosemDate(**{field: value})


@pytest.mark.parametrize("field", ["hour", "minute", "second", "hundredths"])
@pytest.mark.parametrize("value", [-1, 255, 256])
def test_times_that_do_not_fit_are_refused(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"{field} must be 0\.\.254"):
        CosemTime(**{field: value})


def test_years_deviations_and_statuses_that_do_not_fit_are_refused() -> None:
    for year in (-1, 0xFFFF, 0x10000):
        with pytest.raises(ValueError, match=r"year must be 0\.\.65534"):
            CosemDateTime(year)
    for deviation in (-0x8000, 0x8000):
        with pytest.raises(ValueError, match=r"deviation must be -32767\.\.32767"):
            CosemDateTime(deviation=deviation)
    with pytest.raises(ValueError, match=r"clock_status must be 0\.\.254"):
        CosemDateTime(clock_status=ClockStatus(0xFF))


def test_fields_cannot_be_written() -> None:
    for name in ("month", "year", "date", "octets"):
        with pytest.raises((AttributeError, TypeError)):  # TypeError: what Python 3.11 makes of no field
            setattr(CosemDateTime(2024), name, 1)


@given(st.integers(0, 254))
def test_every_clock_status_is_kept(octet: int) -> None:
    status = CosemDateTime(clock_status=ClockStatus(octet)).clock_status
    assert status == octet
    assert isinstance(status, ClockStatus)
    assert len(status.labels) == (octet & 0x8F).bit_count()


def test_clock_status_labels() -> None:
    assert ClockStatus(0x8A).labels == ("doubtful-value", "invalid-clock-status", "daylight-saving-active")
    assert ClockStatus(0x70).labels == ()


# ------------------------------------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("deviation", "inverted", "offset"),
    [
        ("FFC4", False, timedelta(hours=1)),  # CET by the book: -60
        ("FF88", False, timedelta(hours=2)),  # CEST by the book: -120
        ("0000", False, timedelta(0)),
        ("FEB6", False, timedelta(hours=5, minutes=30)),  # India by the book: -330
        ("014A", True, timedelta(hours=5, minutes=30)),  # India as most meters there send it: +330
        ("014A", False, timedelta(hours=-5, minutes=-30)),
        ("012C", False, timedelta(hours=-5)),
    ],
)
def test_the_sign_of_the_deviation(deviation: str, inverted: bool, offset: timedelta) -> None:
    moment = CosemDateTime.from_octets(bytes.fromhex(f"07E8010101000000FF{deviation}00"))
    assert moment.to_datetime(inverted_deviation=inverted).utcoffset() == offset


def test_cet_is_minus_60() -> None:
    moment = CosemDateTime.from_datetime(datetime(2024, 1, 1, 12, 30, 15, 990_000, CET))
    assert moment.to_octets().hex().upper() == "07E80101010C1E0F63FFC400"
    assert moment.deviation == -60
    assert moment.to_datetime().astimezone(UTC) == datetime(2024, 1, 1, 11, 30, 15, 990_000, UTC)
    assert str(moment) == "2024-01-01 12:30:15.99+01:00"


def test_india_with_the_sign_inverted() -> None:
    noon = datetime(2024, 7, 1, 12, 0, tzinfo=IST)
    moment = CosemDateTime.from_datetime(noon, inverted_deviation=True)
    assert moment.deviation == 330
    assert moment.to_datetime(inverted_deviation=True) == noon
    assert moment.to_datetime() != noon


@given(moments(), st.booleans())
def test_moments_round_trip(moment: datetime, inverted: bool) -> None:
    value = CosemDateTime.from_datetime(moment, inverted_deviation=inverted)
    assert value.is_exact
    assert value.day_of_week == moment.isoweekday()
    back = value.to_datetime(inverted_deviation=inverted)
    assert back == moment
    assert back.utcoffset() == moment.utcoffset()
    assert CosemDateTime.from_octets(value.to_octets()) == value


@given(st.dates())
def test_dates_round_trip(day: date) -> None:
    assert CosemDate.from_date(day).to_date() == day


@given(st.times(), hundredths)
def test_times_round_trip_to_the_hundredth(clock: time, microsecond: int) -> None:
    clock = clock.replace(microsecond=microsecond, fold=0)
    assert CosemTime.from_time(clock).to_time() == clock


def test_daylight_saving_is_said_where_the_zone_knows_it() -> None:
    summer = datetime(2024, 7, 1, 12, tzinfo=CentralEuropeanSummer())
    assert CosemDateTime.from_datetime(summer).to_octets().hex().upper() == "07E80701010C000000FF8880"
    doubtful = CosemDateTime.from_datetime(summer, clock_status=ClockStatus.DOUBTFUL_VALUE)
    assert doubtful.clock_status == ClockStatus.DOUBTFUL_VALUE | ClockStatus.DAYLIGHT_SAVING_ACTIVE
    assert CosemDateTime.from_datetime(summer, clock_status=None).clock_status is None
    assert str(doubtful) == "2024-07-01 12:00:00+02:00 [doubtful-value, daylight-saving-active]"


def test_less_than_a_hundredth_is_cut_off() -> None:
    assert CosemTime.from_time(time(1, 2, 3, 999_999)).hundredths == 99


def test_an_offset_of_broken_minutes_has_no_deviation() -> None:
    broken = datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28)))
    with pytest.raises(ValueError, match="a deviation has whole minutes"):
        CosemDateTime.from_datetime(broken)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (CosemDateTime(), "not one day: a part of it is not specified"),
        (CosemDateTime(2024, 6, 31, hour=0, minute=0, second=0), "not a day of the calendar: day "),
        (CosemDateTime(2023, 2, 29, hour=0, minute=0, second=0), "not a day of the calendar"),
        (CosemDateTime(2024, 13, 1, hour=0, minute=0, second=0), "not a day of the calendar: month"),
        (CosemDateTime(0, 1, 1, hour=0, minute=0, second=0), "not a day of the calendar: year 0"),
        (CosemDateTime(2024, DAYLIGHT_SAVING_BEGIN, LAST_DAY, hour=2, minute=0, second=0), "dst-begin-last"),
        (CosemDateTime(2024, 1, 1), "not one time of day: a part of it is not specified"),
        (CosemDateTime(2024, 1, 1, hour=24, minute=0, second=0), "not a time of day: hour"),
        (CosemDateTime(2024, 1, 1, hour=0, minute=0, second=60), "not a time of day: second"),
        (CosemDateTime(2024, 1, 1, hour=0, minute=0, second=0, hundredths=100), "100 hundredths"),
        (CosemDateTime(2024, 1, 1, hour=0, minute=0, second=0, deviation=1440), "a day or more"),
    ],
)
def test_what_is_no_moment_is_refused_with_the_reason(moment: CosemDateTime, reason: str) -> None:
    assert not moment.is_exact
    with pytest.raises(ValueError, match=reason):
        moment.to_datetime()


def test_exact_dates_and_times() -> None:
    assert CosemDate(2024, 2, 29).is_exact
    assert not CosemDate(2024, 2, 30).is_exact
    assert not CosemDate(None, 2, 29).is_exact
    assert CosemTime(23, 59, 59).is_exact
    assert not CosemTime(None, 15).is_exact


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (CosemDate(2024, 7, 1, 1), "2024-07-01"),
        (CosemDate(day_of_week=7), "*-*-* Sun"),
        (CosemDate(None, 12, 25), "*-12-25"),
        (CosemDate(None, 12, None, 9), "*-12-* 09"),
        (CosemDate(2024, DAYLIGHT_SAVING_BEGIN, 15, 7), "2024-dst-begin-15 Sun"),
        (CosemDate(None, DAYLIGHT_SAVING_END, LAST_DAY, 7), "*-dst-end-last Sun"),
        (CosemDate(None, DAYLIGHT_SAVING_BEGIN, SECOND_LAST_DAY), "*-dst-begin-second-last"),
        (CosemDate(2024, 14, 77, 9), "2024-14-77"),
        (CosemDate(7, 1, 2), "0007-01-02"),
        (CosemTime(12, 0, 0, 0), "12:00:00"),
        (CosemTime(12, 0, 0, 5), "12:00:00.05"),
        (CosemTime(None, 15, 0), "*:15:00"),
        (CosemDateTime(2024, 1, 1, hour=1, minute=2, second=3, deviation=330), "2024-01-01 01:02:03-05:30"),
        (CosemDateTime(2024, 1, 1, hour=1, minute=2, second=3, deviation=0), "2024-01-01 01:02:03+00:00"),
        (CosemDateTime(clock_status=ClockStatus(0x41)), "*-*-* *:*:* [invalid-value]"),
    ],
)
def test_texts(value: CosemDate | CosemTime | CosemDateTime, text: str) -> None:
    assert str(value) == text


def test_repr_names_what_is_given() -> None:
    assert repr(CosemDate(2024, 1)) == "CosemDate(year=2024, month=1)"
    assert repr(CosemTime(second=5)) == "CosemTime(second=5)"
    moment = CosemDateTime(2024, clock_status=ClockStatus.DOUBTFUL_VALUE)
    assert repr(moment) == "CosemDateTime(year=2024, clock_status=<ClockStatus.DOUBTFUL_VALUE: 2>)"


@given(st.lists(st.binary(min_size=12, max_size=12)))
def test_many_are_made_as_one_by_one(each: list[bytes]) -> None:
    assert CosemDateTime.many_from_octets(iter(each)) == [
        CosemDateTime.from_octets(octets) for octets in each
    ]


def test_many_of_which_one_has_not_its_size() -> None:
    with pytest.raises(ValueError, match="a CosemTime has 4 octets, not 3"):
        CosemTime.many_from_octets([bytes(4), bytes(3)])
