"""ACCESS: reading, writing and calling in one request (Green Book 9.3.9), in the order in which it is written down.

To every specification belongs one entry of the data: null-data where it carries or gives back nothing. Nothing here demands
that there are as many; `break_on_error` of the long invoke id says whether the rest is done where one fails.
"""

from typing import Annotated, TypeAlias

from meterwright.apdu.fields import (
    ActionResultField,
    AttributeDescriptor,
    DataAccessResultField,
    DataValue,
    LongInvokedApdu,
    MethodDescriptor,
    OptionalDateTime,
    SelectiveAccess,
)
from meterwright.apdu.registry import APDUS
from meterwright.codec import Alternative, Choice, Declared, Sequence, apdu, sequence
from meterwright.values import CosemDateTime

__all__ = [
    "AccessRequest",
    "AccessRequestAction",
    "AccessRequestGet",
    "AccessRequestGetWithSelection",
    "AccessRequestSet",
    "AccessRequestSetWithSelection",
    "AccessRequestSpecification",
    "AccessResponse",
    "AccessResponseAction",
    "AccessResponseGet",
    "AccessResponseSet",
    "AccessResponseSpecification",
]


@sequence
class AccessRequestGet(Sequence):
    """Read an attribute."""

    attribute: AttributeDescriptor


@sequence
class AccessRequestSet(Sequence):
    """Write an attribute."""

    attribute: AttributeDescriptor


@sequence
class AccessRequestAction(Sequence):
    """Call a method."""

    method: MethodDescriptor


@sequence
class AccessRequestGetWithSelection(Sequence):
    """Read a part of an attribute."""

    attribute: AttributeDescriptor
    access_selection: SelectiveAccess


@sequence
class AccessRequestSetWithSelection(Sequence):
    """Write a part of an attribute."""

    attribute: AttributeDescriptor
    access_selection: SelectiveAccess


AccessRequestSpecification: TypeAlias = Annotated[
    AccessRequestGet
    | AccessRequestSet
    | AccessRequestAction
    | AccessRequestGetWithSelection
    | AccessRequestSetWithSelection,
    Choice(
        Alternative(1, AccessRequestGet, Declared(AccessRequestGet)),
        Alternative(2, AccessRequestSet, Declared(AccessRequestSet)),
        Alternative(3, AccessRequestAction, Declared(AccessRequestAction)),
        Alternative(4, AccessRequestGetWithSelection, Declared(AccessRequestGetWithSelection)),
        Alternative(5, AccessRequestSetWithSelection, Declared(AccessRequestSetWithSelection)),
    ),
]


@sequence
class AccessResponseGet(Sequence):
    """How reading went; the value is the data in the same place."""

    result: DataAccessResultField


@sequence
class AccessResponseSet(Sequence):
    """How writing went."""

    result: DataAccessResultField


@sequence
class AccessResponseAction(Sequence):
    """How the call went; what the method returned is the data in the same place."""

    result: ActionResultField


AccessResponseSpecification: TypeAlias = Annotated[
    AccessResponseGet | AccessResponseSet | AccessResponseAction,
    Choice(
        Alternative(1, AccessResponseGet, Declared(AccessResponseGet)),
        Alternative(2, AccessResponseSet, Declared(AccessResponseSet)),
        Alternative(3, AccessResponseAction, Declared(AccessResponseAction)),
    ),
]


@apdu(0xD9, registry=APDUS)
class AccessRequest(LongInvokedApdu):
    """What to do, and what each of it needs."""

    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
    specifications: tuple[AccessRequestSpecification, ...]
    data: tuple[DataValue, ...]


@apdu(0xDA, registry=APDUS)
class AccessResponse(LongInvokedApdu):
    """What each of it gave, and how each went; a meter may repeat what it was asked to do."""

    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
    request_specifications: tuple[AccessRequestSpecification, ...] | None
    data: tuple[DataValue, ...]
    results: tuple[AccessResponseSpecification, ...]
