"""Images as raw files, and identifiers as people type them."""

import hashlib
import os
import random
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.errors import UsageError
from meterwright.image import LARGEST_IMAGE, FirmwareImage, image_identifier

PIECE = 1 << 18
OCTETS = bytes(range(256)) * 5 + b"tail"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "image.bin"
    file.write_bytes(OCTETS)
    return file


def test_an_image_is_its_octets(path: Path) -> None:
    with FirmwareImage.open(path) as image:
        assert len(image) == len(OCTETS)
        assert image[0 : len(image)] == OCTETS
        assert image.sha256 == hashlib.sha256(OCTETS).hexdigest()
        assert image.name == str(path)
        assert isinstance(image[0:5], bytes)


slices = st.none() | st.integers(-2 * len(OCTETS), 2 * len(OCTETS))


@given(slices, slices)
def test_slices_are_those_of_the_octets(start: int | None, stop: int | None) -> None:
    assert FirmwareImage(OCTETS, "memory")[start:stop] == OCTETS[start:stop]


def test_slices_of_a_file_are_those_of_the_octets(path: Path) -> None:
    with FirmwareImage.open(path) as image:
        for cut in (
            slice(0, 0),
            slice(0, 1),
            slice(128, 256),
            slice(len(OCTETS) - 4, None),
            slice(9999, 10000),
        ):
            assert image[cut] == OCTETS[cut]


def test_it_is_closed_once_or_twice_and_then_has_no_octets(path: Path) -> None:
    image = FirmwareImage.open(path)
    image.close()
    image.close()
    with pytest.raises(ValueError, match="closed"):
        image[0:1]
    path.unlink()


def test_leaving_the_block_by_an_exception_closes_it(path: Path) -> None:
    with pytest.raises(RuntimeError), FirmwareImage.open(path) as image:
        raise RuntimeError
    with pytest.raises(ValueError, match="closed"):
        image[0:1]


def test_octets_in_memory_need_no_file() -> None:
    with FirmwareImage(OCTETS, "made up") as image:
        assert image[0:3] == OCTETS[:3]
        assert len(image) == len(OCTETS)
    image.close()


def test_its_repr_is_short_and_holds_no_octets(path: Path) -> None:
    with FirmwareImage.open(path) as image:
        assert repr(image) == f"<FirmwareImage {path}, {len(OCTETS)} octets, sha-256 {image.sha256[:12]}…>"


# ---------------------------------------------------------------------------------------------------- refused


def test_an_empty_file_is_no_image(tmp_path: Path) -> None:
    empty = tmp_path / "empty.bin"
    empty.touch()
    with pytest.raises(UsageError, match=re.escape(f"{empty} is empty")) as caught:
        FirmwareImage.open(empty)
    assert caught.value.hint


def test_no_octets_are_no_image() -> None:
    with pytest.raises(UsageError, match="nothing is empty"):
        FirmwareImage(b"", "nothing")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.bin cannot be read: No such file") as caught:
        FirmwareImage.open(tmp_path / "missing.bin")
    assert caught.value.hint


def test_a_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        FirmwareImage.open(tmp_path)


def test_a_path_through_a_file_is_told(path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Not a directory"):
        FirmwareImage.open(path / "image.bin")


def test_an_impossible_path_is_told() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        FirmwareImage.open(Path("a\0b"))


def test_a_file_that_the_system_does_not_let_us_read_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by the system, as root may read everything."""

    def denied(*_args: object, **_options: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        FirmwareImage.open(path)


def test_a_pipe_is_no_image_and_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="is no file"):
        FirmwareImage.open(pipe)


# ---------------------------------------------------------------------------------------------------- large


def sparse(path: Path, size: int) -> Path:
    """A file of that size which takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_a_large_file_is_never_in_memory_whole(tmp_path: Path) -> None:
    size = 64 << 20
    tracemalloc.start()
    try:
        with FirmwareImage.open(sparse(tmp_path / "large.bin", size)) as image:
            assert len(image) == size
            assert image[size - 3 :] == bytes(3)
            assert image[size // 2 : size // 2 + 128] == bytes(128)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("start", [0, 127, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 5, 3 * PIECE - 5])
@pytest.mark.parametrize("length", [0, 1, 10, PIECE, 2 * PIECE + 2])
def test_pieces_meet_without_a_seam(tmp_path: Path, start: int, length: int) -> None:
    octets = random.Random(1).randbytes(3 * PIECE + 5)
    path = tmp_path / "image.bin"
    path.write_bytes(octets)
    with FirmwareImage.open(path) as image:
        assert image[start : start + length] == octets[start : start + length]


# ---------------------------------------------------------------------------------------------------- it changes


def test_a_file_that_changes_gives_nothing_of_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(bytes(3 * PIECE))
    with FirmwareImage.open(path) as image:
        assert image[0:10] == bytes(10)
        with path.open("r+b") as file:
            file.seek(PIECE + 7)
            file.write(b"new")
        assert image[0:10] == bytes(10)
        for cut in (slice(PIECE, PIECE + 5), slice(PIECE - 1, PIECE + 1)):
            with pytest.raises(UsageError, match="has changed") as caught:
                image[cut]
            assert caught.value.hint
        assert image[2 * PIECE : 2 * PIECE + 3] == bytes(3)


def test_a_file_that_is_cut_short_is_told(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(bytes(3 * PIECE))
    with FirmwareImage.open(path) as image:
        with path.open("r+b") as file:
            file.truncate(PIECE)
        with pytest.raises(UsageError, match="has changed"):
            image[2 * PIECE : 2 * PIECE + 1]


def test_a_file_that_is_replaced_or_gone_stays_what_it_was(path: Path) -> None:
    """Whoever replaces a file whole harms nobody."""
    with FirmwareImage.open(path) as image:
        other = path.with_suffix(".new")
        other.write_bytes(b"something else")
        other.replace(path)
        assert image[0:100] == OCTETS[:100]
        path.unlink()
        assert image[100:] == OCTETS[100:]


def test_a_file_larger_than_an_image_can_be_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(LARGEST_IMAGE)):
        FirmwareImage.open(sparse(tmp_path / "huge.bin", LARGEST_IMAGE + 1))


# ---------------------------------------------------------------------------------------------------- identifiers

IDENTIFIERS: dict[str, bytes] = {
    "NEW-2.0": b"NEW-2.0",
    "x": b"x",
    " spaces stay ": b" spaces stay ",
    "grün": "grün".encode(),
    "hex:4e": b"N",
    "hex:4E45572d322E30": b"NEW-2.0",
    "hex:4e 45 57": b"NEW",
    "hex:00ff": b"\x00\xff",
    "HEX:4e": b"HEX:4e",
    "hex": b"hex",
    "0x4e": b"0x4e",
}


@pytest.mark.parametrize("text", IDENTIFIERS)
def test_an_identifier_is_read(text: str) -> None:
    assert image_identifier(text) == IDENTIFIERS[text]


@pytest.mark.parametrize("text", ["", "hex:", "hex: "])
def test_an_empty_identifier_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="empty") as caught:
        image_identifier(text)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["hex:4", "hex:4g", "hex:0x4e", "hex:4e,45", "hex:é"])
def test_what_is_no_hex_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no identifier"):
        image_identifier(text)


def test_an_identifier_that_no_octets_can_hold_is_refused() -> None:
    """What a terminal gives where its octets are no UTF-8."""
    with pytest.raises(UsageError, match="no identifier"):
        image_identifier("\udcff")


@given(st.binary(min_size=1))
def test_any_octets_can_be_said_in_hex(octets: bytes) -> None:
    assert image_identifier(f"hex:{octets.hex()}") == octets
