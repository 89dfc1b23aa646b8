"""What SNRM and UA negotiate: how long the information of a frame may be, and how many frames go without an answer.

::

    81 80 length { 05 n longest sent } { 06 n longest received } { 07 n window sent } { 08 n window received }

Each value is told from the viewpoint of who tells it. A missing item, or no information at all, means 128 octets and a
window of 1. Unknown items and groups are skipped, the user data group (F0) ends what is read. Only what one *sends* is
bound by the outcome; a longer frame received is taken all the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from meterwright.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["LARGEST_SIZE", "LARGEST_WINDOW", "SMALLEST_SIZE", "HdlcParameters"]

SMALLEST_SIZE: Final = 32
LARGEST_SIZE: Final = 2030
LARGEST_WINDOW: Final = 7

_FORMAT: Final = 0x81
_PARAMETERS: Final = 0x80
_USER_DATA: Final = 0xF0


@dataclass(frozen=True, slots=True)
class HdlcParameters:
    """Octets of information in one frame and frames in one window, sent and received, from our own viewpoint."""

    transmit_size: int = 128
    receive_size: int = 128
    transmit_window: int = 1
    receive_window: int = 1

    def __post_init__(self) -> None:
        for name, size in (("transmit_size", self.transmit_size), ("receive_size", self.receive_size)):
            if not SMALLEST_SIZE <= size <= LARGEST_SIZE:
                raise LocalProtocolError(
                    f"{name} is {SMALLEST_SIZE}..{LARGEST_SIZE} octets, not {size}", layer="hdlc"
                )
        for name, window in (
            ("transmit_window", self.transmit_window),
            ("receive_window", self.receive_window),
        ):
            if not 1 <= window <= LARGEST_WINDOW:
                raise LocalProtocolError(f"{name} is 1..{LARGEST_WINDOW} frames, not {window}", layer="hdlc")

    def agreed_with(self, other: "HdlcParameters") -> "HdlcParameters":
        """What holds between us and a partner that told `other`: nobody sends more than the other takes."""
        return HdlcParameters(
            min(self.transmit_size, other.receive_size),
            min(self.receive_size, other.transmit_size),
            min(self.transmit_window, other.receive_window),
            min(self.receive_window, other.transmit_window),
        )

    def mirrored(self) -> "HdlcParameters":
        """The same from the partner's viewpoint."""
        return HdlcParameters(
            self.receive_size, self.transmit_size, self.receive_window, self.transmit_window
        )

    def to_information(self, *, wide: bool = False) -> bytes:
        """The information of an SNRM or UA; `wide` has sizes in two octets even where one would do, as some meters."""
        items = b""
        for tag, size in ((5, self.transmit_size), (6, self.receive_size)):
            items += (
                bytes((tag, 1, size))
                if size <= 0xFF and not wide
                else bytes((tag, 2)) + size.to_bytes(2, "big")
            )
        for tag, window in ((7, self.transmit_window), (8, self.receive_window)):
            items += bytes((tag, 4)) + window.to_bytes(4, "big")
        return bytes((_FORMAT, _PARAMETERS, len(items))) + items

    @staticmethod
    def from_information(octets: bytes) -> "HdlcParameters":
        """What an SNRM or UA told. RemoteProtocolError where its information cannot be read or allows nothing.

        More than the standard allows is read as the most that it allows.
        """
        told = HdlcParameters()
        if octets and octets[0] != _FORMAT:
            raise _malformed(f"parameters begin with 81, not {octets[0]:02x}", 0)
        for tag, offset, item in _items(octets):
            name = _NAMES.get(tag)
            if name is not None:
                told = replace(told, **{name: _value(name, offset, item)})
        return told


_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {5: "transmit_size", 6: "receive_size", 7: "transmit_window", 8: "receive_window"}
)


def _items(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Tag, offset and value of each item in the parameter groups."""
    position = 1
    while position < len(octets) and octets[position] != _USER_DATA:
        group = octets[position]
        inside, end = _counted(octets, position + 1, len(octets))
        while group == _PARAMETERS and inside < end:
            tag = octets[inside]
            start, inside = _counted(octets, inside + 1, end)
            yield tag, start, octets[start:inside]
        position = end


def _counted(octets: bytes, at: int, limit: int) -> tuple[int, int]:
    """Where what is counted by the length octet at `at` begins and ends, which must be within `limit`."""
    if at >= limit:
        raise _malformed("parameters end before a length", at)
    end = at + 1 + octets[at]
    if end > limit:
        raise _malformed(f"a length of {octets[at]} goes beyond the parameters", at)
    return at + 1, end


def _value(name: str, offset: int, item: bytes) -> int:
    smallest, largest = (SMALLEST_SIZE, LARGEST_SIZE) if name.endswith("size") else (1, LARGEST_WINDOW)
    value = int.from_bytes(item, "big")
    if value < smallest:
        raise _malformed(f"{name} {value} is less than the standard allows ({smallest})", offset)
    return min(value, largest)


def _malformed(what: str, offset: int) -> RemoteProtocolError:
    return RemoteProtocolError(
        what, layer="hdlc", offset=offset, about="SNRM/UA parameters", hint="propose none: a plain SNRM"
    )
