"""Serves one meter to many clients under asyncio: over TCP, TLS or UDP, or over any transport it is handed.

The protocol is ServerConnection's, which does no IO; this is the glue. Nothing that a client does reaches further than
its own connection: garbage ends it, silence ends it after a while, whoever comes when all places are taken is sent away,
and who asks but does not take the answers is not read any more until they are taken. What went wrong is told to a
hook; no exception escapes into the event loop.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from meterwright.apdu import Notification
from meterwright.errors import LinkError, RemoteProtocolError, UsageError
from meterwright.link import ServerLink, WrapperServer, wrapper_datagrams
from meterwright.server.connection import ServerConnection
from meterwright.server.host import ObjectHost, Partners
from meterwright.transport import AsyncTransport, TcpTransport
from meterwright.transport.udp import UdpDoor, open_udp_door

__all__ = ["Limits", "Listener", "Trouble", "log_trouble"]

Trouble = Callable[[Exception], None]
"""Told what went wrong in one connection. Must not raise."""

_LOG: Final = logging.getLogger(__name__)


def log_trouble(error: Exception) -> None:
    """The default hook: a line in this module's log, with the traceback where the fault is our own."""
    foreign = isinstance(error, RemoteProtocolError | LinkError)
    _LOG.warning("a connection was closed: %s", error, exc_info=None if foreign else error)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections at once, and after how many silent seconds one is closed (None: never)."""

    connections: int = 32
    idle_seconds: float | None = 300.0


class Listener:
    """The connections of one meter. Starts closed to TCP; `attach` serves a transport that is open already."""

    def __init__(
        self,
        host: ObjectHost,
        limits: Limits | None = None,
        *,
        link: Callable[[], ServerLink] = WrapperServer,
        trouble: Trouble = log_trouble,
    ) -> None:
        """`link` makes what carries the APDUs of one connection."""
        self._host = host
        self._link = link
        self._limits = limits or Limits()
        self._trouble = trouble
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._door: UdpDoor | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._connections)

    @property
    def is_listening(self) -> bool:
        """Whether connections, or datagrams, are accepted."""
        return self._server is not None or self._door is not None

    async def listen(self, bind: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Accept TCP connections; the port they come to (a free one where `port` is 0). UsageError where it is taken."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Accepted(self.attach), bind, port, ssl=tls)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {bind} port {port}: {error.strerror or error}",
                hint="another program may listen there: choose another port, or stop it",
            ) from None
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def listen_udp(self, bind: str, port: int) -> int:
        """Take datagrams; the port they come to. Who finds no place gets no answer. UsageError where the port is taken."""
        self._door = UdpDoor(self.attach, wrapper_datagrams, self._has_room)
        return await open_udp_door(bind, port, self._door)

    def attach(self, transport: AsyncTransport) -> None:
        """Serve a client that is connected. Where all places are taken it is sent away."""
        if not self._has_room():
            self._trouble(LinkError(f"more than {self._limits.connections} connections", layer="server"))
            self.spawn(transport.close())
            return
        protocol = ServerConnection(self._host, self._link())
        connection = _Connection(self, transport, protocol, self._limits.idle_seconds)
        self._connections.add(connection)
        connection.start()

    def notify(self, notification: Notification, partners: Partners) -> int:
        """Send what nobody asked for to every client that is associated as these two; how many there are."""
        reached = [each for each in self._connections if each.is_associated(partners)]
        for connection in reached:
            connection.notify(notification, partners)
        return len(reached)

    async def stop(self) -> None:
        """Accept nothing any more and drop all connections. `listen` may be called again."""
        server, self._server = self._server, None
        door, self._door = self._door, None
        if server is not None:
            server.close()
        for connection in tuple(self._connections):
            connection.close()
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        if server is not None:
            await server.wait_closed()
        if door is not None:
            await door.close()

    def _has_room(self) -> bool:
        return len(self._connections) < self._limits.connections

    def report(self, error: Exception) -> None:
        """For a connection: something went wrong."""
        self._trouble(error)

    def forget(self, connection: "_Connection") -> None:
        """For a connection: it is over."""
        self._connections.discard(connection)

    def spawn(self, closing: Coroutine[None, None, None]) -> None:
        """For a connection: finish closing in the background."""
        task = asyncio.get_running_loop().create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._trouble(error)


class _Connection:
    """One client: its transport joined with its protocol machine. A Receiver."""

    def __init__(
        self,
        listener: Listener,
        transport: AsyncTransport,
        protocol: ServerConnection,
        idle_seconds: float | None,
    ) -> None:
        self._listener = listener
        self._transport = transport
        self._protocol = protocol
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._due: asyncio.TimerHandle | None = None
        self._over = False

    def start(self) -> None:
        if self._idle_seconds is not None:
            self._timer = self._loop.call_later(self._idle_seconds, self._look_at_the_time)
        self._transport.start(self)

    def octets_received(self, octets: bytes) -> None:
        if self._over:
            return
        self._heard = now = self._loop.time()
        self._carry(lambda: self._protocol.receive(octets, now))

    def _tick(self) -> None:
        """The link's own time."""
        self._due = None
        self._carry(lambda: self._protocol.tick(self._loop.time()))

    def _carry(self, step: Callable[[], None]) -> None:
        error: Exception | None = None
        try:
            step()
        except Exception as caught:  # noqa: BLE001 - garbage, or a fault of the host: it ends this connection alone
            error = caught
        self._transport.write(self._protocol.data_to_send())
        if error is not None:
            self._listener.report(error)
            self.close()
        else:
            self._reschedule()

    def _reschedule(self) -> None:
        deadline = None if self._over else self._protocol.deadline
        if self._due is not None:
            if deadline is not None and self._due.when() <= deadline:
                return  # it comes early at worst, and then looks again
            self._due.cancel()
            self._due = None
        if deadline is not None:
            self._due = self._loop.call_at(deadline, self._tick)

    def is_associated(self, partners: Partners) -> bool:
        """Whether these two have an association over this connection."""
        return not self._over and self._protocol.is_associated(partners)

    def notify(self, notification: Notification, partners: Partners) -> None:
        """Push."""
        self._carry(lambda: self._protocol.notify(notification, partners, self._loop.time()))

    def transport_lost(self, error: LinkError | None) -> None:  # noqa: ARG002 - that it is lost is all we need
        self._end()

    def close(self) -> None:
        """Send what is waiting, and close."""
        if not self._over:
            self._end()
            self._listener.spawn(self._transport.close())

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        for timer in (self._timer, self._due):
            if timer is not None:
                timer.cancel()
        self._protocol.lost()
        self._listener.forget(self)

    def _look_at_the_time(self) -> None:
        """Close what was silent for too long; else look again when it might be."""
        if self._idle_seconds is None:
            return
        left = self._heard + self._idle_seconds - self._loop.time()
        if left <= 0:
            self.close()
        else:
            self._timer = self._loop.call_later(left, self._look_at_the_time)


class _Accepted(TcpTransport):
    """A TCP connection that was made to us. While its client takes no answers, nothing more is read from it."""

    def __init__(self, accepted: Callable[[AsyncTransport], None]) -> None:
        super().__init__()
        self._accepted = accepted
        self._line: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport):
            self._line = transport
        self._accepted(self)

    def pause_writing(self) -> None:
        """asyncio: the client is slow to take what we wrote."""
        if self._line is not None:
            self._line.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: it has taken enough."""
        if self._line is not None:
            self._line.resume_reading()
