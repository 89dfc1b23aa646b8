"""Where each meter of a maker's file is: `--url tcp://{host}:{port}?client=1`, filled from the columns of its row.

Only columns of addresses may stand in braces, and what comes from a row may be nothing but an address of its kind: it cannot
change what the URL is, and no secret gets into one.
"""

import ipaddress
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from meterwright.cli.key_import.columns import ADDRESSES, Column
from meterwright.client import MeterAddress
from meterwright.errors import UsageError

__all__ = ["UrlTemplate"]

_BY_NAME: Final[Mapping[str, Column]] = MappingProxyType({column.value: column for column in ADDRESSES})
_HOST_NAME: Final = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_SERIAL: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LARGEST_PORT: Final = 0xFFFF
_LARGEST_ADDRESS: Final = 0x3FFF
_LARGEST_SAP: Final = 0xFFFF
_HINT: Final = "--url 'tcp://{host}:{port}?client=1'; in braces may stand " + ", ".join(_BY_NAME)


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """A URL with columns in braces. `columns` are those it is filled from."""

    text: str
    columns: tuple[Column, ...]

    @classmethod
    def parse(cls, text: str) -> "UrlTemplate":
        """Read a template. UsageError where it names what there is not, or what it gives could be no meter's address."""
        try:
            fields = [parts[1:] for parts in string.Formatter().parse(text)]
        except ValueError as error:
            raise UsageError(f"--url cannot be understood: {error}", hint=_HINT) from None
        named = [name for name, _, _ in fields if name is not None]
        if any(name not in _BY_NAME for name in named) or any(spec or kind for _, spec, kind in fields):
            raise UsageError("--url names something in braces that cannot stand there", hint=_HINT)
        template = cls(text, tuple(dict.fromkeys(_BY_NAME[name] for name in named)))
        _check(template._filled(_EXAMPLES))
        return template

    def fill(self, values: Mapping[Column, str]) -> str:
        """The URL of one meter. UsageError, without the value, where a value is no address of its kind."""
        fitting: dict[Column, str] = {}
        for column in self.columns:
            value = _KINDS[column](values[column])
            if value is None:
                raise UsageError(f"the {column.told} is missing, or none that can stand in a URL")
            fitting[column] = value
        url = self._filled(fitting)
        if not _is_address(url):
            raise UsageError("its columns make no address of a meter")
        return url

    def _filled(self, values: Mapping[Column, str]) -> str:
        return self.text.format_map({column.value: value for column, value in values.items()})


def _check(url: str) -> None:
    """What a template makes of harmless values must be an address."""
    try:
        MeterAddress.parse(url)
    except UsageError as error:
        raise UsageError(f"--url makes no address of a meter: {error.what}", hint=_HINT) from None


def _is_address(url: str) -> bool:
    try:
        MeterAddress.parse(url)
    except UsageError:
        return False
    return True


def _host(text: str) -> str | None:
    """A host name, or an IP address; one of version 6 gets its brackets."""
    bare = text.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        numeric = not bare.strip("0123456789.")  # four numbers that are no IP address are no name either
        return bare if _HOST_NAME.fullmatch(bare) and not numeric else None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return None if address.scope_id else f"[{address}]"


def _number(lowest: int, highest: int) -> Callable[[str], str | None]:
    def fits(text: str) -> str | None:
        plain = text.isascii() and text.isdigit() and len(text) <= 5
        return str(int(text)) if plain and lowest <= int(text) <= highest else None

    return fits


def _serial(text: str) -> str | None:
    return text if _SERIAL.fullmatch(text) else None


_KINDS: Final[Mapping[Column, Callable[[str], str | None]]] = MappingProxyType(
    {
        Column.HOST: _host,
        Column.PORT: _number(1, _LARGEST_PORT),
        Column.LOWER: _number(0, _LARGEST_ADDRESS),
        Column.UPPER: _number(0, _LARGEST_ADDRESS),
        Column.SERVER: _number(0, _LARGEST_SAP),
        Column.SERIAL: _serial,
    }
)
"""What a value of each column must be, and how it is written."""
_EXAMPLES: Final[Mapping[Column, str]] = MappingProxyType(
    {column: "meter" if column is Column.HOST else "1" for column in ADDRESSES}
)
