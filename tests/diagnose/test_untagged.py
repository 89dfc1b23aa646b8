"""Pushes with untagged attribute descriptors: understood where the whole fits, and left as broken where it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.diagnose.test_explain import assert_sound, codes

from meterwright.diagnose import explain

HEAD = "0f0000000100"
NUMBER = "020200010000600100ff02090a" + b"MWS0000001".hex()
RELAY = "02020046000060030aff031601"
PUSH = HEAD + "020216010102" + NUMBER + RELAY


def test_it_is_understood_to_the_last_octet() -> None:
    explanation = explain(bytes.fromhex(PUSH))
    assert explanation.ok
    assert codes(explanation) == ["quirk-untagged-descriptors"]
    assert explanation.invoke_id == 1
    assert [(each.obis, each.attribute, each.raw) for each in explanation.values] == [
        ("0.0.96.1.0.255", 2, "MWS0000001"),
        ("0.0.96.3.10.255", 3, 1),
    ]
    assert_sound(explanation)


def test_padding_may_follow() -> None:
    assert explain(bytes.fromhex(PUSH + "0000")).ok


@pytest.mark.parametrize(
    "octets",
    [
        PUSH[:-2],
        PUSH + "01",
        HEAD + "020216010102" + NUMBER,
        HEAD + "020216010182ffff" + NUMBER,
        HEAD + "02" * 40,
        HEAD + "02020001000060",
        HEAD + "020200010000600100ffff0f01",
        HEAD,
        "0f0000",
    ],
)
def test_what_does_not_fit_stays_broken(octets: str) -> None:
    explanation = explain(bytes.fromhex(octets))
    assert not explanation.ok
    assert_sound(explanation)


@given(st.binary(max_size=80))
def test_any_body_has_an_answer(body: bytes) -> None:
    assert_sound(explain(bytes.fromhex(HEAD) + b"\x02\x02\x00\x01\x00\x00\x60\x01\x00\xff\x02" + body))
