"""Counters in files: durable, shared by processes, and never lower again, whenever somebody is killed."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from meterwright.client.counters import FileCounterStore
from meterwright.errors import SecurityError, UsageError
from meterwright.security import CounterOwner, CounterRecord, Secret, SendCounter, book_keys, fingerprint

CLIENT = bytes.fromhex("4D4D4D0000000001")
KEY = book_keys().global_unicast
OWNER = CounterOwner.of(KEY, CLIENT)
OTHER = CounterOwner.of(KEY, b"MWC00002")

PRELUDE = """
import os, signal, sys
from pathlib import Path
from meterwright.client import counters
from meterwright.client.counters import FileCounterStore
from meterwright.security import CounterOwner, SendCounter, book_keys
owner = CounterOwner.of(book_keys().global_unicast, bytes.fromhex("4D4D4D0000000001"))
store = FileCounterStore(Path(sys.argv[1]))
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def say(number):
    os.write(1, b"%d\\n" % number)
"""
SEND_FOR_EVER = """
counter = SendCounter(store, owner, batch=3)
while True:
    say(counter.next())
"""
needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals and modes of POSIX")


@contextmanager
def process(folder: Path, code: str) -> Generator[subprocess.Popen[bytes]]:
    """A program of its own that uses the store in `folder`."""
    command = [sys.executable, "-c", PRELUDE + code, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        try:
            yield started
        finally:
            started.kill()


def numbers_of(folder: Path, code: str) -> tuple[list[int], int]:
    """What a program printed, and how it ended."""
    with process(folder, code) as started:
        out, complaint = started.communicate(timeout=60)
    assert complaint == b"", complaint.decode()
    return [int(line) for line in out.split()], started.returncode


def test_numbers_outlive_the_program(tmp_path: Path) -> None:
    first = SendCounter(FileCounterStore(tmp_path), OWNER, batch=5)
    assert [first.next() for _ in range(3)] == [1, 2, 3]
    second = SendCounter(FileCounterStore(tmp_path), OWNER, batch=5)
    assert [second.next() for _ in range(6)] == [6, 7, 8, 9, 10, 11]
    assert [first.next() for _ in range(3)] == [4, 5, 16]
    assert FileCounterStore(tmp_path).record(OWNER) == CounterRecord(20)


def test_owners_have_files_of_their_own(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    assert store.reserve(OWNER, 10) == range(1, 11)
    assert store.reserve(OTHER, 10) == range(1, 11)
    other_key = CounterOwner.of(Secret(b"another key here"), CLIENT)
    assert store.reserve(other_key, 10) == range(1, 11)
    assert len(list(tmp_path.glob("*.counter"))) == 3


def test_a_fresh_store_knows_nothing_and_makes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "counters"
    assert FileCounterStore(folder).record(OWNER) == CounterRecord()
    assert not folder.exists()


def test_a_jump_is_kept(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    assert store.reserve(OWNER, 10, at_least=1000) == range(1000, 1010)
    assert FileCounterStore(tmp_path).reserve(OWNER, 10, at_least=5) == range(1010, 1020)


def test_the_end_is_an_end_and_stays(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    assert store.reserve(OWNER, 10, at_least=0xFFFFFFFD) == range(0xFFFFFFFD, 0xFFFFFFFF)
    for again in (store, FileCounterStore(tmp_path)):
        with pytest.raises(SecurityError, match="used up"):
            again.reserve(OWNER, 1)


def test_what_was_accepted_is_kept(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    store.reserve(OWNER, 100)
    store.accepted(OWNER, 40)
    store.accepted(OWNER, 7)
    assert FileCounterStore(tmp_path).record(OWNER) == CounterRecord(100, 40)
    store.reserve(OWNER, 1)
    assert FileCounterStore(tmp_path).record(OWNER) == CounterRecord(101, 40)


@needs_posix
def test_nobody_else_may_read_it_and_no_key_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "counters"
    FileCounterStore(folder).reserve(OWNER, 10)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert {path.suffix for path in files} == {".counter", ".lock"}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert KEY.reveal().hex() not in path.name
        assert KEY.reveal().hex().encode() not in path.read_bytes()
        assert KEY.reveal() not in path.read_bytes()
        assert fingerprint(KEY) in path.name


# ------------------------------------------------------------------------------------------------ damage


def the_file(folder: Path) -> Path:
    (path,) = folder.glob("*.counter")
    return path


def test_any_damage_is_told_and_nothing_begins_anew(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    store.reserve(OWNER, 1000)
    path = the_file(tmp_path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [
        whole[:position] + bytes((whole[position] ^ 1,)) + whole[position + 1 :]
        for position in range(len(whole))
    ]
    damaged += [b"[" * 4000, b"null", b"{}", b"5", whole * 2, whole + b"x", b"\xff" * 50, b"\0" * len(whole)]
    for content in damaged:
        path.write_bytes(content)
        for act in (
            lambda: store.reserve(OWNER, 1),
            lambda: store.record(OWNER),
            lambda: store.accepted(OWNER, 5),
        ):
            with pytest.raises(SecurityError, match="is damaged") as caught:
                act()
            assert "counter object" in caught.value.hint
        assert path.read_bytes() == content
    path.write_bytes(whole)
    assert store.reserve(OWNER, 1) == range(1001, 1002)


def test_the_file_of_another_owner_is_no_counter_of_ours(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    store.reserve(OTHER, 5)
    the_file(tmp_path).rename(tmp_path / f"{OWNER}.counter")
    with pytest.raises(SecurityError, match="is damaged"):
        store.reserve(OWNER, 1)


def test_a_leftover_of_a_killed_program_is_no_obstacle(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    store.reserve(OWNER, 5)
    the_file(tmp_path).with_suffix(".new").write_bytes(b'{"half a fi')
    assert store.reserve(OWNER, 1) == range(6, 7)


def test_a_disk_that_fails_hands_out_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileCounterStore(tmp_path)
    store.reserve(OWNER, 5)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left")

    for place in ("os.fsync", "os.write", "pathlib.Path.replace"):
        with monkeypatch.context() as patched:
            patched.setattr(place, fail)
            with pytest.raises(UsageError, match="No space left"):
                store.reserve(OWNER, 1)
        assert store.record(OWNER).reserved == 5
    assert store.reserve(OWNER, 1) == range(6, 7)


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("here")
    with pytest.raises(UsageError, match="cannot be kept"):
        FileCounterStore(blocked / "counters").reserve(OWNER, 1)
    with pytest.raises(UsageError):
        FileCounterStore(blocked / "counters").record(OWNER)


# ------------------------------------------------------------------------------------------------ many at once


def test_threads_never_share_a_number(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path)
    shared = SendCounter(store, OWNER, batch=7)

    def send(number: int) -> list[int]:
        counter = shared if number % 2 else SendCounter(store, OWNER, batch=3)
        return [counter.next() for _ in range(100)]

    with ThreadPoolExecutor(6) as pool:
        used = [number for numbers in pool.map(send, range(6)) for number in numbers]
    assert len(used) == len(set(used)) == 600


def test_processes_never_share_a_number(tmp_path: Path) -> None:
    code = """
counters = [SendCounter(store, owner, batch=batch) for batch in (1, 2, 5)]
for turn in range(300):
    say(counters[turn % 3].next())
"""
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(numbers_of, [tmp_path] * 3, [code] * 3))
    used = [number for numbers, _ in runs for number in numbers]
    assert [status for _, status in runs] == [0, 0, 0]
    assert len(used) == len(set(used)) == 900


def test_a_lock_that_is_held_is_waited_for_and_then_told(tmp_path: Path) -> None:
    store = FileCounterStore(tmp_path, patience=0.05)
    store.reserve(OWNER, 1)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._locked(OWNER):
            inside.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(30)
    try:
        with pytest.raises(UsageError, match="held by another program"):
            FileCounterStore(tmp_path, patience=0.05).reserve(OWNER, 1)
        assert store.reserve(OTHER, 1) == range(1, 2)
    finally:
        done.set()
        holder.join()
    assert store.reserve(OWNER, 1) == range(2, 3)


# ------------------------------------------------------------------------------------------------ killed


@needs_posix
def test_killed_at_any_moment_no_number_comes_twice(tmp_path: Path) -> None:
    """Two programs send without end, each is killed in the middle of it, again and again."""
    used: list[int] = []
    for turn in range(4):
        with process(tmp_path, SEND_FOR_EVER) as one, process(tmp_path, SEND_FOR_EVER) as two:
            for started in (one, two):
                assert started.stdout is not None
                used += [int(started.stdout.readline()) for _ in range(20 + turn)]
            for started in (one, two):
                started.send_signal(signal.SIGKILL)
                assert started.stdout is not None
                out = (
                    started.stdout.read()
                )  # not communicate(): it passes over what readline() has in its buffer
                started.wait(60)
                lines = out.split(b"\n")[:-1]  # a number that was cut off was not sent
                used += [int(line) for line in lines]
                assert started.returncode == -signal.SIGKILL
    assert len(used) == len(set(used))
    assert len(used) >= 160
    assert FileCounterStore(tmp_path).reserve(OWNER, 1).start > max(used)


@needs_posix
@pytest.mark.parametrize(
    ("code", "lost"),
    [
        ("store.reserve(owner, 10); die()", 10),
        ("counter = SendCounter(store, owner, batch=10); counter.next(); die()", 10),
        ("counters.sync_folder = die; store.reserve(owner, 10)", 10),
        ("counters.os.fsync = die; store.reserve(owner, 10)", 0),
        ("counters.os.write = die; store.reserve(owner, 10)", 0),
        ("Path.replace = die; store.reserve(owner, 10)", 0),
        ("counters._read = die; store.reserve(owner, 10)", 0),
    ],
    ids=["reserved", "before sending", "replaced", "written", "opened", "synced", "locked"],
)
def test_killed_at_each_step_of_a_reservation(tmp_path: Path, code: str, lost: int) -> None:
    """Before the new file is in its place nothing was handed out; after that the numbers are gone, used or not."""
    store = FileCounterStore(tmp_path)
    store.reserve(OWNER, 5)
    numbers, status = numbers_of(tmp_path, code + "\nsay(0)")
    assert (numbers, status) == ([], -signal.SIGKILL)
    assert store.reserve(OWNER, 1) == range(6 + lost, 7 + lost)


@needs_posix
def test_a_forked_child_does_not_go_on_with_its_parents_numbers(tmp_path: Path) -> None:
    code = """
counter = SendCounter(store, owner, batch=50)
for _ in range(5):
    say(counter.next())
child = os.fork()
for _ in range(20):
    say(counter.next())
if child:
    os.waitpid(child, 0)
"""
    numbers, status = numbers_of(tmp_path, code)
    assert status == 0
    assert len(numbers) == len(set(numbers)) == 45
    assert max(numbers) == 70
