"""What a general block transfer can be made to cost: windows without end, floods of blocks, the same asked for again and again."""

import pytest

from meterwright.apdu import BlockControl, GeneralBlockTransfer
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.gbt import BlockLimits, BlockTransfer, TransferFailed, WholeApdu
from meterwright.link.gbt.sender import HIGHEST_NUMBER, BlockSender
from meterwright.link.gbt.transfer import MOST_REPEATS
from meterwright.values import Role

REQUEST = bytes.fromhex("C001C100010000600100FF0200")
LONGEST = 1000
DATA = bytes(10)


def block(number: int, data: bytes = DATA, *, acknowledged: int = 0, streaming: bool = True) -> bytes:
    """One that is not the last, of somebody who takes as many as there can be."""
    control = BlockControl(last_block=False, streaming=streaming, window=63)
    return GeneralBlockTransfer(control, number, acknowledged, data).to_octets()


def client() -> BlockTransfer:
    """A client that has asked, and takes 63 blocks in a row."""
    made = BlockTransfer(Role.CLIENT, LONGEST)
    made.begin(BlockLimits(0, 63))
    made.send(REQUEST, 0.0, 10.0)
    made.data_to_send()
    return made


def test_a_window_that_never_ends_ends_at_so_many_octets() -> None:
    side = client()
    for number in range(1, LONGEST // len(DATA) + 1):
        assert not any(isinstance(each, TransferFailed) for each in side.receive(block(number), 0.0))
    (failed,) = side.receive(block(LONGEST // len(DATA) + 1), 0.0)
    assert isinstance(failed, TransferFailed)
    assert isinstance(failed.error, RemoteProtocolError)
    assert side.deadline is None


def test_a_flood_to_a_meter_is_forgotten_at_so_many_octets() -> None:
    side = BlockTransfer(Role.SERVER, LONGEST)
    side.begin(BlockLimits(0, 63))
    for number in range(1, 5000):
        assert side.receive(block(number), 0.0) == []
        assert sum(map(len, side._receiver._parts)) <= LONGEST
    assert side.receive(REQUEST, 0.0) == [WholeApdu(REQUEST)]


def test_what_is_far_ahead_is_not_kept() -> None:
    side = client()
    side.receive(block(1), 0.0)
    for number in range(3, HIGHEST_NUMBER, 97):
        side.receive(block(number), 0.0)
    assert len(side._receiver._ahead) <= 64


def test_a_meter_sends_the_same_so_many_times_and_then_no_more() -> None:
    side = BlockTransfer(Role.SERVER)
    side.begin(BlockLimits(20, 5))
    assert side.receive(REQUEST, 0.0) == [WholeApdu(REQUEST)]
    side.answered(0.0)
    side.send(bytes(10_000), 0.0, 0.0)
    side.data_to_send()
    again = GeneralBlockTransfer(BlockControl(True, False, 63), 1, 1, b"").to_octets()
    windows = 0
    for _ in range(1000):
        assert side.receive(again, 0.0) == []
        windows += bool(side.data_to_send())
    assert windows == MOST_REPEATS + 1
    assert side.receive(REQUEST, 0.0) == [WholeApdu(REQUEST)]


def test_block_numbers_do_not_begin_anew() -> None:
    assert BlockSender(bytes(HIGHEST_NUMBER), 1).last == HIGHEST_NUMBER
    with pytest.raises(LocalProtocolError, match="65535 blocks"):
        BlockSender(bytes(HIGHEST_NUMBER + 1), 1)
