"""A row of the table of troubles: what is wrong between a client and a meter, and how it must end."""

from dataclasses import dataclass, field
from typing import Final

from tests.client.faulty_meters import Bench, Faulty
from tests.client.given import PATIENT, QUICK, Given, Link

from meterwright.client import Timeouts
from meterwright.errors import (
    MeterwrightError,
    SecurityError,
)
from meterwright.security import (
    CounterRecord,
    CounterStore,
)

_BATCH: Final = 256
BOTH: Final = (Link.WRAPPER, Link.HDLC)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A row: what is wrong, and how it must end. `error` is None where the client gets in all the same.

    `reserved` and `accepted` are what our store knows before. `logins`: how many AARQs the meter may see from this client,
    `readings`: how often its counter object is read. `causes`: words that the next step must have. Rows that are `alike` cannot
    be told apart from here, and have one text.
    """

    symptom: str
    error: type[MeterwrightError] | None
    code: int
    links: tuple[Link, ...] = BOTH
    given: Given = field(default_factory=Given)
    meter: Faulty = field(default_factory=Faulty)
    reserved: int | None = 256
    accepted: int | None = None
    logins: int = 1
    readings: int = 0
    findings: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    alike: str = ""

    @property
    def timeouts(self) -> Timeouts:
        """How long to wait in real time."""
        return QUICK if "stays silent" in self.symptom else PATIENT

    @property
    def is_forged(self) -> bool:
        """Whether a value is told that must not be followed."""
        return self.error is SecurityError

    def prepare(self, store: CounterStore, peer: str = "") -> CounterRecord:
        """Let our store know what it is to know before, of the meter that the client calls `peer`; what that is."""
        if self.reserved is not None:
            store.reserve(self.given.owner, self.reserved)
        if self.accepted is not None:
            store.accepted(self.given.owner.toward(peer), self.accepted)
        return store.record(self.given.owner)

    def check(self, bench: Bench, before: CounterRecord, after: CounterRecord) -> None:
        """What holds however the client is driven: at the meter, and in our store."""
        assert bench.logins(self.given.client) == self.logins
        assert bench.watch.readings == self.readings
        assert bench.is_released
        greatest = before.reserved or 0
        assert (after.reserved or 0) >= greatest
        assert (after.accepted or 0) >= (before.accepted or 0)
        numbers = [use.counter for use in bench.uses() if use.client == self.given.client]
        assert all(number > greatest for number in numbers)
        assert len(numbers) == len(set(numbers))
        if self.is_forged:
            assert (after.reserved or 0) <= greatest + _BATCH
