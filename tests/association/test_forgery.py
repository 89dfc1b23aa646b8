"""A third who listens, alters, repeats and invents, between two sides that have associated: what he can do, and what he cannot.

Under a policy that authenticates, nothing he does is ever taken for a request or an answer, and the two go on as if he were
not there. Where APDUs are only encrypted, nothing holds their octets together: he can flip bits unseen, once for each APDU,
and that is all. (He can always silence or end an association: he sits on the line.)
"""

from collections.abc import Iterator
from itertools import product

import pytest
from tests.association.secured import (
    ATTRIBUTE,
    CIPHERED_POLICIES,
    DEDICATED,
    VALUE,
    association_pair,
    client_side,
    meter_side,
)
from tests.security.books import flipped

from meterwright.apdu import GetRequestNormal, GetResponseNormal
from meterwright.association import (
    Answered,
    AssociationEnded,
    Distrusted,
    LateAnswer,
    RequestFailed,
    RequestReceived,
    State,
)
from meterwright.errors import RemoteProtocolError
from meterwright.exchange import CONFIRMED, read
from meterwright.security import Secret, Style, read_envelope
from meterwright.values import Role, SecurityPolicy

DEADLINE = 1000.0
GET = GetRequestNormal(CONFIRMED, ATTRIBUTE, None)
AUTHENTICATED = tuple(policy for policy in CIPHERED_POLICIES if policy is not SecurityPolicy.ENCRYPTED)

each_policy = pytest.mark.parametrize("policy", CIPHERED_POLICIES, ids=lambda each: each.label)
each_authenticated = pytest.mark.parametrize("policy", AUTHENTICATED, ids=lambda each: each.label)
each_style = pytest.mark.parametrize("style", list(Style), ids=lambda each: each.value)
each_key = pytest.mark.parametrize("dedicated", [None, DEDICATED], ids=["global", "dedicated"])
each_role = pytest.mark.parametrize("victim", list(Role), ids=lambda each: each.value)


class Line:
    """Two sides that are associated, and their line in our hands."""

    def __init__(self, policy: SecurityPolicy, style: Style, dedicated: Secret | None) -> None:
        self.pair = association_pair(
            client_side(policy=policy, style=style, dedicated=dedicated), meter_side(policy=policy)
        )
        self.pair.associate()
        self.client, self.meter = self.pair.client, self.pair.meter
        self.recorded = {
            role: [each.octets for each in self.pair.passed if each.from_client is (role is Role.CLIENT)]
            for role in Role
        }

    def request(self) -> tuple[int, bytes]:
        """The client asks: the invoke id and the octets."""
        invoke_id = self.client.request(GET, DEADLINE)
        (octets,) = self.client.data_to_send()
        return invoke_id, octets

    def answer(self, request: bytes, invoke_id: int) -> bytes:
        """The meter takes the request and answers it."""
        (event,) = self.meter.receive(request)
        assert event == RequestReceived(GetRequestNormal(CONFIRMED.with_id(invoke_id), ATTRIBUTE, None))
        self.meter.respond(GetResponseNormal(CONFIRMED.with_id(invoke_id), VALUE))
        (octets,) = self.meter.data_to_send()
        return octets

    def go_on(self) -> None:
        """Ask and answer as if nothing had been."""
        invoke_id, request = self.request()
        answer = self.answer(request, invoke_id)
        (event,) = self.client.receive(answer)
        assert event == Answered(invoke_id, GetResponseNormal(CONFIRMED.with_id(invoke_id), VALUE))
        assert self.client.state is self.meter.state is State.ASSOCIATED

    def at_the_meter(self, octets: bytes) -> list[object]:
        """What the meter makes of octets; what it says to them goes to nobody."""
        events: list[object] = list(self.meter.receive(octets))
        self.meter.data_to_send()
        return events

    def at(self, victim: Role, octets: bytes) -> list[object]:
        return self.at_the_meter(octets) if victim is Role.SERVER else list(self.client.receive(octets))


# ------------------------------------------------------------------------------------------------ altered


@each_authenticated
@each_style
@each_key
def test_no_bit_of_a_request_can_be_altered(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None
) -> None:
    line = Line(policy, style, dedicated)
    invoke_id, request = line.request()
    for _, wrong in flipped(request):
        assert not any(isinstance(each, RequestReceived) for each in line.at_the_meter(wrong))
        assert line.meter.state is State.ASSOCIATED
    answer = line.answer(request, invoke_id)
    assert [type(each) for each in line.client.receive(answer)] == [Answered]
    line.go_on()


@each_authenticated
@each_style
@each_key
def test_no_bit_of_an_answer_can_be_altered(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None
) -> None:
    line = Line(policy, style, dedicated)
    invoke_id, request = line.request()
    answer = line.answer(request, invoke_id)
    for _, wrong in flipped(answer):
        assert [type(each) for each in line.client.receive(wrong)] == [Distrusted]
        assert line.client.state is State.ASSOCIATED
    assert [type(each) for each in line.client.receive(answer)] == [Answered]
    line.go_on()


def with_one_bit_wrong(octets: bytes, wrong: bytes, plain: bytes) -> bytes:
    """What counter mode makes of a flipped bit: the same bit of the plaintext."""
    start = read_envelope(octets).start
    return bytes(a ^ b ^ c for a, b, c in zip(octets[start:], wrong[start:], plain, strict=True))


@each_style
@each_key
def test_an_encrypted_request_is_altered_bit_by_bit_and_not_otherwise(
    style: Style, dedicated: Secret | None
) -> None:
    policy = SecurityPolicy.ENCRYPTED
    invoke_id, octets = Line(policy, style, dedicated).request()
    plain = GetRequestNormal(CONFIRMED.with_id(invoke_id), ATTRIBUTE, None).to_octets()
    start = read_envelope(octets).start
    altered = 0
    for at, wrong in flipped(octets):
        line = Line(policy, style, dedicated)
        _, request = line.request()
        assert request == octets
        taken = [each.apdu for each in line.at_the_meter(wrong) if isinstance(each, RequestReceived)]
        altered += len(taken)
        if taken:
            assert at >= start
            assert [apdu.to_octets() for apdu in taken] == [with_one_bit_wrong(octets, wrong, plain)]
        assert line.meter.state is State.ASSOCIATED
        line.client.give_up(invoke_id)
        line.go_on()
    assert altered > 50


@each_style
@each_key
def test_an_encrypted_answer_is_altered_bit_by_bit_and_not_otherwise(
    style: Style, dedicated: Secret | None
) -> None:
    policy = SecurityPolicy.ENCRYPTED
    line = Line(policy, style, dedicated)
    invoke_id, request = line.request()
    octets = line.answer(request, invoke_id)
    plain = GetResponseNormal(CONFIRMED.with_id(invoke_id), VALUE).to_octets()
    start = read_envelope(octets).start
    altered = 0
    for at, wrong in flipped(octets):
        line = Line(policy, style, dedicated)
        invoke_id, request = line.request()
        assert line.answer(request, invoke_id) == octets
        events = line.client.receive(wrong)
        for event in events:
            match event:
                case Answered() | LateAnswer():
                    altered += 1
                    assert at >= start
                    assert event.apdu.to_octets() == with_one_bit_wrong(octets, wrong, plain)
                case RequestFailed() | AssociationEnded():
                    assert isinstance(event.error, RemoteProtocolError)
                    assert at >= start
                case _:
                    assert isinstance(event, Distrusted)
        if line.client.state is State.ASSOCIATED:
            line.client.give_up(invoke_id)
            line.go_on()
    assert altered > 300


# ------------------------------------------------------------------------------------------------ repeated


@each_policy
@each_style
@each_key
@each_role
def test_nothing_that_was_said_can_be_said_again(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None, victim: Role
) -> None:
    """The AARQ and the AARE, both proofs, requests and answers: each of them, between any two others."""
    line = Line(policy, style, dedicated)
    recorded = list(line.recorded[victim.other])
    assert len(recorded) == 2
    for _ in range(4):
        for octets in recorded:
            events = line.at(victim, octets)
            assert not any(isinstance(each, RequestReceived | Answered) for each in events)
        invoke_id, request = line.request()
        for octets in recorded:  # with a request that is open
            events = line.at(victim, octets)
            assert not any(isinstance(each, RequestReceived | Answered | RequestFailed) for each in events)
        answer = line.answer(request, invoke_id)
        for octets in recorded:
            events = line.at(victim, octets)
            assert not any(isinstance(each, RequestReceived | Answered | RequestFailed) for each in events)
        assert [type(each) for each in line.client.receive(answer)] == [Answered]
        recorded.append(request if victim is Role.SERVER else answer)
    line.go_on()


def thrice(_by_client: bool, octets: bytes) -> tuple[bytes, ...]:
    """Whatever is sent arrives three times."""
    return (octets, octets, octets)


@each_policy
@each_style
@each_key
def test_a_doubled_request_is_answered_once_and_a_doubled_answer_taken_once(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None
) -> None:
    line = Line(policy, style, dedicated)
    line.pair.interference = thrice
    for count in range(1, 20):
        assert line.pair.converse(read(ATTRIBUTE)) == VALUE
        assert len(line.pair.requests) == count
    answers = [each for each in line.pair.passed if not each.from_client]
    assert len(answers) == 2 + 19
    kinds = [type(each) for each in line.pair.events]
    assert (kinds.count(Answered), kinds.count(Distrusted)) == (19, 38)


@each_policy
@each_style
@each_key
@each_role
def test_nobody_can_be_told_his_own_words(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None, victim: Role
) -> None:
    line = Line(policy, style, dedicated)
    invoke_id, request = line.request()
    own = line.recorded[victim][1:]
    if victim is Role.CLIENT:
        own.append(request)
    for octets in own:
        events = line.at(victim, octets)
        assert not any(isinstance(each, RequestReceived | Answered | RequestFailed) for each in events)
    assert [type(each) for each in line.client.receive(line.answer(request, invoke_id))] == [Answered]
    line.go_on()


# ------------------------------------------------------------------------------------------------ invented


def forged(octets: bytes, counter: int, first: int | None = None) -> bytes:
    """The same APDU under another counter, and with another octet where its ciphertext begins."""
    start = read_envelope(octets).start
    made = bytearray(octets)
    made[start - 4 : start] = counter.to_bytes(4, "big")
    if first is not None:
        made[start] = first
    return bytes(made)


def forgeries(octets: bytes) -> Iterator[bytes]:
    """Under counters near and far; one of 256 begins, deciphered, as it should."""
    last = read_envelope(octets).counter
    for counter in (last + 1, last + 2, last + 1000, last + (1 << 20), 0xFFFF_FF00, 0xFFFF_FFFE, 0xFFFF_FFFF):
        yield from (forged(octets, counter, first) for first in range(256))


@each_policy
@each_style
@each_key
def test_a_forged_counter_locks_no_client_out(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None
) -> None:
    line = Line(policy, style, dedicated)
    for _ in range(2):  # the first APDU under its key, and a later one
        invoke_id, request = line.request()
        for octets in forgeries(request):
            assert not any(isinstance(each, RequestReceived) for each in line.at_the_meter(octets))
        assert line.meter.state is State.ASSOCIATED
        assert [type(each) for each in line.client.receive(line.answer(request, invoke_id))] == [Answered]
        line.go_on()


@each_policy
@each_style
@each_key
def test_a_forged_counter_locks_no_meter_out(
    policy: SecurityPolicy, style: Style, dedicated: Secret | None
) -> None:
    line = Line(policy, style, dedicated)
    for _ in range(2):
        invoke_id, request = line.request()
        answer = line.answer(request, invoke_id)
        for octets in forgeries(answer):
            assert not any(isinstance(each, Answered) for each in line.client.receive(octets))
        assert line.client.state is State.ASSOCIATED
        assert [type(each) for each in line.client.receive(answer)] == [Answered]
        line.go_on()


@each_policy
@each_style
@each_key
def test_an_apdu_in_plain_is_nothing(policy: SecurityPolicy, style: Style, dedicated: Secret | None) -> None:
    line = Line(policy, style, dedicated)
    invoke_id, request = line.request()
    plain_request = GetRequestNormal(CONFIRMED.with_id(invoke_id), ATTRIBUTE, None).to_octets()
    assert not any(isinstance(each, RequestReceived) for each in line.at_the_meter(plain_request))
    answer = line.answer(request, invoke_id)
    for other in set(range(16)) - {invoke_id}:
        plain = GetResponseNormal(CONFIRMED.with_id(other), VALUE).to_octets()
        assert [type(each) for each in line.client.receive(plain)] == [Distrusted]
    assert [type(each) for each in line.client.receive(answer)] == [Answered]
    line.go_on()

    invoke_id, request = line.request()
    plain = GetResponseNormal(CONFIRMED.with_id(invoke_id), VALUE).to_octets()
    assert [type(each) for each in line.client.receive(plain)] == [Distrusted, RequestFailed]
    line.answer(request, invoke_id)
    line.go_on()


@each_policy
@each_role
def test_any_envelope_around_any_octets_is_nothing(policy: SecurityPolicy, victim: Role) -> None:
    """Every tag of a ciphered APDU, every security control, whole and cut short."""
    line = Line(policy, Style.SERVICE_SPECIFIC, None)
    tags = (0xC8, 0xC9, 0xCB, 0xCC, 0xCD, 0xCF, 0xD0, 0xD1, 0xD3, 0xD4, 0xD5, 0xD7, 0xDB, 0xDC, 0x21, 0x28)
    for tag, control, size in product(tags, range(256), (0, 1, 12, 13)):
        title = bytes(1) if tag in (0xDB, 0xDC) else b""
        header = bytes((control,)) + bytes.fromhex("00007000")
        octets = bytes((tag,)) + title + bytes((len(header) + size,)) + header + bytes(range(size))
        events = line.at(victim, octets)
        assert not any(isinstance(each, RequestReceived | Answered) for each in events)
    assert line.client.state is line.meter.state is State.ASSOCIATED
    line.go_on()
