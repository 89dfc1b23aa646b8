"""`meterwright firmware status`: where the image transfer of a meter stands, attributes 2 to 7 in words."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.meters import connected, named_meter, split_meter
from meterwright.cli.output import print_json, printable, stdout
from meterwright.cli.rendering import Json, as_json, as_text
from meterwright.cli.running import run
from meterwright.cli.settings import load_settings
from meterwright.client import Client
from meterwright.cosem import DataObject, ImageToActivateInfo, ImageTransfer
from meterwright.errors import DataAccessError, RemoteProtocolError, UsageError
from meterwright.values import BitString, ImageTransferStatus

__all__ = ["status"]

T = TypeVar("T")

_RUNNING: Final = "1.0.0.2.0.255"
_WORDS: Final = {
    ImageTransferStatus.NOT_INITIATED: "no transfer was begun",
    ImageTransferStatus.TRANSFER_INITIATED: "a transfer was begun; which image it is of, no attribute tells",
    ImageTransferStatus.VERIFICATION_INITIATED: "the meter is verifying",
    ImageTransferStatus.VERIFICATION_SUCCESSFUL: "verified, not activated",
    ImageTransferStatus.VERIFICATION_FAILED: "the meter found the image bad",
    ImageTransferStatus.ACTIVATION_INITIATED: "the meter is activating",
    ImageTransferStatus.ACTIVATION_SUCCESSFUL: "activated",
    ImageTransferStatus.ACTIVATION_FAILED: "the meter could not activate it",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One attribute: its name, its value for programs, and what it says."""

    name: str
    value: Json
    words: str


def status(
    meter_url: Annotated[
        str | None,
        Parameter(
            name="URL", help="The meter's address, such as tcp://192.0.2.7?client=16. Left out with --meter."
        ),
    ] = None,
    /,
    *,
    meter: Annotated[Path | None, Parameter(help="The meter's file, instead of its URL.")] = None,
    json: Annotated[bool, Parameter(help="One JSON line on stdout, and nothing else there.")] = False,
) -> int:
    """Tell where the image transfer of a meter stands.

    Reads the attributes of its image transfer object and what runs now. Changes nothing.
    """
    url, others = split_meter(() if meter_url is None else (meter_url,), meter)
    if others:
        raise UsageError(
            f"{others[0]!r} is one argument too many", hint="status takes a meter and nothing else"
        )
    named = named_meter(url, meter, load_settings())
    rows = run(_rows(named.client()))
    if json:
        print_json({"event": "status", **{row.name: row.value for row in rows}})
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        for row in rows:
            table.add_row(Text(row.name, "bold"), Text(printable(row.words)))
        stdout().print(table)
    return ExitCode.DONE


async def _rows(client: Client) -> list[_Row]:
    async with connected(client):
        transfer = ImageTransfer(client)
        return [
            await _row("version", DataObject(client, _RUNNING).value.get, as_text),
            await _row("image_block_size", transfer.image_block_size.get, as_text),
            await _row("image_transferred_blocks_status", transfer.image_transferred_blocks_status.get, _map),
            await _row(
                "image_first_not_transferred_block_number",
                transfer.image_first_not_transferred_block_number.get,
                as_text,
            ),
            await _row("image_transfer_enabled", transfer.image_transfer_enabled.get, as_text),
            await _row("image_transfer_status", transfer.image_transfer_status.get, _standing),
            await _row("image_to_activate_info", transfer.image_to_activate_info.get, _to_activate),
        ]


async def _row(name: str, read: Callable[[], Awaitable[T]], words: Callable[[T], str]) -> _Row:
    """An attribute, or why it cannot be told: meters may refuse any of them, and some only while they are busy."""
    try:
        value = await read()
    except (DataAccessError, RemoteProtocolError) as error:
        return _Row(name, None, f"not told: {error.what}")
    if isinstance(value, BitString):
        return _Row(
            name, {"bits": value.length, "held": value.count(), "map": value.octets.hex()}, words(value)
        )
    return _Row(name, as_json(value), words(value))


def _map(value: BitString) -> str:
    if not value:
        return "no map"
    return f"{value.count()} of {value.length} blocks are there ({100 * value.count() // value.length} %)"


def _standing(value: ImageTransferStatus) -> str:
    return f"{as_text(value)}: {_WORDS.get(value, 'in no book')}"


def _to_activate(info: tuple[ImageToActivateInfo, ...]) -> str:
    return "; ".join(_image(each) for each in info) or "nothing"


def _image(info: ImageToActivateInfo) -> str:
    signature = info.image_to_activate_signature.hex() or "none"
    name = as_text(info.image_to_activate_identification)
    return f"{name}, {info.image_to_activate_size} octets, signature {signature}"
