"""What goes wrong in an update, and what is said of it: outcome, whose failure it is, finding, and what was not done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.firmware.faults import ACTIVATE, BLOCK_TRANSFER, INITIATE, VERIFY, Drop, faulty
from tests.firmware.rig import Rig, image, octets

from meterwright.data import Data, DataTag, double_long_unsigned
from meterwright.data import enum as enum_data
from meterwright.firmware import Outcome, Patience, UpdatePolicy, UpdateResult
from meterwright.server import ObjectHost
from meterwright.simulator import MeterSettings
from meterwright.testing.virtual_time import run_in_virtual_time
from meterwright.values import AcseServiceUserDiagnostic, ActionResult, DataAccessResult

QUICK = UpdatePolicy(
    patience=Patience(
        initiate=20, verify=30, confirm=60, reconnect=10, settle=5, unchanged=15, block_attempts=3
    )
)
CLASS_18 = bytes.fromhex("0012 00002c0000ff")
REFUSALS = [result for result in ActionResult if result is not ActionResult.SUCCESS]


@dataclass(frozen=True)
class Case:
    """A fault, and what must come of it. `calls` are the most times a method may have been called."""

    through: Callable[[ObjectHost], ObjectHost]
    outcome: Outcome
    kind: str | None
    code: str | None
    settings: MeterSettings = field(default_factory=MeterSettings)
    activations: int = 0


FAILS, DONE = Outcome.FAILED, Outcome.DONE
CASES: dict[str, Case] = {
    # initiate
    "initiate is refused": Case(
        faulty(methods={INITIATE: ActionResult.OTHER_REASON}), FAILS, "meter", "initiate-refused"
    ),
    "initiate has no right": Case(
        faulty(methods={INITIATE: ActionResult.READ_WRITE_DENIED}), FAILS, "meter", "initiate-refused"
    ),
    "initiate says busy and never begins": Case(
        faulty(methods={INITIATE: ActionResult.TEMPORARY_FAILURE}), FAILS, "meter", "initiate-without-effect"
    ),
    "initiate says busy and begins": Case(
        faulty(methods={INITIATE: ActionResult.TEMPORARY_FAILURE}, carried_out=True),
        DONE,
        None,
        None,
        activations=1,
    ),
    "initiate reports a hardware fault and begins": Case(
        faulty(methods={INITIATE: ActionResult.HARDWARE_FAULT}, carried_out=True),
        DONE,
        None,
        None,
        activations=1,
    ),
    # blocks
    "a block is refused once": Case(
        faulty(methods={BLOCK_TRANSFER: ActionResult.TEMPORARY_FAILURE}, times=1, after=3),
        DONE,
        None,
        None,
        activations=1,
    ),
    "a block reports a fault but is taken": Case(
        faulty(methods={BLOCK_TRANSFER: ActionResult.HARDWARE_FAULT}, times=1, carried_out=True),
        DONE,
        None,
        None,
        activations=1,
    ),
    "blocks are lost silently": Case(
        faulty(methods={BLOCK_TRANSFER: ActionResult.SUCCESS}, times=3, after=2),
        DONE,
        None,
        None,
        activations=1,
    ),
    "blocks are never kept": Case(
        faulty(methods={BLOCK_TRANSFER: ActionResult.SUCCESS}), FAILS, "meter", "blocks-not-kept"
    ),
    # verify
    "verify succeeds at once": Case(
        faulty(methods={VERIFY: ActionResult.SUCCESS}, carried_out=True), DONE, None, None, activations=1
    ),
    "verify reports a hardware fault while busy": Case(
        faulty(methods={VERIFY: ActionResult.HARDWARE_FAULT}, carried_out=True),
        DONE,
        None,
        None,
        activations=1,
    ),
    "verify says other-reason though it works": Case(
        faulty(methods={VERIFY: ActionResult.OTHER_REASON}, carried_out=True), DONE, None, None, activations=1
    ),
    "verify has no right": Case(
        faulty(methods={VERIFY: ActionResult.SCOPE_OF_ACCESS_VIOLATED}), FAILS, "meter", "verify-refused"
    ),
    "verify never begins": Case(
        faulty(methods={VERIFY: ActionResult.SUCCESS}), FAILS, "meter", "verify-without-effect"
    ),
    "the status stays busy": Case(
        faulty(reads={6: enum_data(2)}, after=4), FAILS, "meter", "verify-takes-too-long"
    ),
    "the status cannot be read while it verifies": Case(
        faulty(reads={6: DataAccessResult.TEMPORARY_FAILURE}, times=3, after=4),
        DONE,
        None,
        None,
        activations=1,
    ),
    # inspect
    "no activate info": Case(
        faulty(reads={7: Data(DataTag.ARRAY, ())}), DONE, None, "no-activate-info", activations=1
    ),
    "activate info is null-data": Case(
        faulty(reads={7: Data(DataTag.NULL_DATA, None)}), DONE, None, "no-activate-info", activations=1
    ),
    "activate info is refused": Case(
        faulty(reads={7: DataAccessResult.READ_WRITE_DENIED}), DONE, None, "no-activate-info", activations=1
    ),
    "activate info is of no legal type": Case(
        faulty(reads={7: double_long_unsigned(7)}), DONE, None, "no-activate-info", activations=1
    ),
    # activate
    "activate has no right": Case(
        faulty(methods={ACTIVATE: ActionResult.READ_WRITE_DENIED}), FAILS, "meter", "activate-refused"
    ),
    "activate says success and nothing happens": Case(
        faulty(methods={ACTIVATE: ActionResult.SUCCESS}), FAILS, "release", "version-unchanged"
    ),
    "activate takes hold the second time": Case(
        faulty(methods={ACTIVATE: ActionResult.TEMPORARY_FAILURE}, times=1), DONE, None, None, activations=1
    ),
    "activate reports a fault though it works": Case(
        faulty(methods={ACTIVATE: ActionResult.HARDWARE_FAULT}, carried_out=True),
        DONE,
        None,
        None,
        activations=1,
    ),
    # the map and its neighbours
    "the map cannot be read": Case(
        faulty(reads={3: DataAccessResult.READ_WRITE_DENIED}), DONE, None, None, activations=1
    ),
    "the transfer is disabled and stays so": Case(
        faulty(writes={5: DataAccessResult.READ_WRITE_DENIED}),
        FAILS,
        "meter",
        "enable-refused",
        settings=MeterSettings(image_transfer_enabled=False),
    ),
    "the transfer is disabled and does not say no": Case(
        faulty(writes={5: DataAccessResult.SUCCESS}),
        FAILS,
        "meter",
        "enable-ignored",
        settings=MeterSettings(image_transfer_enabled=False),
    ),
    "the block size cannot be read": Case(
        faulty(reads={2: DataAccessResult.OBJECT_UNDEFINED}), FAILS, "meter", "meter-refused"
    ),
    "the block size is nothing": Case(
        faulty(reads={2: double_long_unsigned(0)}), FAILS, "meter", "meter-refused"
    ),
    # associations
    "authentication is wanted": Case(
        faulty(aare=AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED),
        FAILS,
        "credentials",
        "association-rejected",
    ),
    "the application context is refused": Case(
        faulty(aare=AcseServiceUserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED),
        FAILS,
        "meter",
        "association-rejected",
    ),
}
for _result in (result for result in REFUSALS if result is not ActionResult.TEMPORARY_FAILURE):
    CASES[f"every block is refused: {_result.label}"] = Case(
        faulty(methods={BLOCK_TRANSFER: _result}), FAILS, "meter", "block-refused"
    )


def run(tmp_path: Path, rig: Rig, policy: UpdatePolicy = QUICK) -> UpdateResult:
    async def play() -> UpdateResult:
        await rig.start()
        try:
            return await rig.update(policy=policy)
        finally:
            await rig.stop()

    return run_in_virtual_time(play())


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_the_meter(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    rig = Rig(tmp_path, case.settings, through=case.through)
    result = run(tmp_path, rig)
    told = result.as_json()
    assert result.outcome is case.outcome, told
    assert told["kind"] == case.kind, told
    assert case.code is None or case.code in rig.codes(), told
    assert rig.calls["activate"] == case.activations, told
    assert (rig.running == b"NEW-2.0") == (case.outcome is DONE)
    if case.outcome is DONE:
        assert rig.active == octets(len(image()))
    else:
        assert result.findings[-1].hint, "an error says what to try"
    assert all(wire.client_end.is_closed for wire in rig.wires), "the meter is released"


PHASE_MARKS: dict[str, bytes] = {
    "planning": CLASS_18 + b"\x06\x00",
    "initiating": CLASS_18 + b"\x01\x01",
    "transferring": CLASS_18 + b"\x02\x01",
    "verifying": CLASS_18 + b"\x03\x01",
    "inspecting": CLASS_18 + b"\x07\x00",
    "activating": CLASS_18 + b"\x04\x01",
    "confirming": bytes.fromhex("0001 0100000200ff 02 00"),
}


@pytest.mark.parametrize("arrives", [False, True], ids=["lost", "arrives"])
@pytest.mark.parametrize("phase", PHASE_MARKS)
def test_one_drop_in_a_phase_is_got_over(tmp_path: Path, phase: str, arrives: bool) -> None:
    drop = Drop(PHASE_MARKS[phase], arrives=arrives)
    rig = Rig(tmp_path, interference=drop)
    drop.cut = rig.cut_soon
    result = run(tmp_path, rig)
    assert drop.struck == 1
    assert result.outcome is DONE, result.as_json()
    assert rig.active == octets(len(image()))
    assert rig.calls["block"] <= 12
    assert rig.calls["activate"] == 1


@pytest.mark.parametrize("phase", PHASE_MARKS)
def test_a_drop_in_a_phase_every_time_fails_clearly(tmp_path: Path, phase: str) -> None:
    drop = Drop(PHASE_MARKS[phase], always=True)
    rig = Rig(tmp_path, interference=drop)
    drop.cut = rig.cut_soon
    result = run(tmp_path, rig)
    assert result.outcome is FAILS, result.as_json()
    assert result.findings[-1].hint
    assert rig.running == b"MW-1.0"
    assert drop.struck < 40
    kind = {"activating": "release", "verifying": "meter", "initiating": "meter"}.get(phase, "transient")
    assert result.as_json()["kind"] == kind, result.as_json()


def test_silence_after_activation_is_a_failure_of_the_release(tmp_path: Path) -> None:
    rig = Rig(tmp_path)

    async def play() -> UpdateResult:
        await rig.start()

        def deaf(from_client: bool, message: bytes) -> list[bytes]:
            if from_client and PHASE_MARKS["activating"] in message:
                rig.switched_off = True
            return [] if rig.switched_off else [message]

        rig.interference = deaf
        result = await rig.update(policy=QUICK)
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.as_json()["kind"] == "release"
    assert "silent-after-activation" in rig.codes()
