"""What stands around an APDU in the frames of S-FSK power line carriers (IEC 61334-5-1), in either of its two LLC layers.

::

    IEC 61334-4-32   90 | destination L-SAP | source L-SAP | APDU           (control 90: DL-Data)
    HDLC             a frame of IEC 62056-46 without its flags: the MAC frame marks where it begins and ends

Both are read and written here as the content of a MAC frame. MAC frames themselves, their repetition and their check sequence of 24
bits are the modem's; so is the padding to a whole number of 36 octets, and zeros behind a frame are taken for that.
"""

from dataclasses import dataclass
from typing import Final

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.hdlc.frame import Frame, announced_length
from meterwright.link.listener import Listener
from meterwright.link.machine import Unsolicited

__all__ = ["LlcFrame", "PlcListener", "decode_hdlc_llc", "encode_hdlc_llc"]

DL_DATA: Final = 0x90
_HEADER: Final = 3


@dataclass(frozen=True, slots=True)
class LlcFrame:
    """One APDU and the L-SAPs it travels between."""

    source: int
    destination: int
    apdu: bytes

    def to_octets(self) -> bytes:
        """The content of a MAC frame. LocalProtocolError where an L-SAP has more than one octet."""
        if not (0 <= self.source <= 0xFF and 0 <= self.destination <= 0xFF):
            raise LocalProtocolError("an L-SAP has one octet", layer="plc")
        return bytes((DL_DATA, self.destination, self.source)) + self.apdu

    @staticmethod
    def from_octets(octets: bytes) -> "LlcFrame":
        """What a MAC frame carries. RemoteProtocolError where it is not DL-Data with an APDU."""
        if octets[:1] != bytes((DL_DATA,)):
            raise RemoteProtocolError(
                f"LLC control {octets[:1].hex() or 'missing'} is not 90 (DL-Data)", layer="plc", offset=0
            )
        if len(octets) <= _HEADER:
            raise RemoteProtocolError("no APDU follows the LLC header", layer="plc", offset=len(octets))
        return LlcFrame(octets[2], octets[1], octets[_HEADER:])


def encode_hdlc_llc(frame: Frame) -> bytes:
    """An HDLC frame as the content of a MAC frame. LocalProtocolError where its information is too long."""
    return frame.to_octets()[1:-1]


def decode_hdlc_llc(octets: bytes) -> Frame:
    """The HDLC frame in the content of a MAC frame. RemoteProtocolError where there is none, or more follows than zeros."""
    size = announced_length(octets, 0) if len(octets) > 1 else len(octets)
    if any(octets[size:]):
        raise RemoteProtocolError(
            f"{len(octets) - size} octets follow the HDLC frame in a MAC frame", layer="plc", offset=size
        )
    return Frame.from_octets(octets[:size])


class PlcListener(Listener):
    """Takes the contents of one MAC frame after the other. `broken` counts what is no DL-Data."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = 0

    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:  # noqa: ARG002 - a frame needs no time
        """The content of one MAC frame has come."""
        try:
            frame = LlcFrame.from_octets(octets)
        except RemoteProtocolError:
            self.broken += 1
            return []
        partners = (frame.source, frame.destination)
        return self._told(frame.apdu, *partners, sender=partners)
