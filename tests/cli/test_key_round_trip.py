"""From a maker's list to a meter's file to a client: what `keys import` writes is read again, and opens the meter."""

import csv
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Cli
from tests.cli.files import settings_in
from tests.cli.rig import Desk

from meterwright.cli.commands import run_command_line
from meterwright.cli.key_import.files import file_name
from meterwright.cli.meters import named_meter
from meterwright.cli.words import AUTHENTICATIONS, POLICIES
from meterwright.client import ClientCredentials
from meterwright.companion import COMPANIONS, IS15959
from meterwright.security import MECHANISMS, Keys, Secret
from meterwright.simulator import MeterSettings, SecuritySettings, meter_name, system_title
from meterwright.values import SecuritySuite

HEAD: Final = ["Serial", "IP", "Port", "System Title", "GUEK", "GAK", "KEK", "GBEK", "LLS", "HLS"]


@dataclass(frozen=True)
class Row:
    """A meter as its maker lists it."""

    serial: str
    host: str
    port: int
    title: bytes | None
    keys: tuple[bytes, bytes, bytes, bytes]
    low: str
    high: str

    def cells(self) -> list[str]:
        title = "" if self.title is None else self.title.hex()
        return [
            self.serial,
            self.host,
            str(self.port),
            title,
            *(key.hex() for key in self.keys),
            self.low,
            self.high,
        ]


def keys_of(size: int) -> st.SearchStrategy[tuple[bytes, bytes, bytes, bytes]]:
    key = st.binary(min_size=size, max_size=size)
    return st.tuples(key, key, key, key)


PASSWORDS: Final = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=16
)
ROWS: Final = st.builds(
    Row,
    serial=st.from_regex(r"[A-Z]{3}[0-9]{1,8}", fullmatch=True),
    host=st.sampled_from(["192.0.2.7", "meter-7.example", "2001:db8::7"]),
    port=st.integers(1, 65535),
    title=st.none() | st.binary(min_size=8, max_size=8),
    keys=keys_of(16) | keys_of(32),
    low=PASSWORDS,
    high=PASSWORDS,
)
OPTIONS: Final = st.tuples(
    st.sampled_from(
        [each for each in AUTHENTICATIONS if each != "high-ecdsa"]
    ),  # lists have no pairs of keys
    st.sampled_from([None, *POLICIES]),
    st.sampled_from([None, *COMPANIONS]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=ROWS, options=OPTIONS, client=st.sampled_from([1, 16, 32, 48, 80]))
def test_what_was_listed_is_what_a_client_has(
    row: Row, options: tuple[str, str | None, str | None], client: int, capsys: pytest.CaptureFixture[str]
) -> None:
    authentication, security, companion = options
    with TemporaryDirectory() as name:
        folder = Path(name)
        order = ["--authentication", authentication, "--client", str(client)]
        order += ["--security", security] if security else []
        order += ["--companion", companion] if companion else []
        assert imported(row, folder, *order) == 0, capsys.readouterr().err
        file = folder / "out" / file_name(row.serial)
        named = named_meter(None, file, settings_in(folder))
        assert "system_title" not in file.read_text("utf-8").replace("meter_system_title", "")
    capsys.readouterr()
    found = named.settings.credentials
    assert (named.address.host, named.address.port) == (row.host, row.port)
    assert named.address.client_sap == client
    assert named.companion is COMPANIONS[companion or "plain"]
    assert found.authentication is AUTHENTICATIONS[authentication]
    assert found.policy is POLICIES[security or "authenticated-encrypted"]
    assert found.meter_title == row.title
    mechanism = MECHANISMS.get(found.authentication)
    if authentication == "low":
        assert found.secret == Secret(row.low.encode())
    elif mechanism is not None and mechanism.needs_secret:
        assert found.secret == Secret(row.high.encode())
    else:
        assert found.secret is None
    if found.keys is not None:
        unicast, authentication_key, _, broadcast = (Secret(key) for key in row.keys)
        assert found.keys.global_unicast == unicast
        assert found.keys.authentication == authentication_key
        assert found.keys.global_broadcast == broadcast
        assert found.keys.suite is SecuritySuite(2 if len(row.keys[0]) == 32 else 0)
    assert has_the_counter_object_of(found, named.companion.name, client)


def has_the_counter_object_of(found: ClientCredentials, companion: str, client: int) -> bool:
    """Whether the counter object is the one of this client address."""
    profile = IS15959.association(client) if companion == "is15959" else None
    wanted = "0.0.43.1.0.255" if profile is None else profile.counter and str(profile.counter)
    return (found.counter_object and str(found.counter_object)) == wanted


def imported(row: Row, folder: Path, *order: str) -> int:
    """The exit code of an import of one row."""
    file = folder / "list.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([HEAD, row.cells()])
    file.chmod(0o600)
    return run_command_line(["keys", "import", str(file), "--into", str(folder / "out"), *order])


@pytest.mark.parametrize("authentication", ["low", "high", "high-gmac", "high-sha256"])
def test_it_opens_the_meter(cli: Cli, tmp_path: Path, authentication: str) -> None:
    unicast, key, other, broadcast = (bytes(range(start, start + 16)) for start in (50, 90, 130, 170))
    security = SecuritySettings(
        authentication=AUTHENTICATIONS[authentication],
        policy=POLICIES["authenticated-encrypted"],
        secret=Secret("sécret".encode()),
        keys=Keys(global_unicast=Secret(unicast), authentication=Secret(key)),
    )
    with Desk(tmp_path / "meters", settings=MeterSettings(security=security)) as desk:
        port = int(desk.url.rpartition(":")[2])
        row = Row(
            meter_name(1),
            "127.0.0.1",
            port,
            system_title(1),
            (unicast, key, other, broadcast),
            "sécret",
            "sécret",
        )
        assert imported(row, tmp_path, "--client", "1", "--authentication", authentication) == 0
        ended = cli(
            "get", "--meter", str(tmp_path / "out" / f"{meter_name(1)}.toml"), "0.0.42.0.0.255", "--json"
        )
        assert (ended.code, ended.lines[0]["value"]) == (0, meter_name(1))
        row = Row(
            meter_name(2),
            "127.0.0.1",
            port,
            system_title(2),
            (unicast, key, other, broadcast),
            "sécret",
            "sécret",
        )
        assert imported(row, tmp_path, "--client", "1", "--authentication", authentication) == 0
        wrong = cli("get", "--meter", str(tmp_path / "out" / f"{meter_name(2)}.toml"), "0.0.42.0.0.255")
        assert wrong.code == 6
        assert "system title" in wrong.err
