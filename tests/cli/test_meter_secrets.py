"""The secrets in a meter's file: where they come from, what is said where they lack, and that nothing ever shows them."""

import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Cli
from tests.cli.files import (
    AK,
    EK,
    NO_KEYS,
    PASSWORD,
    SIGNING,
    VERIFYING,
    Written,
    refusal,
    settings_in,
    written,
)

from meterwright.cli.meters import named_meter
from meterwright.cli.words import AUTHENTICATIONS, POLICIES, SUITES
from meterwright.client import ClientCredentials
from meterwright.client.credentials import refuse_book_keys
from meterwright.errors import UsageError
from meterwright.security import MECHANISMS, KeyPairs, Secret, book_pairs
from meterwright.values import Role, SecuritySuite

LONG: Final = EK + AK
_PRIVATE: Final = ec.derive_private_key(int(SIGNING, 16), ec.SECP256R1())
PRIVATE_PEM: Final = _PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_PEM: Final = (
    ec.derive_private_key(int("b2" * 32, 16), ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
HINTS: Final = ("sw0rd", EK[4:20], AK[4:20], "wordfish")
"""Parts of the secrets by which they would be known again."""


def credentials(folder: Path, text: str) -> ClientCredentials:
    return named_meter(None, written(folder, text), settings_in(folder)).settings.credentials


def asking_for(authentication: str, security: str, keys: object = "") -> str:
    return f'{NO_KEYS}client = 1\nauthentication = "{authentication}"\nsecurity = "{security}"\n{keys}'


ALL = asking_for("high", "authenticated-encrypted", Written(password=f"text:{PASSWORD}"))


class TestForms:
    """Each key may be written in each way; `tests/cli/test_secrets.py` has the ways themselves."""

    @pytest.mark.parametrize("place", ["here", "env", "file"])
    @pytest.mark.parametrize("form", ["hex", "text"])
    def test_every_key_may_be_in_every_form(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, form: str
    ) -> None:
        names = ("password", "global_unicast", "global_broadcast", "authentication", "dedicated")
        lines: list[str] = []
        for number, name in enumerate(names):
            octets = f"sixteen letters{number}".encode()
            value = octets.hex() if form == "hex" else f"text:{octets.decode()}"
            if place == "env":
                monkeypatch.setenv(f"METER_{name}", value)
                value = f"env:METER_{name}"
            elif place == "file":
                path = tmp_path / name
                path.write_text(f"{value}\n", encoding="utf-8")
                path.chmod(0o600)
                value = f"file:{name}"
            lines.append(f'{name} = "{value}"')
        found = credentials(
            tmp_path, asking_for("high", "authenticated", "[keys]\n" + "\n".join([*lines, ""]))
        )
        assert found.keys is not None
        read = [found.secret, *(getattr(found.keys, name) for name in names[1:])]
        assert read == [Secret(f"sixteen letters{number}".encode()) for number in range(5)]
        assert found.dedicated

    def test_a_file_is_looked_for_beside_the_meters_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "meters"
        (folder / "secrets").mkdir(parents=True)
        (folder / "secrets" / "ek").write_text(EK, encoding="ascii")
        (folder / "secrets" / "ek").chmod(0o600)
        monkeypatch.chdir(tmp_path)
        found = credentials(folder, asking_for("none", "encrypted", Written("file:secrets/ek")))
        assert found.keys is not None
        assert found.keys.global_unicast == Secret.from_hex(EK)

    def test_a_file_that_others_may_read_is_used_and_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "ek").write_text(EK, encoding="ascii")
        (tmp_path / "ek").chmod(0o644)
        assert credentials(tmp_path, asking_for("none", "encrypted", Written("file:ek"))).keys is not None
        out, err = capsys.readouterr()
        assert "others may read" in err
        assert "chmod 600" in err
        assert EK not in out + err

    @needs_posix
    @pytest.mark.parametrize(
        ("mode", "told"), [(0o600, ""), (0o700, ""), (0o644, "read"), (0o640, "read"), (0o602, "write")]
    )
    def test_a_meters_file_with_secrets_should_be_its_owners(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int, told: str
    ) -> None:
        written(tmp_path, ALL).chmod(mode)
        assert named_meter(None, tmp_path / "meter.toml", settings_in(tmp_path)).settings.credentials.keys
        err = capsys.readouterr().err
        assert bool(err) == bool(told)
        assert f"others may {told} " in err or not told
        assert "chmod 600" in err or not told
        shows_no_secret(err)

    @needs_posix
    def test_one_that_only_says_where_they_are_need_not_be(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("METER_EK", EK)
        monkeypatch.setenv("METER_AK", AK)
        text = asking_for("none", "encrypted", Written("env:METER_EK", "env:METER_AK"))
        written(tmp_path, text).chmod(0o644)
        named_meter(None, tmp_path / "meter.toml", settings_in(tmp_path))
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("name", ["password", "global_unicast", "authentication"])
    @pytest.mark.parametrize("place", ["env:NO_SUCH_VARIABLE", "file:no-such-file", "env:", "file:", ""])
    def test_what_is_not_there_is_told(self, tmp_path: Path, name: str, place: str) -> None:
        said = refusal(tmp_path, asking_for("high", "encrypted", Written(**{name: place})))
        assert f"keys.{name}" in said

    @pytest.mark.parametrize(("suite", "key"), [(0, EK), (1, EK), (2, LONG)])
    def test_keys_are_as_long_as_the_suite_wants(self, tmp_path: Path, suite: int, key: str) -> None:
        text = asking_for("none", "authenticated", f"suite = {suite}\n{Written(key, key)}")
        assert credentials(tmp_path, text).keys is not None
        wrong = LONG if key is EK else EK
        for keys in (Written(key, wrong), Written(wrong, key)):
            said = refusal(tmp_path, asking_for("none", "authenticated", f"suite = {suite}\n{keys}"))
            assert f"security suite {suite} wants {len(key) // 2}" in said


class TestPairs:
    """Our signing key and the meter's verifying key: in hex, or as openssl writes them."""

    ASKING = asking_for("high-ecdsa", "none", "suite = 1\n[keys]\n")

    def of(self, folder: Path, signing: str, verifying: str) -> KeyPairs:
        text = f'{self.ASKING}signing = """{signing}"""\nverifying = """{verifying}"""\n'
        found = credentials(folder, text).pairs
        assert found is not None
        return found

    def test_pem_in_files_and_hex_are_one(self, tmp_path: Path) -> None:
        in_hex = self.of(tmp_path, SIGNING, VERIFYING)
        for name, key in (("ours.pem", PRIVATE_PEM), ("meter.pem", PUBLIC_PEM)):
            path = tmp_path / name
            path.touch(mode=0o600)
            path.write_text(key, encoding="ascii")
        assert self.of(tmp_path, "file:ours.pem", "file:meter.pem") == in_hex
        assert self.of(tmp_path, PRIVATE_PEM, PUBLIC_PEM) == in_hex

    @pytest.mark.parametrize(
        ("signing", "verifying", "said"),
        [
            ("b1" * 16, VERIFYING, "16 octets that are no private key on P-256"),
            ("b1" * 48, VERIFYING, "no private key on an elliptic curve"),
            (PUBLIC_PEM, VERIFYING, "no private key on an elliptic curve"),
            (SIGNING, "b1" * 64, "64 octets are no public key on P-256"),
            (SIGNING, PRIVATE_PEM, "no public key on an elliptic curve"),
            ("text:x", VERIFYING, "1 octets that are no private key"),
        ],
    )
    def test_what_is_no_key_is_told_and_not_shown(
        self, tmp_path: Path, signing: str, verifying: str, said: str
    ) -> None:
        text = f'{self.ASKING}signing = """{signing}"""\nverifying = """{verifying}"""\n'
        told = refusal(tmp_path, text)
        assert said in told
        assert "b1b1" not in told

    def test_keys_of_another_suite_are_told(self, tmp_path: Path) -> None:
        text = self.ASKING.replace("suite = 1", "suite = 2")
        told = refusal(tmp_path, f'{text}signing = """{PRIVATE_PEM}"""\nverifying = "{VERIFYING}"\n')
        assert "a key on P-256 where one on P-384 is wanted" in told

    def test_the_books_keys_are_for_meters_on_this_machine(self, tmp_path: Path) -> None:
        signing = book_pairs(SecuritySuite.SUITE_1, Role.CLIENT).signing
        assert signing is not None
        text = f'{self.ASKING}signing = "{signing.scalar.reveal().hex()}"\nverifying = "{VERIFYING}"\n'
        given = credentials(tmp_path, text)
        refuse_book_keys(given, is_local=True)
        with pytest.raises(UsageError, match="test keys from the books, which everybody knows: signing"):
            refuse_book_keys(given, is_local=False)


class TestWhatLacks:
    """Told before anything is sent, by the names that stand in the file."""

    @pytest.mark.parametrize("authentication", AUTHENTICATIONS)
    @pytest.mark.parametrize("security", POLICIES)
    def test_what_is_needed_is_named(self, tmp_path: Path, authentication: str, security: str) -> None:
        mechanism = MECHANISMS.get(AUTHENTICATIONS[authentication])
        needs_secret = authentication == "low" or (mechanism is not None and mechanism.needs_secret)
        needs_keys = security != "none" or authentication == "high-gmac"
        signs = authentication == "high-ecdsa"
        whole = Written(
            EK if needs_keys else None,
            AK if needs_keys else None,
            "text:x" if needs_secret else None,
            SIGNING if signs else None,
            VERIFYING if signs else None,
        )
        suite = "suite = 1" if signs else ""
        found = credentials(tmp_path, asking_for(authentication, security, f"{suite}{whole}"))
        assert found.authentication is AUTHENTICATIONS[authentication]
        assert found.policy is POLICIES[security]
        assert (found.keys is None, found.secret is None) == (not needs_keys, not needs_secret)
        assert (found.counters is None) == (not needs_keys)
        assert (found.pairs is None) == (not signs)
        titled = needs_keys or authentication in ("high-sha256", "high-ecdsa")
        assert (found.system_title is None) == (not titled)
        for name in (name for name, value in vars(whole).items() if value is not None):
            lacking = Written(**{**vars(whole), name: None})
            said = refusal(tmp_path, asking_for(authentication, security, f"{suite}{lacking}"))
            assert name in said
            assert "meter.toml" in said

    def test_both_keys_are_asked_for_at_once(self, tmp_path: Path) -> None:
        said = refusal(tmp_path, asking_for("none", "authenticated-encrypted"))
        assert "[keys] has no global_unicast and no authentication" in said

    @pytest.mark.parametrize("client", [32, 48, 80])
    def test_a_companion_asks_for_them_too(self, tmp_path: Path, client: int) -> None:
        head = f'{NO_KEYS}client = {client}\ncompanion = "is15959"\n'
        assert "needs a password" in refusal(tmp_path, head)
        assert "global_unicast" in refusal(tmp_path, f'{head}[keys]\npassword = "text:x"\n')


class TestOurOwn:
    """Title and counters are this installation's, and are kept where the settings say."""

    def test_the_title_is_drawn_once(self, tmp_path: Path) -> None:
        titles = {credentials(tmp_path, ALL).system_title for _ in range(3)}
        assert len(titles) == 1
        title = titles.pop()
        assert title is not None
        assert (tmp_path / "state" / "system-title").read_text() == f"{title.hex().upper()}\n"

    def test_the_file_may_give_another(self, tmp_path: Path) -> None:
        for text in ('system_title = "4142434445464748"', 'system_title = "text:ABCDEFGH"'):
            assert credentials(tmp_path, ALL.replace("client = 1", text)).system_title == b"ABCDEFGH"
        assert not (tmp_path / "state").exists()

    def test_where_none_is_needed_none_is_drawn(self, tmp_path: Path) -> None:
        assert credentials(tmp_path, asking_for("low", "none", Written(None, None, "text:x"))).keys is None
        assert not (tmp_path / "state").exists()

    def test_a_damaged_title_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "system-title").write_text("4D5743")
        assert "does not hold the system title" in refusal(tmp_path, ALL)


# ------------------------------------------------------------------------------------------------ nothing shows them


def everything_told(error: BaseException) -> Iterator[str]:
    """All that an error, and whatever hangs on it, could tell."""
    link: BaseException | None = error
    while link is not None:
        yield from (str(link), repr(link), repr(link.args), repr(vars(link)))
        yield from traceback.format_exception(link)
        link = link.__context__ or link.__cause__


def shows_no_secret(told: str) -> None:
    for hint in HINTS:
        assert hint not in told.lower()
        assert hint.encode().hex() not in told.lower()


BROKEN: Final = [
    "password = 'text:sw0rdfish",
    'password = "text:sw0rdfish',
    "password = text:sw0rdfish",
    "password = sw0rdfish",
    "password 'text:sw0rdfish'",
    "sw0rdfish",
    "'text:sw0rdfish' = password",
    '"sw0rdfish" = 1',
    "password = '''text:sw0rdfish",
    'password = "\\qsw0rdfish"',
    "password = ['sw0rdfish', ]]",
    "password = {sw0rdfish}",
    "password = 'text:sw0rdfish' 'text:sw0rdfish'",
    "password = 'text:sw0rdfish'\npassword = 'text:sw0rdfish'",
    "[keys]\npassword = 'text:sw0rdfish'\n[keys]",
    "[sw0rdfish",
    "password = 'sw0rdfish\x00'",
    f"global_unicast = {EK}",
    f"global_unicast = 0x{EK}g",
    f"global_unicast = '{EK}'\nglobal_unicast = '{EK}'",
]
WRONG: Final = [
    f"password = ['{PASSWORD}']",
    f"password = {{ value = '{PASSWORD}' }}",
    f"password = '{PASSWORD}'",
    f"password = 'hex:{PASSWORD}'",
    f"global_unicast = '{EK}0'",
    f"global_unicast = '{EK}00'",
    f"global_unicast = '0x{EK}'",
    f"global_unicast = 'file:{EK}'\npassword = 'env:{PASSWORD}'",
]


class TestNothingShowsThem:
    @pytest.mark.parametrize("line", BROKEN)
    def test_an_error_of_syntax_tells_a_place_and_no_value(self, tmp_path: Path, line: str) -> None:
        with pytest.raises(UsageError) as refused:
            credentials(tmp_path, f"{NO_KEYS}[keys]\n{line}\n")
        shows_no_secret("".join(everything_told(refused.value)) + refused.value.hint)

    @pytest.mark.parametrize("line", [line for line in WRONG if "env:" not in line])
    def test_a_value_that_is_none_is_not_repeated(self, tmp_path: Path, line: str) -> None:
        with pytest.raises(UsageError) as refused:
            credentials(
                tmp_path, asking_for("high", "encrypted", f"[keys]\nauthentication = '{AK}'\n{line}\n")
            )
        shows_no_secret("".join(everything_told(refused.value)) + refused.value.hint)

    def test_what_was_named_shows_none(self, tmp_path: Path) -> None:
        named = named_meter(None, written(tmp_path, ALL), settings_in(tmp_path))
        client = named.client()
        parts = (named, named.settings, named.settings.credentials, client, client._security, client.settings)
        shows_no_secret("".join(f"{each!r}{each!s}" for each in parts))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
    @given(
        cut=st.lists(st.tuples(st.integers(0, len(ALL)), st.integers(0, 3)), max_size=3),
        put=st.lists(st.tuples(st.integers(0, len(ALL)), st.sampled_from(["'", '"', "=", "\n", "[", "#", "\0", "é", ","])), max_size=3),
    )  # fmt: skip
    @example(cut=[], put=[])
    def test_whatever_was_mistyped_nothing_shows_them(
        self,
        cut: list[tuple[int, int]],
        put: list[tuple[int, str]],
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        text = ALL
        for place, count in cut:
            text = text[:place] + text[place + count :]
        for place, what in put:
            text = text[:place] + what + text[place:]
        with TemporaryDirectory() as name, caplog.at_level(logging.DEBUG):
            try:
                named = named_meter(None, written(Path(name), text), settings_in(Path(name)))
            except UsageError as refused:
                told = "".join(everything_told(refused)) + refused.hint
            else:
                told = f"{named.settings!r}{named!s}"
        out, err = capsys.readouterr()
        # Where a key of [meter] was cut off, its value may be told; the secrets are the lines of [keys].
        shows_no_secret(told + out + err + caplog.text)

    def test_a_command_that_fails_shows_none(self, cli: Cli, tmp_path: Path) -> None:
        path = written(tmp_path, ALL.replace("127.0.0.1", "127.0.0.1:1"))
        for options in ((), ("--json",)):
            ended = cli("get", "--meter", str(path), "0.0.1.0.0.255", *options)
            assert ended.code == 5
            shows_no_secret(ended.out + ended.err)

    def test_nor_does_its_traceback(self, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("METERWRIGHT_DEBUG", "1")
        for line in BROKEN:
            path = written(tmp_path, f"{NO_KEYS}[keys]\n{line}\n")
            ended = cli("get", "--meter", str(path), "0.0.1.0.0.255")
            assert ended.code == 2
            assert "Traceback" in ended.err
            shows_no_secret(ended.out + ended.err)


def test_the_words_are_those_of_the_options() -> None:
    assert list(AUTHENTICATIONS) == [
        "none",
        "low",
        "high",
        "high-md5",
        "high-sha1",
        "high-gmac",
        "high-sha256",
        "high-ecdsa",
    ]
    assert list(POLICIES) == ["none", "authenticated", "encrypted", "authenticated-encrypted"]
    assert list(SUITES) == ["0", "1", "2"]
