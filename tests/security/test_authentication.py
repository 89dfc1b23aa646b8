"""Logins: both directions of every mechanism, and everything that must not pass for one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.security.books import CLIENT, CTOS, METER, STOC, flipped

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError, UsageError
from meterwright.security import (
    MECHANISMS,
    CounterOwner,
    Keys,
    Login,
    MemoryCounterStore,
    Party,
    ReceiveCounter,
    Secret,
    SecurityViolation,
    SendCounter,
    Violation,
    book_keys,
    challenge_sizes,
    password_is_right,
    prove,
    verify,
)
from meterwright.values import AuthenticationMechanism, Role

SECRET = Secret(b"12345678")
GMAC = AuthenticationMechanism.HIGH_GMAC
each_mechanism = pytest.mark.parametrize("mechanism", list(MECHANISMS), ids=lambda each: each.label)


def login(mechanism: AuthenticationMechanism, role: Role = Role.CLIENT, **changes: object) -> Login:
    """One side of a login. Changes are those of `replace`."""
    client, meter = Party(CLIENT, CTOS), Party(METER, STOC)
    ours, theirs = (client, meter) if role is Role.CLIENT else (meter, client)
    made = Login(mechanism=mechanism, role=role, ours=ours, theirs=theirs, secret=SECRET, keys=book_keys())
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's shorthand


def numbers(start: int = 1) -> SendCounter:
    counter = SendCounter(MemoryCounterStore(), CounterOwner.of(book_keys().global_unicast, CLIENT))
    counter.start_at(start)
    return counter


@each_mechanism
def test_both_sides_prove_it_to_each_other(mechanism: AuthenticationMechanism) -> None:
    client, meter = login(mechanism), login(mechanism, Role.SERVER)
    verify(meter, prove(client, numbers()), ReceiveCounter())
    verify(client, prove(meter, numbers()), ReceiveCounter())


@each_mechanism
def test_no_bit_of_an_answer_may_be_wrong(mechanism: AuthenticationMechanism) -> None:
    proof = prove(login(mechanism), numbers())
    for _, wrong in flipped(proof):
        counter = ReceiveCounter()
        with pytest.raises(SecurityViolation) as caught:
            verify(login(mechanism, Role.SERVER), wrong, counter)
        assert caught.value.violation is Violation.PROOF
        assert counter.last is None
    for wrong in (b"", proof[:-1], proof + b"\0"):
        with pytest.raises(SecurityViolation):
            verify(login(mechanism, Role.SERVER), wrong, ReceiveCounter())


@each_mechanism
def test_an_answer_can_not_be_handed_back(mechanism: AuthenticationMechanism) -> None:
    """What the client proved is no proof of the meter."""
    client = login(mechanism)
    with pytest.raises(SecurityViolation):
        verify(client, prove(client, numbers()), ReceiveCounter())


@each_mechanism
def test_equal_challenges_are_refused_and_nothing_is_answered(mechanism: AuthenticationMechanism) -> None:
    """Another stack would answer: it also sends its secret as the challenge."""
    for role in Role:
        with pytest.raises(SecurityViolation, match="equals ours") as caught:
            login(mechanism, role, theirs=login(mechanism, role).ours)
        assert caught.value.violation is Violation.PROOF


@each_mechanism
def test_challenges_have_8_to_64_octets(mechanism: AuthenticationMechanism) -> None:
    assert challenge_sizes(mechanism) == range(8, 65)
    for length in (8, 64):
        login(mechanism, ours=Party(CLIENT, bytes(length)), theirs=Party(METER, b"x" * length))
    for length in (0, 7, 65, 200):
        with pytest.raises(LocalProtocolError, match="our challenge"):
            login(mechanism, ours=Party(CLIENT, bytes(length)))
        with pytest.raises(RemoteProtocolError, match="their challenge"):
            login(mechanism, theirs=Party(METER, bytes(length)))


@each_mechanism
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_another_secret_key_title_or_challenge_is_told(
    mechanism: AuthenticationMechanism, role: Role
) -> None:
    other = Keys(global_unicast=Secret(b"another key here"), authentication=book_keys().authentication)
    third = Keys(global_unicast=book_keys().global_unicast, authentication=Secret(b"another key here"))
    asker = login(mechanism, role.other)
    changes: list[dict[str, object]] = [{"theirs": Party(asker.ours.title, b"another one")}]
    if mechanism is GMAC:
        changes.append({"keys": other})
        changes.append({"keys": third})
    else:
        changes.append({"secret": Secret(b"12345679")})
    if MECHANISMS[mechanism].needs_titles:
        changes.append({"ours": Party(b"MWX00001", login(mechanism, role).ours.challenge)})
    for change in changes:
        with pytest.raises(SecurityViolation, match="answer to our challenge is wrong") as caught:
            verify(asker, prove(login(mechanism, role, **change), numbers()), ReceiveCounter())
        assert caught.value.hint


def test_what_a_mechanism_needs_must_be_there() -> None:
    with pytest.raises(UsageError, match="needs a secret"):
        login(AuthenticationMechanism.HIGH, secret=None)
    with pytest.raises(UsageError, match="needs keys"):
        login(GMAC, keys=None)
    with pytest.raises(UsageError, match="needs keys"):
        login(GMAC, keys=Keys(global_unicast=book_keys().global_unicast))
    for mechanism in (GMAC, AuthenticationMechanism.HIGH_SHA256):
        with pytest.raises(UsageError, match="system titles"):
            login(mechanism, theirs=Party(b"", STOC))
    login(AuthenticationMechanism.HIGH, theirs=Party(b"", STOC))


@pytest.mark.parametrize(
    "mechanism",
    [
        AuthenticationMechanism.LOWEST,
        AuthenticationMechanism.LOW,
        AuthenticationMechanism.HIGH_ECDSA,
        AuthenticationMechanism(99),
    ],
)
def test_other_mechanisms_are_no_rows_here(mechanism: AuthenticationMechanism) -> None:
    with pytest.raises(UsageError, match="no authentication by challenge"):
        login(mechanism)
    with pytest.raises(UsageError):
        challenge_sizes(mechanism)


def test_the_makers_aes_takes_up_to_16_octets_of_secret() -> None:
    with pytest.raises(UsageError, match="17 octets"):
        prove(login(AuthenticationMechanism.HIGH, secret=Secret(bytes(17))))


@given(st.binary(min_size=8, max_size=64), st.binary(max_size=16))
def test_the_makers_aes_pads_both(challenge: bytes, secret: bytes) -> None:
    padded = -(-len(challenge) // 16) * 16
    party = Party(METER, challenge)
    if challenge == CTOS:
        return
    plain = login(AuthenticationMechanism.HIGH, theirs=party, secret=Secret(secret))
    filled = login(
        AuthenticationMechanism.HIGH,
        theirs=Party(METER, challenge.ljust(padded, b"\0")),
        secret=Secret(secret.ljust(16, b"\0")),
    )
    assert prove(plain) == prove(filled)
    assert len(prove(plain)) == padded


# ------------------------------------------------------------------------------------------------ counters


def test_a_gmac_answer_consumes_a_number_of_its_own() -> None:
    """Another stack uses one number for the answer and the APDU around it: the same nonce twice."""
    counter = numbers(7)
    first, second = prove(login(GMAC), counter), prove(login(GMAC), counter)
    assert first[1:5] == b"\0\0\0\x07"
    assert second[1:5] == b"\0\0\0\x08"
    assert first[5:] != second[5:]
    assert counter.next() == 9


def test_gmac_wants_counters() -> None:
    with pytest.raises(LocalProtocolError):
        prove(login(GMAC))
    with pytest.raises(LocalProtocolError):
        verify(login(GMAC), bytes(17))


def test_a_recorded_gmac_answer_is_refused() -> None:
    meter = login(GMAC, Role.SERVER)
    proof = prove(login(GMAC), numbers(0x5A))
    counter = ReceiveCounter(0x59)
    verify(meter, proof, counter)
    assert counter.last == 0x5A
    with pytest.raises(SecurityViolation) as caught:
        verify(meter, proof, counter)
    assert caught.value.violation is Violation.COUNTER


@pytest.mark.parametrize(
    ("inner", "fine"), [(0x5A, True), (0x5B, False), (0x5C, False), (0x59, False), (1, False)]
)
def test_the_number_inside_is_the_one_before_that_of_the_apdu(inner: int, *, fine: bool) -> None:
    counter = ReceiveCounter(0x59)
    counter.accept(0x5B, verified=True)
    proof = prove(login(GMAC), numbers(inner))
    if fine:
        verify(login(GMAC, Role.SERVER), proof, counter, carried=True)
    else:
        with pytest.raises(SecurityViolation) as caught:
            verify(login(GMAC, Role.SERVER), proof, counter, carried=True)
        assert caught.value.violation is Violation.COUNTER
    assert counter.last == 0x5B


def test_a_meter_known_to_share_one_number_is_let() -> None:
    counter = ReceiveCounter(0x59)
    counter.accept(0x5B, verified=True)
    proof = prove(login(GMAC), numbers(0x5B))
    verify(login(GMAC, Role.SERVER), proof, counter, carried=True, shared_counter=True)


def test_a_wrong_answer_moves_no_counter() -> None:
    counter = ReceiveCounter(5)
    wrong = bytearray(prove(login(GMAC), numbers(9)))
    wrong[1:5] = b"\xff\xff\xff\xf0"
    with pytest.raises(SecurityViolation):
        verify(login(GMAC, Role.SERVER), bytes(wrong), counter)
    assert counter.last == 5


# ------------------------------------------------------------------------------------------------ passwords


@given(st.binary(max_size=20), st.binary(max_size=20) | st.none())
def test_passwords(expected: bytes, given_: bytes | None) -> None:
    assert password_is_right(Secret(expected), given_) is (expected == (given_ or b""))


@given(st.sampled_from(list(MECHANISMS)), st.binary(max_size=80), st.booleans())
def test_any_octets_are_a_proof_or_refused(
    mechanism: AuthenticationMechanism, octets: bytes, carried: bool
) -> None:
    counter = ReceiveCounter(3)
    with pytest.raises(MeterwrightError):
        verify(login(mechanism), octets, counter, carried=carried)
    assert counter.last == 3
