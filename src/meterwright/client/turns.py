"""Whose turn it is to ask, where several exchanges share an association.

Most meters have room for one long transfer: any other request drops it. So an exchange has its turn from its request to the answer,
and keeps it from the first block of a transfer to the last.
"""

import asyncio

__all__ = ["Turn"]


class Turn:
    """The turn of one exchange. Without a lock it is everybody's, always."""

    def __init__(self, lock: asyncio.Lock | None) -> None:
        self._lock = lock
        self._is_ours = False

    async def take(self) -> None:
        """Wait until it is ours, unless it is already."""
        if self._lock is not None and not self._is_ours:
            await self._lock.acquire()
            self._is_ours = True

    def give_back(self) -> None:
        """Let others have theirs."""
        if self._lock is not None and self._is_ours:
            self._is_ours = False
            self._lock.release()
