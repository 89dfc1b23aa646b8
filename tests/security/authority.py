"""A certification authority for tests: certificates of any kind, right ones and wrong ones, that are the same every time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from meterwright.security import P_256, AgreementKey, Certificate, Curve, SigningKey
from meterwright.values import CertificateType

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
TITLE: Final = bytes.fromhex("4D4D4D0000BC614E")
CLIENT_TITLE: Final = bytes.fromhex("4D4D4D0000000001")
_YEAR: Final = timedelta(days=365)
_HARDWARE_MODULE: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
_USAGES: Final = {
    CertificateType.DIGITAL_SIGNATURE: ("digital_signature",),
    CertificateType.KEY_AGREEMENT: ("key_agreement",),
    CertificateType.TLS: ("digital_signature", "key_agreement"),
    CertificateType.OTHER: ("key_encipherment",),
}
_BITS: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def private(fill: int, curve: Curve = P_256) -> SigningKey:
    """A key of that name."""
    return SigningKey.from_random(curve, bytes((fill,)) * (curve.size + 8))


def agreement(fill: int, curve: Curve = P_256) -> AgreementKey:
    """A key of that name, for agreeing."""
    return AgreementKey.from_random(curve, bytes((fill,)) * (curve.size + 8))


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def usage(*bits: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{bit: bit in bits for bit in _BITS})


def hardware_name(title: bytes) -> x509.SubjectAlternativeName:
    """hwSerialNum, as RFC 4108 has it."""
    module = bytes.fromhex("06032a0304") + bytes((4, len(title))) + title
    return x509.SubjectAlternativeName(
        [x509.OtherName(_HARDWARE_MODULE, bytes((0x30, len(module))) + module)]
    )


@dataclass(frozen=True)
class Authority:
    """Who issues. `certificate` is its own."""

    name: str
    key: SigningKey
    certificate: Certificate

    @classmethod
    def root(
        cls, name: str = "Root", fill: int = 0x51, curve: Curve = P_256, path: int | None = None
    ) -> Self:
        """One that vouches for itself."""
        key = private(fill, curve)
        return cls(name, key, _authority(name, key, name, key, path))

    def below(self, name: str, fill: int, path: int | None = None, curve: Curve = P_256) -> "Authority":
        """One that this one vouches for."""
        key = private(fill, curve)
        return Authority(name, key, _authority(name, key, self.name, self.key, path))

    def issue(
        self,
        key: SigningKey | AgreementKey,
        title: bytes = TITLE,
        use: CertificateType = CertificateType.DIGITAL_SIGNATURE,
        *,
        subject: str | None = None,
        begins: datetime = NOW - _YEAR,
        ends: datetime = NOW + _YEAR,
        serial: int = 1,
        extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
        hash_: hashes.SHA256 | hashes.SHA224 | None = None,
    ) -> Certificate:
        """A party's certificate."""
        builder = _builder(title.hex().upper() if subject is None else subject, key, self.name, serial)
        builder = builder.not_valid_before(begins).not_valid_after(ends)
        builder = builder.add_extension(usage(*_USAGES[use]), critical=True)
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical=critical)
        return _signed(builder, self.key, hash_)


def _authority(name: str, key: SigningKey, issuer: str, by: SigningKey, path: int | None) -> Certificate:
    builder = _builder(name, key, issuer, 7).not_valid_before(NOW - _YEAR).not_valid_after(NOW + _YEAR)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path), critical=True)
    return _signed(builder.add_extension(usage("key_cert_sign"), critical=True), by)


def _builder(
    subject: str, key: SigningKey | AgreementKey, issuer: str, serial: int
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(named(issuer), named(subject), handle(key).public_key(), serial)


def handle(key: SigningKey | AgreementKey) -> ec.EllipticCurvePrivateKey:
    """The key as the library of certificates wants it."""
    return ec.derive_private_key(int.from_bytes(key.scalar.reveal(), "big"), key.curve.parameters)


def _signed(
    builder: x509.CertificateBuilder, by: SigningKey, hash_: hashes.SHA256 | hashes.SHA224 | None = None
) -> Certificate:
    made = builder.sign(handle(by), hash_ or hashes.SHA256(), ecdsa_deterministic=True)
    return Certificate.from_der(made.public_bytes(Encoding.DER))
