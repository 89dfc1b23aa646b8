"""What an association reports to whoever drives it. Plain values; the driver decides what they mean to its user."""

from dataclasses import dataclass
from typing import TypeAlias

from meterwright.apdu import Aarq, Apdu, DataNotificationConfirm, InitiateRequest
from meterwright.association.negotiation import Context
from meterwright.association.requests import InvokeId
from meterwright.errors import MeterwrightError

__all__ = [
    "Answered",
    "Associated",
    "AssociationEnded",
    "AssociationRefused",
    "AssociationRequested",
    "ClientEvent",
    "Distrusted",
    "LateAnswer",
    "LoggedIn",
    "LoginRefused",
    "MalformedRequest",
    "NotificationConfirmed",
    "ReleaseRequested",
    "Released",
    "RequestFailed",
    "RequestReceived",
    "ServerEvent",
    "Unsolicited",
]


@dataclass(frozen=True, slots=True)
class Associated:
    """The meter accepted."""

    context: Context


@dataclass(frozen=True, slots=True)
class AssociationRefused:
    """The meter refused, or never answered."""

    error: MeterwrightError


@dataclass(frozen=True, slots=True)
class Released:
    """The association is over, as we asked."""


@dataclass(frozen=True, slots=True)
class AssociationEnded:
    """The association is over, and nobody asked for it."""

    error: MeterwrightError


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to the request with this invoke id."""

    invoke_id: InvokeId
    apdu: Apdu


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """The request with this invoke id will have no answer."""

    invoke_id: InvokeId
    error: MeterwrightError


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """The meter sent something nobody asked for. It is never taken for an answer."""

    apdu: Apdu


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """An answer to a request that was given up; dropped."""

    apdu: Apdu


@dataclass(frozen=True, slots=True)
class Distrusted:
    """What came was not protected as it must be, or is a replay; dropped."""

    error: MeterwrightError


ClientEvent: TypeAlias = (
    Associated
    | AssociationRefused
    | Released
    | AssociationEnded
    | Answered
    | RequestFailed
    | Unsolicited
    | LateAnswer
    | Distrusted
)


@dataclass(frozen=True, slots=True)
class AssociationRequested:
    """A client asks for an association: accept it or reject it."""

    aarq: Aarq
    initiate: InitiateRequest


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A client asks for a service."""

    apdu: Apdu


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """A client ends the association; the RLRE is on its way already."""


@dataclass(frozen=True, slots=True)
class MalformedRequest:
    """What came is no request, or not allowed now; the refusal is on its way already."""

    error: MeterwrightError


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The client has answered the challenge, and may ask for services from now on."""

    context: Context


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Somebody was not let in; the refusal is on its way already."""

    error: MeterwrightError


@dataclass(frozen=True, slots=True)
class NotificationConfirmed:
    """A client has got what was pushed; the invoke id says which."""

    confirm: DataNotificationConfirm


ServerEvent: TypeAlias = (
    AssociationRequested
    | LoggedIn
    | LoginRefused
    | RequestReceived
    | ReleaseRequested
    | MalformedRequest
    | NotificationConfirmed
)
