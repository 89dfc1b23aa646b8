"""A meter that plays by a script, and the three grounds a client meets it on.

The same scenario is played by the asyncio client in memory and virtual time, by the asyncio client over loopback TCP, and by
the blocking client in a thread over loopback TCP, behind a facade that awaits the thread. Where a scenario ends, nothing
may be left: no timer and no task.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol, TypeAlias, TypeVar

from meterwright.apdu import (
    Aare,
    Aarq,
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    DataNotification,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    InitiateResponse,
    InvokedApdu,
    MethodDescriptor,
    Rlre,
    Rlrq,
    SetRequestNormal,
    SetResponseNormal,
    decode_apdu,
)
from meterwright.association import CLIENT_CONFORMANCE, Context
from meterwright.client import BlockingClient, Client, ClientSettings, Timeouts
from meterwright.cosem import AssociationIdentity
from meterwright.data import Data, integer
from meterwright.errors import LinkError
from meterwright.exchange import CONFIRMED, Exchange
from meterwright.link import WrapperFrame, WrapperFramer
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport, TcpTransport, Wire, connect_blocking, connect_tcp
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AssociationResult,
    Conformance,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    LongInvokeIdAndPriority,
    Obis,
    ReleaseResponseReason,
)

T = TypeVar("T")

HOST = "127.0.0.1"
PATIENCE = 0.25
"""Seconds a client waits: real ones, over TCP."""
TIME = AttributeDescriptor(8, Obis.parse("0.0.1.0.0.255"), 2)
OTHER = AttributeDescriptor(8, Obis.parse("0.0.1.0.0.255"), 3)
RESET = MethodDescriptor(3, Obis.parse("1.0.1.8.0.255"), 1)
SEVEN = integer(7)


@dataclass(frozen=True)
class Wait:
    """So many seconds pass before what follows."""

    seconds: float


@dataclass(frozen=True)
class Raw:
    """Octets on the wire, in no frame."""

    octets: bytes


class Line(Enum):
    """What a meter does to the line."""

    CLOSE = "close"
    FINISH = "end of what we send, while we still read"


Step: TypeAlias = Apdu | bytes | Raw | Wait | Line
"""An APDU; octets that may be none, in a frame of their own; octets in no frame; a pause; an end."""
Plays: TypeAlias = Callable[[Apdu], Iterable[Step]]


def accepted(size: int = 1024, conformance: Conformance = CLIENT_CONFORMANCE) -> Aare:
    """The AARE of a meter that grants all, unless told."""
    return Aare(
        application_context_name=ApplicationContext.LN,
        result=AssociationResult.ACCEPTED,
        result_source_diagnostic=AcseServiceUserDiagnostic.NULL,
        user_information=InitiateResponse(None, 6, conformance, size, 7).to_octets(),
    )


def got(value: Data | DataAccessResult = SEVEN) -> GetResponseNormal:
    """The answer to a GET; the script puts the invoke id in."""
    return GetResponseNormal(CONFIRMED, value)


def pushed(value: int = 5) -> DataNotification:
    """What a meter sends unasked."""
    return DataNotification(LongInvokeIdAndPriority(1), None, integer(value))


EXCEPTION = ExceptionResponse(ExceptionState.SERVICE_UNKNOWN, ExceptionService.OTHER_REASON, None)
_DEFAULTS: dict[type[Apdu], Plays] = {
    Aarq: lambda _request: [accepted()],
    Rlrq: lambda _request: [Rlre(reason=ReleaseResponseReason.NORMAL)],
    GetRequestNormal: lambda _request: [got()],
    SetRequestNormal: lambda _request: [SetResponseNormal(CONFIRMED, DataAccessResult.SUCCESS)],
    ActionRequestNormal: lambda _request: [ActionResponseNormal(CONFIRMED, ActionResult.SUCCESS, None)],
}


class Meter:
    """Plays the meter on every connection that is made to it; what is not in the script goes well."""

    def __init__(self, script: dict[type[Apdu], Plays] | None = None) -> None:
        self.script = _DEFAULTS | (script or {})
        self.requests: list[Apdu] = []
        self.connections: list[Connection] = []

    def attach(self, transport: AsyncTransport) -> "Connection":
        """Serve one more connection."""
        connection = Connection(self, transport)
        self.connections.append(connection)
        transport.start(connection)
        return connection

    def heard(self, kind: type[Apdu]) -> int:
        """How many requests of that kind came."""
        return sum(isinstance(request, kind) for request in self.requests)

    async def stop(self) -> None:
        """All connections are dropped."""
        for connection in self.connections:
            await connection.stop()


class Connection:
    """One connection to the meter. A Receiver."""

    def __init__(self, meter: Meter, transport: AsyncTransport) -> None:
        self.ended = asyncio.Event()
        self._meter = meter
        self._transport = transport
        self._framer = WrapperFramer()
        self._timers: list[asyncio.TimerHandle] = []
        self._closing: list[asyncio.Task[None]] = []

    def octets_received(self, octets: bytes) -> None:
        for frame in self._framer.receive(octets):
            request = decode_apdu(frame.apdu)
            self._meter.requests.append(request)
            self.play(request, self._meter.script[type(request)](request))

    def transport_lost(self, error: LinkError | None) -> None:
        del error
        self.ended.set()

    def play(self, request: Apdu | None, steps: Iterable[Step]) -> None:
        """Do what stands in the script, at once or later."""
        loop, due = asyncio.get_running_loop(), 0.0
        for step in steps:
            if isinstance(step, Wait):
                due += step.seconds
            elif due:
                self._timers.append(loop.call_later(due, self._do, request, step))
            else:
                self._do(request, step)

    async def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        await self._transport.close()
        await asyncio.gather(*self._closing)

    def _do(self, request: Apdu | None, step: Step) -> None:
        match step:
            case Raw(octets):
                self._transport.write(octets)
            case Line.CLOSE:
                self._closing.append(asyncio.get_running_loop().create_task(self._transport.close()))
            case Line.FINISH:
                assert isinstance(self._transport, Accepted)
                self._transport.finish()
            case Wait():
                raise AssertionError("a pause is no deed")
            case Apdu():
                if isinstance(step, InvokedApdu) and isinstance(request, InvokedApdu):
                    step = replace(step, invoke_id_and_priority=request.invoke_id_and_priority)
                self._transport.write(WrapperFrame(1, 16, step.to_octets()).to_octets())
            case octets:
                self._transport.write(WrapperFrame(1, 16, octets).to_octets())


class Accepted(TcpTransport):
    """A connection that a client made to the meter over TCP."""

    def __init__(self, attach: Callable[[AsyncTransport], object]) -> None:
        super().__init__()
        self._attach = attach

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._attach(self)

    def finish(self) -> None:
        """Send no more, but still read: half of the connection is closed."""
        assert self._transport is not None
        self._transport.write_eof()

    def eof_received(self) -> bool:
        return False


class Twin(Protocol):
    """What both clients can do, awaited."""

    @property
    def is_associated(self) -> bool: ...
    @property
    def context(self) -> Context: ...
    @property
    def association(self) -> AssociationIdentity: ...
    async def connect(self) -> None: ...
    async def close(self) -> None: ...
    async def run(self, exchange: Exchange[T], timeout: float | None = None) -> T: ...
    async def read(self, attribute: AttributeDescriptor, *, timeout: float | None = None) -> Data: ...
    async def read_list(
        self, attributes: Sequence[AttributeDescriptor], *, timeout: float | None = None
    ) -> tuple[Data | DataAccessResult, ...]: ...
    async def write(
        self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None
    ) -> None: ...
    async def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None: ...


class Threaded:
    """The blocking client, each of its calls in a thread and awaited."""

    def __init__(self, client: BlockingClient) -> None:
        self.client = client

    @property
    def is_associated(self) -> bool:
        return self.client.is_associated

    @property
    def context(self) -> Context:
        return self.client.context

    @property
    def association(self) -> AssociationIdentity:
        return self.client.association

    async def connect(self) -> None:
        await asyncio.to_thread(self.client.connect)

    async def close(self) -> None:
        await asyncio.to_thread(self.client.close)

    async def run(self, exchange: Exchange[T], timeout: float | None = None) -> T:
        return await asyncio.to_thread(self.client.run, exchange, timeout)

    async def read(self, attribute: AttributeDescriptor, *, timeout: float | None = None) -> Data:
        return await asyncio.to_thread(self.client.read, attribute, timeout=timeout)

    async def read_list(
        self, attributes: Sequence[AttributeDescriptor], *, timeout: float | None = None
    ) -> tuple[Data | DataAccessResult, ...]:
        return await asyncio.to_thread(self.client.read_list, attributes, timeout=timeout)

    async def write(
        self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None
    ) -> None:
        await asyncio.to_thread(self.client.write, attribute, value, timeout=timeout)

    async def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        return await asyncio.to_thread(self.client.invoke, method, parameters, timeout=timeout)


def patient(seconds: float = PATIENCE, *, release: float | None = None) -> ClientSettings:
    """Settings of a client that waits so long for everything, and asks for several things at once."""
    return ClientSettings(
        one_at_a_time=False,
        timeouts=Timeouts(
            connect=5.0,
            associate=seconds,
            request=seconds,
            release=seconds if release is None else release,
        ),
    )


class Ground(Enum):
    """Where a scenario is played."""

    MEMORY = "asyncio, in memory"
    TCP = "asyncio, over TCP"
    THREAD = "blocking, over TCP"


@dataclass
class Stage:
    """A meter and the way to it."""

    ground: Ground
    meter: Meter
    port: int = 0
    wires: list[Wire] = field(default_factory=list[Wire])

    def client(
        self,
        settings: ClientSettings | None = None,
        *,
        unsolicited: Callable[[Apdu], None] | None = None,
    ) -> Twin:
        """A client of the meter, of this ground's kind."""
        settings = settings or patient()
        if self.ground is Ground.THREAD:
            return Threaded(
                BlockingClient(
                    lambda: connect_blocking(HOST, self.port, 5.0), settings, unsolicited=unsolicited
                )
            )
        return Client(self.dial, settings, unsolicited=unsolicited)

    async def dial(self) -> AsyncTransport:
        """A new connection."""
        if self.ground is not Ground.MEMORY:
            return await connect_tcp(HOST, self.port, 5.0)
        wire = Wire()
        self.wires.append(wire)
        self.meter.attach(wire.meter_end)
        return wire.client_end


Scenario: TypeAlias = Callable[[Stage], Awaitable[T]]


def play(ground: Ground, scenario: Scenario[T], script: dict[type[Apdu], Plays] | None = None) -> T:
    """Play a scenario against a meter with this script, and see that nothing is left behind."""

    async def whole() -> T:
        stage = Stage(ground, Meter(script))
        server: asyncio.Server | None = None
        if ground is not Ground.MEMORY:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: Accepted(stage.meter.attach), HOST, 0)
            stage.port = server.sockets[0].getsockname()[1]
        try:
            return await scenario(stage)
        finally:
            await stage.meter.stop()
            if server is not None:
                server.close()
                await server.wait_closed()
            await settled()

    return run_in_virtual_time(whole()) if ground is Ground.MEMORY else asyncio.run(whole())


async def settled() -> None:
    """Nothing is left: no task but ours, and no timer that still runs."""
    for _ in range(5):
        await asyncio.sleep(0)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    assert not tasks, tasks
    assert not running_timers()


async def until(reached: Callable[[], object], pause: float = 0.001) -> None:
    """Let others run until it is so. What never comes ends by the test's own time-out."""
    while True:
        if reached():
            return
        await asyncio.sleep(pause)


def running_timers() -> list[asyncio.TimerHandle]:
    """The timers that have not fired and were not cancelled."""
    scheduled: list[asyncio.TimerHandle] = getattr(asyncio.get_running_loop(), "_scheduled")  # noqa: B009 - no public way
    return [timer for timer in scheduled if not timer.cancelled()]


def closed_port() -> int:
    """A port where nobody listens: it was free a moment ago, and is bound but not open to anybody."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
