"""A connection that is open already becomes a client's: a socket, a pair of streams, a meter that dialled in."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from tests.client.stage import (
    HOST,
    SEVEN,
    TIME,
    Ground,
    Line,
    Meter,
    Stage,
    Threaded,
    Twin,
    got,
    patient,
    play,
    pushed,
    running_timers,
    settled,
    until,
)

from meterwright.apdu import Apdu, GetRequestNormal, Rlrq
from meterwright.client import BlockingClient, Client
from meterwright.errors import ConnectFailed, ConnectionLost, MeterwrightError, Timeout
from meterwright.link import WrapperFrame
from meterwright.transport import (
    SocketTransport,
    adopt_socket,
    adopt_streams,
    connect_tcp,
)

Given = Callable[[int], Awaitable[Twin]]


def dialled(port: int) -> socket.socket:
    """A socket that is connected."""
    return socket.create_connection((HOST, port), 5)


async def over_socket(port: int) -> Twin:
    return Client.over(await adopt_socket(await asyncio.to_thread(dialled, port)), patient(5))


async def over_streams(port: int) -> Twin:
    return Client.over(adopt_streams(*await asyncio.open_connection(HOST, port)), patient(5))


async def over_blocking_socket(port: int) -> Twin:
    transport = SocketTransport(await asyncio.to_thread(dialled, port))
    return Threaded(BlockingClient.over(transport, patient(5)))


GIVEN = pytest.mark.parametrize("given", [over_socket, over_streams, over_blocking_socket])


@GIVEN
def test_a_client_over_a_given_connection(given: Given) -> None:
    async def scenario(stage: Stage) -> None:
        client = await given(stage.port)
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()
        await client.close()
        assert stage.meter.heard(Rlrq) == 1
        await stage.meter.connections[0].ended.wait()
        assert not running_timers()

    play(Ground.TCP, scenario)


@GIVEN
def test_a_given_connection_is_used_once(given: Given) -> None:
    async def scenario(stage: Stage) -> None:
        client = await given(stage.port)
        await client.connect()
        await client.close()
        with pytest.raises(ConnectFailed, match="used up") as caught:
            await client.connect()
        assert "dials in again" in caught.value.hint
        assert len(stage.meter.connections) == 1
        await client.close()

    play(Ground.TCP, scenario)


@GIVEN
def test_a_given_connection_that_falls(given: Given) -> None:
    async def scenario(stage: Stage) -> None:
        client = await given(stage.port)
        await client.connect()
        with pytest.raises(ConnectionLost):
            await client.read(TIME)
        assert not client.is_associated
        await client.close()

    play(Ground.TCP, scenario, {GetRequestNormal: lambda _request: [Line.CLOSE]})


@GIVEN
def test_a_given_connection_that_is_dead_already(given: Given) -> None:
    async def scenario(stage: Stage) -> None:
        client = await given(stage.port)
        await until(lambda: stage.meter.connections)
        await stage.meter.stop()
        with pytest.raises(ConnectionLost):
            await client.connect()
        await client.close()

    play(Ground.TCP, scenario)


@GIVEN
def test_a_given_connection_is_closed_where_no_association_comes_of_it(given: Given) -> None:
    from meterwright.apdu import Aarq

    async def scenario(stage: Stage) -> None:
        client = await given(stage.port)
        with pytest.raises(MeterwrightError):
            await client.connect()
        await asyncio.wait_for(stage.meter.connections[0].ended.wait(), 5)

    play(Ground.TCP, scenario, {Aarq: lambda _request: [b"\xff\xff"]})


# ---------------------------------------------------------------------------------------------------- dialling in

GREETING = WrapperFrame(1, 16, pushed(3).to_octets()).to_octets()
"""What some meters send first: who they are."""


def test_a_meter_dials_in_and_is_read_over_the_streams_of_our_server() -> None:
    unasked: list[Apdu] = []
    values: list[object] = []

    async def scenario() -> None:
        done = asyncio.Event()

        async def dialled_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                async with Client.over(
                    adopt_streams(reader, writer), patient(5), unsolicited=unasked.append
                ) as client:
                    values.append(await client.read(TIME))
            finally:
                done.set()

        ours = await asyncio.start_server(dialled_in, HOST, 0)
        port = ours.sockets[0].getsockname()[1]
        meter = Meter()
        line = await connect_tcp(HOST, port, 5)
        line.write(GREETING)
        connection = meter.attach(line)
        await asyncio.wait_for(done.wait(), 5)
        assert meter.heard(Rlrq) == 1
        await asyncio.wait_for(connection.ended.wait(), 5)
        await meter.stop()
        ours.close()
        await ours.wait_closed()
        await settled()

    asyncio.run(scenario())
    assert values == [SEVEN]
    assert len(unasked) == 1


def test_many_meters_dial_in_at_once() -> None:
    values: list[object] = []

    async def scenario() -> None:
        served: asyncio.Queue[None] = asyncio.Queue()

        async def dialled_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async with Client.over(adopt_streams(reader, writer), patient(5)) as client:
                values.append(await client.read(TIME))
            served.put_nowait(None)

        ours = await asyncio.start_server(dialled_in, HOST, 0)
        port = ours.sockets[0].getsockname()[1]
        meters = [Meter() for _ in range(10)]
        for meter in meters:
            meter.attach(await connect_tcp(HOST, port, 5))
        for _ in meters:
            await asyncio.wait_for(served.get(), 5)
        for meter in meters:
            await meter.stop()
        ours.close()
        await ours.wait_closed()
        await settled()

    asyncio.run(scenario())
    assert values == [SEVEN] * 10


@pytest.mark.parametrize("kind", ["socket", "blocking"])
def test_what_a_meter_said_before_it_was_adopted_is_heard(kind: str) -> None:
    unasked: list[Apdu] = []

    async def scenario() -> None:
        with socket.socket() as door:
            door.bind((HOST, 0))
            door.listen()
            line = await connect_tcp(HOST, door.getsockname()[1], 5)
            line.write(GREETING)
            meter = Meter({GetRequestNormal: lambda _request: [got()]})
            meter.attach(line)
            accepted, _ = await asyncio.to_thread(door.accept)
            client: Twin = (
                Client.over(await adopt_socket(accepted), patient(5), unsolicited=unasked.append)
                if kind == "socket"
                else Threaded(
                    BlockingClient.over(SocketTransport(accepted), patient(5), unsolicited=unasked.append)
                )
            )
            await asyncio.sleep(0.01)
            await client.connect()
            assert await client.read(TIME) == SEVEN
            await client.close()
            await meter.stop()
            await settled()

    asyncio.run(scenario())
    assert len(unasked) == 1


def test_a_given_connection_whose_meter_is_silent_times_out() -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            client = Client.over(await adopt_socket(ours), patient(0.05))
            with pytest.raises(Timeout):
                await client.connect()
            await settled()
            assert theirs.recv(1000)
            assert theirs.recv(1000) == b"", "our end is closed"

    asyncio.run(scenario())


def test_a_silent_meter_over_streams_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            client = Client.over(adopt_streams(reader, writer), patient(0.05))
            with pytest.raises(Timeout):
                await client.connect()
            await settled()

    asyncio.run(scenario())
