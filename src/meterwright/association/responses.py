"""What a meter may answer to a request, and how an answer is recognised before it is decoded."""

from typing import Final

from meterwright.apdu import (
    AccessResponse,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    Apdu,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from meterwright.association.requests import InvokeId, LongInvokeId

__all__ = ["RESPONSES", "answered_id", "goes_on"]

RESPONSES: Final = (
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SetResponseNormal,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseWithList,
    ActionResponseNormal,
    ActionResponseWithPblock,
    ActionResponseWithList,
    ActionResponseNextPblock,
    AccessResponse,
)
"""Every answer that carries the invoke id of its request."""

_ACCESS: Final = AccessResponse.prefix[0]
_TAGS: Final = frozenset(response.prefix[0] for response in RESPONSES) - {_ACCESS}


def goes_on(apdu: Apdu) -> bool:
    """Whether more of the same transfer follows this answer, under its invoke id."""
    match apdu:
        case GetResponseWithDataBlock():
            return not apdu.last_block
        case ActionResponseWithPblock():
            return not apdu.pblock.last_block
        case _:
            return isinstance(apdu, SetResponseDataBlock | ActionResponseNextPblock)


def answered_id(octets: bytes) -> InvokeId | None:
    """The invoke id of octets that begin like such an answer, in plain; None for all others."""
    if len(octets) > 4 and octets[0] == _ACCESS:  # the options stand before the id
        return LongInvokeId(int.from_bytes(octets[2:5], "big"))
    return octets[2] & 0x0F if len(octets) > 2 and octets[0] in _TAGS else None
