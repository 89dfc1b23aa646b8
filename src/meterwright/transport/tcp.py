"""TCP under asyncio: a connection we open, or one that is open already (a meter that dialled in)."""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from meterwright.errors import ConnectFailed, ConnectionLost, LinkError
from meterwright.transport.base import AsyncTransport, Receiver
from meterwright.transport.tls import TlsSettings, not_trusted, tls_context

__all__ = ["TcpTransport", "adopt_socket", "adopt_streams", "connect_tcp"]

_BUFFER_SIZE: Final = 4096
"""A buffer of our own: asyncio's stock one costs more to hand out than the octets in it."""
_CLOSING_PATIENCE: Final = 2.0


class TcpTransport(asyncio.BufferedProtocol, AsyncTransport):
    """One TCP connection."""

    def __init__(self) -> None:
        self._buffer = bytearray(_BUFFER_SIZE)
        self._view = memoryview(self._buffer)
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._is_local = False
        self._closing = False
        self._ended: LinkError | None = None
        self._closed = asyncio.Event()

    @property
    def is_local(self) -> bool:
        return self._is_local

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._closed.is_set():
            receiver.transport_lost(self._ended)
        elif self._transport is not None:
            self._transport.resume_reading()

    def write(self, octets: bytes) -> None:
        if self._transport is not None and not self._closed.is_set():
            self._transport.write(octets)

    async def close(self) -> None:
        self._closing = True
        if self._transport is None or self._closed.is_set():
            return
        self._transport.close()
        try:
            await asyncio.wait_for(self._closed.wait(), _CLOSING_PATIENCE)
        except TimeoutError:
            self._transport.abort()  # the other side takes nothing any more: what is unsent is given up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._is_local = is_on_this_machine(transport.get_extra_info("peername"))
            transport.pause_reading()  # until somebody listens: what comes before that waits where it can't fill us up

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio names it
        """asyncio: where to put what comes."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: that many octets have come."""
        if self._receiver is not None:
            self._receiver.octets_received(bytes(self._view[:nbytes]))

    def eof_received(self) -> bool:
        """asyncio: the other side will send nothing more; we close too."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: it is over."""
        self._closed.set()
        if not self._closing:
            self._ended = lost_by(exc)
        if self._receiver is not None:
            self._receiver.transport_lost(self._ended)


def lost_by(cause: Exception | None) -> ConnectionLost:
    """The error for a connection that ended by itself."""
    how = "the meter closed the connection" if cause is None else f"the connection broke: {cause}"
    return ConnectionLost(
        how, layer="transport", hint="connect again; some meters serve one client at a time"
    )


def is_on_this_machine(peer: object) -> bool:
    """Whether a socket's peer, as getpeername gives it, is reached without leaving this machine."""
    if isinstance(peer, str | bytes):
        return True  # the name of a unix socket, "" where it has none
    host = peer[0] if isinstance(peer, Sequence) and peer else None
    return isinstance(host, str) and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback  # up to Python 3.12 a mapped address does not say so itself


async def connect_tcp(host: str, port: int, timeout: float, tls: TlsSettings | None = None) -> TcpTransport:
    """Open a TCP connection. ConnectFailed where it is refused, unresolvable, or not there in `timeout` seconds.

    With `tls` SecurityError where the other side can't be trusted, or does not trust us.
    """
    loop = asyncio.get_running_loop()
    context = None if tls is None else tls_context(tls)
    name = None if tls is None else tls.server_name or host
    try:
        async with asyncio.timeout(timeout):
            _, transport = await loop.create_connection(
                TcpTransport, host, port, ssl=context, server_hostname=name
            )
    except TimeoutError:
        raise connect_failed(host, port, f"no answer in {timeout:g} s") from None
    except ssl.SSLError as error:
        raise not_trusted(host, error) from None
    except OSError as error:
        raise connect_failed(host, port, reason_of(error)) from None
    except UnicodeError:
        raise connect_failed(host, port, NO_HOST_NAME) from None
    return transport


NO_HOST_NAME: Final = "that is no host name"
"""The reason where a name has a part that is empty or longer than 63 letters."""


def reason_of(error: OSError) -> str:
    """What the system says, without its number."""
    # asyncio puts the address into strerror, and strerror alone is not always there
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def connect_failed(host: str, port: int, reason: str) -> ConnectFailed:
    """The error for a door that stayed shut."""
    return ConnectFailed(
        f"cannot connect to {host} port {port}: {reason}",
        layer="transport",
        hint="check address and port, that the meter is powered, and that no other client holds its connection",
    )


async def adopt_socket(connected: socket.socket) -> TcpTransport:
    """Take over a socket that is connected already. It is ours from now on."""
    connected.setblocking(False)
    loop = asyncio.get_running_loop()
    _, transport = await loop.create_connection(TcpTransport, sock=connected)
    return transport


class _StreamTransport(AsyncTransport):
    """An asyncio stream pair that is open already."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._pump: asyncio.Task[None] | None = None
        self._receiver: Receiver | None = None

    @property
    def is_local(self) -> bool:
        return is_on_this_machine(self._writer.get_extra_info("peername"))

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._pump = asyncio.get_running_loop().create_task(self._read(receiver))

    def write(self, octets: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(octets)

    async def close(self) -> None:
        receiver, self._receiver = self._receiver, None
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        self._writer.close()
        if receiver is not None:
            receiver.transport_lost(None)
        try:
            await asyncio.wait_for(self._writer.wait_closed(), _CLOSING_PATIENCE)
        except TimeoutError:
            self._writer.transport.abort()  # the other side takes nothing any more: what is unsent is given up
        except OSError:
            pass  # it broke before it was closed: whoever listens to this transport was told

    async def _read(self, receiver: Receiver) -> None:
        cause: Exception | None = None
        try:
            while octets := await self._reader.read(_BUFFER_SIZE):
                receiver.octets_received(octets)
        except OSError as error:
            cause = error
        self._writer.close()  # the other side will send nothing more; we close too, as TcpTransport does
        self._receiver = None
        receiver.transport_lost(lost_by(cause))


def adopt_streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncTransport:
    """Take over a stream pair that is open already, such as asyncio.start_server gives for a meter that dialled in."""
    return _StreamTransport(reader, writer)
