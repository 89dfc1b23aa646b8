"""UDP: datagrams to one meter, under asyncio and for threads, and the door of a meter that many send to.

A datagram carries one APDU and its header, whole; `cut` says where what is to be sent falls apart into datagrams. Nothing here sends
anything twice: what is lost is lost, and whoever asked finds out by waiting.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from meterwright.errors import ConnectionLost, LinkError, UsageError
from meterwright.transport.base import AsyncTransport, BlockingTransport, Receiver
from meterwright.transport.tcp import NO_HOST_NAME, connect_failed, is_on_this_machine, reason_of

__all__ = [
    "BlockingUdpTransport",
    "Cutter",
    "UdpDoor",
    "UdpTransport",
    "connect_udp",
    "connect_udp_blocking",
    "open_udp_door",
]

Cutter: TypeAlias = Callable[[bytes], Iterable[bytes]]
"""Cuts octets that are to be sent into the datagrams that they are."""

_LARGEST_DATAGRAM: Final = 0xFFFF
_SHORTEST_WAIT: Final = 0.001


class UdpTransport(asyncio.DatagramProtocol, AsyncTransport):
    """A socket that is connected to one meter: what others send does not reach it."""

    def __init__(self, cut: Cutter) -> None:
        self._cut = cut
        self._transport: asyncio.DatagramTransport | None = None
        self._receiver: Receiver | None = None
        self._ended: LinkError | None = None
        self._is_over = False
        self._closed = asyncio.Event()

    @property
    def is_local(self) -> bool:
        return self._transport is not None and is_on_this_machine(self._transport.get_extra_info("peername"))

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._is_over:
            receiver.transport_lost(self._ended)

    def write(self, octets: bytes) -> None:
        if self._transport is not None and not self._is_over:
            for datagram in self._cut(octets):
                self._transport.sendto(datagram)

    async def close(self) -> None:
        self._end(None)
        if self._transport is not None:
            await self._closed.wait()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - errors are told before
        """asyncio: the socket is closed."""
        self._closed.set()

    def opened(self, transport: asyncio.DatagramTransport) -> None:
        """The socket is there. Nobody has answered yet."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002 - there is one sender
        """asyncio: a datagram has come. What comes before anybody listens was asked by nobody."""
        if self._receiver is not None and not self._is_over:
            self._receiver.octets_received(data)

    def error_received(self, exc: Exception) -> None:
        """asyncio: the machine there says that nobody listens."""
        self._end(_nobody_there(exc))

    def _end(self, error: LinkError | None) -> None:
        if self._is_over:
            return
        self._is_over, self._ended = True, error
        if self._transport is not None:
            self._transport.close()
        if self._receiver is not None:
            self._receiver.transport_lost(error)


async def connect_udp(host: str, port: int, timeout: float, cut: Cutter) -> UdpTransport:
    """A socket for one meter. ConnectFailed where its name is unknown; whether it is there only its answer will tell."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            line, transport = await loop.create_datagram_endpoint(
                lambda: UdpTransport(cut), remote_addr=(host, port)
            )
    except TimeoutError:
        raise connect_failed(host, port, f"its name was not resolved in {timeout:g} s") from None
    except OSError as error:
        raise connect_failed(host, port, reason_of(error)) from None
    except UnicodeError:
        raise connect_failed(host, port, NO_HOST_NAME) from None
    transport.opened(line)
    return transport


class BlockingUdpTransport(BlockingTransport):
    """The same for threads."""

    def __init__(self, connected: socket.socket, cut: Cutter) -> None:
        self._socket = connected
        self._cut = cut
        self._is_local = is_on_this_machine(connected.getpeername())

    @property
    def is_local(self) -> bool:
        return self._is_local

    def write(self, octets: bytes) -> None:
        try:
            for datagram in self._cut(octets):
                self._socket.send(datagram)
        except OSError as error:
            raise _nobody_there(error) from None

    def read(self, timeout: float) -> bytes:
        try:
            self._socket.settimeout(max(timeout, _SHORTEST_WAIT))
            return self._socket.recv(_LARGEST_DATAGRAM)
        except TimeoutError:
            return b""
        except OSError as error:
            raise _nobody_there(error) from None

    def close(self) -> None:
        self._socket.close()


def connect_udp_blocking(host: str, port: int, timeout: float, cut: Cutter) -> BlockingUdpTransport:
    """As `connect_udp`, for threads. Nothing can bound how long the system takes to resolve a name."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        connected = socket.socket(family, kind, protocol)
    except OSError as error:
        raise connect_failed(host, port, reason_of(error)) from None
    except UnicodeError:
        raise connect_failed(host, port, NO_HOST_NAME) from None
    try:
        connected.settimeout(timeout)
        connected.connect(address)
        return BlockingUdpTransport(connected, cut)
    except OSError as error:
        connected.close()
        raise connect_failed(host, port, reason_of(error)) from None


def _nobody_there(cause: Exception) -> ConnectionLost:
    reason = reason_of(cause) if isinstance(cause, OSError) else str(cause)
    return ConnectionLost(
        f"nobody takes datagrams there: {reason}",
        layer="transport",
        hint="check address and port, and that the meter speaks UDP",
    )


# ------------------------------------------------------------------------------------------------ a meter's door


class UdpDoor(asyncio.DatagramProtocol):
    """A bound socket. Whoever sends from a new address is `accepted` as a transport of its own, as long as there is `room`.

    An address can be forged: who finds no room is not answered, so that nobody is flooded by us.
    """

    def __init__(
        self, accepted: Callable[[AsyncTransport], None], cut: Cutter, has_room: Callable[[], bool]
    ) -> None:
        self._accepted = accepted
        self._cut = cut
        self._has_room = has_room
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._callers: dict[object, _Caller] = {}

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        name = None if self._transport is None else self._transport.get_extra_info("sockname")
        return int(name[1]) if name else 0

    def opened(self, transport: asyncio.DatagramTransport) -> None:
        """The socket is there."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """asyncio: a datagram has come."""
        caller = self._callers.get(addr)
        if caller is None:
            if not self._has_room():
                return
            caller = self._callers[addr] = _Caller(self, addr)
            self._accepted(caller)
        caller.deliver(data)

    def send(self, octets: bytes, address: tuple[str | Any, int]) -> None:
        """For a caller: send to its address."""
        if self._transport is not None:
            for datagram in self._cut(octets):
                self._transport.sendto(datagram, address)

    def forget(self, address: object) -> None:
        """For a caller: it is over."""
        self._callers.pop(address, None)

    async def close(self) -> None:
        """Take nothing any more."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - nobody can mend it
        """asyncio: the socket is closed."""
        self._closed.set()


class _Caller(AsyncTransport):
    """Who sends from one address."""

    def __init__(self, door: UdpDoor, address: tuple[str | Any, int]) -> None:
        self._door = door
        self._address = address
        self._receiver: Receiver | None = None

    @property
    def is_local(self) -> bool:
        return is_on_this_machine(self._address)

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def write(self, octets: bytes) -> None:
        if octets and self._receiver is not None:
            self._door.send(octets, self._address)

    async def close(self) -> None:
        receiver, self._receiver = self._receiver, None
        self._door.forget(self._address)
        if receiver is not None:
            receiver.transport_lost(None)

    def deliver(self, datagram: bytes) -> None:
        """For the door: a datagram from there."""
        if self._receiver is not None:
            self._receiver.octets_received(datagram)


async def open_udp_door(bind: str, port: int, door: UdpDoor) -> int:
    """Take datagrams; the port they come to. UsageError where it is taken."""
    loop = asyncio.get_running_loop()
    try:
        line, _ = await loop.create_datagram_endpoint(lambda: door, local_addr=(bind, port))
    except OSError as error:
        raise UsageError(
            f"cannot listen on {bind} port {port}: {error.strerror or error}",
            hint="another program may listen there: choose another port, or stop it",
        ) from None
    door.opened(line)
    return door.port
