"""Logging in, over association machines and over whole stacks: every mechanism under every policy in both styles.

What went over the line is looked at octet by octet: nothing is plain that should not be, and no counter goes back.
"""

import pytest
from tests.association.secured import (
    ATTRIBUTE,
    CIPHERED_POLICIES,
    DEDICATED,
    EVERY_MECHANISM,
    EVERY_POLICY,
    METHOD,
    PARAMETER,
    VALUE,
    WRITTEN,
    Meter,
    Side,
    apdus_passed,
    association_pair,
    client_side,
    meter_side,
    stack_pair,
)

from meterwright.apdu import Aare, Aarq, ActionRequestNormal, ActionResponseNormal, Rlre, Rlrq, decode_apdu
from meterwright.association import Associated, AssociationRefused, ClientEvent, ClientStack, State
from meterwright.data import Data
from meterwright.exchange import invoke, read, write
from meterwright.link import WrapperFramer, WrapperLink
from meterwright.security import Ciphers, Secret, Style, is_ciphered, read_envelope, unprotect
from meterwright.server import ServerConnection
from meterwright.testing import AssociationPair, Passed, StackPair
from meterwright.values import (
    ApplicationContext,
    AuthenticationMechanism,
    Obis,
    Protection,
    Role,
    SecurityPolicy,
)

KINDS = ("apdus", "wrapper", "hdlc")

each_kind = pytest.mark.parametrize("kind", KINDS)
each_mechanism = pytest.mark.parametrize("mechanism", EVERY_MECHANISM, ids=lambda each: each.label)
each_policy = pytest.mark.parametrize("policy", EVERY_POLICY, ids=lambda each: each.label)
each_ciphered_policy = pytest.mark.parametrize("policy", CIPHERED_POLICIES, ids=lambda each: each.label)
each_style = pytest.mark.parametrize("style", list(Style), ids=lambda each: each.value)


def joined(kind: str, client: Side, meter: Side) -> AssociationPair | StackPair:
    if kind == "apdus":
        return association_pair(client, meter)
    return stack_pair(client, Meter(meter), hdlc=kind == "hdlc")


def is_associated(pair: AssociationPair | StackPair) -> bool:
    return pair.association.state is State.ASSOCIATED


def meter_is_associated(pair: AssociationPair | StackPair) -> bool:
    if isinstance(pair, AssociationPair):
        return pair.meter.state is State.ASSOCIATED
    return pair.meter.associated == 1


def converse(pair: AssociationPair | StackPair) -> None:
    """Associate, read, write, call, release."""
    pair.associate()
    assert is_associated(pair)
    assert meter_is_associated(pair)
    assert pair.converse(read(ATTRIBUTE)) == VALUE
    pair.converse(write(ATTRIBUTE, WRITTEN))
    assert pair.converse(invoke(METHOD, PARAMETER)) == PARAMETER
    pair.release()
    assert not is_associated(pair)
    assert not meter_is_associated(pair)


class Sniffer:
    """Whoever reads everything that went over the line, with the keys and without."""

    def __init__(self, pair: AssociationPair | StackPair, client: Side, meter: Side) -> None:
        self.sent = apdus_passed(pair)
        self.octets = b"".join(each.octets for each in pair.passed)
        self.client = client
        self.titles = {True: client.title, False: meter.title}
        self.keys = Ciphers(client.keys)
        if client.dedicated is not None:
            self.keys.use_dedicated(client.dedicated)

    def plain(self, sent: Passed) -> bytes:
        """The APDU inside."""
        if not is_ciphered(sent.octets):
            return sent.octets
        return unprotect(sent.octets, self.keys, self.titles[sent.from_client]).apdu

    def initiate(self, sent: Passed) -> bytes | None:
        """The user-information of what opens or ends an association."""
        if is_ciphered(sent.octets):
            return None
        apdu = decode_apdu(sent.octets)
        return apdu.user_information if isinstance(apdu, Aarq | Aare | Rlrq | Rlre) else None

    def proof(self, sent: Passed) -> bytes | None:
        """f(challenge) in this APDU, if it is pass 3 or 4."""
        apdu = decode_apdu(self.plain(sent))
        value: object = None
        if isinstance(apdu, ActionRequestNormal) and apdu.method.class_id == 15:
            value = apdu.parameters
        elif isinstance(apdu, ActionResponseNormal) and apdu.invoke_id == 1:  # the login is the first to ask
            value = apdu.return_parameters
        if value is None:
            return None
        assert isinstance(value, Data)
        assert isinstance(value.value, bytes)
        return value.value

    def numbers(self, *, from_client: bool) -> list[int]:
        """Every invocation counter that one side consumed, in order; f() consumes its own before its APDU does."""
        found: list[int] = []
        for sent in self.sent:
            if sent.from_client is not from_client:
                continue
            proof = self.proof(sent)
            if proof is not None and self.client.mechanism is AuthenticationMechanism.HIGH_GMAC:
                found.append(int.from_bytes(proof[1:5], "big"))
            ciphered = self.initiate(sent) or sent.octets
            if is_ciphered(ciphered):
                found.append(read_envelope(ciphered).counter)
        return found


def assert_protected(sniffer: Sniffer, client: Side) -> None:
    """Each APDU as the policy and the style say; what opens and ends an association travels plain, its Initiate never."""
    required = client.policy.required(Role.CLIENT)
    for sent in sniffer.sent:
        if not required or isinstance(decode_apdu(sniffer.plain(sent)), Aarq | Aare | Rlrq | Rlre):
            assert not is_ciphered(sent.octets)
            continue
        envelope = read_envelope(sent.octets)
        assert envelope.control.protection is required
        assert envelope.control.suite is client.keys.suite
        assert envelope.style is client.style
        assert envelope.dedicated is (client.dedicated is not None)
    for initiate in filter(None, map(sniffer.initiate, sniffer.sent)):
        assert is_ciphered(initiate) is bool(required)
        if required:
            envelope = read_envelope(initiate)
            assert (envelope.control.protection, envelope.dedicated) == (Protection.BOTH, False)


def assert_nothing_shows(sniffer: Sniffer, client: Side) -> None:
    """Where APDUs are encrypted, neither data nor f() is anywhere in the octets; and elsewhere it is, or this would prove nothing."""
    encrypted = Protection.ENCRYPTION in client.policy.required(Role.CLIENT)
    proofs = [proof for sent in sniffer.sent if (proof := sniffer.proof(sent)) is not None]
    assert len(proofs) == (2 if client.challenges else 0)
    for shown in (VALUE.value, WRITTEN.value, PARAMETER.value, *proofs):
        assert isinstance(shown, bytes)
        whole = sniffer.octets if len(shown) < 30 else b"".join(each.octets for each in sniffer.sent)
        assert (shown in whole) is not encrypted
    assert (b"0123456789ABCDEF" in sniffer.octets) is (client.mechanism is AuthenticationMechanism.LOW)


@each_kind
@each_mechanism
@each_policy
@each_style
def test_every_mechanism_under_every_policy(
    kind: str, mechanism: AuthenticationMechanism, policy: SecurityPolicy, style: Style
) -> None:
    client, meter = client_side(mechanism, policy, style), meter_side(mechanism, policy)
    pair = joined(kind, client, meter)
    converse(pair)
    sniffer = Sniffer(pair, client, meter)
    assert len(sniffer.sent) == (12 if client.challenges else 10)
    assert_protected(sniffer, client)
    assert_nothing_shows(sniffer, client)
    for from_client, first in ((True, 1), (False, 0x100)):
        numbers = sniffer.numbers(from_client=from_client)
        assert numbers == list(range(first, first + len(numbers)))
        proofs = mechanism is AuthenticationMechanism.HIGH_GMAC
        assert len(numbers) == (5 + client.challenges if policy else 0) + proofs


@each_kind
@each_mechanism
@each_ciphered_policy
@each_style
def test_a_dedicated_key_takes_over_and_is_never_seen(
    kind: str, mechanism: AuthenticationMechanism, policy: SecurityPolicy, style: Style
) -> None:
    client, meter = client_side(mechanism, policy, style, DEDICATED), meter_side(mechanism, policy)
    pair = joined(kind, client, meter)
    converse(pair)
    sniffer = Sniffer(pair, client, meter)
    assert_protected(sniffer, client)
    assert_nothing_shows(sniffer, client)
    assert DEDICATED.reveal() not in sniffer.octets
    assert DEDICATED.reveal() not in b"".join(each.octets for each in sniffer.sent)
    protected = [each.octets[0] for each in sniffer.sent if is_ciphered(each.octets)]
    expected = {0xD0, 0xD1, 0xD3, 0xD4, 0xD5, 0xD7} if style is Style.SERVICE_SPECIFIC else {0xDC}
    assert set(protected) == expected
    for from_client, first in ((True, 1), (False, 0x100)):
        numbers = sniffer.numbers(from_client=from_client)
        assert numbers == list(range(first, first + len(numbers)))


@each_kind
@each_policy
def test_the_aarq_and_the_aare_say_what_the_books_want(kind: str, policy: SecurityPolicy) -> None:
    client, meter = client_side(policy=policy), meter_side(policy=policy)
    pair = joined(kind, client, meter)
    converse(pair)
    aarq, aare = (decode_apdu(each.octets) for each in apdus_passed(pair)[:2])
    assert isinstance(aarq, Aarq)
    assert isinstance(aare, Aare)
    context = ApplicationContext.LN_CIPHERED if policy else ApplicationContext.LN
    assert aarq.application_context_name == aare.application_context_name == context
    assert aarq.mechanism_name == aare.mechanism_name == AuthenticationMechanism.HIGH_GMAC
    assert (aarq.calling_ap_title, aare.responding_ap_title) == (client.title, meter.title)
    assert (aarq.calling_authentication_value, aare.responding_authentication_value) == (
        client.challenge,
        meter.challenge,
    )


@each_kind
def test_the_next_association_goes_on_counting(kind: str) -> None:
    """Counters outlive an association: what was accepted once is behind us for ever."""
    client, meter = client_side(), meter_side()
    seen: list[int] = []
    for _ in range(3):
        pair = joined(kind, client, meter)
        converse(pair)
        seen += Sniffer(pair, client, meter).numbers(from_client=True)
    assert seen == list(range(1, 22))


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_a_meter_that_restarted_counts_anew_and_is_believed_for_its_answer(hdlc: bool) -> None:
    client, meter = client_side(), meter_side()
    converse(stack_pair(client, Meter(meter), hdlc=hdlc))
    meter.send, meter.receive = meter_side().send, meter_side().receive
    assert (client.receive.last or 0) > 0x100
    converse(stack_pair(client, Meter(meter), hdlc=hdlc))


@each_kind
@each_policy
def test_the_answer_to_the_challenge_may_go_to_the_association_s_own_object(
    kind: str, policy: SecurityPolicy
) -> None:
    """A few meters want it there; ours takes it at either."""
    own = Obis.of("0.0.40.0.2.255")
    client, meter = client_side(policy=policy), meter_side(policy=policy)
    client.association_object = own
    pair = joined(kind, client, meter)
    converse(pair)
    sniffer = Sniffer(pair, client, meter)
    asked = [decode_apdu(sniffer.plain(each)) for each in sniffer.sent]
    (proof,) = (
        each for each in asked if isinstance(each, ActionRequestNormal) and each.method.class_id == 15
    )
    assert proof.method.instance_id == own


def test_clients_of_one_connection_do_not_disturb_each_other() -> None:
    """Over the wrapper several may share a connection: one logs in wrong, one in plain, one right, all at once."""
    host = Meter(meter_side(AuthenticationMechanism.HIGH))
    right, wrong = (client_side(AuthenticationMechanism.HIGH) for _ in range(2))
    wrong.title, wrong.secret = b"MWC00009", Secret(b"another")
    connection = ServerConnection(host, chance=lambda size: host.side.challenge[:size])
    stacks = {
        sap: ClientStack(WrapperLink(sap, 1), None, side.credentials())
        for sap, side in ((1, right), (2, wrong))
    }
    stacks[3] = ClientStack(WrapperLink(3, 1))
    events: dict[int, list[ClientEvent]] = {sap: stack.open(0, 5) for sap, stack in stacks.items()}
    for _ in range(4):
        connection.receive(b"".join(stack.data_to_send() for stack in stacks.values()))
        answers = connection.data_to_send()
        for sap, stack in stacks.items():
            events[sap] += stack.receive(answers, 0)
    assert [[type(each) for each in events[sap]] for sap in (1, 2, 3)] == [
        [Associated],
        [AssociationRefused],
        [AssociationRefused],
    ]
    assert connection.associated == 1


def test_every_client_is_asked_another_challenge() -> None:
    """The connection makes it, anew for each AARQ: what the host gives with its credentials is not asked."""
    made: list[bytes] = []

    def chance(size: int) -> bytes:
        made.append(bytes((len(made) + 1,)) * size)
        return made[-1]

    host = Meter(meter_side())
    connection = ServerConnection(host, chance=chance)
    client = client_side()
    for sap in (1, 2, 3):
        client.challenge = bytes((0x80 + sap,)) * 16
        stack = ClientStack(WrapperLink(sap, 1), None, client.credentials())
        stack.open(0, 5)
        connection.receive(stack.data_to_send())
        (frame,) = WrapperFramer().receive(connection.data_to_send())
        aare = decode_apdu(frame.apdu)
        assert isinstance(aare, Aare)
        assert aare.responding_authentication_value == made[-1]
    assert [len(each) for each in made] == [16, 16, 16]
