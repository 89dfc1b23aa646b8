"""The room as a whole: what it exports, and the promises every value keeps."""

import importlib
import pkgutil
from types import ModuleType

import pytest

from meterwright import values

MODULES = [
    importlib.import_module(f"{values.__name__}.{module.name}")
    for module in pkgutil.iter_modules(values.__path__)
]


def test_everything_the_modules_export_can_be_had_from_the_package() -> None:
    exported = [name for module in MODULES for name in module.__all__]
    assert sorted(exported) == sorted(set(exported))
    assert set(values.__all__) == set(exported)
    assert all(hasattr(values, name) for name in values.__all__)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_public_name_says_what_it_is(module: ModuleType) -> None:
    assert module.__doc__
    for name in module.__all__:
        assert getattr(module, name).__doc__, name


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (values.Obis.parse("1.0.1.8.0.255"), "octets"),
        (values.BitString.from_text("0101"), "length"),
        (values.CosemDate(2024), "octets"),
        (values.CosemTime(12), "octets"),
        (values.CosemDateTime(2024), "octets"),
        (values.InvokeIdAndPriority(1), "invoke_id"),
        (values.LongInvokeIdAndPriority(1), "invoke_id"),
        (values.Quirks(), "verify_parameter"),
        (values.ScalerUnit(), "scaler"),
        (values.Quantity.scaled(1, values.ScalerUnit()), "value"),
        (values.Finding(values.Level.INFO, "a-code", "a message"), "message"),
    ],
    ids=lambda case: case if isinstance(case, str) else type(case).__name__,
)
def test_values_are_frozen_hashable_and_small(value: object, field: str) -> None:
    before = getattr(value, field)
    with pytest.raises(AttributeError):
        setattr(value, field, None)
    assert getattr(value, field) == before
    assert hash(value) == hash(value)
    assert not hasattr(value, "__dict__")
