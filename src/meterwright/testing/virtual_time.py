"""Virtual time: an asyncio loop in which waiting takes no time, and every run is the same run.

    result = run_in_virtual_time(main())

When nothing is ready the clock jumps to the next timer, so an hour of polling passes at once; timers for the same time
come in the order they were made. When nothing is ready and
no timer runs either, everybody waits for somebody else: that is a `Deadlock`, and it says who waits where. Tasks still
alive at the end are cancelled, in the order they were made, and awaited. What fails with nobody looking (a callback, a
task nobody awaited) fails the run. Sockets and threads live in the other time, so both are refused.
"""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextvars import Context
from typing import Any, Final, Never, TypeVar, TypeVarTuple

from meterwright.errors import MeterwrightError

__all__ = ["Deadlock", "VirtualTimeError", "run_in_virtual_time", "virtual_now"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_A_YEAR: Final = 365 * 24 * 3600.0
_RESOLUTION: Final = 1e-6


class VirtualTimeError(MeterwrightError):
    """Something that virtual time does not have was wanted, or more of it than was allowed."""


class Deadlock(VirtualTimeError):
    """Nothing is ready and no timer runs: nothing would ever happen again."""


def run_in_virtual_time(main: Coroutine[Any, Any, T], *, at_most: float = _A_YEAR) -> T:
    """Run a coroutine to its end, starting at time 0, and return what it returns.

    Deadlock where all wait for each other, VirtualTimeError once `at_most` virtual seconds have passed. An
    ExceptionGroup tells what failed with nobody looking, if `main` itself did not fail.
    """
    loop = _VirtualTimeLoop(at_most)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            result = runner.run(main)
        except BaseException as error:
            runner.run(loop.cancel_all())
            for unseen in loop.unseen:
                error.add_note(f"meanwhile, with nobody looking: {unseen!r}")
            raise
        runner.run(loop.cancel_all())
    if loop.unseen:
        raise BaseExceptionGroup("failed with nobody looking", loop.unseen)
    return result


def virtual_now() -> float:
    """The seconds since the run began. VirtualTimeError outside of virtual time."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, _VirtualTimeLoop):
        raise VirtualTimeError("this is no virtual time", layer="testing", hint="use run_in_virtual_time")
    return loop.time()


class _Clock(selectors.BaseSelector):
    """Stands where the operating system stands: it is asked to wait, and moves the time forward instead."""

    def __init__(self, at_most: float, waiting: Callable[[], str]) -> None:
        self.now = 0.0
        self.is_sealed = False
        self._at_most = at_most
        self._waiting = waiting
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.is_sealed:
            raise _refused("sockets", "join the two sides by a memory wire")
        key = selectors.SelectorKey(fileobj, fileobj, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock(
                f"everybody waits and nothing will ever happen (after {self.now:g} s): {self._waiting()}",
                layer="testing",
                hint="somebody must send, set, cancel or time out",
            )
        self.now += timeout
        if self.now > self._at_most:
            allowed, self._at_most = self._at_most, math.inf  # what ends the tasks may take its time
            raise VirtualTimeError(
                f"no end after {allowed:g} virtual seconds: {self._waiting()}",
                layer="testing",
                hint="look for polling without a deadline, or allow more by at_most",
            )
        return []


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop. Only its clock and what it refuses differ from asyncio's own."""

    def __init__(self, at_most: float) -> None:
        self._clock = _Clock(at_most, self._waiting)
        self._alive: dict[asyncio.Task[Any], None] = {}
        self._turns: dict[float, int] = {}
        self._turns_of = 0.0
        self.unseen: list[BaseException] = []
        super().__init__(self._clock)
        # asyncio adds this to the time before it compares; less than the last digit of a late time, and no timer is due.
        self._clock_resolution = _RESOLUTION
        self._clock.is_sealed = True  # the loop's own wake-up pair is registered now: it is all there will be
        self.set_task_factory(self._make_task)
        self.set_exception_handler(self._not_seen)

    def time(self) -> float:
        return self._clock.now

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As ever; but timers for one time come in the order they were made, which asyncio's heap does not promise."""
        if self._turns_of != self._clock.now:
            self._turns_of = self._clock.now
            self._turns = {time: turn for time, turn in self._turns.items() if time >= self._turns_of}
        turn = self._turns[when] = self._turns.get(when, -1) + 1
        return super().call_at(when + turn * math.ulp(when), callback, *args, context=context)

    def run_in_executor(self, executor: object, func: object, *args: object) -> Never:
        del executor, args
        raise _refused("threads", f"hand in a stand-in for {func!r:.80}")

    async def cancel_all(self) -> None:
        """Cancel every task but the caller's, the oldest first, and wait for them."""
        left = [task for task in self._alive if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        for outcome in await asyncio.gather(*left, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
                self.unseen.append(outcome)

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coroutine, loop=loop, **options)
        self._alive[task] = None
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._alive.pop(task, None)

    def _not_seen(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        self.unseen.append(
            error if isinstance(error, BaseException) else VirtualTimeError(str(context.get("message")))
        )

    def _waiting(self) -> str:
        """Who waits where."""
        return "; ".join(_place(task) for task in self._alive if not task.done()) or "no task is left"


def _place(task: "asyncio.Task[Any]") -> str:
    name = getattr(task.get_coro(), "__qualname__", task.get_name())
    stack = task.get_stack(limit=1)
    if not stack:
        return f"{name}"
    code = stack[-1].f_code
    return f"{name} in {code.co_filename}:{stack[-1].f_lineno}"


def _refused(what: str, hint: str) -> VirtualTimeError:
    return VirtualTimeError(f"virtual time knows no {what}", layer="testing", hint=hint)
