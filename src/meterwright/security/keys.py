"""The symmetric keys of one association (Green Book 9.2.2.5), each of the length that its suite wants.

The keys of the books' examples are known here by name, so that they can be refused where they would protect nothing; so are
the pairs of keys that simulated meters have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError
from meterwright.security.curves import P_256, P_384, Curve
from meterwright.security.key_pairs import AgreementKey, KeyPairs, SigningKey
from meterwright.security.secret import Secret
from meterwright.security.suites import curve_of, suite_of
from meterwright.values import Role, SecuritySuite

__all__ = [
    "BOOK_PASSWORDS",
    "Keys",
    "book_keys",
    "book_keys_in",
    "book_pairs",
    "book_pairs_in",
    "is_test_key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What both sides share.

    `global_unicast` (GUEK) encrypts, and every suite needs it. `authentication` (GAK) goes into the tag with either global
    key; without it only what is encrypted and not authenticated can be opened, as consumer ports of some utilities have it.
    `global_broadcast` (GBEK) is for what one sends to many; `dedicated` lives as long as one association. `master` (KEK) wraps
    other keys, and ciphers nothing.
    """

    suite: SecuritySuite = SecuritySuite.SUITE_0
    global_unicast: Secret
    authentication: Secret | None = None
    global_broadcast: Secret | None = None
    dedicated: Secret | None = None
    master: Secret | None = None

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


_BOOK_SCALARS: Final[Mapping[tuple[Curve, Role], tuple[bytes, bytes]]] = MappingProxyType(
    {
        (P_256, Role.CLIENT): (
            bytes.fromhex("418073c239fa6125011de4d6cd2e645780289f761bb21bfb0835cb5585e8b373"),
            bytes(range(0x40, 0x60)),
        ),
        (P_256, Role.SERVER): (
            bytes(range(0x20, 0x40)),
            bytes.fromhex("aad3fd0732e991cf52a74c66c1f2827ddc53522a2e0a169d7c4ffcc0fb5d6a4d"),
        ),
        (P_384, Role.CLIENT): (bytes(range(0x01, 0x31)), bytes(range(0x61, 0x91))),
        (P_384, Role.SERVER): (bytes(range(0x31, 0x61)), bytes(range(0x91, 0xC1))),
    }
)
"""Private keys that everybody knows, to sign and to agree: the Green Book's (Annex C) where it has one, else counted up."""


@cache
def _book_private(curve: Curve, role: Role) -> tuple[SigningKey, AgreementKey]:
    signing, agreement = _BOOK_SCALARS[curve, role]
    return SigningKey.from_scalar(curve, Secret(signing)), AgreementKey.from_scalar(curve, Secret(agreement))


def book_pairs(suite: SecuritySuite, role: Role) -> KeyPairs:
    """The pairs of keys that a simulated meter and its client have, as the side `role` has them. UsageError in suite 0."""
    curve = curve_of(suite)
    (signing, agreement), (their_signing, their_agreement) = (
        _book_private(curve, side) for side in (role, role.other)
    )
    return KeyPairs(
        signing=signing,
        verifying=their_signing.public,
        agreement=agreement,
        agreement_point=their_agreement.public,
    )


def book_pairs_in(pairs: KeyPairs) -> tuple[str, ...]:
    """Which of these private keys everybody knows, by name."""
    named = {"signing": pairs.signing, "agreement": pairs.agreement}
    known = {key for curve, role in _BOOK_SCALARS for key in _book_private(curve, role)}
    return tuple(name for name, key in named.items() if key in known)
