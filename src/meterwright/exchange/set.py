"""Writing: one attribute, whole or in blocks (Green Book 9.4.6.4)."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from meterwright.apdu import (
    Apdu,
    AttributeDescriptor,
    DataBlock,
    SelectiveAccess,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
)
from meterwright.association import Room
from meterwright.data import Data
from meterwright.errors import DataAccessError, RemoteProtocolError
from meterwright.exchange.cutter import Cutter
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask, require_blocks
from meterwright.values import Conformance, DataAccessResult

__all__ = ["write"]

_BLOCKS: Final = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
_Last: TypeAlias = SetResponseNormal | SetResponseLastDataBlock | SetResponseLastDataBlockWithList


def write(
    attribute: AttributeDescriptor,
    value: Data,
    selection: SelectiveAccess | None = None,
    *,
    room: Room | None = None,
) -> Exchange[None]:
    """Write one attribute. DataAccessError where the meter refuses it.

    What does not fit the `room` there is goes in blocks. LocalProtocolError where the meter did not grant those.
    """
    about = str(attribute)
    whole = SetRequestNormal(CONFIRMED, attribute, selection, value)
    if room is None or room.fits(whole):
        answer = yield from ask(whole, SetResponseNormal, about=about)
        result = answer.result
    else:
        require_blocks(room, _BLOCKS, about)
        first = partial(SetRequestWithFirstDataBlock, CONFIRMED, attribute, selection)
        last = yield from _blocks(first, value.to_octets(), room, about)
        result = _one_result(last, about)
    if result is not DataAccessResult.SUCCESS:
        raise DataAccessError(result, about=about)


def _blocks(first: Callable[[DataBlock], Apdu], octets: bytes, room: Room, about: str) -> Exchange[_Last]:
    """All blocks of a long request, and the answer to it. A meter may refuse it before the last one."""
    cutter = Cutter(octets, room, about)
    request, continues = cutter.next(first), False
    while True:
        answer = yield from ask(
            request,
            SetResponseDataBlock,
            SetResponseNormal,
            SetResponseLastDataBlock,
            SetResponseLastDataBlockWithList,
            about=about,
            continues=continues,
        )
        if not isinstance(answer, SetResponseDataBlock):
            break
        cutter.acknowledged(answer.block_number)
        following = partial(SetRequestWithDataBlock, answer.invoke_id_and_priority)
        request, continues = cutter.next(following), True
    results = answer.results if isinstance(answer, SetResponseLastDataBlockWithList) else (answer.result,)
    if not cutter.is_done and DataAccessResult.SUCCESS in results:
        raise RemoteProtocolError("success before the last block", layer="exchange", about=about)
    return answer


def _one_result(answer: _Last, about: str) -> DataAccessResult:
    if isinstance(answer, SetResponseLastDataBlockWithList):
        raise RemoteProtocolError(
            f"{answer.label} where one result is expected", layer="exchange", about=about
        )
    return answer.result
