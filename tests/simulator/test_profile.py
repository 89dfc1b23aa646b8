"""Simulated profiles: what is captured when, and that client and meter give what a plain model of a table gives."""

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.proofs import Link, Security, Service, proves
from tests.simulator.profile_rig import (
    CLOCK,
    COLUMNS,
    ENERGY,
    NAME,
    PROFILE,
    QUARTER,
    START,
    Given,
    PairAccess,
    ProfileRig,
)
from tests.simulator.rig import Rig
from tests.simulator.secured import Bench, plain, run

from meterwright.apdu import AttributeDescriptor, SelectiveAccess
from meterwright.client import Client, Scheme
from meterwright.cosem import (
    AssociationLnV1,
    CaptureObject,
    EntryDescriptor,
    ListedObject,
    ProfileGeneric,
    ProfileRows,
    RangeDescriptor,
    SortMethod,
    profile_rows,
)
from meterwright.data import (
    Data,
    boolean,
    double_long_unsigned,
    integer,
    null_data,
    octet_date_time,
    octet_string,
    visible_string,
)
from meterwright.errors import DataAccessError, LocalProtocolError
from meterwright.simulator import BufferForm, SimulatedService, plain_meter
from meterwright.testing import StackPair, data_trees
from meterwright.values import CosemDateTime, DataAccessResult, Obis

EVENT_LOG = "0.0.99.98.0.255"
BUFFER = AttributeDescriptor(7, Obis.parse(PROFILE), 2)
VIOLATED, UNMATCHED = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED, DataAccessResult.TYPE_UNMATCHED


def moment(quarter: int) -> datetime:
    return START + quarter * QUARTER


def given_rows(count: int) -> list[Given]:
    """One row each quarter of an hour."""
    return [(moment(number), 100 + 3 * number // 2, b"%05d" % number) for number in range(count)]


def dated(when: datetime) -> Data:
    return octet_date_time(CosemDateTime.from_datetime(when))


def plainly(found: ProfileRows) -> list[tuple[Any, ...]]:
    """The rows with moments as datetimes."""
    return [
        tuple(cell.to_datetime() if isinstance(cell, CosemDateTime) else cell for cell in row)
        for row in found
    ]


# ------------------------------------------------------------------------------------------------ the model


class Model:
    """A table as anybody would write it down, from the rows that were given."""

    def __init__(self, rows: list[Given], *, newest_first: bool) -> None:
        self.rows = sorted(rows)
        if newest_first:
            self.rows.reverse()

    def between(self, column: int, low: Any, high: Any) -> list[Given]:
        return [row for row in self.rows if row[column] >= low and row[column] <= high]

    def entries(self, first: int, last: int) -> list[Given]:
        numbered = list(enumerate(self.rows, start=1))
        return [row for number, row in numbered if number >= first and (last == 0 or number <= last)]


@st.composite
def tables(draw: st.DrawFn) -> list[Given]:
    """Rows at different quarters, with numbers and names that come more than once, of one length or of several."""
    quarters = draw(st.lists(st.integers(0, 60), unique=True, max_size=12))
    names = (
        st.sampled_from([b"", b"a", b"ab", b"b"]) if draw(st.booleans()) else st.sampled_from([b"x", b"y"])
    )
    return [(moment(each), draw(st.integers(0, 5)), draw(names)) for each in quarters]


FORMS = st.sampled_from(BufferForm)
ENTRY_NUMBERS = (st.integers(1, 14), st.integers(0, 14), st.integers(1, 3), st.integers(0, 3))
SORTED = st.sampled_from([SortMethod.FIFO, SortMethod.LIFO])


class TestAgainstTheModel:
    """Any table, any selector, any form: what the client has at the end is what the model says."""

    @given(tables(), FORMS, SORTED, st.data())
    @proves(Service.GET_RANGE, Link.WRAPPER)
    @proves(Service.GET_COLUMNS, Link.WRAPPER)
    def test_ranges(
        self, rows: list[Given], form: BufferForm, sort_method: SortMethod, data: st.DataObject
    ) -> None:
        rig = ProfileRig(rows, form=form, sort_method=sort_method)
        model = Model(rows, newest_first=sort_method is SortMethod.LIFO)
        by = data.draw(st.sampled_from(range(3)))
        values: st.SearchStrategy[Any] = (
            st.integers(-3, 63).map(moment),
            st.integers(0, 6),
            st.sampled_from([b"", b"a", b"az", b"b", b"x"]),
        )[by]
        low, high = data.draw(values), data.draw(values)
        columns = data.draw(st.none() | st.sets(st.sampled_from(COLUMNS), min_size=1))
        to_data: Callable[[Any], Data] = (dated, double_long_unsigned, octet_string)[by]
        found = ProfileGeneric(rig.access, PROFILE).buffer.range(
            to_data(low), to_data(high), by=COLUMNS[by], columns=columns
        )
        chosen = [index for index, each in enumerate(COLUMNS) if columns is None or each in columns]
        expected = [tuple(row[index] for index in chosen) for row in model.between(by, low, high)]
        assert found.columns == tuple(COLUMNS[index] for index in chosen)
        assert plainly(found.restored(900)) == expected

    @given(tables(), FORMS, SORTED, st.builds(EntryDescriptor, *ENTRY_NUMBERS))
    @proves(Service.GET_ENTRIES, Link.WRAPPER)
    def test_entries(
        self, rows: list[Given], form: BufferForm, sort_method: SortMethod, wanted: EntryDescriptor
    ) -> None:
        rig = ProfileRig(rows, form=form, sort_method=sort_method)
        first, last = wanted.from_selected_value, wanted.to_selected_value
        columns = [index for index in range(3) if index + 1 >= first and (not last or index < last)]
        if not columns:
            with pytest.raises(DataAccessError) as refused:
                rig.access.read(BUFFER, wanted.to_selection())
            assert refused.value.result is VIOLATED
            return
        model = Model(rows, newest_first=sort_method is SortMethod.LIFO)
        expected = model.entries(wanted.from_entry, wanted.to_entry)
        octets = rig.access.read_octets(BUFFER, wanted.to_selection())
        found = profile_rows(octets, tuple(COLUMNS[index] for index in columns))
        assert plainly(found.restored(900)) == [tuple(row[index] for index in columns) for row in expected]

    @given(tables(), FORMS, SORTED)
    def test_the_whole_buffer(self, rows: list[Given], form: BufferForm, sort_method: SortMethod) -> None:
        rig = ProfileRig(rows, form=form, sort_method=sort_method)
        profile = ProfileGeneric(rig.access, PROFILE)
        found = profile.buffer.rows().restored(900)
        assert plainly(found) == Model(rows, newest_first=sort_method is SortMethod.LIFO).rows
        assert profile.entries_in_use.get() == len(rows)
        assert profile.sort_method.get() is sort_method

    @given(st.integers(0, 255), data_trees())
    def test_any_selector_is_answered(self, selector: int, parameters: Data) -> None:
        rig = ProfileRig(given_rows(3))
        with pytest.raises(DataAccessError) as refused:
            rig.access.read(BUFFER, SelectiveAccess(selector, parameters))
        assert refused.value.result is (UNMATCHED if selector in (1, 2) else VIOLATED)


# ------------------------------------------------------------------------------------------------ what is refused


OTHER = CaptureObject.of(3, "1.0.2.8.0.255", 2)
LOW, HIGH = dated(START), dated(moment(9))


@pytest.mark.parametrize(
    ("descriptor", "result"),
    [
        (RangeDescriptor(OTHER, LOW, HIGH), VIOLATED),
        (RangeDescriptor(CaptureObject.of(8, "0.0.1.0.0.255", 2, 1), LOW, HIGH), VIOLATED),
        (RangeDescriptor(CLOCK, LOW, HIGH, (CLOCK, OTHER)), VIOLATED),
        (RangeDescriptor(CLOCK, double_long_unsigned(1), HIGH), UNMATCHED),
        (RangeDescriptor(CLOCK, LOW, null_data(None)), UNMATCHED),
        (RangeDescriptor(CLOCK, octet_string(b"2026"), HIGH), UNMATCHED),
        (RangeDescriptor(CLOCK, octet_date_time(CosemDateTime()), HIGH), UNMATCHED),
        (RangeDescriptor(ENERGY, LOW, HIGH), UNMATCHED),
        (RangeDescriptor(ENERGY, integer(1), octet_string(b"")), UNMATCHED),
        (RangeDescriptor(NAME, visible_string("a"), visible_string("b")), UNMATCHED),
        (RangeDescriptor(ENERGY, boolean(False), boolean(True)), UNMATCHED),
        (EntryDescriptor(0, 1), VIOLATED),
        (EntryDescriptor(1, 1, 0, 0), VIOLATED),
        (EntryDescriptor(1, 1, 4, 0), VIOLATED),
        (EntryDescriptor(1, 1, 3, 2), VIOLATED),
    ],
)
def test_what_is_selected_wrongly(
    descriptor: RangeDescriptor | EntryDescriptor, result: DataAccessResult
) -> None:
    rig = ProfileRig(given_rows(3))
    with pytest.raises(DataAccessError) as refused:
        rig.access.read(BUFFER, descriptor.to_selection())
    assert refused.value.result is result
    assert len(ProfileGeneric(rig.access, PROFILE).buffer.rows()) == 3


@pytest.mark.parametrize(
    ("first", "last", "numbers"),
    [(1, 0, [0, 1, 2]), (2, 2, [1]), (3, 99, [2]), (4, 0, []), (99, 100, []), (3, 2, [])],
    ids=["all", "one", "to-beyond", "after-the-last", "far-beyond", "reversed"],
)
def test_entries_at_the_edges(first: int, last: int, numbers: list[int]) -> None:
    rig = ProfileRig(given_rows(3))
    octets = rig.access.read_octets(BUFFER, EntryDescriptor(first, last, 2, 2).to_selection())
    found = profile_rows(octets, (ENERGY,))
    assert plainly(found) == [(given_rows(3)[number][1],) for number in numbers]


def test_a_selection_where_none_was_negotiated() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.client(16) as client:
            with pytest.raises(LocalProtocolError, match="selective access"):
                await AssociationLnV1(client).object_list.without_rights()

    run(Bench(plain()), scenario)


# ------------------------------------------------------------------------------------------------ octets


def test_a_range_octet_for_octet() -> None:
    rig = ProfileRig(given_rows(3))
    low, high = moment(1), moment(2)
    octets = rig.access.read_octets(BUFFER, RangeDescriptor(CLOCK, dated(low), dated(high)).to_selection())
    assert octets.hex(" ").upper() == (
        "01 02"
        " 02 03 09 0C 07 EA 01 01 04 00 0F 00 00 00 00 00 06 00 00 00 65 09 05 30 30 30 30 31"
        " 02 03 09 0C 07 EA 01 01 04 00 1E 00 00 00 00 00 06 00 00 00 67 09 05 30 30 30 30 32"
    )


@pytest.mark.parametrize(
    ("form", "octets"),
    [
        (
            BufferForm.COMPACT_ARRAY,
            (
                "13 02 02 09 06 22 0C 07 EA 01 01 04 00 00 00 00 00 00 00 00 00 00 64"
                " 0C 07 EA 01 01 04 00 0F 00 00 00 00 00 00 00 00 65"
            ),
        ),
        (
            BufferForm.NULL_DATA,
            "01 02 02 02 09 0C 07 EA 01 01 04 00 00 00 00 00 00 00 06 00 00 00 64 02 02 00 06 00 00 00 65",
        ),
    ],
)
def test_other_forms_octet_for_octet(form: BufferForm, octets: str) -> None:
    rig = ProfileRig(given_rows(2), form=form)
    answer = rig.access.read_octets(BUFFER, EntryDescriptor(1, 2, 1, 2).to_selection())
    assert answer.hex(" ").upper() == octets


def test_an_empty_compact_array_still_tells_its_type() -> None:
    rig = ProfileRig([], form=BufferForm.COMPACT_ARRAY)
    octets = rig.access.read_octets(BUFFER)
    assert octets.hex(" ").upper() == "13 02 03 09 06 09 00"
    assert ProfileGeneric(rig.access, PROFILE).buffer.rows().rows == ()


# ------------------------------------------------------------------------------------------------ capturing


class TestCapturing:
    """The load profile and the event log of a plain meter."""

    def access(self) -> tuple[Rig, PairAccess]:
        rig = Rig()
        return rig, PairAccess(StackPair(rig.meter))

    def test_a_row_each_quarter_of_an_hour(self) -> None:
        rig, access = self.access()
        profile = ProfileGeneric(access, PROFILE)
        captured = profile.capture_objects.get()
        assert [str(each) for each in captured] == [
            "8/0.0.1.0.0.255/2",
            "3/1.0.1.8.0.255/2",
            "3/1.0.32.7.0.255/2",
        ]
        assert (profile.capture_period.get(), profile.profile_entries.get()) == (900, 2880)
        assert profile.entries_in_use.get() == 2880
        newest = plainly(profile.buffer.entries(2880))
        rig.clock.pass_by(899)
        assert plainly(profile.buffer.entries(2880)) == newest
        rig.clock.pass_by(1)
        (row,) = plainly(profile.buffer.entries(2880))
        assert [newest[0][0], row[0]] == [START, moment(1)]

    def test_what_was_captured_is_what_the_registers_showed(self) -> None:
        rig, access = self.access()
        rig.associate()
        shown = (rig.value(3, "1.0.1.8.0.255", 2), rig.value(3, "1.0.32.7.0.255", 2))
        rig.clock.pass_by(300)
        (row,) = plainly(ProfileGeneric(access, PROFILE).buffer.range(START, START))
        assert row == (START, *shown)

    def test_the_same_seed_gives_the_same_rows(self) -> None:
        _, access = self.access()
        _, again = self.access()
        for name in (PROFILE, EVENT_LOG):
            buffer = ProfileGeneric(access, name).buffer.get()
            assert ProfileGeneric(again, name).buffer.get() == buffer

    def test_a_full_buffer_loses_its_oldest_row(self) -> None:
        rig, access = self.access()
        profile = ProfileGeneric(access, PROFILE)
        oldest = plainly(profile.buffer.entries(2, 2))
        rig.clock.pass_by(900)
        assert plainly(profile.buffer.entries(1, 1)) == oldest
        rig.clock.pass_by(900 * 5000)
        (first,) = plainly(profile.buffer.entries(1, 1))
        assert first[0] == moment(5001) - 2879 * QUARTER
        assert profile.entries_in_use.get() == 2880

    def test_reset_and_capture(self) -> None:
        rig, access = self.access()
        profile = ProfileGeneric(access, PROFILE)
        profile.reset.invoke()
        assert (profile.entries_in_use.get(), profile.buffer.rows().rows) == (0, ())
        rig.clock.pass_by(60)
        profile.capture.invoke()
        rig.clock.pass_by(840)
        assert [row[0] for row in plainly(profile.buffer.rows())] == [START + timedelta(minutes=1), moment(1)]

    def test_a_clock_that_is_set_stamps_what_is_captured_from_then_on(self) -> None:
        rig, access = self.access()
        rig.associate()
        profile = ProfileGeneric(access, PROFILE)
        assert plainly(profile.buffer.entries(2880))[0][0] == START
        assert rig.put(8, "0.0.1.0.0.255", 2, dated(moment(8))) is DataAccessResult.SUCCESS
        rig.clock.pass_by(900)
        assert [row[0] for row in plainly(profile.buffer.entries(2879))] == [START, moment(9)]

    def test_an_event_a_day(self) -> None:
        rig, access = self.access()
        log = ProfileGeneric(access, EVENT_LOG)
        assert (log.capture_period.get(), log.profile_entries.get()) == (0, 100)
        rows = plainly(log.buffer.rows())
        assert len(rows) == 100
        assert all(later[0] > earlier[0] for earlier, later in itertools.pairwise(rows))
        assert {row[1] for row in rows} == {7, 8, 9, 10}
        rig.associate()
        assert rows[-1][1] == rig.value(1, "0.0.96.11.0.255", 2)

    def test_the_object_list_tells_the_selectors(self) -> None:
        _, access = self.access()
        (element,) = AssociationLnV1(access).object_list.of_objects((7, PROFILE))
        selectors = [each.access_selectors for each in element.access_rights.attribute_access]
        assert selectors[1].to_octets() == bytes.fromhex("01 02 0F 01 0F 02")
        assert {each for index, each in enumerate(selectors) if index != 1} == {null_data(None)}


@proves(Service.GET_OBJECTS, Link.WRAPPER)
def test_parts_of_the_object_list_are_what_the_whole_says() -> None:
    listed = AssociationLnV1(PairAccess(StackPair(plain_meter(1)))).object_list
    whole = listed.get()
    names = tuple(ListedObject(each.class_id, each.version, each.logical_name) for each in whole)
    assert listed.without_rights() == names
    for wanted in ((), (7,), (8, 15), (99,)):
        assert listed.of_classes(*wanted) == tuple(each for each in names if each.class_id in wanted)
    some = (whole[2], whole[5])
    assert listed.of_objects(*((each.class_id, each.logical_name) for each in some), (1, PROFILE)) == some


# ------------------------------------------------------------------------------------------------ over lines


@proves(Service.GET_RANGE, Link.HDLC)
@proves(Service.GET_ENTRIES, Link.HDLC)
@proves(Service.GET_COLUMNS, Link.HDLC)
@proves(Service.GET_BLOCKS, Link.HDLC)
def test_two_thousand_rows_in_blocks_over_hdlc() -> None:
    rows = given_rows(2000)
    rig = ProfileRig(rows, hdlc=True)
    buffer = ProfileGeneric(rig.access, PROFILE).buffer
    assert plainly(buffer.rows()) == rows
    assert plainly(buffer.range(moment(500), moment(1499), columns=[NAME])) == [
        (name,) for _, _, name in rows[500:1500]
    ]
    assert plainly(buffer.entries(1999)) == rows[1998:]


@proves(Service.GET_RANGE, Link.WRAPPER, Security.BOTH)
@proves(Service.GET_ENTRIES, Link.WRAPPER, Security.BOTH)
@proves(Service.GET_COLUMNS, Link.WRAPPER, Security.BOTH)
def test_a_ciphered_meter_gives_the_same() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.manager() as client:
            profile = ProfileGeneric(client, PROFILE)
            captured = await profile.capture_objects.get()
            whole = await profile.buffer.rows(captured=captured)
            last = await profile.buffer.entries(2871, captured=captured)
            assert last.rows == whole.rows[2870:]
            day = await profile.buffer.range(START - timedelta(days=1), START, columns=captured[:2])
            assert day.rows == tuple(row[:2] for row in whole.rows[-97:])

    run(Bench(plain()), scenario)


@pytest.mark.parametrize("scheme", [Scheme.TCP, Scheme.HDLC_TCP])
def test_over_sockets(scheme: Scheme) -> None:
    async def scenario() -> None:
        rig = Rig()
        service = SimulatedService([rig.meter], clock=rig.clock, scheme=scheme)
        (listening,) = await service.start()
        try:
            async with Client(listening.url) as client:
                profile = ProfileGeneric(client, PROFILE)
                found = await profile.buffer.range(START - timedelta(hours=1), START)
                twin = ProfileGeneric(PairAccess(StackPair(rig.meter)), PROFILE)
                assert found == twin.buffer.range(START - timedelta(hours=1), START)
                assert len(found) == 5
        finally:
            await service.stop()

    asyncio.run(scenario())
