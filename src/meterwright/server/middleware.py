"""A slot between the protocol side and a meter's objects: where faults, recorders and limits stand.

A `Middleware` is an ObjectHost around an ObjectHost. It passes everything on; derive from it and change what you mean to.
"""

from meterwright.apdu import AttributeDescriptor, DataNotificationConfirm, MethodDescriptor, SelectiveAccess
from meterwright.association import AssociationRequested, Credentials, Grant, PreEstablished
from meterwright.data import Data
from meterwright.errors import MeterwrightError
from meterwright.server.host import ActionOutcome, Caller, ObjectHost, Partners
from meterwright.values import AcseServiceUserDiagnostic, DataAccessResult

__all__ = ["Middleware"]


class Middleware(ObjectHost):
    """Passes everything on to `inner`."""

    def __init__(self, inner: ObjectHost) -> None:
        self.inner = inner

    def guard(self, partners: Partners) -> Credentials | None:
        return self.inner.guard(partners)

    def pre_established(self, partners: Partners) -> PreEstablished | None:
        return self.inner.pre_established(partners)

    def denied(self, partners: Partners, error: MeterwrightError) -> None:
        self.inner.denied(partners, error)

    def confirmed(self, partners: Partners, confirm: DataNotificationConfirm) -> None:
        self.inner.confirmed(partners, confirm)

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        return self.inner.associate(partners, asked)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        return self.inner.get(caller, attribute, selection)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        return self.inner.set(caller, attribute, value, selection)

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        return self.inner.invoke(caller, method, parameters)
