"""A simulated meter: its objects, who may associate, and what became of each request. An ObjectHost, and no server.

A request that names no object here is answered by the books:

==========================================  ==========================
no object of that logical name              object-undefined
it is of another class                      object-class-inconsistent
this association does not see it            scope-of-access-violated
the meter reboots                           temporary-failure
the behaviour has a bug                     other-reason, and a hook is told
the storage fails                           hardware-fault, and a hook is told
==========================================  ==========================

What an object answers by itself stands in `behaviour`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.association import AssociationRequested, Grant
from meterwright.data import Data
from meterwright.server import ActionOutcome, Caller, ObjectHost, Partners, Trouble, log_trouble
from meterwright.simulator.behaviour import Behaviour, Refusal
from meterwright.simulator.image_machine import ImageMachine
from meterwright.simulator.objects import CurrentAssociation
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
    Obis,
)

__all__ = ["SERVED", "AssociationPolicy", "SimulatedMeter", "meter_name", "serial_digits"]

R = TypeVar("R")

SERVED: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.MULTIPLE_REFERENCES
)
"""The services a simulated meter grants: those that are implemented."""

_HIGHEST_SERIAL: Final = 9_999_999_999
_CURRENT_ASSOCIATION: Final = CurrentAssociation()


def serial_digits(serial: int) -> str:
    """A serial number as its ten digits."""
    if not 0 <= serial <= _HIGHEST_SERIAL:
        raise ValueError(f"a serial number has ten digits, {serial} has not")
    return f"{serial:010}"


def meter_name(serial: int) -> str:
    """The name of a meter, which is its logical device name too."""
    return f"MWS{serial_digits(serial)}"


@dataclass(frozen=True, slots=True)
class AssociationPolicy:
    """An association a meter offers, without authentication. `visible` limits what it shows; None shows all."""

    client_sap: int = 16
    server_sap: int = 1
    conformance: Conformance = SERVED
    visible: frozenset[Obis] | None = None

    def sees(self, obis: Obis) -> bool:
        """Whether this association shows the object."""
        return self.visible is None or obis in self.visible or obis == _CURRENT_ASSOCIATION.obis


class SimulatedMeter(ObjectHost):
    """One meter. `objects` are all it has but the association object, which it makes for whoever asks."""

    def __init__(
        self,
        name: str,
        objects: Iterable[Behaviour],
        machine: ImageMachine,
        *,
        associations: Iterable[AssociationPolicy] = (AssociationPolicy(),),
        max_receive_pdu_size: int = 1024,
        trouble: Trouble = log_trouble,
    ) -> None:
        self.name: Final = name
        self.machine: Final = machine
        self.trouble = trouble
        self._objects: dict[Obis, Behaviour] = {}
        for each in (*objects, _CURRENT_ASSOCIATION):
            if each.obis in self._objects:
                raise ValueError(f"{name} has two objects {each.obis}")
            self._objects[each.obis] = each
        self._policies = {Partners(each.client_sap, each.server_sap): each for each in associations}
        self._max_receive_pdu_size = max_receive_pdu_size

    def __repr__(self) -> str:
        return f"<SimulatedMeter {self.name}>"

    @property
    def associations(self) -> tuple[AssociationPolicy, ...]:
        """What the meter offers."""
        return tuple(self._policies.values())

    @property
    def is_running(self) -> bool:
        """Whether the meter is up."""
        return self.machine.is_running

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted, in the seconds of the meter's clock; None where nothing is under way."""
        return self.machine.deadline

    def tick(self) -> None:
        """Do what is due by now."""
        try:
            self.machine.tick()
        except Exception as error:  # noqa: BLE001 - a failing disk, a bug of a judgement: time goes on
            self.trouble(error)

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        self.tick()
        policy = self._policies.get(partners)
        if policy is None or not self.is_running:
            return AcseServiceUserDiagnostic.NO_REASON_GIVEN
        if asked.aarq.mechanism_name not in (None, AuthenticationMechanism.LOWEST):
            return AcseServiceUserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
        return Grant(policy.conformance, self._max_receive_pdu_size)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        def read() -> Data | DataAccessResult:
            found = self._object(caller, attribute.class_id, attribute.instance_id)
            return found.get(attribute.attribute_id, selection)

        return self._guarded(read, lambda refusal: refusal.data_access_result)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        def write() -> DataAccessResult:
            found = self._object(caller, attribute.class_id, attribute.instance_id)
            found.set(attribute.attribute_id, value, selection)
            return DataAccessResult.SUCCESS

        return self._guarded(write, lambda refusal: refusal.data_access_result)

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        def call() -> ActionOutcome:
            return self._object(caller, method.class_id, method.instance_id).invoke(
                method.method_id, parameters
            )

        return self._guarded(call, lambda refusal: ActionOutcome(refusal.action_result))

    def close(self) -> None:
        """Let go of what the meter keeps its state in."""
        self.machine.close()

    def _object(self, caller: Caller, class_id: int, obis: Obis) -> Behaviour:
        if not self.is_running:
            raise Refusal(DataAccessResult.TEMPORARY_FAILURE)
        found = self._objects.get(obis)
        if found is None:
            raise Refusal(DataAccessResult.OBJECT_UNDEFINED)
        policy = self._policies[caller.partners]
        if not policy.sees(obis):
            raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        if found.interface.class_id != class_id:
            raise Refusal(DataAccessResult.OBJECT_CLASS_INCONSISTENT)
        if found is _CURRENT_ASSOCIATION:
            visible = [each for each in self._objects.values() if policy.sees(each.obis)]
            return CurrentAssociation(caller, visible)
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
