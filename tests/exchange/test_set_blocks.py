"""Writing in blocks against answers that are right, refuse, or make no sense."""

from dataclasses import replace

import pytest
from tests.apdu.golden import TIME
from tests.exchange.scripts import converse

from meterwright.apdu import (
    Apdu,
    DataBlock,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
)
from meterwright.association import CLIENT_CONFORMANCE, Context, Room
from meterwright.cosem import AssociationIdentity
from meterwright.data import octet_string
from meterwright.errors import DataAccessError, RemoteProtocolError
from meterwright.exchange import CONFIRMED, Ask, write
from meterwright.values import DataAccessResult, InvokeIdAndPriority

SEVEN = InvokeIdAndPriority(7)
ROOM = Room(Context(AssociationIdentity("test"), CLIENT_CONFORMANCE, 24, 24))
VALUE = octet_string(b"0123456789")
SUCCESS, DENIED = DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED


def long_write(answers: list[Apdu | None]) -> list[Ask]:
    """12 octets of Data, of which 5 fit the first block."""
    return converse(write(TIME, VALUE, room=ROOM), answers)[1]


def test_the_blocks_are_numbered_and_the_last_is_marked() -> None:
    asked = long_write([SetResponseDataBlock(SEVEN, 1), SetResponseLastDataBlock(SEVEN, SUCCESS, 2)])
    octets = VALUE.to_octets()
    assert asked == [
        Ask(SetRequestWithFirstDataBlock(CONFIRMED, TIME, None, DataBlock(False, 1, octets[:5]))),
        Ask(SetRequestWithDataBlock(SEVEN, DataBlock(True, 2, octets[5:])), continues=True),
    ]


@pytest.mark.parametrize(
    "answers",
    [
        [SetResponseLastDataBlock(SEVEN, DENIED, 1)],
        [SetResponseNormal(SEVEN, DENIED)],
        [SetResponseDataBlock(SEVEN, 1), SetResponseLastDataBlock(SEVEN, DENIED, 2)],
    ],
    ids=["in-the-midst", "as-if-whole", "at-the-end"],
)
def test_a_refusal_may_come_at_any_block(answers: list[Apdu | None]) -> None:
    with pytest.raises(DataAccessError, match="read-write-denied") as caught:
        long_write(answers)
    assert caught.value.where.about == "8/0.0.1.0.0.255/2"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([SetResponseDataBlock(SEVEN, 2)], "block 2 is acknowledged where block 1 was sent"),
        ([SetResponseDataBlock(SEVEN, 1)] * 2, "block 1 is acknowledged where the last one was sent"),
        ([SetResponseDataBlock(SEVEN, 1), SetResponseDataBlock(SEVEN, 2)], "where the last one was sent"),
        ([SetResponseLastDataBlock(SEVEN, SUCCESS, 1)], "success before the last block"),
        ([SetResponseLastDataBlockWithList(SEVEN, (DENIED,), 1)], "where one result is expected"),
        ([None], "nothing where"),
    ],
)
def test_answers_that_make_no_sense(answers: list[Apdu | None], says: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        long_write(answers)
    assert says in caught.value.what


def test_the_protection_is_counted() -> None:
    protected = Room(ROOM.context, lambda size, _tag: size + 5)
    assert protected.block_size(SetRequestWithDataBlock(SEVEN, DataBlock(False, 1, b""))) == 24 - 5 - 9


@pytest.mark.parametrize("size", [12, 130, 136, 137, 138, 139, 264, 265, 266, 267, 1000, 0])
def test_a_block_is_as_long_as_the_meter_takes(size: int) -> None:
    room = Room(replace(ROOM.context, max_send_pdu_size=size))
    most = room.block_size(SetRequestWithDataBlock(SEVEN, DataBlock(False, 1, b"")))
    assert room.fits(SetRequestWithDataBlock(SEVEN, DataBlock(False, 1, bytes(most))))
    assert not room.fits(SetRequestWithDataBlock(SEVEN, DataBlock(False, 1, bytes(most + 1))))
