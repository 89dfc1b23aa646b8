"""Notifications, on the side that gets them: confirming a push, and knowing one again that is sent twice (Green Book 9.3.10).

Whether to confirm is for the application to say: a push that comes over a one-way line looks as if it wanted it, too.
"""

from hashlib import sha256
from typing import Final

from meterwright.apdu import DataNotification, DataNotificationConfirm
from meterwright.errors import LocalProtocolError
from meterwright.exchange.vocabulary import Exchange, tell
from meterwright.values import CosemDateTime

__all__ = ["RecentNotifications", "confirm"]

_REMEMBERED: Final = 256


def confirm(notification: DataNotification, date_time: CosemDateTime | None = None) -> Exchange[None]:
    """Tell the meter that its push has arrived. LocalProtocolError where the push is of the unconfirmed class."""
    if not notification.long_invoke_id_and_priority.confirmed:
        raise LocalProtocolError("the push is unconfirmed: no answer belongs to it", layer="exchange")
    yield from tell(DataNotificationConfirm(notification.long_invoke_id_and_priority, date_time))


class RecentNotifications:
    """Knows a push again that a meter repeats because it missed the confirmation: same invoke id, same time, same content.

    The invoke id alone is not enough, since some meters never change it. `size`: how many pushes are remembered.
    """

    def __init__(self, size: int = _REMEMBERED) -> None:
        self._size = size
        self._seen: dict[bytes, None] = {}

    def is_repeated(self, notification: DataNotification, originator: bytes = b"") -> bool:
        """Whether it has come before, from that originator (a system title, say). Each call remembers it."""
        about = len(originator).to_bytes(4, "big") + originator + notification.to_octets()
        digest = sha256(about).digest()
        is_repeated = digest in self._seen
        self._seen.pop(digest, None)
        self._seen[digest] = None
        if len(self._seen) > self._size:
            del self._seen[next(iter(self._seen))]
        return is_repeated
