"""Invocation counters of a simulated meter: each association counts alone, nothing goes back, nothing is sent twice."""

import json
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from tests.simulator.secured import (
    PLAIN_COUNTER,
    POLICIES,
    START,
    Bench,
    Makes,
    given,
    is15959,
    plain,
    run,
)

from meterwright.apdu import Aare, AttributeDescriptor, decode_apdu
from meterwright.client import Client, CounterReading
from meterwright.companion import IS15959, AssociationProfile
from meterwright.companion.is15959 import FIRMWARE_CLIENT, METER_READER, UTILITY_SETTING
from meterwright.cosem import Clock, DataObject
from meterwright.data import double_long_unsigned
from meterwright.errors import MeterwrightError
from meterwright.link import WrapperFramer
from meterwright.security import (
    CounterOwner,
    MemoryCounterStore,
    SecurityViolation,
    SendCounter,
    book_keys,
    is_ciphered,
    read_envelope,
)
from meterwright.simulator import (
    DirectoryStorage,
    Disk,
    ImageMachine,
    ManualClock,
    MemoryStorage,
    MeterSettings,
)
from meterwright.simulator.counters import KeptCounter, MeterCounterStore
from meterwright.simulator.parts import image_machine
from meterwright.testing import run_in_virtual_time
from meterwright.values import AuthenticationMechanism, Obis, SecurityPolicy

SECURED: Final = (METER_READER, UTILITY_SETTING, FIRMWARE_CLIENT)
NAME: Final = "0.0.42.0.0.255"
OWNER: Final = CounterOwner.of(book_keys().global_unicast, b"MWSTEST1")
GMAC: Final = AuthenticationMechanism.HIGH_GMAC
ENCRYPTED: Final = SecurityPolicy.ENCRYPTED


def last_sent(client: Client) -> int:
    """The number of the APDU that the client sent last."""
    send = client._security._send
    assert send is not None
    assert send.last is not None
    return send.last


async def shown(client: Client, counter: Obis) -> int:
    """What the meter says of a counter."""
    return double_long_unsigned.from_data(await client.read(AttributeDescriptor(1, counter, 2)))


class TestReceived:
    @pytest.mark.parametrize("policy", POLICIES[1:], ids=lambda each: each.label)
    def test_what_was_accepted_last_is_shown_and_kept(self, policy: SecurityPolicy, tmp_path: Path) -> None:
        async def scenario(bench: Bench) -> None:
            credentials = given(GMAC, policy, counters=bench.counters)
            for _ in range(3):
                async with bench.client(1, credentials) as client:
                    for _ in range(3):
                        assert await shown(client, PLAIN_COUNTER) == last_sent(client)
                        assert kept(tmp_path) == {str(PLAIN_COUNTER): last_sent(client)}
                async with bench.client(16) as public:
                    assert await shown(public, PLAIN_COUNTER) == kept(tmp_path)[str(PLAIN_COUNTER)]

        run(Bench(plain(GMAC, policy), DirectoryStorage(tmp_path)), scenario)

    def test_each_association_counts_alone(self) -> None:
        async def scenario(bench: Bench) -> None:
            async with bench.client(16) as public:
                assert [await shown(public, named(each)) for each in SECURED] == [0, 0, 0]
            for profile in SECURED:
                before = dict(bench.meter.machine.record.counters)
                async with bench.known(profile, CounterReading.NEVER) as client:
                    assert await shown(client, named(profile)) == last_sent(client)
                after = dict(bench.meter.machine.record.counters)
                assert after.pop(str(profile.counter)) > 0
                before.pop(str(profile.counter), None)
                assert after == before
            async with bench.client(16) as public:
                counts = {str(named(each)): await shown(public, named(each)) for each in SECURED}
            assert counts == bench.meter.machine.record.counters
            assert len(set(counts.values())) == 3

        run(Bench(is15959()), scenario)

    @pytest.mark.parametrize("policy", POLICIES[1:], ids=lambda each: each.label)
    def test_they_survive_the_meter(self, policy: SecurityPolicy) -> None:
        bench = Bench(plain(GMAC, policy))
        seen: list[int] = []

        async def session() -> None:
            async with bench.on():
                async with bench.client(16) as public:
                    seen.append(await shown(public, PLAIN_COUNTER))
                async with bench.client(1, given(GMAC, policy, counters=bench.counters)) as client:
                    seen.append(await shown(client, PLAIN_COUNTER))
                    assert await shown(client, PLAIN_COUNTER) == last_sent(client)
                    seen.append(last_sent(client) + 1)  # that of the release, which is protected too

        for _ in range(4):
            run_in_virtual_time(session())
        assert seen == sorted(seen)
        assert seen[0] == 0
        assert [seen[index] for index in (3, 6, 9)] == [seen[index] for index in (2, 5, 8)]

    def test_who_counts_below_fails_once_is_told_and_catches_up(self) -> None:
        async def scenario(bench: Bench) -> None:
            async with bench.manager() as client:
                known = last_sent(client)
            bench.counters = MemoryCounterStore()  # as after a backup was brought back: far behind
            behind = given(counters=bench.counters, counter_object=None)
            async with bench.client(1, behind) as client:
                assert last_sent(client) > known
            assert bench.meter.machine.record.failed_logins == 1
            async with bench.client(1, given()) as client:  # it reads the counter first, and so never fails
                assert last_sent(client) > known
            assert bench.meter.machine.record.failed_logins == 1

        run(Bench(plain()), scenario)

    @drawn(numbers=st.lists(st.tuples(st.integers(0, 3000), st.booleans(), st.booleans()), max_size=40))
    def test_what_is_verified_never_goes_back(self, numbers: list[tuple[int, bool, bool]]) -> None:
        storage = MemoryStorage()
        counter = fresh_counter(storage)
        greatest = 0
        for number, verified, restarts in numbers:
            if restarts:
                again = fresh_counter(storage)
                assert again.value == counter.value
                counter = again
            try:
                counter.check(number, verifiable=verified)
            except SecurityViolation:
                continue
            counter.accept(number, verified=verified)
            if verified:
                assert number > greatest or number == greatest == 0
                greatest = number
            assert counter.value == number

    def test_what_cannot_be_kept_is_not_accepted(self, tmp_path: Path) -> None:
        disk = FullDisk()

        async def scenario(bench: Bench) -> None:
            troubles: list[Exception] = []
            bench.meter.trouble = troubles.append
            async with bench.manager() as client:
                await Clock(client).time.get()
                before = kept(tmp_path)
                disk.full = True
                with pytest.raises(MeterwrightError):
                    await Clock(client).shift_time.invoke(5)
                disk.full = False
                assert kept(tmp_path) == before
            async with bench.manager() as client:
                time = (await Clock(client).time.get()).to_datetime()
            assert (time - START).total_seconds() < 5

        run(Bench(plain(), DirectoryStorage(tmp_path, disk)), scenario)


class FullDisk(Disk):
    """A disk that may be full."""

    full = False

    def replace(self, path: Path, content: bytes, *, mode: int = 0o644) -> None:
        self._refuse()
        super().replace(path, content, mode=mode)

    def write_at(self, file: FileIO, offset: int, octets: bytes) -> None:
        self._refuse()
        super().write_at(file, offset, octets)

    def _refuse(self) -> None:
        if self.full:
            raise OSError(28, "No space left on this disk")


class TestSent:
    @pytest.mark.parametrize("make", [plain(), is15959()], ids=["plain", "is15959"])
    def test_no_number_is_sent_twice_whatever_becomes_of_the_meter(self, make: Makes) -> None:
        sent: list[int] = []
        framers: list[WrapperFramer] = []

        def listen(from_client: bool, octets: bytes) -> Iterable[bytes]:
            if not from_client:
                sent.extend(numbers_of(framers[-1], octets))
            return [octets]

        bench = Bench(make, interference=listen)

        async def session() -> None:
            async with bench.on():
                for client in secured_clients(bench):
                    framers.append(WrapperFramer())
                    async with client:
                        for _ in range(5):
                            await DataObject(client, NAME).value.get()

        for _ in range(5):
            run_in_virtual_time(session())
        assert len(sent) > 5 * 5
        assert len(set(sent)) == len(sent)
        assert sent == sorted(sent)

    @drawn(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(1, 5))
    def test_a_range_is_kept_before_it_is_used(self, uses: list[int], batch: int) -> None:
        """Cut off at any moment: every number that was used is below what the next process begins with."""
        storage = MemoryStorage()
        used: list[int] = []
        for count in uses:
            send = SendCounter(MeterCounterStore(machine_on(storage)), OWNER, batch=batch)
            used += [send.next() for _ in range(count)]
        assert used == sorted(set(used))


def secured_clients(bench: Bench) -> list[Client]:
    if bench.meter.associations[0].client_sap == 1:
        return [bench.manager()]
    return [bench.known(each) for each in IS15959.associations if each.policy]


def numbers_of(framer: WrapperFramer, octets: bytes) -> Iterable[int]:
    """The invocation counters that can be seen on the wire."""
    for frame in framer.receive(octets):
        apdu = frame.apdu
        if not is_ciphered(apdu):
            answer = decode_apdu(apdu)
            apdu = (answer.user_information if isinstance(answer, Aare) else None) or b""
        if is_ciphered(apdu):
            yield read_envelope(apdu).counter


def machine_on(storage: MemoryStorage) -> ImageMachine:
    return image_machine("MWS0000000001", MeterSettings(), storage, ManualClock(START))


def fresh_counter(storage: MemoryStorage) -> KeptCounter:
    """A counter as it comes back with its meter."""
    return KeptCounter(machine_on(storage), PLAIN_COUNTER)


def named(profile: AssociationProfile) -> Obis:
    assert profile.counter is not None
    return profile.counter


def kept(folder: Path) -> dict[str, int]:
    """The counters that state.json holds."""
    counters: dict[str, int] = json.loads((folder / "state.json").read_text("ascii"))["counters"]
    return counters
