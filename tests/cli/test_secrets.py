"""What a value of [keys] means, where it may be kept, and that no error tells it."""

import os
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.cli.secrets import resolve_secret
from meterwright.errors import UsageError
from meterwright.security import Secret
from meterwright.values import Finding, Level

WHAT = "keys.global_unicast"
EK = "000102030405060708090A0B0C0D0E0F"
OCTETS = bytes(range(16))
needs_posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


def resolved(text: str, base: Path = Path()) -> bytes:
    return resolve_secret(text, base=base, what=WHAT).reveal()


def refused(text: str, base: Path = Path(), *, hidden: str = "") -> UsageError:
    """The error, once it is sure that nothing of it repeats what is hidden."""
    with pytest.raises(UsageError) as caught:
        resolve_secret(text, base=base, what=WHAT)
    error = caught.value
    assert WHAT in error.what
    if hidden:
        chain: list[object] = []
        link: BaseException | None = error
        while link is not None:
            chain += [str(link), repr(link), vars(link), link.args]
            link = link.__context__
        told = f"{chain} {error.hint} {''.join(traceback.format_exception(error))}"
        assert hidden not in told
        assert hidden.encode().hex() not in told
    return error


def kept(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


class TestWritten:
    @pytest.mark.parametrize(
        ("text", "octets"),
        [
            (EK, OCTETS),
            (EK.lower(), OCTETS),
            ("00 01 02", b"\0\1\2"),
            (" 0001 02 ", b"\0\1\2"),
            ("text:12345678", b"12345678"),
            ("text:pässword", "pässword".encode()),
            ("text: a b ", b" a b "),
            ("text:env:HOME", b"env:HOME"),
            ("text:text:", b"text:"),
        ],
    )
    def test_a_value_is_these_octets(self, text: str, octets: bytes) -> None:
        assert resolved(text) == octets

    @pytest.mark.parametrize(
        "text",
        ["s3cret!", "0", "000", "0x00", "zz", "TEXT:abc", "hex:00", "Text:s3cret", "ENV:HOME", "00:11", "٠٠"],
    )
    def test_what_is_neither_hex_nor_text_is_refused(self, text: str) -> None:
        assert "text:PASSWORD" in refused(text, hidden=text if len(text) > 4 else "").hint

    @pytest.mark.parametrize("text", ["", "  ", "text:"])
    def test_nothing_is_refused(self, text: str) -> None:
        assert "there is nothing" in refused(text).what

    def test_text_that_no_coding_can_write_is_refused(self) -> None:
        refused("text:s3cret\ud800", hidden="s3cret")

    @given(st.text(max_size=60))
    def test_whatever_it_is_it_is_a_secret_or_a_usage_error(self, text: str) -> None:
        if text.startswith(("env:", "file:")):
            return
        try:
            secret = resolve_secret(text, base=Path(), what=WHAT)
        except UsageError as error:
            told = f"{error} {error.hint}"
            assert len(text) < 12 or text not in told
        else:
            assert isinstance(secret, Secret)
            assert secret.size > 0


class TestVariable:
    @pytest.mark.parametrize("held", [EK, "00 01 02", "text:abc"])
    def test_it_holds_a_value(self, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MW_TEST_KEY", held)
        assert resolved("env:MW_TEST_KEY") == resolved(held)

    def test_one_that_is_not_there_is_named(self) -> None:
        assert "no environment variable MW_NONE" in refused("env:MW_NONE").what

    @pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "\ud800"])
    def test_what_is_no_name_is_refused(self, name: str) -> None:
        assert "no environment variable" in refused(f"env:{name}").what

    @pytest.mark.parametrize("held", ["env:HOME", "file:/etc/passwd", "sw0rdfish", "", "text:"])
    def test_what_is_no_value_is_refused_by_place(self, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MW_TEST_KEY", held)
        assert "MW_TEST_KEY" in refused("env:MW_TEST_KEY", hidden=held if len(held) > 5 else "").what

    @needs_posix
    def test_octets_that_are_no_text_come_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(os.environ, "MW_TEST_KEY", os.fsdecode(b"text:\xff\xfe"))
        assert resolved("env:MW_TEST_KEY") == b"\xff\xfe"


class TestFile:
    @pytest.mark.parametrize(
        ("content", "octets"),
        [
            (EK.encode(), OCTETS),
            (EK.encode() + b"\n", OCTETS),
            (EK.encode() + b"\r\n", OCTETS),
            (b"\xef\xbb\xbf" + EK.encode() + b"\r\n", OCTETS),
            (b"text:abc\n", b"abc"),
            ("text:pässword".encode(), "pässword".encode()),
            (b"text:" + b"x" * 4091, b"x" * 4091),
        ],
    )
    def test_it_holds_a_value(self, tmp_path: Path, content: bytes, octets: bytes) -> None:
        kept(tmp_path, content)
        assert resolved("file:secret", tmp_path) == octets

    def test_its_path_is_looked_for_from_the_meters_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = kept(tmp_path, b"00")
        (tmp_path / "meters").mkdir()
        monkeypatch.chdir("/")
        assert resolved("file:../secret", tmp_path / "meters") == b"\0"
        assert resolved(f"file:{path}", tmp_path / "elsewhere") == b"\0"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n",
            b"text:\n",
            b"sw0rdfish",
            b"text:sw0rdfish\n\n",
            b"text:sw0rdfish\rx",
            b"env:sw0rdfish",
            b"file:sw0rdfish",
            b"text:sw0rdfish\xff",
            b"text:sw0rdfish" + b"x" * 4096,
        ],
        ids=range(10),
    )
    def test_what_is_no_value_is_refused_by_place(self, tmp_path: Path, content: bytes) -> None:
        path = kept(tmp_path, content)
        assert str(path) in refused("file:secret", tmp_path, hidden="sw0rdfish").what

    @pytest.mark.parametrize("name", ["none", "", ".", "a\0b", "x" * 5000])
    def test_what_cannot_be_read_is_told(self, tmp_path: Path, name: str) -> None:
        refused(f"file:{name}", tmp_path)

    @needs_posix
    def test_a_pipe_holds_nobody_up(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe", 0o600)
        assert "no plain file" in refused("file:pipe", tmp_path).what

    @needs_posix
    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_one_that_others_may_write_is_refused(self, tmp_path: Path, mode: int) -> None:
        path = kept(tmp_path, EK.encode(), mode)
        error = refused("file:secret", tmp_path, hidden=EK)
        assert "others may write" in error.what
        assert error.hint == f"chmod 600 {path}"

    @needs_posix
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
    def test_one_that_others_may_read_is_used_and_told(self, tmp_path: Path, mode: int) -> None:
        path = kept(tmp_path, EK.encode(), mode)
        told: list[Finding] = []
        secret = resolve_secret("file:secret", base=tmp_path, what=WHAT, notice=told.append)
        assert secret.reveal() == OCTETS
        [finding] = told
        assert (finding.level, finding.code) == (Level.WARNING, "readable-secret")
        assert str(path) in finding.message
        assert EK not in finding.message

    @needs_posix
    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_its_owners_alone_is_as_it_should_be(self, tmp_path: Path, mode: int) -> None:
        kept(tmp_path, EK.encode(), mode)
        told: list[Finding] = []
        resolve_secret("file:secret", base=tmp_path, what=WHAT, notice=told.append)
        assert told == []

    def test_windows_keeps_its_rights_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept(tmp_path, EK.encode(), 0o666)
        monkeypatch.setattr("meterwright.cli.secrets._MODES_TELL", False)
        assert resolved("file:secret", tmp_path) == OCTETS

    @needs_posix
    def test_a_link_is_judged_by_what_it_leads_to(self, tmp_path: Path) -> None:
        path = kept(tmp_path, EK.encode(), 0o666)
        (tmp_path / "link").symlink_to(path)
        refused("file:link", tmp_path)
        path.chmod(0o600)
        assert resolved("file:link", tmp_path) == OCTETS
