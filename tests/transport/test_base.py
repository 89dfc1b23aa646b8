"""Which transports end on this machine, so that keys everybody knows may be used there."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from meterwright.transport import (
    AsyncTransport,
    BlockingTransport,
    Receiver,
    SocketTransport,
    Wire,
    adopt_socket,
    adopt_streams,
    connect_blocking,
    connect_tcp,
)
from meterwright.transport.tcp import is_on_this_machine

HOST = "127.0.0.1"


class Elsewhere(socket.socket):
    """A socket whose other end says that it is far away."""

    def getpeername(self) -> tuple[str, int]:
        return ("192.0.2.7", 4059)


@contextmanager
def far_socket() -> Generator[socket.socket]:
    one, other = socket.socketpair()
    with other:
        yield Elsewhere(fileno=one.detach())


class _Plain(AsyncTransport):
    def start(self, receiver: Receiver) -> None: ...
    def write(self, octets: bytes) -> None: ...
    async def close(self) -> None: ...


class _PlainBlocking(BlockingTransport):
    def write(self, octets: bytes) -> None: ...
    def read(self, timeout: float) -> bytes:  # noqa: ARG002 - the contract names it
        return b""

    def close(self) -> None: ...


def test_a_transport_that_says_nothing_is_not_local() -> None:
    assert not _Plain().is_local
    assert not _PlainBlocking().is_local


def test_memory_is_local() -> None:
    wire = Wire()
    assert wire.client_end.is_local
    assert wire.meter_end.is_local


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        (("127.0.0.1", 4059), True),
        (("127.255.3.4", 4059), True),
        (("::1", 4059, 0, 0), True),
        (("::1%lo", 4059, 0, 1), True),
        (("::ffff:127.0.0.2", 4059, 0, 0), True),
        ("", True),
        ("/run/meter", True),
        (b"\0meter", True),
        (("192.168.0.1", 4059), False),
        (("128.0.0.1", 4059), False),
        (("0.0.0.0", 4059), False),  # noqa: S104 - nobody is bound here, it is looked at
        (("::", 4059, 0, 0), False),
        (("fe80::1%eth0", 4059, 0, 2), False),
        (("::ffff:192.0.2.7", 4059, 0, 0), False),
        (("::127.0.0.1", 4059, 0, 0), False),
        (("localhost", 4059), False),  # a name is what somebody says it is
        ((2130706433, 1), False),  # a vsock's number, which read as an address would be 127.0.0.1
        ((), False),
        (None, False),
    ],
    ids=repr,
)
def test_what_is_on_this_machine(peer: object, *, local: bool) -> None:
    assert is_on_this_machine(peer) is local


def test_a_blocking_connection_to_loopback_is_local_even_after_its_end() -> None:
    with socket.create_server((HOST, 0)) as server:
        transport = connect_blocking(HOST, server.getsockname()[1], timeout=5)
    assert transport.is_local
    transport.close()
    assert transport.is_local


def test_a_blocking_unix_socket_is_local() -> None:
    one, other = socket.socketpair()
    with other:
        transport = SocketTransport(one)
        assert transport.is_local
        transport.close()


def test_a_blocking_connection_to_elsewhere_is_not_local() -> None:
    with far_socket() as far:
        transport = SocketTransport(far)
        assert not transport.is_local
        transport.close()


def test_a_socket_without_another_end_is_not_local() -> None:
    transport = SocketTransport(socket.socket())
    assert not transport.is_local
    transport.close()


def test_asyncio_connections_to_loopback_are_local_even_after_their_end() -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0)) as server:
            port = server.getsockname()[1]
            ways = [
                await connect_tcp(HOST, port, timeout=5),
                await adopt_socket(socket.create_connection((HOST, port))),
                adopt_streams(*await asyncio.open_connection(HOST, port)),
            ]
        for transport in ways:
            assert transport.is_local
            await transport.close()
            assert transport.is_local

    asyncio.run(main())


def test_asyncio_connections_to_elsewhere_are_not_local() -> None:
    async def main() -> None:
        with far_socket() as one, far_socket() as other:
            ways = [await adopt_socket(one), adopt_streams(*await asyncio.open_connection(sock=other))]
            for transport in ways:
                assert not transport.is_local
                await transport.close()

    asyncio.run(main())
