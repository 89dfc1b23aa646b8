"""One APDU as it was carried, and the findings that every layer may have to tell."""

from dataclasses import dataclass
from typing import Final

from meterwright.diagnose.explanation import Layer
from meterwright.link.hdlc.segments import LLC_COMMAND, LLC_RESPONSE
from meterwright.values import Finding, Level

__all__ = ["MOST_FRAMES", "MOST_OCTETS", "Carried", "error", "too_many_frames", "truncated", "without_llc"]

MOST_OCTETS: Final = 256 * 1024
"""Of all APDUs together: four times the longest that a wrapper frame or a PDU size can tell. More would take minutes."""
MOST_FRAMES: Final = 1000
"""Frames of one input that are explained."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One APDU as it was carried: the layers around it, its octets (None where there is none), what was noticed."""

    layers: tuple[Layer, ...]
    apdu: bytes | None
    findings: tuple[Finding, ...] = ()


def error(code: str, message: str, *, offset: int | None = None, hint: str = "") -> Finding:
    """A finding about octets that were not understood."""
    return Finding(Level.ERROR, code, message, offset, hint=hint)


def truncated(message: str) -> Finding:
    """Octets that were announced have not come."""
    return error("truncated-frame", message, hint="wait for the rest, or copy the frame whole")


def too_many_frames() -> Carried:
    """What is said in place of the frames that are not explained."""
    return Carried(
        (), None, (error("too-many-frames", f"only the first {MOST_FRAMES} frames are explained"),)
    )


def without_llc(layers: tuple[Layer, ...], octets: bytes) -> Carried:
    """What stands behind the LLC header that HDLC puts before an APDU, where there is one."""
    if not octets.startswith((LLC_COMMAND, LLC_RESPONSE)):
        return Carried(layers, octets)
    header, apdu = octets[:3], octets[3:]
    llc = Layer("llc", header, {"destination": header[0], "source": header[1], "control": header[2]})
    empty = () if apdu else (error("no-apdu", "nothing follows the LLC header"),)
    return Carried((*layers, llc), apdu or None, empty)
