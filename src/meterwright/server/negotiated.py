"""What an association may do with all attributes at once: attribute 0 is there where it was negotiated (Green Book 9.3.6, 9.3.7)."""

from meterwright.apdu import AttributeDescriptor, SelectiveAccess
from meterwright.data import Data
from meterwright.server.host import Caller
from meterwright.server.middleware import Middleware
from meterwright.values import Conformance, DataAccessResult

__all__ = ["Negotiated"]

_REFUSED = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


class Negotiated(Middleware):
    """Lets attribute 0 pass to those who negotiated it; for others it is out of scope, and the host never hears of it."""

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        if _is_barred(caller, attribute, Conformance.ATTRIBUTE0_WITH_GET):
            return _REFUSED
        return self.inner.get(caller, attribute, selection)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        if _is_barred(caller, attribute, Conformance.ATTRIBUTE0_WITH_SET):
            return _REFUSED
        return self.inner.set(caller, attribute, value, selection)


def _is_barred(caller: Caller, attribute: AttributeDescriptor, needed: Conformance) -> bool:
    return attribute.attribute_id == 0 and not caller.context.conformance & needed
