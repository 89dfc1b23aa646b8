"""Writing and calling several at once: whole, in blocks, and against answers that are none."""

import pytest
from tests.apdu.golden import SERIAL, TIME, VERIFY
from tests.association.secured import ATTRIBUTE, METHOD, apdus_passed
from tests.exchange.scripts import converse
from tests.exchange.test_long_requests import LONGEST_PDU, POLICIES, joined, sizes

from meterwright.apdu import (
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    ActionResponseWithPblock,
    Apdu,
    DataBlock,
    MethodDescriptor,
    SelectedAttribute,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseWithList,
    decode_apdu,
)
from meterwright.association import CLIENT_CONFORMANCE, Context, Room
from meterwright.cosem import AssociationIdentity
from meterwright.data import Data, integer, null_data, octet_string
from meterwright.errors import ActionError, DataAccessError, MeterwrightError, RemoteProtocolError
from meterwright.exchange import CONFIRMED, Ask, Called, invoke_list, write_list
from meterwright.values import ActionResult, DataAccessResult, InvokeIdAndPriority, Obis, SecurityPolicy

SEVEN = InvokeIdAndPriority(7)
OK, DENIED = DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED
SUCCESS, ABORTED = ActionResult.SUCCESS, ActionResult.LONG_ACTION_ABORTED
VALUES = [(SelectedAttribute(TIME, None), integer(1)), (SelectedAttribute(SERIAL, None), integer(2))]
CALLS: list[tuple[MethodDescriptor, Data | None]] = [(VERIFY, integer(0)), (VERIFY, None)]
TIGHT = Room(Context(AssociationIdentity("test"), CLIENT_CONFORMANCE, 32, 32))


def test_a_list_is_written_and_each_has_its_result() -> None:
    results, asked = converse(write_list(VALUES), [SetResponseWithList(SEVEN, (OK, DENIED))])
    assert results == (OK, DENIED)
    attributes = tuple(each for each, _ in VALUES)
    assert asked == [Ask(SetRequestWithList(CONFIRMED, attributes, (integer(1), integer(2))))]


def test_a_list_is_called_and_each_has_its_result() -> None:
    answer = ActionResponseWithList(
        SEVEN,
        (
            ActionResponseWithOptionalData(SUCCESS, integer(5)),
            ActionResponseWithOptionalData(ABORTED, None),
        ),
    )
    expected = (Called(SUCCESS, integer(5)), Called(ABORTED))
    results, asked = converse(invoke_list(CALLS), [answer])
    assert results == expected
    assert asked == [Ask(ActionRequestWithList(CONFIRMED, (VERIFY, VERIFY), (integer(0), null_data(None))))]
    raw = answer.to_octets()[3:]
    blocks: list[Apdu | None] = [
        ActionResponseWithPblock(SEVEN, DataBlock(False, 1, raw[:2])),
        ActionResponseWithPblock(SEVEN, DataBlock(True, 2, raw[2:])),
    ]
    assert converse(invoke_list(CALLS), blocks)[0] == expected


@pytest.mark.parametrize(
    ("answer", "room", "error", "says"),
    [
        (SetResponseWithList(SEVEN, (OK,)), None, RemoteProtocolError, "1 results for 2"),
        (
            SetResponseLastDataBlockWithList(SEVEN, (DENIED, DENIED), 1),
            TIGHT,
            RemoteProtocolError,
            "2 results for 1",
        ),
        (SetResponseLastDataBlockWithList(SEVEN, (OK, OK), 1), TIGHT, RemoteProtocolError, "success before"),
        (SetResponseLastDataBlock(SEVEN, DENIED, 1), TIGHT, DataAccessError, "read-write-denied"),
    ],
)
def test_answers_to_a_written_list_that_are_none(
    answer: Apdu, room: Room | None, error: type[MeterwrightError], says: str
) -> None:
    values = [(VALUES[0][0], octet_string(bytes(40)))]
    with pytest.raises(error, match=says):
        converse(write_list(VALUES if room is None else values, room=room), [answer])


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (ActionResponseWithList(SEVEN, ()), RemoteProtocolError, "other than 2 results"),
        (ActionResponseWithPblock(SEVEN, DataBlock(True, 1, b"\x00")), RemoteProtocolError, "other than 2"),
        (ActionResponseWithPblock(SEVEN, DataBlock(True, 1, b"\x02")), RemoteProtocolError, "cannot stand"),
        (ActionResponseNormal(SEVEN, ABORTED, None), RemoteProtocolError, "action-response-normal where"),
    ],
)
def test_answers_to_a_called_list_that_are_none(
    answer: Apdu, error: type[MeterwrightError], says: str
) -> None:
    with pytest.raises(error, match=says):
        converse(invoke_list(CALLS), [answer])


def test_a_long_list_may_be_refused_as_a_whole() -> None:
    calls: list[tuple[MethodDescriptor, Data | None]] = [(VERIFY, octet_string(bytes(40)))]
    with pytest.raises(ActionError, match="long-action-aborted"):
        converse(invoke_list(calls, room=TIGHT), [ActionResponseNormal(SEVEN, ABORTED, None)])


def test_a_list_with_an_image_block_stays_whole() -> None:
    method = MethodDescriptor(18, Obis.parse("0.0.44.0.0.255"), 2)
    answer = ActionResponseWithList(SEVEN, (ActionResponseWithOptionalData(SUCCESS, None),))
    _, asked = converse(invoke_list([(method, octet_string(bytes(40)))], room=TIGHT), [answer])
    assert isinstance(asked[0].request, ActionRequestWithList)


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("policy", POLICIES, ids=["plain", "protected"])
@pytest.mark.parametrize("size", [1, 10, 60, 300])
def test_lists_of_any_length_arrive_whole(policy: SecurityPolicy, size: int, *, hdlc: bool) -> None:
    pair, host = joined(policy, hdlc=hdlc)
    room, value = pair.association.room, octet_string(bytes(size))
    written = pair.converse(write_list([(SelectedAttribute(ATTRIBUTE, None), value)] * 3, room=room))
    assert written == (OK,) * 3
    assert host.written == [value] * 3
    called = pair.converse(invoke_list([(METHOD, value), (METHOD, None), (VERIFY, value)], room=room))
    assert called == (Called(SUCCESS, value), Called(SUCCESS), Called(ActionResult.OBJECT_UNDEFINED))
    assert host.invoked == [value, None]
    assert max(sizes(pair)) <= LONGEST_PDU
    if policy is SecurityPolicy.NONE and size > 10:
        kinds = {type(decode_apdu(each.octets)) for each in apdus_passed(pair) if each.from_client}
        assert {SetRequestWithListAndFirstDataBlock, ActionRequestWithListAndFirstPblock} <= kinds
