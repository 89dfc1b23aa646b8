"""What the tests of the client's machine share: a client that is associated, and the octets that meters answer with."""

from tests.apdu.golden import TIME

from meterwright.apdu import Aare, GetRequestNormal, InitiateResponse
from meterwright.association import CLIENT_CONFORMANCE, Associated, ClientAssociation, Proposal
from meterwright.exchange import CONFIRMED
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    Conformance,
)

__all__ = ["GET", "aare", "associated", "exception", "failed_service", "got", "notification"]

GET = GetRequestNormal(CONFIRMED, TIME, None)
"""A request; its invoke id is the association's to give."""

exception = bytes.fromhex("D80103")
failed_service = bytes.fromhex("0E0501 02")
notification = bytes.fromhex("0F00000001000F05")


def got(invoke_id: int) -> bytes:
    """A get-response-normal: integer 7."""
    return bytes((0xC4, 1, 0xC0 | invoke_id, 0, 0x0F, 7))


def aare(
    *,
    conformance: Conformance = CLIENT_CONFORMANCE,
    size: int = 500,
    version: int = 6,
    result: AssociationResult | None = AssociationResult.ACCEPTED,
    user_information: bytes | None = b"",
    challenge: bytes | None = None,
) -> bytes:
    """An AARE; accepting, unless told. `user_information` is an InitiateResponse, unless given; `challenge` wants an answer."""
    response = InitiateResponse(None, version, conformance, size, 7).to_octets()
    return Aare(
        application_context_name=ApplicationContext.LN,
        result=result,
        result_source_diagnostic=AcseServiceUserDiagnostic.NULL
        if challenge is None
        else AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED,
        responding_authentication_value=challenge,
        user_information=response if user_information == b"" else user_information,
    ).to_octets()


def associated(*, proposal: Proposal | None = None, size: int = 500) -> ClientAssociation:
    """A client whose association stands, with nothing left to send."""
    client = ClientAssociation(proposal)
    client.associate(deadline=10)
    (event,) = client.receive(aare(size=size))
    assert isinstance(event, Associated)
    client.data_to_send()
    return client
