"""The wrapper of a PRIME data concentrator: DLMS over TCP to any meter of its power line, and the concentrator's own messages.

::

    version | source u16 | destination u16 | length u16 | APDU, or a message of the concentrator

The header is that of the wrapper (IEC 62056-47); in place of a logical device's wPort stands the number that the concentrator gave a meter.
Its own messages tell which meters come and go, and ask it for them:

====  =====================  ==================================================================
01    new meter              number u16, capabilities u16, length and DLMS identifier, EUI-48
02    meter removed          number u16
03    start reporting
04    delete meters          number u16
05    enable auto close      number u16
06    disable auto close     number u16
====  =====================  ==================================================================

Two of these codes are tags of APDUs too, so a message is one only where its length is its own. The version of the header differs
between concentrators: 1 to 3 are taken. Read, never sent.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meterwright.errors import RemoteProtocolError
from meterwright.link.listener import Listener
from meterwright.link.machine import Unsolicited

__all__ = ["ConcentratorMessage", "MessageKind", "PrimeFrame", "PrimeFramer", "PrimeListener"]

_HEADER: Final = struct.Struct(">HHHH")
_VERSIONS: Final = (1, 2, 3)
_EUI48: Final = 6


class MessageKind(IntEnum):
    """What a concentrator tells, or is asked for."""

    NEW_METER = 1
    METER_REMOVED = 2
    START_REPORTING = 3
    DELETE_METERS = 4
    ENABLE_AUTO_CLOSE = 5
    DISABLE_AUTO_CLOSE = 6


_NUMBERED: Final = frozenset(MessageKind) - {MessageKind.NEW_METER, MessageKind.START_REPORTING}


@dataclass(frozen=True, slots=True)
class ConcentratorMessage:
    """One message; what its kind does not tell is None. `identifier` is the meter's DLMS identifier."""

    kind: MessageKind
    number: int | None = None
    capabilities: int | None = None
    identifier: bytes | None = None
    eui48: bytes | None = None

    @staticmethod
    def from_octets(octets: bytes) -> "ConcentratorMessage | None":
        """The message that these octets are; None where they are none."""
        try:
            kind = MessageKind(octets[0])
        except (IndexError, ValueError):
            return None
        size = len(octets)
        if kind is MessageKind.START_REPORTING:
            return ConcentratorMessage(kind) if size == 1 else None
        number = int.from_bytes(octets[1:3], "big")
        if kind in _NUMBERED:
            return ConcentratorMessage(kind, number) if size == 3 else None
        if size < 6 or size != 6 + octets[5] + _EUI48:
            return None
        capabilities = int.from_bytes(octets[3:5], "big")
        return ConcentratorMessage(kind, number, capabilities, octets[6:-_EUI48], octets[-_EUI48:])


@dataclass(frozen=True, slots=True)
class PrimeFrame:
    """One frame: the header, and what it carries."""

    version: int
    source: int
    destination: int
    content: bytes

    @property
    def message(self) -> ConcentratorMessage | None:
        """The message of the concentrator; None where it carries an APDU."""
        return ConcentratorMessage.from_octets(self.content)


class PrimeFramer:
    """Cuts a stream of octets into frames. Holds at most one frame that is not whole yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, octets: bytes) -> list[PrimeFrame]:
        """The frames that are whole now. RemoteProtocolError where a header is none: the stream is lost then."""
        buffer = self._buffer
        buffer += octets
        frames: list[PrimeFrame] = []
        start = 0
        while len(buffer) - start >= _HEADER.size:
            version, source, destination, length = _HEADER.unpack_from(buffer, start)
            if version not in _VERSIONS:
                if frames:
                    break
                head = bytes(buffer[start : start + _HEADER.size])
                raise RemoteProtocolError(f"{head.hex()} is no header of a PRIME concentrator", layer="prime")
            end = start + _HEADER.size + length
            if end > len(buffer):
                break
            frames.append(PrimeFrame(version, source, destination, bytes(buffer[start + _HEADER.size : end])))
            start = end
        del buffer[:start]
        return frames


class PrimeListener(Listener):
    """What a concentrator sends: APDUs of meters as events, its own messages in `messages`, the last so many.

    `is_lost` where the stream can't be followed any more.
    """

    _MOST_MESSAGES: Final = 256

    def __init__(self) -> None:
        super().__init__()
        self.is_lost = False
        self.messages: list[ConcentratorMessage] = []
        self._framer = PrimeFramer()

    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:  # noqa: ARG002 - a wrapper needs no time
        """Octets have come: any number, cut anywhere."""
        events: list[Unsolicited] = []
        if self.is_lost:
            return events
        try:
            for each in (octets, b""):  # what follows the last good header is told by the second
                for frame in self._framer.receive(each):
                    events += self._take(frame)
        except RemoteProtocolError:
            self.is_lost = True
        return events

    def _take(self, frame: PrimeFrame) -> list[Unsolicited]:
        message = frame.message
        if message is None:
            partners = (frame.source, frame.destination)
            return self._told(frame.content, *partners, sender=partners)
        self.messages.append(message)
        del self.messages[: -self._MOST_MESSAGES]
        return []
