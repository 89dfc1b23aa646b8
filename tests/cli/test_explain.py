"""`explain`: where octets come from, and how their meaning is printed."""

import io
import json
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Cli

from meterwright.security import Ciphers, Form, Keys, Secret, Style, protect
from meterwright.values import Protection

PAYLOAD = "c701c1010102114373f23adf37a31d0decb749d496dbd1ca"


def stdin(monkeypatch: pytest.MonkeyPatch, octets: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets)))


def test_people_read_each_octet_and_what_to_try(cli: Cli) -> None:
    ended = cli("explain", PAYLOAD)
    assert ended.code == 0
    assert "action-response-normal (24 octets)" in ended.out
    assert "hardware-fault" in ended.out
    assert "image_block_size" in ended.out
    assert "\x1b" not in ended.out


def test_programs_get_one_object(cli: Cli) -> None:
    [line] = cli("explain", PAYLOAD, "--json").lines
    assert line["id"] is None
    assert line["apdu"]["type"] == "action-response-normal"
    assert line["findings"]


def test_octets_come_from_a_file(cli: Cli, tmp_path: Path) -> None:
    for content in (PAYLOAD.encode(), bytes.fromhex(PAYLOAD), f"{PAYLOAD[:9]}\n{PAYLOAD[9:]}\n".encode()):
        (tmp_path / "apdu").write_bytes(content)
        [line] = cli("explain", str(tmp_path / "apdu"), "--json").lines
        assert line["apdu"]["type"] == "action-response-normal"


def test_octets_come_from_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, PAYLOAD.encode())
    assert cli("explain", "-", "--json").lines[0]["invoke_id"] == 1


def test_a_batch_gives_a_line_for_each_line(cli: Cli, tmp_path: Path) -> None:
    lines = [json.dumps({"id": 1, "hex": PAYLOAD}), "rubbish", json.dumps({"id": "b", "hex": "zz"})]
    (tmp_path / "batch.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ended = cli("explain", "--batch", str(tmp_path / "batch.jsonl"))
    assert ended.code == 0
    assert [line["id"] for line in ended.lines] == [1, None, "b"]
    assert [line["ok"] for line in ended.lines][1:] == [False, False]


def test_a_batch_comes_from_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b'{"id": 7, "hex": "c701"}\n\xff\n')
    assert [line["id"] for line in cli("explain", "--batch", "-").lines] == [7, None]


def test_what_is_no_hex(cli: Cli) -> None:
    ended = cli("explain", "zz")
    assert (ended.code, ended.out) == (2, "")
    [line] = cli("explain", "zz", "--json").lines
    assert line["ok"] is False
    assert line["findings"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--bogus",), (PAYLOAD, "--batch", "x"), ("--batch", "not-there"), (PAYLOAD, PAYLOAD)],
)
def test_wrong_use(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli("explain", *arguments)
    assert ended.code == 2
    assert "error: " in ended.err


def sealed() -> str:
    keys = Keys(global_unicast=Secret(bytes(16)), authentication=Secret(bytes(range(16))))
    form = Form(Protection.BOTH, Style.GENERAL)
    return protect(bytes.fromhex("c501c100"), Ciphers(keys), form, b"MWS\0\0\0\0\1", 7).hex()


def test_keys_open_what_is_ciphered(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METER_EK", "00" * 16)
    (tmp_path / "ak").write_text(bytes(range(16)).hex(), encoding="utf-8")
    (tmp_path / "ak").chmod(0o600)
    given = ("--ek", "env:METER_EK", "--ak", f"file:{tmp_path / 'ak'}")
    [line] = cli("explain", sealed(), *given, "--json").lines
    assert (line["ok"], line["plaintext"]) == (True, "c501c100")
    ended = cli("explain", sealed(), *given, "--system-title", "4d57530000000002")
    assert "in general-glo-ciphering: system_title 4d57530000000001" in ended.out
    assert "set-response-normal" in ended.out


@pytest.mark.parametrize(
    "given",
    [
        ("--ak", "00" * 16),
        ("--system-title", "4d57530000000001"),
        ("--ek", "00"),
        ("--ek", "zz"),
        ("--ek", "env:NOT_THERE"),
        ("--ek", "00" * 16, "--ak", "00"),
        ("--ek", "00" * 16, "--system-title", "zz"),
        ("--ek", "00" * 16, "--system-title", "00"),
    ],
)
def test_keys_that_can_not_be_used(cli: Cli, given: tuple[str, ...]) -> None:
    ended = cli("explain", PAYLOAD, *given)
    assert ended.code == 2
    assert "error: " in ended.err


def test_a_batch_has_its_own_keys(cli: Cli, tmp_path: Path) -> None:
    keys = {"encryption_key": "00" * 16, "authentication_key": bytes(range(16)).hex()}
    (tmp_path / "batch").write_text(json.dumps({"id": 1, "hex": sealed(), "keys": keys}), encoding="utf-8")
    [line] = cli("explain", "--batch", str(tmp_path / "batch")).lines
    assert (line["ok"], line["plaintext"]) == (True, "c501c100")
    assert cli("explain", "--batch", str(tmp_path / "batch"), "--ek", "00" * 16).code == 2
