"""The client for threads: the blocking twin of `Client`, over the same sans-IO stack and the same exchanges.

    with BlockingClient("tcp://192.0.2.7?client=16") as client:
        print(Clock(client).time.get())

One thread uses it at a time.
"""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from meterwright.apdu import Apdu, AttributeDescriptor, MethodDescriptor, SelectedAttribute, SelectiveAccess
from meterwright.association import (
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    ClientEvent,
    ClientStack,
    Context,
    LateAnswer,
    Released,
    RequestFailed,
    State,
    Unsolicited,
)
from meterwright.client.address import MeterAddress
from meterwright.client.settings import ClientSettings
from meterwright.client.target import LINE_ERRORS, addressed, once
from meterwright.cosem import AssociationIdentity, BlockingAccess
from meterwright.data import Data
from meterwright.errors import (
    ConnectionLost,
    LinkError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.exchange import Ask, Exchange, Pause, Tell, invoke, read, read_list, write
from meterwright.transport import BlockingTransport, connect_blocking
from meterwright.values import DataAccessResult

__all__ = ["BlockingClient", "BlockingConnector"]

T = TypeVar("T")

BlockingConnector = Callable[[], BlockingTransport]
"""Opens a connection to the meter. ConnectFailed where it can't."""


class BlockingClient(BlockingAccess):
    """A client of one meter. `unsolicited` is called with whatever the meter sends unasked, while an answer is awaited."""

    def __init__(
        self,
        target: MeterAddress | str | BlockingConnector,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> None:
        if isinstance(target, str | MeterAddress):
            address, settings = addressed(target, settings)
            timeout = settings.timeouts.connect
            self._connector: BlockingConnector = lambda: connect_blocking(address.host, address.port, timeout)
        else:
            self._connector = target
        self.settings = settings or ClientSettings()
        self._unsolicited = unsolicited
        self._transport: BlockingTransport | None = None
        self._stack = self._new_stack()
        self._answers: dict[int, Apdu | MeterwrightError] = {}
        self._unheard: list[Apdu] = []
        self._control: list[MeterwrightError | None] = []
        self._lost: MeterwrightError | None = None

    @classmethod
    def over(
        cls,
        transport: BlockingTransport,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> Self:
        """A client over a connection that is open already, such as ``SocketTransport(socket)``."""
        return cls(once(transport), settings, unsolicited=unsolicited)

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

    def connect(self) -> None:
        """Open the connection and the association. Nothing stays open where either fails.

        ConnectFailed, Timeout or ConnectionLost for the line, AssociationRejected where the meter says no.
        """
        if self._transport is not None:
            raise LocalProtocolError("the client is connected already", layer="client", hint="close it first")
        self._lost = None
        self._stack = self._new_stack()
        self._transport = self._connector()
        try:
            self._stack.association.associate(time.monotonic() + self.settings.timeouts.associate)
            self._control_answer()
        except BaseException:
            self._hang_up()
            raise

    def close(self) -> None:
        """Release the association, if there is one, and close the connection. Closing twice is harmless."""
        try:
            if self.is_associated:
                self._stack.association.release(time.monotonic() + self.settings.timeouts.release)
                self._control_answer()
        except LINE_ERRORS:
            return  # the meter did not agree as it should: the association is over either way, and so is the line
        finally:
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
                        self._stack.association.tell(request)
                        self._flush()
                        answer = None
                    case Pause(seconds):
                        time.sleep(seconds)
                        answer = None
        finally:
            exchange.close()

    def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        """The value of one attribute. DataAccessError where the meter refuses."""
        return self.run(read(attribute, selection), timeout)

    def read_list(
        self, attributes: Sequence[AttributeDescriptor], *, timeout: float | None = None
    ) -> tuple[Data | DataAccessResult, ...]:
        """Several attributes in one request; what the meter refuses stands as its result."""
        return self.run(read_list([SelectedAttribute(each, None) for each in attributes]), timeout)

    def write(self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None) -> None:
        """Write one attribute. DataAccessError where the meter refuses."""
        self.run(write(attribute, value), timeout)

    def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        """Call one method. ActionError where the meter refuses."""
        return self.run(invoke(method, parameters), timeout)

    def _new_stack(self) -> ClientStack:
        return ClientStack(self.settings.client_sap, self.settings.server_sap, self.settings.proposal)

    def _ask(self, request: Apdu, timeout: float | None, *, continues: bool) -> Apdu:
        self._line()
        allowed = self.settings.timeouts.request if timeout is None else timeout
        invoke_id = self._stack.association.request(request, time.monotonic() + allowed, continues=continues)
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

    def _control_answer(self) -> None:
        self._control.clear()
        self._flush()
        while not self._control:
            self._wait()
        error = self._control.pop()
        if error is not None:
            raise error

    def _line(self) -> BlockingTransport:
        if self._lost is not None:
            raise self._lost
        if self._transport is None:
            raise LocalProtocolError("the client is not connected", layer="client", hint="connect first")
        return self._transport

    def _wait(self) -> None:
        """Take in what comes until the next deadline, and tell who is concerned."""
        now = time.monotonic()
        deadline = self._stack.deadline
        patience = 0.0 if deadline is None else max(0.0, deadline - now)
        try:
            octets = self._line().read(patience)
            if octets:
                self._handle(self._stack.receive(octets))
                self._stack.receive(b"")  # raises where what follows the last frame is none
                self._flush()
        except (LinkError, RemoteProtocolError) as error:
            self._give_up(error)
            raise
        self._handle(self._stack.tick(time.monotonic()))

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
                case LateAnswer():
                    pass  # its request was given up, and its asker told

    def _flush(self) -> None:
        octets = self._stack.data_to_send()
        if octets:
            try:
                self._line().write(octets)
            except LinkError as error:
                self._give_up(error)
                raise

    def _hang_up(self) -> None:
        transport, self._transport = self._transport, None
        self._handle(self._stack.lost(ConnectionLost("the client closed the connection", layer="client")))
        self._answers.clear()
        self._control.clear()
        if transport is not None:
            transport.close()
