"""One meter, one client and one update in memory and virtual time, with every place at hand where something can go wrong."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.firmware.setups import OPEN, Setup
from tests.firmware.wiretap import Wiretap

from meterwright.client import Client, ClientSettings
from meterwright.firmware import UpdateEvent, UpdatePolicy, UpdateResult, update
from meterwright.image import FirmwareImage
from meterwright.security import CounterStore, MemoryCounterStore
from meterwright.server import ObjectHost
from meterwright.simulator import DirectoryStorage, LoopClock, MeterRunner, MeterSettings, SimulatedMeter
from meterwright.transport import AsyncTransport, Interference, Wire

BLOCK = 128
IDENTIFIER = b"NEW-2.0"
START = datetime(2026, 1, 1, tzinfo=UTC)


def octets(count: int, seed: int = 1) -> bytes:
    """An image's worth of octets, always the same for a seed."""
    return random.Random(seed).randbytes(count)


def image(count: int = 10 * BLOCK + 77, seed: int = 1) -> FirmwareImage:
    """A firmware image of so many octets."""
    return FirmwareImage(octets(count, seed), f"image {seed}")


@dataclass
class Rig:
    """A meter that runs, and what happened to it. `through` puts faults before it, `interference` on the wire.

    `counters` is what its clients remember of theirs: each client is another process, and all share it.
    """

    state: Path
    settings: MeterSettings = field(default_factory=MeterSettings)
    through: Callable[[ObjectHost], ObjectHost] = lambda host: host
    interference: Interference | None = None
    events: list[UpdateEvent] = field(default_factory=list[UpdateEvent])
    wires: list[Wire] = field(default_factory=list[Wire])
    switched_off: bool = False
    setup: Setup = OPEN
    counters: CounterStore = field(default_factory=MemoryCounterStore)
    tap: Wiretap = field(default_factory=Wiretap)

    @property
    def meter_directory(self) -> Path:
        """Where the meter keeps its state, which survives it."""
        return self.state / "meter"

    @property
    def active(self) -> bytes | None:
        """The octets of the image that was activated last."""
        path = self.meter_directory / "active.bin"
        return path.read_bytes() if path.exists() else None

    async def start(self) -> None:
        """Switch the meter on."""
        clock = LoopClock(START)
        storage = DirectoryStorage(self.meter_directory)
        self.meter: SimulatedMeter = self.setup.make(self.settings, storage, clock)
        self.runner = MeterRunner(self.meter, clock=clock, link=self.setup.link, through=self.through)
        await self.runner.start()

    async def stop(self) -> None:
        """Switch the meter off."""
        await self.runner.stop()

    async def dial(self) -> AsyncTransport:
        """A new connection to the meter."""
        wire = Wire(interference=self.tap.on(self.interference))
        transport = await self.runner.dial(wire)
        self.wires.append(wire)
        return transport

    def cut_soon(self) -> None:
        """Cut the line once what is on its way has arrived."""
        asyncio.get_running_loop().call_later(0.001, self.wires[-1].cut)

    def client(self, settings: ClientSettings | None = None) -> Client:
        """A client of the meter: the one for its firmware, unless it is said otherwise."""
        return Client(self.dial, settings or self.setup.client(self.counters))

    async def update(
        self,
        firmware: FirmwareImage | None = None,
        identifier: bytes = IDENTIFIER,
        *,
        policy: UpdatePolicy | None = None,
        settings: ClientSettings | None = None,
        state: Path | None = None,
        version_client: Callable[[], Client] | None = None,
    ) -> UpdateResult:
        """One update, as a user runs it."""
        return await update(
            self.client(settings),
            firmware or image(),
            identifier,
            state=state or self.state,
            policy=policy,
            version_client=version_client,
            emit=self.events.append,
        )

    @property
    def calls(self) -> dict[str, int]:
        """How often each image method was called."""
        calls = self.meter.machine.record.method_calls
        return {
            "initiate": calls.image_transfer_initiate,
            "block": calls.image_block_transfer,
            "verify": calls.image_verify,
            "activate": calls.image_activate,
        }

    @property
    def running(self) -> bytes:
        """The identifier of the firmware that runs."""
        return self.meter.machine.record.firmware_identifier

    def lines(self) -> list[dict[str, object]]:
        """The events as the command line prints them."""
        return [event.as_json() for event in self.events]

    def codes(self) -> set[str]:
        """The codes of all findings."""
        return {str(line["code"]) for line in self.lines() if line["event"] == "finding"}

    def phases(self) -> list[object]:
        """The phases, in order."""
        return [line["phase"] for line in self.lines() if line["event"] == "phase"]
