"""General-ciphering and general-signing between two sides: every key, every order, and everything that is refused."""

from dataclasses import replace
from itertools import product
from typing import Final

import pytest
from tests.security.books import ANSWER, CLIENT, GET, METER, NOTIFICATION, flipped
from tests.security.general import ALL, BOTH, CHOICES, SIGNED, SUITES, all_keys, capable, pairs, side, two

from meterwright.apdu import (
    AgreedKey,
    GeneralCiphering,
    GeneralSigning,
    IdentifiedKey,
    WrappedKey,
    decode_apdu,
)
from meterwright.errors import MeterwrightError, RemoteProtocolError, UsageError
from meterwright.security import (
    KeyChoice,
    KeyPairs,
    Manner,
    ReplayMemory,
    SecurityLayer,
    SecurityViolation,
    SignaturePlace,
    Style,
    Violation,
    book_keys,
    curve_of,
    is_protected,
)
from meterwright.values import Protection, Role, SecurityPolicy, SecuritySuite

PLACES: Final = (None, SignaturePlace.INSIDE, SignaturePlace.OUTSIDE)
MANNERS: Final = [
    *(Manner(key=key, signs=signs) for key, signs in product(CHOICES, PLACES)),
    *(Manner(style, signs=signs) for style, signs in product(Style, PLACES)),
]
CLIENT_PAIRS: Final = pairs(Role.CLIENT, SecuritySuite.SUITE_1)
POLICIES: Final = (SecurityPolicy.AUTHENTICATED, SecurityPolicy.ENCRYPTED, BOTH, SIGNED, ALL)


def name_of(manner: Manner) -> str:
    ciphered = manner.style.value if manner.key is None else manner.key.value
    return ciphered if manner.signs is None else f"{ciphered}, signed {manner.signs.value}"


each_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.label)
each_manner = pytest.mark.parametrize("manner", MANNERS, ids=name_of)


def tags(octets: bytes, suite: SecuritySuite, sender: Role) -> list[int]:
    """The tags of the layers of a message, the outermost first, as an outsider with all keys sees them."""
    reader = capable(sender.other, suite, policy=SecurityPolicy.NONE)
    seen: list[int] = []
    while is_protected(octets):
        seen.append(octets[0])
        match decode_apdu(octets):
            case GeneralSigning() as signing:
                octets = signing.content
            case _:
                octets = reader.incoming(octets)
    return seen


# ------------------------------------------------------------------------------------------------ both ways


@each_suite
@each_manner
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.words)
def test_both_sides_understand_each_other(
    suite: SecuritySuite, manner: Manner, policy: SecurityPolicy
) -> None:
    client, meter = two(suite, manner, policy)
    for _ in range(3):
        sent = client.outgoing(GET)
        assert len(sent) == client.outgoing_size(len(GET), GET[0])
        assert meter.incoming(sent) == GET
        assert meter.came & policy.required(Role.CLIENT) == policy.required(Role.CLIENT)
        size = meter.outgoing_size(len(ANSWER), ANSWER[0])
        answer = meter.outgoing(ANSWER)
        assert len(answer) == size
        assert (answer[0] == 0xDF) == (sent[0] == 0xDF)
        assert (answer[0] == 0xDD) == (sent[0] == 0xDD)
        assert client.incoming(answer) == ANSWER
        assert client.came == meter.came | policy.required(Role.SERVER)


def test_a_signature_stands_where_it_is_to_stand() -> None:
    for signs, expected in ((SignaturePlace.INSIDE, [0xDD, 0xDF]), (SignaturePlace.OUTSIDE, [0xDF, 0xDD])):
        client, _ = two(manner=Manner(key=KeyChoice.GLOBAL, signs=signs))
        sent = client.outgoing(GET)
        if signs is SignaturePlace.OUTSIDE:
            message = decode_apdu(sent)
            assert isinstance(message, GeneralSigning)
            assert [sent[0], message.content[0]] == expected
        else:
            assert sent[0] == expected[0]


@pytest.mark.parametrize(
    ("choice", "kind", "parameters"),
    [
        (KeyChoice.GLOBAL, IdentifiedKey, None),
        (KeyChoice.WRAPPED, WrappedKey, None),
        (KeyChoice.ONE_PASS, AgreedKey, b"\x01"),
        (KeyChoice.STATIC, AgreedKey, b"\x02"),
    ],
)
@each_suite
def test_a_message_says_which_key_it_is_under(
    suite: SecuritySuite, choice: KeyChoice, kind: type, parameters: bytes | None
) -> None:
    client, meter = two(suite, Manner(key=choice))
    first, second = (decode_apdu(client.outgoing(GET)) for _ in range(2))
    assert isinstance(first, GeneralCiphering)
    assert isinstance(second, GeneralCiphering)
    assert isinstance(first.key_info, kind)
    assert (first.originator_system_title, first.recipient_system_title) == (CLIENT, METER)
    assert first.transaction_id != second.transaction_id
    assert first.content[0] == 0x30 | int(suite)
    numbers = [each.content[1:5] for each in (first, second)]
    assert numbers == ([bytes(4)] * 2 if choice.is_new else [b"\0\0\0\x01", b"\0\0\0\x02"])
    if isinstance(first.key_info, AgreedKey):
        assert first.key_info.key_parameters == parameters
    if choice.is_new:
        assert first.key_info != second.key_info
    meter.incoming(first.to_octets())
    answer = decode_apdu(meter.outgoing(ANSWER))
    assert isinstance(answer, GeneralCiphering)
    assert answer.transaction_id == first.transaction_id
    assert isinstance(answer.key_info, kind)


def test_suite_0_ciphers_generally_under_its_symmetric_keys() -> None:
    keys = all_keys(SecuritySuite.SUITE_0)
    for choice in (KeyChoice.GLOBAL, KeyChoice.WRAPPED):
        client = capable(Role.CLIENT, keys=keys, key_pairs=KeyPairs(), manner=Manner(key=choice))
        meter = capable(Role.SERVER, keys=keys, key_pairs=KeyPairs())
        assert meter.incoming(client.outgoing(GET)) == GET
        assert client.incoming(meter.outgoing(ANSWER)) == ANSWER


def test_a_notification_goes_out_as_the_policy_says() -> None:
    client, meter = two(policy=ALL)
    pushed = meter.outgoing(NOTIFICATION)
    assert pushed[0] == 0xDB
    assert client.incoming(pushed) == NOTIFICATION
    assert client.came == Protection.BOTH | Protection.SIGNATURE


# ------------------------------------------------------------------------------------------------ policies and rights


def test_a_meter_adds_what_its_policy_wants() -> None:
    """The request was authenticated alone; the response is signed and encrypted besides, in the style of the request."""
    policy = SecurityPolicy.from_words("authenticated-request+encrypted-response+signed-response")
    client, meter = two(policy=policy)
    sent = client.outgoing(GET)
    assert sent[0] == 0xC8
    assert meter.incoming(sent) == GET
    assert meter.came is Protection.AUTHENTICATION
    answer = meter.outgoing(ANSWER)
    assert answer[0] == 0xDB
    assert client.incoming(answer) == ANSWER
    assert client.came == Protection.BOTH | Protection.SIGNATURE


def test_an_access_right_strengthens_one_answer_and_no_other() -> None:
    client = capable(Role.CLIENT, policy=SecurityPolicy.AUTHENTICATED)
    meter = capable(Role.SERVER, policy=SecurityPolicy.AUTHENTICATED)
    meter.incoming(client.outgoing(GET))
    meter.require_of_answer(Protection.SIGNATURE | Protection.ENCRYPTION)
    size = meter.outgoing_size(len(ANSWER), ANSWER[0])
    answer = meter.outgoing(ANSWER)
    assert len(answer) == size
    assert client.incoming(answer) == ANSWER
    assert client.came == Protection.BOTH | Protection.SIGNATURE
    meter.incoming(client.outgoing(GET))
    assert client.incoming(meter.outgoing(ANSWER)) == ANSWER
    assert client.came is Protection.AUTHENTICATION


@pytest.mark.parametrize(
    "wanted", [SecurityPolicy(mask) for mask in range(0x04, 0x100, 0x04)], ids=lambda p: p.words
)
def test_every_policy_of_version_1_is_kept_in_both_directions(wanted: SecurityPolicy) -> None:
    client, meter = two(policy=wanted)
    assert meter.incoming(client.outgoing(GET)) == GET
    assert client.incoming(meter.outgoing(ANSWER)) == ANSWER
    for dropped in (bit for bit in (0x04, 0x08, 0x10) if bit & wanted):
        weaker = capable(Role.CLIENT, policy=SecurityPolicy(int(wanted) & ~dropped), start=50)
        with pytest.raises(SecurityViolation) as caught:
            meter.incoming(weaker.outgoing(GET))
        assert caught.value.violation is Violation.POLICY
    for dropped in (bit for bit in (0x20, 0x40, 0x80) if bit & wanted):
        weaker = capable(Role.SERVER, policy=SecurityPolicy(int(wanted) & ~dropped & 0xE0), start=50)
        with pytest.raises(SecurityViolation) as caught:
            client.incoming(weaker.outgoing(ANSWER))
        assert caught.value.violation is Violation.POLICY


def test_what_cannot_be_answered_alike_is_not_served() -> None:
    """The meter could read the request, and has no key of its own to sign the answer with."""
    mute = replace(pairs(Role.SERVER, SecuritySuite.SUITE_1), signing=None)
    meter = capable(Role.SERVER, key_pairs=mute)
    client = capable(Role.CLIENT, manner=Manner(signs=SignaturePlace.INSIDE))
    with pytest.raises(SecurityViolation, match="our signature key") as caught:
        meter.incoming(client.outgoing(GET))
    assert caught.value.violation is Violation.KEY
    with pytest.raises(SecurityViolation):
        meter.require_of_answer(Protection.SIGNATURE)


@pytest.mark.parametrize(
    ("manner", "lame"),
    [
        (Manner(signs=SignaturePlace.INSIDE), replace(CLIENT_PAIRS, signing=None)),
        (Manner(key=KeyChoice.ONE_PASS), replace(CLIENT_PAIRS, signing=None)),
        (Manner(key=KeyChoice.ONE_PASS), replace(CLIENT_PAIRS, agreement_point=None)),
        (Manner(key=KeyChoice.STATIC), replace(CLIENT_PAIRS, agreement=None)),
        (Manner(key=KeyChoice.STATIC), replace(CLIENT_PAIRS, agreement_point=None)),
    ],
)
def test_a_manner_without_its_keys_is_refused_before_anything_is_sent(manner: Manner, lame: KeyPairs) -> None:
    with pytest.raises(UsageError, match="key"):
        capable(Role.CLIENT, key_pairs=lame, manner=manner)


def test_key_pairs_of_another_curve_are_refused() -> None:
    with pytest.raises(UsageError, match="P-384"):
        capable(Role.CLIENT, SecuritySuite.SUITE_1, key_pairs=pairs(Role.CLIENT, SecuritySuite.SUITE_2))
    with pytest.raises(UsageError, match="suite 0"):
        capable(Role.CLIENT, keys=book_keys(), key_pairs=pairs(Role.CLIENT, SecuritySuite.SUITE_1))
    both = [side(Role.CLIENT, suite) for suite in SUITES]
    with pytest.raises(UsageError, match="two curves"):
        KeyPairs(signing=both[0].signing, agreement=both[1].agreement)


# ------------------------------------------------------------------------------------------------ altered


@pytest.mark.parametrize("manner", [each for each in MANNERS if each.is_general], ids=name_of)
def test_no_altered_bit_gets_through_or_leaves_a_trace(manner: Manner) -> None:
    replays = ReplayMemory()
    client = capable(Role.CLIENT, manner=manner)
    meter = capable(Role.SERVER, replays=replays)
    sent = client.outgoing(GET)
    for place, wrong in flipped(sent):
        with pytest.raises(MeterwrightError):
            _believed(meter, wrong, place)
        assert (meter.receive_counter.last, len(replays)) == (None, 0)
    assert meter.incoming(sent) == GET


def _believed(meter: SecurityLayer, octets: bytes, place: int) -> None:
    meter.incoming(octets)
    raise AssertionError(f"octet {place} does not matter")


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.label)
def test_a_signature_of_somebody_else_is_none(suite: SecuritySuite) -> None:
    stranger = replace(pairs(Role.CLIENT, suite), signing=side(Role.SERVER, suite).signing)
    for manner in (Manner(signs=SignaturePlace.INSIDE), Manner(key=KeyChoice.ONE_PASS)):
        forger = capable(Role.CLIENT, suite, key_pairs=stranger, manner=manner)
        with pytest.raises(SecurityViolation) as caught:
            capable(Role.SERVER, suite).incoming(forger.outgoing(GET))
        assert caught.value.violation is Violation.SIGNATURE


def test_a_compressed_message_and_a_broadcast_bit_are_refused() -> None:
    for style, bit, said in (
        (Manner(key=KeyChoice.GLOBAL), 0x80, "compressed"),
        (Manner(key=KeyChoice.GLOBAL), 0x40, "broadcast bit"),
        (Manner(Style.GENERAL), 0x80, "compressed"),
        (Manner(), 0x80, "compressed"),
    ):
        client, meter = two(manner=style)
        sent = bytearray(client.outgoing(GET))
        place = sent.index(0x31)
        sent[place] |= bit
        with pytest.raises(SecurityViolation, match=said):
            meter.incoming(bytes(sent))


def test_an_empty_layer_protects_nothing_and_is_not_compressed() -> None:
    """SC 00 is legal in general-ciphering alone: who is addressed, and no more."""
    empty = GeneralCiphering(b"\x01", CLIENT, METER, None, b"", None, b"\x01" + bytes(4) + GET)
    meter = capable(Role.SERVER, policy=SecurityPolicy.NONE)
    assert meter.incoming(empty.to_octets()) == GET
    assert meter.came is Protection.NONE
    assert meter.outgoing(ANSWER) == ANSWER
    with pytest.raises(SecurityViolation) as caught:
        capable(Role.SERVER).incoming(empty.to_octets())
    assert caught.value.violation is Violation.POLICY
    compressed = replace(empty, content=b"\x81" + bytes(4) + GET)
    with pytest.raises(SecurityViolation, match="compressed"):
        meter.incoming(compressed.to_octets())


# ------------------------------------------------------------------------------------------------ titles


@pytest.mark.parametrize(
    "manner", [Manner(key=KeyChoice.GLOBAL), Manner(signs=SignaturePlace.OUTSIDE)], ids=name_of
)
def test_who_sends_and_who_is_meant_must_be_the_two_of_the_association(manner: Manner) -> None:
    stranger = b"MWC00009"
    for own, peer, said in ((stranger, METER, "another originator"), (CLIENT, stranger, "another recipient")):
        sent = capable(Role.CLIENT, own=own, peer=peer, manner=manner).outgoing(GET)
        with pytest.raises(SecurityViolation, match=said) as caught:
            capable(Role.SERVER).incoming(sent)
        assert caught.value.violation is Violation.TITLE


@each_manner
def test_a_reflected_message_is_refused(manner: Manner) -> None:
    client, _ = two(manner=manner)
    sent = client.outgoing(GET)
    with pytest.raises(MeterwrightError):
        client.incoming(sent)


def test_what_holds_for_anybody_names_its_recipient() -> None:
    """A signature, or a key that does not tell who it is for, would be as good for another meter."""
    client, meter = two(manner=Manner(key=KeyChoice.WRAPPED))
    message = decode_apdu(client.outgoing(GET))
    assert isinstance(message, GeneralCiphering)
    with pytest.raises(SecurityViolation, match="no recipient"):
        meter.incoming(replace(message, recipient_system_title=b"").to_octets())


def test_layers_of_two_senders_are_refused() -> None:
    stranger = b"MWC00009"
    foreign = capable(Role.CLIENT, own=stranger, policy=SIGNED).outgoing(GET)
    carrier = capable(Role.CLIENT, manner=Manner(key=KeyChoice.GLOBAL))
    meter = SecurityLayer(
        Role.SERVER,
        own_title=METER,
        peer_title=None,
        keys=all_keys(SecuritySuite.SUITE_1),
        policy=BOTH,
        send_counter=capable(Role.SERVER).send_counter,
        receive_counter=capable(Role.SERVER).receive_counter,
        pairs=pairs(Role.SERVER, SecuritySuite.SUITE_1),
    )
    with pytest.raises(SecurityViolation, match="different originators"):
        meter.incoming(carrier.outgoing(foreign))
    assert meter.peer_title is None
    assert meter.incoming(carrier.outgoing(GET)) == GET
    assert meter.peer_title == CLIENT


# ------------------------------------------------------------------------------------------------ replays


@each_manner
@each_suite
def test_what_came_once_is_refused_for_ever(suite: SecuritySuite, manner: Manner) -> None:
    client, meter = two(suite, manner)
    sent = [client.outgoing(GET) for _ in range(3)]
    for octets in sent:
        meter.incoming(octets)
    for octets in sent:
        with pytest.raises(SecurityViolation) as caught:
            meter.incoming(octets)
        assert caught.value.violation is Violation.COUNTER
        assert caught.value.came_twice or octets != sent[-1]
    assert meter.incoming(client.outgoing(GET)) == GET


@pytest.mark.parametrize(
    ("manner", "policy"),
    [(Manner(key=KeyChoice.ONE_PASS), BOTH), (Manner(key=KeyChoice.WRAPPED), BOTH), (Manner(), SIGNED)],
)
def test_what_has_no_counter_is_remembered_beyond_its_association(
    manner: Manner, policy: SecurityPolicy
) -> None:
    replays = ReplayMemory()
    sent = capable(Role.CLIENT, manner=manner, policy=policy).outgoing(GET)
    assert capable(Role.SERVER, policy=policy, replays=replays).incoming(sent) == GET
    with pytest.raises(SecurityViolation, match="twice"):
        capable(Role.SERVER, policy=policy, replays=replays).incoming(sent)


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    memory = ReplayMemory(most=3)
    for octet in range(5):
        memory.check(bytes((octet,)), 0)
        memory.accept(bytes((octet,)), 0)
    assert len(memory) == 3
    for octet in (2, 3, 4):
        with pytest.raises(SecurityViolation):
            memory.check(bytes((octet,)), 0)
    memory.check(b"\x00", 0)


def test_a_message_that_is_not_taken_is_not_remembered() -> None:
    """It was verified, and is less than the policy wants: neither counter nor memory has moved."""
    replays = ReplayMemory()
    meter = capable(Role.SERVER, policy=ALL, replays=replays)
    with pytest.raises(SecurityViolation):
        meter.incoming(capable(Role.CLIENT, manner=Manner(key=KeyChoice.ONE_PASS)).outgoing(GET))
    assert (meter.receive_counter.last, len(replays)) == (None, 0)


# ------------------------------------------------------------------------------------------------ nesting


def test_layers_have_an_end() -> None:
    client = capable(Role.CLIENT, policy=SIGNED)
    octets = GET
    for _ in range(3):
        octets = client.outgoing(octets)
    assert capable(Role.SERVER, policy=SIGNED).incoming(octets) == GET
    with pytest.raises(RemoteProtocolError, match="more than 3 layers"):
        capable(Role.SERVER, policy=SIGNED).incoming(client.outgoing(octets))


def test_nothing_hides_below_a_layer_that_does_not_verify() -> None:
    client = capable(Role.CLIENT, policy=SIGNED)
    wrong = bytearray(client.outgoing(GET))
    wrong[-1] ^= 1
    carrier = capable(Role.CLIENT, manner=Manner(key=KeyChoice.GLOBAL))
    meter = capable(Role.SERVER)
    with pytest.raises(SecurityViolation):
        meter.incoming(carrier.outgoing(bytes(wrong)))
    assert meter.receive_counter.last is None


# ------------------------------------------------------------------------------------------------ broadcast


@pytest.mark.parametrize(
    "manner", [Manner(), Manner(Style.GENERAL), Manner(key=KeyChoice.GLOBAL)], ids=name_of
)
def test_what_is_for_all_is_unconfirmed_and_under_the_broadcast_key(manner: Manner) -> None:
    unconfirmed = GET[:2] + b"\x01" + GET[3:]
    client = capable(Role.CLIENT, manner=manner, broadcasts=True)
    meter = capable(Role.SERVER)
    assert meter.incoming(client.outgoing(unconfirmed, unconfirmed=True)) == unconfirmed
    assert meter.receive_counter.last is None
    assert client.send_counter.last is None
    confirmed = GET[:2] + b"\x41" + GET[3:]
    with pytest.raises(SecurityViolation, match="wants an answer"):
        meter.incoming(client.outgoing(confirmed, unconfirmed=True))
    assert meter.incoming(client.outgoing(confirmed)) == confirmed


# ------------------------------------------------------------------------------------------------ oddities


def test_a_header_that_is_not_authenticated_is_taken_and_answered_alike() -> None:
    client, meter = two(manner=Manner(key=KeyChoice.GLOBAL, bare=True))
    standard, other = two(manner=Manner(key=KeyChoice.GLOBAL))
    bare, full = client.outgoing(GET), standard.outgoing(GET)
    assert bare[:-12] == full[:-12]
    assert bare[-12:] != full[-12:]
    assert meter.incoming(bare) == GET
    assert client.incoming(meter.outgoing(ANSWER)) == ANSWER
    assert other.incoming(full) == GET
    assert bare[-12:] != meter.outgoing(GET)[-12:]


def test_nothing_of_a_key_shows() -> None:
    client, meter = two(manner=Manner(key=KeyChoice.WRAPPED))
    sent = decode_apdu(client.outgoing(GET))
    assert isinstance(sent, GeneralCiphering)
    assert isinstance(sent.key_info, WrappedKey)
    assert sent.key_info.key_ciphered_data.hex() not in repr(sent)
    assert curve_of(SecuritySuite.SUITE_1).size == 32
    assert meter.incoming(sent.to_octets()) == GET
