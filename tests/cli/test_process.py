"""Commands as processes of their own: signals, pipes, exit codes as the shell sees them, and the meter released."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.rig import PATIENCE, QUICK, Desk, Line, Stranger, command, environment, finish, start

from meterwright.simulator import MeterSettings

NAME = "0.0.42.0.0.255"
RLRQ = b"\x62"
WRAPPER_HEADER = 8
BLOCKS = 800


def wait_until(holds: Callable[[], bool]) -> None:
    """Look at the real state until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def last_apdu(sent: bytes | bytearray) -> bytes:
    """The last APDU in a stream of wrapper frames."""
    position, apdu = 0, b""
    while position < len(sent):
        length = int.from_bytes(sent[position + 6 : position + WRAPPER_HEADER], "big")
        apdu = bytes(sent[position + WRAPPER_HEADER : position + WRAPPER_HEADER + length])
        position += WRAPPER_HEADER + length
    return apdu


def image(folder: Path) -> Path:
    path = folder / "image.bin"
    path.write_bytes(os.urandom(BLOCKS * 128))
    return path


def until_progress(process: "subprocess.Popen[str]") -> list[dict[str, object]]:
    """Read the update's events until blocks have been sent."""
    assert process.stdout is not None
    events: list[dict[str, object]] = []
    for line in process.stdout:
        events.append(json.loads(line))
        done = events[-1].get("blocks_done")
        if isinstance(done, int) and done > 0:
            break
    return events


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interrupted_update_releases_its_meter_and_is_resumed(
        self, desk: Desk, tmp_path: Path, number: signal.Signals
    ) -> None:
        firmware = image(tmp_path)
        with Line(desk.url, 0.002) as line:
            process = start("firmware", "update", line.url, str(firmware), "--identifier", "N", "--json")
            until_progress(process)
            process.send_signal(number)
            ended = finish(process)
            assert ended.code == 130
            assert last_apdu(line.sent).startswith(RLRQ)
        assert "Traceback" not in ended.err
        result = ended.lines[-1]
        assert (result["event"], result["outcome"]) == ("result", "failed")
        assert [finding["code"] for finding in result["findings"]][-1] == "interrupted"
        wait_until(lambda: desk.connections == 0)
        sent_before = desk.calls()["image_block_transfer"]
        again = finish(start("firmware", "update", desk.url, str(firmware), "--identifier", "N", "--json"))
        assert again.code == 0
        assert 0 < again.lines[-1]["resumed_from"] <= sent_before
        assert desk.calls()["image_transfer_initiate"] == 1
        assert desk.calls()["image_block_transfer"] <= BLOCKS + 1

    def test_people_are_told_that_it_can_be_resumed(self, desk: Desk, tmp_path: Path) -> None:
        with Line(desk.url, 0.002) as line:
            process = start("firmware", "update", line.url, str(image(tmp_path)), "--identifier", "N")
            wait_until(lambda: len(line.sent) > 2000)
            process.send_signal(signal.SIGINT)
            ended = finish(process)
        assert ended.code == 130
        assert "interrupted" in ended.err
        assert "Traceback" not in ended.err

    def test_a_reader_of_a_silent_meter_is_interrupted_at_once(self) -> None:
        with Stranger() as stranger:
            process = start("get", stranger.url, NAME)
            wait_until(lambda: stranger.connections > 0)
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            ended = finish(process)
        assert ended.code == 130
        assert time.monotonic() - began < 5
        assert "Traceback" not in ended.err

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
    def test_a_simulator_stops(self, tmp_path: Path, number: signal.Signals, code: int) -> None:
        process = start("simulate", "--port", "0", "--state-dir", str(tmp_path / "meters"))
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "listening"
        process.send_signal(number)
        ended = finish(process)
        assert (ended.code, ended.out) == (code, "")
        assert "Traceback" not in ended.err


class TestSimulate:
    def test_meters_listen_and_are_described(self, tmp_path: Path) -> None:
        folder = tmp_path / "meters"
        order = ("--count", "2", "--port", "0", "--image-block-size", "64", "--state-dir", str(folder))
        process = start("simulate", *order)
        try:
            assert process.stdout is not None
            lines = [json.loads(process.stdout.readline()) for _ in range(2)]
            assert [line["meter"] for line in lines] == ["MWS0000000001", "MWS0000000002"]
            for line in lines:
                assert line["config"] == str(folder / f"{line['meter']}.toml")
                read = finish(start("get", "--meter", line["config"], NAME, "0.0.44.0.0.255:2", "--json"))
                assert [each["value"] for each in read.lines] == [line["meter"], 64]
        finally:
            process.terminate()
            finish(process)

    def test_a_port_that_is_taken(self, desk: Desk, tmp_path: Path) -> None:
        port = desk.url.rpartition(":")[2]
        ended = finish(start("simulate", "--port", port, "--state-dir", str(tmp_path / "other")))
        assert ended.code == 2
        assert "cannot listen" in ended.err
        assert ended.out == ""


class TestPipes:
    def test_a_reader_that_goes_away_is_no_error(self, desk: Desk) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as unread:
            ended = subprocess.run(
                command("objects", desk.url, "--json"),
                stdout=unread,
                stderr=subprocess.PIPE,
                text=True,
                timeout=PATIENCE,
                check=False,
                env=environment(),
            )
        assert ended.stderr == ""
        assert ended.returncode == 1

    def test_a_terminal_that_knows_few_characters(self, desk: Desk) -> None:
        ended = subprocess.run(
            command("firmware", "status", desk.url),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env={**environment(), "PYTHONIOENCODING": "ascii"},
        )
        assert ended.returncode == 0
        assert ended.stdout.isascii()


def test_both_ways_in_are_the_same() -> None:
    by_module = finish(start("--version"))
    assert by_module.code == 0
    assert by_module.out.strip()


def test_a_killed_update_is_resumed_where_the_meter_is(tmp_path: Path) -> None:
    settings = MeterSettings(timing=QUICK)
    firmware = image(tmp_path)
    with Desk(tmp_path / "meters", settings=settings) as desk, Line(desk.url, 0.002) as line:
        process = start("firmware", "update", line.url, str(firmware), "--identifier", "N", "--json")
        until_progress(process)
        process.kill()
        finish(process)
        wait_until(lambda: desk.connections == 0)
        held = desk.meter.machine.blocks.first_missing
        again = finish(start("firmware", "update", desk.url, str(firmware), "--identifier", "N", "--json"))
        assert again.code == 0
        assert again.lines[-1]["resumed_from"] == held
        assert again.lines[-1]["blocks_sent"] == BLOCKS - held
        assert (desk.folder / desk.meter.name / "active.bin").read_bytes() == firmware.read_bytes()
