"""The client of an HDLC line: it connects, asks, and is the only one to start anything.

The line is half duplex. A frame with P hands the turn to the meter, one with F gives it back. As long as it is the meter's
turn a time-out runs (T1); each time it runs out, and each time the meter gives the turn back without any progress, is an
attempt, and after `retries` of them in a row the link has failed. So nothing waits for ever.

Recovery in a connection asks first (RR) and repeats afterwards: the RR shows what the meter has received, and
nothing is done twice even by a meter that does not recognise a repeated frame.
"""

from typing import ClassVar, Final

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.link.hdlc.failures import (
    Overheard,
    busy_too_long,
    disconnected_by_meter,
    never_sent,
    no_progress,
    no_response,
    refused,
    rejected,
)
from meterwright.link.hdlc.frame import Control, Frame, FrameKind, control
from meterwright.link.hdlc.parameters import HdlcParameters
from meterwright.link.hdlc.segments import LLC_COMMAND, Reassembly
from meterwright.link.hdlc.settings import HdlcClientSettings
from meterwright.link.hdlc.states import SIGNALS, Role, Signal, State, following
from meterwright.link.hdlc.station import Station
from meterwright.link.hdlc.traffic import Traffic
from meterwright.link.hdlc.turn import Turn
from meterwright.link.machine import ApduReceived, ClientLink, LinkClosed, LinkEvent, LinkFailed, LinkOpened

__all__ = ["HdlcClient"]

_SNRM: Final = control(FrameKind.SNRM)
_DISC: Final = control(FrameKind.DISC)
_NOTIFICATIONS: Final = (
    b"\x0f",
    b"\xc2",
)  # data-notification and event-notification-request answer no request


class HdlcClient(Station, ClientLink):
    """One client address talking to one meter. Changed addresses want `readdress` while it is closed."""

    role: ClassVar[Role] = Role.CLIENT
    llc: ClassVar[bytes] = LLC_COMMAND

    def __init__(self, settings: HdlcClientSettings) -> None:
        super().__init__(settings.inter_octet_timeout, settings.longest_apdu)
        self._settings = settings
        self._addresses = settings.server.octets + settings.client.octets
        self._traffic: Traffic | None = None
        self._turn = Turn()
        self._awaited = 0  # requests without an answer
        self._last_is_answered = True  # an answer came after the last of them
        self._busy = False  # RNR was the last we heard
        self._moved = 0.0  # when we last got any further
        self._connects_next = False  # the DISC that is out clears the way for an SNRM
        self._refusals = 0
        self._odd: RemoteProtocolError | None = None
        self._unconfirmed: list[bytes] = []
        self._noise_before = 0
        self._overheard = Overheard()

    @property
    def parameters(self) -> HdlcParameters:
        """What holds in the open connection. LocalProtocolError where none is open."""
        return self._open_traffic().parameters

    @property
    def deadline(self) -> float | None:
        return self._turn.deadline

    def readdress(self, settings: HdlcClientSettings) -> None:
        """Be another client, or talk to another meter, on the same line. LocalProtocolError unless closed."""
        if self.state is not State.DISCONNECTED:
            raise LocalProtocolError(
                "the link is not closed", layer="hdlc", hint="close it, then change addresses"
            )
        self._settings = settings
        self._addresses = settings.server.octets + settings.client.octets
        self._inter_octet_timeout = settings.inter_octet_timeout
        self._pushed = Reassembly(settings.longest_apdu)

    def open(self, now: float) -> list[LinkEvent]:
        """Connect: (DISC and) SNRM go out. On an open connection this begins anew."""
        if self._settings.server.is_all_stations:
            raise LocalProtocolError(
                "all stations cannot be connected to", layer="hdlc", hint="send unconfirmed"
            )
        self._listen_afresh()
        if self.state is State.CONNECTED:
            self._turn.forget()
        if self._settings.disconnect_first and self.state is State.DISCONNECTED:
            self._connects_next = True
            self._disconnect(now)
        else:
            self._refusals = 0
            self._connect(now)
        return []

    def close(self, now: float) -> list[LinkEvent]:
        """Disconnect: DISC goes out, and what was under way is forgotten."""
        self._connects_next = False
        if self.state is State.DISCONNECTED:
            return [LinkClosed()]
        if self.state is not State.DISCONNECTING:
            self._turn.forget()
            self._disconnect(now)
        return []

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True, more: bool = False) -> None:
        """Send one APDU: in I frames; unconfirmed in UI frames, for which the link need not be open."""
        if not confirmed:
            self._unconfirmed.append(apdu)
            if self._turn.ours:
                self._send_unconfirmed()
            return
        self._move(Role.CLIENT, Signal.I)
        self._open_traffic().queue(apdu)
        if not more:
            self._awaited += 1
            self._last_is_answered = False
        self._moved = now
        if self._turn.ours:
            self._use_turn(now)

    def poll(self, now: float) -> None:
        """Ask whether the meter has something to say: an answer that is still awaited after a notification came."""
        self._move(Role.CLIENT, Signal.RR)
        if self._turn.ours:
            self._ask(now, self._open_traffic().acknowledgement())

    def keep_waiting(self, now: float, *, more: bool = False) -> None:
        if self.state is State.CONNECTED:
            self._awaited = max(1, self._awaited) if more else self._awaited + 1
            self._last_is_answered = False
            if self._turn.ours and more and not self._open_traffic().has_unacknowledged:
                self.poll(now)
            elif self._turn.ours:
                self._use_turn(now)

    def tick(self, now: float) -> list[LinkEvent]:
        if self._turn.deadline is None or now < self._turn.deadline:
            return []
        if not self._turn.ours:
            return self._overdue(now)
        traffic = self._open_traffic()
        if self._is_waiting() and now - self._moved > self._settings.patience:
            if traffic.is_assembling or not self._last_is_answered:
                return self._fail(busy_too_long(now - self._moved))
            self._awaited = 0  # an earlier request was never answered, and the meter is well
            self._use_turn(now)
            return []
        self._ask(now, traffic.acknowledgement())
        return []

    def lost(self) -> None:
        self._move(Role.CLIENT, Signal.FAILURE)
        self._framer.forget()
        self._outgoing.clear()
        self._pushed.forget()
        self._turn.forget()
        self._forget()

    # ------------------------------------------------------------------------------------------ what comes

    def _take(self, frame: Frame, now: float) -> list[LinkEvent]:
        kind = frame.control.kind
        if not self._settings.is_ours(frame.source, frame.destination, unconfirmed=kind is FrameKind.UI):
            self._overheard = Overheard(
                stranger=(frame.source, frame.destination),
                is_echo=self._settings.client.matches(frame.source),
            )
            return self._pass_over()
        if kind is FrameKind.UI:
            return self._unsolicited(frame)
        signal = SIGNALS.get(kind)
        if signal is None or following(Role.SERVER, self.state, signal) is None:
            if frame.control.poll:
                self._turn.passed_over()
            return self._pass_over()
        if kind in (FrameKind.I, FrameKind.RR, FrameKind.RNR):
            return self._numbered(frame, now)
        return self._unnumbered(frame, signal, now)

    def _unnumbered(self, frame: Frame, signal: Signal, now: float) -> list[LinkEvent]:
        before = self.state
        if before is State.CONNECTING and self._turn.surplus and signal is not Signal.FRMR:
            self._turn.passed_over()  # it answers a DISC that went before
            return self._pass_over()
        if signal is Signal.FRMR:
            return self._fail(rejected(frame.information))
        if before is State.CONNECTED:
            return self._fail(disconnected_by_meter())
        self._move(Role.SERVER, signal)
        self._turn.answered()
        if before is State.DISCONNECTING:
            return self._disconnected(now)
        return self._connected(frame, now) if signal is Signal.UA else self._refused(now)

    def _disconnected(self, now: float) -> list[LinkEvent]:
        if self._connects_next:
            self._connects_next = False
            self._refusals = 0
            self._connect(now)
            return []
        self._forget()
        return [LinkClosed()]

    def _connected(self, frame: Frame, now: float) -> list[LinkEvent]:
        try:
            told = HdlcParameters.from_information(frame.information)
        except RemoteProtocolError as error:
            return self._fail(error)
        self._forget()
        self._listen_afresh()
        self._moved = now
        self._traffic = Traffic(self._settings.agreed(told), self.llc, self._settings.longest_apdu)
        self._use_turn(now)
        return [LinkOpened()]

    def _refused(self, now: float) -> list[LinkEvent]:
        """DM to an SNRM. Once it is taken for the end of an older connection, and asked again."""
        self._refusals += 1
        if self._refusals > 1:
            return self._fail(refused())
        self._connect(now)
        return []

    def _numbered(self, frame: Frame, now: float) -> list[LinkEvent]:
        traffic = self._open_traffic()
        events: list[LinkEvent] = []
        number = frame.control.receive_number
        acknowledged = traffic.acknowledge(number)
        progress = bool(acknowledged)
        if acknowledged is None:
            self._odd = never_sent(number, traffic.send_number)
        elif frame.control.kind is FrameKind.I and traffic.is_awaited(frame.control):
            progress = True
            try:
                apdu = traffic.accept(frame.information, segmented=frame.segmented)
            except RemoteProtocolError as error:
                return self._fail(error)
            if apdu is not None:
                events.append(self._delivered(apdu, frame))
        self._busy = frame.control.kind is FrameKind.RNR
        if progress:
            self._turn.attempts = 0
            self._moved = now
            self._odd = None
        if frame.control.poll:
            return events + self._turn_comes(frame.control.kind, now, progress=progress)
        if progress and not self._turn.ours:
            self._turn.wait(now, self._settings.response_timeout)
        return events

    def _delivered(self, apdu: bytes, frame: Frame) -> ApduReceived:
        if not apdu.startswith(_NOTIFICATIONS):
            self._awaited = max(0, self._awaited - 1)
            self._last_is_answered = True
        return ApduReceived(apdu, frame.source.upper, frame.destination.upper)

    def _turn_comes(self, kind: FrameKind, now: float, *, progress: bool) -> list[LinkEvent]:
        """A frame with F: the turn is ours again, unless it is a surplus answer that says nothing new."""
        if not progress and (self._turn.ours or self._turn.surplus):
            self._turn.passed_over()
            return []
        # An RR or RNR that owes us no acknowledgement says "not yet", which costs patience and no attempt.
        owed = self._open_traffic().has_unacknowledged or self._odd is not None
        not_yet = kind is not FrameKind.I and not owed
        if not progress and not not_yet and kind is not FrameKind.RNR:
            self._turn.attempts += 1
            if self._turn.attempts > self._settings.retries:
                return self._fail(self._odd or no_progress(self._settings.retries))
        self._turn.answered()
        self._use_turn(now, pause=not_yet and not progress)
        return []

    # ------------------------------------------------------------------------------------------ what goes out

    def _connect(self, now: float) -> None:
        self._move(Role.CLIENT, Signal.SNRM)
        self._forget_traffic()
        self._turn.attempts = 0
        self._ask_snrm(now)

    def _disconnect(self, now: float) -> None:
        self._move(Role.CLIENT, Signal.DISC)
        self._forget_traffic()
        self._turn.attempts = 0
        self._ask(now, _DISC)

    def _ask_snrm(self, now: float) -> None:
        proposal = self._settings.proposal
        self._ask(now, _SNRM, b"" if proposal is None else proposal.to_information())

    def _use_turn(self, now: float, *, pause: bool = False) -> None:
        """It is our turn: send, ask for the rest, or rest."""
        self._send_unconfirmed()
        traffic = self._open_traffic()
        if not self._is_waiting():
            keep_alive = self._settings.keep_alive
            self._turn.deadline = None if keep_alive is None else now + keep_alive
        elif traffic.has_unacknowledged and not self._busy:
            self._send_burst(now)
        elif traffic.is_assembling and not pause and not self._busy:
            self._ask(now, traffic.acknowledgement())
        else:
            self._turn.deadline = now + self._settings.poll_interval

    def _is_waiting(self) -> bool:
        """Whether there is anything to send, or anything still to come."""
        traffic = self._open_traffic()
        return traffic.has_unacknowledged or traffic.is_assembling or self._awaited > 0

    def _send_burst(self, now: float) -> None:
        for what, information, segmented in self._open_traffic().burst():
            self._ask(now, what, information, segmented=segmented)

    def _send_unconfirmed(self) -> None:
        proposal = self._settings.proposal or HdlcParameters()
        size = proposal.transmit_size if self._traffic is None else self._traffic.parameters.transmit_size
        for apdu in self._unconfirmed:
            for octets in self._write_unconfirmed(self._addresses, apdu, size):
                self._note_echo(octets)
        self._unconfirmed.clear()

    def _ask(self, now: float, what: Control, information: bytes = b"", *, segmented: bool = False) -> None:
        """Send a frame; one with P is asked until an answer comes or time is up."""
        self._note_echo(self._write(self._addresses, what, information, segmented=segmented))
        if what.poll:
            self._turn.ask(now, self._settings.response_timeout)

    def _note_echo(self, octets: bytes) -> None:
        if self._settings.echo:
            self._framer.expect_echo(octets)

    def _overdue(self, now: float) -> list[LinkEvent]:
        """T1 has run out. A frame that is just coming in is waited for; one that stopped in its middle is given up."""
        events: list[LinkEvent] = []
        if self._framer.is_mid_frame:
            if self._turn.put_off(now, self._heard + self._inter_octet_timeout):
                return []
            events += self._take_all(self._framer.abandon(), now)
            if self._turn.deadline is None or self._turn.deadline > now:
                return events
        self._turn.surplus = 0
        self._turn.attempts += 1
        if self._connects_next:  # nobody there to disconnect, or it stays silent
            self._connects_next = False
            self._refusals = 0
            self._move(Role.CLIENT, Signal.FAILURE)
            self._connect(now)
        elif self._turn.attempts > self._settings.retries:
            events += self._fail(self._odd or self._silence())
        else:
            self._ask_again(now)
        return events

    def _ask_again(self, now: float) -> None:
        match self.state:
            case State.CONNECTING:
                self._move(Role.CLIENT, Signal.SNRM)
                self._ask_snrm(now)
            case State.DISCONNECTING:
                self._move(Role.CLIENT, Signal.DISC)
                self._ask(now, _DISC)
            case _:
                traffic = self._open_traffic()
                if self._turn.attempts % 2 or not traffic.has_unacknowledged or self._busy:
                    self._ask(now, traffic.acknowledgement())
                else:
                    self._send_burst(now)

    def _silence(self) -> MeterwrightError:
        noise = self._framer.dropped - self._noise_before
        overheard = Overheard(noise, self._overheard.stranger, self._overheard.is_echo)
        frame = {State.CONNECTING: "SNRM", State.DISCONNECTING: "DISC"}.get(self.state, "")
        return no_response(
            frame or "a frame",
            self._turn.attempts,
            self._settings.server,
            overheard,
            connected=self.state is not State.CONNECTING,
        )

    # ------------------------------------------------------------------------------------------ book-keeping

    def _open_traffic(self) -> Traffic:
        if self._traffic is None:
            raise LocalProtocolError("the link is not open", layer="hdlc", hint="open it first")
        return self._traffic

    def _listen_afresh(self) -> None:
        self._noise_before = self._framer.dropped
        self._overheard = Overheard()

    def _fail(self, error: MeterwrightError) -> list[LinkEvent]:
        self._move(Role.CLIENT, Signal.FAILURE)
        self._turn.forget()
        self._forget()
        return [LinkFailed(error)]

    def _forget(self) -> None:
        self._forget_traffic()
        self._turn.rest()
        self._connects_next = False
        self._refusals = 0

    def _forget_traffic(self) -> None:
        self._traffic = None
        self._awaited = 0
        self._busy = False
        self._odd = None
        if self.state is State.DISCONNECTED:
            self._unconfirmed.clear()
