"""CoAP (RFC 7252), as far as it carries DLMS: a POST with an APDU in it, and the answer that carries one. Read, never sent.

::

    Ver 01, T, TKL | code | message id u16 | token | options | FF | payload

The payload is an APDU, or one behind the wrapper's header (IEC 62056-47): both are in use, and told apart by their octets. Transfers in
blocks (RFC 7959, options 23 and 27) are recognised and refused, since the blocks of one are tied together by requests that a
listener does not see.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meterwright.errors import RemoteProtocolError
from meterwright.link.listener import Listener
from meterwright.link.machine import Unsolicited
from meterwright.link.wrapper import DatagramFramer, WrapperFrame

__all__ = ["CoapListener", "CoapMessage", "CoapType"]

_VERSION: Final = 1
_HEADER: Final = 4
_LONGEST_TOKEN: Final = 8
_PAYLOAD: Final = 0xFF
_POST: Final = 0x02
_SUCCESS: Final = range(0x41, 0x60)
_URI_PATH: Final = 11
_BLOCKS: Final = {23: "Block2", 27: "Block1"}
_MOST_OPTIONS: Final = 64


class CoapType(IntEnum):
    """Whether a message wants to be acknowledged, or does so."""

    CONFIRMABLE = 0
    NON_CONFIRMABLE = 1
    ACKNOWLEDGEMENT = 2
    RESET = 3


@dataclass(frozen=True, slots=True)
class CoapMessage:
    """One message. `code` as one octet: 02 is POST, 44 is 2.04."""

    type: CoapType
    code: int
    message_id: int
    token: bytes
    options: tuple[tuple[int, bytes], ...]
    payload: bytes

    @property
    def path(self) -> str:
        """The path of the URI, its segments joined by /."""
        return "/".join(
            value.decode("utf-8", "replace") for number, value in self.options if number == _URI_PATH
        )

    @staticmethod
    def from_octets(octets: bytes) -> "CoapMessage":
        """The message in one datagram. RemoteProtocolError where it is none."""
        if len(octets) < _HEADER or octets[0] >> 6 != _VERSION:
            raise _broken("no CoAP message, whose first octet is 40 to 7f", 0)
        token_end = _HEADER + (octets[0] & 0x0F)
        if token_end > min(len(octets), _HEADER + _LONGEST_TOKEN):
            raise _broken("a CoAP token has at most 8 octets, and all of them are there", _HEADER)
        options, payload_start = _options(octets, token_end)
        return CoapMessage(
            CoapType(octets[0] >> 4 & 3),
            octets[1],
            int.from_bytes(octets[2:4], "big"),
            octets[_HEADER:token_end],
            options,
            octets[payload_start:],
        )

    def carried(self) -> WrapperFrame:
        """The APDU, with the SAPs of a wrapper's header (0 without one). RemoteProtocolError where there is none."""
        if self.code != _POST and self.code not in _SUCCESS:
            raise _broken(f"CoAP code {self.code >> 5}.{self.code & 0x1F:02} carries no APDU", 1)
        for number, value in self.options:
            if number in _BLOCKS and int.from_bytes(value, "big") & ~0x07:
                raise _broken(
                    f"a transfer in blocks ({_BLOCKS[number]}, RFC 7959) is not put together here", 0
                )
        if not self.payload:
            raise _broken("the CoAP message carries no APDU", 0)
        wrapped = DatagramFramer().receive(self.payload)
        return wrapped[0] if wrapped and wrapped[0].apdu else WrapperFrame(0, 0, self.payload)


def _options(octets: bytes, position: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """The options from `position` on, and where the payload starts."""
    found: list[tuple[int, bytes]] = []
    number = 0
    while position < len(octets):
        first = octets[position]
        if first == _PAYLOAD:
            if position + 1 == len(octets):
                raise _broken("FF announces a payload, and none follows", position)
            return tuple(found), position + 1
        if len(found) == _MOST_OPTIONS:
            raise _broken(f"more than {_MOST_OPTIONS} options", position)
        position += 1
        delta, position = _extended(octets, position, first >> 4)
        size, position = _extended(octets, position, first & 0x0F)
        if position + size > len(octets):
            raise _broken("the message ends within an option", len(octets))
        number += delta
        found.append((number, octets[position : position + size]))
        position += size
    return tuple(found), position


def _extended(octets: bytes, position: int, nibble: int) -> tuple[int, int]:
    """A delta or length that may go on in one or two octets, and where it ends."""
    extra = {13: (1, 13), 14: (2, 269)}.get(nibble)
    if nibble == 15:
        raise _broken("an option's delta or length of 15 is reserved", position - 1)
    if extra is None:
        return nibble, position
    size, base = extra
    if position + size > len(octets):
        raise _broken("the message ends within an option", len(octets))
    return base + int.from_bytes(octets[position : position + size], "big"), position + size


def _broken(what: str, offset: int) -> RemoteProtocolError:
    return RemoteProtocolError(what, layer="coap", offset=offset)


class CoapListener(Listener):
    """Takes one datagram after the other. `broken` counts what is no CoAP, `passed_over` what carries no whole APDU."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = 0
        self.passed_over = 0

    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:  # noqa: ARG002 - a datagram needs no time
        """One datagram has come."""
        try:
            message = CoapMessage.from_octets(octets)
        except RemoteProtocolError:
            self.broken += 1
            return []
        try:
            frame = message.carried()
        except RemoteProtocolError:
            self.passed_over += 1
            return []
        return self._told(
            frame.apdu, frame.source, frame.destination, sender=(frame.source, frame.destination)
        )
