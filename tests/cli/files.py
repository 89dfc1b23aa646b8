"""What the tests of meters' files share: a file, its keys, and what is said of one that cannot be used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from meterwright.cli.meters import named_meter
from meterwright.cli.settings import Settings
from meterwright.errors import UsageError
from meterwright.security import P_256, Secret, SigningKey

EK: Final = "7d0f1c1e5a4b39288716051423324150"
AK: Final = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
PASSWORD: Final = "sw0rdfish"
SIGNING: Final = "b1" * 32
"""A private key on P-256."""
VERIFYING: Final = SigningKey.from_scalar(P_256, Secret.from_hex("b2" * 32)).public.octets.hex()
"""The public one of somebody else."""
NO_KEYS: Final = '[meter]\nurl = "tcp://127.0.0.1"\n'


@dataclass(frozen=True)
class Written:
    """A table `[keys]`; what is None is left out."""

    global_unicast: str | None = EK
    authentication: str | None = AK
    password: str | None = None
    signing: str | None = None
    verifying: str | None = None

    def __str__(self) -> str:
        return "\n".join(
            [
                "",
                "[keys]",
                *(f"{name} = '{value}'" for name, value in vars(self).items() if value is not None),
                "",
            ]
        )


def written(folder: Path, text: str) -> Path:
    """A meter's file."""
    path = folder / "meter.toml"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def settings_in(folder: Path, **settings: Any) -> Settings:
    """Settings with a folder of state that is not there yet."""
    return Settings(state=folder / "state", **settings)


def refusal(folder: Path, text: str) -> str:
    """All that is said of a file that cannot be used, its hint too."""
    with pytest.raises(UsageError) as refused:
        named_meter(None, written(folder, text), settings_in(folder))
    return f"{refused.value}\n{refused.value.hint}"
