"""What came under a key of its own, or signed alone, and may not come again (Green Book 9.2.3.3.7).

A message under a global key has an invocation counter that only rises. One under a key made for it alone begins at 0 with each
key, and one that is only signed has no number at all. So their keys and contents are remembered, by 16 octets of hash each.

The memory is bounded: of the last 65 536 messages none is taken twice. Who shares a longer history, and fears that somebody
recorded it, encrypts under a global key besides.
"""

import hashlib
from typing import Final

from meterwright.security.violation import SecurityViolation, Violation

__all__ = ["MOST_REMEMBERED", "ReplayMemory", "digest"]

MOST_REMEMBERED: Final = 1 << 16
_DOMAIN: Final = b"meterwright message seen 1\0"


def digest(octets: bytes) -> bytes:
    """By what a key, or a signed content, is remembered: it gives nothing of it away."""
    return hashlib.sha256(_DOMAIN + octets).digest()[:16]


class ReplayMemory:
    """What one sender's messages were. Outlives its associations, as invocation counters do.

    `check`, and then `accept`, what was verified: a forgery is remembered by nobody.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most: Final = most
        self._seen: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def check(self, seen: bytes, number: int) -> None:
        """SecurityViolation where this digest came before with this number or a higher one."""
        last = self._seen.get(seen)
        if last is not None and number <= last:
            raise SecurityViolation(
                Violation.COUNTER,
                "a message came twice: its key, or its signed content, was taken before",
                hint="a replayed APDU; or the other side uses a key or a transaction id again that is for one message",
                came_twice=True,
            )

    def accept(self, seen: bytes, number: int) -> None:
        """A message was taken. The oldest is forgotten where there are too many."""
        self._seen.pop(seen, None)
        self._seen[seen] = number
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
