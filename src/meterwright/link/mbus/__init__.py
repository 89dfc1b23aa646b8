"""Wired M-Bus (EN 13757-2 and -3), as far as it carries DLMS: long frames and the segments in them. Read, never sent."""

from meterwright.link.mbus.frame import LongFrame, Segment
from meterwright.link.mbus.framer import MbusFramer
from meterwright.link.mbus.listener import MbusListener, SegmentJoiner

__all__ = ["LongFrame", "MbusFramer", "MbusListener", "Segment", "SegmentJoiner"]
