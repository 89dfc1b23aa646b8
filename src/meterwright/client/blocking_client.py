"""The client for threads: the blocking twin of `Client`, over the same sans-IO stack and the same exchanges.

    with BlockingClient("tcp://192.0.2.7?client=16") as client:
        print(Clock(client).time.get())

One thread uses it at a time.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from meterwright.apdu import Apdu
from meterwright.association import (
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    ClientEvent,
    ClientStack,
    Context,
    Distrusted,
    InvokeId,
    LateAnswer,
    Released,
    RequestFailed,
    Room,
    State,
    Unsolicited,
)
from meterwright.client.address import MeterAddress
from meterwright.client.connectors import BlockingConnector, blocking_connector
from meterwright.client.credentials import ClientSecurity, refuse_book_keys
from meterwright.client.opening import Associate, Leave, Opening, OpeningStep, Read, Redial, Rest, opening
from meterwright.client.services import BlockingServices
from meterwright.client.settings import ClientSettings
from meterwright.client.target import LINE_ERRORS, addressed, may_be_local, once, peer_name
from meterwright.cosem import AssociationIdentity
from meterwright.data import Data
from meterwright.errors import (
    ConnectionLost,
    LinkError,
    LocalProtocolError,
    MeterwrightError,
)
from meterwright.exchange import Ask, Exchange, Pause, Tell
from meterwright.link import WrapperLink
from meterwright.transport import BlockingTransport
from meterwright.values import Finding

__all__ = ["BlockingClient"]

T = TypeVar("T")


class BlockingClient(BlockingServices):
    """A client of one meter. `unsolicited` is called with whatever the meter sends unasked, while an answer is awaited."""

    def __init__(
        self,
        target: MeterAddress | str | BlockingConnector,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> None:
        self.address: MeterAddress | None = None
        self.can_reconnect = True
        if isinstance(target, str | MeterAddress):
            self.address, settings = addressed(target, settings)
            self._connector: BlockingConnector = blocking_connector(self.address, settings)
        else:
            self._connector = target
        self.settings = settings = settings or ClientSettings()
        self.findings: list[Finding] = []
        """What was worth knowing while associations were opened, each once."""
        self._security = ClientSecurity(settings.credentials, peer_name(self.address, settings))
        self._unsolicited = unsolicited
        self._transport: BlockingTransport | None = None
        self._stack = self._idle_stack()
        self._answers: dict[InvokeId, Apdu | MeterwrightError] = {}
        self._unheard: list[Apdu] = []
        self._control: list[MeterwrightError | None] = []
        self._lost: MeterwrightError | None = None  # what broke the association, for whoever asks later
        self._wire_is_gone = False

    @classmethod
    def over(
        cls,
        transport: BlockingTransport,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> Self:
        """A client over a connection that is open already, such as ``SocketTransport(socket)``."""
        client = cls(once(transport), settings, unsolicited=unsolicited)
        client.can_reconnect = False
        return client

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def context(self) -> Context:
        """What was negotiated. LocalProtocolError where no association is open, what broke the line where it fell."""
        if self._lost is not None:
            raise self._lost
        return self._stack.association.context

    @property
    def association(self) -> AssociationIdentity:
        """The association that is open now; raises as `context` does."""
        return self.context.identity

    @property
    def is_associated(self) -> bool:
        """Whether requests can be made."""
        return self._stack.association.state is State.ASSOCIATED

    @property
    def room(self) -> Room:
        """How much the meter takes at once, and what it granted; raises as `context` does."""
        self._line()
        return self._stack.association.room

    def connect(self) -> None:
        """Open the connection and the association. Nothing stays open where either fails.

        ConnectFailed, Timeout or ConnectionLost for the line, AssociationRejected where the meter says no.
        """
        if self._transport is not None:
            raise LocalProtocolError("the client is connected already", layer="client", hint="close it first")
        refuse_book_keys(self.settings.credentials, is_local=may_be_local(self.address))
        try:
            self._dial()
            self._carry_out(
                opening(self.settings, self._security, can_redial=self.can_reconnect, tell=self._tell)
            )
        except BaseException:
            self._hang_up()
            raise

    def close(self) -> None:
        """Release the association, if there is one, and close the connection. Closing twice is harmless."""
        self._hang_up()

    def run(self, exchange: Exchange[T], timeout: float | None = None) -> T:
        """Carry out an exchange. `timeout` (seconds) is for each of its requests, the settings' unless given."""
        answer: Apdu | None = None
        try:
            while True:
                try:
                    step = exchange.send(answer)
                except StopIteration as done:
                    result: T = done.value
                    return result
                match step:
                    case Ask(request, continues):
                        answer = self._ask(request, timeout, continues=continues)
                    case Tell(request):
                        self._line()
                        self._stack.tell(request, time.monotonic())
                        self._flush()
                        answer = None
                    case Pause(seconds):
                        time.sleep(seconds)
                        answer = None
        finally:
            if answer is not None:
                self._stack.association.end_transfer(answer)
            exchange.close()

    def _idle_stack(self) -> ClientStack:
        """A stack that has not been opened: there is no association, and it says so to whoever asks."""
        return ClientStack(WrapperLink(self.settings.client_sap, self.settings.server_sap))

    def _tell(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    def _carry_out(self, procedure: Opening) -> None:
        """The procedure of opening, step by step; what fails is its to judge."""
        value: Data | None = None
        failure: MeterwrightError | None = None
        while True:
            try:
                step = procedure.send(value) if failure is None else procedure.throw(failure)
            except StopIteration:
                return
            value = failure = None
            try:
                value = self._do(step)
            except MeterwrightError as error:
                failure = error

    def _do(self, step: OpeningStep) -> Data | None:
        match step:
            case Associate(stack):
                self._associate(stack)
            case Read(attribute):
                return self.read(attribute)
            case Leave():
                self._leave()
            case Redial():
                if self._transport is None or self._wire_is_gone:
                    self._drop()
                    self._dial()
            case Rest(seconds):
                time.sleep(seconds)
        return None

    def _dial(self) -> None:
        self._lost, self._wire_is_gone = None, False
        self._transport = self._connector()
        refuse_book_keys(self.settings.credentials, is_local=self._transport.is_local)

    def _associate(self, stack: ClientStack) -> None:
        """Open link and association; where that fails, the link is closed again."""
        if self._wire_is_gone and self._lost is not None:
            raise self._lost
        self._stack, self._lost = stack, None
        try:
            self._control_answer(lambda now: stack.open(now, self.settings.timeouts.associate))
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Release the association, if there is one, and close the link. The meter need not agree: both are over either way."""
        stack, patience = self._stack, self.settings.timeouts.release
        if self._transport is None or self._wire_is_gone or not stack.is_up:
            return
        with suppress(*LINE_ERRORS):
            self._control_answer(lambda now: stack.close(now, patience))

    def _ask(self, request: Apdu, timeout: float | None, *, continues: bool) -> Apdu:
        self._line()
        allowed = self.settings.timeouts.request if timeout is None else timeout
        now = time.monotonic()
        invoke_id = self._stack.request(request, now, now + allowed, continues=continues)
        try:
            self._flush()
            while invoke_id not in self._answers:
                self._wait()
        except BaseException:
            self._stack.association.give_up(invoke_id)
            self._answers.pop(invoke_id, None)
            raise
        answer = self._answers.pop(invoke_id)
        if isinstance(answer, MeterwrightError):
            raise answer
        return answer

    def _control_answer(self, begin: Callable[[float], Sequence[ClientEvent]]) -> None:
        """Begin something that ends with an event of its own, and wait for that."""
        self._control.clear()
        try:
            self._handle(begin(time.monotonic()))
            self._flush()
            while not self._control:
                self._wait()
        except LinkError:
            if not self._control:
                raise
            # The stack was told, and knows what it means: in the midst of a login, say, that the meter broke it off.
        error = self._control.pop()
        if error is not None:
            raise error

    def _line(self) -> BlockingTransport:
        if self._lost is not None:
            raise self._lost
        return self._open_transport()

    def _open_transport(self) -> BlockingTransport:
        if self._transport is None:
            raise LocalProtocolError("the client is not connected", layer="client", hint="connect first")
        return self._transport

    def _wait(self) -> None:
        """Take in what comes until the next deadline, and tell who is concerned."""
        now = time.monotonic()
        deadline = self._stack.deadline
        patience = 0.0 if deadline is None else max(0.0, deadline - now)
        try:
            octets = self._open_transport().read(patience)
        except LinkError as error:
            self._wire_is_gone = True
            self._give_up(error)
            raise
        if octets:
            self._handle(self._stack.receive(octets, time.monotonic()))
        self._handle(self._stack.tick(time.monotonic()))
        self._flush()

    def _give_up(self, error: MeterwrightError) -> None:
        """The line can't be used any more: whoever asks later is told what broke it first."""
        self._lost = self._lost or error
        self._handle(self._stack.lost(error))

    def _handle(self, events: Sequence[ClientEvent]) -> None:
        """Tell who is concerned; what came unasked last, so that no answer is lost where its listener raises."""
        self._take(events)
        unsolicited, self._unheard = self._unheard, []
        for apdu in unsolicited:
            if self._unsolicited is not None:
                self._unsolicited(apdu)

    def _take(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            match event:
                case Answered(invoke_id, apdu):
                    self._answers[invoke_id] = apdu
                case RequestFailed(invoke_id, error):
                    self._answers[invoke_id] = error
                case Associated() | Released():
                    self._control.append(None)
                case AssociationRefused(error):
                    self._control.append(error)
                case AssociationEnded(error):
                    self._lost = self._lost or error
                    self._control.append(error)
                case Unsolicited(apdu):
                    self._unheard.append(apdu)
                case LateAnswer() | Distrusted():
                    pass  # its request was given up, and its asker told; or it was nothing to be believed

    def _flush(self) -> None:
        octets = self._stack.data_to_send()
        if octets:
            try:
                self._open_transport().write(octets)
            except LinkError as error:
                self._wire_is_gone = True
                self._give_up(error)
                raise

    def _hang_up(self) -> None:
        """Release what is associated, and close the connection."""
        try:
            self._leave()
        finally:
            self._drop()

    def _drop(self) -> None:
        """Close the connection, whatever is open over it."""
        transport, self._transport = self._transport, None
        self._handle(self._stack.lost(ConnectionLost("the client closed the connection", layer="client")))
        self._answers.clear()
        self._control.clear()
        if transport is not None:
            transport.close()
