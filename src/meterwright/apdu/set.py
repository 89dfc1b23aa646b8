"""SET: writing attributes (Green Book 9.3.7). Long requests go in blocks, numbered from 1, each acknowledged."""

from typing import TypeAlias

from meterwright.apdu.fields import (
    AttributeDescriptor,
    BlockNumber,
    DataAccessResultField,
    DataBlock,
    DataValue,
    InvokedApdu,
    SelectiveAccess,
)
from meterwright.apdu.get import SelectedAttribute
from meterwright.apdu.registry import APDUS
from meterwright.codec import apdu

__all__ = [
    "SetRequestNormal",
    "SetRequestWithDataBlock",
    "SetRequestWithFirstDataBlock",
    "SetRequestWithList",
    "SetRequestWithListAndFirstDataBlock",
    "SetResponse",
    "SetResponseDataBlock",
    "SetResponseLastDataBlock",
    "SetResponseLastDataBlockWithList",
    "SetResponseNormal",
    "SetResponseWithList",
]

_SET_REQUEST, _SET_RESPONSE = 0xC1, 0xC5


@apdu(_SET_REQUEST, 1, registry=APDUS)
class SetRequestNormal(InvokedApdu):
    """Write one attribute."""

    attribute: AttributeDescriptor
    access_selection: SelectiveAccess | None
    value: DataValue


@apdu(_SET_REQUEST, 2, registry=APDUS, label="set-request-with-first-datablock")
class SetRequestWithFirstDataBlock(InvokedApdu):
    """Begin to write one attribute in blocks."""

    attribute: AttributeDescriptor
    access_selection: SelectiveAccess | None
    datablock: DataBlock


@apdu(_SET_REQUEST, 3, registry=APDUS, label="set-request-with-datablock")
class SetRequestWithDataBlock(InvokedApdu):
    """The next block of a long write."""

    datablock: DataBlock


@apdu(_SET_REQUEST, 4, registry=APDUS)
class SetRequestWithList(InvokedApdu):
    """Write several attributes at once."""

    attributes: tuple[SelectedAttribute, ...]
    values: tuple[DataValue, ...]


@apdu(_SET_REQUEST, 5, registry=APDUS, label="set-request-with-list-and-first-datablock")
class SetRequestWithListAndFirstDataBlock(InvokedApdu):
    """Begin to write several attributes in blocks."""

    attributes: tuple[SelectedAttribute, ...]
    datablock: DataBlock


@apdu(_SET_RESPONSE, 1, registry=APDUS)
class SetResponseNormal(InvokedApdu):
    """The outcome of one write."""

    result: DataAccessResultField


@apdu(_SET_RESPONSE, 2, registry=APDUS, label="set-response-datablock")
class SetResponseDataBlock(InvokedApdu):
    """A block has arrived; the next may come."""

    block_number: BlockNumber


@apdu(_SET_RESPONSE, 3, registry=APDUS, label="set-response-last-datablock")
class SetResponseLastDataBlock(InvokedApdu):
    """The outcome of a long write."""

    result: DataAccessResultField
    block_number: BlockNumber


@apdu(_SET_RESPONSE, 4, registry=APDUS, label="set-response-last-datablock-with-list")
class SetResponseLastDataBlockWithList(InvokedApdu):
    """The outcomes of a long write of several attributes."""

    results: tuple[DataAccessResultField, ...]
    block_number: BlockNumber


@apdu(_SET_RESPONSE, 5, registry=APDUS)
class SetResponseWithList(InvokedApdu):
    """The outcomes of several writes."""

    results: tuple[DataAccessResultField, ...]


SetResponse: TypeAlias = (
    SetResponseNormal
    | SetResponseDataBlock
    | SetResponseLastDataBlock
    | SetResponseLastDataBlockWithList
    | SetResponseWithList
)
