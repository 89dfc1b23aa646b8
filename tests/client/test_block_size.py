"""A block can be made from nothing but the block size that this very association gave: both twins, every public way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from meterwright.client import BlockingClient, Client
from meterwright.cosem import BlockSize, ImageBlock, ImageInitiation, ImageTransfer
from meterwright.data import double_long_unsigned
from meterwright.errors import LocalProtocolError, MeterwrightError
from meterwright.simulator import MeterSettings, SimulatedMeter, SimulatedService, plain_meter

IMAGE = bytes(range(256)) * 2
BLOCK = 64
BLOCKS = len(IMAGE) // BLOCK
BEGIN = ImageInitiation(b"NEW", len(IMAGE))


@dataclass
class Blocking:
    """An image transfer object over the blocking client, each call in a thread and awaited: the shape of the other twin."""

    client: BlockingClient

    async def connect(self) -> None:
        await asyncio.to_thread(self.client.connect)

    async def close(self) -> None:
        await asyncio.to_thread(self.client.close)

    async def initiate(self) -> None:
        await asyncio.to_thread(ImageTransfer(self.client).image_transfer_initiate.invoke, BEGIN)

    async def block_size(self) -> BlockSize:
        return await asyncio.to_thread(ImageTransfer(self.client).image_block_size.get)

    async def set_size(self, size: BlockSize) -> None:
        await asyncio.to_thread(ImageTransfer(self.client).image_block_size.set, size)

    async def send(self, block: Any) -> None:  # what is no block is tried too
        await asyncio.to_thread(ImageTransfer(self.client).image_block_transfer.invoke, block)


@dataclass
class Awaited:
    """An image transfer object over the asyncio client."""

    client: Client

    async def connect(self) -> None:
        await self.client.connect()

    async def close(self) -> None:
        await self.client.close()

    async def initiate(self) -> None:
        await ImageTransfer(self.client).image_transfer_initiate.invoke(BEGIN)

    async def block_size(self) -> BlockSize:
        return await ImageTransfer(self.client).image_block_size.get()

    async def set_size(self, size: BlockSize) -> None:
        await ImageTransfer(self.client).image_block_size.set(size)

    async def send(self, block: Any) -> None:
        await ImageTransfer(self.client).image_block_transfer.invoke(block)


Twin = Awaited | Blocking
Make = Callable[[str], Twin]
MAKES: dict[str, Make] = {
    "async": lambda url: Awaited(Client(url)),
    "blocking": lambda url: Blocking(BlockingClient(url)),
}
TWINS = pytest.mark.parametrize("twin", MAKES)


def on_a_meter(scenario: Callable[[Twin, SimulatedMeter], Any], twin: str) -> SimulatedMeter:
    """Play a scenario on a simulated meter over TCP, the client in a thread where it blocks."""
    meter = plain_meter(1, MeterSettings(image_block_size=BLOCK))

    async def play() -> None:
        service = SimulatedService([meter])
        (listening,) = await service.start()
        client = MAKES[twin](listening.url)
        try:
            await client.connect()
            await scenario(client, meter)
        finally:
            await client.close()
            await service.stop()

    asyncio.run(play())
    return meter


def blocks_sent(meter: SimulatedMeter) -> int:
    return meter.machine.record.method_calls.image_block_transfer


@TWINS
def test_blocks_cut_by_the_size_of_this_association_are_taken(twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        await client.initiate()
        size = await client.block_size()
        assert (size.octets, size.block_count(len(IMAGE))) == (BLOCK, BLOCKS)
        for number in range(BLOCKS):
            block = size.cut(IMAGE, number)
            assert block.octets == IMAGE[number * BLOCK : (number + 1) * BLOCK]
            await client.send(block)
        assert meter.machine.blocks.is_complete

    on_a_meter(scenario, twin)


@TWINS
def test_a_block_size_of_the_association_before_is_refused_in_the_next(twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        await client.initiate()
        stale = await client.block_size()
        kept = stale.cut(IMAGE, 0)
        await client.close()
        await client.connect()
        for block in (stale.cut(IMAGE, 0), kept):  # cut anew by the stale size; replayed from before
            with pytest.raises(LocalProtocolError) as caught:
                await client.send(block)
            assert "read it again" in caught.value.hint
        fresh = await client.block_size()
        with pytest.raises(LocalProtocolError):
            await client.send(kept)  # reading anew makes no old block good
        assert blocks_sent(meter) == 0
        await client.send(fresh.cut(IMAGE, 0))

    assert blocks_sent(on_a_meter(scenario, twin)) == 1


@TWINS
def test_a_block_size_of_another_client_is_refused(twin: str) -> None:
    """Even where both are associated with the same meter at the same time."""

    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        await client.initiate()
        service = SimulatedService([plain_meter(2, MeterSettings(image_block_size=BLOCK))])
        (listening,) = await service.start()
        other = MAKES[twin](listening.url)
        try:
            await other.connect()
            size = await other.block_size()
            with pytest.raises(LocalProtocolError):
                await client.send(size.cut(IMAGE, 0))
        finally:
            await other.close()
            await service.stop()
        assert blocks_sent(meter) == 0

    on_a_meter(scenario, twin)


@TWINS
def test_a_block_is_refused_once_the_association_is_over(twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        await client.initiate()
        size = await client.block_size()
        await client.close()
        with pytest.raises(MeterwrightError):
            await client.send(size.cut(IMAGE, 0))
        assert blocks_sent(meter) == 0

    on_a_meter(scenario, twin)


def made_up_ways(size: BlockSize) -> dict[str, Callable[[], object]]:
    """Every way to a block or a size that is not `await transfer.image_block_size.get()`. Each is called untyped."""
    new_size: Any = BlockSize
    new_block: Any = ImageBlock
    stolen: Any = size.cut(IMAGE, 0)
    stale: Any = size
    unread: Any = ImageTransfer.image_block_size.type.from_data
    association = size.association
    return {
        "a size from a number": lambda: new_size(200),
        "a size with an association": lambda: new_size(200, association),
        "a size without a witness": lambda: new_size(200, association, None),
        "a size with a witness of one's own": lambda: new_size(200, association, object()),
        "a block from octets": lambda: new_block(0, IMAGE[:BLOCK]),
        "a block with an association": lambda: new_block(0, IMAGE[:BLOCK], association),
        "a block without a witness": lambda: new_block(0, IMAGE[:BLOCK], association, None),
        "a block moved to another association": lambda: stolen.bound_to(association),
        "a size moved to another association": lambda: stale.bound_to(association),
        "a size from data, bound by hand": lambda: unread(double_long_unsigned(200)).bound_to(association),
        "a block number that is none": lambda: size.cut(IMAGE, BLOCKS),
        "a negative block number": lambda: size.cut(IMAGE, -1),
        "a block of nothing": lambda: size.cut(b"", 0),
    }


WAYS = [
    "a size from a number",
    "a size with an association",
    "a size without a witness",
    "a size with a witness of one's own",
    "a block from octets",
    "a block with an association",
    "a block without a witness",
    "a block moved to another association",
    "a size moved to another association",
    "a size from data, bound by hand",
    "a block number that is none",
    "a negative block number",
    "a block of nothing",
]


@TWINS
@pytest.mark.parametrize("way", WAYS)
def test_no_block_and_no_size_can_be_made_up(way: str, twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        ways = made_up_ways(await client.block_size())
        assert set(ways) == set(WAYS)
        with pytest.raises((LocalProtocolError, TypeError)):
            ways[way]()
        assert blocks_sent(meter) == 0

    on_a_meter(scenario, twin)


@TWINS
@pytest.mark.parametrize(
    "pretender",
    [IMAGE[:BLOCK], (0, IMAGE[:BLOCK]), {"number": 0}, None, 0],
    ids=lambda each: type(each).__name__,
)
def test_what_only_looks_like_a_block_does_not_leave(pretender: object, twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        await client.initiate()
        with pytest.raises((LocalProtocolError, TypeError, AttributeError)):
            await client.send(pretender)
        assert blocks_sent(meter) == 0

    on_a_meter(scenario, twin)


@TWINS
def test_blocks_and_sizes_do_not_change(twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        del meter
        size: Any = await client.block_size()
        block: Any = size.cut(IMAGE, 0)
        for thing, name in ((size, "octets"), (size, "association"), (block, "association")):
            with pytest.raises(AttributeError):
                setattr(thing, name, 200)
            with pytest.raises(AttributeError):
                thing.anything = 200

    on_a_meter(scenario, twin)


@TWINS
def test_a_size_written_to_a_meter_must_be_of_this_association_too(twin: str) -> None:
    async def scenario(client: Twin, meter: SimulatedMeter) -> None:
        del meter
        stale = await client.block_size()
        await client.close()
        await client.connect()
        with pytest.raises(LocalProtocolError):
            await client.set_size(stale)

    on_a_meter(scenario, twin)
