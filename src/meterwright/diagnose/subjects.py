"""What the values in an APDU are about: the attributes and methods that the fields before them name, one or a list of them.

In a list the values follow in the order of the names. Where there are more values than names nobody knows what the others are about;
if any name in the list is of a secret, they are taken for one.
"""

from typing import Final, TypeGuard

from meterwright.apdu import (
    AccessRequestAction,
    AccessRequestGet,
    AccessRequestGetWithSelection,
    AccessRequestSet,
    AccessRequestSetWithSelection,
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
)
from meterwright.diagnose.elements import Subject, subject

__all__ = ["ABOUT_LISTS", "ABOUT_ONE", "IN_BLOCKS", "Subjects"]

ABOUT_ONE: Final = {"value", "parameters"}
"""Fields that hold what the one attribute or method named before them carries."""
ABOUT_LISTS: Final = {"values", "parameters", "data"}
"""Fields that hold a value for each of a list named before them."""
IN_BLOCKS: Final = {"datablock", "pblock"}
"""Fields that hold a part of such values, which can't be told apart."""

_NOTHING: Final = Subject("")
_SECRET: Final = Subject("", secret=True)


class Subjects:
    """What the fields read so far name."""

    def __init__(self) -> None:
        self._named: tuple[Subject, ...] = ()

    def see(self, value: object) -> None:
        """The next field; one that names something is remembered."""
        found = [_descriptor(each) for each in (value if _is_list(value) else (value,))]
        if found and all(each is not None for each in found):
            self._named = tuple(subject(each) for each in found if each is not None)

    @property
    def one(self) -> Subject | None:
        """The only one that was named."""
        return self._named[0] if len(self._named) == 1 else None

    @property
    def any_secret(self) -> bool:
        """Whether something was named that must not be shown."""
        return any(each.secret for each in self._named)

    def at(self, index: int) -> Subject:
        """What the value at this place in a list is about."""
        if index < len(self._named):
            return self._named[index]
        return _SECRET if self.any_secret else _NOTHING


def _is_list(value: object) -> TypeGuard[tuple[object, ...]]:
    """Whether a field holds several."""
    return isinstance(value, tuple)


def _descriptor(value: object) -> AttributeDescriptor | MethodDescriptor | None:
    match value:
        case AttributeDescriptor() | MethodDescriptor():
            return value
        case (
            SelectedAttribute()
            | AccessRequestGet()
            | AccessRequestSet()
            | AccessRequestGetWithSelection()
            | AccessRequestSetWithSelection()
        ):
            return value.attribute
        case AccessRequestAction():
            return value.method
        case _:
            return None
