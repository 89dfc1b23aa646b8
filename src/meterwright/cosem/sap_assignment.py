"""SAP assignment (class 17): which logical devices a meter has, and where each is reached. Blue Book 4.4.5.

It stands in the management logical device, at service access point 1, which every meter has.
"""

from dataclasses import dataclass
from typing import Annotated

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method
from meterwright.data import array, long_unsigned, octet_string, structure

__all__ = ["LogicalDevice", "SapAssignment"]


@dataclass(frozen=True, slots=True)
class LogicalDevice:
    """A logical device: its service access point, and its name. Connecting it to 0 takes it off the line."""

    sap: Annotated[int, long_unsigned]
    logical_device_name: Annotated[bytes, octet_string]


class SapAssignment(InterfaceClass[A_co], class_id=17, version=0, instance="0.0.41.0.0.255"):
    """SAP assignment: the logical devices of a meter."""

    sap_assignment_list = Attribute(2, array(structure(LogicalDevice)), static=True)

    connect_logical_device = Method(1, structure(LogicalDevice))
