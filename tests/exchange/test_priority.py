"""Priority: high unless wrapped, in every request of a conversation, and for nobody else's."""

import pytest
from tests.apdu.golden import SERIAL, TIME
from tests.exchange.scripts import converse

from meterwright.apdu import (
    AccessResponse,
    GetRequestNext,
    GetResponseNormal,
    GetResponseWithDataBlock,
    InvokedApdu,
    LongInvokedApdu,
    SetRequestNormal,
)
from meterwright.data import integer
from meterwright.errors import Timeout
from meterwright.exchange import (
    CONFIRMED,
    UNCONFIRMED,
    Exchange,
    Pause,
    Tell,
    access,
    at_normal_priority,
    read,
    tell,
)
from meterwright.values import InvokeIdAndPriority, LongInvokeIdAndPriority

LOW = InvokeIdAndPriority(3, high_priority=False)


def test_every_request_of_a_long_read_is_of_normal_priority() -> None:
    answers = [
        GetResponseWithDataBlock(LOW, False, 1, b"\x0f"),
        GetResponseWithDataBlock(LOW, True, 2, b"\x05"),
    ]
    value, asked = converse(at_normal_priority(read(TIME)), answers)
    assert value == integer(5)
    first, second = (each.request for each in asked)
    assert first.to_octets().hex() == "c0014000080000010000ff0200"
    assert second == GetRequestNext(LOW, 1)
    assert asked[1].continues


def test_other_requests_stay_of_high_priority() -> None:
    _, asked = converse(read(TIME), [GetResponseNormal(CONFIRMED, integer(5))])
    request = asked[0].request
    assert isinstance(request, InvokedApdu)
    assert request.invoke_id_and_priority.high_priority


def test_access_and_unconfirmed_requests_have_it_too() -> None:
    answer = AccessResponse(LongInvokeIdAndPriority(0), None, None, (), ())
    _, asked = converse(at_normal_priority(access([])), [answer])
    request = asked[0].request
    assert isinstance(request, LongInvokedApdu)
    assert not request.long_invoke_id_and_priority.high_priority
    told = next(at_normal_priority(tell(SetRequestNormal(UNCONFIRMED, SERIAL, None, integer(1)))))
    assert isinstance(told, Tell)
    assert told.request.to_octets()[2] == 0


def test_pauses_and_failures_pass_unchanged() -> None:
    def stubborn() -> Exchange[str]:
        yield Pause(3)
        try:
            yield Pause(4)
        except Timeout:
            return "heard of it"
        return "nothing happened"

    exchange = at_normal_priority(stubborn())
    assert next(exchange) == Pause(3)
    assert exchange.send(None) == Pause(4)
    with pytest.raises(StopIteration) as end:
        exchange.throw(Timeout("late", layer="test"))
    assert end.value.value == "heard of it"
