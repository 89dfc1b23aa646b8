"""The not-a-numbers of float32 (IEEE 754), bit for bit: a conversion by the processor makes all of them quiet ones."""

import struct

__all__ = ["nan_from_single", "single_from_nan"]

_double = struct.Struct(">d")
_MORE_BITS = 29  # so many more has the fraction of a double than that of a single
_SIGN = 1 << 31
_EXPONENT = 0xFF << 23
_DOUBLE_EXPONENT = 0x7FF << 52
_FRACTION = (1 << 23) - 1
_QUIET = 1 << 22


def nan_from_single(octets: bytes) -> float:
    """The not-a-number whose four octets these are, with its sign and all bits of its fraction."""
    single = int.from_bytes(octets, "big")
    double = (single & _SIGN) << 32 | _DOUBLE_EXPONENT | (single & _FRACTION) << _MORE_BITS
    number: float = _double.unpack(double.to_bytes(8, "big"))[0]
    return number


def single_from_nan(number: float) -> bytes:
    """The four octets of a not-a-number; one that only a double can hold becomes the plain quiet one."""
    double = int.from_bytes(_double.pack(number), "big")
    fraction = double >> _MORE_BITS & _FRACTION or _QUIET
    return (double >> 32 & _SIGN | _EXPONENT | fraction).to_bytes(4, "big")
