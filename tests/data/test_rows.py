"""Rows beside the tree: the same values, the same errors, the same octets, whatever comes."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.test_tree import calls_during

from meterwright.codec import length_octets
from meterwright.data import (
    Column,
    CompactArray,
    Data,
    DataTag,
    Row,
    Rows,
    RowShape,
    decode_rows,
    encode_rows,
)
from meterwright.data.rows import _rows_of_one_shape
from meterwright.data.shape import MOST_COLUMNS
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_trees
from meterwright.values import BitString, CosemDateTime

STAMP = bytes.fromhex("07E8010101000000FF800000")
LATER = bytes.fromhex("07E8010101000F00FF800000")
TWO_ROWS = bytes.fromhex(
    "0102"
    "0203 090C 07E8010101000000FF800000 06 00000001 0F FF"
    "0203 090C 07E8010101000F00FF800000 06 FFFFFFFF 0F 7F"
)
SHAPE = RowShape(
    (Column(DataTag.OCTET_STRING, 12), Column(DataTag.DOUBLE_LONG_UNSIGNED), Column(DataTag.INTEGER))
)
COMPOUND = (DataTag.ARRAY, DataTag.STRUCTURE, DataTag.COMPACT_ARRAY)
LEAVES = data_trees().filter(lambda data: data.tag not in COMPOUND)


def structure(*elements: Data) -> Data:
    return Data(DataTag.STRUCTURE, elements)


def array(*elements: Data) -> Data:
    return Data(DataTag.ARRAY, elements)


def elements_of(data: Data) -> tuple[Data, ...]:
    assert isinstance(data.value, tuple)
    return data.value


@st.composite
def _like(draw: st.DrawFn, data: Data) -> Data:
    """A node with the same tag and length, and often another value."""
    octets = bytearray(data.to_octets())
    width = {
        DataTag.OCTET_STRING: len(octets) - len(data.value) if isinstance(data.value, bytes) else 0,
    }.get(data.tag, 1)
    strings = (DataTag.VISIBLE_STRING, DataTag.UTF8_STRING, DataTag.BIT_STRING)
    if data.tag in strings or len(octets) == width or not draw(st.booleans()):
        return data
    octets[width:] = draw(st.binary(min_size=len(octets) - width, max_size=len(octets) - width))
    return Data.from_octets(bytes(octets))


@st.composite
def buffers(draw: st.DrawFn) -> Data:
    """Arrays whose rows have one shape."""
    first = draw(st.lists(LEAVES, max_size=6))
    count = draw(st.integers(1, 5))
    return array(*(structure(*(draw(_like(each)) for each in first)) for _ in range(count)))


def any_arrays() -> st.SearchStrategy[Data]:
    """Arrays of anything, of structures of anything, of rows."""
    structures = st.lists(data_trees(), max_size=4).map(lambda each: structure(*each))
    return (
        st.lists(data_trees(), max_size=4).map(lambda each: array(*each))
        | st.lists(structures, max_size=4).map(lambda each: array(*each))
        | buffers()
    )


def by_the_tree(octets: bytes) -> tuple[RowShape | None, list[Row]]:
    """What the tree says of a buffer."""
    data = Data.from_octets(octets)
    if data.tag not in (DataTag.ARRAY, DataTag.COMPACT_ARRAY):
        raise RemoteProtocolError(f"{data.tag.label} where an array is expected", layer="data")
    for row in elements_of(data):
        if row.tag is not DataTag.STRUCTURE:
            raise RemoteProtocolError(f"{row.tag.label} where a structure is expected", layer="data")
    rows = [tuple(element.value for element in elements_of(row)) for row in elements_of(data)]
    shapes = {RowShape.of(row) for row in elements_of(data)}
    return (shapes.pop() if len(shapes) == 1 else None), rows


def outcome(action: Any, *arguments: Any) -> str:
    """What came of it; by its text, for two not-a-numbers are never equal."""
    try:
        return repr(tuple(action(*arguments)))
    except (RemoteProtocolError, LocalProtocolError) as error:
        return f"{type(error).__name__} {error} {error.where}"


def test_golden_octets_both_ways() -> None:
    found = decode_rows(TWO_ROWS)
    assert found == Rows(SHAPE, [(STAMP, 1, -1), (LATER, 0xFFFFFFFF, 127)])
    assert SHAPE.tags == (DataTag.OCTET_STRING, DataTag.DOUBLE_LONG_UNSIGNED, DataTag.INTEGER)
    assert encode_rows(SHAPE, found.rows) == TWO_ROWS


def test_time_stamps_become_values_where_that_is_asked() -> None:
    found = decode_rows(TWO_ROWS, date_times=(0, 1))
    assert [row[0] for row in found.rows] == [
        CosemDateTime.from_octets(STAMP),
        CosemDateTime.from_octets(LATER),
    ]
    assert [row[1:] for row in found.rows] == [(1, -1), (0xFFFFFFFF, 127)]
    assert encode_rows(SHAPE, found.rows) == TWO_ROWS
    assert encode_rows(SHAPE, [found.rows[0], (LATER, *found.rows[1][1:])]) == TWO_ROWS


def test_what_did_not_change_may_be_null_data() -> None:
    octets = TWO_ROWS[:23] + bytes.fromhex("0F FF 0203 00 00 0F 7F")
    moment = CosemDateTime.from_octets(STAMP)
    assert decode_rows(octets, (0,)) == Rows(None, [(moment, 1, -1), (None, None, 127)])


@pytest.mark.parametrize(
    ("octets", "rows"),
    [
        ("0100", []),
        ("0101 0200", [()]),
        ("0102 0200 0200", [(), ()]),
        ("8101", None),
        ("01 8101 0201 11 05", [(5,)]),
        ("0102 0201 09 8101 41 0201 09 8101 42", [(b"A",), (b"B",)]),
        ("13 02 01 11 02 05 06", [(5,), (6,)]),
        ("0102 0202 00 FF 0202 00 FF", [(None, None), (None, None)]),
        ("0102 0201 03 02 0201 03 00", [(True,), (False,)]),
        ("0101 0201 01 01 11 05", [((Data(DataTag.UNSIGNED, 5),),)]),
        ("0102 11 05 11 06", None),
        ("0203 11 05 11 06 11 07", None),
        ("", None),
        ("01", None),
        ("0180", None),
        ("0101", None),
        ("0102 0201 11 05 0201 11", None),
        ("0101 0201 11 05 00", None),
    ],
)
def test_odd_buffers(octets: str, rows: list[Row] | None) -> None:
    raw = bytes.fromhex(octets)
    if rows is None:
        with pytest.raises(RemoteProtocolError):
            decode_rows(raw)
    else:
        assert decode_rows(raw).rows == rows
    assert outcome(decode_rows, raw) == outcome(by_the_tree, raw)


@given(any_arrays())
def test_rows_are_the_values_of_the_tree(data: Data) -> None:
    octets = data.to_octets()
    assert outcome(decode_rows, octets) == outcome(by_the_tree, octets)


@given(buffers())
def test_rows_of_one_shape_go_the_short_way_and_come_back(data: Data) -> None:
    octets = data.to_octets()
    short = _rows_of_one_shape(octets, frozenset())
    floats = [e.value for row in elements_of(data) for e in elements_of(row) if e.tag is DataTag.FLOAT32]
    assert (short is None) == any(isinstance(number, float) and math.isnan(number) for number in floats)
    shape, rows = decode_rows(octets)
    assert shape is not None
    assert encode_rows(shape, rows) == octets


@given(buffers(), st.data())
def test_a_buffer_with_a_wrong_octet_is_what_the_tree_makes_of_it(data: Data, draw: st.DataObject) -> None:
    octets = bytearray(data.to_octets())
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(octets) - 1))
        octets[place : place + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2))
        octets = octets or bytearray(1)
    assert outcome(decode_rows, bytes(octets)) == outcome(by_the_tree, bytes(octets))


def test_every_octet_of_a_buffer_counts() -> None:
    for place in range(len(TWO_ROWS)):
        for octet in range(256):
            octets = TWO_ROWS[:place] + bytes((octet,)) + TWO_ROWS[place + 1 :]
            assert outcome(decode_rows, octets) == outcome(by_the_tree, octets)
        assert outcome(decode_rows, TWO_ROWS[:place]) == outcome(by_the_tree, TWO_ROWS[:place])


VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-130, 260)
    | st.floats()
    | st.binary(max_size=3)
    | st.text(max_size=3)
    | st.lists(st.booleans(), max_size=9).map(BitString.from_bits)
    | st.just([])
)
COLUMNS = st.builds(Column, st.sampled_from(DataTag), st.integers(-1, 4))


@given(st.lists(COLUMNS, max_size=4), st.data())
def test_any_values_are_sent_or_refused_as_by_the_tree(columns: list[Column], draw: st.DataObject) -> None:
    row = st.tuples(*(VALUES for _ in columns))
    rows: list[tuple[Any, ...]] = draw.draw(st.lists(row, max_size=3))
    tree = array(*(structure(*(Data(c.tag, v) for c, v in zip(columns, row, strict=True))) for row in rows))
    sent = outcome(lambda: [encode_rows(RowShape(tuple(columns)), rows)])
    assert sent == outcome(lambda: [tree.to_octets()])


@given(buffers(), st.data())
def test_one_odd_value_is_sent_or_refused_as_by_the_tree(data: Data, draw: st.DataObject) -> None:
    shape, rows = decode_rows(data.to_octets())
    assert shape is not None
    if shape.columns:
        place = draw.draw(st.integers(0, len(rows) - 1))
        column = draw.draw(st.integers(0, len(shape.columns) - 1))
        changed = list(rows[place])
        changed[column] = draw.draw(VALUES)
        rows[place] = tuple(changed)
    nodes = (structure(*map(Data, shape.tags, row)) for row in rows)
    tree = array(*nodes)
    assert outcome(lambda: [encode_rows(shape, rows)]) == outcome(lambda: [tree.to_octets()])


@pytest.mark.parametrize("rows", [[(1,)], [(1, 2), (1,)], [(1, 2, 3)], [()]])
def test_a_row_has_a_value_for_each_column(rows: list[Row]) -> None:
    for tag in (DataTag.UNSIGNED, DataTag.BOOLEAN, DataTag.FLOAT32, DataTag.OCTET_STRING, DataTag.NULL_DATA):
        with pytest.raises(LocalProtocolError, match="a row of"):
            encode_rows(RowShape((Column(tag), Column(tag))), rows)


def test_a_structure_has_a_shape_and_nothing_else() -> None:
    row = structure(Data(DataTag.UTF8_STRING, "é"), Data(DataTag.BIT_STRING, BitString.from_text("101")))
    assert RowShape.of(row).columns == (Column(DataTag.UTF8_STRING, 2), Column(DataTag.BIT_STRING, 3))
    with pytest.raises(RemoteProtocolError, match="null-data where a structure is expected"):
        RowShape.of(Data(DataTag.NULL_DATA, None))


def test_a_compact_array_has_rows_too() -> None:
    data = Data(DataTag.COMPACT_ARRAY, CompactArray([structure(Data(DataTag.UNSIGNED, 5))]))
    assert decode_rows(data.to_octets()) == Rows(RowShape((Column(DataTag.UNSIGNED),)), [(5,)])


@st.composite
def compact_buffers(draw: st.DrawFn) -> bytes:
    """The octets of compact arrays of one shape, and of such as differ in the lengths of their strings."""
    rows = list(elements_of(draw(buffers())))
    if draw(st.booleans()):
        text = st.binary(max_size=3).map(lambda octets: Data(DataTag.OCTET_STRING, octets))
        rows = [structure(*elements_of(row), draw(text)) for row in rows]
    try:
        return Data(DataTag.COMPACT_ARRAY, CompactArray(rows)).to_octets()
    except LocalProtocolError:  # rows without octets
        return Data(DataTag.COMPACT_ARRAY, CompactArray()).to_octets()


@given(compact_buffers())
def test_rows_of_a_compact_array_are_the_values_of_the_tree(octets: bytes) -> None:
    assert outcome(decode_rows, octets) == outcome(by_the_tree, octets)


@given(compact_buffers(), st.data())
def test_a_compact_array_with_a_wrong_octet_is_what_the_tree_makes_of_it(
    octets: bytes, draw: st.DataObject
) -> None:
    wrong = bytearray(octets)
    wrong[draw.draw(st.integers(0, len(octets) - 1))] = draw.draw(st.integers(0, 255))
    for changed in (bytes(wrong), octets[: draw.draw(st.integers(0, len(octets)))], octets + b"\x00"):
        assert outcome(decode_rows, changed) == outcome(by_the_tree, changed)


def test_a_compact_array_of_one_shape_goes_the_short_way() -> None:
    rows = elements_of(Data.from_octets(TWO_ROWS))
    octets = Data(DataTag.COMPACT_ARRAY, CompactArray(rows)).to_octets()
    found = _rows_of_one_shape(octets, frozenset({0}))
    assert found == decode_rows(TWO_ROWS, date_times=(0,))
    shorter = (*rows, structure(Data(DataTag.OCTET_STRING, b""), *elements_of(rows[0])[1:]))
    octets = Data(DataTag.COMPACT_ARRAY, CompactArray(shorter)).to_octets()
    assert _rows_of_one_shape(octets, frozenset()) is None
    assert decode_rows(octets).rows[2] == (b"", 1, -1)


class TestWorkIsBounded:
    def test_more_columns_than_any_profile_has_go_by_the_tree(self) -> None:
        row = structure(*[Data(DataTag.UNSIGNED, 5)] * (MOST_COLUMNS + 1))
        octets = array(row, row).to_octets()
        assert _rows_of_one_shape(octets, frozenset()) is None
        shape, rows = decode_rows(octets)
        assert rows == [(5,) * (MOST_COLUMNS + 1)] * 2
        assert shape is not None
        assert encode_rows(shape, rows) == octets

    @pytest.mark.parametrize("count", [1000, 0xFFFFFFFF])
    def test_a_count_that_lies_is_refused_at_once(self, count: int) -> None:
        octets = b"\x01" + length_octets(count) + b"\x02\x01\x11\x05" * 100

        def refused() -> None:
            with pytest.raises(RemoteProtocolError):
                decode_rows(octets)

        assert calls_during(refused) < 50

    def test_a_good_buffer_takes_no_call_a_row(self) -> None:
        row = structure(Data(DataTag.UNSIGNED, 5), Data(DataTag.OCTET_STRING, STAMP))
        octets = array(*[row] * 5000).to_octets()
        assert calls_during(lambda: decode_rows(octets)) < 100

    def test_an_odd_last_row_costs_no_more_than_the_tree_and_its_values(self) -> None:
        rows = [structure(Data(DataTag.UNSIGNED, 5))] * 1000
        octets = array(*rows, structure(Data(DataTag.INTEGER, 5))).to_octets()
        steps = calls_during(lambda: decode_rows(octets))
        assert steps < 4 * calls_during(lambda: Data.from_octets(octets))
