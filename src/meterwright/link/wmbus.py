"""Wireless M-Bus (EN 13757-4), as far as it carries DLMS: telegrams of frame formats A and B. Read; encoded for tests and tools.

::

    L | C | M M | A A A A A A | CI …        M is the maker, A the meter: number (BCD), version, type; all low octet first

    A   L counts all that follows but the check sequences. Blocks of 10 and then of 16 octets, each with its own
    B   L counts all that follows. One check sequence over the first 126 octets, another over the rest

The check sequence is CRC-16/EN-13757: polynomial 3D65, register 0, inverted, high octet first. Most receivers verify it themselves and take
it away; such a telegram is taken as format A without check sequences, and `checked` says so.

Behind CI (EN 13757-3, EN 13757-4 12): an extended link layer (8C to 8F), the DLMS transport layer of wired M-Bus (00 to 1F), or COSEM
data behind a transport header (60, 61, 7C, 7D). Refused: what is encrypted by M-Bus itself, authentication and fragmentation
layers (90), and all that is no DLMS. Whether SAPs stand behind a transport header is not the same in all meters: they are taken
for there where that makes the rest an APDU.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from meterwright.apdu import APDUS, DataNotification, InformationReportRequest
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.listener import LONGEST_PUSH, Listener
from meterwright.link.machine import Unsolicited
from meterwright.link.mbus.frame import Segment
from meterwright.link.mbus.listener import SegmentJoiner

__all__ = ["FrameFormat", "Telegram", "WmbusListener", "check_sequence", "dlms_segment"]

_HEADER: Final = 10
_CHECK: Final = 2
_BLOCK: Final = 16
_FIRST_OF_B: Final = 126
_POLYNOMIAL: Final = 0x3D65
_CAPITAL: Final = 64

_LINK_LAYERS: Final = {0x8C: 2, 0x8D: 8, 0x8E: 10, 0x8F: 16}
"""CI of an extended link layer: octets of its header."""
_CIPHERING_LINK_LAYERS: Final = (0x8D, 0x8F)
_SESSION: Final = 6
"""Session number and check sequence, which end the header of those."""
_TRANSPORT_HEADERS: Final = {0x60: 12, 0x61: 4, 0x7C: 12, 0x7D: 4}
"""CI of COSEM data: octets of the transport header."""
_NO_SAPS: Final = (*range(0x80, 0x100), DataNotification.prefix[0], InformationReportRequest.prefix[0])
"""First octets of APDUs that meters push, which are no SAP."""
_SEGMENTS: Final = 0x1F
_MODE: Final = 0x1F
_SESSION_ENCRYPTION: Final = 0xE0


def _crc_table() -> Iterator[int]:
    for octet in range(0x100):
        register = octet << 8
        for _ in range(8):
            register = register << 1 ^ (_POLYNOMIAL if register & 0x8000 else 0)
        yield register & 0xFFFF


_TABLE: Final = tuple(_crc_table())


def check_sequence(octets: bytes) -> bytes:
    """The two octets that follow these."""
    register = 0
    for octet in octets:
        register = (register << 8 & 0xFFFF) ^ _TABLE[register >> 8 ^ octet]
    return (register ^ 0xFFFF).to_bytes(2, "big")


class FrameFormat(Enum):
    """Where the check sequences of a telegram stand."""

    A = "A"
    B = "B"
    STRIPPED = "A, its check sequences taken away by the receiver"


@dataclass(frozen=True, slots=True)
class Telegram:
    """One telegram. `address` is number, version and type as they are sent; `information` begins with CI."""

    control: int
    manufacturer: str
    address: bytes
    information: bytes
    checked: bool = True

    @property
    def identification(self) -> str:
        """The meter's number as printed on it."""
        return self.address[3::-1].hex()

    @property
    def version(self) -> int:
        """The meter's version."""
        return self.address[4]

    @property
    def medium(self) -> int:
        """What it measures, by its code: 2 electricity, 3 gas, 4 heat, 7 water."""
        return self.address[5]

    def to_octets(self, frame_format: FrameFormat = FrameFormat.A) -> bytes:
        """The whole telegram. LocalProtocolError where it does not fit, or its maker is not three capitals."""
        plain = bytes((self.control,)) + _maker_octets(self.manufacturer) + self.address + self.information
        extra = _CHECK * (1 + (len(plain) + 1 > _FIRST_OF_B)) if frame_format is FrameFormat.B else 0
        if len(self.address) != 6 or len(plain) + extra > 0xFF:
            raise LocalProtocolError(
                f"{len(plain)} octets do not fit a wireless M-Bus telegram", layer="wmbus"
            )
        whole = bytes((len(plain) + extra,)) + plain
        if frame_format is FrameFormat.STRIPPED:
            return whole
        return b"".join(block + check_sequence(block) for block in _blocks(whole, frame_format))

    @staticmethod
    def from_octets(octets: bytes) -> "Telegram":
        """The telegram that these octets are, in either format. RemoteProtocolError where they are none."""
        if len(octets) < _HEADER + 1:
            raise _broken(f"{len(octets)} octets are too few for a telegram", 0)
        for plain in (_checked_a(octets), _checked_b(octets)):
            if plain is not None:
                return _telegram(plain, checked=True)
        if octets[0] + 1 != len(octets):
            raise _broken("neither the length nor a check sequence of frame format A or B fits", 0)
        return _telegram(octets, checked=False)


def _telegram(plain: bytes, *, checked: bool) -> Telegram:
    number = int.from_bytes(plain[2:4], "little")
    maker = "".join(chr(_CAPITAL + (number >> shift & 0x1F)) for shift in (10, 5, 0))
    return Telegram(plain[1], maker, plain[4:_HEADER], plain[_HEADER:], checked)


def _maker_octets(maker: str) -> bytes:
    if len(maker) != 3 or not all(0 <= ord(letter) - _CAPITAL <= 0x1F for letter in maker):
        raise LocalProtocolError(f"{maker!r} is no FLAG id of three capitals", layer="wmbus")
    number = sum(ord(letter) - _CAPITAL << shift for letter, shift in zip(maker, (10, 5, 0), strict=True))
    return number.to_bytes(2, "little")


def _blocks(whole: bytes, frame_format: FrameFormat) -> Iterator[bytes]:
    """What each check sequence is over."""
    first, size = (_HEADER, _BLOCK) if frame_format is FrameFormat.A else (_FIRST_OF_B, 0xFF)
    yield whole[:first]
    for start in range(first, len(whole), size):
        yield whole[start : start + size]


def _checked_a(octets: bytes) -> bytes | None:
    """The telegram without its check sequences, where it is of format A and intact."""
    length = octets[0] + 1
    count = 1 + -(-(length - _HEADER) // _BLOCK)
    if len(octets) != length + _CHECK * count:
        return None
    ends = [
        _HEADER,
        *range(_HEADER + _CHECK + _BLOCK, len(octets) - _CHECK, _BLOCK + _CHECK),
        len(octets) - _CHECK,
    ]
    return _without_checks(octets, ends)


def _checked_b(octets: bytes) -> bytes | None:
    """The telegram without its check sequences, where it is of format B and intact."""
    if len(octets) != octets[0] + 1 or len(octets) < _HEADER + 1 + _CHECK:
        return None
    end = len(octets) - _CHECK
    return _without_checks(octets, [_FIRST_OF_B, end] if len(octets) > _FIRST_OF_B + _CHECK else [end])


def _without_checks(octets: bytes, ends: list[int]) -> bytes | None:
    parts: list[bytes] = []
    start = 0
    for end in ends:
        part = octets[start:end]
        if check_sequence(part) != octets[end : end + _CHECK]:
            return None
        parts.append(part)
        start = end + _CHECK
    return b"".join(parts)


# ------------------------------------------------------------------------------------------------ what it carries


def dlms_segment(information: bytes) -> Segment:
    """The APDU, or the part of one, behind CI. RemoteProtocolError where there is none that can be read."""
    rest = _behind_link_layer(information)
    ci = rest[0] if rest else -1
    if 0 <= ci <= _SEGMENTS:
        if len(rest) < 4:
            raise _broken("no APDU follows the DLMS transport layer", len(information))
        return Segment(ci & 0x0F, bool(ci & 0x10), rest[1], rest[2], rest[3:])
    size = _TRANSPORT_HEADERS.get(ci)
    if size is None:
        raise _broken(f"CI {ci:02x} is none of DLMS" if rest else "nothing follows the link layer", 0)
    header, content = rest[1 : 1 + size], rest[1 + size :]
    if len(header) < size or not content:
        raise _broken("the telegram ends within its transport header", len(information))
    if header[-1] & _MODE:
        raise _broken(
            f"the content is encrypted by M-Bus (mode {header[-1] & _MODE}), which is not opened here", 0
        )
    if len(content) > 2 and content[0] not in _NO_SAPS and _begins_an_apdu(content[2:]):
        return Segment(0, True, content[0], content[1], content[2:])
    return Segment(0, True, 0, 0, content)


def _behind_link_layer(information: bytes) -> bytes:
    ci = information[0] if information else -1
    size = _LINK_LAYERS.get(ci)
    if size is None:
        return information
    header, rest = information[1 : 1 + size], information[1 + size :]
    if len(header) < size:
        raise _broken("the telegram ends within its extended link layer", len(information))
    if ci in _CIPHERING_LINK_LAYERS:
        session = header[-_SESSION:]
        if session[3] & _SESSION_ENCRYPTION:
            raise _broken("the content is encrypted by the extended link layer, which is not opened here", 0)
        if check_sequence(rest) != session[:3:-1]:
            raise _broken("the check sequence of the extended link layer is wrong", 1 + size - _CHECK)
    return rest


def _begins_an_apdu(octets: bytes) -> bool:
    try:
        APDUS.find(octets)
    except RemoteProtocolError:
        return False
    return True


class WmbusListener(Listener):
    """A receiver that hands over one telegram after the other, of any number of meters.

    `broken` counts telegrams whose form or check sequences are wrong, `passed_over` those that carry no DLMS that can be read.
    """

    def __init__(self, longest_apdu: int = LONGEST_PUSH) -> None:
        super().__init__(longest_apdu)
        self.broken = 0
        self.passed_over = 0
        self._segments: dict[bytes, SegmentJoiner] = {}
        self._gaps = 0

    @property
    def missed(self) -> int:
        """APDUs of which a part came, and never the whole."""
        return super().missed + self._gaps + sum(each.missed for each in self._segments.values())

    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:  # noqa: ARG002 - a telegram needs no time
        """One telegram has come."""
        try:
            telegram = Telegram.from_octets(octets)
        except RemoteProtocolError:
            self.broken += 1
            return []
        try:
            segment = dlms_segment(telegram.information)
        except RemoteProtocolError:
            self.passed_over += 1
            return []
        sender = telegram.manufacturer.encode() + telegram.address
        joiner = self._segments.pop(sender, None) or SegmentJoiner()
        apdu = joiner.add(sender, segment)
        if joiner.is_under_way:
            self._segments[sender] = joiner
        else:
            self._gaps += joiner.missed
        if len(self._segments) > self._MOST_SENDERS:
            oldest = self._segments.pop(next(iter(self._segments)))
            oldest.forget()
            self._gaps += oldest.missed
        return [] if apdu is None else self._told(apdu, segment.source, segment.destination, sender)


def _broken(what: str, offset: int) -> RemoteProtocolError:
    return RemoteProtocolError(what, layer="wmbus", offset=offset)
