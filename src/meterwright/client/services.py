"""What a client offers to ask of a meter: one line a service, for either twin. How it is asked is the exchanges' to say."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from meterwright.apdu import (
    AttributeDescriptor,
    DataNotification,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from meterwright.association import Room
from meterwright.cosem import AsyncAccess, BlockingAccess, LogicalDevice, SapAssignment
from meterwright.data import Data
from meterwright.exchange import (
    Accessed,
    AccessOptions,
    AccessPart,
    Called,
    Exchange,
    access,
    confirm,
    invoke,
    invoke_list,
    read,
    read_list,
    read_octets,
    tell_access,
    write,
    write_list,
)
from meterwright.values import DataAccessResult

__all__ = ["AsyncServices", "BlockingServices"]

T = TypeVar("T")


class AsyncServices(AsyncAccess):
    """The services of a client under asyncio."""

    @property
    @abstractmethod
    def room(self) -> Room:
        """How much the meter takes at once, and what it granted."""

    @abstractmethod
    async def run(self, exchange: Exchange[T], timeout: float | None = None) -> T:
        """Carry out an exchange. `timeout` (seconds) is for each of its requests."""

    async def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        """The value of one attribute. DataAccessError where the meter refuses."""
        return await self.run(read(attribute, selection, room=self.room), timeout)

    async def read_octets(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> bytes:
        """The same as octets, of which no tree was made. DataAccessError where the meter refuses."""
        return await self.run(read_octets(attribute, selection, room=self.room), timeout)

    async def logical_devices(self) -> tuple[LogicalDevice, ...]:
        """The meter's logical devices, as the one that is associated with tells them: mostly only that at 1 does.

        DataAccessError where it does not.
        """
        return await SapAssignment(self).sap_assignment_list.get()

    async def read_list(
        self, attributes: Sequence[AttributeDescriptor], *, timeout: float | None = None
    ) -> tuple[Data | DataAccessResult, ...]:
        """Several attributes in one request; what the meter refuses stands as its result."""
        return await self.run(read_list([SelectedAttribute(each, None) for each in attributes]), timeout)

    async def write(
        self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None
    ) -> None:
        """Write one attribute, in blocks where it is too long for one request. DataAccessError where the meter refuses."""
        await self.run(write(attribute, value, room=self.room), timeout)

    async def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        """Call one method, in blocks where its parameters are too long for one request. ActionError where the meter refuses."""
        return await self.run(invoke(method, parameters, room=self.room), timeout)

    async def write_list(
        self, values: Sequence[tuple[AttributeDescriptor, Data]], *, timeout: float | None = None
    ) -> tuple[DataAccessResult, ...]:
        """Write several attributes in one request; what became of each stands in its place."""
        selected = [(SelectedAttribute(each, None), value) for each, value in values]
        return await self.run(write_list(selected, room=self.room), timeout)

    async def invoke_list(
        self, calls: Sequence[tuple[MethodDescriptor, Data | None]], *, timeout: float | None = None
    ) -> tuple[Called, ...]:
        """Call several methods in one request; what became of each stands in its place."""
        return await self.run(invoke_list(calls, room=self.room), timeout)

    async def access(
        self,
        parts: Sequence[AccessPart],
        options: AccessOptions | None = None,
        *,
        timeout: float | None = None,
    ) -> tuple[Accessed, ...]:
        """Read, write and call in one ACCESS request; what became of each part stands in its place.

        LocalProtocolError where the meter did not grant ACCESS.
        """
        return await self.run(access(parts, options, room=self.room), timeout)

    async def tell_access(self, parts: Sequence[AccessPart], options: AccessOptions | None = None) -> None:
        """The same unconfirmed: what became of the parts is not told."""
        await self.run(tell_access(parts, options, room=self.room))

    async def confirm(self, notification: DataNotification) -> None:
        """Tell the meter that its push has arrived. LocalProtocolError where the push is of the unconfirmed class."""
        await self.run(confirm(notification))


class BlockingServices(BlockingAccess):
    """The services of a client for threads."""

    @property
    @abstractmethod
    def room(self) -> Room:
        """How much the meter takes at once, and what it granted."""

    @abstractmethod
    def run(self, exchange: Exchange[T], timeout: float | None = None) -> T:
        """Carry out an exchange. `timeout` (seconds) is for each of its requests."""

    def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        """The value of one attribute. DataAccessError where the meter refuses."""
        return self.run(read(attribute, selection, room=self.room), timeout)

    def read_octets(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> bytes:
        """The same as octets, of which no tree was made. DataAccessError where the meter refuses."""
        return self.run(read_octets(attribute, selection, room=self.room), timeout)

    def logical_devices(self) -> tuple[LogicalDevice, ...]:
        """The meter's logical devices, as the one that is associated with tells them: mostly only that at 1 does.

        DataAccessError where it does not.
        """
        return SapAssignment(self).sap_assignment_list.get()

    def read_list(
        self, attributes: Sequence[AttributeDescriptor], *, timeout: float | None = None
    ) -> tuple[Data | DataAccessResult, ...]:
        """Several attributes in one request; what the meter refuses stands as its result."""
        return self.run(read_list([SelectedAttribute(each, None) for each in attributes]), timeout)

    def write(self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None) -> None:
        """Write one attribute, in blocks where it is too long for one request. DataAccessError where the meter refuses."""
        self.run(write(attribute, value, room=self.room), timeout)

    def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        """Call one method, in blocks where its parameters are too long for one request. ActionError where the meter refuses."""
        return self.run(invoke(method, parameters, room=self.room), timeout)

    def write_list(
        self, values: Sequence[tuple[AttributeDescriptor, Data]], *, timeout: float | None = None
    ) -> tuple[DataAccessResult, ...]:
        """Write several attributes in one request; what became of each stands in its place."""
        selected = [(SelectedAttribute(each, None), value) for each, value in values]
        return self.run(write_list(selected, room=self.room), timeout)

    def invoke_list(
        self, calls: Sequence[tuple[MethodDescriptor, Data | None]], *, timeout: float | None = None
    ) -> tuple[Called, ...]:
        """Call several methods in one request; what became of each stands in its place."""
        return self.run(invoke_list(calls, room=self.room), timeout)

    def access(
        self,
        parts: Sequence[AccessPart],
        options: AccessOptions | None = None,
        *,
        timeout: float | None = None,
    ) -> tuple[Accessed, ...]:
        """Read, write and call in one ACCESS request; what became of each part stands in its place.

        LocalProtocolError where the meter did not grant ACCESS.
        """
        return self.run(access(parts, options, room=self.room), timeout)

    def tell_access(self, parts: Sequence[AccessPart], options: AccessOptions | None = None) -> None:
        """The same unconfirmed: what became of the parts is not told."""
        self.run(tell_access(parts, options, room=self.room))

    def confirm(self, notification: DataNotification) -> None:
        """Tell the meter that its push has arrived. LocalProtocolError where the push is of the unconfirmed class."""
        self.run(confirm(notification))
