"""ACCESS, served: each part asks the host, in the order in which the request has them (Green Book 9.3.5).

Where the request is to break on an error, the first part that fails is the last one done: those after it are other-reason. No
time is told in the answer, whether the request had one or not.
"""

from typing import Final

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
    SelectiveAccess,
)
from meterwright.apdu.access import AccessRequestSpecification, AccessResponseSpecification
from meterwright.data import Data, DataTag, null_data
from meterwright.server.host import Caller, ObjectHost
from meterwright.values import ActionResult, DataAccessResult

__all__ = ["serve_access"]

_NOTHING: Final = null_data(None)


def serve_access(host: ObjectHost, caller: Caller, request: AccessRequest) -> AccessResponse:
    """The answer to a request that has as many data as specifications."""
    invoke = request.long_invoke_id_and_priority
    results: list[AccessResponseSpecification] = []
    values: list[Data] = []
    is_broken = False
    for specification, data in zip(request.specifications, request.data, strict=True):
        if is_broken:
            value, result = _NOTHING, _not_attempted(specification)
        else:
            value, result = _done(host, caller, specification, data)
        values.append(value)
        results.append(result)
        is_broken = is_broken or (invoke.break_on_error and _failed(result))
    repeated = request.specifications if invoke.self_descriptive else None
    return AccessResponse(invoke, None, repeated, tuple(values), tuple(results))


def _done(
    host: ObjectHost, caller: Caller, specification: AccessRequestSpecification, data: Data
) -> tuple[Data, AccessResponseSpecification]:
    match specification:
        case AccessRequestGet() | AccessRequestGetWithSelection():
            got = host.get(caller, specification.attribute, _selection(specification))
            if isinstance(got, DataAccessResult):
                return _NOTHING, AccessResponseGet(got)
            return got, AccessResponseGet(DataAccessResult.SUCCESS)
        case AccessRequestSet() | AccessRequestSetWithSelection():
            written = host.set(caller, specification.attribute, data, _selection(specification))
            return _NOTHING, AccessResponseSet(written)
        case AccessRequestAction():
            parameters = None if data.tag is DataTag.NULL_DATA else data
            outcome = host.invoke(caller, specification.method, parameters)
            return _NOTHING if outcome.returned is None else outcome.returned, AccessResponseAction(
                outcome.result
            )


def _selection(
    specification: AccessRequestGet
    | AccessRequestSet
    | AccessRequestGetWithSelection
    | AccessRequestSetWithSelection,
) -> SelectiveAccess | None:
    match specification:
        case AccessRequestGetWithSelection() | AccessRequestSetWithSelection():
            return specification.access_selection
        case _:
            return None


def _not_attempted(specification: AccessRequestSpecification) -> AccessResponseSpecification:
    match specification:
        case AccessRequestGet() | AccessRequestGetWithSelection():
            return AccessResponseGet(DataAccessResult.OTHER_REASON)
        case AccessRequestSet() | AccessRequestSetWithSelection():
            return AccessResponseSet(DataAccessResult.OTHER_REASON)
        case AccessRequestAction():
            return AccessResponseAction(ActionResult.OTHER_REASON)


def _failed(result: AccessResponseSpecification) -> bool:
    return result.result not in (DataAccessResult.SUCCESS, ActionResult.SUCCESS)
