"""OBIS codes: every way of writing one, and what is said about those that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import Obis

ENERGY = Obis(bytes([1, 0, 1, 8, 0, 255]))
six_octets = st.binary(min_size=6, max_size=6)


@pytest.mark.parametrize(
    "text",
    [
        "1.0.1.8.0.255",
        "1-0:1.8.0*255",
        "1-0:1.8.0.255",
        "1-0:1.8.0",
        "0100010800FF",
        "0100010800ff",
        " 1.0.1.8.0.255\n",
        "001.000.001.008.000.255",
    ],
)
def test_forms(text: str) -> None:
    assert Obis.parse(text) == ENERGY


def test_groups_and_texts() -> None:
    code = Obis.parse("1-2:3.4.5*6")
    assert (code.a, code.b, code.c, code.d, code.e, code.f) == (1, 2, 3, 4, 5, 6)
    assert str(ENERGY) == "1.0.1.8.0.255"
    assert repr(ENERGY) == "Obis('1.0.1.8.0.255')"


@given(six_octets)
def test_all_forms_of_any_six_octets_round_trip(octets: bytes) -> None:
    code = Obis(octets)
    a, b, c, d, e, f = octets
    forms = [
        str(code),
        f"{a}-{b}:{c}.{d}.{e}*{f}",
        f"{a}-{b}:{c}.{d}.{e}.{f}",
        octets.hex(),
        octets.hex().upper(),
    ]
    assert all(Obis.parse(form) == code for form in forms)
    assert Obis.parse(f"{a}-{b}:{c}.{d}.{e}").octets == octets[:5] + b"\xff"
    assert bytes([code.a, code.b, code.c, code.d, code.e, code.f]) == octets


@given(six_octets)
def test_of_takes_all_that_names_an_object(octets: bytes) -> None:
    code = Obis.of(octets)
    assert Obis.of(code) is code
    assert Obis.of(str(code)) == code
    assert {code: "found"}[Obis(octets)] == "found"


@given(st.lists(six_octets))
def test_codes_sort_as_their_groups(codes: list[bytes]) -> None:
    assert [code.octets for code in sorted(map(Obis, codes))] == sorted(codes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.0.1.8.0", "has 5 groups, not 6"),
        ("1.0.1.8.0.255.0", "has 7 groups, not 6"),
        ("1.0.1.256.0.255", "group D is 256, the highest is 255"),
        ("1-0:1.8.0*999", "group F is 999"),
        ("1.8.0", "has 3 groups, not 6"),
        ("", "is not an OBIS code"),
        ("clock", "expected a code like 1.0.1.8.0.255"),
        ("1.0.1.8.0.-1", "is not an OBIS code"),
        ("1.0.1..0.255", "is not an OBIS code"),
        ("0100010800F", "is not an OBIS code"),
        ("0100010800FF00", "is not an OBIS code"),
        ("١.٠.١.٨.٠.١", "is not an OBIS code"),
        ("1" * 5000, "too long"),
    ],
)
def test_what_is_no_code_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        Obis.parse(text)
    assert len(str(refusal.value)) < 200


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_a_value_error(text: str) -> None:
    try:
        code = Obis.parse(text)
    except ValueError:
        return
    assert Obis.parse(str(code)) == code


@given(st.binary(max_size=20).filter(lambda octets: len(octets) != 6))
def test_other_than_six_octets_are_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=f"6 octets, not {len(octets)}"):
        Obis(octets)


def test_a_text_in_place_of_octets_is_told_where_to_go() -> None:
    with pytest.raises(TypeError, match=r"Obis\.of takes text"):
        Obis("1.0.1.8.0.255")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake under test
