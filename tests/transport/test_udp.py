"""UDP: both twins of the client against a meter that takes datagrams, and what a line that loses and forges does to them."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tests.association.secured import ATTRIBUTE, VALUE, WRITTEN, Meter, meter_side

from meterwright.client import BlockingClient, Client, ClientSettings, MeterAddress, Timeouts
from meterwright.errors import ConnectFailed, ConnectionLost, LinkError, Timeout
from meterwright.link import DatagramFramer, WrapperFrame, WrapperServer, wrapper_datagrams
from meterwright.server import Limits, Listener
from meterwright.values import AuthenticationMechanism, SecurityPolicy

OPEN = (AuthenticationMechanism.LOWEST, SecurityPolicy.NONE)
QUICK = ClientSettings(timeouts=Timeouts(associate=0.2, request=0.2))


@asynccontextmanager
async def meter(limits: Limits | None = None) -> AsyncGenerator[tuple[Listener, str]]:
    """A meter that takes datagrams, and its address."""
    listener = Listener(Meter(meter_side(*OPEN)), limits, link=lambda: WrapperServer(datagrams=True))
    port = await listener.listen_udp("127.0.0.1", 0)
    try:
        yield listener, f"udp://127.0.0.1:{port}?client=1"
    finally:
        await listener.stop()


def test_an_attribute_is_read_and_written() -> None:
    async def scenario() -> None:
        async with meter() as (_, url), Client(url) as client:
            assert await client.read(ATTRIBUTE) == VALUE
            await client.write(ATTRIBUTE, WRITTEN)

    asyncio.run(scenario())


def test_the_blocking_twin_reads_it_too() -> None:
    async def scenario() -> None:
        def read(url: str) -> object:
            with BlockingClient(url) as client:
                return client.read(ATTRIBUTE)

        async with meter() as (_, url):
            assert await asyncio.to_thread(read, url) == VALUE

    asyncio.run(scenario())


def test_what_is_no_frame_ends_nothing() -> None:
    async def scenario() -> None:
        async with meter() as (_, url), Client(url) as client:
            address = MeterAddress.parse(url)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for octets in (b"", b"\x00", b"\x00\x01\x00\x01\x00\x01\xff\xff", bytes(2000)):
                    stranger.sendto(octets, (address.host, address.port))
            assert await client.read(ATTRIBUTE) == VALUE

    asyncio.run(scenario())


def test_who_finds_no_place_is_not_answered() -> None:
    async def scenario() -> None:
        async with meter(Limits(connections=1)) as (listener, url), Client(url):
            with pytest.raises(Timeout):
                await Client(url, QUICK).connect()
            assert listener.connections == 1

    asyncio.run(scenario())


def test_where_nobody_listens_it_is_told() -> None:
    async def scenario() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        with pytest.raises(LinkError, match="nobody takes datagrams there"):
            await Client(f"udp://127.0.0.1:{port}", QUICK).connect()
        with pytest.raises((ConnectionLost, Timeout)):
            await asyncio.to_thread(BlockingClient(f"udp://127.0.0.1:{port}", QUICK).connect)

    asyncio.run(scenario())


def test_a_name_that_is_none_is_told() -> None:
    async def scenario() -> None:
        with pytest.raises(ConnectFailed):
            await Client("udp://no..such.host", QUICK).connect()
        with pytest.raises(ConnectFailed):
            await asyncio.to_thread(BlockingClient("udp://no..such.host", QUICK).connect)

    asyncio.run(scenario())


def test_one_frame_is_one_datagram() -> None:
    frames = [WrapperFrame(16, 1, bytes(size)) for size in (3, 0, 300)]
    datagrams = wrapper_datagrams(b"".join(frame.to_octets() for frame in frames))
    assert [DatagramFramer().receive(each) for each in datagrams] == [[frame] for frame in frames]


def test_a_datagram_of_two_frames_is_none() -> None:
    twice = WrapperFrame(16, 1, b"\xc0").to_octets() * 2
    assert DatagramFramer().receive(twice) == []
