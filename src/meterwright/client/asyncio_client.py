"""The client under asyncio: one connection, one association, any number of exchanges at once.

    async with Client("tcp://192.0.2.7?client=16") as client:
        print(await Clock(client).time.get())

Leaving the block releases the association and closes the connection, whatever happened inside. A client does not connect
anew by itself: what was under way when a connection broke is known to whoever asked for it, and to nobody else.
"""

import asyncio
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
    goes_on,
)
from meterwright.client.address import MeterAddress
from meterwright.client.connectors import Connector, connector
from meterwright.client.credentials import ClientSecurity, refuse_book_keys
from meterwright.client.opening import Associate, Leave, Opening, OpeningStep, Read, Redial, Rest, opening
from meterwright.client.services import AsyncServices
from meterwright.client.settings import ClientSettings
from meterwright.client.target import LINE_ERRORS, addressed, may_be_local, once, peer_name
from meterwright.client.turns import Turn
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
from meterwright.transport import AsyncTransport
from meterwright.values import Finding

__all__ = ["Client"]

T = TypeVar("T")


class Client(AsyncServices):
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
            self.address, settings = addressed(target, settings)
            self._connector: Connector = connector(self.address, settings)
        else:
            self._connector = target
        self.settings = settings = settings or ClientSettings()
        self.findings: list[Finding] = []
        """What was worth knowing while associations were opened, each once."""
        self._security = ClientSecurity(settings.credentials, peer_name(self.address, settings))
        self._unsolicited = unsolicited
        self._transport: AsyncTransport | None = None
        self._line: _Line | None = None
        self._stack = self._idle_stack()
        self._turns = asyncio.Lock() if settings.one_at_a_time else None
        self._waiting: dict[InvokeId, asyncio.Future[Apdu]] = {}
        self._control: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._lost: MeterwrightError | None = None  # what broke the association, for whoever asks later
        self._wire_is_gone = False

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

    @property
    def room(self) -> Room:
        """How much the meter takes at once, and what it granted; raises as `context` does."""
        self._require_line()
        return self._stack.association.room

    def sealed_size(self, request: Apdu) -> int:
        """How many octets a request has on its way, what protects it included: what must fit the meter's maximum PDU size."""
        octets = request.to_octets()
        return self._stack.association.sealed_size(len(octets), octets[0])

    async def connect(self) -> None:
        """Open the connection and the association. Nothing stays open where either fails.

        ConnectFailed, Timeout or ConnectionLost for the line, AssociationRejected where the meter says no.
        """
        if self._line is not None:
            raise LocalProtocolError("the client is connected already", layer="client", hint="close it first")
        refuse_book_keys(self.settings.credentials, is_local=may_be_local(self.address))
        try:
            await self._dial()
            await self._carry_out(
                opening(self.settings, self._security, can_redial=self.can_reconnect, tell=self._tell)
            )
        except BaseException:
            await self._hang_up()
            raise

    async def close(self) -> None:
        """Release the association, if there is one, and close the connection. Closing twice is harmless."""
        await self._hang_up()

    async def run(self, exchange: Exchange[T], timeout: float | None = None) -> T:
        """Carry out an exchange. `timeout` (seconds) is for each of its requests, the settings' unless given."""
        answer: Apdu | None = None
        turn = Turn(self._turns)
        try:
            while True:
                try:
                    step = exchange.send(answer)
                except StopIteration as done:
                    result: T = done.value
                    return result
                match step:
                    case Ask(request, continues):
                        await turn.take()
                        answer = await self._ask(request, timeout, continues=continues)
                        if not goes_on(answer):
                            turn.give_back()
                    case Tell(request):
                        self._require_line()
                        self._stack.tell(request, self._now())
                        self._flush()
                        answer = None
                    case Pause(seconds):
                        await asyncio.sleep(seconds)
                        answer = None
        finally:
            turn.give_back()
            if answer is not None:
                self._stack.association.end_transfer(answer)
            exchange.close()

    def octets_received(self, octets: bytes) -> None:
        """For the line: octets have come."""
        self._handle(self._stack.receive(octets, self._now()))
        self._flush()

    def transport_lost(self, error: LinkError | None) -> None:
        """For the line: the wire is gone."""
        self._wire_is_gone = True
        self._give_up(error or ConnectionLost("the connection was closed", layer="client"))

    def _idle_stack(self) -> ClientStack:
        """A stack that has not been opened: there is no association, and it says so to whoever asks."""
        return ClientStack(WrapperLink(self.settings.client_sap, self.settings.server_sap))

    def _tell(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    async def _carry_out(self, procedure: Opening) -> None:
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
                value = await self._do(step)
            except MeterwrightError as error:
                failure = error

    async def _do(self, step: OpeningStep) -> Data | None:
        match step:
            case Associate(stack):
                await self._associate(stack)
            case Read(attribute):
                return await self.read(attribute)
            case Leave():
                await self._leave()
            case Redial():
                if self._transport is None or self._wire_is_gone:
                    await self._drop()
                    await self._dial()
            case Rest(seconds):
                await asyncio.sleep(seconds)
        return None

    async def _dial(self) -> None:
        self._lost, self._wire_is_gone = None, False
        self._line = line = _Line(self)
        transport = await self._connector()
        if line.is_over:  # closed by somebody else meanwhile
            await transport.close()
            raise _closed_by_us()
        self._transport = transport
        refuse_book_keys(self.settings.credentials, is_local=transport.is_local)
        transport.start(line)

    async def _associate(self, stack: ClientStack) -> None:
        """Open link and association; where that fails, the link is closed again."""
        if self._wire_is_gone and self._lost is not None:
            raise self._lost
        self._stack, self._lost = stack, None
        try:
            await self._control_answer(lambda now: stack.open(now, self.settings.timeouts.associate))
        except BaseException:
            await self._leave()
            raise

    async def _leave(self) -> None:
        """Release the association, if there is one, and close the link. The meter need not agree: both are over either way."""
        stack, patience = self._stack, self.settings.timeouts.release
        if self._transport is None or self._wire_is_gone or not stack.is_up:
            return
        with suppress(*LINE_ERRORS):
            await self._control_answer(lambda now: stack.close(now, patience))

    async def _control_answer(self, begin: Callable[[float], Sequence[ClientEvent]]) -> None:
        """Begin something that ends with an event of its own, and wait for that."""
        self._settle_control(_closed_by_us())  # whoever was opening is overtaken by who closes
        self._control = control = asyncio.get_running_loop().create_future()
        try:
            self._handle(begin(self._now()))
            self._flush()
            if self._wire_is_gone and self._lost is not None:
                raise self._lost
            await control
        finally:
            if self._control is control:
                self._control = None

    async def _ask(self, request: Apdu, timeout: float | None, *, continues: bool) -> Apdu:
        self._require_line()
        allowed = self.settings.timeouts.request if timeout is None else timeout
        now = self._now()
        invoke_id = self._stack.request(request, now, now + allowed, continues=continues)
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
                case LateAnswer() | Distrusted():
                    pass  # its request was given up, and its asker told; or it was nothing to be believed

    def _settle(self, invoke_id: InvokeId, outcome: Apdu | MeterwrightError) -> None:
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
        self._flush()

    async def _hang_up(self) -> None:
        """Release what is associated, and close the connection."""
        try:
            await self._leave()
        finally:
            await self._drop()

    async def _drop(self) -> None:
        """Close the connection, whatever is open over it."""
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
