"""The system title of this installation: drawn once, the same for all programs, and never drawn again after damage."""

import os
import re
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meterwright.client import identity
from meterwright.client.identity import installation_title
from meterwright.errors import UsageError

needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals and modes of POSIX")

ASK = """
import os, signal, sys
from pathlib import Path
from meterwright.client import identity
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if len(sys.argv) > 2:
    exec(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(identity.installation_title(Path(sys.argv[1])).hex(), flush=True)
"""


def asking(state: Path, first: str = "") -> subprocess.Popen[str]:
    """A program that waits for a line before it asks for the title."""
    command = [sys.executable, "-c", ASK, str(state), *([first] if first else [])]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answer(program: subprocess.Popen[str]) -> str:
    """Let it ask; what it printed."""
    out, _ = program.communicate("now\n", timeout=60)
    return out.removeprefix("ready\n").strip()


def test_it_is_of_this_maker_and_stays(tmp_path: Path) -> None:
    title = installation_title(tmp_path / "state")
    assert len(title) == 8
    assert title.startswith(b"MWC")
    assert [installation_title(tmp_path / "state") for _ in range(3)] == [title] * 3
    assert (tmp_path / "state" / "system-title").read_bytes() == title.hex().upper().encode() + b"\n"


def test_every_installation_has_its_own(tmp_path: Path) -> None:
    assert len({installation_title(tmp_path / str(number)) for number in range(50)}) == 50


def test_nothing_else_is_left_behind(tmp_path: Path) -> None:
    installation_title(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["system-title"]


@needs_posix
def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        installation_title(tmp_path / "state")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "system-title").stat().st_mode) == 0o600


# ------------------------------------------------------------------------------------------------ damage


def test_any_damage_is_told_and_nothing_is_drawn_anew(tmp_path: Path) -> None:
    path = tmp_path / "system-title"
    title = installation_title(tmp_path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole * 2, whole + b"x", whole.lower(), b" " + whole, b"\0" * len(whole), b"\xff" * 17]
    damaged += [title, b"4D57530000000001\n", whole[:-1] + b"\r\n", b"G" * 16 + b"\n", b"A" * 100_000]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(UsageError, match="does not hold the system title") as caught:
            installation_title(tmp_path)
        assert "backup" in caught.value.hint
        assert path.read_bytes() == content
    path.write_bytes(whole)
    assert installation_title(tmp_path) == title


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(UsageError, match="cannot be kept") as caught:
        installation_title(tmp_path / "file" / "state")
    assert "METERWRIGHT_STATE" in caught.value.hint


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "system-title").mkdir()
    with pytest.raises(UsageError, match="cannot be kept"):
        installation_title(tmp_path)


@pytest.mark.parametrize("place", ["os.fsync", "tempfile.mkstemp", "pathlib.Path.hardlink_to"])
def test_a_disk_that_fails_gives_no_title(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left")

    monkeypatch.setattr("sys.platform", "linux")
    with monkeypatch.context() as patched:
        patched.setattr(place, fail)
        with pytest.raises(UsageError, match="No space left"):
            installation_title(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert installation_title(tmp_path).startswith(b"MWC")


def test_windows_gives_the_name_by_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    title = installation_title(tmp_path)
    assert installation_title(tmp_path) == title
    assert [path.name for path in tmp_path.iterdir()] == ["system-title"]


# ------------------------------------------------------------------------------------------------ many at once


def test_processes_that_begin_together_have_one_title(tmp_path: Path) -> None:
    for turn in range(4):
        state = tmp_path / str(turn)
        programs = [asking(state) for _ in range(6)]
        for program in programs:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
        with ThreadPoolExecutor(len(programs)) as pool:
            titles = set(pool.map(answer, programs))
        assert titles == {installation_title(state).hex()}
        assert [path.name for path in state.iterdir()] == ["system-title"]


def test_threads_that_begin_together_have_one_title(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def ask(_: int) -> bytes:
        together.wait(30)
        return installation_title(tmp_path / "state")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_who_comes_second_takes_the_title_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw no file; the other one is done before we put ours in place."""
    put = identity._put
    others: list[bytes] = []

    def later(fresh: Path, path: Path) -> None:
        monkeypatch.setattr(identity, "_put", put)
        others.append(installation_title(tmp_path))
        put(fresh, path)

    monkeypatch.setattr(identity, "_put", later)
    assert [installation_title(tmp_path)] == others
    assert [path.name for path in tmp_path.iterdir()] == ["system-title"]


@needs_posix
@pytest.mark.parametrize(
    ("step", "kept"),
    [
        ("identity.secrets.token_bytes = die", False),
        ("identity.os.fsync = die", False),
        ("identity._put = die", False),
        ("identity.sync_folder = die", True),
    ],
    ids=["drawing", "writing", "written", "in place"],
)
def test_killed_at_each_step_there_is_a_whole_title_or_none(tmp_path: Path, step: str, kept: bool) -> None:
    program = asking(tmp_path, step)
    assert answer(program) == ""
    assert program.returncode == -signal.SIGKILL
    path = tmp_path / "system-title"
    assert path.exists() is kept
    written = path.read_text() if kept else ""
    title = installation_title(tmp_path)
    assert re.fullmatch("4D5743[0-9A-F]{10}\n", path.read_text())
    assert not kept or written.strip() == title.hex().upper()
