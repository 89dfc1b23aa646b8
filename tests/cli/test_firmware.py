"""`firmware plan`, `update` and `status` against a meter that listens: outcomes, exit codes, the stream of events."""

from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import QUICK, Desk, Ended

from meterwright.apdu import MethodDescriptor
from meterwright.cli.update_display import duration
from meterwright.data import Data
from meterwright.server import ActionOutcome, Caller, Middleware
from meterwright.simulator import MeterSettings
from meterwright.values import ActionResult

SIZE = 10 * 128 + 77


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.bin"
    path.write_bytes(bytes(number * 7 % 251 for number in range(SIZE)))
    return path


def result(ended: Ended) -> dict[str, object]:
    """The last line, which always is the result."""
    assert ended.lines[-1]["event"] == "result"
    assert [line["event"] for line in ended.lines].count("result") == 1
    return ended.lines[-1]


class TestUpdate:
    def test_it_is_done_and_then_there_is_nothing_to_do(self, cli: Cli, desk: Desk, image: Path) -> None:
        order = ("firmware", "update", desk.url, str(image), "--identifier", "NEW-2.0", "--json")
        ended = cli(*order)
        assert ended.code == 0
        assert result(ended)["outcome"] == "done"
        assert result(ended)["version_after"] == "NEW-2.0"
        assert (desk.folder / desk.meter.name / "active.bin").read_bytes() == image.read_bytes()
        phases = [line["phase"] for line in ended.lines if line["event"] == "phase"]
        assert phases == [
            "planning",
            "initiating",
            "transferring",
            "verifying",
            "inspecting",
            "activating",
            "confirming",
        ]
        calls = desk.calls()
        again = cli(*order)
        assert again.code == 3
        assert result(again)["outcome"] == "nothing-to-do"
        assert desk.calls() == calls

    def test_people_are_told_each_phase(self, cli: Cli, desk: Desk, image: Path) -> None:
        ended = cli("firmware", "update", "--meter", str(desk.config), str(image), "--identifier", "hex:4e")
        assert ended.code == 0
        assert ended.out == "done: MW-1.0 → N (11 blocks sent)\n"
        for phase in ("planning", "initiating", "transferring", "verifying", "activating", "confirming"):
            assert f"{phase}: " in ended.err
        assert "100 %: 11/11 blocks" in ended.err
        assert "\x1b" not in ended.err

    def test_never_activated_means_nothing_else_runs(self, cli: Cli, desk: Desk, image: Path) -> None:
        order = (
            "firmware",
            "update",
            desk.url,
            str(image),
            "--identifier",
            "N",
            "--activate",
            "never",
            "--json",
        )
        ended = cli(*order)
        assert ended.code == 0
        assert result(ended)["version_after"] == "MW-1.0"
        assert desk.calls()["image_activate"] == 0

    def test_another_version_than_expected_is_a_failure(
        self, cli: Cli, desk: Desk, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shorten_patience(monkeypatch)
        order = (
            "firmware",
            "update",
            desk.url,
            str(image),
            "--identifier",
            "N",
            "--expect-version",
            "OTHER",
            "--json",
        )
        ended = cli(*order)
        assert ended.code == 1
        assert (result(ended)["outcome"], result(ended)["kind"]) == ("failed", "release")

    def test_a_refusal_of_the_meter(self, cli: Cli, tmp_path: Path, image: Path) -> None:
        with Desk(tmp_path / "meters", through=Unwilling) as desk:
            order = ("firmware", "update", desk.url, str(image), "--identifier", "N")
            ended = cli(*order, "--json")
            assert ended.code == 7
            assert (result(ended)["outcome"], result(ended)["kind"]) == ("failed", "meter")
            told = cli(*order)
        assert told.code == 7
        assert told.out == ""
        assert "failed: image_transfer_initiate was refused" in told.err
        assert "  try: " in told.err


class Unwilling(Middleware):
    """Refuses every method."""

    def invoke(
        self,
        caller: Caller,  # noqa: ARG002 - whoever it is
        method: MethodDescriptor,  # noqa: ARG002 - whatever they call
        parameters: Data | None,  # noqa: ARG002 - and with what
    ) -> ActionOutcome:
        return ActionOutcome(ActionResult.READ_WRITE_DENIED)


def shorten_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe after a moment what a real meter is given time for."""
    from meterwright.cli import firmware
    from meterwright.firmware import Patience, UpdatePolicy

    def policy(**wanted: object) -> UpdatePolicy:
        return UpdatePolicy(**wanted, patience=Patience(settle=0.2, confirm=5.0, poll_first=0.05))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # passed on as they come

    monkeypatch.setattr(firmware, "UpdatePolicy", policy)


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "the image's identifier is not given, and cannot be guessed"),
            (("--identifier", ""), "the identifier is empty"),
            (("--identifier", "hex:xyz"), "no identifier"),
            (
                ("--identifier", "N", "--activate", "2030-01-01T00:00:00"),
                "scheduled activation is not in this build",
            ),
            (("--identifier", "N", "--activate", "soon"), "there is no such thing"),
            (("--identifier", "N", "--version-object", "1.2.3"), "--version-object"),
        ],
    )
    def test_it_is_said_before_the_meter_is_touched(
        self, cli: Cli, image: Path, arguments: tuple[str, ...], said: str
    ) -> None:
        order = ("firmware", "update", "tcp://127.0.0.1:1", str(image), *arguments)
        ended = cli(*order)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
        in_json = cli(*order, "--json")
        assert in_json.code == 2
        assert result(in_json)["outcome"] == "refused"

    @pytest.mark.parametrize("command", ["plan", "update"])
    def test_files_that_are_no_image(self, cli: Cli, tmp_path: Path, command: str) -> None:
        (tmp_path / "empty").touch()
        for name, said in (("none.bin", "cannot be read"), ("empty", "is empty")):
            ended = cli("firmware", command, "tcp://127.0.0.1:1", str(tmp_path / name), "--identifier", "N")
            assert ended.code == 2
            assert said in ended.err

    def test_no_image_and_one_too_many(self, cli: Cli, desk: Desk, image: Path) -> None:
        assert "no image is named" in cli("firmware", "update", desk.url, "--identifier", "N").err
        by_file = ("firmware", "update", "--meter", str(desk.config), "--identifier", "N")
        assert "not by both" in cli(*by_file, desk.url, str(image)).err
        assert "one argument too many" in cli(*by_file, str(image), str(image)).err

    def test_even_an_unknown_option_ends_in_a_result(self, cli: Cli) -> None:
        ended = cli("firmware", "update", "tcp://127.0.0.1:1", "i", "--bogus", "--json")
        assert ended.code == 2
        assert result(ended)["outcome"] == "refused"


class TestPlan:
    def test_it_says_what_would_be_done_and_does_nothing(self, cli: Cli, desk: Desk, image: Path) -> None:
        ended = cli("firmware", "plan", desk.url, str(image), "--identifier", "NEW-2.0", "--json")
        assert ended.code == 0
        [line] = ended.lines
        assert (line["decision"], line["blocks_total"], line["blocks_to_send"]) == ("begin", 11, 11)
        assert set(desk.calls().values()) == {0}

    def test_people_read_it(self, cli: Cli, desk: Desk, image: Path) -> None:
        ended = cli("firmware", "plan", desk.url, str(image), "--identifier", "NEW-2.0")
        assert ended.code == 0
        assert "11 of 128 octets" in ended.out
        assert "begin: initiate, then send every block" in ended.out

    def test_nothing_to_do(self, cli: Cli, desk: Desk, image: Path) -> None:
        ended = cli(
            "firmware", "plan", desk.url, str(image), "--identifier", "N", "--expect-version", "MW-1.0"
        )
        assert ended.code == 3

    def test_what_stands_in_the_way(self, cli: Cli, tmp_path: Path, image: Path) -> None:
        contradicting = MeterSettings(
            image_block_size=1000, max_receive_pdu_size=512, force_block_size=True, timing=QUICK
        )
        with Desk(tmp_path / "meters", settings=contradicting) as desk:
            ended = cli("firmware", "plan", desk.url, str(image), "--identifier", "N")
            assert ended.code == 4
            assert "the meter takes 512" in ended.err
            update = cli("firmware", "update", desk.url, str(image), "--identifier", "N", "--json")
            assert update.code == 4
            assert result(update)["outcome"] == "refused"
            assert set(desk.calls().values()) == {0}

    def test_a_meter_that_is_not_there(self, cli: Cli, image: Path) -> None:
        ended = cli("firmware", "plan", "tcp://127.0.0.1:1", str(image), "--identifier", "N", "--json")
        assert ended.code == 5
        assert ended.lines[-1]["event"] == "error"


class TestStatus:
    def test_a_meter_at_rest(self, cli: Cli, desk: Desk) -> None:
        [line] = cli("firmware", "status", desk.url, "--json").lines
        assert line["event"] == "status"
        assert line["image_block_size"] == 128
        assert line["image_transfer_status"] == "not-initiated"
        assert line["version"] == "MW-1.0"

    def test_after_an_update(self, cli: Cli, desk: Desk, image: Path) -> None:
        assert cli("firmware", "update", desk.url, str(image), "--identifier", "NEW-2.0").code == 0
        ended = cli("firmware", "status", "--meter", str(desk.config))
        assert ended.code == 0
        assert "11 of 11 blocks are there (100 %)" in ended.out
        assert "activation-successful (6): activated" in ended.out
        assert f"NEW-2.0, {SIZE} octets, signature " in ended.out


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.2, "less than a second"), (42.4, "42 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_a_time_a_person_can_grasp(seconds: float, said: str) -> None:
    assert duration(seconds) == said
