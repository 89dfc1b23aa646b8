"""Units of measurement: what the `unit` of a scaler_unit stands for.

The codes are those of the Blue Book (Register, "Enumerated values for physical units").
"""

from typing import Self

from meterwright.values.open_enum import OpenIntEnum

__all__ = ["Unit"]


class Unit(OpenIntEnum):
    """A unit by its code; one row a unit: name, code, symbol. A code of no book is a unit too."""

    symbol: str

    def __new__(cls, code: int, symbol: str = "") -> Self:
        unit = int.__new__(cls, code)
        unit._value_ = code
        unit.symbol = symbol
        return unit

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        unit = super()._missing_(value)
        if unit is not None:
            unit.symbol = unit.label
        return unit

    YEAR = 1, "year"
    MONTH = 2, "month"
    WEEK = 3, "week"
    DAY = 4, "day"
    HOUR = 5, "h"
    MINUTE = 6, "min"
    SECOND = 7, "s"
    DEGREE = 8, "°"
    DEGREE_CELSIUS = 9, "°C"
    CURRENCY = 10, "currency"
    METRE = 11, "m"
    METRE_PER_SECOND = 12, "m/s"
    CUBIC_METRE = 13, "m³"
    CUBIC_METRE_CORRECTED = 14, "m³ corrected"
    CUBIC_METRE_PER_HOUR = 15, "m³/h"
    CUBIC_METRE_PER_HOUR_CORRECTED = 16, "m³/h corrected"
    CUBIC_METRE_PER_DAY = 17, "m³/d"
    CUBIC_METRE_PER_DAY_CORRECTED = 18, "m³/d corrected"
    LITRE = 19, "l"
    KILOGRAM = 20, "kg"
    NEWTON = 21, "N"
    NEWTON_METRE = 22, "Nm"
    PASCAL = 23, "Pa"
    BAR = 24, "bar"
    JOULE = 25, "J"
    JOULE_PER_HOUR = 26, "J/h"
    WATT = 27, "W"
    VOLT_AMPERE = 28, "VA"
    VAR = 29, "var"
    WATT_HOUR = 30, "Wh"
    VOLT_AMPERE_HOUR = 31, "VAh"
    VAR_HOUR = 32, "varh"
    AMPERE = 33, "A"
    COULOMB = 34, "C"
    VOLT = 35, "V"
    VOLT_PER_METRE = 36, "V/m"
    FARAD = 37, "F"
    OHM = 38, "Ω"
    OHM_SQUARE_METRE_PER_METRE = 39, "Ωm²/m"
    WEBER = 40, "Wb"
    TESLA = 41, "T"
    AMPERE_PER_METRE = 42, "A/m"
    HENRY = 43, "H"
    HERTZ = 44, "Hz"
    PER_WATT_HOUR = 45, "1/Wh"
    PER_VAR_HOUR = 46, "1/varh"
    PER_VOLT_AMPERE_HOUR = 47, "1/VAh"
    VOLT_SQUARED_HOUR = 48, "V²h"
    AMPERE_SQUARED_HOUR = 49, "A²h"
    KILOGRAM_PER_SECOND = 50, "kg/s"
    SIEMENS = 51, "S"
    KELVIN = 52, "K"
    PER_VOLT_SQUARED_HOUR = 53, "1/V²h"
    PER_AMPERE_SQUARED_HOUR = 54, "1/A²h"
    PER_CUBIC_METRE = 55, "1/m³"
    PERCENT = 56, "%"
    AMPERE_HOUR = 57, "Ah"
    WATT_HOUR_PER_CUBIC_METRE = 60, "Wh/m³"
    JOULE_PER_CUBIC_METRE = 61, "J/m³"
    MOLE_PERCENT = 62, "mol%"
    GRAM_PER_CUBIC_METRE = 63, "g/m³"
    PASCAL_SECOND = 64, "Pa·s"
    JOULE_PER_KILOGRAM = 65, "J/kg"
    GRAM_PER_SQUARE_CENTIMETRE = 66, "g/cm²"
    ATMOSPHERE = 67, "atm"
    DECIBEL_MILLIWATT = 70, "dBm"
    DECIBEL_MICROVOLT = 71, "dBµV"
    DECIBEL = 72, "dB"
    INCH = 128, "in"
    FOOT = 129, "ft"
    POUND = 130, "lb"
    DEGREE_FAHRENHEIT = 131, "°F"
    DEGREE_RANKINE = 132, "°R"
    SQUARE_INCH = 133, "in²"
    SQUARE_FOOT = 134, "ft²"
    ACRE = 135, "acre"
    CUBIC_INCH = 136, "in³"
    CUBIC_FOOT = 137, "ft³"
    ACRE_FOOT = 138, "acre-ft"
    IMPERIAL_GALLON = 139, "gal (imp)"
    US_GALLON = 140, "gal (US)"
    POUND_FORCE = 141, "lbf"
    POUND_FORCE_PER_SQUARE_INCH = 142, "psi"
    POUND_PER_CUBIC_FOOT = 143, "lb/ft³"
    POUND_PER_FOOT_SECOND = 144, "lb/(ft·s)"
    SQUARE_FOOT_PER_SECOND = 145, "ft²/s"
    BTU = 146, "BTU"
    THERM_EU = 147, "therm (EU)"
    THERM_US = 148, "therm (US)"
    BTU_PER_POUND = 149, "BTU/lb"
    BTU_PER_CUBIC_FOOT = 150, "BTU/ft³"
    # 151, 161 and 166 head the flows that follow them: volumes that have a code above already.
    CUBIC_FOOT_FLOW_BASE = 151, "ft³"
    FOOT_PER_SECOND = 152, "ft/s"
    CUBIC_FOOT_PER_SECOND = 153, "ft³/s"
    CUBIC_FOOT_PER_MINUTE = 154, "ft³/min"
    CUBIC_FOOT_PER_HOUR = 155, "ft³/h"
    CUBIC_FOOT_PER_DAY = 156, "ft³/d"
    ACRE_FOOT_PER_SECOND = 157, "acre-ft/s"
    ACRE_FOOT_PER_MINUTE = 158, "acre-ft/min"
    ACRE_FOOT_PER_HOUR = 159, "acre-ft/h"
    ACRE_FOOT_PER_DAY = 160, "acre-ft/d"
    IMPERIAL_GALLON_FLOW_BASE = 161, "gal (imp)"
    IMPERIAL_GALLON_PER_SECOND = 162, "gal (imp)/s"
    IMPERIAL_GALLON_PER_MINUTE = 163, "gal (imp)/min"
    IMPERIAL_GALLON_PER_HOUR = 164, "gal (imp)/h"
    IMPERIAL_GALLON_PER_DAY = 165, "gal (imp)/d"
    US_GALLON_FLOW_BASE = 166, "gal (US)"
    US_GALLON_PER_SECOND = 167, "gal (US)/s"
    US_GALLON_PER_MINUTE = 168, "gal (US)/min"
    US_GALLON_PER_HOUR = 169, "gal (US)/h"
    US_GALLON_PER_DAY = 170, "gal (US)/d"
    BTU_PER_SECOND = 171, "BTU/s"
    BTU_PER_MINUTE = 172, "BTU/min"
    BTU_PER_HOUR = 173, "BTU/h"
    BTU_PER_DAY = 174, "BTU/d"
    RESERVED = 253, "reserved"
    OTHER = 254, "other"
    UNITLESS = 255, ""
