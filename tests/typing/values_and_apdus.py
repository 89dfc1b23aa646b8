"""What is frozen, and what decoding and conversations give. Never run."""

from typing import assert_type

from meterwright.apdu import (
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    GetRequestNormal,
    GetResponseNormal,
    GetResponseWithDataBlock,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
    Unreadable,
    decode_apdu,
)
from meterwright.association import Context
from meterwright.data import Data, DataTag, DataType, array, enumerated, octet_string, unsigned
from meterwright.exchange import CONFIRMED, Exchange, ask, invoke, read, read_list, write
from meterwright.testing import AssociationPair, apdus, data_trees, run_in_virtual_time
from meterwright.values import DataAccessResult, InvokeIdAndPriority


def decoded(octets: bytes) -> None:
    """An APDU is narrowed to be looked into."""
    apdu = decode_apdu(octets)
    assert_type(apdu, Apdu)
    match apdu:
        case GetResponseNormal():
            assert_type(apdu.result, Data | DataAccessResult)
            assert_type(apdu.invoke_id_and_priority, InvokeIdAndPriority)
        case ActionResponseNormal():
            assert_type(apdu.return_parameters, Data | DataAccessResult | Unreadable | None)
        case GetRequestNormal():
            assert_type(apdu.access_selection, SelectiveAccess | None)
            assert_type(apdu.attribute.class_id, int)
        case _:
            apdu.result  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # not every APDU has one # noqa: B018


def made(attribute: AttributeDescriptor) -> None:
    """A constructor knows its fields."""
    GetRequestNormal(CONFIRMED, attribute, None)
    GetRequestNormal(CONFIRMED, attribute)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # optional is said, not left out
    GetRequestNormal(0xC1, attribute, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # an octet is no invoke id
    GetRequestNormal(CONFIRMED, "1.0.1.8.0.255", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a name is no descriptor


def frozen(apdu: GetRequestNormal, data: Data, context: Context, attribute: AttributeDescriptor) -> None:
    """Values do not change."""
    apdu.attribute = attribute  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # frozen
    attribute.class_id = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # frozen
    data.tag = DataTag.ARRAY  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # frozen
    context.max_send_pdu_size = 0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # frozen
    CONFIRMED.invoke_id = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # frozen


def data_types() -> None:
    """A data type knows what it stands for."""
    assert_type(unsigned, DataType[int])
    assert_type(array(octet_string), DataType[tuple[bytes, ...]])
    assert_type(enumerated(DataAccessResult).from_data(Data(DataTag.ENUM, 1)), DataAccessResult)
    unsigned("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # text
    array(unsigned)((b"5",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # octets


def conversation(attribute: AttributeDescriptor, method: MethodDescriptor) -> Exchange[int]:
    """What is asked for is what comes."""
    one = yield from ask(GetRequestNormal(CONFIRMED, attribute, None), GetResponseNormal)
    assert_type(one, GetResponseNormal)
    two = yield from ask(
        GetRequestNormal(CONFIRMED, attribute, None), GetResponseNormal, GetResponseWithDataBlock
    )
    assert_type(two, GetResponseNormal | GetResponseWithDataBlock)
    assert_type((yield from read(attribute)), Data)
    several = yield from read_list([SelectedAttribute(attribute, None)])
    assert_type(several, tuple[Data | DataAccessResult, ...])
    assert_type((yield from write(attribute, unsigned(1))), None)
    assert_type((yield from invoke(method)), Data | None)
    return 5


async def later() -> str:
    """For virtual time."""
    return "done"


def testing_tools(attribute: AttributeDescriptor, method: MethodDescriptor) -> None:
    """The testing room is typed as well."""
    assert_type(AssociationPair().converse(conversation(attribute, method)), int)
    assert_type(run_in_virtual_time(later()), str)
    assert_type(apdus(GetResponseNormal).example(), GetResponseNormal)
    assert_type(apdus().example(), Apdu)
    assert_type(data_trees().example(), Data)
