"""What a meter may answer to a request, and how an answer is recognised before it is decoded."""

from typing import Final

from meterwright.apdu import (
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

__all__ = ["RESPONSES", "goes_on", "invoke_id_of"]

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
)
"""Every answer that carries the invoke id of its request."""

_TAGS: Final = frozenset(response.prefix[0] for response in RESPONSES)


def goes_on(apdu: Apdu) -> bool:
    """Whether more of the same transfer follows this answer, under its invoke id."""
    match apdu:
        case GetResponseWithDataBlock():
            return not apdu.last_block
        case ActionResponseWithPblock():
            return not apdu.pblock.last_block
        case _:
            return isinstance(apdu, SetResponseDataBlock | ActionResponseNextPblock)


def invoke_id_of(octets: bytes) -> int | None:
    """The invoke id of octets that begin like such an answer, in plain; None for all others."""
    return octets[2] & 0x0F if len(octets) > 2 and octets[0] in _TAGS else None
