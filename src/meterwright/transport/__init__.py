"""Octets in and out: TCP and memory, under asyncio and blocking. The only layer that touches sockets."""

from meterwright.transport.base import AsyncTransport, BlockingTransport, Receiver
from meterwright.transport.blocking import SocketTransport, connect_blocking
from meterwright.transport.memory import Interference, MemoryTransport, Wire
from meterwright.transport.tcp import TcpTransport, adopt_socket, adopt_streams, connect_tcp

__all__ = [
    "AsyncTransport",
    "BlockingTransport",
    "Interference",
    "MemoryTransport",
    "Receiver",
    "SocketTransport",
    "TcpTransport",
    "Wire",
    "adopt_socket",
    "adopt_streams",
    "connect_blocking",
    "connect_tcp",
]
