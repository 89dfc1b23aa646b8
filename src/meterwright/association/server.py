"""The meter's half of an association: it takes what a client sends, and says no by the book where it must."""

from itertools import count
from typing import Final

from meterwright.apdu import (
    Aarq,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    Apdu,
    DataNotification,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    Rlre,
    Rlrq,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    decode_apdu,
)
from meterwright.association.events import (
    AssociationRequested,
    MalformedRequest,
    ReleaseRequested,
    RequestReceived,
    ServerEvent,
)
from meterwright.association.negotiation import (
    SMALLEST_PDU,
    Context,
    Grant,
    accepting,
    initiate_request,
    rejecting,
)
from meterwright.association.states import Role, Signal, State, transition
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    Conformance,
    ExceptionService,
    ExceptionState,
    ReleaseResponseReason,
)

__all__ = ["ServerAssociation"]

_REQUESTS: Final = (
    GetRequestNormal,
    GetRequestNext,
    GetRequestWithList,
    SetRequestNormal,
    SetRequestWithFirstDataBlock,
    SetRequestWithDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    ActionRequestNormal,
    ActionRequestNextPblock,
    ActionRequestWithList,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
)
_VERSION_TOO_LOW, _INCOMPATIBLE_CONFORMANCE, _PDU_SIZE_TOO_SHORT = 1, 2, 3
_OLDEST_VERSION: Final = 6
_numbers: Final = count(1)


class ServerAssociation:
    """The meter's machine. What it refuses by itself it answers by itself; the rest are events to decide on."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self._context: Context | None = None
        self._outgoing: list[bytes] = []
        self._asked: AssociationRequested | None = None

    @property
    def context(self) -> Context:
        """What holds in the open association. LocalProtocolError where none is open."""
        if self._context is None:
            raise LocalProtocolError("there is no association", layer="association")
        return self._context

    def data_to_send(self) -> list[bytes]:
        """The APDUs that are to go out, once each."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def receive(self, octets: bytes) -> list[ServerEvent]:
        """One whole APDU has come. Never raises: what is no legal request is refused and told."""
        try:
            return self._understood(decode_apdu(octets))
        except RemoteProtocolError as error:
            self._send(_exception_for(octets))
            return [MalformedRequest(error)]

    def accept(self, grant: Grant) -> Context:
        """Accept the association that was asked for; what holds is returned."""
        asked = self._pending()
        aare, context = accepting(asked.aarq, asked.initiate, grant, f"{next(_numbers)} (meter)")
        self._move(Signal.AARE_ACCEPTED)
        self._context = context
        self._send(aare)
        return context

    def reject(self, diagnostic: AcseServiceUserDiagnostic, *, initiate_code: int | None = None) -> None:
        """Refuse the association that was asked for."""
        self._pending()
        self._move(Signal.AARE_REJECTED)
        self._send(rejecting(diagnostic, initiate_code=initiate_code))

    def respond(self, apdu: Apdu) -> None:
        """Send the answer to a request."""
        self._move(Signal.RESPONSE)
        self._send(apdu)

    def notify(self, notification: DataNotification) -> None:
        """Send what nobody asked for."""
        self._move(Signal.NOTIFICATION)
        self._send(notification)

    def lost(self) -> None:
        """The link is gone, and the association with it."""
        self._move(Signal.ABORT)
        self._context = None

    def _understood(self, apdu: Apdu) -> list[ServerEvent]:
        match apdu:
            case Aarq():
                return self._aarq(apdu)
            case Rlrq():
                self._move(Signal.RLRQ)
                self._move(Signal.RLRE)
                self._context = None
                self._send(Rlre(reason=ReleaseResponseReason.NORMAL))
                return [ReleaseRequested()]
            case _ if isinstance(apdu, _REQUESTS):
                self._move(Signal.REQUEST)
                return [RequestReceived(apdu)]
            case _:
                raise RemoteProtocolError(f"a client does not send {apdu.label}", layer="association")

    def _aarq(self, aarq: Aarq) -> list[ServerEvent]:
        initiate = initiate_request(aarq)
        self._move(Signal.AARQ)
        self._context = None
        self._asked = asked = AssociationRequested(aarq, initiate)
        if aarq.application_context_name is not ApplicationContext.LN:
            self.reject(AcseServiceUserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        elif initiate.proposed_dlms_version_number < _OLDEST_VERSION:
            self.reject(AcseServiceUserDiagnostic.NO_REASON_GIVEN, initiate_code=_VERSION_TOO_LOW)
        elif not initiate.proposed_conformance & (Conformance.GET | Conformance.SET | Conformance.ACTION):
            self.reject(AcseServiceUserDiagnostic.NO_REASON_GIVEN, initiate_code=_INCOMPATIBLE_CONFORMANCE)
        elif 0 < initiate.client_max_receive_pdu_size < SMALLEST_PDU:
            self.reject(AcseServiceUserDiagnostic.NO_REASON_GIVEN, initiate_code=_PDU_SIZE_TOO_SHORT)
        else:
            return [asked]
        return []

    def _pending(self) -> AssociationRequested:
        if self._asked is None:
            raise LocalProtocolError("no association was asked for", layer="association")
        asked, self._asked = self._asked, None
        return asked

    def _send(self, apdu: Apdu) -> None:
        self._outgoing.append(apdu.to_octets())

    def _move(self, signal: Signal) -> None:
        self.state = transition(Role.SERVER, self.state, signal)


_REQUEST_TAGS: Final = frozenset(request.prefix[0] for request in _REQUESTS)


def _exception_for(octets: bytes) -> ExceptionResponse:
    """How a meter refuses what is no legal request: the service is not known, or not allowed as it came."""
    known = bool(octets) and octets[0] in _REQUEST_TAGS
    if known:
        return ExceptionResponse(
            ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE, None
        )
    return ExceptionResponse(ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED, None)
