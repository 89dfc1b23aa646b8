"""Client against meter with every frame of a conversation dropped, doubled, broken or late.

Whatever the line does: no APDU is lost without an error, none is delivered twice, wrong or out of order, nothing hangs.
"""

import itertools
import random
from collections.abc import Callable, Mapping

import pytest
from tests.link.hdlc.line import Conversation, Fault, Outcome

from meterwright.link.hdlc import (
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcParameters,
    HdlcServer,
    HdlcServerSettings,
)

REQUESTS = [bytes((number,)) * size for number, size in ((1, 100), (2, 5), (3, 64), (4, 29), (5, 30))]


def answer(request: bytes) -> bytes:
    """Sizes on both sides of whole segments (32 octets with three of LLC before the first)."""
    size = {1: 150, 2: 200, 3: 1, 4: 29, 5: 61}[request[0]]
    return bytes((0x80 | request[0],)) + bytes(index % 251 for index in range(size - 1))


def converse(
    faults: Mapping[int, Fault] | Callable[[int], Fault | None],
    *,
    window: int = 1,
    thinks: float = 0.0,
    disconnect_first: bool = False,
    retries: int = 3,
    seed: int = 0,
) -> Outcome:
    parameters = HdlcParameters(32, 32, window, window)
    client = HdlcClient(
        HdlcClientSettings(
            HdlcAddress.of_client(16),
            HdlcAddress.of_server(1, 17),
            proposal=parameters,
            response_timeout=1.0,
            poll_interval=0.3,
            patience=60.0,
            inter_octet_timeout=0.2,
            disconnect_first=disconnect_first,
            retries=retries,
        )
    )
    server = HdlcServer(
        HdlcServerSettings(
            lower=17, parameters=HdlcParameters(256, 256, 7, 7), answer_within=0.5, inter_octet_timeout=0.2
        )
    )
    return Conversation(client, server, REQUESTS, answer, faults=faults, thinks=thinks, seed=seed).run()


def assert_nothing_wrong(outcome: Outcome) -> None:
    assert outcome.requests == REQUESTS[: len(outcome.requests)]
    assert outcome.answers == [answer(each) for each in REQUESTS[: len(outcome.answers)]]
    assert len(outcome.answers) <= len(outcome.requests)
    assert (outcome.error is None) == outcome.closed


def assert_all_right(outcome: Outcome) -> None:
    assert_nothing_wrong(outcome)
    assert outcome.error is None
    assert len(outcome.answers) == len(REQUESTS)


VARIANTS = [
    pytest.param({"window": 1}, id="window 1"),
    pytest.param({"window": 3}, id="window 3"),
    pytest.param({"window": 7}, id="window 7"),
    pytest.param({"window": 1, "thinks": 0.8, "disconnect_first": True}, id="a meter that thinks"),
    pytest.param({"window": 1, "thinks": 1.7}, id="a meter that thinks long"),
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_faults_no_frame_is_wasted(variant: dict[str, float]) -> None:
    outcome = converse({}, **variant)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # keywords of one function in a table
    assert_all_right(outcome)
    if variant == {"window": 1}:
        segments = sum(-(-(len(each) + 3) // 32) for each in [*REQUESTS, *map(answer, REQUESTS)])
        handshakes = 4
        receiver_ready = sum(
            max(0, -(-(len(each) + 3) // 32) - 1) for each in [*REQUESTS, *map(answer, REQUESTS)]
        )
        assert outcome.frames == segments + handshakes + receiver_ready


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("fault", Fault)
def test_one_fault_anywhere_is_got_over(fault: Fault, variant: dict[str, float]) -> None:
    frames = converse({}, **variant).frames  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above
    assert frames > 20
    for index in range(frames):
        for seed in range(3 if fault in (Fault.CORRUPT, Fault.TRUNCATE, Fault.NOISE) else 1):
            outcome = converse({index: fault}, seed=seed, **variant)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above
            assert_all_right(outcome)


@pytest.mark.parametrize("window", [1, 3])
def test_two_faults_next_to_each_other_are_got_over(window: int) -> None:
    frames = converse({}, window=window).frames
    kinds = (Fault.DROP, Fault.DUPLICATE, Fault.TOO_LATE)
    for index, first, second in itertools.product(range(frames), kinds, kinds):
        assert_nothing_wrong(converse({index: first, index + 1: second}, window=window))


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("window", [1, 4])
def test_many_faults_by_chance(rate: float, window: int) -> None:
    ends: set[bool] = set()
    for seed in range(60):
        dice = random.Random(seed)
        kinds = list(Fault)

        def fault(_: int, dice: random.Random = dice, kinds: list[Fault] = kinds) -> Fault | None:
            return dice.choice(kinds) if dice.random() < rate else None

        outcome = converse(fault, window=window, retries=8, seed=seed, thinks=seed % 3 * 0.4)
        assert_nothing_wrong(outcome)
        ends.add(outcome.error is None)
    assert True in ends
    assert rate > 0.2 or ends == {True}


def test_a_dead_line_is_one_clear_error_after_all_retries() -> None:
    outcome = converse(lambda _: Fault.DROP)
    assert outcome.error is not None
    assert outcome.error.what == "the meter at address 1/17 (2 octets) did not answer SNRM, sent 4 times"
    assert outcome.ended == pytest.approx(4.0)


@pytest.mark.parametrize("cut", range(4, 40))
def test_a_line_that_dies_is_one_clear_error(cut: int) -> None:
    outcome = converse(lambda index: Fault.DROP if index >= cut else None)
    assert_nothing_wrong(outcome)
    assert outcome.error is not None
    assert outcome.error.where.layer == "hdlc"
    assert outcome.error.hint
