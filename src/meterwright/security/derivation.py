"""From what two sides agreed on to a key: the one-step derivation of NIST SP 800-56A (Green Book 9.2.3.4.6).

    key = the first octets of H(00000001, Z, algorithm-id, party-U-info, party-V-info)

Z comes of `AgreementKey.agree`, H is the hash of the suite. Who U and V are is the scheme's business: three functions make a
`Parties` each. Refused: suites without key agreement.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from meterwright.codec import length_octets
from meterwright.security.secret import Secret
from meterwright.security.suites import curve_of, suite_of
from meterwright.values import SecuritySuite

__all__ = ["Arc", "Parties", "Purpose", "derive_key", "ephemeral_unified", "one_pass", "static_unified"]

_ARC_BEFORE: Final = b"\x60\x85\x74"
_ARC_AFTER: Final = b"\x08\x03"
_SHORT_KEY: Final = 16
"""Octets. The algorithm-id of a longer key is the next one."""


class Purpose(Enum):
    """What the key is for."""

    CIPHER = 0
    """AES-GCM: global and dedicated keys, and the key of one general-ciphering APDU"""
    WRAP = 2
    """AES key wrap: a master key"""


class Arc(Enum):
    """The arc of the algorithm-id below 2.16.756. A derived key is another one with the other arc."""

    CURRENT = 5
    """what every edition since has, and every stack that is in use"""
    EDITION_8_0 = 6
    """what edition 8.0 of the Green Book printed, and its examples follow: for meters built after them"""


@dataclass(frozen=True, slots=True)
class Parties:
    """PartyUInfo and PartyVInfo."""

    u: bytes
    v: bytes


def one_pass(originator: bytes, recipient: bytes) -> Parties:
    """C(1e,1s): a new key of the originator, the lasting one of the recipient. Both are system titles."""
    return Parties(originator, recipient)


def static_unified(originator: bytes, recipient: bytes, transaction_id: bytes) -> Parties:
    """C(0e,2s): the lasting keys of both, and a transaction id that makes each key another."""
    return Parties(originator + length_octets(len(transaction_id)) + transaction_id, recipient)


def ephemeral_unified(client: bytes, meter: bytes) -> Parties:
    """C(2e,0s): a new key of both, whoever began."""
    return Parties(client, meter)


def derive_key(
    suite: SecuritySuite,
    agreed: Secret,
    parties: Parties,
    *,
    purpose: Purpose = Purpose.CIPHER,
    arc: Arc = Arc.CURRENT,
) -> Secret:
    """The key that both sides come to out of `agreed` (Z). UsageError where the suite has no key agreement."""
    curve, size = curve_of(suite), suite_of(suite).key_size
    algorithm = bytes((*_ARC_BEFORE, arc.value, *_ARC_AFTER, purpose.value + (size > _SHORT_KEY)))
    derivation = ConcatKDFHash(curve.hash, size, algorithm + parties.u + parties.v)
    return Secret(derivation.derive(agreed.reveal()))
