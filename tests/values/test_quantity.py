"""Quantities: exact, never rescaled, never mixed."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import Quantity, ScalerUnit, Unit

scalers = st.integers(-128, 127)
u64 = st.integers(-(2**63), 2**64 - 1)
WATT_HOURS = ScalerUnit(-1, Unit.WATT_HOUR)


@pytest.mark.parametrize(
    ("raw", "scaler", "unit", "text"),
    [
        (12345, -1, Unit.WATT_HOUR, "1234.5 Wh"),
        (12345, 0, Unit.WATT_HOUR, "12345 Wh"),
        (12345, 3, Unit.WATT_HOUR, "12345000 Wh"),
        (2300, -1, Unit.VOLT, "230.0 V"),
        (-5, -3, Unit.AMPERE, "-0.005 A"),
        (0, -2, Unit.CUBIC_METRE, "0.00 m³"),
        (7, 0, Unit.UNITLESS, "7"),
        (7, 0, Unit(99), "7 unknown-99"),
        (0.1, 0, Unit.HERTZ, "0.1 Hz"),
        (49.97, -1, Unit.HERTZ, "4.997 Hz"),
        (1e22, 0, Unit.WATT, "10000000000000000000000 W"),
        (math.inf, 2, Unit.WATT, "Infinity W"),
        (-math.inf, 2, Unit.WATT, "-Infinity W"),
        (math.nan, 2, Unit.WATT, "NaN W"),
    ],
)
def test_scaled_and_printed(raw: float, scaler: int, unit: Unit, text: str) -> None:
    assert str(Quantity.scaled(raw, ScalerUnit(scaler, unit))) == text


@given(u64, scalers)
def test_integers_are_scaled_exactly_in_any_decimal_context(raw: int, scaler: int) -> None:
    with localcontext() as context:
        context.prec = 3
        value = Quantity.scaled(raw, ScalerUnit(scaler, Unit.WATT)).value
    assert Fraction(value) == raw * Fraction(10) ** scaler


@given(st.floats(), scalers)
def test_every_float_makes_a_quantity(raw: float, scaler: int) -> None:
    quantity = Quantity.scaled(raw, ScalerUnit(scaler, Unit.WATT))
    assert str(quantity).endswith(" W")
    assert quantity.value.is_finite() == math.isfinite(raw)
    assert hash(quantity) == hash(quantity)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_unscaled_float_comes_back(raw: float) -> None:
    assert float(Quantity.scaled(raw, ScalerUnit()).value) == raw


@given(u64, scalers, u64, scalers)
def test_sums_and_differences_are_exact(a: int, a_scaler: int, b: int, b_scaler: int) -> None:
    first = Quantity.scaled(a, ScalerUnit(a_scaler, Unit.WATT))
    second = Quantity.scaled(b, ScalerUnit(b_scaler, Unit.WATT))
    assert Fraction((first + second).value) == Fraction(first.value) + Fraction(second.value)
    assert Fraction((first - second).value) == Fraction(first.value) - Fraction(second.value)
    assert (first + second).unit is Unit.WATT


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    scalers,
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_floats_add_exactly_too(a: float, scaler: int, b: float) -> None:
    first, second = Quantity.scaled(a, ScalerUnit(scaler)), Quantity.scaled(b, ScalerUnit())
    assert Fraction((first + second).value) == Fraction(first.value) + Fraction(second.value)


@given(u64, u64)
def test_order_is_that_of_the_numbers(a: int, b: int) -> None:
    first, second = Quantity.scaled(a, WATT_HOURS), Quantity.scaled(b, WATT_HOURS)
    assert (first < second) == (a < b)
    assert (first <= second) == (a <= b)
    assert (first > second) == (a > b)
    assert (first >= second) == (a >= b)
    assert (first == second) == (a == b)


def test_the_same_number_scaled_otherwise_is_equal() -> None:
    first = Quantity.scaled(10, ScalerUnit(2, Unit.WATT))
    second = Quantity.scaled(1000, ScalerUnit(0, Unit.WATT))
    assert first == second
    assert hash(first) == hash(second)


def test_different_units_are_unequal_and_cannot_be_mixed() -> None:
    power, energy = Quantity(Decimal(1), Unit.WATT), Quantity(Decimal(1), Unit.WATT_HOUR)
    assert power != energy
    for mix in (
        lambda: power + energy,
        lambda: power - energy,
        lambda: power < energy,
        lambda: power <= energy,
        lambda: power > energy,
        lambda: power >= energy,
    ):
        with pytest.raises(ValueError, match="1 W and 1 Wh have different units"):
            mix()


def test_not_a_number_has_no_order_and_does_not_fail() -> None:
    number = Quantity.scaled(1, WATT_HOURS)
    nothing = Quantity.scaled(math.nan, WATT_HOURS)
    assert not any((number < nothing, number <= nothing, nothing > number, nothing >= number))
    assert str(number + nothing) == "NaN Wh"
    infinite = Quantity.scaled(math.inf, WATT_HOURS)
    assert number < infinite
    assert str(infinite - infinite) == "NaN Wh"


@pytest.mark.parametrize("scaler", [-129, 128])
def test_a_scaler_is_a_signed_octet(scaler: int) -> None:
    with pytest.raises(ValueError, match=rf"scaler must be -128\.\.127, not {scaler}"):
        ScalerUnit(scaler)
