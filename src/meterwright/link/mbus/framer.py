"""Cuts a stream of octets into M-Bus long frames, whatever stands between them.

What begins like a frame and is none costs one octet: the search goes on behind it, so a good frame inside of what was announced is
found. Short frames and the single octet E5 carry no APDU and are passed over with the noise. At most one frame that is not
whole yet is held, 264 octets.
"""

from meterwright.errors import RemoteProtocolError
from meterwright.link.mbus.frame import START, LongFrame, announced_size, may_begin

__all__ = ["MbusFramer"]


class MbusFramer:
    """Octets in, whole and intact frames out. What it left out is counted."""

    def __init__(self) -> None:
        self.dropped = 0
        """Octets that belonged to no long frame."""
        self.broken = 0
        """Frames of the right form whose checksum or stop octet was wrong."""
        self._buffer = bytearray()

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and is not whole."""
        return bool(self._buffer)

    def receive(self, octets: bytes) -> list[LongFrame]:
        """The frames that are whole now."""
        self._buffer += octets
        return self._cut()

    def abandon(self) -> list[LongFrame]:
        """What began will not be finished: the whole frames inside it, and nothing is held any more."""
        frames: list[LongFrame] = []
        while self._buffer:
            self.dropped += 1
            del self._buffer[:1]
            frames += self._cut()
        return frames

    def _cut(self) -> list[LongFrame]:
        buffer = self._buffer
        frames: list[LongFrame] = []
        start = 0  # what stands before it is done with
        while True:
            found = buffer.find(START, start)
            found = len(buffer) if found < 0 else found
            self.dropped += found - start
            start = found
            if not may_begin(buffer, start):
                if start == len(buffer):
                    break
                self.dropped += 1
                start += 1
                continue
            size = announced_size(buffer, start)
            if size is None or start + size > len(buffer):
                break
            frame = self._frame(bytes(buffer[start : start + size]))
            if frame is None:
                self.dropped += 1
                start += 1
            else:
                frames.append(frame)
                start += size
        del buffer[:start]
        return frames

    def _frame(self, octets: bytes) -> LongFrame | None:
        try:
            return LongFrame.from_octets(octets)
        except RemoteProtocolError:
            self.broken += 1
            return None
