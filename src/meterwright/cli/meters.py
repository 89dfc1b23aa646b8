"""Which meter is meant: by URL, or by `--meter FILE.toml`, which also holds how to talk to it.

A meter's file has a table `[meter]` (url, client, server, referencing, authentication, security, suite, system_title,
companion, timeouts) and a table `[keys]`. What this build cannot do yet is refused plainly, never passed over: a meter
must not be talked to in the clear because a key was not understood.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meterwright.cli.settings import complaints
from meterwright.client import Client, ClientSettings, MeterAddress, Timeouts
from meterwright.errors import UsageError

__all__ = ["NamedMeter", "named_meter", "split_meter"]

_Sap = Annotated[int, Field(ge=0, le=0xFFFF)]
_Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]
_LARGEST_FILE: Final = 1 << 20

_BUILT: Final[Mapping[str, frozenset[str | None]]] = {
    "referencing": frozenset({None, "ln"}),
    "authentication": frozenset({None, "none"}),
    "security": frozenset({None, "none"}),
    "companion": frozenset({None, "plain"}),
    "suite": frozenset({None}),
    "system_title": frozenset({None}),
}
"""What this build can do; other values of the contract come with later ones."""


class _Strict(BaseModel):
    """A table in which an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _Timeouts(_Strict):
    """How long to wait, in seconds; what is left out is as the settings say."""

    connect: _Seconds | None = None
    associate: _Seconds | None = None
    request: _Seconds | None = None
    release: _Seconds | None = None


class _Meter(_Strict):
    """How one meter is reached and spoken to."""

    url: str
    client: _Sap | None = None
    server: _Sap | None = None
    referencing: str | None = None
    authentication: str | None = None
    security: str | None = None
    suite: int | None = None
    system_title: str | None = None
    companion: str | None = None
    timeouts: _Timeouts = _Timeouts()


class _MeterFile(_Strict):
    """A meter's file."""

    meter: _Meter
    keys: dict[str, str] = {}


class NamedMeter:
    """A meter that was named by its user: its address, and how to talk to it."""

    def __init__(self, address: MeterAddress, settings: ClientSettings) -> None:
        self.address = address
        self.settings = settings

    def __str__(self) -> str:
        return str(self.address)

    def client(self) -> Client:
        """A client of it, not connected yet."""
        return Client(self.address, self.settings)


def split_meter(arguments: tuple[str, ...], meter: Path | None) -> tuple[str | None, tuple[str, ...]]:
    """The URL among positional arguments, which comes first unless `--meter` names the meter, and the others."""
    if meter is None:
        if not arguments:
            raise UsageError(
                "no meter is named", hint="give its URL, such as tcp://HOST?client=16, or --meter FILE"
            )
        return arguments[0], arguments[1:]
    if arguments and "://" in arguments[0]:
        raise UsageError(
            "a meter is named by URL or by --meter FILE, not by both", hint="leave one of them out"
        )
    return None, arguments


def named_meter(url: str | None, file: Path | None, timeouts: Timeouts) -> NamedMeter:
    """The meter of that URL or file; `timeouts` are for what the file leaves open. UsageError says what is wrong."""
    if file is None:
        address = MeterAddress.parse(url or "")
        return NamedMeter(address, ClientSettings(timeouts=timeouts))
    described = _read(file)
    _refuse_what_is_not_built(file, described)
    address = _address(file, described.meter)
    given = described.meter.timeouts.model_dump(exclude_none=True)
    return NamedMeter(address, ClientSettings(timeouts=replace(timeouts, **given)))


def _read(file: Path) -> _MeterFile:
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", hint="check the path") from None
    if len(text) > _LARGEST_FILE:
        raise UsageError(f"{file} is no meter's file: it has more than {_LARGEST_FILE} octets")
    try:
        return _MeterFile.model_validate(tomllib.loads(text.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{file} is no TOML: {error}", hint="see the documentation of a meter's file"
        ) from None
    except ValidationError as error:
        raise UsageError(f"{file} cannot be used: {complaints(error)}", hint=_KEYS_OF_A_FILE) from None


_KEYS_OF_A_FILE: Final = (
    f"[meter] has {', '.join(_Meter.model_fields)}; its timeouts are {', '.join(_Timeouts.model_fields)}"
)


def _refuse_what_is_not_built(file: Path, described: _MeterFile) -> None:
    if described.keys:
        raise UsageError(
            f"{file} has [keys] ({', '.join(described.keys)}): this build does not use keys or passwords yet",
            hint="use a client address without security, if the meter has one",
        )
    for name, built in _BUILT.items():
        value = getattr(described.meter, name)
        if value not in built:
            known = ", ".join(sorted(each for each in built if each)) or "none at all"
            raise UsageError(f"{file}: {name} = {value!r} is not in this build, which has: {known}")


def _address(file: Path, meter: _Meter) -> MeterAddress:
    """The address, with the service access points of the file. UsageError where the URL says others."""
    address = MeterAddress.parse(meter.url)
    for name, in_url, in_file in (
        ("client", address.client_sap, meter.client),
        ("server", address.server_sap, meter.server),
    ):
        if None not in (in_url, in_file) and in_url != in_file:
            raise UsageError(f"{file}: {name} is {in_file}, and {in_url} in its url", hint="say it once")
    return replace(
        address,
        client_sap=address.client_sap if meter.client is None else meter.client,
        server_sap=address.server_sap if meter.server is None else meter.server,
    )
