"""General block transfer: any APDU in blocks, protected once, over any link (Green Book 9.4.6.13)."""

from meterwright.link.gbt.receiver import LONGEST_APDU, BlockReceiver
from meterwright.link.gbt.sender import HIGHEST_NUMBER, LARGEST_WINDOW, BlockSender, block_size
from meterwright.link.gbt.transfer import (
    BlockLimits,
    BlockTransfer,
    Piece,
    TransferEvent,
    TransferFailed,
    TransferWentOn,
    WholeApdu,
)

__all__ = [
    "HIGHEST_NUMBER",
    "LARGEST_WINDOW",
    "LONGEST_APDU",
    "BlockLimits",
    "BlockReceiver",
    "BlockSender",
    "BlockTransfer",
    "Piece",
    "TransferEvent",
    "TransferFailed",
    "TransferWentOn",
    "WholeApdu",
    "block_size",
]
