"""What a person may write to name an attribute."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.cli.reading import Wanted, parse_wanted
from meterwright.errors import UsageError
from meterwright.values import Obis

ENERGY = Obis.parse("1.0.1.8.0.255")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.0.1.8.0.255", Wanted(ENERGY)),
        ("1-0:1.8.0", Wanted(ENERGY)),
        ("1-0:1.8.0*255", Wanted(ENERGY)),
        ("0100010800FF", Wanted(ENERGY)),
        ("1.0.1.8.0.255:3", Wanted(ENERGY, 3)),
        ("1-0:1.8.0:3", Wanted(ENERGY, 3)),
        ("3/1.0.1.8.0.255/3", Wanted(ENERGY, 3, 3)),
        ("3/1-0:1.8.0/2", Wanted(ENERGY, 2, 3)),
        ("3/1.0.1.8.0.255", Wanted(ENERGY, 2, 3)),
        ("18/0.0.44.0.0.255/2", Wanted(Obis.parse("0.0.44.0.0.255"), 2, 18)),
    ],
)
def test_it_is_read(text: str, wanted: Wanted) -> None:
    assert parse_wanted(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clock",
        "1.0.1.8.0",
        "1.0.1.8.0.256",
        "1.0.1.8.0.255:0",
        "1.0.1.8.0.255:128",
        "1.0.1.8.0.255:-1",
        "0/1.0.1.8.0.255/2",
        "65536/1.0.1.8.0.255/2",
        "3/1.0.1.8.0.255/",
        "3/1.0.1.8.0.255/2/3",
        "3/1.0.1.8.0.255/٢",
        "1.0.1.8.0.255:" + "9" * 5000,
    ],
)
def test_it_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_wanted(text)
    assert refused.value.hint


@given(st.text(max_size=40))
def test_nothing_else_is_raised(text: str) -> None:
    with suppress(UsageError):
        assert 1 <= parse_wanted(text).attribute_id <= 127
