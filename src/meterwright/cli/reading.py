"""What a person asks to read, as they write it, and which attribute of which class that is.

======================  ====================================================
``1.0.1.8.0.255``       attribute 2, the value; the class is looked up
``1-0:1.8.0``           the same
``1.0.1.8.0.255:3``     attribute 3
``18/0.0.44.0.0.255/2``  class, logical name, attribute: nothing is looked up
======================  ====================================================
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meterwright.apdu import AttributeDescriptor
from meterwright.client import Client
from meterwright.cosem import INTERFACE_CLASSES, AssociationLn, ObjectListElement
from meterwright.errors import UsageError
from meterwright.values import Obis

__all__ = ["Asked", "ObjectList", "Wanted", "parse_wanted"]

_VALUE: Final = 2
_LAST_ATTRIBUTE: Final = 0x7F
_LAST_CLASS: Final = 0xFFFF
_WITH_CLASS: Final = re.compile(r"(?P<class_id>\d+)/(?P<obis>[^/]+)(?:/(?P<attribute>\d+))?", re.ASCII)
_WITHOUT_CLASS: Final = re.compile(r"(?P<obis>.+?)(?::(?P<attribute>\d+))?", re.ASCII)
_HINT: Final = "write 1.0.1.8.0.255, 1-0:1.8.0, 1.0.1.8.0.255:3 or 18/0.0.44.0.0.255/2"
_WELL_KNOWN: Final = {
    Obis.parse(interface.instance): interface.class_id
    for interface in INTERFACE_CLASSES.values()
    if interface.instance is not None
}
"""Logical names that the Blue Book reserves for one object of one class: these need not be looked up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was written: a logical name, an attribute, and the class if it was said."""

    obis: Obis
    attribute_id: int = _VALUE
    class_id: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read: an attribute, and the version of its class, where it is known."""

    descriptor: AttributeDescriptor
    version: int | None = None


def parse_wanted(text: str) -> Wanted:
    """Read what a person wrote. UsageError says what is wrong with it."""
    found = _WITH_CLASS.fullmatch(text) or _WITHOUT_CLASS.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} names no attribute", hint=_HINT)
    parts = found.groupdict()
    try:
        obis = Obis.parse(parts["obis"])
    except ValueError as error:
        raise UsageError(f"{text!r} names no attribute: {error}", hint=_HINT) from None
    attribute_id = _number(text, "attribute", parts["attribute"] or str(_VALUE), _LAST_ATTRIBUTE)
    class_id = parts.get("class_id")
    return Wanted(
        obis, attribute_id, None if class_id is None else _number(text, "class", class_id, _LAST_CLASS)
    )


def _number(text: str, what: str, digits: str, largest: int) -> int:
    number = int(digits[: len(str(largest)) + 1])
    if not 1 <= number <= largest:
        raise UsageError(f"{text!r}: {what} {digits} is not among 1 to {largest}", hint=_HINT)
    return number


class ObjectList:
    """The object list of an association, read at most once, and only when somebody needs it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._elements: tuple[ObjectListElement, ...] | None = None

    async def elements(self) -> tuple[ObjectListElement, ...]:
        """All objects that are visible in this association."""
        if self._elements is None:
            self._elements = await AssociationLn(self._client).object_list.get()
        return self._elements

    async def resolve(self, wanted: Sequence[Wanted]) -> list[Asked]:
        """What to read for what was written. UsageError where the meter has no such object, or several."""
        return [await self._asked(each) for each in wanted]

    async def _asked(self, wanted: Wanted) -> Asked:
        class_id = wanted.class_id or _WELL_KNOWN.get(wanted.obis)
        if class_id is not None:
            return Asked(AttributeDescriptor(class_id, wanted.obis, wanted.attribute_id))
        found = [each for each in await self.elements() if each.logical_name == wanted.obis]
        if not found:
            raise UsageError(
                f"{wanted.obis} is not among the {len(await self.elements())} objects of this association",
                hint="see what there is: meterwright objects; another client address may see more",
            )
        if len(found) > 1:
            classes = ", ".join(str(each.class_id) for each in found)
            raise UsageError(
                f"the meter has several objects {wanted.obis}, of the classes {classes}",
                hint=f"say which: {found[0].class_id}/{wanted.obis}/{wanted.attribute_id}",
            )
        return Asked(
            AttributeDescriptor(found[0].class_id, wanted.obis, wanted.attribute_id), found[0].version
        )
