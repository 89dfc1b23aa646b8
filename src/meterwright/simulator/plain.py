"""The `plain` meter: no companion specification, the objects that every meter has, and image transfer.

===============  ==  ==============================================================
0.0.42.0.0.255    1  logical device name, the meter's name
0.0.96.1.0.255    1  serial number, ten digits
0.0.1.0.0.255     8  clock, UTC
1.0.1.8.0.255     3  active energy import, 0.1 Wh; it grows with time
1.0.32.7.0.255    3  voltage L1, 0.1 V; it swings with time
1.0.99.1.0.255    7  load profile: clock, energy and voltage each quarter of an hour
0.0.99.98.0.255   7  event log: clock and event code
0.0.96.11.0.255   1  event code: that of the event which happened last
1.0.0.2.0.255     1  active firmware identifier: that of the image activated last
1.0.0.2.8.255     1  active firmware signature: SHA-256 of that image
0.0.44.0.0.255   18  image transfer
0.0.41.0.0.255   17  SAP assignment: its logical devices
0.0.40.0.0.255   15  current association
===============  ==  ==============================================================

Without security it has one association, client 16, with all rights. With an authentication or a security policy that is
client 1's, and client 16 is public: it reads the clock, the logical device name and the invocation counter 0.0.43.1.0.255.

Of several logical devices the others stand at 2, 3 and so on, each with a name of its own, the clock, energy and voltage, and the
same associations, keys and counter.

What it measures depends on time, serial number and seed alone.
"""

from dataclasses import replace
from typing import Final

from meterwright.server import Trouble, log_trouble
from meterwright.simulator.associations import AssociationPolicy, MeterIdentity
from meterwright.simulator.clock import MeterClock, SystemClock
from meterwright.simulator.logical_devices import (
    MANAGEMENT_SAP,
    LogicalDevices,
    SapAssignmentBehaviour,
    SimulatedLogicalDevice,
)
from meterwright.simulator.meter import SimulatedMeter, meter_name
from meterwright.simulator.objects import ClockBehaviour
from meterwright.simulator.parts import (
    common_objects,
    image_machine,
    submeter_name,
    submeter_objects,
    system_title,
)
from meterwright.simulator.settings import MeterSettings, SecuritySettings
from meterwright.simulator.storage import MemoryStorage, MeterStorage
from meterwright.values import Conformance, Obis

__all__ = ["plain_meter"]

_PUBLIC_CLIENT: Final = 16
_MANAGEMENT_CLIENT: Final = 1
_COUNTER: Final = Obis.parse("0.0.43.1.0.255")
_PUBLIC: Final = frozenset(Obis.parse(name) for name in ("0.0.1.0.0.255", "0.0.42.0.0.255")) | {_COUNTER}


def plain_meter(
    serial: int,
    settings: MeterSettings | None = None,
    *,
    storage: MeterStorage | None = None,
    clock: MeterClock | None = None,
    trouble: Trouble = log_trouble,
) -> SimulatedMeter:
    """A plain meter. Without a storage it forgets all with its process; without a clock it has this machine's."""
    settings = settings or MeterSettings()
    clock = clock or SystemClock()
    name = meter_name(serial)
    machine = image_machine(name, settings, storage or MemoryStorage(), clock)
    shown = ClockBehaviour(clock)
    version = settings.association_version
    associations = tuple(replace(each, version=version) for each in _associations(settings.security))
    logical_devices = LogicalDevices()
    for sap in range(MANAGEMENT_SAP + 1, settings.logical_devices + 1):
        policies = {each.client_sap: replace(each, server_sap=sap) for each in associations}
        objects = {each.obis: each for each in submeter_objects(serial, sap, settings.seed, clock, shown)}
        logical_devices.add(sap, SimulatedLogicalDevice(submeter_name(serial, sap), objects, policies))
    return SimulatedMeter(
        name,
        (
            *common_objects(serial, settings.seed, machine, clock, shown),
            SapAssignmentBehaviour(logical_devices),
        ),
        machine,
        associations=associations,
        logical_devices=logical_devices,
        identity=MeterIdentity(
            system_title(serial), settings.security.meter_keys, settings.security.meter_pairs
        ),
        clock=clock,
        max_receive_pdu_size=settings.max_receive_pdu_size,
        block_window=settings.block_window,
        trouble=trouble,
    )


def _associations(security: SecuritySettings) -> tuple[AssociationPolicy, ...]:
    """What the meter offers; the first is the one that may do all."""
    if security.is_open:
        return (AssociationPolicy(client_sap=_PUBLIC_CLIENT),)
    managing = AssociationPolicy(
        client_sap=_MANAGEMENT_CLIENT,
        mechanism=security.authentication,
        secret=security.secret,
        makers_function=security.makers_function,
        policy=security.policy,
        counter=_COUNTER,
    )
    public = AssociationPolicy(
        client_sap=_PUBLIC_CLIENT, visible=_PUBLIC, may_write=False, conformance=_PUBLIC_SERVICES
    )
    return managing, public


_PUBLIC_SERVICES: Final = (
    Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.MULTIPLE_REFERENCES
)
