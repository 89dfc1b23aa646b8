"""Data types: exact when sending, patient when receiving."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.data import (
    CompactArray,
    Data,
    DataTag,
    DataType,
    TypeDescription,
    anything,
    array,
    bcd,
    bit_string,
    boolean,
    compact_array,
    cosem_date,
    cosem_time,
    date_time,
    delta_double_long,
    delta_double_long_unsigned,
    delta_integer,
    delta_long,
    delta_long_unsigned,
    delta_unsigned,
    dont_care,
    double_long,
    double_long_unsigned,
    elements_of,
    enum,
    enumerated,
    flags,
    float32,
    float64,
    integer,
    logical_name,
    long,
    long64,
    long64_unsigned,
    long_unsigned,
    null_data,
    octet_date,
    octet_date_time,
    octet_string,
    octet_time,
    scaler_unit,
    structure,
    unsigned,
    utf8_string,
    visible_string,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_of
from meterwright.values import (
    BitString,
    ClockStatus,
    CosemDate,
    CosemDateTime,
    CosemTime,
    DataAccessResult,
    Obis,
    ScalerUnit,
    Unit,
)

MOMENT = CosemDateTime.from_octets(bytes.fromhex("07E8010101000000FF800000"))
DAY = CosemDate(2024, 1, 1, 1)
NOON = CosemTime(12, 0, 0, 0)
CLOCK = Obis.of("0.0.1.0.0.255")

NUMBERS = [
    (integer, -0x80, 0x7F),
    (long, -0x8000, 0x7FFF),
    (double_long, -(1 << 31), (1 << 31) - 1),
    (long64, -(1 << 63), (1 << 63) - 1),
    (unsigned, 0, 0xFF),
    (long_unsigned, 0, 0xFFFF),
    (double_long_unsigned, 0, 0xFFFFFFFF),
    (long64_unsigned, 0, (1 << 64) - 1),
    (enum, 0, 0xFF),
]


DELTAS = [
    (delta_integer, -0x80, 0x7F),
    (delta_long, -0x8000, 0x7FFF),
    (delta_double_long, -(1 << 31), (1 << 31) - 1),
    (delta_unsigned, 0, 0xFF),
    (delta_long_unsigned, 0, 0xFFFF),
    (delta_double_long_unsigned, 0, 0xFFFFFFFF),
]


def name_of(each: object) -> str | None:
    """Tests are named after the types in them."""
    return each.name if isinstance(each, DataType) else None


@dataclass(frozen=True, slots=True)
class Record:
    """A structure of two."""

    number: Annotated[int, long_unsigned]
    name: Annotated[Obis, logical_name]


SIMPLE: list[DataType[Any]] = [
    *(number for number, _, _ in (*NUMBERS, *DELTAS)), bcd,
    float32, float64, boolean, null_data, dont_care, octet_string, visible_string, utf8_string, bit_string,
    date_time, cosem_date, cosem_time, octet_date_time, octet_date, octet_time, logical_name, scaler_unit,
    enumerated(DataAccessResult), flags(ClockStatus, unsigned), structure(Record), array(structure(Record)), anything,
    compact_array(structure(Record)), compact_array(array(unsigned)),
]  # fmt: skip


@pytest.mark.parametrize("data_type", SIMPLE, ids=name_of)
def test_what_is_sent_is_read(data_type: DataType[Any]) -> None:
    @given(data_of(data_type))
    def check(data: Data) -> None:
        value = data_type.from_data(data)
        assert data_type(value) == data
        assert data_type.from_data(Data.from_octets(data_type(value).to_octets())) == value

    check()


@pytest.mark.parametrize("data_type", SIMPLE, ids=name_of)
def test_a_type_shows_its_name(data_type: DataType[Any]) -> None:
    assert repr(data_type) == f"<{data_type.name}>"


@pytest.mark.parametrize(("number", "low", "high"), [*NUMBERS, *DELTAS, (bcd, 0, 99)], ids=name_of)
def test_numbers_that_fit_are_sent_and_no_others(number: DataType[int], low: int, high: int) -> None:
    for fits in (low, 0, high):
        assert number.from_data(Data.from_octets(number(fits).to_octets())) == fits
    for beyond in (low - 1, high + 1):
        with pytest.raises(LocalProtocolError, match=f"{low} to {high} fit"):
            number(beyond)


@given(
    st.sampled_from([number for number, _, _ in NUMBERS]),
    st.sampled_from([number for number, _, _ in NUMBERS]),
)
def test_any_number_is_read_where_a_number_is_meant(meant: DataType[int], came: DataType[int]) -> None:
    assert meant.from_data(came(5)) == 5


@pytest.mark.parametrize(
    ("data_type", "data", "value"),
    [
        (boolean, unsigned(0), False),
        (boolean, enum(2), True),
        (float64, unsigned(3), 3.0),
        (float32, float64(1.5), 1.5),
        (boolean, Data(DataTag.BCD, 0x10), True),
        (unsigned, Data(DataTag.BCD, 0x42), 42),
        (bcd, unsigned(42), 42),
        (octet_string, Data(DataTag.VISIBLE_STRING, "aé"), b"a\xe9"),
        (octet_string, Data(DataTag.UTF8_STRING, "é\udcff"), b"\xc3\xa9\xff"),
        (visible_string, octet_string(b"a\xe9"), "aé"),
        (utf8_string, visible_string("aé"), "aé"),
        (utf8_string, octet_string("aé".encode()), "aé"),
        (utf8_string, octet_string(b"a\xe9"), "a\udce9"),
        (octet_date_time, date_time(MOMENT), MOMENT),
        (date_time, octet_date_time(MOMENT), MOMENT),
        (octet_date, cosem_date(DAY), DAY),
        (cosem_date, octet_date(DAY), DAY),
        (octet_time, cosem_time(NOON), NOON),
        (cosem_time, octet_time(NOON), NOON),
        (logical_name, octet_string(CLOCK.octets), CLOCK),
        (enumerated(DataAccessResult), unsigned(3), DataAccessResult.READ_WRITE_DENIED),
        (flags(ClockStatus, unsigned), enum(0x80), ClockStatus.DAYLIGHT_SAVING_ACTIVE),
        (array(unsigned), Data(DataTag.STRUCTURE, (unsigned(1),)), (1,)),
        (array(unsigned), Data(DataTag.COMPACT_ARRAY, CompactArray((unsigned(1),))), (1,)),
        (compact_array(unsigned), Data(DataTag.ARRAY, (enum(1), long(2))), (1, 2)),
        (array(unsigned, null_is_empty=True), null_data(None), ()),
        (structure(Record), Data(DataTag.ARRAY, (unsigned(1), logical_name(CLOCK))), Record(1, CLOCK)),
        (scaler_unit, Data(DataTag.STRUCTURE, (unsigned(1), unsigned(30))), ScalerUnit(1, Unit(30))),
    ],
)
def test_patience(data_type: DataType[Any], data: Data, value: object) -> None:
    """What meters send in other types than the book's, and what is meant by it."""
    assert data_type.from_data(data) == value


@pytest.mark.parametrize(
    ("data_type", "data", "says"),
    [
        (unsigned, octet_string(b"1"), "octet-string where unsigned is expected"),
        (unsigned, boolean(True), "boolean where unsigned is expected"),
        (unsigned, float64(1), "float64 where unsigned"),
        (unsigned, delta_unsigned(1), "delta-unsigned where unsigned"),
        (delta_unsigned, unsigned(1), "unsigned where delta-unsigned"),
        (bcd, Data(DataTag.BCD, 0x9A), "9a where bcd has two decimal digits"),
        (unsigned, Data(DataTag.BCD, 0xA0), "a0 where bcd has two decimal digits"),
        (dont_care, null_data(None), "null-data where dont-care"),
        (compact_array(unsigned), unsigned(1), "unsigned where array"),
        (boolean, null_data(None), "null-data where boolean"),
        (null_data, unsigned(0), "unsigned where null-data"),
        (float32, octet_string(b""), "octet-string where float32"),
        (octet_string, unsigned(1), "unsigned where octet-string"),
        (octet_string, date_time(MOMENT), "date-time where octet-string"),
        (visible_string, bit_string(BitString(b"", 0)), "bit-string where visible-string"),
        (bit_string, octet_string(b""), "octet-string where bit-string"),
        (octet_date_time, octet_string(bytes(11)), "11 octets where a date-time has 12"),
        (octet_date_time, cosem_date(DAY), "date where octet-string(12)"),
        (logical_name, octet_string(bytes(5)), "5 octets where a logical name has 6"),
        (enumerated(DataAccessResult), long_unsigned(256), "256 is no DataAccessResult"),
        (enumerated(DataAccessResult), integer(-1), "-1 is no DataAccessResult"),
        (array(unsigned), unsigned(1), "unsigned where array"),
        (array(unsigned), null_data(None), "null-data where array"),
        (array(unsigned), Data(DataTag.ARRAY, (octet_string(b""),)), "octet-string where unsigned"),
        (
            structure(Record),
            Data(DataTag.STRUCTURE, (unsigned(1),)),
            "1 elements where structure Record has 2",
        ),
        (structure(Record), octet_string(b""), "octet-string where structure Record"),
        (scaler_unit, Data(DataTag.STRUCTURE, ()), "0 elements where scaler-unit has 2"),
        (scaler_unit, Data(DataTag.STRUCTURE, (integer(0), long_unsigned(256))), "a unit of 256"),
        (scaler_unit, Data(DataTag.STRUCTURE, (long_unsigned(300), enum(30))), "a scaler of 300"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_says_what_stood_there(
    data_type: DataType[Any], data: Data, says: str
) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        data_type.from_data(data)
    assert says in caught.value.what
    assert caught.value.where.layer == "data"


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        (unsigned, 1.5),
        (bcd, 4.5),
        (octet_string, 5),
        (octet_string, "text"),
        (enumerated(DataAccessResult), 300),
        (array(unsigned), (256,)),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_sent(data_type: DataType[Any], value: object) -> None:
    with pytest.raises((LocalProtocolError, TypeError)):
        data_type(value)


def test_a_record_must_be_declared_in_full() -> None:
    @dataclass(frozen=True)
    class Wrong:
        number: int

    with pytest.raises(TypeError, match=r"Wrong\.number: Annotated\[type, DataType\] wanted"):
        structure(Wrong)


def test_the_parts_of_a_type_are_told() -> None:
    assert (structure(Record).tag, structure(Record).parts) == (
        DataTag.STRUCTURE,
        (long_unsigned, logical_name),
    )
    assert (array(unsigned).tag, array(unsigned).parts) == (DataTag.ARRAY, (unsigned,))
    assert (octet_date_time.tag, octet_date_time.size) == (DataTag.OCTET_STRING, 12)
    assert (compact_array(unsigned).tag, compact_array(unsigned).parts) == (
        DataTag.COMPACT_ARRAY,
        (unsigned,),
    )
    assert anything.tag is None
    assert [each.name for each in SIMPLE if each.tag is None] == ["CHOICE"]


def test_elements_of_nothing_but_arrays_and_structures() -> None:
    assert elements_of(Data(DataTag.ARRAY, (unsigned(1),)), "list") == (unsigned(1),)
    with pytest.raises(RemoteProtocolError, match="octet-string where list is expected"):
        elements_of(octet_string(b""), "list")


@pytest.mark.parametrize(
    ("item", "octets"),
    [
        (unsigned, "13 11 00"),
        (structure(Record), "13 02 02 12 09 00"),
        (array(unsigned), "13 01 0000 11 00"),
        (compact_array(unsigned), "13 00 00"),  # none stands in another
        (anything, "13 00 00"),
    ],
    ids=name_of,
)
def test_a_compact_array_of_nothing_is_described_as_far_as_its_type_tells(
    item: DataType[Any], octets: str
) -> None:
    data = compact_array(item)(())
    assert data.to_octets() == bytes.fromhex(octets)
    assert compact_array(item).from_data(data) == ()


def test_a_compact_array_is_described_by_its_first_item() -> None:
    data = compact_array(array(unsigned))(((1, 2), (3, 4)))
    assert data.to_octets() == bytes.fromhex("13 01 0002 11 04 01020304")
    assert data == Data(
        DataTag.COMPACT_ARRAY,
        CompactArray(
            (array(unsigned)((1, 2)), array(unsigned)((3, 4))),
            TypeDescription(DataTag.ARRAY, (TypeDescription(DataTag.UNSIGNED),), 2),
        ),
    )
    with pytest.raises(LocalProtocolError, match="of another size"):
        compact_array(array(unsigned))(((1, 2), (3,))).to_octets()
