"""What becomes of the invocation counters of both sides while a meter reboots into its new firmware.

Ours never go down, whatever the meter says; the meter's own may begin anew where a challenge shows that it is no recording.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from tests.client.stage import until
from tests.firmware.rig import BLOCK, Rig, image, octets
from tests.firmware.setups import (
    IS15959,
    SECURED,
    Setup,
    plain,
)

from meterwright.apdu import Aare, ExceptionResponse
from meterwright.client import Client, ClientSettings, CounterReading
from meterwright.firmware import Outcome, UpdatePolicy, UpdateResult
from meterwright.link import WrapperFrame
from meterwright.simulator import MeterRecord, MeterSettings, Timing
from meterwright.testing import run_in_virtual_time
from meterwright.transport import Interference
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    SecurityPolicy,
)

BLOCKS: Final = 5
SIZE: Final = (BLOCKS - 1) * BLOCK + 77
HEADER: Final = 8
REBOOTS: Final = MeterSettings(timing=Timing(reboot_seconds=5))
Change = Callable[[Rig], None]


def recorded(change: Callable[[MeterRecord], MeterRecord]) -> Change:
    """A meter remembers something else when it comes back."""

    def changed(rig: Rig) -> None:
        machine = rig.meter.machine
        machine.remember(change(machine.record))

    return changed


def counter_moved(by: int) -> Change:
    """The number that a meter says it accepted last has moved."""
    return recorded(
        lambda record: replace(
            record, counters={name: max(number + by, 0) for name, number in record.counters.items()}
        )
    )


async def rebooted(
    rig: Rig,
    change: Change,
    *,
    policy: UpdatePolicy | None = None,
    settings: ClientSettings | None = None,
    version_client: Callable[[], Client] | None = None,
    interference: Interference | None = None,
) -> UpdateResult:
    """An update; while the meter reboots it is changed, and from then on the line is interfered with."""
    await rig.start()
    updating = rig.update(image(SIZE), policy=policy, settings=settings, version_client=version_client)
    task = asyncio.ensure_future(updating)
    await until(lambda: rig.calls["activate"] and not rig.meter.is_running, 0.01)
    change(rig)
    await rig.stop()
    rig.tap.count_anew()
    rig.interference = interference
    await rig.start()
    result = await task
    rig.interference = None
    return result


def assert_done(rig: Rig, result: UpdateResult) -> None:
    assert result.outcome is Outcome.DONE, result.as_json()
    assert result.version_after == "NEW-2.0"
    assert rig.active == octets(SIZE)
    assert rig.calls == {"initiate": 1, "block": BLOCKS, "verify": 1, "activate": 1}


def rejection() -> bytes:
    """An AARE that refuses for good and does not say why."""
    return Aare(
        application_context_name=ApplicationContext.LN_CIPHERED,
        result=AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=AcseServiceUserDiagnostic.NO_REASON_GIVEN,
    ).to_octets()


@dataclass
class Instead:
    """What a meter does where the simulated one answers with an APDU of that kind: it goes silent, hangs up, or says other things."""

    begins: bytes
    rig: Rig
    says: bytes = b""
    hangs_up: bool = False
    times: int = 1_000_000

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        if from_client or not message.startswith(self.begins, HEADER) or not self.times:
            return [message]
        self.times -= 1
        if self.hangs_up:
            asyncio.get_running_loop().call_soon(self.rig.wires[-1].cut)
        destination = int.from_bytes(message[4:6], "big")
        return [WrapperFrame(1, destination, self.says).to_octets()] if self.says else []


WAYS_TO_SAY_NO: dict[str, Callable[[bytes, Rig], Instead]] = {
    "it stays silent": Instead,
    "it hangs up": lambda begins, rig: Instead(begins, rig, hangs_up=True),
    "it gives no reason": lambda begins, rig: Instead(begins, rig, says=rejection()),
}


@pytest.mark.parametrize("way", ["it says so", *WAYS_TO_SAY_NO])
def test_a_counter_that_jumped_is_caught_up_with(tmp_path: Path, way: str) -> None:
    """Another program with our keys, or a firmware that counts otherwise."""
    rig = Rig(tmp_path, REBOOTS, setup=IS15959)
    exception = ExceptionResponse.prefix
    interference = None if way == "it says so" else WAYS_TO_SAY_NO[way](exception, rig)

    async def play() -> UpdateResult:
        result = await rebooted(rig, counter_moved(5000), interference=interference)
        await rig.stop()
        return result

    assert_done(rig, run_in_virtual_time(play()))
    assert "counter-ahead" in rig.codes()
    assert rig.tap.aarqs(IS15959.client_sap) == 2
    last_word, first_login, *others = rig.tap.numbers(of_client=True)
    assert last_word < first_login < 1000
    assert min(others) > 5000
    rig.tap.check()


def test_a_counter_that_jumped_too_far_is_not_followed_unasked(tmp_path: Path) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=IS15959)

    async def play() -> tuple[UpdateResult, UpdateResult]:
        first = await rebooted(rig, counter_moved(1 << 21))
        assert rig.tap.aarqs(IS15959.client_sap) == 1
        agreed = IS15959.client(rig.counters)
        agreed = replace(agreed, credentials=replace(agreed.credentials, follow_counter=True))
        second = await rig.update(image(SIZE), settings=agreed)
        await rig.stop()
        return first, second

    first, second = run_in_virtual_time(play())
    assert first.findings[-1].code == "locked-out-after-activation"
    assert "follow_counter" in first.findings[-1].hint
    assert_done(rig, second)


@pytest.mark.parametrize("setup", SECURED, ids=lambda setup: setup.name)
def test_a_meter_that_counts_its_own_anew_is_believed_after_its_challenge(
    tmp_path: Path, setup: Setup
) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=setup)

    async def play() -> UpdateResult:
        result = await rebooted(rig, recorded(lambda record: replace(record, reserved={})))
        await rig.stop()
        return result

    assert_done(rig, run_in_virtual_time(play()))
    assert min(rig.tap.numbers(of_client=False)) == 1
    assert rig.tap.aarqs(setup.client_sap) == 1
    rig.tap.check(of=lambda spent: spent.from_client)


def test_without_a_challenge_a_meter_that_counts_anew_is_not_believed_by_those_who_knew_it(
    tmp_path: Path,
) -> None:
    """It might be a recording. The next process has heard nothing of that meter, and sees what runs."""
    rig = Rig(
        tmp_path,
        REBOOTS,
        setup=plain(AuthenticationMechanism.LOW, SecurityPolicy.AUTHENTICATED_ENCRYPTED),
    )

    async def play() -> tuple[UpdateResult, UpdateResult]:
        first = await rebooted(rig, recorded(lambda record: replace(record, reserved={})))
        second = await rig.update(image(SIZE))
        await rig.stop()
        return first, second

    first, second = run_in_virtual_time(play())
    assert first.findings[-1].code == "locked-out-after-activation"
    assert "went back" in first.findings[-1].message
    assert_done(rig, second)


@pytest.mark.parametrize("reading", [CounterReading.FIRST_USE, CounterReading.ALWAYS])
def test_a_counter_that_is_lower_afterwards_never_lowers_ours(
    tmp_path: Path, reading: CounterReading
) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=IS15959)
    settings = IS15959.client(rig.counters)
    settings = replace(settings, credentials=replace(settings.credentials, counter_reading=reading))

    async def play() -> UpdateResult:
        result = await rebooted(rig, counter_moved(-1_000_000), settings=settings)
        await rig.stop()
        return result

    assert_done(rig, run_in_virtual_time(play()))
    asked = reading is CounterReading.ALWAYS
    assert ("counter-behind" in rig.codes()) is asked, "said, where it was looked at"
    assert rig.tap.aarqs(16) == asked
    assert rig.tap.aarqs(IS15959.client_sap) == 1
    assert min(rig.tap.numbers(of_client=True)) > 2 * BLOCKS
