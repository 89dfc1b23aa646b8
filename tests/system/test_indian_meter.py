"""An IS 15959 meter and its firmware client as processes: what a user types, over HDLC, with the files that hold the keys."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.system.processes import PATIENCE, command, end

INDIAN = ("simulate", "--companion", "is15959", "--port", "0", "--image-block-size", "200")


@pytest.mark.parametrize("link", ["wrapper", "hdlc"])
def test_the_meter_reader_tells_the_version_and_the_firmware_client_updates(
    tmp_path: Path, link: str
) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(bytes(number * 11 % 253 for number in range(5000)))
    meters = tmp_path / "meters"
    started = subprocess.Popen(
        command(*INDIAN, "--link", link, "--state-dir", str(meters)), stdout=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout is not None
        listening = json.loads(started.stdout.readline())
        config = Path(listening["config"])
        reader = _reader(config, tmp_path / "reader.toml")
        order = ("firmware", "update", "--meter", str(config), str(image), "--identifier", "NEW-2.0")
        result = _told(tmp_path, *order, "--version-meter", str(reader), "--json")
        assert (result["outcome"], result["blocks_sent"]) == ("done", 25), result
        assert (result["version_before"], result["version_after"]) == ("MW-1.0", "NEW-2.0")
        assert (meters / listening["meter"] / "active.bin").read_bytes() == image.read_bytes()
    finally:
        end(started)


def _reader(config: Path, path: Path) -> Path:
    """The file of the meter reader: another client, the same keys."""
    text = config.read_text("utf-8")
    path.touch(mode=0o600)
    path.write_text(text.replace("client = 80", "client = 32").replace('"high"', '"low"'), "utf-8")
    return path


def _told(state: Path, *arguments: str) -> dict[str, object]:
    """The last line that a command prints."""
    done = subprocess.run(
        command(*arguments),
        env=os.environ | {"METERWRIGHT_STATE": str(state / "client")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return last
