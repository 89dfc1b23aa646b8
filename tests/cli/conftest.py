"""What tests of commands share: a meter, and a way to run a command in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.rig import Desk, Ended

from meterwright.cli.commands import run_command_line

Cli = Callable[..., Ended]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Runs a command in this process, in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg-state"))

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run_command_line(arguments)
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return run


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A plain meter that listens on this machine."""
    with Desk(tmp_path / "meters") as desk:
        yield desk
