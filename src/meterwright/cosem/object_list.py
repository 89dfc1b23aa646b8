"""The list of all objects (class 15, attribute 2), whole or in part. Blue Book 4.4.4.

Most of a long list are the rights on every attribute. Three selectors spare them, or all objects but those that are wanted:

==  ==============  ==================================================
1   null-data       every object, without its rights
2   class_list      the objects of these classes, without their rights
3   object_id_list  these objects, with their rights
==  ==============  ==================================================

Meters differ in how they leave rights out: three elements, null-data as the fourth, or not at all. Each is read alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Final, overload

from meterwright.apdu import SelectiveAccess
from meterwright.cosem.access import AsyncAccess, BlockingAccess
from meterwright.cosem.interface import AsyncAttribute, Attribute, BlockingAttribute, InterfaceClass
from meterwright.data import (
    Data,
    DataTag,
    DataType,
    anything,
    array,
    elements_of,
    enum,
    integer,
    logical_name,
    long_unsigned,
    null_data,
    structure,
    unsigned,
)
from meterwright.errors import RemoteProtocolError
from meterwright.values import Obis

__all__ = [
    "AccessRights",
    "AsyncObjectList",
    "AttributeAccess",
    "BlockingObjectList",
    "ListedObject",
    "MethodAccess",
    "ObjectId",
    "ObjectList",
    "ObjectListElement",
    "ObjectListSelector",
    "class_list",
    "listed_objects",
    "object_id_list",
]


class ObjectListSelector(IntEnum):
    """What picks elements of an object list."""

    ALL_WITHOUT_RIGHTS = 1
    CLASS_LIST = 2
    OBJECT_ID_LIST = 3


@dataclass(frozen=True, slots=True)
class AttributeAccess:
    """Rights on one attribute: a mode (versions 0 to 2) or bits (version 3), and the selectors it takes."""

    attribute_id: Annotated[int, integer]
    access_mode: Annotated[int, enum]
    access_selectors: Annotated[Data, anything]


@dataclass(frozen=True, slots=True)
class MethodAccess:
    """Rights on one method: boolean (version 0), a mode (1 and 2) or bits (3)."""

    method_id: Annotated[int, integer]
    access_mode: Annotated[Data, anything]


@dataclass(frozen=True, slots=True)
class AccessRights:
    """Rights on one object."""

    attribute_access: Annotated[tuple[AttributeAccess, ...], array(structure(AttributeAccess))]
    method_access: Annotated[tuple[MethodAccess, ...], array(structure(MethodAccess))]


@dataclass(frozen=True, slots=True)
class ObjectListElement:
    """One object that is visible in this association."""

    class_id: Annotated[int, long_unsigned]
    version: Annotated[int, unsigned]
    logical_name: Annotated[Obis, logical_name]
    access_rights: Annotated[AccessRights, structure(AccessRights)]


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object that is visible in this association, without the rights on it."""

    class_id: Annotated[int, long_unsigned]
    version: Annotated[int, unsigned]
    logical_name: Annotated[Obis, logical_name]


@dataclass(frozen=True, slots=True)
class ObjectId:
    """Which object is meant."""

    class_id: Annotated[int, long_unsigned]
    logical_name: Annotated[Obis, logical_name]


_listed: Final = structure(ListedObject)


def _listed_from(data: Data) -> ListedObject:
    elements = elements_of(data, _listed.name)
    if data.tag is DataTag.STRUCTURE and len(elements) == len(_listed.parts) + 1:
        data = Data(data.tag, elements[:-1])
    return _listed.from_data(data)


listed_objects: Final = array(
    DataType(_listed.name, _listed.to_data, _listed_from, _listed.tag, _listed.parts)
)
class_list: Final = array(long_unsigned)
object_id_list: Final = array(structure(ObjectId))
_elements: Final = array(structure(ObjectListElement))


def _of_classes(class_ids: Iterable[int]) -> SelectiveAccess:
    return SelectiveAccess(ObjectListSelector.CLASS_LIST, class_list(tuple(class_ids)))


def _of_objects(objects: Iterable[tuple[int, Obis | str]]) -> SelectiveAccess:
    wanted = tuple(ObjectId(class_id, Obis.of(name)) for class_id, name in objects)
    return SelectiveAccess(ObjectListSelector.OBJECT_ID_LIST, object_id_list(wanted))


_WITHOUT_RIGHTS: Final = SelectiveAccess(ObjectListSelector.ALL_WITHOUT_RIGHTS, null_data(None))


class ObjectList(Attribute[tuple[ObjectListElement, ...]]):
    """The object list, whole with `get`, or in part."""

    def __init__(self, attribute_id: int) -> None:
        super().__init__(attribute_id, _elements, static=True)

    @overload
    def __get__(self, instance: None, owner: type) -> "ObjectList": ...
    @overload
    def __get__(self, instance: InterfaceClass[AsyncAccess], owner: type) -> "AsyncObjectList": ...
    @overload
    def __get__(self, instance: InterfaceClass[BlockingAccess], owner: type) -> "BlockingObjectList": ...
    def __get__(
        self, instance: InterfaceClass[Any] | None, owner: type
    ) -> "ObjectList | AsyncObjectList | BlockingObjectList":
        if instance is None:
            return self
        if isinstance(instance.access, AsyncAccess):
            return AsyncObjectList(self, instance, instance.access)
        return BlockingObjectList(self, instance, instance.access)


class AsyncObjectList(AsyncAttribute[tuple[ObjectListElement, ...]]):
    """The object list of one association, awaited. What is left out by a selector the meter leaves out."""

    async def without_rights(self) -> tuple[ListedObject, ...]:
        """Every object, by its name alone. DataAccessError where the meter does not know the selector."""
        return _names(await self._access.read(self.descriptor, _WITHOUT_RIGHTS), str(self.descriptor))

    async def of_classes(self, *class_ids: int) -> tuple[ListedObject, ...]:
        """The objects of these classes, by their names. DataAccessError where the meter does not know the selector."""
        data = await self._access.read(self.descriptor, _of_classes(class_ids))
        return _names(data, str(self.descriptor))

    async def of_objects(self, *objects: tuple[int, Obis | str]) -> tuple[ObjectListElement, ...]:
        """These objects, by class and logical name, as far as they are there. DataAccessError as for the others."""
        return await self.get(_of_objects(objects))


class BlockingObjectList(BlockingAttribute[tuple[ObjectListElement, ...]]):
    """The object list of one association, blocking: the twin of `AsyncObjectList`."""

    def without_rights(self) -> tuple[ListedObject, ...]:
        """Every object, by its name alone. DataAccessError where the meter does not know the selector."""
        return _names(self._access.read(self.descriptor, _WITHOUT_RIGHTS), str(self.descriptor))

    def of_classes(self, *class_ids: int) -> tuple[ListedObject, ...]:
        """The objects of these classes, by their names. DataAccessError where the meter does not know the selector."""
        return _names(self._access.read(self.descriptor, _of_classes(class_ids)), str(self.descriptor))

    def of_objects(self, *objects: tuple[int, Obis | str]) -> tuple[ObjectListElement, ...]:
        """These objects, by class and logical name, as far as they are there. DataAccessError as for the others."""
        return self.get(_of_objects(objects))


def _names(data: Data, about: str) -> tuple[ListedObject, ...]:
    try:
        return listed_objects.from_data(data)
    except RemoteProtocolError as error:
        error.within(about=f"{about} object_list")
        raise
