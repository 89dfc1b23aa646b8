"""ACCESS among other requests: ids of 24 bits beside ids of 4, and what is lost, late, doubled or forged."""

from dataclasses import replace

import pytest
from tests.association.client_scripts import GET, associated, got
from tests.association.secured import client_side, meter_side

from meterwright.apdu import AccessRequest, AccessResponse, GetResponseNormal, decode_apdu
from meterwright.association import (
    Answered,
    Distrusted,
    InvokeId,
    LateAnswer,
    LongInvokeId,
    RequestFailed,
    RequestReceived,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError, Timeout
from meterwright.testing import AssociationPair
from meterwright.values import LongInvokeIdAndPriority, SecurityPolicy

ACCESS = AccessRequest(LongInvokeIdAndPriority(0, break_on_error=True), None, (), ())


def answer(invoke_id: InvokeId) -> bytes:
    """An empty answer under that id, with the options of the request."""
    assert isinstance(invoke_id, LongInvokeId)
    options = ACCESS.long_invoke_id_and_priority.with_id(invoke_id.number)
    return AccessResponse(options, None, None, (), ()).to_octets()


def test_an_id_of_each_kind_and_the_same_number_are_two() -> None:
    client = associated()
    short, long = client.request(GET, 10), client.request(ACCESS, 10)
    assert long == LongInvokeId(1)
    assert short == 1
    assert len({short, long}) == 2
    sent = [decode_apdu(each) for each in client.data_to_send()]
    assert sent[-1] == replace(
        ACCESS, long_invoke_id_and_priority=LongInvokeIdAndPriority(1, break_on_error=True)
    )
    (first,) = client.receive(answer(long))
    (second,) = client.receive(got(1))
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert (first.invoke_id, second.invoke_id) == (long, short)
    assert isinstance(first.apdu, AccessResponse)
    assert isinstance(second.apdu, GetResponseNormal)


def test_more_accesses_may_be_open_than_there_are_short_ids() -> None:
    client = associated()
    ids = [client.request(ACCESS, 10) for _ in range(40)]
    assert ids == [LongInvokeId(number) for number in range(1, 41)]
    for invoke_id in reversed(ids):
        (event,) = client.receive(answer(invoke_id))
        assert isinstance(event, Answered)
        assert event.invoke_id == invoke_id


def test_a_lost_answer_fails_its_request_alone_and_comes_late_for_nobody() -> None:
    client = associated()
    lost = client.request(ACCESS, 10)
    (failed,) = client.tick(10)
    assert isinstance(failed, RequestFailed)
    assert failed.invoke_id == lost
    assert isinstance(failed.error, Timeout)
    another = client.request(ACCESS, 20)
    (late,) = client.receive(answer(lost))
    assert isinstance(late, LateAnswer)
    (event,) = client.receive(answer(another))
    assert isinstance(event, Answered)
    (twice,) = client.receive(answer(another))
    assert isinstance(twice, LateAnswer)


def test_an_answer_that_cannot_be_read_fails_its_own_request() -> None:
    client = associated()
    short, long = client.request(GET, 10), client.request(ACCESS, 10)
    (failed,) = client.receive(answer(long)[:-1])
    assert isinstance(failed, RequestFailed)
    assert failed.invoke_id == long
    assert isinstance(failed.error, RemoteProtocolError)
    (event,) = client.receive(got(1))
    assert isinstance(event, Answered)
    assert event.invoke_id == short


def test_a_request_goes_on_only_under_an_id_that_nobody_has() -> None:
    client = associated()
    client.request(ACCESS, 10)
    taken = replace(ACCESS, long_invoke_id_and_priority=LongInvokeIdAndPriority(1))
    with pytest.raises(LocalProtocolError, match="another request has"):
        client.request(taken, 10, continues=True)


@pytest.mark.parametrize(
    "policy",
    [SecurityPolicy.AUTHENTICATED, SecurityPolicy.AUTHENTICATED_ENCRYPTED],
    ids=lambda each: each.label,
)
def test_a_forged_answer_is_none(policy: SecurityPolicy) -> None:
    pair = AssociationPair(
        credentials=client_side(policy=policy).credentials(), guard=meter_side(policy=policy).credentials
    )
    pair.associate()
    invoke_id = pair.client.request(ACCESS, 1000)
    (request,) = pair.client.data_to_send()
    (event,) = pair.meter.receive(request)
    assert isinstance(event, RequestReceived)
    assert isinstance(event.apdu, AccessRequest)
    options = event.apdu.long_invoke_id_and_priority
    pair.meter.respond(AccessResponse(options, None, None, (), ()))
    (sealed,) = pair.meter.data_to_send()
    for forged in (sealed[:-1] + bytes((sealed[-1] ^ 1,)), sealed[:-1], sealed[:20]):
        assert any(isinstance(each, Distrusted) for each in pair.client.receive(forged))
    (answered,) = pair.client.receive(sealed)
    assert answered == Answered(invoke_id, AccessResponse(options, None, None, (), ()))
    assert all(isinstance(each, Distrusted) for each in pair.client.receive(sealed))
