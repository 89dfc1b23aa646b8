"""The client, or the meter, is killed at every single message of an update, and the update is run again.

The end is always the same: the image runs, octet for octet; it was initiated once, or once more where the first never
arrived; and no block was sent twice but the one in flight.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.firmware.rig import BLOCK, Rig, image, octets

from meterwright.firmware import Outcome, UpdateResult
from meterwright.image import FirmwareImage
from meterwright.testing.virtual_time import run_in_virtual_time

BLOCKS = 5
SIZE = (BLOCKS - 1) * BLOCK + 77
BLOCK_TRANSFER = bytes.fromhex("0012 00002c0000ff 02 01")
"""Class 18, the image transfer object, method 2, with a parameter."""


@dataclass
class Guillotine:
    """Lets so many messages pass, in both directions; then the victim is no more. The last one may still arrive.

    `counted`: only messages that hold these octets count.
    """

    messages: int
    last_arrives: bool
    counted: bytes = b""
    seen: int = 0
    fell: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, _from_client: bool, message: bytes) -> list[bytes]:
        if self.fell.is_set():
            return []
        self.seen += self.counted in message
        if self.seen < self.messages:
            return [message]
        self.fell.set()
        return [message] if self.last_arrives else []

    async def falls_on(self, task: "asyncio.Future[UpdateResult]") -> None:
        """Wait until it fell, or the victim came to its end before; what passed last has arrived then."""
        task.add_done_callback(lambda _task: self.fell.set())
        await self.fell.wait()
        await asyncio.sleep(0.001)


def messages_of_an_update(tmp_path: Path) -> int:
    counter = Guillotine(1_000_000, True)

    async def play() -> None:
        rig = Rig(tmp_path, interference=counter)
        await rig.start()
        assert (await rig.update(image(SIZE))).outcome is Outcome.DONE
        await rig.stop()

    run_in_virtual_time(play())
    return counter.seen


async def killed(rig: Rig, guillotine: Guillotine, firmware: FirmwareImage | None = None) -> None:
    """Run an update whose process ends the moment the guillotine falls."""
    rig.interference = guillotine
    task = asyncio.ensure_future(rig.update(firmware or image(SIZE)))
    await guillotine.falls_on(task)
    for wire in rig.wires:
        wire.cut()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rig.interference = None


@pytest.mark.parametrize("last_arrives", [False, True], ids=["lost", "arrived"])
def test_the_client_killed_at_every_message(tmp_path: Path, last_arrives: bool) -> None:
    count = messages_of_an_update(tmp_path / "counted")
    assert count > 30

    async def play(point: int) -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path / f"{point}")
        await rig.start()
        await killed(rig, Guillotine(point, last_arrives))
        result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result

    for point in range(1, count + 1):
        rig, result = run_in_virtual_time(play(point))
        where = f"killed at message {point} of {count}: {result.as_json()} {rig.calls}"
        assert result.outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO), where
        assert rig.active == octets(SIZE), where
        assert rig.calls["initiate"] <= 2, where
        assert BLOCKS <= rig.calls["block"] <= BLOCKS + 1, where
        assert rig.calls["activate"] <= 1, where


@pytest.mark.parametrize("last_arrives", [False, True], ids=["lost", "arrived"])
def test_the_line_falls_at_every_message(tmp_path: Path, last_arrives: bool) -> None:
    count = messages_of_an_update(tmp_path / "counted")

    async def play(point: int) -> tuple[Rig, UpdateResult]:
        guillotine = Guillotine(point, last_arrives)
        rig = Rig(tmp_path / f"{point}", interference=guillotine)
        await rig.start()
        task = asyncio.ensure_future(rig.update(image(SIZE)))
        await guillotine.falls_on(task)
        rig.interference = None
        for wire in rig.wires:
            wire.cut()
        result = await task
        await rig.stop()
        return rig, result

    for point in range(1, count + 1):
        rig, result = run_in_virtual_time(play(point))
        where = f"cut at message {point} of {count}: {result.as_json()} {rig.calls}"
        assert result.outcome is Outcome.DONE, where
        assert rig.active == octets(SIZE), where
        assert rig.calls["initiate"] <= 2, where
        assert BLOCKS <= rig.calls["block"] <= BLOCKS + 1, where
        assert rig.calls["activate"] <= 2, where


def test_the_meter_killed_at_every_message(tmp_path: Path) -> None:
    count = messages_of_an_update(tmp_path / "counted")

    async def play(point: int) -> tuple[Rig, UpdateResult]:
        guillotine = Guillotine(point, True)
        rig = Rig(tmp_path / f"{point}", interference=guillotine)
        await rig.start()
        task = asyncio.ensure_future(rig.update(image(SIZE)))
        await guillotine.falls_on(task)
        rig.interference = None
        await rig.stop()
        await asyncio.sleep(3)
        await rig.start()
        result = await task
        await rig.stop()
        return rig, result

    for point in range(3, count + 1):  # a meter that is not there at first is not waited for
        rig, result = run_in_virtual_time(play(point))
        where = f"meter killed at message {point} of {count}: {result.as_json()} {rig.calls}"
        assert result.outcome is Outcome.DONE, where
        assert rig.active == octets(SIZE), where
        assert BLOCKS <= rig.calls["block"] <= BLOCKS + 1, where


def test_a_resumed_transfer_begins_where_the_meter_says(tmp_path: Path) -> None:
    async def play() -> tuple[Rig, UpdateResult, int]:
        rig = Rig(tmp_path)
        await rig.start()
        await killed(rig, Guillotine(3, True, counted=BLOCK_TRANSFER))
        held = rig.calls["block"]
        result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result, held

    rig, result, held = run_in_virtual_time(play())
    assert 0 < held < BLOCKS
    assert result.resumed_from == held
    assert result.blocks_sent == BLOCKS - held
    assert rig.calls["initiate"] == 1
