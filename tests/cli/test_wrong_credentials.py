"""What a user of the command line sees where a meter does not let them in: the words of docs/troubles.md, and its exit codes.

The rows are those of tests/client/troubles; here each is a meter's file and a meter on a port.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import Ended, command, environment
from tests.client.faulty_meters import Bench, Served
from tests.client.given import Link
from tests.client.told import Told, read_page
from tests.client.trouble import Trouble
from tests.client.troubles import TROUBLES

from meterwright.client import FileCounterStore, target
from meterwright.client.carriers import Hdlc

NAME = "0.0.42.0.0.255"
ROWS = [pytest.param(row, row.links[0], id=row.symptom) for row in TROUBLES.values()]
IN_A_PROCESS = ["wrong encryption key", "wrong HLS secret", "wrong client address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impatient(Hdlc):
    """HDLC that gives silent meters up soon."""

    response_timeout: float = 0.3


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of our state, for somebody in a hurry."""
    monkeypatch.setattr(target, "Hdlc", Impatient)
    state = tmp_path / "state"
    monkeypatch.setenv("METERWRIGHT_STATE", str(state))
    return state


def read(row: Trouble, link: Link, folder: Path, state: Path, cli: Cli) -> tuple[Ended, Bench]:
    """Read one attribute of the row's meter; meter and counters are looked at already."""
    store = FileCounterStore(state / "counters")
    file = folder / "meter.toml"
    with Served(row.meter, link) as served:
        before = row.prepare(store, row.given.peer(link, served.port))
        file.touch(mode=0o600)
        file.write_text(row.given.file(link, served.port, row.timeouts))
        ended = cli("get", "--meter", str(file), NAME, "--json")
        served.await_release()
        row.check(served.bench, before, store.record(row.given.owner))
    return ended, served.bench


@pytest.mark.parametrize(("row", "link"), ROWS)
def test_it_is_told_as_the_page_shows_it(
    row: Trouble, link: Link, cli: Cli, tmp_path: Path, state: Path
) -> None:
    ended, _ = read(row, link, tmp_path, state, cli)
    assert ended.code == row.code
    assert "Traceback" not in ended.err
    [line] = ended.lines
    noted = re.findall(r"^(?:note|warning): (.*)\n  try: (.*)$", ended.err, re.MULTILINE)
    if row.error is None:
        assert (line["obis"], "error" in line) == (NAME, False)
        assert (
            Told("; ".join(f"{what}: {step}" for what, step in noted) or "nothing", "")
            == read_page()[row.symptom]
        )
        return
    assert len(noted) == len(row.findings)
    assert (line["event"], line["exit_code"]) == ("error", row.code)
    about = line["about"]
    says = line["message"] if about is None else f"{line['message']} ({about})"
    assert Told(says, line["hint"]) == read_page()[row.symptom]
    assert f"error: {line['message']}\n" in ended.err
    assert f"  try: {line['hint']}\n" in ended.err
    assert "fault of: " in ended.err


@pytest.mark.parametrize("symptom", IN_A_PROCESS)
def test_a_process_ends_with_that_code(symptom: str, tmp_path: Path, state: Path) -> None:
    row = TROUBLES[symptom]

    def run(*arguments: str) -> Ended:
        ended = subprocess.run(
            command(*arguments), env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    ended, _ = read(row, row.links[0], tmp_path, state, run)
    assert ended.code == row.code
    assert "Traceback" not in ended.err
    assert len(ended.lines) == 1
