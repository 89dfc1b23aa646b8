"""What client and meter agree on: what is proposed, what is granted, and the AARQ and AARE that say so."""

from dataclasses import dataclass
from typing import Final

from meterwright.apdu import (
    DLMS_VERSION,
    LOGICAL_NAMES_VAA,
    Aare,
    Aarq,
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
    decode_apdu,
)
from meterwright.cosem import AssociationIdentity
from meterwright.errors import AssociationRejected, RemoteProtocolError
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
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
)
"""The services our client can use, and so proposes: nothing it does not implement."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a client proposes. `max_receive_pdu_size`: the largest APDU we take, in octets; 0 means no limit."""

    conformance: Conformance = CLIENT_CONFORMANCE
    max_receive_pdu_size: int = LARGEST_PDU
    context: ApplicationContext = ApplicationContext.LN

    def aarq(self) -> Aarq:
        """The AARQ that says it, without authentication."""
        initiate = InitiateRequest(
            None, True, None, DLMS_VERSION, self.conformance, self.max_receive_pdu_size
        )
        return Aarq(application_context_name=self.context, user_information=initiate.to_octets())


@dataclass(frozen=True, slots=True)
class Grant:
    """What a meter is willing to grant: services, and the largest APDU it takes, in octets (0: no limit)."""

    conformance: Conformance
    max_receive_pdu_size: int


@dataclass(frozen=True, slots=True)
class Context:
    """What holds in an association, in octets and services. A size of 0 means no limit."""

    identity: AssociationIdentity
    conformance: Conformance
    max_send_pdu_size: int
    max_receive_pdu_size: int

    def fits(self, octets: int) -> bool:
        """Whether an APDU of that many octets may be sent. Where the meter sets no limit, the wrapper's header does."""
        return octets <= (self.max_send_pdu_size or LARGEST_PDU)


def granted_context(aare: Aare, proposal: Proposal, label: str) -> Context:
    """What an AARE grants. AssociationRejected where it refuses, RemoteProtocolError where it grants nonsense."""
    if aare.result is None:
        raise RemoteProtocolError("an AARE without a result", layer="association")
    if aare.result is not AssociationResult.ACCEPTED:
        raise _rejection(aare, aare.result)
    initiated = None if aare.user_information is None else decode_apdu(aare.user_information)
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
        conformance=initiated.negotiated_conformance & proposal.conformance,
        max_send_pdu_size=size,
        max_receive_pdu_size=proposal.max_receive_pdu_size,
    )


def _rejection(aare: Aare, result: AssociationResult) -> AssociationRejected:
    diagnostic = aare.result_source_diagnostic
    if diagnostic is None:
        diagnostic = AcseServiceUserDiagnostic.NO_REASON_GIVEN
    return AssociationRejected(result, diagnostic, reason=_initiate_error(aare.user_information))


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


def initiate_request(aarq: Aarq) -> InitiateRequest:
    """The InitiateRequest inside an AARQ. RemoteProtocolError where there is none."""
    request = None if aarq.user_information is None else decode_apdu(aarq.user_information)
    if not isinstance(request, InitiateRequest):
        raise RemoteProtocolError("an AARQ without an InitiateRequest", layer="association")
    return request


def accepting(aarq: Aarq, initiate: InitiateRequest, grant: Grant, label: str) -> tuple[Aare, Context]:
    """The AARE that accepts, and what holds then."""
    conformance = grant.conformance & initiate.proposed_conformance
    response = InitiateResponse(
        None, DLMS_VERSION, conformance, grant.max_receive_pdu_size, LOGICAL_NAMES_VAA
    )
    aare = Aare(
        application_context_name=aarq.application_context_name,
        result=AssociationResult.ACCEPTED,
        result_source_diagnostic=AcseServiceUserDiagnostic.NULL,
        user_information=response.to_octets(),
    )
    context = Context(
        identity=AssociationIdentity(label),
        conformance=conformance,
        max_send_pdu_size=initiate.client_max_receive_pdu_size,
        max_receive_pdu_size=grant.max_receive_pdu_size,
    )
    return aare, context


def rejecting(diagnostic: AcseServiceUserDiagnostic, *, initiate_code: int | None = None) -> Aare:
    """The AARE that refuses for good, with the code of the initiate error where the proposal was at fault."""
    refused = None
    if initiate_code is not None:
        refused = ConfirmedServiceError(
            ConfirmedServiceErrorService.INITIATE_ERROR, int(ServiceErrorClass.INITIATE), initiate_code
        ).to_octets()
    return Aare(
        application_context_name=ApplicationContext.LN,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=diagnostic,
        user_information=refused,
    )
