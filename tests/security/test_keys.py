"""Keys of the right length, keys that everybody knows, suites, and keys under a key."""

import pytest
from tests.security.books import flipped

from meterwright.errors import UsageError
from meterwright.security import (
    BOOK_PASSWORDS,
    SUITES,
    TAG_SIZE,
    Keys,
    Secret,
    SecurityViolation,
    Violation,
    book_keys,
    book_keys_in,
    is_test_key,
    suite_of,
    unwrap_key,
    wrap_key,
)
from meterwright.values import SecuritySuite

OWN = Secret(b"a key of my own!")


def test_the_table_of_suites() -> None:
    assert [(int(suite.id), suite.key_size) for suite in SUITES.values()] == [(0, 16), (1, 16), (2, 32)]
    assert TAG_SIZE == 12
    for number in (3, 15, 200):
        with pytest.raises(UsageError, match=f"no security suite {number}"):
            suite_of(SecuritySuite(number))


@pytest.mark.parametrize("suite", list(SUITES))
def test_every_key_is_as_long_as_its_suite_wants(suite: SecuritySuite) -> None:
    size = suite_of(suite).key_size
    right = Secret(bytes(size))
    Keys(suite=suite, global_unicast=right, authentication=right, global_broadcast=right, dedicated=right)
    for wrong in (Secret(bytes(length)) for length in (0, 15, 17, 24, 48 - size)):
        for name in ("authentication", "global broadcast", "dedicated"):
            with pytest.raises(UsageError, match=f"the {name} key has {wrong.size} octets"):
                Keys(suite=suite, global_unicast=right, **{name.replace(" ", "_"): wrong})
        with pytest.raises(UsageError, match="the global unicast key"):
            Keys(suite=suite, global_unicast=wrong)


def test_an_unknown_suite_has_no_keys() -> None:
    with pytest.raises(UsageError, match="no security suite 7"):
        Keys(suite=SecuritySuite(7), global_unicast=OWN)


@pytest.mark.parametrize("suite", list(SUITES))
def test_the_books_keys_are_known_everywhere(suite: SecuritySuite) -> None:
    assert book_keys_in(book_keys(suite)) == ("global unicast", "authentication")


def test_keys_of_ones_own_are_not_taken_for_them() -> None:
    assert not is_test_key(OWN)
    assert book_keys_in(Keys(global_unicast=OWN, authentication=OWN)) == ()
    mixed = Keys(global_unicast=OWN, authentication=book_keys().authentication, dedicated=OWN)
    assert book_keys_in(mixed) == ("authentication",)
    assert is_test_key(Secret.from_hex("00112233445566778899AABBCCDDEEFF"))


def test_the_books_passwords() -> None:
    assert Secret(b"12345678") in BOOK_PASSWORDS
    assert OWN not in BOOK_PASSWORDS


def test_keys_are_a_value() -> None:
    assert book_keys() == book_keys()
    assert hash(book_keys()) == hash(book_keys())
    assert list(book_keys().by_name()) == ["global unicast", "authentication"]
    with pytest.raises(AttributeError):
        setattr(book_keys(), "global_unicast", OWN)  # noqa: B010 - past the type checker


def test_a_wrapped_key_opens_under_its_master_alone() -> None:
    wrapped = wrap_key(OWN, book_keys().global_unicast)
    assert len(wrapped) == 24
    assert unwrap_key(OWN, wrapped) == book_keys().global_unicast
    with pytest.raises(SecurityViolation) as caught:
        unwrap_key(book_keys().global_unicast, wrapped)
    assert caught.value.violation is Violation.KEY
    for _, wrong in flipped(wrapped):
        with pytest.raises(SecurityViolation):
            unwrap_key(OWN, wrong)
    for length in range(24):
        with pytest.raises(SecurityViolation):
            unwrap_key(OWN, wrapped[:length])


@pytest.mark.parametrize(("master", "key"), [(15, 16), (16, 15), (16, 0), (16, 8), (0, 16)])
def test_what_can_not_be_wrapped(master: int, key: int) -> None:
    with pytest.raises(UsageError):
        wrap_key(Secret(bytes(master)), Secret(bytes(key)))
