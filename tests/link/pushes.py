"""Octets of pushes that several tests of listeners share, and what they have in common."""

from meterwright.apdu import BlockControl, GeneralBlockTransfer
from meterwright.link import Listener, Unsolicited

PUSH = bytes.fromhex("0f000000010c07e8010101000000ff80000002020906010001" + "0800ff0600000abc")
"""A DataNotification: one logical name and its value."""


def in_blocks(apdu: bytes, size: int) -> list[bytes]:
    """The APDU in blocks that nobody acknowledges, as meters push it."""
    parts = [apdu[start : start + size] for start in range(0, len(apdu), size)]
    return [
        GeneralBlockTransfer(
            BlockControl(last_block=number == len(parts), streaming=True, window=0), number, 0, part
        ).to_octets()
        for number, part in enumerate(parts, start=1)
    ]


def heard(listener: Listener, *pieces: bytes, now: float = 0.0) -> list[bytes]:
    """The APDUs that come of these pieces."""
    events: list[Unsolicited] = [event for piece in pieces for event in listener.receive(piece, now)]
    return [event.apdu for event in events]
