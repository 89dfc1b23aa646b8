"""A simulated meter: its objects, who may associate, and what became of each request. An ObjectHost, and no server.

A request that names no object here is answered by the books:

==========================================  ==========================
no object of that logical name              object-undefined
it is of another class                      object-class-inconsistent
its logical device is not there any more    object-unavailable
this association does not see it            scope-of-access-violated
the meter reboots                           temporary-failure
the behaviour has a bug                     other-reason, and a hook is told
the storage fails                           hardware-fault, and a hook is told
==========================================  ==========================

What an object answers by itself stands in `behaviour`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.association import CURRENT_ASSOCIATION, AssociationRequested, Credentials, Grant
from meterwright.data import Data
from meterwright.errors import MeterwrightError
from meterwright.server import ActionOutcome, Caller, ObjectHost, Partners, Trouble, log_trouble
from meterwright.simulator.all_attributes import ALL, read_all, write_all
from meterwright.simulator.associations import AssociationPolicy, MeterIdentity
from meterwright.simulator.behaviour import Behaviour, Refusal
from meterwright.simulator.clock import MeterClock, SystemClock
from meterwright.simulator.current_association import CURRENT_ASSOCIATIONS
from meterwright.simulator.image_machine import ImageMachine
from meterwright.simulator.logical_devices import LogicalDevices, SimulatedLogicalDevice
from meterwright.simulator.schedules import ScheduleBehaviour
from meterwright.simulator.security import MeterSecurity
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    Conformance,
    DataAccessResult,
    Obis,
)

__all__ = ["SimulatedMeter", "meter_name", "serial_digits"]

R = TypeVar("R")

_HIGHEST_SERIAL: Final = 9_999_999_999


def serial_digits(serial: int) -> str:
    """A serial number as its ten digits."""
    if not 0 <= serial <= _HIGHEST_SERIAL:
        raise ValueError(f"a serial number has ten digits, {serial} has not")
    return f"{serial:010}"


def meter_name(serial: int) -> str:
    """The name of a meter, which is its logical device name too."""
    return f"MWS{serial_digits(serial)}"


class SimulatedMeter(ObjectHost):
    """One meter. `objects` are all it has but the association object, which it makes for whoever asks."""

    def __init__(
        self,
        name: str,
        objects: Iterable[Behaviour],
        machine: ImageMachine,
        *,
        associations: Iterable[AssociationPolicy] = (AssociationPolicy(),),
        identity: MeterIdentity | None = None,
        schedule: ScheduleBehaviour | None = None,
        logical_devices: LogicalDevices | None = None,
        clock: MeterClock | None = None,
        max_receive_pdu_size: int = 1024,
        block_window: int = 5,
        trouble: Trouble = log_trouble,
    ) -> None:
        """`identity` is wanted where an association needs keys; `schedule` is one of the objects that `clock` moves.

        `logical_devices` are those that it has besides; its own objects and associations make one more.
        """
        self.name: Final = name
        self.machine: Final = machine
        self.identity: Final = identity
        self.trouble = trouble
        self._objects: dict[Obis, Behaviour] = {}
        self._security = MeterSecurity(machine, identity)
        self._logical_devices = LogicalDevices() if logical_devices is None else logical_devices
        offered = tuple(associations)
        for sap in dict.fromkeys(each.server_sap for each in offered):
            policies = {each.client_sap: each for each in offered if each.server_sap == sap}
            self._logical_devices.add(sap, SimulatedLogicalDevice(name, self._objects, policies))
        for each in objects:
            if each.obis in self._objects or each.obis == CURRENT_ASSOCIATION:
                raise ValueError(f"{name} has two objects {each.obis}")
            self._objects[each.obis] = each
        for logical_device in self._logical_devices:
            self._show_counters(logical_device)
        self._schedule = schedule
        self._clock = clock or SystemClock()
        self._max_receive_pdu_size = max_receive_pdu_size
        self._block_window = block_window

    def __repr__(self) -> str:
        return f"<SimulatedMeter {self.name}>"

    @property
    def associations(self) -> tuple[AssociationPolicy, ...]:
        """What the meter offers."""
        return tuple(each for found in self._logical_devices for each in found.policies.values())

    @property
    def saps(self) -> frozenset[int]:
        """The service access points of its logical devices."""
        return self._logical_devices.saps

    @property
    def objects(self) -> tuple[Behaviour, ...]:
        """All its objects but the association object, which is made for whoever asks."""
        return tuple(self._objects.values())

    @property
    def is_running(self) -> bool:
        """Whether the meter is up."""
        return self.machine.is_running

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted, in the seconds of the meter's clock; None where nothing is under way."""
        deadlines = (self.machine.deadline, self._scheduled)
        return min((each for each in deadlines if each is not None), default=None)

    @property
    def _scheduled(self) -> float | None:
        left = None if self._schedule is None else self._schedule.seconds_left
        return None if left is None or not self.is_running else self._clock.monotonic() + left

    def tick(self) -> None:
        """Do what is due by now."""
        try:
            self.machine.tick()
            if self._schedule is not None and self.is_running:
                self._schedule.tick()
        except Exception as error:  # noqa: BLE001 - a failing disk, a bug of a judgement: time goes on
            self.trouble(error)

    def guard(self, partners: Partners) -> Credentials | None:
        policy = self._logical_devices.policy(partners)
        return None if policy is None or not self.is_running else self._security.credentials(policy)

    def denied(self, partners: Partners, error: MeterwrightError) -> None:
        del error
        if self._logical_devices.policy(partners) is None:
            return  # there is nothing to log in to
        record = self.machine.record
        self.machine.remember(replace(record, failed_logins=record.failed_logins + 1))

    def client_title(self, policy: AssociationPolicy) -> bytes:
        """The system title of the client that associated last; b"" before one has."""
        return self._security.client_title(policy)

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        self.tick()
        policy = self._logical_devices.policy(partners)
        if policy is None or not self.is_running:
            return AcseServiceUserDiagnostic.NO_REASON_GIVEN
        del asked
        services = policy.conformance
        if not self._block_window:
            services &= ~Conformance.GENERAL_BLOCK_TRANSFER
        return Grant(services, self._max_receive_pdu_size, self._block_window or 1)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        def read() -> Data | DataAccessResult:
            found = self._object(caller, attribute.class_id, attribute.instance_id)
            if attribute.attribute_id == ALL and selection is None:
                return read_all(found)
            return found.get(attribute.attribute_id, selection)

        return self._guarded(read, lambda refusal: refusal.data_access_result)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        def write() -> DataAccessResult:
            found = self._writable(caller, attribute.class_id, attribute.instance_id)
            if attribute.attribute_id == ALL and selection is None:
                write_all(found, value)
            else:
                found.set(attribute.attribute_id, value, selection)
            return DataAccessResult.SUCCESS

        return self._guarded(write, lambda refusal: refusal.data_access_result)

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        def call() -> ActionOutcome:
            return self._writable(caller, method.class_id, method.instance_id).invoke(
                method.method_id, parameters
            )

        return self._guarded(call, lambda refusal: ActionOutcome(refusal.action_result))

    def close(self) -> None:
        """Let go of what the meter keeps its state in."""
        self.machine.close()

    def _object(self, caller: Caller, class_id: int, obis: Obis) -> Behaviour:
        if not self.is_running:
            raise Refusal(DataAccessResult.TEMPORARY_FAILURE)
        policy = self._policy(caller)
        objects = self._objects_for(caller)
        found = objects.get(obis)
        if obis in policy.names:
            make = CURRENT_ASSOCIATIONS[policy.version]
            found = make(caller, policy, objects.values(), logical_name=obis)
        if found is None:
            raise Refusal(DataAccessResult.OBJECT_UNDEFINED)
        if not policy.sees(obis):
            raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        if found.interface.class_id != class_id:
            raise Refusal(DataAccessResult.OBJECT_CLASS_INCONSISTENT)
        return found

    def _policy(self, caller: Caller) -> AssociationPolicy:
        """What holds in the association of whoever asks. Refusal where its logical device stands there no more."""
        policy = self._logical_devices.policy(caller.partners)
        if policy is None:
            raise Refusal(DataAccessResult.OBJECT_UNAVAILABLE)
        return policy

    def _objects_for(self, caller: Caller) -> Mapping[Obis, Behaviour]:
        found = self._logical_devices.at(caller.partners.server_sap)
        return {} if found is None else found.objects

    def _show_counters(self, logical_device: SimulatedLogicalDevice) -> None:
        """The objects that tell the invocation counters of its associations."""
        for policy in logical_device.policies.values():
            if policy.counter is None:
                continue
            if policy.counter in logical_device.objects:
                raise ValueError(f"{self.name} has two objects {policy.counter}")
            logical_device.objects[policy.counter] = self._security.shown(policy.counter)

    def _writable(self, caller: Caller, class_id: int, obis: Obis) -> Behaviour:
        """The object, if this association may change it or call its methods."""
        found = self._object(caller, class_id, obis)
        if not self._policy(caller).may_write:
            raise Refusal(DataAccessResult.READ_WRITE_DENIED)
        return found

    def _guarded(self, serve: Callable[[], R], refused: Callable[[Refusal], R]) -> R:
        """Serve a request; whatever goes wrong in the meter becomes an answer."""
        self.tick()
        try:
            return serve()
        except Refusal as refusal:
            return refused(refusal)
        except OSError as error:
            self.trouble(error)
            return refused(Refusal(ActionResult.HARDWARE_FAULT))
        except Exception as error:  # noqa: BLE001 - a bug of one behaviour must not take the meter down
            self.trouble(error)
            return refused(Refusal(ActionResult.OTHER_REASON))
