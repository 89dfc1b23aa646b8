"""A meter that forgets its association while the connection stays: behind a gateway it reboots, and nobody hangs up.

It answers every request by an exception, in plain, until the client associates anew. Such an answer says nothing of what
became of the request.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.firmware.rig import BLOCK, Rig, image, octets
from tests.firmware.setups import IS15959, OPEN, Setup

from meterwright.apdu import Aare, ExceptionResponse, Rlre
from meterwright.firmware import Outcome, Phase, UpdateResult
from meterwright.link import WrapperFrame, WrapperFramer
from meterwright.simulator import MeterSettings, Timing
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.values import ExceptionService, ExceptionState

BLOCKS: Final = 6
SIZE: Final = (BLOCKS - 1) * BLOCK + 77
STAYS: Final = MeterSettings(image_transfer_enabled=False, timing=Timing(reboot_seconds=0))
"""It reboots so fast that its connections stay."""
UNTOUCHED: Final = (Aare.prefix, Rlre.prefix)


@dataclass
class Forgets:
    """From some answer of a phase on, a connection brings nothing but exceptions. The meter may have done what was asked."""

    rig: Rig
    phase: Phase
    service: ExceptionService
    after: int = 1
    connection: int | None = None
    times: int = 0

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        if from_client or self.phase.value not in self.rig.phases():
            return [message]
        self.after -= 1
        if self.after < 0 and self.connection is None:
            self.connection = len(self.rig.wires)
        if self.connection != len(self.rig.wires):
            return [message]
        (frame,) = WrapperFramer().receive(message)
        if frame.apdu.startswith(UNTOUCHED):
            return [message]
        self.times += 1
        exception = ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, self.service, None)
        return [WrapperFrame(frame.source, frame.destination, exception.to_octets()).to_octets()]


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.PLANNING])
@pytest.mark.parametrize(
    ("setup", "service"),
    [
        (OPEN, ExceptionService.OPERATION_NOT_POSSIBLE),
        (IS15959, ExceptionService.DECIPHERING_ERROR),
        (IS15959, ExceptionService.INVOCATION_COUNTER_ERROR),
    ],
    ids=["no association", "it has another key", "it has another counter"],
)
def test_it_is_associated_with_anew(
    tmp_path: Path, setup: Setup, service: ExceptionService, phase: Phase
) -> None:
    async def play() -> tuple[Rig, Forgets, UpdateResult]:
        rig = Rig(tmp_path, STAYS, setup=setup)
        rig.interference = forgets = Forgets(rig, phase, service)
        await rig.start()
        result = await rig.update(image(SIZE))
        assert virtual_now() < 120
        await rig.stop()
        return rig, forgets, result

    rig, forgets, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE, result.as_json()
    assert forgets.times > 0
    assert rig.active == octets(SIZE)
    assert rig.calls["initiate"] == 1
    assert rig.calls["block"] == BLOCKS
    assert rig.calls["activate"] == 1
    assert not rig.meter.machine.image.enabled
    rig.tap.check()


@pytest.mark.parametrize(
    "service",
    [ExceptionService.SERVICE_NOT_SUPPORTED, ExceptionService.PDU_TOO_LONG],
    ids=lambda each: each.label,
)
def test_other_exceptions_are_the_meters_last_word(tmp_path: Path, service: ExceptionService) -> None:
    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, setup=IS15959)
        rig.interference = Forgets(rig, Phase.TRANSFERRING, service)
        await rig.start()
        result = await rig.update(image(SIZE))
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.as_json()["kind"] == "meter"
    assert result.findings[-1].hint
    assert rig.tap.aarqs(IS15959.client_sap) == 1
