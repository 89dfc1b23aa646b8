"""How a meter is named: by URL or by its file; what cannot be done yet is refused, never passed over."""

from pathlib import Path

import pytest

from meterwright.cli.meters import named_meter, split_meter
from meterwright.client import MeterAddress, Timeouts
from meterwright.errors import UsageError

STANDARD = Timeouts()


def written(folder: Path, text: str) -> Path:
    path = folder / "meter.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as refused:
        named_meter(None, written(folder, text), STANDARD)
    return str(refused.value)


class TestUrl:
    def test_a_url_names_a_meter(self) -> None:
        named = named_meter("tcp://192.0.2.7?client=32&server=2", None, Timeouts(request=3.0))
        assert named.address == MeterAddress("192.0.2.7", 4059, 32, 2)
        assert named.client().settings.client_sap == 32
        assert named.client().settings.timeouts.request == 3.0

    @pytest.mark.parametrize(
        "url", ["", "192.0.2.7", "hdlc:///dev/ttyUSB0?baud=9600", "udp://h", "tls://h", "tcp://"]
    )
    def test_other_addresses_are_refused(self, url: str) -> None:
        with pytest.raises(UsageError, match="no meter address"):
            named_meter(url, None, STANDARD)

    def test_a_url_comes_first(self) -> None:
        assert split_meter(("tcp://h", "1.0.1.8.0.255"), None) == ("tcp://h", ("1.0.1.8.0.255",))

    def test_with_a_file_there_is_no_url(self) -> None:
        assert split_meter(("1.0.1.8.0.255",), Path("m.toml")) == (None, ("1.0.1.8.0.255",))

    def test_both_are_refused(self) -> None:
        with pytest.raises(UsageError, match="not by both"):
            split_meter(("tcp://h",), Path("m.toml"))

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
            timeouts = { request = 30, connect = 2.5 }
        """
        named = named_meter(None, written(tmp_path, text), STANDARD)
        assert named.address == MeterAddress("192.0.2.7", 4060, 16, 1)
        assert named.settings.timeouts == Timeouts(connect=2.5, request=30.0)

    def test_unknown_keys_are_named(self, tmp_path: Path) -> None:
        said = refusal(tmp_path, '[meter]\nurl = "tcp://h"\nclinet = 1\n')
        assert "meter.clinet: no such key" in said

    def test_unknown_tables_are_named(self, tmp_path: Path) -> None:
        assert "metre: no such key" in refusal(tmp_path, '[meter]\nurl = "tcp://h"\n[metre]\n')

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('authentication = "low"', "authentication = 'low' is not in this build"),
            ('security = "encrypted"', "security = 'encrypted' is not in this build"),
            ('referencing = "sn"', "referencing = 'sn' is not in this build"),
            ('companion = "is15959"', "companion = 'is15959' is not in this build"),
            ("suite = 1", "suite = 1 is not in this build"),
            ('system_title = "4D57530000000001"', "system_title"),
            ("client = 65536", "meter.client"),
            ("client = true", "meter.client"),
            ("timeouts = { request = 0 }", "meter.timeouts.request"),
            ("timeouts = { request = nan }", "meter.timeouts.request"),
            ("timeouts = { ask = 1 }", "meter.timeouts.ask: no such key"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, tmp_path: Path, line: str, said: str) -> None:
        assert said in refusal(tmp_path, f'[meter]\nurl = "tcp://h"\n{line}\n')

    def test_keys_are_refused_and_not_repeated(self, tmp_path: Path) -> None:
        said = refusal(tmp_path, '[meter]\nurl = "tcp://h"\n[keys]\npassword = "s3cret"\n')
        assert "password" in said
        assert "s3cret" not in said

    def test_a_secret_of_the_wrong_type_is_not_repeated(self, tmp_path: Path) -> None:
        assert "4711" not in refusal(tmp_path, '[meter]\nurl = "tcp://h"\n[keys]\npassword = 4711\n')

    def test_url_and_keys_must_agree(self, tmp_path: Path) -> None:
        said = refusal(tmp_path, '[meter]\nurl = "tcp://h?client=16"\nclient = 32\n')
        assert "client is 32, and 16 in its url" in said

    @pytest.mark.parametrize("text", ["[meter", "\x00", "", "meter = 1"])
    def test_what_is_no_such_file_is_refused(self, tmp_path: Path, text: str) -> None:
        assert refusal(tmp_path, text)

    def test_what_is_no_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "meter.toml"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(UsageError, match="no TOML"):
            named_meter(None, path, STANDARD)

    def test_a_file_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            named_meter(None, tmp_path / "none.toml", STANDARD)
