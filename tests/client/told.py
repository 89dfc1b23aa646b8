"""What a user is told of each trouble: docs/troubles.md, read and written.

The page is the one place where the words stand; the tests of both levels compare with it. To write it anew:

    .venv/bin/python -m tests.client.told
"""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.client.faulty_meters import Bench
from tests.client.given import Link
from tests.client.trouble import Trouble
from tests.client.troubles import TROUBLES

from meterwright.client import Client, FileCounterStore
from meterwright.errors import MeterwrightError
from meterwright.security import CounterRecord
from meterwright.testing import run_in_virtual_time
from meterwright.values import Finding

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "troubles.md"

_BEGINNING: Final = """\
<!-- Written by tests/client/told.py; the tests fail where the product says something else. -->

# When a meter does not let you in

What is wrong between a client and a meter before anything is read, what you are told, and what to try. The client tries a login
once. Where the number of its AARQ may have been too low it reads the meter's counter, and tries once more if that really is
ahead; nothing else is ever tried again by itself, as meters lock after a few wrong logins. Whatever happens, the meter is released,
and no invocation counter goes back. In brackets stands the code that the command line ends with.

A row that shows the same words as another cannot be told apart from it: the next step then names all causes.

"""
_ERRORS: Final = "## What keeps you out\n\n| what is wrong | you are told | try |\n|---|---|---|\n"
_NOTES: Final = (
    "\n## What the client gets over\n\nThe association is opened, and this is noted.\n\n"
    "| what is wrong | noted |\n|---|---|\n"
)


@dataclass(frozen=True)
class Told:
    """What a user reads. `says` and `hint` of an error, or of the findings where there is none."""

    says: str
    hint: str

    @staticmethod
    def of_error(error: MeterwrightError) -> "Told":
        """An error's words."""
        about = error.where.about
        return Told(error.what if about is None else f"{error.what} ({about})", error.hint)

    @staticmethod
    def of_findings(findings: list[Finding]) -> "Told":
        """What was noted."""
        return Told("; ".join(f"{each.message}: {each.hint}" for each in findings) or "nothing", "")


@dataclass(frozen=True)
class Played:
    """How a row ended."""

    error: MeterwrightError | None
    findings: list[Finding]
    bench: Bench
    before: CounterRecord
    after: CounterRecord

    @property
    def told(self) -> Told:
        """What a user reads of it."""
        return Told.of_findings(self.findings) if self.error is None else Told.of_error(self.error)


def play(row: Trouble, link: Link, folder: Path) -> Played:
    """Play a row by the asyncio client, in memory and virtual time."""
    return run_in_virtual_time(_play(row, link, folder))


async def _play(row: Trouble, link: Link, folder: Path) -> Played:
    store = FileCounterStore(folder)
    before = row.prepare(store)
    bench = Bench(row.meter, link)
    await bench.start()
    client = Client(bench.dial, row.given.settings(link, store))
    error: MeterwrightError | None = None
    try:
        await client.connect()
    except MeterwrightError as caught:
        error = caught
    assert client.is_associated is (error is None)
    await client.close()
    await asyncio.sleep(1)
    after = FileCounterStore(folder).record(row.given.owner)
    row.check(bench, before, after)
    await bench.stop()
    return Played(error, client.findings, bench, before, after)


def read_page() -> dict[str, Told]:
    """The rows of the page, by what is wrong."""
    rows = [
        line.strip("|").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")
    ]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {
        name: Told(said[0].rpartition(" [")[0], said[1]) if len(said) > 1 else Told(said[0], "")
        for name, *said in cells
        if name != "what is wrong"
    }


def write_page() -> str:
    """The page as it ought to be."""
    errors, notes = "", ""
    for row in TROUBLES.values():
        with tempfile.TemporaryDirectory() as folder:
            told = play(row, row.links[0], Path(folder)).told
        if row.error is None:
            notes += f"| {row.symptom} | {told.says} |\n"
        else:
            errors += f"| {row.symptom} | {told.says} [{row.code}] | {told.hint} |\n"
    return _BEGINNING + _ERRORS + errors + _NOTES + notes


if __name__ == "__main__":
    PAGE.write_text(write_page(), "utf-8")
