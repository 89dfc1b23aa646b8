"""TCP under asyncio, on real loopback sockets: opened by us, or open already."""

import asyncio
import errno
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import pytest
from tests.transport.receivers import Recorder

from meterwright.errors import ConnectFailed, ConnectionLost
from meterwright.transport import AsyncTransport, TcpTransport, adopt_socket, adopt_streams, connect_tcp
from meterwright.transport.tcp import reason_of

HOST = "127.0.0.1"
Joined = tuple[AsyncTransport, socket.socket]


@contextmanager
def listening() -> Generator[tuple[socket.socket, int]]:
    """A socket that listens, and its port."""
    with socket.create_server((HOST, 0)) as server:
        server.setblocking(False)
        yield server, server.getsockname()[1]


async def by_connecting(stack: list[socket.socket]) -> Joined:
    with listening() as (server, port):
        transport = await connect_tcp(HOST, port, timeout=5)
        theirs, _ = await asyncio.get_running_loop().sock_accept(server)
    stack.append(theirs)
    return transport, theirs


async def by_socket(stack: list[socket.socket]) -> Joined:
    with socket.create_server((HOST, 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    theirs.setblocking(False)
    stack.append(theirs)
    return await adopt_socket(ours), theirs


async def by_streams(stack: list[socket.socket]) -> Joined:
    with socket.create_server((HOST, 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    theirs.setblocking(False)
    stack.append(theirs)
    return adopt_streams(*await asyncio.open_connection(sock=ours)), theirs


WAYS: list[Callable[[list[socket.socket]], Awaitable[Joined]]] = [by_connecting, by_socket, by_streams]
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


@asynccontextmanager
async def joined(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> AsyncGenerator[Joined]:
    """A transport of ours and the socket at the other end; both are closed in the end."""
    stack: list[socket.socket] = []
    try:
        transport, theirs = await way(stack)
        yield transport, theirs
        await transport.close()
    finally:
        for each in stack:
            each.close()


async def sent(theirs: socket.socket, octets: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(theirs, octets)


async def heard(theirs: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        piece = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(theirs, 65536), 10)
        if not piece:
            break
        octets += piece
    return octets


@each_way
def test_octets_pass_both_ways(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> None:
    async def main() -> None:
        async with joined(way) as (transport, theirs):
            ours = Recorder()
            transport.start(ours)
            transport.write(b"ask")
            assert await heard(theirs, 3) == b"ask"
            await sent(theirs, b"answer")
            assert await ours.received(6) == b"answer"
            assert ours.ends == []

    asyncio.run(main())


@each_way
def test_a_megabyte_passes(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> None:
    octets = bytes(range(256)) * 4096

    async def main() -> None:
        async with joined(way) as (transport, theirs):
            ours = Recorder()
            transport.start(ours)
            transport.write(octets)
            assert await heard(theirs, len(octets)) == octets
            await asyncio.gather(sent(theirs, octets), ours.received(len(octets)))
            assert ours.octets == octets

    asyncio.run(main())


@each_way
def test_octets_handed_out_do_not_change_afterwards(
    way: Callable[[list[socket.socket]], Awaitable[Joined]],
) -> None:
    """The buffer is used again; what was given away is not."""

    async def main() -> None:
        async with joined(way) as (transport, theirs):
            ours = Recorder()
            transport.start(ours)
            await sent(theirs, b"first")
            await ours.received(5)
            kept = ours.pieces[0]
            await sent(theirs, b"other")
            await ours.received(10)
            assert kept == b"first"
            assert isinstance(kept, bytes)

    asyncio.run(main())


@each_way
def test_what_comes_before_the_start_is_kept(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> None:
    async def main() -> None:
        async with joined(way) as (transport, theirs):
            await sent(theirs, b"early bird")
            theirs.shutdown(socket.SHUT_WR)
            for _ in range(20):  # as many turns of the loop as it takes to read them
                await asyncio.sleep(0)
            ours = Recorder()
            transport.start(ours)
            assert await ours.received(10) == b"early bird"
            assert isinstance(await ours.lost(), ConnectionLost)

    asyncio.run(main())


@each_way
def test_a_meter_that_hangs_up_is_a_lost_connection(
    way: Callable[[list[socket.socket]], Awaitable[Joined]],
) -> None:
    async def main() -> None:
        async with joined(way) as (transport, theirs):
            ours = Recorder()
            transport.start(ours)
            await sent(theirs, b"bye")
            theirs.close()
            error = await ours.lost()
            assert ours.octets == b"bye"
            assert isinstance(error, ConnectionLost)
            assert "the meter closed the connection" in error.what
            assert error.hint
            transport.write(b"nobody listens")

    asyncio.run(main())


@each_way
def test_a_half_close_is_an_end(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> None:
    async def main() -> None:
        async with joined(way) as (transport, theirs):
            ours = Recorder()
            transport.start(ours)
            theirs.shutdown(socket.SHUT_WR)
            assert isinstance(await ours.lost(), ConnectionLost)

    asyncio.run(main())


@each_way
def test_a_reset_is_a_broken_connection(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> None:
    unseen: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
        async with joined(way) as (transport, theirs):
            ours = Recorder()
            transport.start(ours)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()
            error = await ours.lost()
            assert isinstance(error, ConnectionLost)
            assert "the connection broke" in error.what

    asyncio.run(main())
    assert unseen == []


@each_way
def test_closing_tells_the_other_side_and_twice_is_harmless(
    way: Callable[[list[socket.socket]], Awaitable[Joined]],
) -> None:
    async def main() -> None:
        async with joined(way) as (transport, theirs):
            transport.start(Recorder())
            transport.write(b"last words")
            await transport.close()
            await transport.close()
            assert await heard(theirs, 100) == b"last words"
            transport.write(b"too late")

    asyncio.run(main())


@each_way
def test_our_own_close_is_no_error(way: Callable[[list[socket.socket]], Awaitable[Joined]]) -> None:
    async def main() -> None:
        async with joined(way) as (transport, _theirs):
            ours = Recorder()
            transport.start(ours)
            await transport.close()
            assert ours.ends == [None]

    asyncio.run(main())


@each_way
def test_it_may_be_closed_without_being_started(
    way: Callable[[list[socket.socket]], Awaitable[Joined]],
) -> None:
    async def main() -> None:
        async with joined(way) as (transport, theirs):
            await transport.close()
            assert await heard(theirs, 1) == b""

    asyncio.run(main())


def test_closing_a_line_that_takes_nothing_any_more_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side reads nothing: what is unsent is given up after a while."""
    monkeypatch.setattr("meterwright.transport.tcp._CLOSING_PATIENCE", 0.05)

    async def main() -> None:
        async with joined(by_socket) as (transport, _theirs):
            ours = Recorder()
            transport.start(ours)
            transport.write(bytes(64 * 1024 * 1024))
            await transport.close()
            assert await ours.lost() is None

    asyncio.run(main())


class TestConnecting:
    """What is told when a door stays shut."""

    def test_the_reason_is_the_systems(self) -> None:
        error = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 4059)")
        assert reason_of(error) == "Connection refused"
        assert reason_of(socket.gaierror(socket.EAI_NONAME, "Name not known")) == "Name not known"
        assert reason_of(OSError("Multiple exceptions: …")) == "Multiple exceptions: …"

    def test_a_closed_port(self) -> None:
        with listening() as (_, port):
            pass
        with pytest.raises(ConnectFailed, match=f"cannot connect to {HOST} port {port}: ") as caught:
            asyncio.run(connect_tcp(HOST, port, timeout=5))
        assert "check address and port" in caught.value.hint

    def test_a_port_where_nobody_answers(self) -> None:
        """A listener whose queue is full: SYNs get no answer."""
        with socket.socket() as server:
            server.bind((HOST, 0))
            server.listen(0)
            port = server.getsockname()[1]
            waiting = [socket.socket() for _ in range(4)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex((HOST, port))
            try:
                with pytest.raises(ConnectFailed, match=r"no answer in 0\.1 s"):
                    asyncio.run(connect_tcp(HOST, port, timeout=0.1))
            finally:
                for each in waiting:
                    each.close()

    def test_a_silent_meter_is_connected_all_the_same(self) -> None:
        async def main() -> None:
            with listening() as (_, port):
                transport = await connect_tcp(HOST, port, timeout=5)
                assert isinstance(transport, TcpTransport)
                ours = Recorder()
                transport.start(ours)
                transport.write(b"anybody?")
                await transport.close()
                assert (ours.pieces, ours.ends) == ([], [None])

        asyncio.run(main())

    @pytest.mark.parametrize("host", ["meter.invalid", "", "256.256.256.256"])
    def test_a_name_that_cannot_be_resolved(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody_knows(*_arguments: object, **_options: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
        with pytest.raises(ConnectFailed, match="not known"):
            asyncio.run(connect_tcp(host, 4059, timeout=5))

    @pytest.mark.parametrize("host", ["a" * 64, "a..b"])
    def test_a_name_that_is_none(self, host: str) -> None:
        with pytest.raises(ConnectFailed, match="cannot connect to"):
            asyncio.run(connect_tcp(host, 4059, timeout=5))
