"""What an update reads from a meter: its name, what runs, and where its image transfer stands.

Every read is repeated over a lost line. Where meters refuse what the standard lets them refuse, None stands for it.
"""

from dataclasses import dataclass

from meterwright.cosem import BlockSize, DataObject, ImageToActivateInfo, ImageTransfer
from meterwright.errors import DataAccessError, RemoteProtocolError
from meterwright.firmware.nameplate import Elsewhere, text_of
from meterwright.firmware.policy import UpdatePolicy
from meterwright.firmware.reach import Reach
from meterwright.values import BitString, DataAccessResult, ImageTransferStatus

__all__ = ["BUSY", "TransferState", "UpdatedMeter"]

BUSY = frozenset({DataAccessResult.TEMPORARY_FAILURE, DataAccessResult.HARDWARE_FAULT})
"""What meters answer to a read while they verify or activate."""


@dataclass(frozen=True, slots=True)
class TransferState:
    """Where an image transfer stands: attributes 2, 3, 4, 5 and 6. `bits` is None where the meter refuses attribute 3."""

    block_size: BlockSize
    status: ImageTransferStatus
    enabled: bool
    bits: BitString | None
    first_missing: int


class UpdatedMeter:
    """The objects of one meter that an update needs. `elsewhere` reads what runs, where the firmware's client is not to."""

    def __init__(self, reach: Reach, policy: UpdatePolicy, elsewhere: Elsewhere | None = None) -> None:
        self.reach = reach
        self.elsewhere = elsewhere
        self.transfer = ImageTransfer(reach.client, policy.image_transfer_object)
        self._name = DataObject(reach.client, policy.name_object)
        self._version = DataObject(reach.client, policy.version_object)

    async def name(self) -> str | None:
        """The logical device name; None where the meter does not tell it."""
        return await text_of(self.reach, self._name)

    async def version(self) -> str | None:
        """What runs now; None where the meter does not tell it in this association."""
        return await text_of(self.reach, self._version)

    async def status(self) -> ImageTransferStatus | None:
        """Attribute 6; None where the meter is too busy to say."""
        try:
            return await self.reach.read(self.transfer.image_transfer_status.get)
        except DataAccessError as error:
            if error.result in BUSY:
                return None
            raise

    async def first_missing(self) -> int:
        """Attribute 4."""
        return await self.reach.read(self.transfer.image_first_not_transferred_block_number.get)

    async def block_map_bits(self) -> BitString | None:
        """Attribute 3; None where the meter refuses it."""
        try:
            return await self.reach.read(self.transfer.image_transferred_blocks_status.get)
        except DataAccessError:
            return None

    async def state(self) -> TransferState:
        """All of it, in one association: the block size is good only for that one."""
        while True:
            state = await self._state()
            if not self.reach.client.is_associated:
                await self.reach.again()
            elif state.block_size.association is self.reach.client.association:
                return state

    async def _state(self) -> TransferState:
        transfer = self.transfer
        return TransferState(
            enabled=await self.reach.read(transfer.image_transfer_enabled.get),
            status=await self.reach.read(transfer.image_transfer_status.get),
            first_missing=await self.first_missing(),
            bits=await self.block_map_bits(),
            block_size=await self.reach.read(transfer.image_block_size.get),
        )

    async def activate_info(self) -> tuple[ImageToActivateInfo, ...] | None:
        """Attribute 7; None where the meter refuses it or gives no such thing."""
        try:
            return await self.reach.read(self.transfer.image_to_activate_info.get)
        except (DataAccessError, RemoteProtocolError):
            return None
