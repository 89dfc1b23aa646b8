"""A maker's list of keys becomes meters' files: the right columns, nothing half-written, and no value in what is said."""

import csv
import io
import os
import re
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Cli
from tests.cli.files import settings_in
from tests.cli.rig import Ended

from meterwright.cli.commands import run_command_line
from meterwright.cli.key_import.columns import Column, parse_choices, recognise
from meterwright.cli.key_import.files import file_name
from meterwright.cli.key_import.table import table_of
from meterwright.cli.key_import.urls import UrlTemplate
from meterwright.cli.meters import named_meter
from meterwright.errors import UsageError

EK = "7d0f1c1e5a4b39288716051423324150"
AK = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
KEK = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PASSWORD = "sw0rdfish"
HEAD = "Serial,IP,EK,AK,LLS"
needs_posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


def listed(*rows: str, head: str = HEAD, to: str = "list.csv") -> str:
    path = Path(to)
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return to


def row(
    serial: str = "1001", host: str = "192.0.2.7", ek: str = EK, ak: str = AK, lls: str = PASSWORD
) -> str:
    return f"{serial},{host},{ek},{ak},{lls}"


def meter(name: str = "1001", folder: str = "out") -> dict[str, Any]:
    return tomllib.loads((Path(folder) / f"{name}.toml").read_text("utf-8"))


def says_no_secret(ended: Ended, *more: str) -> None:
    told = ended.out + ended.err
    for secret in (EK, AK, KEK, PASSWORD, *more):
        assert secret not in told
        assert secret.upper() not in told


@pytest.fixture
def imported(cli: Cli) -> Cli:
    """Runs `keys import` into `out`."""

    def run(*arguments: str) -> Ended:
        ended = cli("keys", "import", *arguments, "--into", "out")
        says_no_secret(ended)
        assert "Traceback" not in ended.err
        return ended

    return run


class TestFiles:
    def test_a_row_becomes_a_meters_file(self, imported: Cli) -> None:
        head = "Serial;IP;Port;System Title;GUEK;GAK;KEK;GBEK;Dedicated key;HLS secret"
        line = f"1001;192.0.2.7;4060;4d 57 53 00 00 00 00 01;{EK};{AK};{KEK};{EK};{AK};{PASSWORD}"
        ended = imported(listed(line, head=head), "--client", "1", "--companion", "is15959")
        assert ended.code == 0
        assert meter() == {
            "meter": {
                "url": "tcp://192.0.2.7:4060",
                "client": 1,
                "companion": "is15959",
                "authentication": "high",
                "security": "authenticated-encrypted",
                "meter_system_title": "4D57530000000001",
            },
            "keys": {
                "password": f"text:{PASSWORD}",
                "global_unicast": EK,
                "authentication": AK,
                "master": KEK,
                "global_broadcast": EK,
                "dedicated": AK,
            },
        }

    def test_every_row_has_a_file(self, imported: Cli) -> None:
        rows = [row(str(number), f"192.0.2.{number}") for number in range(1, 200)]
        ended = imported(listed(*rows))
        assert ended.code == 0
        assert ended.out == "out: 199 written, 0 replaced, 0 unchanged, 0 failed\n"
        assert len(list(Path("out").iterdir())) == 199
        assert meter("17")["meter"]["url"] == "tcp://192.0.2.17"

    @needs_posix
    def test_it_is_its_owners_alone(self, imported: Cli) -> None:
        before = os.umask(0)
        try:
            imported(listed(row()))
        finally:
            os.umask(before)
        assert stat.S_IMODE(Path("out").stat().st_mode) == 0o700
        assert stat.S_IMODE(Path("out/1001.toml").stat().st_mode) == 0o600

    @needs_posix
    def test_it_is_never_seen_with_another_mode(self, imported: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        modes: list[int] = []
        fsync = os.fsync

        def look(descriptor: int) -> None:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                modes.append(stat.S_IMODE(status.st_mode))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", look)
        imported(listed(row()))
        assert modes == [0o600]

    def test_the_same_again_changes_nothing(self, imported: Cli) -> None:
        imported(listed(row()))
        before = Path("out/1001.toml").stat()
        ended = imported(listed(row()), "--json")
        assert ended.code == 0
        assert ended.lines[-1]["unchanged"] == 1
        assert Path("out/1001.toml").stat().st_mtime_ns == before.st_mtime_ns

    @needs_posix
    def test_the_same_again_closes_what_was_open(self, imported: Cli) -> None:
        imported(listed(row()))
        Path("out/1001.toml").chmod(0o644)
        assert imported(listed(row())).code == 0
        assert stat.S_IMODE(Path("out/1001.toml").stat().st_mode) == 0o600

    def test_another_file_is_not_overwritten(self, imported: Cli) -> None:
        imported(listed(row()))
        ended = imported(listed(row(ek=KEK), row("1002")))
        assert ended.code == 1
        assert "line 2: 1001.toml is there and says something else; --replace" in ended.err
        assert meter()["keys"]["global_unicast"] == EK
        assert meter("1002")["keys"]["global_unicast"] == EK

    def test_unless_that_is_asked_for(self, imported: Cli) -> None:
        imported(listed(row()))
        ended = imported(listed(row(ek=KEK)), "--replace")
        assert ended.code == 0
        assert "1 replaced" in ended.out
        assert meter()["keys"]["global_unicast"] == KEK

    @needs_posix
    def test_a_link_is_replaced_and_not_followed(self, imported: Cli) -> None:
        imported(listed(row()))
        Path("other").write_text("something else")
        Path("out/1001.toml").unlink()
        Path("out/1001.toml").symlink_to(Path("other").absolute())
        assert imported(listed(row())).code == 1
        assert imported(listed(row()), "--replace").code == 0
        assert Path("other").read_text() == "something else"
        assert not Path("out/1001.toml").is_symlink()

    def test_a_folder_in_its_place_is_a_failure(self, imported: Cli) -> None:
        Path("out/1001.toml").mkdir(parents=True)
        assert imported(listed(row(), row("1002"))).code == 1
        assert imported(listed(row(), row("1002")), "--replace").code == 1
        assert meter("1002")

    def test_who_was_quicker_keeps_the_name(self, imported: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        fsync = os.fsync

        def quicker(descriptor: int) -> None:
            Path("out/1001.toml").touch()
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", quicker)
        assert imported(listed(row())).code == 1
        assert [path.name for path in Path("out").iterdir()] == ["1001.toml"]
        assert Path("out/1001.toml").read_text() == ""

    @pytest.mark.parametrize("place", ["os.fsync", "tempfile.mkstemp"])
    def test_a_disk_that_fails_leaves_nothing(
        self, imported: Cli, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(28, "No space left")

        monkeypatch.setattr(place, fail)
        ended = imported(listed(row()))
        assert ended.code == 1
        assert "No space left" in ended.err
        assert list(Path("out").iterdir()) == []

    def test_a_disk_without_links_does(self, imported: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(Path, "hardlink_to", fail)
        assert imported(listed(row())).code == 0
        assert [path.name for path in Path("out").iterdir()] == ["1001.toml"]

    def test_a_folder_that_cannot_be_made_is_wrong_use(self, imported: Cli) -> None:
        Path("out").write_text("a file")
        assert imported(listed(row())).code == 2

    def test_a_dry_run_writes_nothing(self, imported: Cli) -> None:
        ended = imported(listed(row(), row("1002", ek="zz")), "--dry-run")
        assert ended.code == 1
        assert "1 written" in ended.out
        assert "nothing was written" in ended.out
        assert not Path("out").exists()

    def test_a_dry_run_tells_what_is_in_the_way(self, imported: Cli) -> None:
        imported(listed(row()))
        assert imported(listed(row(ek=KEK)), "--dry-run").code == 1
        assert imported(listed(row(ek=KEK)), "--dry-run", "--replace").code == 0
        assert meter()["keys"]["global_unicast"] == EK


class TestNames:
    @pytest.mark.parametrize(
        "serial",
        ["../../etc/passwd", "/etc/passwd", "..", ".", ".hidden", "a/b", "a\\b", "-x", "CON", "nul.txt", "ä", "a b",
         "COM1", "x" * 90, "a:b", "~root", "$HOME", "'", "\u202eabc"[1:], "a;b"],
    )  # fmt: skip
    def test_no_serial_number_leaves_the_folder(self, imported: Cli, serial: str) -> None:
        with Path("list.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD.split(","))
            writer.writerow(row(serial="?").replace("?", serial, 1).split(","))
        Path("list.csv").chmod(0o600)
        assert imported("list.csv").code == 0
        [path] = Path("out").iterdir()
        assert path.name == file_name(serial)
        assert path.name.isascii()
        assert tomllib.loads(path.read_text("utf-8"))["keys"]["global_unicast"] == EK
        assert {each.name for each in Path().iterdir()} == {"list.csv", "out"}

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_two_serial_numbers_have_two_names(self, one: str, other: str) -> None:
        names = [file_name(one), file_name(other)]
        assert (names[0] == names[1]) == (one == other)
        for name in names:
            assert Path(name).name == name
            assert name.isascii()
            assert name[0].isalnum()
            assert len(name) < 80

    @pytest.mark.parametrize(
        "serial", ["", "   ", EK, EK.upper(), "1,5E+10", "1.23E+11", "1E+10", "x" * 101, "a\tb"]
    )
    def test_what_is_no_serial_number_is_refused(self, imported: Cli, serial: str) -> None:
        ended = imported(listed(row(f'"{serial}"'), row("1002")))
        assert ended.code == 1
        assert "line 2: " in ended.err
        assert [path.name for path in Path("out").iterdir()] == ["1002.toml"]


class TestRows:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (row(ek=EK[:-2]), "the global unicast key has 15 octets, and 16 or 32 are right"),
            (row(ek=EK[:-1]), "the global unicast key is not written in hex digits"),
            (row(ak=AK + AK), "the authentication key has 32 octets, and the key before it 16"),
            (row(ak=f"{PASSWORD}"), "the authentication key is not written in hex digits"),
            (row(lls=""), "the low-level password is missing"),
            (row(lls=f" {PASSWORD}"), "the low-level password has spaces around it"),
            (row(lls=f'"{PASSWORD}\n{EK}"'), "the low-level password has spaces around it, or characters"),
            (row(host=""), "the host is missing"),
            (row(host=f"{PASSWORD}@192.0.2.7"), "the host is missing, or none that can stand in a URL"),
            (row(host="192.0.2.7/x?password=1"), "the host is missing, or none"),
            (row(host="192.0.2.256"), "the host is missing, or none"),
            (row() + f",{EK}", "there are more cells than headers"),
        ],
    )
    def test_a_mistake_is_told_by_its_line(self, imported: Cli, wrong: str, said: str) -> None:
        ended = imported(listed(row("1002"), "", wrong, row("1003")))
        assert ended.code == 1
        assert f"line 4: {said}" in ended.err
        assert sorted(path.name for path in Path("out").iterdir()) == ["1002.toml", "1003.toml"]

    def test_lines_are_those_of_the_file(self, imported: Cli) -> None:
        head = f"{HEAD},note"
        rows = [f'{row("1002")},"two\nlines"', f"{row(ek='zz')},", f"{row('1004')},"]
        assert "line 4: " in imported(listed(*rows, head=head)).err

    def test_a_serial_number_twice_is_an_error_in_both_lines(self, imported: Cli) -> None:
        ended = imported(listed(row("a1"), row("1002"), row("A1", ek=KEK), row("1002"), row("1003")))
        assert ended.code == 1
        for line, other in ((2, 4), (4, 2), (3, 5), (5, 3)):
            assert f"line {line}: its serial number stands in line {other} too" in ended.err
        assert [path.name for path in Path("out").iterdir()] == ["1003.toml"]

    def test_many_mistakes_are_not_all_told_to_people(self, imported: Cli) -> None:
        rows = [row(str(number), ek="zz") for number in range(30)]
        ended = imported(listed(*rows))
        assert ended.err.count("not written in hex") == 20
        assert "and 10 rows more" in ended.err
        assert (
            len([line for line in imported(listed(*rows), "--json").lines if line["event"] == "row-failed"])
            == 30
        )

    def test_long_keys_are_of_suite_2(self, imported: Cli) -> None:
        assert imported(listed(row(ek=EK + AK, ak=AK + EK))).code == 0
        assert meter()["meter"]["suite"] == 2

    @pytest.mark.parametrize("written", [EK.upper(), f"0x{EK}", " ".join(EK[i : i + 2] for i in range(0, 32, 2)),
                                         "-".join(EK[i : i + 4] for i in range(0, 32, 4)), f" {EK} "])  # fmt: skip
    def test_hex_in_any_dress(self, imported: Cli, written: str) -> None:
        assert imported(listed(row(ek=written))).code == 0
        assert meter()["keys"]["global_unicast"] == EK

    def test_what_is_there_decides_how_apdus_are_protected(self, imported: Cli) -> None:
        rows = [row("1"), row("2", ek="", ak="")]
        assert imported(listed(*rows)).code == 0
        assert [meter(serial)["meter"].get("security") for serial in "12"] == [
            "authenticated-encrypted",
            None,
        ]

    def test_an_encryption_key_alone_protects_nothing(self, imported: Cli) -> None:
        ended = imported(listed(row("1", ak="")))
        assert ended.code == 1
        assert "line 2: the authentication key is missing" in ended.err
        assert imported(listed(row("1", ak="")), "--security", "none").code == 0

    def test_what_is_asked_for_must_be_there(self, imported: Cli) -> None:
        rows = [row("1"), row("2", ak="")]
        ended = imported(listed(*rows), "--security", "authenticated")
        assert ended.code == 1
        assert "line 3: the authentication key is missing" in ended.err
        assert meter("1")["meter"]["security"] == "authenticated"

    def test_a_row_without_secrets_is_a_mistake(self, imported: Cli) -> None:
        listed("1001,192.0.2.7,", head="serial,host,EK")
        assert "line 2: there is neither a key nor a password" in imported("list.csv").err

    @pytest.mark.parametrize(
        "written", ['"', "'", "\\", "a\"b\\c'd", "#x", "text:x", "ä€😀", "{x}", "%s", "=1+1"]
    )
    def test_a_password_is_kept_as_it_is(self, imported: Cli, written: str) -> None:
        buffer = io.StringIO()
        csv.writer(buffer).writerow(["1001", "192.0.2.7", EK, AK, written])
        assert imported(listed(buffer.getvalue())).code == 0
        assert meter()["keys"]["password"] == f"text:{written}"

    def test_passwords_in_hex(self, imported: Cli) -> None:
        listed(row(lls="31 32 33"), row("1002", lls="x1"))
        assert imported("list.csv", "--hex-passwords").code == 1
        assert meter()["keys"]["password"] == "313233"


class TestColumns:
    @pytest.mark.parametrize(
        ("header", "column"),
        [
            ("Serial", Column.SERIAL),
            ("METER SERIAL NUMBER", Column.SERIAL),
            ("device_id", Column.SERIAL),
            ("Logical Device Name", Column.SERIAL),
            ("ek", Column.GLOBAL_UNICAST),
            ("GUEK (hex)", Column.GLOBAL_UNICAST),
            ("Global Unicast (Encryption) Key", Column.GLOBAL_UNICAST),
            ("global-unicast_key", Column.GLOBAL_UNICAST),
            ("Block cipher key", Column.GLOBAL_UNICAST),
            ("GAK", Column.AUTHENTICATION),
            ("Authentication Key", Column.AUTHENTICATION),
            ("KEK", Column.MASTER),
            ("Master-Key", Column.MASTER),
            ("Broadcast Key", Column.GLOBAL_BROADCAST),
            ("LLS password", Column.LOW),
            ("Low level password", Column.LOW),
            ("HLS_SECRET", Column.HIGH),
            ("System title", Column.METER_SYSTEM_TITLE),
            ("IP address", Column.HOST),
            ("Port", Column.PORT),
            ("HDLC lower address", Column.LOWER),
        ],
    )
    def test_a_header_is_known_in_any_dress(self, header: str, column: Column) -> None:
        headers = ["msn", header] if column is not Column.SERIAL else ["x", header]
        assert recognise(headers, {})[column] == 1

    @pytest.mark.parametrize("header", ["Authentication", "Password", "Level", "", "Key", "Low", "High"])
    def test_a_header_that_may_mean_anything_is_not_guessed(self, header: str) -> None:
        assert recognise(["serial", header], {}) == {Column.SERIAL: 0}

    def test_doubt_is_an_error_that_shows_how_to_say_it(self, imported: Cli) -> None:
        listed(f"1001,MWS1001,192.0.2.7,{EK},{AK}", head="Serial No,Logical Device Name,Host,EK,AK")
        ended = imported("list.csv")
        assert ended.code == 2
        assert "the serial number may be 'Serial No', 'Logical Device Name'" in ended.err
        assert "--column serial=HEADER" in ended.err
        assert imported("list.csv", "--column", "serial=serial no").code == 0
        assert meter()["meter"]["url"] == "tcp://192.0.2.7"

    def test_a_missing_one_is_an_error_that_lists_the_headers(self, imported: Cli) -> None:
        listed(f"1001,192.0.2.7,{EK},{AK}", head="Zähler,Host,EK,AK")
        ended = imported("list.csv")
        assert ended.code == 2
        assert "'Zähler', 'Host', 'EK', 'AK'" in ended.err
        assert imported("list.csv", "--column", "serial=zähler").code == 0

    def test_keys_are_looked_for_too(self, imported: Cli) -> None:
        listed(f"1001,192.0.2.7,{EK},{AK}", head="serial,host,AES,Tag key")
        ended = imported("list.csv")
        assert ended.code == 2
        assert "--column global_unicast=HEADER" in ended.err
        columns = ("--column", "global_unicast=AES", "--column", "authentication=Tag key")
        assert imported("list.csv", *columns).code == 0

    @pytest.mark.parametrize("line", [row(), f"1001;{PASSWORD};x", f"{EK}", f"ä,{PASSWORD},192.0.2.7,4059"])
    def test_a_list_without_headers_is_not_repeated(self, imported: Cli, line: str) -> None:
        ended = imported(listed(head=line))
        assert ended.code == 2
        assert "looks like values" in ended.err
        assert "192.0.2" not in ended.err

    def test_a_header_that_is_a_key_is_not_repeated(self, imported: Cli) -> None:
        assert imported(listed(row() + f",{KEK}", head=f"{HEAD},{KEK}"), "--json").code == 0
        assert imported(listed(head=f"host,{KEK}")).code == 2

    @pytest.mark.parametrize(
        ("choices", "said"),
        [
            (["serial"], "not NAME=HEADER"),
            (["serial="], "not NAME=HEADER"),
            (["meter=EK"], "not NAME=HEADER"),
            (["serial=x", "serial=y"], "given twice"),
            (["serial=none such"], "no such header"),
            (["serial=EK", "high=EK"], "two names are given to one header"),
            (["serial=!"], "no such header"),
        ],
    )
    def test_a_wrong_choice_is_told(self, choices: list[str], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            recognise(["serial", "EK", "?"], parse_choices(choices))

    def test_a_header_that_stands_twice_cannot_be_chosen(self) -> None:
        with pytest.raises(UsageError, match="several such headers"):
            recognise(["serial", "x-y", "X Y"], parse_choices(["high=xy"]))

    def test_both_passwords_want_a_choice(self, imported: Cli) -> None:
        listed(f"1001,192.0.2.7,{PASSWORD},the-other", head="serial,ip,LLS,HLS")
        ended = imported("list.csv")
        assert ended.code == 2
        assert "--secret low or --secret high" in ended.err
        for options in (["--secret", "low"], ["--authentication", "low"]):
            assert imported("list.csv", "--replace", *options).code == 0
            assert meter()["keys"]["password"] == f"text:{PASSWORD}"
            assert meter()["meter"]["authentication"] == "low"
        for options in (["--secret", "high"], ["--authentication", "high-sha256"]):
            assert imported("list.csv", "--replace", *options).code == 0
            assert meter()["keys"]["password"] == "text:the-other"
        assert meter()["meter"]["authentication"] == "high-sha256"

    def test_what_is_used_is_told(self, imported: Cli) -> None:
        listed(f"1001,192.0.2.7,{PASSWORD},the-other,x", head="serial,ip,LLS,HLS,Password")
        [line, *_] = imported("list.csv", "--secret", "low", "--json").lines
        assert line["used"] == {"serial": "serial", "host": "ip", "low": "LLS"}
        assert line["unused"] == ["HLS", "Password"]


URLS = {
    Column.HOST: "hdlc+tcp://{host}:1",
    Column.PORT: "tcp://h:{port}",
    Column.LOWER: "hdlc+tcp://h:1?lower={lower}",
    Column.SERIAL: "tcp://m{serial}.example",
}


class TestUrls:
    def test_a_template_is_filled_from_columns(self, imported: Cli) -> None:
        listed(f"1001,17,{EK},{AK}", head="serial,Lower Address,EK,AK")
        url = "hdlc+tcp://10.0.0.1:4000?lower={lower}"
        assert imported("list.csv", "--url", url).code == 0
        assert meter()["meter"]["url"] == "hdlc+tcp://10.0.0.1:4000?lower=17"

    @pytest.mark.parametrize(
        ("host", "written"),
        [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "[2001:db8::7]"), ("[2001:DB8:0::7]", "[2001:db8::7]"),
         ("meter-7.example", "meter-7.example"), ("m_7", "m_7")],
    )  # fmt: skip
    def test_a_host_is_a_host(self, host: str, written: str) -> None:
        assert UrlTemplate.parse("tcp://{host}:4059").fill({Column.HOST: host}) == f"tcp://{written}:4059"

    @pytest.mark.parametrize(
        ("column", "value"),
        [(Column.PORT, "0"), (Column.PORT, "65536"), (Column.PORT, "4059.0"), (Column.PORT, "٤"), (Column.PORT, "-1"),
         (Column.HOST, "a b"), (Column.HOST, "a/b"), (Column.HOST, "fe80::1%eth0"), (Column.HOST, "a?b"), (Column.HOST, "u@h"),
         (Column.HOST, "010.0.0.1"), (Column.HOST, "{port}"), (Column.LOWER, "16384"), (Column.SERIAL, "a&b=c"), (Column.SERIAL, "")],
    )  # fmt: skip
    def test_nothing_else_gets_into_it(self, column: Column, value: str) -> None:
        template = UrlTemplate.parse(URLS[column])
        with pytest.raises(UsageError) as caught:
            template.fill({column: value})
        assert len(value) < 3 or value not in str(caught.value)

    @pytest.mark.parametrize(
        "url",
        ["tcp://{ek}", "tcp://{global_unicast}", "tcp://{low}", "tcp://{host", "tcp://{}", "tcp://{host!r}", "tcp://{host:>9}",
         "tcp://{host.x}", "{host}", "http://{host}", "tcp://u:p@{host}", "tcp://{host}?password={serial}", "tcp://{host}?foo=1",
         "tcp://{host}#x", "tcp://[{host}", "hdlc+tcp://h:1?EK={serial}", "tcp://{host}:{serial}:{port}",
         "dtls://{host}", "hdlc+tcp://{host}", "hdlc+tcp://h:1?upper={serial}"],
    )  # fmt: skip
    def test_what_makes_no_address_is_wrong_use(self, imported: Cli, url: str) -> None:
        assert imported(listed(row()), "--url", url).code == 2
        assert not Path("out").exists()

    def test_a_column_that_is_not_there_is_named(self, imported: Cli) -> None:
        ended = imported(listed(row()), "--url", "tcp://{host}:{port}")
        assert ended.code == 2
        assert "no column has: port" in ended.err

    def test_without_a_host_the_url_must_be_given(self, imported: Cli) -> None:
        ended = imported(listed(f"1001,{EK}", head="serial,EK"))
        assert ended.code == 2
        assert "--column host=HEADER" in ended.err


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            ["--secret", "medium"],
            ["--authentication", "md5"],
            ["--security", "much"],
            ["--companion", "is15960"],
            ["--authentication", "high-ecdsa"],
            ["--client", "65536"],
            ["--client", "1", "--url", "tcp://{host}?client=1"],
            ["--secret", "low", "--authentication", "high"],
            ["--secret", "low", "--authentication", "high-gmac"],
            ["--secret", "high"],
        ],
    )
    def test_what_does_not_fit_is_wrong_use(self, imported: Cli, options: list[str]) -> None:
        assert imported(listed(row()), *options).code == 2
        assert not Path("out").exists()

    def test_a_login_with_keys_needs_no_password(self, imported: Cli) -> None:
        assert imported(listed(row()), "--authentication", "high-gmac").code == 0
        assert meter()["meter"]["authentication"] == "high-gmac"
        assert "password" not in meter()["keys"]

    def test_a_list_that_is_not_there_is_wrong_use(self, imported: Cli) -> None:
        assert imported("none.csv").code == 2


class TestFindings:
    def findings(self, ended: Ended) -> dict[str, str]:
        return {line["code"]: line["message"] for line in ended.lines if line["event"] == "finding"}

    def test_keys_of_the_books_are_told(self, imported: Cli) -> None:
        book = bytes(range(16)).hex()
        rows = [row(str(number), ek=book) for number in range(8)] + [row("9", lls="12345678")]
        ended = imported(listed(*rows), "--json")
        assert ended.code == 0
        says_no_secret(ended, book)
        told = [line["message"] for line in ended.lines if line.get("code") == "test-key"]
        assert "lines 2, 3, 4, 5, 6 and 3 more: the global unicast key is printed" in told[0]
        assert "line 10: the low-level password is printed" in told[1]

    def test_passwords_that_look_like_hex_are_told(self, imported: Cli) -> None:
        ended = imported(listed(row(lls="3132333435363738")), "--json")
        assert "line 2" in self.findings(ended)["password-like-hex"]

    def test_that_the_login_is_not_known_is_told(self, imported: Cli) -> None:
        listed(f"1001,192.0.2.7,{EK},{AK}", head="serial,host,EK,AK")
        assert "authentication-left-out" in self.findings(imported("list.csv", "--json"))
        known = imported("list.csv", "--json", "--authentication", "none", "--replace")
        assert "authentication-left-out" not in self.findings(known)

    def test_one_url_for_all_is_told(self, imported: Cli) -> None:
        ended = imported(listed(row("1"), row("2")), "--url", "tcp://192.0.2.7", "--json")
        assert "same-url" in self.findings(ended)

    @needs_posix
    def test_open_places_are_told(self, imported: Cli) -> None:
        listed(row())
        Path("list.csv").chmod(0o644)
        Path("out").mkdir()
        Path("out").chmod(0o777)
        assert {"readable-list", "open-folder"} <= set(self.findings(imported("list.csv", "--json")))

    def test_for_people_it_says_what_to_try(self, imported: Cli) -> None:
        ended = imported(listed(row(lls="12345678")))
        assert "warning: line 2: the low-level password is printed in the books" in ended.err
        assert "try: ask the maker" in ended.err

    def test_each_file_has_a_line(self, imported: Cli) -> None:
        [_, line, *_, last] = imported(listed(row(), row("1002", ek="z")), "--json").lines
        assert line == {
            "event": "meter-file",
            "line": 2,
            "meter": "1001",
            "file": str(Path("out/1001.toml")),
            "outcome": "written",
            "dry_run": False,
        }
        assert last == {
            "event": "imported",
            "written": 1,
            "replaced": 0,
            "unchanged": 0,
            "failed": 1,
            "dry_run": False,
        }


class TestText:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_what_spreadsheets_write_is_read(
        self, imported: Cli, delimiter: str, coding: str, end: str
    ) -> None:
        cells = ["1001", "192.0.2.7", EK, AK, "pässwörd,;x" if delimiter == "\t" else "pässwörd"]
        text = end.join(delimiter.join(line) for line in (HEAD.split(","), cells)) + end
        Path("list.csv").write_bytes(text.encode(coding))
        Path("list.csv").chmod(0o600)
        assert imported("list.csv").code == 0
        assert meter()["keys"] == {
            "password": f"text:{cells[-1]}",
            "global_unicast": EK,
            "authentication": AK,
        }

    def test_passwords_do_not_mislead_about_the_delimiter(self, imported: Cli) -> None:
        rows = [row(str(number)).replace(",", ";") + ",,,;,,," for number in range(9)]
        assert imported(listed(*rows, head=f"{HEAD.replace(',', ';')};note")).code == 0
        assert meter("3")["keys"]["password"] == f"text:{PASSWORD},,,"

    def test_the_line_that_tells_the_delimiter_is_no_header(self, imported: Cli) -> None:
        listed(
            HEAD.replace(",", ";"), row().replace(",", ";"), row("", ek="").replace(",", ";"), head="sep=;"
        )
        ended = imported("list.csv")
        assert "line 4: " in ended.err
        assert meter()

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n\n ,, \n",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            HEAD.encode(),
            f'{HEAD}\n"{row()}\n'.encode(),
            f'{HEAD}\n"1001"x,{EK}\n'.encode(),
            f"{HEAD}\n{row(lls=PASSWORD * 1000)}\n".encode(),
            f"{HEAD}\n{row(lls='ä')}\n".encode("latin-1"),
            b"\xff\xfea",
            (HEAD + "x" * 200_000).encode(),
        ],
        ids=range(11),
    )
    def test_a_damaged_list_is_wrong_use_and_nothing_is_written(self, imported: Cli, content: bytes) -> None:
        Path("list.csv").write_bytes(content)
        assert imported("list.csv").code == 2
        assert not Path("out").exists()

    def test_damage_at_the_end_writes_nothing_of_the_beginning(self, imported: Cli) -> None:
        ended = imported(listed(row(), row("1002"), '"1003'))
        assert ended.code == 2
        assert "line 4: " in ended.err
        assert not Path("out").exists()

    def test_there_are_bounds(self, imported: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("meterwright.cli.key_import.table._MOST_ROWS", 2)
        assert imported(listed(row("1"), row("2"))).code == 0
        assert imported(listed(row("1"), row("2"), row("3"))).code == 2
        monkeypatch.setattr("meterwright.cli.key_import.table._LARGEST", 50)
        assert imported(listed(row("1"))).code == 2

    def test_a_hostile_line_of_headers_takes_no_time(self) -> None:
        for line in ('a,"' * 30_000, '"' * 100_001, ",;\t" * 30_000, "'\"" * 50_000):
            with suppress(UsageError):
                table_of(line.encode())


# ------------------------------------------------------------------------------------------------ fuzz

WORDS = st.sampled_from(
    ["serial", "Meter ID", "EK", "AK", "KEK", "LLS", "HLS", "IP", "port", "system title", "1001", "1002", EK, AK,
     "192.0.2.7", "4059", "", " ", '"', '""', "sep=;", "4D57530000000001", "../x", "\0", "\ufeff", "text:", "{host}"]
)  # fmt: skip
CELLS = st.one_of(WORDS, WORDS, st.text(max_size=8))


def joined(rows: list[list[str]], delimiter: str, end: str) -> str:
    return end.join(delimiter.join(cells) for cells in rows)


def encoded(text: str, coding: str) -> bytes:
    return text.encode(coding, "surrogatepass")


def below_a_good_row(rest: str) -> bytes:
    return encoded(f"{HEAD}\n{row()}\n{rest}", "utf-8")


TABLES = st.builds(
    joined,
    st.lists(st.lists(CELLS, max_size=6), max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
OCTETS = st.one_of(
    st.binary(max_size=200),
    st.builds(encoded, TABLES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])),
    st.builds(below_a_good_row, TABLES),
)
OPTIONS = st.sampled_from([(), ("--json",), ("--dry-run",), ("--secret", "low"), ("--hex-passwords",)])


class TestAnything:
    @given(OCTETS)
    def test_any_octets_are_a_table_or_wrong_use(self, octets: bytes) -> None:
        with suppress(UsageError):
            table = table_of(octets)
            assert EK not in repr(table)
            recognise(table.headers, {})
            for each in table.rows():
                assert each.line > 0
                assert EK not in repr(each)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(octets=OCTETS, options=OPTIONS)
    @example(octets=f"{HEAD}\n{row(ek=PASSWORD)}".encode(), options=())
    def test_a_run_ends_with_a_code_and_tells_no_secret(
        self, octets: bytes, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "list.csv").write_bytes(octets)
            arguments = [str(folder / "list.csv"), "--into", str(folder / "out"), *options]
            code = run_command_line(["keys", "import", *arguments, "--url", "tcp://192.0.2.7:4059"])
            out, err = capsys.readouterr()
            assert code in (0, 1, 2)
            assert "bug of Meterwright" not in err
            assert not {EK, AK} & set(re.findall(r"[0-9a-f]{32}", out + err))
            assert PASSWORD not in out + err
            assert {path.name for path in folder.iterdir()} <= {"list.csv", "out"}
            for path in (folder / "out").glob("*"):
                assert path.suffix == ".toml"
                assert tomllib.loads(path.read_text("utf-8"))["keys"]
                assert named_meter(None, path, settings_in(folder)).address.host == "192.0.2.7"
                assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name != "posix"
