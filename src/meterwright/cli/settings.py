"""What holds for every command: from the environment (METERWRIGHT_…), else from `meterwright.toml`, else our defaults.

`meterwright.toml` is looked for in the folder the command is run in, then in the user's configuration folder; the first one
found counts. Nothing here is a secret: keys and passwords belong to a meter's own file.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import platformdirs
from cyclopts import Parameter
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from rich.table import Table

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.output import print_json, stdout
from meterwright.client import Timeouts
from meterwright.errors import UsageError

__all__ = ["Settings", "complaints", "load_settings", "settings_file", "show_config"]

_APPLICATION: Final = "meterwright"
_FILE: Final = "meterwright.toml"
_STANDARD: Final = Timeouts()
_Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class Settings(BaseSettings):
    """The settings in force. Times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="METERWRIGHT_", extra="forbid", frozen=True, validate_default=True
    )

    state: Annotated[
        Path,
        Field(description="where journals of updates, our system title and our invocation counters are kept"),
    ] = Field(default_factory=lambda: Path(platformdirs.user_state_dir(_APPLICATION, appauthor=False)))
    debug: Annotated[bool, Field(description="show tracebacks")] = False
    connect_timeout: Annotated[_Seconds, Field(description="to open a connection")] = _STANDARD.connect
    associate_timeout: Annotated[_Seconds, Field(description="to open an association")] = _STANDARD.associate
    request_timeout: Annotated[_Seconds, Field(description="for one request and its answer")] = (
        _STANDARD.request
    )
    release_timeout: Annotated[_Seconds, Field(description="to release the meter")] = _STANDARD.release

    @property
    def timeouts(self) -> Timeouts:
        """How long a client waits."""
        return Timeouts(
            connect=self.connect_timeout,
            associate=self.associate_timeout,
            request=self.request_timeout,
            release=self.release_timeout,
        )

    @property
    def counters(self) -> Path:
        """The folder of our invocation counters. It belongs to the system title in `state`, and is backed up with it."""
        return self.state / "counters"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings hands it over; we read no .env
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())


def settings_file() -> Path | None:
    """The `meterwright.toml` that counts, if there is one."""
    folders = (Path.cwd(), Path(platformdirs.user_config_dir(_APPLICATION, appauthor=False)))
    return next((folder / _FILE for folder in folders if (folder / _FILE).is_file()), None)


def load_settings() -> Settings:
    """The settings in force. UsageError names what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        raise UsageError(
            f"the settings cannot be used: {complaints(error)}",
            hint=f"see the variables METERWRIGHT_… and {settings_file() or _FILE}",
        ) from None
    except (OSError, tomllib.TOMLDecodeError, SettingsError, UnicodeDecodeError) as error:
        raise UsageError(f"{settings_file() or 'the settings'} cannot be read: {error}") from None


def show_config(*, json: Annotated[bool, Parameter(help="One JSON line on stdout.")] = False) -> int:
    """Print the settings in force, and where what this installation keeps is. No secret is among it."""
    settings = load_settings()
    values = settings.model_dump(mode="json")
    file = settings_file()
    kept = _kept(settings)
    if json:
        where = {name: str(place) for name, (place, _) in kept.items()}
        print_json(
            {"event": "settings", "file": None if file is None else str(file), **values, "kept": where}
        )
        return ExitCode.DONE
    table = Table("setting", "value", "meaning", title=f"from {file or 'no file'} and the environment")
    for name, value in values.items():
        table.add_row(name, str(value), Settings.model_fields[name].description)
    places = Table("kept", "where", "meaning", title="what this installation keeps, each once it is needed")
    for name, (place, meaning) in kept.items():
        places.add_row(name, str(place), meaning)
    stdout().print(table)
    stdout().print(places)
    return ExitCode.DONE


def _kept(settings: Settings) -> Mapping[str, tuple[Path, str]]:
    """What is kept, where, and what it is."""
    return {
        "system_title": (settings.state / "system-title", "our own system title, drawn once"),
        "counters": (settings.counters, "how far our invocation counters are, for each key and title"),
        "journals": (settings.state / "journal", "what updates did to each meter, to resume them"),
    }


def _dotted(place: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in place)


def complaints(error: ValidationError, named: Callable[[Sequence[int | str]], str] = _dotted) -> str:
    """What is wrong, by the names a person wrote, without repeating values: one may be a secret. `named` names a place."""
    return "; ".join(
        f"{named(each['loc'])}: {_WORDS.get(each['type'], each['msg'])}"
        for each in error.errors(include_input=False, include_url=False)
    )


_WORDS: Final = {"extra_forbidden": "no such key"}
