"""The firmware of a simulated meter: an image received block by block, verified, activated, run (Blue Book 4.4.6).

Strict by the book: every block but the last is exactly the block size, the last exactly the remainder; nothing is
verified with a hole; verification and activation take their time, and activation ends in a reboot. No IO but what its
storage does, no clock but the one it is given: `deadline` says when `tick` is wanted, and every call ticks by itself.

================  ==================================================================================
status            what the four methods do (with the object disabled: other-reason, all of them)
================  ==================================================================================
any               initiate: 1 with an empty map; busy (temporary-failure) while it verifies or activates
1                 block: stored. verify: 2, then 3 or 4; with a hole 4 at once. activate: verifies first
2                 verify: goes on. activate: follows if the image is good
3                 verify: success, nothing to do. activate: 5, then 6 or 7, then a reboot
4                 verify: once more
0 4 6 7           all else: other-reason
================  ==================================================================================

A process that ends while it verifies verifies anew; one that ends while it activates runs either the new image (status 6)
or the old one, with the new one kept (status 3): the moment in between is one replaced file.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from meterwright.cosem import ImageToActivateInfo
from meterwright.server import ActionOutcome
from meterwright.simulator.record import BlockMap, ImageRecord, MeterRecord
from meterwright.simulator.storage import MeterStorage
from meterwright.values import ActionResult, ImageTransferStatus

__all__ = ["Candidate", "ImageMachine", "Judgement", "Timing"]

_Status = ImageTransferStatus
_BLOCK_TRANSFER: Final = "image_block_transfer"
_BUSY: Final = frozenset({_Status.VERIFICATION_INITIATED, _Status.ACTIVATION_INITIATED})


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a meter takes, in seconds. `erase`: before a new transfer counts; 0 means at once, in the answer."""

    erase_seconds: float = 0.0
    verify_seconds: float = 0.5
    activate_seconds: float = 0.3
    reboot_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that is whole, about to be judged."""

    identifier: bytes
    size: int
    sha256: bytes


def _accepted(_candidate: Candidate) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the meter's maker thinks of an image: whether its verification and its activation succeed."""

    verification: Callable[[Candidate], bool] = _accepted
    activation: Callable[[Candidate], bool] = _accepted


class _Task(Enum):
    """What the machine is at, by itself."""

    ERASE = "erasing"
    VERIFY = "verifying"
    ACTIVATE = "activating"
    REBOOT = "rebooting"


class ImageMachine:
    """The image transfer of one meter. `fresh` is its record where the storage holds none."""

    def __init__(
        self,
        storage: MeterStorage,
        fresh: MeterRecord,
        *,
        monotonic: Callable[[], float],
        block_size: int,
        capacity: int,
        timing: Timing | None = None,
        judgement: Judgement | None = None,
        wrong_length: ActionResult = ActionResult.TYPE_UNMATCHED,
    ) -> None:
        """`wrong_length`: what a block is answered with that is not exactly as long as it must be."""
        self.block_size: Final = block_size
        self._wrong_length = wrong_length
        self._storage = storage
        self._monotonic = monotonic
        self._capacity = capacity
        self._timing = timing or Timing()
        self._judgement = judgement or Judgement()
        self._task: _Task | None = None
        self._due: float = 0.0
        self._erasing = (b"", 0)
        self._activate_next: bool = False
        self._finish: Final = {
            _Task.ERASE: self._erased,
            _Task.VERIFY: self._verified,
            _Task.ACTIVATE: self._activated,
            _Task.REBOOT: self._rebooted,
        }
        self._record, self.blocks = storage.load(fresh)
        self._power_up()

    @property
    def record(self) -> MeterRecord:
        """What the meter must not forget, as it is kept."""
        return self._record

    @property
    def image(self) -> ImageRecord:
        """The image of the present or last transfer."""
        return self._record.image

    @property
    def is_running(self) -> bool:
        """Whether the meter is up; while it reboots it answers nobody."""
        return self._task is not _Task.REBOOT

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted; None where nothing is under way."""
        return None if self._task is None else self._due

    @property
    def info(self) -> tuple[ImageToActivateInfo, ...]:
        """Attribute 7: the image found by verification. Its signature is the SHA-256 of its octets."""
        image = self.image
        return (ImageToActivateInfo(image.size, image.identifier, image.sha256),) if image.sha256 else ()

    def tick(self) -> None:
        """Do what is due by now."""
        while self._task is not None and self._monotonic() >= self._due:
            task, self._task = self._task, None
            self._finish[task]()

    def enable(self, *, enabled: bool) -> None:
        """Write attribute 5."""
        self._keep(image=replace(self.image, enabled=enabled))

    def remember(self, record: MeterRecord) -> None:
        """Keep a record whose other parts have changed: counters, logins, a schedule. OSError where it cannot be kept."""
        self._storage.keep(record, self.blocks)
        self._record = record

    def called(self, method: str, call: Callable[[], ActionOutcome]) -> ActionOutcome:
        """Carry out a call, counted; what it changed is kept before its answer leaves. OSError where it cannot be kept."""
        before = self._record, self.blocks, self._task, self._due, self._activate_next
        try:
            self._record = replace(self._record, method_calls=self._record.method_calls.plus(method))
            outcome = call()
            if method == _BLOCK_TRANSFER and outcome.result is not ActionResult.SUCCESS:
                self._record = replace(self._record, blocks_rejected=self._record.blocks_rejected + 1)
            self._storage.keep(self._record, self.blocks)
        except OSError:
            self._record, self.blocks, self._task, self._due, self._activate_next = before
            raise
        return outcome

    def initiate(self, identifier: bytes, size: int) -> ActionResult:
        """Method 1. The old transfer is forgotten, all of it."""
        if not self.image.enabled or not 0 < size <= self._capacity:
            return ActionResult.OTHER_REASON
        if self.image.status in _BUSY or self._task is _Task.ERASE:
            return ActionResult.TEMPORARY_FAILURE
        if self._timing.erase_seconds > 0:
            self._erasing = (identifier, size)
            self._begin_task(_Task.ERASE, self._monotonic() + self._timing.erase_seconds)
            return ActionResult.TEMPORARY_FAILURE
        self._begin_transfer(identifier, size)
        return ActionResult.SUCCESS

    def transfer(self, number: int, octets: bytes) -> ActionResult:
        """Method 2. A block that has come before is taken again, and what came last counts."""
        image = self.image
        if not image.enabled or image.status is not _Status.TRANSFER_INITIATED:
            return ActionResult.OTHER_REASON
        if self._task is _Task.ERASE:
            return ActionResult.TEMPORARY_FAILURE
        if number >= self.blocks.length:
            return ActionResult.OTHER_REASON
        if len(octets) != image.length_of(number):
            return self._wrong_length
        if number in self.blocks:
            self._record = replace(self._record, blocks_repeated=self._record.blocks_repeated + 1)
            if self._storage.read(number * image.block_size, len(octets)) == octets:
                return ActionResult.SUCCESS
            self._mark(number, received=False)
        self._storage.write(number * image.block_size, octets)
        self._mark(number, received=True)
        return ActionResult.SUCCESS

    def verify(self) -> ActionResult:
        """Method 3. Temporary-failure where it has begun; attribute 6 tells how it ends."""
        status = self.image.status
        if not self.image.enabled or self._task is _Task.ERASE:
            return ActionResult.OTHER_REASON
        if status is _Status.VERIFICATION_SUCCESSFUL:
            return ActionResult.SUCCESS
        if status is _Status.VERIFICATION_INITIATED:
            return ActionResult.TEMPORARY_FAILURE
        if status not in (_Status.TRANSFER_INITIATED, _Status.VERIFICATION_FAILED):
            return ActionResult.OTHER_REASON
        return self._begin_verification(activate=False)

    def activate(self) -> ActionResult:
        """Method 4. Temporary-failure where it has begun; the meter reboots when it is done."""
        status = self.image.status
        if not self.image.enabled or self._task is _Task.ERASE:
            return ActionResult.OTHER_REASON
        match status:
            case _Status.TRANSFER_INITIATED:
                return self._begin_verification(activate=True)
            case _Status.VERIFICATION_INITIATED:
                self._activate_next = True
                return ActionResult.TEMPORARY_FAILURE
            case _Status.VERIFICATION_SUCCESSFUL:
                self._begin_activation(self._monotonic())
                return ActionResult.TEMPORARY_FAILURE
            case _Status.ACTIVATION_INITIATED:
                return ActionResult.TEMPORARY_FAILURE
            case _:
                return ActionResult.OTHER_REASON

    def close(self) -> None:
        """Let go of the storage."""
        self._storage.close()

    def _begin_task(self, task: _Task, due: float) -> None:
        self._task, self._due = task, due

    def _set(self, status: ImageTransferStatus) -> None:
        self._record = replace(self._record, image=replace(self.image, status=status))

    def _keep(self, image: ImageRecord) -> None:
        record = replace(self._record, image=image)
        self._storage.keep(record, self.blocks)
        self._record = record

    def _mark(self, number: int, *, received: bool) -> None:
        """Change a bit of the map, here and where it is kept, or in neither."""
        change, undo = self.blocks.add, self.blocks.discard
        if not received:
            change, undo = undo, change
        change(number)
        try:
            self._storage.mark(number, self.blocks)
        except OSError:
            undo(number)
            raise

    def _begin_transfer(self, identifier: bytes, size: int) -> None:
        image = ImageRecord(
            status=_Status.TRANSFER_INITIATED,
            identifier=identifier,
            size=size,
            block_size=self.block_size,
            transfer=self.image.transfer + 1,
            enabled=self.image.enabled,
        )
        self._storage.begin(image.transfer, size, image.blocks_total)
        self._record = replace(self._record, image=image)
        self.blocks = BlockMap(image.blocks_total)

    def _begin_verification(self, *, activate: bool) -> ActionResult:
        if not self.blocks.is_complete:
            self._set(_Status.VERIFICATION_FAILED)
            return ActionResult.OTHER_REASON
        self._activate_next = activate
        self._set(_Status.VERIFICATION_INITIATED)
        self._begin_task(_Task.VERIFY, self._monotonic() + self._timing.verify_seconds)
        return ActionResult.TEMPORARY_FAILURE

    def _begin_activation(self, now: float) -> None:
        self._activate_next = False
        self._set(_Status.ACTIVATION_INITIATED)
        self._begin_task(_Task.ACTIVATE, now + self._timing.activate_seconds)

    def _erased(self) -> None:
        self._begin_transfer(*self._erasing)
        self._storage.keep(self._record, self.blocks)

    def _verified(self) -> None:
        sha256 = self._storage.image_sha256(self.image.size)
        if self._judgement.verification(Candidate(self.image.identifier, self.image.size, sha256)):
            good = replace(self.image, status=_Status.VERIFICATION_SUCCESSFUL, sha256=sha256)
            self._record = replace(self._record, image=good)
            if self._activate_next:
                self._begin_activation(self._due)
        else:
            self._set(_Status.VERIFICATION_FAILED)
        self._storage.keep(self._record, self.blocks)

    def _activated(self) -> None:
        image = self.image
        if self._judgement.activation(Candidate(image.identifier, image.size, image.sha256)):
            self._storage.install(image.size)
            self._run_new_firmware()
        else:
            self._set(_Status.ACTIVATION_FAILED)
        self._record = replace(self._record, reboots=self._record.reboots + 1)
        self._storage.keep(self._record, self.blocks)
        self._begin_task(_Task.REBOOT, self._due + self._timing.reboot_seconds)

    def _rebooted(self) -> None:
        """The meter is up again."""

    def _run_new_firmware(self) -> None:
        image = replace(self.image, status=_Status.ACTIVATION_SUCCESSFUL)
        self._record = replace(
            self._record, image=image, firmware_identifier=image.identifier, firmware_sha256=image.sha256
        )

    def _power_up(self) -> None:
        """Go on where the process before this one ended, whenever that was."""
        image = self.image
        if image.status is _Status.VERIFICATION_INITIATED:
            self._begin_task(_Task.VERIFY, self._monotonic() + self._timing.verify_seconds)
        elif image.status is _Status.ACTIVATION_INITIATED:
            if self._storage.active_sha256() == image.sha256:
                self._run_new_firmware()
            else:
                self._set(_Status.VERIFICATION_SUCCESSFUL)
        elif image.status is _Status.TRANSFER_INITIATED and image.block_size != self.block_size:
            # It was configured anew in between: blocks of another size cannot be gone on with.
            self._record = replace(
                self._record, image=ImageRecord(transfer=image.transfer, enabled=image.enabled)
            )
            self.blocks = BlockMap(0)
        self._storage.keep(self._record, self.blocks)
