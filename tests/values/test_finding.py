"""Findings and their JSON."""

import json

import pytest

from meterwright.values import Finding, Level


def test_as_json() -> None:
    finding = Finding(Level.ERROR, "bad-choice", "offset 5 has 02", offset=5, hint="read attribute 2")
    assert json.loads(json.dumps(finding.as_json())) == {
        "level": "error",
        "code": "bad-choice",
        "message": "offset 5 has 02",
        "offset": 5,
        "hint": "read attribute 2",
    }
    assert list(finding.as_json()) == ["level", "code", "message", "offset", "hint"]


def test_what_is_left_out() -> None:
    finding = Finding(Level.INFO, "ok", "all is well")
    assert finding.as_json()["offset"] is None
    assert finding.as_json()["hint"] == ""


def test_levels() -> None:
    assert [level.value for level in Level] == ["info", "warning", "error"]


@pytest.mark.parametrize("code", ["", "Bad", "bad_code", "bad--code", "-bad", "bad-", "bad code", "bad\n"])
def test_codes_are_kebab_case(code: str) -> None:
    with pytest.raises(ValueError, match="not kebab-case"):
        Finding(Level.INFO, code, "message")


def test_offsets_are_not_negative() -> None:
    with pytest.raises(ValueError, match="offset -1 lies before"):
        Finding(Level.INFO, "a-code", "message", offset=-1)
