"""A line between a client and a meter in virtual time: every frame takes a while, and may meet a fault on its way.

A line keeps the order of what it carries: a frame that is delayed delays those behind it.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from meterwright.errors import MeterwrightError
from meterwright.link.hdlc import HdlcClient, HdlcFramer, HdlcServer
from meterwright.link.machine import (
    ApduReceived,
    LinkClosed,
    LinkEvent,
    LinkFailed,
    LinkMachine,
    LinkOpened,
)

LATENCY = 0.01
MOST_STEPS = 20_000


class Fault(Enum):
    DROP = "drop"
    DUPLICATE = "duplicate"
    CORRUPT = "corrupt"
    TRUNCATE = "truncate"
    NOISE = "noise before"
    LATE = "late, but in time"
    TOO_LATE = "after one time-out"
    MUCH_TOO_LATE = "after two time-outs"


DELAYS = {Fault.LATE: 0.6, Fault.TOO_LATE: 1.5, Fault.MUCH_TOO_LATE: 2.5}
"""In seconds, where the client's response time-out is one."""


@dataclass
class Outcome:
    """What both sides have seen."""

    requests: list[bytes] = field(default_factory=list[bytes])
    answers: list[bytes] = field(default_factory=list[bytes])
    error: MeterwrightError | None = None
    closed: bool = False
    frames: int = 0
    ended: float = 0.0


@dataclass
class Direction:
    """One way of the line."""

    receiver: LinkMachine
    framer: HdlcFramer = field(default_factory=HdlcFramer)
    under_way: deque[tuple[float, bytes]] = field(default_factory=deque[tuple[float, bytes]])
    busy_until: float = 0.0


class Conversation:
    """A client that asks `requests` one after the other, then disconnects; and a meter that answers each."""

    def __init__(
        self,
        client: HdlcClient,
        server: HdlcServer,
        requests: Sequence[bytes],
        answer: Callable[[bytes], bytes],
        *,
        faults: Mapping[int, Fault] | Callable[[int], Fault | None] = {},  # noqa: B006 - only read
        thinks: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.client = client
        self.server = server
        self.outcome = Outcome()
        self._requests = list(requests)
        self._answer = answer
        self._fault = faults.get if isinstance(faults, Mapping) else faults
        self._thinks = thinks
        self._random = random.Random(seed)
        self._now = 0.0
        self._to_server = Direction(server)
        self._to_client = Direction(client)
        self._thought: deque[tuple[float, bytes]] = deque()

    def run(self) -> Outcome:
        """Until the client has closed or failed. AssertionError where nothing more would ever happen."""
        self._client_events(self.client.open(self._now))
        for _ in range(MOST_STEPS):
            self._flush()
            if self.outcome.closed or self.outcome.error is not None:
                self.outcome.ended = self._now
                return self.outcome
            self._now = max(self._now, self._next())
            self._step()
        raise AssertionError("the conversation never ends")

    def _next(self) -> float:
        moments = [queue[0][0] for queue in (self._to_server.under_way, self._to_client.under_way) if queue]
        moments += [each for each in (self.client.deadline, self.server.deadline) if each is not None]
        if self._thought:
            moments.append(self._thought[0][0])
        assert moments, "the conversation hangs"
        return min(moments)

    def _step(self) -> None:
        for direction in (self._to_server, self._to_client):
            while direction.under_way and direction.under_way[0][0] <= self._now:
                _, octets = direction.under_way.popleft()
                events = direction.receiver.receive(octets, self._now)
                self._flush()
                (self._server_events if direction is self._to_server else self._client_events)(events)
                self._flush()
        while self._thought and self._thought[0][0] <= self._now:
            _, answer = self._thought.popleft()
            if self.server.is_open:
                self.server.send(answer, self._now)
        self._client_events(self.client.tick(self._now))
        self._server_events(self.server.tick(self._now))

    def _client_events(self, events: Sequence[LinkEvent]) -> None:
        for event in events:
            match event:
                case LinkOpened():
                    self._ask_next()
                case ApduReceived(apdu):
                    self.outcome.answers.append(apdu)
                    self._ask_next()
                case LinkClosed():
                    self.outcome.closed = True
                case LinkFailed(error):
                    assert self.outcome.error is None, "one error is enough"
                    self.outcome.error = error
                case _:
                    raise AssertionError(event)

    def _ask_next(self) -> None:
        if self._requests:
            self.client.send(self._requests.pop(0), self._now)
        else:
            self._client_events(self.client.close(self._now))

    def _server_events(self, events: Sequence[LinkEvent]) -> None:
        for event in events:
            if isinstance(event, ApduReceived):
                self.outcome.requests.append(event.apdu)
                answer = self._answer(event.apdu)
                if self._thinks:
                    self._thought.append((self._now + self._thinks, answer))
                else:
                    self.server.send(answer, self._now)

    def _flush(self) -> None:
        self._carry(self.client.data_to_send(), self._to_server)
        self._carry(self.server.data_to_send(), self._to_client)

    def _carry(self, octets: bytes, direction: Direction) -> None:
        for frame in direction.framer.receive(octets) if octets else ():
            fault = self._fault(self.outcome.frames)
            self.outcome.frames += 1
            self._send(frame.to_octets(), direction, fault)

    def _send(self, octets: bytes, direction: Direction, fault: Fault | None) -> None:
        copies = 1
        match fault:
            case Fault.DROP:
                return
            case Fault.DUPLICATE:
                copies = 2
            case Fault.CORRUPT:
                octets = flipped(octets, self._random.randrange(8 * len(octets)))
            case Fault.TRUNCATE:
                octets = octets[: self._random.randrange(1, len(octets))]
            case Fault.NOISE:
                octets = self._random.choice(NOISES) + octets
            case _:
                pass
        delay = LATENCY if fault is None else DELAYS.get(fault, LATENCY)
        arrival = max(self._now + delay, direction.busy_until)
        for _ in range(copies):
            direction.under_way.append((arrival, octets))
        direction.busy_until = arrival


NOISES = (b"\x7e", b"\x7e\xa7\xff", b"\x00\xff\x55", b"\x7e\xa0\x20\x03\x21", b"~" * 5, bytes(range(64)))


def flipped(octets: bytes, bit: int) -> bytes:
    """`octets` with one bit the other way round."""
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
