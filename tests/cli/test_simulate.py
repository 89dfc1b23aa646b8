"""`meterwright simulate`: wrong options are told, and the file it writes is enough for a client of every kind of meter."""

import dataclasses
import re
from pathlib import Path
from typing import Final

import pytest
from tests.cli.conftest import Cli
from tests.cli.files import settings_in
from tests.simulator.secured import Bench, run

from meterwright.cli.meters import NamedMeter, named_meter
from meterwright.cli.simulate import _KINDS, _LINKS, _security
from meterwright.cli.words import AUTHENTICATIONS, POLICIES, SUITES
from meterwright.client import Client
from meterwright.companion import COMPANIONS, IS15959, AssociationProfile
from meterwright.cosem import AssociationLn, DataObject, ImageTransfer
from meterwright.security import Keys, Secret
from meterwright.simulator import (
    FAULTS,
    MeterSettings,
    MeterStorage,
    SecuritySettings,
    SimulatedMeter,
    is15959_meter,
    plain_meter,
)
from meterwright.simulator.clock import MeterClock

NAME: Final = "0.0.42.0.0.255"


class TestWrongUse:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--count", "0"], "--count 0 is not among 1 to 10000"),
            (["--count", "10001"], "--count 10001"),
            (["--count", "some"], "--count"),
            (["--port", "-1"], "--port"),
            (["--port", "65536"], "--port 65536 is not among 0 to 65535"),
            (["--port", "65535", "--count", "2"], "do not fit"),
            (["--link", "mbus"], "--link mbus: there is no such thing"),
            (["--companion", "is15960"], "--companion is15960: there is no such thing"),
            (["--authentication", "highest"], "--authentication highest: there is no such thing"),
            (["--authentication", "high-ecdsa"], "security suite 0 has no signatures"),
            (["--security", "much"], "--security much: there is no such thing"),
            (["--suite", "3"], "--suite 3: there is no such thing"),
            (["--suite", "one"], "--suite"),
            (["--companion", "is15959", "--security", "much"], "--security much"),
            (["--image-block-size", "0"], "does not fit"),
            (["--image-block-size", "2000"], "1 to 1000 octets fit"),
            (["--image-block-size", "1000", "--security", "authenticated"], "1 to 979 octets fit"),
            (["--image-block-size", "1000", "--companion", "is15959"], "1 to 979 octets fit"),
            (["--max-pdu", "63"], "--max-pdu 63 is not 0 and not among 64 to 65535"),
            (["--max-pdu", "65536"], "--max-pdu 65536"),
            (["--fault", "leaks-oil"], "there is no fault leaks-oil"),
            (["--fault", "wrong-length-hardware-fault", "--fault", "x"], "there is no fault x"),
            (["--verify-seconds", "-1"], "--verify-seconds -1 is not among 0 to 86400"),
            (["--activate-seconds", "1e9"], "--activate-seconds"),
            (["--reboot-seconds", "nan"], "--reboot-seconds"),
            (["--logical-devices", "17"], "17 logical devices are not among 1 to 16"),
            (["--bind", "192.0.2.7"], "cannot listen on 192.0.2.7"),
            (["--secret", "x"], "--secret"),
            (["meters"], "meters"),
        ],
    )
    def test_it_is_told_what_is_wrong(self, cli: Cli, options: list[str], said: str) -> None:
        state = () if "--port" in options else ("--port", "0")
        ended = cli("simulate", *state, "--state-dir", "meters", *options)
        assert ended.code == 2
        assert said in ended.err
        assert ended.out == ""
        assert "Traceback" not in ended.err

    @pytest.mark.parametrize(
        ("option", "known"),
        [
            ("--link", list(_LINKS)),
            ("--companion", list(_KINDS)),
            ("--authentication", list(AUTHENTICATIONS)),
            ("--security", list(POLICIES)),
            ("--suite", list(SUITES)),
            ("--fault", list(FAULTS)),
        ],
    )
    def test_what_is_known_is_told_with_it_and_by_help(self, cli: Cli, option: str, known: list[str]) -> None:
        wrong = cli("simulate", "--port", "0", "--state-dir", "meters", option, "9")
        assert f"known are {', '.join(known)}" in wrong.err
        helped = cli("simulate", "--help")
        assert helped.code == 0
        words = " ".join(helped.out.replace("│", " ").split())
        told = re.split(rf"{option} (?:STR|INT)", words)[1].split(" --")[0].replace("- ", "-")
        assert [word for word in known if word not in told] == []

    def test_help_says_who_may_do_what(self, cli: Cli) -> None:
        words = " ".join(cli("simulate", "--help").out.replace("│", " ").split())
        for told in ("client 16, with all rights", "client 1 has all rights", "all that a client needs"):
            assert told in words
        assert "[default: ()]" not in words
        assert all(str(each.client_sap) in words for each in IS15959.associations)


def test_every_companion_can_be_simulated() -> None:
    assert list(_KINDS) == list(COMPANIONS)


# ------------------------------------------------------------------------------------------------ what is written

EVERY_PLAIN_METER = [
    pytest.param(authentication, security, suite, id=f"{authentication}-{security}-{suite}")
    for authentication in AUTHENTICATIONS
    for security in POLICIES
    for suite in SUITES
    if authentication != "high-ecdsa" or suite != "0"
]


def on_the_bench(kind: str, settings: MeterSettings) -> Bench:
    def make(storage: MeterStorage, clock: MeterClock) -> SimulatedMeter:
        del clock
        return _KINDS[kind].make(1, settings, storage)

    return Bench(make)


def named(bench: Bench, kind: str, folder: Path) -> NamedMeter:
    """The meter, as a client reads the file that is written for it."""
    file = folder / "config.toml"
    file.write_text(_KINDS[kind].describe(bench.meter, "tcp://127.0.0.1:4059"), encoding="utf-8")
    return named_meter(None, file, settings_in(folder))


def client_of(bench: Bench, meter: NamedMeter) -> Client:
    client = meter.client()
    return Client(bench.dial, dataclasses.replace(client.settings, credentials=meter.settings.credentials))


@pytest.mark.parametrize(("authentication", "security", "suite"), EVERY_PLAIN_METER)
def test_the_file_of_a_plain_meter_is_enough(
    tmp_path: Path, authentication: str, security: str, suite: str
) -> None:
    settings = MeterSettings(security=_security(authentication, security, int(suite)))

    async def scenario(bench: Bench) -> None:
        meter = named(bench, "plain", tmp_path)
        assert meter.address.client_sap == (16 if authentication == security == "none" else 1)
        for _ in range(2):
            async with client_of(bench, meter) as client:
                assert (await DataObject(client, NAME).value.get()).value == b"MWS0000000001"
                await ImageTransfer(client).image_transfer_enabled.set(True)
                assert len(await AssociationLn(client).object_list.get()) >= 9
            assert client.findings == []

    run(on_the_bench("plain", settings), scenario)


def test_the_file_of_an_is15959_meter_is_its_firmware_clients(tmp_path: Path) -> None:
    settings = MeterSettings(security=_security("low", "encrypted", 2))  # which it does not look at

    async def scenario(bench: Bench) -> None:
        meter = named(bench, "is15959", tmp_path)
        assert meter.companion is IS15959
        assert meter.address.client_sap == 80
        async with client_of(bench, meter) as client:
            assert (await ImageTransfer(client).image_block_size.get()).octets == 128
        assert client.findings == []

    run(on_the_bench("is15959", settings), scenario)


@pytest.mark.parametrize("profile", IS15959.associations, ids=lambda each: str(each.client_sap))
def test_with_another_client_in_it_it_is_that_ones(tmp_path: Path, profile: AssociationProfile) -> None:
    """The companion says the rest: authentication and security may be taken out of the file."""

    async def scenario(bench: Bench) -> None:
        text = _KINDS["is15959"].describe(bench.meter, "tcp://127.0.0.1:4059")
        lines = [
            line
            for line in text.splitlines()
            if not line.startswith(("client", 'authentication = "high', "security"))
        ]
        lines.insert(lines.index("[meter]") + 1, f"client = {profile.client_sap}")
        file = tmp_path / "config.toml"
        file.write_text("\n".join(lines), encoding="utf-8")
        meter = named_meter(None, file, settings_in(tmp_path))
        async with client_of(bench, meter) as client:
            assert (await DataObject(client, NAME).value.get()).value == b"MWS0000000001"

    run(on_the_bench("is15959", MeterSettings()), scenario)


OWN: Final = Keys(global_unicast=Secret(bytes(range(50, 66))), authentication=Secret(bytes(range(70, 86))))
OWN_SECRET: Final = Secret(b"of this meter")


@pytest.mark.parametrize("kind", _KINDS)
def test_a_meter_with_keys_of_its_own_has_those_in_its_file(tmp_path: Path, kind: str) -> None:
    security = SecuritySettings(
        authentication=AUTHENTICATIONS["high"],
        policy=POLICIES["authenticated"],
        keys=OWN,
        secret=OWN_SECRET,
    )

    def make(storage: MeterStorage, clock: MeterClock) -> SimulatedMeter:
        if kind == "is15959":
            return is15959_meter(1, keys=OWN, secret=OWN_SECRET, storage=storage, clock=clock)
        return plain_meter(1, MeterSettings(security=security), storage=storage, clock=clock)

    async def scenario(bench: Bench) -> None:
        meter = named(bench, kind, tmp_path)
        assert "books" not in (tmp_path / "config.toml").read_text()
        assert meter.settings.credentials.secret == OWN_SECRET
        assert meter.settings.credentials.keys == OWN
        async with client_of(bench, meter) as client:
            assert (await DataObject(client, NAME).value.get()).value == b"MWS0000000001"

    run(Bench(make), scenario)
