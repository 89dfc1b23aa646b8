"""What a profile answers, as rows of plain values under the objects that were captured (Blue Book 4.3.6).

A meter may leave out what can be told from the row before: null-data stands for the same value again, or, in the column of the
clock, for one capture period later. Here it stays None until somebody who knows the period asks for it: `ProfileRows.restored`.

Refuses rows that do not have one cell for each column, and delta values, which no client of ours proposes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from meterwright.cosem.profile_selection import CaptureObject
from meterwright.data import Data, DataTag, Row, decode_rows
from meterwright.errors import RemoteProtocolError
from meterwright.values import CosemDateTime

__all__ = ["ProfileRows", "profile_rows"]

_MOMENTS: Final = frozenset({(8, 2), (4, 5), (5, 6), (5, 7)})
"""Class and attribute of what is a date-time: of clock, extended register and demand register."""
_EMPTY: Final = (b"\x00", b"\x01\x00")
"""No rows; some meters send null-data for it."""


@dataclass(frozen=True, slots=True)
class ProfileRows:
    """Rows of a profile, each with one cell for each of `columns`: as `Data.value`, moments as CosemDateTime."""

    columns: tuple[CaptureObject, ...]
    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, wanted: CaptureObject) -> tuple[Any, ...]:
        """The cells of one column. ValueError where there is none of it."""
        index = self.columns.index(wanted)
        return tuple(row[index] for row in self.rows)

    def restored(self, capture_period: int) -> "ProfileRows":
        """With what the meter left out because it can be told from the row before.

        `capture_period` is the profile's, in seconds: by it the clock goes on. Where nothing stands before, the period is 0 or
        a moment has no date, the cell stays None.
        """
        period = timedelta(seconds=capture_period)
        rows: list[Row] = []
        before: Row = (None,) * len(self.columns)
        for row in self.rows:
            before = self._filled(row, before, period) if None in row else row
            rows.append(before)
        return replace(self, rows=tuple(rows))

    def _filled(self, row: Row, before: Row, period: timedelta) -> Row:
        cells = zip(self.columns, row, before, strict=True)
        return tuple(
            value if value is not None else _later(earlier, period) if column.is_clock else earlier
            for column, value, earlier in cells
        )


def _later(moment: Any, period: timedelta) -> CosemDateTime | None:
    """The moment one period later, with what else was said of it; None where that can't be told."""
    if not period or not isinstance(moment, CosemDateTime):
        return None
    try:
        following = moment.to_datetime() + period
        return CosemDateTime.from_datetime(following, clock_status=moment.clock_status)
    except (ValueError, OverflowError):
        return None


def profile_rows(octets: bytes, columns: tuple[CaptureObject, ...]) -> ProfileRows:
    """The rows that `octets` are, an array or a compact array. RemoteProtocolError where they have other columns."""
    if octets in _EMPTY:
        return ProfileRows(columns, ())
    moments = [
        index
        for index, each in enumerate(columns)
        if (each.class_id, each.attribute_index) in _MOMENTS and not each.data_index
    ]
    shape, rows = decode_rows(octets, moments)
    _refuse_deltas(_tags_of(octets) if shape is None else shape.tags)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise RemoteProtocolError(
                f"row {number} has {len(row)} cells where {len(columns)} columns were asked for",
                layer="cosem",
            )
    return ProfileRows(columns, tuple(rows))


def _tags_of(octets: bytes) -> tuple[DataTag, ...]:
    """Every tag of rows that differ in shape."""
    rows = Data.from_octets(octets).value
    if not isinstance(rows, tuple):
        return ()
    return tuple({cell.tag for row in rows if isinstance(row.value, tuple) for cell in row.value})


def _refuse_deltas(tags: tuple[DataTag, ...]) -> None:
    for tag in tags:
        if tag.label.startswith("delta-"):
            raise RemoteProtocolError(
                f"{tag.label} in a buffer, which was not negotiated",
                layer="cosem",
                hint="read the attribute as Data: the differences stand there as they came",
            )
