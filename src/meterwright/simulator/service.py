"""Runs simulated meters in one event loop: each on a TCP port of its own, or joined by wires in memory.

A meter that reboots drops its connections and is not there for a while, as real ones do. What a client needs to know is
written to ``DIR/<meter>.toml``, readable by its owner alone.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.association import Credentials
from meterwright.client import MeterAddress, Scheme
from meterwright.data import Data
from meterwright.errors import ConnectFailed, ConnectionLost, UsageError
from meterwright.link import HdlcServer, HdlcServerSettings, ServerLink, WrapperServer
from meterwright.server import ActionOutcome, Caller, Limits, Listener, Middleware, ObjectHost, Partners
from meterwright.simulator.clock import MeterClock, SystemClock
from meterwright.simulator.configuration import plain_config
from meterwright.simulator.meter import SimulatedMeter
from meterwright.simulator.storage import Disk
from meterwright.transport import AsyncTransport, Wire
from meterwright.values import DataAccessResult

__all__ = ["Listening", "MeterRunner", "SimulatedService"]

_LINKS: Final[Mapping[Scheme, Callable[[SimulatedMeter], ServerLink]]] = {
    Scheme.TCP: lambda _: WrapperServer(),
    Scheme.UDP: lambda _: WrapperServer(datagrams=True),
    Scheme.HDLC_TCP: lambda meter: HdlcServer(HdlcServerSettings(logical_devices=meter.saps)),
}
"""What a simulated meter speaks, by the scheme of its URL."""

_HIGHEST_PORT: Final = 0xFFFF
_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a client on this machine calls instead
_AGAIN_SECONDS: Final = 0.2
"""How long until a meter that is up again tries anew to get its port back."""
_SHORTEST_WAIT: Final = 0.001
"""An event loop may call a shorter timer early, again and again."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A meter that can be reached: its name, its address, and the file that holds all a client needs (None: none)."""

    meter: str
    url: str
    config: Path | None


class _Watched(Middleware):
    """Tells when something may have been begun that takes time, or that is to happen later. A meter that reboots is silent."""

    def __init__(self, inner: ObjectHost, meter: SimulatedMeter, changed: Callable[[], None]) -> None:
        super().__init__(inner)
        self._meter = meter
        self._changed = changed

    def guard(self, partners: Partners) -> Credentials | None:
        self._meter.tick()
        if not self._meter.is_running:  # its line is about to be dropped: nobody is turned away meanwhile
            self._changed()
            raise ConnectionLost(f"{self._meter.name} reboots", layer="simulator")
        return self.inner.guard(partners)

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        result = self.inner.set(caller, attribute, value, selection)
        self._changed()  # a schedule was written, or the clock was set
        return result

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        outcome = self.inner.invoke(caller, method, parameters)
        self._changed()
        return outcome


class MeterRunner:
    """One meter, its connections, and the passing of its time."""

    def __init__(
        self,
        meter: SimulatedMeter,
        *,
        clock: MeterClock | None = None,
        limits: Limits | None = None,
        link: Callable[[], ServerLink] = WrapperServer,
        udp: bool = False,
        through: Callable[[ObjectHost], ObjectHost] = lambda host: host,
    ) -> None:
        """`link` makes what carries the APDUs of a connection; `through` puts middleware before the meter, such as faults."""
        self.meter: Final = meter
        self._clock = clock or SystemClock()
        self._changed = asyncio.Event()
        host = _Watched(through(meter), meter, self._changed.set)
        self.listener: Final = Listener(host, limits, link=link, trouble=meter.trouble)
        self._listen = self.listener.listen_udp if udp else self.listener.listen
        self._address: tuple[str, int] | None = None
        self._life: asyncio.Task[None] | None = None

    async def start(self, bind: str | None = None, port: int = 0) -> int:
        """Let the meter live; listen on its port where `bind` says so. The port is returned. UsageError where it is taken."""
        if bind is not None:
            port = await self._listen(bind, port)
            self._address = (bind, port)
        self._life = asyncio.get_running_loop().create_task(self._live())
        return port

    async def stop(self) -> None:
        """The meter is switched off: its connections drop."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        await self.listener.stop()
        self.meter.close()

    async def dial(self, wire: Wire | None = None) -> AsyncTransport:
        """A new connection in memory. ConnectFailed while the meter is not up."""
        if self._life is None or not self.meter.is_running:
            raise ConnectFailed(
                f"{self.meter.name} does not answer: it is not up",
                layer="simulator",
                hint="try again in a while",
            )
        wire = wire or Wire()
        self.listener.attach(wire.meter_end)
        return wire.client_end

    async def _live(self) -> None:
        while True:
            await self._until(running=False)
            await self.listener.stop()
            await self._until(running=True)
            await self._listen_again()

    async def _until(self, *, running: bool) -> None:
        """Let the meter's time pass until it is up, or down."""
        while self.meter.is_running is not running:
            await self._until_due()
            self.meter.tick()

    async def _until_due(self) -> None:
        """Wait until the meter's deadline, or until it may have another."""
        self._changed.clear()
        deadline = self.meter.deadline
        left = None
        if deadline is not None:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return
            left = max(left, _SHORTEST_WAIT)
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self._changed.wait()

    async def _listen_again(self) -> None:
        """Take the port back; somebody else may have it for a while."""
        if self._address is None:
            return
        told = False
        while True:
            try:
                await self._listen(*self._address)
            except UsageError as error:
                if not told:
                    self.meter.trouble(error)
                told = True
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return


class SimulatedService:
    """Many meters: on the ports from `port` on (0: on any), or without `bind` in memory alone.

    With `state_dir` each meter's configuration is written there, as `describe` says it for the meter and its URL.
    """

    def __init__(
        self,
        meters: Sequence[SimulatedMeter],
        *,
        bind: str | None = "127.0.0.1",
        port: int = 0,
        state_dir: Path | None = None,
        describe: Callable[[SimulatedMeter, str], str] = plain_config,
        scheme: Scheme = Scheme.TCP,
        clock: MeterClock | None = None,
        limits: Limits | None = None,
        through: Callable[[ObjectHost], ObjectHost] = lambda host: host,
    ) -> None:
        if port and port + len(meters) - 1 > _HIGHEST_PORT:
            raise UsageError(
                f"{len(meters)} meters from port {port} on do not fit: the highest port is {_HIGHEST_PORT}",
                hint="choose a lower --port or a smaller --count",
            )
        self.runners: Final = tuple(
            MeterRunner(
                meter,
                clock=clock,
                limits=limits,
                link=partial(_LINKS[scheme], meter),
                udp=scheme is Scheme.UDP,
                through=through,
            )
            for meter in meters
        )
        self._bind = bind
        self._port = port
        self._state_dir = state_dir
        self._describe = describe
        self._scheme = scheme

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> tuple[Listening, ...]:
        """Start all meters: all of them, or none."""
        try:
            return tuple([await self._start(index) for index in range(len(self.runners))])
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Switch all meters off."""
        closing: list[Coroutine[None, None, None]] = [runner.stop() for runner in self.runners]
        await asyncio.gather(*closing)

    async def dial(self, name: str | None = None) -> AsyncTransport:
        """A new connection in memory to the meter of that name, the first unless given."""
        for runner in self.runners:
            if name in (None, runner.meter.name):
                return await runner.dial()
        raise ConnectFailed(f"there is no meter {name}", layer="simulator")

    async def _start(self, index: int) -> Listening:
        runner = self.runners[index]
        port = await runner.start(self._bind, self._port + index if self._port else 0)
        name = runner.meter.name
        host = "memory" if self._bind is None else _WILDCARDS.get(self._bind, self._bind)
        url = f"memory:{name}" if self._bind is None else str(MeterAddress(host, port, scheme=self._scheme))
        if self._state_dir is None or self._bind is None:
            return Listening(name, url, None)
        config = self._state_dir / f"{name}.toml"
        _write_config(config, self._describe(runner.meter, url))
        return Listening(name, url, config)


def _write_config(path: Path, text: str) -> None:
    """A file that may hold secrets: its owner's alone, from its first octet on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Disk().replace(path, text.encode(), mode=0o600)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}", hint="give another --state-dir"
        ) from None
