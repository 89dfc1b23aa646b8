"""What a client and a meter have in common on an HDLC line: framing, UI frames, the table of states, what goes out."""

from abc import abstractmethod
from typing import ClassVar

from meterwright.errors import RemoteProtocolError
from meterwright.link.hdlc.frame import Control, Frame, FrameKind, control, encode_frame
from meterwright.link.hdlc.framer import HdlcFramer
from meterwright.link.hdlc.segments import Reassembly, split
from meterwright.link.hdlc.states import Role, Signal, State, transition
from meterwright.link.machine import LinkEvent, LinkMachine, Unsolicited

__all__ = ["Station"]

_UNCONFIRMED = control(FrameKind.UI, poll=False)


class Station(LinkMachine):
    """One side of the line. `state` tells how far its connection is, `passed_over` how many frames were not for it."""

    role: ClassVar[Role]
    llc: ClassVar[bytes]

    def __init__(self, inter_octet_timeout: float, longest_apdu: int) -> None:
        self.state = State.DISCONNECTED
        self.passed_over = 0
        self._framer = HdlcFramer()
        self._outgoing = bytearray()
        self._inter_octet_timeout = inter_octet_timeout
        self._heard = 0.0
        self._pushed = Reassembly(longest_apdu)

    @property
    def is_open(self) -> bool:
        return self.state is State.CONNECTED

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        """Octets have come: any number, cut anywhere. A frame that stopped in its middle is given up first."""
        frames: list[Frame] = []
        if self._framer.is_mid_frame and now - self._heard > self._inter_octet_timeout:
            frames += self._framer.abandon()
        frames += self._framer.receive(octets)
        self._heard = now
        return self._take_all(frames, now)

    def data_to_send(self) -> bytes:
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    @abstractmethod
    def _take(self, frame: Frame, now: float) -> list[LinkEvent]:
        """An intact frame has come, for whomever."""

    def _take_all(self, frames: list[Frame], now: float) -> list[LinkEvent]:
        events: list[LinkEvent] = []
        for frame in frames:
            events += self._take(frame, now)
        return events

    def _pass_over(self) -> list[LinkEvent]:
        self.passed_over += 1
        return []

    def _unsolicited(self, frame: Frame) -> list[LinkEvent]:
        """A UI frame for us. Long pushes come in several, and one that grows too long is dropped."""
        if self._pushed.begins_anew(frame.information):
            self._pushed.forget()
        try:
            apdu = self._pushed.add(frame.information, last=not frame.segmented)
        except RemoteProtocolError:
            return self._pass_over()
        return [] if apdu is None else [Unsolicited(apdu, frame.source.upper, frame.destination.upper)]

    def _write(
        self, addresses: bytes, what: Control, information: bytes = b"", *, segmented: bool = False
    ) -> bytes:
        octets = encode_frame(addresses, what.octet, information, segmented=segmented)
        self._outgoing += octets
        return octets

    def _write_unconfirmed(self, addresses: bytes, apdu: bytes, size: int) -> list[bytes]:
        segments = split(self.llc, apdu, size)
        last = len(segments) - 1
        return [
            self._write(addresses, _UNCONFIRMED, segment, segmented=index < last)
            for index, segment in enumerate(segments)
        ]

    def _move(self, sender: Role, signal: Signal) -> None:
        self.state = transition(self.role, sender, self.state, signal)
