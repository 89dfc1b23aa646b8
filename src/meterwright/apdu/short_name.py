"""The services of short-name referencing: Read, Write and UnconfirmedWrite (Green Book 9.3.11 on, ASN.1 in 9.5).

None carries an invoke id: an answer belongs to the one request that is open. Long requests and answers go in blocks, numbered
from 1. A list of names and its list of values need not be of one length: some clients write parameterless methods without.
"""

from typing import Annotated, TypeAlias

from meterwright.apdu.fields import DataValue, Flag, RawData
from meterwright.apdu.registry import APDUS
from meterwright.apdu.variable_access import ShortBlockNumber, VariableAccess
from meterwright.codec import Alternative, Apdu, Choice, Declared, Enumerated, Sequence, apdu, sequence
from meterwright.data import Data, DataField
from meterwright.values import DataAccessResult

__all__ = [
    "ReadBlockNumber",
    "ReadDataBlockResult",
    "ReadRequest",
    "ReadResponse",
    "ReadResult",
    "UnconfirmedWriteRequest",
    "WriteBlockNumber",
    "WriteRequest",
    "WriteResponse",
    "WriteResult",
    "WriteSuccess",
]


@sequence
class ReadDataBlockResult(Sequence):
    """One block of a long answer: all raw data together are the list of results."""

    last_block: Flag
    block_number: ShortBlockNumber
    raw_data: RawData


@sequence
class ReadBlockNumber(Sequence):
    """A block of a long ReadRequest has arrived; the next may come."""

    block_number: ShortBlockNumber


@sequence
class WriteSuccess(Sequence):
    """It is written."""


@sequence
class WriteBlockNumber(Sequence):
    """A block of a long WriteRequest has arrived; the next may come."""

    block_number: ShortBlockNumber


ReadResult: TypeAlias = Annotated[
    Data | DataAccessResult | ReadDataBlockResult | ReadBlockNumber,
    Choice(
        Alternative(0, Data, DataField()),
        Alternative(1, DataAccessResult, Enumerated(DataAccessResult)),
        Alternative(2, ReadDataBlockResult, Declared(ReadDataBlockResult)),
        Alternative(3, ReadBlockNumber, Declared(ReadBlockNumber)),
    ),
]
WriteResult: TypeAlias = Annotated[
    WriteSuccess | DataAccessResult | WriteBlockNumber,
    Choice(
        Alternative(0, WriteSuccess, Declared(WriteSuccess)),
        Alternative(1, DataAccessResult, Enumerated(DataAccessResult)),
        Alternative(2, WriteBlockNumber, Declared(WriteBlockNumber)),
    ),
]


@apdu(0x05, registry=APDUS)
class ReadRequest(Apdu):
    """Read attributes, or call methods for what they return."""

    variables: tuple[VariableAccess, ...]


@apdu(0x0C, registry=APDUS)
class ReadResponse(Apdu):
    """What each of them gave, in the order asked for."""

    results: tuple[ReadResult, ...]


@apdu(0x06, registry=APDUS)
class WriteRequest(Apdu):
    """Write attributes, or call methods."""

    variables: tuple[VariableAccess, ...]
    values: tuple[DataValue, ...]


@apdu(0x0D, registry=APDUS)
class WriteResponse(Apdu):
    """How each of it went, in the order asked for."""

    results: tuple[WriteResult, ...]


@apdu(0x16, registry=APDUS)
class UnconfirmedWriteRequest(Apdu):
    """Write attributes, or call methods; nothing answers it."""

    variables: tuple[VariableAccess, ...]
    values: tuple[DataValue, ...]
