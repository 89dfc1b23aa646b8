"""Runs a coroutine so that Ctrl-C and SIGTERM let it finish properly: it is cancelled, and so releases its meter, first.

A second signal does not wait any longer.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeVar

from meterwright.errors import MeterwrightError

__all__ = ["Interrupted", "run"]

T = TypeVar("T")

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A signal ended the run, properly. `by_request`: it was SIGTERM, by which a service is told to end."""

    def __init__(self, *, by_request: bool) -> None:
        super().__init__()
        self.by_request = by_request


def run(main: Coroutine[Any, Any, T]) -> T:
    """Its result. Interrupted where a signal came, once everything begun is ended."""
    arrived: list[int] = []
    with asyncio.Runner() as runner:
        try:
            return runner.run(_cancelled_by_signals(main, arrived))
        except (asyncio.CancelledError, MeterwrightError) as end:
            if arrived:
                raise Interrupted(by_request=arrived == [signal.SIGTERM]) from end
            raise


async def _cancelled_by_signals(main: Coroutine[Any, Any, T], arrived: list[int]) -> T:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()

    def stop(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)
        if task is None or len(arrived) > 1:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(task.cancel)

    with _handled_by(stop):
        return await main


@contextmanager
def _handled_by(stop: Callable[[int, FrameType | None], None]) -> Generator[None]:
    """Have the stopping signals handled so, unless whoever started us wants one ignored. Only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _STOPPING}
    wanted = [number for number in _STOPPING if before[number] is not signal.SIG_IGN]
    for number in wanted:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number])
