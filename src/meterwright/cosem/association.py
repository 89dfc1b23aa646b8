"""Association LN (class 15): who may do what, and the list of all objects. Blue Book 4.4.4.

Four versions are in the field. They share the object list, the partners and the context; 1 adds the security setup,
2 the users, 3 makes access rights bits instead of modes.
"""

from dataclasses import dataclass
from typing import Annotated

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method
from meterwright.cosem.object_list import ObjectList, ObjectListElement
from meterwright.data import (
    anything,
    array,
    bit_string,
    enumerated,
    integer,
    logical_name,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from meterwright.values import BitString, OpenIntEnum

__all__ = [
    "AssociatedPartners",
    "AssociationLn",
    "AssociationLnV0",
    "AssociationLnV1",
    "AssociationLnV2",
    "AssociationStatus",
    "User",
    "XdlmsContextInfo",
]


class AssociationStatus(OpenIntEnum):
    """How far the association has come."""

    NON_ASSOCIATED = 0
    ASSOCIATION_PENDING = 1
    ASSOCIATED = 2


@dataclass(frozen=True, slots=True)
class AssociatedPartners:
    """The two service access points."""

    client_sap: Annotated[int, integer]
    server_sap: Annotated[int, long_unsigned]


@dataclass(frozen=True, slots=True)
class XdlmsContextInfo:
    """What was negotiated: conformance (24 bits), the largest PDUs in octets, version, quality of service."""

    conformance: Annotated[BitString, bit_string]
    max_receive_pdu_size: Annotated[int, long_unsigned]
    max_send_pdu_size: Annotated[int, long_unsigned]
    dlms_version_number: Annotated[int, unsigned]
    quality_of_service: Annotated[int, integer]
    cyphering_info: Annotated[bytes, octet_string]


@dataclass(frozen=True, slots=True)
class User:
    """A user of the client: an id and a name."""

    user_id: Annotated[int, unsigned]
    user_name: Annotated[str, visible_string]


class AssociationLnV0(InterfaceClass[A_co], class_id=15, version=0, instance="0.0.40.0.0.255"):
    """Association LN, version 0: what all versions share."""

    object_list = ObjectList(2)
    associated_partners_id = Attribute(3, structure(AssociatedPartners))
    application_context_name = Attribute(4, anything)
    xdlms_context_info = Attribute(5, structure(XdlmsContextInfo))
    authentication_mechanism_name = Attribute(6, anything)
    secret = Attribute(7, octet_string)
    association_status = Attribute(8, enumerated(AssociationStatus))

    reply_to_hls_authentication = Method(1, octet_string, octet_string)
    change_hls_secret = Method(2, octet_string)
    add_object = Method(3, structure(ObjectListElement))
    remove_object = Method(4, structure(ObjectListElement))


class AssociationLnV1(AssociationLnV0[A_co], version=1):
    """Association LN, version 1: with a security setup."""

    security_setup_reference = Attribute(9, logical_name, static=True)


class AssociationLnV2(AssociationLnV1[A_co], version=2):
    """Association LN, version 2: with users."""

    user_list = Attribute(10, array(structure(User)), static=True)
    current_user = Attribute(11, structure(User))

    add_user = Method(5, structure(User))
    remove_user = Method(6, structure(User))


class AssociationLn(AssociationLnV2[A_co], version=3):
    """Association LN, version 3: access rights are bits."""
