"""The octets that tie an answer to its request, and say how the request is to be served.

Invoke-Id-And-Priority (u8) of GET, SET and ACTION, Long-Invoke-Id-And-Priority (u32) of ACCESS and
DataNotification (Green Book, COSEM APDU definitions). An answer repeats the request's, reserved bits
included, so those are kept. Refused, with ValueError: numbers that do not fit their bits.
"""

from dataclasses import dataclass
from typing import Self

__all__ = ["InvokeIdAndPriority", "LongInvokeIdAndPriority"]

_LONG_ID = 0x00FF_FFFF


@dataclass(frozen=True, slots=True)
class InvokeIdAndPriority:
    """Bits 0-3 invoke id, 4-5 reserved, 6 confirmed, 7 high priority. The usual octet is C1."""

    invoke_id: int
    confirmed: bool = True
    high_priority: bool = True
    reserved: int = 0

    def __post_init__(self) -> None:
        _require("invoke id", self.invoke_id, 0xF)
        _require("reserved bits", self.reserved, 0x3)

    @staticmethod
    def from_octet(octet: int) -> "InvokeIdAndPriority":
        """The value of an octet; every octet has one, made once when this module loads."""
        try:
            return _BY_OCTET[octet]
        except KeyError:
            raise ValueError(f"{octet} is not an octet") from None

    def to_octet(self) -> int:
        """The octet, 0..255."""
        return self.invoke_id | self.reserved << 4 | self.confirmed << 6 | self.high_priority << 7

    def with_id(self, invoke_id: int) -> "InvokeIdAndPriority":
        """The same service class and priority for another request."""
        _require("invoke id", invoke_id, 0xF)
        return _BY_OCTET[self.to_octet() & 0xF0 | invoke_id]


@dataclass(frozen=True, slots=True)
class LongInvokeIdAndPriority:
    """Bits 0-23 invoke id, 24-27 reserved, 28 self-descriptive, 29 break on error, then as in the short one.

    30 is confirmed, 31 high priority.
    """

    invoke_id: int
    self_descriptive: bool = False
    break_on_error: bool = False
    confirmed: bool = True
    high_priority: bool = True
    reserved: int = 0

    def __post_init__(self) -> None:
        _require("long invoke id", self.invoke_id, _LONG_ID)
        _require("reserved bits", self.reserved, 0xF)

    @classmethod
    def from_int(cls, number: int) -> Self:
        """The value of an unsigned 32-bit number; each has one."""
        _require("long-invoke-id-and-priority", number, 0xFFFF_FFFF)
        return cls(
            invoke_id=number & _LONG_ID,
            self_descriptive=bool(number >> 28 & 1),
            break_on_error=bool(number >> 29 & 1),
            confirmed=bool(number >> 30 & 1),
            high_priority=bool(number >> 31 & 1),
            reserved=number >> 24 & 0xF,
        )

    def to_int(self) -> int:
        """The unsigned 32-bit number."""
        return (
            self.invoke_id
            | self.reserved << 24
            | self.self_descriptive << 28
            | self.break_on_error << 29
            | self.confirmed << 30
            | self.high_priority << 31
        )

    def with_id(self, invoke_id: int) -> Self:
        """The same options for another request."""
        _require("long invoke id", invoke_id, _LONG_ID)
        return self.from_int(self.to_int() & ~_LONG_ID | invoke_id)


def _require(what: str, number: int, limit: int) -> None:
    if not 0 <= number <= limit:
        raise ValueError(f"{what} must be 0..{limit}, not {number}")


_BY_OCTET = {
    octet: InvokeIdAndPriority(
        invoke_id=octet & 0xF,
        confirmed=bool(octet >> 6 & 1),
        high_priority=bool(octet >> 7),
        reserved=octet >> 4 & 0x3,
    )
    for octet in range(256)
}
