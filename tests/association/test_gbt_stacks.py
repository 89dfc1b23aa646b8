"""General block transfer through whole stacks, ciphered: what is long goes in blocks both ways, whatever happens to one of them.

Log in (HLS 5), read, write and call with what fits neither side, in lists too, release. However it goes, it ends; no value is ever wrong,
nothing is done twice, and nothing is left behind.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from tests.association.secured import (
    ATTRIBUTE,
    METHOD,
    Meter,
    apdus_passed,
    client_side,
    links,
    meter_side,
    stack_pair,
)
from tests.association.stack_line import Conversation, Outcome, hdlc_frames, wrapper_frames
from tests.conformance.proofs import Link, Security, Service, proves
from tests.link.hdlc.line import Fault

from meterwright.apdu import (
    DataNotification,
    GeneralBlockTransfer,
    GetRequestNormal,
    GetResponseNormal,
    SelectedAttribute,
    decode_apdu,
)
from meterwright.association import CLIENT_CONFORMANCE, Answered, ClientStack, Grant, Proposal, Unsolicited
from meterwright.data import octet_string
from meterwright.errors import LocalProtocolError, Timeout
from meterwright.exchange import CONFIRMED, invoke, invoke_list, read, read_list, write, write_list
from meterwright.server import Partners, ServerConnection
from meterwright.testing import StackPair
from meterwright.values import Conformance, DataAccessResult, LongInvokeIdAndPriority

LONG = octet_string(bytes(index % 251 for index in range(700)))
OTHER = octet_string(bytes(index % 241 for index in range(600)))
SERVICES = CLIENT_CONFORMANCE | Conformance.GENERAL_BLOCK_TRANSFER
PATIENCE = 6.0
DELAYS = {Fault.LATE: 0.6, Fault.TOO_LATE: 2.5, Fault.MUCH_TOO_LATE: 4.5}
BLOCK = GeneralBlockTransfer.prefix


def pair(*, window: int, hdlc: bool, meters: int = 3, max_pdu: int = 100) -> tuple[StackPair, Meter]:
    host = Meter(meter_side(), value=LONG)
    host.grant = Grant(SERVICES if meters else CLIENT_CONFORMANCE, max_pdu, meters or 1)
    proposal = Proposal(max_receive_pdu_size=max_pdu, block_window=window)
    joined = stack_pair(client_side(), host, hdlc=hdlc)
    client_link, meter_link = links(hdlc=hdlc)
    joined.client = ClientStack(client_link, proposal, client_side().credentials())
    joined.meter = ServerConnection(host, meter_link, chance=lambda size: host.side.challenge[:size])
    return joined, host


def over_each_link(*services: Service) -> pytest.MarkDecorator:
    """Runs a test over each link, for which it proves these services."""
    rows = [
        pytest.param(
            link is Link.HDLC,
            id=link.lower(),
            marks=[proves(service, link, Security.BOTH) for service in services],
        )
        for link in Link
    ]
    return pytest.mark.parametrize("hdlc", rows)


@over_each_link(Service.GBT_GET, Service.GBT_SET, Service.GBT_ACTION)
@pytest.mark.parametrize("window", [1, 2, 5, 63])
def test_what_is_long_goes_in_blocks_both_ways(window: int, hdlc: bool) -> None:
    stacks, host = pair(window=window, hdlc=hdlc)
    context = stacks.associate()
    room = stacks.association.room
    assert Conformance.GENERAL_BLOCK_TRANSFER in context.conformance
    assert stacks.converse(read(ATTRIBUTE)) == LONG
    stacks.converse(write(ATTRIBUTE, OTHER, room=room))
    assert stacks.converse(invoke(METHOD, OTHER, room=room)) == OTHER
    selected = SelectedAttribute(ATTRIBUTE, None)
    assert stacks.converse(read_list([selected, selected])) == (LONG, LONG)
    both = [(selected, LONG), (selected, OTHER)]
    assert stacks.converse(write_list(both, room=room)) == (DataAccessResult.SUCCESS,) * 2
    called = stacks.converse(invoke_list([(METHOD, LONG), (METHOD, OTHER)], room=room))
    assert [each.returned for each in called] == [LONG, OTHER]
    assert host.written == [OTHER, LONG, OTHER]
    assert host.invoked == [OTHER, LONG, OTHER]
    stacks.release()
    assert stacks.meter.associated == 0
    assert stacks.client.deadline is None


def test_no_block_is_longer_than_its_taker_said_and_each_message_is_protected_once() -> None:
    stacks, _host = pair(window=5, hdlc=False)
    stacks.associate()
    stacks.converse(write(ATTRIBUTE, OTHER, room=stacks.association.room))
    blocks = [each for each in apdus_passed(stacks) if each.octets.startswith(BLOCK)]
    assert max(len(each.octets) for each in blocks) == 100
    parts = [decode_apdu(each.octets) for each in blocks if each.from_client]
    whole = b"".join(each.block_data for each in parts if isinstance(each, GeneralBlockTransfer))
    assert whole[0] == 0xC9  # glo-set-request
    assert (
        len(whole) == stacks.association.sealed_size(len(whole) - 5 - 12 - 4 + 1, 0xC1) - 1
        or len(whole) > 600
    )


def test_who_was_asked_in_blocks_answers_in_blocks() -> None:
    stacks, _host = pair(window=5, hdlc=False)
    stacks.associate()
    stacks.converse(write(ATTRIBUTE, OTHER, room=stacks.association.room))
    answer = apdus_passed(stacks)[-1]
    assert not answer.from_client
    assert answer.octets.startswith(BLOCK)
    block = decode_apdu(answer.octets)
    assert isinstance(block, GeneralBlockTransfer)
    assert block.block_control.last_block


def test_what_is_short_is_no_block() -> None:
    stacks, host = pair(window=5, hdlc=False)
    host.value = octet_string(b"short")
    stacks.associate()
    assert stacks.converse(read(ATTRIBUTE)) == host.value
    assert not any(each.octets.startswith(BLOCK) for each in apdus_passed(stacks))


@pytest.mark.parametrize(("ours", "theirs"), [(0, 5), (5, 0)])
def test_without_both_sides_wanting_it_the_services_own_blocks_are_used(ours: int, theirs: int) -> None:
    stacks, host = pair(window=ours, hdlc=False, meters=theirs)
    context = stacks.associate()
    assert Conformance.GENERAL_BLOCK_TRANSFER not in context.conformance
    assert stacks.converse(read(ATTRIBUTE)) == LONG
    stacks.converse(write(ATTRIBUTE, OTHER, room=stacks.association.room))
    assert host.written == [OTHER]
    assert not any(each.octets.startswith(BLOCK) for each in apdus_passed(stacks))


def test_several_requests_at_once_go_one_after_the_other() -> None:
    stacks, _host = pair(window=2, hdlc=False)
    stacks.associate()
    request = GetRequestNormal(CONFIRMED, ATTRIBUTE, None)
    for _ in range(3):
        stacks.client.request(request, stacks.now, stacks.now + 10)
    answers = [each.apdu for each in stacks.carry() if isinstance(each, Answered)]
    assert [each.result for each in answers if isinstance(each, GetResponseNormal)] == [LONG] * 3
    assert stacks.client.deadline is None


@over_each_link(Service.DATA_NOTIFICATION_LONG)
def test_a_notification_longer_than_the_client_takes_comes_whole(hdlc: bool) -> None:
    stacks, _host = pair(window=2, hdlc=hdlc)
    stacks.associate()
    told = DataNotification(LongInvokeIdAndPriority(7), None, LONG)
    stacks.meter.notify(told, Partners(1, 1), stacks.now)
    assert stacks.carry() == [Unsolicited(told)]
    assert stacks.converse(read(ATTRIBUTE)) == LONG


def test_a_window_out_of_range_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match=r"0\.\.63"):
        Proposal(block_window=64)


# ------------------------------------------------------------------------------------------------ faults


class Run:
    """One conversation and what became of it. `apdus` are the frames in the order they were sent."""

    def __init__(self, faults: dict[int, Fault], *, window: int = 3, hdlc: bool = False, **how: Any) -> None:
        self.host = Meter(meter_side(), value=LONG)
        self.host.grant = Grant(SERVICES, 160, window)
        client_link, meter_link = links(hdlc=hdlc)
        proposal = Proposal(max_receive_pdu_size=160, block_window=window)
        stack = ClientStack(client_link, proposal, client_side().credentials())
        meter = ServerConnection(self.host, meter_link, chance=lambda size: self.host.side.challenge[:size])
        self.frames: list[bytes] = []
        room = _room(window)
        exchanges: list[Any] = [
            read(ATTRIBUTE),
            write(ATTRIBUTE, OTHER, room=room),
            invoke(METHOD, OTHER, room=room),
        ]
        cutter = self._recorded(hdlc_frames if hdlc else wrapper_frames)
        how.setdefault("delays", DELAYS)
        how.setdefault("patience", PATIENCE)
        self.outcome: Outcome = Conversation(stack, meter, exchanges, cutter, faults, **how).run()

    def _recorded(
        self, made: Callable[[], Callable[[bytes], Iterable[bytes]]]
    ) -> Callable[[], Callable[[bytes], Iterable[bytes]]]:
        def cutter() -> Callable[[bytes], Iterable[bytes]]:
            cut = made()

            def record(octets: bytes) -> Iterable[bytes]:
                frames = list(cut(octets))
                self.frames += frames
                return frames

            return record

        return cutter

    @property
    def blocks(self) -> list[int]:
        """Which frames of the wrapper are blocks."""
        return [index for index, frame in enumerate(self.frames) if frame[8:9] == BLOCK]

    def assert_nothing_wrong(self) -> None:
        outcome, host = self.outcome, self.host
        assert outcome.results == [LONG, None, OTHER][: len(outcome.results)]
        assert (len(outcome.results) == 3) == (not outcome.errors)
        assert len(outcome.errors) <= 1
        assert all(error.what for error in outcome.errors)
        assert host.written in ([], [OTHER])
        assert host.invoked in ([], [OTHER])
        assert outcome.closed

    def assert_all_right(self) -> None:
        self.assert_nothing_wrong()
        assert self.outcome.errors == []


def _room(window: int) -> Any:
    """What the client will find negotiated."""
    stacks, _host = pair(window=window, hdlc=False, meters=window, max_pdu=160)
    stacks.associate()
    return stacks.association.room


@pytest.mark.parametrize("window", [1, 3, 63])
@pytest.mark.parametrize("overtaking", [False, True])
@pytest.mark.parametrize(
    "fault",
    [Fault.DROP, Fault.DUPLICATE, Fault.LATE, Fault.TOO_LATE, Fault.MUCH_TOO_LATE],
    ids=lambda each: each.value,
)
def test_one_fault_of_any_block_is_got_over(fault: Fault, overtaking: bool, window: int) -> None:
    blocks = Run({}, window=window).blocks
    assert len(blocks) > 18
    for index in blocks[1:]:
        Run({index: fault}, window=window, overtaking=overtaking).assert_all_right()


@pytest.mark.parametrize("window", [1, 3])
def test_where_the_first_block_of_all_is_lost_nothing_can_be_asked_for_again(window: int) -> None:
    """The request was no block, and is never sent twice; the meter never speaks by itself."""
    run = Run({Run({}, window=window).blocks[0]: Fault.DROP}, window=window)
    run.assert_nothing_wrong()
    assert [type(error) for error in run.outcome.errors] == [Timeout]
    assert run.outcome.left == 0


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.DUPLICATE, Fault.TOO_LATE], ids=lambda each: each.value)
def test_two_faults_next_to_each_other_do_no_harm(fault: Fault) -> None:
    for first, second in pairwise(Run({}).blocks):
        Run({first: Fault.DROP, second: fault}).assert_nothing_wrong()


def test_a_broken_bit_anywhere_makes_no_wrong_value() -> None:
    whole = Run({})
    whole.assert_all_right()
    for index in range(whole.outcome.frames):
        behind_header = 8 * (len(whole.frames[index]) - 8)
        for bit in (3, 11, 26, 46, 55, 120):
            Run({index: Fault.CORRUPT}, bit=64 + bit % behind_header).assert_nothing_wrong()


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.DUPLICATE, Fault.CORRUPT], ids=lambda each: each.value)
def test_hdlc_gets_over_one_fault_before_blocks_notice(fault: Fault, window: int) -> None:
    frames = Run({}, window=window, hdlc=True).outcome.frames
    for index in range(0, frames, 3):
        run = Run({index: fault}, window=window, hdlc=True, patience=30.0)
        run.assert_all_right()
        assert run.outcome.ended < 20
