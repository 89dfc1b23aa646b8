"""How a meter's address is connected to: one table for asyncio, one for threads."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from meterwright.client.address import MeterAddress, Scheme
from meterwright.client.settings import ClientSettings
from meterwright.errors import UsageError
from meterwright.link import wrapper_datagrams
from meterwright.transport import AsyncTransport, BlockingTransport, connect_blocking, connect_tcp
from meterwright.transport.serial import SerialSettings, connect_serial, connect_serial_blocking
from meterwright.transport.udp import connect_udp, connect_udp_blocking

__all__ = ["BlockingConnector", "Connector", "blocking_connector", "connector"]

Connector: TypeAlias = Callable[[], Awaitable[AsyncTransport]]
"""Opens a connection to the meter. ConnectFailed where it can't."""
BlockingConnector: TypeAlias = Callable[[], BlockingTransport]
"""Opens a connection to the meter. ConnectFailed where it can't."""


def connector(address: MeterAddress, settings: ClientSettings) -> Connector:
    """What connects to it under asyncio."""
    return lambda: _CONNECT[address.scheme](address, settings)


def blocking_connector(address: MeterAddress, settings: ClientSettings) -> BlockingConnector:
    """What connects to it, blocking."""
    return lambda: _CONNECT_BLOCKING[address.scheme](address, settings)


def _serial(address: MeterAddress) -> SerialSettings:
    if address.serial is None:
        raise UsageError("the address names no serial line", layer="client")
    return address.serial


_CONNECT: Final[Mapping[Scheme, Callable[[MeterAddress, ClientSettings], Awaitable[AsyncTransport]]]] = (
    MappingProxyType(
        {
            Scheme.TCP: lambda at, how: connect_tcp(at.host, at.port, how.timeouts.connect),
            Scheme.TLS: lambda at, how: connect_tcp(at.host, at.port, how.timeouts.connect, how.tls),
            Scheme.UDP: lambda at, how: connect_udp(
                at.host, at.port, how.timeouts.connect, wrapper_datagrams
            ),
            Scheme.HDLC_TCP: lambda at, how: connect_tcp(at.host, at.port, how.timeouts.connect),
            Scheme.HDLC: lambda at, how: connect_serial(_serial(at), how.timeouts.connect),
        }
    )
)
_CONNECT_BLOCKING: Final[Mapping[Scheme, Callable[[MeterAddress, ClientSettings], BlockingTransport]]] = (
    MappingProxyType(
        {
            Scheme.TCP: lambda at, how: connect_blocking(at.host, at.port, how.timeouts.connect),
            Scheme.TLS: lambda at, how: connect_blocking(at.host, at.port, how.timeouts.connect, how.tls),
            Scheme.UDP: lambda at, how: connect_udp_blocking(
                at.host, at.port, how.timeouts.connect, wrapper_datagrams
            ),
            Scheme.HDLC_TCP: lambda at, how: connect_blocking(at.host, at.port, how.timeouts.connect),
            Scheme.HDLC: lambda at, how: connect_serial_blocking(_serial(at), how.timeouts.connect),
        }
    )
)
