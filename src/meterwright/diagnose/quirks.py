"""Where octets part from the standard and are understood all the same: quirks of meters, each with a name.

A check looks at one run of octets that was read, the wire type that read it and the value it gave.
"""

from collections.abc import Callable, Iterator
from typing import Final

from meterwright.apdu.fields import OptionalDateTime
from meterwright.apdu.notification import FIXED_YEARS, EventTime
from meterwright.codec import Boolean, OctetString, SequenceOf, WireType, decode_length, encode_length
from meterwright.data import Data, DataField, DataTag
from meterwright.diagnose.wording import kebab
from meterwright.errors import RemoteProtocolError
from meterwright.values import (
    Conformance,
    Finding,
    InvokeIdAndPriority,
    Level,
    LongInvokeIdAndPriority,
    OpenIntEnum,
    Unit,
)

__all__ = ["ContentsField", "UntaggedField", "length_quirk", "other_encoding", "quirk", "quirks_of"]

_LENGTH_CODED: Final = {
    DataTag.ARRAY,
    DataTag.STRUCTURE,
    DataTag.OCTET_STRING,
    DataTag.VISIBLE_STRING,
    DataTag.UTF8_STRING,
    DataTag.BIT_STRING,
}


class UntaggedField(DataField):
    """Data in the contents of a compact array: its tag stands in the description."""


class ContentsField(UntaggedField):
    """The contents of a compact array: a length, and data without tags."""


_Check = Callable[[bytes, int, WireType | None, object], Finding | None]


def quirk(name: str, message: str, offset: int) -> Finding:
    """A finding for something that is against the book and was understood."""
    return Finding(Level.WARNING, f"quirk-{name}", message, offset)


def quirks_of(octets: bytes, position: int, wire: WireType | None, value: object) -> Iterator[Finding]:
    """The quirks of the run that starts at `position` and gave `value`."""
    for check in _CHECKS:
        if found := check(octets, position, wire, value):
            yield found


def length_quirk(octets: bytes, position: int) -> Finding | None:
    """A length in more octets than it needs."""
    try:
        length, end = decode_length(octets, position)
    except (IndexError, RemoteProtocolError):
        return None
    shortest = bytearray()
    encode_length(length, shortest)
    if end - position == len(shortest):
        return None
    message = (
        f"the length {length} is coded as {octets[position:end].hex()}; {shortest.hex()} is its shortest form"
    )
    return quirk("long-length", message, position)


def other_encoding(octets: bytes, again: bytes) -> Finding | None:
    """The APDU written anew differs from what came: said where nothing more exact is known."""
    if octets == again:
        return None
    pairs = enumerate(zip(octets, again, strict=False))
    offset = next((at for at, (came, made) in pairs if came != made), min(len(octets), len(again)))
    message = "the same can be said in other octets, as the book would: fields in its order, none unknown, none too long"
    return quirk("other-encoding", message, offset)


def _boolean(octets: bytes, position: int, wire: WireType | None, value: object) -> Finding | None:
    if isinstance(value, Data) and value.tag is DataTag.BOOLEAN:
        position += not isinstance(wire, UntaggedField)
    elif not isinstance(wire, Boolean):
        return None
    if octets[position] <= 1:
        return None
    message = f"the boolean is {octets[position]:02x}; 00 (false) and 01 (true) are what the book sends"
    return quirk("boolean-octet", message, position)


def _length(octets: bytes, position: int, wire: WireType | None, value: object) -> Finding | None:
    if isinstance(value, Data):
        start = position + (not isinstance(wire, UntaggedField))
        return length_quirk(octets, start) if value.tag in _LENGTH_CODED else None
    return length_quirk(octets, position) if isinstance(wire, OctetString | SequenceOf) else None


def _text(_octets: bytes, position: int, _wire: WireType | None, value: object) -> Finding | None:
    if not isinstance(value, Data) or not isinstance(value.value, str):
        return None
    if value.tag is DataTag.VISIBLE_STRING and not value.value.isascii():
        message = "the visible-string has octets that are no ASCII; a text with others is a utf8-string"
        return quirk("visible-string-octets", message, position)
    if value.tag is DataTag.UTF8_STRING and any("\udc80" <= letter <= "\udcff" for letter in value.value):
        return quirk("utf8-string-octets", "the utf8-string has octets that are no UTF-8", position)
    return None


def _tagged_date_time(octets: bytes, position: int, wire: WireType | None, _value: object) -> Finding | None:
    if not isinstance(wire, OptionalDateTime) or octets[position : position + 2] != b"\x09\x0c":
        return None
    message = "the date-time carries a data tag (09) before its length; only 00 or 0c is legal here"
    return quirk("tagged-date-time", message, position)


def _event_time(octets: bytes, position: int, wire: WireType | None, value: object) -> Finding | None:
    if not isinstance(wire, EventTime) or value is None:
        return None
    if octets[position + 1] in FIXED_YEARS:
        message = "the date-time has no length before it, as in older books; 0c is legal here"
        return quirk("fixed-date-time", message, position + 1)
    return _tagged_date_time(octets, position + 1, OptionalDateTime(), value)


def _conformance(octets: bytes, position: int, _wire: WireType | None, value: object) -> Finding | None:
    if not isinstance(value, Conformance) or octets[position : position + 2] == b"\x5f\x1f":
        return None
    message = "the conformance block begins with 5f04; 5f1f04 is legal: an old stack"
    return quirk("short-conformance-tag", message, position)


def _reserved_bits(octets: bytes, position: int, _wire: WireType | None, value: object) -> Finding | None:
    if not isinstance(value, InvokeIdAndPriority | LongInvokeIdAndPriority) or not value.reserved:
        return None
    message = f"reserved bits of {octets[position]:02x} are set; they must be 0"
    return quirk("reserved-bits", message, position)


def _unknown_code(_octets: bytes, position: int, _wire: WireType | None, value: object) -> Finding | None:
    if not isinstance(value, OpenIntEnum) or value.is_known or isinstance(value, Unit):
        return None
    legal = ", ".join(str(int(code)) for code in type(value).__members__.values())
    message = f"{int(value)} is no {kebab(type(value))} of the book; legal are {legal}"
    return quirk("unknown-code", message, position)


_CHECKS: Final[tuple[_Check, ...]] = (
    _boolean,
    _length,
    _text,
    _tagged_date_time,
    _event_time,
    _conformance,
    _reserved_bits,
    _unknown_code,
)
