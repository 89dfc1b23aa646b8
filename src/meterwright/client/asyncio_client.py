"""The client under asyncio: one connection, one association, any number of exchanges at once.

    async with Client("tcp://192.0.2.7?client=16") as client:
        print(await Clock(client).time.get())

Leaving the block releases the association and closes the connection, whatever happened inside. A client does not connect
anew by itself: what was under way when a connection broke is known to whoever asked for it, and to nobody else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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
from meterwright.cosem import AssociationIdentity, AsyncAccess
from meterwright.data import Data
from meterwright.errors import (
    ConnectionLost,
    LinkError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.exchange import Ask, Exchange, Pause, Tell, invoke, read, read_list, write
from meterwright.transport import AsyncTransport, connect_tcp
from meterwright.values import DataAccessResult

__all__ = ["Client", "Connector"]

T = TypeVar("T")

Connector = Callable[[], Awaitable[AsyncTransport]]
"""Opens a connection to the meter. ConnectFailed where it can't."""


class Client(AsyncAccess):
    """A client of one meter. `unsolicited` is called with whatever the meter sends unasked."""

    def __init__(
        self,
        target: MeterAddress | str | Connector,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> None:
        self.address: MeterAddress | None = None
        self.can_reconnect = True
        if isinstance(target, str | MeterAddress):
            self.address, settings = address, _ = addressed(target, settings)
            timeout = settings.timeouts.connect
            self._connector: Connector = lambda: connect_tcp(address.host, address.port, timeout)
        else:
            self._connector = target
        self.settings = settings or ClientSettings()
        self._unsolicited = unsolicited
        self._transport: AsyncTransport | None = None
        self._line: _Line | None = None
        self._stack = self._new_stack()
        self._waiting: dict[int, asyncio.Future[Apdu]] = {}
        self._control: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._lost: MeterwrightError | None = None

    @classmethod
    def over(
        cls,
        transport: AsyncTransport,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> Self:
        """A client over a connection that is open already: see `adopt_socket` and `adopt_streams`."""
        take = once(transport)

        async def connect() -> AsyncTransport:
            return take()

        client = cls(connect, settings, unsolicited=unsolicited)
        client.can_reconnect = False
        return client

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

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

    async def connect(self) -> None:
        """Open the connection and the association. Nothing stays open where either fails.

        ConnectFailed, Timeout or ConnectionLost for the line, AssociationRejected where the meter says no.
        """
        if self._line is not None:
            raise LocalProtocolError("the client is connected already", layer="client", hint="close it first")
        self._lost = None
        self._stack = self._new_stack()
        self._line = line = _Line(self)
        try:
            await self._open(line)
            await self._associate()
        except BaseException:
            await self._hang_up()
            raise

    async def close(self) -> None:
        """Release the association, if there is one, and close the connection. Closing twice is harmless."""
        try:
            if self.is_associated:
                await self._release()
        finally:
            await self._hang_up()

    async def run(self, exchange: Exchange[T], timeout: float | None = None) -> T:
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
                        answer = await self._ask(request, timeout, continues=continues)
                    case Tell(request):
                        self._require_line()
                        self._stack.association.tell(request)
                        self._flush()
                        answer = None
                    case Pause(seconds):
                        await asyncio.sleep(seconds)
                        answer = None
        finally:
            exchange.close()

    async def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        """The value of one attribute. DataAccessError where the meter refuses."""
        return await self.run(read(attribute, selection), timeout)

    async def read_list(
        self, attributes: Sequence[AttributeDescriptor], *, timeout: float | None = None
    ) -> tuple[Data | DataAccessResult, ...]:
        """Several attributes in one request; what the meter refuses stands as its result."""
        return await self.run(read_list([SelectedAttribute(each, None) for each in attributes]), timeout)

    async def write(
        self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None
    ) -> None:
        """Write one attribute. DataAccessError where the meter refuses."""
        await self.run(write(attribute, value), timeout)

    async def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        """Call one method. ActionError where the meter refuses."""
        return await self.run(invoke(method, parameters), timeout)

    def octets_received(self, octets: bytes) -> None:
        """For the line: octets have come."""
        try:
            self._handle(self._stack.receive(octets))
            self._stack.receive(b"")  # raises where what follows the last frame is none
        except RemoteProtocolError as error:
            self._give_up(error)
        else:
            self._flush()

    def transport_lost(self, error: LinkError | None) -> None:
        """For the line: the wire is gone."""
        self._give_up(error or ConnectionLost("the connection was closed", layer="client"))

    async def _open(self, line: "_Line") -> None:
        transport = await self._connector()
        if line.is_over:  # closed by somebody else meanwhile
            await transport.close()
            raise _closed_by_us()
        self._transport = transport
        transport.start(line)

    def _new_stack(self) -> ClientStack:
        return ClientStack(self.settings.client_sap, self.settings.server_sap, self.settings.proposal)

    async def _associate(self) -> None:
        self._stack.association.associate(self._now() + self.settings.timeouts.associate)
        await self._control_answer()

    async def _release(self) -> None:
        self._stack.association.release(self._now() + self.settings.timeouts.release)
        try:
            await self._control_answer()
        except LINE_ERRORS:
            return  # the meter did not agree as it should: the association is over either way, and so is the line

    async def _control_answer(self) -> None:
        self._control = asyncio.get_running_loop().create_future()
        self._flush()
        try:
            if self._lost is not None:
                raise self._lost
            await self._control
        finally:
            self._control = None

    async def _ask(self, request: Apdu, timeout: float | None, *, continues: bool) -> Apdu:
        self._require_line()
        allowed = self.settings.timeouts.request if timeout is None else timeout
        invoke_id = self._stack.association.request(request, self._now() + allowed, continues=continues)
        answer: asyncio.Future[Apdu] = asyncio.get_running_loop().create_future()
        self._waiting[invoke_id] = answer
        try:
            self._flush()
            return await answer
        except (asyncio.CancelledError, LocalProtocolError):
            self._stack.association.give_up(invoke_id)
            raise
        finally:
            self._waiting.pop(invoke_id, None)

    def _require_line(self) -> None:
        if self._lost is not None:
            raise self._lost
        if self._transport is None:
            raise LocalProtocolError("the client is not connected", layer="client", hint="connect first")

    def _handle(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            match event:
                case Answered(invoke_id, apdu):
                    self._settle(invoke_id, apdu)
                case RequestFailed(invoke_id, error):
                    self._settle(invoke_id, error)
                case Associated() | Released():
                    self._settle_control(None)
                case AssociationRefused(error):
                    self._settle_control(error)
                case AssociationEnded(error):
                    self._lost = self._lost or error
                    self._settle_control(error)
                case Unsolicited(apdu):
                    if self._unsolicited is not None:
                        # Not from here: what goes wrong in there is the loop's to tell, and none of the line's.
                        asyncio.get_running_loop().call_soon(self._unsolicited, apdu)
                case LateAnswer():
                    pass  # its request was given up, and its asker told

    def _settle(self, invoke_id: int, outcome: Apdu | MeterwrightError) -> None:
        waiting = self._waiting.get(invoke_id)
        if waiting is None or waiting.done():
            return
        if isinstance(outcome, MeterwrightError):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)

    def _settle_control(self, error: MeterwrightError | None) -> None:
        if self._control is None or self._control.done():
            return
        if error is None:
            self._control.set_result(None)
        else:
            self._control.set_exception(error)

    def _give_up(self, error: MeterwrightError) -> None:
        """The line can't be used any more: everybody who waits is told, and whoever asks later, what broke it first."""
        self._lost = self._lost or error
        self._handle(self._stack.lost(error))
        self._settle_control(error)
        self._reschedule()

    def _flush(self) -> None:
        octets = self._stack.data_to_send()
        if octets and self._transport is not None:
            self._transport.write(octets)
        self._reschedule()

    def _reschedule(self) -> None:
        deadline = self._stack.deadline
        if self._timer is not None:
            if deadline is not None and self._timer.when() <= deadline:
                return  # it fires early at worst, and then looks again
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(self._stack.tick(self._now()))
        self._reschedule()

    async def _hang_up(self) -> None:
        transport, self._transport = self._transport, None
        line, self._line = self._line, None
        if line is not None:
            line.is_over = True
        self._handle(self._stack.lost(_closed_by_us()))
        self._reschedule()
        if transport is not None:
            await transport.close()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _Line:
    """The Receiver of one connection. The loop may have octets or the end of an old one still in hand: both are too late."""

    def __init__(self, client: Client) -> None:
        self.is_over = False
        self._client = client

    def octets_received(self, octets: bytes) -> None:
        if not self.is_over:
            self._client.octets_received(octets)

    def transport_lost(self, error: LinkError | None) -> None:
        if not self.is_over:
            self._client.transport_lost(error)


def _closed_by_us() -> ConnectionLost:
    return ConnectionLost("the client closed the connection", layer="client")
