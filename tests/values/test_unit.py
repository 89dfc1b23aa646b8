"""Units against the Blue Book's table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import Unit

# Volumes the Blue Book's table lists twice.
TWICE = {Unit.CUBIC_FOOT_FLOW_BASE, Unit.IMPERIAL_GALLON_FLOW_BASE, Unit.US_GALLON_FLOW_BASE}


@pytest.mark.parametrize(
    ("code", "unit", "symbol"),
    [
        (1, Unit.YEAR, "year"),
        (7, Unit.SECOND, "s"),
        (9, Unit.DEGREE_CELSIUS, "°C"),
        (13, Unit.CUBIC_METRE, "m³"),
        (14, Unit.CUBIC_METRE_CORRECTED, "m³ corrected"),
        (27, Unit.WATT, "W"),
        (30, Unit.WATT_HOUR, "Wh"),
        (32, Unit.VAR_HOUR, "varh"),
        (33, Unit.AMPERE, "A"),
        (35, Unit.VOLT, "V"),
        (44, Unit.HERTZ, "Hz"),
        (56, Unit.PERCENT, "%"),
        (57, Unit.AMPERE_HOUR, "Ah"),
        (60, Unit.WATT_HOUR_PER_CUBIC_METRE, "Wh/m³"),
        (67, Unit.ATMOSPHERE, "atm"),
        (72, Unit.DECIBEL, "dB"),
        (142, Unit.POUND_FORCE_PER_SQUARE_INCH, "psi"),
        (160, Unit.ACRE_FOOT_PER_DAY, "acre-ft/d"),
        (174, Unit.BTU_PER_DAY, "BTU/d"),
        (255, Unit.UNITLESS, ""),
    ],
)
def test_codes_and_symbols(code: int, unit: Unit, symbol: str) -> None:
    assert Unit(code) is unit
    assert unit.symbol == symbol


def test_the_table_is_whole() -> None:
    listed = {*range(1, 58), *range(60, 68), *range(70, 73), *range(128, 175), 253, 254, 255}
    assert {unit.value for unit in Unit} == listed


def test_symbols_tell_units_apart() -> None:
    symbols = [unit.symbol for unit in Unit if unit not in TWICE]
    assert len(symbols) == len(set(symbols))
    assert all(unit.symbol for unit in Unit if unit is not Unit.UNITLESS)


@given(st.integers(0, 255))
def test_every_octet_is_a_unit_with_a_symbol(code: int) -> None:
    unit = Unit(code)
    assert unit.is_known or unit.symbol == f"unknown-{code}"
    assert unit.symbol == Unit(code).symbol
