"""OBIS codes in English: the listed objects, electricity composed, and an answer for any code."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.dictionary import describe, is_likely, medium, object_rows
from meterwright.values import Obis


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("0.0.1.0.0.255", "clock"),
        ("0.0.40.0.0.255", "association (the current one)"),
        ("0.0.40.0.5.255", "association 5"),
        ("0.0.42.0.0.255", "logical device name"),
        ("0.0.43.1.0.255", "invocation counter 0"),
        ("0.0.44.0.0.255", "image transfer"),
        ("0.1.44.0.0.255", "image transfer, channel 1"),
        ("1.0.0.2.0.255", "active firmware identifier"),
        ("0.3.24.2.1.255", "M-Bus value 1, channel 3"),
        ("1.0.1.8.0.255", "active energy import, total"),
        ("1.0.2.8.1.255", "active energy export, rate 1"),
        ("1.1.1.7.0.255", "active power import, instantaneous, channel 1"),
        ("1.0.32.7.0.255", "voltage L1, instantaneous"),
        ("1.0.51.7.0.255", "current L2, instantaneous"),
        ("1.0.14.7.0.255", "supply frequency, instantaneous"),
        ("1.0.61.8.0.255", "active energy import L3, total"),
        ("1.0.80.7.0.255", "active power QIV L3, instantaneous"),
        ("1.0.9.6.0.101", "apparent power import, maximum 1, last billing period"),
        ("1.0.1.8.0.3", "active energy import, total, billing period 3"),
        ("1.0.1.8.0.126", "active energy import, total, all billing periods"),
        ("1.0.1.8.0.102", "active energy import, total, billing period 2 back"),
        ("1.0.31.7.7.255", "current L1, instantaneous, harmonic 7"),
        ("1.0.31.7.124.255", "current L1, instantaneous, total harmonic distortion"),
        ("1.0.81.7.4.255", "angles, instantaneous, I(L1) against U(L1)"),
        ("1.0.81.7.99.255", "angles, instantaneous, angle 99"),
        ("1.0.1.200.0.255", "active power import, processing 200 (the maker's own)"),
        ("1.0.200.7.3.255", "electricity: quantity 200 (the maker's own), processing 7, 3"),
        ("7.0.3.0.0.255", "gas: quantity 3, processing 0"),
        ("3.0.3.0.0.255", "medium 3: quantity 3, processing 0"),
        ("1.130.1.8.0.255", "active energy import, total, channel 130 (the maker's own)"),
    ],
)
def test_a_code_reads_as_english(code: str, text: str) -> None:
    assert describe(Obis.parse(code)) == text


@given(st.binary(min_size=6, max_size=6))
def test_every_code_has_a_description(octets: bytes) -> None:
    text = describe(Obis(octets))
    assert text.strip(", ") == text
    assert text


@pytest.mark.parametrize("d", [0, 7, 8, 58, 99])
def test_every_quantity_of_electricity_has_a_description(d: int) -> None:
    told = [describe(Obis(bytes((1, 0, c, d, 0, 255)))) for c in range(256)]
    assert all(told)
    assert len(set(told)) > 200  # the numbers of unknown ones are told, so few share a text


@pytest.mark.parametrize(("pattern", "name", "source"), object_rows())
def test_a_listed_object_is_found_by_its_own_pattern(pattern: str, name: str, source: str) -> None:
    groups = [int(group) if group != "*" else 1 for group in pattern.split(".")]
    assert len(groups) == 6
    assert source.startswith("Blue Book ")
    assert re.sub(r"\{[be]\}", "", name).strip()
    assert describe(Obis(bytes(groups))) != ""


def test_no_pattern_stands_twice_and_none_is_hidden_behind_an_earlier_one() -> None:
    patterns = [pattern.split(".") for pattern, _, _ in object_rows()]
    hidden = [
        ".".join(later)
        for position, later in enumerate(patterns)
        for earlier in patterns[:position]
        if all(old in ("*", new) for old, new in zip(earlier, later, strict=True))
    ]
    assert hidden == []


def test_media_have_names() -> None:
    assert medium(Obis.parse("1.0.1.8.0.255")) == "electricity"
    assert medium(Obis.parse("2.0.1.8.0.255")) == "medium 2"


@pytest.mark.parametrize(
    ("octets", "likely"),
    [
        ("0100010800ff", True),
        ("0000600100ff", True),
        ("000000000000", False),
        ("454744303132", False),
        ("0100", False),
    ],
)
def test_what_looks_like_a_logical_name(octets: str, *, likely: bool) -> None:
    assert is_likely(bytes.fromhex(octets)) is likely
