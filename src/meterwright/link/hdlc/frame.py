"""HDLC frames of format type 3 (IEC 62056-46 6.4): octets to values and back.

::

    7E | format | destination | source | control | HCS | information | FCS | 7E
         1010 S LLL LLLL LLLL          (HCS and FCS, or FCS alone)

S says that the APDU goes on in another frame; L counts the octets between the flags. There is no escaping: 7E may stand
anywhere inside, and only the length tells where a frame ends.

Refused: wrong format or check sequences, addresses of three octets, a length that does not fit. Taken: a frame with HCS
and no information after it, and any control octet (what it means is for the stations to judge).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.hdlc.address import HdlcAddress, address_size
from meterwright.link.hdlc.crc import AFTER_CHECK, CHECK_SIZE, check_sequence, is_intact

__all__ = [
    "CONTROLS",
    "FLAG",
    "LONGEST_FRAME",
    "SHORTEST_FRAME",
    "Control",
    "Frame",
    "FrameKind",
    "control",
    "encode_frame",
]

FLAG: Final = 0x7E
LONGEST_FRAME: Final = 0x7FF
"""Octets between the flags, as many as eleven bits can count."""
SHORTEST_FRAME: Final = 7

_FORMAT: Final = 0xA0
_FORMAT_MASK: Final = 0xF0
_SEGMENTED: Final = 0x08
_POLL: Final = 0x10


class FrameKind(Enum):
    """What a frame is for, by the standard's names."""

    I = "I"  # noqa: E741 - the standard's name
    RR = "RR"
    RNR = "RNR"
    SNRM = "SNRM"
    DISC = "DISC"
    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    UI = "UI"
    OTHER = "a frame that COSEM does not use"

    __hash__ = object.__hash__  # members are single: their names need no hashing for each frame


@dataclass(frozen=True, slots=True)
class Control:
    """What a control octet says. `poll` is P from a client (answer now) and F from a meter (your turn)."""

    octet: int
    kind: FrameKind
    poll: bool
    send_number: int = 0
    receive_number: int = 0


_UNNUMBERED: Final = {
    0x83: FrameKind.SNRM,
    0x43: FrameKind.DISC,
    0x63: FrameKind.UA,
    0x0F: FrameKind.DM,
    0x87: FrameKind.FRMR,
    0x03: FrameKind.UI,
}
_SUPERVISORY: Final = {0x01: FrameKind.RR, 0x05: FrameKind.RNR}


def _control(octet: int) -> Control:
    poll = bool(octet & _POLL)
    if not octet & 1:
        return Control(octet, FrameKind.I, poll, octet >> 1 & 7, octet >> 5)
    if octet & 0x0F in _SUPERVISORY:
        return Control(octet, _SUPERVISORY[octet & 0x0F], poll, receive_number=octet >> 5)
    return Control(octet, _UNNUMBERED.get(octet & ~_POLL, FrameKind.OTHER), poll)


CONTROLS: Final = tuple(map(_control, range(256)))
"""What each control octet says."""

_BY_MEANING: Final[Mapping[tuple[FrameKind, bool, int, int], Control]] = {
    (each.kind, each.poll, each.send_number, each.receive_number): each
    for each in CONTROLS
    if each.kind is not FrameKind.OTHER
}


def control(kind: FrameKind, *, poll: bool = True, send: int = 0, receive: int = 0) -> Control:
    """The control octet of this meaning. LocalProtocolError where there is none."""
    found = _BY_MEANING.get((kind, poll, send, receive))
    if found is None:
        raise LocalProtocolError(
            f"no control octet says {kind.value} with N(S) {send}, N(R) {receive}", layer="hdlc"
        )
    return found


class Frame(NamedTuple):
    """One frame; `segmented` where its APDU goes on in another. A tuple: there is one for every few octets of a line."""

    destination: HdlcAddress
    source: HdlcAddress
    control: Control
    information: bytes = b""
    segmented: bool = False

    def to_octets(self) -> bytes:
        """The frame between its flags. LocalProtocolError where its information is too long."""
        addresses = self.destination.octets + self.source.octets
        return encode_frame(addresses, self.control.octet, self.information, segmented=self.segmented)

    @staticmethod
    def from_octets(octets: bytes) -> "Frame":
        """The frame that stands in `octets`, without its flags. RemoteProtocolError where it is none."""
        if len(octets) < SHORTEST_FRAME:
            raise _broken(f"{len(octets)} octets are too few for a frame", 0)
        first = octets[0]
        if first & _FORMAT_MASK != _FORMAT:
            raise _broken(f"frame format {first:02x} is not type 3", 0)
        if announced_length(octets, 0) != len(octets):
            raise _broken(
                f"the length announced is {announced_length(octets, 0)}, there are {len(octets)} octets", 0
            )
        middle = _address_end(octets, 2)
        end = _address_end(octets, middle)
        destination, source = _addresses(octets[2:middle], octets[middle:end])
        information = _checked_information(octets, end + 1)
        return Frame(destination, source, CONTROLS[octets[end]], information, first & _SEGMENTED != 0)


def encode_frame(
    addresses: bytes, control_octet: int, information: bytes = b"", *, segmented: bool = False
) -> bytes:
    """A frame between its flags, from the octets of both addresses. LocalProtocolError where it is too long."""
    length = 3 + len(addresses) + CHECK_SIZE
    if information:
        length += CHECK_SIZE + len(information)
    if length > LONGEST_FRAME:
        raise LocalProtocolError(
            f"{len(information)} octets do not fit an HDLC frame", layer="hdlc", hint="send segments"
        )
    first = _FORMAT | (_SEGMENTED if segmented else 0) | length >> 8
    header = b"%c%c%b%c" % (first, length & 0xFF, addresses, control_octet)
    if not information:
        return b"~%b%b~" % (header, check_sequence(header))
    return b"~%b%b%b%b~" % (
        header,
        check_sequence(header),
        information,
        check_sequence(information, AFTER_CHECK),
    )


def announced_length(octets: bytes | bytearray, start: int) -> int:
    """How many octets the format field at `start` announces, itself included."""
    return (octets[start] & 0x07) << 8 | octets[start + 1]


def closing_flag(octets: bytes | bytearray, start: int) -> int | None:
    """Where the closing flag of the frame that opens at `start` stands; None where there is none, or not yet."""
    if len(octets) < start + 3 or octets[start + 1] & _FORMAT_MASK != _FORMAT:
        return None
    end = start + 1 + announced_length(octets, start + 1)
    return end if end < len(octets) and octets[end] == FLAG else None


def may_begin(octets: bytes | bytearray, start: int) -> bool:
    """Whether the octets from `start` on, as far as they have come, can be the beginning of a frame.

    A broken header is told as soon as its check sequence is there, long before an invented length has come.
    """
    have = len(octets) - start
    if have > 0 and octets[start] & _FORMAT_MASK != _FORMAT:
        return False
    if have < 2:
        return True
    length = announced_length(octets, start)
    if length < SHORTEST_FRAME or (have > length and octets[start + length] != FLAG):
        return False
    header = 2
    for _ in range(2):
        size = address_size(octets, start + header)
        if not size:
            return size is None
        header += size
    end = header + 1 + CHECK_SIZE
    if length < end:
        return False
    return have < end or is_intact(bytes(octets[start : start + end]))


def _address_end(octets: bytes, start: int) -> int:
    size = address_size(octets, start)
    if not size:
        raise _broken("no HDLC address, which has 1, 2 or 4 octets", start)
    return start + size


@lru_cache(maxsize=256)
def _addresses(destination: bytes, source: bytes) -> tuple[HdlcAddress, HdlcAddress]:
    """Both, remembered: few stations speak on a line, and they speak often."""
    return HdlcAddress.from_octets(destination), HdlcAddress.from_octets(source)


def _checked_information(octets: bytes, header: int) -> bytes:
    checked = header + CHECK_SIZE
    if len(octets) < checked:
        raise _broken("the frame ends within its header", len(octets))
    if not is_intact(octets[:checked]):
        raise _broken("the header's check sequence is wrong", header)
    if len(octets) == checked:
        return b""
    if len(octets) < checked + CHECK_SIZE or not is_intact(octets[checked:], AFTER_CHECK):
        raise _broken("the frame's check sequence is wrong", len(octets) - CHECK_SIZE)
    return octets[checked:-CHECK_SIZE]


def _broken(what: str, offset: int) -> RemoteProtocolError:
    return RemoteProtocolError(
        what, layer="hdlc", offset=offset, hint="noise on the line, or a wrong baud rate or parity"
    )
