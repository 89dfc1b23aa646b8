"""Writing one attribute (Green Book 9.4.6.4)."""

from meterwright.apdu import AttributeDescriptor, SelectiveAccess, SetRequestNormal, SetResponseNormal
from meterwright.data import Data
from meterwright.errors import DataAccessError
from meterwright.exchange.vocabulary import CONFIRMED, Exchange, ask
from meterwright.values import DataAccessResult

__all__ = ["write"]


def write(
    attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None = None
) -> Exchange[None]:
    """Write one attribute. DataAccessError where the meter refuses it."""
    about = str(attribute)
    answer = yield from ask(
        SetRequestNormal(CONFIRMED, attribute, selection, value), SetResponseNormal, about=about
    )
    if answer.result is not DataAccessResult.SUCCESS:
        raise DataAccessError(answer.result, about=about)
