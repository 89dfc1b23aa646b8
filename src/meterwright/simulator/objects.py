"""Objects that many simulated meters have: computed values, the clock, and the association a client is in."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from meterwright.apdu import DLMS_VERSION
from meterwright.association import CURRENT_ASSOCIATION
from meterwright.cosem import (
    AssociatedPartners,
    AssociationLnV1,
    AssociationStatus,
    Clock,
    ClockBase,
    DataObject,
    ListedObject,
    ObjectId,
    ObjectListElement,
    ObjectListSelector,
    Register,
    XdlmsContextInfo,
    class_list,
    listed_objects,
    object_id_list,
)
from meterwright.data import Data, null_data, octet_string
from meterwright.server import Caller
from meterwright.simulator.associations import AssociationPolicy
from meterwright.simulator.behaviour import Behaviour, Refusal, Stored, exact, invokes, reads, selects, writes
from meterwright.simulator.clock import MeterClock
from meterwright.values import BitString, ClockStatus, CosemDateTime, DataAccessResult, Obis, ScalerUnit

__all__ = ["ClockBehaviour", "ComputedData", "ComputedRegister", "CurrentAssociation"]

_NO_OBJECT: Final = Obis(bytes(6))
_ANY_DATE: Final = CosemDateTime()


class ComputedData(Behaviour, implements=DataObject):
    """A Data object whose value is asked for anew at each read."""

    def __init__(self, logical_name: str, value: Callable[[], Data]) -> None:
        super().__init__(logical_name)
        self._value = value

    @reads(DataObject.value)
    def value(self) -> Data:
        return self._value()


class ComputedRegister(Behaviour, implements=Register):
    """A register whose number is asked for anew at each read."""

    def __init__(self, logical_name: str, scaler_unit: ScalerUnit, value: Callable[[], Data]) -> None:
        super().__init__(logical_name, [Stored(Register.scaler_unit, scaler_unit)])
        self._value = value

    @reads(Register.value)
    def value(self) -> Data:
        return self._value()


class ClockBehaviour(Behaviour, implements=Clock):
    """A clock in UTC, without daylight saving. It may be set; what it is off by lasts as long as the process."""

    def __init__(self, clock: MeterClock, logical_name: str = "0.0.1.0.0.255") -> None:
        super().__init__(
            logical_name,
            [
                Stored(Clock.time_zone, 0),
                Stored(Clock.status, ClockStatus(0)),
                Stored(Clock.daylight_savings_begin, _ANY_DATE),
                Stored(Clock.daylight_savings_end, _ANY_DATE),
                Stored(Clock.daylight_savings_deviation, 0),
                Stored(Clock.daylight_savings_enabled, False),
                Stored(Clock.clock_base, ClockBase.INTERNAL_CRYSTAL),
            ],
        )
        self._clock = clock
        self._off_by = timedelta(0)

    @property
    def now(self) -> datetime:
        """What the clock shows."""
        return self.at(self._clock.now())

    def at(self, moment: datetime) -> datetime:
        """What it shows at that moment of true time, as it is set now."""
        return moment + self._off_by

    @reads(Clock.time)
    def time(self) -> CosemDateTime:
        return CosemDateTime.from_datetime(self.now)

    @writes(Clock.time)
    def set_time(self, value: CosemDateTime) -> None:
        """A time without deviation is local time; one with wildcards is none."""
        true = self._clock.now()
        try:
            moment = value.to_datetime()
            self._off_by = (moment if moment.tzinfo else moment.replace(tzinfo=true.tzinfo)) - true
        except (ValueError, OverflowError):
            raise Refusal(DataAccessResult.OTHER_REASON) from None

    @invokes(Clock.shift_time)
    def shift(self, seconds: int) -> None:
        if not -900 <= seconds <= 900:
            raise Refusal(DataAccessResult.OTHER_REASON)
        self._off_by += timedelta(seconds=seconds)


class CurrentAssociation(Behaviour, implements=AssociationLnV1):
    """Association LN as one caller sees it: 0.0.40.0.0.255 always is the association one asks in."""

    def __init__(
        self,
        caller: Caller,
        policy: AssociationPolicy,
        objects: Iterable[Behaviour],
        *,
        logical_name: Obis = CURRENT_ASSOCIATION,
    ) -> None:
        super().__init__(
            logical_name,
            [
                Stored(AssociationLnV1.application_context_name, _name(_CONTEXTS, policy.context)),
                Stored(AssociationLnV1.authentication_mechanism_name, _name(_MECHANISMS, policy.mechanism)),
                Stored(AssociationLnV1.association_status, AssociationStatus.ASSOCIATED),
                Stored(AssociationLnV1.security_setup_reference, policy.security_setup or _NO_OBJECT),
            ],
        )
        self._caller = caller
        self._policy = policy
        self._objects = objects

    @reads(AssociationLnV1.object_list)
    def object_list(self) -> tuple[ObjectListElement, ...]:
        policy = self._policy
        seen = [each for each in self._objects if policy.sees(each.obis)]
        elements = [each.list_element(may_write=policy.may_write) for each in seen]
        return (*elements, replace(self.list_element(may_write=False), logical_name=CURRENT_ASSOCIATION))

    @selects(AssociationLnV1.object_list, ObjectListSelector.ALL_WITHOUT_RIGHTS)
    def names(self, parameters: Data) -> Data:
        exact(null_data, parameters)
        return _names(self.object_list())

    @selects(AssociationLnV1.object_list, ObjectListSelector.CLASS_LIST)
    def of_classes(self, parameters: Data) -> Data:
        wanted = exact(class_list, parameters)
        return _names(each for each in self.object_list() if each.class_id in wanted)

    @selects(AssociationLnV1.object_list, ObjectListSelector.OBJECT_ID_LIST)
    def of_objects(self, parameters: Data) -> Data:
        wanted = exact(object_id_list, parameters)
        found = [each for each in self.object_list() if ObjectId(each.class_id, each.logical_name) in wanted]
        return AssociationLnV1.object_list.type(tuple(found))

    @reads(AssociationLnV1.associated_partners_id)
    def partners(self) -> AssociatedPartners:
        partners = self._caller.partners
        client_sap = (partners.client_sap + 0x80) % 0x100 - 0x80  # the class has a signed octet for it
        return AssociatedPartners(client_sap, partners.server_sap)

    @reads(AssociationLnV1.xdlms_context_info)
    def context(self) -> XdlmsContextInfo:
        context = self._caller.context
        return XdlmsContextInfo(
            conformance=BitString(context.conformance.to_octets(), 24),
            max_receive_pdu_size=context.max_receive_pdu_size,
            max_send_pdu_size=context.max_send_pdu_size,
            dlms_version_number=DLMS_VERSION,
            quality_of_service=0,
            cyphering_info=b"",
        )


def _names(elements: Iterable[ObjectListElement]) -> Data:
    return listed_objects(
        tuple(ListedObject(each.class_id, each.version, each.logical_name) for each in elements)
    )


_CONTEXTS: Final = bytes.fromhex("608574050801")
_MECHANISMS: Final = bytes.fromhex("608574050802")


def _name(arc: bytes, number: int) -> Data:
    """An object identifier, as class 15 shows it: its octets."""
    return octet_string(arc + bytes((number,)))
