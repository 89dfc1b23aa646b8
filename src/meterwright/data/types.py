"""Data types: how a Python value stands in a Data tree, one `DataType[T]` for each kind of attribute value.

Sending is exact: a value that does not fit its type is a LocalProtocolError. Receiving is as patient as meters need: any
integral tag is taken where a number is meant (enums arrive as unsigned, counts as enum), any kind of string where a
string is meant, a date-time with its own tag where an octet-string of twelve is meant. What can't be meant is a
RemoteProtocolError that says what stood there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from operator import index
from typing import Any, Final, Generic, TypeVar

from meterwright.data.tree import Data, DataTag, node
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import BitString, CosemDate, CosemDateTime, CosemTime, Obis

__all__ = [
    "DataType",
    "anything",
    "bcd",
    "bit_string",
    "boolean",
    "cosem_date",
    "cosem_time",
    "date_time",
    "delta_double_long",
    "delta_double_long_unsigned",
    "delta_integer",
    "delta_long",
    "delta_long_unsigned",
    "delta_unsigned",
    "dont_care",
    "double_long",
    "double_long_unsigned",
    "enum",
    "enumerated",
    "flags",
    "float32",
    "float64",
    "integer",
    "logical_name",
    "long",
    "long64",
    "long64_unsigned",
    "long_unsigned",
    "null_data",
    "octet_date",
    "octet_date_time",
    "octet_string",
    "octet_time",
    "unexpected",
    "unsigned",
    "utf8_string",
    "visible_string",
]

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
F = TypeVar("F", bound=IntFlag)


@dataclass(frozen=True, slots=True)
class DataType(Generic[T]):
    """How values of type T stand in a Data tree. `name` is the standard's; calling it makes the Data.

    What is sent has this `tag` (None where the value chooses), these `parts` (the item of an array, the elements of a
    structure) and this `size` in octets (None where any will do).
    """

    name: str
    to_data: Callable[[T], Data]
    from_data: Callable[[Data], T]
    tag: DataTag | None = None
    parts: "tuple[DataType[Any], ...]" = ()
    size: int | None = None

    def __call__(self, value: T) -> Data:
        """The Data that stands for a value. LocalProtocolError, which does not show it, where the value does not fit."""
        try:
            return self.to_data(value)
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise LocalProtocolError(f"a {type(value).__name__} is no {self.name}", layer="data") from error

    def __repr__(self) -> str:
        return f"<{self.name}>"


def unexpected(data: Data, expected: str) -> RemoteProtocolError:
    """The error for Data that cannot be meant."""
    return RemoteProtocolError(f"{data.tag.label} where {expected} is expected", layer="data")


_INTEGRAL: Final = frozenset(
    {
        DataTag.DOUBLE_LONG,
        DataTag.DOUBLE_LONG_UNSIGNED,
        DataTag.INTEGER,
        DataTag.LONG,
        DataTag.UNSIGNED,
        DataTag.LONG_UNSIGNED,
        DataTag.LONG64,
        DataTag.LONG64_UNSIGNED,
        DataTag.ENUM,
    }
)
_DELTAS: Final = frozenset(tag for tag in DataTag if tag.label.startswith("delta-"))
_STRINGS: Final = frozenset({DataTag.OCTET_STRING, DataTag.VISIBLE_STRING, DataTag.UTF8_STRING})


def _integral(data: Data, expected: str) -> int:
    if data.tag in _INTEGRAL and isinstance(data.value, int):
        return data.value
    if data.tag is DataTag.BCD and isinstance(data.value, int):
        return _from_digits(data.value)
    raise unexpected(data, expected)


def _from_digits(octet: int) -> int:
    tens, ones = divmod(octet, 16)
    if max(tens, ones) > 9:
        raise RemoteProtocolError(f"{octet:02x} where bcd has two decimal digits", layer="data")
    return 10 * tens + ones


def _difference(data: Data, expected: str) -> int:
    if data.tag in _DELTAS and isinstance(data.value, int):
        return data.value
    raise unexpected(data, expected)


def _whole_number(tag: DataTag, bits: int, *, signed: bool) -> DataType[int]:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)

    def to_data(value: int) -> Data:
        if not low <= value <= high:
            raise LocalProtocolError(f"{value} is no {tag.label}: {low} to {high} fit", layer="data")
        return node((tag, index(value)))

    read = _difference if tag in _DELTAS else _integral
    return DataType(tag.label, to_data, lambda data: read(data, tag.label), tag)


integer: Final = _whole_number(DataTag.INTEGER, 8, signed=True)
long: Final = _whole_number(DataTag.LONG, 16, signed=True)
double_long: Final = _whole_number(DataTag.DOUBLE_LONG, 32, signed=True)
long64: Final = _whole_number(DataTag.LONG64, 64, signed=True)
unsigned: Final = _whole_number(DataTag.UNSIGNED, 8, signed=False)
long_unsigned: Final = _whole_number(DataTag.LONG_UNSIGNED, 16, signed=False)
double_long_unsigned: Final = _whole_number(DataTag.DOUBLE_LONG_UNSIGNED, 32, signed=False)
long64_unsigned: Final = _whole_number(DataTag.LONG64_UNSIGNED, 64, signed=False)
enum: Final = _whole_number(DataTag.ENUM, 8, signed=False)

# What a profile column changed by since the row before: no number by itself, so that none is read where one is meant.
delta_integer: Final = _whole_number(DataTag.DELTA_INTEGER, 8, signed=True)
delta_long: Final = _whole_number(DataTag.DELTA_LONG, 16, signed=True)
delta_double_long: Final = _whole_number(DataTag.DELTA_DOUBLE_LONG, 32, signed=True)
delta_unsigned: Final = _whole_number(DataTag.DELTA_UNSIGNED, 8, signed=False)
delta_long_unsigned: Final = _whole_number(DataTag.DELTA_LONG_UNSIGNED, 16, signed=False)
delta_double_long_unsigned: Final = _whole_number(DataTag.DELTA_DOUBLE_LONG_UNSIGNED, 32, signed=False)


def _bcd_to(value: int) -> Data:
    if not 0 <= value <= 99:
        raise LocalProtocolError(f"{value} is no bcd: 0 to 99 fit", layer="data")
    tens, ones = divmod(index(value), 10)
    return Data(DataTag.BCD, 16 * tens + ones)


bcd: Final[DataType[int]] = DataType("bcd", _bcd_to, lambda data: _integral(data, "bcd"), DataTag.BCD)
"""Two decimal digits; in the tree stands the octet as it came."""


def _floating(tag: DataTag) -> DataType[float]:
    def from_data(data: Data) -> float:
        if data.tag in (DataTag.FLOAT32, DataTag.FLOAT64) and isinstance(data.value, float):
            return data.value
        return float(_integral(data, tag.label))

    return DataType(tag.label, lambda value: Data(tag, float(value)), from_data, tag)


float32: Final = _floating(DataTag.FLOAT32)
float64: Final = _floating(DataTag.FLOAT64)


def _boolean_from(data: Data) -> bool:
    if data.tag is DataTag.BOOLEAN:
        return bool(data.value)
    return bool(_integral(data, "boolean"))


boolean: Final[DataType[bool]] = DataType(
    "boolean", lambda value: Data(DataTag.BOOLEAN, bool(value)), _boolean_from, DataTag.BOOLEAN
)


def _nothing(tag: DataTag) -> DataType[None]:
    def from_data(data: Data) -> None:
        if data.tag is not tag:
            raise unexpected(data, tag.label)

    return DataType(tag.label, lambda _value: Data(tag, None), from_data, tag)


null_data: Final = _nothing(DataTag.NULL_DATA)
dont_care: Final = _nothing(DataTag.DONT_CARE)

anything: Final[DataType[Data]] = DataType("CHOICE", lambda value: value, lambda data: data)
"""An attribute whose type the meter chooses: the Data itself."""


def _octets_of(data: Data, expected: str) -> bytes:
    value = data.value
    if data.tag is DataTag.OCTET_STRING and isinstance(value, bytes):
        return value
    if data.tag in _STRINGS and isinstance(value, str):
        return value.encode("latin-1" if data.tag is DataTag.VISIBLE_STRING else "utf-8", "surrogateescape")
    raise unexpected(data, expected)


_OCTET_STRING: Final = DataTag.OCTET_STRING  # looked up once: an enum takes its time to give a member

octet_string: Final[DataType[bytes]] = DataType(
    "octet-string",
    lambda value: node((_OCTET_STRING, b"".join((value,)))),
    lambda data: _octets_of(data, "octet-string"),
    DataTag.OCTET_STRING,
)


def _text(tag: DataTag, encoding: str, errors: str = "strict") -> DataType[str]:
    def from_data(data: Data) -> str:
        if data.tag in _STRINGS and isinstance(data.value, str):
            return data.value
        return _octets_of(data, tag.label).decode(encoding, errors)

    return DataType(tag.label, lambda value: Data(tag, str(value)), from_data, tag)


visible_string: Final = _text(DataTag.VISIBLE_STRING, "latin-1")
utf8_string: Final = _text(DataTag.UTF8_STRING, "utf-8", "surrogateescape")


def _bits_from(data: Data) -> BitString:
    if isinstance(data.value, BitString):
        return data.value
    raise unexpected(data, "bit-string")


bit_string: Final[DataType[BitString]] = DataType(
    "bit-string", lambda value: Data(DataTag.BIT_STRING, value), _bits_from, DataTag.BIT_STRING
)


def _dated(kind: type[Any], tag: DataTag, size: int, *, in_octets: bool) -> DataType[Any]:
    name = f"octet-string({size})" if in_octets else tag.label

    def to_data(value: Any) -> Data:
        return Data(DataTag.OCTET_STRING, value.to_octets()) if in_octets else Data(tag, value)

    def from_data(data: Data) -> Any:
        if isinstance(data.value, kind):
            return data.value
        octets = _octets_of(data, name)
        if len(octets) != size:
            raise RemoteProtocolError(f"{len(octets)} octets where a {tag.label} has {size}", layer="data")
        return kind.from_octets(octets)

    return DataType(name, to_data, from_data, DataTag.OCTET_STRING if in_octets else tag, size=size)


date_time: Final[DataType[CosemDateTime]] = _dated(CosemDateTime, DataTag.DATE_TIME, 12, in_octets=False)
cosem_date: Final[DataType[CosemDate]] = _dated(CosemDate, DataTag.DATE, 5, in_octets=False)
cosem_time: Final[DataType[CosemTime]] = _dated(CosemTime, DataTag.TIME, 4, in_octets=False)
octet_date_time: Final[DataType[CosemDateTime]] = _dated(CosemDateTime, DataTag.DATE_TIME, 12, in_octets=True)
octet_date: Final[DataType[CosemDate]] = _dated(CosemDate, DataTag.DATE, 5, in_octets=True)
octet_time: Final[DataType[CosemTime]] = _dated(CosemTime, DataTag.TIME, 4, in_octets=True)


def _logical_name_from(data: Data) -> Obis:
    octets = _octets_of(data, "logical name")
    if len(octets) != 6:
        raise RemoteProtocolError(f"{len(octets)} octets where a logical name has 6", layer="data")
    return Obis(octets)


logical_name: Final[DataType[Obis]] = DataType(
    "logical-name",
    lambda value: Data(DataTag.OCTET_STRING, value.octets),
    _logical_name_from,
    DataTag.OCTET_STRING,
    size=6,
)


def enumerated(codes: type[E], base: DataType[int] = enum) -> DataType[E]:
    """An enum of the standard, carried in `base`. The enum must be open: meters send codes nobody wrote down."""

    def from_data(data: Data) -> E:
        number = base.from_data(data)
        try:
            return codes(number)
        except ValueError:
            raise RemoteProtocolError(f"{number} is no {codes.__name__}", layer="data") from None

    return DataType(f"{base.name} {codes.__name__}", lambda value: base(int(value)), from_data, base.tag)


def flags(codes: type[F], base: DataType[int]) -> DataType[F]:
    """Status bits of the standard, carried in the number `base`."""
    return DataType(
        f"{base.name} {codes.__name__}",
        lambda value: base(int(value)),
        lambda data: codes(base.from_data(data)),
        base.tag,
    )
