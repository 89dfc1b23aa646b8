"""HLS 7 in both suites, over both links and under every policy; a certificate that travels in the AE qualifier."""

from dataclasses import replace

import pytest
from tests.association.interference import each_line, each_policy
from tests.association.secured import ATTRIBUTE, VALUE, Meter, client_side, meter_side, stack_pair

from meterwright.errors import AssociationRejected
from meterwright.exchange import read
from meterwright.security import SecurityViolation, VerifyingKey, book_pairs, curve_of
from meterwright.testing import AssociationPair
from meterwright.values import AuthenticationMechanism, Role, SecurityPolicy, SecuritySuite

ECDSA = AuthenticationMechanism.HIGH_ECDSA
each_suite = pytest.mark.parametrize("suite", [SecuritySuite.SUITE_1, SecuritySuite.SUITE_2])


@each_line
@each_policy
@each_suite
def test_both_sides_sign(suite: SecuritySuite, policy: SecurityPolicy, *, hdlc: bool) -> None:
    client, meter = client_side(ECDSA, policy, suite=suite), meter_side(ECDSA, policy, suite)
    pair = stack_pair(client, Meter(meter), hdlc=hdlc)
    pair.associate()
    assert pair.converse(read(ATTRIBUTE)) == VALUE
    pair.release()


@each_suite
def test_a_challenge_that_equals_ours_is_not_signed(suite: SecuritySuite) -> None:
    client, meter = client_side(ECDSA, suite=suite), meter_side(ECDSA, suite=suite)
    meter.challenge = client.challenge
    pair = stack_pair(client, Meter(meter))
    with pytest.raises(AssociationRejected):
        pair.associate()


@each_suite
def test_a_certificate_in_the_ae_qualifier_tells_the_verifying_key(suite: SecuritySuite) -> None:
    """Here it is the bare key: whoever reads certificates is given from outside."""
    curve, judged = curve_of(suite), list[bytes]()

    def certified(qualifier: bytes, title: bytes) -> VerifyingKey:
        judged.append(title)
        return VerifyingKey.from_wire(curve, qualifier)

    sides = client_side(ECDSA, suite=suite), meter_side(ECDSA, suite=suite)
    client, meter = (
        replace(
            side.credentials(),
            pairs=replace(book_pairs(suite, side.role), verifying=None),
            ae_qualifier=own_key(suite, side.role),
            certified=certified,
        )
        for side in sides
    )
    pair = AssociationPair(credentials=client, guard=lambda: meter)
    pair.associate()
    assert judged == [sides[0].title, sides[1].title]


@each_suite
def test_a_certificate_of_another_key_lets_nobody_in(suite: SecuritySuite) -> None:
    client = client_side(ECDSA, SecurityPolicy.NONE, suite=suite).credentials()
    pairs = replace(book_pairs(suite, Role.CLIENT), verifying=client_key(suite))
    meter = meter_side(ECDSA, SecurityPolicy.NONE, suite).credentials()
    pair = AssociationPair(credentials=replace(client, pairs=pairs), guard=lambda: meter)
    with pytest.raises(SecurityViolation, match="meter's signature"):
        pair.associate()


def client_key(suite: SecuritySuite) -> VerifyingKey:
    return VerifyingKey.from_octets(curve_of(suite), own_key(suite, Role.CLIENT))


def own_key(suite: SecuritySuite, role: Role) -> bytes:
    signing = book_pairs(suite, role).signing
    assert signing is not None
    return signing.public.octets
