"""ACCESS: reading, writing and calling mixed in one request, done in its order (Green Book 9.3.5, 9.4.6.6).

To every part belongs one result. What comes back is checked against what was asked: as many data and results as parts, each
result of the kind of its part, and the parts themselves where the meter repeats them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from meterwright.apdu import (
    AccessRequest,
    AccessRequestAction,
    AccessRequestGet,
    AccessRequestGetWithSelection,
    AccessRequestSet,
    AccessRequestSetWithSelection,
    AccessResponse,
    AccessResponseAction,
    AccessResponseGet,
    AccessResponseSet,
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
)
from meterwright.apdu.access import AccessRequestSpecification, AccessResponseSpecification
from meterwright.association import Room
from meterwright.data import Data, DataTag, null_data
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.exchange.action import Called
from meterwright.exchange.vocabulary import Exchange, ask, tell
from meterwright.values import (
    ActionResult,
    Conformance,
    CosemDateTime,
    DataAccessResult,
    LongInvokeIdAndPriority,
)

__all__ = [
    "AccessAction",
    "AccessGet",
    "AccessOptions",
    "AccessPart",
    "AccessSet",
    "Accessed",
    "access",
    "tell_access",
]


@dataclass(frozen=True, slots=True)
class AccessGet:
    """Read an attribute, or the part of it that is selected."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class AccessSet:
    """Write an attribute, or the part of it that is selected."""

    attribute: AttributeDescriptor
    value: Data
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class AccessAction:
    """Call a method."""

    method: MethodDescriptor
    parameters: Data | None = None


AccessPart: TypeAlias = AccessGet | AccessSet | AccessAction
Accessed: TypeAlias = Data | DataAccessResult | Called
"""What became of a part: of reading, the value or why there is none; of writing, its result; of a call, `Called`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """How the parts are to be served.

    `break_on_error`: after the first failure nothing more is done, and the rest fails with other-reason. `self_descriptive`: the
    meter is to repeat the parts. `date_time`: our time, for the meter to know.
    """

    break_on_error: bool = False
    self_descriptive: bool = False
    high_priority: bool = True
    date_time: CosemDateTime | None = None


def access(
    parts: Sequence[AccessPart], options: AccessOptions | None = None, *, room: Room | None = None
) -> Exchange[tuple[Accessed, ...]]:
    """Do all parts in one request; what became of each stands in its place. A call that gave null-data gave nothing.

    LocalProtocolError where the meter did not grant ACCESS (`room`: what it did), or a part selects and it grants no selective access.
    """
    options = options or AccessOptions()
    about = f"an access of {len(parts)} parts"
    request = _request(parts, options, room, about, confirmed=True)
    answer = yield from ask(request, AccessResponse, about=about)
    _check_counts(answer, len(parts), about)
    _check_echo(answer, request, about, wanted=options.self_descriptive)
    return tuple(
        _accessed(part, data, result, about)
        for part, data, result in zip(parts, answer.data, answer.results, strict=True)
    )


def tell_access(
    parts: Sequence[AccessPart], options: AccessOptions | None = None, *, room: Room | None = None
) -> Exchange[None]:
    """Have all parts done, unconfirmed: what became of them is not told. LocalProtocolError as of `access`."""
    about = f"an access of {len(parts)} parts"
    yield from tell(_request(parts, options or AccessOptions(), room, about, confirmed=False))


def _request(
    parts: Sequence[AccessPart], options: AccessOptions, room: Room | None, about: str, *, confirmed: bool
) -> AccessRequest:
    if room is not None:
        _require_granted(parts, room, about)
    return AccessRequest(
        LongInvokeIdAndPriority(
            0,
            self_descriptive=options.self_descriptive,
            break_on_error=options.break_on_error,
            confirmed=confirmed,
            high_priority=options.high_priority,
        ),
        options.date_time,
        tuple(map(_specification, parts)),
        tuple(map(_data, parts)),
    )


def _require_granted(parts: Sequence[AccessPart], room: Room, about: str) -> None:
    selects = any(not isinstance(part, AccessAction) and part.selection is not None for part in parts)
    wanted = [Conformance.ACCESS, *([Conformance.SELECTIVE_ACCESS] if selects else [])]
    for service in wanted:
        if not room.grants(service):
            raise LocalProtocolError(
                f"the meter grants no {service.name}",
                layer="exchange",
                about=about,
                hint="read, write and call one after the other",
            )


def _specification(part: AccessPart) -> AccessRequestSpecification:
    match part:
        case AccessGet(attribute, selection):
            if selection is None:
                return AccessRequestGet(attribute)
            return AccessRequestGetWithSelection(attribute, selection)
        case AccessSet(attribute, _, selection):
            if selection is None:
                return AccessRequestSet(attribute)
            return AccessRequestSetWithSelection(attribute, selection)
        case AccessAction(method):
            return AccessRequestAction(method)


def _data(part: AccessPart) -> Data:
    """What a part needs: the value to write, the parameters of a call, or nothing, which null-data says."""
    match part:
        case AccessSet(_, value):
            return value
        case AccessAction(_, Data() as parameters):
            return parameters
        case _:
            return null_data(None)


def _check_counts(answer: AccessResponse, parts: int, about: str) -> None:
    if not len(answer.data) == len(answer.results) == parts:
        raise RemoteProtocolError(
            f"{len(answer.data)} data and {len(answer.results)} results for {parts} parts",
            layer="exchange",
            about=about,
        )


def _check_echo(answer: AccessResponse, request: AccessRequest, about: str, *, wanted: bool) -> None:
    told = answer.request_specifications
    if told is None and wanted:
        raise RemoteProtocolError(
            "the parts are not repeated, as was asked for", layer="exchange", about=about
        )
    if told is not None and told != request.specifications:
        raise RemoteProtocolError("an answer to other parts than were sent", layer="exchange", about=about)


def _accessed(
    part: AccessPart, data: Data, result: AccessResponseSpecification, about: str
) -> Data | DataAccessResult | Called:
    match part, result:
        case AccessGet(), AccessResponseGet(DataAccessResult.SUCCESS):
            return data
        case (AccessGet(), AccessResponseGet(outcome)) | (AccessSet(), AccessResponseSet(outcome)):
            return outcome
        case AccessAction(), AccessResponseAction(called):
            returned = data if called is ActionResult.SUCCESS and data.tag is not DataTag.NULL_DATA else None
            return Called(called, returned)
        case _:
            raise RemoteProtocolError(
                f"{type(result).__name__} is the result of {type(part).__name__}",
                layer="exchange",
                about=about,
            )
