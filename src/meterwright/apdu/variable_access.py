"""Variable-Access-Specification: what a service in short-name referencing is about (Green Book 9.5, ASN.1).

A short name is the book's Integer16, here without a sign, as everybody writes it: FA00.
"""

from typing import Annotated, TypeAlias

from meterwright.apdu.fields import DataValue, Flag, RawData
from meterwright.codec import Alternative, Choice, Declared, Sequence, Unsigned, sequence

__all__ = [
    "BlockNumberAccess",
    "ParameterizedAccess",
    "ReadDataBlockAccess",
    "ShortBlockNumber",
    "ShortName",
    "VariableAccess",
    "VariableName",
    "WriteDataBlockAccess",
]

ShortName: TypeAlias = Annotated[int, Unsigned(2)]
ShortBlockNumber: TypeAlias = Annotated[int, Unsigned(2)]
"""The number of a block; in short-name referencing it has two octets."""


@sequence
class VariableName(Sequence):
    """An attribute or a method, by its short name."""

    variable_name: ShortName


@sequence
class ParameterizedAccess(Sequence):
    """A part of an attribute, or a method that is read for what it returns (selector 0)."""

    variable_name: ShortName
    selector: Annotated[int, Unsigned(1)]
    parameter: DataValue


@sequence
class BlockNumberAccess(Sequence):
    """The next block of a long answer: the number of the one that has arrived."""

    block_number: ShortBlockNumber


@sequence
class ReadDataBlockAccess(Sequence):
    """One block of a long ReadRequest."""

    last_block: Flag
    block_number: ShortBlockNumber
    raw_data: RawData


@sequence
class WriteDataBlockAccess(Sequence):
    """One block of a long WriteRequest; its octets stand among the data."""

    last_block: Flag
    block_number: ShortBlockNumber


VariableAccess: TypeAlias = Annotated[
    VariableName | ParameterizedAccess | BlockNumberAccess | ReadDataBlockAccess | WriteDataBlockAccess,
    Choice(
        Alternative(2, VariableName, Declared(VariableName)),
        Alternative(4, ParameterizedAccess, Declared(ParameterizedAccess)),
        Alternative(5, BlockNumberAccess, Declared(BlockNumberAccess)),
        Alternative(6, ReadDataBlockAccess, Declared(ReadDataBlockAccess)),
        Alternative(7, WriteDataBlockAccess, Declared(WriteDataBlockAccess)),
    ),
]
