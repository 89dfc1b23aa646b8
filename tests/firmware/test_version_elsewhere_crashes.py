"""Updates whose version a second client reads, interrupted at every message: the end is the same, and there is never a second."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import pytest
from tests.firmware.rig import Rig, octets
from tests.firmware.test_crashes import Guillotine
from tests.firmware.test_secured_reboots import BLOCKS, SIZE
from tests.firmware.test_version_elsewhere import WRAPPER, OneAtATime, played, updated

from meterwright.firmware import Outcome, UpdateResult
from meterwright.testing import run_in_virtual_time


async def line_cut(rig: Rig, guillotine: Guillotine) -> UpdateResult:
    """The line falls, and can be had anew."""
    rig.interference = OneAtATime(rig, guillotine)
    task = asyncio.ensure_future(updated(rig))
    await guillotine.falls_on(task)
    rig.interference = OneAtATime(rig)
    for wire in rig.wires:
        wire.cut()
    return await task


async def process_killed(rig: Rig, guillotine: Guillotine) -> UpdateResult:
    """Our process dies, and another one begins."""
    rig.interference = OneAtATime(rig, guillotine)
    task = asyncio.ensure_future(updated(rig))
    await guillotine.falls_on(task)
    for wire in rig.wires:
        wire.cut()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rig.interference = OneAtATime(rig)
    return await updated(rig)


async def cancelled(rig: Rig, guillotine: Guillotine) -> UpdateResult:
    """Ctrl-C, and once more later."""
    rig.interference = OneAtATime(rig, guillotine)
    task = asyncio.ensure_future(updated(rig))
    await guillotine.falls_on(task)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all(wire.client_end.is_closed for wire in rig.wires), "both clients are gone"
    rig.interference = OneAtATime(rig)
    return await updated(rig)


WAYS: Final[dict[str, Callable[[Rig, Guillotine], Coroutine[None, None, UpdateResult]]]] = {
    "the line is cut": line_cut,
    "killed": process_killed,
    "cancelled": cancelled,
}


@pytest.mark.parametrize(
    "every", [pytest.param(9, id="some"), pytest.param(1, id="all", marks=pytest.mark.soak)]
)
@pytest.mark.parametrize("way", WAYS)
def test_interrupted_at_any_message(tmp_path: Path, way: str, every: int) -> None:
    """Whoever is at it, there is never a second client at the meter. `make soak` takes every message."""

    async def play(point: int) -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path / f"{point}", setup=WRAPPER)
        await rig.start()
        result = await WAYS[way](rig, Guillotine(point, point % 2 == 0))
        if result.as_json()["kind"] == "credentials":
            assert set(rig.calls.values()) == {0}, "a very first login"
            result = await updated(rig)
        await rig.stop()
        return rig, result

    whole = Rig(tmp_path / "whole", setup=WRAPPER)
    whole.interference = counting = OneAtATime(whole)
    assert played(whole).outcome is Outcome.DONE
    assert counting.seen > 100
    for point in range(1 + 3 * list(WAYS).index(way) % every, counting.seen + 1, every):
        rig, result = run_in_virtual_time(play(point))
        where = f"at message {point}: {result.as_json()} {rig.calls}"
        assert result.outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO), where
        assert result.version_after == "NEW-2.0", where
        assert rig.active == octets(SIZE), where
        assert rig.calls["initiate"] <= 2, where
        assert BLOCKS <= rig.calls["block"] <= BLOCKS + 1, where
        assert rig.calls["activate"] <= 2, where
        rig.tap.check()
