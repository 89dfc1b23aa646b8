"""The Data tree: every tag both ways, caps on what comes, exactness of what goes."""

import math
import sys
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterwright.codec import Span, length_octets
from meterwright.data import (
    CONTENTS_DESCRIPTION,
    DEEPEST_NESTING,
    CompactArray,
    Data,
    DataField,
    DataTag,
    decode_data,
    encode_data,
    node,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_trees
from meterwright.values import BitString, CosemDate, CosemDateTime, CosemTime

NULL = Data(DataTag.NULL_DATA, None)
MOMENT = CosemDateTime.from_octets(bytes.fromhex("07E8010101000000FF800000"))

GOLDEN: list[tuple[str, DataTag, Any]] = [
    ("00", DataTag.NULL_DATA, None),
    ("0102 0F01 0F02", DataTag.ARRAY, (Data(DataTag.INTEGER, 1), Data(DataTag.INTEGER, 2))),
    ("0100", DataTag.ARRAY, ()),
    ("0202 0F01 00", DataTag.STRUCTURE, (Data(DataTag.INTEGER, 1), NULL)),
    ("0200", DataTag.STRUCTURE, ()),
    ("0301", DataTag.BOOLEAN, True),
    ("0300", DataTag.BOOLEAN, False),
    ("0405 A8", DataTag.BIT_STRING, BitString.from_text("10101")),
    ("0400", DataTag.BIT_STRING, BitString(b"", 0)),
    ("05 FFFFFFFE", DataTag.DOUBLE_LONG, -2),
    ("06 FFFFFFFE", DataTag.DOUBLE_LONG_UNSIGNED, 0xFFFFFFFE),
    ("0903 616263", DataTag.OCTET_STRING, b"abc"),
    ("0900", DataTag.OCTET_STRING, b""),
    ("0A03 61E963", DataTag.VISIBLE_STRING, "aéc"),
    ("0C04 61C3A963", DataTag.UTF8_STRING, "aéc"),
    ("0C01 FF", DataTag.UTF8_STRING, "\udcff"),
    ("0D 99", DataTag.BCD, 0x99),
    ("0F 80", DataTag.INTEGER, -128),
    ("10 8000", DataTag.LONG, -32768),
    ("11 FF", DataTag.UNSIGNED, 255),
    ("12 FFFF", DataTag.LONG_UNSIGNED, 65535),
    (
        "13 0F 03 010203",
        DataTag.COMPACT_ARRAY,
        CompactArray(Data(DataTag.INTEGER, number) for number in (1, 2, 3)),
    ),
    ("14 8000000000000000", DataTag.LONG64, -(1 << 63)),
    ("15 FFFFFFFFFFFFFFFF", DataTag.LONG64_UNSIGNED, (1 << 64) - 1),
    ("16 1E", DataTag.ENUM, 30),
    ("17 3FC00000", DataTag.FLOAT32, 1.5),
    ("18 BFF8000000000000", DataTag.FLOAT64, -1.5),
    ("17 7F800000", DataTag.FLOAT32, math.inf),
    ("19 07E8010101000000FF800000", DataTag.DATE_TIME, MOMENT),
    ("1A FFFFFEFD07", DataTag.DATE, CosemDate.from_octets(bytes.fromhex("FFFFFEFD07"))),
    ("1B 0C000000", DataTag.TIME, CosemTime(12, 0, 0, 0)),
    ("1C FF", DataTag.DELTA_INTEGER, -1),
    ("1D FFFF", DataTag.DELTA_LONG, -1),
    ("1E FFFFFFFF", DataTag.DELTA_DOUBLE_LONG, -1),
    ("1F FF", DataTag.DELTA_UNSIGNED, 255),
    ("20 FFFF", DataTag.DELTA_LONG_UNSIGNED, 65535),
    ("21 FFFFFFFF", DataTag.DELTA_DOUBLE_LONG_UNSIGNED, 0xFFFFFFFF),
    ("FF", DataTag.DONT_CARE, None),
]


@pytest.mark.parametrize(("octets", "tag", "value"), GOLDEN)
def test_octets_both_ways(octets: str, tag: DataTag, value: Any) -> None:
    data = Data(tag, value)
    assert data.to_octets().hex() == octets.replace(" ", "").lower()
    assert Data.from_octets(bytes.fromhex(octets)) == data


def test_every_tag_stands_here() -> None:
    assert {tag for _, tag, _ in GOLDEN} == set(DataTag)


@given(data_trees())
def test_every_tree_comes_back(data: Data) -> None:
    octets = data.to_octets()
    assert Data.from_octets(octets) == data
    assert Data.from_octets(octets).to_octets() == octets


@pytest.mark.parametrize("tag", [DataTag.ARRAY, DataTag.STRUCTURE])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 127, 128, 255, 256, 300])
@given(data=st.data())
@settings(max_examples=5)
def test_many_elements_stand_one_after_the_other(tag: DataTag, count: int, data: st.DataObject) -> None:
    some = data.draw(st.lists(data_trees(), min_size=1, max_size=3))
    elements = tuple(some[index % len(some)] for index in range(count))
    octets = bytes((tag,)) + length_octets(count) + b"".join(each.to_octets() for each in elements)
    assert Data(tag, elements).to_octets() == octets
    assert Data.from_octets(octets) == Data(tag, elements)


def test_any_buffer_is_an_octet_string_and_only_a_text_is_a_text() -> None:
    for octets in (b"\x01\x02", bytearray(b"\x01\x02"), memoryview(b"\x01\x02"), array("H", [0x0201])):
        assert node((DataTag.OCTET_STRING, octets)).to_octets() == bytes.fromhex("09020102")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # callers without a type checker
        for tag in (DataTag.VISIBLE_STRING, DataTag.UTF8_STRING):
            with pytest.raises(LocalProtocolError):
                node((tag, octets)).to_octets()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above


@given(data_trees())
def test_a_node_made_the_short_way_is_the_same(data: Data) -> None:
    made = node((data.tag, data.value))
    assert made == data
    assert type(made) is Data


@given(data_trees(), st.binary(max_size=3), st.binary(max_size=3))
def test_a_node_is_read_from_where_it_starts_and_no_further(data: Data, before: bytes, after: bytes) -> None:
    octets = data.to_octets()
    assert decode_data(before + octets + after, len(before)) == (data, len(before) + len(octets))


@given(data_trees())
def test_a_trace_means_the_same_and_has_a_span_for_each_element(data: Data) -> None:
    def count(each: Data) -> int:
        return sum(1 + count(inner) for inner in each.value) if isinstance(each.value, tuple) else 0

    def spans(each: Span) -> int:
        elements = [child for child in each.children if child.name != CONTENTS_DESCRIPTION]
        return sum(child.name.startswith("[") + spans(child) for child in elements)

    span = Span("data", 0)
    assert DataField().codec().trace(data.to_octets(), 0, span)[0] == data
    assert spans(span) == count(data)


def test_labels_are_the_standards_names() -> None:
    assert DataTag.DOUBLE_LONG_UNSIGNED.label == "double-long-unsigned"
    assert DataTag.NULL_DATA.label == "null-data"


NOT_NUMBERS = [
    "17 7FC00000",
    "17 FFC00000",
    "17 7FC00001",
    "17 7F800001",  # a signalling one: the processor would make it 7FC00001
    "17 FFA5A5A5",
    "18 7FF8000000000000",
    "18 7FF0000000000001",
    "18 FFF4000000000000",
]


@pytest.mark.parametrize("octets", NOT_NUMBERS)
def test_not_a_number_comes_back_as_it_was(octets: str) -> None:
    data = Data.from_octets(bytes.fromhex(octets))
    assert isinstance(data.value, float)
    assert math.isnan(data.value)
    assert data.to_octets() == bytes.fromhex(octets)


@given(st.binary(min_size=4, max_size=4), st.binary(min_size=8, max_size=8))
def test_any_octets_are_a_float_and_come_back(single: bytes, double: bytes) -> None:
    for octets in (b"\x17" + single, b"\x18" + double):
        assert Data.from_octets(octets).to_octets() == octets


def test_a_not_a_number_that_only_a_double_can_tell_is_none_in_a_single_too() -> None:
    narrow = Data.from_octets(bytes.fromhex("187FF0000000000001"))
    assert Data(DataTag.FLOAT32, narrow.value).to_octets() == bytes.fromhex("177FC00000")
    assert Data(DataTag.FLOAT32, -math.inf).to_octets() == bytes.fromhex("17FF800000")
    assert Data(DataTag.FLOAT32, -0.0).to_octets() == bytes.fromhex("1780000000")


@pytest.mark.parametrize("octet", ["01", "02", "7F", "FF"])
def test_any_octet_but_zero_is_true(octet: str) -> None:
    assert Data.from_octets(bytes.fromhex("03" + octet)).value is True


def test_padding_of_bit_strings_is_kept() -> None:
    data = Data.from_octets(bytes.fromhex("0403FF"))
    assert data.value == BitString(b"\xff", 3)
    assert data.to_octets() == bytes.fromhex("0403FF")


class TestCaps:
    """Nothing that comes can cost more than its own octets."""

    @pytest.mark.parametrize("tag", ["01", "02"])
    @pytest.mark.parametrize("count", ["02", "8102", "820002", "83000002", "8400000002", "84FFFFFFFF"])
    def test_a_count_beyond_the_octets_is_refused_at_once(self, tag: str, count: str) -> None:
        with pytest.raises(RemoteProtocolError, match="elements cannot stand in the 1 octets left") as caught:
            Data.from_octets(bytes.fromhex(f"{tag}{count}00"))
        assert caught.value.where.offset == 1

    @pytest.mark.parametrize(
        "octets", ["0984FFFFFFFF00", "0A84FFFFFFFF00", "0C84FFFFFFFF00", "0484FFFFFFFF00"]
    )
    def test_a_string_beyond_the_octets_is_refused_at_once(self, octets: str) -> None:
        with pytest.raises(RemoteProtocolError, match="more") as caught:
            Data.from_octets(bytes.fromhex(octets))
        assert caught.value.where.offset == len(octets) // 2

    @pytest.mark.parametrize(
        "element", [b"\x01\x01", b"\x02\x01", b"\x01\x81\x01", b"\x02\x84\x00\x00\x00\x01"]
    )
    def test_nesting_ten_thousand_deep_is_refused_after_a_few_steps(self, element: bytes) -> None:
        octets = element * 10_000 + b"\x00"
        steps = calls_during(lambda: refuse(octets))
        assert steps < 20 * DEEPEST_NESTING

    def test_nesting_is_refused_where_it_goes_too_deep(self) -> None:
        with pytest.raises(RemoteProtocolError, match=f"nested deeper than {DEEPEST_NESTING}") as caught:
            Data.from_octets(b"\x01\x01" * (DEEPEST_NESTING + 1) + b"\x00")
        assert caught.value.where.offset == 2 * DEEPEST_NESTING + 1

    def test_nesting_up_to_the_cap_is_read_and_written(self) -> None:
        octets = b"\x01\x01" * DEEPEST_NESTING + b"\x00"
        assert Data.from_octets(octets).to_octets() == octets

    def test_nesting_too_deep_is_not_sent(self) -> None:
        data = NULL
        for _ in range(DEEPEST_NESTING + 1):
            data = Data(DataTag.ARRAY, (data,))
        with pytest.raises(LocalProtocolError, match="nested deeper"):
            data.to_octets()

    def test_a_tree_has_no_more_nodes_than_octets(self) -> None:
        data = Data.from_octets(b"\x01\x82\x27\x10" + bytes(10_000))
        assert isinstance(data.value, tuple)
        assert len(data.value) == 10_000
        assert all(element is data.value[0] for element in data.value)  # null-data is one and the same

    def test_wide_arrays_in_arrays_cost_no_more_than_their_octets(self) -> None:
        """Each level claims all that is left, and the innermost takes it: the others are short then."""
        octets = bytes.fromhex("0182FFFF") * 16 + bytes(0xFFFF)
        steps = calls_during(lambda: refuse(octets))
        assert steps < 10 * len(octets)  # the tree and its trace


def refuse(octets: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Data.from_octets(octets)
    with pytest.raises((RemoteProtocolError, IndexError)):  # the engine makes "too early" of the latter
        DataField().codec().trace(octets, 0, Span("data", 0))


def calls_during(action: Any) -> int:
    """How many calls of our own functions an action takes."""
    calls = 0

    def look(frame: Any, event: str, _argument: object) -> None:
        nonlocal calls
        if event == "call" and "meterwright" in frame.f_code.co_filename:
            calls += 1

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        action()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    ("octets", "offset", "says"),
    [
        ("", 0, "too early"),
        ("07", 0, "07 is no data tag"),
        ("0B", 0, "0b is no data tag"),
        ("0201", 1, "1 elements cannot stand"),
        ("020105", 3, "too early"),
        ("0201 0B", 2, "0b is no data tag"),
        ("1901", 2, "a date-time needs 11 more"),
        ("1A01", 2, "a date needs 4 more"),
        ("1B01", 2, "a time needs 3 more"),
        ("0903AA", 3, "an? octet-string of 3 octets needs 2 more"),
        ("0409FF", 3, "a bit-string of 9 bits needs 1 more"),
        ("0980", 1, "80 is no length"),
        ("0000", 1, "1 octets too many"),
        ("13", 1, "too early"),
        ("1311", 2, "too early"),
        ("131101", 3, "a compact-array of 1 octets needs 1 more"),
    ],
)
def test_what_is_no_data_is_refused_and_says_where(octets: str, offset: int, says: str) -> None:
    with pytest.raises(RemoteProtocolError, match=says) as caught:
        Data.from_octets(bytes.fromhex(octets))
    assert caught.value.where.offset == offset


@given(data_trees())
@settings(max_examples=50)
def test_every_truncation_is_refused_inside_what_is_left(data: Data) -> None:
    octets = data.to_octets()
    for length in range(len(octets)):
        with pytest.raises(RemoteProtocolError) as caught:
            Data.from_octets(octets[:length])
        assert caught.value.where.offset is not None
        assert 0 <= caught.value.where.offset <= length


@given(st.binary(max_size=64))
def test_any_octets_are_data_or_refused(octets: bytes) -> None:
    offset: int | None = 0
    try:
        data = Data.from_octets(octets)
        assert Data.from_octets(data.to_octets()).to_octets() == data.to_octets()
    except RemoteProtocolError as error:
        offset = error.where.offset
    assert offset is not None
    assert 0 <= offset <= len(octets)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (DataTag.NULL_DATA, 1),
        (DataTag.BOOLEAN, "no"),
        (DataTag.BOOLEAN, None),
        (DataTag.COMPACT_ARRAY, None),
        (DataTag.COMPACT_ARRAY, (NULL,)),
        (DataTag.BIT_STRING, b"\x01"),
        (DataTag.DOUBLE_LONG, 1 << 31),
        (DataTag.DOUBLE_LONG_UNSIGNED, -1),
        (DataTag.OCTET_STRING, "text"),
        (DataTag.OCTET_STRING, 5),
        (DataTag.OCTET_STRING, 10**12),
        (DataTag.VISIBLE_STRING, "€"),
        (DataTag.VISIBLE_STRING, b"abc"),
        (DataTag.UTF8_STRING, "\ud800"),
        (DataTag.UNSIGNED, 256),
        (DataTag.UNSIGNED, 1.5),
        (DataTag.LONG64_UNSIGNED, 1 << 64),
        (DataTag.ENUM, None),
        (DataTag.FLOAT32, "1"),
        (DataTag.FLOAT32, 1e300),
        (DataTag.DATE_TIME, CosemTime(1)),
        (DataTag.DATE, MOMENT),
        (DataTag.TIME, bytes(4)),
        (DataTag.ARRAY, None),
        (DataTag.STRUCTURE, 5),
        (DataTag.STRUCTURE, (5,)),
        (DataTag.ARRAY, ((DataTag.INTEGER, 300),)),
    ],
)
def test_a_value_that_does_not_fit_its_tag_is_our_fault(tag: DataTag, value: Any) -> None:
    with pytest.raises(LocalProtocolError):
        encode_data(Data(tag, value), bytearray())


def test_errors_of_values_are_short() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        Data(DataTag.UNSIGNED, "x" * 10_000).to_octets()
    assert len(str(caught.value)) < 200
