"""A meter's file: TOML with a table `[meter]`, how it is reached and spoken to, and a table `[keys]`, its secrets.

    [meter]
    url = "hdlc+tcp://192.0.2.7:4000?lower=17"
    client = 80
    companion = "is15959"          # says what the rest would say: authentication, security, counter object

    [keys]
    password = "file:secrets/hls"  # hex digits, text:…, env:NAME or file:PATH
    global_unicast = "env:METER_EK"
    authentication = "env:METER_AK"

An unknown key is a mistake and refused: a meter must not be talked to in the clear because a word was not understood.
"""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meterwright.cli.settings import complaints
from meterwright.errors import UsageError

__all__ = ["KEY_NAMES", "DescribedMeter", "MeterFile", "parse_meter_file", "read_meter_file"]

_Sap = Annotated[int, Field(ge=0, le=0xFFFF)]
_Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]
_LARGEST_FILE: Final = 1 << 20


class _Strict(BaseModel):
    """A table in which an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class DescribedTimeouts(_Strict):
    """How long to wait, in seconds; what is left out is as the settings say."""

    connect: _Seconds | None = None
    associate: _Seconds | None = None
    request: _Seconds | None = None
    release: _Seconds | None = None
    between: _Seconds | None = None


class DescribedMeter(_Strict):
    """How one meter is reached and spoken to. What is left out is the companion's to say.

    `system_title` is ours, this installation's unless given; `meter_system_title` the meter's, where it does not tell it or is to
    be checked. `counter_object` tells the invocation counter; `follow_counter` follows it however far it has jumped.
    """

    url: str
    client: _Sap | None = None
    server: _Sap | None = None
    referencing: Literal["ln"] = "ln"
    authentication: str | None = None
    security: str | None = None
    suite: int = 0
    system_title: str | None = None
    meter_system_title: str | None = None
    companion: str = "plain"
    counter_object: str | None = None
    counter_reading: Literal["first-use", "always", "never"] = "first-use"
    follow_counter: bool = False
    dedicated_key: bool = False
    general_ciphering: bool = False
    association_object: str | None = None
    timeouts: DescribedTimeouts = DescribedTimeouts()


class DescribedTls(_Strict):
    """Whom to trust where the URL is one of TLS, and who we are: PEM files, named from the folder of the meter's file."""

    ca: str | None = None
    certificate: str | None = None
    private_key: str | None = None
    server_name: str | None = None


class DescribedKeys(_Strict):
    """The secrets: the password or the secret of the authentication, and the keys.

    `signing` is our private key, `verifying` the meter's public one: for signatures, in suite 1 or 2.
    """

    password: str | None = None
    global_unicast: str | None = None
    global_broadcast: str | None = None
    authentication: str | None = None
    dedicated: str | None = None
    master: str | None = None
    signing: str | None = None
    verifying: str | None = None


class MeterFile(_Strict):
    """A meter's file."""

    meter: DescribedMeter
    keys: DescribedKeys = DescribedKeys()
    tls: DescribedTls = DescribedTls()


KEY_NAMES: Final = tuple(DescribedKeys.model_fields)
"""What may stand in `[keys]`."""

_HINT: Final = (
    f"[meter] has {', '.join(DescribedMeter.model_fields)}; its timeouts are {', '.join(DescribedTimeouts.model_fields)};"
    f" [keys] has {', '.join(KEY_NAMES)}; [tls] has {', '.join(DescribedTls.model_fields)}"
)


def read_meter_file(file: Path) -> MeterFile:
    """What the file says. UsageError names what is wrong with it, and repeats no value."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", hint="check the path") from None
    if len(text) > _LARGEST_FILE:
        raise UsageError(f"{file} is no meter's file: it has more than {_LARGEST_FILE} octets")
    return parse_meter_file(text, str(file))


def parse_meter_file(text: bytes, name: str) -> MeterFile:
    """What a file says whose octets are these. UsageError as from `read_meter_file`."""
    try:
        return MeterFile.model_validate(tomllib.loads(text.decode("utf-8")))
    except ValidationError as error:
        wrong = UsageError(f"{name} cannot be used: {complaints(error, _place)}", hint=_HINT)
    except (ValueError, RecursionError) as error:  # no UTF-8, or no TOML
        wrong = UsageError(
            f"{name} is no TOML: {_without_values(error)}", hint="see the documentation of a meter's file"
        )
    raise wrong  # from out here: inside, the error that holds the text would hang on it


def _place(place: Sequence[int | str]) -> str:
    """Where it is wrong. What is no key of `[keys]`, nor nearly one, may be a secret in the wrong place."""
    shown = [str(part) for part in place]
    if shown[:1] == ["keys"] and shown[1:] and not difflib.get_close_matches(shown[1], KEY_NAMES):
        shown[1:] = ["…"]
    return ".".join(shown)


def _without_values(error: Exception) -> str:
    """Where a TOML file breaks. What stands there may be a secret, so only the place is told."""
    said = str(error)
    place = said[said.rfind("(at ") :] if "(at " in said else ""
    return place.strip("()") or type(error).__name__
