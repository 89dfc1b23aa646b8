"""One APDU of ours, cut into blocks that fit what the other side takes. Any block can be had again until all is acknowledged."""

from dataclasses import dataclass
from typing import Final

from meterwright.codec import length_octets
from meterwright.errors import LocalProtocolError

__all__ = ["HIGHEST_NUMBER", "LARGEST_PDU", "LARGEST_WINDOW", "BlockSender", "block_size"]

HIGHEST_NUMBER: Final = 0xFFFF
"""Block numbers do not begin anew: what needs more of them does not get through."""

LARGEST_WINDOW: Final = 63
LARGEST_PDU: Final = 0xFFFF
"""What every link carries at once."""
_HEADER: Final = 6


def block_size(max_pdu: int) -> int:
    """The most block data that fit an APDU of `max_pdu` octets (0: no limit): tag, control, two numbers and a length go off."""
    limit = max_pdu or LARGEST_PDU
    size = limit - _HEADER - 1
    while size > 0 and _HEADER + len(length_octets(size)) + size > limit:
        size -= 1
    return max(size, 0)


@dataclass(frozen=True, slots=True)
class BlockSender:
    """The blocks of one APDU, numbered from `first`: what this side sent before, acknowledging, has the numbers below."""

    apdu: bytes
    size: int
    first: int = 1

    def __post_init__(self) -> None:
        if self.size < 1 or self.last > HIGHEST_NUMBER:
            raise LocalProtocolError(
                f"an APDU of {len(self.apdu)} octets has no place in {HIGHEST_NUMBER} blocks of {self.size}",
                layer="gbt",
                hint="send less at once",
            )

    @property
    def last(self) -> int:
        """The number of the last block."""
        return self.first + max(0, len(self.apdu) - 1) // self.size

    def data(self, number: int) -> bytes:
        """The data of a block; those before the first carried none."""
        if number < self.first:
            return b""
        start = (number - self.first) * self.size
        return self.apdu[start : start + self.size]
