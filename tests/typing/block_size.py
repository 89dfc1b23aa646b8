"""A block cannot be made from a number: the type checker refuses every way. Never run."""

from typing import assert_type

from meterwright.client import BlockingClient, Client
from meterwright.cosem import AsyncAccess, BlockingAccess, BlockSize, ImageBlock, ImageTransfer


async def as_it_is_meant(access: AsyncAccess, image: bytes) -> None:
    """Read, cut, sent."""
    transfer = ImageTransfer(access)
    size = await transfer.image_block_size.get()
    assert_type(size, BlockSize)
    assert_type(size.octets, int)
    block = size.cut(image, 0)
    assert_type(block, ImageBlock)
    assert_type(block.octets, bytes)
    assert_type(await transfer.image_block_transfer.invoke(block), None)


def as_it_is_meant_blocking(access: BlockingAccess, image: bytes) -> None:
    """The twin."""
    transfer = ImageTransfer(access)
    assert_type(transfer.image_block_size.get(), BlockSize)
    transfer.image_block_transfer.invoke(transfer.image_block_size.get().cut(image, 0))


async def with_a_client(client: Client, blocking: BlockingClient) -> None:
    """Clients are access."""
    assert_type(await ImageTransfer(client).image_block_size.get(), BlockSize)
    assert_type(ImageTransfer(blocking).image_block_size.get(), BlockSize)


async def never_awaited(access: AsyncAccess, image: bytes) -> None:
    """Forgotten awaits are seen where the value is used."""
    ImageTransfer(access).image_block_size.get().cut(image, 0)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # a coroutine cuts nothing


async def made_from_numbers(access: AsyncAccess, image: bytes) -> None:
    """No number, no octets, no pair of them."""
    transfer = ImageTransfer(access)
    await transfer.image_block_transfer.invoke(200)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a number
    await transfer.image_block_transfer.invoke(image)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # octets
    await transfer.image_block_transfer.invoke((0, image))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # both
    await transfer.image_block_size.set(200)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a number
    size: BlockSize = 200  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # a number
    block: ImageBlock = image  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # octets
    del size, block


def made_by_hand(size: BlockSize, block: ImageBlock) -> None:
    """No constructor, no assignment, no derived class."""
    BlockSize(200)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # nobody vouches
    BlockSize(200, None, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # nobody vouches
    ImageBlock(0, b"")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # nobody vouches
    ImageBlock(0, b"", None, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # nobody vouches
    size.octets = 200  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # read once, for good
    block.octets = b""  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # cut once, for good
    block.number = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # cut once, for good


class Forged(BlockSize):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # it is final
    """Not even this."""
