"""What a client costs on a real socket: reading the clock again and again, and an image into the meter, block by block.

Connecting, associating and releasing do not count, on neither side; nor does what surrounds the transfer of an image.
"""

import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.measures import Pair
from tests.interop import peer

from meterwright import (
    Activation,
    BlockingClient,
    Client,
    Clock,
    FirmwareImage,
    MeterAddress,
    Outcome,
    UpdatePolicy,
    update,
)
from meterwright.client import ClientCredentials, ClientSettings, FileCounterStore
from meterwright.firmware import Patience, Phase, PhaseEntered, UpdateEvent
from meterwright.security import CounterStore, book_keys
from meterwright.values import AuthenticationMechanism, Obis, SecurityPolicy

__all__ = ["Spent", "reading", "updating", "updating_ciphered"]

_POLICY = UpdatePolicy(activation=Activation.NEVER, patience=Patience(poll_first=0.01))


@dataclass(frozen=True, slots=True)
class Spent:
    """How long something took: by the clock, and of the client's processor."""

    seconds: float
    cpu_seconds: float

    @classmethod
    def now(cls) -> "Spent":
        """The moment, to be subtracted from a later one."""
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(self.seconds - earlier.seconds, self.cpu_seconds - earlier.cpu_seconds)


def reading(meter: MeterAddress, count: int) -> Mapping[str, Pair]:
    """Round trips: our two clients, and the peer's one between them."""
    awaited = asyncio.run(_read_awaited(meter, count))
    report = peer.roundtrips(meter.port, count)
    blocking = _read_blocking(meter, count)
    theirs = Spent(report["seconds"], report["cpu_seconds"])
    return _pairs("get_async", count, awaited, theirs) | _pairs("get_blocking", count, blocking, theirs)


def updating(meter: MeterAddress, image: bytes, name: str, blocks: int) -> Mapping[str, Pair]:
    """An image of so many blocks into the meter, by us and by the peer. `name` must be new to the meter."""
    with tempfile.TemporaryDirectory(prefix="meterwright-bench-") as folder:
        path = Path(folder) / "image.bin"
        path.write_bytes(image)
        ours = asyncio.run(_update(meter, path, f"OURS-{name}".encode(), Path(folder)))
        report = peer.update(meter.port, path, f"PEER-{name}")
    assert report["blocks"] == blocks, report
    return _pairs("update", blocks, ours, Spent(report["transfer_seconds"], report["transfer_cpu_seconds"]))


def updating_ciphered(meter: MeterAddress, image: bytes, name: str, blocks: int) -> Mapping[str, Pair]:
    """The same with every APDU authenticated and encrypted, after a login; the peer, too, checks no tag but as its library does."""
    with tempfile.TemporaryDirectory(prefix="meterwright-bench-") as folder:
        path = Path(folder) / "image.bin"
        path.write_bytes(image)
        settings = _ciphered(FileCounterStore(Path(folder) / "counters"))
        ours = asyncio.run(_update(meter, path, f"OURS-{name}".encode(), Path(folder), settings))
        security = peer.PeerSecurity(
            "high-gmac",
            "authenticated-encrypted",
            counter_object=_COUNTER,
            general_protection=False,
            check_tags=False,
        )
        report = peer.update(
            meter.port, path, f"PEER-{name}", link=peer.PeerLink(client=1), security=security, seconds=300
        )
    assert report["blocks"] == blocks, report
    spent = 1e6 / blocks
    return {
        "update_ciphered": Pair(ours.cpu_seconds * spent, report["transfer_cpu_seconds"] * spent),
        "update_ciphered_wall": Pair(ours.seconds * spent, report["transfer_seconds"] * spent),
    }


_COUNTER: Final = "0.0.43.1.0.255"


def _ciphered(counters: CounterStore) -> ClientSettings:
    credentials = ClientCredentials(
        authentication=AuthenticationMechanism.HIGH_GMAC,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        keys=book_keys(),
        system_title=b"MWBENCH1",
        counters=counters,
        counter_object=Obis.parse(_COUNTER),
    )
    return ClientSettings(client_sap=1, credentials=credentials)


def _pairs(key: str, count: int, ours: Spent, theirs: Spent) -> dict[str, Pair]:
    return {
        key: Pair(count / ours.cpu_seconds, count / theirs.cpu_seconds),
        f"{key}_wall": Pair(count / ours.seconds, count / theirs.seconds),
    }


async def _read_awaited(meter: MeterAddress, count: int) -> Spent:
    async with Client(meter) as client:
        clock = Clock(client)
        begin = Spent.now()
        for _ in range(count):
            (await clock.time.get()).to_datetime()
        return Spent.now() - begin


def _read_blocking(meter: MeterAddress, count: int) -> Spent:
    with BlockingClient(meter) as client:
        clock = Clock(client)
        begin = Spent.now()
        for _ in range(count):
            clock.time.get().to_datetime()
        return Spent.now() - begin


@dataclass(slots=True)
class _PhaseTimes:
    """When each phase of an update began."""

    began: dict[Phase, Spent] = field(default_factory=dict[Phase, Spent])

    def note(self, event: UpdateEvent) -> None:
        if isinstance(event, PhaseEntered):
            self.began[event.phase] = Spent.now()


async def _update(
    meter: MeterAddress, path: Path, identifier: bytes, state: Path, settings: ClientSettings | None = None
) -> Spent:
    """What the transfer took, from the first block to the meter's map of all; with journal and events, as it is used."""
    times = _PhaseTimes()
    with FirmwareImage.open(path) as image:
        result = await update(
            Client(meter, settings), image, identifier, state=state, policy=_POLICY, emit=times.note
        )
    assert result.outcome is Outcome.DONE, result.as_json()
    return times.began[Phase.VERIFYING] - times.began[Phase.TRANSFERRING]
