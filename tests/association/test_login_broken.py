"""Logins in which what one side says does not fit the other, or is not protected as it must be.

One clear error each, nobody associated on either side, nothing served, and never a second try.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.association.interference import (
    CHALLENGING,
    GRANT,
    INITIATE,
    altering_aare,
    altering_aarq,
    assert_nobody_in,
    diagnostic_of,
    each_challenging,
    each_ciphered_policy,
    each_line,
    each_policy,
    from_client,
    is_service,
    refused,
    turned_away,
    violation_of,
)
from tests.association.secured import (
    ATTRIBUTE,
    METHOD,
    PARAMETER,
    VALUE,
    association_pair,
    client_side,
    meter_side,
)
from tests.security.books import CLIENT, METER

from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNormal,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    decode_apdu,
)
from meterwright.association import (
    LoginRefused,
    MalformedRequest,
    Proposal,
    State,
)
from meterwright.data import octet_string
from meterwright.errors import (
    RemoteProtocolError,
)
from meterwright.exchange import CONFIRMED, read
from meterwright.security import SecurityViolation, Violation
from meterwright.testing import AssociationPair
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AuthenticationMechanism,
    SecurityPolicy,
)

GET = GetRequestNormal(CONFIRMED, ATTRIBUTE, None).to_octets()
GOT = GetResponseNormal(CONFIRMED, VALUE)
_User = AcseServiceUserDiagnostic


# ------------------------------------------------------------------------------------------------ what does not fit


@each_line
@pytest.mark.parametrize(
    ("asked", "wanted", "diagnostic"),
    [
        (0, 1, _User.AUTHENTICATION_MECHANISM_NAME_REQUIRED),
        (0, 5, _User.AUTHENTICATION_MECHANISM_NAME_REQUIRED),
        (1, 0, _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED),
        (1, 2, _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED),
        (2, 5, _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED),
        (5, 6, _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED),
    ],
)
def test_another_mechanism_than_the_meter_wants(
    hdlc: bool, asked: int, wanted: int, diagnostic: AcseServiceUserDiagnostic
) -> None:
    client = client_side(AuthenticationMechanism(asked))
    error, noted = turned_away(client, meter_side(AuthenticationMechanism(wanted)), hdlc=hdlc)
    assert diagnostic_of(error) is diagnostic
    assert diagnostic.label in noted.what


@each_challenging
@each_policy
def test_a_meter_that_speaks_of_another_mechanism_gets_no_answer(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    """It would judge our answer by that one, find it wrong, and count it."""
    for other in {*CHALLENGING, AuthenticationMechanism.LOW} - {mechanism}:
        alter = altering_aare(lambda aare, other=other: replace(aare, mechanism_name=other))  # type: ignore[misc]  # mypy infers no lambda with a default
        pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
        error = refused(pair)
        assert isinstance(error, RemoteProtocolError)
        assert other.label in error.what
        assert len(from_client(pair)) == 1


@each_policy
def test_a_meter_that_wants_a_proof_which_we_did_not_offer(policy: SecurityPolicy) -> None:
    """It accepts under a condition that we cannot meet: nothing we asked then would be answered."""
    alter = altering_aare(
        lambda aare: replace(
            aare,
            mechanism_name=AuthenticationMechanism.HIGH_GMAC,
            result_source_diagnostic=_User.AUTHENTICATION_REQUIRED,
            responding_authentication_value=bytes(16),
        )
    )
    for mechanism in (AuthenticationMechanism.LOWEST, AuthenticationMechanism.LOW):
        pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
        with pytest.raises(RemoteProtocolError, match="high-gmac") as caught:
            pair.associate()
        assert caught.value.hint
        assert pair.client.state is State.IDLE


@each_line
@each_ciphered_policy
def test_plain_where_the_meter_wants_ciphered_and_the_other_way_round(
    hdlc: bool, policy: SecurityPolicy
) -> None:
    low = AuthenticationMechanism.LOW
    none = SecurityPolicy.NONE
    for client, meter in (
        (client_side(low, none), meter_side(low, policy)),
        (client_side(low, policy), meter_side(low, none)),
    ):
        error, _ = turned_away(client, meter, hdlc=hdlc)
        assert diagnostic_of(error) is _User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED


@each_ciphered_policy
def test_a_ciphered_client_that_calls_its_context_plain(policy: SecurityPolicy) -> None:
    proposal = Proposal(context=ApplicationContext.LN)
    pair = AssociationPair(
        proposal=proposal,
        credentials=client_side(policy=policy).credentials(),
        guard=meter_side(policy=policy).credentials,
    )
    assert diagnostic_of(refused(pair)) is _User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED


# ------------------------------------------------------------------------------------------------ titles


@each_ciphered_policy
@pytest.mark.parametrize("title", [None, b"", b"MWC0001", b"MWC000001", METER], ids=repr)
def test_a_client_without_a_title_with_a_wrong_one_or_with_the_meter_s(
    policy: SecurityPolicy, title: bytes | None
) -> None:
    alter = altering_aarq(lambda aarq: replace(aarq, calling_ap_title=title))
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy), alter)
    assert diagnostic_of(refused(pair)) is _User.CALLING_AP_TITLE_NOT_RECOGNIZED
    assert [type(each) for each in pair.meter_events] == [LoginRefused]


@each_ciphered_policy
def test_a_client_that_is_not_the_one_the_meter_knows(policy: SecurityPolicy) -> None:
    meter = replace(meter_side(policy=policy), peer=b"MWC00009")
    error, _ = turned_away(client_side(policy=policy), meter, hdlc=False)
    assert diagnostic_of(error) is _User.CALLING_AP_TITLE_NOT_RECOGNIZED


@each_ciphered_policy
@pytest.mark.parametrize(
    ("title", "told"),
    [
        (None, "title is not known"),
        (b"", "title is not known"),
        (b"MWS0001", "7 octets"),
        (b"MWS000001", "9 octets"),
        (CLIENT, "our own system title"),
    ],
    ids=repr,
)
def test_a_meter_without_a_title_with_a_wrong_one_or_with_ours(
    policy: SecurityPolicy, title: bytes | None, told: str
) -> None:
    alter = altering_aare(lambda aare: replace(aare, responding_ap_title=title))
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy), alter)
    error = refused(pair)
    assert violation_of(error) is Violation.TITLE
    assert told in error.what
    assert len(from_client(pair)) == 1


@each_ciphered_policy
def test_a_meter_that_is_not_the_one_we_know(policy: SecurityPolicy) -> None:
    client = replace(client_side(policy=policy), peer=b"MWS00009")
    error = refused(association_pair(client, meter_side(policy=policy)))
    assert violation_of(error) is Violation.TITLE
    assert "another system title" in error.what


@each_ciphered_policy
def test_a_title_that_is_set_need_not_be_told(policy: SecurityPolicy) -> None:
    client = replace(client_side(policy=policy), peer=METER)
    alter = altering_aare(lambda aare: replace(aare, responding_ap_title=None))
    pair = association_pair(client, meter_side(policy=policy), alter)
    pair.associate()
    assert pair.converse(read(ATTRIBUTE)) == VALUE


@pytest.mark.parametrize("policy", [SecurityPolicy.NONE], ids=["none"])
@pytest.mark.parametrize("mechanism", CHALLENGING[-2:], ids=lambda each: each.label)
@pytest.mark.parametrize("title", [None, b"MWS0001"], ids=repr)
def test_a_mechanism_that_needs_titles_says_so(
    policy: SecurityPolicy, mechanism: AuthenticationMechanism, title: bytes | None
) -> None:
    alter = altering_aare(lambda aare: replace(aare, responding_ap_title=title))
    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
    error = refused(pair)
    assert "title" in error.what
    assert len(from_client(pair)) == 1


# ------------------------------------------------------------------------------------------------ protection that is missing


@each_ciphered_policy
def test_a_plain_initiate_is_not_enough_for_the_meter(policy: SecurityPolicy) -> None:
    alter = altering_aarq(lambda aarq: replace(aarq, user_information=INITIATE))
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy), alter)
    error = refused(pair)
    assert "deciphering-error" in error.what
    (noted,) = pair.meter_events
    assert isinstance(noted, LoginRefused)
    assert violation_of(noted.error) is Violation.POLICY


@each_ciphered_policy
def test_a_plain_initiate_is_not_enough_for_the_client(policy: SecurityPolicy) -> None:
    alter = altering_aare(lambda aare: replace(aare, user_information=GRANT))
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy), alter)
    assert violation_of(refused(pair)) is Violation.POLICY
    assert len(from_client(pair)) == 1


@each_ciphered_policy
def test_no_initiate_at_all(policy: SecurityPolicy) -> None:
    alter = altering_aare(lambda aare: replace(aare, user_information=None))
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy), alter)
    with pytest.raises(RemoteProtocolError, match="without an InitiateResponse"):
        pair.associate()
    assert_nobody_in(pair)
    pair = association_pair(
        client_side(policy=policy),
        meter_side(policy=policy),
        altering_aarq(lambda aarq: replace(aarq, user_information=None)),
    )
    refused(pair)
    assert [type(each) for each in pair.meter_events] == [MalformedRequest]


@each_ciphered_policy
def test_a_plain_request_in_a_ciphered_association_is_not_served(policy: SecurityPolicy) -> None:
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy))
    pair.associate()
    for octets in (GET, ActionRequestNormal(CONFIRMED, METHOD, PARAMETER).to_octets()):
        (event,) = pair.meter.receive(octets)
        assert isinstance(event, MalformedRequest)
        assert violation_of(event.error) is Violation.POLICY
        (answer,) = pair.meter.data_to_send()
        assert isinstance(decode_apdu(answer), ExceptionResponse)
    assert pair.requests == []
    assert pair.converse(read(ATTRIBUTE)) == VALUE


@each_ciphered_policy
def test_a_plain_answer_in_a_ciphered_association_is_not_taken(policy: SecurityPolicy) -> None:
    def alter(by_client: bool, octets: bytes) -> Iterable[bytes]:
        return (
            octets if by_client else replace(GOT, invoke_id_and_priority=CONFIRMED.with_id(2)).to_octets(),
        )

    pair = association_pair(client_side(policy=policy), meter_side(policy=policy))
    pair.associate()
    pair.interference = alter
    with pytest.raises(SecurityViolation, match="without protection") as caught:
        pair.converse(read(ATTRIBUTE))
    assert caught.value.violation is Violation.POLICY
    assert pair.client.state is State.ASSOCIATED


@each_challenging
@each_ciphered_policy
def test_a_plain_answer_to_our_proof_is_not_taken(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    plain = ActionResponseNormal(
        CONFIRMED.with_id(1), ActionResult.SUCCESS, octet_string(bytes(16))
    ).to_octets()

    def alter(by_client: bool, octets: bytes) -> Iterable[bytes]:
        return (plain if not by_client and is_service(octets) else octets,)

    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
    with pytest.raises(SecurityViolation) as caught:
        pair.associate()
    assert caught.value.violation is Violation.POLICY
    assert pair.client.state is State.IDLE
    assert len(from_client(pair)) == 2
