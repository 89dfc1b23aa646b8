"""What stands around an APDU: wrapper frames, one or many, and the LLC header of HDLC. Never refuses anything.

Other links are recognised and named, so that a person knows why nothing was explained.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from meterwright.diagnose.explanation import Layer
from meterwright.link import HEADER_SIZE
from meterwright.values import Finding, Level

__all__ = ["Carried", "peel"]

_VERSION: Final = b"\x00\x01"
_HEADER: Final = struct.Struct(">HHHH")
_MOST_FRAMES: Final = 1000
_LLC: Final = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")
_OTHER_LINKS: Final = (
    (b"\x7e", "hdlc", "an HDLC frame: it begins with the flag 7e"),
    (b"/", "p1", "a telegram of a consumer port (P1): it begins with /"),
)


@dataclass(frozen=True, slots=True)
class Carried:
    """One APDU as it was carried: the layers around it, its octets (None where no APDU could be told), what was noticed."""

    layers: tuple[Layer, ...]
    apdu: bytes | None
    findings: tuple[Finding, ...] = ()


def peel(octets: bytes) -> tuple[Carried, ...]:
    """The APDUs in `octets`, at least one, in order."""
    if not octets:
        return (Carried((), None, (Finding(Level.ERROR, "no-octets", "there is not a single octet"),)),)
    if other := _other_link(octets):
        return (other,)
    if octets.startswith(_VERSION) or octets == b"\x00":
        return tuple(_frames(octets))
    return (_without_llc((), octets),)


def _other_link(octets: bytes) -> Carried | None:
    for mark, kind, sentence in _OTHER_LINKS:
        if octets.startswith(mark):
            return _not_opened(kind, sentence, octets)
    if len(octets) > 4 and octets[0] == octets[3] == 0x68 and octets[1] == octets[2]:
        return _not_opened("mbus", "a long frame of wired M-Bus: it begins with 68", octets)
    return None


def _not_opened(kind: str, sentence: str, octets: bytes) -> Carried:
    finding = Finding(
        Level.ERROR,
        "link-not-supported",
        f"{sentence}; this build does not open {kind}",
        hint="give the APDU alone, without the frame around it",
    )
    return Carried((Layer(kind, octets),), None, (finding,))


def _without_llc(layers: tuple[Layer, ...], octets: bytes) -> Carried:
    """The LLC header that HDLC puts before an APDU, left there by whoever cut the frame."""
    if not octets.startswith(_LLC):
        return Carried(layers, octets)
    header, apdu = octets[:3], octets[3:]
    llc = Layer("llc", header, {"destination": header[0], "source": header[1], "control": header[2]})
    empty = () if apdu else (_error("no-apdu", "nothing follows the LLC header"),)
    return Carried((*layers, llc), apdu or None, empty)


def _frames(octets: bytes) -> Iterator[Carried]:
    position, count = 0, 0
    while position < len(octets):
        if count == _MOST_FRAMES:
            yield Carried(
                (), None, (_error("too-many-frames", f"only the first {_MOST_FRAMES} frames are explained"),)
            )
            return
        head = octets[position : position + HEADER_SIZE]
        if len(head) < HEADER_SIZE or (count and not head.startswith(_VERSION)):
            yield _no_frame(octets[position:], position)
            return
        carried, position = _frame(octets, position)
        yield carried
        count += 1


def _frame(octets: bytes, position: int) -> tuple[Carried, int]:
    """The frame that starts at `position`, whole or not, and where the next one would start."""
    version, source, destination, length = _HEADER.unpack_from(octets, position)
    header = {"version": version, "source": source, "destination": destination, "length": length}
    start = position + HEADER_SIZE
    end = start + length
    layer = Layer("wrapper", octets[position:start], header)
    apdu = octets[start:end]
    findings: tuple[Finding, ...] = ()
    if len(apdu) < length:
        missing = f"the wrapper header promises {length} octets, only {len(apdu)} have come"
        findings = (_error("truncated-frame", missing, hint="wait for the rest, or copy the frame whole"),)
    elif not apdu:
        findings = (_error("no-apdu", "the wrapper frame carries no APDU"),)
    return Carried((layer,), apdu or None, findings), end


def _no_frame(rest: bytes, position: int) -> Carried:
    if position == 0:
        what = f"a wrapper header has {HEADER_SIZE} octets, only {len(rest)} have come"
        return Carried((Layer("wrapper", rest),), None, (_error("truncated-frame", what),))
    if not any(rest):
        what = f"{len(rest)} zero octets follow the last frame, from octet {position} of the input on"
        return Carried((), None, (Finding(Level.WARNING, "zero-padding", what),))
    what = f"{len(rest)} octets follow the last frame and are none, from octet {position} of the input on"
    return Carried((), None, (_error("trailing-octets", what, hint="a wrapper frame would begin with 0001"),))


def _error(code: str, message: str, hint: str = "") -> Finding:
    return Finding(Level.ERROR, code, message, hint=hint)
