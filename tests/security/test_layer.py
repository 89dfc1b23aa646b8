"""The layer between link and association: two of them talking, and a third who listens, alters and replays."""

import pytest
from tests.security.books import (
    ANSWER,
    AUTHENTICATED_POLICIES,
    BROADCAST,
    CLIENT,
    CTOS,
    DEDICATED,
    GET,
    GRANT,
    INITIATE,
    METER,
    NOTIFICATION,
    POLICIES,
    STOC,
    flipped,
    layer,
    pair,
)

from meterwright.apdu import ExceptionResponse, decode_apdu
from meterwright.errors import LocalProtocolError, MeterwrightError, UsageError
from meterwright.security import (
    Ciphers,
    Form,
    Keys,
    Login,
    Party,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SecurityViolation,
    Style,
    Violation,
    book_keys,
    protect,
    prove,
    read_envelope,
)
from meterwright.values import (
    AuthenticationMechanism,
    ExceptionService,
    Protection,
    Role,
    SecurityPolicy,
    SecuritySuite,
)

AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F040000181D04B0")
EXCEPTION = bytes.fromhex("D80105")
each_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.label)
each_style = pytest.mark.parametrize("style", list(Style), ids=lambda style: style.value)


@each_policy
@each_style
def test_two_sides_understand_each_other(policy: SecurityPolicy, style: Style) -> None:
    client, meter = pair(policy, style)
    for number in range(1, 20):
        sent = client.outgoing(GET)
        envelope = read_envelope(sent)
        assert (envelope.counter, envelope.style) == (number, style)
        assert envelope.control.protection is policy.required(Role.CLIENT)
        assert meter.incoming(sent) == GET
        answer = meter.outgoing(ANSWER)
        assert read_envelope(answer).counter == number
        assert client.incoming(answer) == ANSWER


def test_without_a_policy_nothing_is_protected_and_anything_is_opened() -> None:
    client, meter = pair(SecurityPolicy.NONE)
    assert client.outgoing(GET) == GET
    assert meter.incoming(GET) == GET
    assert meter.outgoing(ANSWER) == ANSWER
    eager = layer(Role.CLIENT)
    assert meter.incoming(eager.outgoing(GET)) == GET


def test_a_meter_answers_as_it_was_asked() -> None:
    """Same style, at least the same protection, the same key; and plain again when it is asked in plain."""
    meter = layer(Role.SERVER, policy=SecurityPolicy.NONE)
    seen: list[tuple[Style, Protection]] = []
    for start, (policy, style) in enumerate((policy, style) for policy in POLICIES for style in Style):
        client = layer(Role.CLIENT, policy=policy, style=style, start=100 * start + 1)
        meter.incoming(client.outgoing(GET))
        envelope = read_envelope(meter.outgoing(ANSWER))
        seen.append((envelope.style, envelope.control.protection))
        assert seen[-1] == (style, policy.required(Role.CLIENT))
    meter.incoming(GET)
    assert meter.outgoing(ANSWER) == ANSWER


def test_a_meter_never_answers_with_less_than_its_policy() -> None:
    meter = layer(Role.SERVER, policy=SecurityPolicy.AUTHENTICATED)
    client = layer(Role.CLIENT, policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED)
    meter.incoming(client.outgoing(GET))
    assert read_envelope(meter.outgoing(ANSWER)).control.protection is Protection.BOTH
    meter.incoming(AARQ)
    assert read_envelope(meter.outgoing(ANSWER)).control.protection is Protection.AUTHENTICATION


def test_a_policy_of_version_1_has_two_directions() -> None:
    """04 and 08 for requests, 20 and 40 for responses."""
    policy = SecurityPolicy(0x04 | 0x60)
    client, meter = pair(policy)
    sent = client.outgoing(GET)
    assert read_envelope(sent).control.protection is Protection.AUTHENTICATION
    meter.incoming(sent)
    answer = meter.outgoing(ANSWER)
    assert read_envelope(answer).control.protection is Protection.BOTH
    assert client.incoming(answer) == ANSWER
    weak = layer(Role.SERVER, policy=SecurityPolicy.AUTHENTICATED, start=50)
    with pytest.raises(SecurityViolation):
        client.incoming(weak.outgoing(ANSWER))


def test_a_policy_that_wants_signatures_of_a_side_that_cannot_sign_is_refused() -> None:
    for role, bit in ((Role.CLIENT, 0x10), (Role.SERVER, 0x80)):
        with pytest.raises(UsageError, match="our signature key"):
            layer(role, policy=SecurityPolicy(bit))


@each_policy
def test_what_has_no_twin_goes_general(policy: SecurityPolicy) -> None:
    client, meter = pair(policy)
    sent = meter.outgoing(NOTIFICATION)
    assert sent[0] == 0xDB
    assert client.incoming(sent) == NOTIFICATION


# ------------------------------------------------------------------------------------------------ policy


@each_policy
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
@pytest.mark.parametrize("apdu", [GET, ANSWER, NOTIFICATION, INITIATE, b"\x00", b"\xe0\x01", b"\xd9\x01"])
def test_plain_is_refused_where_protection_is_wanted(policy: SecurityPolicy, role: Role, apdu: bytes) -> None:
    with pytest.raises(SecurityViolation) as caught:
        layer(role, policy=policy).incoming(apdu)
    assert caught.value.violation is Violation.POLICY


@each_policy
@pytest.mark.parametrize("weaker", [*POLICIES])
def test_less_than_wanted_is_refused(policy: SecurityPolicy, weaker: SecurityPolicy) -> None:
    client = layer(Role.CLIENT, policy=policy)
    sent = layer(Role.SERVER, policy=weaker).outgoing(ANSWER)
    wanted, came = policy.required(Role.SERVER), weaker.required(Role.SERVER)
    if wanted & ~came:
        with pytest.raises(SecurityViolation) as caught:
            client.incoming(sent)
        assert caught.value.violation is Violation.POLICY
        assert client.receive_counter.last is None
    else:
        assert client.incoming(sent) == ANSWER


def test_another_suite_is_refused() -> None:
    client = layer(Role.CLIENT, policy=SecurityPolicy.ENCRYPTED)
    book = book_keys()
    keys = Keys(
        suite=SecuritySuite.SUITE_1, global_unicast=book.global_unicast, authentication=book.authentication
    )
    with pytest.raises(SecurityViolation, match="suite 1"):
        client.incoming(layer(Role.SERVER, policy=SecurityPolicy.ENCRYPTED, keys=keys).outgoing(ANSWER))


@each_policy
@pytest.mark.parametrize(
    "plain", [AARQ, b"\x61\x00", b"\x62\x00", b"\x63\x00", EXCEPTION, b"\x0e\x01\x06\x01"]
)
def test_what_opens_an_association_and_what_refuses_passes_plain(
    policy: SecurityPolicy, plain: bytes
) -> None:
    client, meter = pair(policy)
    assert client.outgoing(plain) == plain
    assert meter.incoming(plain) == plain
    assert meter.outgoing(plain) == plain
    assert client.incoming(plain) == plain
    assert client.send_counter.last is None


@each_policy
def test_nothing_hides_behind_the_tag_of_a_refusal(policy: SecurityPolicy) -> None:
    client, meter = pair(policy)
    sent = b"\xd8" + meter.outgoing(ANSWER)[1:]
    with pytest.raises(MeterwrightError):
        client.incoming(sent)


# ------------------------------------------------------------------------------------------------ altered and replayed


@pytest.mark.parametrize("policy", AUTHENTICATED_POLICIES, ids=lambda policy: policy.label)
@each_style
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.name)
def test_no_altered_bit_gets_through_or_leaves_a_trace(
    policy: SecurityPolicy, style: Style, role: Role
) -> None:
    sender = layer(role, policy=policy, style=style, start=9)
    receiver = layer(role.other, policy=policy, last=8)
    sent = sender.outgoing(GET if role is Role.CLIENT else ANSWER)
    for _, wrong in flipped(sent):
        with pytest.raises(MeterwrightError):
            receiver.incoming(wrong)
        assert receiver.receive_counter.last == 8
    receiver.incoming(sent)
    assert receiver.receive_counter.last == 9


@each_policy
@each_style
def test_what_came_once_is_refused_for_ever(policy: SecurityPolicy, style: Style) -> None:
    client, meter = pair(policy, style)
    sent = [client.outgoing(GET) for _ in range(5)]
    for octets in sent:
        meter.incoming(octets)
    for octets in sent:
        with pytest.raises(SecurityViolation) as caught:
            meter.incoming(octets)
        assert caught.value.violation is Violation.COUNTER
        assert caught.value.counter == 6
    assert meter.incoming(client.outgoing(GET)) == GET


@each_policy
def test_what_was_overtaken_is_refused(policy: SecurityPolicy) -> None:
    client, meter = pair(policy)
    first, second = client.outgoing(GET), client.outgoing(GET)
    meter.incoming(second)
    with pytest.raises(SecurityViolation):
        meter.incoming(first)


@pytest.mark.parametrize("policy", AUTHENTICATED_POLICIES, ids=lambda policy: policy.label)
def test_a_forged_high_counter_locks_nobody_out(policy: SecurityPolicy) -> None:
    client, meter = pair(policy)
    meter.incoming(client.outgoing(GET))
    forged = bytearray(client.outgoing(GET))
    for counter in (b"\xff\xff\xff\xf0", b"\xff\xff\xff\xff", b"\x00\x01\x00\x00"):
        forged[3:7] = counter
        with pytest.raises(SecurityViolation) as caught:
            meter.incoming(bytes(forged))
        assert caught.value.violation is Violation.TAG
    assert meter.receive_counter.last == 1
    assert meter.incoming(client.outgoing(GET)) == GET


def test_an_encrypted_forgery_moves_the_counter_a_little_and_not_for_long() -> None:
    """Nothing tells a forged counter from a real one there: the jump is bounded, and the next association puts it right."""
    client, meter = pair(SecurityPolicy.ENCRYPTED)
    meter.open_initiate(client.seal_initiate(INITIATE))
    keys = Ciphers(book_keys())
    form = Form(Protection.ENCRYPTION)
    with pytest.raises(SecurityViolation, match="jumped") as caught:
        meter.incoming(protect(GET, keys, form, CLIENT, 0xFFFFFFF0))
    assert caught.value.counter == 2
    assert meter.incoming(client.outgoing(GET)) == GET

    meter.incoming(protect(GET, keys, form, CLIENT, 900))  # as near as a forgery may come
    with pytest.raises(SecurityViolation):
        meter.incoming(client.outgoing(GET))
    assert meter.open_initiate(client.seal_initiate(INITIATE)) == INITIATE
    assert meter.incoming(client.outgoing(GET)) == GET


@each_policy
def test_a_reflected_apdu_is_refused(policy: SecurityPolicy) -> None:
    """Our own octets, sent back to us: they bear our title, in the nonce or in words."""
    for style in Style:
        client, _ = pair(policy, style)
        reflected = client.outgoing(GET)
        with pytest.raises(SecurityViolation):
            client.incoming(reflected)


# ------------------------------------------------------------------------------------------------ titles


def test_titles_are_learned_once() -> None:
    client = SecurityLayer(
        Role.CLIENT,
        own_title=CLIENT,
        peer_title=None,
        keys=book_keys(),
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        send_counter=layer(Role.CLIENT).send_counter,
        receive_counter=ReceiveCounter(),
    )
    meter = layer(Role.SERVER)
    answer = meter.outgoing(ANSWER)
    with pytest.raises(SecurityViolation, match="title is not known"):
        client.incoming(answer)
    client.learn_peer_title(METER)
    client.learn_peer_title(METER)
    assert client.peer_title == METER
    assert client.incoming(answer) == ANSWER
    for wrong, said in ((b"MWS00009", "another system title"), (CLIENT, "our own"), (b"short", "5 octets")):
        with pytest.raises(SecurityViolation, match=said) as caught:
            client.learn_peer_title(wrong)
        assert caught.value.violation is Violation.TITLE


def test_a_general_apdu_can_tell_the_title_once_its_tag_was_right() -> None:
    client = SecurityLayer(
        Role.CLIENT,
        own_title=CLIENT,
        peer_title=None,
        keys=book_keys(),
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        send_counter=layer(Role.CLIENT).send_counter,
        receive_counter=ReceiveCounter(),
    )
    sent = layer(Role.SERVER, style=Style.GENERAL).outgoing(ANSWER)
    with pytest.raises(SecurityViolation):
        client.incoming(sent[:-1] + bytes((sent[-1] ^ 1,)))
    assert client.peer_title is None
    assert client.incoming(sent) == ANSWER
    assert client.peer_title == METER


def test_another_meter_on_the_line_is_told() -> None:
    client = layer(Role.CLIENT)
    other = layer(Role.SERVER, own=b"MWS00009", style=Style.GENERAL)
    with pytest.raises(SecurityViolation, match="another originator"):
        client.incoming(other.outgoing(ANSWER))


def test_titles_are_judged_when_the_layer_is_made() -> None:
    with pytest.raises(UsageError):
        layer(Role.CLIENT, own=b"short")
    with pytest.raises(SecurityViolation):
        layer(Role.CLIENT, peer=CLIENT)


# ------------------------------------------------------------------------------------------------ Initiate, dedicated key


@pytest.mark.parametrize("policy", list(SecurityPolicy.__members__.values()), ids=lambda policy: policy.label)
def test_the_initiate_is_protected_whole_under_any_policy(policy: SecurityPolicy) -> None:
    client, meter = pair(policy)
    sealed = client.seal_initiate(INITIATE)
    assert (sealed[0], sealed[2]) == (0x21, 0x30)
    assert meter.open_initiate(sealed) == INITIATE
    granted = meter.seal_initiate(GRANT)
    assert (granted[0], granted[2]) == (0x28, 0x30)
    assert client.open_initiate(granted) == GRANT


@each_policy
def test_a_plain_initiate_is_refused_but_not_the_error_in_its_place(policy: SecurityPolicy) -> None:
    client, meter = pair(policy)
    for side, plain in ((client, GRANT), (meter, INITIATE), (client, b"")):
        with pytest.raises(SecurityViolation) as caught:
            side.open_initiate(plain)
        assert caught.value.violation is Violation.POLICY
    error = b"\x0e\x01\x06\x01"
    assert meter.seal_initiate(error) == error
    assert client.open_initiate(error) == error


def test_only_an_initiate_is_sealed_as_one() -> None:
    for wrong in (b"", NOTIFICATION):
        with pytest.raises(LocalProtocolError):
            layer(Role.CLIENT).seal_initiate(wrong)


@each_policy
@each_style
def test_a_dedicated_key_takes_over_after_the_initiate(policy: SecurityPolicy, style: Style) -> None:
    client, meter = pair(policy, style)
    meter.open_initiate(client.seal_initiate(INITIATE))
    client.open_initiate(meter.seal_initiate(GRANT))
    client.use_dedicated(DEDICATED)
    meter.use_dedicated(DEDICATED)
    sent = client.outgoing(GET)
    assert sent[0] == (0xD0 if style is Style.SERVICE_SPECIFIC else 0xDC)
    assert meter.incoming(sent) == GET
    answer = meter.outgoing(ANSWER)
    assert answer[0] == (0xD4 if style is Style.SERVICE_SPECIFIC else 0xDC)
    assert client.incoming(answer) == ANSWER
    assert not client.carried
    with pytest.raises(SecurityViolation):
        meter.incoming(sent)


def test_a_dedicated_key_must_have_come_secretly() -> None:
    client = layer(Role.CLIENT)
    with pytest.raises(SecurityViolation, match="not encrypted"):
        client.use_dedicated(DEDICATED)
    client.seal_initiate(INITIATE)
    with pytest.raises(SecurityViolation, match="global key"):
        client.use_dedicated(book_keys().global_unicast)
    with pytest.raises(SecurityViolation, match="does not fit"):
        client.use_dedicated(Secret(b"short"))
    meter = layer(Role.SERVER, policy=SecurityPolicy.AUTHENTICATED)
    sent = protect(INITIATE, Ciphers(book_keys()), Form(Protection.AUTHENTICATION), CLIENT, 1)
    assert meter.open_initiate(sent) == INITIATE
    with pytest.raises(SecurityViolation, match="not encrypted"):
        meter.use_dedicated(DEDICATED)


def test_a_broadcast_has_a_key_and_a_counter_of_its_own() -> None:
    book = book_keys()
    keys = Keys(
        global_unicast=book.global_unicast, authentication=book.authentication, global_broadcast=BROADCAST
    )
    meter = layer(Role.SERVER, keys=keys)
    client = layer(Role.CLIENT, keys=keys)
    meter.incoming(client.outgoing(GET))
    before = read_envelope(meter.outgoing(ANSWER))
    form = Form(Protection.BOTH, Style.GENERAL, broadcast=True)
    sent = protect(GET, Ciphers(keys), form, CLIENT, 1)
    assert meter.incoming(sent) == GET
    assert meter.receive_counter.last == 1
    with pytest.raises(SecurityViolation):
        meter.incoming(sent)
    assert read_envelope(meter.outgoing(ANSWER)).style is before.style


# ------------------------------------------------------------------------------------------------ a meter that begins anew


def test_a_meter_that_lost_its_counter_is_refused_unless_it_is_known_to() -> None:
    for known in (False, True):
        client = layer(Role.CLIENT, last=5000, peer_restarts=known)
        granted = layer(Role.SERVER, start=1).seal_initiate(GRANT)
        if known:
            assert client.open_initiate(granted) == GRANT
            assert client.receive_counter.last == 1
            with pytest.raises(SecurityViolation):
                client.incoming(layer(Role.SERVER, start=1).outgoing(ANSWER))
        else:
            with pytest.raises(SecurityViolation, match="went back"):
                client.open_initiate(granted)


# ------------------------------------------------------------------------------------------------ answers to what is refused


def test_a_meter_says_by_the_book_what_it_refused() -> None:
    meter = layer(Role.SERVER, last=41)
    old = layer(Role.CLIENT).outgoing(GET)
    with pytest.raises(SecurityViolation) as caught:
        meter.incoming(old)
    assert meter.refusal(caught.value).hex() == "d801060000002a"
    with pytest.raises(SecurityViolation) as caught:
        meter.incoming(GET)
    assert meter.refusal(caught.value).hex() == "d80105"
    for octets in ("d801060000002a", "d80105"):
        answer = decode_apdu(layer(Role.CLIENT).incoming(bytes.fromhex(octets)))
        assert isinstance(answer, ExceptionResponse)
        assert answer.service_error in (
            ExceptionService.INVOCATION_COUNTER_ERROR,
            ExceptionService.DECIPHERING_ERROR,
        )


# ------------------------------------------------------------------------------------------------ nonces


def test_no_nonce_is_used_twice_over_thousands_of_apdus() -> None:
    """All that consumes numbers: APDUs in both styles, Initiates, answers to challenges, notifications, a dedicated key."""
    keys = book_keys()
    client, meter = pair()
    used: list[int] = []
    login = Login(
        mechanism=AuthenticationMechanism.HIGH_GMAC,
        role=Role.CLIENT,
        ours=Party(CLIENT, CTOS),
        theirs=Party(METER, STOC),
        keys=keys,
    )
    for turn in range(1000):
        used.append(read_envelope(client.seal_initiate(INITIATE)).counter)
        used.append(int.from_bytes(prove(login, client.send_counter)[1:5], "big"))
        used.append(read_envelope(client.outgoing(NOTIFICATION)).counter)
        used.append(read_envelope(client.outgoing(GET)).counter)
        if turn == 700:
            client.use_dedicated(DEDICATED)
    assert used == list(range(1, 4001))
    answers = [meter.outgoing(ANSWER) for _ in range(3000)]
    assert len({read_envelope(octets).counter for octets in answers}) == 3000
    assert len(set(answers)) == 3000
