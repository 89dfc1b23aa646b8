"""No number protects two APDUs: whoever shares a key, a title and a store, whatever is killed, forked or lost meanwhile.

Meters in this process, each on a port, note every number that reaches them, those inside of the answers to a challenge too.
Programs of their own share one folder of counters; they are killed when a meter has heard enough of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.client.faulty_meters import Bench, Faulty, FaultyLink, Served, as_it_is
from tests.client.given import METER_KEYS, SECRET, Given, Link
from tests.client.nonces import Heard, Use, uses_in

from meterwright.apdu import AttributeDescriptor
from meterwright.client import Client, FileCounterStore
from meterwright.client.carriers import Hdlc
from meterwright.companion.is15959 import FIRMWARE_CLIENT, UTILITY_SETTING
from meterwright.link import WrapperServer
from meterwright.link.hdlc import FrameKind, HdlcFramer
from meterwright.security import Secret, is_ciphered, read_envelope
from meterwright.simulator import MeterRunner, SecuritySettings, is15959_meter
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport, Wire
from meterwright.values import AuthenticationMechanism, Obis, SecurityPolicy

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
NAME = AttributeDescriptor(1, Obis.parse("0.0.42.0.0.255"), 2)
GIVEN = Given(authentication=AuthenticationMechanism.HIGH_GMAC)
METER = Faulty(
    security=SecuritySettings(
        authentication=AuthenticationMechanism.HIGH_GMAC,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        secret=Secret(SECRET),
        keys=METER_KEYS,
    )
)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals and fork of POSIX")

PROGRAM = """
import os, signal, sys
from pathlib import Path
from tests.client.given import Given, Link
from tests.client.test_counters_in_use import GIVEN, NAME
from meterwright.client import BlockingClient, FileCounterStore
from meterwright.transport import connect_blocking

class Store(FileCounterStore):
    "dies with its n-th reservation, when it is made and nothing of it is sent"
    left = -1
    def reserve(self, *arguments, **named):
        numbers = super().reserve(*arguments, **named)
        self.left -= 1
        if not self.left:
            die()
        return numbers

def die():
    os.kill(os.getpid(), signal.SIGKILL)

ports = [int(each) for each in sys.argv[2].split(",")]
store = Store(Path(sys.argv[1]))
client = BlockingClient(lambda: connect_blocking("127.0.0.1", ports[0], 10), GIVEN.settings(Link.WRAPPER, store))

def associations(count, reads):
    for _ in range(count):
        with client:
            for _ in range(reads):
                client.read(NAME)
"""
WORK = "associations(10, 60)"
FOR_EVER = "associations(10**6, 37)"
IN_AN_ASSOCIATION = """
client.connect()
for _ in range(20):
    client.read(NAME)
die()
"""
BETWEEN = """
store.left = 2
associations(10**6, 100)
"""
FORK = """
associations(2, 20)
if os.fork() == 0:
    ports.reverse()
associations(4, 40)
"""


@contextmanager
def program(folder: Path, ports: Iterable[int], code: str) -> Generator[subprocess.Popen[bytes]]:
    """A program of its own."""
    told = ",".join(map(str, ports))
    command = [sys.executable, "-c", PROGRAM + code, str(folder), told]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as started:
        try:
            yield started
        finally:
            started.kill()


def ends(started: subprocess.Popen[bytes], how: int = 0) -> None:
    """Wait for its end."""
    _, complaint = started.communicate(timeout=PATIENCE)
    assert complaint.decode() == ""
    assert started.returncode == how


def require_each_once(uses: Iterable[Use], store: FileCounterStore) -> int:
    """Every number of our title protected one thing; how many there are."""
    uses = list(uses)
    numbers = [use.counter for use in uses]
    assert {use.title for use in uses} == {GIVEN.title}
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) <= (store.record(GIVEN.owner).reserved or 0)
    return len(numbers)


def is_proof(use: Use) -> bool:
    """Whether the number stands in the answer to a challenge, and not before an APDU."""
    return not is_ciphered(use.what)


@needs_posix
def test_two_programs_at_once_and_killings(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    with Served(METER, Link.WRAPPER, 1) as one, Served(METER, Link.WRAPPER, 2) as two:
        with program(tmp_path, [two.port], FOR_EVER) as beside:
            with program(tmp_path, [one.port], WORK) as worker:
                ends(worker)
            for apdus in (1, 3, 40, 300):
                killed_after(one, store, tmp_path, apdus)
            for code in (IN_AN_ASSOCIATION, BETWEEN):
                before, heard = store.record(GIVEN.owner).reserved or 0, len(one.bench.uses())
                with program(tmp_path, [one.port], code) as suicide:
                    ends(suicide, -signal.SIGKILL)
                assert all(use.counter > before for use in one.bench.uses()[heard:])
            assert beside.poll() is None
            beside.kill()
        uses = [*one.bench.uses(), *two.bench.uses()]
    assert require_each_once(uses, store) > 2000
    assert {use.client for use in uses if is_proof(use)} == {GIVEN.client}


def killed_after(meter: Served, store: FileCounterStore, folder: Path, apdus: int) -> None:
    """A program is killed once the meter has heard so many more APDUs; all it sent was above what was reserved before."""
    before, heard = store.record(GIVEN.owner).reserved or 0, len(meter.bench.uses())
    arrived = len(meter.bench.heard)
    with program(folder, [meter.port], FOR_EVER) as started:
        meter.wait_until(lambda: len(meter.bench.heard) >= arrived + apdus)
        started.kill()
    meter.await_release()
    fresh = meter.bench.uses()[heard:]
    assert fresh
    assert all(use.counter > before for use in fresh)


@needs_posix
def test_both_sides_of_a_fork_go_on(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    with Served(METER, Link.WRAPPER, 1) as one, Served(METER, Link.WRAPPER, 2) as two:
        with program(tmp_path, [one.port, two.port], FORK) as forks:
            ends(forks)
            two.wait_until(lambda: two.bench.logins(GIVEN.client) == 4 and two.bench.is_released)
        assert one.bench.logins(GIVEN.client) == 6
        assert require_each_once([*one.bench.uses(), *two.bench.uses()], store) > 350


def test_two_client_addresses_of_one_meter_with_one_key(tmp_path: Path) -> None:
    """Each address has a counter of its own in the meter; ours is one, as the key is one."""
    secret = Secret(b"s3same-is-16-oct")
    heard: list[Heard] = []

    async def scenario() -> None:
        meter = is15959_meter(1, secret=secret, keys=METER_KEYS)
        runner = MeterRunner(meter, link=lambda: FaultyLink(WrapperServer(), as_it_is, heard, []))
        await runner.start()
        clients: list[Client] = []
        for profile in (UTILITY_SETTING, FIRMWARE_CLIENT):
            given = Given(
                client=profile.client_sap,
                authentication=profile.authentication,
                secret=secret.reveal(),
                counter_object=profile.counter or GIVEN.counter_object,
            )
            clients.append(Client(runner.dial, given.settings(Link.WRAPPER, FileCounterStore(tmp_path))))
        for _ in range(5):
            for client in clients:
                await client.connect()
            for _ in range(100):
                for client in clients:
                    await client.read(NAME)
            for client in clients:
                await client.close()
        await runner.stop()

    run_in_virtual_time(scenario())
    uses = list(uses_in(heard, METER_KEYS))
    assert {use.client for use in uses} == {UTILITY_SETTING.client_sap, FIRMWARE_CLIENT.client_sap}
    assert require_each_once(uses, FileCounterStore(tmp_path)) > 1000


def test_what_is_sent_again_over_hdlc_is_the_same(tmp_path: Path) -> None:
    """A frame that was lost comes again octet for octet, and each SNRM begins with numbers that are new."""
    seen: dict[int, set[bytes]] = {}
    framer, writes = HdlcFramer(), 0

    def lossy(from_client: bool, octets: bytes) -> list[bytes]:
        nonlocal writes
        if not from_client:
            return [octets]
        for frame in framer.receive(octets):
            apdu = frame.information[3:]
            if frame.control.kind is FrameKind.I and is_ciphered(apdu):
                seen.setdefault(read_envelope(apdu).counter, set()).add(apdu)
        writes += 1
        return [] if writes % 5 == 0 else [octets]

    async def scenario() -> list[Use]:
        bench = Bench(METER, Link.HDLC)
        await bench.start()

        async def dial() -> AsyncTransport:
            return await bench.runner.dial(Wire(interference=lossy))

        client = Client(dial, GIVEN.settings(Link.HDLC, FileCounterStore(tmp_path), carrier=Hdlc()))
        for _ in range(4):
            async with client:
                for _ in range(25):
                    await client.read(NAME)
        await bench.stop()
        return bench.uses()

    uses = run_in_virtual_time(scenario())
    assert require_each_once(uses, FileCounterStore(tmp_path)) > 100
    assert all(len(octets) == 1 for octets in seen.values())
    assert writes > 150
