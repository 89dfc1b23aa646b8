"""Our own commands as processes of their own: started, read line by line, killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

PATIENCE = 60.0
"""Seconds after which a test that waits for a process gives up."""


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(*arguments: str) -> list[str]:
    """Our command line, run by this interpreter."""
    return [sys.executable, "-m", "meterwright", *arguments]


class ImageState(TypedDict):
    """What we look at in state.json's image."""

    first_missing: int


class State(TypedDict):
    """What we look at in state.json."""

    image: ImageState
    method_calls: dict[str, int]


class Result(TypedDict):
    """What we look at in the last line of an update."""

    outcome: str
    resumed_from: int | None
    version_after: str | None
    findings: list[dict[str, str]]


@dataclass
class RunningMeter:
    """A `meterwright simulate` that listens."""

    process: "subprocess.Popen[str]"
    port: int
    state_dir: Path
    name: str

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}?client=16"

    @property
    def state(self) -> State:
        """state.json, as it is now."""
        loaded: State = json.loads((self.state_dir / self.name / "state.json").read_text())
        return loaded

    @property
    def calls(self) -> dict[str, int]:
        """How often each image method was called."""
        return self.state["method_calls"]

    @property
    def active(self) -> bytes:
        """The octets of the image that was activated."""
        return (self.state_dir / self.name / "active.bin").read_bytes()

    def kill(self) -> None:
        """The meter's process ends without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


def start_meter(state_dir: Path, port: int, *options: str) -> RunningMeter:
    """Start a simulated meter and wait until it listens."""
    arguments = ("simulate", "--port", str(port), "--companion", "plain", "--image-block-size", "128")
    process = subprocess.Popen(
        command(*arguments, "--state-dir", str(state_dir), *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the meter did not start: {process.communicate()[1]}"
    listening = json.loads(line)
    assert listening["event"] == "listening"
    return RunningMeter(process, port, state_dir, listening["meter"])


@contextmanager
def meter(state_dir: Path, *options: str) -> Generator[RunningMeter]:
    """A simulated meter for the length of a test."""
    running = start_meter(state_dir, free_port(), *options)
    try:
        yield running
    finally:
        end(running.process)


def end(process: "subprocess.Popen[str]") -> None:
    """Nothing of a process is left."""
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=PATIENCE)


class Update:
    """A `meterwright firmware update --json` under way: its events as they come."""

    def __init__(self, url: str, image: Path, identifier: str, state: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            command("firmware", "update", url, str(image), "--identifier", identifier, "--json", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"METERWRIGHT_STATE": str(state)},
        )

    def events(self) -> Iterator[dict[str, object]]:
        """Each line of standard output is one event."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def until(self, event: str, **wanted: object) -> dict[str, object]:
        """The first event that says so."""
        for each in self.events():
            if each["event"] == event and all(each.get(name) == value for name, value in wanted.items()):
                return each
        raise AssertionError(f"no {event} {wanted}: {self.process.communicate()[1]}")

    def until_blocks(self, count: int) -> None:
        """Wait until so many blocks are in the meter."""
        for each in self.events():
            done = each.get("blocks_done")
            if isinstance(done, int) and done >= count:
                return
        raise AssertionError(f"never {count} blocks: {self.process.communicate()[1]}")

    def kill(self) -> None:
        """Kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=PATIENCE)

    def result(self) -> Result:
        """Wait for the end; the last line."""
        assert self.process.stdout is not None
        *_, last = self.process.stdout
        self.process.communicate(timeout=PATIENCE)
        result: Result = json.loads(last)
        return result

    @property
    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)
