"""TCP for threads: a blocking socket we open, or one that is open already."""

import socket
import ssl
from typing import Final

from meterwright.transport.base import BlockingTransport
from meterwright.transport.tcp import NO_HOST_NAME, connect_failed, is_on_this_machine, lost_by, reason_of
from meterwright.transport.tls import TlsSettings, not_trusted, tls_context

__all__ = ["SocketTransport", "connect_blocking"]

_BUFFER_SIZE: Final = 4096
_SHORTEST_WAIT: Final = 0.001
"""A time-out of 0 would make the socket non-blocking, which is another thing."""


class SocketTransport(BlockingTransport):
    """One connected socket. It is ours from now on."""

    def __init__(self, connected: socket.socket, write_timeout: float = 30.0) -> None:
        self._socket = connected
        self._write_timeout = write_timeout
        self._is_local = _is_joined_locally(connected)

    @property
    def is_local(self) -> bool:
        return self._is_local

    def write(self, octets: bytes) -> None:
        try:
            self._socket.settimeout(self._write_timeout)
            self._socket.sendall(octets)
        except OSError as error:
            raise lost_by(error) from None

    def read(self, timeout: float) -> bytes:
        try:
            self._socket.settimeout(max(timeout, _SHORTEST_WAIT))
            octets = self._socket.recv(_BUFFER_SIZE)
        except TimeoutError:
            return b""
        except OSError as error:
            raise lost_by(error) from None
        if not octets:
            raise lost_by(None)
        return octets

    def close(self) -> None:
        self._socket.close()


def connect_blocking(host: str, port: int, timeout: float, tls: TlsSettings | None = None) -> SocketTransport:
    """Open a TCP connection. ConnectFailed where it is refused, unresolvable, or not there in `timeout` seconds.

    With `tls` SecurityError where the other side can't be trusted, or does not trust us.
    """
    context = None if tls is None else tls_context(tls)
    name = None if tls is None else tls.server_name or host
    try:
        connected = socket.create_connection((host, port), timeout)
        return SocketTransport(connected if context is None else _secured(connected, context, name))
    except TimeoutError:
        raise connect_failed(host, port, f"no answer in {timeout:g} s") from None
    except ssl.SSLError as error:
        raise not_trusted(host, error) from None
    except OSError as error:
        raise connect_failed(host, port, reason_of(error)) from None
    except UnicodeError:
        raise connect_failed(host, port, NO_HOST_NAME) from None


def _secured(connected: socket.socket, context: ssl.SSLContext, name: str | None) -> socket.socket:
    try:
        return context.wrap_socket(connected, server_hostname=name)
    except BaseException:
        connected.close()
        raise


def _is_joined_locally(connected: socket.socket) -> bool:
    try:
        return is_on_this_machine(connected.getpeername())
    except OSError:
        return False  # it has lost its other end already
