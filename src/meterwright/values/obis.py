"""OBIS codes: the logical names of the objects in a meter.

Six value groups A to F of one octet each (IEC 62056-61, Blue Book "Relation to OBIS"). What a code means is
not known here but in `dictionary`. Refused, with ValueError: text that is no such code, and octets that
are not six.
"""

import re
from dataclasses import dataclass
from typing import Self

__all__ = ["Obis"]

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_MARKED = re.compile(r"([0-9]+)-([0-9]+):([0-9]+)\.([0-9]+)\.([0-9]+)(?:[.*]([0-9]+))?")
_HEX = re.compile(r"[0-9A-Fa-f]{12}")
_FORMS = "expected a code like 1.0.1.8.0.255, 1-0:1.8.0*255, 1-0:1.8.0 or 0100010800FF"
_LONGEST = 32


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Obis:
    """An OBIS code, by its six octets. `Obis.parse` reads text; `str()` gives `1.0.1.8.0.255`."""

    octets: bytes

    def __post_init__(self) -> None:
        # A text here is the mistake to expect of a caller who runs no type checker.
        if not isinstance(self.octets, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]  # as said
            raise TypeError(f"Obis takes bytes, not {type(self.octets).__name__}; Obis.of takes text too")
        if len(self.octets) != 6:
            raise ValueError(f"an OBIS code has 6 octets, not {len(self.octets)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1.0.1.8.0.255`, `1-0:1.8.0*255`, `1-0:1.8.0.255`, `1-0:1.8.0` (F is 255) or 12 hex digits."""
        code = text.strip()
        if len(code) > _LONGEST:
            raise ValueError(f"{code[:_LONGEST]!r}… is too long for an OBIS code; {_FORMS}")
        if _HEX.fullmatch(code):
            return cls(bytes.fromhex(code))
        return cls(_octets_of(_groups_of(code), code))

    @classmethod
    def of(cls, code: "Obis | str | bytes") -> "Obis":
        """Whatever names an object: a code as it is, text as `parse` reads it, or the six octets."""
        if isinstance(code, Obis):
            return code
        return cls.parse(code) if isinstance(code, str) else cls(code)

    @property
    def a(self) -> int:
        """Medium: 0 abstract, 1 electricity, 6 heat, 7 gas, 8 cold water and so on."""
        return self.octets[0]

    @property
    def b(self) -> int:
        """Channel; 0 is the meter itself."""
        return self.octets[1]

    @property
    def c(self) -> int:
        """The quantity measured; its list depends on the medium."""
        return self.octets[2]

    @property
    def d(self) -> int:
        """How the quantity is processed: instantaneous, time integral, maximum and so on."""
        return self.octets[3]

    @property
    def e(self) -> int:
        """Rate or other subdivision; 0 is the total."""
        return self.octets[4]

    @property
    def f(self) -> int:
        """Billing period; 255 is not used, or the current one."""
        return self.octets[5]

    def __str__(self) -> str:
        return ".".join(map(str, self.octets))

    def __repr__(self) -> str:
        return f"Obis('{self}')"


def _groups_of(code: str) -> list[str]:
    if marked := _MARKED.fullmatch(code):
        return list(marked.groups(default="255"))
    if not _DOTTED.fullmatch(code):
        raise ValueError(f"{code!r} is not an OBIS code; {_FORMS}")
    groups = code.split(".")
    if len(groups) != 6:
        raise ValueError(f"OBIS code {code!r} has {len(groups)} groups, not 6; {_FORMS}")
    return groups


def _octets_of(groups: list[str], code: str) -> bytes:
    numbers = [int(group) for group in groups]
    for name, number in zip("ABCDEF", numbers, strict=True):
        if number > 0xFF:
            raise ValueError(f"OBIS code {code!r}: group {name} is {number}, the highest is 255")
    return bytes(numbers)
