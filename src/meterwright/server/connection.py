"""The meter's side of one connection: octets of a link in, answers out. Sans-IO, as everything below it.

One connection may carry several associations, one for each pair of client SAP and logical device (over HDLC one after the
other); each has its own machine and dispatcher. What breaks a link that can't find its way back, as the wrapper, ends the
connection (RemoteProtocolError).
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from meterwright.apdu import Aare, Aarq, ExceptionResponse, Notification, Rlre, Rlrq
from meterwright.association import (
    AssociationRequested,
    Credentials,
    LoggedIn,
    LoginRefused,
    MalformedRequest,
    NotificationConfirmed,
    ReleaseRequested,
    RequestReceived,
    ServerAssociation,
    ServerEvent,
    State,
    challenge_size,
)
from meterwright.errors import RemoteProtocolError
from meterwright.link import (
    ApduReceived,
    LinkClosed,
    LinkEvent,
    LinkFailed,
    LinkOpened,
    ServerLink,
    Unsolicited,
    WrapperServer,
)
from meterwright.link.gbt import BlockTransfer, TransferEvent, WholeApdu
from meterwright.server.dispatch import Dispatcher
from meterwright.server.host import Caller, ObjectHost, Partners
from meterwright.values import AcseServiceUserDiagnostic, ExceptionService, ExceptionState, Role

__all__ = ["MOST_ASSOCIATIONS", "ServerConnection"]

MOST_ASSOCIATIONS: Final = 16
"""Pairs of SAPs one connection may use; a client that invents more is cut off."""

_ACSE: Final = frozenset(kind.prefix for kind in (Aarq, Aare, Rlrq, Rlre))
_PDU_TOO_LONG: Final = ExceptionResponse(
    ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.PDU_TOO_LONG, None
)


class _Served:
    """One association of a connection and what serves it."""

    def __init__(self, association: ServerAssociation) -> None:
        self.association = association
        self.transfer = BlockTransfer(Role.SERVER)
        self.dispatcher: Dispatcher | None = None

    def end_unless_open(self) -> None:
        """Serve nobody, where no association is open."""
        if self.association.state is not State.ASSOCIATED:
            self.dispatcher = None

    @staticmethod
    def wholes(events: Sequence[TransferEvent]) -> list[bytes]:
        """The APDUs that have come whole."""
        return [event.apdu for event in events if isinstance(event, WholeApdu)]

    def is_too_long(self, apdu: bytes) -> bool:
        """Whether it is longer than we said that we take. Before that was said, anything is taken."""
        if self.association.state is not State.ASSOCIATED:
            return False
        limit = self.association.context.max_receive_pdu_size
        return 0 < limit < len(apdu)


class ServerConnection:
    """Answers what clients ask of one meter over one connection. `chance` gives the octets of challenges."""

    def __init__(
        self,
        host: ObjectHost,
        link: ServerLink | None = None,
        *,
        chance: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._host = host
        self._link = link or WrapperServer()
        self._chance = chance
        self._served: dict[Partners, _Served] = {}

    @property
    def associated(self) -> int:
        """How many associations are open."""
        return sum(served.association.state is State.ASSOCIATED for served in self._served.values())

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""
        return self._link.deadline

    def receive(self, octets: bytes, now: float = 0.0) -> None:
        """Octets have come; the answers wait in `data_to_send`. RemoteProtocolError where the connection is done for."""
        self._take(self._link.receive(octets, now), now)

    def tick(self, now: float) -> None:
        """What has taken too long by now."""
        self._take(self._link.tick(now), now)

    def data_to_send(self) -> bytes:
        """The octets that are to go out, once each."""
        return self._link.data_to_send()

    def is_associated(self, partners: Partners) -> bool:
        """Whether these two have an association that is open."""
        served = self._served.get(partners)
        return served is not None and served.association.state is State.ASSOCIATED

    def notify(self, notification: Notification, partners: Partners, now: float = 0.0) -> None:
        """Send what nobody asked for to one client. Where it is confirmed, the host is told (`ObjectHost.confirmed`).

        What waits for that, and sends it anew, is the caller: no push is repeated here (push_operation_method says when to).
        """
        served = self._serving(partners)
        served.association.notify(notification)
        self._send(partners, served, now, confirmed=False)

    def lost(self) -> None:
        """The wire is gone, and all associations with it."""
        self._link.lost()
        self._drop_all()

    def _take(self, events: list[LinkEvent], now: float) -> None:
        for event in events:
            match event:
                case ApduReceived(apdu, int() as source, int() as destination):
                    if not self._serve(apdu, Partners(source, destination), now):
                        self._link.acknowledge(now)
                case Unsolicited(apdu, int() as source, int() as destination):
                    self._hear(apdu, Partners(source, destination))
                case LinkFailed(error):
                    self._drop_all()
                    if self._link.is_lost:
                        raise error
                case LinkClosed():
                    self._drop_all()
                case LinkOpened() | ApduReceived() | Unsolicited():
                    pass

    def _serving(self, partners: Partners) -> _Served:
        served = self._served.get(partners)
        if served is None:
            if len(self._served) >= MOST_ASSOCIATIONS:
                raise RemoteProtocolError(
                    f"more than {MOST_ASSOCIATIONS} pairs of SAPs in one connection", layer="server"
                )
            served = self._served[partners] = _Served(ServerAssociation(lambda: self._guard(partners)))
            agreed = self._host.pre_established(partners)
            if agreed is not None:
                association = served.association
                caller = Caller(partners, association.establish(agreed))
                served.dispatcher = Dispatcher(self._host, caller, association.sealed_size)
        return served

    def _guard(self, partners: Partners) -> Credentials | None:
        credentials = self._host.guard(partners)
        size = 0 if credentials is None else challenge_size(credentials.mechanism)
        return (
            credentials
            if credentials is None or not size
            else replace(credentials, challenge=self._chance(size))
        )

    def _serve(self, apdu: bytes, partners: Partners, now: float) -> bool:
        """Whether there was an answer."""
        served = self._serving(partners)
        if served.is_too_long(apdu):
            served.association.respond(_PDU_TOO_LONG)
        else:
            for whole in served.wholes(served.transfer.receive(apdu, now)):
                events = served.association.receive(whole)
                if whole is apdu and not all(isinstance(each, MalformedRequest) for each in events):
                    served.transfer.answered(now)  # a new request ends what was under way
                for event in events:
                    self._handle(event, partners, served)
        return self._send(partners, served, now)

    def _hear(self, apdu: bytes, partners: Partners) -> None:
        """What wants no answer gets none, and opens or ends no association. Without one it is for nobody."""
        served = self._served.get(partners)
        if served is None and self._host.pre_established(partners) is not None:
            served = self._serving(partners)
        if served is None or apdu[:1] in _ACSE or served.is_too_long(apdu):
            return
        for whole in served.wholes(served.transfer.hear(apdu)):
            for event in served.association.receive(whole):
                self._handle(event, partners, served)
        served.association.data_to_send()

    def _handle(self, event: ServerEvent, partners: Partners, served: _Served) -> None:
        association = served.association
        match event:
            case AssociationRequested():
                self._decide(event, partners, served)
            case LoggedIn(context):
                served.dispatcher = Dispatcher(self._host, Caller(partners, context), association.sealed_size)
            case LoginRefused(error):
                served.end_unless_open()  # it was not the client of an association that is still open
                self._host.denied(partners, error)
            case RequestReceived():
                answer = None if served.dispatcher is None else served.dispatcher.answer(event.apdu)
                if answer is not None:
                    association.respond(answer)
            case NotificationConfirmed(confirm):
                self._host.confirmed(partners, confirm)
            case ReleaseRequested():
                served.dispatcher = None
            case MalformedRequest():
                pass  # the association has refused it already

    def _decide(self, asked: AssociationRequested, partners: Partners, served: _Served) -> None:
        association = served.association
        served.dispatcher = None
        decision = self._host.associate(partners, asked)
        if isinstance(decision, AcseServiceUserDiagnostic):
            association.reject(decision)
            return
        context = association.accept(decision)
        if association.state is State.ASSOCIATED:
            served.dispatcher = Dispatcher(self._host, Caller(partners, context), association.sealed_size)

    def _send(self, partners: Partners, served: _Served, now: float, *, confirmed: bool = True) -> bool:
        transfer = served.transfer
        transfer.begin(served.association.block_limits)
        for apdu in served.association.data_to_send():
            if confirmed:
                transfer.send(apdu, now, now)
            else:
                transfer.tell(apdu)
        pieces = transfer.data_to_send()
        for piece in pieces:
            self._link.send_to(
                partners.client_sap, partners.server_sap, piece.apdu, now, confirmed=piece.confirmed
            )
        return bool(pieces)

    def _drop_all(self) -> None:
        for served in self._served.values():
            served.association.lost()
        self._served.clear()
