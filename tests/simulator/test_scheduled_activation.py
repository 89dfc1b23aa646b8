"""An activation that the firmware client has scheduled: it comes by itself, outlives the meter's process, can be cleared."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from tests.simulator.rig import BLOCK as SIZE
from tests.simulator.rig import cut, image_block, initiation, octets
from tests.simulator.secured import START, Bench, is15959

from meterwright.apdu import MethodDescriptor
from meterwright.client import Client
from meterwright.companion.is15959 import (
    FIRMWARE_CLIENT,
    IMAGE_ACTIVATION_SCHEDULE,
    IMAGE_ACTIVATION_SCRIPTS,
    METER_READER,
)
from meterwright.cosem import (
    Clock,
    DataObject,
    ExecutionTime,
    ImageTransfer,
    ScheduleType,
    ScriptTable,
    SingleActionSchedule,
)
from meterwright.data import Data, integer
from meterwright.errors import ActionError, ConnectFailed, DataAccessError
from meterwright.simulator import DirectoryStorage, LoopClock, MeterSettings, Timing
from meterwright.testing import run_in_virtual_time
from meterwright.values import (
    ActionResult,
    CosemDate,
    CosemDateTime,
    CosemTime,
    DataAccessResult,
    ImageTransferStatus,
    Obis,
)

IMAGE: Final = octets(3 * SIZE + 1)
VERSION: Final = "1.0.0.2.0.255"
TIMING: Final = Timing(verify_seconds=2.0, activate_seconds=3.0, reboot_seconds=60.0)
SETTINGS: Final = MeterSettings(image_block_size=SIZE, timing=TIMING)
HOUR: Final = timedelta(hours=1)
OPEN: Final = ExecutionTime(CosemTime(), CosemDate())


def at(moment: datetime) -> ExecutionTime:
    return ExecutionTime(CosemTime.from_time(moment.timetz()), CosemDate.from_date(moment.date()))


async def call(client: Client, method: int, parameter: Data) -> ActionResult:
    try:
        await client.invoke(MethodDescriptor(18, Obis.parse("0.0.44.0.0.255"), method), parameter)
    except ActionError as refused:
        return refused.result
    return ActionResult.SUCCESS


async def bring_image(client: Client) -> None:
    """Everything up to a verified image."""
    assert await call(client, 1, initiation(len(IMAGE))) is ActionResult.SUCCESS
    for number in range(4):
        assert await call(client, 2, image_block(number, cut(IMAGE, number))) is ActionResult.SUCCESS
    assert await call(client, 3, integer(0)) is ActionResult.TEMPORARY_FAILURE
    await asyncio.sleep(TIMING.verify_seconds + 0.1)
    status = await ImageTransfer(client).image_transfer_status.get()
    assert status is ImageTransferStatus.VERIFICATION_SUCCESSFUL


async def schedule(bench: Bench, *entries: ExecutionTime) -> None:
    async with bench.known(FIRMWARE_CLIENT) as client:
        written = SingleActionSchedule(client, IMAGE_ACTIVATION_SCHEDULE).execution_time
        await written.set(entries)
        assert await written.get() == entries


async def prepare(bench: Bench, *entries: ExecutionTime) -> None:
    async with bench.known(FIRMWARE_CLIENT) as client:
        await bring_image(client)
    await schedule(bench, *entries)


async def runs(bench: Bench) -> object:
    async with bench.known(METER_READER) as client:
        return (await DataObject(client, VERSION).value.get()).value


async def until(bench: Bench, moment: datetime) -> None:
    """Nobody asks anything of the meter meanwhile."""
    await asyncio.sleep((moment - bench.clock.now()).total_seconds())


def in_virtual_time(scenario: Coroutine[object, object, None]) -> None:
    run_in_virtual_time(scenario, at_most=400 * 24 * 3600.0)


def bench_in(folder: Path) -> Bench:
    return Bench(is15959(SETTINGS), DirectoryStorage(folder / "meter"))


def test_it_comes_by_itself_and_the_meter_reboots(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await prepare(bench, at(START + HOUR))
            await until(bench, START + HOUR - timedelta(seconds=1))
            assert await runs(bench) == b"MW-1.0"
            await until(bench, START + HOUR + timedelta(seconds=TIMING.activate_seconds + 1))
            with pytest.raises(ConnectFailed):
                await bench.dial()
            assert bench.meter.machine.record.reboots == 1
            await asyncio.sleep(TIMING.reboot_seconds)
            assert await runs(bench) == b"NEW-2.0"
            assert bench.meter.machine.record.method_calls.image_activate == 1
        assert (tmp_path / "meter" / "active.bin").read_bytes() == IMAGE

    in_virtual_time(main())


def test_a_later_one_written_over_it_counts(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await prepare(bench, at(START + HOUR))
            await schedule(bench, at(START + 3 * HOUR))
            await until(bench, START + 2 * HOUR)
            assert await runs(bench) == b"MW-1.0"
            await until(bench, START + 4 * HOUR)
            assert await runs(bench) == b"NEW-2.0"

    in_virtual_time(main())


@pytest.mark.parametrize("nothing", [(), (OPEN,)], ids=["empty", "all open"])
def test_what_is_cleared_never_comes(tmp_path: Path, nothing: tuple[ExecutionTime, ...]) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await prepare(bench, at(START + HOUR))
            await schedule(bench, *nothing)
            await until(bench, START + 24 * 365 * HOUR)
            assert await runs(bench) == b"MW-1.0"
        async with bench.on():
            async with bench.known(FIRMWARE_CLIENT) as client:
                kept = await SingleActionSchedule(client, IMAGE_ACTIVATION_SCHEDULE).execution_time.get()
            assert kept == nothing

    in_virtual_time(main())


def test_it_outlives_the_process(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await prepare(bench, at(START + HOUR))
        bench = bench_in(tmp_path)
        bench.clock = LoopClock(START + timedelta(minutes=5))
        async with bench.on():
            async with bench.known(FIRMWARE_CLIENT) as client:
                kept = await SingleActionSchedule(client, IMAGE_ACTIVATION_SCHEDULE).execution_time.get()
            assert kept == (at(START + HOUR),)
            await until(bench, START + 2 * HOUR)
            assert await runs(bench) == b"NEW-2.0"

    in_virtual_time(main())


def test_what_fell_due_while_the_process_was_away_is_missed(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await prepare(bench, at(START + HOUR))
        await until(bench, START + 2 * HOUR)
        async with bench.on():
            await asyncio.sleep(24 * 3600)
            assert await runs(bench) == b"MW-1.0"

    in_virtual_time(main())


def test_it_follows_the_clock_that_the_meter_shows(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await prepare(bench, at(START + 10 * HOUR))
            async with bench.known(FIRMWARE_CLIENT) as client:
                shown = CosemDateTime.from_datetime(START + 10 * HOUR - timedelta(minutes=1))
                await Clock(client).time.set(shown)
            await asyncio.sleep(61 + TIMING.activate_seconds + TIMING.reboot_seconds)
            assert await runs(bench) == b"NEW-2.0"

    in_virtual_time(main())


def test_without_a_good_image_nothing_happens(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await schedule(bench, at(START + HOUR))
            await until(bench, START + 2 * HOUR)
            record = bench.meter.machine.record
            assert (record.reboots, record.method_calls.image_activate) == (0, 1)
            assert await runs(bench) == b"MW-1.0"

    in_virtual_time(main())


def test_the_script_does_it_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            async with bench.known(FIRMWARE_CLIENT) as client:
                await bring_image(client)
                [script] = await ScriptTable(client, IMAGE_ACTIVATION_SCRIPTS).scripts.get()
                with pytest.raises(ActionError) as begun:
                    await ScriptTable(client, IMAGE_ACTIVATION_SCRIPTS).execute.invoke(
                        script.script_identifier
                    )
                assert begun.value.result is ActionResult.TEMPORARY_FAILURE
            await asyncio.sleep(TIMING.activate_seconds + TIMING.reboot_seconds + 1)
            assert await runs(bench) == b"NEW-2.0"

    in_virtual_time(main())


def test_two_moments_are_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    async def main() -> None:
        bench = bench_in(tmp_path)
        async with bench.on():
            await schedule(bench, at(START + HOUR))
            async with bench.known(FIRMWARE_CLIENT) as client:
                written = SingleActionSchedule(client, IMAGE_ACTIVATION_SCHEDULE)
                assert await written.type.get() is ScheduleType.ONE_ENTRY
                with pytest.raises(DataAccessError) as refused:
                    await written.execution_time.set((at(START + HOUR), at(START + 2 * HOUR)))
                assert refused.value.result is DataAccessResult.OTHER_REASON
                assert await written.execution_time.get() == (at(START + HOUR),)

    in_virtual_time(main())
