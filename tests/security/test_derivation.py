"""Keys out of an agreement: the examples of the Green Book's Annex C, under both arcs."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA384, Hash
from tests.security.books import CLIENT, METER

from meterwright.errors import UsageError
from meterwright.security import (
    Arc,
    Parties,
    Purpose,
    Secret,
    derive_key,
    ephemeral_unified,
    one_pass,
    static_unified,
)
from meterwright.values import SecuritySuite

SUITE_1, SUITE_2 = SecuritySuite.SUITE_1, SecuritySuite.SUITE_2
# In the key agreement examples, the books' client has the title that is the meter's elsewhere.
BOOK_CLIENT, BOOK_METER = METER, CLIENT
ONE_PASS = "0d4385ba0dd756cbcab9887eb538396ee8f090a14c1079b4359f115b977f4615"
BACK = "2b4302dc49790e2e78d990cfb52ed6e2f273dece441a2d95e4301b93812a9fac"
EPHEMERAL = "c1cf8fe7891aef3617d7190795e61fe6c24efc3cca2e08469bad1a225ce6ea08"


@pytest.mark.parametrize(
    ("agreed", "parties", "arc", "key"),
    [
        (ONE_PASS, one_pass(BOOK_CLIENT, BOOK_METER), Arc.CURRENT, "59a71fd81c929a86a99438da17a66c05"),
        (ONE_PASS, one_pass(BOOK_CLIENT, BOOK_METER), Arc.EDITION_8_0, "8cd08ff02eac71712de8449dc8331833"),
        (BACK, one_pass(BOOK_METER, BOOK_CLIENT), Arc.CURRENT, "f0184bda9466bfa4601a64a7ef46504a"),
        (EPHEMERAL, ephemeral_unified(BOOK_CLIENT, BOOK_METER), Arc.EDITION_8_0, "e025ca6f9ee8d2b40f993739d44cfbc0"),
        (EPHEMERAL, ephemeral_unified(BOOK_CLIENT, BOOK_METER), Arc.CURRENT, "c5f4512846ede51cfb8ccf59f08a694e"),
    ],
)  # fmt: skip
def test_the_keys_are_those_of_the_green_book(agreed: str, parties: Parties, arc: Arc, key: str) -> None:
    assert derive_key(SUITE_1, Secret.from_hex(agreed), parties, arc=arc) == Secret.from_hex(key)


def test_a_transaction_id_makes_the_key_of_two_lasting_pairs_another() -> None:
    parties = static_unified(CLIENT, METER, bytes(range(8)))
    assert parties == Parties(CLIENT + b"\x08" + bytes(range(8)), METER)
    agreed = Secret.from_hex(ONE_PASS)
    other = static_unified(CLIENT, METER, bytes(8))
    assert derive_key(SUITE_1, agreed, parties) != derive_key(SUITE_1, agreed, other)


def test_suite_2_takes_the_first_32_octets_of_sha_384() -> None:
    agreed = bytes(range(48))
    for purpose, algorithm in ((Purpose.CIPHER, "60857405080301"), (Purpose.WRAP, "60857405080303")):
        digest = Hash(SHA384())
        digest.update(b"\0\0\0\x01" + agreed + bytes.fromhex(algorithm) + CLIENT + METER)
        key = derive_key(SUITE_2, Secret(agreed), one_pass(CLIENT, METER), purpose=purpose)
        assert key == Secret(digest.finalize()[:32])


def test_a_key_to_wrap_is_another_one() -> None:
    agreed, parties = Secret.from_hex(ONE_PASS), one_pass(CLIENT, METER)
    assert derive_key(SUITE_1, agreed, parties, purpose=Purpose.WRAP) != derive_key(SUITE_1, agreed, parties)


def test_suite_0_has_no_key_agreement() -> None:
    with pytest.raises(UsageError):
        derive_key(SecuritySuite.SUITE_0, Secret(bytes(32)), one_pass(CLIENT, METER))
