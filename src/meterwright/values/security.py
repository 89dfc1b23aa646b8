"""What protection means, in enumerations: suites, policies, the security control octet, and who is which side.

Green Book 9.2 (security suites, security header), Blue Book class 64 (security_policy, security_suite). A control octet
of any value is a value; which of them may be used, and when, is for `security` to judge. Refused, with ValueError: what is
no octet.
"""

from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Self

from meterwright.values.open_enum import OpenIntEnum

__all__ = [
    "CertificateEntity",
    "CertificateType",
    "KekId",
    "KeyId",
    "Protection",
    "Role",
    "SecurityControl",
    "SecurityPolicy",
    "SecuritySuite",
]


class Role(Enum):
    """Which side of a link or an association this is."""

    CLIENT = "client"
    SERVER = "meter"

    @property
    def other(self) -> "Role":
        """The side this one talks to."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class Protection(IntFlag):
    """What is done to an APDU. Ciphering as the bits of the security control octet; a signature is no bit of it."""

    NONE = 0
    AUTHENTICATION = 0x10
    ENCRYPTION = 0x20
    BOTH = 0x30
    SIGNATURE = 0x100

    @property
    def words(self) -> str:
        """As people say it: "authenticated and signed"."""
        words = {
            Protection.AUTHENTICATION: "authenticated",
            Protection.ENCRYPTION: "encrypted",
            Protection.SIGNATURE: "signed",
        }
        return " and ".join(word for bit, word in words.items() if bit & self) or "unprotected"


class SecuritySuite(OpenIntEnum):
    """security_suite: which algorithms. All use AES-GCM with 12 octets of tag; 1 and 2 add signatures and key agreement."""

    SUITE_0 = 0
    SUITE_1 = 1
    SUITE_2 = 2


class KeyId(OpenIntEnum):
    """key-id of general-ciphering: which of the keys that both sides have."""

    GLOBAL_UNICAST_ENCRYPTION_KEY = 0
    GLOBAL_BROADCAST_ENCRYPTION_KEY = 1


class KekId(OpenIntEnum):
    """kek-id of general-ciphering: with which key another one is wrapped."""

    MASTER_KEY = 0


class CertificateEntity(OpenIntEnum):
    """Whose certificate it is."""

    SERVER = 0
    CLIENT = 1
    CERTIFICATION_AUTHORITY = 2
    OTHER = 3


class CertificateType(OpenIntEnum):
    """What the key of a certificate, or a key pair, is for."""

    DIGITAL_SIGNATURE = 0
    KEY_AGREEMENT = 1
    TLS = 2
    OTHER = 3


class SecurityPolicy(OpenIntEnum):
    """security_policy: what every APDU must be, by the enumeration of class 64 version 0.

    Version 1 sends a bit mask instead, which sets requests and responses apart: 04 authenticated, 08 encrypted, 10 signed for
    requests; 20, 40, 80 for responses. Its values are members without a name of their own, and `required` understands both. The
    access rights of class 15 version 3 have the same bits (`of_access_mode`).
    """

    NONE = 0
    AUTHENTICATED = 1
    ENCRYPTED = 2
    AUTHENTICATED_ENCRYPTED = 3

    @classmethod
    def from_words(cls, text: str) -> Self:
        """From a label of version 0, or words of version 1 with + between: "signed-request+encrypted-response".

        ValueError where a word is not known.
        """
        by_label = {each.label: each for each in cls}
        if text in by_label:
            return by_label[text]
        unknown = [word for word in text.split("+") if word not in _POLICY_BITS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no word of a security policy")
        return cls(sum({_POLICY_BITS[word] for word in text.split("+")}))  # each is one bit

    @classmethod
    def of_access_mode(cls, mode: int) -> Self:
        """What an access mode of class 15 version 3 demands of requests and responses."""
        return cls(mode & _VERSION_1)

    @property
    def words(self) -> str:
        """What `from_words` makes the policy of."""
        if self.is_known:
            return self.label
        return "+".join(word for word, bit in _POLICY_BITS.items() if bit & self)

    def required(self, sender: Role) -> Protection:
        """The protection of what this side sends."""
        shift = 2 if sender is Role.CLIENT else 5
        directed = (int(self) & _VERSION_1) >> shift
        either = int(self) | directed
        return Protection((either & 3) << 4 | (directed & 4) << 6)

    @property
    def wants_signatures(self) -> bool:
        """Whether requests or responses must be signed (version 1 only)."""
        return int(self) & 0x90 != 0


_VERSION_1 = 0xFC
_POLICY_BITS = {
    f"{how}-{what}": 4 << (3 * row + column)
    for row, what in enumerate(("request", "response"))
    for column, how in enumerate(("authenticated", "encrypted", "signed"))
}


@dataclass(frozen=True, slots=True)
class SecurityControl:
    """The octet before the invocation counter: bits 0-3 suite, 4 authenticated, 5 encrypted, 6 broadcast key, 7 compressed."""

    suite: SecuritySuite
    authenticated: bool = False
    encrypted: bool = False
    broadcast: bool = False
    compressed: bool = False

    @staticmethod
    def from_octet(octet: int) -> "SecurityControl":
        """The value of an octet; every octet has one, made once when this module loads."""
        try:
            return _BY_OCTET[octet]
        except KeyError:
            raise ValueError(f"{octet} is not an octet") from None

    def to_octet(self) -> int:
        """The octet, 0..255."""
        return (
            int(self.suite) & 0xF
            | self.authenticated << 4
            | self.encrypted << 5
            | self.broadcast << 6
            | self.compressed << 7
        )

    @property
    def protection(self) -> Protection:
        """What was done to the APDU."""
        return Protection(self.to_octet() & Protection.BOTH)


_BY_OCTET = {
    octet: SecurityControl(
        suite=SecuritySuite(octet & 0xF),
        authenticated=bool(octet & 0x10),
        encrypted=bool(octet & 0x20),
        broadcast=bool(octet & 0x40),
        compressed=bool(octet & 0x80),
    )
    for octet in range(256)
}
