"""How values look: for people as text, for programs as JSON. Both tell the same, by the type of the value; neither fails."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import IntEnum, IntFlag
from functools import singledispatch
from typing import Final, TypeAlias, Union

from meterwright.cli.output import printable
from meterwright.cosem import BlockSize
from meterwright.data import Data, DataTag
from meterwright.values import (
    BitString,
    CosemDate,
    CosemDateTime,
    CosemTime,
    Obis,
    OpenIntEnum,
    Quantity,
)

__all__ = ["Json", "as_json", "as_raw", "as_text"]

Json: TypeAlias = Union[bool, int, float, str, list["Json"], dict[str, "Json"], None]  # noqa: UP007 - forward references

_LONGEST_BITS: Final = 64
_NAMED: Final = (Obis, CosemDateTime, CosemDate, CosemTime, Quantity)
"""Values that say best themselves what they are."""


# ------------------------------------------------------------------------------------------------ for people


@singledispatch
def as_text(value: object) -> str:
    """A value for people, on one line."""
    parts = _parts(value)
    if parts and not isinstance(value, _NAMED):
        return ", ".join(f"{name} {as_text(part)}" for name, part in parts.items())
    return printable(str(value))


@as_text.register
def _(value: None) -> str:  # noqa: ARG001 - its type says it all
    return "–"


@as_text.register
def _(value: bool) -> str:
    return "yes" if value else "no"


@as_text.register
def _(value: IntEnum) -> str:
    return f"{_label(value)} ({int(value)})"


@as_text.register
def _(value: IntFlag) -> str:
    return ", ".join(_flags(value)) or "none"


@as_text.register
def _(value: bytes) -> str:
    return _octets(value)


@as_text.register
def _(value: BitString) -> str:
    if value.length > _LONGEST_BITS:
        return f"{value.length} bits, {value.count()} of them 1"
    return value.to_text() or "no bits"


@as_text.register
def _(value: BlockSize) -> str:
    return f"{value.octets} octets"


@as_text.register
def _(value: Data) -> str:
    if isinstance(value.value, tuple):
        opening, closing = "{}" if value.tag is DataTag.STRUCTURE else "[]"
        return f"{opening}{', '.join(as_text(each) for each in value.value)}{closing}"
    return as_text(value.value)


@as_text.register(tuple)
def _(value: tuple[object, ...]) -> str:
    return f"[{', '.join(as_text(each) for each in value)}]"


# ------------------------------------------------------------------------------------------------ for programs


@singledispatch
def as_json(value: object) -> Json:
    """A value for programs."""
    parts = _parts(value)
    if parts and not isinstance(value, _NAMED):
        return {name: as_json(part) for name, part in parts.items()}
    return str(value)


@as_json.register
def _(value: None) -> Json:
    return value


@as_json.register
def _(value: int) -> Json:
    return value


@as_json.register
def _(value: float) -> Json:
    return value if math.isfinite(value) else str(value)  # JSON has neither infinity nor not-a-number


@as_json.register
def _(value: str) -> Json:
    # Octets that are no legal text came through as surrogates, which JSON does not have.
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@as_json.register
def _(value: IntEnum) -> Json:
    return _label(value)


@as_json.register
def _(value: IntFlag) -> Json:
    return list[Json](_flags(value))


@as_json.register
def _(value: bytes) -> Json:
    return _octets(value)


@as_json.register
def _(value: BitString) -> Json:
    return value.to_text()


@as_json.register
def _(value: BlockSize) -> Json:
    return value.octets


@as_json.register
def _(value: Quantity) -> Json:
    return _number(value.value)


@as_json.register
def _(value: Data) -> Json:
    return as_json(value.value)


@as_json.register(tuple)
def _(value: tuple[object, ...]) -> Json:
    return [as_json(each) for each in value]


def as_raw(data: Data) -> Json:
    """What stands in the tree, for programs: octets in hex, arrays and structures as lists."""
    if isinstance(data.value, tuple):
        return [as_raw(each) for each in data.value]
    return data.value.hex() if isinstance(data.value, bytes) else as_json(data.value)


# ------------------------------------------------------------------------------------------------ parts of both


def _number(value: Decimal) -> Json:
    """A JSON number. Exact where it is whole; else the nearest float, and the raw number beside it is the exact one."""
    if not value.is_finite():
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)


def _parts(value: object) -> Mapping[str, object]:
    """The fields of a structure."""
    if not is_dataclass(value) or isinstance(value, type):
        return {}
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _octets(octets: bytes) -> str:
    """Printable ASCII as it is, other octets as hex: as identifiers and versions are written everywhere."""
    text = octets.decode("latin-1")
    return text if text and text.isascii() and text.isprintable() else f"hex:{octets.hex()}"


def _label(value: IntEnum) -> str:
    return value.label if isinstance(value, OpenIntEnum) else value.name.lower().replace("_", "-")


def _flags(value: IntFlag) -> list[str]:
    names = [each.name for each in type(value).__members__.values() if each in value]
    return [name.lower().replace("_", "-") for name in names if name]
