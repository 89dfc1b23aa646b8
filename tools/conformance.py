"""The conformance table of the documentation, drawn from the tests: `tools/generate_docs.py` calls it.

What a test proves stands at the test (`tests/conformance/proofs.py`); here every test is collected, none is run, and each cell of
the table links to the first test that proves it, whose source stands below the tables. `make test` runs them all.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.conformance.proofs import Link, Proof, Security, Service, Side

TESTS: Final = Path(__file__).resolve().parent.parent / "tests"
VOCABULARY: Final = "tests.conformance.proofs"
"""Who proves anything imports it: other tests need not be collected."""

SIGNS: Final = {Side.CLIENT: "c", Side.METER: "m", Side.PEER: "p"}
GAP: Final = "·"

SHORT: Final = {
    Security.HIGH: "2",
    Security.HIGH_MD5: "3",
    Security.HIGH_SHA1: "4",
    Security.HIGH_GMAC: "5",
    Security.HIGH_SHA256: "6",
    Security.HIGH_ECDSA: "7",
    Security.AUTHENTICATED: "auth",
    Security.ENCRYPTED: "enc",
    Security.BOTH: "both",
    Security.DEDICATED: "ded",
    Security.GENERAL_GLO: "gen-glo",
    Security.GENERAL_DED: "gen-ded",
    Security.IDENTIFIED: "gc-id",
    Security.WRAPPED: "gc-wrap",
    Security.AGREED_1E1S: "gc-1e1s",
    Security.AGREED_0E2S: "gc-0e2s",
    Security.SIGNED: "gen-glo+sign",
    Security.SIGNED_CIPHERED: "sign+gc-id",
}
"""Heads of narrow columns."""

INTRODUCTION: Final = """# Conformance

What the tests prove, service by service. This page is drawn from the tests themselves: a cell with a letter links to a test that
proves it and that `make test` runs; a dot is a gap, which nobody has shown yet.

* **c**: our client is right, **m**: our meter is right. Most of these tests let the two talk to each other, whole stacks over the
  octets of the link; what keeps both from sharing a mistake are the tests with the books' vectors, recorded dialogues and the peer.
* **p**: our meter is right when another maker's client, gurux-dlms, asks it.

Columns 2 to 7 are the high-level authentications by their number, with APDUs in plain. The columns after them protect every APDU
(with GMAC as the login): authenticated, encrypted, both; under a dedicated key; in the general form of the global and of the
dedicated key; with security suites 1 and 2; by general-ciphering with each kind of key; ciphered, then signed; signed, then ciphered.
"""


class CannotCollect(Exception):
    """The tests can't be read."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A test and what it proves."""

    source: str
    cells: tuple[Proof, ...]

    @classmethod
    def read(cls, source: str, cells: Iterable[Iterable[str]]) -> Self:
        """From its listing."""
        return cls(source, tuple(_proof(*cell) for cell in cells))


def _proof(service: str, side: str, link: str, security: str) -> Proof:
    return Proof(Service(service), Side(side), Link(link), Security(security))


def collected() -> Mapping[str, Proven]:
    """Every test that proves something. CannotCollect, with what pytest says, where the tests can't be read."""
    files = [
        path for path in sorted(TESTS.rglob("test_*.py")) if VOCABULARY in path.read_text(encoding="utf-8")
    ]
    with TemporaryDirectory() as folder:
        listing = Path(folder, "proofs.json")
        pytest = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
        plugin = ("-p", "tests.conformance.listing", "--proofs", str(listing))
        done = subprocess.run(
            [*pytest, *plugin, *map(str, files)],
            cwd=TESTS.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotCollect(
                f"the tests could not be collected:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        tests = json.loads(listing.read_text(encoding="utf-8"))
    return {name: Proven.read(test["source"], test["cells"]) for name, test in tests.items()}


def page() -> str:
    """The page."""
    tests = collected()
    anchors = {name: f"proof-{number}" for number, name in enumerate(tests, 1)}
    cells: dict[Proof, str] = {}
    for name, test in tests.items():
        for cell in test.cells:
            cells.setdefault(cell, anchors[name])
    links = [link for link in Link if any(cell.link is link for cell in cells)]
    tables = "\n".join(_table(link, cells) for link in links)
    return f"{INTRODUCTION}\n{_summary(cells)}\n{tables}\n{_sources(tests, anchors)}"


def _summary(cells: Iterable[Proof]) -> str:
    shown = {(cell.service, cell.link, cell.security) for cell in cells}
    unshown = [each for each in Service if all(service is not each for service, _, _ in shown)]
    missing = f" Nothing is shown yet of: {', '.join(unshown)}." if unshown else ""
    return f"{len(shown)} of {len(Service) * len(Link) * len(Security)} combinations are shown.{missing}\n"


def _table(link: Link, cells: Mapping[Proof, str]) -> str:
    heads = ["", *(SHORT.get(security, security) for security in Security)]
    lines = [f"## Over {link}\n", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for service in Service:
        row = (_cell(service, link, security, cells) for security in Security)
        lines.append(f"| {service} | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _cell(service: Service, link: Link, security: Security, cells: Mapping[Proof, str]) -> str:
    proofs = ((sign, cells.get(Proof(service, side, link, security))) for side, sign in SIGNS.items())
    return " ".join(f"[{sign}](#{anchor})" for sign, anchor in proofs if anchor) or GAP


def _sources(tests: Mapping[str, Proven], anchors: Mapping[str, str]) -> str:
    parts = ["## The tests\n"]
    parts += (
        f"({anchors[name]})=\n### `{name}`\n\n```python\n{test.source.rstrip()}\n```\n"
        for name, test in tests.items()
    )
    return "\n".join(parts)
