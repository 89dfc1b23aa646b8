"""Values in words for people, and in JSON for programs. Text that came over the wire never reaches a terminal raw."""

import re
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from functools import singledispatch
from itertools import islice
from math import isfinite
from typing import Final

from meterwright.apdu import (
    AttributeDescriptor,
    BlockControl,
    DataBlock,
    MethodDescriptor,
    SelectedAttribute,
    Unreadable,
)
from meterwright.codec import Sequence
from meterwright.data import Data, DataTag, TypeDescription
from meterwright.diagnose.elements import class_name, enum_of, subject
from meterwright.diagnose.explanation import Json
from meterwright.dictionary import ERROR_LISTS, describe, error_meaning, is_likely
from meterwright.values import (
    BitString,
    Conformance,
    CosemDateTime,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
    Obis,
    OpenIntEnum,
    Unit,
)

__all__ = ["data_json", "data_words", "iso", "json_of", "kebab", "legal", "octets_text", "safe", "words"]

_LONGEST_TEXT: Final = 80
_MOST_BITS: Final = 64
_A_DAY: Final = timedelta(days=1)
_CLASS_NAME: Final = re.compile(r"\(([A-Z]\w+)\)")
_INNER_CAPITAL: Final = re.compile(r"(?<=\w)(?=[A-Z])")


def safe(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Text without control characters, bidirectional marks or broken code points, and not endless."""
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in text[:longest]
    )
    return f"{shown}…" if len(text) > longest else shown


def kebab(cls: type) -> str:
    """The standard's name of a class that is named after it: data-access-result."""
    if cls is bytes:
        return "raw-data"
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__).lstrip(
        "-"
    )


def legal(problem: str) -> str:
    """What decoding complained about, in the standard's words instead of ours: 00 (data), not 00 (Data)."""
    spelled = _CLASS_NAME.sub(lambda name: f"({_INNER_CAPITAL.sub('-', name[1]).lower()})", problem)
    return spelled.replace("(bytes)", "(raw-data)")


def octets_text(octets: bytes) -> str | None:
    """The text that octets are, if they are printable ASCII; meters pad with zeros."""
    stripped = octets.rstrip(b"\0")
    if not stripped or not all(0x20 <= octet <= 0x7E for octet in stripped):
        return None
    return stripped.decode("ascii")


def iso(moment: CosemDateTime) -> str | None:
    """The moment in ISO 8601, with its offset where it has a legal one; None where it is not one moment."""
    if not (moment.date.is_exact and moment.time.is_exact):
        return None
    local = datetime.combine(moment.date.to_date(), moment.time.to_time())
    offset = None if moment.deviation is None else timedelta(minutes=-moment.deviation)
    if offset is None or abs(offset) >= _A_DAY:
        return local.isoformat()
    return local.replace(tzinfo=timezone(offset)).isoformat()


# ------------------------------------------------------------------------------------------------ in words


def words(value: object, type_name: str = "") -> str:
    """A decoded value, for people."""
    return data_words(value, type_name) if isinstance(value, Data) else _say(value)


def data_words(data: Data, type_name: str = "") -> str:
    """A Data node: its type and what it says. Arrays and structures tell their size alone."""
    tag, value = data
    if isinstance(value, tuple):
        known = f" ({type_name.removeprefix('structure ')})" if type_name.startswith("structure ") else ""
        return f"{tag.label} of {len(value)}{known}"
    told = _typed(data, type_name)
    return f"{tag.label} {told}".rstrip()


def _typed(data: Data, type_name: str) -> str:
    value = data.value
    if isinstance(value, int) and (codes := enum_of(type_name)) and 0 <= value <= 0xFF:
        return _code(codes(value))
    if isinstance(value, bytes):
        return _octet_string(value, type_name)
    return "" if value is None else _say(value)


def _octet_string(value: bytes, type_name: str) -> str:
    if len(value) == 12 and (type_name == "octet-string(12)" or _looks_like_date_time(value)):
        return f"{CosemDateTime.from_octets(value)} (date-time)"
    if len(value) == 6 and (type_name == "logical-name" or is_likely(value)):
        return _obis(Obis(value))
    return _octets(value)


def _looks_like_date_time(octets: bytes) -> bool:
    moment = CosemDateTime.from_octets(octets)
    hours, minutes, seconds = octets[5:8]
    plausible = (
        (hours < 24 or hours == 0xFF)
        and (minutes < 60 or minutes == 0xFF)
        and (seconds < 60 or seconds == 0xFF)
    )
    return plausible and moment.date.is_exact and 1990 <= moment.date.to_date().year <= 2100


def _octets(value: bytes) -> str:
    text = octets_text(value)
    if text is not None:
        return f"“{safe(text)}”"
    shown = value[:16].hex()
    return f"{shown}… ({len(value)} octets)" if len(value) > 16 else shown or "(empty)"


def _obis(obis: Obis) -> str:
    return f"{obis} ({describe(obis)})"


def _code(code: OpenIntEnum) -> str:
    if isinstance(code, Unit):
        return f"{int(code)} ({code.symbol or code.label})"
    if type(code) in ERROR_LISTS and int(code):
        return f"{code.label} ({int(code)}): {error_meaning(code).meaning}"
    return f"{code.label} ({int(code)})"


def _priority(value: InvokeIdAndPriority) -> str:
    return f"invoke id {value.invoke_id}, {_service_class(value.confirmed, value.high_priority)}"


def _long_priority(value: LongInvokeIdAndPriority) -> str:
    more = [
        word
        for word, said in (
            ("self-descriptive", value.self_descriptive),
            ("break on error", value.break_on_error),
        )
        if said
    ]
    return ", ".join(
        [f"invoke id {value.invoke_id}", _service_class(value.confirmed, value.high_priority), *more]
    )


def _service_class(confirmed: bool, high_priority: bool) -> str:
    return f"{'confirmed' if confirmed else 'unconfirmed'}, {'high' if high_priority else 'normal'} priority"


def _descriptor(value: AttributeDescriptor | MethodDescriptor, number: int, kind: str = "") -> str:
    named = class_name(value.class_id) or f"class {value.class_id}"
    about = f"{value.class_id}/{value.instance_id}/{kind}{number}"
    return f"{about}: {subject(value).name} of {named} ({describe(value.instance_id)})"


def _bits(value: BitString) -> str:
    shown = (
        value.to_text()
        if len(value) <= _MOST_BITS
        else f"{BitString.from_bits(islice(value, _MOST_BITS)).to_text()}…"
    )
    return f"{shown} ({len(value)} bits, {value.count()} of them 1)"


@singledispatch
def _say(value: object) -> str:
    """A decoded value that is no Data; by its type, the most special first."""
    return safe(str(value))


@_say.register
def _(value: None) -> str:  # noqa: ARG001 - the type says it all
    return "absent"


@_say.register
def _(value: bool) -> str:
    return "true" if value else "false"


@_say.register
def _(value: float) -> str:
    return repr(value)


@_say.register
def _(value: str) -> str:
    return f"“{safe(value)}”"


@_say.register(tuple)
def _(value: tuple[object, ...]) -> str:
    return f"{len(value)} in a row"


@_say.register
def _(value: TypeDescription) -> str:
    count = {DataTag.ARRAY: value.count, DataTag.STRUCTURE: len(value.parts)}.get(value.tag)
    return value.tag.label if count is None else f"{value.tag.label} of {count}"


@_say.register
def _(value: Unreadable) -> str:
    return f"{len(value.octets)} octets that break the standard"


@_say.register
def _(value: Conformance) -> str:
    return ", ".join(value.labels) or "nothing at all"


@_say.register
def _(value: Sequence) -> str:  # noqa: ARG001 - its fields say it
    return ""


@_say.register
def _(value: DataBlock) -> str:
    return f"block {value.block_number}, {'the last' if value.last_block else 'more follow'}"


@_say.register
def _(value: BlockControl) -> str:
    streaming = "next without an answer" if value.streaming else "next after an answer"
    return f"{'the last' if value.last_block else streaming}, window {value.window}"


@_say.register
def _(value: SelectedAttribute) -> str:
    return words(value.attribute)


@_say.register
def _(value: AttributeDescriptor) -> str:
    return _descriptor(value, value.attribute_id)


@_say.register
def _(value: MethodDescriptor) -> str:
    return _descriptor(value, value.method_id, "method ")


_say.register(OpenIntEnum, _code)
_say.register(bytes, _octets)
_say.register(Obis, _obis)
_say.register(BitString, _bits)
_say.register(InvokeIdAndPriority, _priority)
_say.register(LongInvokeIdAndPriority, _long_priority)


# ------------------------------------------------------------------------------------------------ in JSON


def json_of(value: object) -> Json:
    """A decoded value, for programs: octets as hex, codes by their names, numbers as numbers."""
    if isinstance(value, Data):
        return data_json(value)
    if isinstance(
        value, Sequence | InvokeIdAndPriority | LongInvokeIdAndPriority | BlockControl
    ) and is_dataclass(value):
        names: list[str] = [each.name for each in fields(value)]
        return {name: json_of(getattr(value, name)) for name in names}
    return _tell(value)


def data_json(data: Data) -> Json:
    """A Data node as its type and value; arrays and structures hold such nodes again."""
    return {"type": data.tag.label, "value": json_of(data.value)}


@singledispatch
def _tell(value: object) -> Json:
    """A decoded value that is no Data; by its type, the most special first."""
    return safe(str(value))


@_tell.register
def _(value: None) -> Json:
    return value


@_tell.register
def _(value: int) -> Json:
    return value


@_tell.register
def _(value: float) -> Json:
    # JSON has no infinity and no not-a-number.
    return value if isfinite(value) else repr(value)


@_tell.register
def _(value: str) -> Json:
    # Octets that are no legal text came through as surrogates; they are spelled out.
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@_tell.register
def _(value: bytes) -> Json:
    return value.hex()


@_tell.register(tuple)
def _(value: tuple[object, ...]) -> Json:
    return [json_of(each) for each in value]


@_tell.register
def _(value: OpenIntEnum) -> Json:
    return value.label


@_tell.register
def _(value: Conformance) -> Json:
    return list(value.labels)


@_tell.register
def _(value: BitString) -> Json:
    return value.to_text()


@_tell.register
def _(value: CosemDateTime) -> Json:
    return iso(value) or str(value)


@_tell.register
def _(value: Unreadable) -> Json:
    return {"unreadable": value.octets.hex(), "offset": value.offset}
