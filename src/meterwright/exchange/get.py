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
from meterwright.codec import SequenceOf
from meterwright.data import Data
from meterwright.errors import DataAccessError, RemoteProtocolError
from meterwright.exchange.assembler import Assembler
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask
from meterwright.values import DataAccessResult

__all__ = ["read", "read_list"]


def read(attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> Exchange[Data]:
    """The value of one attribute. DataAccessError where the meter refuses it."""
    about = str(attribute)
    answer = yield from ask(
        GetRequestNormal(CONFIRMED, attribute, selection),
        GetResponseNormal,
        GetResponseWithDataBlock,
        about=about,
    )
    if isinstance(answer, GetResponseNormal):
        return _value(answer.result, about)
    octets = yield from _blocks(answer, about)
    return Data.from_octets(octets)


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
