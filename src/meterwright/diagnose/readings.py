"""Values with their objects, as far as one APDU tells: pushes that carry logical names, and written attributes.

Meters push in many layouts. Read here: a logical name followed by its value and, perhaps, a scaler and a unit, in a structure
of their own or one after the other; and a list of push objects followed by as many values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from meterwright.apdu import DataNotification, SetRequestNormal
from meterwright.codec import Apdu
from meterwright.data import Data, DataTag, elements_of, scaler_unit
from meterwright.diagnose.elements import PUSH_OBJECT, guess
from meterwright.diagnose.explanation import Json, Reading
from meterwright.diagnose.wording import data_json, iso, json_of, octets_text
from meterwright.dictionary import is_likely
from meterwright.errors import RemoteProtocolError
from meterwright.values import CosemDateTime, Obis, Quantity, ScalerUnit

__all__ = ["reading_of", "readings"]

_ARRAYS: Final = (DataTag.ARRAY, DataTag.COMPACT_ARRAY)
_COMPOUND: Final = (*_ARRAYS, DataTag.STRUCTURE)
_PUSH_OBJECT_LIST: Final = (40, 2)
"""Class and attribute of the list of push objects itself."""


@dataclass(frozen=True, slots=True)
class _PushObject:
    """One entry of a list of push objects."""

    class_id: int
    obis: Obis
    attribute: int


def readings(apdu: Apdu) -> tuple[Reading, ...]:
    """The values in an APDU that name their object."""
    if isinstance(apdu, DataNotification):
        return tuple(_pushed(apdu.notification_body))
    if isinstance(apdu, SetRequestNormal):
        return (_reading(apdu.attribute.instance_id, apdu.attribute.attribute_id, apdu.value, None),)
    return ()


def reading_of(obis: Obis, attribute: int, data: Data) -> Reading:
    """The value of an attribute, which tells no scaler and no unit."""
    return _reading(obis, attribute, data, None)


def _pushed(data: Data) -> Iterator[Reading]:
    if data.tag not in _COMPOUND:
        return
    elements = elements_of(data, "elements")
    if listed := tuple(_by_push_objects(elements)):
        yield from listed
        return
    position = 0
    while position < len(elements):
        obis = _logical_name(elements[position])
        value = elements[position + 1] if position + 1 < len(elements) else None
        if obis is not None and value is not None and _is_value(value):
            scale = _scaler_unit(elements[position + 2]) if position + 2 < len(elements) else None
            yield _reading(obis, None, value, scale)
            position += 2 if scale is None else 3
        else:
            if not guess(elements[position], in_array=data.tag in _ARRAYS):
                yield from _pushed(elements[position])
            position += 1


def _by_push_objects(elements: tuple[Data, ...]) -> Iterator[Reading]:
    """A list of push objects and then a value for each; a list that names itself first is its own first value."""
    if not elements or elements[0].tag not in _ARRAYS:
        return
    found = [_push_object(each) for each in elements_of(elements[0], "push objects")]
    objects = [each for each in found if each is not None]
    values = (
        elements
        if objects and (objects[0].class_id, objects[0].attribute) == _PUSH_OBJECT_LIST
        else elements[1:]
    )
    if len(objects) != len(found) or len(objects) != len(values):
        return
    for pushed, value in zip(objects, values, strict=True):
        if value is not elements[0]:
            yield _reading(pushed.obis, pushed.attribute, value, None)


def _push_object(data: Data) -> "_PushObject | None":
    if guess(data, in_array=True) != PUSH_OBJECT:
        return None
    class_id, name, attribute, _ = (each.value for each in elements_of(data, "push object"))
    if isinstance(class_id, int) and isinstance(name, bytes) and isinstance(attribute, int):
        return _PushObject(class_id, Obis(name), attribute)
    return None


def _logical_name(data: Data) -> Obis | None:
    octets = data.value
    if data.tag is DataTag.OCTET_STRING and isinstance(octets, bytes) and is_likely(octets):
        return Obis(octets)
    return None


def _is_value(data: Data) -> bool:
    """Whether it can be the value of the logical name before it."""
    return data.tag not in _COMPOUND and _logical_name(data) is None


def _scaler_unit(data: Data) -> ScalerUnit | None:
    if [each.tag for each in _elements(data)] != [DataTag.INTEGER, DataTag.ENUM]:
        return None
    try:
        return scaler_unit.from_data(data)
    except RemoteProtocolError:
        return None


def _elements(data: Data) -> tuple[Data, ...]:
    return elements_of(data, "elements") if data.tag is DataTag.STRUCTURE else ()


def _reading(obis: Obis, attribute: int | None, data: Data, scale: ScalerUnit | None) -> Reading:
    raw = _raw(data)
    value = _value(obis, data)
    if scale is None:
        return Reading(str(obis), attribute, raw, value)
    if isinstance(data.value, int | float) and not isinstance(data.value, bool):
        value = _number(Quantity.scaled(data.value, scale).value)
    return Reading(str(obis), attribute, raw, value, scale.scaler, scale.unit.symbol)


def _raw(data: Data) -> Json:
    """The value as it came: octets as text where they are, else as hex."""
    if isinstance(data.value, bytes):
        return octets_text(data.value) or {"hex": data.value.hex()}
    return data_json(data) if data.tag in _COMPOUND else json_of(data.value)


def _value(obis: Obis, data: Data) -> Json:
    """The value as it is meant, where that is certain."""
    if isinstance(data.value, bytes) and len(data.value) == 12 and (obis.a, obis.c, obis.d) == (0, 1, 0):
        moment = CosemDateTime.from_octets(data.value)
        return iso(moment) or str(moment)
    return _raw(data)


def _number(value: Decimal) -> Json:
    if not value.is_finite():
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)
