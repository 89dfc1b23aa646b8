"""Logins that must not succeed for what the two sides know of each other: passwords, secrets, keys, challenges, answers.

One clear error each, nobody associated on either side, and never a second try.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.association.interference import (
    GRANT,
    altering_aare,
    assert_nobody_in,
    diagnostic_of,
    each_challenging,
    each_ciphered_policy,
    each_line,
    each_policy,
    from_client,
    inside,
    is_service,
    refused,
    turned_away,
    violation_of,
)
from tests.association.secured import (
    ATTRIBUTE,
    EVERY_POLICY,
    OUR_CHALLENGE,
    THEIR_CHALLENGE,
    VALUE,
    association_pair,
    client_side,
    meter_side,
)
from tests.security.books import METER

from meterwright.apdu import ActionResponseNormal, Apdu
from meterwright.association import AssociationRefused, State
from meterwright.data import Data, octet_string
from meterwright.errors import (
    ExceptionResponseError,
    LoginFailed,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.exchange import read
from meterwright.security import (
    Ciphers,
    Form,
    Keys,
    Secret,
    SecurityViolation,
    Violation,
    book_keys,
    protect,
    unprotect,
)
from meterwright.values import AcseServiceUserDiagnostic, AuthenticationMechanism, SecurityPolicy

SECRETIVE = tuple(AuthenticationMechanism(number) for number in (2, 3, 4, 6))
OTHER_KEY = Secret(bytes(range(0x60, 0x70)))
OTHER_EK = Keys(global_unicast=OTHER_KEY, authentication=book_keys().authentication)
OTHER_AK = Keys(global_unicast=book_keys().global_unicast, authentication=OTHER_KEY)


def wrong_proof(apdu: Apdu) -> Apdu:
    """Pass 4 with one bit of f(CtoS) wrong."""
    if not isinstance(apdu, ActionResponseNormal) or not isinstance(apdu.return_parameters, Data):
        return apdu
    proof = apdu.return_parameters.value
    assert isinstance(proof, bytes)
    return replace(apdu, return_parameters=octet_string(proof[:-1] + bytes((proof[-1] ^ 1,))))


# ------------------------------------------------------------------------------------------------ passwords, secrets, keys


@each_line
@each_policy
@pytest.mark.parametrize("secret", [Secret(b"wrong"), Secret(b""), Secret(b"0123456789ABCDEF\0")])
def test_a_wrong_password(hdlc: bool, policy: SecurityPolicy, secret: Secret) -> None:
    mechanism = AuthenticationMechanism.LOW
    client = replace(client_side(mechanism, policy), secret=secret)
    error, noted = turned_away(client, meter_side(mechanism, policy), hdlc=hdlc)
    assert diagnostic_of(error) is AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE
    assert "authentication-failure" in noted.what


@each_line
@each_policy
@pytest.mark.parametrize("mechanism", SECRETIVE, ids=lambda each: each.label)
def test_a_wrong_secret(hdlc: bool, policy: SecurityPolicy, mechanism: AuthenticationMechanism) -> None:
    client = replace(client_side(mechanism, policy), secret=Secret(b"0123456789ABCDEX"))
    error, noted = turned_away(client, meter_side(mechanism, policy), hdlc=hdlc)
    assert isinstance(error, LoginFailed)
    assert error.refused
    assert "meters lock" in error.hint
    assert violation_of(noted) is Violation.PROOF


@each_line
@each_ciphered_policy
@pytest.mark.parametrize(
    ("keys", "told"),
    [(OTHER_EK, "encryption key (EK)"), (OTHER_AK, "authentication key (AK)")],
    ids=["EK", "AK"],
)
def test_a_wrong_key_is_named_by_the_meter_and_refused_to_the_client(
    hdlc: bool, policy: SecurityPolicy, keys: Keys, told: str
) -> None:
    client = replace(client_side(policy=policy), keys=keys)
    error, noted = turned_away(client, meter_side(policy=policy), hdlc=hdlc)
    assert isinstance(error, ExceptionResponseError)
    assert "deciphering-error" in error.what
    assert "both keys" in error.hint
    assert violation_of(noted) is Violation.TAG
    assert told in noted.what


@each_line
@pytest.mark.parametrize("keys", [OTHER_EK, OTHER_AK], ids=["EK", "AK"])
def test_a_wrong_key_where_nothing_is_ciphered_shows_in_the_login(hdlc: bool, keys: Keys) -> None:
    none = SecurityPolicy.NONE
    client = replace(client_side(policy=none), keys=keys)
    error, noted = turned_away(client, meter_side(policy=none), hdlc=hdlc)
    assert isinstance(error, LoginFailed)
    assert violation_of(noted) is Violation.PROOF


@each_ciphered_policy
@pytest.mark.parametrize(
    ("keys", "told"),
    [(OTHER_EK, "encryption key (EK)"), (OTHER_AK, "authentication key (AK)")],
    ids=["EK", "AK"],
)
def test_a_wrong_key_is_named_by_the_client_where_a_meter_answers(
    policy: SecurityPolicy, keys: Keys, told: str
) -> None:
    """A meter that takes any Initiate, and protects its own by its own keys."""
    other = replace(meter_side(policy=policy), keys=keys).credentials().layer
    assert other is not None
    alter = altering_aare(lambda aare: replace(aare, user_information=other.seal_initiate(GRANT)))
    pair = association_pair(client_side(policy=policy), meter_side(policy=policy), alter)
    error = refused(pair)
    assert violation_of(error) is Violation.TAG
    assert told in error.what
    assert len(from_client(pair)) == 1


@each_ciphered_policy
def test_a_wrong_title_is_told_with_the_encryption_key(policy: SecurityPolicy) -> None:
    """Nothing tells them apart: both go into what deciphers."""
    alter = altering_aare(lambda aare: replace(aare, responding_ap_title=b"MWS00009"))
    error = refused(association_pair(client_side(policy=policy), meter_side(policy=policy), alter))
    assert "or its system title is another" in error.what


# ------------------------------------------------------------------------------------------------ challenges and their answers


@each_challenging
@each_policy
@pytest.mark.parametrize("challenge", [None, b""], ids=["none", "empty"])
def test_a_meter_that_lets_us_in_without_answering_our_challenge(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy, challenge: bytes | None
) -> None:
    alter = altering_aare(lambda aare: replace(aare, responding_authentication_value=challenge))
    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
    error = refused(pair)
    assert violation_of(error) is Violation.PROOF
    assert "without answering our challenge" in error.what
    assert len(from_client(pair)) == 1


@each_challenging
@each_policy
def test_our_own_challenge_is_not_answered_to_anybody(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    alter = altering_aare(lambda aare: replace(aare, responding_authentication_value=OUR_CHALLENGE))
    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
    error = refused(pair)
    assert violation_of(error) is Violation.PROOF
    assert "equals ours" in error.what
    assert len(from_client(pair)) == 1


@each_line
@each_challenging
@each_policy
def test_a_meter_does_not_take_its_own_challenge_either(
    hdlc: bool, mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    client = replace(client_side(mechanism, policy), challenge=THEIR_CHALLENGE)
    error, noted = turned_away(client, meter_side(mechanism, policy), hdlc=hdlc)
    assert violation_of(noted) is Violation.PROOF
    assert diagnostic_of(error) is AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE


@each_challenging
@each_policy
def test_who_answers_our_challenge_wrong_is_not_the_meter(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    """The meter believes us, and so thinks that we are in; we say nothing more to it."""

    def alter(by_client: bool, octets: bytes) -> Iterable[bytes]:
        return (octets if by_client or not is_service(octets) else inside(octets, METER, wrong_proof),)

    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
    with pytest.raises(SecurityViolation, match="this is not the meter") as caught:
        pair.associate()
    assert caught.value.violation is Violation.PROOF
    assert pair.client.state is State.IDLE
    pair.wait(1000)
    assert len(from_client(pair)) == 2
    assert [type(each) for each in pair.events] == [AssociationRefused]


@each_challenging
@each_policy
@pytest.mark.parametrize(
    "returned", [None, octet_string(b""), Data.from_octets(b"\x0f\x01")], ids=["none", "empty", "a number"]
)
def test_a_meter_that_says_success_and_shows_no_answer(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy, returned: Data | None
) -> None:
    def alter(by_client: bool, octets: bytes) -> Iterable[bytes]:
        def silent(apdu: Apdu) -> Apdu:
            assert isinstance(apdu, ActionResponseNormal)
            return replace(apdu, return_parameters=returned)

        return (octets if by_client or not is_service(octets) else inside(octets, METER, silent),)

    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
    with pytest.raises(MeterwrightError):
        pair.associate()
    assert pair.client.state is State.IDLE
    assert len(from_client(pair)) == 2


@each_challenging
@pytest.mark.parametrize("size", [0, 1, 7, 65, 200])
def test_a_challenge_of_ours_that_is_too_short_or_too_long_gets_nobody_in(
    mechanism: AuthenticationMechanism, size: int
) -> None:
    for policy in EVERY_POLICY:
        client = replace(client_side(mechanism, policy), challenge=bytes(size))
        error, noted = turned_away(client, meter_side(mechanism, policy), hdlc=True)
        assert diagnostic_of(error) is AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE
        assert "authentication-failure" in noted.what


@each_challenging
@pytest.mark.parametrize("size", [1, 7, 65, 200])
def test_a_challenge_of_the_meter_that_is_too_short_or_too_long_is_not_answered(
    mechanism: AuthenticationMechanism, size: int
) -> None:
    for policy in EVERY_POLICY:
        alter = altering_aare(lambda aare: replace(aare, responding_authentication_value=bytes(size)))
        pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), alter)
        with pytest.raises(RemoteProtocolError, match=f"their challenge has {size} octets"):
            pair.associate()
        assert_nobody_in(pair)
        assert len(from_client(pair)) == 1


@each_challenging
@pytest.mark.parametrize("size", [8, 64])
def test_the_shortest_and_the_longest_challenge_are_fine(
    mechanism: AuthenticationMechanism, size: int
) -> None:
    client = replace(client_side(mechanism), challenge=bytes(size))
    meter = replace(meter_side(mechanism), challenge=bytes(size - 1) + b"!")
    pair = association_pair(client, meter)
    pair.associate()
    assert pair.converse(read(ATTRIBUTE)) == VALUE


# ------------------------------------------------------------------------------------------------ counters in answers


@each_ciphered_policy
@pytest.mark.parametrize("known", [False, True])
def test_a_meter_that_uses_one_number_for_its_answer_and_its_apdu(
    policy: SecurityPolicy, known: bool
) -> None:
    """A few do. It is taken where it is known of the meter, and nowhere else."""

    def alter(by_client: bool, octets: bytes) -> Iterable[bytes]:
        if by_client or not is_service(octets):
            return (octets,)
        opened = unprotect(octets, Ciphers(book_keys()), METER)
        form = Form(opened.control.protection, opened.style)
        return (protect(opened.apdu, Ciphers(book_keys()), form, METER, opened.counter - 1),)

    client = replace(client_side(policy=policy), shared_counter=known)
    pair = association_pair(client, meter_side(policy=policy), alter)
    if known:
        pair.associate()
        assert pair.association.state is State.ASSOCIATED
        return
    with pytest.raises(SecurityViolation, match="the invocation counter 257") as caught:
        pair.associate()
    assert caught.value.violation is Violation.COUNTER
    assert pair.association.state is State.IDLE
    assert len(from_client(pair)) == 2


@each_policy
def test_a_recorded_answer_to_another_challenge_is_none(policy: SecurityPolicy) -> None:
    """Somebody plays the whole meter of yesterday: the AARE passes where it must, the proof does not."""
    client, meter = client_side(policy=policy), meter_side(policy=policy)
    recorded = association_pair(client, meter)
    recorded.associate()
    answers = iter([each.octets for each in recorded.passed if not each.from_client])

    def play(by_client: bool, octets: bytes) -> Iterable[bytes]:
        return (octets,) if by_client else (next(answers),)

    client.challenge = bytes(range(0x50, 0x60))
    pair = association_pair(client, replace(meter, first=0x1000), play)
    with pytest.raises(SecurityViolation) as caught:
        pair.associate()
    assert caught.value.violation is Violation.PROOF
    assert pair.association.state is State.IDLE
    assert len(from_client(pair)) == 2
