"""Data types made of others: arrays, compact or not, and structures as frozen dataclasses."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

from meterwright.data.compact import CompactArray, TypeDescription
from meterwright.data.tree import Data, DataTag
from meterwright.data.types import DataType, enum, integer, unexpected
from meterwright.errors import RemoteProtocolError
from meterwright.values import ScalerUnit, Unit

__all__ = ["array", "compact_array", "elements_of", "scaler_unit", "structure"]

T = TypeVar("T")


def elements_of(data: Data, expected: str) -> tuple[Data, ...]:
    """The elements of an array, compact or not, or of a structure."""
    if isinstance(data.value, tuple):
        return data.value
    raise unexpected(data, expected)


def array(item: DataType[T], *, null_is_empty: bool = False) -> DataType[tuple[T, ...]]:
    """An array of one type. Some meters send null-data for an empty one: `null_is_empty` takes it as that."""

    def to_data(values: Iterable[T]) -> Data:
        return Data(DataTag.ARRAY, tuple(item(value) for value in values))

    def from_data(data: Data) -> tuple[T, ...]:
        if null_is_empty and data.tag is DataTag.NULL_DATA:
            return ()
        return tuple(item.from_data(each) for each in elements_of(data, "array"))

    return DataType(f"array of {item.name}", to_data, from_data, DataTag.ARRAY, (item,))


def compact_array(item: DataType[T]) -> DataType[tuple[T, ...]]:
    """An array that is sent as a compact one, and read from either. All its items must have the same tags and sizes.

    Their type is described by the first; where there is none, as far as `item` tells it.
    """

    def to_data(values: Iterable[T]) -> Data:
        items = tuple(item(value) for value in values)
        return Data(DataTag.COMPACT_ARRAY, CompactArray(items, None if items else _described(item)))

    return DataType(
        f"compact-array of {item.name}", to_data, array(item).from_data, DataTag.COMPACT_ARRAY, (item,)
    )


def _described(item: DataType[Any]) -> TypeDescription:
    """What describes the values of a type, of which there are none: its arrays are empty, what it leaves open is null-data."""
    parts = tuple(_described(part) for part in item.parts)
    if item.tag is DataTag.ARRAY or item.tag is DataTag.STRUCTURE:
        return TypeDescription(item.tag, parts)
    return TypeDescription(DataTag.NULL_DATA if parts or item.tag is None else item.tag)


def structure(record: type[T]) -> DataType[T]:
    """A structure, as the frozen dataclass `record`: each field is ``Annotated[type, DataType]``, in the wire's order.

    Resolved when the type is made: a field without a DataType is a TypeError at import.
    """
    parts = _declared_parts(record)
    label = f"structure {record.__name__}"

    def to_data(value: T) -> Data:
        return Data(DataTag.STRUCTURE, tuple(part(getattr(value, name)) for name, part in parts))

    def from_data(data: Data) -> T:
        elements = elements_of(data, label)
        if len(elements) != len(parts):
            raise RemoteProtocolError(
                f"{len(elements)} elements where {label} has {len(parts)}", layer="data"
            )
        values = {name: part.from_data(each) for (name, part), each in zip(parts, elements, strict=True)}
        return record(**values)

    return DataType(label, to_data, from_data, DataTag.STRUCTURE, tuple(part for _, part in parts))


def _declared_parts(record: type[Any]) -> list[tuple[str, DataType[Any]]]:
    hints = get_type_hints(record, include_extras=True)
    parts: list[tuple[str, DataType[Any]]] = []
    for each in fields(record):
        marks = get_args(hints[each.name])[1:] if get_origin(hints[each.name]) is Annotated else ()
        declared: list[DataType[Any]] = [mark for mark in marks if isinstance(mark, DataType)]
        if len(declared) != 1:
            raise TypeError(
                f"{record.__name__}.{each.name}: Annotated[type, DataType] wanted, found {hints[each.name]}"
            )
        parts.append((each.name, declared[0]))
    return parts


def _scaler_unit_to(value: ScalerUnit) -> Data:
    return Data(DataTag.STRUCTURE, (integer(value.scaler), enum(int(value.unit))))


def _scaler_unit_from(data: Data) -> ScalerUnit:
    elements = elements_of(data, "scaler-unit")
    if len(elements) != 2:
        raise RemoteProtocolError(f"{len(elements)} elements where scaler-unit has 2", layer="data")
    scaler, unit = integer.from_data(elements[0]), enum.from_data(elements[1])
    if not -0x80 <= scaler <= 0x7F:
        raise RemoteProtocolError(f"a scaler of {scaler}", layer="data")
    if not 0 <= unit <= 0xFF:
        raise RemoteProtocolError(f"a unit of {unit}", layer="data")
    return ScalerUnit(scaler, Unit(unit))


scaler_unit: Final[DataType[ScalerUnit]] = DataType(
    "structure ScalerUnit", _scaler_unit_to, _scaler_unit_from, DataTag.STRUCTURE, (integer, enum)
)
