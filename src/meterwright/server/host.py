"""The port behind which a meter's objects live: what the protocol side asks, and in what words it is answered.

Whoever implements `ObjectHost`, a simulated meter or a real application, sees no octet and no invoke id.
"""

from dataclasses import dataclass
from typing import Protocol

from meterwright.apdu import AttributeDescriptor, DataNotificationConfirm, MethodDescriptor, SelectiveAccess
from meterwright.association import AssociationRequested, Context, Credentials, Grant, PreEstablished
from meterwright.data import Data
from meterwright.errors import MeterwrightError
from meterwright.values import AcseServiceUserDiagnostic, ActionResult, DataAccessResult

__all__ = ["ActionOutcome", "Caller", "ObjectHost", "Partners"]


@dataclass(frozen=True, slots=True)
class Partners:
    """The two service access points that talk to each other."""

    client_sap: int
    server_sap: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and in which association."""

    partners: Partners
    context: Context


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What became of a call, and what the method returned, if anything."""

    result: ActionResult
    returned: Data | None = None


class ObjectHost(Protocol):
    """The objects of one meter."""

    def guard(self, partners: Partners) -> Credentials | None:
        """What a client must bring to get this association; None where there is none. Asked anew for each AARQ.

        A challenge need not be in it: the connection makes one. Unless told otherwise, everybody is let in.
        """
        del partners
        return Credentials()

    def pre_established(self, partners: Partners) -> PreEstablished | None:
        """What was agreed on beforehand with this client, who needs no AARQ then; None, as it is unless told otherwise, for nobody.

        `guard` has the keys, and the system title of the client where it ciphers.
        """
        del partners
        return None

    def denied(self, partners: Partners, error: MeterwrightError) -> None:
        """Somebody was not let in, and this is why: to be counted, and perhaps to raise an alarm."""
        del partners, error

    def confirmed(self, partners: Partners, confirm: DataNotificationConfirm) -> None:
        """A client has got what was pushed to it: the long invoke id says which. Unless told otherwise, nobody wants to know."""
        del partners, confirm

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        """Whether this client gets its association: what is granted, or why not."""
        ...

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        """The value of an attribute, or why there is none."""
        ...

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        """What became of a write."""
        ...

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        """What became of a call."""
        ...
