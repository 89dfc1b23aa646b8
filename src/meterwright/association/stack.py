"""The client's stack: link and association joined, still without any IO.

Octets from the wire go in at the bottom and come out at the top as events; what the association wants to send leaves as
octets for the wire. What protects the APDUs is the association's (`Credentials`).

    events += stack.open(now, patience)      # Associated or AssociationRefused, here or later
    stack.request(apdu, now, deadline)       # its invoke id
    events += stack.close(now, patience)     # Released, here or later: association and link are over
    wire.write(stack.data_to_send())         # after every call
"""

from typing import overload

from meterwright.apdu import Apdu, InvokedApdu
from meterwright.association.client import ClientAssociation
from meterwright.association.events import (
    Associated,
    AssociationEnded,
    AssociationRefused,
    ClientEvent,
    Distrusted,
    LateAnswer,
    Released,
    RequestFailed,
    Unsolicited,
)
from meterwright.association.login import Credentials
from meterwright.association.negotiation import Proposal
from meterwright.association.pre_established import PreEstablished
from meterwright.association.requests import InvokeId
from meterwright.association.states import State
from meterwright.errors import ConnectionLost, MeterwrightError
from meterwright.link import (
    ApduReceived,
    ClientLink,
    LinkClosed,
    LinkEvent,
    LinkFailed,
    LinkOpened,
)
from meterwright.link import Unsolicited as LinkUnsolicited
from meterwright.link.gbt import (
    BlockTransfer,
    TransferEvent,
    TransferFailed,
    TransferWentOn,
    WholeApdu,
)
from meterwright.security import is_protected
from meterwright.values import Role

__all__ = ["ClientStack"]


class ClientStack:
    """One client SAP talking to one logical device over one link."""

    def __init__(
        self,
        link: ClientLink,
        proposal: Proposal | None = None,
        credentials: Credentials | None = None,
        *,
        agreed: PreEstablished | None = None,
    ) -> None:
        """`agreed`: the association is pre-established, and there as soon as the link is."""
        self.association = ClientAssociation(proposal, credentials)
        self._agreed = agreed
        self.link = link
        self._transfer = BlockTransfer(Role.CLIENT)
        self._has_asked_on = False  # the last that came was answered by something of ours
        self._opening = False
        self._closing = False
        self._patience = 0.0
        self._close_by: float | None = None
        self._last_words = b""

    @property
    def is_up(self) -> bool:
        """Whether there is anything to close: an association, a link, or one that is just being opened."""
        return self._opening or self._closing or self.link.is_open or self.association.state is not State.IDLE

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""
        deadlines = (self.link.deadline, self._transfer.deadline, self.association.deadline, self._close_by)
        return min((each for each in deadlines if each is not None), default=None)

    def open(self, now: float, patience: float) -> list[ClientEvent]:
        """Open the link, and over it the association, which may take so many seconds."""
        self._opening, self._closing, self._patience = True, False, patience
        return self._from_link(self.link.open(now), now)

    @overload
    def request(self, apdu: InvokedApdu, now: float, deadline: float, *, continues: bool = False) -> int: ...
    @overload
    def request(self, apdu: Apdu, now: float, deadline: float, *, continues: bool = False) -> InvokeId: ...
    def request(self, apdu: Apdu, now: float, deadline: float, *, continues: bool = False) -> InvokeId:
        """Send a request; its invoke id, which the answer will name."""
        invoke_id = self.association.request(apdu, deadline, continues=continues)
        self._pump(now, deadline)
        return invoke_id

    def tell(self, apdu: Apdu, now: float) -> None:
        """Send an unconfirmed request: nothing will answer it."""
        self.association.tell(apdu)
        self._pump(now, confirmed=False)

    def close(self, now: float, patience: float, *, release: bool = True) -> list[ClientEvent]:
        """Release the association, if there is one, and close the link. Released follows, in so many seconds at the most.

        Without `release` the end of the link is the association's, for meters that know no RLRQ: over HDLC the DISC says it.
        """
        self._opening, self._closing = False, True
        self._close_by = now + patience
        releasable = self.association.state is State.ASSOCIATED and not self.association.is_pre_established
        if release and releasable:
            self.association.release(self._close_by)
            self._pump(now)
            return []
        failed = [each for each in self.association.lost(_closed_by_us()) if isinstance(each, RequestFailed)]
        return [*failed, *self._close_link(now)]

    def receive(self, octets: bytes, now: float) -> list[ClientEvent]:
        """Octets have come. Never raises: what breaks the link becomes an event."""
        return self._from_link(self.link.receive(octets, now), now)

    def tick(self, now: float) -> list[ClientEvent]:
        """What has taken too long by now."""
        events = self._from_link(self.link.tick(now), now)
        events += self._from_transfer(self._transfer.tick(now), now)
        events += self._from_association(self.association.tick(now), now)
        if self._close_by is not None and self._close_by <= now:
            self._last_words += self.link.data_to_send()  # a DISC, perhaps: the meter may hear it
            self.link.lost()  # it does not agree in time, and the link is over either way
            events += self._from_link([LinkClosed()], now)
        return events

    def data_to_send(self) -> bytes:
        """The octets that are to go out, once each."""
        last_words, self._last_words = self._last_words, b""
        return last_words + self.link.data_to_send()

    def lost(self, error: MeterwrightError) -> list[ClientEvent]:
        """The wire is gone: nothing that was open will be answered."""
        self._last_words = b""
        self.link.lost()
        self._transfer.forget()
        return self._failed(error)

    # ------------------------------------------------------------------------------------------ between the two

    def _from_link(self, happened: list[LinkEvent], now: float) -> list[ClientEvent]:
        events: list[ClientEvent] = []
        for event in happened:
            match event:
                case LinkOpened():
                    if self._opening:
                        events += self._associate(now + self._patience)
                case ApduReceived(apdu):
                    events += self._received(apdu, now)
                case LinkUnsolicited(apdu):
                    for whole in self._transfer.hear(apdu):
                        events += self._from_association(self.association.receive(whole.apdu), now)
                case LinkClosed():
                    events += self._closed()
                case LinkFailed(error):
                    events += self._failed(error)
        self._pump(now)
        return events

    def _received(self, apdu: bytes, now: float) -> list[ClientEvent]:
        """A block, or anything else. The link can't know that more blocks are on their way."""
        happened = self._transfer.receive(apdu, now)
        is_part = not any(isinstance(each, WholeApdu | TransferFailed) for each in happened)
        events = self._from_transfer(happened, now)
        if is_part and not self._has_asked_on and self._transfer.is_awaiting:
            self.link.keep_waiting(now, more=True)
        return events

    def _from_transfer(self, happened: list[TransferEvent], now: float) -> list[ClientEvent]:
        """What has come whole goes up; of the rest the link must know that more is awaited."""
        events: list[ClientEvent] = []
        for event in happened:
            match event:
                case WholeApdu(apdu):
                    events += self._from_association(self._understood(apdu, now), now)
                case TransferWentOn(until):
                    self.association.postpone(until)
                case TransferFailed(error):
                    events += self._from_association(self.association.lost(error), now)
        self._carry(now)
        return events

    def _from_association(self, happened: list[ClientEvent], now: float) -> list[ClientEvent]:
        """What the association reports; released, it still leaves the link to be closed."""
        events: list[ClientEvent] = []
        for event in happened:
            match event:
                case Released() | AssociationEnded() if self._closing:
                    events += self._close_link(now)
                case Associated() | AssociationRefused():
                    self._opening = False
                    events.append(event)
                case _:
                    events.append(event)
        self._pump(now)
        return events

    def _understood(self, apdu: bytes, now: float) -> list[ClientEvent]:
        """What an APDU is to the association. The link can't look into ciphered ones, and takes all of them for answers."""
        events = self.association.receive(apdu)
        was_none = all(isinstance(each, Unsolicited | Distrusted) for each in events)
        if is_protected(apdu) and events and was_none and self.association.deadline is not None:
            self.link.keep_waiting(now)
        if events:
            self._tell_transfer(events, now)
        return events

    def _tell_transfer(self, events: list[ClientEvent], now: float) -> None:
        """Whether what came whole was the answer; a late one lets through what waits behind its request."""
        awaited = self.association.deadline
        none = (
            (Unsolicited, Distrusted) if self._transfer.has_waiting else (Unsolicited, Distrusted, LateAnswer)
        )
        if awaited is None or not all(isinstance(each, none) for each in events):
            self._transfer.answered(now)
        else:
            self._transfer.not_answered(now, awaited)

    def _associate(self, deadline: float) -> list[ClientEvent]:
        if self._agreed is not None:
            self._opening = False
            return [self.association.establish(self._agreed)]
        try:
            self.association.associate(deadline)
        except MeterwrightError as error:
            self._opening = False
            return [AssociationRefused(error)]
        return []

    def _close_link(self, now: float) -> list[ClientEvent]:
        return self._from_link(self.link.close(now), now)

    def _closed(self) -> list[ClientEvent]:
        """The link is closed, as we asked."""
        was_closing, self._closing, self._close_by = self._closing, False, None
        return [Released()] if was_closing else self._failed(_closed_by_us())

    def _failed(self, error: MeterwrightError) -> list[ClientEvent]:
        """The link is gone, and all that was over it."""
        never_opened = self._opening and self.association.state is State.IDLE
        was_closing = self._closing
        self._opening, self._closing, self._close_by = False, False, None
        events = self.association.lost(error)
        if never_opened:
            events.append(AssociationRefused(error))
        if not was_closing:
            return events
        wanted: list[ClientEvent] = [each for each in events if not isinstance(each, AssociationEnded)]
        return [*wanted, Released()]

    def _pump(self, now: float, deadline: float | None = None, *, confirmed: bool = True) -> None:
        """What the association wants to send goes through the transfer to the link."""
        self._transfer.begin(self.association.block_limits)
        until = deadline or self.association.deadline or now
        for apdu in self.association.data_to_send():
            if confirmed:
                self._transfer.send(apdu, now, until)
            else:
                self._transfer.tell(apdu)
        self._carry(now)

    def _carry(self, now: float) -> None:
        self._has_asked_on = False
        for piece in self._transfer.data_to_send():
            if self.link.is_open:  # else what it belongs to has just failed with the link
                self.link.send(piece.apdu, now, confirmed=piece.confirmed, more=piece.more)
                self._has_asked_on = True


def _closed_by_us() -> ConnectionLost:
    return ConnectionLost("the client closed the connection", layer="client")
