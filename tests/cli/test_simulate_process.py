"""`meterwright simulate` as a process: its files are enough to reach it, and what it must not forget survives a kill -9."""

import json
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cli.conftest import Cli
from tests.cli.files import settings_in
from tests.cli.rig import PATIENCE, finish, start
from tests.simulator.rig import image_block, initiation

from meterwright.apdu import MethodDescriptor
from meterwright.cli.meters import named_meter
from meterwright.cli.words import AUTHENTICATIONS
from meterwright.client import BlockingClient
from meterwright.companion.is15959 import IMAGE_ACTIVATION_SCHEDULE
from meterwright.cosem import Clock, ExecutionTime, ImageTransfer, SingleActionSchedule
from meterwright.data import integer
from meterwright.errors import ActionError, LinkError
from meterwright.values import ActionResult, CosemDate, CosemDateTime, CosemTime, ImageTransferStatus, Obis

NAME: Final = "0.0.42.0.0.255"
QUICK: Final = ("--verify-seconds", "0.05", "--activate-seconds", "0.05", "--reboot-seconds", "0.2")
GMAC: Final = ("--authentication", "high-gmac", "--security", "authenticated-encrypted")
INDIA: Final = ("--companion", "is15959", "--link", "hdlc")


@dataclass(frozen=True)
class Simulated:
    """A meter in a process of its own."""

    url: str
    config: Path
    process: subprocess.Popen[str]

    @property
    def state(self) -> dict[str, Any]:
        """What its state.json holds."""
        found: dict[str, Any] = json.loads((self.config.with_suffix("") / "state.json").read_text("ascii"))
        return found

    def kill(self) -> None:
        """End it at once, without a word."""
        self.process.send_signal(signal.SIGKILL)
        finish(self.process)


@contextmanager
def simulated(folder: Path, *options: str, port: int = 0) -> Generator[Simulated]:
    """Run one, and stop it unless it was killed."""
    process = start("simulate", "--port", str(port), "--state-dir", str(folder), *QUICK, *options)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr is not None else ""
        told = json.loads(line)
        assert told["event"] == "listening"
        yield Simulated(told["url"], Path(told["config"]), process)
    finally:
        process.terminate()
        finish(process)


BY_SECRET = [each for each in AUTHENTICATIONS if each != "high-ecdsa"]
"""Authentications that go without key pairs, and so in every suite."""


def values(cli: Cli, config: Path, *names: str) -> list[Any]:
    """What a client reads that has nothing but the meter's file."""
    ended = cli("get", "--meter", str(config), *names, "--json")
    assert ended.code == 0, ended.err
    return [line["value"] for line in ended.lines]


class TestConfig:
    @pytest.mark.parametrize(
        ("authentication", "link", "suite"),
        [
            *zip(BY_SECRET, cycle(["wrapper", "hdlc"]), cycle("012"), strict=False),
            *product(["high-ecdsa"], ["wrapper", "hdlc"], "12"),
        ],
    )
    def test_it_is_enough(self, cli: Cli, tmp_path: Path, authentication: str, link: str, suite: str) -> None:
        options = (
            "--suite",
            suite,
            "--authentication",
            authentication,
            "--security",
            "authenticated-encrypted",
            "--link",
            link,
        )
        with simulated(tmp_path / "meters", *options) as meter:
            assert meter.url.startswith("tcp://" if link == "wrapper" else "hdlc+tcp://")
            assert values(cli, meter.config, NAME, "0.0.44.0.0.255:2") == ["MWS0000000001", 128]
            public = cli("get", f"{meter.url}?client=16", NAME, "--json")
            assert [line["value"] for line in public.lines] == ["MWS0000000001"]
            assert cli("get", f"{meter.url}?client=16", "3/1.0.1.8.0.255/2").code == 7
            assert cli("get", f"{meter.url}?client=1", NAME).code in (6, 7)
            assert meter.state["failed_logins"] == 1

    def test_it_is_its_owners_alone(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            with simulated(tmp_path / "meters", *INDIA) as meter:
                assert stat.S_IMODE(meter.config.stat().st_mode) == 0o600
        finally:
            os.umask(before)

    def test_is15959_over_hdlc(self, cli: Cli, tmp_path: Path) -> None:
        with simulated(tmp_path / "meters", *INDIA) as meter:
            names = [line["obis"] for line in cli("objects", "--meter", str(meter.config), "--json").lines]
            assert "0.0.44.0.0.255" in names
            assert "1.0.1.8.0.255" not in names
            status = cli("firmware", "status", "--meter", str(meter.config), "--json")
            assert (status.code, status.lines[0]["version"]) == (0, "MW-1.0")
            [name, *counters] = values(
                cli, public_of(meter.config), NAME, *(f"0.0.43.1.{n}.255" for n in (2, 3, 5))
            )
            assert name == "MWS0000000001"
            assert counters[:2] == [0, 0]
            assert counters[2] == meter.state["counters"]["0.0.43.1.5.255"] > 0

    def test_a_wrong_secret_is_refused_told_and_counted(self, cli: Cli, tmp_path: Path) -> None:
        with simulated(tmp_path / "meters", *INDIA) as meter:
            wrong = tmp_path / "wrong.toml"
            wrong.write_text(
                re.sub(r"password = .*", 'password = "text:0123456789012345"', meter.config.read_text())
            )
            for count in (1, 2):
                ended = cli("get", "--meter", str(wrong), NAME)
                assert ended.code == 6
                assert "0123456789012345" not in ended.err
                assert meter.state["failed_logins"] == count
            assert values(cli, meter.config, NAME) == ["MWS0000000001"]


def test_a_fault_is_one_of_its_own(tmp_path: Path) -> None:
    with simulated(tmp_path / "meters", *INDIA, "--fault", "wrong-length-hardware-fault") as meter:
        with client_of(meter.config, tmp_path) as client:
            image = Obis.parse("0.0.44.0.0.255")
            client.invoke(MethodDescriptor(18, image, 1), initiation(300))
            with pytest.raises(ActionError) as refused:
                client.invoke(MethodDescriptor(18, image, 2), image_block(0, bytes(200)))
        assert refused.value.result is ActionResult.HARDWARE_FAULT
        assert meter.state["blocks_rejected"] == 1


class TestKilled:
    """No number comes twice, and no counter goes back, however the process ends."""

    @pytest.mark.parametrize(
        ("options", "counter"),
        [
            (GMAC, "0.0.43.1.0.255"),
            (("--authentication", "high", "--security", "encrypted"), "0.0.43.1.0.255"),
            (INDIA, "0.0.43.1.5.255"),
        ],
        ids=["gmac", "encrypted", "is15959"],
    )
    def test_counters_go_on(self, cli: Cli, tmp_path: Path, options: tuple[str, ...], counter: str) -> None:
        seen, reserved = [0], [0]
        for _ in range(3):
            with simulated(tmp_path / "meters", *options) as meter:
                public = public_of(meter.config)
                assert values(cli, public, counter) == [seen[-1]]
                seen += values(cli, meter.config, counter)
                meter.kill()
            assert meter.state["counters"][counter] >= seen[-1]
            seen.append(meter.state["counters"][counter])
            reserved += meter.state["reserved_counters"].values()
        assert seen == sorted(seen)
        assert reserved == sorted(set(reserved))

    def test_a_client_that_has_forgotten_its_own_goes_on_too(
        self, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for attempt in range(3):
            monkeypatch.setenv("METERWRIGHT_STATE", str(tmp_path / f"state-{attempt}"))
            with simulated(tmp_path / "meters", *INDIA) as meter:
                assert values(cli, with_title(meter.config), NAME) == ["MWS0000000001"]
                assert meter.state["failed_logins"] == 0
                meter.kill()

    def test_a_schedule_comes_all_the_same(self, cli: Cli, tmp_path: Path) -> None:
        options = ("--companion", "is15959", "--image-block-size", "16")
        moment = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        entry = ExecutionTime(CosemTime.from_time(moment.timetz()), CosemDate.from_date(moment.date()))
        with simulated(tmp_path / "meters", *options) as meter:
            with client_of(meter.config, tmp_path) as client:
                bring_image(client)
                SingleActionSchedule(client, IMAGE_ACTIVATION_SCHEDULE).execution_time.set((entry,))
            meter.kill()
        with simulated(tmp_path / "meters", *options) as meter:
            with client_of(meter.config, tmp_path) as client:
                assert SingleActionSchedule(client, IMAGE_ACTIVATION_SCHEDULE).execution_time.get() == (
                    entry,
                )
                # Rather than to wait for an hour: it is nearly that time, the meter is told.
                Clock(client).time.set(CosemDateTime.from_datetime(moment - timedelta(seconds=1)))
            until(lambda: meter.state["firmware_identifier"] == "NEW-2.0")
            until(lambda: listens(meter))
            assert values(cli, meter.config, "1.0.0.2.0.255") == ["NEW-2.0"]
        assert meter.state["method_calls"]["image_activate"] == 1
        assert meter.state["reboots"] == 1


def public_of(config: Path) -> Path:
    """The same meter's file for the public client."""
    public = config.with_name("public.toml")
    text = config.read_text("utf-8").split("# test keys")[0]
    text = re.sub(r"^(client|authentication|security) = .*\n", "", text, flags=re.MULTILINE)
    public.write_text(f"{text}client = 16\n", encoding="utf-8")
    return public


def with_title(config: Path) -> Path:
    """The same file for a client that keeps its system title, whatever becomes of its counters."""
    titled = config.with_name("titled.toml")
    text = config.read_text("utf-8").replace("[meter]\n", '[meter]\nsystem_title = "text:MWCTEST1"\n')
    titled.write_text(text, encoding="utf-8")
    return titled


def client_of(config: Path, folder: Path) -> BlockingClient:
    named = named_meter(None, config, settings_in(folder))
    return BlockingClient(named.address, named.settings)


def bring_image(client: BlockingClient) -> None:
    """A verified image of two blocks."""
    image = Obis.parse("0.0.44.0.0.255")
    client.invoke(MethodDescriptor(18, image, 1), initiation(20))
    for number, block in enumerate((bytes(16), bytes(4))):
        client.invoke(MethodDescriptor(18, image, 2), image_block(number, block))
    with pytest.raises(ActionError):
        client.invoke(MethodDescriptor(18, image, 3), integer(0))
    status = ImageTransfer(client).image_transfer_status
    until(lambda: status.get() is ImageTransferStatus.VERIFICATION_SUCCESSFUL)


def listens(meter: Simulated) -> bool:
    try:
        with BlockingClient(f"{meter.url}?client=16"):
            return True
    except LinkError:
        return False


def until(holds: Callable[[], bool]) -> None:
    """Look at the real state until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
