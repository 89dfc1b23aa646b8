"""COSEM interface classes: what a meter is made of, declared once for client, simulator, translator and docs."""

from meterwright.cosem.access import AssociationBound, AssociationIdentity, AsyncAccess, BlockingAccess
from meterwright.cosem.association import (
    AccessRights,
    AssociatedPartners,
    AssociationLn,
    AssociationLnV0,
    AssociationLnV1,
    AssociationLnV2,
    AssociationStatus,
    AttributeAccess,
    MethodAccess,
    ObjectListElement,
    User,
    XdlmsContextInfo,
)
from meterwright.cosem.catalog import INTERFACE_CLASSES, interface_class
from meterwright.cosem.clock import Clock, ClockBase, PresetTime
from meterwright.cosem.image_transfer import (
    BlockSize,
    ImageBlock,
    ImageInitiation,
    ImageOctets,
    ImageToActivateInfo,
    ImageTransfer,
)
from meterwright.cosem.interface import (
    AsyncAttribute,
    AsyncMethod,
    Attribute,
    BlockingAttribute,
    BlockingMethod,
    InterfaceClass,
    Method,
    trigger,
)
from meterwright.cosem.measurement import DataObject, Register

__all__ = [
    "INTERFACE_CLASSES",
    "AccessRights",
    "AssociatedPartners",
    "AssociationBound",
    "AssociationIdentity",
    "AssociationLn",
    "AssociationLnV0",
    "AssociationLnV1",
    "AssociationLnV2",
    "AssociationStatus",
    "AsyncAccess",
    "AsyncAttribute",
    "AsyncMethod",
    "Attribute",
    "AttributeAccess",
    "BlockSize",
    "BlockingAccess",
    "BlockingAttribute",
    "BlockingMethod",
    "Clock",
    "ClockBase",
    "DataObject",
    "ImageBlock",
    "ImageInitiation",
    "ImageOctets",
    "ImageToActivateInfo",
    "ImageTransfer",
    "InterfaceClass",
    "Method",
    "MethodAccess",
    "ObjectListElement",
    "PresetTime",
    "Register",
    "User",
    "XdlmsContextInfo",
    "interface_class",
    "trigger",
]
