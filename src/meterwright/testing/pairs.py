"""A client and a meter joined in memory, without asyncio and without time: a conversation as a script.

`AssociationPair` joins the two association machines, APDU to APDU; a function plays the meter. `StackPair` joins whole
stacks: the client's against a `ServerConnection` with its host, octets of the wrapper between them.

    pair = AssociationPair(lambda request: GetResponseNormal(CONFIRMED, value))
    pair.associate()
    assert pair.converse(read(attribute)) == value

Time is the number `now`; it moves where an exchange pauses, and to the client's deadline where the meter stays silent.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, TypeAlias, TypeVar

from meterwright.apdu import Apdu, InvokedApdu, LongInvokedApdu
from meterwright.association import (
    CLIENT_CONFORMANCE,
    LARGEST_PDU,
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    AssociationRequested,
    ClientAssociation,
    ClientEvent,
    ClientStack,
    Context,
    Credentials,
    Grant,
    Guard,
    InvokeId,
    PreEstablished,
    Proposal,
    Released,
    RequestFailed,
    RequestReceived,
    ServerAssociation,
    ServerEvent,
)
from meterwright.errors import LocalProtocolError, MeterwrightError
from meterwright.exchange import Ask, Exchange, Pause, Step, Tell
from meterwright.link import ClientLink, ServerLink, WrapperLink
from meterwright.server import ObjectHost, ServerConnection
from meterwright.values import AcseServiceUserDiagnostic

__all__ = ["PATIENCE", "AssociationPair", "Interference", "Passed", "Player", "StackPair", "pass_all"]

T = TypeVar("T")

PATIENCE: Final = 10.0
"""Seconds the client waits for an answer, unless told."""

Player: TypeAlias = Callable[[Apdu], Apdu | None]
"""Plays the meter: the answer to a request, or None where it stays silent. Invoke ids are put in by the pair."""

Interference: TypeAlias = Callable[[bool, bytes], Iterable[bytes]]
"""Called with (from the client?, octets); what it gives arrives, in that order."""


def pass_all(_from_client: bool, octets: bytes) -> Iterable[bytes]:
    """No interference."""
    return (octets,)


@dataclass(frozen=True, slots=True)
class Passed:
    """Octets that one side sent, before any interference."""

    from_client: bool
    octets: bytes


class _Pair(ABC):
    """What both pairs share: carrying octets until both are silent, and running exchanges."""

    def __init__(self, interference: Interference) -> None:
        self.now = 0.0
        self.passed: list[Passed] = []
        self.events: list[ClientEvent] = []
        self.interference = interference

    @property
    @abstractmethod
    def association(self) -> ClientAssociation:
        """The client's machine."""

    @abstractmethod
    def _take_from_client(self) -> list[bytes]: ...

    @abstractmethod
    def _take_from_meter(self) -> list[bytes]: ...

    @abstractmethod
    def _give_to_client(self, octets: bytes) -> list[ClientEvent]: ...

    @abstractmethod
    def _begin(self) -> list[ClientEvent]: ...

    @abstractmethod
    def _end(self) -> list[ClientEvent]: ...

    @abstractmethod
    def _request(self, asked: Ask, deadline: float) -> InvokeId: ...

    @abstractmethod
    def _tell(self, request: Apdu) -> None: ...

    @abstractmethod
    def _tick(self) -> list[ClientEvent]: ...

    @abstractmethod
    def _give_to_meter(self, octets: bytes) -> None: ...

    def carry(self) -> list[ClientEvent]:
        """Carry octets both ways until nobody has anything to send; what the client made of them."""
        events: list[ClientEvent] = []
        while True:
            requests, answers = self._take_from_client(), self._take_from_meter()
            if not requests and not answers:
                break
            for octets in self._through(requests, from_client=True):
                self._give_to_meter(octets)
            for octets in self._through(answers, from_client=False):
                events += self._give_to_client(octets)
        self.events += events
        return events

    def wait(self, seconds: float) -> list[ClientEvent]:
        """Let time pass; what the client made of that."""
        return list(self._pass(seconds))

    def _pass(self, seconds: float) -> Iterator[ClientEvent]:
        """Time passes from one thing that is due to the next, as long as somebody asks what happens."""
        until = self.now + seconds
        while self.now < until:
            due = self._due()
            self.now = until if due is None or due <= self.now else min(due, until)
            ticked = self._tick()
            self.events += ticked
            yield from ticked
            yield from self.carry()

    def _due(self) -> float | None:
        return self.association.deadline

    def associate(self) -> Context:
        """Associate, and give what was negotiated; raises what the meter refuses it with."""
        begun = self._begin()
        for event in chain(begun, self._carry_then_wait()):
            match event:
                case Associated():
                    return event.context
                case AssociationRefused() | AssociationEnded():
                    raise event.error
                case _:
                    pass
        raise _nothing("AARQ")

    def release(self) -> None:
        """Release the association; silence counts as agreement, as it does for the client."""
        begun = self._end()
        if not any(isinstance(event, Released) for event in chain(begun, self._carry_then_wait())):
            raise _nothing("RLRQ")

    def converse(self, exchange: Exchange[T]) -> T:
        """Run an exchange to its end: its result, or what it raises."""
        answer: Apdu | None = None
        failure: MeterwrightError | None = None
        try:
            while True:
                try:
                    step = exchange.send(answer) if failure is None else exchange.throw(failure)
                except StopIteration as end:
                    result: T = end.value
                    return result
                answer, failure = self._do(step)
        finally:
            if answer is not None:
                self.association.end_transfer(answer)

    def _do(self, step: Step) -> tuple[Apdu | None, MeterwrightError | None]:
        match step:
            case Ask():
                return self._ask(step)
            case Tell():
                self._tell(step.request)
                self.carry()
            case Pause():
                self.wait(step.seconds)
        return None, None

    def _ask(self, asked: Ask) -> tuple[Apdu | None, MeterwrightError | None]:
        deadline = self.now + PATIENCE
        invoke_id = self._request(asked, deadline)
        for event in self._carry_then_wait():
            match event:
                case Answered() if event.invoke_id == invoke_id:
                    return event.apdu, None
                case RequestFailed() if event.invoke_id == invoke_id:
                    return None, event.error
                case _:
                    pass
        raise _nothing(asked.request.label)

    def _carry_then_wait(self) -> Iterator[ClientEvent]:
        """What comes now and, to whoever still asks then, what the end of the client's patience brings."""
        yield from self.carry()
        yield from self._pass(PATIENCE)

    def _through(self, sent: list[bytes], *, from_client: bool) -> Iterable[bytes]:
        for octets in sent:
            self.passed.append(Passed(from_client, octets))
            yield from self.interference(from_client, octets)


class AssociationPair(_Pair):
    """Two association machines, APDU to APDU. `player` answers; `grant` is what the meter grants, or why it refuses."""

    def __init__(
        self,
        player: Player = lambda _request: None,
        *,
        proposal: Proposal | None = None,
        grant: Grant | AcseServiceUserDiagnostic | None = None,
        credentials: Credentials | None = None,
        guard: Guard = Credentials,
        interference: Interference = pass_all,
    ) -> None:
        super().__init__(interference)
        self.client = ClientAssociation(proposal, credentials)
        self.meter = ServerAssociation(guard)
        self.player = player
        self.grant = grant or Grant(CLIENT_CONFORMANCE, LARGEST_PDU)
        self.requests: list[Apdu] = []
        self.meter_events: list[ServerEvent] = []

    @property
    def association(self) -> ClientAssociation:
        return self.client

    def _begin(self) -> list[ClientEvent]:
        self.client.associate(self.now + PATIENCE)
        return []

    def _end(self) -> list[ClientEvent]:
        self.client.release(self.now + PATIENCE)
        return []

    def _request(self, asked: Ask, deadline: float) -> InvokeId:
        return self.client.request(asked.request, deadline, continues=asked.continues)

    def _tell(self, request: Apdu) -> None:
        self.client.tell(request)

    def _tick(self) -> list[ClientEvent]:
        return self.client.tick(self.now)

    def _take_from_client(self) -> list[bytes]:
        return self.client.data_to_send()

    def _take_from_meter(self) -> list[bytes]:
        return self.meter.data_to_send()

    def _give_to_client(self, octets: bytes) -> list[ClientEvent]:
        return self.client.receive(octets)

    def _give_to_meter(self, octets: bytes) -> None:
        for event in self.meter.receive(octets):
            self.meter_events.append(event)
            match event:
                case AssociationRequested():
                    self._decide()
                case RequestReceived():
                    self._play(event.apdu)
                case _:
                    pass

    def _decide(self) -> None:
        if isinstance(self.grant, Grant):
            self.meter.accept(self.grant)
        else:
            self.meter.reject(self.grant)

    def _play(self, request: Apdu) -> None:
        self.requests.append(request)
        answer = self.player(request)
        if isinstance(answer, InvokedApdu) and isinstance(request, InvokedApdu):
            answer = replace(answer, invoke_id_and_priority=request.invoke_id_and_priority)
        if isinstance(answer, LongInvokedApdu) and isinstance(request, LongInvokedApdu):
            answer = replace(answer, long_invoke_id_and_priority=request.long_invoke_id_and_priority)
        if answer is not None:
            self.meter.respond(answer)


class StackPair(_Pair):
    """Whole stacks, octets of a link between them: `client` is the client's, `meter` a connection to `host`.

    `agreed`: the association is pre-established. The link is the wrapper; `client_link` and `meter_link` are the two ends of another.
    """

    def __init__(
        self,
        host: ObjectHost,
        *,
        client_sap: int = 16,
        server_sap: int = 1,
        client_link: ClientLink | None = None,
        meter_link: ServerLink | None = None,
        proposal: Proposal | None = None,
        credentials: Credentials | None = None,
        agreed: PreEstablished | None = None,
        chance: Callable[[int], bytes] = secrets.token_bytes,
        interference: Interference = pass_all,
    ) -> None:
        super().__init__(interference)
        link = client_link or WrapperLink(client_sap, server_sap)
        self.client = ClientStack(link, proposal, credentials, agreed=agreed)
        self.meter = ServerConnection(host, meter_link, chance=chance)

    @property
    def association(self) -> ClientAssociation:
        return self.client.association

    def _due(self) -> float | None:
        return min(
            (each for each in (self.client.deadline, self.meter.deadline) if each is not None), default=None
        )

    def _begin(self) -> list[ClientEvent]:
        return self.client.open(self.now, PATIENCE)

    def _end(self) -> list[ClientEvent]:
        return self.client.close(self.now, PATIENCE)

    def _request(self, asked: Ask, deadline: float) -> InvokeId:
        return self.client.request(asked.request, self.now, deadline, continues=asked.continues)

    def _tell(self, request: Apdu) -> None:
        self.client.tell(request, self.now)

    def _tick(self) -> list[ClientEvent]:
        self.meter.tick(self.now)
        return self.client.tick(self.now)

    def _take_from_client(self) -> list[bytes]:
        return [octets] if (octets := self.client.data_to_send()) else []

    def _take_from_meter(self) -> list[bytes]:
        return [octets] if (octets := self.meter.data_to_send()) else []

    def _give_to_client(self, octets: bytes) -> list[ClientEvent]:
        return self.client.receive(octets, self.now)

    def _give_to_meter(self, octets: bytes) -> None:
        self.meter.receive(octets, self.now)


def _nothing(what: str) -> LocalProtocolError:
    return LocalProtocolError(f"nothing became of the {what}", layer="testing")
