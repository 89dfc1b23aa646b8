"""From a request to its answer: which service asks the host what, and how long answers leave in blocks.

One `Dispatcher` serves one association. Services that were not negotiated, and those this meter does not offer, are
refused with an ExceptionResponse.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    InvokedApdu,
    SetRequestNormal,
    SetResponseNormal,
)
from meterwright.apdu.fields import GET_DATA_RESULT
from meterwright.association import LARGEST_PDU
from meterwright.codec import SequenceOf
from meterwright.data import Data
from meterwright.server.host import Caller, ObjectHost
from meterwright.values import (
    Conformance,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
)

__all__ = ["Dispatcher"]

_BLOCK_OVERHEAD: Final = 14
"""Octets of a get-response-with-datablock around its raw data: tags, invoke id, flags, number, length."""
_SMALLEST_BLOCK: Final = 1
_RESULTS: Final = SequenceOf(GET_DATA_RESULT).codec()

_NEEDED: Final[Mapping[type[Apdu], Conformance]] = {
    GetRequestNormal: Conformance.GET,
    GetRequestNext: Conformance.GET,
    GetRequestWithList: Conformance.GET | Conformance.MULTIPLE_REFERENCES,
    SetRequestNormal: Conformance.SET,
    ActionRequestNormal: Conformance.ACTION,
}
"""What must have been negotiated for a request to be served."""


class _LongGet:
    """The rest of a long answer, and the number of the block sent last."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.number = 0

    def next_block(self, size: int, invoke: InvokeIdAndPriority) -> GetResponseWithDataBlock:
        raw, self.octets = self.octets[:size], self.octets[size:]
        self.number += 1
        return GetResponseWithDataBlock(invoke, not self.octets, self.number, raw)


class Dispatcher:
    """Serves the requests of one association."""

    def __init__(
        self,
        host: ObjectHost,
        caller: Caller,
        sealed_size: Callable[[int, int], int] = lambda size, _tag: size,
    ) -> None:
        """`sealed_size`: how long an answer of so many octets with that tag is once it is protected."""
        self._host = host
        self._caller = caller
        self._sealed_size = sealed_size
        self._long_get: _LongGet | None = None
        self._handlers: Mapping[type[Apdu], Callable[[Any], Apdu]] = {
            GetRequestNormal: self._get,
            GetRequestNext: self._get_next,
            GetRequestWithList: self._get_list,
            SetRequestNormal: self._set,
            ActionRequestNormal: self._action,
        }

    def answer(self, request: Apdu) -> Apdu | None:
        """The answer to a request; None where the request is unconfirmed and wants none."""
        answer = self._served(request)
        confirmed = not isinstance(request, InvokedApdu) or request.invoke_id_and_priority.confirmed
        return answer if confirmed else None

    def _served(self, request: Apdu) -> Apdu:
        needed = _NEEDED.get(type(request))
        if needed is None:
            return _refused(ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED)
        if needed & ~self._caller.context.conformance:
            return _refused(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.SERVICE_NOT_SUPPORTED)
        if not isinstance(request, GetRequestNext):
            self._long_get = None
        return self._handlers[type(request)](request)

    def _get(self, request: GetRequestNormal) -> Apdu:
        invoke = request.invoke_id_and_priority
        result = self._host.get(self._caller, request.attribute, request.access_selection)
        whole = GetResponseNormal(invoke, result)
        if isinstance(result, DataAccessResult) or self._fits(whole):
            return whole
        return self._first_block(invoke, result.to_octets())

    def _get_list(self, request: GetRequestWithList) -> Apdu:
        invoke = request.invoke_id_and_priority
        results: tuple[Data | DataAccessResult, ...] = tuple(
            self._host.get(self._caller, each.attribute, each.access_selection) for each in request.attributes
        )
        whole = GetResponseWithList(invoke, results)
        if self._fits(whole):
            return whole
        raw = bytearray()
        _RESULTS.encode(results, raw)
        return self._first_block(invoke, bytes(raw))

    def _first_block(self, invoke: InvokeIdAndPriority, raw: bytes) -> Apdu:
        if Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ not in self._caller.context.conformance:
            return GetResponseNormal(invoke, DataAccessResult.OTHER_REASON)
        self._long_get = _LongGet(raw)
        return self._long_get.next_block(self._block_size, invoke)

    def _get_next(self, request: GetRequestNext) -> Apdu:
        invoke, long_get = request.invoke_id_and_priority, self._long_get
        if long_get is None:
            return _aborted(invoke, request.block_number, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
        if request.block_number != long_get.number:
            self._long_get = None
            given_up = request.block_number == 0
            reason = (
                DataAccessResult.LONG_GET_ABORTED if given_up else DataAccessResult.DATA_BLOCK_NUMBER_INVALID
            )
            return _aborted(invoke, request.block_number, reason)
        block = long_get.next_block(self._block_size, invoke)
        if block.last_block:
            self._long_get = None
        return block

    def _set(self, request: SetRequestNormal) -> Apdu:
        result = self._host.set(self._caller, request.attribute, request.value, request.access_selection)
        return SetResponseNormal(request.invoke_id_and_priority, result)

    def _action(self, request: ActionRequestNormal) -> Apdu:
        outcome = self._host.invoke(self._caller, request.method, request.parameters)
        return ActionResponseNormal(request.invoke_id_and_priority, outcome.result, outcome.returned)

    def _fits(self, answer: Apdu) -> bool:
        octets = answer.to_octets()
        return self._sealed_size(len(octets), octets[0]) <= self._largest_answer

    @property
    def _largest_answer(self) -> int:
        """In octets; a client without a limit of its own still has the link's."""
        return self._caller.context.max_send_pdu_size or LARGEST_PDU

    @property
    def _block_size(self) -> int:
        largest = self._largest_answer
        protection = self._sealed_size(largest, GetResponseWithDataBlock.prefix[0]) - largest
        return max(largest - protection - _BLOCK_OVERHEAD, _SMALLEST_BLOCK)


def _aborted(invoke: InvokeIdAndPriority, number: int, reason: DataAccessResult) -> Apdu:
    return GetResponseWithDataBlock(invoke, True, number, reason)


def _refused(state: ExceptionState, service: ExceptionService) -> Apdu:
    return ExceptionResponse(state, service, None)
