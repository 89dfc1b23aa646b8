"""Over a serial line (a pseudo-terminal, by the real serial library): HDLC, logins, ciphering, a whole update."""

import asyncio
import sys
from pathlib import Path

import pytest
from tests.system.pty_meter import wired

from meterwright import BlockingClient, Client, FirmwareImage, Outcome, UpdatePolicy, update
from meterwright.client import ClientCredentials, ClientSettings, FileCounterStore, Timeouts
from meterwright.companion.is15959 import FIRMWARE_CLIENT, METER_READER
from meterwright.companion.profile import AssociationProfile
from meterwright.cosem import DataObject
from meterwright.errors import UsageError
from meterwright.firmware import Patience
from meterwright.link import HdlcServer
from meterwright.link.hdlc import HdlcServerSettings
from meterwright.security import Keys, Secret, book_keys
from meterwright.simulator import DirectoryStorage, MeterRunner, MeterSettings, Timing, is15959_meter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

KEYS = Keys(global_unicast=Secret(bytes(range(0x40, 0x50))), authentication=Secret(bytes(range(0x60, 0x70))))
SECRET = Secret(b"a secret of ours")
QUICK = Timing(verify_seconds=0.05, activate_seconds=0.05, reboot_seconds=0.3)
LOWER = 17


def meter(folder: Path) -> MeterRunner:
    """An IS 15959 meter with keys of its own, at address 17 of its line."""
    settings = MeterSettings(image_block_size=200, timing=QUICK)
    made = is15959_meter(7, settings, keys=KEYS, secret=SECRET, storage=DirectoryStorage(folder / "meter"))
    return MeterRunner(made, link=lambda: HdlcServer(HdlcServerSettings(lower=LOWER)))


def settings(profile: AssociationProfile, folder: Path, keys: Keys = KEYS) -> ClientSettings:
    credentials = ClientCredentials(
        authentication=profile.authentication,
        secret=SECRET,
        policy=profile.policy,
        keys=keys,
        system_title=b"MWC\x01\x02\x03\x04\x05",
        counters=FileCounterStore(folder / "counters"),
        counter_object=profile.counter,
    )
    return ClientSettings(
        client_sap=profile.client_sap, credentials=credentials, timeouts=Timeouts(between=0.01)
    )


def url(port: str) -> str:
    return f"hdlc://{port}?lower={LOWER}&baud=115200"


def test_an_image_goes_into_a_meter_over_a_serial_line(tmp_path: Path) -> None:
    image = bytes(range(256)) * 20 + b"the rest"

    async def whole() -> None:
        runner = meter(tmp_path)
        async with wired(runner) as port:
            client = Client(url(port), settings(FIRMWARE_CLIENT, tmp_path))
            policy = UpdatePolicy(patience=Patience(poll_first=0.05, poll_longest=0.2, settle=0.1))
            result = await update(
                client, FirmwareImage(image, "image"), b"NEW-2.0", state=tmp_path, policy=policy
            )
            assert result.outcome is Outcome.DONE, result.as_json()
            assert (result.version_before, result.version_after) == ("MW-1.0", "NEW-2.0")
            assert runner.meter.machine.record.failed_logins == 0
        assert (tmp_path / "meter" / "active.bin").read_bytes() == image

    asyncio.run(whole())


def test_several_associations_on_one_line_and_both_twins(tmp_path: Path) -> None:
    """The public client reads the counter, then the meter reader comes with its password; and again, blocking."""

    async def whole() -> None:
        async with wired(meter(tmp_path)) as port:
            for profile in (METER_READER, FIRMWARE_CLIENT):
                async with Client(url(port), settings(profile, tmp_path / "a")) as client:
                    name = await DataObject(client, "0.0.42.0.0.255").value.get()
                    assert name.value == b"MWS0000000007"

            def blocking() -> object:
                with BlockingClient(url(port), settings(METER_READER, tmp_path / "b")) as twin:
                    return DataObject(twin, "0.0.96.1.0.255").value.get().value

            assert await asyncio.to_thread(blocking) == b"0000000007"

    asyncio.run(whole())


def test_the_books_keys_are_refused_on_a_serial_line(tmp_path: Path) -> None:
    async def whole() -> None:
        async with wired(meter(tmp_path)) as port:
            client = Client(url(port), settings(FIRMWARE_CLIENT, tmp_path, book_keys()))
            with pytest.raises(UsageError, match="test keys from the books"):
                await client.connect()

    asyncio.run(whole())
