"""Writing: one attribute or a list of them, whole or in blocks (Green Book 9.4.6.4)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from meterwright.apdu import (
    Apdu,
    AttributeDescriptor,
    DataBlock,
    SelectedAttribute,
    SelectiveAccess,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from meterwright.association import Room
from meterwright.codec import SequenceOf
from meterwright.data import Data, DataField
from meterwright.errors import DataAccessError, RemoteProtocolError
from meterwright.exchange.cutter import Cutter
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask, require_all_attributes, require_blocks
from meterwright.values import Conformance, DataAccessResult

__all__ = ["write", "write_list"]

_BLOCKS: Final = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
_VALUES: Final = SequenceOf(DataField()).codec()
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
    require_all_attributes(attribute, room, Conformance.ATTRIBUTE0_WITH_SET)
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


def write_list(
    values: Sequence[tuple[SelectedAttribute, Data]], *, room: Room | None = None
) -> Exchange[tuple[DataAccessResult, ...]]:
    """Write several attributes in one request; what became of each stands in its place. As `write`, in blocks if long."""
    about = f"a list of {len(values)} attributes"
    attributes, data = tuple(each for each, _ in values), tuple(value for _, value in values)
    whole = SetRequestWithList(CONFIRMED, attributes, data)
    results: tuple[DataAccessResult, ...]
    if room is None or room.fits(whole):
        answer = yield from ask(whole, SetResponseWithList, about=about)
        results = answer.results
    else:
        require_blocks(room, _BLOCKS, about)
        first = partial(SetRequestWithListAndFirstDataBlock, CONFIRMED, attributes)
        last = yield from _blocks(first, _VALUES.write(data), room, about)
        if not isinstance(last, SetResponseLastDataBlockWithList):
            raise DataAccessError(last.result, about=about)
        results = last.results
    if len(results) != len(values):
        raise RemoteProtocolError(
            f"{len(results)} results for {len(values)} attributes", layer="exchange", about=about
        )
    return results


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
