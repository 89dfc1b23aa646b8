"""Many clients of one meter: nobody's garbage, silence, greed or crash is anybody else's trouble."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from tests.server.hosts import AARQ, Host

from meterwright.apdu import AttributeDescriptor, GetRequestNormal
from meterwright.data import Data, DataTag
from meterwright.errors import ConnectFailed, LinkError, RemoteProtocolError, UsageError
from meterwright.link import WrapperFrame
from meterwright.server import Limits, Listener, log_trouble
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.transport import AsyncTransport, Wire, connect_tcp
from meterwright.values import InvokeIdAndPriority, Obis

GREETING = WrapperFrame(16, 1, AARQ).to_octets()


def get(size: int) -> bytes:
    """Read that many octets."""
    attribute = AttributeDescriptor(size, Obis.parse("0.0.1.0.0.255"), 2)
    return WrapperFrame(
        16, 1, GetRequestNormal(InvokeIdAndPriority(1), attribute, None).to_octets()
    ).to_octets()


@dataclass
class Client:
    """A client's end: what came, and whether it is over."""

    transport: AsyncTransport
    received: bytearray = field(default_factory=bytearray)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    error: LinkError | None = None

    def __post_init__(self) -> None:
        self.transport.start(self)

    def octets_received(self, octets: bytes) -> None:
        self.received += octets

    def transport_lost(self, error: LinkError | None) -> None:
        self.error = error
        self.lost.set()


def dial(listener: Listener) -> Client:
    wire = Wire()
    listener.attach(wire.meter_end)
    return Client(wire.client_end)


def listening(troubles: list[Exception], limits: Limits | None = None, host: Host | None = None) -> Listener:
    return Listener(host or Host(), limits, trouble=troubles.append)


class TestInMemory:
    """In virtual time, where whatever escapes into the event loop fails the run."""

    def test_clients_are_served_side_by_side(self) -> None:
        async def main() -> None:
            listener = listening([])
            clients = [dial(listener) for _ in range(5)]
            for client in clients:
                client.transport.write(GREETING + get(3))
            await asyncio.sleep(1)
            assert len({bytes(client.received) for client in clients}) == 1
            assert clients[0].received.endswith(b"\x09\x03\x00\x00\x00")
            assert listener.connections == 5
            await clients[0].transport.close()
            await asyncio.sleep(1)
            assert listener.connections == 4
            await listener.stop()

        run_in_virtual_time(main())

    def test_garbage_ends_its_own_connection(self) -> None:
        async def main() -> None:
            troubles: list[Exception] = []
            listener = listening(troubles)
            good, bad = dial(listener), dial(listener)
            good.transport.write(GREETING)
            bad.transport.write(GREETING + b"GET / HTTP/1.1\r\n\r\n")
            await bad.lost.wait()
            good.transport.write(get(1))
            await asyncio.sleep(1)
            assert good.received.endswith(b"\x09\x01\x00")
            assert not good.lost.is_set()
            assert [type(each) for each in troubles] == [RemoteProtocolError]
            assert listener.connections == 1
            await listener.stop()

        run_in_virtual_time(main())

    def test_what_was_answered_before_the_garbage_still_leaves(self) -> None:
        async def main() -> None:
            listener = listening([])
            client = dial(listener)
            client.transport.write(GREETING)
            client.transport.write(get(2))
            client.transport.write(b"garbage!")
            await client.lost.wait()
            assert client.received.endswith(b"\x09\x02\x00\x00")

        run_in_virtual_time(main())

    def test_nothing_is_served_after_the_garbage(self) -> None:
        async def main() -> None:
            host = Host()
            listener = listening([], host=host)
            client = dial(listener)
            client.transport.write(b"garbage!")
            client.transport.write(GREETING)
            await client.lost.wait()
            assert host.seen == []

        run_in_virtual_time(main())

    def test_a_host_that_fails_is_told_and_costs_one_connection(self) -> None:
        def fail(_: int) -> Data:
            raise ZeroDivisionError

        def wrong(_: int) -> Data:
            return Data(DataTag.UNSIGNED, 1000)

        async def main() -> None:
            for mistake in (fail, wrong):
                troubles: list[Exception] = []
                host = Host()
                listener = listening(troubles, host=host)
                host.on_get = mistake
                client, other = dial(listener), dial(listener)
                client.transport.write(GREETING + get(1))
                await client.lost.wait()
                assert len(troubles) == 1
                assert listener.connections == 1
                await listener.stop()
                await other.lost.wait()

        run_in_virtual_time(main())

    def test_silence_ends_a_connection_and_speech_does_not(self) -> None:
        async def main() -> None:
            listener = listening([], Limits(idle_seconds=10.0))
            silent, speaking = dial(listener), dial(listener)
            speaking.transport.write(GREETING)
            for _ in range(5):
                await asyncio.sleep(4)
                speaking.transport.write(get(1))
            assert silent.lost.is_set()
            assert not speaking.lost.is_set()
            await speaking.lost.wait()
            assert virtual_now() == pytest.approx(30.0, abs=0.1)
            assert listener.connections == 0

        run_in_virtual_time(main())

    def test_patience_may_be_endless(self) -> None:
        async def main() -> None:
            listener = listening([], Limits(idle_seconds=None))
            client = dial(listener)
            await asyncio.sleep(30 * 24 * 3600)
            assert not client.lost.is_set()
            await listener.stop()

        run_in_virtual_time(main())

    def test_when_all_places_are_taken_one_is_sent_away(self) -> None:
        async def main() -> None:
            troubles: list[Exception] = []
            listener = listening(troubles, Limits(connections=2))
            first, second, third = (dial(listener) for _ in range(3))
            await third.lost.wait()
            assert not first.lost.is_set()
            assert len(troubles) == 1
            await second.transport.close()
            await asyncio.sleep(0.1)
            fourth = dial(listener)
            fourth.transport.write(GREETING)
            await asyncio.sleep(0.1)
            assert fourth.received
            await listener.stop()

        run_in_virtual_time(main())

    def test_stop_drops_everybody_and_may_be_said_twice(self) -> None:
        async def main() -> None:
            listener = listening([])
            clients = [dial(listener) for _ in range(3)]
            await listener.stop()
            await listener.stop()
            for client in clients:
                await client.lost.wait()
            assert listener.connections == 0

        run_in_virtual_time(main())

    def test_a_line_that_was_cut_is_forgotten(self) -> None:
        async def main() -> None:
            listener = listening([])
            wire = Wire()
            listener.attach(wire.meter_end)
            wire.client_end.write(GREETING)
            wire.cut()
            await asyncio.sleep(1)
            assert listener.connections == 0
            await listener.stop()

        run_in_virtual_time(main())

    def test_a_line_that_was_lost_before_it_was_attached_is_forgotten(self) -> None:
        async def main() -> None:
            listener = listening([])
            wire = Wire()
            wire.cut()
            listener.attach(wire.meter_end)
            assert listener.connections == 0
            await listener.stop()

        run_in_virtual_time(main())


def over_tcp(scenario: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run in real time; what escapes into the event loop fails the test."""
    escaped: list[dict[str, object]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: escaped.append(context))
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(main())
    assert escaped == []


def is_open(listener: Listener) -> bool:
    return listener.is_listening


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens behind a socket, which tells nobody; the scenario has its deadline."""
    while not condition():  # noqa: ASYNC110 - as the docstring says
        await asyncio.sleep(0.01)


class TestOverTcp:
    """The same over sockets, and what only sockets do."""

    def test_clients_are_served_and_dropped(self) -> None:
        async def scenario() -> None:
            listener = listening([])
            port = await listener.listen("127.0.0.1", 0)
            assert is_open(listener)
            clients = [Client(await connect_tcp("127.0.0.1", port, 10)) for _ in range(5)]
            for client in clients:
                client.transport.write(GREETING + get(3))
            await until(lambda: all(each.received.endswith(b"\x09\x03\x00\x00\x00") for each in clients))
            assert listener.connections == 5
            await clients[0].transport.close()
            await until(lambda: listener.connections == 4)
            await listener.stop()
            assert not is_open(listener)
            for client in clients:
                await client.lost.wait()
            with pytest.raises(ConnectFailed):
                await connect_tcp("127.0.0.1", port, 10)
            assert await listener.listen("127.0.0.1", port) == port
            again = Client(await connect_tcp("127.0.0.1", port, 10))
            again.transport.write(GREETING)
            await until(lambda: bool(again.received))
            await listener.stop()

        over_tcp(scenario)

    def test_garbage_and_full_house_end_single_connections(self) -> None:
        async def scenario() -> None:
            troubles: list[Exception] = []
            listener = listening(troubles, Limits(connections=2))
            port = await listener.listen("127.0.0.1", 0)
            good = Client(await connect_tcp("127.0.0.1", port, 10))
            bad = Client(await connect_tcp("127.0.0.1", port, 10))
            await until(lambda: listener.connections == 2)
            third = Client(await connect_tcp("127.0.0.1", port, 10))
            await third.lost.wait()
            bad.transport.write(b"\x7e" * 100)
            await bad.lost.wait()
            good.transport.write(GREETING)
            await until(lambda: bool(good.received))
            assert [type(each) for each in troubles] == [LinkError, RemoteProtocolError]
            await listener.stop()

        over_tcp(scenario)

    def test_who_takes_no_answers_is_not_read_any_more(self) -> None:
        async def scenario() -> None:
            host = Host()
            listener = listening([], host=host)
            port = await listener.listen("127.0.0.1", 0)
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(GREETING)
            request, sent = get(60_000) * 100, 0
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    1.0
                ):  # until neither side takes any more: the reader above holds 2 KiB
                    while True:
                        writer.write(request)
                        await writer.drain()
                        sent += 100
            served = len(host.seen)
            await asyncio.sleep(0.2)
            assert len(host.seen) == served
            assert served < sent + 100
            assert served * 60_000 < 200_000_000
            other = Client(await connect_tcp("127.0.0.1", port, 10))
            other.transport.write(GREETING)
            await until(lambda: bool(other.received))
            writer.transport.abort()
            await until(lambda: listener.connections == 1)
            await listener.stop()

        over_tcp(scenario)

    def test_a_taken_port_is_told(self) -> None:
        async def scenario() -> None:
            first, second = listening([]), listening([])
            port = await first.listen("127.0.0.1", 0)
            with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {port}") as refused:
                await second.listen("127.0.0.1", port)
            assert refused.value.hint
            assert not is_open(second)
            await first.stop()

        over_tcp(scenario)


def test_by_default_trouble_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="meterwright"):
        log_trouble(RemoteProtocolError("garbage", layer="wrapper"))
        log_trouble(ZeroDivisionError("a bug"))
    foreign, own = caplog.records
    assert "garbage" in foreign.getMessage()
    assert foreign.exc_info is None
    assert own.exc_info is not None
