"""Profile generic (class 7): a table that grows by a row whenever something is captured. Blue Book 4.3.6.

    profile = ProfileGeneric(client, "1.0.99.1.0.255")
    captured = await profile.capture_objects.get()
    day = await profile.buffer.range(start, end, captured=captured, columns=captured[:2])

Load profiles, billing profiles and event logs are such tables. What a cell means stands nowhere but in `capture_objects`, so
they are read before the buffer, unless the caller hands in those that he has read.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, overload

from meterwright.cosem.access import AsyncAccess, BlockingAccess
from meterwright.cosem.interface import (
    A_co,
    AsyncAttribute,
    Attribute,
    BlockingAttribute,
    InterfaceClass,
    Method,
    trigger,
)
from meterwright.cosem.profile_rows import ProfileRows, profile_rows
from meterwright.cosem.profile_selection import (
    CaptureObject,
    Selected,
    capture_object,
    entries_of,
    range_of,
)
from meterwright.data import Data, anything, array, double_long_unsigned, enumerated
from meterwright.errors import RemoteProtocolError
from meterwright.values import CosemDateTime, OpenIntEnum

__all__ = ["AsyncBuffer", "BlockingBuffer", "Buffer", "ProfileGeneric", "ProfileGenericV0", "SortMethod"]


class SortMethod(OpenIntEnum):
    """In which order the rows stand, and so which one goes when the buffer is full."""

    FIFO = 1
    LIFO = 2
    LARGEST = 3
    SMALLEST = 4
    NEAREST_TO_ZERO = 5
    FARTHEST_FROM_ZERO = 6


class Buffer(Attribute[Data]):
    """The rows. Besides whole and as Data they are read in part, and under the columns they belong to."""

    def __init__(self, attribute_id: int) -> None:
        super().__init__(attribute_id, anything)

    @overload
    def __get__(self, instance: None, owner: type) -> "Buffer": ...
    @overload
    def __get__(self, instance: InterfaceClass[AsyncAccess], owner: type) -> "AsyncBuffer": ...
    @overload
    def __get__(self, instance: InterfaceClass[BlockingAccess], owner: type) -> "BlockingBuffer": ...
    def __get__(
        self, instance: InterfaceClass[Any] | None, owner: type
    ) -> "Buffer | AsyncBuffer | BlockingBuffer":
        if instance is None:
            return self
        if isinstance(instance.access, AsyncAccess):
            return AsyncBuffer(self, instance, instance.access)
        return BlockingBuffer(self, instance, instance.access)


class AsyncBuffer(AsyncAttribute[Data]):
    """The buffer of one profile, awaited."""

    def __init__(self, attribute: Attribute[Data], owner: InterfaceClass[Any], access: AsyncAccess) -> None:
        super().__init__(attribute, owner, access)
        self._captured = AsyncAttribute(_CAPTURE_OBJECTS, owner, access)

    async def rows(self, *, captured: Sequence[CaptureObject] | None = None) -> ProfileRows:
        """All rows, with all columns. DataAccessError where the meter refuses."""
        known = await self._captured.get() if captured is None else captured
        return await self._read(Selected(None, tuple(known)))

    async def range(
        self,
        from_value: datetime | CosemDateTime | Data,
        to_value: datetime | CosemDateTime | Data,
        *,
        columns: Collection[CaptureObject] | None = None,
        by: CaptureObject | None = None,
        captured: Sequence[CaptureObject] | None = None,
    ) -> ProfileRows:
        """The rows whose cell in the column `by`, the clock's unless told, lies between two values, both included.

        A `datetime` with a time zone is sent with its deviation, one without is the meter's local time. For other columns the
        values are Data, of the type that the column has. `columns` come in the buffer's order; None means all.
        """
        known = await self._captured.get() if captured is None else captured
        return await self._read(range_of(known, from_value, to_value, columns, by))

    async def entries(
        self,
        first: int = 1,
        last: int = 0,
        *,
        first_column: int = 1,
        last_column: int = 0,
        captured: Sequence[CaptureObject] | None = None,
    ) -> ProfileRows:
        """The rows with these numbers, from 1 on, both included; as an end, 0 is the last. The same of the columns."""
        known = await self._captured.get() if captured is None else captured
        return await self._read(entries_of(known, first, last, first_column, last_column))

    async def _read(self, selected: Selected) -> ProfileRows:
        octets = await self._access.read_octets(self.descriptor, selected.selection)
        return _rows(octets, selected, str(self.descriptor))


class BlockingBuffer(BlockingAttribute[Data]):
    """The buffer of one profile, blocking: the twin of `AsyncBuffer`."""

    def __init__(
        self, attribute: Attribute[Data], owner: InterfaceClass[Any], access: BlockingAccess
    ) -> None:
        super().__init__(attribute, owner, access)
        self._captured = BlockingAttribute(_CAPTURE_OBJECTS, owner, access)

    def rows(self, *, captured: Sequence[CaptureObject] | None = None) -> ProfileRows:
        """All rows, with all columns. DataAccessError where the meter refuses."""
        known = self._captured.get() if captured is None else captured
        return self._read(Selected(None, tuple(known)))

    def range(
        self,
        from_value: datetime | CosemDateTime | Data,
        to_value: datetime | CosemDateTime | Data,
        *,
        columns: Collection[CaptureObject] | None = None,
        by: CaptureObject | None = None,
        captured: Sequence[CaptureObject] | None = None,
    ) -> ProfileRows:
        """The rows whose cell in the column `by` lies between two values: see `AsyncBuffer.range`."""
        known = self._captured.get() if captured is None else captured
        return self._read(range_of(known, from_value, to_value, columns, by))

    def entries(
        self,
        first: int = 1,
        last: int = 0,
        *,
        first_column: int = 1,
        last_column: int = 0,
        captured: Sequence[CaptureObject] | None = None,
    ) -> ProfileRows:
        """The rows with these numbers: see `AsyncBuffer.entries`."""
        known = self._captured.get() if captured is None else captured
        return self._read(entries_of(known, first, last, first_column, last_column))

    def _read(self, selected: Selected) -> ProfileRows:
        octets = self._access.read_octets(self.descriptor, selected.selection)
        return _rows(octets, selected, str(self.descriptor))


def _rows(octets: bytes, selected: Selected, about: str) -> ProfileRows:
    try:
        return profile_rows(octets, selected.columns)
    except RemoteProtocolError as error:
        error.within(about=f"{about} buffer")
        raise


class ProfileGenericV0(InterfaceClass[A_co], class_id=7, version=0):
    """Profile generic, version 0. Its capture objects may come without a data_index: they mean whole attributes."""

    buffer = Buffer(2)
    capture_objects = Attribute(3, array(capture_object), static=True)
    capture_period = Attribute(4, double_long_unsigned, static=True)
    sort_method = Attribute(5, enumerated(SortMethod), static=True)
    sort_object = Attribute(6, capture_object, static=True)
    entries_in_use = Attribute(7, double_long_unsigned)
    profile_entries = Attribute(8, double_long_unsigned, static=True)

    reset = Method(1, trigger)
    capture = Method(2, trigger)


class ProfileGeneric(ProfileGenericV0[A_co], version=1):
    """Profile generic. capture_period in seconds, 0 where rows are captured from outside; entries are rows."""


_CAPTURE_OBJECTS: Final = ProfileGenericV0.capture_objects
