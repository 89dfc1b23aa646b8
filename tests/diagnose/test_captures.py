"""Recorded frames, where METERWRIGHT_CAPTURES names them: nothing raises, and plain APDUs agree with what is known of them."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meterwright.diagnose import Explanation, explain, render_text
from meterwright.diagnose.tags import TAGS

LONG_INVOKE_ID = 0x00FF_FFFF
"""What of a long-invoke-id-and-priority is the invoke id: `expected` holds the whole number in places."""


@pytest.fixture(scope="module")
def rows(captures: Path) -> list[dict[str, Any]]:
    lines = (captures / "captures.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


@pytest.fixture(scope="module")
def plain(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Explanation]]:
    chosen = [row for row in rows if row["kind"] in {"apdu", "wrapper"} and not row["keys"]]
    return [(row, explain(bytes.fromhex(row["hex"]))) for row in chosen]


def test_nothing_raises(rows: list[dict[str, Any]]) -> None:
    assert rows
    for row in rows:
        explanation = explain(bytes.fromhex(row["hex"]))
        json.dumps(explanation.as_json(row["id"]), allow_nan=False)
        assert render_text(explanation)


def test_the_type_agrees(plain: list[tuple[dict[str, Any], Explanation]]) -> None:
    checked = 0
    for row, explanation in plain:
        tag = row["expected"].get("apdu_tag")
        if tag is not None:
            assert explanation.type is not None, row["id"]
            assert explanation.type.startswith(TAGS[tag].name), row["id"]
            checked += 1
    assert checked


def test_the_invoke_id_agrees(plain: list[tuple[dict[str, Any], Explanation]]) -> None:
    told = [(row, each) for row, each in plain if "invoke_id" in row["expected"]]
    assert told
    for row, explanation in told:
        assert explanation.invoke_id == row["expected"]["invoke_id"] & LONG_INVOKE_ID, row["id"]


def test_the_date_time_agrees(plain: list[tuple[dict[str, Any], Explanation]]) -> None:
    told = [
        (row["id"], row["expected"]["datetime"], each) for row, each in plain if "datetime" in row["expected"]
    ]
    assert told
    for name, expected, explanation in told:
        assert explanation.datetime is not None, name
        moment = datetime.fromisoformat(explanation.datetime)
        assert moment.replace(tzinfo=None) == datetime.fromisoformat(expected["local"]), name
        minutes = expected["deviation_min"]
        offset = None if minutes is None else timedelta(minutes=-minutes)
        assert moment.utcoffset() == offset, name


def test_broken_octets_are_told(plain: list[tuple[dict[str, Any], Explanation]]) -> None:
    for row, explanation in plain:
        if "error" in row["expected"]:
            assert not explanation.ok, row["id"]
            assert explanation.findings, row["id"]


def test_pushed_numbers_agree(plain: list[tuple[dict[str, Any], Explanation]]) -> None:
    checked = 0
    for row, explanation in plain:
        got = {value.obis: value for value in explanation.values}
        for obis, expected in row["expected"].get("obis", {}).items():
            if obis in got and isinstance(expected["raw"], int | str):
                assert got[obis].raw == expected["raw"], (row["id"], obis)
                assert got[obis].scaler == expected.get("scaler"), (row["id"], obis)
                checked += 1
    assert checked
