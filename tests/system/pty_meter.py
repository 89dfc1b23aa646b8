"""A simulated meter at the other end of a serial line: a pseudo-terminal, whose port a client opens by its name."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from meterwright.errors import LinkError
from meterwright.simulator import MeterRunner
from meterwright.transport import AsyncTransport
from meterwright.transport.base import Receiver


class MeterEnd(AsyncTransport):
    """The meter's side of the line. Closed, it leaves the line to the next: a meter that reboots stays wired."""

    def __init__(self, master: int) -> None:
        self.closed = asyncio.Event()
        self._master = master
        self._loop = asyncio.get_running_loop()
        self._receiver: Receiver | None = None

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._loop.add_reader(self._master, self._readable)

    def write(self, octets: bytes) -> None:
        if not self.closed.is_set():
            rest = memoryview(octets)
            while rest:
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._master, rest) :]

    async def close(self) -> None:
        if not self.closed.is_set():
            self._end(None)

    def _readable(self) -> None:
        try:
            octets = os.read(self._master, 4096)
        except OSError:  # nobody has the port open
            return
        if self._receiver is not None:
            self._receiver.octets_received(octets)

    def _end(self, error: LinkError | None) -> None:
        self._loop.remove_reader(self._master)
        self.closed.set()
        if self._receiver is not None:
            self._receiver.transport_lost(error)


@asynccontextmanager
async def wired(runner: MeterRunner) -> AsyncGenerator[str]:
    """The meter lives at the end of a line for the length of the block; the name of our port."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    await runner.start()
    serving = asyncio.ensure_future(_serve(runner, master))
    try:
        yield os.ttyname(slave)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await runner.stop()
        os.close(slave)
        os.close(master)


async def _serve(runner: MeterRunner, master: int) -> None:
    """The meter listens to its line whenever it is up."""
    while True:
        end = MeterEnd(master)
        runner.listener.attach(end)
        await end.closed.wait()
        while not runner.meter.is_running:  # noqa: ASYNC110 - its reboot takes real time, and tells nobody when it ends
            await asyncio.sleep(0.01)
