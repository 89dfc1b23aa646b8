"""Octets that nobody is to see: every key and every password is a `Secret`.

It shows in no repr, string, format, pickle or copy, compares in constant time, and cannot be taken apart by accident; who
needs the octets asks for them by name. Refused: what is not octets.
"""

import hmac
from typing import Final, NoReturn, final

from meterwright.errors import UsageError

__all__ = ["Secret"]

_SEALED: Final = "Secret(…)"


@final
class Secret:
    """Sealed octets. `reveal` is the only way to them."""

    __slots__ = ("__octets",)
    __octets: bytes

    def __init__(self, octets: bytes | bytearray) -> None:
        object.__setattr__(self, "_Secret__octets", bytes(memoryview(octets)))

    @classmethod
    def from_hex(cls, text: str) -> "Secret":
        """From hex digits, with or without spaces. The error does not repeat them."""
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise UsageError(
                "a key is not written in hex digits",
                layer="security",
                hint="give two hex digits for each octet",
            ) from None

    def reveal(self) -> bytes:
        """The octets. Hand them to a cipher, and to nothing that writes."""
        return self.__octets

    @property
    def size(self) -> int:
        """How many octets there are."""
        return len(self.__octets)

    def matches(self, octets: bytes) -> bool:
        """Whether these are the octets, in a time that does not tell how many are right."""
        return hmac.compare_digest(self.__octets, octets)

    def __eq__(self, other: object) -> bool:
        return self.matches(other.__octets) if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self.__octets))

    def __repr__(self) -> str:
        return _SEALED

    def __format__(self, _spec: str) -> str:
        return _SEALED

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        raise AttributeError(f"a Secret is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Secret is frozen: {name} cannot be deleted")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: object) -> "Secret":
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")
