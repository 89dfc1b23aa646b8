"""GeneralBlockTransfer: any APDU in blocks, both ways at once (Green Book 9.3.13 and 9.4.6.13). Only its octets, no rules.

Each side numbers its own blocks from 1, and tells the highest number it has got from the other without a gap.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final

from meterwright.apdu.registry import APDUS
from meterwright.codec import Apdu, Mapped, OctetString, Unsigned, apdu

__all__ = ["BlockControl", "GeneralBlockTransfer"]

_LAST, _STREAMING, _WINDOW = 0x80, 0x40, 0x3F


@dataclass(frozen=True, slots=True)
class BlockControl:
    """block-control: whether it is the last block, whether more come without an answer, how many the sender can take."""

    last_block: bool
    streaming: bool
    window: int

    def __post_init__(self) -> None:
        if not 0 <= self.window <= _WINDOW:
            raise ValueError(f"a window is 0..{_WINDOW} blocks, not {self.window}")

    @classmethod
    def from_octet(cls, octet: int) -> "BlockControl":
        """The value of an octet; each has one."""
        return cls(bool(octet & _LAST), bool(octet & _STREAMING), octet & _WINDOW)

    def to_octet(self) -> int:
        """The octet."""
        return self.last_block * _LAST | self.streaming * _STREAMING | self.window


_CONTROL: Final = Mapped(Unsigned(1), BlockControl.from_octet, BlockControl.to_octet)


@apdu(0xE0, registry=APDUS)
class GeneralBlockTransfer(Apdu):
    """One block; all block data together are one APDU. Without data it only acknowledges."""

    block_control: Annotated[BlockControl, _CONTROL]
    block_number: Annotated[int, Unsigned(2)]
    block_number_ack: Annotated[int, Unsigned(2)]
    block_data: Annotated[bytes, OctetString()] = field(repr=False)
