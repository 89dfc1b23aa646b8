"""The meter on an HDLC line: it speaks when it is spoken to.

It answers to its own addresses, whoever the client is, and stays silent for all others and for what goes to all stations.
It serves one client at a time; another one is told DM until the first has disconnected or was silent for too long. Any
client may send the DISC, as meters in the field have it: who finds the line held by somebody who died is not locked out.

A request is an ApduReceived event. Its answer goes out by `send`, at once or later: once `answer_within` has passed, or
the host says by `acknowledge` that there is no answer, an RR gives the turn back, and the client asks again.
"""

from typing import ClassVar, Final

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError, Timeout
from meterwright.link.hdlc.address import HdlcAddress
from meterwright.link.hdlc.failures import never_sent
from meterwright.link.hdlc.frame import Frame, FrameKind, control
from meterwright.link.hdlc.parameters import HdlcParameters
from meterwright.link.hdlc.reject import FrameReject, RejectReason
from meterwright.link.hdlc.segments import LLC_RESPONSE
from meterwright.link.hdlc.settings import HdlcServerSettings
from meterwright.link.hdlc.states import SIGNALS, Role, Signal, State, following
from meterwright.link.hdlc.station import Station
from meterwright.link.hdlc.traffic import Traffic
from meterwright.link.machine import ApduReceived, LinkClosed, LinkEvent, LinkFailed, LinkOpened, ServerLink

__all__ = ["HdlcServer"]

_NUMBERED: Final = (FrameKind.I, FrameKind.RR, FrameKind.RNR)
_WANT_DM: Final = (*_NUMBERED, FrameKind.SNRM, FrameKind.DISC)
_FRMR: Final = control(FrameKind.FRMR)


class HdlcServer(Station, ServerLink):
    """One meter on one line."""

    role: ClassVar[Role] = Role.SERVER
    llc: ClassVar[bytes] = LLC_RESPONSE

    def __init__(self, settings: HdlcServerSettings | None = None) -> None:
        self._settings = settings or HdlcServerSettings()
        super().__init__(self._settings.inter_octet_timeout, self._settings.longest_apdu)
        self._traffic: Traffic | None = None
        self._partners: tuple[int, int] | None = None  # client and logical device of the connection
        self._back = b""  # the addresses of what we answer
        self._turn_is_ours = False
        self._client_is_busy = False
        self._answer_by: float | None = None
        self._silent_until: float | None = None

    @property
    def parameters(self) -> HdlcParameters:
        """What holds in the open connection. LocalProtocolError where none is open."""
        return self._open_traffic().parameters

    @property
    def deadline(self) -> float | None:
        deadlines = [each for each in (self._answer_by, self._silent_until) if each is not None]
        return min(deadlines, default=None)

    @property
    def is_lost(self) -> bool:
        """Never: whatever comes, the next frame is found."""
        return False

    def close(self, now: float) -> list[LinkEvent]:  # noqa: ARG002
        """Drop the connection; the client learns it by a DM to whatever it sends next."""
        self._move(Role.SERVER, Signal.FAILURE)
        self._forget()
        return [LinkClosed()]

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Answer, or, unconfirmed, tell the connected client something in UI frames."""
        if not confirmed:
            if self.state is not State.CONNECTED:
                raise LocalProtocolError(
                    "no client is connected", layer="hdlc", hint="push to an address instead"
                )
            self._write_unconfirmed(self._back, apdu, self._open_traffic().parameters.transmit_size)
            return
        self._move(Role.SERVER, Signal.I)
        self._open_traffic().queue(apdu)
        if self._turn_is_ours:
            self._answer(now)

    def send_to(self, client: int, server: int, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        if self._partners != (client, server):
            raise LocalProtocolError(
                f"client {client} is not connected to logical device {server}",
                layer="hdlc",
                hint="push to an address instead",
            )
        self.send(apdu, now, confirmed=confirmed)

    def push(self, apdu: bytes, source: HdlcAddress, destination: HdlcAddress) -> None:
        """Send an APDU in UI frames to anybody, for which no connection is needed."""
        addresses = destination.octets + source.octets
        self._write_unconfirmed(addresses, apdu, self._settings.parameters.transmit_size)

    def acknowledge(self, now: float) -> None:
        """What came last has no answer, or none yet: say that it was heard."""
        if self._turn_is_ours:
            self._answer(now)

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        """Octets have come, perhaps after a silence that has ended the connection."""
        return self.tick(now) + super().receive(octets, now)

    def tick(self, now: float) -> list[LinkEvent]:
        if self._answer_by is not None and self._answer_by <= now:
            self._answer(now)
        if self._silent_until is None or now < self._silent_until:
            return []
        return self._drop(
            Timeout(
                f"the client was silent for {self._settings.inactivity_timeout:g} s",
                layer="hdlc",
                hint="it may have died; its connection and associations are dropped",
            )
        )

    def lost(self) -> None:
        self._move(Role.SERVER, Signal.FAILURE)
        self._framer.forget()
        self._outgoing.clear()
        self._pushed.forget()
        self._forget()

    # ------------------------------------------------------------------------------------------ what comes

    def _take_all(self, frames: list[Frame], now: float) -> list[LinkEvent]:
        """What came in a connection that has ended meanwhile is not told: nobody could answer it any more."""
        events: list[LinkEvent] = []
        for frame in frames:
            told = self._take(frame, now)
            if any(isinstance(each, LinkClosed | LinkFailed) for each in told):
                events = [each for each in events if not isinstance(each, ApduReceived)]
            events += told
        return events

    def _take(self, frame: Frame, now: float) -> list[LinkEvent]:
        kind = frame.control.kind
        if self._settings.is_broadcast(frame.destination):
            return self._unsolicited(frame) if kind is FrameKind.UI else self._pass_over()
        if not self._settings.is_ours(frame.destination):
            return self._pass_over()
        return self._unsolicited(frame) if kind is FrameKind.UI else self._take_ours(frame, now)

    def _take_ours(self, frame: Frame, now: float) -> list[LinkEvent]:
        kind = frame.control.kind
        back = frame.source.octets + frame.destination.octets
        partners = (frame.source.upper, frame.destination.upper)
        if self._partners not in (None, partners) and kind is not FrameKind.DISC:
            return self._decline(frame, back)
        self._back = back
        signal = SIGNALS.get(kind)
        if signal is None:
            return self._unknown(frame)
        if following(Role.CLIENT, self.state, signal) is None:
            return self._decline(frame, back)
        self._listen(now)
        match kind:
            case FrameKind.SNRM:
                return self._snrm(frame, now)
            case FrameKind.DISC:
                return self._disc(frame)
            case _:
                return self._numbered(frame, now)

    def _decline(self, frame: Frame, back: bytes) -> list[LinkEvent]:
        """There is no connection for this frame: say so, if it may be said."""
        if frame.control.poll and frame.control.kind in _WANT_DM:
            self._write(back, control(FrameKind.DM))
        return self._pass_over()

    def _unknown(self, frame: Frame) -> list[LinkEvent]:
        if self.state is not State.CONNECTED:
            return self._pass_over()
        octet = frame.control.octet
        error = RemoteProtocolError(
            f"a frame with control octet {octet:02x}, which COSEM does not use", layer="hdlc"
        )
        return self._reject(frame, RejectReason.CONTROL, error)

    def _snrm(self, frame: Frame, now: float) -> list[LinkEvent]:
        events: list[LinkEvent] = [LinkClosed()] if self.state is State.CONNECTED else []
        self._move(Role.CLIENT, Signal.SNRM)
        self._forget()
        settings = self._settings
        try:
            told = HdlcParameters.from_information(frame.information)
        except RemoteProtocolError:
            self._move(Role.SERVER, Signal.DM)
            self._write(self._back, control(FrameKind.DM, poll=frame.control.poll))
            return events
        parameters = settings.parameters.agreed_with(told) if frame.information else settings.unasked
        self._move(Role.SERVER, Signal.UA)
        self._traffic = Traffic(parameters, self.llc, settings.longest_apdu)
        self._partners = (frame.source.upper, frame.destination.upper)
        self._listen(now)
        answer = control(FrameKind.UA, poll=frame.control.poll)
        self._write(self._back, answer, parameters.to_information(wide=settings.wide_sizes))
        return [*events, LinkOpened(frame.source.upper, frame.destination.upper)]

    def _disc(self, frame: Frame) -> list[LinkEvent]:
        was_connected = self.state is State.CONNECTED
        self._move(Role.CLIENT, Signal.DISC)
        answer = Signal.UA if was_connected else Signal.DM
        self._move(Role.SERVER, answer)
        self._write(self._back, control(FrameKind[answer.name], poll=frame.control.poll))
        self._forget()
        return [LinkClosed()] if was_connected else []

    def _numbered(self, frame: Frame, now: float) -> list[LinkEvent]:
        traffic = self._open_traffic()
        number = frame.control.receive_number
        if traffic.acknowledge(number) is None:
            error = never_sent(number, traffic.send_number)
            return self._reject(frame, RejectReason.RECEIVE_NUMBER, error)
        self._client_is_busy = frame.control.kind is FrameKind.RNR
        apdu: bytes | None = None
        if frame.control.kind is FrameKind.I:
            if traffic.is_awaited(frame.control):
                try:
                    apdu = traffic.accept(frame.information, segmented=frame.segmented)
                except RemoteProtocolError as error:
                    return self._reject(frame, RejectReason.TOO_LONG, error)
            else:
                self._pass_over()
        if frame.control.poll:
            self._turn_comes(now, has_request=apdu is not None)
        return [] if apdu is None else [ApduReceived(apdu, frame.source.upper, frame.destination.upper)]

    def _turn_comes(self, now: float, *, has_request: bool) -> None:
        self._turn_is_ours = True
        if has_request and not self._open_traffic().has_unacknowledged:
            self._answer_by = now + self._settings.answer_within
        else:
            self._answer(now)

    # ------------------------------------------------------------------------------------------ what goes out

    def _answer(self, now: float) -> None:
        """Use the turn: send what waits, or say what was received."""
        traffic = self._open_traffic()
        self._turn_is_ours = False
        self._answer_by = None
        self._listen(now)
        if self._client_is_busy or not traffic.has_unacknowledged:
            self._write(self._back, traffic.acknowledgement())
            return
        for what, information, segmented in traffic.burst():
            self._write(self._back, what, information, segmented=segmented)

    def _reject(self, frame: Frame, reason: RejectReason, error: MeterwrightError) -> list[LinkEvent]:
        traffic = self._open_traffic()
        told = FrameReject(frame.control.octet, traffic.send_number, traffic.receive_number, reason)
        self._write(self._back, _FRMR, told.to_octets())
        self._move(Role.SERVER, Signal.FRMR)
        self._forget()
        return [LinkFailed(error)]

    def _drop(self, error: MeterwrightError) -> list[LinkEvent]:
        self._move(Role.SERVER, Signal.FAILURE)
        self._forget()
        return [LinkFailed(error)]

    # ------------------------------------------------------------------------------------------ book-keeping

    def _open_traffic(self) -> Traffic:
        if self._traffic is None:
            raise LocalProtocolError(
                "the link is not open", layer="hdlc", hint="wait for a client to open it"
            )
        return self._traffic

    def _listen(self, now: float) -> None:
        """The connection is alive, so the silence is counted from here."""
        limit = self._settings.inactivity_timeout
        self._silent_until = now + limit if limit is not None and self._partners is not None else None

    def _forget(self) -> None:
        self._traffic = None
        self._partners = None
        self._turn_is_ours = False
        self._client_is_busy = False
        self._answer_by = None
        self._silent_until = None
