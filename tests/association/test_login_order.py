"""Logins in which somebody falls silent, hangs up, repeats, or speaks out of turn."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.association.interference import (
    each_challenging,
    each_ciphered_policy,
    each_policy,
    from_client,
    is_service,
)
from tests.association.secured import (
    ATTRIBUTE,
    DEDICATED,
    METHOD,
    PARAMETER,
    Meter,
    Side,
    association_pair,
    client_side,
    meter_side,
    open_stack,
    stack_pair,
)

from meterwright.apdu import ActionRequestNormal, ExceptionResponse, GetRequestNormal, decode_apdu
from meterwright.association import (
    AssociationRefused,
    AssociationRequested,
    ClientAssociation,
    Distrusted,
    LateAnswer,
    LoggedIn,
    LoginRefused,
    MalformedRequest,
    Released,
    ReleaseRequested,
    RequestReceived,
    ServerAssociation,
    State,
)
from meterwright.errors import (
    AssociationRejected,
    ConnectionLost,
    LocalProtocolError,
    LoginFailed,
    SecurityError,
    UsageError,
)
from meterwright.exchange import CONFIRMED
from meterwright.security import Style
from meterwright.security.counters import LAST
from meterwright.values import AuthenticationMechanism, SecurityPolicy

GET = GetRequestNormal(CONFIRMED, ATTRIBUTE, None).to_octets()


class Login:
    """A login carried by hand, up to where each side has the other's challenge."""

    def __init__(self, mechanism: AuthenticationMechanism, policy: SecurityPolicy) -> None:
        self.client_side, self.meter_side = client_side(mechanism, policy), meter_side(mechanism, policy)
        self.credentials = self.client_side.credentials()
        self.client = ClientAssociation(credentials=self.credentials)
        self.meter = ServerAssociation(self.meter_side.credentials)
        self.client.associate(10)
        (self.aarq,) = self.client.data_to_send()
        self.aare = self.ask(self.aarq)
        assert self.client.receive(self.aare) == []
        (self.proof,) = self.client.data_to_send()
        assert self.client.state is self.meter.state is State.AUTHENTICATING

    def ask(self, aarq: bytes) -> bytes:
        """The AARE that answers this AARQ."""
        (asked,) = self.meter.receive(aarq)
        assert isinstance(asked, AssociationRequested)
        self.meter.accept(Meter(self.meter_side).grant)
        return self.said()

    def said(self) -> bytes:
        """The one APDU that the meter sends."""
        (octets,) = self.meter.data_to_send()
        return octets

    def protected(self, apdu: bytes) -> bytes:
        """What a client with the keys makes of an APDU."""
        layer = self.credentials.layer
        return apdu if layer is None else layer.outgoing(apdu)

    def refusal(self) -> ExceptionResponse:
        answer = decode_apdu(self.said())
        assert isinstance(answer, ExceptionResponse)
        return answer

    def finish(self) -> None:
        """Pass 3 and pass 4."""
        (event,) = self.meter.receive(self.proof)
        assert isinstance(event, LoggedIn)
        self.client.receive(self.said())
        assert self.client.state is self.meter.state is State.ASSOCIATED


# ------------------------------------------------------------------------------------------------ silence, and hanging up


@each_challenging
@each_policy
def test_a_meter_that_stays_silent_after_our_proof(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    def swallow(by_client: bool, octets: bytes) -> Iterable[bytes]:
        return () if not by_client and is_service(octets) else (octets,)

    pair = association_pair(client_side(mechanism, policy), meter_side(mechanism, policy), swallow)
    with pytest.raises(LoginFailed, match="it stays silent") as caught:
        pair.associate()
    assert not caught.value.refused
    assert "meters lock" in caught.value.hint
    assert pair.client.state is State.IDLE
    pair.wait(1000)
    assert len(from_client(pair)) == 2


@each_challenging
def test_a_meter_that_drops_the_tcp_connection_after_our_proof(mechanism: AuthenticationMechanism) -> None:
    host = Meter(meter_side(mechanism))
    pair = stack_pair(client_side(mechanism), host)
    pair.client.open(0, 10)
    for _ in range(2):
        octets = pair.client.data_to_send()
        pair.meter.receive(octets)
        if pair.meter.associated:
            break
        pair.client.receive(pair.meter.data_to_send(), 0)
    (event,) = pair.client.lost(ConnectionLost("the connection was closed", layer="tcp"))
    assert isinstance(event, AssociationRefused)
    assert isinstance(event.error, LoginFailed)
    assert not event.error.refused
    assert "the connection was closed" in event.error.what
    assert not open_stack(pair.client)
    assert pair.client.deadline is None


@each_challenging
@pytest.mark.parametrize("deaf", [False, True], ids=["a DM", "silence"])
def test_a_meter_that_drops_the_hdlc_connection_after_our_proof(
    mechanism: AuthenticationMechanism, deaf: bool
) -> None:
    pair = stack_pair(client_side(mechanism), Meter(meter_side(mechanism)), hdlc=True)
    passed = 0

    def interfere(by_client: bool, octets: bytes) -> Iterable[bytes]:
        nonlocal passed
        if len(from_client(pair)) < 2:
            return (octets,)
        if by_client and not passed:
            passed += 1
            pair.meter.lost()
            return ()
        return () if deaf else (octets,)

    pair.interference = interfere
    with pytest.raises(LoginFailed) as caught:
        pair.associate()
    assert not caught.value.refused
    assert ("DM" in caught.value.what) is not deaf
    assert [type(each) for each in pair.events] == [AssociationRefused]
    assert not open_stack(pair.client)
    pair.release()
    assert not pair.client.is_up
    assert pair.client.deadline is None
    assert passed == 1


# ------------------------------------------------------------------------------------------------ out of turn


@each_challenging
@each_policy
def test_nothing_is_served_before_the_proof(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    """Not in plain, and not by who has the keys; the login can go on all the same."""
    login = Login(mechanism, policy)
    early = ActionRequestNormal(CONFIRMED, METHOD, PARAMETER).to_octets()
    for octets in (GET, early, *((b"\xc0\x02\xc1\x00\x00\x00\x01",) if not policy else ())):
        assert [type(each) for each in login.meter.receive(octets)] == [MalformedRequest]
        login.refusal()
    login.finish()

    login = Login(mechanism, policy)
    assert [type(each) for each in login.meter.receive(login.protected(GET))] == [MalformedRequest]
    login.refusal()
    assert login.meter.state is State.AUTHENTICATING


@each_challenging
@each_policy
def test_we_ask_for_nothing_before_the_meter_has_proved_itself(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    client = Login(mechanism, policy).client
    request = GetRequestNormal(CONFIRMED, ATTRIBUTE, None)
    for attempt in (lambda: client.request(request, 5), lambda: client.tell(request), lambda: client.context):
        with pytest.raises(LocalProtocolError):
            attempt()
    assert client.data_to_send() == []


@each_challenging
@each_policy
def test_a_proof_that_comes_twice_logs_in_once(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    login = Login(mechanism, policy)
    (event,) = login.meter.receive(login.proof)
    assert isinstance(event, LoggedIn)
    answer = login.said()
    (again,) = login.meter.receive(login.proof)
    assert isinstance(again, MalformedRequest if policy else RequestReceived)
    assert login.meter.data_to_send() == []
    assert login.meter.state is State.ASSOCIATED
    login.client.receive(answer)
    assert [type(each) for each in login.client.receive(answer)] == [Distrusted if policy else LateAnswer]
    assert login.client.state is State.ASSOCIATED


@each_challenging
@each_policy
def test_who_proved_wrong_has_to_begin_anew(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    """One try for one challenge: the right answer is worth nothing after a wrong one."""
    login = Login(mechanism, policy)
    wrong = ActionRequestNormal(CONFIRMED, replace(METHOD, class_id=15, method_id=1), PARAMETER).to_octets()
    (event,) = login.meter.receive(login.protected(wrong))
    assert isinstance(event, LoginRefused)
    assert login.meter.state is State.IDLE
    login.said()
    assert [type(each) for each in login.meter.receive(login.proof)] == [MalformedRequest]
    login.refusal()
    assert login.meter.state is State.IDLE


@each_challenging
@each_policy
def test_an_aarq_that_comes_twice_is_heard_once(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    """It bears a challenge, so nobody who means it sends it again: its answer is on its way."""
    login = Login(mechanism, policy)
    assert login.meter.receive(login.aarq) == []
    assert login.meter.data_to_send() == []
    login.finish()


@each_challenging
@each_ciphered_policy
def test_a_recorded_aarq_does_not_end_the_association_that_it_opened(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    login = Login(mechanism, policy)
    login.finish()
    assert login.meter.receive(login.aarq) == []
    assert login.meter.data_to_send() == []
    assert login.meter.state is State.ASSOCIATED
    login.client.request(GetRequestNormal(CONFIRMED, ATTRIBUTE, None), 20)
    (request,) = login.client.data_to_send()
    assert [type(each) for each in login.meter.receive(request)] == [RequestReceived]


@each_challenging
def test_in_plain_an_aarq_that_comes_late_again_is_a_new_beginning(
    mechanism: AuthenticationMechanism,
) -> None:
    """A client that lost track may not have a new challenge; and who alters a plain line needs no recording."""
    login = Login(mechanism, SecurityPolicy.NONE)
    login.finish()
    assert [type(each) for each in login.meter.receive(login.aarq)] == [AssociationRequested]


@each_challenging
@each_policy
@pytest.mark.parametrize("when", ["before the answer", "after it"])
def test_an_aare_that_comes_twice_is_heard_once(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy, when: str
) -> None:
    login = Login(mechanism, policy)
    if when == "after it":
        login.finish()
    state = login.client.state
    assert [type(each) for each in login.client.receive(login.aare)] == [LateAnswer]
    assert login.client.data_to_send() == []
    assert login.client.state is state
    if when == "before the answer":
        login.finish()


@each_challenging
@each_policy
@pytest.mark.parametrize("when", ["before the proof", "after it"])
def test_a_client_that_begins_anew_proves_itself_anew(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy, when: str
) -> None:
    login = Login(mechanism, policy)
    if when == "after it":
        login.finish()
    login.meter_side.challenge = bytes(range(0x70, 0x80))
    anew = replace(login.client_side, challenge=bytes(range(0x50, 0x60)), first=100)
    again = ClientAssociation(credentials=anew.credentials())
    again.associate(10)
    (aarq,) = again.data_to_send()
    again.receive(login.ask(aarq))
    assert login.meter.state is State.AUTHENTICATING
    assert [type(each) for each in login.meter.receive(GET)] == [MalformedRequest]
    login.refusal()
    (proof,) = again.data_to_send()
    (event,) = login.meter.receive(proof)
    assert isinstance(event, LoggedIn)
    again.receive(login.said())
    assert again.state is State.ASSOCIATED


@each_challenging
@each_policy
def test_the_old_proof_is_none_for_a_new_challenge(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    login = Login(mechanism, policy)
    login.meter_side.challenge = bytes(range(0x70, 0x80))
    anew = replace(login.client_side, challenge=bytes(range(0x50, 0x60)), first=100)
    again = ClientAssociation(credentials=anew.credentials())
    again.associate(10)
    (aarq,) = again.data_to_send()
    login.ask(aarq)
    (event,) = login.meter.receive(login.proof)
    assert isinstance(event, MalformedRequest if policy else LoginRefused)
    login.said()
    assert login.meter.state is not State.ASSOCIATED


@each_challenging
@each_policy
def test_a_client_may_take_its_leave_in_the_midst(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy
) -> None:
    """The answer to its proof comes too late then, and counts for nothing."""
    login = Login(mechanism, policy)
    login.client.release(20)
    (rlrq,) = login.client.data_to_send()
    login.meter.receive(login.proof)
    answer = login.said()
    assert [type(each) for each in login.client.receive(answer)] == [LateAnswer]
    assert [type(each) for each in login.client.receive(answer)] == [Distrusted if policy else LateAnswer]
    assert login.meter.receive(rlrq) == [ReleaseRequested()]
    assert login.client.receive(login.said()) == [Released()]
    assert login.client.state is login.meter.state is State.IDLE


@each_ciphered_policy
def test_garbage_in_the_midst_of_leaving_is_dropped(policy: SecurityPolicy) -> None:
    login = Login(AuthenticationMechanism.HIGH_GMAC, policy)
    login.client.release(20)
    forged = bytes.fromhex("cf") + bytes((30, 0x30)) + bytes(29)
    assert [type(each) for each in login.client.receive(forged)] == [Distrusted]
    assert login.client.tick(20) == [Released()]


# ------------------------------------------------------------------------------------------------ what cannot be wanted


@pytest.mark.parametrize("mechanism", [AuthenticationMechanism.LOW, AuthenticationMechanism.HIGH_GMAC])
def test_a_dedicated_key_is_never_proposed_in_plain(mechanism: AuthenticationMechanism) -> None:
    client = client_side(mechanism, SecurityPolicy.NONE, Style.GENERAL, DEDICATED)
    with pytest.raises(UsageError, match="dedicated key"):
        ClientAssociation(credentials=client.credentials()).associate(10)


def test_a_challenge_is_asked_once() -> None:
    """Who heard the answer to it could give it again."""
    pair = association_pair(client_side(), meter_side())
    pair.associate()
    pair.release()
    with pytest.raises(LocalProtocolError, match="challenge"):
        pair.associate()


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_a_counter_that_is_used_up_lets_nobody_associate(hdlc: bool) -> None:
    """What can't be protected is not sent, and the stack says so as it says everything else."""
    client = client_side()
    client.send.start_at(LAST)
    client.send.next()
    host = Meter(meter_side())
    pair = stack_pair(client, host, hdlc=hdlc)
    events = [*pair.client.open(0, 10), *pair.carry()]
    (event,) = events
    assert isinstance(event, AssociationRefused)
    assert isinstance(event.error, SecurityError)
    assert "used up" in event.error.what
    assert pair.association.state is State.IDLE
    assert host.asked == 0
    pair.release()
    assert pair.client.deadline is None


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_a_counter_that_ends_in_the_midst_of_a_login(hdlc: bool) -> None:
    client = client_side()
    client.send.start_at(LAST)
    pair = stack_pair(client, Meter(meter_side()), hdlc=hdlc)
    (event,) = [*pair.client.open(0, 10), *pair.carry()]
    assert isinstance(event, AssociationRefused)
    assert isinstance(event.error, SecurityError)
    assert pair.association.state is State.IDLE
    pair.release()


@pytest.mark.parametrize(
    "side",
    [
        replace(meter_side(AuthenticationMechanism.HIGH_ECDSA), pairs=None),
        replace(meter_side(AuthenticationMechanism.HIGH), secret=None),
        replace(meter_side(AuthenticationMechanism.HIGH_SHA256), secret=None),
    ],
    ids=["no signing key", "no secret", "no secret either"],
)
def test_a_meter_that_is_set_up_wrong_says_so_and_lets_nobody_in(side: Side) -> None:
    """The host is told why; the client hears a refusal."""
    host = Meter(side)
    offered = side.mechanism
    pair = stack_pair(client_side(offered), host)
    with pytest.raises(AssociationRejected):
        pair.associate()
    (error,) = host.errors
    assert isinstance(error, UsageError)
    assert pair.meter.associated == 0
