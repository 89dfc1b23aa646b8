"""Reading: one attribute or a list of them, whole or in blocks (Green Book 9.4.6.3)."""

import struct
from collections.abc import Sequence
from typing import Final

from meterwright.apdu import (
    AttributeDescriptor,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SelectedAttribute,
    SelectiveAccess,
)
from meterwright.apdu.fields import GET_DATA_RESULT
from meterwright.association import Room
from meterwright.codec import SequenceOf
from meterwright.data import Data
from meterwright.errors import DataAccessError, LocalProtocolError, RemoteProtocolError
from meterwright.exchange.assembler import Assembler
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask, require_all_attributes
from meterwright.values import Conformance, DataAccessResult

__all__ = ["read", "read_list", "read_octets"]


def read(
    attribute: AttributeDescriptor, selection: SelectiveAccess | None = None, *, room: Room | None = None
) -> Exchange[Data]:
    """The value of one attribute, or the part of it that is selected. DataAccessError where the meter refuses it.

    LocalProtocolError where something is selected, and the meter did not grant selective access (`room`: what it did).
    """
    value = yield from _read(attribute, selection, room)
    return Data.from_octets(value) if isinstance(value, bytes) else value


def read_octets(
    attribute: AttributeDescriptor, selection: SelectiveAccess | None = None, *, room: Room | None = None
) -> Exchange[bytes]:
    """The same as octets: of a long answer no tree is made, and whether they are Data is for the caller to see."""
    value = yield from _read(attribute, selection, room)
    return value if isinstance(value, bytes) else value.to_octets()


def _read(
    attribute: AttributeDescriptor, selection: SelectiveAccess | None, room: Room | None
) -> Exchange[Data | bytes]:
    """The value as it came: as a tree in one answer, as octets in blocks."""
    about = str(attribute)
    if selection is not None and room is not None and not room.grants(Conformance.SELECTIVE_ACCESS):
        raise LocalProtocolError(
            "the meter did not grant selective access",
            layer="exchange",
            about=about,
            hint="read the whole attribute",
        )
    require_all_attributes(attribute, room, Conformance.ATTRIBUTE0_WITH_GET)
    answer = yield from ask(
        GetRequestNormal(CONFIRMED, attribute, selection),
        GetResponseNormal,
        GetResponseWithDataBlock,
        about=about,
    )
    if isinstance(answer, GetResponseNormal):
        return _value(answer.result, about)
    return (yield from _blocks(answer, about))


def read_list(attributes: Sequence[SelectedAttribute]) -> Exchange[tuple[Data | DataAccessResult, ...]]:
    """The values of several attributes in one request; what the meter refuses stands as its result."""
    about = f"a list of {len(attributes)} attributes"
    answer = yield from ask(
        GetRequestWithList(CONFIRMED, tuple(attributes)),
        GetResponseWithList,
        GetResponseWithDataBlock,
        about=about,
    )
    results = (
        answer.results
        if isinstance(answer, GetResponseWithList)
        else _results((yield from _blocks(answer, about)))
    )
    if len(results) != len(attributes):
        raise RemoteProtocolError(
            f"{len(results)} results for {len(attributes)} attributes", layer="exchange"
        )
    return results


def _value(result: Data | DataAccessResult, about: str) -> Data:
    if isinstance(result, DataAccessResult):
        raise DataAccessError(result, about=about)
    return result


_RESULTS: Final = SequenceOf(GET_DATA_RESULT).codec()


def _results(octets: bytes) -> tuple[Data | DataAccessResult, ...]:
    """The results that stand in the raw data of a long list answer."""
    try:
        results, end = _RESULTS.decode(octets, 0)
    except (IndexError, struct.error):
        raise RemoteProtocolError("the list of results ends too early", layer="exchange") from None
    if end != len(octets):
        raise RemoteProtocolError(f"{len(octets) - end} octets too many after the results", layer="exchange")
    return results


def _blocks(block: GetResponseWithDataBlock, about: str) -> Exchange[bytes]:
    """All raw data of a long answer whose first block is here already."""
    assembler = Assembler(about)
    while True:
        if isinstance(block.result, DataAccessResult):
            raise DataAccessError(block.result, about=about)
        assembler.add(block.block_number, block.result, last=block.last_block)
        if assembler.complete:
            return assembler.octets
        following = GetRequestNext(block.invoke_id_and_priority, block.block_number)
        block = yield from ask(following, GetResponseWithDataBlock, about=about, continues=True)
