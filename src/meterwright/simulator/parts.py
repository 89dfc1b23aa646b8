"""The parts that every simulated meter is made of: its image machine, and the objects that all kinds of meters have."""

import hashlib
from typing import Final

from meterwright.data import octet_string
from meterwright.simulator.behaviour import Behaviour
from meterwright.simulator.clock import MeterClock
from meterwright.simulator.image_machine import ImageMachine
from meterwright.simulator.image_transfer import ImageTransferBehaviour
from meterwright.simulator.measuring import ENERGY, VOLTAGE, Measurement, event_log, load_profile
from meterwright.simulator.meter import meter_name, serial_digits
from meterwright.simulator.objects import ClockBehaviour, ComputedData, ComputedRegister
from meterwright.simulator.record import ImageRecord, MeterRecord
from meterwright.simulator.settings import MeterSettings
from meterwright.simulator.storage import MeterStorage
from meterwright.values import ScalerUnit, Unit

__all__ = ["common_objects", "image_machine", "submeter_name", "submeter_objects", "system_title"]

_MOST_SAPS: Final = 1000
"""So many names three digits tell apart."""


def system_title(serial: int) -> bytes:
    """The system title of a simulated meter: MWS, and its ten digits as BCD."""
    return b"MWS" + bytes.fromhex(serial_digits(serial))


def image_machine(
    name: str, settings: MeterSettings, storage: MeterStorage, clock: MeterClock
) -> ImageMachine:
    """The image transfer of a meter as it is set up, and the record of all it must not forget."""
    fresh = MeterRecord(
        meter=name,
        firmware_identifier=settings.firmware_identifier,
        firmware_sha256=hashlib.sha256(
            settings.firmware_identifier
        ).digest(),  # no image of it is there to hash
        image=ImageRecord(enabled=settings.image_transfer_enabled),
    )
    return ImageMachine(
        storage,
        fresh,
        monotonic=clock.monotonic,
        block_size=settings.image_block_size,
        capacity=settings.image_capacity,
        timing=settings.timing,
        judgement=settings.judgement,
        wrong_length=settings.wrong_length,
    )


def common_objects(
    serial: int, seed: int, machine: ImageMachine, clock: MeterClock, shown: ClockBehaviour
) -> tuple[Behaviour, ...]:
    """Name, serial number, `shown` clock, two measurements, their profile, an event log, active firmware, image transfer."""
    measured = Measurement(seed, serial)
    return (
        ComputedData("0.0.42.0.0.255", lambda: octet_string(meter_name(serial).encode())),
        ComputedData("0.0.96.1.0.255", lambda: octet_string(serial_digits(serial).encode())),
        shown,
        ComputedRegister(ENERGY, ScalerUnit(-1, Unit.WATT_HOUR), lambda: measured.energy(clock.now())),
        ComputedRegister(VOLTAGE, ScalerUnit(-1, Unit.VOLT), lambda: measured.voltage(clock.now())),
        load_profile(measured, clock, shown),
        *event_log(seed, serial, clock, shown),
        ComputedData("1.0.0.2.0.255", lambda: octet_string(machine.record.firmware_identifier)),
        ComputedData("1.0.0.2.8.255", lambda: octet_string(machine.record.firmware_sha256)),
        ImageTransferBehaviour(machine),
    )


def submeter_name(serial: int, sap: int) -> str:
    """The name of the logical device at that service access point: the meter's, and three digits."""
    return f"{meter_name(serial)}{sap:03}"


def submeter_objects(
    serial: int, sap: int, seed: int, clock: MeterClock, shown: ClockBehaviour
) -> tuple[Behaviour, ...]:
    """What a logical device besides the first has: its name, the `shown` clock, and measurements of its own."""
    measured = Measurement(seed, serial * _MOST_SAPS + sap)
    return (
        ComputedData("0.0.42.0.0.255", lambda: octet_string(submeter_name(serial, sap).encode())),
        shown,
        ComputedRegister(ENERGY, ScalerUnit(-1, Unit.WATT_HOUR), lambda: measured.energy(clock.now())),
        ComputedRegister(VOLTAGE, ScalerUnit(-1, Unit.VOLT), lambda: measured.voltage(clock.now())),
    )
