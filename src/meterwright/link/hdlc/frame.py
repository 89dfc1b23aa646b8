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

_FLAG: Final = bytes((FLAG,))
_FORMAT: Final = 0xA0
_FORMAT_MASK: Final = 0xF0
_SEGMENTED: Final = 0x08
_POLL: Final = 0x10
_new: Final = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # generic, as it should be
"""Makes a frame for less than calling `Frame`."""
_REMEMBERED: Final = 1024
"""Headers that are kept: few stations speak on a line, and they say much the same. They hold no secret."""


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
        destination, source, what, information, segmented = self
        addresses = destination.octets + source.octets
        return encode_frame(addresses, what.octet, information, segmented=segmented)

    @staticmethod
    def from_octets(octets: bytes) -> "Frame":
        """The frame that stands in `octets`, without its flags. RemoteProtocolError where it is none."""
        size = len(octets)
        if (
            size < SHORTEST_FRAME
            or (octets[0] << 8 | octets[1]) & ~(_SEGMENTED << 8) != (_FORMAT << 8) + size
        ):
            raise _wrong_beginning(octets)
        end = SHORTEST_FRAME if octets[2] & octets[3] & 1 else _header_size(octets)
        destination, source, what, segmented = _header(octets[:end])
        if size == end:
            return _new(Frame, (destination, source, what, b"", segmented))
        checked = octets[end:]
        if size < end + CHECK_SIZE or not is_intact(checked, AFTER_CHECK):
            raise _broken("the frame's check sequence is wrong", size - CHECK_SIZE)
        return _new(Frame, (destination, source, what, checked[:-CHECK_SIZE], segmented))


def encode_frame(
    addresses: bytes, control_octet: int, information: bytes = b"", *, segmented: bool = False
) -> bytes:
    """A frame between its flags, from the octets of both addresses. LocalProtocolError where it is too long."""
    header = _encoded_header(addresses, control_octet, len(information), segmented)
    if not information:
        return header + _FLAG
    return b"".join((header, information, check_sequence(information, AFTER_CHECK), _FLAG))


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


@lru_cache(maxsize=_REMEMBERED)
def _encoded_header(addresses: bytes, control_octet: int, size: int, segmented: bool, /) -> bytes:
    """Opening flag, header and its check sequence, before so many octets of information."""
    length = 3 + len(addresses) + CHECK_SIZE
    if size:
        length += CHECK_SIZE + size
    if length > LONGEST_FRAME:
        raise LocalProtocolError(
            f"{size} octets do not fit an HDLC frame", layer="hdlc", hint="send segments"
        )
    first = _FORMAT | (_SEGMENTED if segmented else 0) | length >> 8
    header = b"%c%c%b%c" % (first, length & 0xFF, addresses, control_octet)
    return _FLAG + header + check_sequence(header)


@lru_cache(maxsize=_REMEMBERED)
def _header(octets: bytes) -> tuple[HdlcAddress, HdlcAddress, Control, bool]:
    """What an intact header says: destination, source, control, segmented. What is not intact is not remembered."""
    middle = _address_end(octets, 2)
    end = _address_end(octets, middle)
    if len(octets) < end + 1 + CHECK_SIZE:
        raise _broken("the frame ends within its header", len(octets))
    if not is_intact(octets):
        raise _broken("the header's check sequence is wrong", end + 1)
    destination, source = (
        HdlcAddress.from_octets(octets[2:middle]),
        HdlcAddress.from_octets(octets[middle:end]),
    )
    return destination, source, CONTROLS[octets[end]], octets[0] & _SEGMENTED != 0


def _header_size(octets: bytes) -> int:
    """Octets of the header with its check sequence, by the form of its addresses."""
    return _address_end(octets, _address_end(octets, 2)) + 1 + CHECK_SIZE


def _address_end(octets: bytes, start: int) -> int:
    size = address_size(octets, start)
    if not size:
        raise _broken("no HDLC address, which has 1, 2 or 4 octets", start)
    return start + size


def _wrong_beginning(octets: bytes) -> RemoteProtocolError:
    """Why the first two octets are not those of a frame of this length."""
    if len(octets) < SHORTEST_FRAME:
        return _broken(f"{len(octets)} octets are too few for a frame", 0)
    if octets[0] & _FORMAT_MASK != _FORMAT:
        return _broken(f"frame format {octets[0]:02x} is not type 3", 0)
    return _broken(
        f"the length announced is {announced_length(octets, 0)}, there are {len(octets)} octets", 0
    )


def _broken(what: str, offset: int) -> RemoteProtocolError:
    return RemoteProtocolError(
        what, layer="hdlc", offset=offset, hint="noise on the line, or a wrong baud rate or parity"
    )
