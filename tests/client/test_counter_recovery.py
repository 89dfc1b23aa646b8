"""Coming back to a meter: after it closed, after it restarted, after others used our key; nothing is lowered, nothing asked twice.

What a single opening does is in the table of troubles; here are conversations of several.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.client.faulty_meters import Bench, Faulty, Instead, Served
from tests.client.given import METER_KEYS, PATIENT, PUBLIC, SECRET, Given, Link
from tests.client.misdeeds import COUNTER_ERROR, instead_of

from meterwright.apdu import Aarq, AttributeDescriptor, GetRequestNormal, Rlrq
from meterwright.client import BlockingClient, Client, CounterReading, FileCounterStore, MeterAddress
from meterwright.errors import ConnectionLost, ExceptionResponseError, MeterwrightError
from meterwright.link import HdlcServer
from meterwright.security import MemoryCounterStore, Secret, SecurityViolation, Violation
from meterwright.simulator import SecuritySettings
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport
from meterwright.values import AuthenticationMechanism, DataAccessResult, Obis, SecurityPolicy

NAME = AttributeDescriptor(1, Obis.parse("0.0.42.0.0.255"), 2)
LINKS = pytest.mark.parametrize("link", Link, ids=lambda link: link.value)


@dataclass
class Story:
    """A client with a store, and the meters it meets, one after the other, at one place."""

    link: Link
    folder: Path
    given: Given = field(default_factory=Given)
    benches: list[Bench] = field(default_factory=list[Bench])
    cuts: int = 0
    """How often the line fell, so that nobody could be released."""

    async def meter(self, faulty: Faulty | None = None) -> Bench:
        """Put a meter there, instead of the one that was."""
        await self.leave()
        self.cuts += bool(self.benches)
        bench = Bench(faulty or Faulty(), self.link)
        self.benches.append(bench)
        await bench.start()
        return bench

    async def leave(self) -> None:
        """Switch the meter off."""
        if self.benches:
            await self.benches[-1].stop()

    async def dial(self) -> AsyncTransport:
        """A connection to whichever meter is there."""
        return await self.benches[-1].dial()

    @property
    def store(self) -> FileCounterStore:
        """Our store, as another program would open it."""
        return FileCounterStore(self.folder)

    @property
    def reserved(self) -> int:
        """The greatest number that was ever reserved."""
        return self.store.record(self.given.owner).reserved or 0

    def client(self) -> Client:
        """A client of the meter."""
        return Client(self.dial, self.given.settings(self.link, self.store))

    def numbers(self) -> list[int]:
        """The numbers that reached all these meters, in their order."""
        return [use.counter for bench in self.benches for use in bench.uses()]


def tell(
    link: Link,
    folder: Path,
    scenario: Callable[[Story], Coroutine[Any, Any, None]],
    given: Given | None = None,
) -> None:
    """Play a scenario; at its end every number has been greater than the one before, and the meters are released."""

    async def whole() -> None:
        story = Story(link, folder, given or Given())
        await scenario(story)
        await story.leave()
        numbers = story.numbers()
        assert numbers == sorted(set(numbers))
        assert story.reserved >= max(numbers, default=0)
        assert sum(left for bench in story.benches for left in bench.left_open) <= story.cuts

    run_in_virtual_time(whole())


@LINKS
class TestComingBack:
    """The same client, again."""

    def test_after_the_meter_closed_the_connection(self, link: Link, tmp_path: Path) -> None:
        async def scenario(story: Story) -> None:
            bench, client = await story.meter(), story.client()
            await client.connect()
            for times in range(1, 4):
                before = story.reserved
                await client.read(NAME)
                bench.wires[-1].cut()
                story.cuts += 1
                with pytest.raises(ConnectionLost):
                    await client.read(NAME)
                await client.close()
                await client.connect()
                assert bench.logins(story.given.client) == 1 + times
                assert story.reserved >= before
            assert bench.watch.readings == 1  # at the very first, as the store was new
            assert client.findings == []
            await client.close()

        tell(link, tmp_path, scenario)

    def test_after_a_restart_in_which_the_meter_lost_its_own_counter(
        self, link: Link, tmp_path: Path
    ) -> None:
        async def scenario(story: Story) -> None:
            await story.meter()
            client = story.client()
            await client.connect()
            for _ in range(5):
                await client.read(NAME)
            last = story.numbers()[-1]
            bench = await story.meter(Faulty(accepted=last))
            with pytest.raises(ConnectionLost):
                await client.read(NAME)
            await client.close()
            await client.connect()
            assert await client.read(NAME)
            assert bench.logins(story.given.client) == 1
            assert client.findings == []
            await client.close()

        tell(link, tmp_path, scenario)

    def test_after_a_restart_without_a_challenge_the_same_client_believes_nothing(
        self, link: Link, tmp_path: Path
    ) -> None:
        """A password proves nothing about the meter: what it says may be recorded. Whoever begins anew may believe it."""
        low = SecuritySettings(
            authentication=AuthenticationMechanism.LOW,
            policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
            secret=Secret(SECRET),
            keys=METER_KEYS,
        )

        async def scenario(story: Story) -> None:
            await story.meter(Faulty(security=low))
            client = story.client()
            await client.connect()
            await client.read(NAME)
            bench = await story.meter(Faulty(security=low, accepted=story.numbers()[-1]))
            await client.close()
            with pytest.raises(SecurityViolation) as caught:
                await client.connect()
            assert caught.value.violation is Violation.COUNTER
            assert "lost its counter" in caught.value.hint
            assert bench.logins(story.given.client) == 1
            async with story.client() as another:
                assert await another.read(NAME)

        tell(link, tmp_path, scenario, Given(authentication=AuthenticationMechanism.LOW))

    @pytest.mark.parametrize(
        ("answer", "readings"),
        [(None, 0), (COUNTER_ERROR, 1), (Instead.CLOSE, 1), (Instead.SILENCE, 1)],
        ids=["told", "not told", "closes", "stays silent"],
    )
    def test_after_another_program_used_our_key_it_catches_up_once(
        self, link: Link, tmp_path: Path, answer: bytes | Instead | None, readings: int
    ) -> None:
        faulty = Faulty() if answer is None else Faulty(answers=instead_of(COUNTER_ERROR, answer))

        async def scenario(story: Story) -> None:
            bench, client = await story.meter(faulty), story.client()
            async with client:
                await client.read(NAME)
            heard = len(bench.heard)
            await use_elsewhere(story)
            del bench.heard[heard:]  # what others spend is not of ours
            bench.watch.logins.clear()
            bench.watch.readings = 0
            for logins in (2, 3, 4):
                async with client:
                    await client.read(NAME)
                assert bench.logins(story.given.client) == logins
            assert bench.watch.readings == readings
            assert [each.code for each in client.findings] == ["counter-ahead"]

        tell(link, tmp_path, scenario)


async def use_elsewhere(story: Story) -> None:
    """Another program, with a store of its own, has the same key and title, and is far ahead."""
    elsewhere = MemoryCounterStore()
    elsewhere.reserve(story.given.owner, 9000)
    async with Client(story.dial, story.given.settings(story.link, elsewhere)) as other:
        await other.read(NAME)


@LINKS
class TestReading:
    """The counter is read over the public client, which is let go of before ours comes."""

    @pytest.mark.parametrize("shows", [None, DataAccessResult.OBJECT_UNDEFINED], ids=["told", "refused"])
    def test_one_association_at_a_time(
        self, link: Link, tmp_path: Path, shows: DataAccessResult | None
    ) -> None:
        async def scenario(story: Story) -> None:
            bench = await story.meter(Faulty(shows=shows))
            async with story.client():
                pass
            heard = [
                (each.client, each.apdu[:1]) for each in bench.heard if each.apdu[0] in (0x60, 0x62, 0xC0)
            ]
            assert heard == [
                (PUBLIC, Aarq.prefix),
                (PUBLIC, GetRequestNormal.prefix[:1]),
                (PUBLIC, Rlrq.prefix),
                (story.given.client, Aarq.prefix),
                (story.given.client, Rlrq.prefix),
            ]

        tell(link, tmp_path, scenario)

    def test_never_is_never(self, link: Link, tmp_path: Path) -> None:
        async def scenario(story: Story) -> None:
            bench = await story.meter(Faulty(accepted=5000, answers=instead_of(COUNTER_ERROR, COUNTER_ERROR)))
            with pytest.raises(ExceptionResponseError) as caught:
                await story.client().connect()
            assert "counter_reading" in caught.value.hint
            assert bench.logins(PUBLIC) == 0
            assert bench.logins(story.given.client) == 1

        tell(link, tmp_path, scenario, Given(reading=CounterReading.NEVER))

    def test_what_an_exception_tells_is_followed_all_the_same(self, link: Link, tmp_path: Path) -> None:
        async def scenario(story: Story) -> None:
            bench = await story.meter(Faulty(accepted=5000))
            async with story.client():
                assert bench.logins(PUBLIC) == 0
                assert bench.logins(story.given.client) == 2

        tell(link, tmp_path, scenario, Given(reading=CounterReading.NEVER))

    def test_always_is_each_time(self, link: Link, tmp_path: Path) -> None:
        async def scenario(story: Story) -> None:
            bench, client = await story.meter(), story.client()
            for times in (1, 2, 3):
                async with client:
                    assert bench.watch.readings == times
            assert client.findings == []

        tell(link, tmp_path, scenario, Given(reading=CounterReading.ALWAYS))


class TestAGivenConnection:
    """Who has but one connection catches up on it, as long as it stands."""

    def test_the_meter_says_so(self, tmp_path: Path) -> None:
        async def scenario(story: Story) -> None:
            story.store.reserve(story.given.owner, 1)
            bench = await story.meter(Faulty(accepted=5000))
            settings = story.given.settings(story.link, story.store)
            async with Client.over(await story.dial(), settings) as client:
                assert await client.read(NAME)
            assert bench.logins(story.given.client) == 2

        tell(Link.WRAPPER, tmp_path, scenario)

    def test_the_meter_closes_it(self, tmp_path: Path) -> None:
        async def scenario(story: Story) -> None:
            story.store.reserve(story.given.owner, 1)
            bench = await story.meter(Faulty(accepted=5000, answers=instead_of(COUNTER_ERROR, Instead.CLOSE)))
            client = Client.over(await story.dial(), story.given.settings(story.link, story.store))
            with pytest.raises(ConnectionLost):
                await client.connect()
            assert bench.logins(story.given.client) == 1

        tell(Link.WRAPPER, tmp_path, scenario)


def test_the_blocking_twin_comes_back_too(tmp_path: Path) -> None:
    given = Given()
    store = FileCounterStore(tmp_path)
    with Served(Faulty(), Link.WRAPPER) as served:
        client = BlockingClient(
            MeterAddress.parse(given.url(Link.WRAPPER, served.port)),
            given.settings(Link.WRAPPER, store, PATIENT),
        )
        for times in (1, 2, 3):
            client.connect()
            assert client.read(NAME)
            served.drop()
            with pytest.raises(MeterwrightError):
                client.read(NAME)
            client.close()
            assert served.bench.logins(given.client) == times
        assert served.bench.watch.readings == 1
        numbers = [use.counter for use in served.bench.uses()]
    assert numbers == sorted(set(numbers))
    assert (store.record(given.owner).reserved or 0) >= numbers[-1]


class Gateway(HdlcServer):
    """A meter behind a gateway: it does not notice that the connection to the gateway is gone."""

    def lost(self) -> None:
        self._outgoing.clear()


def test_a_meter_behind_a_gateway_is_freed_before_its_counter_is_read(tmp_path: Path) -> None:
    """It still holds our HDLC connection, and would say DM to its public client."""
    gateway = Gateway()

    async def scenario(story: Story) -> None:
        story.store.reserve(story.given.owner, 1)
        closes = instead_of(COUNTER_ERROR, Instead.CLOSE)
        bench = await story.meter(Faulty(accepted=5000, answers=closes, line=lambda: gateway))
        async with story.client() as client:
            assert await client.read(NAME)
        assert bench.logins(story.given.client) == 2
        assert not gateway.is_open

    tell(Link.HDLC, tmp_path, scenario)
