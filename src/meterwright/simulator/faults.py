"""What can be wrong with a simulated meter, by name: each fault changes how the meter is made."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError
from meterwright.simulator.settings import MeterSettings
from meterwright.values import ActionResult

__all__ = ["FAULTS", "with_faults"]

Fault = Callable[[MeterSettings], MeterSettings]


def _wrong_length_hardware_fault(settings: MeterSettings) -> MeterSettings:
    """A block that is not exactly as long as it must be is answered with hardware-fault, as by many meters in the field."""
    return replace(settings, wrong_length=ActionResult.HARDWARE_FAULT)


FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {"wrong-length-hardware-fault": _wrong_length_hardware_fault}
)
"""Every fault by the name it is asked for."""


def with_faults(settings: MeterSettings, names: Iterable[str]) -> MeterSettings:
    """The settings with these faults. UsageError where there is none of that name."""
    for name in names:
        fault = FAULTS.get(name)
        if fault is None:
            raise UsageError(f"there is no fault {name:.60}", hint=f"known are {', '.join(FAULTS)}")
        settings = fault(settings)
    return settings
