"""Physical quantities: a number as the meter keeps it, brought to its unit, exactly.

A register holds a bare number; its scaler_unit (Blue Book, Register) says what to make of it:
value × 10^scaler, in `unit`. The arithmetic is decimal and without rounding, whatever the caller's decimal
context. Refused, with ValueError: a scaler that is no signed octet, comparing or adding different units.
"""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

from meterwright.values.unit import Unit

__all__ = ["Quantity", "ScalerUnit"]

# Enough digits for any sum of numbers a meter can send: 64-bit integers, scaled by 10^-128 to 10^127.
_EXACT = Context(prec=1000, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class ScalerUnit:
    """The exponent of ten and the unit of a register's number."""

    scaler: int = 0
    unit: Unit = Unit.UNITLESS

    def __post_init__(self) -> None:
        if not -0x80 <= self.scaler <= 0x7F:
            raise ValueError(f"scaler must be -128..127, not {self.scaler}")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a unit, never rescaled behind your back: 1234.5 Wh stays Wh.

    Quantities of different units are unequal; comparing or adding them is an error.
    """

    value: Decimal
    unit: Unit = Unit.UNITLESS

    @classmethod
    def scaled(cls, raw: float, scaler_unit: ScalerUnit) -> "Quantity":
        """What a register's number means. Integers come out exact, floats as Python prints them."""
        number = Decimal(raw) if isinstance(raw, int) else Decimal(repr(raw))
        sign, digits, exponent = number.as_tuple()
        if isinstance(exponent, int):  # else it is infinite, or no number: meters with floats send those too
            number = Decimal((sign, digits, exponent + scaler_unit.scaler))
        return cls(number, scaler_unit.unit)

    def __add__(self, other: "Quantity") -> "Quantity":
        self._require_same_unit(other)
        return Quantity(_EXACT.add(self.value, other.value), self.unit)

    def __sub__(self, other: "Quantity") -> "Quantity":
        self._require_same_unit(other)
        return Quantity(_EXACT.subtract(self.value, other.value), self.unit)

    def __lt__(self, other: "Quantity") -> bool:
        return self._has_order(other) and self.value < other.value

    def __le__(self, other: "Quantity") -> bool:
        return self._has_order(other) and self.value <= other.value

    def __gt__(self, other: "Quantity") -> bool:
        return self._has_order(other) and self.value > other.value

    def __ge__(self, other: "Quantity") -> bool:
        return self._has_order(other) and self.value >= other.value

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit.symbol}".rstrip()

    def _has_order(self, other: "Quantity") -> bool:
        """Whether one can be said to be less than the other: never with not-a-number, as for floats."""
        self._require_same_unit(other)
        return not (self.value.is_nan() or other.value.is_nan())

    def _require_same_unit(self, other: "Quantity") -> None:
        if self.unit is not other.unit:
            raise ValueError(f"{self} and {other} have different units")
