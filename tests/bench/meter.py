"""The meter of the benchmark: `meterwright simulate` in a process of its own, so that its time is not the client's."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from meterwright import MeterAddress

__all__ = ["CIPHERED", "simulated_meter"]

_STOP_SECONDS = 15.0
CIPHERED = ("--authentication", "high-gmac", "--security", "authenticated-encrypted")
"""What makes it a meter whose client 1 logs in and ciphers."""
_AT_ONCE = ("--verify-seconds", "0", "--activate-seconds", "0", "--reboot-seconds", "0")


@contextmanager
def simulated_meter(folder: Path, block_size: int, *options: str) -> Generator[MeterAddress]:
    """A plain meter that listens until the block is left, and whose state lies in the folder."""
    command = [sys.executable, "-m", "meterwright", "simulate", "--port", "0", "--state-dir", str(folder)]
    command += ["--image-block-size", str(block_size), *_AT_ONCE, *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, f"simulate ended with {process.wait()}, what it said stands above"
            url: str = json.loads(said)["url"]
            yield MeterAddress.parse(url)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
