"""Image transfer (class 18) of a simulated meter: the image machine behind its attributes and methods.

Every call is counted, also the one that is refused, and what it changed is kept before its answer leaves.
"""

from meterwright.cosem import BlockSize, ImageBlock, ImageInitiation, ImageToActivateInfo, ImageTransfer
from meterwright.data import Data, double_long_unsigned
from meterwright.server import ActionOutcome
from meterwright.simulator.behaviour import Behaviour, invokes, reads, writes
from meterwright.simulator.image_machine import ImageMachine
from meterwright.values import ActionResult, BitString, ImageTransferStatus, Obis

__all__ = ["BLOCK_OVERHEAD", "ImageTransferBehaviour", "largest_block"]

BLOCK_OVERHEAD = 21
"""Octets of an image_block_transfer request around its block, but for those of the block's own length."""
_SEAL_OVERHEAD = 5 + 12
"""Octets that protection puts around an APDU, behind its own tag and length: security header, authentication tag."""


def largest_block(max_receive_pdu_size: int, *, sealed: bool = False) -> int:
    """The longest block whose request fits a PDU of that size (0: any), `sealed` where it is protected."""
    if not max_receive_pdu_size:
        return 0xFFFF
    room = max_receive_pdu_size
    if sealed:
        room = _content_of(room - 1) - _SEAL_OVERHEAD
    return max(_content_of(room - BLOCK_OVERHEAD), 0)


def _content_of(room: int) -> int:
    """How many octets fit in that many, beside the octets that say how many they are."""
    return max(min(room - 1, 0x7F), min(room - 2, 0xFF), min(room - 3, 0xFFFF))


class ImageTransferBehaviour(Behaviour, implements=ImageTransfer):
    """The object of one image machine."""

    def __init__(self, machine: ImageMachine, logical_name: Obis | str = "0.0.44.0.0.255") -> None:
        super().__init__(logical_name)
        self._machine = machine

    def invoke(self, method_id: int, parameters: Data | None) -> ActionOutcome:
        method = self.interface.methods.get(method_id)
        if method is None:
            return super().invoke(method_id, parameters)
        serve = super().invoke
        return self._machine.called(method.name, lambda: serve(method_id, parameters))

    @reads(ImageTransfer.image_block_size)
    def block_size(self) -> BlockSize:
        # A block size is only ever read, here from what the meter would send.
        return ImageTransfer.image_block_size.type.from_data(double_long_unsigned(self._machine.block_size))

    @reads(ImageTransfer.image_transferred_blocks_status)
    def transferred_blocks(self) -> BitString:
        return self._machine.blocks.to_bit_string()

    @reads(ImageTransfer.image_first_not_transferred_block_number)
    def first_not_transferred(self) -> int:
        return self._machine.blocks.first_missing

    @reads(ImageTransfer.image_transfer_enabled)
    def enabled(self) -> bool:
        return self._machine.image.enabled

    @writes(ImageTransfer.image_transfer_enabled)
    def enable(self, value: bool) -> None:
        self._machine.enable(enabled=value)

    @reads(ImageTransfer.image_transfer_status)
    def status(self) -> ImageTransferStatus:
        return self._machine.image.status

    @reads(ImageTransfer.image_to_activate_info)
    def to_activate(self) -> tuple[ImageToActivateInfo, ...]:
        return self._machine.info

    @invokes(ImageTransfer.image_transfer_initiate)
    def initiate(self, initiation: ImageInitiation) -> ActionResult:
        return self._machine.initiate(initiation.image_identifier, initiation.image_size)

    @invokes(ImageTransfer.image_block_transfer)
    def transfer(self, block: ImageBlock) -> ActionResult:
        return self._machine.transfer(block.number, block.octets)

    @invokes(ImageTransfer.image_verify)
    def verify(self, _: None) -> ActionResult:
        return self._machine.verify()

    @invokes(ImageTransfer.image_activate)
    def activate(self, _: None) -> ActionResult:
        return self._machine.activate()
