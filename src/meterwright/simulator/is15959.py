"""An IS 15959 meter: four associations, of which the firmware client's alone reaches the image transfer.

Besides the objects of a plain meter:

===================  ==  ==========================================================
0.0.96.1.1.255        1  manufacturer's name
0.0.96.1.2.255        1  device ID
0.0.94.91.11.255      1  category, D1
0.0.43.1.x.255        1  invocation counter of association x, as accepted last
0.0.43.0.x.255       64  security setup of association x, version 0
0.0.10.0.107.255      9  image activation scripts: 1 activates
0.0.15.0.2.255       22  image activation schedule; it may be written, and fires
===================  ==  ==========================================================

The public client (16) reads clock, name and counters; the meter reader (32, password) and the utility (48) all but what belongs
to firmware; the firmware client (80) what belongs to firmware, name, clock and what runs. Keys are the books' test keys,
password and secret ``1234567890123456``, unless others are given. What the associations are is `companion.is15959`'s to say.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from meterwright.companion.is15959 import (
    FIRMWARE_CLIENT,
    IMAGE_ACTIVATION_SCHEDULE,
    IMAGE_ACTIVATION_SCRIPTS,
    IS15959,
    METER_READER,
    PUBLIC_CLIENT,
    UTILITY_SETTING,
)
from meterwright.companion.profile import AssociationProfile
from meterwright.cosem import (
    ExecutionTime,
    ImageTransfer,
    Script,
    ScriptAction,
    ScriptService,
    SingleActionSchedule,
)
from meterwright.data import Data, integer, octet_string
from meterwright.security import Keys, Secret, book_keys
from meterwright.server import ActionOutcome, Trouble, log_trouble
from meterwright.simulator.associations import SERVED, AssociationPolicy, MeterIdentity
from meterwright.simulator.behaviour import Behaviour
from meterwright.simulator.clock import MeterClock, SystemClock
from meterwright.simulator.image_machine import ImageMachine
from meterwright.simulator.meter import SimulatedMeter, meter_name
from meterwright.simulator.objects import ClockBehaviour, ComputedData
from meterwright.simulator.parts import common_objects, image_machine, system_title
from meterwright.simulator.schedules import ScheduleBehaviour, ScriptTableBehaviour
from meterwright.simulator.security_setup import SecuritySetupBehaviour
from meterwright.simulator.settings import MeterSettings
from meterwright.simulator.storage import MemoryStorage, MeterStorage
from meterwright.values import ActionResult, Obis

__all__ = ["BOOK_SECRET", "is15959_meter"]

BOOK_SECRET: Final = Secret(b"1234567890123456")
"""Password of the meter reader, and secret of the other two, of a meter that was given no others."""

_ACTIVATE: Final = 1
_IMAGE_TRANSFER: Final = Obis.parse("0.0.44.0.0.255")
_PUBLIC: Final = frozenset(Obis.parse(name) for name in ("0.0.1.0.0.255", "0.0.42.0.0.255"))
_FIRMWARE: Final = frozenset({_IMAGE_TRANSFER, IMAGE_ACTIVATION_SCHEDULE, IMAGE_ACTIVATION_SCRIPTS})
_RUNNING: Final = frozenset(Obis.parse(name) for name in ("1.0.0.2.0.255", "1.0.0.2.8.255"))
_SECURED: Final = tuple(each for each in IS15959.associations if each.counter is not None)
_COUNTERS: Final = frozenset(each.counter for each in _SECURED if each.counter is not None)
_SETUPS: Final = frozenset(each.security_setup for each in _SECURED if each.security_setup is not None)
_execution_times: Final = SingleActionSchedule.execution_time.type


def is15959_meter(
    serial: int,
    settings: MeterSettings | None = None,
    *,
    secret: Secret = BOOK_SECRET,
    keys: Keys | None = None,
    storage: MeterStorage | None = None,
    clock: MeterClock | None = None,
    trouble: Trouble = log_trouble,
) -> SimulatedMeter:
    """An IS 15959 meter. What `settings` say of security is not looked at: the companion says it."""
    settings = settings or MeterSettings()
    settings.require_blocks_fit(sealed=True)
    clock = clock or SystemClock()
    name = meter_name(serial)
    machine = image_machine(name, settings, storage or MemoryStorage(), clock)
    identity = MeterIdentity(system_title(serial), keys or book_keys())
    shown = ClockBehaviour(clock)
    scripts, schedule = _activation(machine, shown)
    policies = {each.client_sap: _policy(each, secret) for each in IS15959.associations}
    objects: list[Behaviour] = [
        *common_objects(serial, settings.seed, machine, clock, shown),
        *_nameplate(name),
        scripts,
        schedule,
    ]

    def title_of(client_sap: int) -> bytes:
        return meter.client_title(policies[client_sap])

    objects += (_setup(each, identity, title_of) for each in _SECURED)
    meter = SimulatedMeter(
        name,
        objects,
        machine,
        associations=policies.values(),
        identity=identity,
        schedule=schedule,
        clock=clock,
        max_receive_pdu_size=settings.max_receive_pdu_size,
        block_window=settings.block_window,
        trouble=trouble,
    )
    return meter


def _policy(profile: AssociationProfile, secret: Secret) -> AssociationPolicy:
    return AssociationPolicy(
        client_sap=profile.client_sap,
        server_sap=profile.server_sap,
        conformance=profile.conformance & SERVED,
        visible=_VISIBLE[profile.client_sap],
        may_write=profile in (UTILITY_SETTING, FIRMWARE_CLIENT),
        mechanism=profile.authentication,
        secret=secret,
        policy=profile.policy,
        counter=profile.counter,
        security_setup=profile.security_setup,
        logical_name=profile.logical_name,
    )


def _own(profile: AssociationProfile) -> frozenset[Obis]:
    """Counter and security setup of an association."""
    return frozenset(each for each in (profile.counter, profile.security_setup) if each is not None)


_METERING: Final = (
    _PUBLIC
    | _RUNNING
    | frozenset(
        Obis.parse(name)
        for name in (
            "0.0.96.1.0.255",
            "0.0.96.1.1.255",
            "0.0.96.1.2.255",
            "0.0.94.91.11.255",
            "1.0.1.8.0.255",
            "1.0.32.7.0.255",
            "1.0.99.1.0.255",
            "0.0.99.98.0.255",
            "0.0.96.11.0.255",
        )
    )
)
_VISIBLE: Final = {
    PUBLIC_CLIENT.client_sap: _PUBLIC | _COUNTERS,
    METER_READER.client_sap: _METERING | _own(METER_READER),
    UTILITY_SETTING.client_sap: _METERING | _COUNTERS | _SETUPS,
    FIRMWARE_CLIENT.client_sap: _PUBLIC | _RUNNING | _FIRMWARE | _own(FIRMWARE_CLIENT),
}
"""What each client sees, by its service access point."""


def _nameplate(name: str) -> tuple[Behaviour, ...]:
    def text(value: str) -> Data:
        return octet_string(value.encode())

    return (
        ComputedData("0.0.96.1.1.255", lambda: text("METERWRIGHT SIMULATED")),
        ComputedData("0.0.96.1.2.255", lambda: text(name)),
        ComputedData("0.0.94.91.11.255", lambda: text("D1")),
    )


def _activation(
    machine: ImageMachine, shown: ClockBehaviour
) -> tuple[ScriptTableBehaviour, ScheduleBehaviour]:
    """The script that activates the image, and the schedule that starts it. What is scheduled outlives the process."""
    activate = ScriptAction(
        service_id=ScriptService.EXECUTE_METHOD,
        class_id=ImageTransfer.class_id,
        logical_name=_IMAGE_TRANSFER,
        index=ImageTransfer.image_activate.method_id,
        parameter=integer(0),
    )

    def run() -> ActionResult:
        outcome = machine.called("image_activate", lambda: ActionOutcome(machine.activate()))
        return outcome.result

    def keep(entries: tuple[ExecutionTime, ...]) -> None:
        machine.remember(replace(machine.record, schedule=_execution_times(entries).to_octets()))

    kept = machine.record.schedule
    scripts = ScriptTableBehaviour(
        IMAGE_ACTIVATION_SCRIPTS, [Script(_ACTIVATE, (activate,))], {_ACTIVATE: run}
    )
    schedule = ScheduleBehaviour(
        IMAGE_ACTIVATION_SCHEDULE,
        scripts,
        _ACTIVATE,
        local_time=lambda: shown.now,
        entries=_execution_times.from_data(Data.from_octets(kept)) if kept else (),
        changed=keep,
    )
    return scripts, schedule


def _setup(
    profile: AssociationProfile, identity: MeterIdentity, title_of: Callable[[int], bytes]
) -> SecuritySetupBehaviour:
    if profile.security_setup is None:
        raise ValueError(f"{profile.name} has no security setup")
    return SecuritySetupBehaviour(
        profile.security_setup,
        server_system_title=identity.system_title,
        policy=profile.policy,
        suite=identity.keys.suite,
        client_system_title=lambda: title_of(profile.client_sap),
    )
