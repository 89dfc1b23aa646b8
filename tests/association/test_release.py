"""What may end a ciphered association, and what may not: releases, recorded AARQs, answers that nobody asked for."""

from dataclasses import replace

import pytest
from tests.association.interference import altering_aare, each_ciphered_policy
from tests.association.secured import ATTRIBUTE, VALUE, association_pair, client_side, meter_side

from meterwright.apdu import Aarq, ExceptionResponse, Rlre, Rlrq, decode_apdu
from meterwright.association import Credentials, LoginRefused, MalformedRequest, ReleaseRequested, State
from meterwright.errors import AssociationRejected, RemoteProtocolError
from meterwright.exchange import read
from meterwright.security import is_ciphered
from meterwright.testing import AssociationPair
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AuthenticationMechanism,
    ReleaseRequestReason,
    ReleaseResponseReason,
    SecurityPolicy,
)

PLAIN_RLRQ = Rlrq(reason=ReleaseRequestReason.NORMAL).to_octets()
PLAIN_RLRE = Rlre(reason=ReleaseResponseReason.NORMAL).to_octets()


def opened(policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED) -> AssociationPair:
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy))
    pair.associate()
    return pair


@each_ciphered_policy
def test_both_sides_protect_the_end_as_the_beginning(policy: SecurityPolicy) -> None:
    pair = opened(policy)
    pair.release()
    rlrq, rlre = (decode_apdu(each.octets) for each in pair.passed[-2:])
    assert isinstance(rlrq, Rlrq)
    assert isinstance(rlre, Rlre)
    for sealed, tag in ((rlrq.user_information, 0x21), (rlre.user_information, 0x28)):
        assert sealed is not None
        assert is_ciphered(sealed)
        assert sealed[0] == tag
    assert pair.client.state is pair.meter.state is State.IDLE


@each_ciphered_policy
def test_a_plain_rlrq_ends_no_ciphered_association(policy: SecurityPolicy) -> None:
    pair = opened(policy)
    (event,) = pair.meter.receive(PLAIN_RLRQ)
    assert isinstance(event, MalformedRequest)
    assert [type(decode_apdu(each)) for each in pair.meter.data_to_send()] == [ExceptionResponse]
    assert pair.converse(read(ATTRIBUTE)) == VALUE


def test_a_recorded_release_ends_no_later_association() -> None:
    client, meter = client_side(), meter_side()
    first = association_pair(client, meter)
    first.associate()
    first.release()
    recorded = first.passed[-2].octets
    second = association_pair(client, meter)
    second.associate()
    assert isinstance(second.meter.receive(recorded)[0], MalformedRequest)
    second.meter.data_to_send()
    assert second.converse(read(ATTRIBUTE)) == VALUE


def test_a_meter_whose_policy_allows_it_is_released_in_plain() -> None:
    meter = meter_side()

    def guard() -> Credentials:
        return replace(meter.credentials(), plain_release=True)

    credentials = replace(client_side().credentials(), plain_release=True)
    pair = AssociationPair(credentials=credentials, guard=guard)
    pair.associate()
    pair.release()
    assert [each.octets for each in pair.passed[-2:]] == [PLAIN_RLRQ, PLAIN_RLRE]
    assert isinstance(pair.meter_events[-1], ReleaseRequested)


def test_a_recorded_aarq_ends_no_ciphered_association() -> None:
    client, meter = client_side(), meter_side()
    first = association_pair(client, meter)
    first.associate()
    recorded = first.passed[0].octets
    first.release()
    second = association_pair(client, meter)
    second.associate()
    assert isinstance(second.meter.receive(recorded)[0], LoginRefused)
    second.meter.data_to_send()
    assert second.meter.state is State.ASSOCIATED
    assert second.converse(read(ATTRIBUTE)) == VALUE


def test_a_plain_rlre_that_nobody_asked_for_ends_no_ciphered_association() -> None:
    pair = opened()
    pair.client.receive(PLAIN_RLRE)
    assert pair.converse(read(ATTRIBUTE)) == VALUE


def test_an_aare_of_another_context_is_refused() -> None:
    """Nobody is to talk us out of ciphering."""
    alter = altering_aare(lambda aare: replace(aare, application_context_name=ApplicationContext.LN))
    pair = association_pair(client_side(), meter_side(), alter)
    with pytest.raises(RemoteProtocolError, match="grants the application context"):
        pair.associate()


def with_users(user: int | None, users: frozenset[int] | None) -> AssociationPair:
    low = AuthenticationMechanism.LOW, SecurityPolicy.NONE
    meter = replace(meter_side(*low).credentials(), users=users)
    credentials = replace(client_side(*low).credentials(), user_id=user, ae_qualifier=b"qualified")
    return AssociationPair(credentials=credentials, guard=lambda: meter)


@pytest.mark.parametrize(("user", "users"), [(7, frozenset({7, 8})), (9, None), (None, None)])
def test_a_user_is_named(user: int | None, users: frozenset[int] | None) -> None:
    pair = with_users(user, users)
    pair.associate()
    assert pair.meter.context.user_id == user
    aarq = decode_apdu(pair.passed[0].octets)
    assert isinstance(aarq, Aarq)
    assert (aarq.calling_ae_invocation_id, aarq.calling_ae_qualifier) == (user, b"qualified")


@pytest.mark.parametrize("user", [9, None])
def test_a_user_who_is_not_listed_is_turned_away(user: int | None) -> None:
    with pytest.raises(AssociationRejected) as caught:
        with_users(user, frozenset({7, 8})).associate()
    unknown = AcseServiceUserDiagnostic.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED
    assert caught.value.diagnostic is unknown
