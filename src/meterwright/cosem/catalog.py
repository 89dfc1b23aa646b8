"""Which class stands behind a class id and version: what an object list names, made usable."""

from types import MappingProxyType
from typing import Any, Final

from meterwright.cosem.association import AssociationLn, AssociationLnV0, AssociationLnV1, AssociationLnV2
from meterwright.cosem.clock import Clock
from meterwright.cosem.image_transfer import ImageTransfer
from meterwright.cosem.interface import InterfaceClass
from meterwright.cosem.measurement import DataObject, Register
from meterwright.cosem.profile import ProfileGeneric, ProfileGenericV0
from meterwright.cosem.sap_assignment import SapAssignment
from meterwright.cosem.schedule import SingleActionSchedule
from meterwright.cosem.script_table import ScriptTable
from meterwright.cosem.security_setup import SecuritySetup, SecuritySetupV0

__all__ = ["INTERFACE_CLASSES", "interface_class"]

_DECLARED: Final[tuple[type[InterfaceClass[Any]], ...]] = (
    DataObject,
    Register,
    ProfileGenericV0,
    ProfileGeneric,
    Clock,
    ScriptTable,
    AssociationLnV0,
    AssociationLnV1,
    AssociationLnV2,
    AssociationLn,
    SapAssignment,
    ImageTransfer,
    SingleActionSchedule,
    SecuritySetupV0,
    SecuritySetup,
)

INTERFACE_CLASSES: Final = MappingProxyType({(each.class_id, each.version): each for each in _DECLARED})
"""Every declared class by (class id, version)."""


def interface_class(class_id: int, version: int | None = None) -> type[InterfaceClass[Any]] | None:
    """The declared class, the newest where no version is given; None where nobody declared it."""
    if version is not None:
        return INTERFACE_CLASSES.get((class_id, version))
    versions = [known for number, known in INTERFACE_CLASSES if number == class_id]
    return INTERFACE_CLASSES[class_id, max(versions)] if versions else None
