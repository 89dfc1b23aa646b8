"""What may be done with a meter, decided from where it stands and what is remembered: one table."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.firmware.rig import IDENTIFIER, Rig, image

from meterwright.firmware import BlockMap, Decision, ImageIdentity, Memory, plan
from meterwright.firmware.plan import Standing, decide
from meterwright.testing import run_in_virtual_time
from meterwright.values import ImageTransferStatus

S = ImageTransferStatus
D = Decision
TOTAL = 11
OURS = ImageIdentity("ab" * 32, "4e4557", 1357, 128)
NONE, HALF, FULL = BlockMap.up_to(0, TOTAL), BlockMap.up_to(5, TOTAL), BlockMap.up_to(TOTAL, TOTAL)
FORGOTTEN = Memory()
"""No journal, or one that is not to be trusted."""


def left(blocks: BlockMap, **more: bool | str | int | None) -> Memory:
    """A journal of ours whose transfer was left with these blocks in the meter."""
    memory = Memory(image=OURS, version_before="A", known=blocks.to_bits())
    for name, value in more.items():
        setattr(memory, name, value)
    return memory


@dataclass(frozen=True)
class Row:
    """One row of the table: the status, what is remembered, the map and the version that are read; and what follows."""

    status: ImageTransferStatus
    memory: Memory
    blocks: BlockMap
    decision: Decision
    code: str | None = None
    version: str | None = "A"
    expected: str | None = None


TABLE: dict[str, Row] = {
    # Nothing is remembered: whatever stands there is begun anew, or waited for.
    "a fresh meter": Row(S.NOT_INITIATED, FORGOTTEN, NONE, D.BEGIN),
    "a transfer of somebody's": Row(S.TRANSFER_INITIATED, FORGOTTEN, HALF, D.BEGIN),
    "an old status 1 with an empty map": Row(S.TRANSFER_INITIATED, FORGOTTEN, NONE, D.BEGIN),
    "somebody's whole transfer": Row(S.TRANSFER_INITIATED, FORGOTTEN, FULL, D.BEGIN),
    "it verifies": Row(S.VERIFICATION_INITIATED, FORGOTTEN, FULL, D.WAIT, "meter-busy"),
    "somebody's verified image": Row(S.VERIFICATION_SUCCESSFUL, FORGOTTEN, FULL, D.BEGIN),
    "somebody's failed verification": Row(S.VERIFICATION_FAILED, FORGOTTEN, FULL, D.BEGIN),
    "it activates": Row(S.ACTIVATION_INITIATED, FORGOTTEN, FULL, D.WAIT, "meter-busy"),
    "somebody's activated image": Row(S.ACTIVATION_SUCCESSFUL, FORGOTTEN, FULL, D.BEGIN),
    "somebody's failed activation": Row(S.ACTIVATION_FAILED, FORGOTTEN, FULL, D.BEGIN),
    # Another image of ours.
    "another image was begun": Row(
        S.TRANSFER_INITIATED, replace(left(HALF), image=replace(OURS, sha256="cd" * 32)), HALF, D.BEGIN
    ),
    "the same image by another identifier": Row(
        S.TRANSFER_INITIATED, replace(left(HALF), image=replace(OURS, identifier="00")), HALF, D.BEGIN
    ),
    "the same image in other blocks": Row(
        S.TRANSFER_INITIATED, replace(left(HALF), image=replace(OURS, block_size=200)), HALF, D.BEGIN
    ),
    "another image is being verified": Row(
        S.VERIFICATION_INITIATED,
        replace(left(FULL), image=replace(OURS, sha256="cd" * 32)),
        FULL,
        D.WAIT,
        "meter-busy",
    ),
    "another image was verified": Row(
        S.VERIFICATION_SUCCESSFUL,
        replace(left(FULL, verified=True), image=replace(OURS, sha256="cd" * 32)),
        FULL,
        D.BEGIN,
    ),
    "another image's activation is undecided": Row(
        S.VERIFICATION_SUCCESSFUL,
        replace(left(FULL, activating=True), image=replace(OURS, sha256="cd" * 32)),
        FULL,
        D.BEGIN,
    ),
    # Ours, and the map is as we left it.
    "ours, initiated": Row(S.TRANSFER_INITIATED, left(NONE), NONE, D.RESUME),
    "ours, half": Row(S.TRANSFER_INITIATED, left(HALF), HALF, D.RESUME),
    "ours, with what was sent since": Row(
        S.TRANSFER_INITIATED, replace(left(NONE), sent={0, 1, 2, 3, 4, 5}), HALF, D.RESUME
    ),
    "ours, whole": Row(S.TRANSFER_INITIATED, left(FULL), FULL, D.VERIFY),
    "ours, the last block was in flight": Row(
        S.TRANSFER_INITIATED, replace(left(BlockMap.up_to(10, TOTAL)), sent={10}), FULL, D.VERIFY
    ),
    "ours, verifying": Row(S.VERIFICATION_INITIATED, left(FULL), FULL, D.WAIT, "meter-busy"),
    "ours, verified": Row(S.VERIFICATION_SUCCESSFUL, left(FULL), FULL, D.ACTIVATE),
    "ours, verified, and we know": Row(
        S.VERIFICATION_SUCCESSFUL, left(FULL, verified=True), FULL, D.ACTIVATE
    ),
    "ours, verified, the map is gone": Row(
        S.VERIFICATION_SUCCESSFUL, left(FULL, verified=True), NONE, D.ACTIVATE
    ),
    "ours, verification failed": Row(S.VERIFICATION_FAILED, left(FULL), FULL, D.BEGIN),
    "ours, forgotten by the meter": Row(S.NOT_INITIATED, left(HALF), NONE, D.BEGIN),
    "ours, activation failed before": Row(S.ACTIVATION_FAILED, left(FULL), FULL, D.BEGIN),
    "ours, activated before, and something else runs": Row(
        S.ACTIVATION_SUCCESSFUL, left(FULL), FULL, D.BEGIN
    ),
    # Ours, and the map is not as we left it: somebody came in between.
    "more blocks than ours": Row(
        S.TRANSFER_INITIATED, left(HALF), BlockMap.up_to(7, TOTAL), D.BEGIN, "foreign-image"
    ),
    "fewer blocks than ours": Row(
        S.TRANSFER_INITIATED, left(HALF), BlockMap.up_to(3, TOTAL), D.BEGIN, "foreign-image"
    ),
    "other blocks than ours": Row(
        S.TRANSFER_INITIATED, left(HALF), NONE.with_blocks({6, 7, 8, 9, 10}), D.BEGIN, "foreign-image"
    ),
    "a map that was wiped": Row(S.TRANSFER_INITIATED, left(HALF), NONE, D.BEGIN, "foreign-image"),
    "a map of another length": Row(
        S.TRANSFER_INITIATED,
        left(HALF, exact_map=True),
        replace(HALF, bits_read=40),
        D.BEGIN,
        "foreign-image",
    ),
    "what was acknowledged is not there": Row(
        S.TRANSFER_INITIATED,
        replace(left(HALF), sent={5, 6}, acknowledged=5),
        HALF,
        D.BEGIN,
        "foreign-image",
    ),
    "verified, though we never sent it all": Row(
        S.VERIFICATION_SUCCESSFUL, left(HALF), FULL, D.BEGIN, "foreign-image"
    ),
    # An activation of ours whose end was not seen: only looking helps, never another activation.
    "undecided, verified": Row(
        S.VERIFICATION_SUCCESSFUL, left(FULL, activating=True), FULL, D.CONFIRM, "activation-undecided"
    ),
    "undecided, activating": Row(
        S.ACTIVATION_INITIATED, left(FULL, activating=True), FULL, D.CONFIRM, "activation-undecided"
    ),
    "undecided, activated": Row(
        S.ACTIVATION_SUCCESSFUL, left(FULL, activating=True), FULL, D.CONFIRM, "activation-undecided", "B"
    ),
    "undecided, failed": Row(
        S.ACTIVATION_FAILED, left(FULL, activating=True), FULL, D.CONFIRM, "activation-undecided"
    ),
    "undecided, and begun by somebody": Row(
        S.TRANSFER_INITIATED, left(FULL, activating=True), NONE, D.CONFIRM, "activation-undecided"
    ),
    "undecided, and what is expected runs": Row(
        S.ACTIVATION_SUCCESSFUL,
        left(FULL, activating=True, enabled_by_us=True),
        FULL,
        D.CONFIRM,
        "activation-undecided",
        "B",
        "B",
    ),
    # It runs already.
    "what is expected runs": Row(S.NOT_INITIATED, FORGOTTEN, NONE, D.NOTHING, "runs-already", "B", "B"),
    "what is expected runs, whatever is begun": Row(
        S.TRANSFER_INITIATED, left(HALF), HALF, D.NOTHING, "runs-already", "B", "B"
    ),
    "what is expected runs, while it verifies": Row(
        S.VERIFICATION_INITIATED, FORGOTTEN, FULL, D.NOTHING, "runs-already", "B", "B"
    ),
    "we saw this image begin to run": Row(
        S.ACTIVATION_SUCCESSFUL, left(FULL, runs="B"), FULL, D.NOTHING, "runs-already", "B"
    ),
    "we saw this image run, by another identifier": Row(
        S.ACTIVATION_SUCCESSFUL,
        replace(left(FULL, runs="B"), image=replace(OURS, identifier="00")),
        FULL,
        D.NOTHING,
        "runs-already",
        "B",
    ),
    "we saw this image run, and another version runs now": Row(
        S.ACTIVATION_SUCCESSFUL, left(FULL, runs="B"), FULL, D.BEGIN, None, "C"
    ),
    "we saw another image run": Row(
        S.ACTIVATION_SUCCESSFUL,
        replace(left(FULL, runs="B"), image=replace(OURS, sha256="cd" * 32)),
        FULL,
        D.BEGIN,
        None,
        "B",
    ),
    "we saw this image run, and what runs cannot be read": Row(
        S.ACTIVATION_SUCCESSFUL, left(FULL, runs=""), FULL, D.BEGIN, None, None
    ),
    "something else is expected": Row(S.NOT_INITIATED, FORGOTTEN, NONE, D.BEGIN, None, "A", "B"),
    "what runs cannot be read, and something is expected": Row(
        S.NOT_INITIATED, FORGOTTEN, NONE, D.BEGIN, None, None, "B"
    ),
    # A status no book knows.
    "a status of the maker's own": Row(S(99), left(HALF), HALF, D.BEGIN),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_done(name: str) -> None:
    row = TABLE[name]
    decision, said = decide(OURS, Standing(row.version, row.status, row.blocks), row.memory, row.expected)
    assert decision is row.decision
    assert (None if said is None else said.code) == row.code


statuses = st.sampled_from(ImageTransferStatus)
numbers = st.sets(st.integers(0, TOTAL - 1))


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    """Anything that may be remembered."""
    known = draw(st.none() | numbers)
    return Memory(
        image=draw(st.sampled_from([None, OURS, replace(OURS, sha256="cd" * 32)])),
        known=None if known is None else NONE.with_blocks(known).to_bits(),
        sent=draw(numbers),
        acknowledged=draw(st.none() | st.integers(0, TOTAL - 1)),
        loses_blocks=draw(st.booleans()),
        exact_map=draw(st.booleans()),
        verified=draw(st.booleans()),
        activating=draw(st.booleans()),
        runs=draw(st.sampled_from([None, "A", "B"])),
    )


@given(statuses, memories(), numbers, st.sampled_from(["A", "B", None]), st.sampled_from(["A", "B", None]))
def test_what_never_happens(
    status: ImageTransferStatus, memory: Memory, held: set[int], version: str | None, expected: str | None
) -> None:
    blocks = NONE.with_blocks(held)
    decision, _ = decide(OURS, Standing(version, status, blocks), memory, expected)
    ours = memory.image == OURS
    if status in (S.VERIFICATION_INITIATED, S.ACTIVATION_INITIATED):
        assert decision in (D.WAIT, D.CONFIRM, D.NOTHING), "never initiate at what is busy"
    if decision in (D.RESUME, D.VERIFY, D.ACTIVATE, D.CONFIRM):
        assert ours, "nothing is gone on with that is not ours"
    if decision in (D.RESUME, D.VERIFY):
        assert status is S.TRANSFER_INITIATED
        assert memory.explains(blocks)
        assert blocks.is_full is (decision is D.VERIFY)
    if decision is D.ACTIVATE:
        assert status is S.VERIFICATION_SUCCESSFUL
        assert not memory.activating, "never activate while the outcome of an earlier one is unknown"
    if ours and memory.activating:
        assert decision is D.CONFIRM
    if decision is D.NOTHING:
        assert version is not None
        assert version in (expected, memory.runs)


def test_a_plan_as_json_has_the_shape_that_is_documented(tmp_path: Path) -> None:
    async def play() -> dict[str, object]:
        rig = Rig(tmp_path)
        await rig.start()
        made = await plan(rig.client(), image(), IDENTIFIER, state=tmp_path)
        await rig.stop()
        return made.as_json()

    told = run_in_virtual_time(play())
    assert list(told) == [
        "event",
        "meter",
        "version",
        "expected_version",
        "decision",
        "image_size",
        "image_sha256",
        "image_identifier",
        "block_size",
        "blocks_total",
        "blocks_to_send",
        "seconds",
        "image_transfer_enabled",
        "image_transfer_status",
        "block_request_size",
        "max_send_pdu_size",
        "activation",
        "findings",
    ]
    assert told["block_request_size"] == 128 + 23  # tags, descriptor, number, lengths
