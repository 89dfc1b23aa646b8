"""The demonstration: it ends by itself, shows what it promises, leaves nothing behind, and fails where a claim fails."""

import signal
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import finish, start

from meterwright.cli import demo


def test_the_whole_story(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    began = time.monotonic()
    ended = finish(start("demo"))
    assert ended.code == 0, ended.out + ended.err
    assert time.monotonic() - began < 120
    for promised in (
        "killed at block",
        "MW-1.0 ran before, NEW-2.0 runs now; resumed from block",
        "octet for octet",
        "it was initiated once",
        "not one block could be read on the line",
        "--link hdlc",
        "257 blocks sent",
        "282 blocks sent",
        "nothing to do: exit code 3",
        "hardware-fault",
        "illegal: 02 where only 00 (data) or 01 (data-access-result) is legal",
    ):
        assert promised in ended.out
    assert ended.err == ""
    assert list(tmp_path.iterdir()) == [], "something was left behind"


def test_interrupted_it_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start("demo")
    assert process.stdout is not None
    for line in process.stdout:
        if "of 513 blocks are in the meter" in line:
            break
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []
    assert running_demos(tmp_path) == []


def running_demos(folder: Path) -> list[str]:
    """Processes that still have that folder in their command line."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_a_claim_that_does_not_hold_ends_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_IDENTIFIER", "NEW-3.0")
    monkeypatch.setattr(demo, "_IMAGE_SIZE", 300)
    ended = cli("demo")
    assert ended.code == 1
    assert "this should not happen: please report it" in ended.err
