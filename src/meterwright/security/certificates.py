"""X.509 certificates as the suites 1 and 2 have them (Green Book 9.2.6.4): whose key it is, what for, and who says so.

Stands beside `key_pairs`: out of a certificate comes a `VerifyingKey` or an `AgreementPoint`. Reading one proves nothing: that it
is signed by somebody who is trusted, and valid now, `CertificateStore.verify` says.

The system title stands in the subject, as 16 hex digits of its common name, or as hwSerialNum in the subject's other name (RFC
4108); where both stand there they must agree. The use follows from KeyUsage: to sign, to agree on keys, or both, which is TLS.

Refused: more than 4096 octets, what is no X.509 version 3, keys off the suites' curves. What a person gave is then a UsageError,
what came from the other side (`from_der`) a RemoteProtocolError.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Self, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterwright.errors import MeterwrightError, RemoteProtocolError, UsageError
from meterwright.security.curves import Curve
from meterwright.security.key_pairs import AgreementPoint, PublicKey, VerifyingKey
from meterwright.security.protection import TITLE_SIZE
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import CertificateType

__all__ = ["LONGEST_CERTIFICATE", "Certificate", "title_in_name"]

LONGEST_CERTIFICATE: Final = 4096
"""Octets. A certificate of the suites has some 500."""
E = TypeVar("E", bound=x509.ExtensionType)

_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""Under which a signature counts. Shorter ones are not for the curves of the suites."""
_HARDWARE_MODULE: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
_PEM: Final = b"-----BEGIN "
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    UsageError,
)
"""What the parser raises at octets that are no certificate of ours, and `PublicKey` at a key of another curve."""
_KNOWN_EXTENSIONS: Final = frozenset(
    each.oid
    for each in (
        x509.BasicConstraints,
        x509.KeyUsage,
        x509.ExtendedKeyUsage,
        x509.SubjectAlternativeName,
        x509.CertificatePolicies,
    )
)
"""What is understood here, or says nothing against a certificate. Any other that is critical makes it good for nothing."""
_TYPES: Final[Mapping[tuple[bool, bool], CertificateType]] = MappingProxyType(
    {
        (True, False): CertificateType.DIGITAL_SIGNATURE,
        (False, True): CertificateType.KEY_AGREEMENT,
        (True, True): CertificateType.TLS,
        (False, False): CertificateType.OTHER,
    }
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. Two are equal where all octets are.

    `serial_number` is as in DER (big-endian, with a 00 before a first bit that is set), `issuer` and `subject` are the names in DER,
    `subject_alt_name` is that extension's value, b"" without one. `may_issue`: how many authorities may stand below this one;
    None where it is the certificate of no authority.
    """

    der: bytes = field(repr=False)
    serial_number: bytes
    issuer: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    subject_alt_name: bytes = field(repr=False)
    system_title: bytes | None
    use: CertificateType
    may_issue: int | None
    not_before: datetime
    not_after: datetime
    understood: bool
    """Whether all its critical extensions are known here"""
    _key: PublicKey = field(repr=False, compare=False)
    _parsed: x509.Certificate = field(repr=False, compare=False)

    @classmethod
    def from_der(cls, octets: bytes) -> Self:
        """From DER, as the other side sent it."""
        if len(octets) > LONGEST_CERTIFICATE:
            raise RemoteProtocolError(
                f"a certificate of {len(octets)} octets; {LONGEST_CERTIFICATE} are the most that is taken",
                layer="security",
            )
        return cls._read(octets, RemoteProtocolError("octets that are no certificate", layer="security"))

    @classmethod
    def from_encoded(cls, encoded: bytes) -> Self:
        """From PEM or DER, as a person gave it."""
        unreadable = UsageError(
            "this is no X.509 certificate of a key on P-256 or P-384",
            layer="security",
            hint=f"give one certificate, PEM or DER, of no more than {LONGEST_CERTIFICATE} octets",
        )
        if encoded.lstrip().startswith(_PEM) and len(encoded) <= 2 * LONGEST_CERTIFICATE:
            try:
                encoded = x509.load_pem_x509_certificate(encoded).public_bytes(Encoding.DER)
            except _UNREADABLE:
                raise unreadable from None
        if len(encoded) > LONGEST_CERTIFICATE:
            raise unreadable
        return cls._read(encoded, unreadable)

    @classmethod
    def _read(cls, octets: bytes, unreadable: MeterwrightError) -> Self:
        try:
            with warnings.catch_warnings(action="ignore"):  # what is odd but can be read is judged later
                return cls._parse(octets)
        except _UNREADABLE:
            raise unreadable from None

    @classmethod
    def _parse(cls, octets: bytes) -> Self:
        parsed = x509.load_der_x509_certificate(octets)
        if parsed.version is not x509.Version.v3:
            raise ValueError
        extensions = parsed.extensions
        names = _value(extensions, x509.SubjectAlternativeName)
        return cls(
            der=octets,
            serial_number=_integer(parsed.serial_number),
            issuer=parsed.issuer.public_bytes(),
            subject=parsed.subject.public_bytes(),
            subject_alt_name=b"" if names is None else names.public_bytes(),
            system_title=_title(parsed.subject, names),
            use=_use(_value(extensions, x509.KeyUsage)),
            may_issue=_issues(extensions),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            understood=all(not each.critical or each.oid in _KNOWN_EXTENSIONS for each in extensions),
            _key=_public(parsed),
            _parsed=parsed,
        )

    @property
    def curve(self) -> Curve:
        """The curve of its key."""
        return self._key.curve

    @property
    def is_authority(self) -> bool:
        """Whether its owner may issue certificates."""
        return self.may_issue is not None

    @property
    def verifying_key(self) -> VerifyingKey:
        """The key that its owner's signatures are verified with. SecurityViolation where it is not for that."""
        self._require(CertificateType.DIGITAL_SIGNATURE)
        return VerifyingKey.from_octets(self.curve, self._key.octets)

    @property
    def agreement_point(self) -> AgreementPoint:
        """What its owner shows for agreeing on keys. SecurityViolation where it is not for that."""
        self._require(CertificateType.KEY_AGREEMENT)
        return AgreementPoint.from_octets(self.curve, self._key.octets)

    def is_of(self, key: PublicKey) -> bool:
        """Whether it is the certificate of that public key."""
        return (self.curve, self._key.octets) == (key.curve, key.octets)

    def has_serial(self, serial_number: bytes, issuer: bytes) -> bool:
        """Whether it bears this number of this issuer; zeros before the number do not matter."""
        same = int.from_bytes(serial_number, "big") == int.from_bytes(self.serial_number, "big")
        return same and issuer == self.issuer

    def is_valid_at(self, when: datetime) -> bool:
        """Whether the time, which knows its zone, is within its validity."""
        return self.not_before <= when <= self.not_after

    def was_issued_by(self, authority: "Certificate") -> bool:
        """Whether that authority's key signed it. What both say otherwise is not looked at."""
        if self.issuer != authority.subject:
            return False
        try:
            if not isinstance(self._parsed.signature_hash_algorithm, _HASHES):
                return False
            self._parsed.verify_directly_issued_by(authority._parsed)  # noqa: SLF001 - one of the same class
        except (InvalidSignature, *_UNREADABLE):
            return False
        return True

    def _require(self, use: CertificateType) -> None:
        if self.use is not use:
            raise SecurityViolation(
                Violation.CERTIFICATE,
                f"a certificate for {self.use.label} where one for {use.label} belongs",
                hint="each party has a pair of keys, and a certificate, for either use",
            )


def _integer(number: int) -> bytes:
    """As the content of a DER INTEGER."""
    if number < 0:
        raise ValueError
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _value(extensions: x509.Extensions, kind: type[E]) -> E | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _public(parsed: x509.Certificate) -> PublicKey:
    key = parsed.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError
    return PublicKey.from_encoded(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _use(usage: x509.KeyUsage | None) -> CertificateType:
    if usage is None or usage.key_cert_sign:
        return CertificateType.OTHER
    return _TYPES[usage.digital_signature, usage.key_agreement]


def _issues(extensions: x509.Extensions) -> int | None:
    """How many authorities may stand below; None where it is none itself."""
    basic, usage = _value(extensions, x509.BasicConstraints), _value(extensions, x509.KeyUsage)
    if basic is None or not basic.ca or usage is None or not usage.key_cert_sign:
        return None
    return LONGEST_CERTIFICATE if basic.path_length is None else basic.path_length


def title_in_name(name: x509.Name) -> bytes | None:
    """The system title that is a name's only common name, in hex; None where there is none."""
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = found[0].value if len(found) == 1 else None
    if not isinstance(text, str) or len(text) != 2 * TITLE_SIZE:
        return None
    try:
        title = bytes.fromhex(text)
    except ValueError:
        return None
    return title if len(title) == TITLE_SIZE else None


def _title(subject: x509.Name, names: x509.SubjectAlternativeName | None) -> bytes | None:
    """The one title that is named; None where there is none, or where there are two."""
    others = [] if names is None else [name for name in names if isinstance(name, x509.OtherName)]
    modules = [_hardware_serial(name.value) for name in others if name.type_id == _HARDWARE_MODULE]
    named = {title for title in (title_in_name(subject), *modules) if title is not None}
    return named.pop() if len(named) == 1 else None


def _hardware_serial(value: bytes) -> bytes | None:
    """The hwSerialNum of a HardwareModuleName, where it is as long as a title: SEQUENCE { OBJECT IDENTIFIER, OCTET STRING }."""
    serial = value[-TITLE_SIZE:]
    type_size = len(value) - TITLE_SIZE - 6
    expected = bytes((0x30, len(value) - 2 & 0xFF, 0x06, type_size & 0xFF))
    whole = value[:4] == expected and value[-TITLE_SIZE - 2 : -TITLE_SIZE] == bytes((0x04, TITLE_SIZE))
    return serial if whole and 0 < type_size < 0x60 else None
