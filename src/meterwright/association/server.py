"""The meter's half of an association: it takes what a client sends, and says no by the book where it must.

What it demands of a client (`guard`: mechanism, secret, keys, policy) is asked for anew with each AARQ, as keys may have
changed. It is judged in this order, and the first that fails ends it: application context, mechanism, system title,
user, password, protection of the Initiate, its content. What is not protected as it must be is answered by an exception in plain;
a request that comes twice under one counter is dropped, since its answer is on its way.
"""

from collections.abc import Callable
from itertools import count
from typing import Final

from meterwright.apdu import (
    Aarq,
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    DataNotificationConfirm,
    InitiateRequest,
    Notification,
    Rlre,
    Rlrq,
    decode_apdu,
)
from meterwright.association.events import (
    AssociationRequested,
    LoggedIn,
    LoginRefused,
    MalformedRequest,
    NotificationConfirmed,
    ReleaseRequested,
    RequestReceived,
    ServerEvent,
)
from meterwright.association.login import Credentials, LoginMachine, is_reply_to_challenge
from meterwright.association.negotiation import (
    SMALLEST_PDU,
    Context,
    Grant,
    accepting,
    initiate_request,
    rejecting,
)
from meterwright.association.pre_established import PreEstablished
from meterwright.association.release import require_protected, rlre
from meterwright.association.served import REQUESTS, exception_for
from meterwright.association.states import Role, Signal, State, transition
from meterwright.errors import (
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    SecurityError,
    UsageError,
)
from meterwright.link.gbt import BlockLimits
from meterwright.security import (
    TITLE_SIZE,
    Secret,
    SecurityLayer,
    SecurityViolation,
    Violation,
    challenge_sizes,
    is_ciphered,
    password_is_right,
)
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
    ReleaseResponseReason,
)

__all__ = ["Guard", "ServerAssociation"]

Guard = Callable[[], Credentials | None]
"""What a client must bring to be let in, with a fresh challenge; None where there is no such association."""

_VERSION_TOO_LOW, _INCOMPATIBLE_CONFORMANCE, _PDU_SIZE_TOO_SHORT = 1, 2, 3
_OLDEST_VERSION: Final = 6
_numbers: Final = count(1)
_User = AcseServiceUserDiagnostic


class ServerAssociation:
    """The meter's machine. What it refuses by itself it answers by itself; the rest are events to decide on."""

    def __init__(self, guard: Guard = Credentials) -> None:
        self.state = State.IDLE
        self._guard = guard
        self._credentials = Credentials()
        self._layer: SecurityLayer | None = None
        self._login: LoginMachine | None = None
        self._context: Context | None = None
        self._outgoing: list[bytes] = []
        self._asked: AssociationRequested | None = None
        self._opened_by: Aarq | None = None
        self._is_pre_established = False

    @property
    def context(self) -> Context:
        """What holds in the open association. LocalProtocolError where none is open."""
        if self._context is None:
            raise LocalProtocolError("there is no association", layer="association")
        return self._context

    @property
    def block_limits(self) -> BlockLimits | None:
        """How general block transfer goes now; None where it was not negotiated."""
        return None if self._context is None else self._context.block_limits

    def data_to_send(self) -> list[bytes]:
        """The APDUs that are to go out, once each."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def sealed_size(self, size: int, tag: int) -> int:
        """How long an answer of `size` octets that begins with `tag` is on its way: what protects it counts."""
        return size if self._layer is None else self._layer.outgoing_size(size, tag)

    def receive(self, octets: bytes) -> list[ServerEvent]:
        """One whole APDU has come. Never raises: what is no legal request is refused and told."""
        try:
            plain = octets if self._layer is None else self._layer.incoming(octets)
        except SecurityViolation as violation:
            return self._distrust(violation)
        except RemoteProtocolError as error:
            self._send(exception_for(octets))
            return [MalformedRequest(error)]
        try:
            return self._understood(decode_apdu(plain))
        except RemoteProtocolError as error:
            self._send(exception_for(plain))
            return [MalformedRequest(error)]

    def establish(self, agreed: PreEstablished) -> Context:
        """Be associated as was agreed beforehand, protected as the guard says. What holds is returned.

        LocalProtocolError where something else was begun, or the guard lets nobody in.
        """
        credentials = self._guard()
        if self.state is not State.IDLE or credentials is None:
            raise LocalProtocolError("there is no such association to establish", layer="association")
        self._move(Signal.AGREED)
        self._credentials, self._layer = credentials, credentials.layer
        self._is_pre_established = True
        self._context = context = agreed.context(Role.SERVER, f"{next(_numbers)} (meter)")
        return context

    def accept(self, grant: Grant) -> Context:
        """Accept the association that was asked for; what holds is returned. With a challenge it must still be answered."""
        asked, credentials = self._pending(), self._credentials
        label = f"{next(_numbers)} (meter)"
        aare, context = accepting(asked.aarq, asked.initiate, grant, label, credentials)
        if credentials.challenges:
            self._move(Signal.AARE_CHALLENGING)
        else:
            self._move(Signal.AARE_ACCEPTED)
        self._context = context
        self._send(aare)
        return context

    def reject(self, diagnostic: AcseServiceUserDiagnostic, *, initiate_code: int | None = None) -> None:
        """Refuse the association that was asked for."""
        context = self._pending().aarq.application_context_name
        self._refuse(diagnostic, initiate_code, context)

    def respond(self, apdu: Apdu) -> None:
        """Send the answer to a request."""
        self._move(Signal.RESPONSE)
        self._send(apdu)

    def notify(self, notification: Notification) -> None:
        """Send what nobody asked for."""
        self._move(Signal.NOTIFICATION)
        self._send(notification)

    def lost(self) -> None:
        """The link is gone, and the association with it."""
        self._move(Signal.ABORT)
        self._forget()

    def _understood(self, apdu: Apdu) -> list[ServerEvent]:
        match apdu:
            case Aarq() | Rlrq() if self._is_pre_established:
                return self._stays(apdu)
            case Aarq():
                return self._aarq(apdu)
            case Rlrq():
                return self._rlrq(apdu)
            case ActionRequestNormal() if self._login is not None and is_reply_to_challenge(apdu):
                return self._reply(apdu, self._login)
            case DataNotificationConfirm():
                self._move(Signal.REQUEST)
                return [NotificationConfirmed(apdu)]
            case _ if isinstance(apdu, REQUESTS):
                self._move(Signal.REQUEST)
                return [RequestReceived(apdu)]
            case _:
                raise RemoteProtocolError(f"a client does not send {apdu.label}", layer="association")

    def _stays(self, apdu: Aarq | Rlrq) -> list[ServerEvent]:
        """Nothing that is said opens or ends what was agreed on beforehand."""
        if isinstance(apdu, Rlrq):
            self._send(Rlre(reason=ReleaseResponseReason.NOT_FINISHED))
        else:
            context = apdu.application_context_name or ApplicationContext.LN
            self._send(rejecting(_User.NO_REASON_GIVEN, context=context))
        return []

    # ------------------------------------------------------------------------------------------ opening

    def _aarq(self, aarq: Aarq) -> list[ServerEvent]:
        """An AARQ that is not believed ends no ciphered association: whoever recorded one could do so else."""
        if self._comes_twice(aarq):
            return []
        standing = self._credentials, self._layer, self._context, self._opened_by
        is_kept = self.state is State.ASSOCIATED and _is_ciphered(self._opened_by)
        try:
            return self._judge_aarq(aarq)
        finally:
            if is_kept and self.state is State.IDLE:
                self.state = State.ASSOCIATED
                self._credentials, self._layer, self._context, self._opened_by = standing

    def _judge_aarq(self, aarq: Aarq) -> list[ServerEvent]:
        self._move(Signal.AARQ)
        self._forget()
        credentials = self._guard()
        if credentials is None:
            return self._turn_away(aarq, _User.NO_REASON_GIVEN)
        self._credentials, self._layer = credentials, credentials.layer
        try:
            diagnostic = _objection(aarq, credentials)
            if diagnostic is not None:
                return self._turn_away(aarq, diagnostic)
            initiate = self._initiated(aarq)
        except (SecurityError, UsageError) as error:
            return self._not_believed(aarq, error)
        except RemoteProtocolError:
            self._move(Signal.ABORT)
            self._forget()
            raise
        self._asked = asked = AssociationRequested(aarq, initiate)
        self._opened_by = aarq
        code = _initiate_fault(initiate)
        if code is not None:
            self.reject(_User.NO_REASON_GIVEN, initiate_code=code)
            return []
        return [asked]

    def _initiated(self, aarq: Aarq) -> InitiateRequest:
        """The Initiate of a client, and all that its protection and its challenge must be."""
        layer, credentials = self._layer, self._credentials
        if layer is not None and aarq.calling_ap_title:
            layer.learn_peer_title(aarq.calling_ap_title)
        initiate = initiate_request(aarq, layer)
        if layer is not None and initiate.dedicated_key is not None:
            layer.use_dedicated(Secret(initiate.dedicated_key))
        if credentials.challenges:
            challenge = aarq.calling_authentication_value or b""
            titles = aarq.calling_ap_title, aarq.calling_ae_qualifier
            self._login = LoginMachine(Role.SERVER, credentials, challenge, *titles)
        return initiate

    def _reply(self, request: ActionRequestNormal, login: LoginMachine) -> list[ServerEvent]:
        """Pass 3: the client is let in, or has to begin anew."""
        self._move(Signal.PROOF)
        try:
            answer = login.judge_reply(request)
        except MeterwrightError as error:
            refusal = ActionResponseNormal(request.invoke_id_and_priority, ActionResult.OTHER_REASON, None)
            self._send(refusal)
            self._move(Signal.PROOF_REFUSED)
            self._forget()
            return [LoginRefused(error)]
        self._login = None
        self._move(Signal.PROOF_ACCEPTED)
        self._send(answer)
        return [LoggedIn(self.context)]

    def _rlrq(self, rlrq: Rlrq) -> list[ServerEvent]:
        """The client ends the association, if it is the client."""
        following = transition(Role.SERVER, self.state, Signal.RLRQ)
        try:
            is_protected = require_protected(rlrq, self._opened_by, self._credentials)
        except SecurityViolation as violation:
            if self._layer is not None:
                self._outgoing.append(self._layer.refusal(violation))
            return [MalformedRequest(violation)]
        self.state = following
        self._move(Signal.RLRE)
        self._send(rlre(self._layer if is_protected else None, self._context))
        self._forget()
        return [ReleaseRequested()]

    def _comes_twice(self, aarq: Aarq) -> bool:
        """Whether it is the AARQ of this very association again, whose answer is on its way.

        Nobody who begins anew repeats a challenge or a counter. Where there is neither, the same AARQ is a new beginning.
        """
        if aarq != self._opened_by:
            return False
        return self.state is State.AUTHENTICATING or is_ciphered(aarq.user_information or b"")

    def _not_believed(self, aarq: Aarq, error: SecurityError | UsageError) -> list[ServerEvent]:
        """The Initiate is not protected as it must be, or the challenge is our own."""
        layer = self._layer
        if layer is None or not isinstance(error, SecurityViolation) or error.violation is Violation.PROOF:
            self._refuse(_User.AUTHENTICATION_FAILURE, None, aarq.application_context_name)
        else:
            self._move(Signal.AARE_REJECTED)
            self._outgoing.append(layer.refusal(error))
            self._forget()
        return [LoginRefused(error)]

    def _turn_away(self, aarq: Aarq, diagnostic: AcseServiceUserDiagnostic) -> list[ServerEvent]:
        self._refuse(diagnostic, None, aarq.application_context_name)
        error = SecurityError(f"a client was turned away: {diagnostic.label}", layer="association")
        return [LoginRefused(error)]

    def _refuse(
        self, diagnostic: AcseServiceUserDiagnostic, code: int | None, context: ApplicationContext | None
    ) -> None:
        self._move(Signal.AARE_REJECTED)
        self._forget()
        self._send(rejecting(diagnostic, initiate_code=code, context=context or ApplicationContext.LN))

    def _pending(self) -> AssociationRequested:
        if self._asked is None:
            raise LocalProtocolError("no association was asked for", layer="association")
        asked, self._asked = self._asked, None
        return asked

    # ------------------------------------------------------------------------------------------ book-keeping

    def _distrust(self, violation: SecurityViolation) -> list[ServerEvent]:
        """What came is not protected as it must be. What came twice is not answered twice."""
        if self._layer is not None and not violation.came_twice:
            self._outgoing.append(self._layer.refusal(violation))
        return [MalformedRequest(violation)]

    def _send(self, apdu: Apdu) -> None:
        octets = apdu.to_octets()
        self._outgoing.append(octets if self._layer is None else self._layer.outgoing(octets))

    def _move(self, signal: Signal) -> None:
        self.state = transition(Role.SERVER, self.state, signal)

    def _forget(self) -> None:
        self._is_pre_established = False
        self._layer = None
        self._login = None
        self._context = None
        self._asked = None
        self._opened_by = None


def _objection(aarq: Aarq, credentials: Credentials) -> AcseServiceUserDiagnostic | None:
    """What is wrong with an AARQ before its Initiate is looked at."""
    context, layer = aarq.application_context_name, credentials.layer
    may_be_plain = not credentials.context.is_ciphered
    contexts = {ApplicationContext.LN: may_be_plain, ApplicationContext.LN_CIPHERED: layer is not None}
    if context is None or not contexts.get(context, False):
        return _User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED
    asked = aarq.mechanism_name or AuthenticationMechanism.LOWEST
    if asked is not credentials.mechanism:
        none = asked is AuthenticationMechanism.LOWEST
        return (
            _User.AUTHENTICATION_MECHANISM_NAME_REQUIRED
            if none
            else _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
        )
    if not _is_title_right(aarq.calling_ap_title, credentials):
        return _User.CALLING_AP_TITLE_NOT_RECOGNIZED
    if credentials.users is not None and aarq.calling_ae_invocation_id not in credentials.users:
        return _User.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED
    if not _is_value_right(aarq.calling_authentication_value, credentials):
        return _User.AUTHENTICATION_FAILURE
    return None


def _is_ciphered(aarq: Aarq | None) -> bool:
    """Whether the association that this AARQ opened is ciphered."""
    context = None if aarq is None else aarq.application_context_name
    return context is not None and context.is_ciphered


def _is_title_right(title: bytes | None, credentials: Credentials) -> bool:
    layer = credentials.layer
    known = None if layer is None else layer.peer_title
    if not title:
        return known is not None or not credentials.needs_titles
    return len(title) == TITLE_SIZE and title != credentials.title and known in (None, title)


def _is_value_right(value: bytes | None, credentials: Credentials) -> bool:
    """Whether it is the password, or may be a challenge."""
    if credentials.mechanism is AuthenticationMechanism.LOW:
        return credentials.secret is not None and password_is_right(credentials.secret, value)
    return not credentials.challenges or len(value or b"") in challenge_sizes(credentials.mechanism)


def _initiate_fault(initiate: InitiateRequest) -> int | None:
    """The code of the initiate error, where what is proposed cannot be had."""
    if initiate.proposed_dlms_version_number < _OLDEST_VERSION:
        return _VERSION_TOO_LOW
    if not initiate.proposed_conformance & (Conformance.GET | Conformance.SET | Conformance.ACTION):
        return _INCOMPATIBLE_CONFORMANCE
    if 0 < initiate.client_max_receive_pdu_size < SMALLEST_PDU:
        return _PDU_SIZE_TOO_SHORT
    return None
