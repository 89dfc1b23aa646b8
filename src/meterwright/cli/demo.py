"""`meterwright demo`: the whole story on this machine, each step a command that you could type yourself.

A simulated meter takes a new firmware over TCP. The update is killed half-way and resumed; what ran before and after is
shown; and the answer from which all this began is explained. Nothing is left behind, and whatever is not as it is said here
ends the demonstration with a failure.
"""

import asyncio
import hashlib
import json
import os
import secrets
import shlex
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn, TypeGuard

from rich.console import Console
from rich.text import Text

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.output import stdout
from meterwright.cli.running import run
from meterwright.cli.slow_line import SlowLine
from meterwright.client import MeterAddress
from meterwright.errors import MeterwrightError

__all__ = ["NotAsClaimed", "demo"]

_BLOCK_SIZE: Final = 128
_IMAGE_SIZE: Final = 64 * 1024 + 77
_BLOCKS: Final = -(-_IMAGE_SIZE // _BLOCK_SIZE)
_IDENTIFIER: Final = "NEW-2.0"
_DELAY: Final = 0.002
_PATIENCE: Final = 100.0
_STOPPING: Final = 5.0
_FORUM_PAYLOAD: Final = "c701c1010102114373f23adf37a31d0decb749d496dbd1ca"
_STEPS: Final = 4
Event = dict[str, object]


class NotAsClaimed(MeterwrightError):
    """The demonstration did not show what it promised."""


def demo() -> int:
    """See the whole story on this machine: a meter takes a new firmware, the update is killed and resumed.

    Needs no meter and no input, changes nothing outside a temporary folder, and ends by itself within a minute.
    """
    return run(_demo(stdout()))


async def _demo(console: Console) -> int:
    with tempfile.TemporaryDirectory(prefix="meterwright-demo-") as folder:
        try:
            async with asyncio.timeout(_PATIENCE):
                await _Story(console, Path(folder)).tell()
        except TimeoutError:
            raise NotAsClaimed(
                f"the demonstration was not over after {_PATIENCE:g} s",
                hint="is this machine very busy? try again",
            ) from None
    console.print(Text("\nThat was it. Nothing of it is left on this machine.", "bold"))
    return ExitCode.DONE


class _Story:
    """The demonstration, step by step, in one temporary folder."""

    def __init__(self, console: Console, folder: Path) -> None:
        self._console = console
        self._folder = folder
        self._image = folder / "image.bin"
        self._environment = {**os.environ, "METERWRIGHT_STATE": str(folder / "state")}

    async def tell(self) -> None:
        self._say(
            "A simulated meter starts on this machine. It takes images in blocks of 128 octets, and exactly that."
        )
        simulate = (
            "simulate",
            "--port",
            "0",
            "--image-block-size",
            str(_BLOCK_SIZE),
            "--state-dir",
            str(self._folder),
        )
        async with self._started(*simulate) as meter:
            listening = await _event(meter)
            address = MeterAddress.parse(str(listening["url"]))
            async with SlowLine(address.host, address.port, _DELAY) as line:
                url = f"tcp://127.0.0.1:{line.port}?client=16"
                await self._update(url, self._folder / str(listening["meter"]))
        await self._explain()

    async def _update(self, url: str, meter: Path) -> None:
        self._say("This is what runs on it, and what it measures, over a line as slow as one in the field:")
        await self._shown("get", url, "0.0.42.0.0.255", "1.0.0.2.0.255", "0.0.1.0.0.255", "1.0.1.8.0.255")
        self._image.write_bytes(secrets.token_bytes(_IMAGE_SIZE))
        self._say(
            f"An image of {_IMAGE_SIZE} octets ({_BLOCKS} blocks) is sent. Half-way, the update is killed:"
        )
        await self._killed_half_way(url)
        self._say("The meter holds what it was given. Nothing runs that did not run before:")
        status = await self._status(url)
        held = _number(status, "image_first_not_transferred_block_number")
        _claim(_BLOCKS // 2 <= held < _BLOCKS, f"the meter holds {held} of {_BLOCKS} blocks, not about half")
        _claim(status["version"] == "MW-1.0", f"{status['version']} runs in the midst of the update")
        self._say(
            "The very same command again. It knows from its journal that the begun image is its own, and goes on:"
        )
        result = await self._resumed(url)
        self._check_result(result, held)
        self._check_meter(meter)
        self._say("And once more: nothing is to do, and the meter is not touched.")
        again, _ = await self._watched(url, expected=ExitCode.NOTHING_TO_DO)
        _claim(again["outcome"] == "nothing-to-do", f"the third run ended with {again['outcome']}")
        self._console.print(Text("  nothing to do: exit code 3", "green"))

    async def _explain(self) -> None:
        self._say(
            "All this began with an engineer whose meter answered the second block with the octets below: the library had "
            "cut the image before it knew the meter's block size. What the octets say:"
        )
        await self._shown("explain", _FORUM_PAYLOAD)

    async def _killed_half_way(self, url: str) -> None:
        result, done = await self._watched(url, kill_at=_BLOCKS // 2)
        _claim(not result, "the update was over before it could be killed")
        self._console.print(Text(f"  killed at block {done} of {_BLOCKS}", "bold red"))

    async def _resumed(self, url: str) -> Event:
        result, _ = await self._watched(url)
        return result

    async def _status(self, url: str) -> Event:
        await self._shown("firmware", "status", url)
        async with self._started("firmware", "status", url, "--json") as process:
            return await _event(process)

    def _check_result(self, result: Event, held: int) -> None:
        outcome, before, after = result["outcome"], result["version_before"], result["version_after"]
        resumed_from, sent = _number(result, "resumed_from"), _number(result, "blocks_sent")
        _claim(outcome == "done", f"the update ended with {outcome}: {result['findings']}")
        _claim((before, after) == ("MW-1.0", _IDENTIFIER), f"{before} ran before and {after} after")
        _claim(resumed_from == held, f"resumed from block {resumed_from}, and the meter held {held}")
        _claim(sent == _BLOCKS - held, f"{sent} blocks were sent where {_BLOCKS - held} were missing")
        self._console.print(
            Text(
                f"  {before} ran before, {after} runs now; resumed from block {resumed_from}, {sent} blocks sent",
                "green",
            )
        )

    def _check_meter(self, meter: Path) -> None:
        active, image = (meter / "active.bin").read_bytes(), self._image.read_bytes()
        _claim(active == image, "what runs in the meter is not the image, octet for octet")
        calls = json.loads((meter / "state.json").read_text(encoding="utf-8"))["method_calls"]
        begun = calls["image_transfer_initiate"]
        _claim(begun == 1, f"the transfer was initiated {begun} times")
        digest = hashlib.sha256(active).hexdigest()[:16]
        self._console.print(
            Text(
                f"  what the meter runs is the image, octet for octet (sha-256 {digest}…); it was initiated once",
                "green",
            )
        )

    async def _watched(
        self, url: str, *, kill_at: int | None = None, expected: ExitCode = ExitCode.DONE
    ) -> tuple[Event, int]:
        """An update, told as it goes: its result (empty if it was killed) and how many blocks it had seen done."""
        arguments = ("firmware", "update", url, str(self._image), "--identifier", _IDENTIFIER, "--json")
        self._type(arguments)
        done, told = 0, -1
        async with self._started(*arguments) as process:
            async for event in _events(process):
                match event:
                    case {"event": "phase", "phase": str(phase)}:
                        self._console.print(Text(f"  {phase}"))
                    case {"event": "progress", "blocks_done": int(done), "blocks_total": int(total)}:
                        if done * _STEPS // total > told:
                            told = done * _STEPS // total
                            self._console.print(Text(f"    {done} of {total} blocks are in the meter"))
                        if kill_at is not None and done >= kill_at:
                            process.kill()
                            await process.wait()
                            return {}, done
                    case {"event": "result"}:
                        code = await process.wait()
                        _claim(code == expected, f"the update ended with exit code {code}")
                        return event, done
                    case _:
                        pass  # findings
        raise NotAsClaimed("the update ended without a result")

    async def _shown(self, *arguments: str) -> None:
        """A command with its output."""
        self._type(arguments)
        self._console.file.flush()
        async with self._started(*arguments) as process:
            octets = await _stdout_of(process).read()
            code = await process.wait()
        for shown in octets.decode().splitlines():
            self._console.print(Text(f"  {shown}".rstrip()))
        _claim(code == 0, f"meterwright {shlex.join(arguments)} ended with exit code {code}")

    def _say(self, sentence: str) -> None:
        self._console.print(Text(f"\n{sentence}", "bold"))

    def _type(self, arguments: Sequence[str]) -> None:
        shown = shlex.join(arguments).replace(f"{self._folder}{os.sep}", "")
        self._console.print(Text(f"$ meterwright {shown}", "cyan"))

    @asynccontextmanager
    async def _started(self, *arguments: str) -> AsyncGenerator[Process]:
        """One of our own commands as a process; it does not outlive the block."""
        command = (sys.executable, "-m", "meterwright", *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, env=self._environment
        )
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


def _stdout_of(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise NotAsClaimed("a process without output was started")
    return process.stdout


async def _events(process: Process) -> AsyncIterator[Event]:
    async for line in _stdout_of(process):
        yield _parsed(line)


async def _event(process: Process) -> Event:
    """The next line of its output."""
    return _parsed(await _stdout_of(process).readline())


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


def _number(event: Event, name: str) -> int:
    value = event.get(name)
    if not isinstance(value, int):
        raise NotAsClaimed(f"{name} is {value!r}, no number")
    return value


def _claim(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotAsClaimed(otherwise, hint="this should not happen: please report it")
