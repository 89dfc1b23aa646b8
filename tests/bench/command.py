"""The benchmark: rounds in which one side follows the other, and the table that comes out of them.

Both sides work on the same octets and with the same simulated meter. The peer runs in its own interpreter, started anew
for every measurement; a round takes all measures of both sides within seconds, so that what slows the machine down for a
while slows both, and the median of the rounds is shown with how far they lay apart. All processes, the meter too, stay on
one core where the system lets us say so: a round trip keeps but one of them busy at a time, and waking another core costs
more than all that is to be measured.
"""

import argparse
import gc
import json
import os
import platform
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.image_block import BLOCK
from tests.bench.imports import importing
from tests.bench.measures import Pair, Round, Row, calibrated, rate, rows
from tests.bench.meter import CIPHERED, simulated_meter
from tests.bench.operation import Operation
from tests.bench.operations import operations
from tests.bench.table import table
from tests.bench.wire import reading, updating, updating_ciphered
from tests.interop import peer

from meterwright import MeterAddress

__all__ = ["Sizes", "run"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done in one round. `seconds` is what each codec operation is repeated for."""

    seconds: float = 0.05
    profile_rows: int = 1000
    round_trips: int = 600
    blocks: int = 400


_SMALL: Final = Sizes(seconds=0.0, profile_rows=3, round_trips=3, blocks=3)


def run(arguments: Sequence[str]) -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(
        prog="run.py", description="Meterwright's speed beside that of gurux-dlms."
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--small", action="store_true", help="see that it runs: the numbers mean nothing")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least one")
    if peer.find_interpreter() is None:
        parser.error("the peer's environment is missing: `make env` makes it")
    _stay_on_one_core()
    found = _measured(_SMALL if options.small else Sizes(), options.rounds)
    if options.json:
        print(json.dumps(_report(found, options.rounds), indent=2))
    else:
        print(table(found, options.rounds))
    return 0


def _stay_on_one_core() -> None:
    """From now on this process and all it starts share the last core it may use."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _set_aside() -> None:
    """Keep what the benchmark holds ready out of the garbage collector's rounds; both sides' own work stays in them.

    The trees of all operations would be walked again and again while each of them is timed, and the peer holds none.
    """
    gc.collect()
    gc.freeze()


def _measured(sizes: Sizes, rounds: int) -> list[Row]:
    work = [(each, calibrated(each.work, sizes.seconds)) for each in operations(sizes.profile_rows)]
    _set_aside()
    image = random.Random(1).randbytes(sizes.blocks * BLOCK)
    found: list[Round] = []
    with (
        tempfile.TemporaryDirectory(prefix="meterwright-bench-") as folder,
        simulated_meter(Path(folder) / "plain", BLOCK) as meter,
        simulated_meter(Path(folder) / "ciphered", BLOCK, *CIPHERED) as ciphered,
    ):
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} …", file=sys.stderr)
            found.append(_round(work, (meter, ciphered), image, sizes, number))
    return rows(found)


def _round(
    work: Sequence[tuple[Operation, int]],
    meters: tuple[MeterAddress, MeterAddress],
    image: bytes,
    sizes: Sizes,
    number: int,
) -> Round:
    """One round; `meters` are the plain one and the ciphered one."""
    meter, ciphered = meters
    return {
        **_coding(work, sizes.seconds),
        **reading(meter, sizes.round_trips),
        **updating(meter, image, f"{number}", sizes.blocks),
        **updating_ciphered(ciphered, image, f"{number}", sizes.blocks),
        **importing(),
    }


def _coding(work: Sequence[tuple[Operation, int]], seconds: float) -> Mapping[str, Pair]:
    ours = {each.key: rate(each.work, count) for each, count in work}
    limits = {each.key: rate(each.limit, count) for each, count in work if each.limit is not None}
    theirs = peer.bench({each.peer: each.octets for each, _ in work}, rounds=1, round_seconds=seconds)
    return {
        **{each.key: Pair(ours[each.key] * each.scale, theirs[each.peer] * each.scale) for each, _ in work},
        **{f"{key}_limit": Pair(ours[key], limit) for key, limit in limits.items()},
    }


def _report(found: Sequence[Row], rounds: int) -> dict[str, object]:
    return {"rounds": rounds, "python": platform.python_version(), "rows": [row.as_json() for row in found]}
