"""A client of another maker reads and updates the simulated meter, over TCP, each in a process of its own.

The image and the block size are such that the last block is a remainder (20 000 = 156 x 128 + 32).
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict, TypeGuard

import pytest
from tests.interop import peer

pytestmark = pytest.mark.interop

BLOCK_SIZE = 128
IMAGE = random.Random(20_000).randbytes(20_000)
BLOCKS = 157
IDENTIFIER = "NEW-2.0"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
VERIFICATION_SUCCESSFUL = 3
TEMPORARY_FAILURE = 2

EXPECTED_OBJECTS = {
    (8, "0.0.1.0.0.255"),
    (3, "1.0.1.8.0.255"),
    (15, "0.0.40.0.0.255"),
    (18, "0.0.44.0.0.255"),
    (1, "0.0.42.0.0.255"),
    (1, "1.0.0.2.0.255"),
}


class Listening(TypedDict):
    """The line `simulate` prints for each meter once it can be reached."""

    event: str
    meter: str
    url: str


@dataclass(frozen=True, slots=True)
class SimulatedMeter:
    """A meter that listens, and where it keeps its state."""

    name: str
    port: int
    state: Path


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[SimulatedMeter]:
    """A plain meter in a process of its own, gone with the test."""
    peer.interpreter()  # no meter is started for a test that will be skipped
    with simulated(tmp_path) as listening:
        yield listening


def test_another_makers_client_reads_the_meter(meter: SimulatedMeter) -> None:
    report = peer.read(meter.port)

    assert {"GET", "SET", "ACTION", "MULTIPLE_REFERENCES"} <= set(report["conformance"])
    clock = report["clock"]
    assert len(bytes.fromhex(clock["raw"])) == 12
    year, month, day = int(clock["raw"][:4], 16), int(clock["raw"][4:6], 16), int(clock["raw"][6:8], 16)
    assert datetime.fromisoformat(clock["iso"]).date().timetuple()[:3] == (year, month, day)
    register = report["register"]
    assert register["unit_name"] == "ACTIVE_ENERGY"
    assert register["value"] == pytest.approx(register["raw"] * 10.0 ** register["scaler"])
    assert report["logical_device_name"] == meter.name


def test_another_makers_client_reads_the_object_list(meter: SimulatedMeter) -> None:
    entries = peer.read(meter.port)["objects"]

    names = [(entry["class_id"], entry["logical_name"]) for entry in entries]
    assert set(names) >= EXPECTED_OBJECTS
    assert len(names) == len(set(names))


def test_another_makers_list_request_agrees_with_its_single_reads(meter: SimulatedMeter) -> None:
    report = peer.read(meter.port)

    assert report["list"] is not None
    clock, energy, name = report["list"]
    assert isinstance(clock, str)
    assert len(clock) == len("hex:") + 24
    assert isinstance(energy, int)
    assert energy >= report["register"]["raw"]
    assert name == report["logical_device_name"]


def test_another_makers_client_updates_the_meter(meter: SimulatedMeter, tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(IMAGE)

    report = peer.update(meter.port, image, IDENTIFIER)

    assert (report["block_size"], report["blocks"]) == (BLOCK_SIZE, BLOCKS)
    assert report["block_map"] == "1" * BLOCKS
    assert report["first_missing"] == BLOCKS
    assert report["verify_result"] in (0, TEMPORARY_FAILURE)
    assert report["verify_status"] == VERIFICATION_SUCCESSFUL
    info = report["activate_info"]
    assert [(element["size"], element["identification"]) for element in info] == [(len(IMAGE), IDENTIFIER)]
    assert report["firmware_before"] != IDENTIFIER
    assert report["firmware_after"] == IDENTIFIER
    assert (meter.state / "active.bin").read_bytes() == IMAGE
    state = (meter.state / "state.json").read_text(encoding="utf-8")
    assert isinstance(json.loads(state), dict)
    assert IDENTIFIER in state or IDENTIFIER.encode().hex() in state.lower()


def test_a_peer_that_fails_is_an_assertion_with_its_reason() -> None:
    with pytest.raises(AssertionError, match=r"cannot connect to 127\.0\.0\.1"):
        peer.read(free_port())


@contextmanager
def simulated(directory: Path) -> Generator[SimulatedMeter]:
    """Run `meterwright simulate` until the block is left; its output lies beside its state when a test fails."""
    port = free_port()
    command = [sys.executable, "-m", "meterwright", "simulate", "--port", str(port), "--companion", "plain"]
    command += ["--image-block-size", str(BLOCK_SIZE), "--state-dir", str(directory / "meters")]
    output, errors = directory / "simulate.out", directory / "simulate.err"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            listening = first_line(process, output, errors)
            assert listening["url"] == f"tcp://127.0.0.1:{port}"
            yield SimulatedMeter(listening["meter"], port, directory / "meters" / listening["meter"])
        finally:
            stop(process)


def first_line(process: subprocess.Popen[bytes], output: Path, errors: Path) -> Listening:
    """What `simulate` says once it listens, waited for as long as the process lives, at most START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while b"\n" not in (said := output.read_bytes()):
        assert process.poll() is None, f"simulate ended with {process.returncode}: {errors.read_text()}"
        assert time.monotonic() < deadline, f"simulate does not listen: {errors.read_text()}"
        time.sleep(0.02)
    event: object = json.loads(said.splitlines()[0])
    assert is_object(event), f"simulate's first line is no JSON object: {said!r}"
    assert is_listening(event), f"simulate's first line is no listening event: {said!r}"
    return event


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def is_listening(event: dict[str, object]) -> TypeGuard[Listening]:
    return event.keys() >= Listening.__required_keys__ and event["event"] == "listening"


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port nobody listens on now; somebody may take it before we do, which a test run can live with."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        address: tuple[str, int] = probe.getsockname()
        return address[1]
