"""The book's figures (Green Book 9.4.6.13), octet for octet: windows, lost blocks, both roles; and the pushes of real meters."""

import pytest

from meterwright.link.gbt import BlockLimits, BlockTransfer, WholeApdu
from meterwright.link.gbt.transfer import TransferWentOn
from meterwright.values import Role

REQUEST = bytes.fromhex("C001C100010000600100FF0200")
ANSWER = bytes(range(17))
"""Nine blocks of two octets, the last of one."""
MAX_PDU = 9
WINDOW = 5
PATIENCE = 9.0
HEADS = [
    "E0050001 0000",
    *(f"E04500{n:02X} 0001" for n in range(2, 6)),
    "E0050006 0001",
    "E0450007 0002",
    "E0450008 0002",
    "E0850009 0002",
]
BLOCKS = [
    bytes.fromhex(head) + bytes((len(data),)) + data
    for head, data in zip(HEADS, (ANSWER[at : at + 2] for at in range(0, 17, 2)), strict=True)
]
FIRST_ACK = bytes.fromhex("E0850001000100")
SECOND_ACK = bytes.fromhex("E0850002000600")


def client(window: int = WINDOW) -> BlockTransfer:
    made = BlockTransfer(Role.CLIENT)
    made.begin(BlockLimits(MAX_PDU + 4, window))
    made.send(REQUEST, 0.0, PATIENCE)
    assert sent(made) == [REQUEST]
    return made


def meter() -> BlockTransfer:
    made = BlockTransfer(Role.SERVER)
    made.begin(BlockLimits(MAX_PDU, WINDOW))
    assert made.receive(REQUEST, 0.0) == [WholeApdu(REQUEST)]
    made.answered(0.0)
    made.send(ANSWER, 0.0, 0.0)
    assert sent(made) == BLOCKS[:1]
    return made


def sent(side: BlockTransfer) -> list[bytes]:
    return [each.apdu for each in side.data_to_send()]


def give(side: BlockTransfer, *blocks: bytes, now: float = 0.0) -> list[bytes]:
    """What it sends to these."""
    for block in blocks:
        assert all(isinstance(each, TransferWentOn) for each in side.receive(block, now))
    return sent(side)


def test_a_client_takes_a_long_answer_window_by_window() -> None:
    side = client()
    assert give(side, BLOCKS[0]) == [FIRST_ACK]
    assert give(side, *BLOCKS[1:5]) == []
    assert give(side, BLOCKS[5]) == [SECOND_ACK]
    assert give(side, *BLOCKS[6:8]) == []
    assert side.receive(BLOCKS[8], 0.0) == [WholeApdu(ANSWER)]
    assert sent(side) == []
    assert side.deadline is None


def test_a_meter_sends_a_long_answer_window_by_window() -> None:
    side = meter()
    assert give(side, FIRST_ACK) == BLOCKS[1:6]
    assert give(side, SECOND_ACK) == BLOCKS[6:]


def test_a_client_asks_for_a_lost_block_alone_and_keeps_those_after_it() -> None:
    side = client()
    give(side, BLOCKS[0])
    assert give(side, *BLOCKS[1:3], *BLOCKS[4:6]) == [bytes.fromhex("E0810002000300")]
    assert give(side, bytes.fromhex("E00100040002 02") + ANSWER[6:8]) == [bytes.fromhex("E0850003000600")]


def test_a_meter_sends_a_lost_block_alone() -> None:
    side = meter()
    give(side, FIRST_ACK)
    assert give(side, bytes.fromhex("E0810002000300")) == [bytes.fromhex("E0010004000202") + ANSWER[6:8]]
    assert give(side, bytes.fromhex("E0850003000600")) == [
        bytes.fromhex("E04500070003 02") + ANSWER[12:14],
        bytes.fromhex("E04500080003 02") + ANSWER[14:16],
        bytes.fromhex("E08500090003 01") + ANSWER[16:],
    ]


def test_a_client_asks_one_by_one_for_the_end_of_a_window_that_never_came() -> None:
    side = client()
    give(side, BLOCKS[0])
    give(side, *BLOCKS[1:4])
    assert side.tick(PATIENCE / 3) == []
    assert sent(side) == [bytes.fromhex("E0810002000400")]
    assert give(side, bytes.fromhex("E00100050002 02") + ANSWER[8:10]) == [bytes.fromhex("E0810003000500")]
    assert give(side, bytes.fromhex("E00100060003 02") + ANSWER[10:12]) == [bytes.fromhex("E0850004000600")]


def test_a_lost_acknowledgement_is_sent_again_unchanged() -> None:
    side = client()
    assert give(side, BLOCKS[0]) == [FIRST_ACK]
    side.tick(PATIENCE / 3)
    assert sent(side) == [FIRST_ACK]


def test_a_meter_sends_again_what_an_acknowledgement_that_comes_twice_misses() -> None:
    side = meter()
    assert give(side, FIRST_ACK) == BLOCKS[1:6]
    assert give(side, FIRST_ACK) == BLOCKS[1:6]


def test_a_client_passes_over_what_comes_twice() -> None:
    side = client()
    give(side, BLOCKS[0])
    assert give(side, BLOCKS[0]) == []


def test_a_window_whose_blocks_all_stream_is_acknowledged_when_it_is_used_up() -> None:
    side = client()
    give(side, BLOCKS[0])
    assert give(side, *BLOCKS[1:5], bytes.fromhex("E04500060001 02") + ANSWER[10:12]) == [SECOND_ACK]


def test_with_a_window_of_one_each_block_is_acknowledged() -> None:
    side = client(1)
    for number in range(1, 9):
        block = (
            bytes.fromhex(f"E005 00{number:02X} 00{number - 1:02X} 02") + ANSWER[2 * number - 2 : 2 * number]
        )
        assert give(side, block) == [bytes.fromhex(f"E081 00{number:02X} 00{number:02X} 00")]


LONG_REQUEST = bytes(range(0x40, 0x4B))
ASKED = [
    bytes.fromhex("E0050001 0000 02 4041"),
    bytes.fromhex("E0450002 0001 02 4243"),
    bytes.fromhex("E0450003 0001 02 4445"),
    bytes.fromhex("E0450004 0001 02 4647"),
    bytes.fromhex("E0450005 0001 02 4849"),
    bytes.fromhex("E0850006 0001 01 4A"),
]
TAKEN = bytes.fromhex("E0850001000100")
SHORT_ANSWER = bytes.fromhex("E0850002000602 C5C6")
"""A short answer to what came in blocks is one block."""


def test_a_client_asks_in_blocks_and_is_answered_in_one() -> None:
    side = BlockTransfer(Role.CLIENT)
    side.begin(BlockLimits(MAX_PDU, WINDOW))
    side.send(LONG_REQUEST, 0.0, PATIENCE)
    assert sent(side) == ASKED[:1]
    assert give(side, TAKEN) == ASKED[1:]
    assert side.receive(SHORT_ANSWER, 0.0) == [WholeApdu(b"\xc5\xc6")]


def test_a_meter_takes_a_request_in_blocks_and_answers_in_one() -> None:
    side = BlockTransfer(Role.SERVER)
    side.begin(BlockLimits(MAX_PDU, WINDOW))
    assert give(side, ASKED[0]) == [TAKEN]
    assert give(side, *ASKED[1:5]) == []
    assert side.receive(ASKED[5], 0.0) == [WholeApdu(LONG_REQUEST)]
    side.send(b"\xc5\xc6", 0.0, 0.0)
    assert sent(side) == [SHORT_ANSWER]
    assert give(side, ASKED[5]) == [SHORT_ANSWER]  # it was lost, and the request's last block comes again


def test_an_answer_that_is_no_block_ends_what_was_asked_in_blocks() -> None:
    side = BlockTransfer(Role.CLIENT)
    side.begin(BlockLimits(MAX_PDU, WINDOW))
    side.send(LONG_REQUEST, 0.0, PATIENCE)
    assert give(side, TAKEN)
    assert side.receive(b"\xd8\x01\x01", 0.0) == [WholeApdu(b"\xd8\x01\x01")]
    side.answered(0.0)
    assert side.deadline is None
    assert not side.is_awaiting


@pytest.mark.parametrize("end", ["C0", "80"])
def test_blocks_that_nobody_acknowledges_are_a_push(end: str) -> None:
    """As a Landis+Gyr meter sends it; the last block may stream or not."""
    side = BlockTransfer(Role.CLIENT)
    assert side.receive(bytes.fromhex("E04000010000 03 0F0000"), 0.0) == []
    assert side.receive(bytes.fromhex(f"E0{end}00020000 02 0DB7"), 0.0) == [
        WholeApdu(bytes.fromhex("0F00000DB7"))
    ]
    assert sent(side) == []


def test_a_push_of_which_a_block_is_missing_is_discarded() -> None:
    side = BlockTransfer(Role.CLIENT)
    side.receive(bytes.fromhex("E04000010000 03 0F0000"), 0.0)
    assert side.receive(bytes.fromhex("E0C000030000 02 0DB7"), 0.0) == []


def test_a_meter_pushes_what_is_long_in_blocks_that_nobody_acknowledges() -> None:
    side = BlockTransfer(Role.SERVER)
    side.begin(BlockLimits(10, WINDOW))
    side.tell(bytes.fromhex("0F00000DB7000200120101"))
    assert sent(side) == [
        bytes.fromhex("E04000010000 03 0F0000"),
        bytes.fromhex("E04000020000 03 0DB700"),
        bytes.fromhex("E04000030000 03 020012"),
        bytes.fromhex("E0C000040000 02 0101"),
    ]
