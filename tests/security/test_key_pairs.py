"""Signatures and key agreement: the books' examples, RFC 6979's, and what must not pass for a key."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.security.books import flipped

from meterwright.errors import RemoteProtocolError, UsageError
from meterwright.security import (
    P_256,
    P_384,
    AgreementKey,
    AgreementPoint,
    Curve,
    Secret,
    SecurityViolation,
    SigningKey,
    VerifyingKey,
    Violation,
    curve_of,
)
from meterwright.values import SecuritySuite

each_curve = pytest.mark.parametrize("curve", [P_256, P_384], ids=lambda curve: curve.name)

CLIENT_SIGNS = SigningKey.from_scalar(
    P_256, Secret.from_hex("418073c239fa6125011de4d6cd2e645780289f761bb21bfb0835cb5585e8b373")
)
"""Green Book Annex C: the client's pair for signatures."""
CLIENT_VERIFIES = bytes.fromhex(
    "baaffde06a8cb1c9dae8d94023c601dbbb249254ba22edd827e820bca2bcc643"
    "62fbb83d86a82b87bb8b7161d2aab5521911a946b97a284a90f7785cd9047d25"
)
EPHEMERAL = "c323c2bd45711de4688637d919f92e9db8fb2dfc213a88d21c9dc8dcba917d8170511de1badb360d50058f794b0960ae11fa28d392cff907a62d13e3357b1dc0"
GENERATED = "002914d60e10ab705f62ed6cc349d7cb99b9ab3f3978e59278c7af595b3af987941372dab6d5af1fa867e134167e6f23de664a6693e05f43414611058d1b48f894"
SIGNED_BY_THE_BOOK = (
    (
        EPHEMERAL,
        "b51be089d0b682863b2217201e73a1a9031968a9b4121dcbc3281a69739af87429f5b3ac5471e7b6a04a2c0f2f8a25fd772a317df97fc5463feac248eb8ab8be",
    ),
    (
        GENERATED,
        "06f0607702aa0e2435a183e2f6b1ecd19629712e389a213610c03f77b2590860ea840af5c3fa1f2bcdf055d4744e9a01ce9a0e55026bcaa4eebeb764ced64bb3",
    ),
)
AGREED_BY_THE_BOOK = (
    (
        "47dab03842e5b6e74828ef4f449b378d7dd1a5dae1ffca5ae0b0be0ad18ec57e",
        "a653565b0e06070bae9fbe140a5d2156812aee2dd525053e3efc850bf13bfdffcb240bc7b77bff5883344e7275908d2287befa3725017295a096989d2338290b",
        "0d4385ba0dd756cbcab9887eb538396ee8f090a14c1079b4359f115b977f4615",
    ),
    (
        "aad3fd0732e991cf52a74c66c1f2827ddc53522a2e0a169d7c4ffcc0fb5d6a4d",
        EPHEMERAL,
        "0d4385ba0dd756cbcab9887eb538396ee8f090a14c1079b4359f115b977f4615",
    ),
    (
        "34a8c23a34dbb519d09b245754c85a6cfe05d14a063efa5aa41545aa8241efae",
        GENERATED[2:],
        "c1cf8fe7891aef3617d7190795e61fe6c24efc3cca2e08469bad1a225ce6ea08",
    ),
)
RFC_6979 = (
    (
        P_256,
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        P_384,
        "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
    ),
)


def made(curve: Curve, fill: int = 1) -> SigningKey:
    return SigningKey.from_random(curve, bytes((fill,)) * (curve.size + 8))


@pytest.mark.parametrize(("message", "signature"), SIGNED_BY_THE_BOOK)
def test_the_signatures_of_the_green_book_are_its_client_s(message: str, signature: str) -> None:
    assert CLIENT_SIGNS.public.octets == CLIENT_VERIFIES
    VerifyingKey.from_octets(P_256, CLIENT_VERIFIES).verify(bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize(("ours", "theirs", "agreed"), AGREED_BY_THE_BOOK)
def test_the_sides_agree_on_the_z_of_the_green_book(ours: str, theirs: str, agreed: str) -> None:
    key = AgreementKey.from_scalar(P_256, Secret.from_hex(ours))
    point = AgreementPoint.from_wire(P_256, bytes.fromhex(theirs))
    assert key.agree(point) == Secret.from_hex(agreed)


@pytest.mark.parametrize(("curve", "scalar", "signature"), RFC_6979)
def test_signatures_are_those_of_rfc_6979(curve: Curve, scalar: str, signature: str) -> None:
    assert SigningKey.from_scalar(curve, Secret.from_hex(scalar)).sign(b"sample").hex() == signature


@each_curve
def test_a_signature_is_verified_by_its_owner_s_key_only(curve: Curve) -> None:
    key, other = made(curve), made(curve, 2)
    signature = key.sign(b"message")
    assert len(signature) == 2 * curve.size
    key.public.verify(signature, b"message")
    for verifying, message in ((other.public, b"message"), (key.public, b"massage")):
        with pytest.raises(SecurityViolation) as caught:
            verifying.verify(signature, message)
        assert caught.value.violation is Violation.SIGNATURE


@each_curve
def test_no_bit_of_a_signature_may_be_wrong(curve: Curve) -> None:
    key = made(curve)
    signature = key.sign(b"message")
    for _, wrong in flipped(signature):
        assert not key.public.made(wrong, b"message")
    for wrong in (b"", signature[:-1], signature + b"\0", bytes(len(signature)), b"\xff" * len(signature)):
        assert not key.public.made(wrong, b"message")


@each_curve
def test_two_sides_agree_on_one_secret_as_wide_as_a_coordinate(curve: Curve) -> None:
    ours = AgreementKey.from_random(curve, b"\x03" * (curve.size + 8))
    theirs = AgreementKey.from_random(curve, b"\x04" * (curve.size + 8))
    assert ours.agree(theirs.public) == theirs.agree(ours.public)
    assert ours.agree(theirs.public).size == curve.size


@each_curve
def test_a_key_is_the_same_whichever_way_it_was_written(curve: Curve) -> None:
    key = made(curve)
    handle = ec.derive_private_key(int.from_bytes(key.scalar.reveal(), "big"), curve.parameters)
    for encoding in (Encoding.PEM, Encoding.DER):
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            assert SigningKey.from_encoded(handle.private_bytes(encoding, form, NoEncryption())) == key
        public = handle.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        assert VerifyingKey.from_encoded(public) == key.public
    assert VerifyingKey.from_encoded(key.public.to_der()) == key.public
    assert SigningKey.from_scalar(curve, key.scalar) == key
    assert VerifyingKey.from_octets(curve, key.public.octets) == key.public
    assert VerifyingKey.from_octets(curve, b"\x04" + key.public.octets) == key.public
    assert {key, made(curve)} == {key}
    assert {key.public, made(curve).public} == {key.public}


@each_curve
def test_what_is_no_point_of_the_curve_is_no_public_key(curve: Curve) -> None:
    octets = made(curve).public.octets
    off_the_curve = octets[:-1] + bytes((octets[-1] ^ 1,))
    for wrong in (b"", bytes(2 * curve.size), octets[:-1], b"\x02" + octets[: curve.size], off_the_curve):
        with pytest.raises(UsageError):
            VerifyingKey.from_octets(curve, wrong)
        with pytest.raises(RemoteProtocolError):
            AgreementPoint.from_wire(curve, wrong)


@each_curve
def test_what_is_out_of_range_is_no_private_key(curve: Curve) -> None:
    for wrong in (bytes(curve.size), curve.order.to_bytes(curve.size, "big"), b"\x01", b"\xff" * curve.size):
        with pytest.raises(UsageError):
            SigningKey.from_scalar(curve, Secret(wrong))
    highest = (curve.order - 1).to_bytes(curve.size, "big")
    assert SigningKey.from_scalar(curve, Secret(highest)).scalar == Secret(highest)
    with pytest.raises(UsageError):
        SigningKey.from_random(curve, bytes(curve.size + 7))


def test_keys_of_other_kinds_are_told_so() -> None:
    foreign = ec.generate_private_key(ec.SECP256K1())
    numbers = rsa.generate_private_key(65537, 2048)
    form = (PrivateFormat.PKCS8, NoEncryption())
    for key in (foreign, numbers):
        with pytest.raises(UsageError):
            SigningKey.from_encoded(key.private_bytes(Encoding.PEM, *form))
        with pytest.raises(UsageError):
            VerifyingKey.from_encoded(
                key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            )
    for nothing in (b"", b"\x30\x00", b"-----BEGIN nothing", b"\xff" * 100):
        with pytest.raises(UsageError):
            SigningKey.from_encoded(nothing)
        with pytest.raises(UsageError):
            VerifyingKey.from_encoded(nothing)


def test_keys_of_two_curves_do_not_agree() -> None:
    ours = AgreementKey.from_random(P_256, b"\x03" * 40)
    with pytest.raises(UsageError, match="P-256 cannot agree with one on P-384"):
        ours.agree(AgreementKey.from_random(P_384, b"\x03" * 56).public)


@each_curve
def test_no_private_octet_shows(curve: Curve) -> None:
    for key in (made(curve), AgreementKey.from_random(curve, b"\x03" * (curve.size + 8))):
        assert repr(key) == f"{type(key).__name__}({curve.name}, …)"
        assert key.scalar.reveal().hex() not in f"{key}{key!r}{key.public!r}{key.scalar!r}"
    with pytest.raises(UsageError) as caught:
        SigningKey.from_scalar(curve, Secret(b"\xab" * (curve.size + 1)))
    assert "abab" not in f"{caught.value} {caught.value.hint}"


def test_a_signing_key_is_not_an_agreement_key() -> None:
    assert made(P_256) != AgreementKey.from_scalar(P_256, made(P_256).scalar)
    assert made(P_256).public != AgreementKey.from_scalar(P_256, made(P_256).scalar).public


def test_the_suites_say_which_curve_they_have() -> None:
    assert curve_of(SecuritySuite.SUITE_1) is P_256
    assert curve_of(SecuritySuite.SUITE_2) is P_384
    with pytest.raises(UsageError, match="suite 0 has no signatures"):
        curve_of(SecuritySuite.SUITE_0)
