"""The exhaustive crash test once more, where the meter is logged in to over HDLC, in frames so short that a block takes two.

Whoever dies, dies at every single message: in the midst of the login, of a block, of the activation. The end is
always the same, and no process that was there spent an invocation counter a second time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import pytest
from tests.firmware.rig import BLOCK, Rig, image, octets
from tests.firmware.setups import is15959
from tests.firmware.test_crashes import Guillotine, killed

from meterwright.client.carriers import Hdlc
from meterwright.firmware import Outcome, UpdateResult
from meterwright.link import HdlcServer
from meterwright.link.hdlc import HdlcParameters
from meterwright.testing import run_in_virtual_time

BLOCKS: Final = 3
SIZE: Final = (BLOCKS - 1) * BLOCK + 77
SHORT_FRAMES: Final = is15959(carrier=Hdlc(proposal=HdlcParameters()), link=HdlcServer)
Victim = Callable[[Rig, Guillotine], Coroutine[None, None, UpdateResult]]


async def the_client(rig: Rig, guillotine: Guillotine) -> UpdateResult:
    """Our process dies, and another one begins."""
    await killed(rig, guillotine, image(SIZE))
    return await rig.update(image(SIZE))


async def the_line(rig: Rig, guillotine: Guillotine) -> UpdateResult:
    """The line falls, and can be had anew."""
    rig.interference = guillotine
    task = asyncio.ensure_future(rig.update(image(SIZE)))
    await guillotine.falls_on(task)
    rig.interference = None
    for wire in rig.wires:
        wire.cut()
    return await task


async def the_meter(rig: Rig, guillotine: Guillotine) -> UpdateResult:
    """The meter loses its power for some seconds."""
    rig.interference = guillotine
    task = asyncio.ensure_future(rig.update(image(SIZE)))
    await guillotine.falls_on(task)
    rig.interference = None
    await rig.stop()
    await asyncio.sleep(3)
    await rig.start()
    return await task


VICTIMS: dict[str, Victim] = {"client": the_client, "line": the_line, "meter": the_meter}


def messages_of_an_update(tmp_path: Path) -> int:
    """How many messages pass until it is done."""
    counter = Guillotine(1_000_000, True)

    async def play() -> None:
        rig = Rig(tmp_path, interference=counter, setup=SHORT_FRAMES)
        await rig.start()
        assert (await rig.update(image(SIZE))).outcome is Outcome.DONE
        await rig.stop()

    run_in_virtual_time(play())
    return counter.seen


@pytest.mark.parametrize("arrives", [False, True], ids=["lost", "arrived"])
@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_at_every_message(tmp_path: Path, victim: str, arrives: bool) -> None:
    refused: list[int] = []

    async def play(point: int) -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path / f"{point}", setup=SHORT_FRAMES)
        await rig.start()
        result = await VICTIMS[victim](rig, Guillotine(point, arrives))
        if result.as_json()["kind"] == "credentials":
            # The very first login was broken off, which many meters do to a wrong secret: nobody tries it again unasked.
            assert set(rig.calls.values()) == {0}, f"at message {point}: {result.as_json()}"
            assert rig.tap.aarqs(SHORT_FRAMES.client_sap) == 1
            refused.append(point)
            result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result

    count = messages_of_an_update(tmp_path / "counted")
    assert count > 90
    for point in range(1, count + 1):
        rig, result = run_in_virtual_time(play(point))
        where = f"{victim} killed at message {point} of {count}: {result.as_json()} {rig.calls}"
        assert result.outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO), where
        assert rig.active == octets(SIZE), where
        assert rig.calls["initiate"] <= 2, where
        assert BLOCKS <= rig.calls["block"] <= BLOCKS + 1, where
        assert rig.calls["activate"] <= (1 if victim == "client" else 2), where
        assert rig.meter.machine.record.failed_logins == 0, where
        rig.tap.check()
    assert len(refused) <= 3, "only the two messages of the login, and the one before them"
