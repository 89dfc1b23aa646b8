"""What a simulated meter must not forget: the record of its firmware and image, and the map of blocks received.

Plain values, and the JSON form in which ``state.json`` holds them. Identifiers stand there as text when they are
printable ASCII, else as ``hex:…``. A file that is no such record is refused with a UsageError that says why.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from meterwright.errors import UsageError
from meterwright.values import BitString, ImageTransferStatus

__all__ = [
    "BlockMap",
    "ImageRecord",
    "MeterRecord",
    "MethodCalls",
    "only_counts_differ",
    "record_from_json",
    "record_to_json",
]

_FORMAT: Final = 2
_HINT: Final = "give another --state-dir, or remove this meter's folder to begin with a new meter"


class BlockMap:
    """Which blocks of an image have come: attribute 3, and attribute 4 kept beside it."""

    __slots__ = ("first_missing", "length", "octets", "received")

    def __init__(self, length: int, octets: bytes | None = None) -> None:
        self.length = length
        self.octets = bytearray((length + 7) // 8) if octets is None else bytearray(octets)
        self.received = self.to_bit_string().count()
        self.first_missing = 0
        self._advance()

    def __contains__(self, number: int) -> bool:
        return bool(self.octets[number >> 3] & 0x80 >> (number & 7))

    @property
    def is_complete(self) -> bool:
        """Whether every block has come; an image that was never begun has not."""
        return 0 < self.length == self.received

    def add(self, number: int) -> None:
        """The block has come."""
        if number not in self:
            self.octets[number >> 3] |= 0x80 >> (number & 7)
            self.received += 1
            self._advance()

    def discard(self, number: int) -> None:
        """The block is missing again."""
        if number in self:
            self.octets[number >> 3] &= ~(0x80 >> (number & 7))
            self.received -= 1
            self.first_missing = min(self.first_missing, number)

    def to_bit_string(self) -> BitString:
        """As attribute 3 shows it."""
        return BitString(bytes(self.octets), self.length)

    def _advance(self) -> None:
        while self.first_missing < self.length and self.first_missing in self:
            self.first_missing += 1


@dataclass(frozen=True, slots=True)
class MethodCalls:
    """How often each method of the image transfer object was called, refused calls included."""

    image_transfer_initiate: int = 0
    image_block_transfer: int = 0
    image_verify: int = 0
    image_activate: int = 0

    def plus(self, method: str) -> "MethodCalls":
        """One call more."""
        return replace(self, **{method: getattr(self, method) + 1})


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """The image being transferred, or transferred last.

    `transfer` numbers the transfers: it names the file the blocks are in. `sha256` is of what was verified, b"" before.
    """

    status: ImageTransferStatus = ImageTransferStatus.NOT_INITIATED
    identifier: bytes = b""
    size: int = 0
    block_size: int = 0
    transfer: int = 0
    enabled: bool = True
    sha256: bytes = b""

    @property
    def blocks_total(self) -> int:
        """How many blocks the image has."""
        return -(-self.size // self.block_size) if self.block_size else 0

    def length_of(self, number: int) -> int:
        """How long a block is: each but the last exactly the block size, the last exactly the remainder."""
        return min(self.block_size, self.size - number * self.block_size)


@dataclass(frozen=True, slots=True)
class MeterRecord:
    """All that a meter must not forget, but for the blocks themselves.

    `counters`: the greatest invocation counter that was accepted, by the logical name of the object that tells it; `reserved`:
    the greatest that the meter may have used itself, by key and title. `schedule`: the entries of the activation schedule, as
    Data in octets.
    """

    meter: str
    firmware_identifier: bytes
    firmware_sha256: bytes
    image: ImageRecord = field(default_factory=ImageRecord)
    method_calls: MethodCalls = field(default_factory=MethodCalls)
    blocks_rejected: int = 0
    blocks_repeated: int = 0
    reboots: int = 0
    failed_logins: int = 0
    counters: Mapping[str, int] = field(default_factory=dict[str, int])
    reserved: Mapping[str, int] = field(default_factory=dict[str, int])
    schedule: bytes = b""


_LAYOUT: Final = """\
{{
 "format": {format},
 "meter": {meter},
 "firmware_identifier": {firmware_identifier},
 "firmware_sha256": {firmware_sha256},
 "image": {{
  "status": {image.status:d},
  "status_name": "{image.status.label}",
  "identifier": {identifier},
  "size": {image.size},
  "block_size": {image.block_size},
  "blocks_total": {blocks.length},
  "blocks_received": {blocks.received:10},
  "first_missing": {blocks.first_missing:10},
  "enabled": {enabled},
  "transfer": {image.transfer},
  "sha256": "{sha256}"
 }},
 "method_calls": {{
  "image_transfer_initiate": {calls.image_transfer_initiate:10},
  "image_block_transfer": {calls.image_block_transfer:10},
  "image_verify": {calls.image_verify:10},
  "image_activate": {calls.image_activate:10}
 }},
 "blocks_rejected": {record.blocks_rejected:10},
 "blocks_repeated": {record.blocks_repeated:10},
 "failed_logins": {record.failed_logins:10},
 "counters": {counters},
 "reserved_counters": {reserved},
 "schedule": "{schedule}",
 "reboots": {record.reboots}
}}
"""


def record_to_json(record: MeterRecord, blocks: BlockMap) -> bytes:
    """The content of state.json. What each call changes has a fixed width: see `only_counts_differ`."""
    image = record.image
    text = _LAYOUT.format(
        format=_FORMAT,
        record=record,
        image=image,
        calls=record.method_calls,
        blocks=blocks,
        meter=json.dumps(record.meter),
        firmware_identifier=json.dumps(_named(record.firmware_identifier)),
        firmware_sha256=json.dumps(record.firmware_sha256.hex()),
        identifier=json.dumps(_named(image.identifier)),
        enabled=json.dumps(image.enabled),
        sha256=image.sha256.hex(),
        counters=_numbers(record.counters),
        reserved=_numbers(record.reserved),
        schedule=record.schedule.hex(),
    )
    return text.encode("ascii")


def _numbers(numbers: Mapping[str, int]) -> str:
    """Numbers by name, each as wide as the greatest."""
    rows = (f"\n  {json.dumps(name)}: {number:10}" for name, number in sorted(numbers.items()))
    return "{" + ",".join(rows) + "\n }"


def only_counts_differ(record: MeterRecord, other: MeterRecord) -> bool:
    """Whether the JSON of one may be written over that of the other: a reader in between finds counts of both, no more."""
    return (
        record.image is other.image
        and record.firmware_identifier is other.firmware_identifier
        and record.reboots == other.reboots
        and record.reserved is other.reserved
        and record.schedule == other.schedule
    )


def record_from_json(octets: bytes, origin: str, meter: str) -> MeterRecord:
    """The record of `meter` that stands in `origin`. UsageError where it is none, or another meter's."""
    try:
        return _record(_Fields(json.loads(octets)), meter)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{origin} is no state of a simulated meter: {error}", hint=_HINT) from None


def _record(document: "_Fields", meter: str) -> MeterRecord:
    if document.number("format") != _FORMAT:
        raise ValueError(f"format {document.number('format')} is not {_FORMAT}")
    if document.text("meter") != meter:
        raise ValueError(f"it is of meter {document.text('meter')}, not of {meter}")
    image, calls = document.section("image"), document.section("method_calls")
    return MeterRecord(
        meter=meter,
        firmware_identifier=document.octets("firmware_identifier"),
        firmware_sha256=bytes.fromhex(document.text("firmware_sha256")),
        image=ImageRecord(
            status=ImageTransferStatus(image.number("status")),
            identifier=image.octets("identifier"),
            size=image.number("size"),
            block_size=image.number("block_size"),
            transfer=image.number("transfer"),
            enabled=image.flag("enabled"),
            sha256=bytes.fromhex(image.text("sha256")),
        ),
        method_calls=MethodCalls(
            image_transfer_initiate=calls.number("image_transfer_initiate"),
            image_block_transfer=calls.number("image_block_transfer"),
            image_verify=calls.number("image_verify"),
            image_activate=calls.number("image_activate"),
        ),
        blocks_rejected=document.number("blocks_rejected"),
        blocks_repeated=document.number("blocks_repeated"),
        reboots=document.number("reboots"),
        failed_logins=document.number("failed_logins"),
        counters=document.section("counters").numbers(),
        reserved=document.section("reserved_counters").numbers(),
        schedule=bytes.fromhex(document.text("schedule")),
    )


def _named(identifier: bytes) -> str:
    text = identifier.decode("latin-1")
    printable = text.isascii() and text.isprintable() and not text.startswith("hex:")
    return text if printable else f"hex:{identifier.hex()}"


class _Fields:
    """A JSON object whose members are asked for by type; ValueError where one is missing or of another type."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise ValueError("a JSON object was expected")  # noqa: TRY004 - all that is wrong with a file is one error
        self._members: Mapping[object, object] = value

    def text(self, name: str) -> str:
        value = self._members.get(name)
        if not isinstance(value, str):
            raise ValueError(f"{name} is no text")  # noqa: TRY004 - as above
        return value

    def octets(self, name: str) -> bytes:
        text = self.text(name)
        return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode("ascii")

    def number(self, name: str) -> int:
        value = self._members.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{name} is no count")
        return value

    def flag(self, name: str) -> bool:
        value = self._members.get(name)
        if not isinstance(value, bool):
            raise ValueError(f"{name} is neither true nor false")  # noqa: TRY004 - as above
        return value

    def numbers(self) -> dict[str, int]:
        return {name: self.number(name) for name in self._members if isinstance(name, str)}

    def section(self, name: str) -> "_Fields":
        return _Fields(self._members.get(name))
