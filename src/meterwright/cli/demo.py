"""`meterwright demo`: the whole story on this machine, each step a command that you could type yourself.

Three simulated IS 15959 meters take a new firmware through the association that is meant for it, authenticated and encrypted:
one over the wrapper, one over HDLC, one that answers hardware-fault to every block of another length than its own. The first
update is killed half-way and resumed. What ran before and after is shown, what travelled could not be read, and the answer from
which all this began is explained. Nothing is left behind, and whatever is not as it is said here ends it with a failure.
"""

import asyncio
import hashlib
import json
import os
import secrets
import shlex
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from meterwright.cli.demo_processes import (
    Event,
    NotAsClaimed,
    claim,
    event_of,
    events_of,
    number_in,
    started,
    stdout_of,
)
from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.meter_files import read_meter_file
from meterwright.cli.output import stdout
from meterwright.cli.running import run
from meterwright.cli.slow_line import SlowLine
from meterwright.client import MeterAddress

__all__ = ["demo"]

_IMAGE_SIZE: Final = 64 * 1024 + 77
_IDENTIFIER: Final = "NEW-2.0"
_DELAY: Final = 0.002
_PATIENCE: Final = 110.0
_FORUM_PAYLOAD: Final = "c701c1010102114373f23adf37a31d0decb749d496dbd1ca"
_STEPS: Final = 4
_SAMPLE: Final = 24
"""Octets of a block that must not be seen on the line."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the three meters: what is told of it, how it is simulated."""

    what: str
    folder: str
    block_size: int
    options: tuple[str, ...] = ()

    @property
    def blocks(self) -> int:
        """How many blocks the image has there."""
        return -(-_IMAGE_SIZE // self.block_size)


_FIRST: Final = _Kind("over the wrapper, blocks of 128 octets", "wrapper", 128)
_SECOND: Final = _Kind("over HDLC, blocks of 256 octets", "hdlc", 256, ("--link", "hdlc"))
_THIRD: Final = _Kind(
    "that answers hardware-fault to every block that is not exactly 233 octets long",
    "strict",
    233,
    ("--fault", "wrong-length-hardware-fault"),
)


@dataclass(frozen=True, slots=True)
class _Meter:
    """A meter that listens: the file for its client, and where it keeps its state."""

    kind: _Kind
    config: Path
    state: Path


class _Eavesdropper:
    """Hears what passes towards a meter, and looks whether blocks of the image can be read in it."""

    def __init__(self, image: bytes, block_size: int) -> None:
        self._samples = [image[start : start + _SAMPLE] for start in range(0, len(image), block_size)]
        self.read = 0

    def hear(self, octets: bytes) -> None:
        """Some octets pass."""
        self.read += sum(sample in octets for sample in self._samples)


def demo() -> int:
    """See the whole story on this machine: three meters take a new firmware, an update is killed and resumed.

    Needs no meter and no input, changes nothing outside a temporary folder, and ends by itself within two minutes.
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
        self._image.write_bytes(secrets.token_bytes(_IMAGE_SIZE))
        self._say(
            "Three Indian (IS 15959) meters, simulated on this machine. Only their firmware client, address 80, reaches the image "
            "transfer: it proves who it is by HLS, and every APDU is authenticated and encrypted. Its keys stand in the meter's file."
        )
        async with self._listening(_FIRST) as first:
            await self._interrupted_and_resumed(first)
        for kind in (_SECOND, _THIRD):
            async with self._listening(kind) as meter:
                await self._straight(meter)
        await self._explain()

    # ------------------------------------------------------------------------------------------ the meters

    @asynccontextmanager
    async def _listening(self, kind: _Kind) -> AsyncGenerator[_Meter]:
        """One of the meters."""
        self._say(f"A meter {kind.what}:")
        folder = self._folder / kind.folder
        arguments = ("simulate", "--companion", "is15959", "--port", "0", *kind.options)
        sizes = ("--image-block-size", str(kind.block_size), "--state-dir", str(folder))
        self._type((*arguments, *sizes))
        async with started(*arguments, *sizes, environment=self._environment) as process:
            said = await event_of(process)
            yield _Meter(kind, Path(str(said["config"])), folder / str(said["meter"]))

    async def _interrupted_and_resumed(self, meter: _Meter) -> None:
        """The first: over a line as slow as one in the field, killed half-way, resumed, and once more."""
        eavesdropper = _Eavesdropper(self._image.read_bytes(), meter.kind.block_size)
        address = _address_in(meter.config)
        async with SlowLine(address.host, address.port, _DELAY, watch=eavesdropper.hear) as line:
            slow = self._folder / "meter.toml"
            _with_port(meter.config, line.port, slow)
            await self._shown("get", "--meter", str(slow), "0.0.42.0.0.255", "1.0.0.2.0.255", "0.0.1.0.0.255")
            self._say(f"An image of {_IMAGE_SIZE} octets is sent to it. Half-way, the update is killed:")
            await self._killed_half_way(slow, meter.kind)
            self._say("The meter holds what it was given. Nothing runs that did not run before:")
            status = await self._status(slow)
            held = number_in(status, "image_first_not_transferred_block_number")
            blocks = meter.kind.blocks
            claim(blocks // 2 <= held < blocks, f"the meter holds {held} of {blocks} blocks, not about half")
            claim(status["version"] == "MW-1.0", f"{status['version']} runs in the midst of the update")
            self._say(
                "The very same command again. It knows from its journal that the begun image is its own, and goes on:"
            )
            result, _ = await self._watched(slow)
            self._check_result(result, meter.kind, held)
            self._check_meter(meter)
            claim(not eavesdropper.read, f"{eavesdropper.read} blocks could be read on the line")
            self._praise("not one block could be read on the line")
            self._say("And once more: nothing is to do, and the meter is not touched.")
            again, _ = await self._watched(slow, expected=ExitCode.NOTHING_TO_DO)
            claim(again["outcome"] == "nothing-to-do", f"the third run ended with {again['outcome']}")
            self._praise("nothing to do: exit code 3")

    async def _straight(self, meter: _Meter) -> None:
        """An update from the first block to the last."""
        result, _ = await self._watched(meter.config)
        self._check_result(result, meter.kind, None)
        self._check_meter(meter)

    async def _explain(self) -> None:
        self._say(
            "All this began with an engineer whose meter answered the second block with the octets below: the library had "
            "cut the image before it knew the meter's block size. What the octets say:"
        )
        await self._shown("explain", _FORUM_PAYLOAD)

    # ------------------------------------------------------------------------------------------ steps

    async def _killed_half_way(self, config: Path, kind: _Kind) -> None:
        result, done = await self._watched(config, kill_at=kind.blocks // 2)
        claim(not result, "the update was over before it could be killed")
        self._console.print(Text(f"  killed at block {done} of {kind.blocks}", "bold red"))

    async def _status(self, config: Path) -> Event:
        arguments = ("firmware", "status", "--meter", str(config))
        await self._shown(*arguments)
        async with started(*arguments, "--json", environment=self._environment) as process:
            return await event_of(process)

    def _check_result(self, result: Event, kind: _Kind, held: int | None) -> None:
        outcome, before, after = result["outcome"], result["version_before"], result["version_after"]
        resumed_from, sent = result["resumed_from"], number_in(result, "blocks_sent")
        claim(outcome == "done", f"the update ended with {outcome}: {result['findings']}")
        claim((before, after) == ("MW-1.0", _IDENTIFIER), f"{before} ran before and {after} after")
        claim(resumed_from == held, f"resumed from block {resumed_from}, and the meter held {held}")
        missing = kind.blocks - (held or 0)
        claim(sent == missing, f"{sent} blocks were sent where {missing} were missing")
        resumed = "" if held is None else f" resumed from block {held},"
        self._praise(f"{before} ran before, {after} runs now;{resumed} {sent} blocks sent")

    def _check_meter(self, meter: _Meter) -> None:
        active, image = (meter.state / "active.bin").read_bytes(), self._image.read_bytes()
        claim(active == image, "what runs in the meter is not the image, octet for octet")
        state = json.loads((meter.state / "state.json").read_text(encoding="utf-8"))
        begun, refused = state["method_calls"]["image_transfer_initiate"], state["blocks_rejected"]
        claim(begun == 1, f"the transfer was initiated {begun} times")
        claim(refused == 0, f"{refused} blocks were refused")
        digest = hashlib.sha256(active).hexdigest()[:16]
        self._praise(
            f"what the meter runs is the image, octet for octet (sha-256 {digest}…); it was initiated once, no block refused"
        )

    async def _watched(
        self, config: Path, *, kill_at: int | None = None, expected: ExitCode = ExitCode.DONE
    ) -> tuple[Event, int]:
        """An update, told as it goes: its result (empty if it was killed) and how many blocks it had seen done."""
        arguments = ("firmware", "update", "--meter", str(config), str(self._image))
        options = ("--identifier", _IDENTIFIER, "--json")
        self._type((*arguments, *options))
        done, told = 0, -1
        async with started(*arguments, *options, environment=self._environment) as process:
            async for event in events_of(process):
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
                        claim(code == expected, f"the update ended with exit code {code}")
                        return event, done
                    case _:
                        pass  # findings
        raise NotAsClaimed("the update ended without a result")

    async def _shown(self, *arguments: str) -> None:
        """A command with its output."""
        self._type(arguments)
        self._console.file.flush()
        async with started(*arguments, environment=self._environment) as process:
            octets = await stdout_of(process).read()
            code = await process.wait()
        for shown in octets.decode().splitlines():
            self._console.print(Text(f"  {shown}".rstrip()))
        claim(code == 0, f"meterwright {shlex.join(arguments)} ended with exit code {code}")

    def _say(self, sentence: str) -> None:
        self._console.print(Text(f"\n{sentence}", "bold"))

    def _praise(self, what: str) -> None:
        self._console.print(Text(f"  {what}", "green"))

    def _type(self, arguments: Sequence[str]) -> None:
        shown = shlex.join(arguments).replace(f"{self._folder}{os.sep}", "")
        self._console.print(Text(f"$ meterwright {shown}", "cyan"))


def _address_in(config: Path) -> MeterAddress:
    return MeterAddress.parse(read_meter_file(config).meter.url)


def _with_port(config: Path, port: int, copy: Path) -> None:
    """The meter's file, for a line of ours before the meter."""
    address = _address_in(config)
    text = config.read_text("utf-8").replace(str(address), f"tcp://{address.host}:{port}")
    copy.touch(mode=0o600)
    copy.write_text(text, "utf-8")
