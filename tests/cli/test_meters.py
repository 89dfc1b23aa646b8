"""How a meter is named: by URL or by its file; what is not understood is refused, never passed over."""

from pathlib import Path
from typing import Any

import pytest
from tests.cli.files import NO_KEYS, Written, refusal, settings_in, written

from meterwright.cli.meters import NamedMeter, named_meter, split_meter
from meterwright.client import CounterReading, MeterAddress, Scheme, Timeouts
from meterwright.companion import IS15959, PLAIN
from meterwright.errors import UsageError
from meterwright.security import Manner, Style
from meterwright.transport.serial import SerialSettings
from meterwright.values import AuthenticationMechanism, Obis, SecurityPolicy

LOWEST = AuthenticationMechanism.LOWEST


def of_url(url: str, folder: Path, **settings: Any) -> NamedMeter:
    return named_meter(url, None, settings_in(folder, **settings))


def of_file(folder: Path, text: str, **settings: Any) -> NamedMeter:
    return named_meter(None, written(folder, text), settings_in(folder, **settings))


class TestUrl:
    def test_a_url_names_a_meter(self, tmp_path: Path) -> None:
        named = of_url("tcp://192.0.2.7?client=32&server=2", tmp_path, request_timeout=3.0)
        assert named.address == MeterAddress("192.0.2.7", 4059, 32, 2)
        settings = named.client().settings
        assert (settings.client_sap, settings.server_sap) == (32, 2)
        assert settings.timeouts.request == 3.0
        assert str(named) == "tcp://192.0.2.7:4059?client=32&server=2"

    def test_hdlc_is_over_tcp_or_a_serial_line(self, tmp_path: Path) -> None:
        by_gateway = of_url("hdlc+tcp://192.0.2.7:4000?lower=17", tmp_path)
        assert (by_gateway.address.scheme, by_gateway.address.lower) == (Scheme.HDLC_TCP, 17)
        by_cable = of_url("hdlc:///dev/ttyUSB0?baud=19200", tmp_path)
        assert by_cable.address.serial == SerialSettings("/dev/ttyUSB0", baud=19200)

    def test_nothing_is_proved_or_protected(self, tmp_path: Path) -> None:
        credentials = of_url("tcp://192.0.2.7?client=1", tmp_path).settings.credentials
        assert (credentials.authentication, credentials.policy) == (LOWEST, SecurityPolicy.NONE)
        assert credentials.keys is None

    @pytest.mark.parametrize("url", ["", "192.0.2.7", "tcp://", "hdlc+tcp://h"])
    def test_other_addresses_are_refused(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(UsageError, match="no meter address"):
            of_url(url, tmp_path)

    @pytest.mark.parametrize("name", ["password", "secret", "key", "ek", "ak"])
    def test_a_secret_is_refused_and_not_repeated(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(UsageError) as refused:
            of_url(f"tcp://192.0.2.7?{name}=s3same", tmp_path)
        assert "s3same" not in f"{refused.value}{refused.value.hint}"
        assert "TOML" in refused.value.hint

    def test_a_url_comes_first(self) -> None:
        assert split_meter(("tcp://h", "1.0.1.8.0.255"), None) == ("tcp://h", ("1.0.1.8.0.255",))

    def test_with_a_file_there_is_no_url(self) -> None:
        assert split_meter(("1.0.1.8.0.255",), Path("m.toml")) == (None, ("1.0.1.8.0.255",))

    @pytest.mark.parametrize("url", ["tcp://h", "hdlc:///dev/ttyUSB0"])
    def test_both_are_refused(self, url: str) -> None:
        with pytest.raises(UsageError, match="not by both"):
            split_meter((url,), Path("m.toml"))

    def test_neither_is_refused(self) -> None:
        with pytest.raises(UsageError, match="no meter is named"):
            split_meter((), None)


class TestFile:
    def test_a_file_holds_all_that_is_needed(self, tmp_path: Path) -> None:
        text = """
            [meter]
            url = "tcp://192.0.2.7:4060"
            client = 16
            server = 1
            referencing = "ln"
            authentication = "none"
            security = "none"
            companion = "plain"
            timeouts = { request = 30, connect = 2.5, between = 1 }
        """
        named = of_file(tmp_path, text)
        assert named.address == MeterAddress("192.0.2.7", 4060, 16, 1)
        assert named.settings.timeouts == Timeouts(connect=2.5, request=30.0, between=1.0)
        assert named.companion is PLAIN

    def test_its_url_is_enough(self, tmp_path: Path) -> None:
        named = of_file(tmp_path, NO_KEYS, release_timeout=1.0)
        assert named.settings.timeouts.release == 1.0
        assert named.settings.credentials.keys is None
        assert named.client().settings.client_sap == 16

    def test_addresses_are_in_the_url_or_beside_it(self, tmp_path: Path) -> None:
        beside = of_file(tmp_path, '[meter]\nurl = "hdlc+tcp://h:1?lower=17"\nclient = 80\nserver = 2\n')
        assert (beside.address.client_sap, beside.address.server_sap, beside.address.lower) == (80, 2, 17)
        within = of_file(
            tmp_path, '[meter]\nurl = "hdlc+tcp://h:1?lower=17&client=80&server=2"\nclient = 80\n'
        )
        assert within.address == beside.address

    @pytest.mark.parametrize("name", ["client", "server"])
    def test_url_and_file_must_agree(self, tmp_path: Path, name: str) -> None:
        said = refusal(tmp_path, f'[meter]\nurl = "tcp://h?{name}=16"\n{name} = 32\n')
        assert f"{name} is 32, and 16 in its url" in said

    @pytest.mark.parametrize(
        ("line", "read"),
        [
            ('counter_object = "0.0.43.1.7.255"', ("counter_object", Obis.parse("0.0.43.1.7.255"))),
            ('counter_object = "0-0:43.1.7"', ("counter_object", Obis.parse("0.0.43.1.7.255"))),
            ("", ("counter_object", Obis.parse("0.0.43.1.0.255"))),
            ('counter_reading = "always"', ("counter_reading", CounterReading.ALWAYS)),
            ('counter_reading = "never"', ("counter_reading", CounterReading.NEVER)),
            ("", ("counter_reading", CounterReading.FIRST_USE)),
            ("follow_counter = true", ("follow_counter", True)),
            ("", ("follow_counter", False)),
            ("general_ciphering = true", ("manner", Manner(Style.GENERAL))),
            ("", ("manner", Manner())),
            ("dedicated_key = true", ("dedicated", True)),
            ("", ("dedicated", False)),
            ('association_object = "0.0.40.0.5.255"', ("association_object", Obis.parse("0.0.40.0.5.255"))),
            ("", ("association_object", Obis.parse("0.0.40.0.0.255"))),
            ('meter_system_title = "4D57530000000001"', ("meter_title", b"MWS\0\0\0\0\1")),
            ('meter_system_title = "4d 57 53 00 00 00 00 01"', ("meter_title", b"MWS\0\0\0\0\1")),
            ('meter_system_title = "text:MWS12345"', ("meter_title", b"MWS12345")),
            ("", ("meter_title", None)),
        ],
    )
    def test_what_else_it_may_say(self, tmp_path: Path, line: str, read: tuple[str, object]) -> None:
        credentials = of_file(tmp_path, f"{NO_KEYS}{line}\n").settings.credentials
        assert getattr(credentials, read[0]) == read[1]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('authentication = "lowest"', "authentication = 'lowest' is not in this build"),
            ('authentication = "high-ecdsa"', "security suite 0 has no signatures"),
            ('authentication = "high-ecdsa"\nsuite = 1', "[keys] has no signing and no verifying"),
            ('authentication = "High"', "authentication = 'High' is not in this build"),
            ("authentication = 5", "meter.authentication"),
            ('security = "much"', "security = 'much' is not in this build"),
            ("security = 3", "meter.security"),
            ("suite = 3", "suite = '3' is not in this build"),
            ('suite = "0"', "meter.suite"),
            ("suite = true", "meter.suite"),
            ('referencing = "sn"', "meter.referencing"),
            ('companion = "is15960"', "there is no companion is15960"),
            ('system_title = "4D575300"', "system_title is no system title"),
            ('system_title = "4D5753000000000G"', "system_title is no system title"),
            ('system_title = "MWS12345"', "system_title is no system title"),
            ('system_title = "text:MWS1234ä"', "system_title is no system title"),
            ('meter_system_title = "text:MWS"', "meter_system_title is no system title"),
            ('counter_object = "0.0.43.1"', "counter_object"),
            ('counter_reading = "sometimes"', "meter.counter_reading"),
            ('association_object = "here"', "association_object"),
            ("follow_counter = 1", "meter.follow_counter"),
            ("client = 65536", "meter.client"),
            ("client = true", "meter.client"),
            ("timeouts = { request = 0 }", "meter.timeouts.request"),
            ("timeouts = { request = nan }", "meter.timeouts.request"),
            ("timeouts = { ask = 1 }", "meter.timeouts.ask: no such key"),
            ("clinet = 1", "meter.clinet: no such key"),
            ("[metre]", "metre: no such key"),
            ('[keys]\nmaster_key = "00"', "keys.master_key: no such key"),
            ('[keys]\nglobal_unicastt = "00"', "keys.global_unicastt: no such key"),
            ('[keys]\nxyzzy = "00"', "keys.…: no such key"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, tmp_path: Path, line: str, said: str) -> None:
        told = refusal(tmp_path, f"{NO_KEYS}{line}\n")
        assert said in told
        assert "meter.toml" in told

    def test_one_title_cannot_be_of_both(self, tmp_path: Path) -> None:
        text = 'system_title = "4D57530000000001"\nmeter_system_title = "4d57530000000001"\n'
        assert "are the same" in refusal(tmp_path, NO_KEYS + text)

    @pytest.mark.parametrize("text", ["[meter", "\x00", "", "meter = 1", "[meter]\n", "[meter]\nurl = 7\n"])
    def test_what_is_no_such_file_is_refused(self, tmp_path: Path, text: str) -> None:
        assert refusal(tmp_path, text)

    def test_what_is_no_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "meter.toml"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(UsageError, match="no TOML"):
            named_meter(None, path, settings_in(tmp_path))

    def test_what_is_far_too_long_is_refused(self, tmp_path: Path) -> None:
        assert "octets" in refusal(tmp_path, NO_KEYS + "#" * (1 << 20))

    def test_a_file_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            named_meter(None, tmp_path / "none.toml", settings_in(tmp_path))


class TestCompanion:
    """What the file leaves out its companion says, for the client that is meant."""

    @pytest.mark.parametrize("profile", IS15959.associations, ids=lambda each: str(each.client_sap))
    def test_the_client_address_decides(self, tmp_path: Path, profile: Any) -> None:
        keys = Written(password="text:1234567890123456") if profile.policy else Written(None, None, None)
        text = f'[meter]\nurl = "tcp://127.0.0.1?client={profile.client_sap}"\ncompanion = "is15959"\n{keys}'
        named = of_file(tmp_path, text)
        credentials = named.settings.credentials
        assert named.companion is IS15959
        assert credentials.authentication is profile.authentication
        assert credentials.policy is profile.policy
        assert credentials.counter_object == profile.counter
        assert credentials.counter_client == 16
        assert (credentials.keys is not None) == bool(profile.policy)

    def test_without_an_address_it_is_the_public_client(self, tmp_path: Path) -> None:
        named = of_file(tmp_path, f'{NO_KEYS}companion = "is15959"\n')
        assert named.settings.credentials.authentication is LOWEST
        assert named.client().settings.client_sap == 16

    def test_a_client_that_is_in_no_book_has_what_the_file_says(self, tmp_path: Path) -> None:
        named = of_file(tmp_path, f'{NO_KEYS}client = 17\ncompanion = "is15959"\n')
        credentials = named.settings.credentials
        assert (credentials.authentication, credentials.policy) == (LOWEST, SecurityPolicy.NONE)
        assert credentials.counter_object == Obis.parse("0.0.43.1.0.255")

    def test_the_file_has_the_last_word(self, tmp_path: Path) -> None:
        text = f"""{NO_KEYS}client = 32
            companion = "is15959"
            authentication = "high-gmac"
            security = "encrypted"
            suite = 1
            counter_object = "0.0.43.1.9.255"
            {Written()}
        """
        credentials = of_file(tmp_path, text).settings.credentials
        assert credentials.authentication is AuthenticationMechanism.HIGH_GMAC
        assert credentials.policy is SecurityPolicy.ENCRYPTED
        assert credentials.keys is not None
        assert credentials.keys.suite == 1
        assert credentials.counter_object == Obis.parse("0.0.43.1.9.255")

    def test_it_may_take_all_of_it_away(self, tmp_path: Path) -> None:
        text = f'{NO_KEYS}client = 32\ncompanion = "is15959"\nauthentication = "none"\nsecurity = "none"\n'
        credentials = of_file(tmp_path, text).settings.credentials
        assert (credentials.authentication, credentials.policy) == (LOWEST, SecurityPolicy.NONE)
        assert credentials.keys is None
