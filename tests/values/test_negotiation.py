"""Conformance, application context, authentication mechanism."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import ApplicationContext, AuthenticationMechanism, Conformance


def test_the_books_proposal_for_logical_names() -> None:
    conformance = Conformance.from_octets(bytes.fromhex("007E1F"))
    assert conformance.labels == (
        "priority-mgmt",
        "attribute0-with-get",
        "block-transfer-with-get-or-read",
        "block-transfer-with-set-or-write",
        "block-transfer-with-action",
        "multiple-references",
        "get",
        "set",
        "selective-access",
        "event-notification",
        "action",
    )


def test_the_books_proposal_for_short_names() -> None:
    conformance = Conformance.from_octets(bytes.fromhex("1C0320"))
    assert conformance == (
        Conformance.READ
        | Conformance.WRITE
        | Conformance.UNCONFIRMED_WRITE
        | Conformance.MULTIPLE_REFERENCES
        | Conformance.INFORMATION_REPORT
        | Conformance.PARAMETERIZED_ACCESS
    )


def test_the_24_bits_follow_each_other() -> None:
    assert [bit.value for bit in Conformance] == [1 << 23 - number for number in range(24)]
    assert Conformance.GENERAL_BLOCK_TRANSFER.to_octets().hex() == "200000"
    assert Conformance.ACTION.to_octets().hex() == "000001"
    assert Conformance(0).labels == ()


@given(st.binary(min_size=3, max_size=3))
def test_any_three_octets_round_trip(octets: bytes) -> None:
    conformance = Conformance.from_octets(octets)
    assert conformance.to_octets() == octets
    assert len(conformance.labels) == int.from_bytes(octets, "big").bit_count()


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_what_is_negotiated_is_what_both_have(ours: int, theirs: int) -> None:
    assert Conformance(ours) & Conformance(theirs) == Conformance(ours & theirs)
    assert isinstance(Conformance(ours) & Conformance(theirs), Conformance)
    assert (~Conformance(ours)).to_octets() == (0xFFFFFF ^ ours).to_bytes(3, "big")


@pytest.mark.parametrize("octets", [b"", b"\x00\x00", b"\x00\x00\x00\x00"])
def test_other_sizes_are_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=f"3 octets, not {len(octets)}"):
        Conformance.from_octets(octets)


def test_more_than_24_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="Conformance"):
        Conformance(1 << 24)


def test_a_flood_of_combinations_leaves_nothing_behind() -> None:
    for number in range(1, 5000):
        assert Conformance.from_octets(number.to_bytes(3, "big")) == number
    assert len(Conformance._value2member_map_) <= 257
    assert Conformance(0x7E1F) == Conformance(0x7E1F)
    assert copy.deepcopy(Conformance(0x7E1F)) == 0x7E1F
    assert Conformance(Conformance.GET.value) is Conformance.GET


def test_application_contexts() -> None:
    assert [(context.value, context.is_ciphered) for context in ApplicationContext] == [
        (1, False),
        (2, False),
        (3, True),
        (4, True),
    ]
    assert not ApplicationContext(9).is_ciphered


def test_authentication_mechanisms() -> None:
    assert [mechanism.label for mechanism in AuthenticationMechanism] == [
        "lowest",
        "low",
        "high",
        "high-md5",
        "high-sha1",
        "high-gmac",
        "high-sha256",
        "high-ecdsa",
    ]
    assert [mechanism.value for mechanism in AuthenticationMechanism] == list(range(8))
