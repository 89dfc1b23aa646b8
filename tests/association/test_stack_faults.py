"""Whole stacks over a bad line: every frame of a conversation in turn lost, doubled, broken or late.

Open, log in (HLS 5, ciphered), read what comes in blocks of several segments, write, call with 200 octets in segments, release.
However it goes, it ends; no value is ever wrong, nothing is done twice, and nothing is left behind.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.association.secured import (
    ATTRIBUTE,
    HDLC_CLIENT,
    HDLC_METER,
    METHOD,
    WRITTEN,
    Meter,
    client_side,
    meter_side,
)
from tests.association.stack_line import Conversation, Outcome, hdlc_frames, wrapper_frames
from tests.link.hdlc.line import Fault

from meterwright.apdu import MethodDescriptor
from meterwright.association import ClientStack, Proposal
from meterwright.data import Data, octet_string, unsigned
from meterwright.errors import LoginFailed, MeterwrightError, Timeout
from meterwright.exchange import invoke, read, write
from meterwright.link import HdlcClient, HdlcClientSettings, HdlcServer, HdlcServerSettings, WrapperLink
from meterwright.link.hdlc import HdlcParameters
from meterwright.server import ActionOutcome, Caller, ServerConnection
from meterwright.values import ActionResult, SecurityPolicy

LONG = octet_string(bytes(index % 251 for index in range(250)))
BLOCK = octet_string(bytes(index % 241 for index in range(200)))
DONE = unsigned(7)
RESULTS = [LONG, None, DONE]
FAULTS = (Fault.DROP, Fault.DUPLICATE, Fault.CORRUPT, Fault.LATE, Fault.TOO_LATE, Fault.MUCH_TOO_LATE)


class Busy(Meter):
    """A meter whose method answers shortly."""

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        super().invoke(caller, method, parameters)
        return ActionOutcome(ActionResult.SUCCESS, DONE)


class Run:
    """One conversation and what became of it."""

    def __init__(
        self,
        faults: Mapping[int, Fault] | Callable[[int], Fault | None],
        *,
        size: int = 32,
        window: int = 1,
        policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        hdlc: bool = True,
        **how: Any,
    ) -> None:
        self.client = client_side(policy=policy)
        self.host = Busy(meter_side(policy=policy), value=LONG)
        links = hdlc_links(size, window) if hdlc else (WrapperLink(1, 1), None)
        stack = ClientStack(links[0], Proposal(max_receive_pdu_size=150), self.client.credentials())
        meter = ServerConnection(self.host, links[1], chance=lambda size: self.host.side.challenge[:size])
        exchanges = [read(ATTRIBUTE), write(ATTRIBUTE, WRITTEN), invoke(METHOD, BLOCK)]
        cutter = hdlc_frames if hdlc else wrapper_frames
        self.meter = meter
        self.outcome: Outcome = Conversation(stack, meter, exchanges, cutter, faults, **how).run()

    def assert_nothing_wrong(self) -> None:
        """It may have failed, with one clear error; what it got is right, and was done once."""
        outcome, host = self.outcome, self.host
        assert outcome.results == RESULTS[: len(outcome.results)]
        assert (len(outcome.results) == 3) == (not outcome.errors)
        assert len(outcome.errors) <= 1
        assert all(error.hint and error.what for error in outcome.errors)
        assert host.written in ([], [WRITTEN])
        assert host.invoked in ([], [BLOCK])
        assert outcome.results[1:2] == [] or host.written
        assert outcome.results[2:3] == [] or host.invoked
        assert outcome.closed
        assert outcome.left == 0

    def assert_all_right(self) -> None:
        self.assert_nothing_wrong()
        assert self.outcome.errors == []
        assert self.host.errors == []


def hdlc_links(size: int, window: int) -> tuple[HdlcClient, HdlcServer]:
    client = HdlcClientSettings(
        HDLC_CLIENT,
        HDLC_METER,
        proposal=HdlcParameters(size, size, window, window),
        response_timeout=1.0,
        poll_interval=0.3,
        patience=60.0,
        inter_octet_timeout=0.2,
    )
    meter = HdlcServerSettings(
        lower=17, parameters=HdlcParameters(128, 128, 7, 7), answer_within=0.5, inter_octet_timeout=0.2
    )
    return HdlcClient(client), HdlcServer(meter)


LINES: list[Any] = [
    pytest.param({"size": 32}, id="32 octets"),
    pytest.param({"size": 64}, id="64 octets"),
    pytest.param({"size": 48, "window": 3}, id="48 octets, window 3"),
    pytest.param({"size": 32, "policy": SecurityPolicy.ENCRYPTED}, id="32 octets, only encrypted"),
]
each_line = pytest.mark.parametrize("line", LINES)
some_lines = pytest.mark.parametrize("line", LINES[::2])


@each_line
def test_without_faults_it_is_the_same_run_every_time(line: dict[str, Any]) -> None:
    first, second = Run({}, **line), Run({}, **line)
    first.assert_all_right()
    assert first.outcome == second.outcome
    assert first.outcome.frames >= 35
    assert first.outcome.ended < 1


# ------------------------------------------------------------------------------------------------ over HDLC


@each_line
@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.value)
def test_hdlc_gets_over_one_fault_anywhere(fault: Fault, line: dict[str, Any]) -> None:
    """It asks again, or repeats: whoever uses the stack notices nothing."""
    for index in range(Run({}, **line).outcome.frames):
        for bit in (3, 29, 61, 1000) if fault is Fault.CORRUPT else (0,):
            run = Run({index: fault}, bit=bit, **line)
            run.assert_all_right()
            assert run.outcome.ended < 12


@each_line
def test_hdlc_gets_over_two_faults_next_to_each_other(line: dict[str, Any]) -> None:
    kinds = (Fault.DROP, Fault.DUPLICATE, Fault.TOO_LATE)
    for index in range(0, Run({}, **line).outcome.frames, 3):
        for first in kinds:
            for second in kinds:
                Run({index: first, index + 1: second}, **line).assert_nothing_wrong()


@each_line
def test_a_line_that_dies_is_one_clear_error(line: dict[str, Any]) -> None:
    for cut in range(Run({}, **line).outcome.frames):
        run = Run(lambda index, cut=cut: Fault.DROP if index >= cut else None, **line)  # type: ignore[misc]  # mypy infers no lambda with a default
        run.assert_nothing_wrong()
        died_while_closing = len(run.outcome.results) == 3
        assert len(run.outcome.errors) == (0 if died_while_closing else 1)
        assert all(isinstance(error, Timeout | LoginFailed) for error in run.outcome.errors)
        assert run.outcome.ended < 70


def test_a_line_that_dies_between_our_proof_and_the_meter_s_is_a_login_that_failed() -> None:
    kinds: list[type[MeterwrightError]] = []
    for cut in range(Run({}).outcome.frames):
        run = Run(lambda index, cut=cut: Fault.DROP if index >= cut else None)  # type: ignore[misc]  # as above
        kinds += [type(error) for error in run.outcome.errors]
        assert all(not error.refused for error in run.outcome.errors if isinstance(error, LoginFailed))
    assert kinds.count(LoginFailed) >= 2
    first = kinds.index(LoginFailed)
    assert set(kinds[:first]) == {Timeout}


@pytest.mark.soak
@some_lines
def test_every_single_bit(line: dict[str, Any]) -> None:
    around = 14  # octets of a frame around its information
    for index in range(Run({}, **line).outcome.frames):
        for bit in range(8 * (line["size"] + around)):
            Run({index: Fault.CORRUPT}, bit=bit, **line).assert_all_right()


@pytest.mark.soak
@some_lines
def test_any_two_faults(line: dict[str, Any]) -> None:
    frames = Run({}, **line).outcome.frames
    for first in range(frames):
        for second in range(first + 1, frames):
            for kinds in (
                (Fault.DROP, Fault.DROP),
                (Fault.DUPLICATE, Fault.TOO_LATE),
                (Fault.TOO_LATE, Fault.DROP),
            ):
                Run({first: kinds[0], second: kinds[1]}, **line).assert_nothing_wrong()


# ------------------------------------------------------------------------------------------------ over the wrapper

VERY_LATE = {Fault.LATE: 5.0, Fault.TOO_LATE: 15.0, Fault.MUCH_TOO_LATE: 45.0}
WRAPPER: dict[str, Any] = {"hdlc": False, "wire_ends": True, "delays": VERY_LATE, "patience": 10.0}


def test_a_lost_apdu_is_a_time_out_and_nothing_else() -> None:
    frames = Run({}, **WRAPPER).outcome.frames
    assert frames == 16
    for index in range(frames):
        run = Run({index: Fault.DROP}, **WRAPPER)
        run.assert_nothing_wrong()
        while_closing = index >= frames - 2
        errors = run.outcome.errors
        assert len(errors) == (0 if while_closing else 1)
        kind = LoginFailed if index in (2, 3) else Timeout
        assert all(isinstance(error, kind) for error in errors)
        assert run.outcome.ended < 25


def test_a_doubled_apdu_disturbs_nobody() -> None:
    for index in range(Run({}, **WRAPPER).outcome.frames):
        Run({index: Fault.DUPLICATE}, **WRAPPER).assert_all_right()
    Run(lambda _: Fault.DUPLICATE, **WRAPPER).assert_all_right()


@pytest.mark.parametrize("overtaking", [False, True], ids=["in order", "overtaking"])
def test_a_late_apdu_is_right_in_time_and_a_time_out_too_late(overtaking: bool) -> None:
    for index in range(Run({}, **WRAPPER).outcome.frames):
        Run({index: Fault.LATE}, overtaking=overtaking, **WRAPPER).assert_all_right()
        for fault in (Fault.TOO_LATE, Fault.MUCH_TOO_LATE):
            run = Run({index: fault}, overtaking=overtaking, **WRAPPER)
            run.assert_nothing_wrong()
            assert all(isinstance(error, Timeout | LoginFailed) for error in run.outcome.errors)
            assert run.outcome.ended < 25
