"""Runs the interop peer as a process of its own and types what it prints.

Where: test support, used by tests/interop and tests/bench. The peer is gurux-dlms, in the environment `.venv-peer` that
`make` sets up (another interpreter by METERWRIGHT_PEER_PYTHON); what its commands do stands in gurux_peer.py.

Refuses: to let a test pass by accident. Without the environment the test is skipped, under CI=true it fails; a peer that
exits with an error, prints anything but one JSON object of the expected shape or takes too long is an AssertionError.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NoReturn, TypeAlias, TypedDict, TypeGuard

import pytest

INTERPRETER_VARIABLE = "METERWRIGHT_PEER_PYTHON"
_SCRIPT = Path(__file__).with_name("gurux_peer.py")
_ENVIRONMENT = Path(__file__).parents[2] / ".venv-peer"


LinkName: TypeAlias = Literal["wrapper", "hdlc"]
Authentication: TypeAlias = Literal[
    "none", "low", "high", "high-md5", "high-sha1", "high-gmac", "high-sha256"
]
Security: TypeAlias = Literal["none", "authenticated", "encrypted", "authenticated-encrypted"]


@dataclass(frozen=True, slots=True)
class PeerLink:
    """Between whom, and over what. The other three are HDLC's: `lower` wants an address of 2 or 4 octets."""

    name: LinkName = "wrapper"
    client: int = 16
    server: int = 1
    lower: int | None = None
    address_size: Literal[1, 2, 4] | None = None
    max_info: int | None = None

    def options(self) -> list[str]:
        """As the script is told."""
        told = ["--link", self.name, "--client", str(self.client), "--server", str(self.server)]
        hdlc = {
            "--hdlc-lower": self.lower,
            "--address-size": self.address_size,
            "--max-info": self.max_info,
        }
        for option, value in hdlc.items():
            told += [] if value is None else [option, str(value)]
        return told


@dataclass(frozen=True, slots=True)
class PeerSecurity:
    """Who the client is, and what protects its APDUs. Suite 0; keys and password are the books' unless given.

    `counter` is the first invocation counter. With a `counter_object` it is at least one more than that holds, which the
    public client `counter_client` reads before each association.
    """

    authentication: Authentication = "none"
    security: Security = "none"
    password: str = "12345678"
    encryption_key: bytes = bytes(range(0x10))
    authentication_key: bytes = bytes(range(0xD0, 0xE0))
    title: bytes = b"MWPEER01"
    counter: int = 1
    counter_object: str | None = None
    counter_client: int = 16
    general_protection: bool = True
    check_tags: bool = True

    def options(self) -> list[str]:
        """As the script is told."""
        told = ["--authentication", self.authentication, "--password", self.password]
        told += ["--security", self.security, "--suite", "0", "--title", self.title.hex()]
        told += ["--ek", self.encryption_key.hex(), "--ak", self.authentication_key.hex()]
        told += ["--counter", str(self.counter)]
        if self.counter_object is not None:
            told += ["--counter-object", self.counter_object, "--counter-client", str(self.counter_client)]
        told += [] if self.general_protection else ["--no-general-protection"]
        return told if self.check_tags else [*told, "--no-check-tags"]


PUBLIC = PeerSecurity()
"""A client that proves nothing and protects nothing."""


class ProtectionReport(TypedDict):
    """Counters and tags of one run, over all its associations.

    `counter_read` is what the counter object held before the last one, `counter_next` what the client would use next (None:
    it counts nothing), `tags_checked` how many of the meter's tags were right; a wrong one is an error.
    """

    counter_read: int | None
    counter_next: int | None
    tags_checked: int


class ClockReading(TypedDict):
    """`iso` is the library's reading, `raw` the 12 octets as hex, `status` the clock status octet."""

    iso: str
    raw: str
    status: int


class RegisterReading(TypedDict):
    """`value` is `raw` scaled by the library (a float); `unit` the enum of the standard, `unit_name` the library's word."""

    logical_name: str
    raw: int
    scaler: int
    unit: int
    unit_name: str
    value: float


class ObjectEntry(TypedDict):
    """An element of the association's object list."""

    class_id: int
    version: int
    logical_name: str


class ReadReport(TypedDict):
    """What `read` prints; octet-strings are text, or `hex:…` when they are not printable."""

    conformance: list[str]
    max_pdu_size: int
    clock: ClockReading
    register: RegisterReading
    logical_device_name: str
    objects: list[ObjectEntry]
    list: Sequence[str | int] | None
    notifications: int
    protection: ProtectionReport


class ActivateInfo(TypedDict):
    """An element of image_to_activate_info."""

    size: int
    identification: str
    signature: str


class UpdateReport(TypedDict):
    """What `update` prints; results are action-results, `activate_result` None when the connection dropped."""

    block_size: int
    blocks: int
    enabled_before: bool
    initiate_result: int
    block_map: str
    first_missing: int
    verify_result: int
    verify_polls: int
    verify_status: int
    activate_info: list[ActivateInfo]
    firmware_before: str
    firmware_after: str
    activate_result: int | None
    status_after: int
    reconnect_attempts: int
    transfer_seconds: float
    transfer_cpu_seconds: float
    protection: ProtectionReport


class RoundTripReport(TypedDict):
    """What `roundtrips` prints: how many there were, and what they took by the clock and of the processor."""

    count: int
    seconds: float
    cpu_seconds: float


class RowsReading(TypedDict):
    """The rows of a part of a buffer (octets as hex:…), and the frame that asked for them."""

    rows: list[list[object]]
    sent: str


class ProfileReport(TypedDict):
    """What `profile` prints."""

    capture_objects: list[str]
    sort_method: int
    capture_period: int
    entries: RowsReading
    entries_of_some_columns: RowsReading
    range: RowsReading
    range_of_some_columns: RowsReading


class _Translation(TypedDict):
    xml: str


class _Decoded(TypedDict):
    values: list[object]


def read(
    port: int,
    *,
    link: LinkName | PeerLink = "wrapper",
    security: PeerSecurity = PUBLIC,
    seconds: float = 60.0,
) -> ReadReport:
    """Clock, register, names, object list and a list request, read by the peer from a meter on this machine."""
    report = _run(["read", *_way(port, link, security)], seconds)
    if not _is_read_report(report):
        _malformed(report)
    return report


def update(
    port: int,
    image: Path,
    identifier: str,
    *,
    link: LinkName | PeerLink = "wrapper",
    security: PeerSecurity = PUBLIC,
    seconds: float = 100.0,
) -> UpdateReport:
    """The image brought into a meter on this machine by the peer, up to the firmware seen running."""
    what = ["--image", str(image), "--identifier", identifier]
    report = _run(["update", *_way(port, link, security), *what], seconds)
    if not _is_update_report(report):
        _malformed(report)
    return report


def profile(
    port: int,
    name: str,
    *,
    entries: tuple[int, int],
    between: tuple[datetime, datetime],
    columns: int,
    link: LinkName | PeerLink = "wrapper",
    seconds: float = 60.0,
) -> ProfileReport:
    """Parts of a profile's buffer: entries (the first, how many) and those between two moments, with all and with some columns."""
    first, count = map(str, entries)
    start, end = (each.isoformat() for each in between)
    what = ["--profile", name, "--first", first, "--count", count, "--start", start, "--end", end]
    report = _run(["profile", *_way(port, link, PUBLIC), *what, "--columns", str(columns)], seconds)
    if not _is_profile_report(report):
        _malformed(report)
    return report


def translate(apdu: bytes, *, form: Literal["simple", "standard"] = "simple", seconds: float = 30.0) -> str:
    """An APDU as XML, by the peer's translator."""
    report = _run(["translate", "--hex", apdu.hex(), "--form", form], seconds)
    if not _is_translation(report):
        _malformed(report)
    return report["xml"]


def decode(data: Sequence[bytes], *, seconds: float = 30.0) -> list[object]:
    """Each Data as the peer understands it: lists, numbers, texts, or an object with its `error` (gurux_data.py)."""
    report = _run(["decode"], seconds, json.dumps([octets.hex() for octets in data]))
    if not _is_decoded(report) or len(report["values"]) != len(data):
        _malformed(report)
    return report["values"]


def roundtrips(
    port: int,
    count: int,
    *,
    link: LinkName | PeerLink = "wrapper",
    security: PeerSecurity = PUBLIC,
    seconds: float = 60.0,
) -> RoundTripReport:
    """The clock of a meter on this machine, read by the peer so many times, one request after the other."""
    report = _run(["roundtrips", *_way(port, link, security), "--count", str(count)], seconds)
    if not _is_round_trip_report(report):
        _malformed(report)
    return report


def bench(
    inputs: Mapping[str, bytes], *, rounds: int = 5, round_seconds: float = 0.05, seconds: float = 120.0
) -> dict[str, float]:
    """Operations per CPU second of the peer for the named inputs (names and meanings: gurux_bench.py)."""
    stdin = json.dumps({name: octets.hex() for name, octets in inputs.items()})
    report = _run(["bench", "--rounds", str(rounds), "--seconds", str(round_seconds)], seconds, stdin)
    rates = {name: value for name, value in report.items() if isinstance(value, float)}
    if rates.keys() != inputs.keys():
        _malformed(report)
    return rates


def find_interpreter() -> Path | None:
    """The peer's interpreter; None where `make` has not made its environment."""
    if named := os.environ.get(INTERPRETER_VARIABLE):
        assert Path(named).is_file(), f"{INTERPRETER_VARIABLE} names {named}, which is not there"
        return Path(named)
    found = _ENVIRONMENT / "bin" / "python"
    return found if found.is_file() else None


def interpreter() -> Path:
    """The peer's interpreter; skips the test where there is none, fails it under CI=true."""
    found = find_interpreter()
    if found is None:
        text = f"no interop peer: {_ENVIRONMENT} is not there; `make test` makes it, or set {INTERPRETER_VARIABLE}"
        if os.environ.get("CI") == "true":
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
    return found


def _way(port: int, link: LinkName | PeerLink, security: PeerSecurity) -> list[str]:
    """The options that lead to a meter on this machine."""
    over = link if isinstance(link, PeerLink) else PeerLink(link)
    return ["--port", str(port), *over.options(), *security.options()]


def _run(arguments: list[str], seconds: float, stdin: str = "") -> dict[str, object]:
    """The JSON object the peer prints; -E and -s keep our PYTHONPATH and the user's packages out of it."""
    command = [str(interpreter()), "-E", "-s", str(_SCRIPT), *arguments]
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=os.environ | {"TZ": "UTC"},
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"the peer's {arguments[0]} took longer than {seconds} s") from error
    told = f"\nstdout: {done.stdout.strip()}\nstderr: {done.stderr.strip()}"
    assert done.returncode == 0, f"the peer's {arguments[0]} failed with exit code {done.returncode}{told}"
    try:
        report: object = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"the peer's {arguments[0]} printed no JSON{told}") from error
    assert _is_object(report), f"the peer's {arguments[0]} printed no JSON object{told}"
    return report


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_read_report(report: Mapping[str, object]) -> TypeGuard[ReadReport]:
    return report.keys() >= ReadReport.__required_keys__


def _is_update_report(report: Mapping[str, object]) -> TypeGuard[UpdateReport]:
    return report.keys() >= UpdateReport.__required_keys__


def _is_round_trip_report(report: Mapping[str, object]) -> TypeGuard[RoundTripReport]:
    return report.keys() >= RoundTripReport.__required_keys__


def _is_profile_report(report: Mapping[str, object]) -> TypeGuard[ProfileReport]:
    return report.keys() >= ProfileReport.__required_keys__


def _is_translation(report: Mapping[str, object]) -> TypeGuard[_Translation]:
    return report.keys() >= _Translation.__required_keys__


def _is_decoded(report: Mapping[str, object]) -> TypeGuard[_Decoded]:
    return report.keys() >= _Decoded.__required_keys__ and isinstance(report["values"], list)


def _malformed(report: Mapping[str, object]) -> NoReturn:
    raise AssertionError(f"the peer's report has another shape than peer.py says: {json.dumps(report)}")
