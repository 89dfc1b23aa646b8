"""What is proposed and granted, and every shape in which it may be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apdu.golden import REJECTIONS, octets_of
from tests.association.client_scripts import aare

from meterwright.apdu import Aare, Aarq, Apdu, InitiateRequest, decode_apdu
from meterwright.association import (
    CLIENT_CONFORMANCE,
    LARGEST_PDU,
    Associated,
    AssociationRefused,
    ClientAssociation,
    ClientEvent,
    Grant,
    Proposal,
    State,
)
from meterwright.errors import AssociationRejected, Blame, RemoteProtocolError
from meterwright.testing import AssociationPair
from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    Conformance,
)

USER, PROVIDER = AcseServiceUserDiagnostic, AcseServiceProviderDiagnostic


def answered_with(octets: bytes) -> ClientEvent:
    """What a client makes of the answer to its AARQ."""
    client = ClientAssociation()
    client.associate(1)
    (event,) = client.receive(octets)
    assert client.state is (State.ASSOCIATED if isinstance(event, Associated) else State.IDLE)
    assert client.deadline is None
    return event


def refused_with(octets: bytes) -> Exception:
    event = answered_with(octets)
    assert isinstance(event, AssociationRefused)
    return event.error


def test_the_aarq_says_what_is_proposed() -> None:
    proposal = Proposal(conformance=Conformance.GET, max_receive_pdu_size=1200)
    aarq = proposal.aarq()
    assert isinstance(aarq, Aarq)
    assert aarq.application_context_name is ApplicationContext.LN
    assert aarq.user_information is not None
    assert decode_apdu(aarq.user_information) == InitiateRequest(None, True, None, 6, Conformance.GET, 1200)


def test_nothing_is_proposed_that_is_not_there() -> None:
    assert Conformance.GENERAL_BLOCK_TRANSFER not in CLIENT_CONFORMANCE
    assert Conformance.GENERAL_PROTECTION not in CLIENT_CONFORMANCE
    assert {Conformance.GET, Conformance.SET, Conformance.ACTION} <= set(CLIENT_CONFORMANCE)


class TestRejected:
    """AARE, rejected: four shapes, and what each says."""

    @pytest.mark.parametrize(
        ("index", "diagnostic", "reason"),
        [
            (0, USER.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED, ""),
            (1, USER.NO_REASON_GIVEN, "dlms-version-too-low"),
            (2, USER.AUTHENTICATION_FAILURE, ""),
            (3, PROVIDER.NO_COMMON_ACSE_VERSION, ""),
        ],
    )
    def test_the_shapes_of_the_book(
        self, index: int, diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic, reason: str
    ) -> None:
        _, octets, _ = REJECTIONS[index]
        error = refused_with(octets_of(octets))
        assert isinstance(error, AssociationRejected)
        assert error.result is AssociationResult.REJECTED_PERMANENT
        assert error.diagnostic is diagnostic
        assert error.reason == reason
        assert error.blame is Blame.CREDENTIALS
        assert error.hint
        assert diagnostic.label in str(error)
        assert reason in str(error)

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (2, "incompatible-conformance"),
            (3, "pdu-size-too-short"),
            (4, "refused-by-the-vde-handler"),
            (9, "unknown-9"),
        ],
    )
    def test_the_reasons_of_an_initiate_error(self, code: int, reason: str) -> None:
        _, octets, _ = REJECTIONS[1]
        error = refused_with(octets_of(octets)[:-1] + bytes((code,)))
        assert isinstance(error, AssociationRejected)
        assert error.reason == reason

    def test_a_transient_rejection_is_one(self) -> None:
        error = refused_with(aare(result=AssociationResult.REJECTED_TRANSIENT))
        assert isinstance(error, AssociationRejected)
        assert error.result is AssociationResult.REJECTED_TRANSIENT

    def test_a_result_nobody_wrote_down_is_a_rejection(self) -> None:
        error = refused_with(aare(result=AssociationResult(77)))
        assert isinstance(error, AssociationRejected)
        assert error.result.label == "unknown-77"

    def test_without_a_diagnostic(self) -> None:
        error = refused_with(Aare(result=AssociationResult.REJECTED_PERMANENT).to_octets())
        assert isinstance(error, AssociationRejected)
        assert error.diagnostic is USER.NO_REASON_GIVEN

    @pytest.mark.parametrize("information", ["", "0E", "0E01", "AA", "0E0106", "2801"])
    def test_user_information_that_cannot_be_read_takes_nothing_away(self, information: str) -> None:
        rejected = Aare(
            result=AssociationResult.REJECTED_PERMANENT,
            result_source_diagnostic=USER.AUTHENTICATION_FAILURE,
            user_information=bytes.fromhex(information),
        )
        error = refused_with(rejected.to_octets())
        assert isinstance(error, AssociationRejected)
        assert (error.diagnostic, error.reason) == (USER.AUTHENTICATION_FAILURE, "")

    @pytest.mark.parametrize("diagnostic", [*USER, *PROVIDER, USER(99)], ids=repr)
    def test_every_diagnostic_has_something_to_try(
        self, diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic
    ) -> None:
        error = AssociationRejected(AssociationResult.REJECTED_PERMANENT, diagnostic)
        assert error.hint
        assert diagnostic.label in error.what


class TestAccepted:
    """AARE, accepted: what holds, and what is nonsense."""

    def test_what_holds(self) -> None:
        event = answered_with(aare(conformance=Conformance.GET | Conformance.SET, size=128))
        assert isinstance(event, Associated)
        assert event.context.conformance == Conformance.GET | Conformance.SET
        assert (event.context.max_send_pdu_size, event.context.max_receive_pdu_size) == (128, LARGEST_PDU)

    @given(st.integers(0, 0xFFFFFF).map(Conformance), st.integers(0, 0xFFFFFF).map(Conformance))
    def test_what_was_not_proposed_is_not_used(self, proposed: Conformance, granted: Conformance) -> None:
        client = ClientAssociation(Proposal(conformance=proposed))
        client.associate(1)
        client.receive(aare(conformance=granted))
        assert client.context.conformance == proposed & granted

    @pytest.mark.parametrize("size", range(1, 12))
    def test_sizes_that_no_apdu_fits(self, size: int) -> None:
        error = refused_with(aare(size=size))
        assert isinstance(error, RemoteProtocolError)
        assert f"a maximum PDU size of {size} octets is illegal" in error.what

    @pytest.mark.parametrize("size", [0, 12, 13, 0xFFFF])
    def test_sizes_that_are_legal(self, size: int) -> None:
        event = answered_with(aare(size=size))
        assert isinstance(event, Associated)
        assert event.context.max_send_pdu_size == size

    @pytest.mark.parametrize("version", [0, 5, 7])
    def test_another_version_of_dlms(self, version: int) -> None:
        error = refused_with(aare(version=version))
        assert isinstance(error, RemoteProtocolError)
        assert f"DLMS version {version}" in error.what

    @pytest.mark.parametrize(
        ("information", "says"),
        [
            (None, "without an InitiateResponse"),
            ("0E010601", "without an InitiateResponse"),
            ("C401C100 00", "without an InitiateResponse"),
            ("08", "too early"),
            ("AA", "no APDU tag"),
        ],
    )
    def test_no_initiate_response_in_it(self, information: str | None, says: str) -> None:
        octets = None if information is None else bytes.fromhex(information)
        error = refused_with(aare(user_information=octets))
        assert isinstance(error, RemoteProtocolError)
        assert says in error.what

    def test_no_result_in_it(self) -> None:
        error = refused_with(aare(result=None))
        assert isinstance(error, RemoteProtocolError)
        assert "without a result" in error.what


class TestBetweenOurselves:
    """Client and meter from the same machines agree, whatever they want."""

    @given(
        st.integers(0, 0xFFFFFF).map(Conformance),
        st.integers(0, 0xFFFFFF).map(Conformance),
        st.integers(12, 0xFFFF) | st.just(0),
        st.integers(12, 0xFFFF) | st.just(0),
    )
    def test_both_sides_hold_the_same(
        self, proposed: Conformance, granted: Conformance, ours: int, theirs: int
    ) -> None:
        pair = AssociationPair(
            proposal=Proposal(proposed | Conformance.GET, ours), grant=Grant(granted, theirs)
        )
        context = pair.associate()
        meter = pair.meter.context
        assert context.conformance == meter.conformance == (proposed | Conformance.GET) & granted
        assert (context.max_send_pdu_size, context.max_receive_pdu_size) == (theirs, ours)
        assert (meter.max_send_pdu_size, meter.max_receive_pdu_size) == (ours, theirs)

    @pytest.mark.parametrize(
        "diagnostic", [USER.AUTHENTICATION_REQUIRED, USER.CALLING_AP_TITLE_NOT_RECOGNIZED]
    )
    def test_a_refusal_arrives(self, diagnostic: AcseServiceUserDiagnostic) -> None:
        pair = AssociationPair(grant=diagnostic)
        with pytest.raises(AssociationRejected) as caught:
            pair.associate()
        assert caught.value.diagnostic is diagnostic
        assert pair.meter.state is State.IDLE

    @pytest.mark.parametrize(
        ("proposal", "reason"),
        [
            (Proposal(conformance=Conformance.READ), "incompatible-conformance"),
            (Proposal(max_receive_pdu_size=11), "pdu-size-too-short"),
            (Proposal(context=ApplicationContext.SN), ""),
            (Proposal(context=ApplicationContext.LN_CIPHERED), ""),
        ],
    )
    def test_a_proposal_that_no_meter_takes(self, proposal: Proposal, reason: str) -> None:
        pair = AssociationPair(proposal=proposal)
        with pytest.raises(AssociationRejected) as caught:
            pair.associate()
        assert caught.value.reason == reason


def test_the_books_acceptance_is_accepted() -> None:
    octets = octets_of(
        "6129 A109060760857405080101 A203020100 A305A103020100 BE10040E 0800065F1F040000501F01F40007"
    )
    event = answered_with(octets)
    assert isinstance(event, Associated)
    assert event.context.max_send_pdu_size == 500
    assert event.context.conformance == CLIENT_CONFORMANCE & Conformance.from_octets(octets_of("00501F"))


def test_every_rejection_is_also_an_apdu_of_ours() -> None:
    kinds: list[type[Apdu]] = [type(apdu) for _, _, apdu in REJECTIONS]
    assert kinds == [Aare] * 4
