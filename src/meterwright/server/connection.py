"""The meter's side of one connection: wrapper frames in, answers out. Sans-IO, as everything below it.

One connection may carry several associations, one for each pair of client SAP and logical device; each has its own
machine and dispatcher. What breaks the wrapper ends the connection (RemoteProtocolError): the stream is lost then.
"""

from typing import Final

from meterwright.apdu import DataNotification, ExceptionResponse
from meterwright.association import (
    AssociationRequested,
    MalformedRequest,
    ReleaseRequested,
    RequestReceived,
    ServerAssociation,
    ServerEvent,
    State,
)
from meterwright.errors import RemoteProtocolError
from meterwright.link import WrapperFrame, WrapperFramer
from meterwright.server.dispatch import Dispatcher
from meterwright.server.host import Caller, ObjectHost, Partners
from meterwright.values import AcseServiceUserDiagnostic, ExceptionService, ExceptionState

__all__ = ["MOST_ASSOCIATIONS", "ServerConnection"]

MOST_ASSOCIATIONS: Final = 16
"""Pairs of SAPs one connection may use; a client that invents more is cut off."""

_PDU_TOO_LONG: Final = ExceptionResponse(
    ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.PDU_TOO_LONG, None
)


class _Served:
    """One association of a connection and what serves it."""

    def __init__(self) -> None:
        self.association = ServerAssociation()
        self.dispatcher: Dispatcher | None = None

    def is_too_long(self, apdu: bytes) -> bool:
        """Whether it is longer than we said that we take. Before that was said, anything is taken."""
        if self.association.state is not State.ASSOCIATED:
            return False
        limit = self.association.context.max_receive_pdu_size
        return 0 < limit < len(apdu)


class ServerConnection:
    """Answers what clients ask of one meter over one connection."""

    def __init__(self, host: ObjectHost) -> None:
        self._host = host
        self._framer = WrapperFramer()
        self._served: dict[Partners, _Served] = {}
        self._outgoing = bytearray()

    @property
    def associated(self) -> int:
        """How many associations are open."""
        return sum(served.association.state is State.ASSOCIATED for served in self._served.values())

    def receive(self, octets: bytes) -> None:
        """Octets have come; the answers wait in `data_to_send`."""
        for frame in self._framer.receive(octets):
            self._serve(frame)
        self._framer.receive(b"")  # raises where what follows the last frame is none

    def data_to_send(self) -> bytes:
        """The octets that are to go out, once each."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def notify(self, notification: DataNotification, partners: Partners) -> None:
        """Send what nobody asked for to one client."""
        served = self._served.setdefault(partners, _Served())
        served.association.notify(notification)
        self._collect(partners, served)

    def lost(self) -> None:
        """The wire is gone, and all associations with it."""
        for served in self._served.values():
            served.association.lost()
        self._served.clear()

    def _serve(self, frame: WrapperFrame) -> None:
        partners = Partners(client_sap=frame.source, server_sap=frame.destination)
        if partners not in self._served and len(self._served) >= MOST_ASSOCIATIONS:
            raise RemoteProtocolError(
                f"more than {MOST_ASSOCIATIONS} pairs of SAPs in one connection", layer="server"
            )
        served = self._served.setdefault(partners, _Served())
        if served.is_too_long(frame.apdu):
            served.association.respond(_PDU_TOO_LONG)
        else:
            for event in served.association.receive(frame.apdu):
                self._handle(event, partners, served)
        self._collect(partners, served)

    def _handle(self, event: ServerEvent, partners: Partners, served: _Served) -> None:
        match event:
            case AssociationRequested():
                decision = self._host.associate(partners, event)
                if isinstance(decision, AcseServiceUserDiagnostic):
                    served.association.reject(decision)
                    served.dispatcher = None
                else:
                    context = served.association.accept(decision)
                    served.dispatcher = Dispatcher(self._host, Caller(partners, context))
            case RequestReceived():
                answer = None if served.dispatcher is None else served.dispatcher.answer(event.apdu)
                if answer is not None:
                    served.association.respond(answer)
            case ReleaseRequested():
                served.dispatcher = None
            case MalformedRequest():
                pass  # the association has refused it already

    def _collect(self, partners: Partners, served: _Served) -> None:
        for apdu in served.association.data_to_send():
            self._outgoing += WrapperFrame(partners.server_sap, partners.client_sap, apdu).to_octets()
