"""The fast way to do GCM against the plain way, for any input."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import assume, given
from hypothesis import strategies as st

from meterwright.security import Gcm, Secret, SecurityViolation, Violation

keys = st.sampled_from([16, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
nonces = st.binary(min_size=12, max_size=12)
octets = st.binary(max_size=400)


def reference_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """By the book: one context, its tag cut to 12 octets."""
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return ciphertext + encryptor.tag[:12]


def reference_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """By the book: a context that is told to expect a tag of 12 octets; None where the tag is wrong."""
    mode = modes.GCM(nonce, sealed[-12:], min_tag_length=12)
    decryptor = Cipher(algorithms.AES(key), mode).decryptor()
    decryptor.authenticate_additional_data(associated)
    try:
        return decryptor.update(sealed[:-12]) + decryptor.finalize()
    except InvalidTag:
        return None


@given(keys, nonces, octets, octets)
def test_sealing_is_that_of_the_reference(
    key: bytes, nonce: bytes, plaintext: bytes, associated: bytes
) -> None:
    sealed = Gcm(Secret(key)).seal(nonce, plaintext, associated)
    assert sealed == reference_seal(key, nonce, plaintext, associated)
    assert Gcm(Secret(key)).stream(nonce, plaintext) == sealed[:-12]


@given(keys, nonces, octets, octets)
def test_what_the_reference_sealed_opens(
    key: bytes, nonce: bytes, plaintext: bytes, associated: bytes
) -> None:
    sealed = reference_seal(key, nonce, plaintext, associated)
    assert Gcm(Secret(key)).open(nonce, sealed, associated) == plaintext
    assert Gcm(Secret(key)).stream(nonce, sealed[:-12]) == plaintext


@given(keys, nonces, st.binary(min_size=12, max_size=400), octets)
def test_any_octets_open_exactly_where_the_reference_opens_them(
    key: bytes, nonce: bytes, sealed: bytes, associated: bytes
) -> None:
    expected = reference_open(key, nonce, sealed, associated)
    assert expected is None  # a tag hit by chance would be news
    with pytest.raises(SecurityViolation):
        Gcm(Secret(key)).open(nonce, sealed, associated)


@given(keys, nonces, octets, octets, st.data())
def test_one_wrong_bit_is_refused_by_both(
    key: bytes, nonce: bytes, plaintext: bytes, associated: bytes, data: st.DataObject
) -> None:
    sealed = bytearray(reference_seal(key, nonce, plaintext, associated))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit >> 3] ^= 1 << (bit & 7)
    assert reference_open(key, nonce, bytes(sealed), associated) is None
    with pytest.raises(SecurityViolation) as caught:
        Gcm(Secret(key)).open(nonce, bytes(sealed), associated)
    assert caught.value.violation is Violation.TAG


@given(keys, octets, st.lists(st.tuples(nonces, octets), max_size=4))
def test_one_sealer_and_one_opener_serve_every_nonce(
    key: bytes, associated: bytes, sent: list[tuple[bytes, bytes]]
) -> None:
    cipher = Gcm(Secret(key))
    seal, open_ = cipher.sealer(associated), cipher.opener(associated)
    sealed = [seal(nonce, plaintext) for nonce, plaintext in sent]
    assert sealed == [reference_seal(key, nonce, plaintext, associated) for nonce, plaintext in sent]
    assert [open_(nonce, each) for (nonce, _), each in zip(sent, sealed, strict=True)] == [
        plaintext for _, plaintext in sent
    ]


@pytest.mark.parametrize("length", range(12))
def test_what_is_too_short_for_a_tag_has_none(length: int) -> None:
    with pytest.raises(SecurityViolation, match="without the 12 octets of its tag") as caught:
        Gcm(Secret(bytes(16))).open(bytes(12), bytes(length), b"")
    assert caught.value.violation is Violation.TAG


@given(keys, nonces, octets)
def test_a_tag_alone_is_gmac(key: bytes, nonce: bytes, associated: bytes) -> None:
    cipher = Gcm(Secret(key))
    assert cipher.tag(nonce, associated) == reference_seal(key, nonce, b"", associated)
    cipher.check(nonce, cipher.tag(nonce, associated), associated)
    with pytest.raises(SecurityViolation):
        cipher.check(nonce, cipher.tag(nonce, associated), associated + b"x")


@given(keys, nonces, nonces, octets, octets)
def test_another_nonce_is_refused(
    key: bytes, nonce: bytes, other: bytes, plaintext: bytes, associated: bytes
) -> None:
    assume(nonce != other)
    cipher = Gcm(Secret(key))
    with pytest.raises(SecurityViolation):
        cipher.open(other, cipher.seal(nonce, plaintext, associated), associated)


@pytest.mark.parametrize("length", [0, 1, 11, 13])
def test_a_tag_of_another_length_is_refused(length: int) -> None:
    cipher = Gcm(Secret(bytes(16)))
    with pytest.raises(SecurityViolation):
        cipher.check(bytes(12), (cipher.tag(bytes(12), b"x") + b"x")[:length], b"x")
