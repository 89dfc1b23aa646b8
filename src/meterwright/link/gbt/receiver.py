"""One APDU of theirs, put together from its blocks: in order, doubled, or ahead of one that is missing.

Refuses more than `longest` octets, and blocks too far ahead; a block that comes twice and differs ends the transfer.
"""

from enum import Enum, auto
from typing import Final

from meterwright.apdu import GeneralBlockTransfer
from meterwright.errors import RemoteProtocolError
from meterwright.link.gbt.sender import LARGEST_WINDOW

__all__ = ["LONGEST_APDU", "BlockReceiver", "Taken"]

LONGEST_APDU: Final = 1024 * 1024
"""Octets after which a transfer is given up."""


class Taken(Enum):
    """What a block was."""

    NEW = auto()
    DOUBLED = auto()
    TOO_FAR = auto()


class BlockReceiver:
    """What has come from the other side in one exchange."""

    def __init__(self, longest: int = LONGEST_APDU) -> None:
        self.in_order = 0
        """The highest number up to which none is missing."""
        self.last: int | None = None
        """The number of the last block, once it is known."""
        self._longest = longest
        self._parts: list[bytes] = []
        self._first = 1  # the number of the first part
        self._ahead: dict[int, bytes] = {}
        self._size = 0
        self._ended = b""  # the data of the last block, once it was taken

    @property
    def highest(self) -> int:
        """The highest number that has come."""
        return max(self._ahead, default=self.in_order)

    @property
    def is_under_way(self) -> bool:
        """Whether data have come."""
        return bool(self._parts or self._ahead)

    @property
    def is_whole(self) -> bool:
        """Whether the last block has come, and none is missing."""
        return self.last is not None and self.in_order >= self.last

    def apdu(self) -> bytes:
        """The whole APDU, once."""
        octets = b"".join(self._parts)
        self._ended = self._parts[-1] if self._parts else b""
        self._parts.clear()
        self._ahead.clear()
        self._size, self.last = 0, None
        return octets

    def ended_with(self, block: GeneralBlockTransfer) -> bool:
        """Whether this is once more the block that an APDU ended with."""
        return block.block_number == self.in_order and bool(self._ended) and block.block_data == self._ended

    def acknowledging(self, number: int) -> bool:
        """A block without data has come; whether it is new. Nothing of theirs can be missing before it."""
        if number <= self.in_order:
            return False
        if not self.is_under_way:
            self.in_order = number
        return True

    def take(self, block: GeneralBlockTransfer) -> Taken:
        """A block of data has come. RemoteProtocolError where it contradicts what came before, or makes too much."""
        number, octets = block.block_number, block.block_data
        if number <= self.in_order or number in self._ahead:
            self._require_same(block)
            return Taken.DOUBLED
        if number > self.in_order + LARGEST_WINDOW + 1:
            return Taken.TOO_FAR
        self._require_place(block)
        if not self.is_under_way:
            self._first = self.in_order + 1
        self._size += len(octets)
        self._ahead[number] = octets
        if block.block_control.last_block:
            self.last = number
        while (following := self._ahead.pop(self.in_order + 1, None)) is not None:
            self._parts.append(following)
            self.in_order += 1
        return Taken.NEW

    def _require_same(self, block: GeneralBlockTransfer) -> None:
        index = block.block_number - self._first
        known = self._parts[index] if 0 <= index < len(self._parts) else self._ahead.get(block.block_number)
        if known is not None and known != block.block_data:
            raise _refusal(f"block {block.block_number} came twice, and differs")

    def _require_place(self, block: GeneralBlockTransfer) -> None:
        number, last = block.block_number, block.block_control.last_block
        if (self.last is not None and number > self.last) or (last and number < self.highest):
            raise _refusal(f"block {number} and the last block contradict each other")
        if self._size + len(block.block_data) > self._longest:
            raise _refusal(f"more than {self._longest} octets in blocks")


def _refusal(what: str) -> RemoteProtocolError:
    return RemoteProtocolError(what, layer="gbt", hint="associate anew")
