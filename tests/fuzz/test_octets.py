"""Any octets at all, given to everything that reads octets: our own errors and nothing else, and never for long."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apdu.golden import GOLDEN, TIME, octets_of
from tests.apdu.test_round_trips import assert_refused_or_read, decoded
from tests.data.test_tree import calls_during

from meterwright.apdu import APDUS, ActionResponseNormal, SelectedAttribute, Unreadable, decode_apdu
from meterwright.association import (
    CLIENT_CONFORMANCE,
    Answered,
    AssociationRequested,
    ClientAssociation,
    ClientEvent,
    ClientStack,
    Credentials,
    Grant,
    InvokeId,
    LoggedIn,
    RequestFailed,
    ServerAssociation,
    State,
)
from meterwright.errors import ConnectionLost, MeterwrightError, RemoteProtocolError
from meterwright.exchange import Ask, read, read_list
from meterwright.link import (
    ClientLink,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    WrapperFrame,
    WrapperFramer,
    WrapperLink,
)
from meterwright.security import (
    CounterOwner,
    MemoryCounterStore,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    book_keys,
)
from meterwright.values import AuthenticationMechanism, Role, SecurityPolicy

MANY = settings(max_examples=300)
PREFIXES = [kind.prefix for kind in APDUS]
ACTIONS = ["request", "wait", "release", "associate"]
SAMPLES = [octets_of(octets) for octets, _ in GOLDEN]


def begun(prefix: bytes, rest: bytes) -> bytes:
    """An APDU's own beginning, and anything after it."""
    return prefix + rest


def cut(sample: bytes, length: int, rest: bytes) -> bytes:
    """A good APDU that goes on as it should not."""
    return sample[:length] + rest


octets_like_apdus: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=64),
    st.builds(begun, st.sampled_from(PREFIXES), st.binary(max_size=48)),
    st.builds(cut, st.sampled_from(SAMPLES), st.integers(0, 60), st.binary(max_size=16)),
)


@MANY
@given(octets_like_apdus)
def test_any_octets_are_an_apdu_or_refused(octets: bytes) -> None:
    assert_refused_or_read(octets)


@MANY
@given(st.lists(octets_like_apdus | st.sampled_from(SAMPLES) | st.sampled_from(ACTIONS), max_size=12))
def test_a_client_survives_any_meter_and_every_request_ends_once(steps: list[bytes | str]) -> None:
    client = ClientAssociation()
    now = 0.0
    asked: list[InvokeId] = []
    ended: list[InvokeId] = []

    def look(events: list[ClientEvent]) -> None:
        ended.extend(event.invoke_id for event in events if isinstance(event, Answered | RequestFailed))

    for step in ["associate", ACCEPTED, *steps]:
        if isinstance(step, bytes):
            look(client.receive(step))
        elif step == "wait":
            now += 1
            look(client.tick(now))
        elif step == "request" and client.state is State.ASSOCIATED and len(client._requests._given_up) < 8:
            asked.append(client.request(REQUEST, now + 2))
        elif step == "release" and client.state is State.ASSOCIATED:
            client.release(now + 3)
        elif step == "associate" and client.state is State.IDLE:
            client.associate(now + 3)
    look(client.lost(ConnectionLost("the end")))
    assert sorted(map(str, ended)) == sorted(map(str, asked))
    assert client.deadline is None


REQUEST = next(apdu for octets, apdu in GOLDEN if octets.startswith("C001"))
ACCEPTED = next(octets_of(octets) for octets, _ in GOLDEN if "A203020100" in octets)


@MANY
@given(st.lists(octets_like_apdus, max_size=4))
def test_a_meter_survives_any_client(requests: list[bytes]) -> None:
    meter = ServerAssociation()
    for request in requests:
        meter.receive(request)
        for answer in meter.data_to_send():
            decode_apdu(answer)


LINKS: dict[str, Callable[[], ClientLink]] = {
    "wrapper": lambda: WrapperLink(16, 1),
    "hdlc": lambda: HdlcClient(HdlcClientSettings(HdlcAddress.of_client(16), HdlcAddress.of_server(1))),
}


@MANY
@given(st.sampled_from(sorted(LINKS)), st.binary(max_size=200), st.integers(1, 16))
def test_a_stack_never_raises(link: str, octets: bytes, step: int) -> None:
    stack = ClientStack(LINKS[link]())
    stack.open(0.0, 1.0)
    for start in range(0, len(octets), step):
        now = start / 100
        stack.receive(octets[start : start + step], now)
        stack.tick(now)
        stack.data_to_send()
    stack.close(10.0, 1.0)
    while (deadline := stack.deadline) is not None:
        stack.tick(deadline)
    assert not stack.is_up or link == "wrapper"


@MANY
@given(st.booleans(), st.lists(octets_like_apdus, max_size=4))
def test_a_guarded_meter_survives_any_client(ciphered: bool, requests: list[bytes]) -> None:
    """Whatever comes, nobody is let in without knowing the secret."""
    meter = ServerAssociation(lambda: guarded(ciphered=ciphered))
    for request in requests:
        for event in meter.receive(request):
            assert not isinstance(event, LoggedIn)
            if isinstance(event, AssociationRequested):
                meter.accept(Grant(CLIENT_CONFORMANCE, 1024))
        assert meter.state is not State.ASSOCIATED
        meter.data_to_send()


def guarded(*, ciphered: bool) -> Credentials:
    keys, title = book_keys(), b"MWS00001"
    layer = SecurityLayer(
        Role.SERVER,
        own_title=title,
        peer_title=None,
        keys=keys,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        send_counter=SendCounter(MemoryCounterStore(), CounterOwner.of(keys.global_unicast, title)),
        receive_counter=ReceiveCounter(),
    )
    return Credentials(
        mechanism=AuthenticationMechanism.HIGH,
        secret=Secret(b"1234567890123456"),
        challenge=bytes(range(16)),
        layer=layer if ciphered else None,
    )


@MANY
@given(octets_like_apdus, octets_like_apdus)
def test_an_exchange_takes_any_answer(first: bytes, second: bytes) -> None:
    for exchange in (read(TIME), read_list((SelectedAttribute(TIME, None),))):
        assert isinstance(exchange.send(None), Ask)
        try:
            for octets in (first, second):
                step = exchange.send(decode_apdu(octets))
                assert isinstance(step, Ask)
        except (MeterwrightError, StopIteration):
            pass


@pytest.mark.parametrize(
    "bomb",
    [
        "C401C100 0184FFFFFFFF",
        "C401C100 0983FFFFFF",
        "C401C100 0484FFFFFFFF",
        "C403C1 84FFFFFFFF",
        "C003C1 83FFFFFF 00",
        "C402C1 00 00000001 00 84FFFFFFFF",
        "C703C1 82FFFF 00",
        "0F 00000001 84FFFFFFFF",
        "60 84FFFFFFFF",
        "61 8200FF A1 84FFFFFFFF",
        "01 01 84FFFFFFFF",
    ],
)
def test_length_bombs_are_refused_in_a_few_steps(bomb: str) -> None:
    octets = octets_of(bomb)

    def refuse() -> None:
        with pytest.raises(RemoteProtocolError):
            decode_apdu(octets)
        assert APDUS.trace(octets)[1] is not None

    assert calls_during(refuse) < 120


@pytest.mark.parametrize(
    "head", ["C401C100", "C101C1000100006001 00FF 02 00", "0F0000000100", "C701C1000100"]
)
@pytest.mark.parametrize("level", ["0101", "0201", "018400000001"])
def test_nesting_ten_thousand_deep_is_refused_in_a_few_steps(head: str, level: str) -> None:
    octets = octets_of(head) + octets_of(level) * 10_000 + b"\x00"

    def refuse() -> None:
        apdu, refused = decoded(octets)
        if refused is None:  # the outcome of an action is known whatever follows
            assert isinstance(apdu, ActionResponseNormal)
            assert isinstance(apdu.return_parameters, Unreadable)
            assert "nested deeper" in apdu.return_parameters.problem
        else:
            assert refused.where.offset is not None
            assert refused.where.offset < 1000

    assert calls_during(refuse) < 1000


def test_a_million_octets_of_frames_hold_no_more_than_one_in_the_buffer() -> None:
    framer = WrapperFramer()
    frame = WrapperFrame(1, 16, bytes(1000)).to_octets()
    count = sum(len(framer.receive(frame * 10)) for _ in range(100))
    assert count == 1000
    assert len(framer._buffer) == 0
    framer.receive(frame[:-1])
    assert len(framer._buffer) == len(frame) - 1
