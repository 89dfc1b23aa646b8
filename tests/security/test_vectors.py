"""The vectors of the books for suite 0, and some computed for what they leave out (marked so)."""

import pytest
from tests.security.books import CLIENT, COUNTER, CTOS, DEDICATED, GET, METER, STOC, ciphers, layer

from meterwright.apdu import Aarq, Rlrq, decode_apdu
from meterwright.security import (
    Ciphers,
    Form,
    Keys,
    Login,
    Party,
    Secret,
    Style,
    book_keys,
    protect,
    prove,
    unprotect,
    unwrap_key,
    verify,
    wrap_key,
)
from meterwright.security.counters import ReceiveCounter
from meterwright.values import AuthenticationMechanism, Protection, Role, SecuritySuite

GLO_INITIATE = (
    "21303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855"
)
INITIATE_WITH_KEY = "01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0"


@pytest.mark.parametrize(
    ("protection", "octets"),
    [
        (Protection.AUTHENTICATION, "C81E1001234567C0010000080000010000FF020006725D910F9221D263877516"),
        (Protection.ENCRYPTION, "C8122001234567411312FF935A47566827C467BC"),
        (Protection.BOTH, "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"),
    ],
)
def test_the_green_books_get_request(protection: Protection, octets: str) -> None:
    sent = protect(GET, ciphers(), Form(protection), METER, COUNTER)
    assert sent.hex() == octets.lower()
    opened = unprotect(sent, ciphers(), METER)
    assert (opened.apdu, opened.counter, opened.originator) == (GET, COUNTER, METER)
    assert opened.control.protection is protection


@pytest.mark.parametrize(
    ("suite", "content"),
    [
        (SecuritySuite.SUITE_1, "411312ff935a47566827c467bce8691c99484b00b2449055b5"),
        (SecuritySuite.SUITE_2, "e82b2ad3ee8c12a6fb27038f08200f28227c1261cb7a728cc7"),
    ],
)
def test_the_other_suites_computed(suite: SecuritySuite, content: str) -> None:
    sent = protect(GET, ciphers(suite), Form(Protection.BOTH), METER, COUNTER)
    assert sent.hex() == f"c81e3{int(suite)}01234567{content}"
    assert unprotect(sent, ciphers(suite), METER).apdu == GET


def test_the_broadcast_bit_computed() -> None:
    book = book_keys()
    keys = Keys(
        global_unicast=DEDICATED,
        authentication=book.authentication,
        global_broadcast=book.global_unicast,
    )
    sent = protect(GET, Ciphers(keys), Form(Protection.BOTH, broadcast=True), METER, COUNTER)
    assert sent.hex() == "c81e7001234567411312ff935a47566827c467bca5527490dfb85f5de94adcc8"
    assert unprotect(sent, Ciphers(keys), METER).apdu == GET


def test_general_glo_ciphering_computed() -> None:
    sent = protect(GET, ciphers(), Form(Protection.BOTH, Style.GENERAL), METER, COUNTER)
    assert sent.hex() == (
        "db084d4d4d0000bc614e1e3001234567411312ff935a47566827c467bc7d825c3be4a77c3fcc056b6b"
    )
    assert unprotect(sent, ciphers(), None).originator == METER


def test_the_green_books_initiate_in_aarq_and_rlrq() -> None:
    sealed = layer(Role.CLIENT, own=METER, peer=CLIENT, start=COUNTER).seal_initiate(
        bytes.fromhex(INITIATE_WITH_KEY)
    )
    assert sealed.hex() == GLO_INITIATE.lower()
    aarq = bytes.fromhex(
        "6066A109060760857405080103A60A04084D4D4D0000BC614E8A0207808B0760857405080201"
        f"AC0A80083132333435363738BE340432{GLO_INITIATE}"
    )
    rlrq = bytes.fromhex(f"6239800100BE340432{GLO_INITIATE}")
    for octets, kind in ((aarq, Aarq), (rlrq, Rlrq)):
        apdu = decode_apdu(octets)
        assert isinstance(apdu, kind)
        assert apdu.user_information == sealed
        assert apdu.to_octets() == octets
    opened = layer(Role.SERVER, own=CLIENT, peer=METER).open_initiate(sealed)
    assert opened.hex() == INITIATE_WITH_KEY.lower()


def login(
    role: Role,
    mechanism: AuthenticationMechanism,
    *,
    secret: bytes | None = None,
    ctos: bytes = CTOS,
    stoc: bytes = STOC,
) -> Login:
    """One side of a login between the books' client and meter."""
    client, meter = Party(CLIENT, ctos), Party(METER, stoc)
    ours, theirs = (client, meter) if role is Role.CLIENT else (meter, client)
    sealed = None if secret is None else Secret(secret)
    return Login(mechanism=mechanism, role=role, ours=ours, theirs=theirs, secret=sealed, keys=book_keys())


def test_the_green_books_gmac_login() -> None:
    client = layer(Role.CLIENT)
    meter = layer(Role.SERVER, start=COUNTER)
    at_client = login(Role.CLIENT, AuthenticationMechanism.HIGH_GMAC)
    at_meter = login(Role.SERVER, AuthenticationMechanism.HIGH_GMAC)
    f_stoc = prove(at_client, client.send_counter)
    f_ctos = prove(at_meter, meter.send_counter)
    assert f_stoc.hex().upper() == "10000000011A52FE7DD3E72748973C1E28"
    assert f_ctos.hex().upper() == "1001234567FE1466AFB3DBCD4F9389E2B7"
    verify(at_meter, f_stoc, ReceiveCounter())
    verify(at_client, f_ctos, ReceiveCounter())


@pytest.mark.parametrize(
    ("mechanism", "secret", "answer"),
    [
        (AuthenticationMechanism.HIGH_MD5, b"12345678", "53d4537e37dab4ff089629e25557af9f"),
        (AuthenticationMechanism.HIGH_SHA1, b"12345678", "6dbd949d1b1efdd6fe5f9ea627877e986e8708cb"),
        (
            AuthenticationMechanism.HIGH_SHA256,
            b"12345678",
            "67342baa6815da654eefbb879b6a23da0d2bb0404abbb1a738631241a6b96516",
        ),
    ],
)
def test_hashes_computed(mechanism: AuthenticationMechanism, secret: bytes, answer: str) -> None:
    proof = prove(login(Role.CLIENT, mechanism, secret=secret))
    assert proof.hex() == answer
    verify(login(Role.SERVER, mechanism, secret=secret), proof)


def test_sha256_the_other_way_computed() -> None:
    proof = prove(login(Role.SERVER, AuthenticationMechanism.HIGH_SHA256, secret=b"12345678"))
    assert proof.hex() == "5da97807e1b30b5d95a5b48bda34c4232130f761e57c316ccdef70322605a90d"


def test_the_makers_aes_computed() -> None:
    made = login(Role.CLIENT, AuthenticationMechanism.HIGH, secret=b"0123456789ABCDEF", stoc=bytes(range(16)))
    assert prove(made).hex() == "a56122b537c2c5337a77d385ea15c7a5"


@pytest.mark.parametrize(
    ("master", "key", "wrapped"),
    [
        (
            "000102030405060708090A0B0C0D0E0F",
            "00112233445566778899AABBCCDDEEFF",
            "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
        ),
        (
            "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
            "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
        ),
    ],
    ids=["128", "256"],
)
def test_key_wrap_of_rfc_3394(master: str, key: str, wrapped: str) -> None:
    assert wrap_key(Secret.from_hex(master), Secret.from_hex(key)).hex() == wrapped.lower()
    assert unwrap_key(Secret.from_hex(master), bytes.fromhex(wrapped)) == Secret.from_hex(key)
