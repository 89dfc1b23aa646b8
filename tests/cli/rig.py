"""A meter on a port of this machine, in a thread of its own, for commands that run in the test's process or another."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from meterwright.cli.slow_line import SlowLine
from meterwright.server import ObjectHost
from meterwright.simulator import (
    DirectoryStorage,
    MeterSettings,
    SimulatedMeter,
    SimulatedService,
    Timing,
    plain_meter,
)

T = TypeVar("T")

QUICK = Timing(verify_seconds=0.05, activate_seconds=0.05, reboot_seconds=0.2)
PATIENCE = 120.0


class LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result, from that loop."""
        return asyncio.run_coroutine_threadsafe(main, self._loop).result(PATIENCE)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


class Desk:
    """One simulated meter that listens on this machine. `through` puts faults before it."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: MeterSettings | None = None,
        through: Callable[[ObjectHost], ObjectHost] = lambda host: host,
    ) -> None:
        self.folder = folder
        self._settings = settings or MeterSettings(timing=QUICK)
        self._through = through
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        self.url = self._thread.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.run(self._service.stop())
        self._thread.close()

    @property
    def meter(self) -> SimulatedMeter:
        """The meter itself."""
        return self._service.runners[0].meter

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return self._service.runners[0].listener.connections

    @property
    def config(self) -> Path:
        """The file that names the meter."""
        return self.folder / f"{self.meter.name}.toml"

    def calls(self) -> dict[str, int]:
        """How often each image method was called, from the state file."""
        document = json.loads((self.folder / self.meter.name / "state.json").read_text())
        calls: dict[str, int] = document["method_calls"]
        return calls

    async def _start(self) -> str:
        meter = plain_meter(1, self._settings, storage=DirectoryStorage(self.folder / "MWS0000000001"))
        self._service = SimulatedService([meter], state_dir=self.folder, through=self._through)
        [listening] = await self._service.start()
        return listening.url


class Line:
    """A slow line to a meter, in a thread, that remembers what the client sent."""

    def __init__(self, url: str, delay: float) -> None:
        host, port = url.removeprefix("tcp://").split(":")
        self.sent = bytearray()
        self._line = SlowLine(host, int(port), delay, watch=self.sent.extend)
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        self._thread.run(self._line.__aenter__())
        self.url = f"tcp://127.0.0.1:{self._line.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.run(self._line.__aexit__(None, None, None))
        self._thread.close()


class Stranger:
    """Something that listens on a port and is no meter: it answers each thing it is sent with `answer`, or stays silent."""

    def __init__(self, answer: bytes = b"") -> None:
        self.connections = 0
        self._answer = answer
        self._thread = LoopThread()

    def __enter__(self) -> Self:
        self._server = self._thread.run(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.run(self._close())
        self._thread.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.read(4096):
                writer.write(self._answer)
        except OSError:
            pass
        finally:
            writer.close()


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output, every line of which must be a JSON object."""
        lines: list[dict[str, Any]] = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(line, dict) for line in lines)
        return lines


def environment() -> dict[str, str]:
    """For our own commands: what this process has, and nothing buffered."""
    return {**os.environ, "NO_COLOR": "1"}


def command(*arguments: str) -> list[str]:
    """One of our own commands as a process."""
    return [sys.executable, "-m", "meterwright", *arguments]


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start one of our own commands."""
    return subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def finish(process: subprocess.Popen[str]) -> Ended:
    """Wait for its end."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    return Ended(process.returncode, out, err)
