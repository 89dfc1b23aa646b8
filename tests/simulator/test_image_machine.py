"""Any order of calls, any passing of time, any power cut: what must always hold of an image machine."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.server import ActionOutcome
from meterwright.simulator import (
    BlockMap,
    ImageMachine,
    ImageRecord,
    MemoryStorage,
    MeterRecord,
    Timing,
)
from meterwright.values import ActionResult, ImageTransferStatus

BLOCK = 4
CAPACITY = 40
TIMING = Timing(erase_seconds=0.0, verify_seconds=2.0, activate_seconds=3.0, reboot_seconds=5.0)
FRESH = MeterRecord("MWS0000000001", b"OLD", b"old")
BEYOND_VERIFICATION = {
    ImageTransferStatus.VERIFICATION_SUCCESSFUL,
    ImageTransferStatus.ACTIVATION_INITIATED,
    ImageTransferStatus.ACTIVATION_SUCCESSFUL,
}


@dataclass
class Model:
    """A machine, and what was told to it."""

    timing: Timing = TIMING
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    now: float = 0.0
    size: int = 0
    identifier: bytes = b""
    sent: dict[int, bytes] = field(default_factory=dict[int, bytes])
    calls: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Cut the power: a new machine over the old storage."""
        self.machine = ImageMachine(
            self.storage,
            FRESH,
            monotonic=lambda: self.now,
            block_size=BLOCK,
            capacity=CAPACITY,
            timing=self.timing,
        )

    def call(self, method: str, act: Callable[[], ActionResult]) -> ActionResult:
        self.calls += 1
        self.machine.tick()
        return self.machine.called(method, lambda: ActionOutcome(act())).result

    def initiate(self, identifier: bytes, size: int) -> None:
        result = self.call("image_transfer_initiate", lambda: self.machine.initiate(identifier, size))
        if result is ActionResult.SUCCESS:
            self.size, self.identifier, self.sent = size, identifier, {}

    def transfer(self, number: int, octets: bytes) -> None:
        result = self.call("image_block_transfer", lambda: self.machine.transfer(number, octets))
        if result is ActionResult.SUCCESS:
            self.sent[number] = octets

    def verify(self) -> None:
        self.call("image_verify", self.machine.verify)

    def activate(self) -> None:
        self.call("image_activate", self.machine.activate)

    def enable(self, enabled: bool) -> None:
        self.machine.enable(enabled=enabled)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.machine.tick()

    def status(self) -> ImageTransferStatus:
        return self.machine.image.status

    def is_up(self) -> bool:
        return self.machine.is_running

    @property
    def blocks(self) -> int:
        return -(-self.size // BLOCK)

    def check(self) -> None:
        """What must hold now."""
        image, blocks = self.machine.image, self.machine.blocks
        bits = blocks.to_bit_string()
        assert bits.length == self.blocks
        assert {number for number in range(bits.length) if bits[number]} == set(self.sent)
        missing = bits.first_zero()
        assert blocks.first_missing == (self.blocks if missing is None else missing)
        assert blocks.received == len(self.sent)
        if image.status in BEYOND_VERIFICATION:
            assert set(self.sent) == set(range(self.blocks))
            assert self.blocks > 0
            assert image.sha256 == hashlib.sha256(self.whole()).digest()
        for number, octets in self.sent.items():
            assert len(octets) == min(BLOCK, self.size - number * BLOCK)
            assert self.storage.read(number * BLOCK, len(octets)) == octets
        if image.status is ImageTransferStatus.ACTIVATION_SUCCESSFUL:
            assert self.storage.active == self.whole()
            assert self.machine.record.firmware_identifier == self.identifier
        assert bool(self.machine.info) == bool(image.sha256)
        calls = self.machine.record.method_calls
        counted = (
            calls.image_transfer_initiate
            + calls.image_block_transfer
            + calls.image_verify
            + calls.image_activate
        )
        assert counted == self.calls
        assert (self.machine.record.firmware_identifier == b"OLD") == (self.storage.active is None)

    def whole(self) -> bytes:
        return b"".join(self.sent[number] for number in range(self.blocks))


Step = Callable[[Model], None]


@st.composite
def blocks(draw: st.DrawFn) -> Step:
    number = draw(st.integers(0, CAPACITY // BLOCK + 1))
    octets = draw(st.binary(min_size=0, max_size=BLOCK + 1))
    return lambda model: model.transfer(number, octets)


@st.composite
def right_blocks(draw: st.DrawFn) -> Step:
    """One block that fits, if any does."""
    which, octets = draw(st.integers(0, CAPACITY)), draw(st.binary(min_size=BLOCK, max_size=BLOCK))

    def step(model: Model) -> None:
        if model.blocks:
            number = which % model.blocks
            model.transfer(number, octets[: min(BLOCK, model.size - number * BLOCK)])

    return step


@st.composite
def whole_images(draw: st.DrawFn) -> Step:
    """All blocks, in any order."""
    order, seed = draw(st.randoms(use_true_random=False)), draw(st.integers(0, 255))

    def step(model: Model) -> None:
        numbers = list(range(model.blocks))
        order.shuffle(numbers)
        for number in numbers:
            model.transfer(number, bytes([seed]) * min(BLOCK, model.size - number * BLOCK))

    return step


def initiating(identifier: bytes, size: int) -> Step:
    return lambda model: model.initiate(identifier, size)


def enabling(enabled: bool) -> Step:
    return lambda model: model.enable(enabled)


def waiting(seconds: float) -> Step:
    return lambda model: model.wait(seconds)


STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(initiating, st.binary(max_size=3), st.integers(0, CAPACITY + 1)),
    blocks(),
    right_blocks(),
    whole_images(),
    whole_images(),
    st.just(Model.verify),
    st.just(Model.activate),
    st.builds(enabling, st.sampled_from([True, True, False])),
    st.builds(waiting, st.sampled_from([0.5, 2.0, 3.0, 5.0, 100.0])),
    st.just(Model.restart),
)


@given(st.lists(STEPS, max_size=25))
def test_in_any_order_of_calls_the_image_is_what_was_sent(steps: list[Step]) -> None:
    model = Model()
    for step in steps:
        step(model)
        model.check()


@given(st.lists(STEPS, max_size=10), st.binary(min_size=1, max_size=CAPACITY))
def test_after_any_calls_an_update_still_works(steps: list[Step], image: bytes) -> None:
    model = Model()
    for step in steps:
        step(model)
    model.wait(100.0)
    model.enable(True)
    model.initiate(b"NEW", len(image))
    for number in range(model.blocks):
        model.transfer(number, image[number * BLOCK : (number + 1) * BLOCK])
    model.activate()
    model.wait(100.0)
    model.check()
    assert model.storage.active == image
    assert model.machine.record.firmware_identifier == b"NEW"


@given(
    st.integers(1, 60),
    st.lists(st.tuples(st.booleans(), st.integers(0, 59)), max_size=80),
)
def test_a_block_map_knows_its_first_hole(length: int, changes: list[tuple[bool, int]]) -> None:
    blocks, model = BlockMap(length), set[int]()
    for add, any_number in changes:
        number = any_number % length
        if add:
            blocks.add(number)
            model.add(number)
        else:
            blocks.discard(number)
            model.discard(number)
        holes = [each for each in range(length) if each not in model]
        assert blocks.first_missing == (holes[0] if holes else length)
        assert blocks.received == len(model)
        assert blocks.is_complete == (not holes)
        assert {each for each in range(length) if each in blocks} == model
    again = BlockMap(length, bytes(blocks.octets))
    assert (again.received, again.first_missing) == (blocks.received, blocks.first_missing)


def test_deadlines_follow_each_other_exactly() -> None:
    """A tick that comes late does not make what follows later."""
    model = Model()
    model.initiate(b"NEW", BLOCK)
    model.transfer(0, bytes(BLOCK))
    model.activate()
    assert model.machine.deadline == 2.0
    model.wait(2.7)
    assert model.machine.deadline == 5.0
    model.wait(2.7)
    assert not model.is_up()
    assert model.machine.deadline == 10.0
    model.wait(4.6)
    assert model.is_up()
    assert model.machine.deadline is None


def test_a_transfer_with_another_block_size_is_forgotten_at_power_up() -> None:
    model = Model()
    model.initiate(b"NEW", 3 * BLOCK)
    model.transfer(0, bytes(BLOCK))
    again = ImageMachine(model.storage, FRESH, monotonic=lambda: 0.0, block_size=BLOCK + 1, capacity=CAPACITY)
    assert again.image == ImageRecord(transfer=1)
    assert again.blocks.length == 0


def test_a_verified_image_is_kept_when_the_block_size_changes() -> None:
    model = Model()
    model.initiate(b"NEW", BLOCK)
    model.transfer(0, bytes(BLOCK))
    model.verify()
    model.wait(2.0)
    again = ImageMachine(model.storage, FRESH, monotonic=lambda: 0.0, block_size=BLOCK + 1, capacity=CAPACITY)
    assert again.image.status is ImageTransferStatus.VERIFICATION_SUCCESSFUL


def test_a_verification_that_was_cut_off_begins_anew() -> None:
    model = Model()
    model.initiate(b"NEW", BLOCK)
    model.transfer(0, bytes(BLOCK))
    model.verify()
    model.now += 1.0
    model.restart()
    assert model.status() is ImageTransferStatus.VERIFICATION_INITIATED
    assert model.machine.deadline == 3.0
    model.wait(2.0)
    assert model.status() is ImageTransferStatus.VERIFICATION_SUCCESSFUL


class _FullDisk(MemoryStorage):
    """Fails when told to."""

    full = False

    def keep(self, record: MeterRecord, blocks: BlockMap) -> None:
        if self.full:
            raise OSError("no space left")
        super().keep(record, blocks)


def test_what_could_not_be_kept_did_not_happen() -> None:
    storage = _FullDisk()
    model = Model(storage=storage)
    model.initiate(b"NEW", 2 * BLOCK)
    model.transfer(0, bytes(BLOCK))
    before = model.machine.record
    storage.full = True
    for step in (initiating(b"OTHER", BLOCK), Model.verify, Model.activate):
        with pytest.raises(OSError, match="no space left"):
            step(model)
    model.calls -= 3
    storage.full = False
    assert model.machine.record == before
    assert model.machine.deadline is None
    model.verify()
    model.check()
