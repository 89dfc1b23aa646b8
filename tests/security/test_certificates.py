"""Certificates: what is read out of one, which are trusted, and every way to be refused."""

import warnings
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.security.authority import (
    CLIENT_TITLE,
    NOW,
    TITLE,
    Authority,
    agreement,
    hardware_name,
    named,
    private,
)

from meterwright.errors import RemoteProtocolError, UsageError
from meterwright.security import (
    LONGEST_CERTIFICATE,
    MOST_CERTIFICATES,
    P_256,
    P_384,
    Certificate,
    CertificateRequest,
    CertificateStore,
    Curve,
    SecurityViolation,
    Violation,
)
from meterwright.values import CertificateType

SIGN, AGREE, TLS = CertificateType.DIGITAL_SIGNATURE, CertificateType.KEY_AGREEMENT, CertificateType.TLS
ROOT = Authority.root()
STORE = CertificateStore(anchors=(ROOT.certificate,))
METER = private(1)
SIGNING = ROOT.issue(METER)


class TestReading:
    def test_what_a_certificate_says(self) -> None:
        agreeing = ROOT.issue(agreement(2), CLIENT_TITLE, AGREE, serial=0x80)
        assert SIGNING.system_title == TITLE
        assert SIGNING.use is SIGN
        assert SIGNING.verifying_key == METER.public
        assert SIGNING.is_of(METER.public)
        assert not SIGNING.is_of(private(9).public)
        assert (SIGNING.serial_number, agreeing.serial_number) == (b"\x01", b"\x00\x80")
        assert SIGNING.issuer == named("Root").public_bytes() == ROOT.certificate.subject
        assert SIGNING.subject == named(TITLE.hex().upper()).public_bytes()
        assert agreeing.agreement_point == agreement(2).public
        assert agreeing.has_serial(b"\x80", agreeing.issuer)
        assert not agreeing.has_serial(b"\x80", b"")
        assert ROOT.certificate.is_authority
        assert not SIGNING.is_authority

    def test_a_key_serves_its_use_alone(self) -> None:
        agreeing, tls = ROOT.issue(METER, use=AGREE), ROOT.issue(METER, use=TLS)
        for certificate in (agreeing, tls, ROOT.certificate):
            with pytest.raises(SecurityViolation, match="for digital-signature belongs"):
                _ = certificate.verifying_key
        with pytest.raises(SecurityViolation, match="for key-agreement belongs"):
            _ = SIGNING.agreement_point

    @pytest.mark.parametrize(
        ("subject", "other", "title"),
        [
            ("4d4d4d0000bc614e", None, TITLE),
            ("a meter", TITLE, TITLE),
            (TITLE.hex(), TITLE, TITLE),
            (TITLE.hex(), CLIENT_TITLE, None),
            ("a meter", None, None),
            ("4d4d4d 00 00bc614", None, None),
            ("a meter", b"short", None),
        ],
    )
    def test_the_title_stands_in_the_name_or_in_the_other_name(
        self, subject: str, other: bytes | None, title: bytes | None
    ) -> None:
        extra = () if other is None else ((hardware_name(other), False),)
        made = ROOT.issue(METER, subject=subject, extra=extra)
        assert made.system_title == title
        assert bool(made.subject_alt_name) is bool(extra)

    def test_pem_and_der_are_the_same(self) -> None:
        pem = x509.load_der_x509_certificate(SIGNING.der).public_bytes(Encoding.PEM)
        assert Certificate.from_encoded(pem) == Certificate.from_encoded(SIGNING.der) == SIGNING
        assert {SIGNING, Certificate.from_encoded(pem)} == {SIGNING}

    def test_what_is_no_certificate_is_told_so(self) -> None:
        numbers = rsa.generate_private_key(65537, 2048)
        foreign = (
            x509.CertificateBuilder(named("a"), named("b"), numbers.public_key(), 1)
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=1))
            .sign(numbers, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )
        megabyte = b"\x30\x83\x0f\xff\xfb" + bytes((1 << 20) - 5)
        for octets in (
            b"",
            b"\x30\x00",
            b"garbage",
            SIGNING.der[:-1],
            SIGNING.der + b"\0",
            foreign,
            megabyte,
        ):
            with pytest.raises(RemoteProtocolError):
                Certificate.from_der(octets)
            with pytest.raises(UsageError):
                Certificate.from_encoded(octets)
        for text in (b"-----BEGIN CERTIFICATE-----", b"-----BEGIN " + bytes(3 * LONGEST_CERTIFICATE)):
            with pytest.raises(UsageError):
                Certificate.from_encoded(text)

    @given(place=st.integers(0, len(SIGNING.der) - 1), octet=st.integers(0, 255))
    def test_altered_octets_are_read_or_refused_and_never_trusted(self, place: int, octet: int) -> None:
        altered = SIGNING.der[:place] + bytes((octet,)) + SIGNING.der[place + 1 :]
        if altered == SIGNING.der:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                certificate = Certificate.from_der(altered)
            except RemoteProtocolError:
                return
        with pytest.raises(SecurityViolation):
            STORE.verify(certificate, NOW)

    @given(st.binary(max_size=200))
    def test_any_octets_are_refused_politely(self, octets: bytes) -> None:
        with pytest.raises(RemoteProtocolError):
            Certificate.from_der(octets)
        with pytest.raises(RemoteProtocolError):
            CertificateRequest.from_der(octets)


class TestTrust:
    def refused(self, certificate: Certificate, why: str, store: CertificateStore = STORE) -> None:
        with pytest.raises(SecurityViolation, match=why) as caught:
            store.verify(certificate, NOW, use=SIGN, system_title=TITLE)
        assert caught.value.violation is Violation.CERTIFICATE

    def test_one_that_a_trusted_authority_issued_is_trusted(self) -> None:
        STORE.verify(SIGNING, NOW, use=SIGN, system_title=TITLE)
        STORE.verify(SIGNING, NOW)
        STORE.verify(ROOT.certificate, NOW)

    @pytest.mark.parametrize("root_curve", [P_256, P_384], ids=lambda each: each.name)
    def test_through_an_authority_between(self, root_curve: Curve) -> None:
        root = Authority.root(curve=root_curve)
        between = root.below("Between", 0x52, 0)
        store = CertificateStore((root.certificate,), (between.certificate,))
        made = between.issue(METER)
        store.verify(made, NOW, use=SIGN, system_title=TITLE)
        self.refused(made, "nobody who is trusted", CertificateStore((root.certificate,)))

    def test_no_longer_and_not_yet(self) -> None:
        self.refused(ROOT.issue(METER, ends=NOW - timedelta(seconds=1)), "it is not valid any more")
        self.refused(ROOT.issue(METER, begins=NOW + timedelta(seconds=1)), "it is not valid yet")
        with pytest.raises(SecurityViolation, match="not valid any more"):
            STORE.verify(SIGNING, NOW + timedelta(days=400))

    def test_of_an_authority_that_has_expired(self) -> None:
        late = ROOT.issue(METER, ends=NOW + timedelta(days=4000))
        with pytest.raises(SecurityViolation, match="authority that issued it is not valid any more"):
            STORE.verify(late, NOW + timedelta(days=400))

    def test_of_another_authority_also_of_one_of_the_same_name(self) -> None:
        self.refused(Authority.root("Other").issue(METER), "nobody who is trusted")
        self.refused(Authority.root("Root", 0x61).issue(METER), "nobody who is trusted")

    def test_one_s_own(self) -> None:
        key = private(3)
        own = Authority(TITLE.hex().upper(), key, SIGNING).issue(key)
        self.refused(own, "nobody who is trusted")
        self.refused(own, "it was issued by somebody who may not|nobody", STORE.adding(own))

    def test_for_another_use(self) -> None:
        for use in (AGREE, TLS, CertificateType.OTHER):
            self.refused(ROOT.issue(METER, use=use), "not for digital-signature")

    def test_of_another_title(self) -> None:
        self.refused(ROOT.issue(METER, CLIENT_TITLE), "the system title in it is another")
        self.refused(ROOT.issue(METER, subject="nobody"), "the system title in it is another")

    def test_from_a_party_that_is_no_authority(self) -> None:
        party = Authority(TITLE.hex().upper(), METER, SIGNING)
        self.refused(party.issue(private(4)), "issued by somebody who may not", STORE.adding(SIGNING))

    def test_from_more_authorities_above_one_another_than_are_allowed(self) -> None:
        root = Authority.root(path=0)
        between = root.below("Between", 0x52)
        store = CertificateStore((root.certificate,), (between.certificate,))
        self.refused(between.issue(METER), "issued by somebody who may not", store)

    def test_from_a_chain_without_end(self) -> None:
        chain = [ROOT]
        for number in range(6):
            chain.append(chain[-1].below(f"Number {number}", 0x60 + number))
        store = CertificateStore((ROOT.certificate,), tuple(each.certificate for each in chain[1:]))
        store.verify(chain[3].issue(METER), NOW)
        self.refused(chain[-1].issue(METER), "nobody who is trusted", store)

    def test_authorities_that_vouch_for_each_other(self) -> None:
        one, two = Authority.root("One", 0x71), Authority.root("Two", 0x72)
        first = Authority("Two", two.key, two.certificate).below("One", 0x71)
        second = Authority("One", one.key, one.certificate).below("Two", 0x72)
        store = replace(STORE, held=(first.certificate, second.certificate))
        self.refused(first.issue(METER), "nobody who is trusted", store)

    def test_for_a_key_on_a_larger_curve_than_that_which_signs(self) -> None:
        self.refused(ROOT.issue(private(5, P_384)), "nobody who is trusted")

    def test_signed_over_a_hash_that_is_too_short(self) -> None:
        self.refused(ROOT.issue(METER, hash_=hashes.SHA224()), "nobody who is trusted")

    def test_with_something_critical_that_nobody_understands(self) -> None:
        odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        self.refused(ROOT.issue(METER, extra=((odd, True),)), "critical that is not understood")
        STORE.verify(ROOT.issue(METER, extra=((odd, False),)), NOW)


class TestStore:
    def test_what_is_found(self) -> None:
        newer = ROOT.issue(private(2), begins=NOW, serial=2)
        agreeing = ROOT.issue(agreement(3), use=AGREE, serial=3)
        store = STORE.adding(SIGNING).adding(newer).adding(agreeing).adding(newer)
        assert store.of(TITLE, SIGN) == (newer, SIGNING)
        assert store.of(TITLE, AGREE) == (agreeing,)
        assert store.of(CLIENT_TITLE, SIGN) == ()
        assert store.authorities() == (ROOT.certificate,)
        assert store.numbered(b"\x00\x02", newer.issuer) is newer
        assert store.numbered(b"\x04", newer.issuer) is None
        assert SIGNING in store
        assert store.removing(newer).of(TITLE, SIGN) == (SIGNING,)
        assert store.removing(ROOT.certificate).authorities() == (ROOT.certificate,)
        assert len(list(store)) == 4

    def test_it_holds_so_many_and_no_more(self) -> None:
        full = replace(STORE, held=(SIGNING,) * (MOST_CERTIFICATES - 1))
        with pytest.raises(UsageError, match="more than 64"):
            full.adding(ROOT.issue(METER, serial=2))


class TestRequests:
    @pytest.mark.parametrize("curve", [P_256, P_384], ids=lambda each: each.name)
    def test_what_is_made_is_read(self, curve: Curve) -> None:
        for key in (private(1, curve), agreement(1, curve)):
            made = CertificateRequest.make(key, TITLE)
            read = CertificateRequest.from_der(made.der)
            assert read == made == CertificateRequest.make(key, TITLE)
            assert read.system_title == TITLE
            assert read.public_key.octets == key.public.octets
            parsed = x509.load_der_x509_csr(made.der)
            assert parsed.is_signature_valid
            assert parsed.subject == named(TITLE.hex().upper())

    def test_one_that_its_key_did_not_sign_is_refused(self) -> None:
        made = CertificateRequest.make(private(1), TITLE).der
        place = made.index(private(1).public.octets)
        theirs = made[:place] + private(2).public.octets + made[place + 64 :]
        with pytest.raises(SecurityViolation) as caught:
            CertificateRequest.from_der(theirs)
        assert caught.value.violation is Violation.SIGNATURE

    def test_titles_have_eight_octets(self) -> None:
        with pytest.raises(UsageError, match="8 octets, not 7"):
            CertificateRequest.make(METER, TITLE[:7])

    def test_too_long_is_not_looked_at(self) -> None:
        with pytest.raises(RemoteProtocolError, match="1048576 octets"):
            CertificateRequest.from_der(bytes(1 << 20))
