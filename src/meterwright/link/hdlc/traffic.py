"""The numbered frames of one open connection: N(S) and N(R) modulo 8, windows, what awaits its acknowledgement.

It neither knows whose turn it is nor what time it is; the stations do. Both roles use it alike.

Recovery is go-back-N at checkpoints: whenever the turn comes back, everything not acknowledged is sent again from the
first missing on. A receiver takes segments in order alone and passes over the rest, so that nothing is delivered twice
or out of order whatever the line does.
"""

from collections import deque
from typing import Final

from meterwright.link.hdlc.frame import Control, FrameKind, control
from meterwright.link.hdlc.parameters import HdlcParameters
from meterwright.link.hdlc.segments import Reassembly, split

__all__ = ["Traffic"]

_MODULUS: Final = 8


class Traffic:
    """What goes to and fro over one connection, from its UA to its end."""

    def __init__(self, parameters: HdlcParameters, llc: bytes, longest_apdu: int) -> None:
        self.parameters = parameters
        self.receive_number = 0
        """V(R): the segment that is awaited next."""
        self._llc = llc
        self._segments: deque[tuple[bytes, bool]] = deque()  # with: whether another follows
        self._first = 0  # V(A), the number of the first of them
        self._sent = 0  # how many of them have been sent at least once
        self._reassembly = Reassembly(longest_apdu)

    @property
    def has_unacknowledged(self) -> bool:
        """Whether segments are left to send, or to send again."""
        return bool(self._segments)

    @property
    def is_assembling(self) -> bool:
        """Whether an APDU has begun to come and is not whole."""
        return self._reassembly.is_under_way

    @property
    def send_number(self) -> int:
        """V(S): the number of the next segment that has never been sent."""
        return (self._first + self._sent) % _MODULUS

    def queue(self, apdu: bytes) -> None:
        """Cut an APDU into segments that wait for our turn."""
        segments = split(self._llc, apdu, self.parameters.transmit_size)
        last = len(segments) - 1
        self._segments.extend((segment, index < last) for index, segment in enumerate(segments))

    def acknowledge(self, receive_number: int) -> int | None:
        """How many segments N(R) acknowledges; None where it names one that was never sent."""
        count = (receive_number - self._first) % _MODULUS
        if count > self._sent:
            return None
        for _ in range(count):
            self._segments.popleft()
        self._first = receive_number
        self._sent -= count
        return count

    def is_awaited(self, frame: Control) -> bool:
        """Whether this I frame is the one that comes next; else it is doubled, or one before it was lost."""
        return frame.send_number == self.receive_number

    def accept(self, information: bytes, *, segmented: bool) -> bytes | None:
        """Take the awaited segment; the APDU where it is whole now. RemoteProtocolError where it grows too long."""
        self.receive_number = (self.receive_number + 1) % _MODULUS
        return self._reassembly.add(information, last=not segmented)

    def burst(self) -> list[tuple[Control, bytes, bool]]:
        """The frames of one turn: control, information, segmented. The last asks for the answer, or gives the turn back.

        A turn ends with an APDU, even where the window has room for more.
        """
        frames: list[tuple[Control, bytes, bool]] = []
        for index in range(min(self.parameters.transmit_window, len(self._segments))):
            information, more = self._segments[index]
            final = not more or index + 1 == self.parameters.transmit_window
            number = (self._first + index) % _MODULUS
            numbered = control(FrameKind.I, poll=final, send=number, receive=self.receive_number)
            frames.append((numbered, information, more))
            if final:
                break
        self._sent = max(self._sent, len(frames))
        return frames

    def acknowledgement(self) -> Control:
        """RR with the number of the segment that is awaited."""
        return control(FrameKind.RR, receive=self.receive_number)
