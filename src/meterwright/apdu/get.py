"""GET: reading attributes (Green Book 9.3.6). Long answers come in blocks, numbered from 1, asked for with next."""

from typing import Annotated, TypeAlias

from meterwright.apdu.fields import (
    AttributeDescriptor,
    BlockNumber,
    Flag,
    GetDataResult,
    InvokedApdu,
    SelectiveAccess,
)
from meterwright.apdu.registry import APDUS
from meterwright.codec import Alternative, Choice, Enumerated, OctetString, Sequence, apdu, sequence
from meterwright.values import DataAccessResult

__all__ = [
    "GetRequestNext",
    "GetRequestNormal",
    "GetRequestWithList",
    "GetResponse",
    "GetResponseNormal",
    "GetResponseWithDataBlock",
    "GetResponseWithList",
    "SelectedAttribute",
]

_GET_REQUEST, _GET_RESPONSE = 0xC0, 0xC4


@sequence
class SelectedAttribute(Sequence):
    """Cosem-Attribute-Descriptor-With-Selection: an attribute, or a part of it."""

    attribute: AttributeDescriptor
    access_selection: SelectiveAccess | None


@apdu(_GET_REQUEST, 1, registry=APDUS)
class GetRequestNormal(InvokedApdu):
    """Read one attribute."""

    attribute: AttributeDescriptor
    access_selection: SelectiveAccess | None


@apdu(_GET_REQUEST, 2, registry=APDUS)
class GetRequestNext(InvokedApdu):
    """Ask for the block after `block_number`; 0 gives the long answer up."""

    block_number: BlockNumber


@apdu(_GET_REQUEST, 3, registry=APDUS)
class GetRequestWithList(InvokedApdu):
    """Read several attributes at once."""

    attributes: tuple[SelectedAttribute, ...]


@apdu(_GET_RESPONSE, 1, registry=APDUS)
class GetResponseNormal(InvokedApdu):
    """The value of one attribute, or why there is none."""

    result: GetDataResult


@apdu(_GET_RESPONSE, 2, registry=APDUS, label="get-response-with-datablock")
class GetResponseWithDataBlock(InvokedApdu):
    """One block of a long answer. All raw data together are the Data, or the list of results of a list request."""

    last_block: Flag
    block_number: BlockNumber
    result: Annotated[
        bytes | DataAccessResult,
        Choice(
            Alternative(0, bytes, OctetString()),
            Alternative(1, DataAccessResult, Enumerated(DataAccessResult)),
        ),
    ]


@apdu(_GET_RESPONSE, 3, registry=APDUS)
class GetResponseWithList(InvokedApdu):
    """The values of several attributes, in the order asked for."""

    results: tuple[GetDataResult, ...]


GetResponse: TypeAlias = GetResponseNormal | GetResponseWithDataBlock | GetResponseWithList
