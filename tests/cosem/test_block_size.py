"""No block without the meter's own block size, read in this very association: every public way to cheat, tried."""

import asyncio
import contextlib
import copy
import dataclasses
import mmap
import pickle  # noqa: TID251 - used nowhere but to show that it is no way around
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cosem.fakes import BLOCK_SIZE, AsyncFake, BlockingFake

from meterwright.cosem import AssociationIdentity, BlockSize, ImageBlock, ImageTransfer
from meterwright.cosem.access import ReadingWitness
from meterwright.data import Data, DataTag, double_long_unsigned, octet_string, unsigned
from meterwright.errors import LocalProtocolError, RemoteProtocolError

IMAGE = bytes(range(256)) * 2


def read(fake: BlockingFake) -> BlockSize:
    return ImageTransfer(fake).image_block_size.get()


def refused_by_both_twins(value: Any) -> None:
    """A block that must not be sent: neither twin sends it."""
    blocking, awaited = BlockingFake(), AsyncFake()
    ways: list[Callable[[], object]] = [
        lambda: ImageTransfer(blocking).image_block_transfer.invoke(value),
        lambda: asyncio.run(ImageTransfer(awaited).image_block_transfer.invoke(value)),
    ]
    for send in ways:
        with pytest.raises(LocalProtocolError):
            send()
    assert blocking.invoked == awaited.invoked == []


def pickled(value: Any) -> Any:
    """Written down and read again."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own octets: that it helps nobody is what is tested


class TestTheWayItIsMeant:
    """Read, cut, sent."""

    def test_a_block_size_is_read_and_belongs_to_its_association(self) -> None:
        fake = BlockingFake()
        size = read(fake)
        assert (size.octets, size.association) == (128, fake.identity)
        assert "128" in repr(size)

    def test_awaited_too(self) -> None:
        fake = AsyncFake()
        size = asyncio.run(ImageTransfer(fake).image_block_size.get())
        assert (size.octets, size.association) == (128, fake.identity)

    def test_it_cuts_and_what_it_cut_is_sent(self) -> None:
        fake = BlockingFake()
        block = read(fake).cut(IMAGE, 1)
        assert (block.number, block.octets, block.association) == (1, IMAGE[128:256], fake.identity)
        ImageTransfer(fake).image_block_transfer.invoke(block)
        expected = Data(DataTag.STRUCTURE, (double_long_unsigned(1), octet_string(IMAGE[128:256])))
        assert fake.invoked == [("18/0.0.44.0.0.255/method 2", expected)]

    @given(st.integers(1, 700), st.binary(min_size=1, max_size=600))
    def test_the_blocks_are_the_image(self, octets: int, image: bytes) -> None:
        size = read(BlockingFake({BLOCK_SIZE: double_long_unsigned(octets)}))
        blocks = [size.cut(image, number) for number in range(size.block_count(len(image)))]
        assert b"".join(block.octets for block in blocks) == image
        assert [block.to_data() for block in blocks] == [
            Data(DataTag.STRUCTURE, (double_long_unsigned(block.number), octet_string(block.octets)))
            for block in blocks
        ]
        assert {len(block.octets) for block in blocks[:-1]} <= {octets}
        assert 1 <= len(blocks[-1].octets) <= octets

    @pytest.mark.parametrize("number", [-1, 4, 1 << 40])
    def test_beyond_the_image_there_is_no_block(self, number: int) -> None:
        with pytest.raises(LocalProtocolError, match=f"block {number} is beyond an image of 4 blocks"):
            read(BlockingFake()).cut(IMAGE, number)

    def test_an_empty_image_has_no_blocks(self) -> None:
        size = read(BlockingFake())
        assert size.block_count(0) == 0
        with pytest.raises(LocalProtocolError):
            size.cut(b"", 0)

    def test_a_file_mapped_into_memory_is_cut_without_being_read_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "image.bin"
        path.write_bytes(IMAGE)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert read(BlockingFake()).cut(mapped, 3).octets == IMAGE[384:]

    @pytest.mark.parametrize("data", [double_long_unsigned(0), octet_string(b"200"), Data(DataTag.LONG, -5)])
    def test_a_meter_that_gives_no_size_is_at_fault(self, data: Data) -> None:
        with pytest.raises(RemoteProtocolError):
            read(BlockingFake({BLOCK_SIZE: data}))

    def test_a_meter_that_gives_it_as_another_number_is_understood(self) -> None:
        assert read(BlockingFake({BLOCK_SIZE: unsigned(200)})).octets == 200


class TestMadeByHand:
    """Every public way to a BlockSize or an ImageBlock but the one above."""

    @pytest.mark.parametrize("kind", [BlockSize, ImageBlock])
    def test_a_constructor_wants_what_nobody_has(self, kind: Any) -> None:
        identity = AssociationIdentity("1")
        for arguments in (
            (),
            (200,),
            (200, identity),
            (200, identity, None),
            (200, identity, object()),
            (200, b"", identity, None),
            (200, b"", identity, object()),
            (200, identity, ReadingWitness()),
        ):
            with pytest.raises((LocalProtocolError, TypeError)):
                kind(*arguments)

    def test_the_error_says_what_to_do(self) -> None:
        unwitnessed: Any = object()
        with pytest.raises(LocalProtocolError, match="read image_block_size from the meter") as caught:
            BlockSize(200, None, unwitnessed)
        assert "image_block_size.get()" in caught.value.hint
        with pytest.raises(LocalProtocolError, match="cut it by the meter's block size") as caught:
            ImageBlock(0, b"", None, unwitnessed)
        assert "block_size.cut" in caught.value.hint

    def test_they_are_no_dataclasses_to_be_replaced(self) -> None:
        size: Any = read(BlockingFake())
        for value in (size, size.cut(IMAGE, 0)):
            with pytest.raises(TypeError):
                dataclasses.replace(value, octets=200)
            assert not hasattr(value, "_replace")
            assert not hasattr(value, "__replace__")

    @pytest.mark.parametrize("name", ["octets", "number", "association", "anything"])
    def test_nothing_of_them_can_be_set(self, name: str) -> None:
        size = read(BlockingFake())
        for value in (size, size.cut(IMAGE, 0)):
            with pytest.raises(AttributeError):
                setattr(value, name, 200)
            with pytest.raises((AttributeError, TypeError)):
                delattr(value, name)

    def test_a_copy_is_what_it_was_copied_from_and_belongs_where_that_belongs(self) -> None:
        fake = BlockingFake()
        size = read(fake)
        again = copy.copy(size)
        assert (again.octets, again.association) == (size.octets, fake.identity)
        ImageTransfer(fake).image_block_transfer.invoke(copy.copy(size.cut(IMAGE, 0)))
        refused_by_both_twins(again.cut(IMAGE, 0))

    @pytest.mark.parametrize("through", [copy.deepcopy, pickled], ids=["deepcopy", "pickle"])
    def test_what_left_its_association_by_value_is_refused(self, through: Callable[[Any], Any]) -> None:
        """The identity of an association is equal to itself alone, so a second one made by value is another."""
        fake = BlockingFake()
        with contextlib.suppress(TypeError, LocalProtocolError):
            foreign = through(read(fake).cut(IMAGE, 0))
            with pytest.raises(LocalProtocolError):
                ImageTransfer(fake).image_block_transfer.invoke(foreign)
        assert fake.invoked == []

    def test_a_type_can_be_asked_but_what_it_makes_belongs_nowhere(self) -> None:
        """As a simulated meter makes the size it answers with."""
        size = ImageTransfer.image_block_size.type.from_data(double_long_unsigned(200))
        assert size.association is None
        refused_by_both_twins(size.cut(IMAGE, 0))
        received = ImageTransfer.image_block_transfer.parameter.from_data(
            Data(DataTag.STRUCTURE, (double_long_unsigned(0), octet_string(IMAGE[:200])))
        )
        refused_by_both_twins(received)

    @pytest.mark.parametrize("witness", [None, object(), ReadingWitness()])
    def test_it_cannot_be_bound_by_hand(self, witness: Any) -> None:
        fake = BlockingFake()
        loose = ImageTransfer.image_block_size.type.from_data(double_long_unsigned(200))
        for value in (loose, read(fake), read(fake).cut(IMAGE, 0)):
            with pytest.raises(LocalProtocolError):
                value.bound_to(fake.identity, witness)

    def test_a_derived_class_is_refused(self) -> None:
        fake = BlockingFake()

        class Forged(ImageBlock):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # it is final
            def __init__(self) -> None: ...

            @property
            def number(self) -> int:
                return 0

            @property
            def octets(self) -> bytes:
                return b"forged"

            @property
            def association(self) -> AssociationIdentity:
                return fake.identity

        with pytest.raises(LocalProtocolError):
            ImageTransfer(fake).image_block_transfer.invoke(Forged())
        assert fake.invoked == []

    def test_what_only_looks_like_one_is_refused(self) -> None:
        fake = BlockingFake()
        transfer: Any = ImageTransfer(fake)
        for looks in (
            SimpleNamespace(number=0, octets=b"forged"),
            SimpleNamespace(number=0, octets=b"forged", association=fake.identity, bound_to=None),
            200,
            (0, b"forged"),
            b"forged",
            None,
            Data(DataTag.STRUCTURE, (double_long_unsigned(0), octet_string(b"forged"))),
        ):
            with pytest.raises(LocalProtocolError):
                transfer.image_block_transfer.invoke(looks)
        with pytest.raises(LocalProtocolError):
            transfer.image_block_transfer.invoke()
        for looks in (SimpleNamespace(octets=200), 200, None):
            with pytest.raises(LocalProtocolError):
                transfer.image_block_size.set(looks)
        assert (fake.invoked, fake.written) == ([], [])


class TestAnotherAssociation:
    """What was read in one association is worth nothing in the next."""

    def test_a_block_of_the_association_before_is_refused(self) -> None:
        fake = BlockingFake()
        size = read(fake)
        block = size.cut(IMAGE, 0)
        fake.associate_anew()
        transfer = ImageTransfer(fake)
        for stale in (block, size.cut(IMAGE, 1)):
            with pytest.raises(LocalProtocolError, match="cannot be sent in <association 2>") as caught:
                transfer.image_block_transfer.invoke(stale)
            assert "read it again in this association" in caught.value.hint
        assert fake.invoked == []
        transfer.image_block_transfer.invoke(read(fake).cut(IMAGE, 0))
        assert len(fake.invoked) == 1

    def test_of_another_meter_too(self) -> None:
        refused_by_both_twins(read(BlockingFake()).cut(IMAGE, 0))

    def test_a_size_of_the_association_before_is_not_written(self) -> None:
        fake, awaited = BlockingFake(), AsyncFake()
        size = read(fake)
        fake.associate_anew()
        with pytest.raises(LocalProtocolError):
            ImageTransfer(fake).image_block_size.set(size)
        with pytest.raises(LocalProtocolError):
            asyncio.run(ImageTransfer(awaited).image_block_size.set(size))
        assert fake.written == awaited.written == []

    def test_an_association_that_ends_while_the_size_is_read_does_not_get_it(self) -> None:
        """The answer belongs to the association in which the question was asked."""

        class Reassociates(AsyncFake):
            async def read(self, *arguments: Any, **options: Any) -> Data:
                data = await super().read(*arguments, **options)
                self.associate_anew()
                return data

        fake = Reassociates()
        size = asyncio.run(ImageTransfer(fake).image_block_size.get())
        with pytest.raises(LocalProtocolError):
            asyncio.run(ImageTransfer(fake).image_block_transfer.invoke(size.cut(IMAGE, 0)))

    def test_identities_are_equal_to_themselves_alone(self) -> None:
        assert AssociationIdentity("1") != AssociationIdentity("1")
