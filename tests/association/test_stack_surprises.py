"""What lines, meters and other clients do that nobody expects: stacks neither fall over nor wait for ever."""

from collections.abc import Callable

import pytest
from tests.association.interference import each_line
from tests.association.secured import (
    ATTRIBUTE,
    HDLC_CLIENT,
    HDLC_METER,
    VALUE,
    WRITTEN,
    Meter,
    apdus_passed,
    client_side,
    links,
    meter_side,
    open_stack,
    stack_pair,
)

from meterwright.apdu import (
    AttributeDescriptor,
    DataNotification,
    ExceptionResponse,
    GetRequestNormal,
    SelectiveAccess,
    SetRequestNormal,
)
from meterwright.association import (
    AssociationEnded,
    Distrusted,
    Proposal,
    Released,
    RequestFailed,
    State,
    Unsolicited,
)
from meterwright.data import Data, unsigned
from meterwright.errors import ConnectionLost, MeterwrightError, RemoteProtocolError
from meterwright.exchange import CONFIRMED, UNCONFIRMED, read
from meterwright.link.hdlc import CONTROLS, Control, FrameKind, HdlcAddress, HdlcFramer, control
from meterwright.link.hdlc.frame import encode_frame
from meterwright.link.hdlc.segments import LLC_COMMAND
from meterwright.server import Caller, Partners, ServerConnection
from meterwright.testing import StackPair
from meterwright.testing.pairs import PATIENCE
from meterwright.values import (
    AuthenticationMechanism,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    LongInvokeIdAndPriority,
    SecurityPolicy,
)

PARTNERS = Partners(1, 1)
PUSHED = DataNotification(LongInvokeIdAndPriority(1), None, unsigned(5))
SET = SetRequestNormal(UNCONFIRMED, ATTRIBUTE, None, WRITTEN)
GET = GetRequestNormal(CONFIRMED, ATTRIBUTE, None)
LOWEST, NONE = AuthenticationMechanism.LOWEST, SecurityPolicy.NONE

each_policy = pytest.mark.parametrize(
    "policy", [NONE, SecurityPolicy.AUTHENTICATED_ENCRYPTED], ids=lambda each: each.label
)


def associated(policy: SecurityPolicy = NONE, *, hdlc: bool = True, host: Meter | None = None) -> StackPair:
    mechanism = AuthenticationMechanism.HIGH_GMAC if policy else LOWEST
    pair = stack_pair(client_side(mechanism, policy), host or Meter(meter_side(mechanism, policy)), hdlc=hdlc)
    pair.associate()
    return pair


def frame(
    what: Control,
    information: bytes = b"",
    client: HdlcAddress = HDLC_CLIENT,
    *,
    meter: HdlcAddress = HDLC_METER,
) -> bytes:
    """One that a client sends."""
    return encode_frame(meter.octets + client.octets, what.octet, information)


def frames(octets: bytes) -> list[FrameKind]:
    return [each.control.kind for each in HdlcFramer().receive(octets)]


# ------------------------------------------------------------------------------------------------ at the meter


@pytest.mark.parametrize(
    "apdu", [GET.to_octets(), SET.to_octets(), Proposal().aarq().to_octets(), b"\x62\x00", b"", b"\xaa"]
)
@pytest.mark.parametrize("client", [1, 16, 100])
@pytest.mark.parametrize("everybody", [False, True], ids=["to this meter", "to all"])
def test_ui_frames_of_anybody_are_heard_and_not_answered(apdu: bytes, client: int, everybody: bool) -> None:
    """Before a connection, in one of theirs, and in one of somebody else."""
    meter = HdlcAddress(1, 0x7F, 2) if everybody else HDLC_METER
    ui = frame(
        control(FrameKind.UI, poll=False), LLC_COMMAND + apdu, HdlcAddress.of_client(client), meter=meter
    )
    connection = ServerConnection(Meter(meter_side(LOWEST, NONE)), links(hdlc=True)[1])
    connection.receive(ui, 0)
    assert connection.data_to_send() == b""
    assert connection.associated == 0

    pair = associated()
    for _ in range(40):
        pair.meter.receive(ui, pair.now)
    assert pair.meter.data_to_send() == b""
    assert pair.meter.associated == 1
    assert pair.converse(read(ATTRIBUTE)) == VALUE


def test_a_ui_frame_of_the_client_that_is_connected_is_served() -> None:
    host = Meter(meter_side(LOWEST, NONE))
    pair = associated(host=host)
    pair.client.tell(SET, pair.now)
    pair.carry()
    assert host.written == [WRITTEN]
    assert pair.converse(read(ATTRIBUTE)) == VALUE


@pytest.mark.parametrize(
    "ending", [FrameKind.DISC, FrameKind.SNRM, FrameKind.OTHER], ids=lambda each: each.name
)
def test_a_request_whose_connection_ends_with_it_is_not_answered(ending: FrameKind) -> None:
    """Both frames come in one read: what answers the first would be in no connection, or in a new one."""
    pair = associated()
    pair.client.request(GET, pair.now, pair.now + PATIENCE)
    request = pair.client.data_to_send()
    last = frame(CONTROLS[0xB5] if ending is FrameKind.OTHER else control(ending))
    pair.meter.receive(request + last, pair.now)
    kinds = frames(pair.meter.data_to_send())
    assert kinds == [FrameKind.FRMR if ending is FrameKind.OTHER else FrameKind.UA]
    assert pair.meter.associated == 0
    pair.meter.receive(frame(control(FrameKind.RR)), pair.now)
    assert FrameKind.I not in frames(pair.meter.data_to_send())


def test_a_connection_that_begins_anew_has_no_association() -> None:
    pair = associated(SecurityPolicy.AUTHENTICATED_ENCRYPTED)
    pair.meter.receive(frame(control(FrameKind.SNRM)), pair.now)
    assert frames(pair.meter.data_to_send()) == [FrameKind.UA]
    assert pair.meter.associated == 0


def test_another_client_ends_a_connection_by_disc_and_its_owner_is_told() -> None:
    pair = associated(SecurityPolicy.AUTHENTICATED_ENCRYPTED)
    pair.meter.receive(frame(control(FrameKind.DISC), client=HdlcAddress.of_client(16)), pair.now)
    pair.meter.data_to_send()
    assert pair.meter.associated == 0
    with pytest.raises(ConnectionLost, match="DM"):
        pair.converse(read(ATTRIBUTE))
    assert not open_stack(pair.client)
    assert [type(each) for each in pair.events[-2:]] == [RequestFailed, AssociationEnded]
    pair.release()


def test_a_client_that_dies_is_forgotten_after_a_while() -> None:
    pair = associated(SecurityPolicy.AUTHENTICATED_ENCRYPTED)
    assert pair.meter.deadline is not None
    pair.meter.tick(pair.meter.deadline)
    assert pair.meter.associated == 0
    assert pair.meter.deadline is None


# ------------------------------------------------------------------------------------------------ at the client


class Chatty(Meter):
    """A meter that says something before it answers: over HDLC, in the very turn that was meant for the answer."""

    pair: StackPair | None = None
    says: Callable[[], None] | None = None

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        assert self.pair is not None
        if self.says is None:
            self.pair.meter._served[caller.partners].association.notify(PUSHED)
        else:
            self.says()
        return super().get(caller, attribute, selection)


@each_line
@each_policy
def test_a_notification_in_the_place_of_the_answer_is_none(policy: SecurityPolicy, hdlc: bool) -> None:
    """HDLC asks for the answer then, though it cannot see what came where it is ciphered."""
    mechanism = AuthenticationMechanism.HIGH_GMAC if policy else LOWEST
    host = Chatty(meter_side(mechanism, policy))
    host.pair = pair = associated(policy, hdlc=hdlc, host=host)
    for _ in range(3):
        before = pair.now
        assert pair.converse(read(ATTRIBUTE)) == VALUE
        assert pair.now - before < 1
    assert [each.apdu for each in pair.events if isinstance(each, Unsolicited)] == [PUSHED] * 3
    pair.release()
    assert pair.client.deadline is None


@each_line
def test_a_forged_answer_does_not_keep_the_real_one_from_being_asked_for(hdlc: bool) -> None:
    host = Chatty(meter_side())
    host.pair = pair = associated(SecurityPolicy.AUTHENTICATED_ENCRYPTED, hdlc=hdlc, host=host)
    host.says = lambda: pair.meter._link.send_to(1, 1, bytes.fromhex("cc1e3000001000") + bytes(25), pair.now)
    before = pair.now
    assert pair.converse(read(ATTRIBUTE)) == VALUE
    assert pair.now - before < 1
    assert sum(isinstance(each, Distrusted) for each in pair.events) == 1
    pair.release()
    assert pair.client.deadline is None


@each_line
@each_policy
def test_a_meter_that_ignores_the_rlrq_is_left_in_time_and_hears_a_disc(
    policy: SecurityPolicy, hdlc: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The DISC goes out though its time is over: else the meter would hold the connection of somebody who has gone."""
    pair = associated(policy, hdlc=hdlc)
    served = pair.meter._serve

    def deaf(apdu: bytes, partners: Partners, now: float) -> bool:
        return not apdu.startswith(b"\x62") and served(apdu, partners, now)

    monkeypatch.setattr(pair.meter, "_serve", deaf)
    begun = pair.now
    pair.release()
    pair.carry()
    assert pair.now - begun <= PATIENCE
    assert not open_stack(pair.client)
    assert pair.client.deadline is None
    assert pair.meter.associated == (0 if hdlc else 1)


@each_line
@each_policy
def test_a_meter_that_does_not_know_the_rlrq_is_left_at_once(policy: SecurityPolicy, hdlc: bool) -> None:
    pair = associated(policy, hdlc=hdlc)
    pair.meter._drop_all()  # it has lost its association, and so refuses the RLRQ
    begun = pair.now
    pair.release()
    assert pair.now - begun < 1
    assert pair.client.deadline is None
    refused = [each.octets for each in apdus_passed(pair) if not each.from_client][-1]
    assert (
        refused
        == ExceptionResponse(
            ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED, None
        ).to_octets()
    )


@each_policy
def test_an_association_may_end_with_its_link(policy: SecurityPolicy) -> None:
    """For meters that know no RLRQ: a DISC says it all."""
    pair = associated(policy)
    assert pair.client.close(pair.now, PATIENCE, release=False) == []
    octets = pair.client.data_to_send()
    assert frames(octets) == [FrameKind.DISC]
    pair.meter.receive(octets, pair.now)
    assert pair.meter.associated == 0
    assert pair.client.receive(pair.meter.data_to_send(), pair.now) == [Released()]
    assert (pair.association.state, pair.client.deadline) == (State.IDLE, None)


@each_line
@each_policy
@pytest.mark.parametrize(
    "error", [ConnectionLost("cut"), RemoteProtocolError("rejected")], ids=lambda each: each.what
)
def test_a_line_that_falls_while_we_close_is_as_good_as_closed(
    policy: SecurityPolicy, hdlc: bool, error: MeterwrightError
) -> None:
    pair = associated(policy, hdlc=hdlc)
    assert pair.client.close(pair.now, PATIENCE) == []
    assert pair.client.lost(error) == [Released()]
    assert pair.client.deadline is None
    assert pair.client.lost(error) == []


@each_line
def test_what_ended_an_association_is_told_once(hdlc: bool) -> None:
    pair = associated(hdlc=hdlc)
    (event,) = pair.association.receive(b"\x63\x00")  # an RLRE that nobody asked for
    assert isinstance(event, AssociationEnded)
    assert pair.client.lost(ConnectionLost("cut")) == []


@each_line
def test_requests_that_are_open_fail_when_we_close_without_release(hdlc: bool) -> None:
    pair = associated(hdlc=hdlc)
    invoke_id = pair.client.request(GET, pair.now, pair.now + PATIENCE)
    events = pair.client.close(pair.now, PATIENCE, release=False)
    assert isinstance(events[0], RequestFailed)
    assert events[0].invoke_id == invoke_id
    assert (events[1:] == [Released()]) is not hdlc
