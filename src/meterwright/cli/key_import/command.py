"""`meterwright keys import`: the keys of many meters, as their maker delivers them, become a file for each meter.

Everything is read and checked before anything is written: a damaged file or a doubtful header stops it all, a bad row only
itself. Rows are told by their line; what stands in them, apart from the serial numbers of those that worked, is never shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from cyclopts import Parameter

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.key_import.columns import KEYS, PASSWORDS, Column, parse_choices, recognise, say_which
from meterwright.cli.key_import.files import KeyFolder, MeterFile, Recipe, file_name, meter_file
from meterwright.cli.key_import.report import ImportReport
from meterwright.cli.key_import.table import KeyTable, Row, read_table
from meterwright.cli.key_import.urls import UrlTemplate
from meterwright.cli.words import POLICIES
from meterwright.companion import COMPANIONS
from meterwright.errors import UsageError

__all__ = ["import_keys"]

_PASSWORD_OF: Final[Mapping[str, Column | None]] = MappingProxyType(
    {
        "none": None,
        "low": Column.LOW,
        "high": Column.HIGH,
        "high-md5": Column.HIGH,
        "high-sha1": Column.HIGH,
        "high-gmac": None,
        "high-sha256": Column.HIGH,
    }
)
"""The authentications, and the column that each takes its password from."""
_SECRETS: Final = ("low", "high")
_LARGEST_SAP: Final = 0xFFFF


def import_keys(
    file: Annotated[
        Path,
        Parameter(name="FILE", help="The maker's list, CSV: one meter a row, headers in the first line."),
    ],
    /,
    *,
    into: Annotated[Path, Parameter(help="The folder for the meters' files, made for its owner alone.")],
    url: Annotated[
        str | None,
        Parameter(
            help="Where the meters are, filled from the columns in braces: 'tcp://{host}:{port}?client=1', "
            "'hdlc+tcp://10.0.0.1:4000?lower={lower}'. Left out, it is tcp with the columns host and port."
        ),
    ] = None,
    companion: Annotated[
        str | None, Parameter(help=f"What kind of meters they are: {', '.join(COMPANIONS)}.")
    ] = None,
    client: Annotated[int | None, Parameter(help="The client address that the keys are for.")] = None,
    column: Annotated[
        tuple[str, ...],
        Parameter(
            help='Which header names a column, where that is not plain: NAME=HEADER, such as serial="Meter No.".',
            show_default=False,
        ),
    ] = (),
    secret: Annotated[
        str | None, Parameter(help="Which password is used, where both are there: low or high.")
    ] = None,
    hex_passwords: Annotated[bool, Parameter(help="Passwords are in hex, not as people type them.")] = False,
    authentication: Annotated[
        str | None,
        Parameter(
            help=f"How the client proves who it is: {', '.join(_PASSWORD_OF)}. Left out, low or high after the password."
        ),
    ] = None,
    security: Annotated[
        str | None,
        Parameter(
            help=f"How APDUs are protected: {', '.join(POLICIES)}. Left out, as the keys of a row allow."
        ),
    ] = None,
    replace: Annotated[bool, Parameter(help="Overwrite files that say something else.")] = False,
    dry_run: Annotated[bool, Parameter(help="Check everything and write nothing.")] = False,
    json: Annotated[bool, Parameter(help="JSON lines on stdout, and nothing else there.")] = False,
) -> int:
    """Make a meter's file of each row of a list of keys.

    Headers are recognised by the names in use: serial number, EK, GUEK, AK, GAK, KEK, LLS, HLS, system title, host, … Rows
    with mistakes are told by their line, and nothing is written for them; the exit code is 1 then.
    """
    options = _Options(url, companion, client, secret, authentication, security)
    table = read_table(file)
    recipe = _recipe(
        table, recognise(table.headers, parse_choices(column)), options, hex_passwords=hex_passwords
    )
    doubles = _doubles(table, recipe)
    folder = KeyFolder(into, replace=replace, dry=dry_run)
    report = ImportReport(recipe, into, json=json, dry=dry_run)
    report.columns(table.headers)
    for row in table.rows():
        try:
            made = _made(row, recipe, doubles)
            outcome = folder.put(made)
        except UsageError as wrong:
            report.failed(row.line, wrong)
        else:
            report.made(row.line, made, outcome)
    folder.finish()
    report.end(file, others_write=folder.others_write)
    return ExitCode.FAILED if report.failures else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Options:
    """What the options say, checked."""

    url: str | None
    companion: str | None
    client: int | None
    secret: str | None
    authentication: str | None
    security: str | None

    def __post_init__(self) -> None:
        for option, value, known in (
            ("--secret", self.secret, _SECRETS),
            ("--authentication", self.authentication, tuple(_PASSWORD_OF)),
            ("--companion", self.companion, tuple(COMPANIONS)),
            ("--security", self.security, tuple(POLICIES)),
        ):
            if value is not None and value not in known:
                raise UsageError(
                    f"{option} {value}: there is no such thing", hint=f"one of {', '.join(known)}"
                )
        if self.client is not None and not 0 <= self.client <= _LARGEST_SAP:
            raise UsageError(f"--client {self.client} is not among 0 to {_LARGEST_SAP}")
        if self.client is not None and re.search(r"[?&]client=", self.url or ""):
            raise UsageError("the client address is given with --client and in --url", hint="say it once")


def _recipe(
    table: KeyTable, columns: Mapping[Column, int], options: _Options, *, hex_passwords: bool
) -> Recipe:
    """How the rows become files. UsageError where options and columns do not fit together."""
    secret = _secret_column(table, columns, options)
    if secret is None and not any(column in columns for column in KEYS):
        raise UsageError(
            "no header is known as that of a key or a password",
            hint=say_which(table.headers, Column.GLOBAL_UNICAST, Column.AUTHENTICATION),
        )
    return Recipe(
        width=len(table.headers),
        columns=columns,
        url=_url(table, columns, options.url),
        secret=secret,
        hex_passwords=hex_passwords,
        client=options.client,
        companion=options.companion,
        authentication=options.authentication,
        security=options.security,
    )


def _secret_column(table: KeyTable, columns: Mapping[Column, int], options: _Options) -> Column | None:
    """The column of the password: as it is asked for, or the only one there is."""
    wanted: list[Column | None] = [Column(options.secret)] if options.secret else []
    if options.authentication:
        wanted.append(_PASSWORD_OF[options.authentication])
    if len(set(wanted)) > 1:
        raise UsageError("--secret and --authentication do not fit together", hint="leave one of them out")
    if not wanted:
        wanted = [column for column in PASSWORDS if column in columns]
    if len(set(wanted)) > 1:
        raise UsageError(
            "there are low-level passwords and high-level secrets",
            hint="say which this client address wants: --secret low or --secret high",
        )
    chosen = next(iter(wanted), None)
    if chosen is not None and chosen not in columns:
        raise UsageError(
            f"no header is known as that of the {chosen.told}", hint=say_which(table.headers, chosen)
        )
    return chosen


def _url(table: KeyTable, columns: Mapping[Column, int], text: str | None) -> UrlTemplate:
    if text is None:
        if Column.HOST not in columns:
            raise UsageError(
                "no column says where the meters are",
                hint=f"give --url 'tcp://…', or {say_which(table.headers, Column.HOST)}",
            )
        text = "tcp://{host}:{port}" if Column.PORT in columns else "tcp://{host}"
    template = UrlTemplate.parse(text)
    missing = [column for column in template.columns if column not in columns]
    if missing:
        told = ", ".join(column.value for column in missing)
        raise UsageError(f"--url wants what no column has: {told}", hint=say_which(table.headers, *missing))
    return template


def _made(row: Row, recipe: Recipe, doubles: Mapping[int, int]) -> MeterFile:
    if row.line in doubles:
        raise UsageError(f"its serial number stands in line {doubles[row.line]} too")
    return meter_file(row, recipe)


def _doubles(table: KeyTable, recipe: Recipe) -> Mapping[int, int]:
    """Lines whose serial number stands in another line too, and which. Reads all rows, so that damage is found first."""
    first: dict[str, int] = {}
    doubles: dict[int, int] = {}
    line = None
    for row in table.rows():
        line = row.line
        serial = recipe.cell(row, Column.SERIAL).strip()
        if serial:
            other = first.setdefault(file_name(serial).casefold(), line)
            if other != line:
                doubles[line] = other
                doubles.setdefault(other, line)
    if line is None:
        raise UsageError("there is no row below the headers")
    return doubles
