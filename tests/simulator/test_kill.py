"""A simulated meter in a process of its own, killed in the middle of a transfer: what it answered is on the disk."""

import asyncio
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.simulator.rig import BLOCK, cut, image_block, initiation, octets
from tests.simulator.test_service import Dialled, dial_port
from tests.simulator.test_storage import state_of

from meterwright.data import integer
from meterwright.errors import ConnectFailed
from meterwright.values import ActionResult

NAME = "MWS0000000001"
BLOCKS = 400
IMAGE = octets((BLOCKS - 1) * BLOCK + 5)
START_SECONDS = 30.0

SERVE = f"""
import asyncio, sys
from pathlib import Path
from meterwright.simulator import DirectoryStorage, MeterSettings, SimulatedService, plain_meter

async def main():
    folder = Path(sys.argv[1])
    settings = MeterSettings(image_block_size={BLOCK})
    meter = plain_meter(1, settings, storage=DirectoryStorage(folder / "{NAME}"))
    service = SimulatedService([meter], port=int(sys.argv[2]), state_dir=folder)
    (listening,) = await service.start()
    print(listening.url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def simulated(directory: Path, port: int) -> Generator[subprocess.Popen[bytes]]:
    """A meter that listens; it is killed, never asked to stop."""
    command = [sys.executable, "-c", SERVE, str(directory), str(port)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"tcp://127.0.0.1:")
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """A port nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def transfer(client: Dialled, first: int, count: int) -> int:
    """Send blocks from `first` on; the number of the next one is returned."""
    last = min(first + count, BLOCKS)
    for number in range(first, last):
        assert await client.call(2, image_block(number, cut(IMAGE, number))) is ActionResult.SUCCESS
    return last


async def dial_patiently(port: int) -> Dialled:
    """A connection, once the meter is up."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return await dial_port(port)
        except ConnectFailed:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def activate(port: int) -> None:
    """Activate what is there, and see it run."""
    client = await dial_port(port)
    await client.associate()
    assert await client.call(4, integer(0)) is ActionResult.TEMPORARY_FAILURE
    await client.lost.wait()
    again = await dial_patiently(port)
    await again.associate()
    assert await again.value(1, "1.0.0.2.0.255", 2) == b"NEW-2.0"
    await again.transport.close()


def test_killed_again_and_again_the_meter_gets_its_image(tmp_path: Path) -> None:
    chance = random.Random(7)
    port = free_port()
    done = 0

    async def session(process: subprocess.Popen[bytes], *, first: bool) -> None:
        nonlocal done
        client = await dial_port(port)
        await client.associate()
        if first:
            assert await client.call(1, initiation(len(IMAGE))) is ActionResult.SUCCESS
        assert await client.value(18, "0.0.44.0.0.255", 4) == done
        done = await transfer(client, done, chance.randrange(1, 100))
        process.kill()
        await client.lost.wait()

    first = True
    while done < BLOCKS:
        with simulated(tmp_path, port) as process:
            asyncio.run(session(process, first=first))
        first = False
        state = state_of(tmp_path / NAME)
        assert state["image"]["first_missing"] == state["image"]["blocks_received"] == done
        assert state["method_calls"]["image_block_transfer"] == done
        assert state["method_calls"]["image_transfer_initiate"] == 1

    with simulated(tmp_path, port):
        asyncio.run(activate(port))
    assert (tmp_path / NAME / "active.bin").read_bytes() == IMAGE
    assert json.loads((tmp_path / NAME / "state.json").read_text())["firmware_identifier"] == "NEW-2.0"


def test_killed_with_a_block_on_its_way_the_state_is_of_before_or_after(tmp_path: Path) -> None:
    chance = random.Random(11)
    port = free_port()

    async def session(process: subprocess.Popen[bytes]) -> int:
        """How many blocks were answered when the meter was killed, while more were asked for."""
        client = await dial_port(port)
        await client.associate()
        assert await client.call(1, initiation(len(IMAGE))) is ActionResult.SUCCESS
        sending = asyncio.create_task(transfer(client, 0, BLOCKS))
        await asyncio.sleep(chance.uniform(0.0, 0.1))
        process.kill()
        await client.lost.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return client.answered - 2

    for attempt in range(5):
        with simulated(tmp_path / f"{attempt}", port) as process:
            answered = asyncio.run(session(process))
        state = state_of(tmp_path / f"{attempt}" / NAME)
        assert answered <= state["method_calls"]["image_block_transfer"] <= answered + 1
        assert answered <= state["image"]["first_missing"] <= answered + 1
