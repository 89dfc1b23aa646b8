"""Cuts a stream of octets into HDLC frames, whatever stands between them.

A frame ends where its length says. What begins like a frame and is none costs its flag alone: the search goes on with the
next octet, so a good frame behind it, or inside of what it announced, is found. Frames may share a flag. At most one
frame that is not whole yet is held, 2047 octets and its flag.
"""

from collections import deque
from typing import Final

from meterwright.errors import RemoteProtocolError
from meterwright.link.hdlc.frame import FLAG, SHORTEST_FRAME, Frame, closing_flag, may_begin

__all__ = ["HdlcFramer"]

_ECHOES: Final = 16


class HdlcFramer:
    """Octets in, whole and intact frames out. What it left out is counted."""

    def __init__(self) -> None:
        self.dropped = 0
        """Octets that belonged to no frame, flags not counted."""
        self.broken = 0
        """Frames of the right form whose check sequence was wrong."""
        self.echoes = 0
        """Frames that were our own coming back."""
        self._buffer = bytearray()
        self._expected: deque[bytes] = deque(maxlen=_ECHOES)

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and is not whole."""
        return len(self._buffer) > 1

    def expect_echo(self, octets: bytes) -> None:
        """This frame of ours goes out on a line that gives it back: drop it once when it comes."""
        self._expected.append(octets)

    def receive(self, octets: bytes) -> list[Frame]:
        """The frames that are whole now."""
        buffer, size = self._buffer, len(octets) - 2
        if (
            len(buffer) <= 1
            and size >= SHORTEST_FRAME
            and octets[2] == size & 0xFF
            and octets[0] == FLAG == octets[-1]
        ):  # by far the most usual: one frame and nothing else
            try:
                frame = Frame.from_octets(octets[1:-1])
            except RemoteProtocolError:
                pass  # it is looked at again below
            else:
                if not buffer:
                    buffer.append(FLAG)
                return [] if self._expected and self._is_echo(frame) else [frame]
        buffer += octets
        return self._cut()

    def abandon(self) -> list[Frame]:
        """What began will not be finished: the whole frames inside it, and nothing is held any more."""
        frames: list[Frame] = []
        while self._buffer:
            self._drop(self._buffer[:1])
            del self._buffer[:1]
            frames += self._cut()
        return frames

    def forget(self) -> None:
        """The line is another one now."""
        self._buffer.clear()
        self._expected.clear()

    def _cut(self) -> list[Frame]:
        buffer = self._buffer
        frames: list[Frame] = []
        start = 0  # what stands before it is done with
        while True:
            flag = buffer.find(FLAG, start)
            flag = len(buffer) if flag < 0 else flag
            if flag > start:
                self._drop(buffer[start:flag])
                start = flag
            end = closing_flag(buffer, start)
            if end is None:
                if may_begin(buffer, start + 1):
                    break
                start += 1
                continue
            frame = self._frame(bytes(buffer[start + 1 : end]))
            start = start + 1 if frame is None else end
            if frame is not None and not (self._expected and self._is_echo(frame)):
                frames.append(frame)
        del buffer[:start]
        return frames

    def _frame(self, octets: bytes) -> Frame | None:
        try:
            return Frame.from_octets(octets)
        except RemoteProtocolError:
            self.broken += 1
            return None

    def _is_echo(self, frame: Frame) -> bool:
        octets = frame.to_octets()
        if octets in self._expected:
            while self._expected.popleft() != octets:
                pass  # the echo of an earlier frame was lost
            self.echoes += 1
            return True
        self._expected.clear()  # the echo would have come before any answer
        return False

    def _drop(self, octets: bytes | bytearray) -> None:
        self.dropped += len(octets) - octets.count(FLAG)
