"""What is told of an import of keys: which header is what, which rows failed, what is worth knowing, and the sum.

For people to the terminal, with `--json` as lines. No value of a row is told but the serial number of one that worked.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.text import Text

from meterwright.cli.key_import.columns import PASSWORDS, Column, shown
from meterwright.cli.key_import.files import MeterFile, Outcome, Recipe
from meterwright.cli.output import complain_on, print_json, printable, status_on, stdout
from meterwright.cli.update_display import show_finding
from meterwright.errors import UsageError
from meterwright.values import Finding, Level

__all__ = ["ImportReport"]

_MOST_FAILURES_TOLD: Final = 20
_MOST_LINES_TOLD: Final = 5
_OTHERS_READ: Final = 0o044


@dataclass(slots=True)
class ImportReport:
    """What is told of an import, while it runs and when it ends."""

    recipe: Recipe
    into: Path
    json: bool = field(kw_only=True)
    dry: bool = field(kw_only=True)
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    failures: int = 0
    known_to_all: dict[Column, list[int]] = field(default_factory=dict[Column, list[int]])
    hex_like: list[int] = field(default_factory=list[int])

    def columns(self, headers: Sequence[str]) -> None:
        """Which header was taken for what, and which for nothing."""
        taken = {
            column: index
            for column, index in self.recipe.columns.items()
            if column not in PASSWORDS or column is self.recipe.secret
        }
        used = {column.value: shown(headers[index]) for column, index in taken.items()}
        unused = [
            shown(header) for index, header in enumerate(headers) if header and index not in taken.values()
        ]
        if self.json:
            print_json({"event": "columns", "used": used, "unused": unused})
            return
        console = status_on()
        for name, header in used.items():
            console.print(Text(f"{name} is '{header}'"))
        if unused:
            console.print(Text(f"not used: {', '.join(unused)}"))

    def made(self, line: int, made: MeterFile, outcome: Outcome) -> None:
        """A row became a file, or would."""
        self.outcomes[outcome] += 1
        for column in made.known_to_all:
            self.known_to_all.setdefault(column, []).append(line)
        if made.hex_like:
            self.hex_like.append(line)
        if self.json:
            print_json(
                {
                    "event": "meter-file",
                    "line": line,
                    "meter": made.serial,
                    "file": str(self.into / made.name),
                    "outcome": outcome.value,
                    "dry_run": self.dry,
                }
            )

    def failed(self, line: int, wrong: UsageError) -> None:
        """Nothing was written for a row."""
        self.failures += 1
        if self.json:
            print_json({"event": "row-failed", "line": line, "message": wrong.what})
        elif self.failures <= _MOST_FAILURES_TOLD:
            complain_on().print(Text.assemble((f"line {line}: ", "bold red"), printable(wrong.what)))

    def end(self, file: Path, *, others_write: bool) -> None:
        """What is worth knowing, and the sum."""
        findings = [*self._findings_of_rows(), *self._findings_of_places(file, others_write=others_write)]
        counts = {outcome.value: count for outcome, count in self.outcomes.items()}
        for finding in findings:
            if self.json:
                print_json({"event": "finding", **finding.as_json()})
            else:
                show_finding(complain_on(), finding)
        if self.json:
            print_json({"event": "imported", **counts, "failed": self.failures, "dry_run": self.dry})
        else:
            self._tell_sum(counts)

    def _tell_sum(self, counts: Mapping[str, int]) -> None:
        if self.failures > _MOST_FAILURES_TOLD:
            complain_on().print(
                Text(f"and {self.failures - _MOST_FAILURES_TOLD} rows more; --json tells all")
            )
        told = ", ".join(f"{count} {name}" for name, count in {**counts, "failed": self.failures}.items())
        dry = " (a dry run: nothing was written)" if self.dry else ""
        stdout().print(Text(f"{self.into}: {told}{dry}"))

    def _findings_of_rows(self) -> list[Finding]:
        """What the rows have that is not wrong, and should not be so."""
        found: list[Finding] = []
        for column, lines in self.known_to_all.items():
            told = f"{_lines(lines)}: the {column.told} is printed in the books, and protects nothing"
            found.append(Finding(Level.WARNING, "test-key", told, hint="ask the maker for the real one"))
        if self.hex_like:
            told = f"{_lines(self.hex_like)}: the password was taken as text, and looks like hex digits"
            found.append(Finding(Level.WARNING, "password-like-hex", told, hint="--hex-passwords"))
        unknown = self.recipe.authentication is None and self.recipe.companion is None
        if unknown and self.recipe.secret is None:
            told = "there are keys and no password: the files do not say how to log in"
            hint = "--authentication high-gmac where the meters want it, --authentication none else"
            found.append(Finding(Level.INFO, "authentication-left-out", told, hint=hint))
        return found

    def _findings_of_places(self, file: Path, *, others_write: bool) -> list[Finding]:
        found: list[Finding] = []
        if _others_read(file):
            told = f"others may read {file}, and all keys in it"
            hint = f"chmod 600 {shlex.quote(str(file))}"
            found.append(Finding(Level.WARNING, "readable-list", told, hint=hint))
        if not self.recipe.url.columns and sum(self.outcomes.values()) > 1:
            told = "all meters have the same URL"
            found.append(Finding(Level.WARNING, "same-url", told, hint="--url with a column in braces"))
        if others_write:
            told = f"others may change what is in {self.into}"
            hint = f"chmod 700 {shlex.quote(str(self.into))}"
            found.append(Finding(Level.WARNING, "open-folder", told, hint=hint))
        return found


def _lines(lines: Sequence[int]) -> str:
    """`line 2`, `lines 2, 5 and 9`, `lines 2, 3, 4, 5, 6 and 41 more`."""
    *others, last = [str(line) for line in lines[:_MOST_LINES_TOLD]]
    if len(lines) > _MOST_LINES_TOLD:
        others, last = [*others, last], f"{len(lines) - _MOST_LINES_TOLD} more"
    return f"lines {', '.join(others)} and {last}" if others else f"line {last}"


def _others_read(file: Path) -> bool:
    try:
        return os.name == "posix" and file.stat().st_mode & _OTHERS_READ != 0
    except OSError:
        return False
