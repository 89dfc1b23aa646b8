"""How commands end when something is wrong: what is said, with which code, where, and never with a traceback."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import Desk, Ended, Stranger

from meterwright.association import AssociationRequested, Grant
from meterwright.cli import endings, get
from meterwright.server import Middleware, ObjectHost, Partners
from meterwright.values import AcseServiceUserDiagnostic

NAME = "0.0.42.0.0.255"
User = AcseServiceUserDiagnostic


def refusing(diagnostic: AcseServiceUserDiagnostic) -> Callable[[ObjectHost], ObjectHost]:
    """A meter that associates with nobody."""

    class Refusing(Middleware):
        def associate(
            self,
            partners: Partners,  # noqa: ARG002 - whoever it is
            asked: AssociationRequested,  # noqa: ARG002 - and whatever they ask
        ) -> Grant | AcseServiceUserDiagnostic:
            return diagnostic

    return Refusing


def told_well(ended: Ended, code: int) -> None:
    """Whatever goes wrong: the code, what, whose fault, what to try, no traceback, and JSON alone on stdout."""
    assert ended.code == code
    assert ended.err.startswith(("error: ", "failed: ", "refused: "))
    assert "fault of: " in ended.err
    assert "try: " in ended.err
    assert "Traceback" not in ended.err
    assert len(ended.lines) == 1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECT", "ASSOCIATE", "REQUEST", "RELEASE"):
        monkeypatch.setenv(f"METERWRIGHT_{name}_TIMEOUT", "0.3")


class TestLines:
    def test_a_closed_port(self, cli: Cli) -> None:
        told_well(cli("get", "tcp://127.0.0.1:1", NAME, "--json"), 5)

    def test_silence(self, cli: Cli) -> None:
        with Stranger() as stranger:
            told_well(cli("get", stranger.url, NAME, "--json"), 5)

    @pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(8), b"\x00\x01" * 400])
    def test_garbage(self, cli: Cli, answer: bytes) -> None:
        with Stranger(answer) as stranger:
            ended = cli("get", stranger.url, NAME, "--json")
            told_well(ended, ended.code)
            assert ended.code in {1, 5}

    def test_an_update_of_a_closed_port(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "image").write_bytes(bytes(100))
        ended = cli(
            "firmware", "update", "tcp://127.0.0.1:1", str(tmp_path / "image"), "--identifier", "N", "--json"
        )
        assert ended.code == 5
        assert (ended.lines[-1]["outcome"], ended.lines[-1]["kind"]) == ("failed", "transient")


class TestRejections:
    @pytest.mark.parametrize(
        ("diagnostic", "code"),
        [
            (User.AUTHENTICATION_REQUIRED, 6),
            (User.AUTHENTICATION_FAILURE, 6),
            (User.NO_REASON_GIVEN, 7),
            (User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED, 7),
        ],
    )
    def test_the_code_says_whether_it_is_about_credentials(
        self, cli: Cli, tmp_path: Path, diagnostic: AcseServiceUserDiagnostic, code: int
    ) -> None:
        (tmp_path / "image").write_bytes(bytes(100))
        with Desk(tmp_path / "meters", through=refusing(diagnostic)) as desk:
            told_well(cli("get", desk.url, NAME, "--json"), code)
            update = cli(
                "firmware", "update", desk.url, str(tmp_path / "image"), "--identifier", "N", "--json"
            )
        assert update.code == code
        assert update.lines[-1]["outcome"] == "failed"

    def test_a_client_the_meter_does_not_know(self, cli: Cli, desk: Desk) -> None:
        told_well(cli("get", f"{desk.url}?client=99", NAME, "--json"), 7)


class TestBugs:
    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def break_down(*_: object) -> None:
            raise ZeroDivisionError("not a mistake of yours")

        monkeypatch.setattr(get, "parse_wanted", break_down)

    @pytest.mark.usefixtures("broken")
    def test_it_is_one_line_and_a_file(self, cli: Cli, tmp_path: Path) -> None:
        ended = cli("get", "tcp://127.0.0.1:1", NAME, "--json")
        told_well(ended, 1)
        assert "this is a bug of Meterwright" in ended.err
        [file] = (tmp_path / "xdg-state" / "meterwright" / "log").iterdir()
        assert str(file) in ended.err
        assert "ZeroDivisionError" in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    @pytest.mark.usefixtures("broken")
    def test_it_is_shown_to_whoever_debugs(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("METERWRIGHT_DEBUG", "1")
        ended = cli("get", "tcp://127.0.0.1:1", NAME)
        assert "Traceback" in ended.err
        assert "break_down" in ended.err

    def test_an_update_still_ends_in_a_result(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("METERWRIGHT_STATE", str(tmp_path / "image" / "state"))
        (tmp_path / "image").write_bytes(bytes(100))  # a folder cannot be made where a file is
        with Desk(tmp_path / "meters") as desk:
            ended = cli(
                "firmware", "update", desk.url, str(tmp_path / "image"), "--identifier", "N", "--json"
            )
        assert ended.code in {2, 4}
        assert ended.lines[-1]["outcome"] == "refused"

    def test_a_full_disk_is_no_bug(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert endings.tell(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), ["get"]) == 2
        assert "cannot write" in capsys.readouterr().err


class TestWords:
    @pytest.mark.parametrize(
        "arguments", [("fimrware",), ("firmware", "updat"), ("get",), ("simulate", "--count", "x")]
    )
    def test_the_argument_parsers_complaints_look_like_ours(
        self, cli: Cli, arguments: tuple[str, ...]
    ) -> None:
        ended = cli(*arguments)
        assert ended.code == 2
        assert ended.err.startswith("error: ")
        assert "--help" in ended.err

    @pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("firmware",), ("firmware", "--help")])
    def test_help_describes_every_command(self, cli: Cli, arguments: tuple[str, ...]) -> None:
        ended = cli(*arguments)
        assert ended.code == 0
        words = "Bring a meter to run" if "firmware" in arguments else "Read attributes"
        assert words in ended.out

    def test_the_version(self, cli: Cli) -> None:
        import meterwright

        assert cli("--version").out.strip() == meterwright.__version__
