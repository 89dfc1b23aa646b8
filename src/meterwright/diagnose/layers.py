"""What stands around an APDU: frames of every link this build knows, one or many. Never refuses anything.

A link with a mark is recognised by it: the flag 7e of HDLC, the 68 L L 68 of M-Bus, the 0001 of the wrapper. Octets that are an APDU
are taken for one; only in what is none are intact frames looked for, behind noise or without their first flag, and last it is tried as one of
the carriers that have no mark (`datagrams`).
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from meterwright.diagnose.carried import (
    MOST_FRAMES,
    MOST_OCTETS,
    Carried,
    error,
    too_many_frames,
    truncated,
    without_llc,
)
from meterwright.diagnose.datagrams import is_whole_apdu, peel_checked_telegram, peel_datagram, peel_prime
from meterwright.diagnose.explanation import Layer
from meterwright.diagnose.hdlc import holds_hdlc, peel_hdlc
from meterwright.diagnose.mbus import holds_mbus, looks_like_mbus, peel_mbus
from meterwright.link import HEADER_SIZE
from meterwright.values import Finding, Level

__all__ = ["Carried", "peel"]

_FLAG: Final = b"\x7e"
_VERSION: Final = b"\x00\x01"
_HEADER: Final = struct.Struct(">HHHH")


def peel(octets: bytes) -> Iterator[Carried]:
    """The APDUs in `octets`, at least one, in order."""
    if not octets:
        yield Carried((), None, (error("no-octets", "there is not a single octet"),))
    elif octets.startswith(_FLAG):
        yield from peel_hdlc(octets)
    elif looks_like_mbus(octets):
        yield from peel_mbus(octets)
    else:
        yield from peel_prime(octets) or _wrapped(octets) or _unmarked(octets)


def _wrapped(octets: bytes) -> Iterator[Carried] | None:
    return _frames(octets) if octets.startswith(_VERSION) or octets == b"\x00" else None


def _unmarked(octets: bytes) -> Iterable[Carried]:
    bare = without_llc((), octets)
    if bare.layers or len(octets) > MOST_OCTETS or is_whole_apdu(octets):
        return (bare,)
    if holds_hdlc(octets):
        return peel_hdlc(octets)
    if holds_mbus(octets):
        return peel_mbus(octets)
    return peel_checked_telegram(octets) or peel_datagram(octets) or (bare,)


def _frames(octets: bytes) -> Iterator[Carried]:
    position, count = 0, 0
    while position < len(octets):
        if count == MOST_FRAMES:
            yield too_many_frames()
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
        findings = (truncated(f"the wrapper header promises {length} octets, only {len(apdu)} have come"),)
    elif not apdu:
        findings = (error("no-apdu", "the wrapper frame carries no APDU"),)
    return Carried((layer,), apdu or None, findings), end


def _no_frame(rest: bytes, position: int) -> Carried:
    if position == 0:
        what = f"a wrapper header has {HEADER_SIZE} octets, only {len(rest)} have come"
        return Carried((Layer("wrapper", rest),), None, (truncated(what),))
    if not any(rest):
        what = f"{len(rest)} zero octets follow the last frame, from octet {position} of the input on"
        return Carried((), None, (Finding(Level.WARNING, "zero-padding", what),))
    what = f"{len(rest)} octets follow the last frame and are none, from octet {position} of the input on"
    return Carried((), None, (error("trailing-octets", what, hint="a wrapper frame would begin with 0001"),))
