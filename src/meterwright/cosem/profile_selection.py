"""Which part of a profile's buffer is wanted: rows by the value of a column, or by their numbers (Blue Book 4.3.6).

A profile is a table: a row each time something was captured, a column for each capture object. Selector 1 takes the rows
whose cell in one column, mostly the clock, lies between two values, both included; selector 2 those with these numbers. Either
may ask for some of the columns. Numbers begin at 1, and 0 stands for the last.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Final, NamedTuple

from meterwright.apdu import SelectiveAccess
from meterwright.data import (
    Data,
    DataTag,
    DataType,
    anything,
    array,
    double_long_unsigned,
    elements_of,
    integer,
    logical_name,
    long_unsigned,
    octet_date_time,
    structure,
)
from meterwright.errors import LocalProtocolError
from meterwright.values import CosemDateTime, Obis

__all__ = [
    "CaptureObject",
    "EntryDescriptor",
    "ProfileSelector",
    "RangeDescriptor",
    "Selected",
    "capture_object",
    "entries_of",
    "entry_descriptor",
    "range_descriptor",
    "range_of",
]

_CLOCK: Final = (8, 2)
"""Class and attribute of what tells the time of a row."""


class ProfileSelector(IntEnum):
    """What picks rows of a buffer."""

    RANGE = 1
    ENTRY = 2


@dataclass(frozen=True, slots=True)
class CaptureObject:
    """What a column holds: an attribute of an object. `data_index` 0 is all of it, else one of its elements, from 1 on."""

    class_id: Annotated[int, long_unsigned]
    logical_name: Annotated[Obis, logical_name]
    attribute_index: Annotated[int, integer]
    data_index: Annotated[int, long_unsigned] = 0

    @classmethod
    def of(
        cls, class_id: int, code: Obis | str, attribute_index: int, data_index: int = 0
    ) -> "CaptureObject":
        """As `CaptureObject.of(8, "0.0.1.0.0.255", 2)`."""
        return cls(class_id, Obis.of(code), attribute_index, data_index)

    @property
    def is_clock(self) -> bool:
        """Whether the column tells when a row was captured."""
        return (self.class_id, self.attribute_index) == _CLOCK

    def __str__(self) -> str:
        index = f"[{self.data_index}]" if self.data_index else ""
        return f"{self.class_id}/{self.logical_name}/{self.attribute_index}{index}"


_whole: Final = structure(CaptureObject)


def _from_data(data: Data) -> CaptureObject:
    """Meters of the first version tell no data_index, and mean all of the attribute."""
    elements = elements_of(data, _whole.name)
    if data.tag is DataTag.STRUCTURE and len(elements) == len(_whole.parts) - 1:
        data = Data(data.tag, (*elements, long_unsigned(0)))
    return _whole.from_data(data)


capture_object: Final[DataType[CaptureObject]] = DataType(
    _whole.name, _whole.to_data, _from_data, _whole.tag, _whole.parts
)


@dataclass(frozen=True, slots=True)
class RangeDescriptor:
    """The rows whose cell of `restricting_object` is not below `from_value` and not above `to_value`.

    `selected_values` are the columns that are wanted; none means all.
    """

    restricting_object: Annotated[CaptureObject, capture_object]
    from_value: Annotated[Data, anything]
    to_value: Annotated[Data, anything]
    selected_values: Annotated[tuple[CaptureObject, ...], array(capture_object)] = ()

    def to_selection(self) -> SelectiveAccess:
        """As a request says it. LocalProtocolError where a number does not fit."""
        return SelectiveAccess(ProfileSelector.RANGE, range_descriptor(self))


@dataclass(frozen=True, slots=True)
class EntryDescriptor:
    """The rows and the columns with these numbers, from 1 on, ends included. As an end, 0 is the last there is."""

    from_entry: Annotated[int, double_long_unsigned] = 1
    to_entry: Annotated[int, double_long_unsigned] = 0
    from_selected_value: Annotated[int, long_unsigned] = 1
    to_selected_value: Annotated[int, long_unsigned] = 0

    def to_selection(self) -> SelectiveAccess:
        """As a request says it. LocalProtocolError where a number does not fit."""
        return SelectiveAccess(ProfileSelector.ENTRY, entry_descriptor(self))


range_descriptor: Final = structure(RangeDescriptor)
entry_descriptor: Final = structure(EntryDescriptor)


class Selected(NamedTuple):
    """What is asked for, and the columns that the answer must have."""

    selection: SelectiveAccess | None
    columns: tuple[CaptureObject, ...]


def range_of(
    captured: Sequence[CaptureObject],
    from_value: datetime | CosemDateTime | Data,
    to_value: datetime | CosemDateTime | Data,
    columns: Collection[CaptureObject] | None,
    by: CaptureObject | None,
) -> Selected:
    """Selector 1 on a profile with these capture objects. LocalProtocolError where a column is none of them.

    Columns are asked for in the buffer's order, whatever theirs: meters differ in whether they keep another.
    """
    wanted = tuple(captured) if columns is None else tuple(each for each in captured if each in columns)
    for each in (*(columns or ()), *(() if by is None else (by,))):
        if each not in captured:
            raise LocalProtocolError(
                f"the profile has no column {each}", layer="cosem", hint="its capture_objects name them"
            )
    if not wanted:
        raise LocalProtocolError("no column is asked for", layer="cosem", hint="None asks for all")
    descriptor = RangeDescriptor(
        _clock_among(captured) if by is None else by,
        _as_data(from_value),
        _as_data(to_value),
        () if columns is None else wanted,
    )
    return Selected(descriptor.to_selection(), wanted)


def entries_of(
    captured: Sequence[CaptureObject], first: int, last: int, first_column: int, last_column: int
) -> Selected:
    """Selector 2 on a profile with these capture objects. LocalProtocolError where there are no such numbers."""
    if first < 1 or first_column < 1:
        raise LocalProtocolError("entries and columns are numbered from 1 on", layer="cosem")
    if 0 < last < first:
        raise LocalProtocolError(f"entry {last} is before entry {first}", layer="cosem")
    wanted = tuple(captured[first_column - 1 : last_column or None])
    if not wanted or last_column > len(captured):
        raise LocalProtocolError(
            f"there are no columns {first_column} to {last_column or 'the last'} among {len(captured)}",
            layer="cosem",
        )
    descriptor = EntryDescriptor(first, last, first_column, last_column)
    return Selected(descriptor.to_selection(), wanted)


def _clock_among(captured: Sequence[CaptureObject]) -> CaptureObject:
    for each in captured:
        if each.is_clock:
            return each
    raise LocalProtocolError(
        "the profile captures no clock", layer="cosem", hint="name the column to go `by`, or read by entries"
    )


def _as_data(value: datetime | CosemDateTime | Data) -> Data:
    if isinstance(value, Data):
        return value
    return octet_date_time(CosemDateTime.from_datetime(value) if isinstance(value, datetime) else value)
