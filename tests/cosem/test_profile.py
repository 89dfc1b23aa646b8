"""Profile generic: selectors octet for octet, rows under their columns, and what is refused before it is sent."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cosem.fakes import AsyncFake, BlockingFake

from meterwright.apdu import AttributeDescriptor, GetRequestNormal, SelectiveAccess, decode_apdu
from meterwright.cosem import (
    CaptureObject,
    EntryDescriptor,
    ProfileGeneric,
    ProfileGenericV0,
    ProfileSelector,
    RangeDescriptor,
    SortMethod,
    entry_descriptor,
    profile_rows,
    range_descriptor,
)
from meterwright.data import Data, DataTag, double_long_unsigned, octet_date_time
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_of
from meterwright.values import CosemDateTime, InvokeIdAndPriority, Obis

PROFILE = "1.0.99.1.0.255"
CLOCK = CaptureObject.of(8, "0.0.1.0.0.255", 2)
ENERGY = CaptureObject.of(3, "1.0.1.8.0.255", 2)
STATUS = CaptureObject.of(1, "0.0.96.10.1.255", 2)
CAPTURED = (CLOCK, STATUS, ENERGY)
CLOCK_OCTETS = "02 04 12 00 08 09 06 00 00 01 00 00 FF 0F 02 12 00 00"
STATUS_OCTETS = "02 04 12 00 01 09 06 00 00 60 0A 01 FF 0F 02 12 00 00"
ENERGY_OCTETS = "02 04 12 00 03 09 06 01 00 01 08 00 FF 0F 02 12 00 00"
FROM = "09 0C 07 EA 01 01 04 00 00 00 00 00 00 00"
TO = "09 0C 07 EA 01 02 05 00 00 00 00 00 00 00"
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
ROWS = bytes.fromhex(
    "01 02"
    f"02 03 {FROM} 11 00 06 00 00 00 07"
    "02 03 09 0C 07 EA 01 01 04 00 0F 00 00 00 00 00 11 04 06 00 00 00 09"
)
HALF_PAST = CosemDateTime.from_datetime(datetime(2026, 1, 1, 0, 30, tzinfo=UTC))


def fake(buffer: bytes = ROWS) -> BlockingFake:
    """A meter with one profile."""
    captured = f"01 03 {CLOCK_OCTETS} {STATUS_OCTETS} {ENERGY_OCTETS}"
    return BlockingFake(
        {
            f"7/{PROFILE}/2": Data.from_octets(buffer),
            f"7/{PROFILE}/3": Data.from_octets(bytes.fromhex(captured)),
        }
    )


def sent(selection: SelectiveAccess | None) -> tuple[int, str]:
    """A selector and the octets of its parameters."""
    assert selection is not None
    return selection.access_selector, selection.access_parameters.to_octets().hex(" ").upper()


def test_numbers_and_names() -> None:
    declared = ProfileGeneric
    assert (declared.class_id, declared.version) == (7, 1)
    assert (ProfileGenericV0.class_id, ProfileGenericV0.version) == (7, 0)
    assert [(number, each.name, each.type.name) for number, each in declared.attributes.items()] == [
        (1, "logical_name", "logical-name"),
        (2, "buffer", "CHOICE"),
        (3, "capture_objects", "array of structure CaptureObject"),
        (4, "capture_period", "double-long-unsigned"),
        (5, "sort_method", "enum SortMethod"),
        (6, "sort_object", "structure CaptureObject"),
        (7, "entries_in_use", "double-long-unsigned"),
        (8, "profile_entries", "double-long-unsigned"),
    ]
    assert [(number, each.name) for number, each in declared.methods.items()] == [
        (1, "reset"),
        (2, "capture"),
    ]
    assert [int(each) for each in SortMethod.__members__.values()] == [1, 2, 3, 4, 5, 6]


class TestSelectors:
    """What goes over the line."""

    def test_a_range_as_it_was_captured_elsewhere(self) -> None:
        """The request of another maker's client, octet for octet."""
        octets = bytes.fromhex(
            "C001C100070100630100FF0201010204020412000809060000010000FF0F02120000"
            "090C07E8010101000000FF800000090C07E8010201000000FF8000000100"
        )
        first, last = (bytes.fromhex(f"07E8010{day}01000000FF800000") for day in (1, 2))
        descriptor = RangeDescriptor(
            CLOCK,
            octet_date_time(CosemDateTime.from_octets(first)),
            octet_date_time(CosemDateTime.from_octets(last)),
        )
        attribute = AttributeDescriptor(7, Obis.of(PROFILE), 2)
        invoke = InvokeIdAndPriority(1, confirmed=True, high_priority=True)
        assert GetRequestNormal(invoke, attribute, descriptor.to_selection()).to_octets() == octets
        decoded = decode_apdu(octets)
        assert isinstance(decoded, GetRequestNormal)
        assert decoded.access_selection == descriptor.to_selection()

    def test_a_range_by_the_clock_with_some_columns(self) -> None:
        meter = fake()
        with pytest.raises(RemoteProtocolError):  # the fake answers with all of them
            ProfileGeneric(meter, PROFILE).buffer.range(START, END, columns=[ENERGY, CLOCK])
        assert sent(meter.read_with[-1]) == (
            1,
            f"02 04 {CLOCK_OCTETS} {FROM} {TO} 01 02 {CLOCK_OCTETS} {ENERGY_OCTETS}",
        )

    def test_a_range_by_another_column(self) -> None:
        meter = fake()
        low, high = double_long_unsigned(7), double_long_unsigned(8)
        ProfileGeneric(meter, PROFILE).buffer.range(low, high, by=ENERGY)
        assert sent(meter.read_with[-1]) == (
            1,
            f"02 04 {ENERGY_OCTETS} 06 00 00 00 07 06 00 00 00 08 01 00",
        )

    @pytest.mark.parametrize(
        ("asked", "octets"),
        [
            ((1, 0, 1, 0), "02 04 06 00 00 00 01 06 00 00 00 00 12 00 01 12 00 00"),
            ((1, 50, 1, 0), "02 04 06 00 00 00 01 06 00 00 00 32 12 00 01 12 00 00"),
            ((51, 0, 1, 3), "02 04 06 00 00 00 33 06 00 00 00 00 12 00 01 12 00 03"),
        ],
    )
    def test_entries(self, asked: tuple[int, int, int, int], octets: str) -> None:
        meter = fake()
        first, last, first_column, last_column = asked
        buffer = ProfileGeneric(meter, PROFILE).buffer
        buffer.entries(first, last, first_column=first_column, last_column=last_column)
        assert sent(meter.read_with[-1]) == (2, octets)
        assert sent(EntryDescriptor(*asked).to_selection()) == (ProfileSelector.ENTRY, octets)

    @given(data_of(range_descriptor))
    def test_any_range_is_read_as_it_was_sent(self, data: Data) -> None:
        value = range_descriptor.from_data(data)
        assert range_descriptor.from_data(Data.from_octets(range_descriptor(value).to_octets())) == value

    @given(data_of(entry_descriptor))
    def test_any_entries_are_read_as_they_were_sent(self, data: Data) -> None:
        assert entry_descriptor(entry_descriptor.from_data(data)) == data

    def test_a_time_without_zone_is_the_meters_own(self) -> None:
        meter = fake()
        ProfileGeneric(meter, PROFILE).buffer.range(START.replace(tzinfo=None), END.replace(tzinfo=None))
        _, octets = sent(meter.read_with[-1])
        assert "07 EA 01 01 04 00 00 00 00 80 00 00" in octets


class TestRows:
    """What comes back."""

    def test_the_whole_buffer_under_its_columns(self) -> None:
        meter = fake()
        found = ProfileGeneric(meter, PROFILE).buffer.rows()
        assert found.columns == CAPTURED
        assert [(moment.to_datetime(), status, energy) for moment, status, energy in found] == [
            (START, 0, 7),
            (START.replace(minute=15), 4, 9),
        ]
        assert found.column(ENERGY) == (7, 9)
        assert meter.read_with == [None, None]

    def test_capture_objects_that_are_known_are_not_read(self) -> None:
        meter = fake()
        assert len(ProfileGeneric(meter, PROFILE).buffer.entries(captured=CAPTURED)) == 2
        assert len(meter.read_with) == 1

    def test_awaited_it_is_the_same(self) -> None:
        meter = fake()
        awaited = AsyncFake(meter.values)

        async def talk() -> None:
            profile, twin = ProfileGeneric(awaited, PROFILE), ProfileGeneric(meter, PROFILE)
            assert await profile.buffer.rows() == twin.buffer.rows()
            assert await profile.buffer.range(START, END) == twin.buffer.range(START, END)
            assert await profile.buffer.entries(1, 2) == twin.buffer.entries(1, 2)
            assert await profile.buffer.get() == twin.buffer.get()

        asyncio.run(talk())
        assert awaited.read_with == meter.read_with

    @pytest.mark.parametrize("octets", ["00", "01 00"])
    def test_an_empty_buffer(self, octets: str) -> None:
        found = ProfileGeneric(fake(bytes.fromhex(octets)), PROFILE).buffer.rows()
        assert (found.columns, found.rows) == (CAPTURED, ())

    def test_a_compact_array_gives_the_same_rows(self) -> None:
        first = "0C 07 EA 01 01 04 00 00 00 00 00 00 00 00 00 00 00 07"
        second = "0C 07 EA 01 01 04 00 0F 00 00 00 00 00 04 00 00 00 09"
        compact = bytes.fromhex(f"13 02 03 09 11 06 24 {first} {second}")
        assert profile_rows(compact, CAPTURED) == profile_rows(ROWS, CAPTURED)

    def test_capture_objects_of_the_first_version(self) -> None:
        octets = "01 01 02 03 12 00 08 09 06 00 00 01 00 00 FF 0F 02"
        meter = BlockingFake({f"7/{PROFILE}/3": Data.from_octets(bytes.fromhex(octets))})
        assert ProfileGenericV0(meter, PROFILE).capture_objects.get() == (CLOCK,)


class TestWhatIsLeftOut:
    """Null-data for what can be told from the row before."""

    LEFT_OUT = bytes.fromhex(
        f"01 04 02 03 {FROM} 11 00 06 00 00 00 07"
        "02 03 00 00 06 00 00 00 09"
        "02 03 00 00 00"
        "02 03 09 0C 07 EA 01 01 04 02 00 00 00 00 00 00 11 04 00"
    )

    def test_it_stays_left_out_until_somebody_knows_better(self) -> None:
        found = profile_rows(self.LEFT_OUT, CAPTURED)
        assert found.rows[1:3] == ((None, None, 9), (None, None, None))

    def test_the_clock_goes_on_by_the_period_and_all_else_stays(self) -> None:
        found = profile_rows(self.LEFT_OUT, CAPTURED).restored(900)
        assert [(moment.to_datetime().minute, status, energy) for moment, status, energy in found] == [
            (0, 0, 7),
            (15, 0, 9),
            (30, 0, 9),
            (0, 4, 9),
        ]
        assert found.rows[2][0] == HALF_PAST

    def test_without_a_period_no_moment_is_made_up(self) -> None:
        found = profile_rows(self.LEFT_OUT, CAPTURED).restored(0)
        assert [row[0] is None for row in found] == [False, True, True, False]
        assert found.rows[2][1:] == (0, 9)

    def test_nothing_before_the_first_row(self) -> None:
        octets = bytes.fromhex("01 02 02 03 00 00 06 00 00 00 07 02 03 00 11 01 06 00 00 00 08")
        assert profile_rows(octets, CAPTURED).restored(900).rows == ((None, None, 7), (None, 1, 8))

    def test_a_moment_with_open_fields_has_none_after_it(self) -> None:
        octets = bytes.fromhex("01 02 02 01 09 0C 07 EA FF 01 FF 00 00 00 00 00 00 00 02 01 00")
        assert profile_rows(octets, (CLOCK,)).restored(900).rows[1] == (None,)


class TestRefused:
    """What no meter would take, and what no client can read."""

    @pytest.mark.parametrize(
        ("first", "last", "first_column", "last_column"),
        [(0, 1, 1, 0), (-1, 0, 1, 0), (3, 2, 1, 0), (1, 0, 0, 0), (1, 0, 4, 0), (1, 0, 1, 4), (1, 0, 3, 2)],
    )
    def test_numbers_that_there_are_not(
        self, first: int, last: int, first_column: int, last_column: int
    ) -> None:
        meter = fake()
        with pytest.raises(LocalProtocolError):
            ProfileGeneric(meter, PROFILE).buffer.entries(
                first, last, first_column=first_column, last_column=last_column, captured=CAPTURED
            )
        assert meter.read_with == []

    @pytest.mark.parametrize("number", [1 << 32, 1 << 40])
    def test_numbers_that_do_not_fit(self, number: int) -> None:
        with pytest.raises(LocalProtocolError, match="double-long-unsigned"):
            ProfileGeneric(fake(), PROFILE).buffer.entries(number)

    def test_a_column_that_is_not_captured(self) -> None:
        other = CaptureObject.of(3, "1.0.2.8.0.255", 2)
        buffer = ProfileGeneric(fake(), PROFILE).buffer
        with pytest.raises(LocalProtocolError, match=r"no column 3/1\.0\.2\.8\.0\.255/2"):
            buffer.range(START, END, columns=[other])
        with pytest.raises(LocalProtocolError, match="no column"):
            buffer.range(START, END, by=other)
        with pytest.raises(LocalProtocolError, match="no column"):
            buffer.range(START, END, columns=[CaptureObject.of(8, "0.0.1.0.0.255", 2, data_index=1)])
        with pytest.raises(LocalProtocolError, match="no column is asked for"):
            buffer.range(START, END, columns=[])

    def test_a_range_where_no_clock_is_captured(self) -> None:
        with pytest.raises(LocalProtocolError, match="captures no clock"):
            ProfileGeneric(fake(), PROFILE).buffer.range(START, END, captured=(ENERGY,))

    @pytest.mark.parametrize(
        ("octets", "told"),
        [
            ("01 01 02 02 11 01 11 02", "2 cells where 3 columns"),
            ("01 01 11 01", "structure"),
            ("11 01", "array"),
            ("01 01 02 03 00 00 1F 01", "delta-unsigned"),
            (f"01 02 02 03 {FROM} 11 00 06 00 00 00 07 02 03 00 00 1F 01", "delta-unsigned"),
        ],
        ids=["too-few-cells", "no-rows", "no-array", "a-difference", "a-difference-later"],
    )
    def test_what_is_no_buffer_of_these_columns(self, octets: str, told: str) -> None:
        with pytest.raises(RemoteProtocolError, match=told) as error:
            ProfileGeneric(fake(bytes.fromhex(octets)), PROFILE).buffer.rows()
        assert f"7/{PROFILE}/2 buffer" in str(error.value)

    @given(st.binary(max_size=60))
    def test_any_octets_are_rows_or_refused(self, octets: bytes) -> None:
        try:
            found = profile_rows(octets, CAPTURED)
        except RemoteProtocolError:
            return
        assert all(len(row) == len(CAPTURED) for row in found.restored(900))

    @given(data_of(ProfileGeneric.capture_objects.type))
    def test_capture_objects_are_read_as_they_were_sent(self, data: Data) -> None:
        kind = ProfileGeneric.capture_objects.type
        assert kind(kind.from_data(data)) == data
        assert data.tag is DataTag.ARRAY
