"""Which rows and columns of a simulated profile a client's selector picks. What it picks wrongly is a Refusal: see `profile`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from meterwright.cosem import CaptureObject, RangeDescriptor
from meterwright.data import Data, DataTag, octet_date_time
from meterwright.errors import RemoteProtocolError
from meterwright.simulator.behaviour import Refusal
from meterwright.values import DataAccessResult

__all__ = ["Cells", "Table", "columns_between", "columns_named", "rows_between"]

Cells: TypeAlias = tuple[Data, ...]

_NUMBERS: Final = frozenset(
    {
        DataTag.INTEGER,
        DataTag.LONG,
        DataTag.DOUBLE_LONG,
        DataTag.LONG64,
        DataTag.UNSIGNED,
        DataTag.LONG_UNSIGNED,
        DataTag.DOUBLE_LONG_UNSIGNED,
        DataTag.LONG64_UNSIGNED,
        DataTag.ENUM,
        DataTag.FLOAT32,
        DataTag.FLOAT64,
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """A buffer as it stands: its columns, and its rows in the order in which they are numbered."""

    columns: tuple[CaptureObject, ...]
    rows: tuple[Cells, ...]

    def index_of(self, column: CaptureObject) -> int:
        """Where a column stands. Refusal where it is not captured."""
        if column not in self.columns:
            raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return self.columns.index(column)

    def entries(self, first: int, last: int) -> tuple[Cells, ...]:
        """The rows with these numbers, 0 as the last one. Refusal where the first is 0."""
        if first < 1:
            raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return self.rows[first - 1 : last or None]


def columns_named(table: Table, wanted: Iterable[CaptureObject]) -> Sequence[int]:
    """The columns of these names, in the buffer's order; all where none is named."""
    indices = {table.index_of(each) for each in wanted}
    return sorted(indices) if indices else range(len(table.columns))


def columns_between(table: Table, first: int, last: int) -> Sequence[int]:
    """The columns with these numbers, 0 as the last one. Refusal where there is none."""
    columns = range(len(table.columns))[first - 1 : last or None] if first else ()
    if not columns:
        raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
    return columns


class _Key(NamedTuple):
    """What a cell is compared by: a number or octets, each only with its like."""

    is_number: bool
    number: float = 0
    octets: bytes = b""


def rows_between(table: Table, wanted: RangeDescriptor) -> list[Cells]:
    """The rows whose cell lies between two values, both included. Refusal where they are not of the column's kind."""
    index = table.index_of(wanted.restricting_object)
    key = _moment if wanted.restricting_object.is_clock else _plain
    low, high = key(wanted.from_value), key(wanted.to_value)
    keys = [key(row[index]) for row in table.rows]
    if len({each.is_number for each in (low, high, *keys)}) > 1:
        raise Refusal(DataAccessResult.TYPE_UNMATCHED)
    return [row for row, value in zip(table.rows, keys, strict=True) if low <= value <= high]


def _moment(data: Data) -> _Key:
    """A moment that is one; without deviation it is the meter's local time, which is UTC."""
    try:
        moment = octet_date_time.from_data(data).to_datetime()
    except (RemoteProtocolError, ValueError):
        raise Refusal(DataAccessResult.TYPE_UNMATCHED) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _Key(True, (aware - _BEGINNING).total_seconds())


def _plain(data: Data) -> _Key:
    value = data.value
    if data.tag in _NUMBERS and isinstance(value, int | float):
        return _Key(True, value)
    if data.tag is DataTag.OCTET_STRING and isinstance(value, bytes):
        return _Key(False, octets=value)
    raise Refusal(DataAccessResult.TYPE_UNMATCHED)


_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
