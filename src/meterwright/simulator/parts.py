"""The parts that every simulated meter is made of: its image machine, and the objects that all kinds of meters have."""

import hashlib
import math
from datetime import UTC, datetime
from typing import Final

from meterwright.data import Data, double_long_unsigned, long_unsigned, octet_string
from meterwright.simulator.behaviour import Behaviour
from meterwright.simulator.clock import MeterClock
from meterwright.simulator.image_machine import ImageMachine
from meterwright.simulator.image_transfer import ImageTransferBehaviour
from meterwright.simulator.meter import meter_name, serial_digits
from meterwright.simulator.objects import ClockBehaviour, ComputedData, ComputedRegister
from meterwright.simulator.record import ImageRecord, MeterRecord
from meterwright.simulator.settings import MeterSettings
from meterwright.simulator.storage import MeterStorage
from meterwright.values import ScalerUnit, Unit

__all__ = ["common_objects", "image_machine", "system_title"]

_MADE: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Since when the meters count energy."""
_LARGEST_COUNT: Final = 1 << 32


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
    """Name, serial number, `shown` clock, two measurements, active firmware, image transfer."""
    measured = _Measurement(clock, seed, serial)
    return (
        ComputedData("0.0.42.0.0.255", lambda: octet_string(meter_name(serial).encode())),
        ComputedData("0.0.96.1.0.255", lambda: octet_string(serial_digits(serial).encode())),
        shown,
        ComputedRegister("1.0.1.8.0.255", ScalerUnit(-1, Unit.WATT_HOUR), measured.energy),
        ComputedRegister("1.0.32.7.0.255", ScalerUnit(-1, Unit.VOLT), measured.voltage),
        ComputedData("1.0.0.2.0.255", lambda: octet_string(machine.record.firmware_identifier)),
        ComputedData("1.0.0.2.8.255", lambda: octet_string(machine.record.firmware_sha256)),
        ImageTransferBehaviour(machine),
    )


class _Measurement:
    """What a household consumes: the same for the same time, seed and serial number."""

    def __init__(self, clock: MeterClock, seed: int, serial: int) -> None:
        self._clock = clock
        chance = hashlib.sha256(f"{seed}/{serial}".encode()).digest()
        self._watts = 200 + int.from_bytes(chance[:2], "big") % 600
        self._phase = chance[2] / 256
        self._start = int.from_bytes(chance[3:6], "big")

    @property
    def _seconds(self) -> float:
        return max((self._clock.now() - _MADE).total_seconds(), 0.0)

    def energy(self) -> Data:
        """In 0.1 Wh, never less than before; it starts anew from 0 where the counter overflows."""
        return double_long_unsigned((self._start + int(self._watts * self._seconds / 360)) % _LARGEST_COUNT)

    def voltage(self) -> Data:
        """In 0.1 V: 225 to 235 V within ten minutes."""
        return long_unsigned(2300 + round(50 * math.sin(2 * math.pi * (self._seconds / 600 + self._phase))))
