"""Every example runs as it stands, in a process of its own, against a simulated meter on a socket.

A new example needs a row in RUNS, or `test_every_example_is_run` fails.
"""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from meterwright import Client, DataObject
from meterwright.client import Scheme
from meterwright.security import Keys, Secret
from meterwright.simulator import (
    MeterRunner,
    MeterSettings,
    SimulatedService,
    Timing,
    is15959_meter,
    plain_meter,
)
from meterwright.transport import connect_tcp

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PATIENCE = 60.0
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*\+00:00"
IMAGE = bytes(range(256)) * 3 + b"end"
AT_ONCE = Timing(verify_seconds=0, activate_seconds=0, reboot_seconds=0)


async def read_clock(folder: Path) -> None:
    async with meter() as (_, url):
        said = await output_of("read_clock.py", url)
    assert re.fullmatch(rf"the meter's clock says {TIME}\nwhich is \d{{4}}-\S+T\S+\+00:00\n", said)


async def read_clock_blocking(folder: Path) -> None:
    async with meter() as (_, url):
        said = await output_of("read_clock_blocking.py", url)
    assert re.fullmatch(rf"the meter's clock says {TIME}\n", said)


async def read_several(folder: Path) -> None:
    async with meter() as (_, url):
        said = await output_of("read_several.py", url)
    name, energy, missing = said.splitlines()
    assert name == "logical device name: MWS0000000001"
    assert re.fullmatch(r"active energy import: \d+\.\d Wh", energy)
    assert missing == "0.0.96.50.99.255: refused, object-undefined"


async def update_firmware(folder: Path) -> None:
    image = folder / "image.bin"
    image.write_bytes(IMAGE)
    async with meter() as (runner, url):
        arguments = ("update_firmware.py", url, str(image), "NEW-2.0")
        said = (await output_of(*arguments)).splitlines()
        again = (await output_of(*arguments)).splitlines()
        record = runner.meter.machine.record
    phases = "planning initiating transferring verifying inspecting activating confirming"
    assert [line for line in said[:-1] if not line.startswith("  ")] == phases.split()
    assert "  block 7 of 7" in said
    assert said[-1] == "done: MW-1.0 before, NEW-2.0 now"
    assert again[-1] == "nothing-to-do: NEW-2.0 before, NEW-2.0 now"
    assert record.firmware_identifier == b"NEW-2.0"
    assert record.method_calls.image_block_transfer == 7


async def meter_dials_in(folder: Path) -> None:
    async with meter() as (runner, _), running("meter_dials_in.py", "0") as said:
        port = int((await line_of(said)).removeprefix("waiting for meters on port "))
        for _ in range(2):  # one after the other: the service goes on
            runner.listener.attach(await connect_tcp("127.0.0.1", port, PATIENCE))
            assert re.fullmatch(rf"MWS0000000001 dialled in, its clock says {TIME}", await line_of(said))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write_eof()  # no meter, only somebody who looks in
        assert (await line_of(said)).startswith("a meter dialled in, and then: ")
        await reader.read()
        writer.close()


async def simulated_meter(folder: Path) -> None:
    async with running("simulated_meter.py", "0") as said:
        found = re.fullmatch(
            r"MWS0000000007 listens at (tcp://127\.0\.0\.1:\d+\?client=16)", await line_of(said)
        )
        assert found is not None
        async with Client(found[1]) as client:
            name = await DataObject(client, "0.0.42.0.0.255").value.get()
    assert name.value == b"MWS0000000007"


async def read_secured_meter(folder: Path) -> None:
    environment = {**NOT_THE_BOOKS, "METERWRIGHT_STATE": str(folder / "state")}
    meter = is15959_meter(
        7,
        MeterSettings(),
        secret=secret("METER_SECRET"),
        keys=Keys(global_unicast=secret("METER_EK"), authentication=secret("METER_AK")),
    )
    service = SimulatedService([meter], scheme=Scheme.HDLC_TCP)
    try:
        (listening,) = await service.start()
        for client in (48, 80):
            said = await output_of("read_secured_meter.py", f"{listening.url}?client={client}", **environment)
            assert re.fullmatch(rf"this is MWS0000000007\nits clock says {TIME}\n", said)
    finally:
        await service.stop()
    assert meter.machine.record.failed_logins == 0
    assert sorted(meter.machine.record.counters) == ["0.0.43.1.3.255", "0.0.43.1.5.255"]


async def keep_counters(folder: Path) -> None:
    order = ("keep_counters.py", str(folder / "state"))
    runs = await asyncio.gather(*(output_of(*order, **NOT_THE_BOOKS) for _ in range(4)))
    titles, numbers = set[str](), list[int]()
    for said in (*runs, await output_of(*order, **NOT_THE_BOOKS)):
        title, given, reserved = said.splitlines()
        titles.add(title)
        numbers += [int(number) for number in given.removeprefix("numbers for three messages: ").split()]
        assert max(numbers[-3:]) < int(reserved.split()[-2])
    assert re.fullmatch(r"our system title is 4D5743[0-9A-F]{10}", "".join(titles))
    assert len(set(numbers)) == 15
    assert max(numbers[-3:]) == max(numbers)


NOT_THE_BOOKS = {
    "METER_EK": "7d0f1c1e5a4b39288716051423324150",
    "METER_AK": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "METER_SECRET": "30313233343536373839414243444546",
}
"""Secrets as a user has them in the environment."""


def secret(name: str) -> Secret:
    return Secret.from_hex(NOT_THE_BOOKS[name])


RUNS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "keep_counters.py": keep_counters,
    "meter_dials_in.py": meter_dials_in,
    "read_clock.py": read_clock,
    "read_clock_blocking.py": read_clock_blocking,
    "read_secured_meter.py": read_secured_meter,
    "read_several.py": read_several,
    "simulated_meter.py": simulated_meter,
    "update_firmware.py": update_firmware,
}
"""How each example is run, and what it must say."""


@pytest.mark.parametrize("name", RUNS)
def test_an_example_does_what_it_says(name: str, tmp_path: Path) -> None:
    asyncio.run(asyncio.wait_for(RUNS[name](tmp_path), PATIENCE))


def test_every_example_is_run() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.name != "__pycache__") == sorted(RUNS)


@pytest.mark.parametrize("name", RUNS)
def test_an_example_says_how_to_run_it(name: str) -> None:
    assert f"\n    python examples/{name}" in (EXAMPLES / name).read_text(encoding="utf-8")


@asynccontextmanager
async def meter() -> AsyncGenerator[tuple[MeterRunner, str]]:
    """A plain meter without pauses, and the address it has on this machine."""
    settings = MeterSettings(image_block_size=128, timing=AT_ONCE)
    service = SimulatedService([plain_meter(1, settings)])
    try:
        (listening,) = await service.start()
        yield service.runners[0], f"{listening.url}?client=16"
    finally:
        await service.stop()


async def output_of(*command: str, **environment: str) -> str:
    """What an example prints that must end well and complain of nothing."""
    process = await started(*command, **environment)
    said, complaints = await process.communicate()
    assert (process.returncode, complaints.decode()) == (0, ""), said.decode()
    return said.decode()


@asynccontextmanager
async def running(*command: str) -> AsyncGenerator[asyncio.StreamReader]:
    """What an example prints that runs until it is interrupted, which it must take well."""
    process = await started(*command)
    assert process.stdout is not None
    try:
        yield process.stdout
        process.send_signal(signal.SIGINT)
        rest, complaints = await process.communicate()
        assert (process.returncode, rest, complaints) == (0, b"stopped\n", b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line_of(said: asyncio.StreamReader) -> str:
    """The next line."""
    return (await said.readline()).decode().rstrip("\n")


async def started(*command: str, **environment: str) -> asyncio.subprocess.Process:
    """An example as a process of its own, with more in its environment."""
    script, *arguments = command
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / script),
        *arguments,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
