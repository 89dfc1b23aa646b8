"""Which column of a maker's file holds what: headers are known by the names in use, whatever their case and dress.

`GUEK`, `Encryption Key` and `global_unicast-key` are one column. What is named twice or not at all is an error that lists the
headers and shows how to say it: `--column NAME=HEADER`. A line that looks like values is never listed: it may hold keys.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final

from meterwright.cli.output import printable
from meterwright.errors import UsageError

__all__ = [
    "ADDRESSES",
    "KEYS",
    "PASSWORDS",
    "Column",
    "parse_choices",
    "recognise",
    "say_which",
    "shown",
]


class Column(Enum):
    """What a column can hold, by the name that `--column` and `--url` have for it."""

    SERIAL = "serial"
    HOST = "host"
    PORT = "port"
    LOWER = "lower"
    UPPER = "upper"
    SERVER = "server"
    METER_SYSTEM_TITLE = "meter_system_title"
    GLOBAL_UNICAST = "global_unicast"
    AUTHENTICATION = "authentication"
    MASTER = "master"
    GLOBAL_BROADCAST = "global_broadcast"
    DEDICATED = "dedicated"
    LOW = "low"
    HIGH = "high"

    @property
    def told(self) -> str:
        """What a person calls it."""
        return _TOLD.get(self, self.value)


_TOLD: Final[Mapping[Column, str]] = MappingProxyType(
    {
        Column.SERIAL: "serial number",
        Column.LOWER: "lower HDLC address",
        Column.UPPER: "upper HDLC address",
        Column.SERVER: "server address",
        Column.METER_SYSTEM_TITLE: "meter's system title",
        Column.GLOBAL_UNICAST: "global unicast key",
        Column.AUTHENTICATION: "authentication key",
        Column.MASTER: "master key",
        Column.GLOBAL_BROADCAST: "global broadcast key",
        Column.DEDICATED: "dedicated key",
        Column.LOW: "low-level password",
        Column.HIGH: "high-level secret",
    }
)
KEYS: Final = (
    Column.GLOBAL_UNICAST,
    Column.AUTHENTICATION,
    Column.MASTER,
    Column.GLOBAL_BROADCAST,
    Column.DEDICATED,
)
"""Columns of symmetric keys, in the order in which a meter's file has them."""
PASSWORDS: Final = (Column.LOW, Column.HIGH)
ADDRESSES: Final = (Column.HOST, Column.PORT, Column.LOWER, Column.UPPER, Column.SERVER, Column.SERIAL)
"""Columns that may stand in a URL: none of them is a secret."""

_SYNONYMS: Final[Mapping[Column, str]] = MappingProxyType(
    {
        Column.SERIAL: "serial, serial number, serial no, serial nr, sn, msn, meter, meter serial, meter serial number, "
        "meter serial no, meter number, meter no, meter id, device id, logical device id, logical device name, ldn",
        Column.HOST: "host, host name, ip, ip address, ip addr, ipv4, ipv4 address, ipv6, ipv6 address, address",
        Column.PORT: "port, port number, ip port, tcp port, udp port",
        Column.LOWER: "lower, lower address, lower hdlc address, hdlc lower address, hdlc address, physical address",
        Column.UPPER: "upper, upper address, upper hdlc address, hdlc upper address, logical address",
        Column.SERVER: "server, server address, server sap",
        Column.METER_SYSTEM_TITLE: "system title, meter system title, server system title, sys title",
        Column.GLOBAL_UNICAST: "ek, gek, guek, guk, encryption key, global encryption key, unicast key, "
        "unicast encryption key, global unicast, global unicast key, global unicast encryption key, block cipher key",
        Column.AUTHENTICATION: "ak, gak, guak, auth key, authentication key, global authentication key",
        Column.MASTER: "kek, mk, master, master key, key encryption key, key encrypting key, master key kek",
        Column.GLOBAL_BROADCAST: "gbek, gbk, broadcast key, broadcast encryption key, global broadcast, "
        "global broadcast key, global broadcast encryption key",
        Column.DEDICATED: "dk, dedicated, dedicated key",
        Column.LOW: "lls, lls password, lls secret, lls key, low level password, low level secret, "
        "low level security password, low level security secret",
        Column.HIGH: "hls, hls password, hls secret, hls key, high level password, high level secret, "
        "high level security password, high level security secret",
    }
)
"""The names in use. `authentication`, `low` and `high` alone may be of a mechanism, and are not among them."""

_MOST_TOLD: Final = 40
_LONGEST_TOLD: Final = 40
_VALUE: Final = re.compile(r"\d{4}|[0-9a-f]{12}", re.IGNORECASE)
"""What no header has, and keys, serial numbers and addresses have."""
_KEY_SIZED: Final = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_NAMES: Final = ", ".join(column.value for column in Column)


def _plain(header: str) -> str:
    """A header without case, spaces, underscores, dashes and brackets, nor the note that it is in hex."""
    return "".join(each for each in header.casefold() if each.isalnum()).removesuffix("hex")


_BY_SYNONYM: Final[Mapping[str, Column]] = MappingProxyType(
    {_plain(name): column for column, names in _SYNONYMS.items() for name in names.split(", ")}
)


def parse_choices(choices: Iterable[str]) -> Mapping[Column, str]:
    """What `--column NAME=HEADER` says, again and again. UsageError for a name that there is not."""
    chosen: dict[Column, str] = {}
    for choice in choices:
        name, equals, header = choice.partition("=")
        column = next((each for each in Column if each.value == name.strip().lower().replace("-", "_")), None)
        if column is None or not equals or not header.strip():
            raise UsageError(
                "--column is not NAME=HEADER, with a NAME that is known",
                hint=f'--column serial="Meter No."; names are {_NAMES}',
            )
        if column in chosen:
            raise UsageError(f"--column {column.value} is given twice", hint="leave one of them out")
        chosen[column] = header.strip()
    return chosen


def recognise(headers: Sequence[str], chosen: Mapping[Column, str]) -> Mapping[Column, int]:
    """Where each column stands. UsageError where that is not plain, or no serial number is there."""
    found = {column: _chosen(headers, column, header) for column, header in chosen.items()}
    if len(set(found.values())) < len(found):
        raise UsageError("two names are given to one header with --column", hint=say_which(headers))
    candidates: dict[Column, list[int]] = {}
    for index, header in enumerate(headers):
        column = _BY_SYNONYM.get(_plain(header))
        if column is not None and column not in found and index not in found.values():
            candidates.setdefault(column, []).append(index)
    _refuse_doubt(headers, candidates)
    found |= {column: indices[0] for column, indices in candidates.items()}
    if Column.SERIAL not in found:
        raise UsageError(
            "no header is known as that of the serial numbers", hint=say_which(headers, Column.SERIAL)
        )
    return found


def say_which(headers: Sequence[str], *wanted: Column) -> str:
    """How to say which column is meant, with the headers there are, unless they look like values."""
    known = any(_plain(header) in _BY_SYNONYM for header in headers)
    if not known and any(_VALUE.search(header) for header in headers):
        return f"the first line must hold headers, and this one looks like values; names are {_NAMES}"
    ways = " ".join(f"--column {column.value}=HEADER" for column in wanted) or "--column NAME=HEADER"
    return f"say which: {ways}; the headers are {_told_all(headers)}"


def shown(header: str) -> str:
    """A header in a message, but for one that may be a key."""
    if _KEY_SIZED.search(_plain(header)):
        return "…"
    return printable(header[:_LONGEST_TOLD])


def _chosen(headers: Sequence[str], column: Column, wanted: str) -> int:
    """The one header that a person chose: as it is written, or else but for its dress."""
    exactly = [index for index, header in enumerate(headers) if header == wanted]
    nearly = [index for index, header in enumerate(headers) if _plain(header) == _plain(wanted) != ""]
    match exactly or nearly:
        case [index]:
            return index
        case []:
            raise UsageError(
                f"--column {column.value}: there is no such header", hint=say_which(headers, column)
            )
        case _:
            raise UsageError(
                f"--column {column.value}: there are several such headers",
                hint="give the columns of the file different headers",
            )


def _refuse_doubt(headers: Sequence[str], candidates: Mapping[Column, Sequence[int]]) -> None:
    doubtful = {column: indices for column, indices in candidates.items() if len(indices) > 1}
    if doubtful:
        told = "; ".join(
            f"the {column.told} may be {_told_all([headers[index] for index in indices])}"
            for column, indices in doubtful.items()
        )
        raise UsageError(f"several headers mean the same: {told}", hint=say_which(headers, *doubtful))


def _told_all(headers: Sequence[str]) -> str:
    told = [f"'{shown(header)}'" for header in headers[:_MOST_TOLD]]
    more = len(headers) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")
