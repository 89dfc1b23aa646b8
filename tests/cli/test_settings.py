"""Settings: where they come from, what is refused, and that `--show-config` tells them."""

import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import Desk

from meterwright.cli.settings import load_settings


def test_defaults_are_in_force(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("METERWRIGHT_STATE")
    [line] = cli("--show-config", "--json").lines
    assert line["request_timeout"] == 15.0
    assert Path(line["state"]) == tmp_path / "xdg-state" / "meterwright"
    assert line["file"] is None


def test_the_environment_comes_before_the_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("meterwright.toml").write_text("request_timeout = 3\nconnect_timeout = 4\n")
    monkeypatch.setenv("METERWRIGHT_REQUEST_TIMEOUT", "2.5")
    [line] = cli("--show-config", "--json").lines
    assert (line["request_timeout"], line["connect_timeout"]) == (2.5, 4.0)
    assert line["file"].endswith("meterwright.toml")


def test_the_users_own_file_is_found(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "meterwright"
    folder.mkdir(parents=True)
    (folder / "meterwright.toml").write_text("release_timeout = 1\n")
    assert cli("--show-config", "--json").lines[0]["release_timeout"] == 1.0


def test_they_reach_the_client(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERWRIGHT_ASSOCIATE_TIMEOUT", "7")
    assert load_settings().timeouts.associate == 7.0


def test_people_see_what_each_means(cli: Cli) -> None:
    ended = cli("--show-config")
    assert ended.code == 0
    assert "where journals of updates are kept" in ended.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("request_timeuot = 3", "request_timeuot: no such key"),
        ("request_timeout = 0", "request_timeout"),
        ("request_timeout = nan", "request_timeout"),
        ("debug = [", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used(cli: Cli, desk: Desk, text: str, said: str) -> None:
    Path("meterwright.toml").write_text(text)
    ended = cli("get", desk.url, "0.0.42.0.0.255")
    assert ended.code == 2
    assert said in ended.err


def test_a_variable_that_cannot_be_used(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERWRIGHT_REQUEST_TIMEOUT", "soon")
    ended = cli("--show-config")
    assert ended.code == 2
    assert "request_timeout" in ended.err


def test_what_an_update_keeps_is_its_owners_alone(cli: Cli, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "image.bin").write_bytes(bytes(300))
    order = (
        "firmware",
        "update",
        desk.url,
        str(tmp_path / "image.bin"),
        "--identifier",
        "N",
        "--activate",
        "never",
    )
    assert cli(*order).code == 0
    [journal] = (load_settings().state / "journal").glob("*.jsonl")
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
