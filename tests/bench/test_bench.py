"""The benchmark still runs, and says what it says it says. No number of it is looked at: a test machine has no speed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.bench.measures import GURUX, MEASURES, Better, Measure, Pair, Series, calibrated, rate, rows
from tests.bench.operations import operations
from tests.bench.table import table
from tests.interop import peer

SCRIPT = Path(__file__).with_name("run.py")
FASTER = Measure("one", "do a thing", "things/CPU s")
SHORTER = Measure("two", "wait", "CPU ms", Better.LESS)


@pytest.mark.interop
def test_the_benchmark_measures_everything_on_both_sides() -> None:
    peer.interpreter()  # no benchmark without somebody to compare with
    command = [sys.executable, str(SCRIPT), "--small", "--rounds", "2", "--json"]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)

    assert report["rounds"] == 2
    assert [row["key"] for row in report["rows"]] == [measure.key for measure in MEASURES]
    for row in report["rows"]:
        assert row.keys() == {"key", "what", "unit", "better", "ours", "beside", "other", "ratio"}
        for side in (row["ours"], row["other"], row["ratio"]):
            assert 0 < side["low"] <= side["median"] <= side["high"]


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--nonsense"]], ids=["no-rounds", "unknown"])
def test_wrong_use_is_told(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "error:" in done.stderr


def test_every_operation_has_its_measure() -> None:
    """Making the operations checks each of them."""
    made = operations(2)
    limits = {f"{each.key}_limit" for each in made if each.limit is not None}
    assert {each.key for each in made} < {measure.key for measure in MEASURES}
    assert limits == {measure.key for measure in MEASURES if measure.beside != GURUX}


def test_the_work_is_repeated_for_as_long_as_was_asked() -> None:
    calls: list[int] = []

    count = calibrated(lambda: calls.append(sum(range(1000))), 0.001)

    assert 1 <= count < len(calls)
    assert rate(lambda: sum(range(1000)), 10) > 0


def test_a_series_tells_its_middle_and_how_far_it_reaches() -> None:
    series = Series((9.0, 10.0, 13.0))

    assert (series.median, series.low, series.high) == (10.0, 9.0, 13.0)
    assert series.spread == pytest.approx(0.2)
    assert Series((123456.0,)).as_json() == {"median": 123500.0, "low": 123500.0, "high": 123500.0}


@pytest.mark.parametrize(("measure", "ratio"), [(FASTER, 4.0), (SHORTER, 0.25)], ids=["more", "less"])
def test_a_ratio_above_one_means_that_we_are_better(measure: Measure, ratio: float) -> None:
    assert measure.ratio(Pair(ours=8.0, other=2.0)) == ratio


def test_the_ratio_is_taken_round_by_round() -> None:
    slow_second_round = [
        {measure.key: Pair(8.0, 2.0) for measure in MEASURES},
        {measure.key: Pair(4.0, 1.0) for measure in MEASURES},
    ]

    (more, less) = ({row.measure.better: row for row in rows(slow_second_round)}[better] for better in Better)

    assert (more.ours.median, more.other.median) == (6.0, 1.5)
    assert (more.ratio.low, more.ratio.high) == (4.0, 4.0)
    assert (less.ratio.low, less.ratio.high) == (0.25, 0.25)


def test_the_table_has_a_line_for_each_measure() -> None:
    found = rows([{measure.key: Pair(123_456.0, 2.0) for measure in MEASURES}])

    text = table(found, 1)

    for measure in MEASURES:
        assert measure.what in text
        assert measure.unit in text
        assert measure.beside in text
    assert "123 000" in text
    assert "61728×" in text
    assert all(line == line.rstrip() for line in text.splitlines())
