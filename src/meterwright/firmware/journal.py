"""What we did to which meter, kept across crashes: the memory that makes it safe to go on with a begun transfer.

Class 18 has no attribute that tells which image was begun, so nobody but us can know. One file a meter, one JSON record a
line, only ever appended to, and replaced whole when a new transfer begins. A record is written *before* the act it
announces. What a killed process wrote stays; a torn last line is passed over, and cut off before anything is written
behind it. After a power cut the last lines may be missing: the block map then holds more than we remember, and the
transfer is begun anew, which is safe. A line that is whole and none of ours makes all of it worthless.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from meterwright.errors import UsageError
from meterwright.firmware.block_map import BlockMap
from meterwright.values import BitString

__all__ = ["ImageIdentity", "Journal", "Memory", "journal_path"]

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class ImageIdentity:
    """Which image, cut how: what must be the same for a transfer to be the same. `identifier` in hex."""

    sha256: str
    identifier: str
    size: int
    block_size: int


@dataclass(slots=True)
class Memory:
    """What the journal remembers of the last update of a meter.

    `known` is the last block map read; `sent` are the blocks sent since, `acknowledged` the highest of them that the meter
    said it took. `loses_blocks`: this meter was seen to say so and not to keep a block. `exact_map`: its map was seen to have
    one bit a block, as the book says. `activations` counts image_activate, whose outcome is unknown while `activating`.
    `runs` is the version that was seen to run after the image was activated.
    """

    image: ImageIdentity | None = None
    version_before: str | None = None
    known: BitString | None = None
    sent: set[int] = field(default_factory=set[int])
    acknowledged: int | None = None
    loses_blocks: bool = False
    exact_map: bool = False
    verified: bool = False
    activating: bool = False
    activations: int = 0
    enabled_by_us: bool = False
    runs: str | None = None

    def explains(self, blocks: BlockMap) -> bool:
        """Whether a map may be ours: all that we know of is there, and nothing that we did not send.

        What the meter acknowledged should be there too; of a meter that loses blocks only what was read is believed. A map of
        another length is of another image, where this meter's maps have the length of the image.
        """
        if self.exact_map and blocks.bits_read not in (None, blocks.total):
            return False
        if self.acknowledged is not None and not self.loses_blocks and not blocks.has(self.acknowledged):
            return False
        known = (
            BlockMap.up_to(0, blocks.total)
            if self.known is None
            else BlockMap.from_bits(self.known, blocks.total)
        )
        return known.is_within(blocks) and blocks.is_within(known.with_blocks(self.sent))


class Journal:
    """The journal of one meter. `memory` is what it says now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.memory, self._whole = _replay(path)

    def begin(self, image: ImageIdentity, version_before: str | None) -> None:
        """A transfer is about to be initiated: what was remembered of another is forgotten."""
        enabled = self.memory.enabled_by_us
        self.memory = Memory(image=image, version_before=version_before, enabled_by_us=enabled)
        begun: dict[str, object] = {
            "format": _FORMAT,
            "begun": asdict(image),
            "version_before": version_before,
            "enabled": enabled,
        }
        self._replace([begun])

    def enabling(self, *, enabled: bool) -> None:
        """image_transfer_enabled is about to be made TRUE by us (to be restored later), or FALSE again."""
        self.memory.enabled_by_us = enabled
        self._append({"enabled": enabled})

    def read_map(self, bits: BitString) -> None:
        """The meter's block map was read."""
        self.memory.known = bits
        self.memory.sent.clear()
        self.memory.acknowledged = None
        self._append({"map": bits.octets.hex(), "bits": bits.length})

    def exact_map(self) -> None:
        """This meter's map was seen to have one bit a block."""
        self.memory.exact_map = True
        self._append({"exact_map": True})

    def sending(self, number: int) -> None:
        """A block is about to be sent."""
        self.memory.sent.add(number)
        self._append({"sent": number, "acknowledged": self.memory.acknowledged})

    def acknowledged(self, number: int) -> None:
        """The meter took a block. Written down with the next one: a block whose answer is not known may still be there."""
        self.memory.acknowledged = max(number, self.memory.acknowledged or 0)

    def loses_blocks(self) -> None:
        """The meter said it took a block, and does not have it."""
        self.memory.loses_blocks = True
        self._append({"loses_blocks": True})

    def verified(self) -> None:
        """The meter says the image is verified."""
        self.memory.verified = True
        self._append({"verified": True})

    def activating(self) -> None:
        """image_activate is about to be sent: from now on its outcome is unknown until it is seen."""
        self.memory.activating = True
        self.memory.activations += 1
        self._append({"activating": True}, durable=True)

    def not_activated(self) -> None:
        """The outcome is known: what ran before still runs."""
        self.memory.activating = False
        self._append({"activating": False}, durable=True)

    def runs(self, version: str) -> None:
        """The image was seen to run."""
        self.memory.activating = False
        self.memory.runs = version
        self._append({"runs": version}, durable=True)

    def _append(self, record: dict[str, object], *, durable: bool = False) -> None:
        with _complaining(self._path):
            descriptor = self._opened_to_append()
            try:
                if self._whole is not None:
                    os.ftruncate(descriptor, self._whole)
                    self._whole = None
                _write(descriptor, _line(record))
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _opened_to_append(self) -> int:
        """A descriptor; the folder is made when it is missing, and not looked for with every block."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(self._path, flags, 0o600)

    def _replace(self, records: list[dict[str, object]]) -> None:
        fresh = self._path.with_suffix(".new")
        with _complaining(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write(descriptor, b"".join(_line(record) for record in records))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            fresh.replace(self._path)
            self._whole = None


class _complaining:  # noqa: N801 - reads as a statement
    """Turns a failing disk into an error a person understands."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise UsageError(
                f"the journal {self._path} cannot be written: {error.strerror or error}",
                hint="an update is not safe without its journal: free the disk, or set METERWRIGHT_STATE elsewhere",
            ) from error


def journal_path(state: Path, meter: str) -> Path:
    """Where the journal of a meter lies; its name may hold anything, a file's may not."""
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", meter)[:60]
    return state / "journal" / f"{readable}-{hashlib.sha256(meter.encode()).hexdigest()[:8]}.jsonl"


def _replay(path: Path) -> tuple[Memory, int | None]:
    """What the file remembers, and how many of its octets are to stay, where not all are.

    What can't be read is not trusted, and so forgotten: a transfer is begun anew then.
    """
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return Memory(), None
    except OSError as error:
        raise UsageError(
            f"the journal {path} cannot be read: {error.strerror or error}",
            hint="set METERWRIGHT_STATE to a directory of yours",
        ) from None
    *lines, torn = octets.split(b"\n")
    memory = Memory()
    for number, line in enumerate(lines):
        try:
            _remember(memory, json.loads(line), first=number == 0)
        except (ValueError, TypeError, KeyError, RecursionError):
            return Memory(), 0
    return memory, len(octets) - len(torn) if torn else None


def _remember(memory: Memory, record: Any, *, first: bool) -> None:
    """Take one record in. Anything raised here means: not a record of ours."""
    match record:
        case {"format": 1, "begun": image, "version_before": version, "enabled": bool(enabled)} if first:
            memory.image = ImageIdentity(**image)
            memory.version_before = version
            memory.enabled_by_us = enabled
        case {"enabled": bool(enabled)} if len(record) == 1:
            memory.enabled_by_us = enabled
        case {"map": str(octets), "bits": int(length)}:
            memory.known = BitString(bytes.fromhex(octets), length)
            memory.sent.clear()
            memory.acknowledged = None
        case {"sent": int(number), "acknowledged": None | int() as acknowledged}:
            memory.sent.add(number)
            memory.acknowledged = acknowledged
        case {"exact_map": True}:
            memory.exact_map = True
        case {"loses_blocks": True}:
            memory.loses_blocks = True
        case {"verified": True}:
            memory.verified = True
        case {"activating": bool(activating)}:
            memory.activating = activating
            memory.activations += activating
        case {"runs": str(version)}:
            memory.activating = False
            memory.runs = version
        case _:
            raise ValueError(record)


def _write(descriptor: int, octets: bytes) -> None:
    while octets:  # a disk that fills up takes a part, and refuses the rest
        octets = octets[os.write(descriptor, octets) :]


def _line(record: dict[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"
