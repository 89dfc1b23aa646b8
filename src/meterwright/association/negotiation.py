"""What client and meter agree on: what is proposed, what is granted, and the AARQ and AARE that say so."""

from dataclasses import dataclass
from typing import Final

from meterwright.apdu import (
    AUTHENTICATION_REQUIREMENT,
    DLMS_VERSION,
    LOGICAL_NAMES_VAA,
    Aare,
    Aarq,
    ConfirmedServiceError,
    ExceptionResponse,
    InitiateRequest,
    InitiateResponse,
    decode_apdu,
)
from meterwright.association.login import Credentials
from meterwright.cosem import AssociationIdentity
from meterwright.errors import (
    AssociationRejected,
    ConfirmedServiceErrorReceived,
    ExceptionResponseError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.link.gbt import (
    HIGHEST_NUMBER,
    LARGEST_WINDOW,
    LONGEST_APDU,
    BlockLimits,
    block_size,
)
from meterwright.security import SecurityLayer
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ConfirmedServiceErrorService,
    Conformance,
    ServiceErrorClass,
    service_error_name,
)

__all__ = [
    "CLIENT_CONFORMANCE",
    "LARGEST_PDU",
    "SMALLEST_PDU",
    "Context",
    "Grant",
    "Proposal",
    "accepting",
    "granted_context",
    "initiate_request",
    "initiate_response",
    "refusal",
    "rejecting",
]

LARGEST_PDU: Final = 0xFFFF
SMALLEST_PDU: Final = 12
"""Smaller maximum PDU sizes are illegal (0 means no limit)."""

CLIENT_CONFORMANCE: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.ACCESS
    | Conformance.ATTRIBUTE0_WITH_GET
    | Conformance.ATTRIBUTE0_WITH_SET
    | Conformance.DATA_NOTIFICATION
    | Conformance.EVENT_NOTIFICATION
    | Conformance.PRIORITY_MGMT
)
"""The services our client can use, and so proposes: nothing it does not implement."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a client proposes. `max_receive_pdu_size`: the largest APDU we take, in octets; 0 means no limit.

    `context`: the application context, unless it is the one that goes with the credentials. `block_window`: how many blocks of a
    general block transfer we take in a row (1 to 63); 0 does not propose it, unless `conformance` does.
    """

    conformance: Conformance = CLIENT_CONFORMANCE
    max_receive_pdu_size: int = LARGEST_PDU
    context: ApplicationContext | None = None
    block_window: int = 0

    def __post_init__(self) -> None:
        _require_window(self.block_window)

    @property
    def services(self) -> Conformance:
        """The services that are proposed, general block transfer among them where there is a window for it."""
        return self.conformance | (
            Conformance.GENERAL_BLOCK_TRANSFER if self.block_window else Conformance(0)
        )

    def initiate(self, credentials: Credentials) -> bytes:
        """The InitiateRequest that says it, not protected yet."""
        dedicated = None if credentials.dedicated is None else credentials.dedicated.reveal()
        return InitiateRequest(
            dedicated, True, None, DLMS_VERSION, self.services, self.max_receive_pdu_size
        ).to_octets()

    def aarq(self, credentials: Credentials | None = None) -> Aarq:
        """The AARQ that says it. Where APDUs are ciphered it consumes an invocation counter."""
        credentials = credentials or Credentials()
        initiate = self.initiate(credentials)
        layer = credentials.layer
        if layer is not None and credentials.context.is_ciphered:
            initiate = layer.seal_initiate(initiate)
        authenticated = credentials.mechanism is not AuthenticationMechanism.LOWEST
        return Aarq(
            application_context_name=self.context or credentials.context,
            calling_ap_title=credentials.title if credentials.needs_titles else None,
            calling_ae_qualifier=credentials.ae_qualifier,
            calling_ae_invocation_id=credentials.user_id,
            sender_acse_requirements=AUTHENTICATION_REQUIREMENT if authenticated else None,
            mechanism_name=credentials.mechanism if authenticated else None,
            calling_authentication_value=credentials.authentication_value,
            user_information=initiate,
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """What a meter is willing to grant: services, and the largest APDU it takes, in octets (0: no limit).

    `block_window`: how many blocks of a general block transfer it takes in a row, where that is among them.
    """

    conformance: Conformance
    max_receive_pdu_size: int
    block_window: int = 1

    def __post_init__(self) -> None:
        _require_window(self.block_window, 1)


@dataclass(frozen=True, slots=True)
class Context:
    """What holds in an association, in octets and services. A size of 0 means no limit.

    `user_id`: the user whom the client named, on the meter's side. `block_window`: how many blocks of a general block transfer this side takes in a row.
    """

    identity: AssociationIdentity
    conformance: Conformance
    max_send_pdu_size: int
    max_receive_pdu_size: int
    user_id: int | None = None
    block_window: int = 1

    @property
    def block_limits(self) -> BlockLimits | None:
        """How general block transfer goes here; None where it was not negotiated."""
        if Conformance.GENERAL_BLOCK_TRANSFER not in self.conformance:
            return None
        return BlockLimits(self.max_send_pdu_size, self.block_window)

    def carries(self, octets: int) -> bool:
        """Whether an APDU of that many octets gets through: whole, or in general block transfer."""
        if self.fits(octets):
            return True
        size = 0 if self.block_limits is None else block_size(self.max_send_pdu_size)
        return octets <= min(LONGEST_APDU, size * (HIGHEST_NUMBER // 2))

    def fits(self, octets: int) -> bool:
        """Whether an APDU of that many octets may be sent. Where the meter sets no limit, the wrapper's header does."""
        return octets <= (self.max_send_pdu_size or LARGEST_PDU)


def granted_context(aare: Aare, proposal: Proposal, label: str, credentials: Credentials) -> Context:
    """What an AARE grants. AssociationRejected where it refuses, RemoteProtocolError where it grants nonsense.

    The layer of the credentials opens what it holds: SecurityViolation where that is not protected as it must be.
    """
    if aare.result is None:
        raise RemoteProtocolError("an AARE without a result", layer="association")
    if aare.result is not AssociationResult.ACCEPTED:
        raise _rejection(aare, aare.result)
    _require_context(aare, proposal.context or credentials.context)
    initiated = decode_apdu(_opened(aare, credentials.layer)) if aare.user_information else None
    if not isinstance(initiated, InitiateResponse):
        raise RemoteProtocolError("an AARE that accepts without an InitiateResponse", layer="association")
    if initiated.negotiated_dlms_version_number != DLMS_VERSION:
        raise RemoteProtocolError(
            f"the meter negotiated DLMS version {initiated.negotiated_dlms_version_number}",
            layer="association",
        )
    size = initiated.server_max_receive_pdu_size
    if 0 < size < SMALLEST_PDU:
        raise RemoteProtocolError(f"a maximum PDU size of {size} octets is illegal", layer="association")
    return Context(
        identity=AssociationIdentity(label),
        # A meter must not grant what was not proposed; some do, and it is not ours to use then.
        conformance=initiated.negotiated_conformance & proposal.services,
        max_send_pdu_size=size,
        max_receive_pdu_size=proposal.max_receive_pdu_size,
        block_window=proposal.block_window or 1,
    )


def _require_context(aare: Aare, proposed: ApplicationContext) -> None:
    """A meter may not put us into another context than the one that we asked for, a plain one least of all."""
    granted = aare.application_context_name
    if granted is not None and granted is not proposed:
        raise RemoteProtocolError(
            f"the meter grants the application context {granted.label}, and was asked for {proposed.label}",
            layer="association",
            hint="somebody altered its answer, or the meter does not do what it was asked for",
        )


def _opened(aare: Aare, layer: SecurityLayer | None) -> bytes:
    octets = aare.user_information or b""
    if layer is None:
        return octets
    if aare.responding_ap_title:
        layer.learn_peer_title(aare.responding_ap_title)
    return layer.open_initiate(octets)


def _rejection(aare: Aare, result: AssociationResult) -> AssociationRejected:
    diagnostic = aare.result_source_diagnostic
    if diagnostic is None:
        diagnostic = AcseServiceUserDiagnostic.NO_REASON_GIVEN
    return AssociationRejected(result, diagnostic, reason=_initiate_error(aare.user_information))


def refusal(apdu: ExceptionResponse | ConfirmedServiceError) -> MeterwrightError:
    """The error for an AARQ that was answered without an AARE."""
    if isinstance(apdu, ExceptionResponse):
        return ExceptionResponseError(
            apdu.state_error, apdu.service_error, invocation_counter=apdu.invocation_counter, about="AARQ"
        )
    return ConfirmedServiceErrorReceived(apdu.service, apdu.error_class, apdu.code, about="AARQ")


def _initiate_error(user_information: bytes | None) -> str:
    """The reason that a refusing AARE may carry as a ConfirmedServiceError; "" where it carries none we can read."""
    if not user_information or user_information[0] != ConfirmedServiceError.prefix[0]:
        return ""
    try:
        error = decode_apdu(user_information)
    except RemoteProtocolError:
        return ""
    if isinstance(error, ConfirmedServiceError):
        return service_error_name(error.error_class, error.code)
    return ""


def initiate_request(aarq: Aarq, layer: SecurityLayer | None = None) -> InitiateRequest:
    """The InitiateRequest inside an AARQ. RemoteProtocolError where there is none, SecurityViolation as `layer` finds."""
    octets = aarq.user_information or b""
    request = decode_apdu(octets if layer is None else layer.open_initiate(octets)) if octets else None
    if not isinstance(request, InitiateRequest):
        raise RemoteProtocolError("an AARQ without an InitiateRequest", layer="association")
    return request


def accepting(
    aarq: Aarq, initiate: InitiateRequest, grant: Grant, label: str, credentials: Credentials | None = None
) -> tuple[Aare, Context]:
    """The AARE that accepts, and what holds then; with a challenge it accepts provided that it is answered."""
    credentials = credentials or Credentials()
    context = Context(
        identity=AssociationIdentity(label),
        conformance=grant.conformance & initiate.proposed_conformance,
        max_send_pdu_size=initiate.client_max_receive_pdu_size,
        max_receive_pdu_size=grant.max_receive_pdu_size,
        user_id=aarq.calling_ae_invocation_id,
        block_window=grant.block_window,
    )
    response = initiate_response(context)
    layer, challenges = credentials.layer, credentials.challenges
    if layer is not None and layer.is_sealing_initiates:
        response = layer.seal_initiate(response)
    diagnostic = AcseServiceUserDiagnostic
    aare = Aare(
        application_context_name=aarq.application_context_name,
        result=AssociationResult.ACCEPTED,
        result_source_diagnostic=diagnostic.AUTHENTICATION_REQUIRED if challenges else diagnostic.NULL,
        responding_ap_title=credentials.title if credentials.needs_titles else None,
        responding_ae_qualifier=credentials.ae_qualifier,
        responder_acse_requirements=AUTHENTICATION_REQUIREMENT if challenges else None,
        mechanism_name=credentials.mechanism if challenges else None,
        responding_authentication_value=credentials.challenge if challenges else None,
        user_information=response,
    )
    return aare, context


def initiate_response(context: Context) -> bytes:
    """The InitiateResponse of a meter, not protected yet."""
    size = context.max_receive_pdu_size
    return InitiateResponse(None, DLMS_VERSION, context.conformance, size, LOGICAL_NAMES_VAA).to_octets()


def rejecting(
    diagnostic: AcseServiceUserDiagnostic,
    *,
    initiate_code: int | None = None,
    context: ApplicationContext = ApplicationContext.LN,
) -> Aare:
    """The AARE that refuses for good, with the code of the initiate error where the proposal was at fault."""
    refused = None
    if initiate_code is not None:
        refused = ConfirmedServiceError(
            ConfirmedServiceErrorService.INITIATE_ERROR, int(ServiceErrorClass.INITIATE), initiate_code
        ).to_octets()
    return Aare(
        application_context_name=context,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=diagnostic,
        user_information=refused,
    )


def _require_window(window: int, least: int = 0) -> None:
    if not least <= window <= LARGEST_WINDOW:
        raise LocalProtocolError(
            f"a window is {least}..{LARGEST_WINDOW} blocks, not {window}",
            layer="association",
            hint="1 suits most",
        )
