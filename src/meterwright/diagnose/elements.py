"""What the elements of a value are called, by the types that interface classes declare, or by their shape alone.

A type is known here by its name (`structure ImageInitiation`, `enum Unit`), as `DataType.name` gives it, so that every class
declared in `cosem` is served without a line here. Where only data is at hand, a few shapes are unmistakable enough.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Annotated, Final, get_args, get_origin, get_type_hints

from meterwright import cosem, values
from meterwright.apdu import AttributeDescriptor, MethodDescriptor
from meterwright.cosem import interface_class
from meterwright.data import Data, DataTag, DataType
from meterwright.values import OpenIntEnum

__all__ = ["Element", "Subject", "class_name", "element", "enum_of", "guess", "subject"]

SCALER_UNIT: Final = "structure ScalerUnit"
PUSH_OBJECT: Final = "structure PushObject"
_ENUM: Final = "enum "
_ARRAYS: Final = ("array of ", "compact-array of ")


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a structure: its name and the name of its type ("" where it is not known)."""

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """The attribute or method a request is about, by name, with the type of what it carries."""

    name: str
    type: str = ""
    secret: bool = False


# What must not be shown: association secrets. Class, "attribute" or "method", number.
_SECRETS: Final = {(15, "attribute", 7), (15, "method", 2)}

# Structures that no class declared so far uses, or that are no dataclass.
_MORE_STRUCTURES: Final[Mapping[str, tuple[Element, ...]]] = {
    "structure ImageBlock": (
        Element("image_block_number", "double-long-unsigned"),
        Element("image_block_value", "octet-string"),
    ),
    SCALER_UNIT: (Element("scaler", "integer"), Element("unit", "enum Unit")),
    PUSH_OBJECT: (
        Element("class_id", "long-unsigned"),
        Element("logical_name", "logical-name"),
        Element("attribute_index", "integer"),
        Element("data_index", "long-unsigned"),
    ),
}

# Shapes that say what they are. The logical name must have its six octets.
_SHAPES: Final[Mapping[tuple[DataTag, ...], str]] = {
    (DataTag.INTEGER, DataTag.ENUM): SCALER_UNIT,
    (DataTag.LONG_UNSIGNED, DataTag.OCTET_STRING, DataTag.INTEGER, DataTag.LONG_UNSIGNED): PUSH_OBJECT,
    (
        DataTag.LONG_UNSIGNED,
        DataTag.UNSIGNED,
        DataTag.OCTET_STRING,
        DataTag.STRUCTURE,
    ): "structure ObjectListElement",
}


def subject(descriptor: AttributeDescriptor | MethodDescriptor) -> Subject:
    """What a descriptor names; the number alone where the class is not declared."""
    declared = interface_class(descriptor.class_id)
    if isinstance(descriptor, AttributeDescriptor):
        number, kind = descriptor.attribute_id, "attribute"
        attribute = declared.attributes.get(number) if declared else None
        name, type_name = (attribute.name, attribute.type.name) if attribute else (f"attribute {number}", "")
    else:
        number, kind = descriptor.method_id, "method"
        method = declared.methods.get(number) if declared else None
        name, type_name = (method.name, method.parameter.name) if method else (f"method {number}", "")
    return Subject(name, type_name, (descriptor.class_id, kind, number) in _SECRETS)


def class_name(class_id: int) -> str:
    """The name of an interface class in words; "" where it is not declared."""
    declared = interface_class(class_id)
    if declared is None:
        return ""
    name = "Data" if declared is cosem.DataObject else declared.__name__
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words.capitalize()


def element(type_name: str, index: int) -> Element:
    """The element at `index` of a value of that type."""
    for array in _ARRAYS:
        if type_name.startswith(array):
            return Element(f"[{index}]", type_name.removeprefix(array))
    known = _structures().get(type_name, ())
    return known[index] if index < len(known) else Element(f"[{index}]")


def guess(data: Data, *, in_array: bool) -> str:
    """The type a structure looks like, "" where it looks like nothing.

    Method rights have the shape of a scaler and a unit, but stand in an array, where no scaler stands.
    """
    if data.tag is not DataTag.STRUCTURE or not isinstance(data.value, tuple):
        return ""
    found = _SHAPES.get(tuple(each.tag for each in data.value), "")
    if found == SCALER_UNIT:
        return "" if in_array else found
    names = [each.value for each in data.value if isinstance(each.value, bytes)]
    return found if all(len(name) == 6 for name in names) else ""


def enum_of(type_name: str) -> type[OpenIntEnum] | None:
    """The enumeration behind a type such as `enum Unit`."""
    return _enums().get(type_name.removeprefix(_ENUM)) if type_name.startswith(_ENUM) else None


def _members() -> Iterator[tuple[str, type]]:
    for module in (values, cosem):
        for name in module.__all__:
            found: object = getattr(module, name)
            if isinstance(found, type):
                yield name, found


@cache
def _enums() -> Mapping[str, type[OpenIntEnum]]:
    return {name: found for name, found in _members() if issubclass(found, OpenIntEnum)}


@cache
def _structures() -> Mapping[str, tuple[Element, ...]]:
    declared = {
        f"structure {name}": tuple(_fields(found)) for name, found in _members() if is_dataclass(found)
    }
    return {**{name: elements for name, elements in declared.items() if elements}, **_MORE_STRUCTURES}


def _fields(record: type) -> Iterator[Element]:
    for name, hint in get_type_hints(record, include_extras=True).items():
        marks: tuple[object, ...] = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        for mark in marks:
            if isinstance(mark, DataType):
                yield Element(name, mark.name)
