"""Which blocks of an image the meter holds: read from its attributes 3 and 4, neither of which is always right.

Attribute 3 is a bit string, the first block leftmost; only as many bits count as the image has blocks. Attribute 4 is the
lowest missing block. Where the two disagree, a block counts as held only if both say so: sending one again does no harm,
missing one does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from meterwright.values import BitString, Finding, Level

__all__ = ["BlockMap", "reconciled"]

_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


@dataclass(frozen=True, slots=True)
class BlockMap:
    """The blocks of an image of `total` blocks, as a number whose bit n stands for block n.

    `bits_read` is how many bits attribute 3 had, where the map comes from there.
    """

    total: int
    bits: int
    bits_read: int | None = field(default=None, compare=False)

    @classmethod
    def from_bits(cls, bits: BitString, total: int) -> "BlockMap":
        """From attribute 3. Bits beyond the last block are passed over, missing ones count as missing blocks."""
        # Block 0 is the most significant bit of the first octet; as a number, it shall be the least significant.
        held = int.from_bytes(bits.octets.translate(_REVERSED), "little")
        return cls(total, held & ((1 << min(total, bits.length)) - 1), bits.length)

    @classmethod
    def up_to(cls, first_missing: int, total: int) -> "BlockMap":
        """From attribute 4 alone: everything below it is held, nothing else is known to be."""
        return cls(total, (1 << min(first_missing, total)) - 1)

    @property
    def count(self) -> int:
        """How many blocks are held."""
        return self.bits.bit_count()

    @property
    def is_full(self) -> bool:
        """Whether nothing is missing."""
        return self.count == self.total

    @property
    def first_missing(self) -> int:
        """The lowest block that is missing; the number of blocks where none is."""
        absent = ~self.bits & ((1 << self.total) - 1)
        return (absent & -absent).bit_length() - 1 if absent else self.total

    def has(self, number: int) -> bool:
        """Whether a block is held."""
        return bool(self.bits >> number & 1)

    def present(self) -> Iterator[int]:
        """The blocks that are held, ascending."""
        return _ones(self.bits)

    def missing(self) -> Iterator[int]:
        """The blocks that are missing, ascending."""
        return _ones(~self.bits & ((1 << self.total) - 1))

    def is_within(self, other: "BlockMap") -> bool:
        """Whether every block held here is held there too."""
        return not self.bits & ~other.bits

    def with_blocks(self, numbers: "set[int]") -> "BlockMap":
        """This map and some blocks more."""
        return BlockMap(self.total, self.bits | sum(1 << number for number in numbers))

    def to_bits(self) -> BitString:
        """As attribute 3 would have it."""
        octets = self.bits.to_bytes((self.total + 7) // 8, "little").translate(_REVERSED)
        return BitString(octets, self.total)


def _ones(bits: int) -> Iterator[int]:
    for index, digit in enumerate(reversed(f"{bits:b}")):
        if digit == "1":
            yield index


def reconciled(bits: BitString | None, first_missing: int, total: int) -> tuple[BlockMap, Finding | None]:
    """The map that attributes 3 (None where the meter refuses it) and 4 make together, and what is odd about them."""
    below = BlockMap.up_to(first_missing, total)
    if bits is None:
        return below, None
    straight = BlockMap.from_bits(bits, total)
    if _agrees(straight, first_missing):
        return straight, None
    backwards = BlockMap.from_bits(BitString(bits.octets.translate(_REVERSED), bits.length), total)
    if _agrees(backwards, first_missing):
        return backwards, Finding(
            Level.WARNING,
            "block-map-reversed",
            "the block map has its bits reversed in every octet: read accordingly",
        )
    return BlockMap(total, straight.bits & below.bits, bits.length), Finding(
        Level.WARNING,
        "block-map-disagrees",
        f"the block map misses block {straight.first_missing} first, attribute 4 says {first_missing}:"
        " what either misses is sent again",
    )


def _agrees(blocks: BlockMap, first_missing: int) -> bool:
    return blocks.first_missing == min(first_missing, blocks.total)
