"""Virtual time: waiting costs nothing, all is the same every time, and what hangs or fails is told."""

import asyncio
import socket
import threading
import time

import pytest

from meterwright.testing import Deadlock, VirtualTimeError, run_in_virtual_time, virtual_now


def test_the_result_is_handed_back_and_an_hour_takes_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        return virtual_now()

    began = time.monotonic()
    assert run_in_virtual_time(main()) == 3600
    assert time.monotonic() - began < 60


def test_every_run_starts_at_zero() -> None:
    async def main() -> float:
        return virtual_now()

    assert [run_in_virtual_time(main()) for _ in range(2)] == [0, 0]


def test_an_error_of_the_main_coroutine_is_raised() -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        run_in_virtual_time(main())


def test_timers_come_in_order_of_time_and_then_of_making() -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        loop = asyncio.get_running_loop()
        for number in range(20):
            loop.call_later(5, seen.append, 100 + number)
        loop.call_later(1, seen.append, 0)
        await asyncio.sleep(6)
        return seen

    assert run_in_virtual_time(main()) == [0, *range(100, 120)]


def test_time_outs_work_and_are_exact() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7.5):
                await asyncio.Event().wait()
        return virtual_now()

    assert run_in_virtual_time(main()) == 7.5


def test_late_times_are_not_lost_in_rounding() -> None:
    async def main() -> float:
        for _ in range(40):
            await asyncio.sleep(365 * 24 * 3600 + 0.1)
        return virtual_now()

    century = 100 * 365 * 24 * 3600
    assert run_in_virtual_time(main(), at_most=century) == pytest.approx(40 * (365 * 24 * 3600 + 0.1))


def test_a_deadlock_says_who_waits_where() -> None:
    async def waiter(event: asyncio.Event) -> None:
        await event.wait()

    async def main() -> None:
        await asyncio.sleep(2)
        await asyncio.gather(waiter(asyncio.Event()), waiter(asyncio.Event()))

    with pytest.raises(
        Deadlock, match=r"after 2 s.*main in .*test_virtual_time\.py:\d+.*waiter in"
    ) as caught:
        run_in_virtual_time(main())
    assert str(caught.value).count("waiter in") == 2
    assert caught.value.hint


def test_after_a_deadlock_everybody_was_cancelled_and_awaited() -> None:
    cleaned: list[str] = []

    async def waiter(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            cleaned.append(name)

    async def main() -> None:
        tasks = [asyncio.create_task(waiter(name)) for name in ("a", "b", "c")]
        await tasks[0]

    with pytest.raises(Deadlock):
        run_in_virtual_time(main())
    assert cleaned == ["a", "b", "c"]


def test_tasks_left_over_are_cancelled_in_the_order_they_were_made() -> None:
    cancelled: list[int] = []
    tasks: list[asyncio.Task[None]] = []

    async def waiter(number: int) -> None:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    async def main() -> None:
        tasks.extend(asyncio.create_task(waiter(number)) for number in range(10))
        await asyncio.sleep(0)

    run_in_virtual_time(main())
    assert cancelled == list(range(10))
    assert all(task.done() for task in tasks)


def test_polling_for_ever_has_an_end() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110 - the mistake that is to be found
            await asyncio.sleep(10)

    with pytest.raises(VirtualTimeError, match=r"no end after 100 virtual seconds: .*main in"):
        run_in_virtual_time(main(), at_most=100)


def test_a_callback_that_fails_fails_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)

    with pytest.raises(ExceptionGroup, match="nobody looking") as caught:
        run_in_virtual_time(main())
    assert [type(error) for error in caught.value.exceptions] == [ValueError]


def test_a_left_over_task_that_fails_while_it_is_cancelled_fails_the_run() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            raise ValueError("while cleaning up")

    async def main() -> None:
        asyncio.get_running_loop().create_task(stubborn())
        await asyncio.sleep(1)

    with pytest.raises(ExceptionGroup) as caught:
        run_in_virtual_time(main())
    assert str(caught.value.exceptions[0]) == "while cleaning up"


def test_what_failed_beside_the_main_error_is_noted_on_it() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(int, "no number")
        await asyncio.sleep(1)
        raise KeyError("main")

    with pytest.raises(KeyError) as caught:
        run_in_virtual_time(main())
    assert "no number" in caught.value.__notes__[0]


def test_threads_are_refused() -> None:
    async def main() -> None:
        await asyncio.to_thread(threading.get_ident)

    with pytest.raises(VirtualTimeError, match="virtual time knows no threads"):
        run_in_virtual_time(main())


def test_sockets_are_refused() -> None:
    async def main(end: socket.socket) -> bytes:
        return await asyncio.get_running_loop().sock_recv(end, 1)

    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        with pytest.raises(VirtualTimeError, match="virtual time knows no sockets"):
            run_in_virtual_time(main(one))


def test_virtual_now_is_for_virtual_time_only() -> None:
    async def main() -> float:
        return virtual_now()

    with pytest.raises(VirtualTimeError, match="no virtual time"):
        asyncio.run(main())


def test_two_runs_are_the_same_run() -> None:
    async def worker(number: int, log: list[tuple[float, int]]) -> None:
        for _ in range(3):
            await asyncio.sleep(number % 4 / 3)
            log.append((virtual_now(), number))

    async def main() -> list[tuple[float, int]]:
        log: list[tuple[float, int]] = []
        async with asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(worker(number, log))
        return log

    assert run_in_virtual_time(main()) == run_in_virtual_time(main())
