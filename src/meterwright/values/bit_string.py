"""Bit strings: the bit-string type of A-XDR, most of all the block map of an image transfer.

Bit 0 is the most significant bit of the first octet (Green Book, A-XDR; image_transferred_blocks_status has
the image's first block there). Padding bits of the last octet are kept as the meter sent them. A map may
have a million bits, so counting and searching work on whole octets. Refused, with ValueError: a length
that does not fit the octets.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

__all__ = ["BitString"]

_LONGEST_REPR = 64


@dataclass(frozen=True, slots=True, repr=False)
class BitString:
    """`length` bits in `octets`. Two are equal when the octets are, padding included."""

    octets: bytes
    length: int

    def __post_init__(self) -> None:
        if self.length < 0 or len(self.octets) != (self.length + 7) // 8:
            raise ValueError(f"{self.length} bits do not take {len(self.octets)} octets")

    @classmethod
    def from_bits(cls, bits: Iterable[bool]) -> Self:
        """From truth values, bit 0 first; padded with zeros."""
        return cls.from_text("".join("1" if bit else "0" for bit in bits))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From a text like `"0101"`, bit 0 first; padded with zeros."""
        if not set(text) <= {"0", "1"}:
            raise ValueError(f"a bit string is written with 0 and 1 only, not {text[:_LONGEST_REPR]!r}")
        size = (len(text) + 7) // 8
        # The base must be a power of two: int() takes quadratic time for others.
        number = int(text.ljust(size * 8, "0"), 2) if text else 0
        return cls(number.to_bytes(size, "big"), len(text))

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        """Whether there are any bits at all, as for every sequence."""
        return self.length > 0

    def __getitem__(self, index: int) -> bool:
        position = index + self.length if index < 0 else index
        if not 0 <= position < self.length:
            raise IndexError(f"bit {index} of a bit string of {self.length}")
        return bool(self.octets[position >> 3] & 0x80 >> (position & 7))

    def __iter__(self) -> Iterator[bool]:
        return (bool(self.octets[i >> 3] & 0x80 >> (i & 7)) for i in range(self.length))

    def count(self) -> int:
        """How many bits are 1; padding does not count."""
        return self._significant().bit_count()

    def first_zero(self) -> int | None:
        """Index of the first 0, or None if all are 1."""
        return next(self.zeros(), None)

    def zeros(self) -> Iterator[int]:
        """Indices of all 0 bits, ascending: the blocks still missing, where this is a block map."""
        for position, octet in enumerate(self.octets):
            if octet != 0xFF:
                start = position * 8
                yield from (
                    start + bit for bit in range(min(8, self.length - start)) if not octet & 0x80 >> bit
                )

    def to_bits(self) -> tuple[bool, ...]:
        """All bits as truth values."""
        return tuple(self)

    def to_text(self) -> str:
        """All bits as `"0101"`, however many there are."""
        return f"{self._significant():0{self.length}b}" if self.length else ""

    def __repr__(self) -> str:
        if self.length <= _LONGEST_REPR:
            return f"BitString.from_text('{self.to_text()}')"
        return f"<BitString of {self.length} bits, {self.count()} of them 1>"

    def _significant(self) -> int:
        """The bits as one number, without the padding."""
        return int.from_bytes(self.octets, "big") >> (-self.length % 8)
