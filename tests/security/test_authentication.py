"""Logins: both directions of every mechanism, and everything that must not pass for one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.security.books import CLIENT, CTOS, METER, STOC, flipped

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError, UsageError
from meterwright.security import (
    MECHANISMS,
    P_256,
    CounterOwner,
    Keys,
    Login,
    MemoryCounterStore,
    Party,
    Proof,
    ReceiveCounter,
    Secret,
    SecurityViolation,
    SendCounter,
    SigningKey,
    Violation,
    book_keys,
    book_pairs,
    challenge_sizes,
    password_is_right,
    prove,
    verify,
)
from meterwright.values import AuthenticationMechanism, Role, SecuritySuite

SECRET = Secret(b"12345678")
GMAC = AuthenticationMechanism.HIGH_GMAC
ECDSA = AuthenticationMechanism.HIGH_ECDSA
SUITE_1, SUITE_2 = SecuritySuite.SUITE_1, SecuritySuite.SUITE_2
each_mechanism = pytest.mark.parametrize("mechanism", list(MECHANISMS), ids=lambda each: each.label)


def login(mechanism: AuthenticationMechanism, role: Role = Role.CLIENT, **changes: object) -> Login:
    """One side of a login. Changes are those of `replace`."""
    signs = mechanism is ECDSA
    client, meter = Party(CLIENT, CTOS * 4), Party(METER, STOC * 4)
    if not signs:
        client, meter = Party(CLIENT, CTOS), Party(METER, STOC)
    ours, theirs = (client, meter) if role is Role.CLIENT else (meter, client)
    made = Login(
        mechanism=mechanism,
        role=role,
        ours=ours,
        theirs=theirs,
        secret=SECRET,
        keys=book_keys(SUITE_1 if signs else SecuritySuite.SUITE_0),
        pairs=book_pairs(SUITE_1, role) if signs else None,
    )
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
    """Those to be signed have 32 at the least."""
    least = 32 if mechanism is ECDSA else 8
    assert challenge_sizes(mechanism) == range(least, 65)
    for length in (least, 64):
        login(mechanism, ours=Party(CLIENT, bytes(length)), theirs=Party(METER, b"x" * length))
    for length in (0, least - 1, 65, 200):
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
    changes: list[dict[str, object]] = [{"theirs": Party(asker.ours.title, b"another one" * 4)}]
    if mechanism is ECDSA:
        other_key = SigningKey.from_random(P_256, bytes(40))
        changes.append({"pairs": replace(book_pairs(SUITE_1, role), signing=other_key)})
    elif mechanism is GMAC:
        changes.append({"keys": other})
        changes.append({"keys": third})
    else:
        changes.append({"secret": Secret(b"12345679")})
    if MECHANISMS[mechanism].needs_titles:
        changes.append({"ours": Party(b"MWX00001", login(mechanism, role).ours.challenge)})
    for change in changes:
        wrong = (
            "signature is not one of the key" if mechanism is ECDSA else "answer to our challenge is wrong"
        )
        with pytest.raises(SecurityViolation, match=wrong) as caught:
            verify(asker, prove(login(mechanism, role, **change), numbers()), ReceiveCounter())
        assert caught.value.hint


def test_what_a_mechanism_needs_must_be_there() -> None:
    with pytest.raises(UsageError, match="needs a secret"):
        login(AuthenticationMechanism.HIGH, secret=None)
    with pytest.raises(UsageError, match="needs keys"):
        login(GMAC, keys=None)
    with pytest.raises(UsageError, match="needs keys"):
        login(GMAC, keys=Keys(global_unicast=book_keys().global_unicast))
    pairs = book_pairs(SUITE_1, Role.CLIENT)
    with pytest.raises(UsageError, match="needs a signing key of ours"):
        login(ECDSA, pairs=None)
    with pytest.raises(UsageError, match="needs a signing key of ours"):
        login(ECDSA, pairs=replace(pairs, signing=None))
    with pytest.raises(UsageError, match="needs the other side's verifying key"):
        login(ECDSA, pairs=replace(pairs, verifying=None))
    with pytest.raises(UsageError, match="other curves than that of security suite 1"):
        login(ECDSA, pairs=book_pairs(SUITE_2, Role.CLIENT))
    for mechanism in (GMAC, AuthenticationMechanism.HIGH_SHA256, ECDSA):
        with pytest.raises(UsageError, match="system titles"):
            login(mechanism, theirs=Party(b"", STOC * 4))
    login(AuthenticationMechanism.HIGH, theirs=Party(b"", STOC))


@pytest.mark.parametrize(
    "mechanism",
    [
        AuthenticationMechanism.LOWEST,
        AuthenticationMechanism.LOW,
        AuthenticationMechanism(99),
    ],
)
def test_other_mechanisms_are_no_rows_here(mechanism: AuthenticationMechanism) -> None:
    with pytest.raises(UsageError, match="no authentication by challenge"):
        login(mechanism)
    with pytest.raises(UsageError):
        challenge_sizes(mechanism)


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_titles_and_challenges_are_signed_in_the_order_of_the_prover(suite: SecuritySuite) -> None:
    """Green Book 9.2.7.4: f(StoC) = ECDSA(ST-C, ST-S, StoC, CtoS), f(CtoS) = ECDSA(ST-S, ST-C, CtoS, StoC)."""
    keys = book_keys(suite)
    ctos, stoc = CTOS * 4, STOC * 4
    signed = {Role.CLIENT: CLIENT + METER + stoc + ctos, Role.SERVER: METER + CLIENT + ctos + stoc}
    for role, message in signed.items():
        side = login(ECDSA, role, keys=keys, pairs=book_pairs(suite, role))
        other = login(ECDSA, role.other, keys=keys, pairs=book_pairs(suite, role.other))
        proof = prove(side)
        assert len(proof) == {SUITE_1: 64, SUITE_2: 96}[suite]
        verifying = book_pairs(suite, role.other).verifying
        assert verifying is not None
        verifying.verify(proof, message)
        verify(other, proof)


def test_a_login_with_signatures_needs_no_keys_but_the_pairs() -> None:
    verify(login(ECDSA, Role.SERVER, keys=None, secret=None), prove(login(ECDSA, keys=None, secret=None)))


def test_a_maker_s_own_function_serves_both_sides() -> None:
    def makers(proof: Proof) -> bytes:
        return bytes(a ^ b for a, b in zip(proof.asker.challenge, proof.password, strict=True))

    client, meter = (
        login(AuthenticationMechanism.HIGH, role, makers_function=makers)
        for role in (Role.CLIENT, Role.SERVER)
    )
    assert prove(client) == bytes(a ^ b for a, b in zip(STOC, b"12345678", strict=True))
    verify(meter, prove(client))
    verify(client, prove(meter))
    with pytest.raises(SecurityViolation):
        verify(meter, prove(login(AuthenticationMechanism.HIGH)))


def test_no_repr_shows_what_a_login_turns_on() -> None:
    told = repr([login(mechanism, role) for mechanism in MECHANISMS for role in Role])
    told += repr([login(mechanism).our_proof for mechanism in MECHANISMS])
    pairs = book_pairs(SUITE_1, Role.CLIENT)
    assert pairs.signing is not None
    for hidden in (SECRET.reveal(), CTOS, STOC, pairs.signing.scalar.reveal(), *map(bytes, [range(16)])):
        assert hidden.hex() not in told
        assert repr(hidden)[2:-1] not in told


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
