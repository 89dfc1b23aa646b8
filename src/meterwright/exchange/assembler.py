"""The one place where blocks of a long answer, or of a long request, become whole again. Knows no service."""

from typing import Final

from meterwright.errors import RemoteProtocolError

__all__ = ["LONGEST_ASSEMBLED", "Assembler"]

LONGEST_ASSEMBLED: Final = 64 * 1024 * 1024
"""Octets after which a long transfer is given up: no real profile comes near."""


class Assembler:
    """Collects blocks 1, 2, 3 … in order. A wrong number, an empty block in the middle or too much is refused."""

    def __init__(self, about: str, longest: int = LONGEST_ASSEMBLED) -> None:
        self.complete = False
        self._about = about
        self._longest = longest
        self._octets = bytearray()
        self.expected: int = 1

    @property
    def octets(self) -> bytes:
        """What has come so far."""
        return bytes(self._octets)

    def add(self, number: int, octets: bytes, *, last: bool) -> None:
        """The next block. RemoteProtocolError where it is not the next, or makes the whole too long."""
        if number != self.expected:
            raise self._refusal(f"block {number} where block {self.expected} is expected")
        if not octets and not last:
            raise self._refusal(f"block {number} is empty and not the last: this would never end")
        if len(self._octets) + len(octets) > self._longest:
            raise self._refusal(f"more than {self._longest} octets in blocks")
        self._octets += octets
        self.expected += 1
        self.complete = last

    def _refusal(self, what: str) -> RemoteProtocolError:
        return RemoteProtocolError(what, layer="exchange", about=self._about)
