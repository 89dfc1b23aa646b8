"""Compact arrays: rows as of any array, octets as they came, and nothing that costs more than its octets."""

import copy
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.test_tree import MOMENT, calls_during, refuse

from meterwright.codec import Span
from meterwright.data import (
    ARRAY_CONTENTS,
    CONTENTS_DESCRIPTION,
    DEEPEST_NESTING,
    CompactArray,
    Data,
    DataField,
    DataTag,
    TypeDescription,
    array,
    boolean,
    compact_array,
    date_time,
    double_long_unsigned,
    enum,
    long_unsigned,
    null_data,
    octet_string,
    unsigned,
    utf8_string,
    visible_string,
)
from meterwright.data.compact import DENSEST
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing.strategies import compact_arrays
from meterwright.values import BitString

NULL = TypeDescription(DataTag.NULL_DATA)
OCTET = TypeDescription(DataTag.UNSIGNED)


def structure(*parts: Data) -> Data:
    return Data(DataTag.STRUCTURE, parts)


def structures(*parts: TypeDescription) -> TypeDescription:
    return TypeDescription(DataTag.STRUCTURE, parts)


def arrays(count: int, part: TypeDescription) -> TypeDescription:
    return TypeDescription(DataTag.ARRAY, (part,), count)


GOLDEN: dict[str, tuple[str, tuple[Data, ...]]] = {
    "two structures of two": (
        "13 02 02 11 11 04 01 02 03 04",
        (structure(unsigned(1), unsigned(2)), structure(unsigned(3), unsigned(4))),
    ),
    "profile": (
        "13 02 02 12 06 0C 000A 00000001 000B 00000002",
        (
            structure(long_unsigned(10), double_long_unsigned(1)),
            structure(long_unsigned(11), double_long_unsigned(2)),
        ),
    ),
    "strings keep their lengths": (
        "13 09 04 02 4142 00",
        (octet_string(b"AB"), octet_string(b"")),
    ),
    "texts": (
        "13 02 02 0A 0C 05 01 41 02 C3A9",
        (structure(visible_string("A"), utf8_string("é")),),
    ),
    "bit strings keep how many bits they have": (
        "13 04 05 03 A0 09 FF80",
        (
            Data(DataTag.BIT_STRING, BitString.from_text("101")),
            Data(DataTag.BIT_STRING, BitString.from_text("111111111")),
        ),
    ),
    "arrays of fixed size have no count": (
        "13 01 0003 11 06 010203 040506",
        (array(unsigned)((1, 2, 3)), array(unsigned)((4, 5, 6))),
    ),
    "arrays in structures in arrays": (
        "13 02 02 01 0002 02 01 12 03 05 0001 0002 01",
        (structure(Data(DataTag.ARRAY, tuple(structure(long_unsigned(n)) for n in (1, 2))), boolean(True)),),
    ),
    "null-data is empty": (
        "13 02 03 00 11 FF 02 05 06",
        (
            structure(null_data(None), unsigned(5), Data(DataTag.DONT_CARE, None)),
            structure(null_data(None), unsigned(6), Data(DataTag.DONT_CARE, None)),
        ),
    ),
    "date-time has no length": (
        "13 19 0C 07E8010101000000FF800000",
        (date_time(MOMENT),),
    ),
    "delta values": (
        "13 02 02 1C 20 03 FF FFFE",
        (structure(Data(DataTag.DELTA_INTEGER, -1), Data(DataTag.DELTA_LONG_UNSIGNED, 0xFFFE)),),
    ),
}


@pytest.mark.parametrize(("octets", "elements"), GOLDEN.values(), ids=GOLDEN)
def test_octets_both_ways(octets: str, elements: tuple[Data, ...]) -> None:
    data = Data(DataTag.COMPACT_ARRAY, CompactArray(elements))
    assert data.to_octets() == bytes.fromhex(octets)
    assert Data.from_octets(bytes.fromhex(octets)) == data
    assert data.value == elements  # users see rows


@pytest.mark.parametrize(
    "octets",
    [
        "13 00 00",
        "13 11 00",
        "13 02 00 00",
        "13 02 02 11 09 00",
        "13 01 0000 11 00",
        "13 01 FFFF 01 FFFF 00 00",
    ],
)
def test_no_element_at_all_is_described_all_the_same(octets: str) -> None:
    data = Data.from_octets(bytes.fromhex(octets))
    assert data.value == ()
    assert data.to_octets() == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("came", "sent"),
    [
        ("13 11 8102 0102", "13 11 02 0102"),
        ("13 02 820002 11 11 02 0102", "13 02 02 11 11 02 0102"),
        ("13 09 04 820001 41", "13 09 02 01 41"),
        ("13 03 02 FF 00", "13 03 02 01 00"),
    ],
)
def test_other_octets_that_mean_the_same_are_read_and_sent_as_the_book_has_them(came: str, sent: str) -> None:
    assert Data.from_octets(bytes.fromhex(came)).to_octets() == bytes.fromhex(sent)


@given(compact_arrays())
def test_every_compact_array_comes_back(data: Data) -> None:
    octets = data.to_octets()
    again = Data.from_octets(octets)
    assert again == data
    assert again.to_octets() == octets
    span = Span("data", 0)
    traced, end = DataField().codec().trace(octets, 0, span)
    assert (traced, end) == (data, len(octets))


@given(compact_arrays(), st.data())
@settings(max_examples=200)
def test_one_octet_changed_gives_data_or_a_refusal(data: Data, draw: st.DataObject) -> None:
    octets = bytearray(data.to_octets())
    octets[draw.draw(st.integers(0, len(octets) - 1))] = draw.draw(st.integers(0, 255))
    assert_data_or_refused(bytes(octets))


@given(st.binary(max_size=40))
@settings(max_examples=500)
def test_any_octets_after_the_tag_are_data_or_refused(octets: bytes) -> None:
    assert_data_or_refused(b"\x13" + octets)
    assert_data_or_refused(b"\x13\x02\x02\x11\x09" + octets)


def assert_data_or_refused(octets: bytes) -> None:
    offset: int | None = 0
    try:
        data = Data.from_octets(octets)
        assert Data.from_octets(data.to_octets()).to_octets() == data.to_octets()
        _, end = DataField().codec().trace(octets, 0, Span("data", 0))
        assert end == len(octets)
    except RemoteProtocolError as error:
        offset = error.where.offset
    assert offset is not None
    assert 0 <= offset <= len(octets)


class TestTypeDescription:
    """What describes a type can't be anything else."""

    @pytest.mark.parametrize(
        ("tag", "parts", "count"),
        [
            (DataTag.COMPACT_ARRAY, (), 0),
            (DataTag.UNSIGNED, (OCTET,), 0),
            (DataTag.UNSIGNED, (), 2),
            (DataTag.STRUCTURE, (OCTET,), 2),
            (DataTag.ARRAY, (), 2),
            (DataTag.ARRAY, (OCTET, OCTET), 2),
            (DataTag.ARRAY, (OCTET,), 0x10000),
            (DataTag.ARRAY, (OCTET,), -1),
        ],
    )
    def test_nothing_else_can_be_made(
        self, tag: DataTag, parts: tuple[TypeDescription, ...], count: int
    ) -> None:
        with pytest.raises(LocalProtocolError, match="can't be described"):
            TypeDescription(tag, parts, count)

    def test_what_no_compact_array_holds_is_not_described(self) -> None:
        for data in (Data(DataTag.STRUCTURE, 5), structure(compact_array(unsigned)((1,)))):
            with pytest.raises(LocalProtocolError):
                TypeDescription.of(data)

    @pytest.mark.parametrize(
        ("octets", "description"),
        [
            ("11", OCTET),
            ("02 00", structures()),
            ("02 02 11 02 01 00", structures(OCTET, structures(NULL))),
            ("01 0102 11", arrays(0x102, OCTET)),
            ("01 0000 02 01 11", arrays(0, structures(OCTET))),
        ],
    )
    def test_octets_both_ways(self, octets: str, description: TypeDescription) -> None:
        assert description.to_octets() == bytes.fromhex(octets)
        assert TypeDescription.from_octets(bytes.fromhex(octets)) == description

    @pytest.mark.parametrize(
        ("octets", "offset", "says"),
        [
            ("", 0, "too early"),
            ("02", 1, "too early"),
            ("01 00", 2, "too early"),
            ("01 0002", 3, "too early"),
            ("02 02 11", 1, "2 elements cannot stand"),
            ("07", 0, "07 is no type that can be described"),
            ("02 01 13", 2, "13 is no type that can be described"),
            ("11 11", 1, "1 octets too many after the type description"),
        ],
    )
    def test_what_is_none_is_refused_and_says_where(self, octets: str, offset: int, says: str) -> None:
        with pytest.raises(RemoteProtocolError, match=says) as caught:
            TypeDescription.from_octets(bytes.fromhex(octets))
        assert caught.value.where.offset == offset

    def test_it_knows_what_an_element_takes(self) -> None:
        row = structures(arrays(3, structures(OCTET, NULL)), TypeDescription(DataTag.OCTET_STRING))
        assert (row.nodes, row.least, row.depth) == (12, 4, 3)
        date_times = TypeDescription(DataTag.DATE_TIME)
        assert (date_times.nodes, date_times.least, date_times.depth) == (1, 12, 0)

    def test_it_is_found_from_an_element(self) -> None:
        element = structure(array(unsigned)((1, 2)), octet_string(b""), array(unsigned)(()))
        assert TypeDescription.of(element) == structures(
            arrays(2, OCTET), TypeDescription(DataTag.OCTET_STRING), arrays(0, NULL)
        )

    def test_endless_nesting_is_not_described(self) -> None:
        data = unsigned(1)
        for _ in range(10_000):
            data = structure(data)
        with pytest.raises(LocalProtocolError, match="nested deeper"):
            TypeDescription.of(data)


class TestCompactArray:
    """A tuple that knows its description."""

    def test_equal_are_those_of_the_same_elements_and_type(self) -> None:
        few = (unsigned(1),)
        assert CompactArray(few) == CompactArray(few, OCTET)
        assert CompactArray(few) == few
        assert CompactArray(few) != (unsigned(2),)
        assert CompactArray((), OCTET) != CompactArray((), NULL)
        assert Data(DataTag.COMPACT_ARRAY, CompactArray((), OCTET)) != Data(
            DataTag.COMPACT_ARRAY, CompactArray((), NULL)
        )
        assert len({CompactArray(few), CompactArray(few, OCTET), CompactArray((), OCTET)}) == 2

    def test_it_is_copied_whole(self) -> None:
        for elements in (CompactArray((unsigned(1),)), CompactArray((), OCTET)):
            for again in (copy.deepcopy(elements), copy.copy(elements)):
                assert again == elements
                assert again.description == elements.description

    def test_it_is_frozen_and_shows_itself(self) -> None:
        elements = CompactArray((unsigned(1),))
        with pytest.raises(AttributeError):
            elements.description = NULL
        assert repr(elements).startswith("CompactArray((Data(")
        assert repr(elements.description) in repr(elements)

    def test_contents_alone_are_read_by_a_description(self) -> None:
        """As a compact data object (class 62) gives them: the description in another attribute."""
        template = TypeDescription.from_octets(bytes.fromhex("02021109"))
        row = structure(unsigned(7), octet_string(b"AB"))
        assert CompactArray.from_contents(template, bytes.fromhex("07024142")) == (row,)
        assert CompactArray((row,), template).to_contents() == bytes.fromhex("07024142")
        with pytest.raises(RemoteProtocolError, match="octet-string of 3 octets needs 2 more") as caught:
            CompactArray.from_contents(template, bytes.fromhex("070341"))
        assert caught.value.where.offset == 3

    @pytest.mark.parametrize(
        ("elements", "description", "says"),
        [
            ((unsigned(1), enum(1)), None, "enum where each element of the compact array has unsigned"),
            ((structure(unsigned(1)), structure(unsigned(1), unsigned(2))), None, "of another size"),
            ((structure(unsigned(1)), structure(null_data(None))), None, "null-data where"),
            ((array(unsigned)((1,)), array(unsigned)((1, 2))), None, "of another size"),
            ((Data(DataTag.ARRAY, (unsigned(1), enum(2))),), None, "enum where"),
            ((unsigned(1),), structures(OCTET), "unsigned where"),
            ((Data(DataTag.UNSIGNED, 300),), OCTET, "300 is no unsigned"),
            ((null_data(None),), None, "elements without octets"),
            ((structure(),), None, "elements without octets"),
            ((Data(DataTag.STRUCTURE, 5),), structures(OCTET), "of another size"),
            ((5,), OCTET, "no Data"),
        ],
    )
    def test_what_is_not_of_the_type_is_not_sent(
        self, elements: Any, description: TypeDescription | None, says: str
    ) -> None:
        with pytest.raises(LocalProtocolError, match=says):
            Data(DataTag.COMPACT_ARRAY, CompactArray(elements, description)).to_octets()

    def test_what_is_sent_can_be_read(self) -> None:
        """So there is one cap for both ways, by the description alone."""
        row = structure(unsigned(1), *[null_data(None)] * 20)
        most = TypeDescription.of(row).most
        assert 0 < most < 100
        octets = Data(DataTag.COMPACT_ARRAY, CompactArray([row] * most)).to_octets()
        assert Data.from_octets(octets).value == (row,) * most
        with pytest.raises(LocalProtocolError, match="too many nodes"):
            Data(DataTag.COMPACT_ARRAY, CompactArray([row] * (most + 1))).to_octets()


class TestCaps:
    """Nothing that comes can cost more than its own octets, `DENSEST` times."""

    @pytest.mark.parametrize(
        "octets",
        [
            "13 00 84FFFFFFFF",
            "13 00 8480000000 00",
            "13 11 84FFFFFFFF 00",
            "13 01FFFF 01FFFF 00 04 00000000",
            "13 01FFFF 01FFFF 11 04 00000000",
            "13 01FFFF 01FFFF 0200 04 00000000",
            "13 0202 11 01FFFF 00 04 00000000",
            "13 0202 11 01FFFF 01FFFF 01FFFF 01FFFF 00 04 00000000",
            "13 0284FFFFFFFF 00",
            "13 01FFFF 0284FFFFFFFF 00",
            "13" + "01FFFF" * 30 + "00 04 00000000",
            "13" + "01FFFF" * 30 + "11 04 00000000",
        ],
    )
    def test_a_product_of_counts_costs_nothing(self, octets: str) -> None:
        steps = calls_during(lambda: refuse(bytes.fromhex(octets)))
        assert steps < 40 * DEEPEST_NESTING

    def test_empty_contents_of_a_huge_type_cost_nothing(self) -> None:
        octets = bytes.fromhex("13" + "01FFFF" * 30 + "00 00")
        steps = calls_during(lambda: Data.from_octets(octets).to_octets())
        assert steps < 20 * DEEPEST_NESTING

    @pytest.mark.parametrize(
        "level", [b"\x01\xff\xff", b"\x01\x00\x00", b"\x02\x01", b"\x02\x84\x00\x00\x00\x01"]
    )
    def test_a_description_ten_thousand_deep_is_refused_after_a_few_steps(self, level: bytes) -> None:
        octets = b"\x13" + level * 10_000 + b"\x11\x00"
        steps = calls_during(lambda: refuse(octets))
        assert steps < 20 * DEEPEST_NESTING

    def test_nesting_counts_from_the_root(self) -> None:
        """Arrays around, the compact array itself, and what is described in it."""

        def nested(around: int, inside: int) -> bytes:
            return b"\x01\x01" * around + b"\x13" + b"\x02\x01" * inside + b"\x11\x01\x07"

        for around, inside in ((0, DEEPEST_NESTING - 1), (DEEPEST_NESTING - 1, 0), (9, DEEPEST_NESTING - 10)):
            octets = nested(around, inside)
            data = Data.from_octets(octets)
            assert data.to_octets() == octets
            for deeper in (nested(around + 1, inside), nested(around, inside + 1)):
                with pytest.raises(RemoteProtocolError, match=f"nested deeper than {DEEPEST_NESTING}"):
                    Data.from_octets(deeper)
            with pytest.raises(LocalProtocolError, match="nested deeper"):
                Data(DataTag.ARRAY, (data,)).to_octets()

    @given(st.integers(1, 400), st.integers(0, 400))
    @settings(max_examples=40)
    def test_a_tree_has_at_most_so_many_nodes_an_octet(self, nulls: int, rows: int) -> None:
        """A wide row of nothing, many times: the product of what both took would be quadratic."""
        description = structures(OCTET, *[NULL] * nulls)
        octets = b"\x13" + description.to_octets() + b"\x82" + rows.to_bytes(2, "big") + bytes(rows)
        if rows > description.most:
            with pytest.raises(RemoteProtocolError, match="too many nodes"):
                Data.from_octets(octets)
            return
        data = Data.from_octets(octets)
        assert isinstance(data.value, tuple)
        assert len(data.value) == rows
        assert rows * description.nodes <= DENSEST * len(octets)

    @pytest.mark.parametrize("widest", [b"\x13\x11\x00", b"\x13\x00\x00", b"\x13\x02\x00\x00"])
    def test_many_of_them_cost_no_more_than_their_octets(self, widest: bytes) -> None:
        octets = b"\x01\x82\x27\x10" + widest * 10_000
        steps = calls_during(lambda: Data.from_octets(octets))
        assert steps < 20 * len(octets)

    def test_a_long_one_is_read_in_a_moment(self) -> None:
        """64 KiB of every kind of trouble: the densest, and rows that break only at their end."""
        dense = structures(OCTET, *[NULL] * (DENSEST - 2))
        for description in (dense, structures(structures(structures(OCTET))), OCTET):
            octets = b"\x13" + description.to_octets() + b"\x82\xff\xff" + bytes(0xFFFF)
            begin = time.process_time()
            assert len(Data.from_octets(octets).to_octets()) == len(octets)
            assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("octets", "offset", "says"),
    [
        ("13 07 00", 1, "07 is no type that can be described"),
        ("13 13 11 00 00", 1, "13 is no type that can be described"),
        ("13 0201 13 00", 3, "13 is no type that can be described"),
        ("13 12 03 000100", 5, "the contents end before the last element does"),
        ("13 12 03 000100 00", 5, "the contents end before the last element does"),
        ("13 09 03 04 4142 4344", 3, "the contents end before the last element does"),
        ("13 06 03 000102", 3, "the contents have 3 octets, and an element of this type takes more"),
        ("13 00 01 00", 3, "the contents have 1 octets, and an element of this type takes none"),
        ("13 0202 11 01FFFF 00 01 00", 9, "has too many nodes for so few"),
        ("13 09 02 0541", 5, "octet-string of 5 octets needs 4 more"),
        ("13 09 02 8041", 3, "80 is no length"),
        ("13 11 80", 2, "80 is no length"),
        ("13 11 01 05 05", 4, "1 octets too many"),
    ],
)
def test_what_is_no_compact_array_is_refused_and_says_where(octets: str, offset: int, says: str) -> None:
    with pytest.raises(RemoteProtocolError, match=says) as caught:
        Data.from_octets(bytes.fromhex(octets))
    assert caught.value.where.offset == offset


def test_a_trace_names_each_part() -> None:
    span = Span("data", 0)
    octets = bytes.fromhex("13 0202 010002 11 09 07 0102 00 0304 01 41")
    DataField().codec().trace(octets, 0, span)

    def shape(each: Span) -> Any:
        run = (each.name, each.start, each.end)
        return (*run, [shape(child) for child in each.children]) if each.children else run

    described, contents = span.children
    assert shape(described) == (
        CONTENTS_DESCRIPTION,
        1,
        8,
        [("[0]", 3, 7, [("[0]", 6, 7)]), ("[1]", 7, 8)],
    )
    assert shape(contents) == (
        ARRAY_CONTENTS,
        8,
        16,
        [
            ("[0]", 9, 12, [("[0]", 9, 11, [("[0]", 9, 10), ("[1]", 10, 11)]), ("[1]", 11, 12)]),
            ("[1]", 12, 16, [("[0]", 12, 14, [("[0]", 12, 13), ("[1]", 13, 14)]), ("[1]", 14, 16)]),
        ],
    )
    assert described.value == structures(arrays(2, OCTET), TypeDescription(DataTag.OCTET_STRING))
    assert contents.children[1].value == structure(array(unsigned)((3, 4)), octet_string(b"A"))
