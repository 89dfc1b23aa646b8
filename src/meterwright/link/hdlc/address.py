"""HDLC addresses (IEC 62056-46 6.4.2): one, two or four octets, each with a low bit that tells whether more follow.

========  ====================================================  ==========================
octets    on the wire (u upper, l lower)                        range
========  ====================================================  ==========================
1         ``u<<1|1``                                            u 7 bits, no lower address
2         ``u<<1`` ``l<<1|1``                                   7 bits each
4         ``(u>>7)<<1`` ``(u&7F)<<1`` ``(l>>7)<<1`` ``(l&7F)<<1|1``   14 bits each
========  ====================================================  ==========================

The upper address is the SAP: of the client, or of a logical device in the meter. The lower one tells meters on one line
apart. A client's address has one octet in all that a client sends; some meters push to one of two octets.

How many octets an address takes says nothing about whom it means, so `matches` compares what is meant; but a meter that
is set to one length stays silent on the others. Decoding takes whatever has the form; what *we* would use is checked.
"""

from dataclasses import dataclass, field
from typing import Final

from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["ALL_STATIONS", "CALLING_STATION", "NO_STATION", "HdlcAddress"]

NO_STATION: Final = 0
CALLING_STATION: Final = 0x3FFE
ALL_STATIONS: Final = 0x3FFF
"""Special addresses in 14 bits; in an address of one or two octets they have 7 (7E, 7F)."""

_BITS: Final = {1: 7, 2: 7, 4: 14}
_LARGEST_CLIENT: Final = 0x7E


@dataclass(frozen=True, slots=True)
class HdlcAddress:
    """An address of `size` octets; only one of a single octet has no lower part."""

    upper: int
    lower: int | None = None
    size: int = 1
    octets: bytes = field(init=False, repr=False, compare=False)
    """How it stands on the wire."""

    def __post_init__(self) -> None:
        bits = _BITS.get(self.size)
        if bits is None:
            raise _unusable(f"an HDLC address has 1, 2 or 4 octets, not {self.size}")
        if (self.lower is None) != (self.size == 1):
            raise _unusable("an HDLC address of 2 or 4 octets has a lower part, one of 1 octet has none")
        for part in (self.upper, self.lower or 0):
            if not 0 <= part < 1 << bits:
                raise _unusable(f"{part} does not fit an HDLC address of {self.size} octets")
        object.__setattr__(self, "octets", _encoded(self.upper, self.lower, self.size))

    @classmethod
    def of_client(cls, sap: int) -> "HdlcAddress":
        """The address of a client. LocalProtocolError unless 1..126."""
        if not 1 <= sap <= _LARGEST_CLIENT:
            raise _unusable(f"a client's address over HDLC is 1..{_LARGEST_CLIENT}, not {sap}")
        return cls(sap)

    @classmethod
    def of_server(cls, upper: int, lower: int | None = None, size: int | None = None) -> "HdlcAddress":
        """The address of a logical device in the meter `lower`, as short as it can be unless `size` is given."""
        if size is None:
            size = 1 if lower is None else 2
            if max(upper, lower or 0) > 0x7F:
                size = 4
        if upper == NO_STATION or (lower == NO_STATION and size > 1):
            raise _unusable("0 is the address of no station")
        return cls(upper, lower, size)

    @property
    def is_all_stations(self) -> bool:
        """Whether every meter on the line is meant, for which none answers."""
        return _meaning(self.upper if self.lower is None else self.lower, self.size) == ALL_STATIONS

    def matches(self, other: "HdlcAddress") -> bool:
        """Whether both mean the same station. An address without lower part leaves open which one is meant."""
        if _meaning(self.upper, self.size) != _meaning(other.upper, other.size):
            return False
        if self.lower is None or other.lower is None:
            return True
        return _meaning(self.lower, self.size) == _meaning(other.lower, other.size)

    @staticmethod
    def from_octets(octets: bytes) -> "HdlcAddress":
        """The address that `octets` are. RemoteProtocolError where they are none."""
        if address_size(octets, 0) != len(octets):
            raise RemoteProtocolError(f"{octets.hex()} is no HDLC address", layer="hdlc")
        match tuple(octet >> 1 for octet in octets):
            case (upper,):
                return HdlcAddress(upper)
            case (upper, lower):
                return HdlcAddress(upper, lower, 2)
            case (high, upper, lower_high, lower):
                return HdlcAddress(high << 7 | upper, lower_high << 7 | lower, 4)
            case parts:
                raise AssertionError(parts)

    def __str__(self) -> str:
        text = f"{self.upper}" if self.lower is None else f"{self.upper}/{self.lower}"
        return f"{text} ({self.size} {'octet' if self.size == 1 else 'octets'})"


def address_size(octets: bytes | bytearray, start: int) -> int | None:
    """How many octets the address at `start` has; 0 where it can be none, None where it is not whole yet."""
    have = len(octets) - start
    if have > 0 and octets[start] & 1:
        return 1
    if have > 1 and octets[start + 1] & 1:
        return 2
    if have > 2 and octets[start + 2] & 1:
        return 0
    if have > 3:
        return 4 if octets[start + 3] & 1 else 0
    return None


def _meaning(part: int, size: int) -> int:
    """The part with special addresses as they stand in 14 bits."""
    return part | 0x3F80 if size < 4 and part >= 0x7E else part


def _encoded(upper: int, lower: int | None, size: int) -> bytes:
    if lower is None:
        return bytes((upper << 1 | 1,))
    if size == 2:
        return bytes((upper << 1, lower << 1 | 1))
    return bytes((upper >> 7 << 1, (upper & 0x7F) << 1, lower >> 7 << 1, (lower & 0x7F) << 1 | 1))


def _unusable(what: str) -> LocalProtocolError:
    return LocalProtocolError(what, layer="hdlc", hint="see the meter's HDLC set-up for its address")
