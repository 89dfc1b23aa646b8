"""`meterwright firmware update` against `meterwright simulate`: real processes, real sockets, kill -9."""

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.system.processes import Update, end, meter, start_meter

BLOCKS = 400
MANY_BLOCKS = 3000
"""Enough to take seconds: what is to happen half-way must find the transfer still under way."""


def octets(blocks: int, seed: int = 7) -> bytes:
    """An image of so many blocks."""
    return random.Random(seed).randbytes((blocks - 1) * 128 + 77)


OCTETS = octets(BLOCKS)
MANY_OCTETS = octets(MANY_BLOCKS)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.bin"
    path.write_bytes(OCTETS)
    return path


@pytest.fixture
def long_image(tmp_path: Path) -> Path:
    path = tmp_path / "long.bin"
    path.write_bytes(MANY_OCTETS)
    return path


def test_done_then_nothing_to_do(tmp_path: Path, image: Path) -> None:
    with meter(tmp_path / "meters") as running:
        first = Update(running.url, image, "NEW-2.0", tmp_path / "state")
        result = first.result()
        assert (result["outcome"], result["version_after"], first.exit_code) == ("done", "NEW-2.0", 0)
        assert running.active == OCTETS
        before = running.calls
        again = Update(running.url, image, "NEW-2.0", tmp_path / "state")
        assert again.result()["outcome"] == "nothing-to-do"
        assert again.exit_code == 3
        assert running.calls == before


KILLED_WHEN: dict[str, Callable[[Update], object]] = {
    "planning": lambda update: update.until("phase", phase="planning"),
    "initiating": lambda update: update.until("phase", phase="initiating"),
    "the first block": lambda update: update.until_blocks(1),
    "half": lambda update: update.until_blocks(BLOCKS // 2),
    "nearly all": lambda update: update.until_blocks(BLOCKS - 40),
    "verifying": lambda update: update.until("phase", phase="verifying"),
    "activating": lambda update: update.until("phase", phase="activating"),
    "confirming": lambda update: update.until("phase", phase="confirming"),
}


@pytest.mark.parametrize("point", KILLED_WHEN)
def test_the_update_killed_and_run_again(tmp_path: Path, image: Path, point: str) -> None:
    with meter(tmp_path / "meters") as running:
        update = Update(running.url, image, "NEW-2.0", tmp_path / "state")
        KILLED_WHEN[point](update)
        update.kill()
        first_missing = running.state["image"]["first_missing"]
        begun = running.calls["image_transfer_initiate"]
        again = Update(running.url, image, "NEW-2.0", tmp_path / "state")
        result = again.result()
        assert result["outcome"] in ("done", "nothing-to-do"), result
        assert running.active == OCTETS
        if begun and 0 < first_missing < BLOCKS:
            assert result["resumed_from"] == first_missing
        assert running.calls["image_transfer_initiate"] == 1
        assert BLOCKS <= running.calls["image_block_transfer"] <= BLOCKS + 1
        assert running.calls["image_activate"] == 1


def test_the_meter_killed_and_started_again(tmp_path: Path, long_image: Path) -> None:
    with meter(tmp_path / "meters") as running:
        update = Update(running.url, long_image, "NEW-2.0", tmp_path / "state")
        update.until_blocks(MANY_BLOCKS // 2)
        running.kill()
        running.process.communicate()
        again = start_meter(tmp_path / "meters", running.port)
        try:
            result = update.result()
            assert result["outcome"] == "done", result
            assert again.active == MANY_OCTETS
            assert again.calls["image_transfer_initiate"] == 1
            assert MANY_BLOCKS <= again.calls["image_block_transfer"] <= MANY_BLOCKS + 1
            assert result["resumed_from"] is not None
            assert MANY_BLOCKS // 2 <= result["resumed_from"] < MANY_BLOCKS
        finally:
            end(again.process)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_the_meter_is_released_and_the_update_resumes(
    tmp_path: Path, long_image: Path, stop: signal.Signals
) -> None:
    with meter(tmp_path / "meters") as running:
        update = Update(running.url, long_image, "NEW-2.0", tmp_path / "state")
        update.until_blocks(MANY_BLOCKS // 4)
        update.process.send_signal(stop)
        _, told = update.process.communicate(timeout=30)
        assert update.exit_code == 130
        assert "Traceback" not in told
        again = Update(running.url, long_image, "NEW-2.0", tmp_path / "state")
        result = again.result()
        assert result["outcome"] == "done"
        assert result["resumed_from"]
        assert running.calls["image_transfer_initiate"] == 1
        assert running.calls["image_block_transfer"] <= MANY_BLOCKS + 1


def test_another_image_begun_in_between_is_noticed(tmp_path: Path, long_image: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(octets(MANY_BLOCKS, seed=8))
    with meter(tmp_path / "meters") as running:
        ours = Update(running.url, long_image, "NEW-2.0", tmp_path / "ours")
        ours.until_blocks(MANY_BLOCKS // 2)
        ours.kill()
        theirs = Update(running.url, other, "THEIRS", tmp_path / "theirs", "--take-over")
        theirs.until_blocks(10)
        theirs.kill()
        again = Update(running.url, long_image, "NEW-2.0", tmp_path / "ours")
        result = again.result()
        assert "foreign-image" in {finding["code"] for finding in result["findings"]}
        assert result["outcome"] == "done"
        assert running.active == MANY_OCTETS
