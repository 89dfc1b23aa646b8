"""Simulated meters that want to be logged in to, in memory and virtual time, and clients that may do so."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from meterwright.client import Client, ClientCredentials, ClientSettings, CounterReading
from meterwright.companion import AssociationProfile
from meterwright.link import ServerLink, WrapperServer
from meterwright.security import (
    MECHANISMS,
    CounterStore,
    Keys,
    MemoryCounterStore,
    Secret,
    book_keys,
    book_pairs,
)
from meterwright.simulator import (
    LoopClock,
    MemoryStorage,
    MeterClock,
    MeterRunner,
    MeterSettings,
    MeterStorage,
    SecuritySettings,
    SimulatedMeter,
    is15959_meter,
    plain_meter,
)
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport, Interference, Wire
from meterwright.values import AuthenticationMechanism, Obis, Role, SecurityPolicy, SecuritySuite

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
TITLE: Final = b"MWCTESTS"
METER_TITLE: Final = bytes.fromhex("4D57530000000001")
PLAIN_SECRET: Final = Secret(b"12345678")
IS15959_SECRET: Final = Secret(b"1234567890123456")
PLAIN_COUNTER: Final = Obis.parse("0.0.43.1.0.255")

AUTHENTICATIONS: Final = (AuthenticationMechanism.LOWEST, AuthenticationMechanism.LOW, *MECHANISMS)
POLICIES: Final = tuple(SecurityPolicy)
SUITES: Final = tuple(SecuritySuite)


class Makes(Protocol):
    """Makes a meter on the storage that outlives it."""

    def __call__(self, storage: MeterStorage, clock: MeterClock) -> SimulatedMeter: ...


def plain(
    authentication: AuthenticationMechanism = AuthenticationMechanism.HIGH_GMAC,
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
    suite: SecuritySuite | None = None,
) -> Makes:
    """A plain meter with that security; its suite is 0 unless given, or 1 where it signs."""
    suite = suite or usual_suite(authentication)
    security = SecuritySettings(authentication=authentication, policy=policy, suite=suite)
    return lambda storage, clock: plain_meter(
        1, MeterSettings(security=security), storage=storage, clock=clock
    )


def usual_suite(authentication: AuthenticationMechanism) -> SecuritySuite:
    """The lowest suite that has all that this authentication wants."""
    return (
        SecuritySuite.SUITE_1
        if authentication is AuthenticationMechanism.HIGH_ECDSA
        else SecuritySuite.SUITE_0
    )


def is15959(settings: MeterSettings | None = None) -> Makes:
    """An IS 15959 meter."""
    return lambda storage, clock: is15959_meter(1, settings, storage=storage, clock=clock)


@dataclass
class Bench:
    """One meter's storage, and the meter on it. `counters` is what its clients remember."""

    make: Makes
    storage: MeterStorage = field(default_factory=MemoryStorage)
    counters: CounterStore = field(default_factory=MemoryCounterStore)
    interference: Interference | None = None
    link: Callable[[], ServerLink] = WrapperServer
    clock: LoopClock = field(default_factory=lambda: LoopClock(START))

    @asynccontextmanager
    async def on(self) -> AsyncGenerator[SimulatedMeter]:
        """Switch the meter on, with what its storage kept; off again at the end."""
        self.meter = self.make(self.storage, self.clock)
        self.runner = MeterRunner(self.meter, clock=self.clock, link=self.link)
        await self.runner.start()
        try:
            yield self.meter
        finally:
            await self.runner.stop()

    async def dial(self) -> AsyncTransport:
        """A new connection to the meter."""
        return await self.runner.dial(Wire(interference=self.interference))

    def client(self, client_sap: int, credentials: ClientCredentials | None = None) -> Client:
        """A client of it, not connected yet."""
        return Client(
            self.dial,
            ClientSettings(client_sap=client_sap, credentials=credentials or ClientCredentials()),
        )

    def manager(self, counter_reading: CounterReading = CounterReading.FIRST_USE) -> Client:
        """Client 1 of a plain meter with GMAC and authenticated encryption."""
        return self.client(1, given(counters=self.counters, counter_reading=counter_reading))

    def known(
        self, profile: AssociationProfile, counter_reading: CounterReading = CounterReading.FIRST_USE
    ) -> Client:
        """The client of an association of IS 15959."""
        if profile.authentication is AuthenticationMechanism.LOWEST:
            return self.client(profile.client_sap)
        credentials = given(
            profile.authentication,
            profile.policy,
            secret=IS15959_SECRET,
            counters=self.counters,
            counter_object=profile.counter,
            counter_reading=counter_reading,
        )
        return self.client(profile.client_sap, credentials)


def given(
    authentication: AuthenticationMechanism = AuthenticationMechanism.HIGH_GMAC,
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
    *,
    keys: Keys | None = None,
    secret: Secret | None = PLAIN_SECRET,
    counters: CounterStore | None = None,
    counter_object: Obis | None = PLAIN_COUNTER,
    counter_reading: CounterReading = CounterReading.FIRST_USE,
    title: bytes = TITLE,
) -> ClientCredentials:
    """What the client of a secured meter brings; with the books' keys unless others are given."""
    mechanism = MECHANISMS.get(authentication)
    needs_keys = bool(policy) or (mechanism is not None and mechanism.counts)
    signs = mechanism is not None and mechanism.needs_pairs
    keys = keys or book_keys(usual_suite(authentication))
    return ClientCredentials(
        authentication=authentication,
        policy=policy,
        secret=secret,
        keys=keys if needs_keys else None,
        pairs=book_pairs(keys.suite, Role.CLIENT) if signs else None,
        system_title=title,
        counters=(counters or MemoryCounterStore()) if needs_keys else None,
        counter_object=counter_object,
        counter_reading=counter_reading,
    )


def run(bench: Bench, scenario: Callable[[Bench], Coroutine[object, object, None]]) -> None:
    """Run a scenario in virtual time, the meter switched on."""

    async def main() -> None:
        async with bench.on():
            await scenario(bench)

    run_in_virtual_time(main())
