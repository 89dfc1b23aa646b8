"""The symmetric keys of one association (Green Book 9.2.2.5), each of the length that its suite wants.

The keys of the books' examples are known here by name, so that they can be refused where they would protect nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError
from meterwright.security.secret import Secret
from meterwright.security.suites import suite_of
from meterwright.values import SecuritySuite

__all__ = ["BOOK_PASSWORDS", "Keys", "book_keys", "book_keys_in", "is_test_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What both sides share.

    `global_unicast` (GUEK) encrypts, and every suite needs it. `authentication` (GAK) goes into the tag with either global
    key; without it only what is encrypted and not authenticated can be opened, as consumer ports of some utilities have it.
    `global_broadcast` (GBEK) is for what one sends to many; `dedicated` lives as long as one association.
    """

    suite: SecuritySuite = SecuritySuite.SUITE_0
    global_unicast: Secret
    authentication: Secret | None = None
    global_broadcast: Secret | None = None
    dedicated: Secret | None = None

    def __post_init__(self) -> None:
        size = suite_of(self.suite).key_size
        for name, key in self.by_name().items():
            if key.size != size:
                raise UsageError(
                    f"the {name} key has {key.size} octets, and security suite {int(self.suite)} wants {size}",
                    layer="security",
                    hint="check the key, and the suite; 16 octets are 32 hex digits",
                )

    def by_name(self) -> Mapping[str, Secret]:
        """The keys that are there, by the names people use."""
        named = ((each.name.replace("_", " "), getattr(self, each.name)) for each in fields(self))
        return {name: key for name, key in named if isinstance(key, Secret)}


_BOOK: Final = tuple(
    Secret(octets)
    for octets in (
        bytes(range(0x10)),  # encryption key and master key of the Green Book
        bytes(range(0xD0, 0xE0)),  # its authentication key
        bytes.fromhex("00112233445566778899aabbccddeeff"),  # its dedicated key, and that of RFC 3394
        bytes(range(0x20)),  # the same, twice as long, for suite 2
        bytes(range(0xC0, 0xE0)),
    )
)
_SUITE_KEYS: Final[Mapping[int, tuple[Secret, Secret]]] = MappingProxyType(
    {16: (_BOOK[0], _BOOK[1]), 32: (_BOOK[3], _BOOK[4])}
)
BOOK_PASSWORDS: Final = (Secret(b"12345678"), Secret(b"1234567890123456"))
"""The secrets of the books' examples; they are in use in the field too, as some meters leave the factory with them."""


def book_keys(suite: SecuritySuite = SecuritySuite.SUITE_0) -> Keys:
    """The books' test keys: 00 01 02 … to encrypt, D0 D1 D2 … (suite 2: C0 C1 C2 …) to authenticate."""
    encryption, authentication = _SUITE_KEYS[suite_of(suite).key_size]
    return Keys(suite=suite, global_unicast=encryption, authentication=authentication)


def is_test_key(key: Secret) -> bool:
    """Whether it is a key that everybody knows: one of the books' examples."""
    return key in _BOOK


def book_keys_in(keys: Keys) -> tuple[str, ...]:
    """Which of these keys everybody knows, by name."""
    return tuple(name for name, key in keys.by_name().items() if is_test_key(key))
