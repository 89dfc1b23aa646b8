"""Requests for a certificate (PKCS#10, RFC 2986): a party shows its public key and its title, signed with the private half.

Stands beside `certificates`; class 64 has a meter make one (generate_certificate_request). The common name of the subject is the
system title in hex. Signatures are deterministic, as everywhere in here. Refused: requests that nobody who has the private key signed.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterwright.codec import length_octets
from meterwright.errors import RemoteProtocolError, UsageError
from meterwright.security.certificates import LONGEST_CERTIFICATE, title_in_name
from meterwright.security.curves import P_256, P_384, Curve
from meterwright.security.key_pairs import AgreementKey, PublicKey, SigningKey
from meterwright.security.protection import TITLE_SIZE
from meterwright.security.violation import SecurityViolation, Violation

__all__ = ["CertificateRequest"]

_SEQUENCE: Final = 0x30
_BIT_STRING: Final = 0x03
_VERSION_1: Final = bytes.fromhex("020100")
_NO_ATTRIBUTES: Final = bytes.fromhex("a000")
_SIGNED_WITH: Final[dict[Curve, bytes]] = {
    P_256: bytes.fromhex("300a06082a8648ce3d040302"),
    P_384: bytes.fromhex("300a06082a8648ce3d040303"),
}
"""AlgorithmIdentifier of ECDSA with SHA-256, and with SHA-384."""


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A request whose signature was verified. `public_key`: on which curve, x and y; `system_title`: None where it names none."""

    der: bytes = field(repr=False)
    public_key: PublicKey
    system_title: bytes | None

    @classmethod
    def make(cls, key: SigningKey | AgreementKey, system_title: bytes) -> Self:
        """Ask for a certificate of this key for this title."""
        if len(system_title) != TITLE_SIZE:
            raise UsageError(
                f"a system title has {TITLE_SIZE} octets, not {len(system_title)}", layer="security"
            )
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, system_title.hex().upper())])
        information = _der(
            _SEQUENCE, _VERSION_1 + subject.public_bytes() + key.public.to_der() + _NO_ATTRIBUTES
        )
        signing = SigningKey.from_scalar(
            key.curve, key.scalar
        )  # who asks shows the private half, whatever its use
        signature = signing.sign(information)
        r, s = (int.from_bytes(half, "big") for half in _halves(signature))
        bits = _der(_BIT_STRING, b"\0" + utils.encode_dss_signature(r, s))
        der = _der(_SEQUENCE, information + _SIGNED_WITH[key.curve] + bits)
        return cls(der, PublicKey.from_octets(key.curve, key.public.octets), system_title)

    @classmethod
    def from_der(cls, octets: bytes) -> Self:
        """As the other side sent it. RemoteProtocolError where it is none, SecurityViolation where it is signed by another key."""
        if len(octets) > LONGEST_CERTIFICATE:
            raise RemoteProtocolError(f"a certificate request of {len(octets)} octets", layer="security")
        try:
            parsed = x509.load_der_x509_csr(octets)
            key = parsed.public_key()
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise TypeError  # noqa: TRY301 - as what the parser finds
            public = PublicKey.from_encoded(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
            is_signed = parsed.is_signature_valid
            title = title_in_name(parsed.subject)
        except InvalidSignature:
            is_signed, public, title = False, None, None
        except (ValueError, TypeError, UnsupportedAlgorithm, UsageError):
            raise RemoteProtocolError(
                "octets that are no certificate request of a key on P-256 or P-384", layer="security"
            ) from None
        if not is_signed or public is None:
            raise SecurityViolation(
                Violation.SIGNATURE,
                "a certificate request is not signed with the key that it shows",
                hint="do not issue a certificate for it: who sent it has not shown that the key is his",
            )
        return cls(octets, public, title)


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    middle = len(signature) // 2
    return signature[:middle], signature[middle:]


def _der(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + length_octets(len(content)) + content
