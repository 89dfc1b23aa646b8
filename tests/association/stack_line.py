"""A client's stack and a meter's connection on one line, in virtual time: every frame may meet a fault on its way.

The client opens, runs its exchanges one after the other, and closes, whatever happens; as a user's program would. The line keeps
the order of what it carries: a frame that is delayed delays those behind it, unless it is told to let them pass.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.link.hdlc.line import DELAYS, LATENCY, Fault, flipped

from meterwright.apdu import Apdu
from meterwright.association import (
    Answered,
    Associated,
    AssociationEnded,
    AssociationRefused,
    ClientEvent,
    ClientStack,
    InvokeId,
    Released,
    RequestFailed,
)
from meterwright.errors import MeterwrightError
from meterwright.exchange import Ask, Exchange
from meterwright.link import WrapperFramer
from meterwright.link.hdlc import HdlcFramer
from meterwright.server import ServerConnection

PATIENCE = 60.0
"""Seconds for one answer, for opening, and for closing: longer than HDLC takes to get over anything it can get over."""
MOST_STEPS = 5000
LONGEST = 1000.0


@dataclass
class Outcome:
    """What became of a conversation."""

    results: list[object] = field(default_factory=list[object])
    errors: list[MeterwrightError] = field(default_factory=list[MeterwrightError])
    closed: bool = False
    frames: int = 0
    ended: float = 0.0
    left: int = 0
    """Associations that the meter still had when all was over."""


@dataclass
class Direction:
    """One way of the line."""

    cut: Callable[[bytes], Iterable[bytes]]
    under_way: deque[tuple[float, bytes]] = field(default_factory=deque[tuple[float, bytes]])
    busy_until: float = 0.0


def hdlc_frames() -> Callable[[bytes], Iterable[bytes]]:
    """Cuts what is sent into the frames that may be lost one by one."""
    framer = HdlcFramer()
    return lambda octets: [frame.to_octets() for frame in framer.receive(octets)]


def wrapper_frames() -> Callable[[bytes], Iterable[bytes]]:
    """As `hdlc_frames`, for the wrapper."""
    framer = WrapperFramer()
    return lambda octets: [frame.to_octets() for frame in framer.receive(octets)]


class Conversation:
    """One run. `faults` tells what happens to which frame, counted over both directions in the order they are sent."""

    def __init__(
        self,
        client: ClientStack,
        meter: ServerConnection,
        exchanges: Sequence[Exchange[object]],
        cutter: Callable[[], Callable[[bytes], Iterable[bytes]]],
        faults: Mapping[int, Fault] | Callable[[int], Fault | None],
        *,
        bit: int = 0,
        delays: Mapping[Fault, float] = DELAYS,
        overtaking: bool = False,
        wire_ends: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self.client, self.meter = client, meter
        self.outcome = Outcome()
        self.now = 0.0
        self._exchanges = deque(exchanges)
        self._running: Exchange[object] | None = None
        self._awaited: InvokeId | None = None
        self._fault = faults.get if isinstance(faults, Mapping) else faults
        self._bit, self._delays, self._overtaking, self._patience = bit, delays, overtaking, patience
        self._wire_ends = wire_ends
        self._to_meter, self._to_client = Direction(cutter()), Direction(cutter())

    def run(self) -> Outcome:
        """Until the client has closed; then until nothing is on the line and the meter waits for nothing. The wire is closed last."""
        self._events(self.client.open(self.now, self._patience))
        self._until(lambda: self.outcome.closed)
        self.outcome.ended = self.now
        self._until(
            lambda: not (self._to_meter.under_way or self._to_client.under_way or self.meter.deadline)
        )
        if self._wire_ends:
            self.meter.lost()
        self.outcome.left = self.meter.associated
        assert self.client.deadline is None, "the client awaits something after it has closed"
        return self.outcome

    def _until(self, over: Callable[[], bool]) -> None:
        for _ in range(MOST_STEPS):
            self._flush()
            if over():
                return
            self.now = max(self.now, self._next())
            assert self.now < LONGEST, "the conversation takes too long"
            self._step()
        raise AssertionError("the conversation never ends")

    def _next(self) -> float:
        moments = [way.under_way[0][0] for way in (self._to_meter, self._to_client) if way.under_way]
        moments += [each for each in (self.client.deadline, self.meter.deadline) if each is not None]
        assert moments, "the conversation hangs"
        return min(moments)

    def _step(self) -> None:
        for octets in self._arrived(self._to_meter):
            self.meter.receive(octets, self.now)
            self._flush()
        for octets in self._arrived(self._to_client):
            self._events(self.client.receive(octets, self.now))
            self._flush()
        self._events(self.client.tick(self.now))
        self.meter.tick(self.now)

    def _arrived(self, way: Direction) -> Iterable[bytes]:
        while way.under_way and way.under_way[0][0] <= self.now:
            yield way.under_way.popleft()[1]

    # ------------------------------------------------------------------------------------------ the client's user

    def _events(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            match event:
                case Associated():
                    self._start()
                case Answered(invoke_id, apdu) if invoke_id == self._awaited:
                    self._go_on(lambda running, apdu=apdu: running.send(apdu))  # type: ignore[misc]  # mypy infers no lambda with a default
                case RequestFailed(invoke_id, error) if invoke_id == self._awaited:
                    self._go_on(lambda running, error=error: running.throw(error))  # type: ignore[misc]  # as above
                case AssociationRefused(error) | AssociationEnded(error):
                    self._failed(error)
                case Released():
                    assert not self.outcome.closed, "released twice"
                    self.outcome.closed = True
                case _:
                    pass

    def _start(self) -> None:
        if not self._exchanges:
            self._running = None
            self._events(self.client.close(self.now, self._patience))
            return
        self._running = self._exchanges.popleft()
        self._go_on(next)

    def _go_on(self, step: Callable[[Exchange[object]], object]) -> None:
        assert self._running is not None
        self._awaited = None
        try:
            asked = step(self._running)
        except StopIteration as end:
            self.outcome.results.append(end.value)
            self._start()
            return
        except MeterwrightError as error:
            self._failed(error)
            return
        assert isinstance(asked, Ask)
        request: Apdu = asked.request
        deadline = self.now + self._patience
        self._awaited = self.client.request(request, self.now, deadline, continues=asked.continues)

    def _failed(self, error: MeterwrightError) -> None:
        if any(error is each for each in self.outcome.errors):
            return  # the request failed with what ended its association
        self.outcome.errors.append(error)
        if not self.outcome.closed:
            self._events(self.client.close(self.now, self._patience))

    # ------------------------------------------------------------------------------------------ the line

    def _flush(self) -> None:
        self._carry(self.client.data_to_send(), self._to_meter)
        self._carry(self.meter.data_to_send(), self._to_client)

    def _carry(self, octets: bytes, way: Direction) -> None:
        for frame in way.cut(octets) if octets else ():
            fault = self._fault(self.outcome.frames)
            self.outcome.frames += 1
            self._send(frame, way, fault)

    def _send(self, octets: bytes, way: Direction, fault: Fault | None) -> None:
        if fault is Fault.DROP:
            return
        if fault is Fault.CORRUPT:
            octets = flipped(octets, self._bit % (8 * len(octets)))
        delay = LATENCY if fault is None else self._delays.get(fault, LATENCY)
        arrival = self.now + delay
        if not self._overtaking:
            arrival = way.busy_until = max(arrival, way.busy_until)
        for _ in range(2 if fault is Fault.DUPLICATE else 1):
            way.under_way.append((arrival, octets))
        if self._overtaking:
            way.under_way = deque(sorted(way.under_way, key=lambda each: each[0]))
