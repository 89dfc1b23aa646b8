"""CRC-16/X-25 against its definition, bit by bit."""

from hypothesis import given
from hypothesis import strategies as st
from tests.link.hdlc.line import flipped

from meterwright.link.hdlc.crc import AFTER_CHECK, CHECK_SIZE, INITIAL, check_sequence, is_intact


def by_definition(octets: bytes) -> bytes:
    """ISO/IEC 13239: polynomial 8408 in mirrored bits, FFFF before and inverted after, low octet first."""
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return (register ^ 0xFFFF).to_bytes(2, "little")


def test_the_published_check_value() -> None:
    assert check_sequence(b"123456789") == bytes.fromhex("6e90")
    assert is_intact(b"123456789" + bytes.fromhex("6e90"))


@given(st.binary(max_size=300))
def test_it_is_what_the_standard_defines(octets: bytes) -> None:
    assert check_sequence(octets) == by_definition(octets)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_what_follows_a_check_sequence_can_be_checked_on_its_own(header: bytes, rest: bytes) -> None:
    checked = header + check_sequence(header)
    assert check_sequence(rest, AFTER_CHECK) == check_sequence(checked + rest)
    assert is_intact(rest + check_sequence(rest, AFTER_CHECK), AFTER_CHECK)
    assert check_sequence(header, INITIAL) == check_sequence(header)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_every_flipped_bit_is_seen(octets: bytes, data: st.DataObject) -> None:
    whole = octets + check_sequence(octets)
    assert len(whole) == len(octets) + CHECK_SIZE
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    assert not is_intact(flipped(whole, bit))
