"""Enumerations that take any octet a meter may send.

The books list the codes they know; meters send others. A closed enum would turn such an octet into a
failure of our own, so every code read from the wire is an `OpenIntEnum`: a declared code has its name,
any other value of 0..255 becomes a pseudo-member called `UNKNOWN_<n>`. Refused, with ValueError: what
does not fit one octet.
"""

from enum import IntEnum
from typing import Self

__all__ = ["OpenIntEnum"]


class OpenIntEnum(IntEnum):
    """An enumeration of one octet in which unlisted values are members too, but not `is_known`."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or not 0 <= value <= 0xFF:
            return None
        unknown = int.__new__(cls, value)
        unknown._name_ = f"UNKNOWN_{int(value)}"
        unknown._value_ = int(value)
        # The enum's own lookup table, so that the same octet is the same object ever after. It grows by
        # 256 entries at most; setdefault lets the first of two threads win.
        member = cls._value2member_map_.setdefault(unknown._value_, unknown)
        return member if isinstance(member, cls) else None

    @property
    def label(self) -> str:
        """The name as the books write it: `hardware-fault`, `unknown-99`."""
        return self.name.lower().replace("_", "-")

    @property
    def is_known(self) -> bool:
        """Whether the code is one of those declared."""
        return self.name in type(self).__members__

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[int]]:
        # Copies are made by value: a pseudo-member cannot be found by its name.
        return type(self), (self.value,)
