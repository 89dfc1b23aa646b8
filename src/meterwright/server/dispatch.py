"""From a request to its answer: which service asks the host what, and what is long goes in blocks.

One `Dispatcher` serves one association. Services that were not negotiated, and those this meter does not offer, are
refused with an ExceptionResponse.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from meterwright.apdu import (
    AccessRequest,
    AccessRequestGetWithSelection,
    AccessRequestSetWithSelection,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    ActionResponseWithPblock,
    Apdu,
    DataBlock,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    InvokedApdu,
    LongInvokedApdu,
    MethodDescriptor,
    SelectedAttribute,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from meterwright.apdu.fields import GET_DATA_RESULT
from meterwright.association import Room
from meterwright.codec import SequenceOf
from meterwright.data import Data, DataTag
from meterwright.server.accessing import serve_access
from meterwright.server.host import ActionOutcome, Caller, ObjectHost
from meterwright.server.negotiated import Negotiated
from meterwright.server.transfers import (
    ACTION_BLOCKS,
    SET_BLOCKS,
    BlockService,
    Fault,
    LongAnswer,
    LongRequest,
)
from meterwright.values import (
    ActionResult,
    Conformance,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
)

__all__ = ["Dispatcher"]

_RETURNED: Final = GET_DATA_RESULT.codec()
_RESULTS: Final = SequenceOf(GET_DATA_RESULT).codec()

_SET_IN_BLOCKS: Final = Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
_ACTION_IN_BLOCKS: Final = Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION
_LISTS: Final = Conformance.MULTIPLE_REFERENCES
_NEEDED: Final[Mapping[type[Apdu], Conformance]] = {
    GetRequestNormal: Conformance.GET,
    GetRequestNext: Conformance.GET,
    GetRequestWithList: Conformance.GET | Conformance.MULTIPLE_REFERENCES,
    SetRequestNormal: Conformance.SET,
    SetRequestWithFirstDataBlock: _SET_IN_BLOCKS,
    SetRequestWithDataBlock: _SET_IN_BLOCKS,
    SetRequestWithList: Conformance.SET | _LISTS,
    SetRequestWithListAndFirstDataBlock: _SET_IN_BLOCKS | _LISTS,
    ActionRequestNormal: Conformance.ACTION,
    ActionRequestWithFirstPblock: _ACTION_IN_BLOCKS,
    ActionRequestWithPblock: _ACTION_IN_BLOCKS,
    ActionRequestNextPblock: _ACTION_IN_BLOCKS,
    ActionRequestWithList: Conformance.ACTION | _LISTS,
    ActionRequestWithListAndFirstPblock: _ACTION_IN_BLOCKS | _LISTS,
    AccessRequest: Conformance.ACCESS,
}
"""What must have been negotiated for a request to be served."""

_CONTINUING: Final = frozenset(
    {GetRequestNext, SetRequestWithDataBlock, ActionRequestWithPblock, ActionRequestNextPblock}
)
"""Requests that go on with a long transfer; every other ends it."""


class Dispatcher:
    """Serves the requests of one association."""

    def __init__(
        self,
        host: ObjectHost,
        caller: Caller,
        sealed_size: Callable[[int, int], int] = lambda size, _tag: size,
    ) -> None:
        """`sealed_size`: how long an answer of so many octets with that tag is once it is protected."""
        self._host = Negotiated(host)
        self._caller = caller
        self._room = Room(caller.context, sealed_size)
        self._long_answer: LongAnswer | None = None
        self._long_request: LongRequest | None = None
        self._handlers: Mapping[type[Apdu], Callable[[Any], Apdu]] = {
            GetRequestNormal: self._get,
            GetRequestNext: self._get_next,
            GetRequestWithList: self._get_list,
            SetRequestNormal: self._set,
            SetRequestWithFirstDataBlock: self._set_first,
            SetRequestWithDataBlock: self._set_next,
            ActionRequestNormal: self._action,
            ActionRequestWithFirstPblock: self._action_first,
            ActionRequestWithPblock: self._action_next,
            ActionRequestNextPblock: self._returned_next,
            SetRequestWithList: self._set_list,
            SetRequestWithListAndFirstDataBlock: self._set_list_first,
            ActionRequestWithList: self._action_list,
            ActionRequestWithListAndFirstPblock: self._action_list_first,
            AccessRequest: self._access,
        }

    def answer(self, request: Apdu) -> Apdu | None:
        """The answer to a request; None where the request is unconfirmed and wants none."""
        answer = self._served(request)
        return answer if _is_confirmed(request) else None

    def _served(self, request: Apdu) -> Apdu:
        needed = _NEEDED.get(type(request))
        if needed is None:
            return _refused(ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED)
        if _selects(request):
            needed |= Conformance.SELECTIVE_ACCESS
        if needed & ~self._caller.context.conformance:
            return _refused(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.SERVICE_NOT_SUPPORTED)
        if type(request) not in _CONTINUING:
            self._long_answer = self._long_request = None
        return self._handlers[type(request)](request)

    def _get(self, request: GetRequestNormal) -> Apdu:
        invoke = request.invoke_id_and_priority
        result = self._host.get(self._caller, request.attribute, request.access_selection)
        whole = GetResponseNormal(invoke, result)
        if isinstance(result, DataAccessResult) or self._room.fits(whole):
            return whole
        return self._first_block(invoke, result.to_octets())

    def _get_list(self, request: GetRequestWithList) -> Apdu:
        invoke = request.invoke_id_and_priority
        results: tuple[Data | DataAccessResult, ...] = tuple(
            self._host.get(self._caller, each.attribute, each.access_selection) for each in request.attributes
        )
        whole = GetResponseWithList(invoke, results)
        if self._room.fits(whole):
            return whole
        raw = bytearray()
        _RESULTS.encode(results, raw)
        return self._first_block(invoke, bytes(raw))

    def _first_block(self, invoke: InvokeIdAndPriority, raw: bytes) -> Apdu:
        if not self._room.grants(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
            return GetResponseNormal(invoke, DataAccessResult.OTHER_REASON)
        self._long_answer = LongAnswer(GetRequestNext, _get_block, raw, self._room)
        return self._long_answer.next_block(invoke)

    def _get_next(self, request: GetRequestNext) -> Apdu:
        invoke, long_answer = request.invoke_id_and_priority, self._long_answer
        if long_answer is None or long_answer.following is not GetRequestNext:
            return _aborted(invoke, request.block_number, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
        if request.block_number != long_answer.number:
            self._long_answer = None
            given_up = request.block_number == 0
            reason = (
                DataAccessResult.LONG_GET_ABORTED if given_up else DataAccessResult.DATA_BLOCK_NUMBER_INVALID
            )
            return _aborted(invoke, request.block_number, reason)
        return self._answer_on(long_answer, invoke)

    def _answer_on(self, long_answer: LongAnswer, invoke: InvokeIdAndPriority) -> Apdu:
        block = long_answer.next_block(invoke)
        if long_answer.is_over:
            self._long_answer = None
        return block

    def _set(self, request: SetRequestNormal) -> Apdu:
        result = self._host.set(self._caller, request.attribute, request.value, request.access_selection)
        return SetResponseNormal(request.invoke_id_and_priority, result)

    def _set_first(self, request: SetRequestWithFirstDataBlock) -> Apdu:
        def finish(invoke: InvokeIdAndPriority, number: int, values: tuple[Data, ...]) -> Apdu:
            (value,) = values
            result = self._host.set(self._caller, request.attribute, value, request.access_selection)
            return SetResponseLastDataBlock(invoke, result, number)

        self._long_request = LongRequest(SET_BLOCKS, request.invoke_id_and_priority, finish)
        return self._take(self._long_request, request.invoke_id_and_priority, request.datablock)

    def _set_next(self, request: SetRequestWithDataBlock) -> Apdu:
        return self._take_next(SET_BLOCKS, request.invoke_id_and_priority, request.datablock)

    def _set_list(self, request: SetRequestWithList) -> Apdu:
        if len(request.values) != len(request.attributes):
            return _refused(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE)
        if not self._has_room_for_results(request):
            return _TOO_LONG
        results = self._set_all(request.attributes, request.values)
        return SetResponseWithList(request.invoke_id_and_priority, results)

    def _set_list_first(self, request: SetRequestWithListAndFirstDataBlock) -> Apdu:
        def finish(invoke: InvokeIdAndPriority, number: int, values: tuple[Data, ...]) -> Apdu:
            return SetResponseLastDataBlockWithList(invoke, self._set_all(request.attributes, values), number)

        if not self._has_room_for_results(request):
            return _TOO_LONG
        invoke = request.invoke_id_and_priority
        self._long_request = LongRequest(SET_BLOCKS, invoke, finish, len(request.attributes))
        return self._take(self._long_request, invoke, request.datablock)

    def _has_room_for_results(
        self, request: SetRequestWithList | SetRequestWithListAndFirstDataBlock
    ) -> bool:
        """Results of writing never go in blocks: where they are too many for the client, nothing is written."""
        results = (DataAccessResult.SUCCESS,) * len(request.attributes)
        return self._room.fits(
            SetResponseLastDataBlockWithList(request.invoke_id_and_priority, results, 0)
            if isinstance(request, SetRequestWithListAndFirstDataBlock)
            else SetResponseWithList(request.invoke_id_and_priority, results)
        )

    def _set_all(
        self, attributes: tuple[SelectedAttribute, ...], values: tuple[Data, ...]
    ) -> tuple[DataAccessResult, ...]:
        return tuple(
            self._host.set(self._caller, each.attribute, value, each.access_selection)
            for each, value in zip(attributes, values, strict=True)
        )

    def _take_next(self, service: BlockService, invoke: InvokeIdAndPriority, block: DataBlock) -> Apdu:
        """The next block of a long request, if there is one under this invoke id."""
        long_request = self._long_request
        if long_request is None or not long_request.goes_on_with(service.following, invoke):
            return service.refuse(invoke, block.block_number, Fault.NOTHING_IN_PROGRESS)
        return self._take(long_request, invoke, block)

    def _take(self, long_request: LongRequest, invoke: InvokeIdAndPriority, block: DataBlock) -> Apdu:
        answer = long_request.take(invoke, block)
        if long_request.is_over:
            self._long_request = None
        return answer

    def _action(self, request: ActionRequestNormal) -> Apdu:
        outcome = self._host.invoke(self._caller, request.method, request.parameters)
        return self._called(request.invoke_id_and_priority, outcome)

    def _action_first(self, request: ActionRequestWithFirstPblock) -> Apdu:
        def finish(invoke: InvokeIdAndPriority, _number: int, values: tuple[Data, ...]) -> Apdu:
            (parameters,) = values
            return self._called(invoke, self._host.invoke(self._caller, request.method, parameters))

        self._long_request = LongRequest(ACTION_BLOCKS, request.invoke_id_and_priority, finish)
        return self._take(self._long_request, request.invoke_id_and_priority, request.pblock)

    def _action_next(self, request: ActionRequestWithPblock) -> Apdu:
        return self._take_next(ACTION_BLOCKS, request.invoke_id_and_priority, request.pblock)

    def _called(self, invoke: InvokeIdAndPriority, outcome: ActionOutcome) -> Apdu:
        """What a method returned, in blocks where it is long. Where it cannot be had, it was called all the same."""
        result, returned = outcome.result, outcome.returned
        whole = ActionResponseNormal(invoke, result, returned)
        if returned is None or self._room.fits(whole):
            return whole
        if result is not ActionResult.SUCCESS:
            return ActionResponseNormal(invoke, result, None)
        if not self._room.grants(Conformance.BLOCK_TRANSFER_WITH_ACTION):
            return ActionResponseNormal(invoke, result, DataAccessResult.OTHER_REASON)
        return self._first_returned(invoke, _RETURNED.write(returned))

    def _first_returned(self, invoke: InvokeIdAndPriority, raw: bytes) -> Apdu:
        self._long_answer = LongAnswer(ActionRequestNextPblock, ActionResponseWithPblock, raw, self._room)
        return self._long_answer.next_block(invoke)

    def _action_list(self, request: ActionRequestWithList) -> Apdu:
        if len(request.parameters) != len(request.methods):
            return _refused(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE)
        return self._call_all(request.invoke_id_and_priority, request.methods, request.parameters)

    def _action_list_first(self, request: ActionRequestWithListAndFirstPblock) -> Apdu:
        def finish(invoke: InvokeIdAndPriority, _number: int, values: tuple[Data, ...]) -> Apdu:
            return self._call_all(invoke, request.methods, values)

        invoke = request.invoke_id_and_priority
        self._long_request = LongRequest(ACTION_BLOCKS, invoke, finish, len(request.methods))
        return self._take(self._long_request, invoke, request.pblock)

    def _call_all(
        self, invoke: InvokeIdAndPriority, methods: tuple[MethodDescriptor, ...], values: tuple[Data, ...]
    ) -> Apdu:
        """Null-data stands for a missing parameter. Where the answer cannot be had, the methods were called all the same."""
        outcomes = [
            self._host.invoke(self._caller, method, None if value.tag is DataTag.NULL_DATA else value)
            for method, value in zip(methods, values, strict=True)
        ]
        whole = ActionResponseWithList(
            invoke, tuple(ActionResponseWithOptionalData(each.result, each.returned) for each in outcomes)
        )
        if self._room.fits(whole):
            return whole
        if self._room.grants(Conformance.BLOCK_TRANSFER_WITH_ACTION):
            return self._first_returned(invoke, whole.to_octets()[3:])
        lost = DataAccessResult.OTHER_REASON
        short = (
            ActionResponseWithOptionalData(each.result, None if each.returned is None else lost)
            for each in outcomes
        )
        return ActionResponseWithList(invoke, tuple(short))

    def _access(self, request: AccessRequest) -> Apdu:
        """All parts are done, also where their answer is too long then and cannot be had."""
        if len(request.data) != len(request.specifications):
            return _refused(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE)
        whole = serve_access(self._host, self._caller, request)
        if self._room.fits(whole):
            return whole
        return _TOO_LONG

    def _returned_next(self, request: ActionRequestNextPblock) -> Apdu:
        invoke, long_answer = request.invoke_id_and_priority, self._long_answer
        if long_answer is None or long_answer.following is not ActionRequestNextPblock:
            return ACTION_BLOCKS.refuse(invoke, request.block_number, Fault.NOTHING_IN_PROGRESS)
        if request.block_number != long_answer.number:
            self._long_answer = None
            fault = Fault.WRONG_NUMBER if request.block_number else Fault.ABORTED
            return ACTION_BLOCKS.refuse(invoke, request.block_number, fault)
        return self._answer_on(long_answer, invoke)


def _is_confirmed(request: Apdu) -> bool:
    match request:
        case InvokedApdu():
            return request.invoke_id_and_priority.confirmed
        case LongInvokedApdu():
            return request.long_invoke_id_and_priority.confirmed
        case _:
            return True


def _selects(request: Apdu) -> bool:
    """Whether a part of an attribute is asked for, or written."""
    match request:
        case GetRequestNormal() | SetRequestNormal() | SetRequestWithFirstDataBlock():
            return request.access_selection is not None
        case GetRequestWithList() | SetRequestWithList() | SetRequestWithListAndFirstDataBlock():
            return any(each.access_selection is not None for each in request.attributes)
        case AccessRequest():
            selecting = AccessRequestGetWithSelection | AccessRequestSetWithSelection
            return any(isinstance(each, selecting) for each in request.specifications)
        case _:
            return False


def _get_block(invoke: InvokeIdAndPriority, block: DataBlock) -> Apdu:
    return GetResponseWithDataBlock(invoke, block.last_block, block.block_number, block.raw_data)


def _aborted(invoke: InvokeIdAndPriority, number: int, reason: DataAccessResult) -> Apdu:
    return GetResponseWithDataBlock(invoke, True, number, reason)


def _refused(state: ExceptionState, service: ExceptionService) -> Apdu:
    return ExceptionResponse(state, service, None)


_TOO_LONG: Final = _refused(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.PDU_TOO_LONG)
"""The answer does not fit what the client takes, and this service has no blocks to send it in."""
