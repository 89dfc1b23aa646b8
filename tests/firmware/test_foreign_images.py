"""Somebody else begins an image on the meter while ours is half in, or before we come."""

import asyncio
from pathlib import Path

import pytest
from tests.firmware.faults import INITIATE, faulty
from tests.firmware.rig import BLOCK, Rig, image, octets
from tests.firmware.test_crashes import BLOCK_TRANSFER, Guillotine, killed

from meterwright.cosem import ImageInitiation, ImageTransfer
from meterwright.firmware import Outcome, UpdateResult
from meterwright.server import ActionOutcome, ObjectHost
from meterwright.testing.virtual_time import run_in_virtual_time, virtual_now
from meterwright.values import ActionResult

SIZE = 10 * BLOCK + 77
OURS_SENT = 6


async def foreign(
    rig: Rig, blocks: int, size: int = SIZE, identifier: bytes = b"THEIRS-7", pause: float = 0
) -> None:
    """Another tool begins its own image and sends some of its blocks."""
    content = octets(size, seed=9)
    async with rig.client() as client:
        transfer = ImageTransfer(client)
        await transfer.image_transfer_initiate.invoke(ImageInitiation(identifier, size))
        block_size = await transfer.image_block_size.get()
        for number in range(blocks):
            await transfer.image_block_transfer.invoke(block_size.cut(content, number))
            await asyncio.sleep(pause)


async def interrupted(rig: Rig) -> None:
    """Our update, killed when six blocks are in the meter."""
    await killed(rig, Guillotine(OURS_SENT, True, counted=BLOCK_TRANSFER), image(SIZE))
    assert rig.calls["block"] == OURS_SENT


@pytest.mark.parametrize(
    ("their_blocks", "noticed_by"),
    [(OURS_SENT - 2, "foreign-image"), (OURS_SENT + 2, "foreign-image"), (OURS_SENT, "another-image")],
    ids=["fewer", "more", "exactly as many"],
)
def test_a_foreign_image_in_between_is_noticed_and_ours_is_begun_anew(
    tmp_path: Path, their_blocks: int, noticed_by: str
) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path)
        await rig.start()
        await interrupted(rig)
        await foreign(rig, their_blocks)
        result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert noticed_by in rig.codes()
    assert result.outcome is Outcome.DONE
    assert rig.active == octets(SIZE)
    assert rig.running == b"NEW-2.0"
    assert rig.calls["activate"] == 1


def test_a_foreign_transfer_that_moves_is_left_alone(tmp_path: Path) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path)
        await rig.start()
        theirs = asyncio.ensure_future(foreign(rig, 11, pause=2))
        await asyncio.sleep(5)
        result = await rig.update(image(SIZE))
        await theirs
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.REFUSED
    assert "somebody-transfers" in rig.codes()
    assert rig.calls["initiate"] == 1


def test_a_foreign_transfer_that_rests_is_replaced_after_a_look(tmp_path: Path) -> None:
    async def play() -> tuple[Rig, UpdateResult, float]:
        rig = Rig(tmp_path)
        await rig.start()
        await foreign(rig, 3)
        began = virtual_now()
        result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result, virtual_now() - began

    rig, result, took = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE
    assert took >= 10
    assert "begun-transfer-replaced" in rig.codes()
    assert rig.active == octets(SIZE)


def test_no_block_leaves_while_an_old_status_1_and_its_map_stand(tmp_path: Path) -> None:
    """Initiate answers temporary-failure, and the meter takes its time to wipe what is there."""

    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path)
        await rig.start()
        await foreign(rig, 3)
        await rig.stop()

        def erasing(host: ObjectHost) -> ObjectHost:
            return faulty(methods={INITIATE: ActionResult.TEMPORARY_FAILURE}, times=1)(host)

        rig.through = erasing
        await rig.start()
        task = asyncio.ensure_future(rig.update(image(SIZE)))
        await asyncio.sleep(60)
        assert rig.calls["block"] == 3, "a block left while the old map stood"
        machine = rig.meter.machine  # its flash is empty at last
        machine.called("image_transfer_initiate", lambda: ActionOutcome(machine.initiate(b"NEW-2.0", SIZE)))
        result = await task
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE
    assert rig.active == octets(SIZE)
