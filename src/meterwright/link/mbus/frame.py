"""Long frames of the M-Bus link layer (EN 13757-2 5.3, IEC 60870-5-1 FT1.2) and the DLMS transport layer in them (EN 13757-3).

::

    68 | L | L | 68 | C | A | CI | … | CS | 16      L counts C to the last octet before CS; CS is the sum of these, modulo 256

    CI 00 to 1F     DLMS: bits 0 to 3 number the segments of an APDU from 0, bit 4 marks the last
    CI | STSAP | DTSAP | octets of the APDU         the service access points it travels between

Consumer ports send C 53 or 73 (SND-UD) to A FF (all). Some meters put 256 to 258 octets in a frame, which L can't say, and write it
modulo 256: an L below 3, which no frame can have, is read as that much more.
"""

from dataclasses import dataclass
from typing import Final

from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["LONGEST_FRAME", "START", "STOP", "LongFrame", "Segment", "announced_size"]

START: Final = 0x68
STOP: Final = 0x16
_OVERHEAD: Final = 6
_SHORTEST: Final = 3
_LONGEST: Final = 0x100 + _SHORTEST - 1
LONGEST_FRAME: Final = _LONGEST + _OVERHEAD
"""Octets of the longest frame, with what stands around."""

_LAST: Final = 0x10
_NUMBER: Final = 0x0F
_DLMS: Final = 0x1F


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of an APDU: its number (0 to 15), whether it is the last, and the SAPs it travels between."""

    number: int
    last: bool
    source: int
    destination: int
    octets: bytes

    def to_octets(self) -> bytes:
        """From CI on, as it stands in a frame."""
        if not 0 <= self.number <= _NUMBER:
            raise LocalProtocolError(f"segments are numbered 0 to {_NUMBER}, not {self.number}", layer="mbus")
        ci = self.number | (_LAST if self.last else 0)
        return bytes((ci, self.source, self.destination)) + self.octets


@dataclass(frozen=True, slots=True)
class LongFrame:
    """One frame. `information` begins with CI."""

    control: int
    address: int
    information: bytes

    @property
    def segment(self) -> Segment | None:
        """What it carries of an APDU; None where CI is not one of DLMS."""
        if len(self.information) < 3 or self.information[0] > _DLMS:
            return None
        ci, source, destination = self.information[:3]
        return Segment(ci & _NUMBER, bool(ci & _LAST), source, destination, self.information[3:])

    def to_octets(self) -> bytes:
        """The whole frame. LocalProtocolError where it is too long or too short, even by the way of those meters."""
        body = bytes((self.control, self.address)) + self.information
        if not _SHORTEST <= len(body) <= _LONGEST:
            raise LocalProtocolError(f"{len(body)} octets do not fit an M-Bus frame", layer="mbus")
        length = len(body) & 0xFF
        return bytes((START, length, length, START)) + body + bytes((sum(body) & 0xFF, STOP))

    @staticmethod
    def from_octets(octets: bytes) -> "LongFrame":
        """The frame that these octets are. RemoteProtocolError where they are none."""
        size = announced_size(octets, 0)
        if size is None:
            raise RemoteProtocolError("no M-Bus long frame, which begins 68 L L 68", layer="mbus", offset=0)
        if size != len(octets):
            raise RemoteProtocolError(
                f"an M-Bus frame of {size} octets was announced, there are {len(octets)}",
                layer="mbus",
                offset=1,
            )
        body = octets[4:-2]
        if octets[-1] != STOP:
            raise RemoteProtocolError(
                f"an M-Bus frame ends in 16, not in {octets[-1]:02x}", layer="mbus", offset=size - 1
            )
        if sum(body) & 0xFF != octets[-2]:
            raise RemoteProtocolError(
                f"the checksum of an M-Bus frame is {octets[-2]:02x}, and {sum(body) & 0xFF:02x} is right",
                layer="mbus",
                offset=size - 2,
                hint="noise on the line, or a wrong baud rate or parity",
            )
        return LongFrame(body[0], body[1], body[2:])


def announced_size(octets: bytes | bytearray, start: int) -> int | None:
    """How many octets the frame that begins at `start` has in all; None where the octets there begin none."""
    head = octets[start : start + 4]
    if len(head) < 4 or head[0] != START or head[3] != START or head[1] != head[2]:
        return None
    return _OVERHEAD + head[1] + (0x100 if head[1] < _SHORTEST else 0)


def may_begin(octets: bytes | bytearray, start: int) -> bool:
    """Whether the octets from `start` on, as far as they have come, can be the beginning of a frame."""
    head = octets[start : start + 4]
    return head[:1] == b"h" and head[1:2] == (head[2:3] or head[1:2]) and head[3:] in (b"", b"h")
