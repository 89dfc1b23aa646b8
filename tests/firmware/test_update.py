"""An update from end to end, against a simulated meter in memory and virtual time."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.firmware.rig import BLOCK, IDENTIFIER, Rig, image, octets

from meterwright.client import Client
from meterwright.cosem import ImageTransfer
from meterwright.firmware import Activation, Outcome, Patience, UpdatePolicy, plan, update
from meterwright.simulator import MeterSettings, Timing
from meterwright.testing.virtual_time import run_in_virtual_time
from meterwright.values import ImageTransferStatus

ALL_PHASES = ["planning", "initiating", "transferring", "verifying", "inspecting", "activating", "confirming"]


def on_a_meter(
    tmp_path: Path, scenario: Callable[[Rig], Awaitable[None]], settings: MeterSettings | None = None
) -> Rig:
    """Play a scenario on one meter."""
    rig = Rig(tmp_path, settings or MeterSettings())

    async def play() -> None:
        await rig.start()
        try:
            await scenario(rig)
        finally:
            await rig.stop()

    run_in_virtual_time(play())
    return rig


def test_an_image_comes_in_is_verified_and_runs(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        result = await rig.update()
        assert result.outcome is Outcome.DONE
        assert (result.version_before, result.version_after) == ("MW-1.0", "NEW-2.0")
        assert (result.blocks_sent, result.resumed_from) == (11, None)

    rig = on_a_meter(tmp_path, scenario)
    assert rig.active == octets(10 * BLOCK + 77)
    assert rig.calls == {"initiate": 1, "block": 11, "verify": 1, "activate": 1}
    assert rig.phases() == ALL_PHASES
    assert rig.lines()[-1]["event"] == "result"


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_the_last_block_is_the_remainder_whatever_the_size(tmp_path: Path, size: int) -> None:
    async def scenario(rig: Rig) -> None:
        assert (await rig.update(image(size))).outcome is Outcome.DONE

    assert on_a_meter(tmp_path, scenario).active == octets(size)


@pytest.mark.parametrize("block_size", [1, 50, 200, 256, 900])
def test_the_meter_says_how_long_a_block_is(tmp_path: Path, block_size: int) -> None:
    async def scenario(rig: Rig) -> None:
        result = await rig.update(image(1000))
        assert result.outcome is Outcome.DONE
        assert result.blocks_sent == -(-1000 // block_size)

    on_a_meter(tmp_path, scenario, MeterSettings(image_block_size=block_size))


def test_what_runs_already_is_left_alone(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.update()
        calls = rig.calls
        again = await rig.update()
        assert again.outcome is Outcome.NOTHING_TO_DO
        assert again.version_after == "NEW-2.0"
        assert rig.calls == calls

    on_a_meter(tmp_path, scenario)


def test_an_expected_version_that_runs_needs_no_journal(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        result = await rig.update(policy=UpdatePolicy(expected_version="MW-1.0"))
        assert result.outcome is Outcome.NOTHING_TO_DO
        assert rig.calls["initiate"] == 0

    on_a_meter(tmp_path, scenario)


def test_another_version_than_expected_is_a_failure_of_the_release(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        result = await rig.update(policy=UpdatePolicy(expected_version="NEW-9.9"))
        assert result.outcome is Outcome.FAILED
        assert result.as_json()["kind"] == "release"
        assert "wrong-version-after" in rig.codes()

    on_a_meter(tmp_path, scenario)


def test_activate_never_stops_at_the_verified_image_and_goes_on_from_there(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        result = await rig.update(policy=UpdatePolicy(activation=Activation.NEVER))
        assert result.outcome is Outcome.DONE
        assert result.version_after == "MW-1.0"
        assert rig.calls["activate"] == 0
        assert rig.meter.machine.record.image.status is ImageTransferStatus.VERIFICATION_SUCCESSFUL
        assert (await rig.update()).outcome is Outcome.DONE

    rig = on_a_meter(tmp_path, scenario)
    assert rig.calls == {"initiate": 1, "block": 11, "verify": 1, "activate": 1}
    assert rig.running == IDENTIFIER


def test_a_disabled_transfer_is_enabled_and_disabled_again(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        assert (await rig.update()).outcome is Outcome.DONE
        async with rig.client() as client:
            assert await ImageTransfer(client).image_transfer_enabled.get() is False

    rig = on_a_meter(tmp_path, scenario, MeterSettings(image_transfer_enabled=False))
    assert rig.phases() == ["planning", "enabling", *ALL_PHASES[1:]]


def test_what_waits_to_be_activated_stays_enabled(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.update(policy=UpdatePolicy(activation=Activation.NEVER))
        assert rig.meter.machine.record.image.enabled
        assert (await rig.update()).outcome is Outcome.DONE
        assert not rig.meter.machine.record.image.enabled

    on_a_meter(tmp_path, scenario, MeterSettings(image_transfer_enabled=False))


def test_an_enabled_transfer_stays_enabled(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.update()
        async with rig.client() as client:
            assert await ImageTransfer(client).image_transfer_enabled.get() is True

    on_a_meter(tmp_path, scenario)


def test_a_slow_meter_is_waited_for(tmp_path: Path) -> None:
    slow = Timing(erase_seconds=60, verify_seconds=500, activate_seconds=100, reboot_seconds=600)

    async def scenario(rig: Rig) -> None:
        assert (await rig.update()).outcome is Outcome.DONE

    rig = on_a_meter(tmp_path, scenario, MeterSettings(timing=slow))
    assert rig.calls == {"initiate": 1, "block": 11, "verify": 1, "activate": 1}


def test_a_plan_changes_nothing_and_says_all(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        made = await plan(rig.client(), image(), IDENTIFIER, state=tmp_path)
        assert made.as_json()["blocks_to_send"] == 11
        assert made.as_json()["decision"] == "begin"
        assert made.meter == rig.meter.name

    assert set(on_a_meter(tmp_path, scenario).calls.values()) == {0}


def test_a_block_larger_than_the_pdu_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        result = await rig.update()
        assert result.outcome is Outcome.REFUSED
        assert "block-larger-than-pdu" in rig.codes()

    settings = MeterSettings(image_block_size=256, max_receive_pdu_size=128, force_block_size=True)
    assert set(on_a_meter(tmp_path, scenario, settings).calls.values()) == {0}


def test_over_a_connection_that_was_given_nothing_is_activated(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        given = Client.over(await rig.dial())
        now = await update(given, image(), IDENTIFIER, state=tmp_path)
        assert now.outcome is Outcome.REFUSED
        assert "cannot-come-back" in {finding.code for finding in now.findings}
        again = Client.over(await rig.dial())
        never = UpdatePolicy(activation=Activation.NEVER)
        assert (
            await update(again, image(), IDENTIFIER, state=tmp_path, policy=never)
        ).outcome is Outcome.DONE

    rig = on_a_meter(tmp_path, scenario)
    assert rig.calls == {"initiate": 1, "block": 11, "verify": 1, "activate": 0}


def test_the_meter_is_released_at_the_end(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.update(policy=UpdatePolicy(activation=Activation.NEVER))
        assert all(wire.client_end.is_closed for wire in rig.wires)
        async with Client(rig.dial) as client:
            assert client.is_associated

    on_a_meter(tmp_path, scenario)


def test_a_verification_that_fails_is_a_failure_of_the_release_and_activates_nothing(tmp_path: Path) -> None:
    from meterwright.simulator import Judgement

    async def scenario(rig: Rig) -> None:
        result = await rig.update()
        assert result.outcome is Outcome.FAILED
        assert result.as_json()["kind"] == "release"
        assert "verification-failed" in rig.codes()

    judged = MeterSettings(judgement=Judgement(verification=lambda _candidate: False))
    rig = on_a_meter(tmp_path, scenario, judged)
    assert rig.calls["activate"] == 0
    assert rig.running == b"MW-1.0"


def test_an_activation_that_fails_is_seen(tmp_path: Path) -> None:
    from meterwright.simulator import Judgement

    async def scenario(rig: Rig) -> None:
        result = await rig.update(policy=UpdatePolicy(patience=Patience(settle=5, unchanged=15)))
        assert result.outcome is Outcome.FAILED
        assert result.as_json()["kind"] == "release"
        assert "version-unchanged" in rig.codes()

    judged = MeterSettings(judgement=Judgement(activation=lambda _candidate: False))
    rig = on_a_meter(tmp_path, scenario, judged)
    assert rig.calls["activate"] == 1
    assert rig.running == b"MW-1.0"
