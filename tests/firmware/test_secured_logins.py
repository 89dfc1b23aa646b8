"""Logins that are refused or broken off: at the beginning, in the midst of a transfer, after the new firmware has come.

What was refused is never tried again by itself, what nobody answered a few times and not in a hurry. Nothing is changed in a
meter that never let us in, and nothing is activated twice.
"""

import asyncio
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from tests.firmware.rig import IDENTIFIER, Rig, image, octets
from tests.firmware.setups import IS15959, IS15959_HDLC, IS15959_SECRET, Setup, is15959
from tests.firmware.test_secured_reboots import (
    BLOCKS,
    HEADER,
    REBOOTS,
    SIZE,
    WAYS_TO_SAY_NO,
    Change,
    Instead,
    assert_done,
    rebooted,
    rejection,
)

from meterwright.apdu import Aare, Aarq, ConfirmedServiceError, ExceptionResponse
from meterwright.firmware import Outcome, Patience, UpdatePolicy, UpdateResult, update
from meterwright.security import Keys, Secret, book_keys
from meterwright.simulator import MeterRecord
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.values import ConfirmedServiceErrorService

CIPHERED_ACTION_RESPONSE: Final = b"\xcf"
"""What answers the answer to a challenge."""
INITIATE_ERROR: Final = "it has an initiate error"
OTHER_SECRET: Final = Secret(b"another secret!!")
BOOK: Final = book_keys()
OTHER_KEYS: Final = Keys(global_unicast=Secret(bytes(16)), authentication=Secret(bytes(range(16))))
OTHER_AUTHENTICATION_KEY: Final = Keys(
    global_unicast=BOOK.global_unicast, authentication=Secret(bytes(range(16)))
)


def with_new(secret: Secret = IS15959_SECRET, keys: Keys | None = None) -> Change:
    """The new firmware brings another secret, or other keys."""

    def changed(rig: Rig) -> None:
        rig.setup = replace(rig.setup, make=is15959(secret=secret, keys=keys).make)

    return changed


CHANGED: dict[str, tuple[Change, Setup]] = {
    "secret": (with_new(OTHER_SECRET), is15959(secret=OTHER_SECRET)),
    "both keys": (with_new(keys=OTHER_KEYS), is15959(keys=OTHER_KEYS)),
    "authentication key": (
        with_new(keys=OTHER_AUTHENTICATION_KEY),
        is15959(keys=OTHER_AUTHENTICATION_KEY),
    ),
}


@pytest.mark.parametrize("what", CHANGED)
@pytest.mark.parametrize("setup", [IS15959, IS15959_HDLC], ids=lambda setup: setup.name)
def test_a_firmware_that_locks_us_out_is_a_failure_of_the_release(
    tmp_path: Path, setup: Setup, what: str
) -> None:
    change, right = CHANGED[what]
    rig = Rig(tmp_path, REBOOTS, setup=setup)

    async def play() -> list[UpdateResult]:
        results = [await rebooted(rig, change)]
        assert rig.tap.aarqs(setup.client_sap) == 1, "one login after the reboot"
        assert rig.meter.machine.record.failed_logins == 1
        await asyncio.sleep(3600)
        results.append(await rig.update(image(SIZE)))
        assert rig.tap.aarqs(setup.client_sap) == 2, "a person said so, and it is one again"
        settings = replace(setup.client(rig.counters), credentials=right.credentials(rig.counters))
        results.append(await rig.update(image(SIZE), settings=settings))
        await rig.stop()
        return results

    locked_out, still_wrong, right_at_last = run_in_virtual_time(play())
    assert locked_out.as_json()["kind"] == "release"
    assert locked_out.findings[-1].code == "locked-out-after-activation"
    assert "not asked again" in locked_out.findings[-1].hint
    assert still_wrong.as_json()["kind"] == "credentials"
    assert_done(rig, right_at_last)
    assert right_at_last.blocks_sent == 0
    assert right_at_last.version_before == "MW-1.0"
    assert "activation-undecided" in rig.codes()


@pytest.mark.parametrize(
    ("what", "way"),
    [
        ("secret", "it stays silent"),
        ("secret", "it hangs up"),
        *(("both keys", way) for way in (*WAYS_TO_SAY_NO, INITIATE_ERROR)),
    ],
)
def test_a_meter_that_does_not_say_why_is_asked_a_few_times_and_not_in_a_hurry(
    tmp_path: Path, what: str, way: str
) -> None:
    refusal = CIPHERED_ACTION_RESPONSE if what == "secret" else ExceptionResponse.prefix
    rig = Rig(tmp_path, REBOOTS, setup=IS15959)
    when: list[float] = []
    inner = (
        Instead(
            refusal,
            rig,
            says=ConfirmedServiceError(ConfirmedServiceErrorService.INITIATE_ERROR, 6, 0).to_octets(),
        )
        if way == INITIATE_ERROR
        else WAYS_TO_SAY_NO[way](refusal, rig)
    )

    def watching(from_client: bool, message: bytes) -> list[bytes]:
        if from_client and message.startswith(Aarq.prefix, HEADER) and message[3] == IS15959.client_sap:
            when.append(virtual_now())
        return inner(from_client, message)

    async def play() -> UpdateResult:
        result = await rebooted(rig, CHANGED[what][0], interference=watching)
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.findings[-1].code == "locked-out-after-activation"
    assert len(when) == 3
    settle = Patience().settle
    assert all(later - earlier >= settle for earlier, later in pairwise(when))
    assert rig.calls["activate"] == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_meter_that_lets_nobody_in_while_it_starts_up_is_waited_for(tmp_path: Path, times: int) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=IS15959)
    starting = Instead(Aare.prefix, rig, says=rejection(), times=times)

    async def play() -> UpdateResult:
        result = await rebooted(rig, lambda _rig: None, interference=starting)
        await rig.stop()
        return result

    assert_done(rig, run_in_virtual_time(play()))


WRONG: dict[str, tuple[Setup, Setup]] = {
    "HLS secret": (IS15959, is15959(secret=OTHER_SECRET)),
    "HLS secret over HDLC": (IS15959_HDLC, is15959(secret=OTHER_SECRET)),
    "encryption key": (IS15959, is15959(keys=OTHER_KEYS)),
    "authentication key": (IS15959, is15959(keys=OTHER_AUTHENTICATION_KEY)),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_from_the_beginning(tmp_path: Path, what: str) -> None:
    setup, wrong = WRONG[what]
    rig = Rig(tmp_path, setup=setup)

    def untouched() -> MeterRecord:
        return replace(rig.meter.machine.record, failed_logins=0, counters={}, reserved={})

    async def play() -> UpdateResult:
        await rig.start()
        before = untouched()
        settings = replace(setup.client(rig.counters), credentials=wrong.credentials(rig.counters))
        result = await rig.update(image(SIZE), settings=settings)
        assert untouched() == before
        assert rig.meter.machine.record.failed_logins == 1
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.outcome is Outcome.FAILED
    assert result.as_json()["kind"] == "credentials"
    assert result.findings[-1].hint
    assert rig.tap.aarqs(setup.client_sap) == 1
    assert rig.phases() == ["planning"]
    assert not (tmp_path / "journal").exists()


@dataclass
class BreaksOff:
    """The line is cut in the midst of a transfer, and so many times more in the midst of a login; then it may be dead."""

    rig: Rig
    logins: int
    stays_dead: bool = False
    logging_in: bool = False
    fell: bool = False

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        if not from_client:
            return [message]
        if self.stays_dead and self.fell and not self.logins:
            return []
        if not self.fell:
            self.fell = self.rig.calls["block"] >= 2
            return self.cut() if self.fell else [message]
        if self.logging_in and self.logins:
            self.logging_in = False
            self.logins -= 1
            return self.cut()
        self.logging_in = message.startswith(Aarq.prefix, HEADER) and message[3] == IS15959.client_sap
        return [message]

    def cut(self) -> list[bytes]:
        asyncio.get_running_loop().call_soon(self.rig.wires[-1].cut)
        return []


QUICK: Final = UpdatePolicy(patience=Patience(reconnect=60))


@pytest.mark.parametrize(
    ("logins", "stays_dead", "kind"),
    [(1, False, None), (2, False, None), (3, False, "credentials"), (1, True, "transient")],
    ids=["once", "twice", "three times", "and then the line is dead"],
)
def test_a_login_broken_off_in_the_midst_of_a_transfer(
    tmp_path: Path, logins: int, stays_dead: bool, kind: str | None
) -> None:
    """Once or twice it may have been the line; then it is taken for a secret that does not hold any more."""

    async def play() -> tuple[Rig, UpdateResult, UpdateResult]:
        rig = Rig(tmp_path, setup=IS15959)
        rig.interference = BreaksOff(rig, logins, stays_dead)
        await rig.start()
        first = await rig.update(image(SIZE), policy=QUICK)
        rig.interference = None
        second = await rig.update(image(SIZE), policy=QUICK)
        await rig.stop()
        return rig, first, second

    rig, first, second = run_in_virtual_time(play())
    assert rig.calls["block"] == BLOCKS
    assert rig.calls["initiate"] == 1
    assert rig.active == octets(SIZE)
    assert first.as_json()["kind"] == kind
    resumed, after = (first, Outcome.NOTHING_TO_DO) if kind is None else (second, Outcome.DONE)
    assert second.outcome is after, second.as_json()
    assert resumed.outcome is Outcome.DONE
    assert resumed.resumed_from == 2
    rig.tap.check()


def test_a_client_that_was_given_to_us_associated_has_shown_that_it_is_let_in(tmp_path: Path) -> None:
    """So its next login, broken off, may have been the line's fault too."""

    async def play() -> tuple[Rig, UpdateResult]:
        rig = Rig(tmp_path, setup=IS15959)
        rig.interference = BreaksOff(rig, 1)
        await rig.start()
        async with rig.client() as client:
            result = await update(client, image(SIZE), IDENTIFIER, state=tmp_path, policy=QUICK)
        await rig.stop()
        return rig, result

    rig, result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE, result.as_json()
    assert rig.calls["block"] == BLOCKS
