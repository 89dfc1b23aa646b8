"""Objects that hold a value: Data (class 1) and Register (class 3). Blue Book 4.3.1 and 4.3.2."""

from meterwright.cosem.interface import A_co, Attribute, InterfaceClass, Method, trigger
from meterwright.data import anything, scaler_unit

__all__ = ["DataObject", "Register"]


class DataObject(InterfaceClass[A_co], class_id=1, version=0):
    """Data: any value at all. Named DataObject here, as Data is the tree that values are made of."""

    value = Attribute(2, anything)


class Register(InterfaceClass[A_co], class_id=3, version=0):
    """Register: a quantity, as a number with a scaler and a unit."""

    value = Attribute(2, anything)
    scaler_unit = Attribute(3, scaler_unit, static=True)
    reset = Method(1, trigger)
