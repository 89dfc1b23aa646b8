"""One thing noticed that a person should know, the same for explain, doctor and an update.

Refused, with ValueError: a code that is not kebab case (programs match on it), a negative offset.
"""

import re
from dataclasses import dataclass
from enum import Enum

__all__ = ["Finding", "Level"]

_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Level(Enum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was noticed, where in the octets (`offset`, if any), and what to try (`hint`)."""

    level: Level
    code: str
    message: str
    offset: int | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        if not _KEBAB.fullmatch(self.code):
            raise ValueError(f"finding code {self.code!r} is not kebab-case")
        if self.offset is not None and self.offset < 0:
            raise ValueError(f"offset {self.offset} lies before the first octet")

    def as_json(self) -> dict[str, str | int | None]:
        """The finding as the command line prints it with `--json`."""
        return {
            "level": self.level.value,
            "code": self.code,
            "message": self.message,
            "offset": self.offset,
            "hint": self.hint,
        }
