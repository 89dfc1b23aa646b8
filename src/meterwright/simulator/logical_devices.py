"""The logical devices of one simulated meter: which stands at which service access point (class 17; Blue Book 4.4.5).

Each has a name, objects and associations of its own; keys and invocation counters are the meter's. The management logical device
stands at 1 and stays there. Where a client connects another to, lasts as long as the process:

============================================  ===============
no logical device of that name                other-reason
something else stands at the access point     other-reason
it is the management logical device           other-reason
0                                             it is off the line
============================================  ===============
"""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

from meterwright.cosem import LogicalDevice, SapAssignment
from meterwright.server import Partners
from meterwright.simulator.associations import AssociationPolicy
from meterwright.simulator.behaviour import Behaviour, invokes, reads
from meterwright.values import ActionResult, Obis

__all__ = ["MANAGEMENT_SAP", "LogicalDevices", "SapAssignmentBehaviour", "SimulatedLogicalDevice"]

MANAGEMENT_SAP: Final = 1
_OFF_THE_LINE: Final = 0


@dataclass(frozen=True, slots=True)
class SimulatedLogicalDevice:
    """A logical device: its name, its objects, and its associations by their client."""

    name: str
    objects: MutableMapping[Obis, Behaviour]
    policies: Mapping[int, AssociationPolicy]


class LogicalDevices:
    """All logical devices of a meter. Those that `add` is told of stand at once where it says."""

    def __init__(self) -> None:
        self._known: dict[bytes, SimulatedLogicalDevice] = {}
        self._by_sap: dict[int, SimulatedLogicalDevice] = {}

    def __iter__(self) -> Iterator[SimulatedLogicalDevice]:
        return iter([self._by_sap[sap] for sap in sorted(self._by_sap)])

    @property
    def saps(self) -> frozenset[int]:
        """The service access points that somebody stands at."""
        return frozenset(self._by_sap)

    @property
    def assigned(self) -> tuple[LogicalDevice, ...]:
        """Who stands where."""
        return tuple(LogicalDevice(sap, each.name.encode()) for sap, each in sorted(self._by_sap.items()))

    def add(self, sap: int, logical_device: SimulatedLogicalDevice) -> None:
        """One more. ValueError where another stands there."""
        if sap in self._by_sap:
            raise ValueError(f"two logical devices at {sap}")
        self._known.setdefault(logical_device.name.encode(), logical_device)
        self._by_sap[sap] = logical_device

    def at(self, sap: int) -> SimulatedLogicalDevice | None:
        """Who stands there."""
        return self._by_sap.get(sap)

    def policy(self, partners: Partners) -> AssociationPolicy | None:
        """What the logical device demands of this client; None where it has nothing for it."""
        found = self._by_sap.get(partners.server_sap)
        return None if found is None else found.policies.get(partners.client_sap)

    def connect(self, wanted: LogicalDevice) -> ActionResult:
        """Let a logical device stand at another service access point, or at none."""
        found = self._known.get(wanted.logical_device_name)
        there = self._by_sap.get(wanted.sap)
        if found is None or found is self._by_sap.get(MANAGEMENT_SAP) or there not in (None, found):
            return ActionResult.OTHER_REASON
        self._by_sap = {sap: each for sap, each in self._by_sap.items() if each is not found}
        if wanted.sap != _OFF_THE_LINE:
            self._by_sap[wanted.sap] = found
        return ActionResult.SUCCESS


class SapAssignmentBehaviour(Behaviour, implements=SapAssignment):
    """What the management logical device tells of all."""

    def __init__(self, logical_devices: LogicalDevices) -> None:
        super().__init__("0.0.41.0.0.255")
        self._logical_devices = logical_devices

    @reads(SapAssignment.sap_assignment_list)
    def sap_assignment_list(self) -> tuple[LogicalDevice, ...]:
        return self._logical_devices.assigned

    @invokes(SapAssignment.connect_logical_device)
    def connect(self, wanted: LogicalDevice) -> ActionResult:
        return self._logical_devices.connect(wanted)
