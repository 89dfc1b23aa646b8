"""The fields that the services share: invoke id and priority, descriptors, selective access, results (Green Book 9.5)."""

from operator import attrgetter
from typing import Annotated, Final, TypeAlias

from meterwright.codec import (
    Alternative,
    Apdu,
    Boolean,
    Choice,
    Codec,
    Enumerated,
    FixedOctets,
    Mapped,
    OctetString,
    Sequence,
    Signed,
    Unsigned,
    sequence,
)
from meterwright.data import Data, DataField
from meterwright.errors import RemoteProtocolError
from meterwright.values import (
    ActionResult,
    CosemDateTime,
    DataAccessResult,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
    Obis,
)

__all__ = [
    "GET_DATA_RESULT",
    "ActionResultField",
    "AttributeDescriptor",
    "BlockNumber",
    "DataAccessResultField",
    "DataBlock",
    "DataValue",
    "Flag",
    "GetDataResult",
    "InvokedApdu",
    "LongInvokeIdField",
    "LongInvokedApdu",
    "MethodDescriptor",
    "OptionalDateTime",
    "RawData",
    "SelectiveAccess",
]

DataValue: TypeAlias = Annotated[Data, DataField()]
DataAccessResultField: TypeAlias = Annotated[DataAccessResult, Enumerated(DataAccessResult)]
ActionResultField: TypeAlias = Annotated[ActionResult, Enumerated(ActionResult)]
BlockNumber: TypeAlias = Annotated[int, Unsigned(4)]
Flag: TypeAlias = Annotated[bool, Boolean()]
RawData: TypeAlias = Annotated[bytes, OctetString()]
LongInvokeIdField: TypeAlias = Annotated[
    LongInvokeIdAndPriority,
    Mapped(Unsigned(4), LongInvokeIdAndPriority.from_int, LongInvokeIdAndPriority.to_int),
]
GET_DATA_RESULT: Final = Choice(
    Alternative(0, Data, DataField()), Alternative(1, DataAccessResult, Enumerated(DataAccessResult))
)
"""Get-Data-Result: the value, or why there is none."""
GetDataResult: TypeAlias = Annotated[Data | DataAccessResult, GET_DATA_RESULT]


@sequence
class InvokedApdu(Apdu):
    """An APDU that starts with an invoke-id-and-priority octet, by which its answer is known."""

    invoke_id_and_priority: Annotated[
        InvokeIdAndPriority, Mapped(Unsigned(1), InvokeIdAndPriority.from_octet, InvokeIdAndPriority.to_octet)
    ]

    @property
    def invoke_id(self) -> int:
        """0 to 15."""
        return self.invoke_id_and_priority.invoke_id


@sequence
class LongInvokedApdu(Apdu):
    """An APDU that starts with a long-invoke-id-and-priority: ACCESS, and what is pushed and confirmed."""

    long_invoke_id_and_priority: LongInvokeIdField

    @property
    def invoke_id(self) -> int:
        """24 bits."""
        return self.long_invoke_id_and_priority.invoke_id


@sequence
class AttributeDescriptor(Sequence):
    """COSEM-Attribute-Descriptor: class, logical name, attribute (0 means all of them)."""

    class_id: Annotated[int, Unsigned(2)]
    instance_id: Annotated[Obis, Mapped(FixedOctets(6), Obis, attrgetter("octets"))]
    attribute_id: Annotated[int, Signed(1)]

    def __str__(self) -> str:
        return f"{self.class_id}/{self.instance_id}/{self.attribute_id}"


@sequence
class MethodDescriptor(Sequence):
    """COSEM-Method-Descriptor: class, logical name, method."""

    class_id: Annotated[int, Unsigned(2)]
    instance_id: Annotated[Obis, Mapped(FixedOctets(6), Obis, attrgetter("octets"))]
    method_id: Annotated[int, Signed(1)]

    def __str__(self) -> str:
        return f"{self.class_id}/{self.instance_id}/method {self.method_id}"


@sequence
class SelectiveAccess(Sequence):
    """Selective-Access-Descriptor: which part of an attribute; selector and parameters are the class's own."""

    access_selector: Annotated[int, Unsigned(1)]
    access_parameters: DataValue


@sequence
class DataBlock(Sequence):
    """DataBlock-SA: a block of what a long SET or ACTION sends. Numbers start at 1."""

    last_block: Flag
    block_number: BlockNumber
    raw_data: RawData


class OptionalDateTime:
    """OCTET STRING (SIZE (0 | 12)): a date-time that may be empty.

    Kaifa meters put a data tag (09) before the length: taken as what it means.
    """

    def codec(self) -> Codec[CosemDateTime | None]:
        inner = OctetString().codec()

        def write(value: CosemDateTime | None) -> bytes:
            return inner.write(b"" if value is None else value.to_octets())

        def decode(octets: bytes, position: int) -> tuple[CosemDateTime | None, int]:
            if octets[position] == 0x09 and octets[position + 1 : position + 2] == b"\x0c":
                position += 1
            content, end = inner.decode(octets, position)
            if len(content) not in (0, 12):
                raise RemoteProtocolError(
                    f"a date-time of {len(content)} octets: 0 or 12 are legal", offset=position, layer="apdu"
                )
            return (CosemDateTime.from_octets(content) if content else None), end

        return Codec(write, decode)
