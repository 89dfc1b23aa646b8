"""An update is cancelled, as by Ctrl-C: the meter is released, and the same call takes it up again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.client.stage import until
from tests.firmware.rig import BLOCK, Rig, image, octets

from meterwright.firmware import Outcome, Progress, UpdateResult
from meterwright.simulator import MeterSettings, Timing
from meterwright.testing import run_in_virtual_time

BLOCKS = 40
SIZE = (BLOCKS - 1) * BLOCK + 77
SLOW = MeterSettings(timing=Timing(erase_seconds=5, verify_seconds=5, activate_seconds=5, reboot_seconds=20))
RLRQ = 0x62
HEADER = 8
"""Octets of the wrapper before an APDU."""


class Listens:
    """Knows which APDUs the client sent, and whoever wants to look after each message."""

    def __init__(self) -> None:
        self.tags: list[int] = []
        self.passed = asyncio.Event()

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        if from_client:
            self.tags.append(message[HEADER])
        self.passed.set()
        return [message]


def in_phase(name: str) -> Callable[[Rig], bool]:
    return lambda rig: name in rig.phases()


def after_blocks(count: int) -> Callable[[Rig], bool]:
    return lambda rig: rig.calls["block"] >= count


POINTS: dict[str, Callable[[Rig], bool]] = {
    "before it connects": lambda _rig: True,
    "planning": in_phase("planning"),
    "connected": lambda rig: bool(rig.wires),
    "initiating": in_phase("initiating"),
    "erasing": lambda rig: rig.calls["initiate"] > 0,
    "the first block": after_blocks(1),
    "half": after_blocks(BLOCKS // 2),
    "the last block": after_blocks(BLOCKS),
    "verifying": in_phase("verifying"),
    "it verifies": lambda rig: rig.calls["verify"] > 0,
    "inspecting": in_phase("inspecting"),
    "activating": in_phase("activating"),
    "it activates": lambda rig: rig.calls["activate"] > 0,
    "confirming": in_phase("confirming"),
    "it reboots": lambda rig: rig.calls["activate"] > 0 and not rig.meter.is_running,
}


async def cancelled_when(rig: Rig, reached: Callable[[Rig], bool]) -> None:
    """Run an update and cancel it once it has come so far."""
    listens = rig.interference
    assert isinstance(listens, Listens)
    task = asyncio.ensure_future(rig.update(image(SIZE)))
    while not reached(rig):
        assert not task.done(), "it never came so far"
        listens.passed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await listens.passed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("point", POINTS)
def test_a_cancelled_update_releases_the_meter_and_is_taken_up_again(tmp_path: Path, point: str) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, SLOW, interference=listens)
        await rig.start()
        await cancelled_when(rig, POINTS[point])
        assert all(wire.client_end.is_closed for wire in rig.wires)
        await asyncio.sleep(0.001)
        assert rig.runner.listener.connections == 0, "the meter has its place free again"
        sent = rig.calls["block"]
        ended = [line for line in rig.lines() if line["event"] == "result"]
        assert [line["outcome"] for line in ended] == ["failed"] * (point != "before it connects")
        await until(lambda: rig.meter.is_running, 1)
        result = await rig.update(image(SIZE))
        if 0 < sent < BLOCKS:
            assert result.resumed_from == sent
            assert result.blocks_sent == BLOCKS - sent
        await rig.stop()
        return rig, result

    listens = Listens()
    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE, result.as_json()
    assert rig.active == octets(SIZE)
    assert rig.calls["block"] == BLOCKS, "what was in flight was answered before the release"
    assert rig.calls["activate"] == 1
    released = listens.tags.count(RLRQ)
    assert released >= 1 or point in ("before it connects", "planning", "connected")


@pytest.mark.parametrize("point", ["half", "it verifies", "confirming"])
def test_a_cancelled_update_says_goodbye(tmp_path: Path, point: str) -> None:
    """RLRQ is the last thing the meter hears."""
    listens = Listens()

    async def play() -> None:
        rig = Rig(tmp_path, SLOW, interference=listens)
        await rig.start()
        await cancelled_when(rig, POINTS[point])
        await rig.stop()

    run_in_virtual_time(play())
    assert listens.tags[-1] == RLRQ


def test_cancelled_again_and_again_it_comes_to_its_end(tmp_path: Path) -> None:
    async def play() -> Rig:
        rig = Rig(tmp_path, SLOW, interference=Listens())
        await rig.start()
        for count in range(3, BLOCKS, 5):
            await cancelled_when(rig, after_blocks(count))
        await rig.update(image(SIZE))
        await rig.stop()
        return rig

    rig = run_in_virtual_time(play())
    assert rig.active == octets(SIZE)
    assert rig.calls == {"initiate": 1, "block": BLOCKS, "verify": 1, "activate": 1}


def test_cancelled_while_it_is_being_cancelled_nothing_hangs(tmp_path: Path) -> None:
    """Ctrl-C twice: the second does not wait for the meter's goodbye."""

    async def play() -> None:
        deaf = False

        def silenced(_from_client: bool, message: bytes) -> list[bytes]:
            return [] if deaf else [message]

        rig = Rig(tmp_path, interference=silenced)
        await rig.start()
        task = asyncio.ensure_future(rig.update(image(SIZE)))
        await until(lambda: rig.calls["block"] >= 3, 0)
        deaf = True
        task.cancel()
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert all(wire.client_end.is_closed for wire in rig.wires)
        deaf = False
        assert (await rig.update(image(SIZE))).outcome is Outcome.DONE
        await rig.stop()

    run_in_virtual_time(play())


async def from_outside(rig: Rig) -> None:
    """asyncio.timeout, the way a program gives an update a time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(6):
            await rig.update(image(SIZE))


async def by_an_exception_of_the_listener(rig: Rig) -> None:
    """Whoever takes the events may fail: that is theirs, and the meter is released all the same."""

    class Boom(Exception):
        pass

    def explodes(event: object) -> None:
        if isinstance(event, Progress) and event.blocks_done:
            raise Boom

    from meterwright.firmware import update

    with pytest.raises(Boom):
        await update(rig.client(), image(SIZE), b"NEW-2.0", state=rig.state, emit=explodes)


@pytest.mark.parametrize("ending", [from_outside, by_an_exception_of_the_listener])
def test_however_it_ends_the_meter_is_released_and_it_goes_on(
    tmp_path: Path, ending: Callable[[Rig], Awaitable[None]]
) -> None:
    async def play() -> Rig:
        rig = Rig(tmp_path, SLOW)
        await rig.start()
        await ending(rig)
        assert all(wire.client_end.is_closed for wire in rig.wires)
        await asyncio.sleep(60)
        assert (await rig.update(image(SIZE))).outcome is Outcome.DONE
        await rig.stop()
        return rig

    rig = run_in_virtual_time(play())
    assert rig.active == octets(SIZE)
    assert rig.calls["activate"] == 1
