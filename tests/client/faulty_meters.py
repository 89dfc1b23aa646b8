"""Meters with one thing wrong, on a bench that counts what reaches them: for the tests of credentials and counters.

A `Faulty` says what is wrong with the meter. A `Bench` runs it, in memory or on a port, over the wrapper or HDLC.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import Final, Self, TypeAlias

from tests.cli.rig import LoopThread
from tests.client.given import COUNTER, METER_KEYS, SECRET, Link
from tests.client.nonces import Heard, Use, uses_in
from tests.client.stage import until

from meterwright.apdu import AttributeDescriptor, SelectiveAccess
from meterwright.association import Credentials
from meterwright.data import Data, double_long_unsigned
from meterwright.errors import ConnectionLost, MeterwrightError
from meterwright.link import (
    HdlcServer,
    HdlcServerSettings,
    LinkEvent,
    ServerLink,
    WrapperServer,
)
from meterwright.link.hdlc.frame import Frame
from meterwright.link.machine import ApduReceived
from meterwright.security import (
    Secret,
)
from meterwright.server import Caller, Middleware, ObjectHost, Partners
from meterwright.simulator import LoopClock, MemoryStorage, MeterRunner, MeterSettings, plain_meter
from meterwright.simulator.record import BlockMap, MeterRecord
from meterwright.simulator.settings import SecuritySettings
from meterwright.transport import AsyncTransport, Wire
from meterwright.values import AuthenticationMechanism, DataAccessResult, SecurityPolicy

START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Instead(Enum):
    """What a meter does instead of answering."""

    SILENCE = "nothing"
    CLOSE = "close the connection"
    FORGET = "forget the HDLC connection: DM is the answer to what comes next"


Answer: TypeAlias = bytes | Instead
Answers: TypeAlias = Callable[[int, bytes], Answer]
"""What becomes of an APDU on its way to that client SAP."""


def as_it_is(_client: int, apdu: bytes) -> Answer:
    """Every APDU goes out as it is."""
    return apdu


# ------------------------------------------------------------------------------------------------ the meter


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """A meter, and what is wrong with it. Whatever is not said is right.

    `accepted`: the counter that it accepted last. `shows`: what its counter object says instead. `through` stands before its
    objects, `answers` before its link. `line` makes another link altogether.
    """

    security: SecuritySettings = field(
        default_factory=lambda: SecuritySettings(
            authentication=AuthenticationMechanism.HIGH_SHA256,
            policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
            secret=Secret(SECRET),
            keys=METER_KEYS,
        )
    )
    accepted: int | None = None
    shows: Data | DataAccessResult | None = None
    through: Callable[[ObjectHost], ObjectHost] = lambda host: host
    answers: Answers = as_it_is
    hdlc: HdlcServerSettings = field(default_factory=HdlcServerSettings)
    line: Callable[[], ServerLink] | None = None


class _Used(MemoryStorage):
    """The memory of a meter that has accepted numbers already."""

    def __init__(self, accepted: int | None) -> None:
        super().__init__()
        self._counters = {} if accepted is None else {str(COUNTER): accepted}

    def load(self, fresh: MeterRecord) -> tuple[MeterRecord, BlockMap]:
        return super().load(replace(fresh, counters=self._counters))


class Watch(Middleware):
    """Counts logins by client (each AARQ asks `guard` once), those that were denied, and readings of the counter object."""

    def __init__(self, inner: ObjectHost, shows: Data | DataAccessResult | None = None) -> None:
        super().__init__(inner)
        self.logins: Counter[int] = Counter()
        self.refused: list[MeterwrightError] = []
        self.readings = 0
        self._shows = shows

    def guard(self, partners: Partners) -> Credentials | None:
        self.logins[partners.client_sap] += 1
        return super().guard(partners)

    def denied(self, partners: Partners, error: MeterwrightError) -> None:
        self.refused.append(error)
        super().denied(partners, error)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        if attribute.instance_id != COUNTER:
            return super().get(caller, attribute, selection)
        self.readings += 1
        return super().get(caller, attribute, selection) if self._shows is None else self._shows


def shown(number: int) -> Data:
    """A counter, as its object tells it."""
    return double_long_unsigned(number)


class FaultyLink(ServerLink):
    """A link whose answers pass `answers`. It notes what came, and whether its client went without a word."""

    def __init__(
        self, inner: ServerLink, answers: Answers, heard: list[Heard], left_open: list[bool]
    ) -> None:
        self._inner = inner
        self._answers = answers
        self._heard = heard
        self._left_open = left_open
        self._closed_by_us = False

    @property
    def is_open(self) -> bool:
        return self._inner.is_open

    @property
    def deadline(self) -> float | None:
        return self._inner.deadline

    @property
    def is_lost(self) -> bool:
        return self._inner.is_lost

    def close(self, now: float) -> list[LinkEvent]:
        return self._inner.close(now)

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        events = self._inner.receive(octets, now)
        for event in events:
            if isinstance(event, ApduReceived) and event.source is not None:
                self._heard.append(Heard(event.source, event.apdu))
        return events

    def data_to_send(self) -> bytes:
        return self._inner.data_to_send()

    def tick(self, now: float) -> list[LinkEvent]:
        return self._inner.tick(now)

    def lost(self) -> None:
        connected = isinstance(self._inner, HdlcServer) and self._inner.is_open
        self._left_open.append(connected and not self._closed_by_us)
        self._inner.lost()

    def send_to(self, client: int, server: int, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        match self._answers(client, apdu):
            case bytes() as octets:
                self._inner.send_to(client, server, octets, now, confirmed=confirmed)
            case Instead.SILENCE:
                self._inner.acknowledge(now)
            case Instead.FORGET:
                self._inner.close(now)
            case Instead.CLOSE:
                self._closed_by_us = True
                raise ConnectionLost("the meter has had enough", layer="test")

    def acknowledge(self, now: float) -> None:
        self._inner.acknowledge(now)


class Busy(HdlcServer):
    """Somebody else has the line, and does not let go of it."""

    def _snrm(self, frame: Frame, now: float) -> list[LinkEvent]:
        del now
        return self._decline(frame, self._back)


class Noise(ServerLink):
    """No meter: whatever is said, these octets come back."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._outgoing = b""

    @property
    def is_open(self) -> bool:
        return True

    @property
    def deadline(self) -> float | None:
        return None

    @property
    def is_lost(self) -> bool:
        return False

    def send_to(self, client: int, server: int, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        del client, server, apdu, now, confirmed

    def acknowledge(self, now: float) -> None:
        del now

    def close(self, now: float) -> list[LinkEvent]:
        del now
        return []

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        del octets, now
        self._outgoing += self._octets
        return []

    def data_to_send(self) -> bytes:
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    def tick(self, now: float) -> list[LinkEvent]:
        del now
        return []

    def lost(self) -> None:
        self._outgoing = b""


# ------------------------------------------------------------------------------------------------ the bench


class Bench:
    """A meter that runs, and what reached it. To be made inside of the event loop it runs in."""

    def __init__(self, faulty: Faulty, link: Link, serial: int = 1) -> None:
        self.heard: list[Heard] = []
        self.left_open: list[bool] = []
        self.wires: list[Wire] = []
        self._faulty = faulty
        self._link = link
        clock = LoopClock(START)
        self.meter = plain_meter(
            serial,
            MeterSettings(security=faulty.security),
            storage=_Used(faulty.accepted),
            clock=clock,
            trouble=lambda _error: None,
        )
        self.watch = Watch(faulty.through(self.meter), faulty.shows)
        self.runner = MeterRunner(
            self.meter, clock=clock, link=self._make_link, through=lambda _meter: self.watch
        )

    async def start(self, bind: str | None = None) -> int:
        """Switch the meter on; the port, where it listens."""
        return await self.runner.start(bind)

    async def stop(self) -> None:
        """Switch the meter off."""
        await self.runner.stop()

    async def dial(self) -> AsyncTransport:
        """A new connection in memory."""
        wire = Wire()
        self.wires.append(wire)
        return await self.runner.dial(wire)

    def logins(self, client: int) -> int:
        """How many AARQs came from that client."""
        return self.watch.logins[client]

    @property
    def is_released(self) -> bool:
        """Whether no client is connected, and none went without a word."""
        return not self.runner.listener.connections and not any(self.left_open)

    def uses(self) -> list[Use]:
        """The numbers that clients have spent on what reached the meter."""
        return list(uses_in(self.heard, self._faulty.security.meter_keys))

    def _make_link(self) -> ServerLink:
        made = self._faulty.line
        if made is not None:
            inner = made()
        else:
            inner = WrapperServer() if self._link is Link.WRAPPER else HdlcServer(self._faulty.hdlc)
        return FaultyLink(inner, self._faulty.answers, self.heard, self.left_open)


class Served:
    """A bench on a port of this machine, in a loop of its own thread."""

    def __init__(self, faulty: Faulty, link: Link, serial: int = 1) -> None:
        self._faulty = faulty
        self._link = link
        self._serial = serial
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        self.bench, self.port = self._thread.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.run(self.bench.stop())
        self._thread.close()

    def await_release(self) -> None:
        """Wait until the last client is gone, as the meter sees it."""
        self.wait_until(lambda: not self.bench.runner.listener.connections)

    def wait_until(self, reached: Callable[[], object]) -> None:
        """Wait until it is so, as the meter sees it."""
        self._thread.run(until(reached))

    async def _start(self) -> tuple[Bench, int]:
        bench = Bench(self._faulty, self._link, self._serial)
        return bench, await bench.start("127.0.0.1")

    def drop(self) -> None:
        """The meter drops all its connections, and listens on."""
        self._thread.run(self._drop())

    async def _drop(self) -> None:
        listener = self.bench.runner.listener
        await listener.stop()
        await listener.listen("127.0.0.1", self.port)
