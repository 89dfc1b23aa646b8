"""Settings: where they come from, what is refused, and that `--show-config` tells them."""

import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import QUICK, Desk

from meterwright.cli.settings import load_settings
from meterwright.security import book_keys
from meterwright.simulator import MeterSettings, SecuritySettings
from meterwright.values import AuthenticationMechanism, SecurityPolicy

BOTH = SecurityPolicy.AUTHENTICATED_ENCRYPTED


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
    assert "where journals of updates, our system title and our invocation counters are kept" in ended.out
    for what in ("our own system title", "how far our invocation counters are", "what updates did"):
        assert what in ended.out


def test_it_tells_where_things_are_before_they_are_there(cli: Cli, tmp_path: Path) -> None:
    [line] = cli("--show-config", "--json").lines
    state = tmp_path / "meterwright-state"
    assert line["kept"] == {
        "system_title": str(state / "system-title"),
        "counters": str(state / "counters"),
        "journals": str(state / "journal"),
    }
    assert not state.exists()


def test_what_it_tells_is_so_and_is_no_secret(cli: Cli, tmp_path: Path) -> None:
    security = SecuritySettings(authentication=AuthenticationMechanism.HIGH_GMAC, policy=BOTH)
    (tmp_path / "image.bin").write_bytes(bytes(300))
    with Desk(tmp_path / "meters", settings=MeterSettings(timing=QUICK, security=security)) as desk:
        order = (
            "--meter",
            str(desk.config),
            str(tmp_path / "image.bin"),
            "--identifier",
            "N",
            "--activate",
            "never",
        )
        assert cli("firmware", "update", *order).code == 0
    [line] = cli("--show-config", "--json").lines
    places = {name: Path(place) for name, place in line["kept"].items()}
    assert len(places["system_title"].read_text().strip()) == 16
    assert list(places["counters"].glob("*.counter"))
    assert list(places["journals"].glob("*.jsonl"))
    told = cli("--show-config").out + str(line)
    kept = [path for path in load_settings().state.rglob("*") if path.is_file()]
    assert len(kept) >= 4
    for secret in (*book_keys().by_name().values(), security.secret):
        for content in (told, *(path.read_text() for path in kept)):
            assert secret.reveal().hex() not in content.lower()
            assert "12345678" not in content


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
