"""What `explain` gives: frozen values that say what each octet means, and the one JSON object of the command line.

An `Explanation` is of one APDU and the layers around it; where several frames came in a row, the others are `following`.
The leaves of its tree of `Part`s lie side by side and cover every octet of the APDU. Offsets count from the APDU's first
octet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from meterwright.values import Finding

__all__ = ["Explanation", "Json", "Layer", "Part", "Reading", "State"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class State(Enum):
    """How far a run of octets was understood."""

    READ = "read"
    ILLEGAL = "illegal"
    """here the octets break the standard, or end too early"""
    UNREAD = "unread"
    """nothing can be said about these"""
    HIDDEN = "hidden"
    """understood, and better not shown: a password or a key"""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of octets, its name and what it means; parts of its own lie side by side and cover it."""

    start: int
    end: int
    name: str
    value: str
    octets: bytes = field(repr=False)
    state: State = State.READ
    parts: tuple["Part", ...] = ()

    def leaves(self) -> Iterator["Part"]:
        """The parts without parts, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def moved(self, by: int) -> "Part":
        """The same part at another offset."""
        parts = tuple(part.moved(by) for part in self.parts)
        return Part(self.start + by, self.end + by, self.name, self.value, self.octets, self.state, parts)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer around the APDU, by its kind (`wrapper`, `llc`, …) and what its header says."""

    kind: str
    octets: bytes
    header: Mapping[str, Json] = field(default_factory=dict[str, Json])

    def as_json(self) -> dict[str, Json]:
        """As the command line prints it with `--json`."""
        return {"kind": self.kind, **self.header}


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with the object it belongs to, as far as the octets tell."""

    obis: str
    attribute: int | None
    raw: Json
    value: Json
    scaler: int | None = None
    unit: str | None = None

    def as_json(self) -> dict[str, Json]:
        """As the command line prints it with `--json`."""
        return {
            "obis": self.obis,
            "attribute": self.attribute,
            "raw": self.raw,
            "value": self.value,
            "scaler": self.scaler,
            "unit": self.unit,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """What some octets mean. `ok` says that everything was understood, not that the meter was content."""

    ok: bool
    octets: bytes = b""
    layers: tuple[Layer, ...] = ()
    type: str | None = None
    part: Part | None = None
    fields: Mapping[str, Json] = field(default_factory=dict[str, Json])
    plaintext: bytes | None = None
    invoke_id: int | None = None
    datetime: str | None = None
    values: tuple[Reading, ...] = ()
    data: Json = None
    findings: tuple[Finding, ...] = ()
    following: tuple["Explanation", ...] = ()

    def all(self) -> Iterator["Explanation"]:
        """This one and those that follow."""
        yield self
        yield from self.following

    def as_json(self, id: Json = None) -> dict[str, Json]:  # noqa: A002 - the contract's own word
        """The object that `explain --json` and `--batch` print.

        Further frames stand in `apdu.following`, also where the first carries no APDU: its type is null then.
        """
        apdu: dict[str, Json] | None = None
        if self.type is not None or self.following:
            apdu = {"type": self.type, **self.fields}
            if self.following:
                apdu["following"] = [each.as_json() for each in self.following]
        return {
            "id": id,
            "ok": all(each.ok for each in self.all()),
            "layers": [layer.as_json() for layer in self.layers],
            "apdu": apdu,
            "plaintext": None if self.plaintext is None else self.plaintext.hex(),
            "invoke_id": self.invoke_id,
            "datetime": self.datetime,
            "values": [value.as_json() for value in self.values],
            "data": self.data,
            "findings": [_finding(finding) for finding in self.findings],
        }


def _finding(finding: Finding) -> dict[str, Json]:
    """The contract has no place for the next step but the message."""
    message = f"{finding.message}; try: {finding.hint}" if finding.hint else finding.message
    return {"level": finding.level.value, "code": finding.code, "message": message, "offset": finding.offset}
