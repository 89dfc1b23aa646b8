"""Long transfers of one client beside each other, to a meter that has room for one."""

import asyncio

from tests.server.hosts import Host

from meterwright.apdu import AttributeDescriptor
from meterwright.association import Proposal
from meterwright.client import Client, ClientSettings
from meterwright.data import Data, octet_string
from meterwright.errors import DataAccessError
from meterwright.server import Listener
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport, Wire
from meterwright.values import Obis

SMALL = Proposal(max_receive_pdu_size=64)


def attribute(size: int) -> AttributeDescriptor:
    """So many octets."""
    return AttributeDescriptor(size, Obis.of("0.0.1.0.0.255"), 2)


def client_of(host: Host, *, one_at_a_time: bool) -> Client:
    listener = Listener(host)

    async def connect() -> AsyncTransport:
        wire = Wire()
        listener.attach(wire.meter_end)
        return wire.client_end

    return Client(connect, ClientSettings(proposal=SMALL, one_at_a_time=one_at_a_time))


def test_they_wait_for_one_another() -> None:
    async def main() -> None:
        async with client_of(Host(), one_at_a_time=True) as client:
            sizes = (300, 3, 200, 1, 250)
            values = await asyncio.gather(*(client.read(attribute(size)) for size in sizes))
            assert values == [octet_string(bytes(size)) for size in sizes]

    run_in_virtual_time(main())


def test_together_they_break_each_other() -> None:
    async def main() -> None:
        async with client_of(Host(), one_at_a_time=False) as client:
            reads = (client.read(attribute(size)) for size in (300, 200))
            outcomes = await asyncio.gather(*reads, return_exceptions=True)
            assert any(isinstance(each, DataAccessError) for each in outcomes)
            assert await client.read(attribute(300)) == octet_string(bytes(300))

    run_in_virtual_time(main())


def test_one_that_is_cancelled_fails_or_never_asks_lets_the_next_go_on() -> None:
    async def main() -> None:
        host = Host()

        def slow(size: int) -> Data:
            if size == 77:
                raise AssertionError("nobody asks for this")
            return octet_string(bytes(size))

        host.on_get = slow
        async with client_of(host, one_at_a_time=True) as client:
            first = asyncio.ensure_future(client.read(attribute(300)))
            waiting = asyncio.ensure_future(client.read(attribute(77)))
            await asyncio.sleep(0)
            waiting.cancel()
            first.cancel()
            await asyncio.gather(first, waiting, return_exceptions=True)
            for _ in range(20):
                assert await client.read(attribute(100), timeout=5) == octet_string(bytes(100))

    run_in_virtual_time(main())
