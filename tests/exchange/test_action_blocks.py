"""Calling in blocks, either way, against answers that are right, refuse, or make no sense."""

import pytest
from tests.apdu.golden import VERIFY
from tests.exchange.scripts import converse

from meterwright.apdu import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    Apdu,
    DataBlock,
    MethodDescriptor,
)
from meterwright.association import CLIENT_CONFORMANCE, Context, Room
from meterwright.cosem import AssociationIdentity
from meterwright.data import Data, integer, null_data, octet_string
from meterwright.errors import ActionError, DataAccessError, MeterwrightError, RemoteProtocolError
from meterwright.exchange import CONFIRMED, Ask, invoke
from meterwright.values import ActionResult, InvokeIdAndPriority, Obis

SEVEN = InvokeIdAndPriority(7)
ROOM = Room(Context(AssociationIdentity("test"), CLIENT_CONFORMANCE, 24, 24))
VALUE = octet_string(b"0123456789")
EMPTY = Data.from_octets(b"\x01\x00")
OCTETS = VALUE.to_octets()
SUCCESS, ABORTED = ActionResult.SUCCESS, ActionResult.LONG_ACTION_ABORTED


def block(number: int, raw: bytes, *, last: bool = False) -> ActionResponseWithPblock:
    """One block of a long answer."""
    return ActionResponseWithPblock(SEVEN, DataBlock(last, number, raw))


def long_call(answers: list[Apdu | None]) -> tuple[Data | None, list[Ask]]:
    """12 octets of parameters, of which 6 fit the first block."""
    return converse(invoke(VERIFY, VALUE, room=ROOM), answers)


def test_parameters_and_answer_in_blocks() -> None:
    returned, asked = long_call(
        [
            ActionResponseNextPblock(SEVEN, 1),
            block(1, b"\x00" + OCTETS[:3]),
            block(2, OCTETS[3:], last=True),
        ]
    )
    assert returned == VALUE
    assert asked == [
        Ask(ActionRequestWithFirstPblock(CONFIRMED, VERIFY, DataBlock(False, 1, OCTETS[:6]))),
        Ask(ActionRequestWithPblock(SEVEN, DataBlock(True, 2, OCTETS[6:])), continues=True),
        Ask(ActionRequestNextPblock(SEVEN, 1), continues=True),
    ]


def test_what_fits_goes_whole() -> None:
    _, asked = converse(invoke(VERIFY, integer(0), room=ROOM), [ActionResponseNormal(SEVEN, SUCCESS, None)])
    assert asked == [Ask(ActionRequestNormal(CONFIRMED, VERIFY, integer(0)))]


def test_an_image_block_never_goes_in_blocks() -> None:
    method = MethodDescriptor(18, Obis.parse("0.0.44.0.0.255"), 2)
    _, asked = converse(invoke(method, VALUE, room=ROOM), [ActionResponseNormal(SEVEN, SUCCESS, None)])
    assert asked == [Ask(ActionRequestNormal(CONFIRMED, method, VALUE))]


@pytest.mark.parametrize("value", [VALUE, integer(5), null_data(None), EMPTY], ids=str)
@pytest.mark.parametrize("before", ["", "00", "000100"], ids=["bare", "with-choice", "as-if-short"])
def test_whatever_a_long_answer_holds(value: Data, before: str) -> None:
    raw = bytes.fromhex(before) + value.to_octets()
    returned, _ = converse(invoke(VERIFY), [block(1, raw, last=True)])
    taken_as_result = (
        null_data(None),
        EMPTY,
    )  # bare, 00 and 01 00 are read as the result that a choice octet announces
    assert returned == (None if not before and value in taken_as_result else value)


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        ("0102", DataAccessError, "temporary-failure"),
        ("0b00", ActionError, "object-unavailable"),
        ("00010103", DataAccessError, "read-write-denied"),
        ("", RemoteProtocolError, "too early"),
        ("09", ActionError, "object-class-inconsistent"),
        ("00010b", RemoteProtocolError, "cannot be read"),
    ],
)
def test_a_long_answer_may_be_a_refusal_or_nothing(
    raw: str, error: type[MeterwrightError], says: str
) -> None:
    with pytest.raises(error, match=says):
        converse(invoke(VERIFY), [block(1, bytes.fromhex(raw), last=True)])


@pytest.mark.parametrize(
    "answers",
    [
        [ActionResponseNormal(SEVEN, ABORTED, None)],
        [ActionResponseNextPblock(SEVEN, 1), ActionResponseNormal(SEVEN, ABORTED, None)],
        [ActionResponseNextPblock(SEVEN, 1), block(1, b"\x00"), ActionResponseNormal(SEVEN, ABORTED, None)],
    ],
    ids=["first-block", "last-block", "answer"],
)
def test_a_refusal_may_come_at_any_block(answers: list[Apdu | None]) -> None:
    with pytest.raises(ActionError, match="long-action-aborted"):
        long_call(answers)


ACK = ActionResponseNextPblock(SEVEN, 1)
DONE = ActionResponseNormal(SEVEN, SUCCESS, None)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([ActionResponseNextPblock(SEVEN, 2)], "block 2 is acknowledged where block 1 was sent"),
        ([ACK, ActionResponseNextPblock(SEVEN, 2)], "block 2 is acknowledged where the last one was sent"),
        ([DONE], "an answer before the last block"),
        ([block(1, b"\x00")], "an answer before the last block"),
        ([ACK, ActionResponseWithList(SEVEN, ())], "where one result is expected"),
        ([ACK, block(2, b"\x00")], "block 2 where block 1 is expected"),
        ([ACK, block(1, b"")], "block 1 is empty"),
        ([ACK, block(1, b"\x00"), DONE], "success in the midst"),
        ([None], "nothing where"),
    ],
)
def test_answers_that_make_no_sense(answers: list[Apdu | None], says: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        long_call(answers)
    assert says in caught.value.what
