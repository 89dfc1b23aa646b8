"""The client's half of an association: which answer belongs to which request.

Octets of whole APDUs go in and out; time comes in as a number. The rules that keep answers and requests together:

* an answer is known by its invoke id; an id that was given up is not used again until its late answer has come;
* a notification is an event and never an answer, whenever it comes;
* an ExceptionResponse or ConfirmedServiceError carries no invoke id: it answers the one open request. Where a request
  was given up before, nobody can tell whose it is, and the association ends.
"""

from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from meterwright.apdu import (
    Aare,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    Apdu,
    ConfirmedServiceError,
    DataNotification,
    ExceptionResponse,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    InvokedApdu,
    Rlre,
    Rlrq,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
    SetResponseWithList,
    decode_apdu,
)
from meterwright.association.events import (
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    ClientEvent,
    LateAnswer,
    Released,
    RequestFailed,
    Unsolicited,
)
from meterwright.association.negotiation import Context, Proposal, granted_context
from meterwright.association.states import Role, Signal, State, transition
from meterwright.errors import (
    AssociationLost,
    AssociationRejected,
    ConfirmedServiceErrorReceived,
    ExceptionResponseError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.values import ReleaseRequestReason

__all__ = ["ClientAssociation"]

_INVOKE_IDS: Final = 16
_RESPONSES: Final = (
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SetResponseNormal,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseWithList,
    ActionResponseNormal,
    ActionResponseWithPblock,
    ActionResponseWithList,
    ActionResponseNextPblock,
)
_RESPONSE_TAGS: Final = frozenset(response.prefix[0] for response in _RESPONSES)
_numbers: Final = count(1)


@dataclass(frozen=True, slots=True)
class _Open:
    """A request on its way: what it was and until when its answer may take."""

    label: str
    deadline: float


class ClientAssociation:
    """The client's machine. `state` tells how far it is, `context` what was negotiated."""

    def __init__(self, proposal: Proposal | None = None) -> None:
        self.state = State.IDLE
        self._proposal = proposal or Proposal()
        self._context: Context | None = None
        self._outgoing: list[bytes] = []
        self._open: dict[int, _Open] = {}
        self._given_up: set[int] = set()
        self._continuing: set[int] = (
            set()
        )  # a long answer is under way: the next block is asked for under the same id
        self._last_invoke_id = 0
        self._control_deadline: float | None = None

    @property
    def context(self) -> Context:
        """What holds in the open association. LocalProtocolError where none is open."""
        if self._context is None:
            raise LocalProtocolError("there is no association", layer="association", hint="associate first")
        return self._context

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""
        deadlines = [each.deadline for each in self._open.values()]
        if self._control_deadline is not None:
            deadlines.append(self._control_deadline)
        return min(deadlines, default=None)

    def data_to_send(self) -> list[bytes]:
        """The APDUs that are to go out, once each."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def associate(self, deadline: float) -> None:
        """Ask for an association. LocalProtocolError while requests of the old one are open: their askers wait."""
        if self._open:
            raise LocalProtocolError(
                f"{len(self._open)} requests are open in the association that would end",
                layer="association",
                hint="release it, or give the requests up",
            )
        self._move(Signal.AARQ)
        self._forget()
        self._control_deadline = deadline
        self._outgoing.append(self._proposal.aarq().to_octets())

    def release(self, deadline: float) -> None:
        """End the association. Requests that are open then may still be answered; else they fail with its end."""
        self._move(Signal.RLRQ)
        self._control_deadline = deadline
        self._outgoing.append(Rlrq(reason=ReleaseRequestReason.NORMAL).to_octets())

    def request(self, apdu: Apdu, deadline: float, *, continues: bool = False) -> int:
        """Send a request under a fresh invoke id, which is returned: its answer will name it.

        A request that `continues` a long transfer bears an invoke id already, and keeps it (Green Book 9.4.6.3).
        """
        self._move(Signal.REQUEST)
        if not isinstance(apdu, InvokedApdu):
            raise LocalProtocolError(
                f"{apdu.label} carries no invoke id to be answered by", layer="association"
            )
        invoke_id = self._kept_invoke_id(apdu) if continues else self._fresh_invoke_id()
        numbered = replace(apdu, invoke_id_and_priority=apdu.invoke_id_and_priority.with_id(invoke_id))
        self._queue(numbered)
        self._open[invoke_id] = _Open(apdu.label, deadline)
        return invoke_id

    def tell(self, apdu: Apdu) -> None:
        """Send an unconfirmed request: nothing will answer it."""
        self._move(Signal.REQUEST)
        self._queue(apdu)

    def give_up(self, invoke_id: int) -> None:
        """Await this answer no longer; should it come all the same, it is dropped."""
        if self._open.pop(invoke_id, None) is not None:
            self._given_up.add(invoke_id)

    def tick(self, now: float) -> list[ClientEvent]:
        """What has taken too long by now."""
        late = [(invoke_id, each) for invoke_id, each in self._open.items() if each.deadline <= now]
        events: list[ClientEvent] = []
        for invoke_id, each in late:
            self.give_up(invoke_id)
            error = Timeout(f"no answer to {each.label} in time", layer="association", hint=_SILENCE)
            events.append(RequestFailed(invoke_id, error))
        if self._control_deadline is not None and self._control_deadline <= now:
            events += self._released() if self.state is State.RELEASING else self._aarq_timed_out()
        return events

    def lost(self, error: MeterwrightError) -> list[ClientEvent]:
        """The link is gone: so is the association, and every open request with it."""
        was_pending = self.state is State.PENDING
        was_idle = self.state is State.IDLE
        events: list[ClientEvent] = [RequestFailed(invoke_id, error) for invoke_id in self._open]
        self._abort()
        if was_pending:
            events.append(AssociationRefused(error))
        elif not was_idle:
            events.append(AssociationEnded(error))
        return events

    def receive(self, octets: bytes) -> list[ClientEvent]:
        """One whole APDU has come. Never raises: what cannot be used becomes an event."""
        try:
            apdu = decode_apdu(octets)
        except RemoteProtocolError as error:
            return self._undecodable(octets, error)
        try:
            return self._understood(apdu)
        except RemoteProtocolError as error:
            return self.lost(error)

    def _understood(self, apdu: Apdu) -> list[ClientEvent]:
        match apdu:
            case DataNotification():
                self._move(Signal.NOTIFICATION)
                return [Unsolicited(apdu)]
            case Aare():
                return [self._aare(apdu)]
            case Rlre():
                self._move(Signal.RLRE)
                return self._released()
            case ExceptionResponse() | ConfirmedServiceError():
                return self._anonymous(apdu)
            case InvokedApdu() if isinstance(apdu, _RESPONSES):
                return self._answer(apdu)
            case _:
                raise RemoteProtocolError(f"a meter does not send {apdu.label}", layer="association")

    def _aare(self, aare: Aare) -> ClientEvent:
        try:
            context = granted_context(aare, self._proposal, f"{next(_numbers)}")
        except (AssociationRejected, RemoteProtocolError) as error:
            self._move(Signal.AARE_REJECTED)
            self._abort()
            return AssociationRefused(error)
        self._move(Signal.AARE_ACCEPTED)
        self._control_deadline = None
        self._context = context
        return Associated(context)

    def _answer(self, apdu: InvokedApdu) -> list[ClientEvent]:
        invoke_id = apdu.invoke_id
        if invoke_id in self._open:
            self._move(Signal.RESPONSE)
            del self._open[invoke_id]
            if isinstance(apdu, GetResponseWithDataBlock) and not apdu.last_block:
                self._continuing.add(invoke_id)
            return [Answered(invoke_id, apdu)]
        self._given_up.discard(invoke_id)
        return [LateAnswer(apdu)]

    def _anonymous(self, apdu: ExceptionResponse | ConfirmedServiceError) -> list[ClientEvent]:
        """A refusal without invoke id: it belongs to the AARQ, to the one open request, or to nobody we can name."""
        if self.state is State.PENDING:
            self._move(Signal.AARE_REJECTED)
            self._abort()
            return [AssociationRefused(_refusal(apdu))]
        if len(self._open) == 1 and not self._given_up:
            self._move(Signal.RESPONSE)
            invoke_id, _ = self._open.popitem()
            return [Answered(invoke_id, apdu)]
        if not self._open:
            if len(self._given_up) == 1:  # else it cannot be told whose it is, and none of their ids is free
                self._given_up.clear()
            return [LateAnswer(apdu)]
        ended = AssociationLost(
            f"{apdu.label} came while several requests could have caused it: which one cannot be told",
            layer="association",
            hint="associate anew; nothing that was open is known to have been done",
        )
        return self.lost(ended)

    def _undecodable(self, octets: bytes, error: RemoteProtocolError) -> list[ClientEvent]:
        """Octets that are no APDU: the answer to a request, if its invoke id can be read; else the end of the association."""
        if len(octets) > 2 and octets[0] in _RESPONSE_TAGS:
            invoke_id = octets[2] & 0x0F
            if invoke_id in self._open:
                del self._open[invoke_id]
                return [RequestFailed(invoke_id, error)]
            if invoke_id in self._given_up:
                self._given_up.discard(invoke_id)
                return []
        return self.lost(error)

    def _released(self) -> list[ClientEvent]:
        error = AssociationLost(
            "the association was released before the answer came",
            layer="association",
            hint="await all answers, then release",
        )
        failed: list[ClientEvent] = [RequestFailed(invoke_id, error) for invoke_id in self._open]
        self._abort()
        return [*failed, Released()]

    def _aarq_timed_out(self) -> list[ClientEvent]:
        self._abort()
        error = Timeout("no answer to the AARQ in time", layer="association", hint=_SILENCE)
        return [AssociationRefused(error)]

    def _kept_invoke_id(self, apdu: InvokedApdu) -> int:
        if apdu.invoke_id in self._open or apdu.invoke_id in self._given_up:
            raise LocalProtocolError(
                f"{apdu.label} would continue under invoke id {apdu.invoke_id}, which another request has",
                layer="association",
            )
        self._continuing.discard(apdu.invoke_id)
        return apdu.invoke_id

    def _fresh_invoke_id(self) -> int:
        for step in range(1, _INVOKE_IDS + 1):
            invoke_id = (self._last_invoke_id + step) % _INVOKE_IDS
            if not any(invoke_id in taken for taken in (self._open, self._given_up, self._continuing)):
                self._last_invoke_id = invoke_id
                return invoke_id
        raise LocalProtocolError(
            f"all {_INVOKE_IDS} invoke ids are open or given up", layer="association", hint="associate anew"
        )

    def _queue(self, apdu: Apdu) -> None:
        octets = apdu.to_octets()
        if not self.context.fits(len(octets)):
            raise LocalProtocolError(
                f"{apdu.label} of {len(octets)} octets, and the meter takes {self.context.max_send_pdu_size}",
                layer="association",
                hint="send less at once",
            )
        self._outgoing.append(octets)

    def _move(self, signal: Signal) -> None:
        self.state = transition(Role.CLIENT, self.state, signal)

    def _abort(self) -> None:
        self._move(Signal.ABORT)
        self._forget()

    def _forget(self) -> None:
        self._context = None
        self._control_deadline = None
        self._open.clear()
        self._given_up.clear()
        self._continuing.clear()


_SILENCE: Final = "check address, port, client and server SAP; the meter may be busy or serve one client only"


def _refusal(apdu: ExceptionResponse | ConfirmedServiceError) -> MeterwrightError:
    if isinstance(apdu, ExceptionResponse):
        return ExceptionResponseError(
            apdu.state_error, apdu.service_error, invocation_counter=apdu.invocation_counter, about="AARQ"
        )
    return ConfirmedServiceErrorReceived(apdu.service, apdu.error_class, apdu.code, about="AARQ")
