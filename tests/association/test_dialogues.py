"""Whole conversations with a real meter through whole stacks, where METERWRIGHT_CAPTURES names them.

Our client, given the challenge and the counters that were recorded and fed the meter's octets, makes the client's frames; our
meter, with a host that gives the plaintexts that were recorded, makes the meter's. Nothing is reached around the public
interface. Every line of `dialogues.jsonl` is run: another one of the same shape is dropped in and that is all.

One thing is not made again: the recorded client counts a tag in the lengths of what it only encrypts, and sends none.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from tests.association.dialogues import Said, Talk, recorded, talks_of
from tests.association.secured import (
    DEDICATED,
    EVERY_POLICY,
    HDLC_METER,
    Meter,
    Side,
    client_side,
    links,
    meter_side,
)
from tests.association.test_login import converse

from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithList,
    MethodDescriptor,
    Rlrq,
    SelectiveAccess,
    SetRequestNormal,
    SetResponseNormal,
)
from meterwright.association import (
    Answered,
    Associated,
    AssociationRequested,
    ClientEvent,
    ClientStack,
    Credentials,
    Grant,
    Proposal,
    Released,
)
from meterwright.data import Data
from meterwright.link.hdlc import (
    FrameKind,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcFramer,
    HdlcParameters,
    HdlcServer,
    HdlcServerSettings,
)
from meterwright.security import (
    TAG_SIZE,
    Secret,
    Style,
    is_ciphered,
    read_envelope,
)
from meterwright.server import ActionOutcome, Caller, ObjectHost, Partners, ServerConnection
from meterwright.testing import StackPair
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AuthenticationMechanism,
    DataAccessResult,
    Role,
    SecurityPolicy,
)

NOW = 0.0
PATIENCE = 60.0


DIALOGUES = recorded()
each_dialogue = pytest.mark.parametrize("name", DIALOGUES)


# ------------------------------------------------------------------------------------------------ our client


class OurClient:
    """Our stack in the place of the client, driven by what was recorded."""

    def __init__(self, talk: Talk) -> None:
        first = talk.frames[0]
        self.link = HdlcClient(
            HdlcClientSettings(
                client=first.frame.source,
                server=first.frame.destination,
                proposal=parameters_of(talk.frames, FrameKind.SNRM),
                disconnect_first=first.kind is FrameKind.DISC,
            )
        )
        proposal = Proposal(talk.asked.proposed_conformance, talk.asked.client_max_receive_pdu_size)
        self.stack = ClientStack(self.link, proposal, talk.credentials(Role.CLIENT))
        self.events: list[ClientEvent] = []
        self._requests = deque(talk.services(Role.CLIENT))
        self._has_begun = False

    def say(self, recorded_frame: Said) -> bytes:
        """What our client says where the other one said this."""
        octets = self.stack.data_to_send()
        if not octets:
            self._act(recorded_frame)
            octets = self.stack.data_to_send()
        return octets

    def hear(self, octets: bytes) -> None:
        self.events += self.stack.receive(octets, NOW)

    def _act(self, recorded_frame: Said) -> None:
        """What its user decided."""
        if not self._has_begun:
            self._has_begun = True
            self.events += self.stack.open(NOW, PATIENCE)
        elif recorded_frame.kind is FrameKind.DISC:
            self.events += self.stack.close(NOW, PATIENCE, release=False)
        elif recorded_frame.frame.information[3:4] == Rlrq.prefix:  # its first segment, perhaps
            self.events += self.stack.close(NOW, PATIENCE)
        else:  # it numbers all its requests 1; one that bears a number already keeps it
            self.stack.request(self._requests.popleft(), NOW, NOW + PATIENCE, continues=True)


def parameters_of(frames: Iterable[Said], kind: FrameKind) -> HdlcParameters | None:
    """What the first frame of a kind proposes; None where it is plain."""
    first = next(each for each in frames if each.kind is kind)
    return HdlcParameters.from_information(first.frame.information) if first.frame.information else None


def with_its_length(recorded_frame: Said) -> bytes:
    """The frame as it is where a length counts no tag that is not sent; the same frame where it counts none."""
    llc, apdu = recorded_frame.frame.information[:3], recorded_frame.frame.information[3:]
    whole = recorded_frame.kind is FrameKind.I and not recorded_frame.frame.segmented and apdu
    if not whole or not is_ciphered(apdu) or apdu[1] != len(apdu) - 2 + TAG_SIZE:
        return recorded_frame.octets
    right = apdu[:1] + bytes((len(apdu) - 2,)) + apdu[2:]
    return recorded_frame.frame._replace(information=llc + right).to_octets()


@each_dialogue
def test_our_client_makes_the_client_s_frames(name: str) -> None:
    repeat_client(talks_of(DIALOGUES[name]))


def repeat_client(talks: list[Talk]) -> None:
    for talk in talks:
        client = OurClient(talk)
        for each in talk.frames:
            if each.role is Role.CLIENT:
                assert client.say(each) == with_its_length(each)
            else:
                client.hear(each.octets)
        assert client.stack.data_to_send() == b""
        answers = [event.apdu for event in client.events if isinstance(event, Answered)]
        assert answers == talk.services(Role.SERVER)
        (associated,) = (event for event in client.events if isinstance(event, Associated))
        assert associated.context.conformance == talk.granted.negotiated_conformance
        assert associated.context.max_send_pdu_size == talk.granted.server_max_receive_pdu_size
        took_leave = talk.frames[-1].kind is FrameKind.UA
        assert isinstance(client.events[-1], Released) is took_leave
        assert client.stack.deadline is None


@each_dialogue
def test_where_our_frames_differ_it_is_that_length_and_its_check_sequence(name: str) -> None:
    differing = 0
    for talk in talks_of(DIALOGUES[name]):
        layer = talk.credentials(Role.CLIENT).layer
        for each in talk.frames:
            ours = with_its_length(each)
            if ours == each.octets:
                continue
            differing += 1
            assert each.role is Role.CLIENT
            assert read_envelope(each.frame.information[3:]).control.to_octet() == 0x20
            header = len(each.octets) - len(each.frame.information) - 3
            differences = [at for at, (a, b) in enumerate(zip(ours, each.octets, strict=True)) if a != b]
            assert differences[0] == header + 4
            assert set(differences) <= {header + 4, len(ours) - 3, len(ours) - 2}
            assert layer is not None
    if name == "gocosem-e":
        assert differing == 2


# ------------------------------------------------------------------------------------------------ our meter


class RecordedHost(ObjectHost):
    """Objects that answer what was answered."""

    def __init__(self, talks: list[Talk]) -> None:
        self._talks = {talk.frames[0].client_sap: talk for talk in talks}
        self._values: dict[tuple[int, AttributeDescriptor], Data | DataAccessResult] = {}
        self._written: dict[tuple[int, AttributeDescriptor], DataAccessResult] = {}
        self._outcomes: dict[tuple[int, MethodDescriptor], ActionOutcome] = {}
        self.challenges = deque(talk.aare.responding_authentication_value or b"" for talk in talks)
        for sap, talk in self._talks.items():
            for asked, answered in zip(talk.services(Role.CLIENT), talk.services(Role.SERVER), strict=True):
                self._remember(sap, asked, answered)

    def _remember(self, sap: int, asked: Apdu, answered: Apdu) -> None:
        match asked, answered:
            case GetRequestNormal(), GetResponseNormal():
                self._values[sap, asked.attribute] = answered.result
            case GetRequestWithList(), GetResponseWithList():
                for each, result in zip(asked.attributes, answered.results, strict=True):
                    self._values[sap, each.attribute] = result
            case SetRequestNormal(), SetResponseNormal():
                self._written[sap, asked.attribute] = answered.result
            case ActionRequestNormal(), ActionResponseNormal(return_parameters=Data() | None as returned):
                self._outcomes[sap, asked.method] = ActionOutcome(answered.result, returned)
            case _:
                pytest.fail(f"{answered.label} answers {asked.label}: teach this test what that means")

    def guard(self, partners: Partners) -> Credentials | None:
        return self._talks[partners.client_sap].credentials(Role.SERVER)

    def chance(self, _size: int) -> bytes:
        """The challenge that was asked."""
        while not (challenge := self.challenges.popleft()):
            pass
        return challenge

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        granted = self._talks[partners.client_sap].granted
        assert asked.initiate == self._talks[partners.client_sap].asked
        return Grant(granted.negotiated_conformance, granted.server_max_receive_pdu_size)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        del selection
        return self._values[caller.partners.client_sap, attribute]

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        del value, selection
        return self._written[caller.partners.client_sap, attribute]

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        del parameters
        return self._outcomes.get(
            (caller.partners.client_sap, method), ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        )


def meter_of(talks: list[Talk]) -> ServerConnection:
    """Our meter, set up as that one was; somebody is connected already where the first DISC is answered by UA."""
    frames = [each for talk in talks for each in talk.frames]
    address = frames[0].frame.destination
    ua = next(
        each.frame.information for each in frames if each.kind is FrameKind.UA and each.frame.information
    )
    told = HdlcParameters.from_information(ua)
    link = HdlcServer(
        HdlcServerSettings(
            logical_devices=frozenset({address.upper}),
            lower=address.lower,
            sizes=frozenset({address.size}),
            parameters=told,
            unasked=told,
            wide_sizes=ua[4] == 2,
        )
    )
    host = RecordedHost(talks)
    meter = ServerConnection(host, link, chance=host.chance)
    if (frames[0].kind, frames[1].kind) == (FrameKind.DISC, FrameKind.UA):
        meter.receive(next(each for each in frames if each.kind is FrameKind.SNRM).octets, NOW)
        meter.data_to_send()
    return meter


@each_dialogue
def test_our_meter_makes_the_meter_s_frames(name: str) -> None:
    repeat_meter(talks_of(DIALOGUES[name]))


def repeat_meter(talks: list[Talk]) -> None:
    meter = meter_of(talks)
    for talk in talks:
        for each in talk.frames:
            if each.role is Role.CLIENT:
                meter.receive(each.octets, NOW)
            else:
                assert meter.data_to_send() == each.octets
    assert meter.data_to_send() == b""
    assert meter.associated == (0 if talks[-1].frames[-1].kind is FrameKind.UA else 1)


# ------------------------------------------------------------------------------------------------ dialogues of another kind


def made(client: Side, meter: Side, size: int) -> list[Talk]:
    """What our own two sides say to each other, written down as the others are: public client first, then this one."""
    host = Meter(meter)
    row: dict[str, Any] = {
        "keys": {
            "encryption_key": client.keys.global_unicast.reveal().hex(),
            "authentication_key": (client.keys.authentication or Secret(b"")).reveal().hex(),
            "client_system_title": client.title.hex(),
            "server_system_title": meter.title.hex(),
        }
    }
    _, meter_link = links(hdlc=True)
    frames: list[dict[str, str]] = []
    sides = (
        replace(client, mechanism=AuthenticationMechanism.LOWEST, policy=SecurityPolicy.NONE, dedicated=None),
        client,
    )
    for sap, side in zip((16, 1), sides, strict=True):
        host.side = replace(meter, mechanism=side.mechanism, policy=side.policy)
        proposal = HdlcParameters(size, size)
        settings = HdlcClientSettings(
            HdlcAddress.of_client(sap), HDLC_METER, proposal=proposal, disconnect_first=True
        )
        pair = StackPair(
            host,
            client_link=HdlcClient(settings),
            meter_link=meter_link,
            credentials=side.credentials(),
            chance=lambda size: meter.challenge[:size],
        )
        converse(pair)
        for each in pair.passed:
            role = "client" if each.from_client else "server"
            frames += (
                {"dir": role, "hex": frame.to_octets().hex()} for frame in HdlcFramer().receive(each.octets)
            )
    return talks_of({**row, "frames": frames})


@pytest.mark.parametrize("size", [32, 128])
@pytest.mark.parametrize("style", list(Style), ids=lambda each: each.value)
@pytest.mark.parametrize("policy", EVERY_POLICY, ids=lambda each: each.label)
@pytest.mark.parametrize("mechanism", [AuthenticationMechanism.LOW, AuthenticationMechanism.HIGH_GMAC])
def test_a_dialogue_that_is_dropped_in_is_run_too(
    mechanism: AuthenticationMechanism, policy: SecurityPolicy, style: Style, size: int
) -> None:
    """In segments, in the other style, under a dedicated key, with more services, released: all is read and repeated."""
    for dedicated in (None, DEDICATED) if policy else (None,):
        talks = made(client_side(mechanism, policy, style, dedicated), meter_side(mechanism, policy), size)
        assert [talk.frames[0].client_sap for talk in talks] == [16, 1]
        repeat_client(talks)
        repeat_meter(talks)
