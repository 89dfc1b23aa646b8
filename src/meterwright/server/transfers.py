"""Long transfers of one association, seen by the meter: requests that come in blocks, answers that leave in them.

A block that is not the next ends its transfer, as does any other request; so does more than `LONGEST_REQUEST`.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from meterwright.apdu import (
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    Apdu,
    DataBlock,
    SetRequestWithDataBlock,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
)
from meterwright.association import Room
from meterwright.codec import SequenceOf
from meterwright.data import Data, DataField
from meterwright.errors import RemoteProtocolError
from meterwright.exchange import Assembler
from meterwright.values import ActionResult, DataAccessResult, InvokeIdAndPriority

__all__ = [
    "ACTION_BLOCKS",
    "ACTION_FAULTS",
    "LONGEST_REQUEST",
    "SET_BLOCKS",
    "BlockService",
    "Fault",
    "LongAnswer",
    "LongRequest",
]

LONGEST_REQUEST: Final = 1024 * 1024
"""Octets after which a long request is given up: what a meter takes at once is far less."""

_VALUES: Final = SequenceOf(DataField()).codec()

Finish: TypeAlias = Callable[[InvokeIdAndPriority, int, tuple[Data, ...]], Apdu]
"""What a request is answered that is whole now: its values, and the number of its last block."""
Shape: TypeAlias = Callable[[InvokeIdAndPriority, DataBlock], Apdu]


class Fault(Enum):
    """What can be wrong with a block."""

    NOTHING_IN_PROGRESS = auto()
    WRONG_NUMBER = auto()
    ABORTED = auto()
    UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class BlockService:
    """How a service goes on in blocks: the request that brings the next one, and how each is answered."""

    following: type[Apdu]
    acknowledge: Callable[[InvokeIdAndPriority, int], Apdu]
    refuse: Callable[[InvokeIdAndPriority, int, Fault], Apdu]


_SET_FAULTS: Final[Mapping[Fault, DataAccessResult]] = {
    Fault.NOTHING_IN_PROGRESS: DataAccessResult.NO_LONG_SET_IN_PROGRESS,
    Fault.WRONG_NUMBER: DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
    Fault.ABORTED: DataAccessResult.LONG_SET_ABORTED,
    Fault.UNREADABLE: DataAccessResult.OTHER_REASON,
}


def _refuse_set(invoke: InvokeIdAndPriority, number: int, fault: Fault) -> Apdu:
    return SetResponseLastDataBlock(invoke, _SET_FAULTS[fault], number)


ACTION_FAULTS: Final[Mapping[Fault, ActionResult]] = {
    Fault.NOTHING_IN_PROGRESS: ActionResult.NO_LONG_ACTION_IN_PROGRESS,
    Fault.WRONG_NUMBER: ActionResult.DATA_BLOCK_UNAVAILABLE,
    Fault.ABORTED: ActionResult.LONG_ACTION_ABORTED,
    Fault.UNREADABLE: ActionResult.OTHER_REASON,
}


def _refuse_action(invoke: InvokeIdAndPriority, _number: int, fault: Fault) -> Apdu:
    return ActionResponseNormal(invoke, ACTION_FAULTS[fault], None)


ACTION_BLOCKS: Final = BlockService(ActionRequestWithPblock, ActionResponseNextPblock, _refuse_action)
SET_BLOCKS: Final = BlockService(SetRequestWithDataBlock, SetResponseDataBlock, _refuse_set)


class LongRequest:
    """A request that comes in blocks under one invoke id. `count`: how many values it brings; None for one alone."""

    def __init__(
        self, service: BlockService, invoke: InvokeIdAndPriority, finish: Finish, count: int | None = None
    ) -> None:
        self.service = service
        self.is_over = False
        self._invoke = invoke
        self._finish = finish
        self._count = count
        self._assembler = Assembler("a long request", LONGEST_REQUEST)

    def goes_on_with(self, request: type[Apdu], invoke: InvokeIdAndPriority) -> bool:
        """Whether that request, under that invoke id, brings its next block."""
        return request is self.service.following and invoke.invoke_id == self._invoke.invoke_id

    def take(self, invoke: InvokeIdAndPriority, block: DataBlock) -> Apdu:
        """The answer to the next block."""
        self.is_over = True
        number = block.block_number
        if number != self._assembler.expected:
            return self.service.refuse(invoke, number, Fault.WRONG_NUMBER)
        try:
            self._assembler.add(number, block.raw_data, last=block.last_block)
        except RemoteProtocolError:
            return self.service.refuse(invoke, number, Fault.ABORTED)
        if not self._assembler.complete:
            self.is_over = False
            return self.service.acknowledge(invoke, number)
        try:
            values = _values(self._assembler.octets, self._count)
        except RemoteProtocolError:
            return self.service.refuse(invoke, number, Fault.UNREADABLE)
        return self._finish(invoke, number, values)


def _values(octets: bytes, count: int | None) -> tuple[Data, ...]:
    """The values in the raw data of a long request. RemoteProtocolError where they are others."""
    if count is None:
        return (Data.from_octets(octets),)
    try:
        values, end = _VALUES.decode(octets, 0)
    except (IndexError, struct.error):
        raise RemoteProtocolError("the list of values ends too early", layer="server") from None
    if end != len(octets) or len(values) != count:
        raise RemoteProtocolError(f"{len(values)} values for {count}, or octets too many", layer="server")
    return values


class LongAnswer:
    """The rest of a long answer, and the number of the block sent last. `following` asks for more, `shape` carries it."""

    def __init__(self, following: type[Apdu], shape: Shape, octets: bytes, room: Room) -> None:
        self.following = following
        self.number = 0
        self._shape = shape
        self._octets = octets
        self._room = room

    @property
    def is_over(self) -> bool:
        """Whether the last block has been sent."""
        return not self._octets

    def next_block(self, invoke: InvokeIdAndPriority) -> Apdu:
        """What goes out next: at least one octet, however little the client takes."""
        size = max(self._room.block_size(self._shape(invoke, DataBlock(False, 0, b""))), 1)
        raw, self._octets = self._octets[:size], self._octets[size:]
        self.number += 1
        return self._shape(invoke, DataBlock(self.is_over, self.number, raw))
