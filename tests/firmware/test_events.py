"""The lines that an update prints with --json: a contract, others build on them."""

import json
from pathlib import Path

import pytest
from tests.firmware.faults import BLOCK_TRANSFER, faulty
from tests.firmware.rig import BLOCK, Rig, image

from meterwright.firmware import (
    FindingRaised,
    MeterFailed,
    Outcome,
    Phase,
    PhaseEntered,
    Progress,
    UpdateEvent,
    UpdateResult,
)
from meterwright.firmware.failures import (
    CredentialsFailed,
    ReleaseFailed,
    Unreachable,
    UpdateFailed,
    UpdateRefused,
)
from meterwright.testing import run_in_virtual_time
from meterwright.values import ActionResult, Finding, Level

FINDING = Finding(Level.WARNING, "foreign-image", "somebody else", hint="find out")
FINDING_JSON = {
    "level": "warning",
    "code": "foreign-image",
    "message": "somebody else",
    "offset": None,
    "hint": "find out",
}

SHAPES: list[tuple[UpdateEvent, dict[str, object]]] = [
    (PhaseEntered(Phase.PLANNING), {"event": "phase", "phase": "planning"}),
    (
        Progress(3, 11, 384, 1357),
        {
            "event": "progress",
            "blocks_done": 3,
            "blocks_total": 11,
            "octets_done": 384,
            "octets_total": 1357,
            "rate": None,
            "eta": None,
        },
    ),
    (
        Progress(3, 11, 384, 1357, 12.3456, 0.648),
        {
            "event": "progress",
            "blocks_done": 3,
            "blocks_total": 11,
            "octets_done": 384,
            "octets_total": 1357,
            "rate": 12.35,
            "eta": 0.6,
        },
    ),
    (FindingRaised(FINDING), {"event": "finding", **FINDING_JSON}),
    (
        UpdateResult(Outcome.DONE, 11, None, "MW-1.0", "NEW-2.0", (FINDING,)),
        {
            "event": "result",
            "outcome": "done",
            "kind": None,
            "blocks_sent": 11,
            "resumed_from": None,
            "version_before": "MW-1.0",
            "version_after": "NEW-2.0",
            "findings": [FINDING_JSON],
        },
    ),
    (
        UpdateResult(Outcome.FAILED, 4, 7, failure=MeterFailed("block-refused", "no")),
        {
            "event": "result",
            "outcome": "failed",
            "kind": "meter",
            "blocks_sent": 4,
            "resumed_from": 7,
            "version_before": None,
            "version_after": None,
            "findings": [],
        },
    ),
]


@pytest.mark.parametrize(
    ("event", "shape"), SHAPES, ids=["phase", "progress", "progress with rate", "finding", "done", "failed"]
)
def test_the_shape_of_a_line(event: UpdateEvent, shape: dict[str, object]) -> None:
    assert event.as_json() == shape
    assert list(event.as_json()) == list(shape), "in this order, for people"
    assert json.loads(json.dumps(event.as_json())) == shape


def test_the_phases_have_these_names_in_this_order() -> None:
    names = "planning enabling initiating transferring verifying inspecting activating confirming"
    assert " ".join(phase.value for phase in Phase) == names


def test_the_outcomes_have_these_names() -> None:
    assert {outcome.value for outcome in Outcome} == {"done", "failed", "nothing-to-do", "refused"}


def test_whose_failure_it_is_has_these_names() -> None:
    kinds: list[type[UpdateFailed]] = [
        Unreachable,
        MeterFailed,
        ReleaseFailed,
        CredentialsFailed,
        UpdateRefused,
    ]
    assert [kind.kind for kind in kinds] == ["transient", "meter", "release", "credentials", "refused"]


# ---------------------------------------------------------------------------------------------------- a whole stream


def stream(rig: Rig) -> list[dict[str, object]]:
    """The lines of one update."""

    async def play() -> None:
        await rig.start()
        await rig.update()
        await rig.stop()

    run_in_virtual_time(play())
    return rig.lines()


def test_a_stream_has_one_result_and_it_is_the_last_line(tmp_path: Path) -> None:
    lines = stream(Rig(tmp_path))
    assert [line["event"] for line in lines].count("result") == 1
    assert lines[-1]["event"] == "result"
    assert lines[0] == {"event": "phase", "phase": "planning"}
    assert {line["event"] for line in lines} == {"phase", "progress", "finding", "result"}


def test_a_failing_stream_ends_with_its_result_too(tmp_path: Path) -> None:
    refused = faulty(methods={BLOCK_TRANSFER: ActionResult.OTHER_REASON})
    lines = stream(Rig(tmp_path, through=refused))
    assert lines[-1]["event"] == "result"
    assert lines[-1]["outcome"] == "failed"


@pytest.mark.parametrize("failing", [False, True])
def test_the_findings_of_the_result_are_those_that_were_raised(tmp_path: Path, failing: bool) -> None:
    refused = faulty(methods={BLOCK_TRANSFER: ActionResult.OTHER_REASON} if failing else {})
    lines = stream(Rig(tmp_path, through=refused))
    raised = [
        {key: value for key, value in line.items() if key != "event"}
        for line in lines
        if line["event"] == "finding"
    ]
    assert lines[-1]["findings"] == raised
    assert raised


def test_progress_begins_at_none_never_goes_back_and_ends_at_all(tmp_path: Path) -> None:
    size = 300 * BLOCK + 77
    rig = Rig(tmp_path)

    async def play() -> None:
        await rig.start()
        await rig.update(image(size))
        await rig.stop()

    run_in_virtual_time(play())
    progress = [event for event in rig.events if isinstance(event, Progress)]
    done = [each.blocks_done for each in progress]
    assert (done[0], done[-1]) == (0, 301)
    assert done == sorted(done)
    assert {each.blocks_total for each in progress} == {301}
    assert (progress[0].octets_done, progress[-1].octets_done) == (0, size)
    assert all(each.octets_done == min(each.blocks_done * BLOCK, size) for each in progress)
    assert all(each.eta is None or each.eta >= 0 for each in progress)
