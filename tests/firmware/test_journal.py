"""The memory that outlives a process: what was written is remembered, what was torn is not, what is not ours never was."""

import errno
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.errors import UsageError
from meterwright.firmware import BlockMap, ImageIdentity, Journal, Memory, journal_path
from meterwright.values import BitString

OURS = ImageIdentity("ab" * 32, b"NEW-2.0".hex(), 1357, 128)
TOTAL = 11
SOME = BlockMap.up_to(4, TOTAL).to_bits()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return journal_path(tmp_path, "MWS0000000001")


def begun(path: Path) -> Journal:
    """A journal of a transfer of ours that has just begun."""
    journal = Journal(path)
    journal.begin(OURS, "MW-1.0")
    return journal


# ---------------------------------------------------------------------------------------------------- remembering

ACTS: dict[str, Callable[[Journal], None]] = {
    "enabling": lambda journal: journal.enabling(enabled=True),
    "disabling": lambda journal: journal.enabling(enabled=False),
    "a map": lambda journal: journal.read_map(SOME),
    "an empty map": lambda journal: journal.read_map(BitString(b"", 0)),
    "an exact map": lambda journal: journal.exact_map(),
    "a block": lambda journal: journal.sending(7),
    "block 0": lambda journal: journal.sending(0),
    "lost blocks": lambda journal: journal.loses_blocks(),
    "verified": lambda journal: journal.verified(),
    "activating": lambda journal: journal.activating(),
    "not activated": lambda journal: journal.not_activated(),
    "it runs": lambda journal: journal.runs("NEW-2.0"),
    "something runs": lambda journal: journal.runs("grün \n\u2028 hex:00"),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_is_written_is_remembered(path: Path, act: str) -> None:
    journal = begun(path)
    before = replace(journal.memory, sent=set(journal.memory.sent))
    ACTS[act](journal)
    assert Journal(path).memory == journal.memory
    unchanged = {"disabling", "not activated"}
    assert (journal.memory == before) is (act in unchanged)


@given(st.lists(st.sampled_from(list(ACTS)), max_size=12))
def test_any_order_of_acts_is_remembered(tmp_path_factory: pytest.TempPathFactory, acts: list[str]) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal" / "a.jsonl"
    journal = begun(path)
    for act in acts:
        ACTS[act](journal)
        assert Journal(path).memory == journal.memory


def test_nothing_is_remembered_of_a_meter_that_was_never_met(path: Path) -> None:
    assert Journal(path).memory == Memory()
    assert not path.exists(), "looking changes nothing"


def test_a_new_transfer_forgets_the_old_one_but_not_that_we_enabled(path: Path) -> None:
    journal = begun(path)
    for act in ACTS.values():
        act(journal)
    journal.enabling(enabled=True)
    other = replace(OURS, sha256="cd" * 32)
    journal.begin(other, None)
    assert Journal(path).memory == Memory(image=other, enabled_by_us=True)


def test_that_we_enabled_is_remembered_before_anything_has_begun(path: Path) -> None:
    Journal(path).enabling(enabled=True)
    assert Journal(path).memory == Memory(enabled_by_us=True)


def test_an_acknowledgement_is_written_with_the_block_after_it(path: Path) -> None:
    journal = begun(path)
    journal.sending(0)
    journal.acknowledged(0)
    assert Journal(path).memory.acknowledged is None, (
        "its answer may never have come, for all a later process knows"
    )
    journal.sending(1)
    assert Journal(path).memory.acknowledged == 0
    journal.acknowledged(1)
    journal.sending(2)
    assert Journal(path).memory == journal.memory


def test_activations_are_counted(path: Path) -> None:
    journal = begun(path)
    journal.activating()
    journal.not_activated()
    journal.activating()
    memory = Journal(path).memory
    assert (memory.activating, memory.activations) == (True, 2)


# ---------------------------------------------------------------------------------------------------- torn and corrupt


def written(path: Path) -> list[bytes]:
    """A journal with a line of every kind; its lines."""
    journal = begun(path)
    for act in ACTS.values():
        act(journal)
    return path.read_bytes().splitlines(keepends=True)


def test_a_line_torn_at_any_octet_is_passed_over_and_nothing_else_is(tmp_path: Path) -> None:
    lines = written(tmp_path / "whole.jsonl")
    path = tmp_path / "torn.jsonl"
    for count, line in enumerate(lines):
        path.write_bytes(b"".join(lines[:count]))
        before = Journal(path).memory
        for length in range(len(line)):
            path.write_bytes(b"".join(lines[:count]) + line[:length])
            assert Journal(path).memory == before, line[:length]


def test_what_is_written_behind_a_torn_line_is_remembered(tmp_path: Path) -> None:
    """The next record must not be glued to what is left of the last: an activation would be forgotten."""
    lines = written(tmp_path / "whole.jsonl")
    path = tmp_path / "torn.jsonl"
    for count, line in enumerate(lines):
        for length in (0, 1, len(line) // 2, len(line) - 1):
            path.write_bytes(b"".join(lines[:count]) + line[:length])
            journal = Journal(path)
            journal.sending(3)
            journal.activating()
            again = Journal(path).memory
            assert again == journal.memory
            assert again.activating


def test_every_record_is_an_intent_and_stands_before_the_act(path: Path) -> None:
    """A second journal, as of a process started after a kill, sees what the first is about to do."""
    journal = begun(path)
    journal.sending(5)
    assert Journal(path).memory.sent == {5}
    journal.activating()
    assert Journal(path).memory.activating


FOREIGN: dict[str, bytes] = {
    "text": b"hello\nworld\n",
    "nothing but a line end": b"\n",
    "binary": bytes(range(256)) + b"\n",
    "another format": b'{"format":2,"begun":{},"version_before":null,"enabled":false}\n',
    "no image": b'{"format":1,"begun":{},"version_before":null,"enabled":false}\n',
    "an image with more": json.dumps(
        {
            "format": 1,
            "begun": {"sha256": "", "identifier": "", "size": 1, "block_size": 1, "x": 1},
            "version_before": None,
            "enabled": False,
        }
    ).encode()
    + b"\n",
    "an unknown record": b'{"later":true}\n',
    "a number": b"7\n",
    "a list": b"[]\n",
    "null": b"null\n",
    "a map that does not fit its bits": b'{"map":"ff","bits":99}\n',
    "a map that is no hex": b'{"map":"xy","bits":8}\n',
    "a torn JSON with its line end": b'{"sent":\n',
    "deep nesting": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("content", FOREIGN)
def test_a_file_that_is_not_ours_is_nothing(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(FOREIGN[content])
    assert Journal(path).memory == Memory()


@pytest.mark.parametrize("content", FOREIGN)
@pytest.mark.parametrize("place", [1, 3, -1])
def test_a_line_that_is_not_ours_makes_all_of_it_worthless(path: Path, content: str, place: int) -> None:
    lines = written(path)
    lines.insert(place if place > 0 else len(lines), FOREIGN[content])
    path.write_bytes(b"".join(lines))
    assert Journal(path).memory == Memory()


def test_a_transfer_that_begins_in_the_middle_is_not_ours(path: Path) -> None:
    lines = written(path)
    path.write_bytes(b"".join([*lines, lines[0]]))
    assert Journal(path).memory == Memory()


def test_a_corrupt_journal_does_not_stay_in_the_way(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"garbage\n" * 10)
    journal = Journal(path)
    journal.enabling(enabled=True)
    journal.begin(OURS, "MW-1.0")
    journal.sending(0)
    assert Journal(path).memory == journal.memory
    assert journal.memory.enabled_by_us


@given(st.binary(max_size=200))
def test_any_octets_are_read_without_harm(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.mktemp("journal") / "a.jsonl"
    path.write_bytes(octets)
    assert isinstance(Journal(path).memory, Memory)


# ---------------------------------------------------------------------------------------------------- the disk


def test_the_file_and_its_folder_are_their_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        begun(path).sending(0)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_journal_that_begins_with_an_appended_line_is_its_owners_alone_too(path: Path) -> None:
    before = os.umask(0)
    try:
        Journal(path).enabling(enabled=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder should be")
    with pytest.raises(UsageError) as caught:
        Journal(journal_path(tmp_path, "m")).begin(OURS, None)
    assert "METERWRIGHT_STATE" in caught.value.hint


def test_a_journal_that_is_a_folder_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        Journal(path)
    assert "METERWRIGHT_STATE" in caught.value.hint


def refuse(code: int) -> Callable[..., int]:
    """A system call that the system refuses."""

    def refused(*_args: object, **_options: object) -> int:
        raise OSError(code, os.strerror(code))

    return refused


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
@pytest.mark.parametrize("call", ["open", "write", "fsync"])
def test_a_disk_that_refuses_is_told_with_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    journal = begun(path)
    monkeypatch.setattr(os, call, refuse(code))
    acts: list[Callable[[], None]] = [lambda: journal.begin(OURS, None), journal.activating]
    for act in acts:
        with pytest.raises(UsageError, match=f"cannot be written: {os.strerror(code)}") as caught:
            act()
        assert "METERWRIGHT_STATE" in caught.value.hint
    monkeypatch.undo()
    assert Journal(path).memory.image == OURS, "what stood there stands"


def test_a_journal_that_may_not_be_read_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(path)

    def denied(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(UsageError, match="cannot be read"):
        Journal(path)


def test_a_disk_that_takes_a_part_at_a_time_gets_all_of_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def taking_little(descriptor: int, octets: bytes) -> int:
        return write(descriptor, octets[:3])

    monkeypatch.setattr(os, "write", taking_little)
    journal = begun(path)
    journal.sending(3)
    journal.activating()
    assert Journal(path).memory == journal.memory


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_a_journal_that_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begun(path)
    write = os.write
    room = [5]

    def filling(descriptor: int, octets: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = write(descriptor, octets[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(UsageError, match="No space left"):
        journal.sending(3)
    monkeypatch.undo()
    later = Journal(path)
    assert later.memory == Memory(image=OURS, version_before="MW-1.0")
    later.activating()
    assert Journal(path).memory.activating


# ---------------------------------------------------------------------------------------------------- names

NAMES = [
    "MWS0000000001",
    "mws0000000001",
    "MWS0000000001 ",
    "MWS/0000000001",
    "MWS\\0000000001",
    "MWS_0000000001",
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "",
    "\0",
    "zähler",
    "zahler",
    "电表",
    "x" * 500,
    "x" * 501,
    "hex:00112233",
    "at tcp://[::1]:4059?client=16",
    "at tcp://[::1]:4059?client=17",
    "a\nb",
    "CON",
]


def test_names_never_collide_whatever_they_hold(tmp_path: Path) -> None:
    paths = [journal_path(tmp_path, name) for name in NAMES]
    assert len({str(each).casefold() for each in paths}) == len(NAMES), (
        "not even where case makes no difference"
    )
    for number, each in enumerate(paths):
        journal = Journal(each)
        journal.begin(replace(OURS, size=number + 1), None)
    for number, each in enumerate(paths):
        image = Journal(each).memory.image
        assert image is not None
        assert image.size == number + 1
    assert {each.parent for each in paths} == {tmp_path / "journal"}


@given(st.text())
def test_any_name_is_a_file_of_the_folder(name: str) -> None:
    path = journal_path(Path("/state"), name)
    assert path.parent == Path("/state/journal")
    assert path.name.isascii()
    assert len(path.name) < 100
    assert not path.name.startswith("..")


@given(st.text(), st.text())
def test_two_names_are_two_files(one: str, other: str) -> None:
    assert (journal_path(Path(), one) == journal_path(Path(), other)) is (one == other)


# ---------------------------------------------------------------------------------------------------- explaining


def memory(
    known: set[int] | None,
    sent: set[int],
    *,
    acknowledged: int | None = None,
    loses_blocks: bool = False,
    exact_map: bool = False,
) -> Memory:
    """What was read last, and sent since."""
    bits = None if known is None else BlockMap.up_to(0, TOTAL).with_blocks(known).to_bits()
    return Memory(
        image=OURS,
        known=bits,
        sent=sent,
        acknowledged=acknowledged,
        loses_blocks=loses_blocks,
        exact_map=exact_map,
    )


def blocks(*held: int, bits_read: int | None = TOTAL) -> BlockMap:
    return BlockMap(TOTAL, BlockMap.up_to(0, TOTAL).with_blocks(set(held)).bits, bits_read)


@pytest.mark.parametrize(
    ("remembered", "seen", "explained"),
    [
        (memory({0, 1}, set()), blocks(0, 1), True),
        (memory({0, 1}, set()), blocks(0), False),  # less than we know of
        (memory({0, 1}, set()), blocks(0, 1, 2), False),  # more than we sent
        (memory({0, 1}, {2, 3}), blocks(0, 1), True),  # none of them arrived
        (memory({0, 1}, {2, 3}), blocks(0, 1, 3), True),
        (memory({0, 1}, {2, 3}), blocks(0, 1, 2, 3), True),
        (memory({0, 1}, {2, 3}), blocks(0, 1, 4), False),
        (memory({0, 1}, {2, 3}), blocks(2, 3), False),
        (memory(None, set()), blocks(), True),
        (memory(None, set()), blocks(0), False),
        (memory(None, {0}), blocks(0), True),
        (memory({0}, {1, 2}, acknowledged=1), blocks(0, 2), False),  # what was acknowledged is not there
        (memory({0}, {1, 2}, acknowledged=1), blocks(0, 1), True),
        (memory({0}, {1, 2}, acknowledged=1, loses_blocks=True), blocks(0, 2), True),
        (memory({0}, {1}), blocks(0, bits_read=20), True),  # this meter's maps may be of any length
        (memory({0}, {1}, exact_map=True), blocks(0, bits_read=20), False),  # this one's are not
        (memory({0}, {1}, exact_map=True), blocks(0, bits_read=5), False),
        (memory({0}, {1}, exact_map=True), blocks(0, bits_read=TOTAL), True),
        (memory({0}, {1}, exact_map=True), blocks(0, bits_read=None), True),  # attribute 3 is refused today
    ],
)
def test_a_map_is_explained_where_it_lies_between_what_was_read_and_what_was_sent(
    remembered: Memory, seen: BlockMap, explained: bool
) -> None:
    assert remembered.explains(seen) is explained
