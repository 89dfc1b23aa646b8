"""Our own commands as processes, for the demonstration: started, heard line by line, ended."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, NoReturn, TypeGuard

from meterwright.errors import MeterwrightError

__all__ = ["Event", "NotAsClaimed", "claim", "event_of", "events_of", "number_in", "started", "stdout_of"]

_STOPPING: Final = 5.0
Event = dict[str, object]


class NotAsClaimed(MeterwrightError):
    """The demonstration did not show what it promised."""


@asynccontextmanager
async def started(*arguments: str, environment: Mapping[str, str]) -> AsyncGenerator[Process]:
    """One of our own commands as a process; it does not outlive the block."""
    command = (sys.executable, "-m", "meterwright", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, env=environment)
    try:
        yield process
    finally:
        await _ended(process)


async def _ended(process: Process) -> None:
    """See a process end, by force if need be."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOPPING):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def stdout_of(process: Process) -> asyncio.StreamReader:
    """What it says."""
    if process.stdout is None:
        raise NotAsClaimed("a process without output was started")
    return process.stdout


async def events_of(process: Process) -> AsyncIterator[Event]:
    """Each line of its output."""
    async for line in stdout_of(process):
        yield _parsed(line)


async def event_of(process: Process) -> Event:
    """The next line of its output."""
    return _parsed(await stdout_of(process).readline())


def _parsed(line: bytes) -> Event:
    try:
        event: object = json.loads(line)
    except ValueError:
        _not_json(line)
    if not _is_event(event):
        _not_json(line)
    return event


def _is_event(value: object) -> TypeGuard[Event]:
    return isinstance(value, dict)


def _not_json(line: bytes) -> NoReturn:
    raise NotAsClaimed(f"a command printed {line[:80]!r} where a JSON line was promised")


def number_in(event: Event, name: str) -> int:
    """A number of an event. NotAsClaimed where there is none."""
    value = event.get(name)
    if not isinstance(value, int):
        raise NotAsClaimed(f"{name} is {value!r}, no number")
    return value


def claim(holds: bool, otherwise: str) -> None:
    """NotAsClaimed unless it holds."""
    if not holds:
        raise NotAsClaimed(otherwise, hint="this should not happen: please report it")
