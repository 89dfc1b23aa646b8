"""The check sequences of HDLC: CRC-16/X-25 (ISO/IEC 13239 4.2.5), low octet first, for header (HCS) and frame (FCS).

The polynomial is that of `binascii.crc_hqx`, only that X-25 takes the bits of each octet in the other order. So the octets
are mirrored on the way in and the result on the way out, which leaves all the work to C.

A check sequence that follows its octets brings the register to a constant. So what follows an intact header can be
checked from that constant on, without going over the header again.
"""

from binascii import crc_hqx
from typing import Final

__all__ = ["AFTER_CHECK", "CHECK_SIZE", "INITIAL", "check_sequence", "is_intact"]

INITIAL: Final = 0xFFFF
"""The register before the first octet."""

AFTER_CHECK: Final = 0x1D0F
"""The register after octets and their own check sequence (F0B8 as ISO/IEC 13239 writes it, in mirrored bits)."""

CHECK_SIZE: Final = 2

_MIRRORED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def check_sequence(octets: bytes, register: int = INITIAL) -> bytes:
    """The two octets that follow `octets`, where `register` is what came before."""
    return (crc_hqx(octets.translate(_MIRRORED), register) ^ 0xFFFF).to_bytes(2, "big").translate(_MIRRORED)


def is_intact(octets: bytes, register: int = INITIAL) -> bool:
    """Whether `octets` end with their own check sequence."""
    return crc_hqx(octets.translate(_MIRRORED), register) == AFTER_CHECK
