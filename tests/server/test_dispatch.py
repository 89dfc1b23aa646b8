"""From a request to its answer: blocks, lists, what was not negotiated, what is not offered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.hosts import AARQ, Host, Line, aarq

from meterwright.apdu import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    ActionResponseWithPblock,
    Apdu,
    AttributeDescriptor,
    DataBlock,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseNormal,
    SetResponseWithList,
)
from meterwright.data import Data, integer, null_data, octet_string
from meterwright.server.transfers import LONGEST_REQUEST
from meterwright.values import (
    ActionResult,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
    Obis,
)

INVOKE = InvokeIdAndPriority(7)
SILENT = InvokeIdAndPriority(7, confirmed=False)
NAME = Obis.parse("0.0.1.0.0.255")
NOT_ALLOWED = ExceptionResponse(
    ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.SERVICE_NOT_SUPPORTED, None
)
GET, SET, ACTION, LISTS, SELECTIVE = 0x10, 0x08, 0x01, 0x200, 0x04
SET_BLOCKS, ACTION_BLOCKS = 0x800, 0x400


def attribute(number: int) -> AttributeDescriptor:
    return AttributeDescriptor(number, NAME, 2)


def get(number: int) -> GetRequestNormal:
    return GetRequestNormal(INVOKE, attribute(number), None)


def get_list(*numbers: int) -> GetRequestWithList:
    return GetRequestWithList(INVOKE, tuple(SelectedAttribute(attribute(each), None) for each in numbers))


def line(max_pdu: int = 200, services: int = 0xFFFFFF, host: Host | None = None) -> Line:
    made = Line(host or Host())
    made.ask(aarq(max_pdu, f"{services:06x}"))
    return made


def test_a_short_value_comes_in_one_answer() -> None:
    assert line().ask(get(10)) == GetResponseNormal(INVOKE, octet_string(bytes(10)))


def test_the_host_sees_who_asks_for_what() -> None:
    host = Host()
    over = line(host=host)
    selection = SelectiveAccess(1, null_data(None))
    over.ask(GetRequestNormal(INVOKE, attribute(3), selection))
    assert host.seen[-1] == (attribute(3), selection)
    caller = host.callers[-1]
    assert (caller.partners.client_sap, caller.partners.server_sap) == (16, 1)
    assert caller.context.max_send_pdu_size == 200
    assert caller.context.max_receive_pdu_size == 500


@pytest.mark.parametrize(
    "request_",
    [
        GetRequestNormal(INVOKE, attribute(3), SelectiveAccess(1, null_data(None))),
        GetRequestWithList(
            INVOKE,
            (
                SelectedAttribute(attribute(1), None),
                SelectedAttribute(attribute(2), SelectiveAccess(1, null_data(None))),
            ),
        ),
        SetRequestNormal(INVOKE, attribute(0), SelectiveAccess(1, null_data(None)), integer(1)),
        SetRequestWithFirstDataBlock(
            INVOKE, attribute(0), SelectiveAccess(1, null_data(None)), DataBlock(True, 1, b"\x0f\x01")
        ),
        SetRequestWithList(
            INVOKE, (SelectedAttribute(attribute(0), SelectiveAccess(1, null_data(None))),), (integer(1),)
        ),
        SetRequestWithListAndFirstDataBlock(
            INVOKE,
            (SelectedAttribute(attribute(0), SelectiveAccess(1, null_data(None))),),
            DataBlock(True, 1, b"\x01\x0f\x01"),
        ),
    ],
    ids=lambda each: each.label,
)
def test_a_part_is_served_only_where_selective_access_was_negotiated(request_: Apdu) -> None:
    host = Host()
    without = line(services=0xFFFFFF & ~SELECTIVE, host=host)
    assert without.ask(request_) == NOT_ALLOWED
    assert host.callers == []
    assert line(host=host).ask(request_) != NOT_ALLOWED
    assert host.callers != []


def blocks_of(over: Line, first: Apdu) -> list[bytes]:
    """All raw data of a long answer; the numbers must be 1, 2, 3, and so on."""
    raw: list[bytes] = []
    answer = first
    while True:
        assert isinstance(answer, GetResponseWithDataBlock)
        assert answer.block_number == len(raw) + 1
        assert isinstance(answer.result, bytes)
        raw.append(answer.result)
        if answer.last_block:
            return raw
        answer = over.ask(GetRequestNext(INVOKE, answer.block_number))


@given(size=st.integers(0, 700), max_pdu=st.integers(12, 400))
def test_a_long_value_comes_in_blocks_that_fit(size: int, max_pdu: int) -> None:
    over = line(max_pdu)
    first = over.ask(get(size))
    value = octet_string(bytes(size))
    if isinstance(first, GetResponseNormal):
        assert first.result == value
        assert len(first.to_octets()) <= max_pdu
        return
    assert len(GetResponseNormal(INVOKE, value).to_octets()) > max_pdu
    assert len(first.to_octets()) <= max_pdu
    assert Data.from_octets(b"".join(blocks_of(over, first))) == value


def test_a_long_list_comes_in_blocks() -> None:
    over = line(60)
    first = over.ask(get_list(30, 0, 40))
    raw = b"".join(blocks_of(over, first))
    whole = GetResponseWithList(INVOKE, tuple(octet_string(bytes(size)) for size in (30, 0, 40)))
    assert raw == whole.to_octets()[3:]


def test_a_list_holds_values_and_refusals() -> None:
    host = Host()
    host.on_get = lambda number: DataAccessResult.OBJECT_UNDEFINED if number == 9 else integer(number)
    assert line(host=host).ask(get_list(1, 9, 2)) == GetResponseWithList(
        INVOKE, (integer(1), DataAccessResult.OBJECT_UNDEFINED, integer(2))
    )


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (0, DataAccessResult.LONG_GET_ABORTED),
        (2, DataAccessResult.DATA_BLOCK_NUMBER_INVALID),
        (0xFFFFFFFF, DataAccessResult.DATA_BLOCK_NUMBER_INVALID),
    ],
)
def test_a_wrong_block_number_ends_the_long_answer(number: int, reason: DataAccessResult) -> None:
    over = line()
    over.ask(get(600))
    assert over.ask(GetRequestNext(INVOKE, number)) == GetResponseWithDataBlock(INVOKE, True, number, reason)
    gone = DataAccessResult.NO_LONG_GET_IN_PROGRESS
    assert over.ask(GetRequestNext(INVOKE, 1)) == GetResponseWithDataBlock(INVOKE, True, 1, gone)


def test_another_request_ends_the_long_answer() -> None:
    over = line()
    over.ask(get(600))
    over.ask(get(1))
    answer = over.ask(GetRequestNext(INVOKE, 1))
    assert isinstance(answer, GetResponseWithDataBlock)
    assert answer.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


def test_there_is_no_next_after_the_last() -> None:
    over = line()
    raw = blocks_of(over, over.ask(get(600)))
    answer = over.ask(GetRequestNext(INVOKE, len(raw)))
    assert isinstance(answer, GetResponseWithDataBlock)
    assert answer.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


def test_without_blocks_a_long_value_cannot_be_had() -> None:
    over = line(services=GET | LISTS)
    refused = GetResponseNormal(INVOKE, DataAccessResult.OTHER_REASON)
    assert over.ask(get(600)) == refused
    assert over.ask(get_list(100, 100)) == refused
    assert over.ask(GetRequestNext(INVOKE, 1)) == GetResponseWithDataBlock(
        INVOKE, True, 1, DataAccessResult.NO_LONG_GET_IN_PROGRESS
    )


def test_a_client_without_a_limit_still_has_that_of_the_link() -> None:
    over = line(max_pdu=0)
    over.send(b"\x62\x00")
    over.ask(aarq(0))
    assert isinstance(over.ask(get(60_000)), GetResponseNormal)
    host = Host()
    host.on_get = lambda _: octet_string(bytes(200_000))
    raw = blocks_of(over := line(max_pdu=0, host=host), over.ask(get(1)))
    assert Data.from_octets(b"".join(raw)) == octet_string(bytes(200_000))
    assert len(raw) == 4


def test_a_write_has_a_result() -> None:
    host = Host()
    over = line(host=host)
    for code in (0, 3, 12, 250):
        request = SetRequestNormal(INVOKE, attribute(code), None, integer(5))
        assert over.ask(request) == SetResponseNormal(INVOKE, DataAccessResult(code))
    assert host.seen[-1] == (attribute(250), integer(5), None)


@pytest.mark.parametrize("returned", [None, integer(5)])
def test_a_call_has_a_result_and_may_return_data(returned: Data | None) -> None:
    request = ActionRequestNormal(INVOKE, MethodDescriptor(2, NAME, 1), returned)
    assert line().ask(request) == ActionResponseNormal(INVOKE, ActionResult.TEMPORARY_FAILURE, returned)


def first(number: int, raw: bytes = b"\x09\x02A", *, last: bool = False) -> SetRequestWithFirstDataBlock:
    return SetRequestWithFirstDataBlock(INVOKE, attribute(0), None, DataBlock(last, number, raw))


def more(number: int, raw: bytes = b"B", *, last: bool = True) -> SetRequestWithDataBlock:
    return SetRequestWithDataBlock(INVOKE, DataBlock(last, number, raw))


def test_a_write_in_blocks_is_acknowledged_and_answered() -> None:
    host = Host()
    over = line(host=host)
    assert over.ask(first(1)) == SetResponseDataBlock(INVOKE, 1)
    assert over.ask(more(2, b"", last=False)) == SetResponseLastDataBlock(
        INVOKE, DataAccessResult.LONG_SET_ABORTED, 2
    )
    assert over.ask(first(1)) == SetResponseDataBlock(INVOKE, 1)
    assert over.ask(more(2)) == SetResponseLastDataBlock(INVOKE, DataAccessResult.SUCCESS, 2)
    assert host.seen[1:] == [(attribute(0), octet_string(b"AB"), None)]
    assert over.ask(first(1, b"\x0f\x05", last=True)) == SetResponseLastDataBlock(
        INVOKE, DataAccessResult.SUCCESS, 1
    )
    assert host.seen[-1] == (attribute(0), integer(5), None)


NO_LONG_SET = DataAccessResult.NO_LONG_SET_IN_PROGRESS


@pytest.mark.parametrize(
    ("requests", "result", "number"),
    [
        ([more(1)], NO_LONG_SET, 1),
        ([more(2)], NO_LONG_SET, 2),
        ([first(2)], DataAccessResult.DATA_BLOCK_NUMBER_INVALID, 2),
        ([first(1), more(1)], DataAccessResult.DATA_BLOCK_NUMBER_INVALID, 1),
        ([first(1), more(3)], DataAccessResult.DATA_BLOCK_NUMBER_INVALID, 3),
        ([first(1), more(3), more(2)], NO_LONG_SET, 2),
        ([first(1), more(2), more(3)], NO_LONG_SET, 3),
        ([first(1), get(1), more(2)], NO_LONG_SET, 2),
        (
            [first(1), SetRequestWithDataBlock(InvokeIdAndPriority(8), DataBlock(True, 2, b"B"))],
            NO_LONG_SET,
            2,
        ),
        ([first(1), more(2, b"BC")], DataAccessResult.OTHER_REASON, 2),
        ([first(1), more(2, b"")], DataAccessResult.OTHER_REASON, 2),
    ],
)
def test_blocks_of_a_write_that_make_no_sense(
    requests: list[Apdu], result: DataAccessResult, number: int
) -> None:
    over = line()
    answers = [over.ask(request) for request in requests]
    answer = answers[-1]
    assert isinstance(answer, SetResponseLastDataBlock)
    assert (answer.result, answer.block_number) == (result, number)


def test_a_long_write_has_a_cap() -> None:
    host = Host(max_pdu=0xFFFF)
    over = line(host=host)
    answer: Apdu = over.ask(first(1))
    number = 1
    while isinstance(answer, SetResponseDataBlock):
        number += 1
        answer = over.ask(more(number, bytes(60_000), last=False))
    assert answer == SetResponseLastDataBlock(INVOKE, DataAccessResult.LONG_SET_ABORTED, number)
    assert (number - 2) * 60_000 < LONGEST_REQUEST < number * 60_000
    assert len(host.seen) == 1


def call(number: int, raw: bytes = b"\x09\x02A", *, last: bool = False, method: int = 0) -> Apdu:
    return ActionRequestWithFirstPblock(
        INVOKE, MethodDescriptor(method, NAME, 1), DataBlock(last, number, raw)
    )


def call_more(number: int, raw: bytes = b"B", *, last: bool = True) -> Apdu:
    return ActionRequestWithPblock(INVOKE, DataBlock(last, number, raw))


def call_next(number: int) -> Apdu:
    return ActionRequestNextPblock(INVOKE, number)


LONG_CALL = ActionRequestNormal(INVOKE, MethodDescriptor(0, NAME, 1), octet_string(bytes(400)))
NO_LONG_CALL = ActionResult.NO_LONG_ACTION_IN_PROGRESS
UNAVAILABLE = ActionResult.DATA_BLOCK_UNAVAILABLE


def test_a_call_in_blocks_is_acknowledged_and_answered() -> None:
    host = Host()
    over = line(host=host)
    assert over.ask(call(1)) == ActionResponseNextPblock(INVOKE, 1)
    assert over.ask(call_more(2)) == ActionResponseNormal(INVOKE, ActionResult.SUCCESS, octet_string(b"AB"))
    assert host.seen[1:] == [(MethodDescriptor(0, NAME, 1), octet_string(b"AB"))]


def test_a_long_return_comes_in_blocks() -> None:
    over = line()
    answer = over.ask(LONG_CALL)
    raw = b""
    while isinstance(answer, ActionResponseWithPblock):
        raw += answer.pblock.raw_data
        if answer.pblock.last_block:
            break
        assert len(answer.to_octets()) == 200
        answer = over.ask(call_next(answer.pblock.block_number))
    assert raw == b"\x00" + octet_string(bytes(400)).to_octets()
    assert over.ask(call_next(3)) == ActionResponseNormal(INVOKE, NO_LONG_CALL, None)


@pytest.mark.parametrize(
    ("requests", "result"),
    [
        ([call_more(1)], NO_LONG_CALL),
        ([call(2)], UNAVAILABLE),
        ([call(1), call_more(1)], UNAVAILABLE),
        ([call(1), call_more(3), call_more(2)], NO_LONG_CALL),
        ([call(1), get(1), call_more(2)], NO_LONG_CALL),
        ([first(1), call_more(2)], NO_LONG_CALL),
        ([call(1), call_more(2, b"", last=False)], ActionResult.LONG_ACTION_ABORTED),
        ([call(1), call_more(2, b"BC")], ActionResult.OTHER_REASON),
        ([call_next(1)], NO_LONG_CALL),
        ([get(600), call_next(1)], NO_LONG_CALL),
        ([LONG_CALL, call_next(2)], UNAVAILABLE),
        ([LONG_CALL, call_next(0)], ActionResult.LONG_ACTION_ABORTED),
        ([LONG_CALL, call_next(2), call_next(1)], NO_LONG_CALL),
        ([LONG_CALL, get(1), call_next(1)], NO_LONG_CALL),
    ],
)
def test_blocks_of_a_call_that_make_no_sense(requests: list[Apdu], result: ActionResult) -> None:
    over = line()
    answers = [over.ask(request) for request in requests]
    assert answers[-1] == ActionResponseNormal(INVOKE, result, None)


def test_a_long_return_that_cannot_be_had_is_told_beside_the_result() -> None:
    over = line(services=ACTION)
    assert over.ask(LONG_CALL) == ActionResponseNormal(
        INVOKE, ActionResult.SUCCESS, DataAccessResult.OTHER_REASON
    )
    failing = replace(LONG_CALL, method=MethodDescriptor(3, NAME, 1))
    assert over.ask(failing) == ActionResponseNormal(INVOKE, ActionResult.READ_WRITE_DENIED, None)


SET_LIST = SetRequestWithList(
    INVOKE,
    (SelectedAttribute(attribute(0), None), SelectedAttribute(attribute(3), None)),
    (integer(1), integer(2)),
)
CALL_LIST = ActionRequestWithList(
    INVOKE, (MethodDescriptor(0, NAME, 1), MethodDescriptor(3, NAME, 1)), (null_data(None), integer(1))
)


REQUESTS: list[tuple[Apdu, int]] = [
    (get(1), GET),
    (GetRequestNext(INVOKE, 1), GET),
    (get_list(1), GET | LISTS),
    (SetRequestNormal(INVOKE, attribute(0), None, integer(1)), SET),
    (first(1), SET | SET_BLOCKS),
    (more(2), SET | SET_BLOCKS),
    (call(1), ACTION | ACTION_BLOCKS),
    (SET_LIST, SET | LISTS),
    (CALL_LIST, ACTION | LISTS),
    (
        SetRequestWithListAndFirstDataBlock(INVOKE, SET_LIST.attributes, DataBlock(False, 1, b"\x02")),
        SET | SET_BLOCKS | LISTS,
    ),
    (
        ActionRequestWithListAndFirstPblock(INVOKE, CALL_LIST.methods, DataBlock(False, 1, b"\x02")),
        ACTION | ACTION_BLOCKS | LISTS,
    ),
    (call_more(2), ACTION | ACTION_BLOCKS),
    (call_next(2), ACTION | ACTION_BLOCKS),
    (ActionRequestNormal(INVOKE, MethodDescriptor(0, NAME, 1), None), ACTION),
]


@pytest.mark.parametrize(("request_", "needed"), REQUESTS, ids=lambda each: getattr(each, "label", None))
def test_what_was_not_negotiated_is_not_served(request_: Apdu, needed: int) -> None:
    host = Host()
    over = line(services=(0xFFFFFF & ~needed) | (SET if needed & GET else GET), host=host)
    before = list(host.seen)
    assert over.ask(request_) == NOT_ALLOWED
    assert host.seen == before
    assert line(services=needed).ask(request_) != NOT_ALLOWED


def test_lists_are_served_item_by_item() -> None:
    host = Host()
    over = line(host=host)
    assert over.ask(SET_LIST) == SetResponseWithList(
        INVOKE, (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)
    )
    assert over.ask(CALL_LIST) == ActionResponseWithList(
        INVOKE,
        (
            ActionResponseWithOptionalData(ActionResult.SUCCESS, None),
            ActionResponseWithOptionalData(ActionResult.READ_WRITE_DENIED, integer(1)),
        ),
    )
    assert host.seen[1:] == [
        (attribute(0), integer(1), None),
        (attribute(3), integer(2), None),
        (MethodDescriptor(0, NAME, 1), None),
        (MethodDescriptor(3, NAME, 1), integer(1)),
    ]


@pytest.mark.parametrize(
    "request_", [replace(SET_LIST, values=(integer(1),)), replace(CALL_LIST, parameters=(integer(1),) * 3)]
)
def test_a_list_with_another_number_of_values_is_refused_and_nothing_done(request_: Apdu) -> None:
    host = Host()
    assert line(host=host).ask(request_) == ExceptionResponse(
        ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE, None
    )
    assert len(host.seen) == 1


@pytest.mark.parametrize("raw", ["010f01", "030f010f010f01", "020f01", "020f010f0100", "ff", ""])
def test_a_long_list_with_other_values_is_refused_and_nothing_done(raw: str) -> None:
    host = Host()
    over = line(host=host)
    block = DataBlock(True, 1, bytes.fromhex(raw))
    assert over.ask(SetRequestWithListAndFirstDataBlock(INVOKE, SET_LIST.attributes, block)) == (
        SetResponseLastDataBlock(INVOKE, DataAccessResult.OTHER_REASON, 1)
    )
    assert over.ask(ActionRequestWithListAndFirstPblock(INVOKE, CALL_LIST.methods, block)) == (
        ActionResponseNormal(INVOKE, ActionResult.OTHER_REASON, None)
    )
    assert len(host.seen) == 1


def test_long_returns_of_a_list_that_cannot_be_had_are_told_beside_the_results() -> None:
    long = replace(CALL_LIST, parameters=(null_data(None), octet_string(bytes(300))))
    assert line(services=ACTION | LISTS).ask(long) == ActionResponseWithList(
        INVOKE,
        (
            ActionResponseWithOptionalData(ActionResult.SUCCESS, None),
            ActionResponseWithOptionalData(ActionResult.READ_WRITE_DENIED, DataAccessResult.OTHER_REASON),
        ),
    )


def test_what_wants_no_answer_gets_none() -> None:
    host = Host()
    over = line(host=host)
    silent: list[Apdu] = [
        GetRequestNormal(SILENT, attribute(1), None),
        SetRequestNormal(SILENT, attribute(0), None, integer(1)),
        ActionRequestNormal(SILENT, MethodDescriptor(0, NAME, 1), integer(3)),
        SetRequestWithDataBlock(SILENT, DataBlock(True, 2, b"B")),
    ]
    for request in silent:
        assert over.send(request) == []
    assert host.seen[-1] == (MethodDescriptor(0, NAME, 1), integer(3))
    assert len(host.seen) == 4


def test_the_answer_repeats_the_invoke_id_with_all_its_bits() -> None:
    answer = Line(Host())
    answer.ask(AARQ)
    (got,) = answer.send(bytes.fromhex("c001f7") + get(1).to_octets()[3:])
    assert got.to_octets()[2] == 0xF7


def test_a_list_of_writes_whose_results_would_not_fit_is_refused_before_anything_is_written() -> None:
    host = Host()
    too_long = ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.PDU_TOO_LONG, None)
    many = (SelectedAttribute(attribute(0), None),) * 20
    over = line(max_pdu=20, host=host)
    assert over.ask(SetRequestWithList(INVOKE, many, (integer(1),) * 20)) == too_long
    first = SetRequestWithListAndFirstDataBlock(INVOKE, many, DataBlock(False, 1, b"\x14"))
    assert over.ask(first) == too_long
    assert host.callers == []
    answer = over.ask(SetRequestWithList(INVOKE, many[:16], (integer(1),) * 16))
    assert answer == SetResponseWithList(INVOKE, (DataAccessResult.SUCCESS,) * 16)
    assert len(answer.to_octets()) == 20
