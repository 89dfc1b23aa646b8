"""ACTION: calling methods (Green Book 9.3.8). Long parameters and answers go in pblocks, numbered from 1."""

import struct
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from meterwright.apdu.fields import (
    GET_DATA_RESULT,
    ActionResultField,
    BlockNumber,
    DataBlock,
    DataValue,
    InvokedApdu,
    MethodDescriptor,
)
from meterwright.apdu.registry import APDUS
from meterwright.codec import Codec, Optional, Sequence, Span, apdu, sequence
from meterwright.data import Data, decode_data
from meterwright.errors import RemoteProtocolError
from meterwright.values import DataAccessResult

__all__ = [
    "ActionRequestNextPblock",
    "ActionRequestNormal",
    "ActionRequestWithFirstPblock",
    "ActionRequestWithList",
    "ActionRequestWithListAndFirstPblock",
    "ActionRequestWithPblock",
    "ActionResponse",
    "ActionResponseNextPblock",
    "ActionResponseNormal",
    "ActionResponseWithList",
    "ActionResponseWithOptionalData",
    "ActionResponseWithPblock",
    "Unreadable",
]

_ACTION_REQUEST, _ACTION_RESPONSE = 0xC3, 0xC7


@apdu(_ACTION_REQUEST, 1, registry=APDUS)
class ActionRequestNormal(InvokedApdu):
    """Call one method."""

    method: MethodDescriptor
    parameters: DataValue | None


@apdu(_ACTION_REQUEST, 2, registry=APDUS, label="action-request-next-pblock")
class ActionRequestNextPblock(InvokedApdu):
    """Ask for the next block of a long answer."""

    block_number: BlockNumber


@apdu(_ACTION_REQUEST, 3, registry=APDUS)
class ActionRequestWithList(InvokedApdu):
    """Call several methods at once; null-data stands for a missing parameter."""

    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[DataValue, ...]


@apdu(_ACTION_REQUEST, 4, registry=APDUS)
class ActionRequestWithFirstPblock(InvokedApdu):
    """Begin to call a method whose parameter goes in blocks."""

    method: MethodDescriptor
    pblock: DataBlock


@apdu(_ACTION_REQUEST, 5, registry=APDUS)
class ActionRequestWithListAndFirstPblock(InvokedApdu):
    """Begin to call several methods whose parameters go in blocks."""

    methods: tuple[MethodDescriptor, ...]
    pblock: DataBlock


@apdu(_ACTION_REQUEST, 6, registry=APDUS)
class ActionRequestWithPblock(InvokedApdu):
    """The next block of long parameters."""

    pblock: DataBlock


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Return parameters that break the standard: kept as they came, so that the result before them is not lost.

    `octets` is everything from the presence octet on; `offset` (from the start of the APDU) is where it became illegal.
    """

    octets: bytes
    offset: int
    problem: str


ReturnParameters: TypeAlias = Data | DataAccessResult | Unreadable | None


class _ReturnParametersField:
    """OPTIONAL Get-Data-Result at the end of an APDU, read with the patience that meters in the field need.

    * the presence octet is missing altogether: taken as absent;
    * the choice octet before the Data is missing (a Texas Instruments stack): taken as Data if it fits exactly;
    * anything else illegal: `Unreadable`, because a meter that reports a failure says so in the octet before.
    """

    def codec(self) -> Codec[ReturnParameters]:
        standard = Optional(GET_DATA_RESULT).codec()

        def write(value: ReturnParameters) -> bytes:
            return value.octets if isinstance(value, Unreadable) else standard.write(value)

        def decode(octets: bytes, position: int) -> tuple[ReturnParameters, int]:
            end_of_apdu = len(octets)
            if position == end_of_apdu:
                return None, position
            try:
                value, end = standard.decode(octets, position)
                problem, offset = "octets too many after the return parameters", end
            except RemoteProtocolError as error:
                value, end = None, -1
                problem, offset = (
                    error.what,
                    end_of_apdu if error.where.offset is None else error.where.offset,
                )
            except (IndexError, struct.error):
                value, end = None, -1
                problem, offset = "the octets end too early", end_of_apdu
            if end == end_of_apdu:
                return value, end
            bare = _bare_data(octets, position)
            return bare or Unreadable(octets[position:], offset, problem), end_of_apdu

        def trace(octets: bytes, position: int, span: Span) -> tuple[ReturnParameters, int]:
            by_the_book = _traced_whole(standard, octets, position)
            span.children += [] if by_the_book is None else by_the_book.children
            return decode(octets, position)

        return Codec(write, decode, trace)


def _traced_whole(standard: Codec[Any], octets: bytes, position: int) -> Span | None:
    """The trace of return parameters that are by the book and end where the APDU ends; None where they are not."""
    span = Span("return-parameters", position)
    try:
        _, end = standard.trace(octets, position, span)
    except (RemoteProtocolError, IndexError, struct.error):
        return None
    return span if end == len(octets) else None


def _bare_data(octets: bytes, position: int) -> Data | None:
    """Data right after the presence octet, without its choice octet, if that is what the rest is."""
    if octets[position] != 1 or octets[position + 1 : position + 2] == b"\x00":
        return None  # 01 00 is the standard's own beginning, cut off: no null-data without its choice
    try:
        data, end = decode_data(octets, position + 1)
    except RemoteProtocolError:
        return None
    return data if end == len(octets) else None


@apdu(_ACTION_RESPONSE, 1, registry=APDUS)
class ActionResponseNormal(InvokedApdu):
    """The outcome of one call, and what the method returned."""

    result: ActionResultField
    return_parameters: Annotated[ReturnParameters, _ReturnParametersField()]


@apdu(_ACTION_RESPONSE, 2, registry=APDUS)
class ActionResponseWithPblock(InvokedApdu):
    """One block of a long answer."""

    pblock: DataBlock


@sequence
class ActionResponseWithOptionalData(Sequence):
    """Action-Response-With-Optional-Data: the outcome of one call in a list."""

    result: ActionResultField
    return_parameters: Annotated[Data | DataAccessResult | None, Optional(GET_DATA_RESULT)]


@apdu(_ACTION_RESPONSE, 3, registry=APDUS)
class ActionResponseWithList(InvokedApdu):
    """The outcomes of several calls, in the order asked for."""

    responses: tuple[ActionResponseWithOptionalData, ...]


@apdu(_ACTION_RESPONSE, 4, registry=APDUS, label="action-response-next-pblock")
class ActionResponseNextPblock(InvokedApdu):
    """A block of parameters has arrived; the next may come."""

    block_number: BlockNumber


ActionResponse: TypeAlias = (
    ActionResponseNormal | ActionResponseWithPblock | ActionResponseWithList | ActionResponseNextPblock
)
