"""What is measured, and the numbers that come out of it: one pair (ours, the peer's) a round for each measure."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

__all__ = ["MEASURES", "Measure", "Pair", "Round", "Row", "Series", "calibrated", "rate", "rows"]


class Pair(NamedTuple):
    """One number of ours and one of what we stand beside (the peer, or a limit), taken in the same round."""

    ours: float
    other: float


GURUX: Final = "gurux"
"""The peer."""

Round = Mapping[str, Pair]
"""What one round found, by the key of the measure."""


class Better(Enum):
    """Which numbers are the better ones."""

    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. `unit` says whether processor time (CPU s) or time by the clock (s) counts."""

    key: str
    what: str
    unit: str
    better: Better = Better.MORE
    beside: str = GURUX

    def ratio(self, pair: Pair) -> float:
        """How many times as good as what we stand beside: above 1 we are better, whatever the unit."""
        return pair.ours / pair.other if self.better is Better.MORE else pair.other / pair.ours


MEASURES: Final = (
    Measure("decode_clock", "decode a get-response with the clock", "APDUs/CPU s"),
    Measure("decode_profile", "decode a profile buffer of 8 columns", "rows/CPU s"),
    Measure("encode_profile", "encode the same buffer", "rows/CPU s"),
    Measure("decode_rows", "the buffer as rows: decode", "rows/CPU s"),
    Measure("decode_rows_limit", "", "rows/CPU s", beside="iter_unpack"),
    Measure("decode_rows_times", "the same, time stamps as values", "rows/CPU s"),
    Measure("encode_rows", "encode the rows", "rows/CPU s"),
    Measure("encode_get", "encode a get-request", "APDUs/CPU s"),
    Measure("encode_block", "encode an image block of 256 octets", "APDUs/CPU s"),
    Measure("decode_block_answer", "decode its answer", "APDUs/CPU s"),
    Measure("cipher_block", "encode and encrypt the block, suite 0", "APDUs/CPU s"),
    Measure("cipher_block_limit", "", "APDUs/CPU s", beside="AESGCM"),
    Measure("open_block_answer", "decrypt and decode its answer", "APDUs/CPU s"),
    Measure("build_frame", "build an HDLC frame of 128 octets", "frames/CPU s"),
    Measure("parse_frame", "parse such a frame", "frames/CPU s"),
    Measure("get_async", "GET the clock over TCP, async client", "round trips/CPU s"),
    Measure("get_async_wall", "", "round trips/s"),
    Measure("get_blocking", "GET the clock over TCP, blocking client", "round trips/CPU s"),
    Measure("get_blocking_wall", "", "round trips/s"),
    Measure("update", "image update over TCP, 256 octets a block", "blocks/CPU s"),
    Measure("update_wall", "", "blocks/s"),
    Measure("update_ciphered", "the same, ciphered after a login", "CPU us/block", Better.LESS),
    Measure("update_ciphered_wall", "", "us/block", Better.LESS),
    Measure("import_bare", "import meterwright | import gurux_dlms", "CPU ms", Better.LESS),
    Measure("import_client", "from meterwright import Client | the same", "CPU ms", Better.LESS),
)
"""The lines of the table, in order; one without `what` belongs to the line above it."""


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers of all rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def spread(self) -> float:
        """Half of what lies between the lowest and the highest, as a part of the median: 0.1 reads ± 10 %."""
        return (self.high - self.low) / 2 / self.median

    def as_json(self) -> dict[str, float]:
        """Four significant digits: a machine gives no more."""
        return {name: float(f"{value:.4g}") for name, value in self._parts().items()}

    def _parts(self) -> dict[str, float]:
        return {"median": self.median, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Row:
    """One measure over all rounds. The ratio is that of each round, so that a slow moment hits both sides of it."""

    measure: Measure
    ours: Series
    other: Series
    ratio: Series

    def as_json(self) -> dict[str, object]:
        """The row as `--json` prints it."""
        return {
            "key": self.measure.key,
            "what": self.measure.what,
            "unit": self.measure.unit,
            "better": self.measure.better.value,
            "ours": self.ours.as_json(),
            "beside": self.measure.beside,
            "other": self.other.as_json(),
            "ratio": self.ratio.as_json(),
        }


def rows(found: Sequence[Round]) -> list[Row]:
    """A row for each measure, from rounds that found all of them."""
    return [_row(measure, [each[measure.key] for each in found]) for measure in MEASURES]


def _row(measure: Measure, pairs: Sequence[Pair]) -> Row:
    return Row(
        measure,
        Series(tuple(pair.ours for pair in pairs)),
        Series(tuple(pair.other for pair in pairs)),
        Series(tuple(measure.ratio(pair) for pair in pairs)),
    )


def calibrated(work: Callable[[], object], seconds: float) -> int:
    """How often the work must be done to take about so many CPU seconds."""
    count, elapsed = 1, _cpu_seconds(work, 1)
    while elapsed < seconds:
        count = max(count * 2, int(count * 1.2 * seconds / max(elapsed, seconds / 1000)))
        elapsed = _cpu_seconds(work, count)
    return count


def rate(work: Callable[[], object], count: int) -> float:
    """How often the work is done in a CPU second, from doing it so many times."""
    return count / _cpu_seconds(work, count)


def _cpu_seconds(work: Callable[[], object], count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        work()
    return time.process_time() - begin
