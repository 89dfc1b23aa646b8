"""HDLC frames: an information frame with 128 octets, built from its parts, and parsed again."""

from typing import Final

from tests.bench.operation import Operation

from meterwright.link.hdlc.address import HdlcAddress
from meterwright.link.hdlc.frame import Frame, FrameKind, control
from meterwright.link.hdlc.framer import HdlcFramer

__all__ = ["frame_operations"]

_INFORMATION: Final = bytes(range(128))
_CLIENT: Final = HdlcAddress.of_client(16)
_METER: Final = HdlcAddress.of_server(1)


def frame_operations() -> tuple[Operation, ...]:
    """From the octets of a stream to the frame in it, and back."""
    first, its_answer = control(FrameKind.I), control(FrameKind.I, receive=1)
    framer = HdlcFramer()

    def build() -> bytes:
        return Frame(_METER, _CLIENT, first, _INFORMATION).to_octets()

    def parse() -> list[Frame]:
        return framer.receive(octets)

    octets = (from_meter := Frame(_CLIENT, _METER, its_answer, _INFORMATION)).to_octets()
    assert parse() == [from_meter]
    return (
        Operation("build_frame", "hdlc_frame_to_meter", build(), build),
        Operation("parse_frame", "hdlc_frame_from_meter", octets, parse),
    )
