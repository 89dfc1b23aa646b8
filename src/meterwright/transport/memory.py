"""Two transports joined in memory: what one writes the other reads, in order, on the next turn of the event loop.

`delay` (seconds, each way) passes in the loop's own time, which a test may make virtual. `Wire.cut` drops both ends as a
broken line would; `interference` sees every write and says what arrives: as it is, changed, twice or never.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from meterwright.errors import ConnectionLost, LinkError
from meterwright.transport.base import AsyncTransport, Receiver

__all__ = ["Interference", "MemoryTransport", "Wire"]

T = TypeVar("T")


class MemoryTransport(AsyncTransport):
    """One end of a `Wire`."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self._receiver: Receiver | None = None
        self._early = bytearray()
        self._lost: ConnectionLost | None = None
        self._closed = False

    @property
    def is_local(self) -> bool:
        return True

    @property
    def is_closed(self) -> bool:
        """Whether nothing can pass any more."""
        return self._closed

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._early:
            early = bytes(self._early)
            self._early.clear()
            receiver.octets_received(early)
        if self._lost is not None:
            receiver.transport_lost(self._lost)

    def write(self, octets: bytes) -> None:
        if not self._closed:
            self._wire.carry(self, octets)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._wire.closed_by(self)
            if self._receiver is not None:
                self._receiver.transport_lost(None)

    def deliver(self, octets: bytes) -> None:
        """The wire brings octets."""
        if self._closed:
            return
        if self._receiver is None:
            self._early += octets
        else:
            self._receiver.octets_received(octets)

    def drop(self, error: ConnectionLost) -> None:
        """The wire is cut, or the other end closed."""
        if self._closed:
            return
        self._closed, self._lost = True, error
        if self._receiver is not None:
            lost: LinkError = error
            self._receiver.transport_lost(lost)


Interference = Callable[[bool, bytes], Iterable[bytes]]
"""Called with (from the client?, octets); what it gives arrives, in that order."""


class Wire:
    """A line with two ends, the client's and the meter's."""

    def __init__(self, *, delay: float = 0.0, interference: Interference | None = None) -> None:
        self.delay = delay
        self.interference = interference
        self.client_end = MemoryTransport(self)
        self.meter_end = MemoryTransport(self)

    def carry(self, sender: MemoryTransport, octets: bytes) -> None:
        """Bring octets to the other end."""
        from_client = sender is self.client_end
        arriving = [octets] if self.interference is None else self.interference(from_client, octets)
        for each in arriving:
            self._after_delay(self._other(sender).deliver, bytes(each))

    def closed_by(self, end: MemoryTransport) -> None:
        """One end closed: the other learns of it after what is on the way."""
        self._after_delay(self._other(end).drop, _closed())

    def cut(self) -> None:
        """Break the line: both ends lose it now."""
        for end in (self.client_end, self.meter_end):
            end.drop(
                ConnectionLost(
                    "the connection broke: the line was cut", layer="transport", hint="connect again"
                )
            )

    def _after_delay(self, callback: Callable[[T], None], argument: T) -> None:
        loop = asyncio.get_running_loop()
        if self.delay:
            loop.call_later(self.delay, callback, argument)
        else:
            loop.call_soon(callback, argument)  # in order; timers for one and the same time need not be

    def _other(self, end: MemoryTransport) -> MemoryTransport:
        return self.meter_end if end is self.client_end else self.client_end


def _closed() -> ConnectionLost:
    return ConnectionLost("the meter closed the connection", layer="transport", hint="connect again")
