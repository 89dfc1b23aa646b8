"""Calling one method (Green Book 9.4.6.5)."""

from meterwright.apdu import ActionRequestNormal, ActionResponseNormal, MethodDescriptor, Unreadable
from meterwright.data import Data
from meterwright.errors import ActionError, DataAccessError, RemoteProtocolError
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask
from meterwright.values import ActionResult, DataAccessResult

__all__ = ["invoke"]


def invoke(method: MethodDescriptor, parameters: Data | None = None) -> Exchange[Data | None]:
    """Call one method and return what it returned, or None. ActionError where the meter refuses it.

    A result inside the return parameters counts too: meters exist that say success outside and an error inside.
    """
    about = str(method)
    answer = yield from ask(
        ActionRequestNormal(CONFIRMED, method, parameters), ActionResponseNormal, about=about
    )
    returned = answer.return_parameters
    if answer.result is not ActionResult.SUCCESS:
        raise ActionError(answer.result, about=about)
    if isinstance(returned, Unreadable):
        raise RemoteProtocolError(
            f"the return parameters cannot be read: {returned.problem}",
            offset=returned.offset,
            layer="apdu",
            about=about,
        )
    if isinstance(returned, DataAccessResult):
        if returned is not DataAccessResult.SUCCESS:
            raise DataAccessError(returned, about=about)
        return None
    return returned
