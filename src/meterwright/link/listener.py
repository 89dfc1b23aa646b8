"""One-way lines: octets in, whole APDUs out, and nothing is ever sent (consumer ports, pushes by radio or SMS).

    for event in listener.receive(octets, now): ...     # Unsolicited, each a whole APDU
    listener.missed                                     # what can't be told any more

Long pushes come in a general block transfer that nobody acknowledges (Green Book 9.4.6.13): blocks one after the other, window 0,
nothing acknowledged. A listener puts them together too; a block that is missing costs the whole APDU, and only that.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from meterwright.apdu import GeneralBlockTransfer, decode_apdu
from meterwright.errors import RemoteProtocolError
from meterwright.link.machine import Unsolicited

__all__ = ["LONGEST_PUSH", "BlockJoiner", "FramedListener", "Listener"]

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)

LONGEST_PUSH: Final = 0x1_0000
"""Octets of the longest APDU that is put together: as many as a PDU size can tell."""

_TAG: Final = GeneralBlockTransfer.prefix


class BlockJoiner:
    """Blocks of an unacknowledged general block transfer, up to `longest` octets together."""

    def __init__(self, longest: int = LONGEST_PUSH) -> None:
        self.missed = 0
        """APDUs of which some block did not come, or that grew too long."""
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_under_way(self) -> bool:
        """Whether blocks have come and the last has not."""
        return bool(self._parts)

    def add(self, apdu: bytes) -> bytes | None:
        """What has come whole: the APDU itself where it is no block; None where more blocks must follow."""
        block = decode_block(apdu)
        if block is None:
            self.forget()
            return apdu
        if block.block_number == 1:
            self.forget()
        elif not self._parts or block.block_number != len(self._parts) + 1:
            self.missed += not self._parts
            self.forget()
            return None
        self._parts.append(block.block_data)
        self._size += len(block.block_data)
        if self._size > self._longest:
            self.forget()
            return None
        if not block.block_control.last_block:
            return None
        whole = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return whole

    def forget(self) -> None:
        """Give up what is under way; it is counted as missed."""
        self.missed += bool(self._parts)
        self._parts.clear()
        self._size = 0


def decode_block(apdu: bytes) -> GeneralBlockTransfer | None:
    """The block that an APDU is; None where it is none."""
    if not apdu.startswith(_TAG):
        return None
    try:
        block = decode_apdu(apdu)
    except RemoteProtocolError:
        return None
    return block if isinstance(block, GeneralBlockTransfer) else None


class Listener(ABC):
    """What a one-way line carries, whatever carries it. Of the blocks of so many senders at most it keeps count."""

    _MOST_SENDERS: Final = 32

    def __init__(self, longest_apdu: int = LONGEST_PUSH) -> None:
        self._longest = longest_apdu
        self._blocks: dict[Hashable, BlockJoiner] = {}
        self._forgotten = 0

    @property
    def missed(self) -> int:
        """APDUs of which a part came, and never the whole."""
        return self._forgotten + sum(each.missed for each in self._blocks.values())

    @abstractmethod
    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:
        """Octets have come, at `now` seconds on any steady clock. Never raises, whatever they are."""

    def _told(self, apdu: bytes, source: int, destination: int, sender: Hashable = None) -> list[Unsolicited]:
        """The event of an APDU that came whole, or as a block, from this sender."""
        if not apdu:
            return []
        if not apdu.startswith(_TAG) and sender not in self._blocks:
            return [Unsolicited(apdu, source, destination)]
        joiner = self._blocks.pop(sender, None) or BlockJoiner(self._longest)
        whole = joiner.add(apdu)
        self._blocks[sender] = joiner
        if len(self._blocks) > self._MOST_SENDERS:
            oldest = self._blocks.pop(next(iter(self._blocks)))
            oldest.forget()
            self._forgotten += oldest.missed
        return [] if not whole else [Unsolicited(whole, source, destination)]


class Framer(Protocol[F_co]):
    """Cuts a stream of octets into frames that can be checked."""

    @property
    def dropped(self) -> int:
        """Octets that belonged to no frame."""
        ...

    @property
    def broken(self) -> int:
        """Frames of the right form whose check was wrong."""
        ...

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        ...

    def receive(self, octets: bytes) -> Sequence[F_co]:
        """The frames that are whole now."""
        ...

    def abandon(self) -> Sequence[F_co]:
        """Give up the frame that has begun: the frames in what was taken for its inside."""
        ...


class Segments(Protocol):
    """Puts the segments of an APDU together."""

    missed: int

    def forget(self) -> None:
        """Give up what is under way."""
        ...


class FramedListener(Listener, Generic[F]):
    """A line on which APDUs come in segments, and those in frames. `passed_over` counts frames that carried no APDU.

    After `pause` seconds without an octet a frame that has begun has ended.
    """

    def __init__(self, framer: Framer[F], segments: Segments, longest_apdu: int, pause: float) -> None:
        super().__init__(longest_apdu)
        self.passed_over = 0
        self._framer: Final = framer
        self._joining: Final = segments
        self._pause = pause
        self._heard = 0.0

    @property
    def dropped(self) -> int:
        """Octets that belonged to no frame."""
        return self._framer.dropped

    @property
    def broken(self) -> int:
        """Frames of the right form whose check was wrong."""
        return self._framer.broken

    @property
    def missed(self) -> int:
        """APDUs of which a part came, and never the whole."""
        return super().missed + self._joining.missed

    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:
        """Octets have come: any number, cut anywhere."""
        frames: list[F] = []
        if now - self._heard > self._pause:
            frames += self._framer.abandon() if self._framer.is_mid_frame else ()
            self._paused()
        self._heard = now
        frames += self._framer.receive(octets)
        return [event for frame in frames for event in self._take(frame)]

    def _paused(self) -> None:
        """The line was silent. Segments may take as long as they like, unless a link says otherwise."""

    @abstractmethod
    def _take(self, frame: F) -> list[Unsolicited]:
        """What a frame brings."""
