"""Keys that everybody knows: taken for a meter on this machine, refused for any other before a single octet leaves."""

import dataclasses
import re
from pathlib import Path
from typing import Final

import pytest
from tests.cli.conftest import Cli
from tests.cli.files import AK, EK, Written, settings_in, written
from tests.cli.rig import Desk

from meterwright.cli.meters import named_meter
from meterwright.client import BlockingClient, Client
from meterwright.errors import MeterwrightError, UsageError
from meterwright.simulator import MeterSettings, SecuritySettings
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport, BlockingTransport, MemoryTransport, Wire
from meterwright.values import AuthenticationMechanism, SecurityPolicy

BOOK_EK: Final = bytes(range(16)).hex()
BOOK_AK: Final = bytes(range(0xD0, 0xE0)).hex()
CLOCK: Final = "0.0.1.0.0.255"
ELSEWHERE: Final = ["tcp://192.0.2.7", "tcp://[2001:db8::7]", "tcp://0.0.0.0", "hdlc+tcp://192.0.2.7:4000",
                    "hdlc:///dev/ttyUSB0", "hdlc://COM3"]  # fmt: skip
HERE: Final = [
    "tcp://127.0.0.1",
    "tcp://127.8.8.8",
    "tcp://[::1]",
    "tcp://localhost",
    "hdlc+tcp://127.0.0.1:4000",
]
NAMES: Final = [
    "tcp://meter.example",
    "tcp://localhost.example",
    "tcp://localhost",
    "hdlc+tcp://meter.example:1",
    "tcp://010.0.0.1",
]
REFUSED: Final = "from the books, which everybody knows"


def file_for(folder: Path, url: str, keys: object = None, more: str = "") -> Path:
    """A meter's file with the books' keys, unless others are given."""
    text = f'[meter]\nurl = "{url}"\nclient = 1\nauthentication = "high-gmac"\n{more}\n'
    return written(folder, f"{text}{keys or Written(BOOK_EK, BOOK_AK)}")


def never(*_arguments: object) -> None:
    raise AssertionError("a connection was opened")


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""
    for carrier in ("tcp", "serial", "udp"):
        monkeypatch.setattr(f"meterwright.client.connectors.connect_{carrier}", never)
    for blocking in ("connect_blocking", "connect_serial_blocking", "connect_udp_blocking"):
        monkeypatch.setattr(f"meterwright.client.connectors.{blocking}", never)


@pytest.mark.usefixtures("no_connections")
class TestElsewhere:
    @pytest.mark.parametrize("url", ELSEWHERE)
    def test_they_are_refused_before_anything_is_opened(self, cli: Cli, tmp_path: Path, url: str) -> None:
        ended = cli("get", "--meter", str(file_for(tmp_path, url)), CLOCK)
        assert ended.code == 2
        assert REFUSED in ended.err
        assert "simulated meters on this machine alone" in ended.err
        assert not {BOOK_EK, BOOK_AK} & set(ended.err.lower().split())

    @pytest.mark.parametrize("command", ["objects", "firmware status"])
    def test_by_every_command(self, cli: Cli, tmp_path: Path, command: str) -> None:
        file = file_for(tmp_path, "tcp://192.0.2.7")
        assert cli(*command.split(), "--meter", str(file)).code == 2

    def test_by_the_blocking_twin(self, tmp_path: Path) -> None:
        named = named_meter(None, file_for(tmp_path, "tcp://192.0.2.7"), settings_in(tmp_path))
        with pytest.raises(UsageError, match=REFUSED):
            BlockingClient(named.address, named.settings).connect()

    @pytest.mark.parametrize(
        ("keys", "told"),
        [
            (Written(BOOK_EK, AK), "global unicast"),
            (Written(EK, BOOK_AK), "authentication"),
            (Written(BOOK_AK, AK), "global unicast"),
            (f"{Written()}global_broadcast = '{BOOK_EK}'\n", "global broadcast"),
            (f"{Written()}dedicated = '{BOOK_AK}'\n", "dedicated"),
        ],
    )
    def test_one_is_enough(self, cli: Cli, tmp_path: Path, keys: object, told: str) -> None:
        ended = cli("get", "--meter", str(file_for(tmp_path, "tcp://192.0.2.7", keys)), CLOCK)
        assert ended.code == 2
        assert re.search(rf"test keys? .*{told}|{told} .*test key", ended.err)

    def test_the_long_ones_too(self, cli: Cli, tmp_path: Path) -> None:
        keys = Written(bytes(range(0x20)).hex(), bytes(range(0xC0, 0xE0)).hex())
        file = file_for(tmp_path, "tcp://192.0.2.7", keys, "suite = 2")
        assert REFUSED in cli("get", "--meter", str(file), CLOCK).err

    def test_where_no_key_is_used_none_is_refused(self, tmp_path: Path) -> None:
        text = f'[meter]\nurl = "tcp://192.0.2.7"\n{Written(BOOK_EK, BOOK_AK)}'
        named = named_meter(None, written(tmp_path, text), settings_in(tmp_path))
        with pytest.raises(AssertionError, match="a connection was opened"):
            run_in_virtual_time(named.client().connect())


class Foreign(MemoryTransport):
    """A line that leads to another machine."""

    @property
    def is_local(self) -> bool:
        return False

    def write(self, octets: bytes) -> None:
        raise AssertionError(f"something was sent: {octets!r}")


class TestNames:
    """What a name means, only the connection tells."""

    @pytest.mark.parametrize("url", NAMES)
    def test_a_name_of_another_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        line = Foreign(Wire())

        async def connect(*_: object) -> AsyncTransport:
            return line

        monkeypatch.setattr("meterwright.client.connectors.connect_tcp", connect)
        named = named_meter(None, file_for(tmp_path, url), settings_in(tmp_path))
        with pytest.raises(UsageError, match=REFUSED):
            run_in_virtual_time(named.client().connect())
        assert line.is_closed

    def test_a_name_of_another_machine_for_the_blocking_twin(self, tmp_path: Path) -> None:
        class Line(BlockingTransport):
            closed = False

            def write(self, octets: bytes) -> None:
                raise AssertionError(f"something was sent: {octets!r}")

            def read(self, timeout: float) -> bytes:
                raise AssertionError(f"something was awaited for {timeout} s")

            def close(self) -> None:
                self.closed = True

        line = Line()
        named = named_meter(None, file_for(tmp_path, "tcp://meter.example"), settings_in(tmp_path))
        client = BlockingClient(lambda: line, named.settings)
        with pytest.raises(UsageError, match=REFUSED):
            client.connect()
        assert line.closed

    def test_a_connection_that_was_brought_along(self, tmp_path: Path) -> None:
        named = named_meter(None, file_for(tmp_path, "tcp://127.0.0.1"), settings_in(tmp_path))
        client = Client.over(Foreign(Wire()), named.settings)
        with pytest.raises(UsageError, match=REFUSED):
            run_in_virtual_time(client.connect())


class TestHere:
    @pytest.mark.parametrize("url", HERE)
    def test_they_are_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        dialled: list[str] = []

        async def connect(host: str, *_: object) -> AsyncTransport:
            dialled.append(host)
            return Wire().client_end

        monkeypatch.setattr("meterwright.client.connectors.connect_tcp", connect)
        named = named_meter(None, file_for(tmp_path, url), settings_in(tmp_path))
        with pytest.raises(MeterwrightError) as end:  # nobody is at the other end
            run_in_virtual_time(named.client().connect())
        assert not isinstance(end.value, UsageError)
        assert dialled

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    @pytest.mark.parametrize("twin", ["command", "blocking"])
    def test_a_simulated_meter_is_read_with_them(
        self, cli: Cli, tmp_path: Path, host: str, twin: str
    ) -> None:
        security = SecuritySettings(
            authentication=AuthenticationMechanism.HIGH_GMAC, policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED
        )
        with Desk(tmp_path / "meters", settings=MeterSettings(security=security)) as desk:
            file = file_for(
                tmp_path,
                desk.url.replace("127.0.0.1", host),
                Written(BOOK_EK, BOOK_AK),
                'security = "authenticated-encrypted"',
            )
            if twin == "command":
                assert cli("get", "--meter", str(file), "0.0.42.0.0.255").code == 0
                return
            named = named_meter(None, file, settings_in(tmp_path))
            settings = dataclasses.replace(named.settings, client_sap=1)
            with BlockingClient(named.address, settings) as client:
                assert client.is_associated
