"""What moves octets: the two seams between the sans-IO stack and the world, one for asyncio, one for threads."""

from abc import ABC, abstractmethod
from typing import Protocol

from meterwright.errors import LinkError

__all__ = ["AsyncTransport", "BlockingTransport", "Receiver"]


class Receiver(Protocol):
    """Who is told what comes in. Called from the event loop; must not block and must not raise."""

    def octets_received(self, octets: bytes) -> None:
        """Some octets have come, cut anywhere."""
        ...

    def transport_lost(self, error: LinkError | None) -> None:
        """Nothing will come any more. None where we closed it ourselves."""
        ...


class AsyncTransport(ABC):
    """Octets in and out under asyncio. What comes in before `start` is kept."""

    @property
    def is_local(self) -> bool:
        """Whether the other end is on this machine: loopback, memory. Keys printed in books are allowed only there."""
        return False

    @abstractmethod
    def start(self, receiver: Receiver) -> None:
        """From now on tell `receiver`."""

    @abstractmethod
    def write(self, octets: bytes) -> None:
        """Send octets; nothing happens once the transport is lost."""

    @abstractmethod
    async def close(self) -> None:
        """Close it, and wait until it is. Closing twice is harmless."""


class BlockingTransport(ABC):
    """Octets in and out, blocking."""

    @property
    def is_local(self) -> bool:
        """Whether the other end is on this machine: loopback, memory. Keys printed in books are allowed only there."""
        return False

    @abstractmethod
    def write(self, octets: bytes) -> None:
        """Send octets. ConnectionLost where the other side is gone."""

    @abstractmethod
    def read(self, timeout: float) -> bytes:
        """What has come, at the latest after `timeout` seconds; b"" where nothing has. ConnectionLost at the end."""

    @abstractmethod
    def close(self) -> None:
        """Close it. Closing twice is harmless."""
