"""Meters that do not show their firmware client what runs: the version is read over a second client, in turns."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest
from tests.firmware.rig import BLOCK, IDENTIFIER, Rig, image, octets
from tests.firmware.setups import IS15959_HDLC, IS15959_SECRET, TITLE, Setup, is15959
from tests.firmware.test_crashes import Guillotine
from tests.firmware.test_failures import QUICK
from tests.firmware.test_secured_reboots import BLOCKS, REBOOTS, SIZE, Change, rebooted, recorded

from meterwright.client import Client, ClientCredentials, ClientSettings
from meterwright.companion import AssociationProfile
from meterwright.companion.is15959 import FIRMWARE_CLIENT, METER_READER, PUBLIC_CLIENT
from meterwright.firmware import Activation, Outcome, UpdatePolicy, UpdateResult, plan
from meterwright.security import Secret, book_keys
from meterwright.simulator import (
    SERVED,
    AssociationPolicy,
    ClockBehaviour,
    Judgement,
    MeterClock,
    MeterIdentity,
    MeterSettings,
    MeterStorage,
    SimulatedMeter,
    meter_name,
    system_title,
)
from meterwright.simulator.parts import common_objects, image_machine
from meterwright.testing import run_in_virtual_time
from meterwright.values import AuthenticationMechanism, Obis

NAME: Final = Obis.parse("0.0.42.0.0.255")
VERSION: Final = Obis.parse("1.0.0.2.0.255")
IMAGE_TRANSFER: Final = Obis.parse("0.0.44.0.0.255")
OTHER_PASSWORD: Final = Secret(b"another password")
EXPECTING: Final = replace(QUICK, expected_version="NEW-2.0")


@dataclass(frozen=True)
class Shown:
    """Who is shown what, by service access point, and who gets in by which password."""

    version_to: frozenset[int] = frozenset({PUBLIC_CLIENT.client_sap, METER_READER.client_sap})
    name_to: frozenset[int] = frozenset({PUBLIC_CLIENT.client_sap, FIRMWARE_CLIENT.client_sap})
    serial: int = 1
    reader_password: Secret = IS15959_SECRET

    def visible(self, profile: AssociationProfile) -> frozenset[Obis]:
        """What an association shows."""
        counters = {each.counter for each in (METER_READER, FIRMWARE_CLIENT)}
        sap = profile.client_sap
        shown = {
            NAME: sap in self.name_to,
            VERSION: sap in self.version_to,
            IMAGE_TRANSFER: profile is FIRMWARE_CLIENT,
            **{counter: profile is PUBLIC_CLIENT for counter in counters if counter is not None},
        }
        return frozenset(obis for obis, is_shown in shown.items() if is_shown)

    def policy(self, profile: AssociationProfile) -> AssociationPolicy:
        """What the meter offers to one client."""
        return AssociationPolicy(
            client_sap=profile.client_sap,
            conformance=profile.conformance & SERVED,
            visible=self.visible(profile),
            may_write=profile is FIRMWARE_CLIENT,
            mechanism=profile.authentication,
            secret=self.reader_password if profile is METER_READER else IS15959_SECRET,
            policy=profile.policy,
            counter=profile.counter,
        )

    def make(self, settings: MeterSettings, storage: MeterStorage, clock: MeterClock) -> SimulatedMeter:
        """A meter that shows that."""
        name = meter_name(self.serial)
        machine = image_machine(name, settings, storage, clock)
        return SimulatedMeter(
            name,
            common_objects(self.serial, settings.seed, machine, clock, ClockBehaviour(clock)),
            machine,
            associations=[self.policy(each) for each in (PUBLIC_CLIENT, METER_READER, FIRMWARE_CLIENT)],
            identity=MeterIdentity(system_title(self.serial), book_keys()),
            clock=clock,
            max_receive_pdu_size=settings.max_receive_pdu_size,
        )


WRAPPER: Final = replace(is15959(), make=Shown().make)
HDLC: Final = replace(IS15959_HDLC, make=Shown().make)


@dataclass
class OneAtATime:
    """Sees to it that no two clients are connected at once, then lets something else interfere."""

    rig: Rig
    inner: Guillotine | None = None
    seen: int = field(default=0, init=False)

    def __call__(self, from_client: bool, message: bytes) -> list[bytes]:
        assert sum(not wire.client_end.is_closed for wire in self.rig.wires) <= 1
        self.seen += 1
        return [message] if self.inner is None else self.inner(from_client, message)


def second_client(
    rig: Rig, profile: AssociationProfile, password: Secret = IS15959_SECRET
) -> Callable[[], Client]:
    """Makes the client that reads the version."""
    credentials = ClientCredentials()
    if profile.authentication is not AuthenticationMechanism.LOWEST:
        credentials = ClientCredentials(
            authentication=profile.authentication,
            policy=profile.policy,
            secret=password,
            keys=book_keys(),
            system_title=TITLE,
            counters=rig.counters,
            counter_object=profile.counter,
        )
    settings = ClientSettings(
        client_sap=profile.client_sap, carrier=rig.setup.carrier, credentials=credentials
    )
    return lambda: Client(rig.dial, settings)


async def updated(
    rig: Rig,
    profile: AssociationProfile = METER_READER,
    policy: UpdatePolicy = EXPECTING,
    password: Secret = IS15959_SECRET,
) -> UpdateResult:
    """One update whose version is read by that client."""
    version_client = second_client(rig, profile, password)
    return await rig.update(image(SIZE), policy=policy, version_client=version_client)


def played(
    rig: Rig, profile: AssociationProfile = METER_READER, policy: UpdatePolicy = EXPECTING
) -> UpdateResult:
    """Switch the meter on, update it, switch it off."""

    async def play() -> UpdateResult:
        await rig.start()
        result = await updated(rig, profile, policy)
        await rig.stop()
        return result

    return run_in_virtual_time(play())


each_link = pytest.mark.parametrize("setup", [WRAPPER, HDLC], ids=["wrapper", "HDLC"])
each_reader = pytest.mark.parametrize("profile", [PUBLIC_CLIENT, METER_READER], ids=lambda each: each.name)


@each_link
@each_reader
@pytest.mark.parametrize("expected", ["NEW-2.0", None])
def test_another_client_reads_what_runs(
    tmp_path: Path, setup: Setup, profile: AssociationProfile, expected: str | None
) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=setup)
    rig.interference = OneAtATime(rig)
    result = played(rig, profile, replace(QUICK, expected_version=expected))
    assert result.outcome is Outcome.DONE, result.as_json()
    assert (result.version_before, result.version_after) == ("MW-1.0", "NEW-2.0")
    assert rig.active == octets(SIZE)
    assert rig.calls == {"initiate": 1, "block": BLOCKS, "verify": 1, "activate": 1}
    assert rig.codes() == (set() if expected else {"version-unknown", "version-changed"})
    assert all(wire.client_end.is_closed for wire in rig.wires)
    rig.tap.check()


def test_without_one_the_plan_says_what_cannot_be_known(tmp_path: Path) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=WRAPPER)

    async def play() -> UpdateResult:
        await rig.start()
        result = await rig.update(image(SIZE), policy=QUICK)
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.outcome is Outcome.DONE
    assert (result.version_before, result.version_after) == (None, None)
    (unreadable,) = [each for each in result.findings if each.code == "version-unreadable"]
    assert "over this client address" in unreadable.message
    assert "--version-meter" in unreadable.hint


def test_the_other_client_may_not_be_shown_it_either(tmp_path: Path) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=replace(WRAPPER, make=Shown(version_to=frozenset()).make))
    result = played(rig, policy=QUICK)
    assert result.outcome is Outcome.DONE
    (unreadable,) = [each for each in result.findings if each.code == "version-unreadable"]
    assert "as client 32" in unreadable.message


@each_link
def test_the_plan_alone(tmp_path: Path, setup: Setup) -> None:
    rig = Rig(tmp_path, setup=setup)
    rig.interference = OneAtATime(rig)

    async def play() -> None:
        await rig.start()
        made = await plan(
            rig.client(),
            image(SIZE),
            IDENTIFIER,
            state=tmp_path,
            policy=QUICK,
            version_client=second_client(rig, METER_READER),
        )
        assert made.version == "MW-1.0"
        assert made.meter == "MWS0000000001"
        assert made.block_request_size > BLOCK, "the firmware's association was open when it was reckoned"
        await rig.stop()

    run_in_virtual_time(play())
    assert set(rig.calls.values()) == {0}
    assert all(wire.client_end.is_closed for wire in rig.wires)


def test_what_runs_already_is_left_alone(tmp_path: Path) -> None:
    rig = Rig(tmp_path, MeterSettings(firmware_identifier=b"NEW-2.0"), setup=WRAPPER)
    result = played(rig)
    assert result.outcome is Outcome.NOTHING_TO_DO
    assert set(rig.calls.values()) == {0}


def test_an_activation_that_fails_is_seen_elsewhere(tmp_path: Path) -> None:
    judged = MeterSettings(judgement=Judgement(activation=lambda _candidate: False))
    result = played(Rig(tmp_path, judged, setup=WRAPPER))
    assert result.as_json()["kind"] == "release"
    assert result.findings[-1].code == "version-unchanged"


def test_a_name_that_only_the_other_is_told_is_the_meters_name(tmp_path: Path) -> None:
    """So that a killed update is taken up again by it."""
    shown = Shown(name_to=frozenset({METER_READER.client_sap}))
    rig = Rig(tmp_path, REBOOTS, setup=replace(WRAPPER, make=shown.make))

    async def play() -> list[UpdateResult]:
        await rig.start()
        results = [await updated(rig, policy=replace(QUICK, activation=Activation.NEVER))]
        results.append(await updated(rig))
        await rig.stop()
        return results

    first, second = run_in_virtual_time(play())
    assert first.outcome is second.outcome is Outcome.DONE
    assert second.blocks_sent == 0
    assert rig.calls["initiate"] == 1
    assert [path.name.split("-")[0] for path in (tmp_path / "journal").iterdir()] == ["MWS0000000001"]


def test_a_meter_that_counts_its_own_anew_is_believed_by_a_fresh_client(tmp_path: Path) -> None:
    """The meter reader has no challenge by which to tell this from a recording: whoever heard the meter before would not."""
    rig = Rig(tmp_path, REBOOTS, setup=WRAPPER)

    async def play() -> UpdateResult:
        restarts = recorded(lambda record: replace(record, reserved={}))
        result = await rebooted_and_read(rig, restarts)
        await rig.stop()
        return result

    assert run_in_virtual_time(play()).outcome is Outcome.DONE


async def rebooted_and_read(rig: Rig, change: Change) -> UpdateResult:
    """As `rebooted`, with the version read by the meter reader."""
    return await rebooted(rig, change, policy=EXPECTING, version_client=second_client(rig, METER_READER))


# ------------------------------------------------------------------------------------------------ what may be wrong


def test_a_wrong_password_of_the_other_is_told_before_anything_is_done(tmp_path: Path) -> None:
    rig = Rig(tmp_path, setup=WRAPPER)

    async def play() -> UpdateResult:
        await rig.start()
        result = await updated(rig, password=OTHER_PASSWORD)
        assert rig.meter.machine.record.failed_logins == 1
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.as_json()["kind"] == "credentials"
    assert "as client 32" in result.findings[-1].message
    assert rig.tap.aarqs(METER_READER.client_sap) == 1
    assert rig.tap.aarqs(FIRMWARE_CLIENT.client_sap) == 0
    assert set(rig.calls.values()) == {0}


def test_a_firmware_that_locks_the_other_out_is_a_failure_of_the_release(tmp_path: Path) -> None:
    rig = Rig(tmp_path, REBOOTS, setup=WRAPPER)

    def new_password(rig: Rig) -> None:
        rig.setup = replace(WRAPPER, make=Shown(reader_password=OTHER_PASSWORD).make)

    async def play() -> tuple[UpdateResult, UpdateResult]:
        first = await rebooted_and_read(rig, new_password)
        assert rig.tap.aarqs(METER_READER.client_sap) == 1
        second = await updated(rig, password=OTHER_PASSWORD)
        await rig.stop()
        return first, second

    first, second = run_in_virtual_time(play())
    assert first.as_json()["kind"] == "release"
    assert first.findings[-1].code == "locked-out-after-activation"
    assert "as client 32" in first.findings[-1].message
    assert second.outcome is Outcome.DONE
    assert second.version_after == "NEW-2.0"
    assert rig.calls["activate"] == 1


def test_two_meters_are_not_taken_for_one(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "this", setup=WRAPPER)
    shown = Shown(serial=2, name_to=frozenset({METER_READER.client_sap}))
    other = Rig(tmp_path / "that", setup=replace(WRAPPER, make=shown.make))

    async def play() -> UpdateResult:
        await rig.start()
        await other.start()
        version_client = second_client(other, METER_READER)
        result = await rig.update(image(SIZE), policy=EXPECTING, version_client=version_client)
        await rig.stop()
        await other.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.outcome is Outcome.REFUSED
    assert result.findings[-1].code == "two-meters"
    assert "MWS0000000001" in result.findings[-1].message
    assert "MWS0000000002" in result.findings[-1].message
    assert set(rig.calls.values()) == {0}


def test_connections_that_were_given_to_us_open_cannot_take_turns(tmp_path: Path) -> None:
    rig = Rig(tmp_path, setup=WRAPPER)

    async def play() -> UpdateResult:
        await rig.start()
        given = Client.over(await rig.dial(), ClientSettings(client_sap=PUBLIC_CLIENT.client_sap))
        result = await rig.update(image(SIZE), version_client=lambda: given)
        await given.close()
        await rig.stop()
        return result

    result = run_in_virtual_time(play())
    assert result.outcome is Outcome.REFUSED
    assert result.findings[-1].code == "cannot-take-turns"
