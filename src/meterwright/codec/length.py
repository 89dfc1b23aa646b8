"""The length coding shared by A-XDR (IEC 61334-6) and BER (X.690), and the ways octets can end too early.

0..127 is one octet; otherwise 0x80 | n is followed by n octets, big endian. Non-minimal codings (82 00 05) come from
real meters and are accepted; the indefinite form (80) and more than four octets of length are refused.
"""

import struct
from typing import Final

from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["decode_length", "encode_length", "length_octets", "truncated"]

_LONGEST_LENGTH: Final = 4
_ONE_OCTET: Final = tuple(bytes((length,)) for length in range(0x80))
_three_octets: Final = struct.Struct(">BH").pack
_LONG_FORMS: Final = tuple(bytes((0x80 | size,)) for size in range(_LONGEST_LENGTH + 1))


def truncated(octets: bytes, needed: int, what: str = "field") -> RemoteProtocolError:
    """The error for octets that end before `needed`, an offset one past the last octet wanted."""
    return RemoteProtocolError(
        f"the octets end too early: a {what} needs {needed - len(octets)} more",
        offset=len(octets),
        layer="codec",
    )


def decode_length(octets: bytes, position: int) -> tuple[int, int]:
    """The length that starts at `position`, and the position after it."""
    first = octets[position]
    if first < 0x80:
        return first, position + 1
    size = first & 0x7F
    if not 1 <= size <= _LONGEST_LENGTH:
        raise RemoteProtocolError(
            f"{first:02x} is no length: 1 to {_LONGEST_LENGTH} octets may follow",
            offset=position,
            layer="codec",
        )
    end = position + 1 + size
    if end > len(octets):
        raise truncated(octets, end, "length")
    return int.from_bytes(octets[position + 1 : end], "big"), end


def length_octets(length: int) -> bytes:
    """`length` in its shortest form."""
    if 0 <= length < 0x80:
        return _ONE_OCTET[length]
    if 0xFF < length <= 0xFFFF:
        return _three_octets(0x82, length)
    size = (length.bit_length() + 7) // 8
    if size > _LONGEST_LENGTH:
        raise LocalProtocolError(f"a length of {length} cannot be coded", layer="codec")
    return _LONG_FORMS[size] + length.to_bytes(size, "big")


def encode_length(length: int, out: bytearray) -> None:
    """Append `length` in its shortest form."""
    out += length_octets(length)
