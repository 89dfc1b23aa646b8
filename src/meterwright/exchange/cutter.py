"""The one place where a long request is cut into blocks. Knows no service."""

from collections.abc import Callable
from typing import TypeVar

from meterwright.apdu import Apdu, DataBlock
from meterwright.association import Room
from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Cutter"]

R = TypeVar("R", bound=Apdu)


class Cutter:
    """Gives blocks 1, 2, 3 … of a request, each as long as the meter takes. The acknowledgement of each is checked."""

    def __init__(self, octets: bytes, room: Room, about: str) -> None:
        self.is_done = False
        self._octets = octets
        self._room = room
        self._about = about
        self._position = 0
        self._number = 0

    def next(self, shape: Callable[[DataBlock], R]) -> R:
        """The request that carries the next block: `shape` makes it. LocalProtocolError where no octet fits beside it."""
        size = self._room.block_size(shape(DataBlock(False, 0, b"")))
        if size < 1:
            raise LocalProtocolError(
                f"not even a block fits the {self._room.context.max_send_pdu_size} octets that the meter takes",
                layer="exchange",
                about=self._about,
                hint="what stands before the first block is too long: ask for less at once",
            )
        raw = self._octets[self._position : self._position + size]
        self._position += len(raw)
        self._number += 1
        self.is_done = self._position >= len(self._octets)
        return shape(DataBlock(self.is_done, self._number, raw))

    def acknowledged(self, number: int) -> None:
        """The meter wants what follows that block. RemoteProtocolError where it isn't the one sent, or was the last."""
        if number != self._number or self.is_done:
            which = "the last one" if self.is_done else f"block {self._number}"
            raise RemoteProtocolError(
                f"block {number} is acknowledged where {which} was sent", layer="exchange", about=self._about
            )
