"""Associations: states as a table, what is negotiated, and the two machines that keep requests and answers together."""

from meterwright.association.client import ClientAssociation
from meterwright.association.events import (
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    AssociationRequested,
    ClientEvent,
    Distrusted,
    LateAnswer,
    LoggedIn,
    LoginRefused,
    MalformedRequest,
    NotificationConfirmed,
    Released,
    ReleaseRequested,
    RequestFailed,
    RequestReceived,
    ServerEvent,
    Unsolicited,
)
from meterwright.association.login import CURRENT_ASSOCIATION, Credentials, challenge_size
from meterwright.association.negotiation import (
    CLIENT_CONFORMANCE,
    LARGEST_PDU,
    SMALLEST_PDU,
    Context,
    Grant,
    Proposal,
)
from meterwright.association.pre_established import PreEstablished
from meterwright.association.requests import InvokeId, LongInvokeId
from meterwright.association.responses import goes_on
from meterwright.association.room import Room
from meterwright.association.server import Guard, ServerAssociation
from meterwright.association.stack import ClientStack
from meterwright.association.states import CLIENT_SIGNALS, TRANSITIONS, Role, Signal, State, transition

__all__ = [
    "CLIENT_CONFORMANCE",
    "CLIENT_SIGNALS",
    "CURRENT_ASSOCIATION",
    "LARGEST_PDU",
    "SMALLEST_PDU",
    "TRANSITIONS",
    "Answered",
    "Associated",
    "AssociationEnded",
    "AssociationRefused",
    "AssociationRequested",
    "ClientAssociation",
    "ClientEvent",
    "ClientStack",
    "Context",
    "Credentials",
    "Distrusted",
    "Grant",
    "Guard",
    "InvokeId",
    "LateAnswer",
    "LoggedIn",
    "LoginRefused",
    "LongInvokeId",
    "MalformedRequest",
    "NotificationConfirmed",
    "PreEstablished",
    "Proposal",
    "ReleaseRequested",
    "Released",
    "RequestFailed",
    "RequestReceived",
    "Role",
    "Room",
    "ServerAssociation",
    "ServerEvent",
    "Signal",
    "State",
    "Unsolicited",
    "challenge_size",
    "goes_on",
    "transition",
]
