"""What an FRMR tells (ISO/IEC 13239 5.5.3.4): which frame was refused, and why.

::

    control octet refused | V(R) 3 bits, C/R, V(S) 3 bits, 0 | 0000 Z Y X W
"""

from dataclasses import dataclass
from enum import IntFlag

from meterwright.link.hdlc.frame import CONTROLS, FrameKind

__all__ = ["FrameReject", "RejectReason"]


class RejectReason(IntFlag):
    """Why a frame was refused; several may hold."""

    CONTROL = 0x01
    """W: its control octet is undefined, or not implemented"""
    INFORMATION = 0x02
    """X: it carries information and must not"""
    TOO_LONG = 0x04
    """Y: its information is longer than can be taken"""
    RECEIVE_NUMBER = 0x08
    """Z: its N(R) acknowledges what was never sent"""


_WORDS = {
    RejectReason.CONTROL: "unknown control octet",
    RejectReason.INFORMATION: "information not allowed in it",
    RejectReason.TOO_LONG: "information too long",
    RejectReason.RECEIVE_NUMBER: "N(R) out of range",
}


@dataclass(frozen=True, slots=True)
class FrameReject:
    """The information of an FRMR. `was_response`: whether the refused frame came from a meter."""

    control_octet: int
    send_number: int
    receive_number: int
    reasons: RejectReason
    was_response: bool = False

    def to_octets(self) -> bytes:
        numbers = self.receive_number << 5 | self.was_response << 4 | self.send_number << 1
        return bytes((self.control_octet, numbers, self.reasons))

    @staticmethod
    def from_octets(octets: bytes) -> "FrameReject | None":
        """What was told; None where it was nothing that could be read."""
        if len(octets) < 3:
            return None
        refused, numbers, reasons = octets[:3]
        known = RejectReason(reasons & 0x0F)
        return FrameReject(refused, numbers >> 1 & 7, numbers >> 5, known, bool(numbers & 0x10))

    def __str__(self) -> str:
        kind = CONTROLS[self.control_octet].kind
        name = (
            f"{self.control_octet:02x}"
            if kind is FrameKind.OTHER
            else f"{kind.value} ({self.control_octet:02x})"
        )
        reasons = ", ".join(words for reason, words in _WORDS.items() if reason in self.reasons)
        return f"{name}: {reasons or 'no reason given'}"
