"""Calling one method or a list of them; long parameters and long answers go in pblocks (Green Book 9.4.6.5).

An image block never does: its size is the meter's own, and whether it may go in pieces is for the update to decide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

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
    ActionResponseWithPblock,
    Apdu,
    DataBlock,
    MethodDescriptor,
    Unreadable,
    decode_apdu,
)
from meterwright.association import Room
from meterwright.codec import SequenceOf
from meterwright.data import Data, DataField, null_data
from meterwright.errors import ActionError, DataAccessError, RemoteProtocolError
from meterwright.exchange.assembler import Assembler
from meterwright.exchange.cutter import Cutter
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask, require_blocks
from meterwright.values import ActionResult, Conformance, DataAccessResult

__all__ = ["Called", "invoke", "invoke_list"]

_BLOCKS: Final = Conformance.BLOCK_TRANSFER_WITH_ACTION
_PARAMETERS: Final = SequenceOf(DataField()).codec()
_NEVER_IN_BLOCKS: Final = frozenset({(18, 2)})
"""Class and method: image_block_transfer."""
_Answer: TypeAlias = ActionResponseNormal | ActionResponseWithPblock | ActionResponseWithList


def invoke(
    method: MethodDescriptor, parameters: Data | None = None, *, room: Room | None = None
) -> Exchange[Data | None]:
    """Call one method and return what it returned, or None. ActionError where the meter refuses it.

    A result inside the return parameters counts too: meters exist that say success outside and an error inside.
    Parameters that do not fit the `room` there is go in blocks. LocalProtocolError where the meter did not grant those.
    """
    about = str(method)
    whole = ActionRequestNormal(CONFIRMED, method, parameters)
    answer: _Answer
    if room is None or parameters is None or _stays_whole(method) or room.fits(whole):
        answer = yield from ask(whole, ActionResponseNormal, ActionResponseWithPblock, about=about)
    else:
        require_blocks(room, _BLOCKS, about)
        first = partial(ActionRequestWithFirstPblock, CONFIRMED, method)
        answer = yield from _send(first, parameters.to_octets(), room, about)
    if isinstance(answer, ActionResponseWithPblock):
        answer = _one_response((yield from _returned(answer, about)))
    if isinstance(answer, ActionResponseWithList):
        raise RemoteProtocolError(
            f"{answer.label} where one result is expected", layer="exchange", about=about
        )
    return _judged(answer, about)


@dataclass(frozen=True, slots=True)
class Called:
    """What became of one call of several, and what it returned: data, a result of its own, or nothing."""

    result: ActionResult
    returned: Data | DataAccessResult | None = None


def invoke_list(
    calls: Sequence[tuple[MethodDescriptor, Data | None]], *, room: Room | None = None
) -> Exchange[tuple[Called, ...]]:
    """Call several methods in one request; what became of each stands in its place. As `invoke`, in blocks if long."""
    about = f"a list of {len(calls)} methods"
    methods = tuple(method for method, _ in calls)
    parameters = tuple(null_data(None) if each is None else each for _, each in calls)
    whole = ActionRequestWithList(CONFIRMED, methods, parameters)
    answer: _Answer
    if room is None or any(map(_stays_whole, methods)) or room.fits(whole):
        answer = yield from ask(whole, ActionResponseWithList, ActionResponseWithPblock, about=about)
    else:
        require_blocks(room, _BLOCKS, about)
        first = partial(ActionRequestWithListAndFirstPblock, CONFIRMED, methods)
        answer = yield from _send(first, _PARAMETERS.write(parameters), room, about)
    if isinstance(answer, ActionResponseWithPblock):
        head = ActionResponseWithList.prefix + bytes((CONFIRMED.to_octet(),))
        read = decode_apdu(head + (yield from _returned(answer, about)))
    else:
        read = answer
    if isinstance(read, ActionResponseNormal):
        raise ActionError(read.result, about=about)
    if not isinstance(read, ActionResponseWithList) or len(read.responses) != len(calls):
        raise RemoteProtocolError(f"other than {len(calls)} results", layer="exchange", about=about)
    return tuple(Called(each.result, each.return_parameters) for each in read.responses)


def _stays_whole(method: MethodDescriptor) -> bool:
    return (method.class_id, method.method_id) in _NEVER_IN_BLOCKS


def _send(first: Callable[[DataBlock], Apdu], octets: bytes, room: Room, about: str) -> Exchange[_Answer]:
    """All blocks of long parameters, and what is answered to them. A meter may refuse them before the last one."""
    cutter = Cutter(octets, room, about)
    request, continues = cutter.next(first), False
    while True:
        answer = yield from ask(
            request,
            ActionResponseNextPblock,
            ActionResponseNormal,
            ActionResponseWithPblock,
            ActionResponseWithList,
            about=about,
            continues=continues,
        )
        if not isinstance(answer, ActionResponseNextPblock):
            break
        cutter.acknowledged(answer.block_number)
        following = partial(ActionRequestWithPblock, answer.invoke_id_and_priority)
        request, continues = cutter.next(following), True
    is_refusal = isinstance(answer, ActionResponseNormal) and answer.result is not ActionResult.SUCCESS
    if not cutter.is_done and not is_refusal:
        raise RemoteProtocolError("an answer before the last block", layer="exchange", about=about)
    return answer


def _returned(block: ActionResponseWithPblock, about: str) -> Exchange[bytes]:
    """All raw data of a long answer whose first block is here already."""
    assembler = Assembler(about)
    while True:
        number = block.pblock.block_number
        assembler.add(number, block.pblock.raw_data, last=block.pblock.last_block)
        if assembler.complete:
            return assembler.octets
        following = ActionRequestNextPblock(block.invoke_id_and_priority, number)
        answer = yield from ask(
            following, ActionResponseWithPblock, ActionResponseNormal, about=about, continues=True
        )
        if isinstance(answer, ActionResponseNormal):
            _judged(answer, about)
            raise RemoteProtocolError("success in the midst of the blocks", layer="exchange", about=about)
        block = answer


def _one_response(octets: bytes) -> ActionResponseNormal:
    """What the raw data of a long answer mean. The book leaves open what they hold, and meters differ.

    Some send the return parameters with their choice octet, some bare Data, some all that a short answer would hold.
    """
    head = ActionResponseNormal.prefix + bytes((CONFIRMED.to_octet(),))
    answer = decode_apdu(head + _SUCCESS_WITH + octets)
    if not isinstance(answer, ActionResponseNormal) or isinstance(answer.return_parameters, Unreadable):
        answer = decode_apdu(head + octets)
    if not isinstance(answer, ActionResponseNormal):
        raise RemoteProtocolError("a long answer that is none", layer="exchange")
    return answer


_SUCCESS_WITH: Final = b"\x00\x01"
"""The result, and that return parameters follow."""


def _judged(answer: ActionResponseNormal, about: str) -> Data | None:
    returned = answer.return_parameters
    if answer.result is not ActionResult.SUCCESS:
        raise ActionError(answer.result, about=about)
    if isinstance(returned, Unreadable):
        raise RemoteProtocolError(
            f"the return parameters cannot be read: {returned.problem}",
            offset=returned.offset,
            layer="apdu",
            about=about,
        )
    if isinstance(returned, DataAccessResult):
        if returned is not DataAccessResult.SUCCESS:
            raise DataAccessError(returned, about=about)
        return None
    return returned
