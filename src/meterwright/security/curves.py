"""The two curves of the security suites 1 and 2 (Green Book 9.2.3), and the hash that goes with each.

Stands below the keys on them (`key_pairs`) and the table of suites, which says which suite has which. Refused: nothing; these
are constants.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["P_256", "P_384", "Curve"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve. `size`: octets of a coordinate and of a private key; a point and a signature have twice as many.

    `order`: how many points there are, so that a private key is 1 … order - 1.
    """

    name: str
    size: int
    order: int = field(repr=False)
    parameters: ec.EllipticCurve = field(repr=False, compare=False)
    hash: hashes.HashAlgorithm = field(repr=False, compare=False)


P_256: Final = Curve(
    "P-256",
    32,
    0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    ec.SECP256R1(),
    hashes.SHA256(),
)
P_384: Final = Curve(
    "P-384",
    48,
    0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_C7634D81_F4372DDF_581A0DB2_48B0A77A_ECEC196A_CCC52973,
    ec.SECP384R1(),
    hashes.SHA384(),
)
