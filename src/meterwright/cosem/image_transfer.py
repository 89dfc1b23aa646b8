"""Image transfer (class 18): a firmware image, block by block, into the meter. Blue Book 4.4.6.

Each block but the last is exactly as long as `image_block_size`, and only the meter knows that number. So a block cannot
be made from a number: it is cut by a `BlockSize`, a `BlockSize` comes from reading attribute 2, and both belong to the
association in which that was read. There is no default to forget.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Protocol, Self, final

from meterwright.cosem.access import AssociationBound, AssociationIdentity, ReadingWitness, require_reading
from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method, trigger
from meterwright.data import (
    Data,
    DataTag,
    DataType,
    array,
    bit_string,
    boolean,
    double_long_unsigned,
    elements_of,
    enumerated,
    node,
    octet_string,
    structure,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import ImageTransferStatus

__all__ = [
    "BlockSize",
    "ImageBlock",
    "ImageInitiation",
    "ImageOctets",
    "ImageToActivateInfo",
    "ImageTransfer",
]


class ImageOctets(Protocol):
    """Octets that can be sliced without being copied whole: bytes, or a file read piece by piece."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice, /) -> bytes: ...


class _Witness:
    """Only this module holds the one witness: it vouches that a value came from a meter."""


_FROM_THE_METER: Final = _Witness()
_STRUCTURE, _DOUBLE_LONG_UNSIGNED, _OCTET_STRING = (  # looked up once: there are thousands of blocks
    DataTag.STRUCTURE,
    DataTag.DOUBLE_LONG_UNSIGNED,
    DataTag.OCTET_STRING,
)


@final
class BlockSize(AssociationBound):
    """A meter's image_block_size, in octets, as read in one association. It cannot be made in any other way."""

    __slots__ = ("_association", "_octets")

    def __init__(self, octets: int, association: AssociationIdentity | None, witness: _Witness) -> None:
        if witness is not _FROM_THE_METER:
            raise LocalProtocolError(
                "a BlockSize cannot be made: read image_block_size from the meter",
                layer="cosem",
                hint="await image_transfer.image_block_size.get()",
            )
        self._octets = octets
        self._association = association

    @property
    def octets(self) -> int:
        """How long every block but the last is."""
        return self._octets

    @property
    def association(self) -> AssociationIdentity | None:
        """In which association it was read."""
        return self._association

    def bound_to(self, association: AssociationIdentity, witness: ReadingWitness) -> Self:
        """The same size, as read in that association; only a reading can say so."""
        require_reading(witness)
        return type(self)(self._octets, association, _FROM_THE_METER)

    def __repr__(self) -> str:
        return f"<BlockSize {self._octets} of {self._association}>"

    def block_count(self, image_size: int) -> int:
        """How many blocks an image of that many octets takes."""
        return -(-image_size // self._octets)

    def cut(self, image: ImageOctets, number: int) -> "ImageBlock":
        """Block `number` of an image, counted from 0; the last one is the remainder."""
        start = number * self._octets
        if not 0 <= start < len(image):
            raise LocalProtocolError(
                f"block {number} is beyond an image of {self.block_count(len(image))} blocks", layer="cosem"
            )
        return ImageBlock(
            number, bytes(image[start : start + self._octets]), self._association, _FROM_THE_METER
        )


@final
class ImageBlock(AssociationBound):
    """One block of an image, ready to be sent in the association whose block size cut it."""

    __slots__ = ("_association", "_number", "_octets")

    def __init__(
        self, number: int, octets: bytes, association: AssociationIdentity | None, witness: _Witness
    ) -> None:
        if witness is not _FROM_THE_METER:
            raise LocalProtocolError(
                "an ImageBlock cannot be made: cut it by the meter's block size",
                layer="cosem",
                hint="block_size.cut(image, number)",
            )
        self._number = number
        self._octets = octets
        self._association = association

    @property
    def number(self) -> int:
        """Which block it is, counted from 0."""
        return self._number

    @property
    def octets(self) -> bytes:
        """What is sent."""
        return self._octets

    @property
    def association(self) -> AssociationIdentity | None:
        """In which association it may be sent; None for a block that was received."""
        return self._association

    def bound_to(self, association: AssociationIdentity, witness: ReadingWitness) -> Self:  # noqa: ARG002 - never
        """Refused: a block is cut for one association and never moves to another."""
        raise LocalProtocolError(
            f"block {self.number} cannot be moved to {association}: cut it anew", layer="cosem"
        )

    def to_data(self) -> Data:
        """The parameter of image_block_transfer."""
        number, octets = node((_DOUBLE_LONG_UNSIGNED, self._number)), node((_OCTET_STRING, self._octets))
        return node((_STRUCTURE, (number, octets)))

    def __repr__(self) -> str:
        return f"<ImageBlock {self.number}, {len(self.octets)} octets>"


@dataclass(frozen=True, slots=True)
class ImageInitiation:
    """Parameter of image_transfer_initiate: the identifier the meter's maker gave the image, and its octets."""

    image_identifier: Annotated[bytes, octet_string]
    image_size: Annotated[int, double_long_unsigned]


@dataclass(frozen=True, slots=True)
class ImageToActivateInfo:
    """One image that the meter has found in what was transferred. Its size may differ from the file's: a header may be gone."""

    image_to_activate_size: Annotated[int, double_long_unsigned]
    image_to_activate_identification: Annotated[bytes, octet_string]
    image_to_activate_signature: Annotated[bytes, octet_string]


def _block_size_from(data: Data) -> BlockSize:
    octets = double_long_unsigned.from_data(data)
    if octets < 1:
        raise RemoteProtocolError(f"a block size of {octets} octets", layer="cosem")
    return BlockSize(octets, None, _FROM_THE_METER)


def _size_to(size: BlockSize) -> Data:
    if type(size) is not BlockSize:
        raise _only(BlockSize, size)
    return double_long_unsigned(size.octets)


def _only(kind: type, value: object) -> LocalProtocolError:
    """What only looks like one is refused, a class derived from it too."""
    return LocalProtocolError(f"a {type(value).__name__} where only a {kind.__name__} will do", layer="cosem")


def _block_to(block: ImageBlock) -> Data:
    if type(block) is not ImageBlock:
        raise _only(ImageBlock, block)
    return block.to_data()


def _block_from(data: Data) -> ImageBlock:
    elements = elements_of(data, "image block")
    if len(elements) != 2:
        raise RemoteProtocolError(f"{len(elements)} elements where an image block has 2", layer="cosem")
    number, octets = elements
    return ImageBlock(
        double_long_unsigned.from_data(number), octet_string.from_data(octets), None, _FROM_THE_METER
    )


_block_size: Final[DataType[BlockSize]] = DataType(
    "double-long-unsigned",
    _size_to,
    _block_size_from,
    double_long_unsigned.tag,
)
_image_block: Final[DataType[ImageBlock]] = DataType(
    "structure ImageBlock", _block_to, _block_from, DataTag.STRUCTURE, (double_long_unsigned, octet_string)
)


class ImageTransfer(InterfaceClass[A_co], class_id=18, version=0, instance="0.0.44.0.0.255"):
    """Image transfer. Some meters have several, for their modules: look in the object list."""

    image_block_size = Attribute(2, _block_size, static=True)
    image_transferred_blocks_status = Attribute(3, bit_string)
    image_first_not_transferred_block_number = Attribute(4, double_long_unsigned)
    image_transfer_enabled = Attribute(5, boolean)
    image_transfer_status = Attribute(6, enumerated(ImageTransferStatus))
    image_to_activate_info = Attribute(7, array(structure(ImageToActivateInfo), null_is_empty=True))

    image_transfer_initiate = Method(1, structure(ImageInitiation))
    image_block_transfer = Method(2, _image_block)
    image_verify = Method(3, trigger)
    image_activate = Method(4, trigger)
