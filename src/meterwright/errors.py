"""The one tree of errors. Nothing else reaches a user, whatever a meter, a line or a person does.

::

    MeterwrightError
    ├── LocalProtocolError          we broke the rules: a bug of the caller, never of the meter
    ├── RemoteProtocolError         they broke the rules: octets or an order the standard does not allow
    ├── UsageError                  what a person gave us cannot be used: a URL, a file, an option
    ├── SecurityError               tag, counter, policy or authentication
    │   └── LoginFailed             the meter did not let us in: it refused, or ended the talk in the midst of the login
    ├── LinkError                   the line below the association
    │   ├── ConnectFailed           nobody answered the door: refused, unresolvable, unreachable
    │   ├── ConnectionLost          it was open and is gone
    │   └── Timeout                 nobody answered in time (also a TimeoutError)
    ├── AssociationRejected         the meter's AARE said no: result and diagnostic
    ├── AssociationLost             the association ended underneath a request, the link may still stand
    └── ServiceError                the meter understood and refused
        ├── DataAccessError         a data-access-result other than success (GET, SET)
        ├── ActionError             an action-result other than success (ACTION)
        ├── ExceptionResponseError  an ExceptionResponse: the request was not served at all
        └── ConfirmedServiceErrorReceived   a ConfirmedServiceError

Each says what happened, where (layer, offset, object), whose fault it is and what to try. Layers above may derive from
these; they never invent another root.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    service_error_name,
)

__all__ = [
    "ActionError",
    "AssociationLost",
    "AssociationRejected",
    "Blame",
    "ConfirmedServiceErrorReceived",
    "ConnectFailed",
    "ConnectionLost",
    "DataAccessError",
    "ExceptionResponseError",
    "LinkError",
    "LocalProtocolError",
    "LoginFailed",
    "MeterwrightError",
    "RemoteProtocolError",
    "SecurityError",
    "ServiceError",
    "Timeout",
    "UsageError",
    "Where",
]


class Blame(Enum):
    """Whose fault an error is."""

    OURS = "this program"
    THEIRS = "the meter"
    LINE = "the line"
    CREDENTIALS = "the credentials"
    USER = "the input"


@dataclass(frozen=True, slots=True)
class Where:
    """Where an error happened; every part may be unknown (None)."""

    layer: str | None = None
    offset: int | None = None
    about: str | None = None

    def __str__(self) -> str:
        parts = (
            self.about,
            None if self.layer is None else f"in {self.layer}",
            None if self.offset is None else f"at octet {self.offset}",
        )
        return ", ".join(part for part in parts if part)


class MeterwrightError(Exception):
    """The root: every error a user can meet.

    `what` says what happened, `where` where, `blame` whose fault it is, `hint` what to try ("" where nothing helps).
    """

    blame: ClassVar[Blame] = Blame.OURS

    def __init__(
        self,
        what: str,
        *,
        layer: str | None = None,
        offset: int | None = None,
        about: str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = Where(layer, offset, about)
        self.hint = hint

    def within(self, *, layer: str | None = None, about: str | None = None) -> "MeterwrightError":
        """This same error, its unknown places filled in by a layer that knows them."""
        known = self.where
        self.where = Where(known.layer or layer, known.offset, known.about or about)
        return self

    def __str__(self) -> str:
        where = str(self.where)
        return f"{self.what} ({where})" if where else self.what


class LocalProtocolError(MeterwrightError):
    """We broke the rules: the caller asked for something the standard or the association does not allow."""


class RemoteProtocolError(MeterwrightError):
    """They broke the rules: the octets, or their order, are not what the standard allows."""

    blame = Blame.THEIRS


class UsageError(MeterwrightError):
    """What a person gave us cannot be used: a URL, a file, an option, a logical name."""

    blame = Blame.USER


class SecurityError(MeterwrightError):
    """Something was not what its protection promised: a tag, a counter, a policy, an authentication."""

    blame = Blame.CREDENTIALS


class LoginFailed(SecurityError):
    """The meter did not let us in. `refused`: it said so; else it ended the connection, or fell silent, in the midst."""

    def __init__(self, what: str, *, layer: str | None = None, hint: str = "", refused: bool = True) -> None:
        super().__init__(what, layer=layer, hint=hint)
        self.refused = refused


class LinkError(MeterwrightError):
    """The line below the association failed."""

    blame = Blame.LINE


class ConnectFailed(LinkError):
    """No connection could be opened: refused, unresolvable or unreachable."""


class ConnectionLost(LinkError):
    """The connection was open and is gone: closed or reset by the other side, or cut."""


class Timeout(LinkError, TimeoutError):
    """No answer came in the time allowed."""


class AssociationRejected(MeterwrightError):
    """The meter refused the association: AARE `result` and `diagnostic`, and, where it gave one, its reason."""

    blame = Blame.CREDENTIALS

    def __init__(
        self,
        result: AssociationResult,
        diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic,
        *,
        reason: str = "",
        hint: str = "",
    ) -> None:
        because = f", {reason}" if reason else ""
        super().__init__(
            f"the meter refused the association: {result.label}, {diagnostic.label}{because}",
            layer="association",
            hint=hint or _rejection_hint(diagnostic),
        )
        self.result = result
        self.diagnostic = diagnostic
        self.reason = reason


_REJECTION_HINTS: Mapping[AcseServiceUserDiagnostic, str] = {
    AcseServiceUserDiagnostic.NO_REASON_GIVEN: (
        "look at the reason beside it, if there is one; else check the client address and the proposed services"
    ),
    AcseServiceUserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: (
        "the meter wants another application context: logical or short names, with or without ciphering"
    ),
    AcseServiceUserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED: (
        "the meter wants a client system title of eight octets, or one that it knows"
    ),
    AcseServiceUserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: (
        "this client address wants another authentication mechanism"
    ),
    AcseServiceUserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED: (
        "this client address wants an authentication: give its mechanism and secret"
    ),
    AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE: (
        "the password, secret or key is wrong for this client address; do not retry blindly, meters lock"
    ),
    AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED: (
        "this client address wants an authentication: give its mechanism and secret"
    ),
}


def _rejection_hint(diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic) -> str:
    if isinstance(diagnostic, AcseServiceProviderDiagnostic):
        return "the meter's ACSE layer refused: it may speak another version, or have no association free"
    return _REJECTION_HINTS.get(
        diagnostic,
        "check the client address, the authentication and its secret; ask the maker what is expected",
    )


class AssociationLost(MeterwrightError):
    """The association ended underneath a request; whether the meter acted on it is unknown."""

    blame = Blame.THEIRS


class ServiceError(MeterwrightError):
    """The meter understood the request and refused it."""

    blame = Blame.THEIRS


class DataAccessError(ServiceError):
    """A GET or SET answered with a data-access-result other than success."""

    def __init__(self, result: DataAccessResult, *, about: str | None = None, hint: str = "") -> None:
        super().__init__(
            f"the meter answered {result.label} ({int(result)})",
            about=about,
            hint=hint or _DATA_ACCESS_HINTS.get(result, "explain the exchange: meterwright explain HEX"),
        )
        self.result = result


_DATA_ACCESS_HINTS: Mapping[DataAccessResult, str] = {
    DataAccessResult.HARDWARE_FAULT: "the meter may be busy: try again later; else read its event log",
    DataAccessResult.TEMPORARY_FAILURE: "the meter is busy: try again later",
    DataAccessResult.READ_WRITE_DENIED: "this association has no right to do that; use a client address that has",
    DataAccessResult.OBJECT_UNDEFINED: "the meter does not know this logical name: see its object list",
    DataAccessResult.OBJECT_CLASS_INCONSISTENT: "the object is of another class: see the meter's object list",
    DataAccessResult.OBJECT_UNAVAILABLE: "the object exists but can't be reached now or from this association",
    DataAccessResult.TYPE_UNMATCHED: "the meter wants another data type for this attribute",
    DataAccessResult.SCOPE_OF_ACCESS_VIOLATED: "this association has no right to do that; use a client address that has",
}


class ActionError(ServiceError):
    """An ACTION answered with an action-result other than success."""

    def __init__(self, result: ActionResult, *, about: str | None = None, hint: str = "") -> None:
        super().__init__(
            f"the meter answered {result.label} ({int(result)})",
            about=about,
            hint=hint or _ACTION_HINTS.get(result, "explain the exchange: meterwright explain HEX"),
        )
        self.result = result


_ACTION_HINTS: Mapping[ActionResult, str] = {
    ActionResult.HARDWARE_FAULT: "the meter may be busy, or did not like the length of what it was given",
    ActionResult.TEMPORARY_FAILURE: "the meter is busy with it: ask for the outcome later",
    ActionResult.READ_WRITE_DENIED: "this association has no right to call this method; use a client address that has",
    ActionResult.OBJECT_UNDEFINED: "the meter does not know this logical name: see its object list",
    ActionResult.OBJECT_CLASS_INCONSISTENT: "the object is of another class: see the meter's object list",
    ActionResult.OBJECT_UNAVAILABLE: "the object exists but can't be reached now or from this association",
    ActionResult.TYPE_UNMATCHED: "the meter wants another data type for this method's parameter",
    ActionResult.SCOPE_OF_ACCESS_VIOLATED: "this association has no right to call this method; use another client address",
}


class ExceptionResponseError(ServiceError):
    """The meter answered with an ExceptionResponse: the request was not served at all."""

    def __init__(
        self,
        state: ExceptionState,
        service: ExceptionService,
        *,
        invocation_counter: int | None = None,
        about: str | None = None,
    ) -> None:
        super().__init__(
            f"the meter answered with an exception: {state.label}, {service.label}",
            about=about,
            hint=_EXCEPTION_HINTS.get(
                service, "associate anew; if it stays, the meter does not offer this service"
            ),
        )
        self.state = state
        self.service = service
        self.invocation_counter = invocation_counter


_EXCEPTION_HINTS: Mapping[ExceptionService, str] = {
    ExceptionService.OPERATION_NOT_POSSIBLE: "the association may have ended, or the meter is busy: associate anew",
    ExceptionService.SERVICE_NOT_SUPPORTED: "the meter does not offer this service: see its conformance",
    ExceptionService.PDU_TOO_LONG: "the request is longer than the meter takes: use a smaller block",
    ExceptionService.DECIPHERING_ERROR: "the meter could not decipher: check both keys and the system title",
    ExceptionService.INVOCATION_COUNTER_ERROR: "our counter is too low for this meter: read it from the public client",
}


class ConfirmedServiceErrorReceived(ServiceError):
    """The meter answered with a ConfirmedServiceError."""

    def __init__(
        self,
        service: ConfirmedServiceErrorService,
        error_class: int,
        code: int,
        *,
        about: str | None = None,
    ) -> None:
        super().__init__(
            f"the meter answered with a confirmed-service-error: {service.label}, {service_error_name(error_class, code)}",
            about=about,
            hint="associate anew; if it stays, the meter does not offer this service",
        )
        self.service = service
        self.error_class = error_class
        self.code = code
