"""Keys of which one half is public: to sign and verify (ECDSA), and to agree on another key (ECDH). Green Book 9.2.3.4.

A party has two pairs, and never uses one for the other's work; hence four types::

    SigningKey    its private half    VerifyingKey    what everybody may know
    AgreementKey                      AgreementPoint

`KeyPairs` holds what one side of an association has of them. A signature is R and S side by side, each as wide as a coordinate; a public key is x and y side by side, without the octet 04
that X9.62 puts before them. Signatures are deterministic (RFC 6979): no chance in here, and none that could be weak.

Refused: points that are not on their curve, private keys out of range, keys of other curves. What a person gave is then a
UsageError, what came from the other side (`from_wire`) a RemoteProtocolError. No private octet shows in a repr or an error.
"""

from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from meterwright.errors import RemoteProtocolError, UsageError
from meterwright.security.curves import P_256, P_384, Curve
from meterwright.security.derivation import Arc
from meterwright.security.secret import Secret
from meterwright.security.violation import SecurityViolation, Violation

__all__ = [
    "AgreementKey",
    "AgreementPoint",
    "KeyPairs",
    "PrivateKey",
    "PublicKey",
    "SigningKey",
    "VerifyingKey",
]

_UNCOMPRESSED: Final = b"\x04"
_PEM: Final = b"-----BEGIN "
_BY_NAME: Final = {curve.parameters.name: curve for curve in (P_256, P_384)}
_EXTRA_OCTETS: Final = 8
"""FIPS 186-5 A.2.1: with 64 bits more than the order has, what is left over by the division does not show."""


class PublicKey:
    """The half that everybody may know: a point on a curve. `octets`: x and y."""

    __slots__ = ("_key", "curve", "octets")

    def __init__(self, curve: Curve, key: ec.EllipticCurvePublicKey) -> None:
        self._key: Final = key
        self.curve: Final = curve
        self.octets: Final = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]

    @classmethod
    def from_octets(cls, curve: Curve, octets: bytes) -> Self:
        """From x and y, as a person gave them (also with 04 before them), or a SubjectPublicKeyInfo, PEM or DER."""
        if len(octets) > 2 * curve.size + 1:
            key = cls.from_encoded(octets)
            _require_curve(key.curve, curve)
            return key
        try:
            return cls._from_point(curve, octets)
        except ValueError:
            raise UsageError(
                f"{len(octets)} octets are no public key on {curve.name}",
                layer="security",
                hint=f"x and y together have {2 * curve.size} octets, and must be a point of that curve",
            ) from None

    @classmethod
    def from_wire(cls, curve: Curve, octets: bytes) -> Self:
        """From x and y, as the other side sent them."""
        try:
            return cls._from_point(curve, octets)
        except ValueError:
            raise RemoteProtocolError(
                f"{len(octets)} octets that are no public key on {curve.name}", layer="security"
            ) from None

    @classmethod
    def from_encoded(cls, encoded: bytes) -> Self:
        """From a SubjectPublicKeyInfo, PEM or DER."""
        load = load_pem_public_key if encoded.lstrip().startswith(_PEM) else load_der_public_key
        try:
            key = load(encoded)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _unreadable("public") from None
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise _unreadable("public")
        return cls(_curve_of(key.curve), key)

    def to_der(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def _from_point(cls, curve: Curve, octets: bytes) -> Self:
        """ValueError where it is none of the curve."""
        if len(octets) == 2 * curve.size:
            octets = _UNCOMPRESSED + octets
        elif len(octets) != 2 * curve.size + 1 or octets[:1] != _UNCOMPRESSED:
            raise ValueError
        return cls(curve, ec.EllipticCurvePublicKey.from_encoded_point(curve.parameters, octets))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return (self.curve, self.octets) == (other.curve, other.octets)

    def __hash__(self) -> int:
        return hash((type(self), self.octets))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.curve.name}, {self.octets.hex()})"


class VerifyingKey(PublicKey):
    """With which everybody can tell whether its owner signed."""

    __slots__ = ()

    def made(self, signature: bytes, message: bytes) -> bool:
        """Whether R and S are a signature of the message by this key's owner."""
        size = self.curve.size
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        try:
            self._key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(self.curve.hash))
        except InvalidSignature:
            return False
        return True

    def verify(self, signature: bytes, message: bytes) -> None:
        """SecurityViolation where R and S are no signature of the message by this key's owner."""
        if not self.made(signature, message):
            raise SecurityViolation(
                Violation.SIGNATURE,
                "a signature is not the one of the key that should have made it",
                hint="the other side's public key or certificate is another one, or the octets were altered",
            )


class AgreementPoint(PublicKey):
    """What one side of a key agreement shows the other."""

    __slots__ = ()

    def shared_with(self, key: ec.EllipticCurvePrivateKey) -> Secret:
        """Z of this point and that key, which is of the same curve."""
        return Secret(key.exchange(ec.ECDH(), self._key))


class PrivateKey:
    """The half that its owner keeps. Shows in no repr; `scalar` gives it sealed."""

    __slots__ = ("_key", "curve")

    def __init__(self, curve: Curve, key: ec.EllipticCurvePrivateKey) -> None:
        self._key: Final = key
        self.curve: Final = curve

    @classmethod
    def from_scalar(cls, curve: Curve, scalar: Secret) -> Self:
        """From the number itself, as wide as a coordinate. UsageError where it is none of this curve."""
        number = int.from_bytes(scalar.reveal(), "big")
        if scalar.size != curve.size or not 0 < number < curve.order:
            raise UsageError(
                f"{scalar.size} octets that are no private key on {curve.name}",
                layer="security",
                hint=f"it has {curve.size} octets, in suite {1 if curve is P_256 else 2}; check the suite",
            )
        return cls(curve, ec.derive_private_key(number, curve.parameters))

    @classmethod
    def from_secret(cls, curve: Curve, secret: Secret) -> Self:
        """From the number itself, or PKCS 8 or SEC 1, PEM or DER: as a person gave it."""
        if secret.size <= curve.size:
            return cls.from_scalar(curve, secret)
        key = cls.from_encoded(secret.reveal())
        _require_curve(key.curve, curve)
        return key

    @classmethod
    def from_random(cls, curve: Curve, octets: bytes) -> Self:
        """A new key, out of random octets: `Curve.size` + 8 of them or more (FIPS 186-5 A.2.1)."""
        if len(octets) < curve.size + _EXTRA_OCTETS:
            raise UsageError(
                f"a new key on {curve.name} takes {curve.size + _EXTRA_OCTETS} random octets",
                layer="security",
            )
        number = int.from_bytes(octets, "big") % (curve.order - 1) + 1
        return cls(curve, ec.derive_private_key(number, curve.parameters))

    @classmethod
    def from_encoded(cls, encoded: bytes) -> Self:
        """From PKCS 8 or SEC 1, PEM or DER, not under a passphrase."""
        load = load_pem_private_key if encoded.lstrip().startswith(_PEM) else load_der_private_key
        try:
            key = load(encoded, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _unreadable("private") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise _unreadable("private")
        return cls(_curve_of(key.curve), key)

    @property
    def scalar(self) -> Secret:
        """The number itself, as wide as a coordinate."""
        return Secret(self._key.private_numbers().private_value.to_bytes(self.curve.size, "big"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.curve == other.curve and self.scalar == other.scalar

    def __hash__(self) -> int:
        return hash((type(self), self.scalar))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.curve.name}, …)"


class SigningKey(PrivateKey):
    """With which its owner signs."""

    __slots__ = ()

    @property
    def public(self) -> VerifyingKey:
        """What everybody may know of it."""
        return VerifyingKey(self.curve, self._key.public_key())

    def sign(self, message: bytes) -> bytes:
        """R and S: 64 octets on P-256, 96 on P-384."""
        algorithm = ec.ECDSA(self.curve.hash, deterministic_signing=True)
        r, s = utils.decode_dss_signature(self._key.sign(message, algorithm))
        return r.to_bytes(self.curve.size, "big") + s.to_bytes(self.curve.size, "big")


class AgreementKey(PrivateKey):
    """One side's part of a key agreement, static or ephemeral."""

    __slots__ = ()

    @property
    def public(self) -> AgreementPoint:
        """What the other side gets of it."""
        return AgreementPoint(self.curve, self._key.public_key())

    def agree(self, theirs: AgreementPoint) -> Secret:
        """Z, which the other side comes to as well: the x coordinate. UsageError where the curves differ."""
        if theirs.curve is not self.curve:
            raise UsageError(
                f"a key on {self.curve.name} cannot agree with one on {theirs.curve.name}",
                layer="security",
                hint="both sides' keys are of one security suite",
            )
        return theirs.shared_with(self._key)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPairs:
    """What one side has of the pairs: its own private halves, and the public ones of the other side.

    `arc`: how keys are derived of what was agreed on. UsageError where the keys are not all on one curve.
    """

    signing: SigningKey | None = None
    verifying: VerifyingKey | None = None
    agreement: AgreementKey | None = None
    agreement_point: AgreementPoint | None = None
    arc: Arc = Arc.CURRENT

    def __post_init__(self) -> None:
        if len({key.curve for key in self._keys}) > 1:
            raise UsageError(
                "keys on two curves in one association",
                layer="security",
                hint="both sides' keys are of one security suite: P-256 in suite 1, P-384 in suite 2",
            )

    @property
    def curve(self) -> Curve | None:
        """The curve of all of them; None where there is none."""
        return next((key.curve for key in self._keys), None)

    @property
    def _keys(self) -> tuple[PrivateKey | PublicKey, ...]:
        every = (self.signing, self.verifying, self.agreement, self.agreement_point)
        return tuple(key for key in every if key is not None)


def _curve_of(parameters: ec.EllipticCurve) -> Curve:
    try:
        return _BY_NAME[parameters.name]
    except KeyError:
        raise UsageError(
            f"a key on {parameters.name}",
            layer="security",
            hint="the security suites 1 and 2 have P-256 and P-384",
        ) from None


def _require_curve(given: Curve, wanted: Curve) -> None:
    if given is not wanted:
        raise UsageError(
            f"a key on {given.name} where one on {wanted.name} is wanted",
            layer="security",
            hint="suite 1 has P-256, suite 2 P-384: check key and suite",
        )


def _unreadable(which: str) -> UsageError:
    return UsageError(
        f"this is no {which} key on an elliptic curve",
        layer="security",
        hint="give PEM or DER, without a passphrase",
    )
