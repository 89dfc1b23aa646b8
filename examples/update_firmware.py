"""Bring a meter to new firmware, to the proof that it runs.

    python examples/update_firmware.py "tcp://192.0.2.7:4059?client=16" IMAGE IDENTIFIER

IDENTIFIER is what the meter's maker named the image. Interrupt it whenever you like: the same call takes the transfer up
where the meter says it was left. Journals are kept in the folder METERWRIGHT_STATE names, else in `meterwright-state`.
"""

import asyncio
import os
import sys
from pathlib import Path

from meterwright import Client, FirmwareImage, Outcome, update
from meterwright.firmware import FindingRaised, PhaseEntered, Progress, UpdateEvent
from meterwright.image import image_identifier


async def main(address: str, path: Path, identifier: str) -> int:
    """Update, telling what happens; 0 where the new firmware runs."""
    state = Path(os.environ.get("METERWRIGHT_STATE", "meterwright-state"))
    with FirmwareImage.open(path) as image:
        result = await update(Client(address), image, image_identifier(identifier), state=state, emit=show)
    print(f"{result.outcome.value}: {result.version_before} before, {result.version_after} now")
    return 0 if result.outcome in (Outcome.DONE, Outcome.NOTHING_TO_DO) else 1


def show(event: UpdateEvent) -> None:
    """One line for what is worth one."""
    match event:
        case PhaseEntered(phase):
            print(phase.value)
        case Progress(blocks_done=done, blocks_total=total):
            print(f"  block {done} of {total}")
        case FindingRaised(finding):
            print(f"  {finding.level.value}: {finding.message}")
        case _:
            pass  # the result, which `update` returns as well


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
