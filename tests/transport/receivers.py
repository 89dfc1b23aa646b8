"""A receiver that writes down what it is told, and can be waited on."""

import asyncio
from collections.abc import Callable

from meterwright.errors import LinkError

__all__ = ["Recorder"]

_PATIENCE = 10.0
"""Seconds for something to happen on a loopback socket: far more than it takes, so that a failure is one."""


class Recorder:
    """What came in, and how it ended."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ends: list[LinkError | None] = []
        self._changed = asyncio.Event()

    @property
    def octets(self) -> bytes:
        return b"".join(self.pieces)

    def octets_received(self, octets: bytes) -> None:
        self.pieces.append(octets)
        self._changed.set()

    def transport_lost(self, error: LinkError | None) -> None:
        self.ends.append(error)
        self._changed.set()

    async def received(self, size: int) -> bytes:
        """Wait until that many octets have come."""
        await self._until(lambda: len(self.octets) >= size)
        return self.octets

    async def lost(self) -> LinkError | None:
        """Wait until it has ended: how."""
        await self._until(lambda: bool(self.ends))
        return self.ends[0]

    async def _until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not met():
                self._changed.clear()
                await self._changed.wait()
