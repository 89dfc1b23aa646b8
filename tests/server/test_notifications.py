"""What a meter sends unasked, over each link and under protection, while requests are open; and what confirms it."""

import asyncio
from dataclasses import replace

import pytest
from tests.apdu.golden import SERIAL
from tests.association.secured import ATTRIBUTE, VALUE, Meter, client_side, meter_side, stack_pair
from tests.server.hosts import Host

from meterwright.apdu import (
    DataNotification,
    DataNotificationConfirm,
    EventNotificationRequest,
    GetRequestNormal,
    InformationReportRequest,
    Notification,
    VariableName,
)
from meterwright.association import Answered, Distrusted, MalformedRequest, ServerAssociation, Unsolicited
from meterwright.client import Client
from meterwright.data import integer
from meterwright.errors import LocalProtocolError
from meterwright.exchange import CONFIRMED, RecentNotifications, Tell, confirm, read
from meterwright.server import Listener, Partners
from meterwright.testing import StackPair, run_in_virtual_time
from meterwright.transport import AsyncTransport, Wire
from meterwright.values import CosemDateTime, LongInvokeIdAndPriority, SecurityPolicy

MOMENT = bytes.fromhex("07EA0101FF00000000FF8000")
ONE = Partners(1, 1)
PUSH = DataNotification(LongInvokeIdAndPriority(7), None, integer(5))
QUIET = replace(PUSH, long_invoke_id_and_priority=LongInvokeIdAndPriority(7, confirmed=False))
EVENT = EventNotificationRequest(None, SERIAL, integer(1))
REPORT = InformationReportRequest(None, (VariableName(0xFA00),), (integer(1),))
KINDS = [PUSH, EVENT, REPORT]
kinds = pytest.mark.parametrize("notification", KINDS, ids=lambda each: each.label)
links = pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])


def secured(policy: SecurityPolicy, *, hdlc: bool) -> tuple[StackPair, Meter]:
    host = Meter(meter_side(policy=policy))
    pair = stack_pair(client_side(policy=policy), host, hdlc=hdlc)
    pair.associate()
    return pair, host


def unsolicited(pair: StackPair) -> list[object]:
    return [each.apdu for each in pair.events if isinstance(each, Unsolicited)]


@links
@kinds
@pytest.mark.parametrize("policy", list(SecurityPolicy)[:4], ids=lambda each: each.label)
def test_it_is_an_event_and_never_an_answer(
    policy: SecurityPolicy, notification: Notification, *, hdlc: bool
) -> None:
    pair, _ = secured(policy, hdlc=hdlc)
    invoke_id = pair.client.request(GetRequestNormal(CONFIRMED, ATTRIBUTE, None), pair.now, pair.now + 10)
    pair.meter.notify(notification, ONE, pair.now)
    pair.carry()
    pair.wait(2)
    answers = [each for each in pair.events if isinstance(each, Answered)]
    assert [each.invoke_id for each in answers][-1] == invoke_id
    assert unsolicited(pair) == [notification]
    assert pair.converse(read(ATTRIBUTE)) == VALUE


@links
@pytest.mark.parametrize("policy", list(SecurityPolicy)[:4], ids=lambda each: each.label)
def test_a_push_is_confirmed_and_the_meter_learns_of_it(policy: SecurityPolicy, *, hdlc: bool) -> None:
    pair, host = secured(policy, hdlc=hdlc)
    pair.meter.notify(PUSH, ONE, pair.now)
    pair.carry()
    pair.wait(1)
    assert unsolicited(pair) == [PUSH]
    assert host.confirmations == []
    pair.converse(confirm(PUSH))
    assert host.confirmations == [(ONE, DataNotificationConfirm(PUSH.long_invoke_id_and_priority, None))]
    assert pair.converse(read(ATTRIBUTE)) == VALUE


def test_a_confirmation_octet_for_octet() -> None:
    step = next(confirm(PUSH, CosemDateTime.from_octets(MOMENT)))
    assert isinstance(step, Tell)
    assert step.request.to_octets() == bytes.fromhex("10 C0000007 0C") + MOMENT


def test_what_is_unconfirmed_is_not_confirmed() -> None:
    with pytest.raises(LocalProtocolError, match="unconfirmed"):
        next(confirm(QUIET))


def test_a_confirmation_of_nothing_in_no_association_is_refused_and_told_to_nobody() -> None:
    meter = ServerAssociation()
    (event,) = meter.receive(DataNotificationConfirm(LongInvokeIdAndPriority(7), None).to_octets())
    assert isinstance(event, MalformedRequest)


@links
def test_a_forged_or_repeated_push_is_not_told(*, hdlc: bool) -> None:
    pair, _ = secured(SecurityPolicy.AUTHENTICATED_ENCRYPTED, hdlc=hdlc)
    pair.meter._serving(ONE).association.notify(PUSH)
    (octets,) = pair.meter._serving(ONE).association.data_to_send()
    assert isinstance(pair.association.receive(octets[:-1] + bytes((octets[-1] ^ 1,)))[0], Distrusted)
    assert isinstance(pair.association.receive(PUSH.to_octets())[0], Distrusted)
    assert pair.association.receive(octets) == [Unsolicited(PUSH)]
    assert isinstance(pair.association.receive(octets)[0], Distrusted)


def test_a_repeated_push_is_known_again_and_a_new_one_under_the_same_id_is_not() -> None:
    recent = RecentNotifications(size=2)
    other = replace(PUSH, notification_body=integer(6))
    assert not recent.is_repeated(PUSH)
    assert not recent.is_repeated(other)
    assert recent.is_repeated(PUSH)
    assert not recent.is_repeated(PUSH, b"MWS00001")
    assert recent.is_repeated(PUSH)
    assert not recent.is_repeated(other)


@pytest.mark.parametrize(
    "time", ["00", "01 0C" + MOMENT.hex(), "01" + MOMENT.hex(), "01 09 0C" + MOMENT.hex()]
)
def test_an_event_is_told_however_its_time_is_written(time: str) -> None:
    pair, _ = secured(SecurityPolicy.NONE, hdlc=False)
    octets = bytes.fromhex("C2" + time + "0001 0000600100FF 02 0F01")
    moment = None if time == "00" else CosemDateTime.from_octets(MOMENT)
    assert pair.association.receive(octets) == [Unsolicited(replace(EVENT, time=moment))]


def test_a_listener_pushes_to_whoever_is_associated() -> None:
    async def main() -> None:
        listener = Listener(Host())
        got: list[object] = []

        async def connect() -> AsyncTransport:
            wire = Wire()
            listener.attach(wire.meter_end)
            return wire.client_end

        assert listener.notify(PUSH, Partners(16, 1)) == 0
        first, second = (Client(connect, unsolicited=got.append) for _ in range(2))
        async with first, second:
            assert listener.notify(PUSH, Partners(16, 1)) == 2
            assert listener.notify(PUSH, Partners(17, 1)) == 0
            await asyncio.sleep(1)
            assert got == [PUSH, PUSH]
            await first.confirm(PUSH)
        assert listener.notify(PUSH, Partners(16, 1)) == 0

    run_in_virtual_time(main())
