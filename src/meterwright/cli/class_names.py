"""The standard's names of interface classes (Blue Book 4.3 to 4.16), also of those that are not declared here yet."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["class_name"]

_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "Data",
        3: "Register",
        4: "Extended register",
        5: "Demand register",
        6: "Register activation",
        7: "Profile generic",
        8: "Clock",
        9: "Script table",
        10: "Schedule",
        11: "Special days table",
        12: "Association SN",
        15: "Association LN",
        17: "SAP assignment",
        18: "Image transfer",
        19: "IEC local port setup",
        20: "Activity calendar",
        21: "Register monitor",
        22: "Single action schedule",
        23: "IEC HDLC setup",
        24: "IEC twisted pair (1) setup",
        25: "M-Bus slave port setup",
        26: "Utility tables",
        27: "Modem configuration",
        28: "Auto answer",
        29: "Auto connect",
        30: "Data protection",
        40: "Push setup",
        41: "TCP-UDP setup",
        42: "IPv4 setup",
        43: "MAC address setup",
        44: "PPP setup",
        45: "GPRS modem setup",
        46: "SMTP setup",
        47: "GSM diagnostic",
        48: "IPv6 setup",
        61: "Register table",
        62: "Compact data",
        63: "Status mapping",
        64: "Security setup",
        65: "Parameter monitor",
        67: "Sensor manager",
        68: "Arbitrator",
        70: "Disconnect control",
        71: "Limiter",
        72: "M-Bus client",
        73: "Wireless mode Q channel",
        74: "M-Bus master port setup",
        100: "NTP setup",
        111: "Account",
        112: "Credit",
        113: "Charge",
        115: "Token gateway",
    }
)


def class_name(class_id: int) -> str | None:
    """What the book calls a class; None where it is not among the common ones."""
    return _NAMES.get(class_id)
