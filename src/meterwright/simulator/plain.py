"""The `plain` meter: no security, one association (client 16, logical device 1) with all rights, image transfer.

==============  ==  ==============================================================
0.0.42.0.0.255   1  logical device name, the meter's name
0.0.96.1.0.255   1  serial number, ten digits
0.0.1.0.0.255    8  clock, UTC
1.0.1.8.0.255    3  active energy import, 0.1 Wh; it grows with time
1.0.32.7.0.255   3  voltage L1, 0.1 V; it swings with time
1.0.0.2.0.255    1  active firmware identifier: that of the image activated last
1.0.0.2.8.255    1  active firmware signature: SHA-256 of that image
0.0.44.0.0.255  18  image transfer
0.0.40.0.0.255  15  current association
==============  ==  ==============================================================

What it measures depends on time, serial number and seed alone.
"""

import hashlib
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from meterwright.data import Data, double_long_unsigned, long_unsigned, octet_string
from meterwright.errors import UsageError
from meterwright.server import Trouble, log_trouble
from meterwright.simulator.clock import MeterClock, SystemClock
from meterwright.simulator.image_machine import ImageMachine, Judgement, Timing
from meterwright.simulator.image_transfer import ImageTransferBehaviour, largest_block
from meterwright.simulator.meter import SimulatedMeter, meter_name, serial_digits
from meterwright.simulator.objects import ClockBehaviour, ComputedData, ComputedRegister
from meterwright.simulator.record import ImageRecord, MeterRecord
from meterwright.simulator.storage import MemoryStorage, MeterStorage
from meterwright.values import ScalerUnit, Unit

__all__ = ["PlainSettings", "plain_meter"]

_MADE: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Since when the meters count energy."""
_LARGEST_COUNT: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class PlainSettings:
    """How a plain meter is made. Sizes in octets.

    `force_block_size` allows an image block size whose blocks do not fit the meter's own PDU, as a fault of the meter.
    """

    image_block_size: int = 128
    image_capacity: int = 16 << 20
    image_transfer_enabled: bool = True
    firmware_identifier: bytes = b"MW-1.0"
    max_receive_pdu_size: int = 1024
    force_block_size: bool = False
    seed: int = 0
    timing: Timing = field(default_factory=Timing)
    judgement: Judgement = field(default_factory=Judgement)

    def __post_init__(self) -> None:
        most = largest_block(self.max_receive_pdu_size)
        if self.image_block_size < 1 or (self.image_block_size > most and not self.force_block_size):
            raise UsageError(
                f"an image block size of {self.image_block_size} octets does not fit the meter's PDU of "
                f"{self.max_receive_pdu_size} octets",
                hint=f"1 to {most} octets fit",
            )


def plain_meter(
    serial: int,
    settings: PlainSettings | None = None,
    *,
    storage: MeterStorage | None = None,
    clock: MeterClock | None = None,
    trouble: Trouble = log_trouble,
) -> SimulatedMeter:
    """A plain meter. Without a storage it forgets all with its process; without a clock it has this machine's."""
    settings = settings or PlainSettings()
    clock = clock or SystemClock()
    name = meter_name(serial)
    fresh = MeterRecord(
        meter=name,
        firmware_identifier=settings.firmware_identifier,
        firmware_sha256=hashlib.sha256(
            settings.firmware_identifier
        ).digest(),  # no image of it is there to hash
        image=ImageRecord(enabled=settings.image_transfer_enabled),
    )
    machine = ImageMachine(
        storage or MemoryStorage(),
        fresh,
        monotonic=clock.monotonic,
        block_size=settings.image_block_size,
        capacity=settings.image_capacity,
        timing=settings.timing,
        judgement=settings.judgement,
    )
    measured = _Measurement(clock, settings.seed, serial)
    objects = (
        ComputedData("0.0.42.0.0.255", lambda: octet_string(name.encode())),
        ComputedData("0.0.96.1.0.255", lambda: octet_string(serial_digits(serial).encode())),
        ClockBehaviour(clock),
        ComputedRegister("1.0.1.8.0.255", ScalerUnit(-1, Unit.WATT_HOUR), measured.energy),
        ComputedRegister("1.0.32.7.0.255", ScalerUnit(-1, Unit.VOLT), measured.voltage),
        ComputedData("1.0.0.2.0.255", lambda: octet_string(machine.record.firmware_identifier)),
        ComputedData("1.0.0.2.8.255", lambda: octet_string(machine.record.firmware_sha256)),
        ImageTransferBehaviour(machine),
    )
    return SimulatedMeter(
        name, objects, machine, max_receive_pdu_size=settings.max_receive_pdu_size, trouble=trouble
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
