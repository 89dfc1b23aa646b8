"""A batch: as many lines out as in, in order, and nothing in a line makes it stop."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.diagnose import explain_batch, explain_line

KEYS = {"id", "ok", "layers", "apdu", "plaintext", "invoke_id", "datetime", "values", "data", "findings"}


def answer(line: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(explain_line(line))
    assert set(told) == KEYS
    return told


def test_lines_come_out_in_order() -> None:
    lines = [json.dumps({"id": number, "hex": "c501c100", "keys": None}) for number in range(5)]
    out = [json.loads(line) for line in explain_batch([*lines, "no json", *lines])]
    assert [each["id"] for each in out] == [0, 1, 2, 3, 4, None, 0, 1, 2, 3, 4]
    assert [each["ok"] for each in out] == [True] * 5 + [False] + [True] * 5


def test_a_line_out_is_one_line() -> None:
    assert "\n" not in explain_line(json.dumps({"id": "a\nb", "hex": "c501c100"}))


def test_it_is_the_object_of_the_contract() -> None:
    told = answer('{"id":"x","hex":"0001000100100004c501c103","keys":null}')
    assert told["id"] == "x"
    assert told["apdu"] == {
        "type": "set-response-normal",
        "invoke_id_and_priority": {
            "invoke_id": 1,
            "confirmed": True,
            "high_priority": True,
            "reserved": 0,
        },
        "result": "read-write-denied",
    }
    assert told["layers"] == [{"kind": "wrapper", "version": 1, "source": 1, "destination": 16, "length": 4}]


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        ("d94000000000020100030000010000ff020100080000010000ff02020000", "access-request"),
        ("da40000000000002000f010201000200", "access-response"),
        ("c20000010000600100ff020f01", "event-notification-request"),
        ("18000102fa00010f01", "information-report-request"),
        ("050102fa00", "read-request"),
        ("e0c10001000006c401c1000f01", "get-response-normal"),
        ("e6000110c001c100080000010000ff0200", "get-request-normal"),
        ("0c01000f01", "read-response"),
        ("060102fa00010f01", "write-request"),
        ("0d0100", "write-response"),
        ("160102fa00010f01", "unconfirmed-write-request"),
    ],
)
def test_apdus_go_by_the_names_of_the_book(octets: str, name: str) -> None:
    told = answer(json.dumps({"id": 1, "hex": octets}))
    assert told["ok"] is True
    assert isinstance(told["apdu"], dict)
    assert told["apdu"]["type"] == name


def test_keys_are_not_repeated() -> None:
    secret = "000102030405060708090a0b0c0d0e0f"
    for octets in ("c501c100", "db08" + "4d57530000000001" + "0530" + "00000001"):
        line = explain_line(json.dumps({"id": 1, "hex": octets, "keys": {"encryption_key": secret}}))
        assert secret not in line


@pytest.mark.parametrize(
    "keys",
    [
        "000102",
        [],
        7,
        {},
        {"encryption_key": None},
        {"encryption_key": "00"},
        {"encryption_key": "zz" * 16},
        {"encryption_key": "5345435245543031" * 2, "authentication_key": "01"},
        {"encryption_key": "5345435245543031" * 2, "system_title": "01"},
        {"encryption_key": "5345435245543031" * 2, "encryption-key": "01"},
    ],
)
def test_keys_that_can_not_be_used_are_told_and_not_repeated(keys: object) -> None:
    line = explain_line(json.dumps({"id": 1, "hex": "c501c100", "keys": keys}))
    told = json.loads(line)
    assert (told["ok"], [finding["code"] for finding in told["findings"]]) == (False, ["unusable-keys"])
    assert "5345435245543031" not in line


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "not-json"),
        ("{", "not-json"),
        ("[" * 100_000, "not-json"),
        ('{"id":NaN,"hex":"c501c100"}', "not-json"),
        ('{"id":1' + "0" * 10_000 + "}", "not-json"),
        ("[]", "not-an-object"),
        ("7", "not-an-object"),
        ('{"id":1}', "no-hex"),
        ('{"id":1,"hex":7}', "no-hex"),
        ('{"id":1,"hex":""}', "no-hex"),
        ('{"id":1,"hex":"c5 0"}', "no-hex"),
        ('{"id":1,"hex":"hello"}', "no-hex"),
        ('{"id":1,"hex":"ab"}', "unknown-apdu-tag"),
    ],
)
def test_broken_input_is_told(line: str, code: str) -> None:
    told = answer(line)
    assert told["ok"] is False
    assert code in json.dumps(told["findings"])


def test_the_id_comes_back_as_it_is() -> None:
    for identity in (None, 1, "\ud800", [1, {"a": None}], {"b": 2.5}):
        assert answer(json.dumps({"id": identity, "hex": "c501c100"}))["id"] == identity


@given(st.text(max_size=80))
def test_any_text_has_an_answer(line: str) -> None:
    answer(line)


@given(st.text(max_size=60))
def test_any_hex_has_an_answer(text: str) -> None:
    answer(json.dumps({"id": 1, "hex": text}))
