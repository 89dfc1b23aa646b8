"""Writing and calling: every result, and return parameters that say something else than the result."""

from typing import Any

import pytest
from tests.apdu.golden import TIME, VERIFY, octets_of
from tests.apdu.test_action_response import FORUM
from tests.exchange.scripts import converse

from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    Apdu,
    ExceptionResponse,
    GetResponseNormal,
    SelectiveAccess,
    SetRequestNormal,
    SetResponseDataBlock,
    SetResponseNormal,
    decode_apdu,
)
from meterwright.data import Data, integer, unsigned
from meterwright.errors import (
    ActionError,
    DataAccessError,
    ExceptionResponseError,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.exchange import CONFIRMED, UNCONFIRMED, Ask, Pause, Tell, invoke, tell, write
from meterwright.values import (
    ActionResult,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
)

SEVEN = InvokeIdAndPriority(7)
FAILURES = [result for result in [*ActionResult, ActionResult(19), ActionResult(99)] if result]


class TestWriting:
    """One attribute."""

    def test_it_asks_once(self) -> None:
        selection = SelectiveAccess(1, integer(0))
        result, asked = converse(
            write(TIME, unsigned(5), selection), [SetResponseNormal(SEVEN, DataAccessResult.SUCCESS)]
        )
        assert result is None
        assert asked == [Ask(SetRequestNormal(CONFIRMED, TIME, selection, unsigned(5)))]

    @pytest.mark.parametrize(
        "result",
        [result for result in [*DataAccessResult, DataAccessResult(99)] if result],
        ids=lambda result: result.label,
    )
    def test_a_refusal_says_what_and_where(self, result: DataAccessResult) -> None:
        with pytest.raises(DataAccessError, match=result.label) as caught:
            converse(write(TIME, unsigned(5)), [SetResponseNormal(SEVEN, result)])
        assert caught.value.result is result
        assert caught.value.where.about == "8/0.0.1.0.0.255/2"


class TestCalling:
    """One method."""

    @pytest.mark.parametrize(
        ("returned", "result"),
        [(None, None), (integer(5), integer(5)), (DataAccessResult.SUCCESS, None)],
        ids=["nothing", "data", "success-inside"],
    )
    def test_what_it_returned(self, returned: Data | DataAccessResult | None, result: Data | None) -> None:
        answer = ActionResponseNormal(SEVEN, ActionResult.SUCCESS, returned)
        got, asked = converse(invoke(VERIFY, integer(0)), [answer])
        assert got == result
        assert asked == [Ask(ActionRequestNormal(CONFIRMED, VERIFY, integer(0)))]

    @pytest.mark.parametrize("result", FAILURES, ids=lambda result: result.label)
    @pytest.mark.parametrize(
        "returned", [None, integer(5), DataAccessResult.OTHER_REASON], ids=["nothing", "data", "result"]
    )
    def test_a_refusal_says_what_and_where(
        self, result: ActionResult, returned: Data | DataAccessResult | None
    ) -> None:
        with pytest.raises(ActionError, match=result.label) as caught:
            converse(invoke(VERIFY), [ActionResponseNormal(SEVEN, result, returned)])
        assert caught.value.result is result
        assert caught.value.where.about == "18/0.0.44.0.0.255/method 3"
        assert caught.value.hint

    def test_success_outside_and_a_failure_inside_is_a_failure(self) -> None:
        answer = ActionResponseNormal(SEVEN, ActionResult.SUCCESS, DataAccessResult.TEMPORARY_FAILURE)
        with pytest.raises(DataAccessError, match="temporary-failure") as caught:
            converse(invoke(VERIFY), [answer])
        assert caught.value.where.about == "18/0.0.44.0.0.255/method 3"

    def test_return_parameters_nobody_can_read_after_a_failure_do_not_hide_it(self) -> None:
        """The forum's payload: the meter says hardware-fault, and that is what is told."""
        with pytest.raises(ActionError, match=r"hardware-fault \(1\)") as caught:
            converse(invoke(VERIFY), [decode_apdu(FORUM)])
        assert caught.value.result is ActionResult.HARDWARE_FAULT
        assert "length of what it was given" in caught.value.hint

    def test_return_parameters_nobody_can_read_after_success_are_an_error(self) -> None:
        answer = decode_apdu(octets_of("C701C7000102"))
        with pytest.raises(RemoteProtocolError, match="the return parameters cannot be read") as caught:
            converse(invoke(VERIFY), [answer])
        assert caught.value.where.offset == 5
        assert caught.value.where.about == "18/0.0.44.0.0.255/method 3"


UNEXPECTED: list[Apdu | None] = [
    GetResponseNormal(SEVEN, integer(1)),
    SetResponseDataBlock(SEVEN, 1),
    ActionResponseNextPblock(SEVEN, 1),
    ActionResponseWithList(SEVEN, ()),
    None,
]


@pytest.mark.parametrize("answer", UNEXPECTED, ids=lambda each: "nothing" if each is None else each.label)
@pytest.mark.parametrize(
    "start", [lambda: write(TIME, unsigned(1)), lambda: invoke(VERIFY)], ids=["write", "invoke"]
)
def test_answers_of_another_kind(start: Any, answer: Apdu | None) -> None:
    got = "nothing" if answer is None else answer.label
    with pytest.raises(
        RemoteProtocolError,
        match=f"{got} where (set|action)-response-normal( or action-response-with-pblock)? is expected",
    ) as caught:
        converse(start(), [answer])
    assert caught.value.where.about


@pytest.mark.parametrize(
    "start", [lambda: write(TIME, unsigned(1)), lambda: invoke(VERIFY)], ids=["write", "invoke"]
)
@pytest.mark.parametrize("service", [*ExceptionService, ExceptionService(99)], ids=lambda each: each.label)
def test_exceptions(start: Any, service: ExceptionService) -> None:
    answer = ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, service, None)
    with pytest.raises(ExceptionResponseError, match=service.label) as caught:
        converse(start(), [answer])
    assert caught.value.hint


def test_what_is_thrown_into_an_exchange_comes_out() -> None:
    exchange = invoke(VERIFY)
    next(exchange)
    with pytest.raises(MeterwrightError, match="cut"):
        exchange.throw(MeterwrightError("cut"))


def test_telling_is_one_step_without_an_answer() -> None:
    request = ActionRequestNormal(UNCONFIRMED, VERIFY, None)
    exchange = tell(request)
    assert next(exchange) == Tell(request)
    with pytest.raises(StopIteration):
        exchange.send(None)


def test_steps_are_values() -> None:
    assert Pause(3) == Pause(3)
    assert Tell(ActionRequestNormal(UNCONFIRMED, VERIFY, None)) != Tell(
        ActionRequestNormal(CONFIRMED, VERIFY, None)
    )
    assert CONFIRMED.confirmed
    assert not UNCONFIRMED.confirmed
