"""Reading: whole, in blocks, in lists; and every way in which an answer is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apdu.golden import SERIAL, TIME
from tests.exchange.scripts import converse

from meterwright.apdu import (
    ActionResponseNormal,
    Apdu,
    ConfirmedServiceError,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SelectedAttribute,
    SelectiveAccess,
    SetResponseNormal,
)
from meterwright.association import Context, Room
from meterwright.cosem import AssociationIdentity
from meterwright.data import Data, integer, octet_string, unsigned
from meterwright.errors import (
    ConfirmedServiceErrorReceived,
    DataAccessError,
    ExceptionResponseError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.exchange import CONFIRMED, Ask, Assembler, read, read_list, read_octets
from meterwright.testing import data_trees
from meterwright.values import (
    ActionResult,
    ConfirmedServiceErrorService,
    Conformance,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
)

SEVEN = InvokeIdAndPriority(7)
DENIED = DataAccessResult.READ_WRITE_DENIED
LIST = (SelectedAttribute(TIME, None), SelectedAttribute(SERIAL, None))


def block(number: int, raw: bytes | DataAccessResult, *, last: bool = False) -> GetResponseWithDataBlock:
    """A block of a long answer to invoke id 7."""
    return GetResponseWithDataBlock(SEVEN, last, number, raw)


def in_blocks(octets: bytes, size: int) -> list[Apdu]:
    """A long answer, cut."""
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)] or [b""]
    return [block(number, raw, last=number == len(pieces)) for number, raw in enumerate(pieces, start=1)]


class TestReading:
    """One attribute."""

    def test_it_asks_once_and_gives_the_value(self) -> None:
        value, asked = converse(read(TIME), [GetResponseNormal(SEVEN, integer(5))])
        assert value == integer(5)
        assert asked == [Ask(GetRequestNormal(CONFIRMED, TIME, None))]

    def test_a_selection_is_asked_for(self) -> None:
        selection = SelectiveAccess(2, unsigned(1))
        _, asked = converse(read(TIME, selection), [GetResponseNormal(SEVEN, integer(5))])
        assert asked == [Ask(GetRequestNormal(CONFIRMED, TIME, selection))]

    @pytest.mark.parametrize(
        "result", [*DataAccessResult, DataAccessResult(99)], ids=lambda result: result.label
    )
    def test_a_refusal_says_what_and_where(self, result: DataAccessResult) -> None:
        with pytest.raises(DataAccessError, match=result.label) as caught:
            converse(read(TIME), [GetResponseNormal(SEVEN, result)])
        assert caught.value.result is result
        assert caught.value.where.about == "8/0.0.1.0.0.255/2"
        assert caught.value.hint

    def test_a_selection_that_the_meter_would_refuse_is_not_asked_for(self) -> None:
        room = Room(Context(AssociationIdentity("1"), ~Conformance.SELECTIVE_ACCESS, 0, 0))
        with pytest.raises(LocalProtocolError, match="selective access"):
            next(read(TIME, SelectiveAccess(2, unsigned(1)), room=room))
        value, _ = converse(read(TIME, room=room), [GetResponseNormal(SEVEN, integer(5))])
        assert value == integer(5)

    @given(data_trees(), st.integers(1, 40))
    def test_octets_are_those_of_the_value(self, data: Data, size: int) -> None:
        whole, _ = converse(read_octets(TIME), [GetResponseNormal(SEVEN, data)])
        cut, _ = converse(read_octets(TIME), in_blocks(data.to_octets(), size))
        assert whole == cut == data.to_octets()


class TestBlocks:
    """Long answers."""

    @given(data_trees(), st.integers(1, 40))
    def test_blocks_of_any_size_make_the_value(self, data: Data, size: int) -> None:
        answers = in_blocks(data.to_octets(), size)
        value, asked = converse(read(TIME), answers)
        assert value == data
        assert [step.request for step in asked[1:]] == [
            GetRequestNext(SEVEN, number) for number in range(1, len(answers))
        ]

    def test_what_continues_says_so_and_bears_the_id_of_the_answer(self) -> None:
        _, asked = converse(read(TIME), in_blocks(octet_string(bytes(10)).to_octets(), 5))
        assert [step.continues for step in asked] == [False, True, True]
        request = asked[1].request
        assert isinstance(request, GetRequestNext)
        assert request.invoke_id_and_priority == SEVEN

    @pytest.mark.parametrize(
        ("answers", "says"),
        [
            ([block(2, b"\x0f")], "block 2 where block 1 is expected"),
            ([block(0, b"\x0f")], "block 0 where block 1 is expected"),
            ([block(1, b"\x0f"), block(1, b"\x01", last=True)], "block 1 where block 2 is expected"),
            ([block(1, b"\x0f"), block(3, b"\x01", last=True)], "block 3 where block 2 is expected"),
            ([block(1, b"")], "block 1 is empty and not the last"),
            ([block(1, b"\x0f"), block(2, b"")], "block 2 is empty and not the last"),
            ([block(1, b"\x0f", last=True)], "too early"),
            ([block(1, b"", last=True)], "too early"),
            ([block(1, b"\x0f\x01\x02", last=True)], "1 octets too many"),
            ([block(1, b"\x0f"), GetResponseNormal(SEVEN, integer(1))], "get-response-normal where"),
            ([block(1, b"\x0f"), None], "nothing where"),
        ],
    )
    def test_blocks_that_make_no_sense(self, answers: list[Apdu | None], says: str) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            converse(read(TIME), answers)
        assert says in caught.value.what

    def test_an_empty_last_block_is_allowed(self) -> None:
        value, _ = converse(read(TIME), [block(1, b"\x0f\x05"), block(2, b"", last=True)])
        assert value == integer(5)

    @pytest.mark.parametrize("last", [True, False])
    def test_an_error_in_a_block(self, *, last: bool) -> None:
        for answers in (
            [block(1, DataAccessResult.LONG_GET_ABORTED, last=last)],
            [block(1, b"\x0f"), block(2, DataAccessResult.LONG_GET_ABORTED, last=last)],
        ):
            with pytest.raises(DataAccessError, match="long-get-aborted"):
                converse(read(TIME), answers)

    def test_the_whole_has_a_cap(self) -> None:
        assembler = Assembler("8/0.0.1.0.0.255/2", longest=10)
        assembler.add(1, bytes(6), last=False)
        with pytest.raises(RemoteProtocolError, match="more than 10 octets in blocks") as caught:
            assembler.add(2, bytes(5), last=False)
        assert caught.value.where.about == "8/0.0.1.0.0.255/2"
        assembler.add(2, bytes(4), last=True)
        assert (assembler.complete, assembler.octets) == (True, bytes(10))


class TestLists:
    """Several attributes in one request."""

    def test_values_and_refusals_stand_side_by_side(self) -> None:
        results, asked = converse(read_list(LIST), [GetResponseWithList(SEVEN, (integer(1), DENIED))])
        assert results == (integer(1), DENIED)
        assert asked == [Ask(GetRequestWithList(CONFIRMED, LIST))]

    @given(
        st.lists(data_trees() | st.sampled_from(DataAccessResult), min_size=2, max_size=2), st.integers(1, 40)
    )
    def test_in_blocks(self, results: list[Data | DataAccessResult], size: int) -> None:
        whole = GetResponseWithList(SEVEN, tuple(results))
        answers = in_blocks(whole.to_octets()[3:], size)
        assert converse(read_list(LIST), answers)[0] == tuple(results)

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_a_wrong_count(self, count: int) -> None:
        answer = GetResponseWithList(SEVEN, (integer(1),) * count)
        with pytest.raises(RemoteProtocolError, match=f"{count} results for 2 attributes"):
            converse(read_list(LIST), [answer])
        with pytest.raises(RemoteProtocolError, match=f"{count} results for 2 attributes"):
            converse(read_list(LIST), in_blocks(answer.to_octets()[3:], 2))

    @pytest.mark.parametrize(
        ("raw", "says"),
        [
            ("", "too early"),
            ("02 00 0F01 00", "too early"),
            ("02 00 0F01 00 0F", "too early"),
            ("02 00 0F01 00 05 0000", "too early"),
            ("02 00 0F01 00 18 00000000", "too early"),
            ("02 00 0F01 02 00", "02 where only 00"),
            ("02 00 0F01 00 0B", "0b is no data tag"),
            ("02 00 0F01 01 03 FF", "1 octets too many"),
            ("05 00 0F01", "5 items cannot stand"),
        ],
    )
    def test_blocks_that_are_no_list(self, raw: str, says: str) -> None:
        with pytest.raises(RemoteProtocolError, match=says):
            converse(read_list(LIST), [block(1, bytes.fromhex(raw), last=True)])

    def test_an_error_in_a_block(self) -> None:
        with pytest.raises(DataAccessError, match="a list of 2 attributes"):
            converse(read_list(LIST), [block(1, DataAccessResult.LONG_GET_ABORTED, last=True)])


@pytest.mark.parametrize("exchange", [lambda: read(TIME), lambda: read_list(LIST)], ids=["read", "read_list"])
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.PDU_TOO_LONG, None),
            ExceptionResponseError,
            "pdu-too-long",
        ),
        (
            ConfirmedServiceError(ConfirmedServiceErrorService.READ, 5, 2),
            ConfirmedServiceErrorReceived,
            "object-access-invalid",
        ),
        (
            SetResponseNormal(SEVEN, DENIED),
            RemoteProtocolError,
            "set-response-normal where get-response-normal|get-response-with-list",
        ),
        (
            ActionResponseNormal(SEVEN, ActionResult.SUCCESS, None),
            RemoteProtocolError,
            "action-response-normal where",
        ),
        (None, RemoteProtocolError, "nothing where"),
    ],
    ids=["exception", "service-error", "set-response", "action-response", "nothing"],
)
def test_answers_that_are_none(
    exchange: Any, answer: Apdu | None, error: type[MeterwrightError], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        converse(exchange(), [answer])
    assert caught.value.where.about


def test_an_exception_keeps_its_parts() -> None:
    answer = ExceptionResponse(
        ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.INVOCATION_COUNTER_ERROR, 16
    )
    with pytest.raises(ExceptionResponseError) as caught:
        converse(read(TIME), [answer])
    error = caught.value
    assert (error.state, error.service, error.invocation_counter) == (
        ExceptionState.SERVICE_NOT_ALLOWED,
        ExceptionService.INVOCATION_COUNTER_ERROR,
        16,
    )
    assert "counter" in error.hint
