"""One run of an update: what its phases share. The phases themselves have a file each."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from meterwright.cosem import BlockSize
from meterwright.firmware.block_map import BlockMap, reconciled
from meterwright.firmware.events import FindingRaised, Phase, PhaseEntered, Progress, UpdateEvent
from meterwright.firmware.journal import ImageIdentity, Journal
from meterwright.firmware.meter import UpdatedMeter
from meterwright.firmware.policy import Patience, UpdatePolicy
from meterwright.image import FirmwareImage
from meterwright.values import Finding

__all__ = ["BeginAnew", "Run", "turns"]

_BETWEEN_PROGRESS: Final = 0.2
"""Seconds between progress events: enough for an eye, few enough for a log."""


class BeginAnew(Exception):
    """What is in the meter is not to be gone on with: initiate again and send everything."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Run:
    """What is known while an update runs, and how it is told."""

    def __init__(
        self,
        meter: UpdatedMeter,
        image: FirmwareImage,
        identity: ImageIdentity,
        *,
        policy: UpdatePolicy,
        journal: Journal,
        emit: Callable[[UpdateEvent], None],
    ) -> None:
        self.meter = meter
        self.image = image
        self.identity = identity
        self.policy = policy
        self.journal = journal
        self.blocks_sent = 0
        self.resumed_from: int | None = None
        self.resumed = False
        self.version_seen: str | None = None
        self.findings: list[Finding] = []
        self._emit = emit
        self._block_size: BlockSize | None = None
        self._transfer_began: tuple[float, int] | None = None
        self._last_progress = float("-inf")

    @property
    def block_count(self) -> int:
        """How many blocks the image has in this meter."""
        return -(-self.identity.size // self.identity.block_size)

    def enter(self, phase: Phase) -> None:
        """A phase begins."""
        self._emit(PhaseEntered(phase))

    def say(self, finding: Finding) -> None:
        """Something worth knowing; said once."""
        if finding not in self.findings:
            self.findings.append(finding)
            self._emit(FindingRaised(finding))

    def progress(self, blocks_done: int, *, at_once: bool = False) -> None:
        """So many blocks are in the meter now."""
        now = self.now()
        if self._transfer_began is None:
            self._transfer_began = (now, blocks_done)
        if not at_once and now - self._last_progress < _BETWEEN_PROGRESS:
            return
        self._last_progress = now
        began, done_then = self._transfer_began
        rate = (blocks_done - done_then) / (now - began) if now > began else None
        octets = min(blocks_done * self.identity.block_size, self.identity.size)
        eta = (self.block_count - blocks_done) / rate if rate else None
        self._emit(Progress(blocks_done, self.block_count, octets, self.identity.size, rate, eta))

    async def block_size(self) -> BlockSize:
        """This meter's block size, read in the association that is open now."""
        size = self._block_size
        if size is None or size.association is not self.meter.reach.client.association:
            size = await self.meter.reach.read(self.meter.transfer.image_block_size.get)
            self._block_size = size
        return size

    async def read_map(self) -> BlockMap:
        """Which blocks the meter holds; the journal learns of it."""
        first_missing = await self.meter.first_missing()
        bits = await self.meter.block_map_bits()
        blocks, odd = reconciled(bits, first_missing, self.block_count)
        if odd is not None:
            self.say(odd)
        return blocks

    def now(self) -> float:
        """The event loop's time, in seconds."""
        return asyncio.get_running_loop().time()

    async def polls(self, within: float) -> AsyncIterator[float]:
        """Turns of a poll: at once, then with growing pauses, until so many seconds are over. Gives the seconds passed."""
        began = self.now()
        async for _ in turns(self.policy.patience, within):
            yield self.now() - began


async def turns(patience: Patience, within: float) -> AsyncIterator[None]:
    """Turns of a poll: one at once, then more with growing pauses, the last when so many seconds are over."""
    waited = 0.0
    for pause in patience.polls():
        yield
        if waited >= within:
            return
        await asyncio.sleep(min(pause, within - waited))
        waited += pause
