"""The wrapper of the COSEM transport layer (IEC 62056-47): eight octets before every APDU on TCP or UDP.

::

    00 01   version
    ss ss   source wPort       (the client's SAP when the client speaks)
    dd dd   destination wPort  (the logical device's SAP when the client speaks)
    ll ll   length of the APDU

A stream has no other mark than the length, so after a header that is none nothing that follows can be trusted:
`receive` raises and the connection is done for.
"""

import struct
from dataclasses import dataclass
from typing import Final

from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["HEADER_SIZE", "DatagramFramer", "WrapperFrame", "WrapperFramer", "wrapper_datagrams"]

_HEADER: Final = struct.Struct(">HHHH")
_VERSION: Final = 1
HEADER_SIZE: Final = _HEADER.size
_LONGEST_APDU: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class WrapperFrame:
    """One APDU and the wPorts it travels between."""

    source: int
    destination: int
    apdu: bytes

    def to_octets(self) -> bytes:
        """Header and APDU. LocalProtocolError where the APDU is longer than the header can say."""
        if len(self.apdu) > _LONGEST_APDU:
            raise LocalProtocolError(
                f"an APDU of {len(self.apdu)} octets does not fit a wrapper frame", layer="wrapper"
            )
        return _HEADER.pack(_VERSION, self.source, self.destination, len(self.apdu)) + self.apdu


class WrapperFramer:
    """Cuts a stream of octets into wrapper frames. Holds at most one frame that is not whole yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, octets: bytes) -> list[WrapperFrame]:
        """The frames that are whole now. RemoteProtocolError where a header is none: the stream is lost then.

        Frames that came whole before it are handed out first, so that it does not matter how the stream was cut; every
        call after that raises.
        """
        buffer = self._buffer
        buffer += octets
        frames: list[WrapperFrame] = []
        start = 0
        while len(buffer) - start >= HEADER_SIZE:
            version, source, destination, length = _HEADER.unpack_from(buffer, start)
            if version != _VERSION:
                if frames:
                    break
                raise _not_a_header(bytes(buffer[start : start + HEADER_SIZE]))
            end = start + HEADER_SIZE + length
            if end > len(buffer):
                break
            frames.append(WrapperFrame(source, destination, bytes(buffer[start + HEADER_SIZE : end])))
            start = end
        del buffer[:start]
        return frames


class DatagramFramer:
    """Reads datagrams, each of which is one frame. What is none was sent by somebody else, and is passed over."""

    def receive(self, octets: bytes) -> list[WrapperFrame]:
        """The frame that a datagram is, if it is one."""
        if len(octets) < HEADER_SIZE:
            return []
        version, source, destination, length = _HEADER.unpack_from(octets)
        if version != _VERSION or length != len(octets) - HEADER_SIZE:
            return []
        return [WrapperFrame(source, destination, octets[HEADER_SIZE:])]


def wrapper_datagrams(octets: bytes) -> list[bytes]:
    """The frames of our own that these octets are, one after the other: each is to be one datagram."""
    return [frame.to_octets() for frame in WrapperFramer().receive(octets)]


def _not_a_header(octets: bytes) -> RemoteProtocolError:
    hint = (
        "the port speaks HDLC: use an hdlc+tcp:// address"
        if octets[0] == 0x7E
        else "check address and port: this is no DLMS wrapper, or octets were lost on the way"
    )
    return RemoteProtocolError(
        f"{octets.hex()} is no wrapper header (it begins with 0001)", layer="wrapper", hint=hint
    )
