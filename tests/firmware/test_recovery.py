"""What once went wrong and must not again: foreign images of another size, lost answers, refusals while a meter starts up."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.client.stage import until
from tests.firmware.faults import ACTIVATE, Faulty, faulty
from tests.firmware.rig import BLOCK, IDENTIFIER, Rig, image, octets
from tests.firmware.test_failures import QUICK
from tests.firmware.test_foreign_images import OURS_SENT, SIZE, foreign, interrupted

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.data import Data
from meterwright.firmware import Journal, Outcome, UpdatePolicy, UpdateResult, journal_path
from meterwright.image import FirmwareImage
from meterwright.server import ActionOutcome, Caller
from meterwright.simulator import MeterSettings
from meterwright.testing import run_in_virtual_time
from meterwright.values import DataAccessResult

ACTION_RESPONSE = b"\xc7"
HEADER = 8

NO_MAP: dict[int, DataAccessResult | Data] = {3: DataAccessResult.READ_WRITE_DENIED}


@pytest.mark.parametrize("readable", [True, False], ids=["the map is readable", "the map is refused"])
@pytest.mark.parametrize("their_size", [3 * SIZE, 8 * BLOCK, SIZE - 100, SIZE + 10, SIZE])
def test_a_foreign_image_of_any_size_with_exactly_as_many_blocks_is_got_over(
    tmp_path: Path, their_size: int, readable: bool
) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, through=faulty(reads=None if readable else NO_MAP))
        await rig.start()
        await interrupted(rig)
        await foreign(rig, OURS_SENT, size=their_size)
        result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE, result.as_json()
    assert rig.active == octets(SIZE)
    assert rig.calls["activate"] == 1
    assert rig.codes() & {"foreign-image", "block-refused-after-resume", "another-image"}, "and it is said"
    as_many_blocks = -(-their_size // BLOCK) == -(-SIZE // BLOCK)
    assert ("foreign-image" in rig.codes()) is (readable and not as_many_blocks), (
        "the map tells, where it can"
    )


@dataclass
class LosesAnswers:
    """Every other answer to a method never comes."""

    answers: int = 0

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        if from_client or not message.startswith(ACTION_RESPONSE, HEADER):
            return [message]
        self.answers += 1
        return [message] * (self.answers % 2)


def test_more_answers_are_lost_than_an_association_has_invoke_ids(tmp_path: Path) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, interference=LosesAnswers())
        await rig.start()
        result = await rig.update(image(60 * BLOCK), policy=QUICK)
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE, result.as_json()
    assert rig.calls["block"] == 60, "what was taken is not sent again"


class Starting(Faulty):
    """A meter that refuses its status so often after it was activated."""

    def __init__(self, rig: Rig, result: DataAccessResult, times: int) -> None:
        super().__init__(rig.meter)
        self._rig = rig
        self._result = result
        self._times = times

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        asks = attribute.class_id == 18 and attribute.attribute_id == 6 and self._rig.calls["activate"]
        if asks and self._times:
            self._times -= 1
            return self._result
        return super().get(caller, attribute, selection)


@pytest.mark.parametrize("times", [3, 1_000_000], ids=["for a while", "for ever"])
@pytest.mark.parametrize(
    "refusal",
    [
        DataAccessResult.OBJECT_UNAVAILABLE,
        DataAccessResult.OTHER_REASON,
        DataAccessResult.READ_WRITE_DENIED,
        DataAccessResult.TEMPORARY_FAILURE,
    ],
)
def test_a_meter_that_refuses_while_it_starts_up_is_asked_again(
    tmp_path: Path, refusal: DataAccessResult, times: int
) -> None:
    async def play() -> UpdateResult:
        rig = Rig(tmp_path)
        rig.through = lambda _host: Starting(rig, refusal, times)
        await rig.start()
        result = await rig.update(policy=replace(QUICK, expected_version="NEW-2.0"))
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    if times == 3:
        assert result.outcome is Outcome.DONE, result.as_json()
    elif result.outcome is not Outcome.DONE:
        assert result.as_json()["kind"] == "release", "nothing after activation is the line's, or the meter's"


@pytest.mark.parametrize("expected", ["NEW-2.0", None])
@pytest.mark.parametrize("when", ["activation is undecided", "it was seen to run"])
def test_what_we_enabled_is_disabled_again_by_the_run_after_the_kill(
    tmp_path: Path, expected: str | None, when: str
) -> None:
    policy = UpdatePolicy(expected_version=expected)

    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, MeterSettings(image_transfer_enabled=False))
        await rig.start()
        task = asyncio.ensure_future(rig.update(policy=policy))
        await until(lambda: "confirming" in rig.phases(), 0.01)
        for wire in rig.wires:
            wire.cut()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(10)
        assert rig.meter.machine.record.image.enabled
        if when == "it was seen to run":  # and then the process was killed
            Journal(journal_path(tmp_path, rig.meter.name)).runs("NEW-2.0")
        result = await rig.update(policy=policy)
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    undecided = when == "activation is undecided"
    assert result.outcome is (Outcome.DONE if undecided else Outcome.NOTHING_TO_DO)
    assert result.version_after == "NEW-2.0"
    assert not rig.meter.machine.record.image.enabled
    assert rig.calls["activate"] == 1


def test_an_image_that_changes_while_it_is_sent_never_leaves_in_parts(tmp_path: Path) -> None:
    """Somebody builds anew over the file that is being sent."""
    size = 700_000
    path = tmp_path / "image.bin"
    path.write_bytes(octets(size))
    settings = MeterSettings(image_block_size=8000, max_receive_pdu_size=10_000)

    async def play() -> tuple[Rig, UpdateResult, UpdateResult]:
        rig = Rig(tmp_path, settings)
        await rig.start()
        with FirmwareImage.open(path) as firmware:
            task = asyncio.ensure_future(rig.update(firmware))
            await until(lambda: rig.calls["block"] >= 3, 0)
            path.write_bytes(octets(size, seed=5))
            first = await task
        with FirmwareImage.open(path) as firmware:
            second = await rig.update(firmware, b"NEWER-3.0")
        await rig.stop()
        return rig, first, second

    rig, first, second = run_in_virtual_time(play())
    assert first.outcome is Outcome.REFUSED
    assert "has changed" in first.findings[-1].message
    assert first.findings[-1].hint
    assert second.outcome is Outcome.DONE
    assert rig.active == octets(size, seed=5)
    assert rig.running != IDENTIFIER
    assert rig.calls["activate"] == 1


class Mute(Faulty):
    """After its activation the meter does not tell its version any more."""

    activated = False

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        if self.activated and attribute.instance_id == UpdatePolicy().version_object:
            return DataAccessResult.READ_WRITE_DENIED
        return super().get(caller, attribute, selection)

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        self.activated |= (method.class_id, method.method_id) == (18, ACTIVATE)
        return super().invoke(caller, method, parameters)


def test_a_version_that_cannot_be_read_any_more_proves_nothing(tmp_path: Path) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, through=Mute)
        await rig.start()
        result = await rig.update(policy=QUICK)
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.FAILED
    assert result.as_json()["kind"] == "release"
    assert "version-unreadable-after" in rig.codes()
    assert rig.calls["activate"] == 1
