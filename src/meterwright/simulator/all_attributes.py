"""Attribute 0 of an object: all its attributes in one structure, in their order (Green Book 9.3.6).

What cannot be read stands as null-data. What is null-data when written stays as it is; the first that is refused ends it.
"""

from meterwright.data import Data, DataTag, null_data
from meterwright.simulator.behaviour import Behaviour, Refusal
from meterwright.values import DataAccessResult

__all__ = ["ALL", "read_all", "write_all"]

ALL = 0


def read_all(behaviour: Behaviour) -> Data:
    """Every attribute of the class."""

    def one(attribute_id: int) -> Data:
        try:
            return behaviour.get(attribute_id, None)
        except Refusal:
            return null_data(None)

    return Data(DataTag.STRUCTURE, tuple(map(one, sorted(behaviour.interface.attributes))))


def write_all(behaviour: Behaviour, value: Data) -> None:
    """Refusal (type-unmatched) where it is no structure of as many elements as the class has attributes."""
    numbers = sorted(behaviour.interface.attributes)
    values = value.value
    if value.tag is not DataTag.STRUCTURE or not isinstance(values, tuple) or len(values) != len(numbers):
        raise Refusal(DataAccessResult.TYPE_UNMATCHED)
    for number, each in zip(numbers, values, strict=True):
        if each.tag is not DataTag.NULL_DATA:
            behaviour.set(number, each, None)
