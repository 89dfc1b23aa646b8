"""A meter's state on disk: it survives its process, cut off at any write, in the middle of one too."""

import json
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import TypedDict, TypeGuard

import pytest
from tests.simulator.rig import BLOCK, Rig, cut, octets

from meterwright.errors import UsageError
from meterwright.simulator import (
    BlockMap,
    DirectoryStorage,
    Disk,
    MeterRecord,
    MeterSettings,
    Timing,
    plain_meter,
)
from meterwright.values import ActionResult

NAME = "MWS0000000001"
IMAGE = octets(9 * BLOCK + 5)
BLOCKS = 10
OTHER = octets(3 * BLOCK, seed=2)
TIMING = Timing()


class _Image(TypedDict):
    status: int
    identifier: str
    size: int
    block_size: int
    blocks_received: int
    first_missing: int
    enabled: bool


class _State(TypedDict):
    """The documented part of state.json."""

    meter: str
    firmware_identifier: str
    image: _Image
    method_calls: dict[str, int]
    blocks_rejected: int


def is_state(value: object) -> TypeGuard[_State]:
    return isinstance(value, dict) and value.keys() >= _State.__required_keys__


def state_of(directory: Path) -> _State:
    """What state.json says."""
    state: object = json.loads((directory / "state.json").read_text("ascii"))
    assert is_state(state)
    return state


class PowerCut(BaseException):
    """The process ends here."""


class FailingDisk(Disk):
    """Ends the process at the nth write: before it, in its middle, or right after it."""

    def __init__(self, at: int, when: str) -> None:
        self._left = at
        self._when = when

    def _counted(self, write: Callable[[], None], half: Callable[[], None]) -> None:
        self._left -= 1
        if self._left > 0:
            write()
            return
        if self._when == "middle":
            half()
        elif self._when == "after":
            write()
        raise PowerCut

    def replace(self, path: Path, content: bytes, *, mode: int = 0o644) -> None:
        half = path.with_name(path.name + ".new")
        self._counted(
            lambda: super(FailingDisk, self).replace(path, content, mode=mode),
            lambda: _write(half, content[: len(content) // 2]),
        )

    def replace_with(self, path: Path, pieces: Iterator[bytes]) -> None:
        half = path.with_name(path.name + ".new")
        self._counted(
            lambda: super(FailingDisk, self).replace_with(path, pieces),
            lambda: _write(half, next(pieces)[:10]),
        )

    def create(self, path: Path, size: int) -> None:
        self._counted(
            lambda: super(FailingDisk, self).create(path, size),
            lambda: super(FailingDisk, self).create(path, size // 2),
        )

    def write_at(self, file: FileIO, offset: int, octets: bytes) -> None:
        self._counted(
            lambda: super(FailingDisk, self).write_at(file, offset, octets),
            lambda: super(FailingDisk, self).write_at(file, offset, octets[: len(octets) // 2]),
        )

    def remove(self, path: Path) -> None:
        self._counted(lambda: super(FailingDisk, self).remove(path), lambda: None)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def rig_on(directory: Path, disk: Disk | None = None, *, block_size: int = BLOCK) -> Rig:
    rig = Rig(MeterSettings(image_block_size=block_size), DirectoryStorage(directory, disk))
    rig.associate()
    return rig


class Script:
    """An update with a false start, and how far its client knows it to have come."""

    def __init__(self) -> None:
        self.answered = 0
        self.sent: dict[str, int] = {}
        self.taken: set[int] = set()

    def ask(self, method: str, act: Callable[[], ActionResult], *expected: ActionResult) -> None:
        self.sent[method] = self.sent.get(method, 0) + 1
        result = act()
        assert result in expected, (method, result)
        self.answered += 1

    def run(self, rig: Rig) -> None:
        success, started = ActionResult.SUCCESS, ActionResult.TEMPORARY_FAILURE
        self.ask("image_transfer_initiate", lambda: rig.initiate(len(OTHER), b"OTHER"), success)
        self.ask("image_block_transfer", lambda: rig.block(1, cut(OTHER, 1)), success)
        self.taken.add(1)
        self.taken.clear()  # what is asked for may be done, even if its answer never comes
        self.ask("image_transfer_initiate", lambda: rig.initiate(len(IMAGE)), success)
        self.ask("image_block_transfer", lambda: rig.block(0, bytes(BLOCK)), success)
        self.ask("image_block_transfer", lambda: rig.block(0, cut(IMAGE, 0)), success)
        self.taken.add(0)
        for number in range(1, BLOCKS):
            self.ask("image_block_transfer", lambda n=number: rig.block(n, cut(IMAGE, n)), success)  # type: ignore[misc]  # mypy gives a default no type
            self.taken.add(number)
        self.ask("image_verify", rig.verify, started)
        rig.wait(TIMING.verify_seconds)
        self.ask("image_activate", rig.activate, started)
        rig.wait(TIMING.activate_seconds)
        rig.wait(TIMING.reboot_seconds)


def test_the_state_is_readable_and_true_after_every_answer(tmp_path: Path) -> None:
    rig = rig_on(tmp_path)
    assert state_of(tmp_path)["image"]["status"] == 0
    rig.initiate(len(IMAGE), b"NEW\x00")
    assert state_of(tmp_path)["image"]["identifier"] == "hex:4e455700"
    for number in range(BLOCKS):
        rig.block(number, cut(IMAGE, number))
        state = state_of(tmp_path)
        assert state["image"]["blocks_received"] == number + 1
        assert state["image"]["first_missing"] == number + 1
        assert state["method_calls"]["image_block_transfer"] == number + 1
    rig.block(BLOCKS, b"")
    state = state_of(tmp_path)
    assert state["blocks_rejected"] == 1
    assert state["image"]["size"] == len(IMAGE)
    assert state["image"]["block_size"] == BLOCK
    rig.verify()
    assert state_of(tmp_path)["image"]["status"] == 2
    rig.wait(TIMING.verify_seconds)
    assert state_of(tmp_path)["image"]["status"] == 3
    rig.activate()
    assert not (tmp_path / "active.bin").exists()
    rig.wait(60)
    state = state_of(tmp_path)
    assert state["meter"] == NAME
    assert state["firmware_identifier"] == "hex:4e455700"
    assert state["image"]["status"] == 6
    assert state["method_calls"] == {
        "image_transfer_initiate": 1,
        "image_block_transfer": BLOCKS + 1,
        "image_verify": 1,
        "image_activate": 1,
    }
    assert (tmp_path / "active.bin").read_bytes() == IMAGE
    rig.meter.close()


def test_a_meter_started_again_goes_on(tmp_path: Path) -> None:
    rig = rig_on(tmp_path)
    rig.initiate(len(IMAGE))
    for number in (0, 1, 2, 7):
        rig.block(number, cut(IMAGE, number))
    rig.meter.close()

    rig = rig_on(tmp_path)
    assert rig.status() == 1
    assert rig.first_missing() == 3
    for number in (3, 4, 5, 6, 8, 9):
        rig.block(number, cut(IMAGE, number))
    assert rig.meter.machine.record.method_calls.image_block_transfer == BLOCKS
    assert rig.meter.machine.record.method_calls.image_transfer_initiate == 1
    rig.activate()
    rig.wait(60)
    rig.meter.close()

    rig = rig_on(tmp_path)
    assert rig.status() == 6
    assert rig.value(1, "1.0.0.2.0.255", 2) == b"NEW-2.0"
    assert (tmp_path / "active.bin").read_bytes() == IMAGE
    rig.meter.close()


def writes_of_the_script(tmp_path: Path) -> int:
    class Counting(FailingDisk):
        def count(self) -> int:
            return 1_000_000 - self._left

    disk = Counting(1_000_000, "never")
    rig = rig_on(tmp_path / "counted", disk)
    Script().run(rig)
    rig.meter.close()
    return disk.count()


@pytest.mark.parametrize("when", ["before", "middle", "after"])
def test_cut_off_at_any_write_nothing_answered_is_lost(tmp_path: Path, when: str) -> None:
    writes = writes_of_the_script(tmp_path)
    assert writes > 45
    for at in range(1, writes + 1):
        check_cut(tmp_path / f"{at}", FailingDisk(at, when))


def check_cut(directory: Path, disk: FailingDisk) -> None:
    """Run the script until the power is cut, then look at what is left, and finish it."""
    script = Script()
    storage = DirectoryStorage(directory, disk)
    with pytest.raises(PowerCut):
        run_on(storage, script)
    storage.close()  # as the system does for a process that is killed; it writes nothing
    state = state_of(directory) if (directory / "state.json").exists() else None
    if state is None:
        assert script.answered == 0
    else:
        for method, sent in script.sent.items():
            assert sent - 1 <= state["method_calls"][method] <= sent
        assert sum(state["method_calls"].values()) >= script.answered

    rig = rig_on(directory)
    check_running(rig, script, directory)
    finish(rig)
    assert (directory / "active.bin").read_bytes() == IMAGE
    assert {path.name for path in directory.iterdir()} <= {"state.json", "active.bin", *image_files(rig)}
    rig.meter.close()


def run_on(storage: DirectoryStorage, script: Script) -> None:
    rig = Rig(MeterSettings(image_block_size=BLOCK), storage)
    rig.associate()
    script.run(rig)


def check_running(rig: Rig, script: Script, directory: Path) -> None:
    """What was answered is there; the firmware is the old or the new one, whole."""
    machine = rig.meter.machine
    if machine.image.identifier == b"NEW-2.0" and machine.image.status >= 1:
        assert all(
            number in machine.blocks for number in script.taken if script.sent["image_transfer_initiate"] == 2
        )
        for number in range(machine.blocks.length):
            if number in machine.blocks:
                stored = rig.storage.read(number * BLOCK, len(cut(IMAGE, number)))
                assert stored in (cut(IMAGE, number), bytes(BLOCK))
    if machine.record.firmware_identifier == b"NEW-2.0":
        assert rig.status() == 6
        assert (directory / "active.bin").read_bytes() == IMAGE
    else:
        assert machine.record.firmware_identifier == b"MW-1.0"
        assert rig.status() in (0, 1, 2, 3)


def finish(rig: Rig) -> None:
    """What a client does with the meter as it finds it."""
    machine = rig.meter.machine
    rig.wait(60)
    if machine.image.status == 6:
        return
    if machine.image.status == 0 or machine.image.identifier != b"NEW-2.0":
        assert rig.initiate(len(IMAGE)) is ActionResult.SUCCESS
    if machine.image.status == 1:
        for number in range(BLOCKS):
            if number not in machine.blocks or number == 0:
                assert rig.block(number, cut(IMAGE, number)) is ActionResult.SUCCESS
    assert rig.activate() is ActionResult.TEMPORARY_FAILURE
    rig.wait(60)
    assert rig.status() == 6


def image_files(rig: Rig) -> set[str]:
    transfer = rig.meter.machine.image.transfer
    return {f"image-{transfer}.part"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no state"),
        (b"{", "is no state"),
        (b"[]", "a JSON object was expected"),
        (b"{}", "format is no count"),
        (b'{"format": 3}', "format 3 is not 2"),
        (b'{"format": 2, "meter": "MWS0000000002"}', "it is of meter MWS0000000002, not of MWS0000000001"),
        (b'{"format": 2, "meter": "MWS0000000001", "image": 3}', "a JSON object was expected"),
        (b"\xff\xfe\x00", "is no state"),
        (b"[" * 100_000, "is no state"),
    ],
)
def test_a_foreign_state_file_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "state.json").write_bytes(content)
    with pytest.raises(UsageError) as refused:
        rig_on(tmp_path)
    assert why in refused.value.what
    assert "remove this meter's folder" in refused.value.hint
    assert (tmp_path / "state.json").read_bytes() == content


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_state_without_its_image_is_refused(tmp_path: Path, damage: str) -> None:
    rig = rig_on(tmp_path)
    rig.initiate(len(IMAGE))
    rig.meter.close()
    path = tmp_path / "image-1.part"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"lacks a whole image-1\.part"):
        rig_on(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be used"):
        DirectoryStorage(tmp_path / "file" / "meter").load(MeterRecord(NAME, b"", b""))


@pytest.mark.parametrize(
    "identifier", [b"", b"NEW 2.0", b"\x00\xff", b"hex:00", b'quote"\\', b"\n", "ü".encode()]
)
def test_an_identifier_survives(tmp_path: Path, identifier: bytes) -> None:
    rig = rig_on(tmp_path)
    rig.initiate(BLOCK, identifier)
    rig.meter.close()
    again = plain_meter(1, MeterSettings(image_block_size=BLOCK), storage=DirectoryStorage(tmp_path))
    assert again.machine.image.identifier == identifier
    again.close()


def test_a_block_map_of_another_size_is_gone_with_its_transfer(tmp_path: Path) -> None:
    rig = rig_on(tmp_path)
    rig.initiate(len(IMAGE))
    rig.block(0, cut(IMAGE, 0))
    rig.meter.close()
    rig_on(tmp_path, block_size=BLOCK * 2).meter.close()
    rig = rig_on(tmp_path, block_size=BLOCK * 2)
    assert rig.status() == 0
    assert rig.meter.machine.blocks.length == BlockMap(0).length
    assert rig.initiate(BLOCK) is ActionResult.SUCCESS
    rig.meter.close()


class _FullDisk(Disk):
    """Fails from the nth write on, until told otherwise; 0 never fails."""

    left = 0

    def write_at(self, file: FileIO, offset: int, octets: bytes) -> None:
        if self.left == 1:
            raise OSError(28, "No space left")
        self.left = max(self.left - 1, 0)
        super().write_at(file, offset, octets)


@pytest.mark.parametrize("at", [1, 2, 3], ids=["content", "map", "record"])
def test_a_disk_that_fails_is_a_hardware_fault_and_is_told(tmp_path: Path, at: int) -> None:
    disk = _FullDisk()
    rig = rig_on(tmp_path, disk)
    rig.initiate(len(IMAGE))
    disk.left = at
    assert rig.block(0, cut(IMAGE, 0)) is ActionResult.HARDWARE_FAULT
    assert [str(error) for error in rig.troubles] == ["[Errno 28] No space left"]
    disk.left = 0
    assert rig.block(0, cut(IMAGE, 0)) is ActionResult.SUCCESS
    rig.meter.close()
    rig = rig_on(tmp_path)
    assert rig.first_missing() == 1
    assert rig.storage.read(0, BLOCK) == cut(IMAGE, 0)
    rig.meter.close()
