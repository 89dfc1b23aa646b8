"""What the tests of secured conversations share: what both sides bring, a meter's objects, and what went over the line.

Nothing here is left to chance: counters begin where they are told to, challenges are given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tests.security.books import CLIENT, METER
from tests.security.general import chances

from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    DataNotificationConfirm,
    GetRequestNormal,
    GetResponseNormal,
    MethodDescriptor,
    SelectiveAccess,
    SetRequestNormal,
    SetResponseNormal,
)
from meterwright.association import (
    CLIENT_CONFORMANCE,
    CURRENT_ASSOCIATION,
    LARGEST_PDU,
    AssociationRequested,
    ClientStack,
    Credentials,
    Grant,
    Proposal,
    State,
)
from meterwright.data import Data, DataTag, octet_string
from meterwright.errors import MeterwrightError
from meterwright.exchange import CONFIRMED
from meterwright.link import (
    ClientLink,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcServer,
    HdlcServerSettings,
    ServerLink,
    WrapperFramer,
    WrapperLink,
    WrapperServer,
)
from meterwright.link.hdlc import FrameKind, HdlcFramer, HdlcParameters
from meterwright.link.hdlc.segments import Reassembly
from meterwright.security import (
    MECHANISMS,
    CounterOwner,
    KeyPairs,
    Keys,
    Manner,
    MemoryCounterStore,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    Style,
    book_keys,
    book_pairs,
)
from meterwright.server import ActionOutcome, Caller, ObjectHost, Partners
from meterwright.testing import AssociationPair, Interference, Passed, StackPair, pass_all
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AuthenticationMechanism,
    DataAccessResult,
    Obis,
    Role,
    SecurityPolicy,
    SecuritySuite,
)

SECRET: Final = Secret(b"0123456789ABCDEF")
OUR_CHALLENGE: Final = bytes(range(0x30, 0x40))
THEIR_CHALLENGE: Final = bytes(range(0x40, 0x50))
DEDICATED: Final = Secret(bytes.fromhex("5EC2E75EC2E75EC2E75EC2E75EC2E75E"))

ATTRIBUTE: Final = AttributeDescriptor(1, Obis.of("0.0.96.1.0.255"), 2)
EVERYTHING: Final = replace(ATTRIBUTE, attribute_id=0)
METHOD: Final = MethodDescriptor(9, Obis.of("0.0.10.0.1.255"), 1)
VALUE: Final = octet_string(b"a value that everybody would know again")
WRITTEN: Final = octet_string(b"what was written, and is known again too")
PARAMETER: Final = octet_string(b"what a method was called with, also known")
ECHO: Final = octet_string(b"whatever the method was called with")
"""What a method returns unless told otherwise."""

EVERY_MECHANISM: Final = tuple(AuthenticationMechanism(number) for number in range(8))
EVERY_POLICY: Final = tuple(SecurityPolicy(number) for number in range(4))
CIPHERED_POLICIES: Final = EVERY_POLICY[1:]

HDLC_CLIENT: Final = HdlcAddress.of_client(1)
HDLC_METER: Final = HdlcAddress.of_server(1, 17)


# ------------------------------------------------------------------------------------------------ both sides


@dataclass(kw_only=True)
class Side:
    """What one side has. Its counters outlive its associations; made anew by `replace`, they begin anew."""

    role: Role
    mechanism: AuthenticationMechanism = AuthenticationMechanism.HIGH_GMAC
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED
    style: Style = Style.SERVICE_SPECIFIC
    manner: Manner | None = None
    keys: Keys = field(default_factory=book_keys)
    pairs: KeyPairs | None = None
    secret: Secret | None = SECRET
    title: bytes = CLIENT
    peer: bytes | None = None
    challenge: bytes = OUR_CHALLENGE
    dedicated: Secret | None = None
    association_object: Obis = CURRENT_ASSOCIATION
    shared_counter: bool = False
    first: int = 1
    chance: Callable[[int], bytes] = field(default_factory=chances)
    send: SendCounter = field(init=False)
    receive: ReceiveCounter = field(init=False)

    def __post_init__(self) -> None:
        owner = CounterOwner.of(self.keys.global_unicast, self.title)
        self.send = SendCounter(MemoryCounterStore(), owner, batch=1)
        self.send.start_at(self.first)
        self.receive = ReceiveCounter()

    @property
    def challenges(self) -> bool:
        """Whether each side must answer a challenge."""
        return self.mechanism in MECHANISMS

    def credentials(self) -> Credentials:
        """For one association. Without a policy there is a layer only where the mechanism needs its keys."""
        row = MECHANISMS.get(self.mechanism)
        return Credentials(
            mechanism=self.mechanism,
            secret=self.secret,
            challenge=self.challenge if self.challenges else b"",
            pairs=self.pairs,
            layer=self._layer() if self.policy or (row is not None and row.counts) else None,
            system_title=self.title if row is not None and row.needs_titles else None,
            dedicated=self.dedicated,
            association_object=self.association_object,
            shared_counter=self.shared_counter,
        )

    def _layer(self) -> SecurityLayer:
        return SecurityLayer(
            self.role,
            own_title=self.title,
            peer_title=self.peer,
            keys=self.keys,
            policy=self.policy,
            send_counter=self.send,
            receive_counter=self.receive,
            manner=self.manner or Manner(self.style),
            pairs=self.pairs,
            chance=self.chance,
            peer_restarts=self.role is Role.CLIENT and self.challenges,
        )


def client_side(
    mechanism: AuthenticationMechanism = AuthenticationMechanism.HIGH_GMAC,
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
    style: Style = Style.SERVICE_SPECIFIC,
    dedicated: Secret | None = None,
    suite: SecuritySuite | None = None,
) -> Side:
    """A client; it counts from 1. Where it signs, its suite is 1 unless given, else 0."""
    signs = mechanism is AuthenticationMechanism.HIGH_ECDSA
    suite = suite or (SecuritySuite.SUITE_1 if signs else SecuritySuite.SUITE_0)
    return Side(
        role=Role.CLIENT,
        mechanism=mechanism,
        policy=policy,
        style=style,
        keys=book_keys(suite),
        pairs=book_pairs(suite, Role.CLIENT) if signs else None,
        challenge=OUR_CHALLENGE * 2 if signs else OUR_CHALLENGE,
        dedicated=dedicated,
    )


def meter_side(
    mechanism: AuthenticationMechanism = AuthenticationMechanism.HIGH_GMAC,
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
    suite: SecuritySuite | None = None,
) -> Side:
    """A meter that agrees with such a client; it counts from 256."""
    signs = mechanism is AuthenticationMechanism.HIGH_ECDSA
    suite = suite or (SecuritySuite.SUITE_1 if signs else SecuritySuite.SUITE_0)
    return Side(
        role=Role.SERVER,
        mechanism=mechanism,
        policy=policy,
        keys=book_keys(suite),
        pairs=book_pairs(suite, Role.SERVER) if signs else None,
        title=METER,
        challenge=THEIR_CHALLENGE * 2 if signs else THEIR_CHALLENGE,
        first=0x100,
    )


class Meter(ObjectHost):
    """The objects of a meter: one value, one method. It notes what it was asked, and whom it did not let in."""

    def __init__(self, side: Side, max_pdu: int = 500, value: Data = VALUE) -> None:
        self.side = side
        self.grant = Grant(CLIENT_CONFORMANCE, max_pdu)
        self.value = value
        self.returned: Data | None = ECHO
        self.written: list[Data] = []
        self.invoked: list[Data | None] = []
        self.reads = 0
        self.asked = 0
        self.errors: list[MeterwrightError] = []
        self.confirmations: list[tuple[Partners, DataNotificationConfirm]] = []

    def guard(self, partners: Partners) -> Credentials | None:
        del partners
        self.asked += 1
        return self.side.credentials()

    def denied(self, partners: Partners, error: MeterwrightError) -> None:
        del partners
        self.errors.append(error)

    def confirmed(self, partners: Partners, confirm: DataNotificationConfirm) -> None:
        self.confirmations.append((partners, confirm))

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        del partners, asked
        return self.grant

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        del caller, selection
        self.reads += 1
        if attribute == EVERYTHING:
            return Data(DataTag.STRUCTURE, (octet_string(ATTRIBUTE.instance_id.octets), self.value))
        return self.value if attribute == ATTRIBUTE else DataAccessResult.OBJECT_UNDEFINED

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        del caller, attribute, selection
        self.written.append(value)
        return DataAccessResult.SUCCESS

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        del caller
        if method != METHOD:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        self.invoked.append(parameters)
        return ActionOutcome(ActionResult.SUCCESS, parameters if self.returned is ECHO else self.returned)


def play(request: Apdu) -> Apdu | None:
    """The same meter where there is no host: what it answers."""
    match request:
        case GetRequestNormal():
            return GetResponseNormal(CONFIRMED, VALUE)
        case SetRequestNormal():
            return SetResponseNormal(CONFIRMED, DataAccessResult.SUCCESS)
        case ActionRequestNormal():
            return ActionResponseNormal(CONFIRMED, ActionResult.SUCCESS, request.parameters)
        case _:
            return None


# ------------------------------------------------------------------------------------------------ joined


def association_pair(client: Side, meter: Side, interference: Interference = pass_all) -> AssociationPair:
    """APDU to APDU."""
    return AssociationPair(
        play, credentials=client.credentials(), guard=meter.credentials, interference=interference
    )


def stack_pair(
    client: Side,
    host: Meter,
    *,
    hdlc: bool = False,
    interference: Interference = pass_all,
    max_pdu: int = LARGEST_PDU,
) -> StackPair:
    """Whole stacks over the wrapper, or over HDLC with addresses of two octets. `max_pdu`: the largest APDU that the client takes."""
    client_link, meter_link = links(hdlc=hdlc)
    return StackPair(
        host,
        client_link=client_link,
        meter_link=meter_link,
        proposal=Proposal(max_receive_pdu_size=max_pdu),
        credentials=client.credentials(),
        chance=lambda size: host.side.challenge[:size],
        interference=interference,
    )


def links(*, hdlc: bool, parameters: HdlcParameters | None = None) -> tuple[ClientLink, ServerLink]:
    """Both ends of a line."""
    if not hdlc:
        return WrapperLink(1, 1), WrapperServer()
    settings = HdlcClientSettings(
        HDLC_CLIENT,
        HDLC_METER,
        proposal=parameters or HdlcParameters(64, 64),
        response_timeout=1.0,
        poll_interval=0.3,
        inter_octet_timeout=0.2,
    )
    return HdlcClient(settings), HdlcServer(HdlcServerSettings(lower=17, inter_octet_timeout=0.2))


def open_stack(stack: ClientStack) -> bool:
    """Whether it is associated."""
    return stack.association.state is State.ASSOCIATED


# ------------------------------------------------------------------------------------------------ what went over the line


def apdus_passed(pair: AssociationPair | StackPair) -> list[Passed]:
    """Every APDU that was sent, and by whom."""
    if isinstance(pair, AssociationPair):
        return list(pair.passed)
    hdlc = isinstance(pair.client.link, HdlcClient)
    reader = {by_client: (_HdlcReader if hdlc else _WrapperReader)() for by_client in (True, False)}
    return [
        Passed(each.from_client, apdu)
        for each in pair.passed
        for apdu in reader[each.from_client].receive(each.octets)
    ]


class _WrapperReader:
    def __init__(self) -> None:
        self._framer = WrapperFramer()

    def receive(self, octets: bytes) -> Sequence[bytes]:
        return [frame.apdu for frame in self._framer.receive(octets)]


class _HdlcReader:
    def __init__(self) -> None:
        self._framer = HdlcFramer()
        self._segments = Reassembly(0xFFFF)

    def receive(self, octets: bytes) -> Sequence[bytes]:
        frames = [frame for frame in self._framer.receive(octets) if frame.control.kind is FrameKind.I]
        added = [self._segments.add(frame.information, last=not frame.segmented) for frame in frames]
        return [apdu for apdu in added if apdu is not None]
