"""Where a simulated meter gets its time from: a port, so that a run can be repeated, or pass in virtual time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["LoopClock", "ManualClock", "MeterClock", "SystemClock"]


class MeterClock(Protocol):
    """The time of day, for what a meter shows; and seconds that never go back, for how long things take."""

    def now(self) -> datetime:
        """The time of day, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...


class SystemClock:
    """This machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class LoopClock:
    """The running event loop's time, which a test may make virtual. It is `start` when the clock is first asked."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._origin: float | None = None

    def now(self) -> datetime:
        elapsed = self.monotonic()
        if self._origin is None:
            self._origin = elapsed
        return self._start + timedelta(seconds=elapsed - self._origin)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class ManualClock:
    """Time that passes only when told to."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._elapsed += seconds
