"""What a client may ask of a meter, how it is recognised before it is decoded, and how it is refused where it is none."""

from typing import Final

from meterwright.apdu import (
    AccessRequest,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
)
from meterwright.values import ExceptionService, ExceptionState

__all__ = ["NOT_NOW", "REQUESTS", "exception_for"]

REQUESTS: Final = (
    GetRequestNormal,
    GetRequestNext,
    GetRequestWithList,
    SetRequestNormal,
    SetRequestWithFirstDataBlock,
    SetRequestWithDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    ActionRequestNormal,
    ActionRequestNextPblock,
    ActionRequestWithList,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    AccessRequest,
)
"""Every request for a service."""

NOT_NOW: Final = ExceptionResponse(
    ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE, None
)
_UNKNOWN: Final = ExceptionResponse(
    ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED, None
)
_TAGS: Final = frozenset(request.prefix[0] for request in REQUESTS)


def exception_for(octets: bytes) -> ExceptionResponse:
    """How a meter refuses what is no legal request: the service is not known, or not allowed as it came."""
    return NOT_NOW if octets and octets[0] in _TAGS else _UNKNOWN
