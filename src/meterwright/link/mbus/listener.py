"""A wired M-Bus on which a meter pushes: the segments in its long frames put together to APDUs.

An APDU has at most 16 segments, so nothing grows beyond 4 KiB. Segments follow one another: what comes out of order, or from
somebody else in between, costs the APDU that was under way.
"""

from collections.abc import Hashable

from meterwright.link.listener import LONGEST_PUSH, FramedListener
from meterwright.link.machine import Unsolicited
from meterwright.link.mbus.frame import LongFrame, Segment
from meterwright.link.mbus.framer import MbusFramer

__all__ = ["MbusListener", "SegmentJoiner"]


class SegmentJoiner:
    """Segments of one APDU after the other. `missed` counts those that never came whole."""

    def __init__(self) -> None:
        self.missed = 0
        self._partners: tuple[Hashable, int, int] | None = None
        self._parts: list[bytes] = []

    @property
    def is_under_way(self) -> bool:
        """Whether segments have come and the last has not."""
        return bool(self._parts)

    def add(self, address: Hashable, segment: Segment) -> bytes | None:
        """The APDU, where this is its last segment. None where more must follow, and where it can't be put together."""
        partners = (address, segment.source, segment.destination)
        if segment.number == 0:
            self.forget()
        elif segment.number != len(self._parts) or partners != self._partners:
            self.missed += not self._parts
            self.forget()
            return None
        self._partners = partners
        self._parts.append(segment.octets)
        if not segment.last:
            return None
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole

    def forget(self) -> None:
        """Give up what is under way; it is counted as missed."""
        self.missed += self.is_under_way
        self._parts.clear()


class MbusListener(FramedListener[LongFrame]):
    """One bus. `dropped` octets were no frame, `broken` frames had a wrong checksum, `passed_over` carried no DLMS.

    After `pause` seconds without an octet a frame that has begun has ended; segments may take as long as they like.
    """

    def __init__(self, longest_apdu: int = LONGEST_PUSH, *, pause: float = 5.0) -> None:
        self._segments = SegmentJoiner()
        super().__init__(MbusFramer(), self._segments, longest_apdu, pause)

    def _take(self, frame: LongFrame) -> list[Unsolicited]:
        segment = frame.segment
        if segment is None:
            self.passed_over += 1
            return []
        apdu = self._segments.add(frame.address, segment)
        return [] if apdu is None else self._told(apdu, segment.source, segment.destination)
