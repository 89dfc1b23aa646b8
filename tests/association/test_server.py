"""The meter's machine: what it takes, what it refuses by the book, and in which words."""

import pytest
from tests.apdu.golden import NOBODY, TIME

from meterwright.apdu import (
    Aare,
    Aarq,
    Apdu,
    ConfirmedServiceError,
    DataNotification,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    InitiateRequest,
    Rlre,
    decode_apdu,
)
from meterwright.association import (
    CLIENT_CONFORMANCE,
    AssociationRequested,
    Grant,
    LoginRefused,
    MalformedRequest,
    Proposal,
    ReleaseRequested,
    RequestReceived,
    ServerAssociation,
    State,
)
from meterwright.data import integer
from meterwright.errors import Blame, LocalProtocolError
from meterwright.exchange import CONFIRMED
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    Conformance,
    ExceptionService,
    ExceptionState,
)

AARQ = Proposal().aarq().to_octets()
GET = GetRequestNormal(CONFIRMED, TIME, None)
RLRQ = bytes.fromhex("6203800100")
GRANT = Grant(CLIENT_CONFORMANCE, 256)


def associated() -> ServerAssociation:
    """A meter with an open association, and nothing left to send."""
    meter = ServerAssociation()
    (event,) = meter.receive(AARQ)
    assert isinstance(event, AssociationRequested)
    meter.accept(GRANT)
    meter.data_to_send()
    return meter


def only_answer(meter: ServerAssociation) -> Apdu:
    (octets,) = meter.data_to_send()
    return decode_apdu(octets)


class TestAssociating:
    """An AARQ is for the host to decide, or refused at once."""

    def test_it_is_asked_for(self) -> None:
        meter = ServerAssociation()
        (event,) = meter.receive(AARQ)
        assert isinstance(event, AssociationRequested)
        assert event.initiate == InitiateRequest(None, True, None, 6, CLIENT_CONFORMANCE, 0xFFFF)
        assert (meter.state, meter.data_to_send()) == (State.PENDING, [])

    def test_it_is_accepted(self) -> None:
        meter = ServerAssociation()
        meter.receive(AARQ)
        context = meter.accept(GRANT)
        answer = only_answer(meter)
        assert isinstance(answer, Aare)
        assert answer.result is AssociationResult.ACCEPTED
        assert meter.state is State.ASSOCIATED
        assert context == meter.context
        assert context.max_receive_pdu_size == 256

    def test_it_is_rejected(self) -> None:
        meter = ServerAssociation()
        meter.receive(AARQ)
        meter.reject(AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE)
        answer = only_answer(meter)
        assert isinstance(answer, Aare)
        assert answer.result is AssociationResult.REJECTED_PERMANENT
        assert answer.result_source_diagnostic is AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE
        assert meter.state is State.IDLE

    @pytest.mark.parametrize(
        ("proposed", "code"),
        [
            (InitiateRequest(None, True, None, 5, CLIENT_CONFORMANCE, 0), 1),
            (InitiateRequest(None, True, None, 6, Conformance.READ, 0), 2),
            (InitiateRequest(None, True, None, 6, CLIENT_CONFORMANCE, 11), 3),
        ],
        ids=["version", "conformance", "size"],
    )
    def test_a_wrong_proposal_is_refused_with_an_initiate_error(
        self, proposed: InitiateRequest, code: int
    ) -> None:
        meter = ServerAssociation()
        aarq = Aarq(application_context_name=ApplicationContext.LN, user_information=proposed.to_octets())
        assert meter.receive(aarq.to_octets()) == []
        answer = only_answer(meter)
        assert isinstance(answer, Aare)
        assert answer.user_information is not None
        error = decode_apdu(answer.user_information)
        assert isinstance(error, ConfirmedServiceError)
        assert (error.error_class, error.code) == (6, code)
        assert meter.state is State.IDLE

    @pytest.mark.parametrize("context", [ApplicationContext.SN, ApplicationContext.LN_CIPHERED, None])
    def test_another_context_is_refused(self, context: ApplicationContext | None) -> None:
        meter = ServerAssociation()
        aarq = Aarq(
            application_context_name=context,
            user_information=InitiateRequest(None, True, None, 6, CLIENT_CONFORMANCE, 0).to_octets(),
        )
        (event,) = meter.receive(aarq.to_octets())
        assert isinstance(event, LoginRefused)
        answer = only_answer(meter)
        assert isinstance(answer, Aare)
        assert (
            answer.result_source_diagnostic
            is AcseServiceUserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED
        )

    def test_a_client_that_lost_track_begins_anew(self) -> None:
        meter = associated()
        first = meter.context.identity
        (event,) = meter.receive(AARQ)
        assert isinstance(event, AssociationRequested)
        with pytest.raises(LocalProtocolError):
            _ = meter.context
        meter.accept(GRANT)
        assert meter.context.identity is not first

    def test_a_second_aarq_while_the_first_is_considered_is_refused(self) -> None:
        meter = ServerAssociation()
        meter.receive(AARQ)
        assert [type(event) for event in meter.receive(AARQ)] == [MalformedRequest]
        assert isinstance(only_answer(meter), ExceptionResponse)
        meter.accept(GRANT)
        assert meter.state is State.ASSOCIATED

    def test_what_nobody_asked_for_cannot_be_decided(self) -> None:
        for meter in (ServerAssociation(), associated()):
            with pytest.raises(LocalProtocolError, match="no association was asked for"):
                meter.accept(GRANT)
            with pytest.raises(LocalProtocolError, match="no association was asked for"):
                meter.reject(AcseServiceUserDiagnostic.NULL)


class TestServing:
    """Requests are events, answers go out."""

    def test_a_request_is_an_event(self) -> None:
        meter = associated()
        assert meter.receive(GET.to_octets()) == [RequestReceived(GET)]
        meter.respond(GetResponseNormal(CONFIRMED, integer(1)))
        assert only_answer(meter) == GetResponseNormal(CONFIRMED, integer(1))

    def test_a_release_is_agreed_to(self) -> None:
        meter = associated()
        assert meter.receive(RLRQ) == [ReleaseRequested()]
        assert isinstance(only_answer(meter), Rlre)
        assert meter.state is State.IDLE

    def test_a_notification_may_go_out_at_any_time(self) -> None:
        for meter in (ServerAssociation(), associated()):
            meter.notify(DataNotification(NOBODY, None, integer(1)))
            assert isinstance(only_answer(meter), DataNotification)

    def test_an_answer_without_an_association_is_our_fault(self) -> None:
        with pytest.raises(LocalProtocolError):
            ServerAssociation().respond(GetResponseNormal(CONFIRMED, integer(1)))

    def test_a_lost_link_ends_it(self) -> None:
        meter = associated()
        meter.lost()
        assert meter.state is State.IDLE
        with pytest.raises(LocalProtocolError):
            _ = meter.context
        meter.lost()


ALLOWED = (ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE)
UNKNOWN = (ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED)


@pytest.mark.parametrize(
    ("octets", "associated_first", "refused"),
    [
        (GET.to_octets(), False, ALLOWED),
        (GET.to_octets()[:-1], True, ALLOWED),
        (b"\xc0\x09", True, ALLOWED),
        (b"\xc1\x01\xc1", True, ALLOWED),
        (b"\xc3", True, ALLOWED),
        (b"", True, UNKNOWN),
        (b"\xaa\xbb", True, UNKNOWN),
        (b"\x60\x01", False, UNKNOWN),
        (Aarq(application_context_name=ApplicationContext.LN).to_octets(), False, UNKNOWN),
        (GetResponseNormal(CONFIRMED, integer(1)).to_octets(), True, UNKNOWN),
        (RLRQ, False, UNKNOWN),
    ],
    ids=[
        "request-without-association", "truncated", "unknown-choice", "no-descriptor", "tag-alone", "nothing",
        "unknown-tag", "truncated-aarq", "aarq-without-initiate", "response", "release-without-association",
    ],
)  # fmt: skip
def test_what_is_no_legal_request_is_refused_and_told(
    octets: bytes,
    associated_first: bool,
    refused: tuple[ExceptionState, ExceptionService],
) -> None:
    meter = associated() if associated_first else ServerAssociation()
    before = meter.state
    (event,) = meter.receive(octets)
    assert isinstance(event, MalformedRequest)
    assert event.error.blame is Blame.THEIRS
    answer = only_answer(meter)
    assert isinstance(answer, ExceptionResponse)
    assert (answer.state_error, answer.service_error) == refused
    assert meter.state is before
