"""Association LN (class 15; Blue Book 4.4.4) as one caller sees it: 0.0.40.0.0.255 always is the association one asks in.

A meter has one of four versions, `AssociationPolicy.version`. Who may read and write is told by the same numbers in all of them:
what are modes in the first three are bits in the last. There are no users, so the current one is nobody: 0, without a name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from meterwright.apdu import DLMS_VERSION
from meterwright.association import CURRENT_ASSOCIATION
from meterwright.cosem import (
    AssociatedPartners,
    AssociationLn,
    AssociationLnV0,
    AssociationLnV1,
    AssociationLnV2,
    AssociationStatus,
    ListedObject,
    ObjectId,
    ObjectListElement,
    ObjectListSelector,
    User,
    XdlmsContextInfo,
    class_list,
    listed_objects,
    object_id_list,
)
from meterwright.data import Data, boolean, null_data, octet_string
from meterwright.server import Caller
from meterwright.simulator.associations import AssociationPolicy
from meterwright.simulator.behaviour import Behaviour, Stored, exact, reads, selects
from meterwright.values import BitString, Obis

__all__ = [
    "CURRENT_ASSOCIATIONS",
    "CurrentAssociation",
    "CurrentAssociationV0",
    "CurrentAssociationV1",
    "CurrentAssociationV2",
]

_NO_OBJECT: Final = Obis(bytes(6))
_NOBODY: Final = User(0, "")


class CurrentAssociationV0(Behaviour, implements=AssociationLnV0):
    """Association LN, version 0: what all versions share."""

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
                Stored(AssociationLnV0.application_context_name, _name(_CONTEXTS, policy.context)),
                Stored(AssociationLnV0.authentication_mechanism_name, _name(_MECHANISMS, policy.mechanism)),
                Stored(AssociationLnV0.association_status, AssociationStatus.ASSOCIATED),
                *self._of_later_versions(policy),
            ],
        )
        self._caller = caller
        self._policy = policy
        self._objects = objects

    def _of_later_versions(self, policy: AssociationPolicy) -> tuple[Stored[Any], ...]:
        """What a version has besides."""
        del policy
        return ()

    @reads(AssociationLnV0.object_list)
    def object_list(self) -> tuple[ObjectListElement, ...]:
        policy = self._policy
        seen = [each for each in self._objects if policy.sees(each.obis)]
        elements = [each.list_element(may_write=policy.may_write) for each in seen]
        own = replace(self.list_element(may_write=False), logical_name=CURRENT_ASSOCIATION)
        return tuple(self._told(each) for each in (*elements, own))

    def _told(self, element: ObjectListElement) -> ObjectListElement:
        """The rights as this version has them: in the first, whether a method may be called is a boolean."""
        methods = element.access_rights.method_access
        told = (replace(each, access_mode=boolean(bool(each.access_mode.value))) for each in methods)
        return replace(element, access_rights=replace(element.access_rights, method_access=tuple(told)))

    @selects(AssociationLnV0.object_list, ObjectListSelector.ALL_WITHOUT_RIGHTS)
    def names(self, parameters: Data) -> Data:
        exact(null_data, parameters)
        return _names(self.object_list())

    @selects(AssociationLnV0.object_list, ObjectListSelector.CLASS_LIST)
    def of_classes(self, parameters: Data) -> Data:
        wanted = exact(class_list, parameters)
        return _names(each for each in self.object_list() if each.class_id in wanted)

    @selects(AssociationLnV0.object_list, ObjectListSelector.OBJECT_ID_LIST)
    def of_objects(self, parameters: Data) -> Data:
        wanted = exact(object_id_list, parameters)
        found = [each for each in self.object_list() if ObjectId(each.class_id, each.logical_name) in wanted]
        return AssociationLnV0.object_list.type(tuple(found))

    @reads(AssociationLnV0.associated_partners_id)
    def partners(self) -> AssociatedPartners:
        partners = self._caller.partners
        client_sap = (partners.client_sap + 0x80) % 0x100 - 0x80  # the class has a signed octet for it
        return AssociatedPartners(client_sap, partners.server_sap)

    @reads(AssociationLnV0.xdlms_context_info)
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


class CurrentAssociationV1(CurrentAssociationV0, implements=AssociationLnV1):
    """Association LN, version 1: with a security setup, and methods with modes."""

    def _of_later_versions(self, policy: AssociationPolicy) -> tuple[Stored[Any], ...]:
        return (Stored(AssociationLnV1.security_setup_reference, policy.security_setup or _NO_OBJECT),)

    def _told(self, element: ObjectListElement) -> ObjectListElement:
        return element


class CurrentAssociationV2(CurrentAssociationV1, implements=AssociationLnV2):
    """Association LN, version 2: with users."""

    def _of_later_versions(self, policy: AssociationPolicy) -> tuple[Stored[Any], ...]:
        users = (Stored(AssociationLnV2.user_list, ()), Stored(AssociationLnV2.current_user, _NOBODY))
        return (*super()._of_later_versions(policy), *users)


class CurrentAssociation(CurrentAssociationV2, implements=AssociationLn):
    """Association LN, version 3: rights are bits."""


CURRENT_ASSOCIATIONS: Final[Mapping[int, type[CurrentAssociationV0]]] = MappingProxyType(
    {
        each.interface.version: each
        for each in (CurrentAssociationV0, CurrentAssociationV1, CurrentAssociationV2, CurrentAssociation)
    }
)
"""By the version of the class."""


def _names(elements: Iterable[ObjectListElement]) -> Data:
    return listed_objects(
        tuple(ListedObject(each.class_id, each.version, each.logical_name) for each in elements)
    )


_CONTEXTS: Final = bytes.fromhex("608574050801")
_MECHANISMS: Final = bytes.fromhex("608574050802")


def _name(arc: bytes, number: int) -> Data:
    """An object identifier, as class 15 shows it: its octets."""
    return octet_string(arc + bytes((number,)))
