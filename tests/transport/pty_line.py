"""A pseudo-terminal: a port for us to open, and the meter's side of it as a file descriptor."""

import os
import select
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from meterwright.transport.serial import SerialSettings

__all__ = ["PATIENCE", "Line", "pty_line"]

PATIENCE = 10.0
"""Seconds for something to happen on this machine: far more than it takes, so that a failure is one."""


@dataclass
class Line:
    """The meter's side of a port."""

    master: int
    slave: int

    @property
    def settings(self) -> SerialSettings:
        return SerialSettings(os.ttyname(self.slave))

    def send(self, octets: bytes, cut: Callable[[], int] = lambda: 4096) -> None:
        """Send octets in pieces of that size."""
        rest = memoryview(octets)
        deadline = time.monotonic() + PATIENCE
        while rest:
            _, writable, _ = select.select([], [self.master], [], max(deadline - time.monotonic(), 0))
            assert writable, "the port takes nothing"
            try:
                rest = rest[os.write(self.master, rest[: cut()]) :]
            except BlockingIOError:
                continue

    def hear(self, size: int) -> bytes:
        """Wait for that many octets."""
        octets = b""
        deadline = time.monotonic() + PATIENCE
        while len(octets) < size:
            readable, _, _ = select.select([self.master], [], [], max(deadline - time.monotonic(), 0))
            assert readable, "nothing came"
            octets += os.read(self.master, 65536)
        return octets

    def is_silent(self) -> bool:
        """Whether nothing has come."""
        return not select.select([self.master], [], [], 0)[0]

    def vanish(self) -> None:
        """Be pulled out."""
        os.close(self.master)
        self.master = -1


@contextmanager
def pty_line() -> Generator[Line]:
    """A line that is there until the end, unless it vanishes before."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    made = Line(master, slave)
    try:
        yield made
    finally:
        os.close(slave)
        if made.master >= 0:
            made.vanish()
