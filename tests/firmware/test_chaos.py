"""Chance plays the world: lines fall, answers are lost or late, processes and meters die, others interfere, disks and flash lie.

Whatever happens in a session of several runs, and in whatever order: nothing is activated that was not verified, nothing runs
that is neither what ran before nor what was asked for, each run ends with `done`, `nothing-to-do` or a failure that says what
to try, and once the world is quiet again the image runs.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.firmware.faults import ACTIVATE, BLOCK_TRANSFER, INITIATE, VERIFY, Faulty
from tests.firmware.rig import BLOCK, IDENTIFIER, START, Rig, image, octets
from tests.firmware.setups import OPEN, SECURED, Setup

from meterwright.apdu import MethodDescriptor
from meterwright.cosem import ImageInitiation, ImageTransfer
from meterwright.data import Data
from meterwright.errors import MeterwrightError
from meterwright.firmware import Outcome, Patience, UpdatePolicy, UpdateResult
from meterwright.server import ActionOutcome, Caller, Middleware, ObjectHost
from meterwright.simulator import LoopClock, MemoryStorage, MeterRunner, MeterSettings, Timing
from meterwright.testing import run_in_virtual_time
from meterwright.values import ActionResult, DataAccessResult, ImageTransferStatus

SEEDS = 200
SECURED_SEEDS = 40
BLOCKS = 6
SIZE = (BLOCKS - 1) * BLOCK + 77
OLD, THEIRS = b"MW-1.0", b"THEIRS-7"
QUIET_RUNS = 4
PATIENT = UpdatePolicy(
    patience=Patience(
        initiate=20,
        block=5,
        verify=60,
        confirm=120,
        reconnect=30,
        settle=5,
        unchanged=15,
        watch=4,
        block_attempts=2,
    )
)
FIRMWARE = image(SIZE)
Lie = tuple[dict[int, ActionResult], dict[int, DataAccessResult | Data]]


def lying_reads(number: int, result: DataAccessResult) -> Lie:
    """An attribute that is refused."""
    return {}, {number: result}


LIES: list[Lie] = [
    *(
        ({number: result}, {})
        for number in (INITIATE, BLOCK_TRANSFER, VERIFY, ACTIVATE)
        for result in (
            ActionResult.SUCCESS,
            ActionResult.TEMPORARY_FAILURE,
            ActionResult.HARDWARE_FAULT,
            ActionResult.OTHER_REASON,
            ActionResult.TYPE_UNMATCHED,
        )
    ),
    *(
        lying_reads(number, result)
        for number in (2, 3, 4, 6, 7)
        for result in (DataAccessResult.TEMPORARY_FAILURE, DataAccessResult.OTHER_REASON)
    ),
]
"""What a meter may answer wrongly: to a method, or to a read."""


class Watched(Middleware):
    """Sees each call of image_activate, and in which state it finds the meter."""

    def __init__(self, inner: ObjectHost, see: Callable[[], None]) -> None:
        super().__init__(inner)
        self._see = see

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        if method.class_id == 18 and method.method_id == ACTIVATE:
            self._see()
        return super().invoke(caller, method, parameters)


@dataclass
class Weather:
    """What happens to messages: a chance to lose, delay or cut at each."""

    chance: random.Random
    lost: float = 0.0
    cut: float = 0.0
    cut_line: Callable[[], None] = lambda: None

    def __call__(self, _from_client: bool, message: bytes) -> list[bytes]:
        if self.chance.random() < self.cut:
            asyncio.get_running_loop().call_later(self.chance.choice([0, 0.001]), self.cut_line)
        return [] if self.chance.random() < self.lost else [message]


@dataclass
class World(Rig):
    """A rig whose meter remembers without a disk, whose faults may change while it runs, and which is watched."""

    chance: random.Random = field(default_factory=random.Random)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    faults: Callable[[ObjectHost], ObjectHost] = lambda host: host
    policy: UpdatePolicy = PATIENT
    activated_at: list[ImageTransferStatus] = field(default_factory=list[ImageTransferStatus])
    results: list[UpdateResult] = field(default_factory=list[UpdateResult])
    story: list[str] = field(default_factory=list[str])

    @property
    def active(self) -> bytes | None:
        return self.storage.active

    async def start(self) -> None:
        clock = LoopClock(START)
        self.meter = self.setup.make(self.settings, self.storage, clock)
        self.runner = MeterRunner(
            self.meter,
            clock=clock,
            link=self.setup.link,
            through=lambda host: Watched(
                self.faults(host), lambda: self.activated_at.append(self.meter.machine.image.status)
            ),
        )
        await self.runner.start()

    def cut_all(self) -> None:
        """Break every line."""
        for wire in self.wires:
            wire.cut()

    async def run_once(self) -> None:
        """One update to its end."""
        self.results.append(await self.update(FIRMWARE, policy=self.policy))
        self.story.append(str(self.results[-1].as_json()["outcome"]))

    async def power_cut(self) -> None:
        """The meter is switched off, and on again later. Its lies may have ended."""
        await self.stop()
        await asyncio.sleep(self.chance.choice([0, 1, 20]))
        await self.start()


# ---------------------------------------------------------------------------------------------------- what may happen


async def quiet(world: World) -> None:
    """Nothing happens."""
    await world.run_once()


async def bad_line(world: World) -> None:
    """Messages are lost and the line is cut, again and again."""
    chance = world.chance
    world.interference = Weather(
        chance, lost=chance.choice([0, 0.02, 0.1]), cut=chance.choice([0, 0.02, 0.1]), cut_line=world.cut_all
    )
    await world.run_once()


async def killed(world: World) -> None:
    """Our process dies at some message; the last one may still arrive."""
    left, arrives = world.chance.randint(1, 60), world.chance.random() < 0.5
    dead = asyncio.Event()

    def count(_from_client: bool, message: bytes) -> list[bytes]:
        nonlocal left
        left -= 1
        if left > 0:
            return [message]
        first = not dead.is_set()
        dead.set()
        return [message] if first and arrives else []

    world.interference = count
    task = asyncio.ensure_future(world.update(FIRMWARE, policy=world.policy))
    task.add_done_callback(lambda _task: dead.set())
    await dead.wait()
    await asyncio.sleep(0.001)
    world.cut_all()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def meter_dies(world: World) -> None:
    """The meter loses its power at some time, and comes back."""
    task = asyncio.ensure_future(world.run_once())
    world.interference = slowed = Slow()
    await asyncio.sleep(world.chance.random() * 3)
    await world.power_cut()
    slowed.seconds = 0
    await task


class Slow:
    """Each message takes a little, so that there are moments to choose from."""

    seconds = 0.05

    def __call__(self, _from_client: bool, message: bytes) -> list[bytes]:
        return [message]


async def lies(world: World) -> None:
    """The meter answers wrongly for a while, doing what was asked or not. It says nothing of blocks it did not take."""
    chance = world.chance
    methods, reads = chance.choice(LIES)
    times, after, carried_out = chance.choice([1, 2, 5, 1000]), chance.randint(0, 4), chance.random() < 0.5
    world.story.append(f"{methods} {reads} {times} times after {after}, carried out: {carried_out}")
    world.faults = lambda host: Faulty(
        host, methods=methods, reads=reads, times=times, after=after, carried_out=carried_out
    )
    await world.stop()
    await world.start()
    await world.run_once()
    world.faults = lambda host: host
    await world.stop()
    await world.start()


async def somebody_else(world: World) -> None:
    """Another tool begins its own image and stops somewhere; it may even have it verified."""
    chance = world.chance
    size = chance.choice([SIZE, SIZE, SIZE - BLOCK, SIZE + 3 * BLOCK, BLOCK])
    content = octets(size, seed=9)
    try:
        async with world.client() as client:
            transfer = ImageTransfer(client)
            await transfer.image_transfer_initiate.invoke(ImageInitiation(THEIRS, size))
            block_size = await transfer.image_block_size.get()
            count = block_size.block_count(size)
            for number in range(chance.randint(0, count)):
                await transfer.image_block_transfer.invoke(block_size.cut(content, number))
            if chance.random() < 0.3:
                await transfer.image_verify.invoke()
    except MeterwrightError as error:
        world.story.append(f"theirs: {error}")


async def journal_lost(world: World) -> None:
    """Our memory is torn somewhere. Without it, and without an expected version, nobody could say that the image runs already."""
    if world.policy.expected_version is None:
        return
    for path in (world.state / "journal").glob("*.jsonl"):
        octets_left = path.read_bytes()
        cut = world.chance.randint(0, len(octets_left))
        path.write_bytes(octets_left[:cut])


async def time_passes(world: World) -> None:
    await asyncio.sleep(world.chance.choice([0.1, 1, 30, 600]))


HAPPENINGS = [
    quiet,
    bad_line,
    killed,
    killed,
    meter_dies,
    lies,
    lies,
    somebody_else,
    journal_lost,
    time_passes,
]
SETTINGS = [
    MeterSettings(),
    MeterSettings(image_transfer_enabled=False),
    MeterSettings(timing=Timing(erase_seconds=3, verify_seconds=4, activate_seconds=2, reboot_seconds=8)),
]


async def session(world: World) -> None:
    """Several things happen, and then the world is quiet and the update is run until it is done."""
    await world.start()
    try:
        for happening in world.chance.choices(HAPPENINGS, k=world.chance.randint(1, 5)):
            world.story.append(happening.__name__)
            await happening(world)
            world.interference = None
        for _ in range(QUIET_RUNS):
            await asyncio.sleep(60)
            world.story.append("at last")
            await world.run_once()
            if world.results[-1].outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO):
                break
    finally:
        await world.stop()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_happens(tmp_path: Path, seed: int) -> None:
    whatever_happens(tmp_path, seed, OPEN)


@pytest.mark.parametrize("seed", range(SECURED_SEEDS))
@pytest.mark.parametrize("setup", SECURED, ids=lambda setup: setup.name)
def test_whatever_happens_to_a_meter_with_keys(tmp_path: Path, seed: int, setup: Setup) -> None:
    whatever_happens(tmp_path, seed, setup)


def whatever_happens(tmp_path: Path, seed: int, setup: Setup) -> None:
    chance = random.Random(seed)
    policy = replace(PATIENT, expected_version=chance.choice([None, IDENTIFIER.decode()]))
    world = World(tmp_path, chance.choice(SETTINGS), chance=chance, policy=policy, setup=setup)
    run_in_virtual_time(session(world))
    story = f"{world.story} {[result.as_json() for result in world.results]}"
    assert set(world.activated_at) <= {ImageTransferStatus.VERIFICATION_SUCCESSFUL}, story
    assert world.results[-1].outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO), story
    assert world.active == octets(SIZE), story
    assert world.running == IDENTIFIER, story
    for result in world.results:
        done = result.outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO)
        assert done is (result.failure is None), story
        assert done or result.findings[-1].hint, story
        assert not done or result.version_after == IDENTIFIER.decode(), story
        assert result.version_after in (None, OLD.decode(), IDENTIFIER.decode()), story
    assert all(wire.client_end.is_closed for wire in world.wires), story
    world.tap.check()
