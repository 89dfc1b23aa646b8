"""What a meter may answer to a request, and how an answer is recognised before it is decoded."""

from typing import Final

from meterwright.apdu import (
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
    SetResponseWithList,
)

__all__ = ["RESPONSES", "invoke_id_of"]

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


def invoke_id_of(octets: bytes) -> int | None:
    """The invoke id of octets that begin like such an answer, in plain; None for all others."""
    return octets[2] & 0x0F if len(octets) > 2 and octets[0] in _TAGS else None
