"""The client's half of an association: how it is opened, and which answer belongs to which request.

Octets of whole APDUs go in and out, protected where the credentials say so; time comes in as a number. The rules:

* an answer is known by its invoke id; an id that was given up is not used again until its late answer has come;
* a notification is an event and never an answer, whenever it comes;
* an ExceptionResponse or ConfirmedServiceError carries no invoke id: it answers the one open request. Where a request
  was given up before, nobody can tell whose it is, and the association ends;
* what is not protected as it must be is dropped and told, and no answer: somebody may have put it on the line. Its
  request fails when its time is over, and says then what came instead. Only an answer that came less protected than the
  association wants, which is how a meter with a weaker policy shows, fails its request at once;
* with a challenge nothing is asked for before both sides have proved themselves (`login`).
"""

from itertools import count
from typing import Final, overload

from meterwright.apdu import (
    Aare,
    ActionResponseNormal,
    Apdu,
    ConfirmedServiceError,
    DataNotification,
    EventNotificationRequest,
    ExceptionResponse,
    InformationReportRequest,
    InvokedApdu,
    LongInvokedApdu,
    Rlre,
    decode_apdu,
)
from meterwright.association.events import (
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    ClientEvent,
    Distrusted,
    LateAnswer,
    Released,
    RequestFailed,
    Unsolicited,
)
from meterwright.association.failures import (
    challenge_asked_twice,
    ciphered_without_keys,
    released_too_early,
    unanswered,
    whose_refusal,
)
from meterwright.association.login import (
    Credentials,
    LoginMachine,
    broken_off,
    not_proved_by_meter,
    refused,
    require_mechanism,
)
from meterwright.association.negotiation import Context, Proposal, granted_context, refusal
from meterwright.association.pre_established import PreEstablished
from meterwright.association.release import rlrq
from meterwright.association.requests import (
    InvokeId,
    LongInvokeId,
    OpenRequests,
    invoke_id_of,
    with_invoke_id,
)
from meterwright.association.responses import RESPONSES, answered_id, goes_on
from meterwright.association.room import Room
from meterwright.association.states import Role, Signal, State, transition
from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.link.gbt import BlockLimits
from meterwright.security import SecurityViolation, Violation, is_protected

__all__ = ["ClientAssociation"]

_numbers: Final = count(1)


class ClientAssociation:
    """The client's machine. `state` tells how far it is, `context` what was negotiated."""

    def __init__(self, proposal: Proposal | None = None, credentials: Credentials | None = None) -> None:
        self.state = State.IDLE
        self._proposal = proposal or Proposal()
        self._credentials = credentials or Credentials()
        self._layer = self._credentials.layer
        self._context: Context | None = None
        self._login: LoginMachine | None = None
        self._has_asked = False
        self._opened_by: Aare | None = None
        self._outgoing: list[bytes] = []
        self.is_pre_established = False
        self._requests = OpenRequests()
        self._control_deadline: float | None = None
        self._distrusted: MeterwrightError | None = None

    @property
    def context(self) -> Context:
        """What holds in the open association. LocalProtocolError where none is open."""
        if self._context is None or self.state is State.AUTHENTICATING:
            raise LocalProtocolError("there is no association", layer="association", hint="associate first")
        return self._context

    @property
    def room(self) -> Room:
        """How much the meter takes at once. LocalProtocolError where no association is open."""
        return Room(self.context, self.sealed_size)

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""
        deadlines = [each for each in (self._requests.deadline, self._control_deadline) if each is not None]
        return min(deadlines, default=None)

    def data_to_send(self) -> list[bytes]:
        """The APDUs that are to go out, once each."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def sealed_size(self, size: int, tag: int) -> int:
        """How long an APDU of `size` octets that begins with `tag` is on its way: what protects it counts."""
        return size if self._layer is None else self._layer.outgoing_size(size, tag)

    def associate(self, deadline: float) -> None:
        """Ask for an association. LocalProtocolError while requests of the old one are open: their askers wait.

        A challenge is asked once, so with one this can be done once. SecurityError where no invocation counter is left.
        """
        if self._requests:
            raise LocalProtocolError(
                f"{len(self._requests)} requests are open in the association that would end",
                layer="association",
                hint="release it, or give the requests up",
            )
        if self._has_asked and self._credentials.challenges:
            raise challenge_asked_twice()
        self._move(Signal.AARQ)
        self._forget()
        try:
            aarq = self._proposal.aarq(self._credentials).to_octets()
        except MeterwrightError:
            self._abort()
            raise
        self._has_asked = True
        self._control_deadline = deadline
        self._outgoing.append(aarq)

    def establish(self, agreed: PreEstablished) -> Associated:
        """Be associated as was agreed beforehand. LocalProtocolError where something else was begun."""
        if self.state is not State.IDLE:
            raise LocalProtocolError(
                f"the association is {self.state.value} already", layer="association", hint="close it first"
            )
        self._move(Signal.AGREED)
        self.is_pre_established = True
        self._context = context = agreed.context(Role.CLIENT, f"{next(_numbers)}")
        return Associated(context)

    def release(self, deadline: float) -> None:
        """End the association. Requests that are open then may still be answered; else they fail with its end.

        LocalProtocolError where it was agreed on beforehand: nothing that is said ends it.
        """
        if self.is_pre_established:
            raise LocalProtocolError("a pre-established association is not released", layer="association")
        self._move(Signal.RLRQ)
        self._login = None  # in the midst of it, what the meter proves now is late
        self._control_deadline = deadline
        self._outgoing.append(rlrq(self._proposal, self._credentials).to_octets())

    @overload
    def request(self, apdu: InvokedApdu, deadline: float, *, continues: bool = False) -> int: ...
    @overload
    def request(self, apdu: LongInvokedApdu, deadline: float, *, continues: bool = False) -> LongInvokeId: ...
    @overload
    def request(self, apdu: Apdu, deadline: float, *, continues: bool = False) -> InvokeId: ...
    def request(self, apdu: Apdu, deadline: float, *, continues: bool = False) -> InvokeId:
        """Send a request under a fresh invoke id, which is returned: its answer will name it.

        A request that `continues` a long transfer bears an invoke id already, and keeps it (Green Book 9.4.6.3).
        """
        self._move(Signal.REQUEST)
        if not isinstance(apdu, InvokedApdu | LongInvokedApdu):
            raise LocalProtocolError(
                f"{apdu.label} carries no invoke id to be answered by", layer="association"
            )
        if continues:
            invoke_id = self._requests.kept_id(apdu)
        else:
            is_long = isinstance(apdu, LongInvokedApdu)
            invoke_id = self._requests.fresh_long_id() if is_long else self._requests.fresh_id()
        self._queue(with_invoke_id(apdu, invoke_id), self.context)
        self._requests.add(invoke_id, apdu.label, deadline)
        return invoke_id

    def tell(self, apdu: Apdu) -> None:
        """Send an unconfirmed request: nothing will answer it."""
        self._move(Signal.REQUEST)
        self._queue(apdu, self.context, unconfirmed=True)

    def end_transfer(self, answer: Apdu) -> None:
        """Whoever got this answer goes on no further: the invoke id of a transfer that stopped between blocks is free again."""
        if isinstance(answer, InvokedApdu | LongInvokedApdu):
            self._requests.end_transfer(invoke_id_of(answer))

    @property
    def block_limits(self) -> BlockLimits | None:
        """How general block transfer goes now; None where it was not negotiated, or nothing may be asked for."""
        may_ask = self.state in (State.AUTHENTICATING, State.ASSOCIATED)
        return self._context.block_limits if may_ask and self._context is not None else None

    def postpone(self, until: float) -> None:
        """An answer is coming in parts: whoever awaits one may wait until then."""
        self._requests.postpone(until)

    def give_up(self, invoke_id: InvokeId) -> None:
        """Await this answer no longer; should it come all the same, it is dropped."""
        self._requests.give_up(invoke_id)

    def tick(self, now: float) -> list[ClientEvent]:
        """What has taken too long by now."""
        events: list[ClientEvent] = []
        for invoke_id, label in self._requests.overdue(now):
            self.give_up(invoke_id)
            events.append(RequestFailed(invoke_id, self._distrusted or unanswered(label)))
        if self._control_deadline is not None and self._control_deadline <= now:
            events += self._released() if self.state is State.RELEASING else self._never_associated()
        return events

    def lost(self, error: MeterwrightError) -> list[ClientEvent]:
        """The link is gone: so is the association, and every open request with it."""
        before = self.state
        events: list[ClientEvent] = [RequestFailed(invoke_id, error) for invoke_id in self._requests]
        self._abort()
        match before:
            case State.PENDING:
                events.append(AssociationRefused(error))
            case State.AUTHENTICATING:
                events.append(AssociationRefused(broken_off(str(error))))
            case State.ASSOCIATED | State.RELEASING:
                events.append(AssociationEnded(error))
            case State.IDLE:
                pass
        return events

    def receive(self, octets: bytes) -> list[ClientEvent]:
        """One whole APDU has come. Never raises: what cannot be used becomes an event."""
        protected = is_protected(octets)
        try:
            plain = self._opened(octets, protected=protected)
        except SecurityViolation as violation:
            return self._distrust(octets, violation)
        except RemoteProtocolError as error:  # an envelope that is none: as untrustworthy as a wrong tag
            self._distrusted = error
            return [Distrusted(error)]
        sure = self._layer.verified if protected and self._layer is not None else not self._is_ciphered
        try:
            apdu = decode_apdu(plain)
        except RemoteProtocolError as error:
            return self._undecodable(plain, error, sure=sure)
        try:
            return self._understood(apdu)
        except RemoteProtocolError as error:
            if not sure:  # perhaps made up by somebody: what a meter does not send ends nothing
                self._distrusted = error
                return [Distrusted(error)]
            return self.lost(error)

    def _opened(self, octets: bytes, *, protected: bool) -> bytes:
        if self._layer is not None:
            return self._layer.incoming(octets)
        if protected:
            raise ciphered_without_keys()
        return octets

    def _understood(self, apdu: Apdu) -> list[ClientEvent]:
        match apdu:
            case DataNotification() | EventNotificationRequest() | InformationReportRequest():
                self._move(Signal.NOTIFICATION)
                return [Unsolicited(apdu)]
            case Aare():
                return self._aare(apdu)
            case Rlre():
                return self._rlre(apdu)
            case ExceptionResponse() | ConfirmedServiceError():
                return self._anonymous(apdu)
            case InvokedApdu() | LongInvokedApdu() if isinstance(apdu, RESPONSES):
                return self._answer(apdu)
            case _:
                raise RemoteProtocolError(f"a meter does not send {apdu.label}", layer="association")

    @property
    def _is_ciphered(self) -> bool:
        """Whether an association is open in which nothing that comes in plain is to be believed."""
        return self.state is State.ASSOCIATED and self._credentials.context.is_ciphered

    # ------------------------------------------------------------------------------------------ opening

    def _aare(self, aare: Aare) -> list[ClientEvent]:
        if self.state is not State.PENDING:
            if aare == self._opened_by:
                return [LateAnswer(aare)]  # it came twice
            self._move(Signal.AARE_ACCEPTED)  # nobody asked: the table says whose fault that is
        credentials, layer = self._credentials, self._layer
        try:
            context = granted_context(aare, self._proposal, f"{next(_numbers)}", credentials)
            require_mechanism(aare.mechanism_name, credentials)
            self._opened_by = aare
            if layer is not None and credentials.dedicated is not None:
                layer.use_dedicated(credentials.dedicated)
            if not credentials.challenges:
                return [self._associated(Signal.AARE_ACCEPTED, context)]
            self._answer_challenge(aare, context)
        except MeterwrightError as error:
            return [self._refused(Signal.AARE_REJECTED, error)]
        return []

    def _answer_challenge(self, aare: Aare, context: Context) -> None:
        challenge = aare.responding_authentication_value
        if not challenge:
            raise not_proved_by_meter()
        titles = aare.responding_ap_title, aare.responding_ae_qualifier
        login = LoginMachine(Role.CLIENT, self._credentials, challenge, *titles)
        reply = login.reply(self._requests.fresh_id())
        self._queue(reply, context)
        self._move(Signal.AARE_CHALLENGING)
        self._move(Signal.PROOF)
        self._login, self._context = login, context

    def _login_answered(self, apdu: Apdu, login: LoginMachine) -> list[ClientEvent]:
        """Pass 4, or a refusal of pass 3."""
        context = self._context
        try:
            if not isinstance(apdu, ActionResponseNormal) or context is None:
                raise refused(apdu.label)
            login.judge_answer(apdu)
        except MeterwrightError as error:
            return [self._refused(Signal.PROOF_REFUSED, error)]
        return [self._associated(Signal.PROOF_ACCEPTED, context)]

    def _associated(self, signal: Signal, context: Context) -> Associated:
        self._move(signal)
        self._control_deadline = None
        self._context, self._login = context, None
        if self._layer is not None and self._layer.is_ciphered:
            self._layer.send_counter.confirm()
        return Associated(context)

    def _refused(self, signal: Signal, error: MeterwrightError) -> AssociationRefused:
        self._move(signal)
        self._abort()
        return AssociationRefused(error)

    def _never_associated(self) -> list[ClientEvent]:
        was_authenticating = self.state is State.AUTHENTICATING
        self._abort()
        if was_authenticating:
            return [AssociationRefused(broken_off("it stays silent"))]
        return [AssociationRefused(unanswered("the AARQ"))]

    # ------------------------------------------------------------------------------------------ answers

    def _answer(self, apdu: InvokedApdu | LongInvokedApdu) -> list[ClientEvent]:
        invoke_id = invoke_id_of(apdu)
        if self._login is not None and invoke_id == self._login.invoke_id:
            return self._login_answered(apdu, self._login)
        if invoke_id in self._requests:
            self._move(Signal.RESPONSE)
            self._distrusted = None
            self._requests.answered(invoke_id, continues=goes_on(apdu))
            return [Answered(invoke_id, apdu)]
        self._requests.late_answer(invoke_id)
        return [LateAnswer(apdu)]

    def _anonymous(self, apdu: ExceptionResponse | ConfirmedServiceError) -> list[ClientEvent]:
        """A refusal without invoke id: it belongs to the AARQ, to the one open request, or to nobody we can name."""
        if self.state is State.PENDING:
            return [self._refused(Signal.AARE_REJECTED, refusal(apdu))]
        if self._login is not None:
            return [self._refused(Signal.PROOF_REFUSED, refused(refusal(apdu).what))]
        if (only := self._requests.only) is not None:
            self._move(Signal.RESPONSE)
            self._requests.answered(only)
            return [Answered(only, apdu)]
        if self.state is State.RELEASING and not self._requests:
            return self._released()  # it knows no RLRQ, or no association any more: it is over either way
        if not self._requests:
            self._requests.late_refusal()
            return [LateAnswer(apdu)]
        return self.lost(whose_refusal(apdu.label))

    def _undecodable(self, octets: bytes, error: RemoteProtocolError, *, sure: bool) -> list[ClientEvent]:
        """Octets that are no APDU: the answer to a request, if its invoke id can be read; else the end of the association.

        Unless we are `sure` that the meter sent them so, they end nothing: what is only encrypted can be altered by anybody.
        """
        invoke_id = answered_id(octets)
        if invoke_id is not None and invoke_id in self._requests:
            self._requests.answered(invoke_id)
            return [RequestFailed(invoke_id, error)]
        if invoke_id is not None and self._requests.late_answer(invoke_id):
            return []
        if not sure:
            self._distrusted = error
            return [Distrusted(error)]
        return self.lost(error)

    def _distrust(self, octets: bytes, violation: SecurityViolation) -> list[ClientEvent]:
        """What came is not protected as it must be."""
        if self._login is not None and violation.violation is not Violation.COUNTER:
            return [self._refused(Signal.PROOF_REFUSED, violation)]
        if (
            violation.violation is not Violation.COUNTER
        ):  # a counter that comes twice is an answer that came twice
            self._distrusted = violation
        invoke_id = answered_id(octets)
        if invoke_id is not None and invoke_id in self._requests:
            self._requests.give_up(invoke_id)
            return [Distrusted(violation), RequestFailed(invoke_id, violation)]
        return [Distrusted(violation)]

    def _rlre(self, rlre: Rlre) -> list[ClientEvent]:
        """The meter agrees. What it says under protection must hold; that it says so in plain ends what we are ending anyway."""
        state = transition(Role.CLIENT, self.state, Signal.RLRE)
        if self._layer is not None and rlre.user_information:
            try:
                self._layer.open_release(rlre.user_information)
            except SecurityViolation as violation:
                return [Distrusted(violation)]
        self.state = state
        return self._released()

    def _released(self) -> list[ClientEvent]:
        error = released_too_early()
        failed: list[ClientEvent] = [RequestFailed(invoke_id, error) for invoke_id in self._requests]
        self._abort()
        return [*failed, Released()]

    # ------------------------------------------------------------------------------------------ book-keeping

    def _queue(self, apdu: Apdu, context: Context, *, unconfirmed: bool = False) -> None:
        octets = apdu.to_octets()
        size = self.sealed_size(len(octets), octets[0])
        if not context.carries(size):
            raise LocalProtocolError(
                f"{apdu.label} of {size} octets, and the meter takes {context.max_send_pdu_size}",
                layer="association",
                hint="send less at once",
            )
        layer = self._layer
        self._outgoing.append(octets if layer is None else layer.outgoing(octets, unconfirmed=unconfirmed))

    def _move(self, signal: Signal) -> None:
        self.state = transition(Role.CLIENT, self.state, signal)

    def _abort(self) -> None:
        self._move(Signal.ABORT)
        self._forget()

    def _forget(self) -> None:
        self.is_pre_established = False
        self._context = None
        self._login = None
        self._opened_by = None
        self._control_deadline = None
        self._distrusted = None
        self._requests.forget()
