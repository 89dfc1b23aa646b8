"""The strategies make what the declarations say, all of it, and are missed politely."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterwright.apdu import APDUS, ActionResponseNormal, Apdu, Unreadable
from meterwright.cosem import INTERFACE_CLASSES
from meterwright.data import (
    Data,
    DataTag,
    DataType,
    anything,
    array,
    logical_name,
    long64,
    long_unsigned,
    octet_time,
)
from meterwright.errors import RemoteProtocolError
from meterwright.testing import apdus, data_of, data_trees
from meterwright.values import DataAccessResult

CLASSES: list[type[Apdu]] = list(APDUS)
QUICKLY = settings(max_examples=30)


def data_types() -> Iterator[tuple[str, DataType[Any]]]:
    """Every type that a declared interface class uses."""
    for declared in INTERFACE_CLASSES.values():
        for attribute in declared.attributes.values():
            yield f"{declared.__name__}.{attribute.name}", attribute.type
        for method in declared.methods.values():
            yield f"{declared.__name__}.{method.name}", method.parameter
            yield f"{declared.__name__}.{method.name} returns", method.returns


DATA_TYPES = {name: data_type for data_type, name in {each: name for name, each in data_types()}.items()}
"""Each once, by the name of one place where it is used."""


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_class_gives_its_own_values(kind: type[Apdu]) -> None:
    @QUICKLY
    @given(apdus(kind))
    def check(apdu: Apdu) -> None:
        assert type(apdu) is kind
        assert apdu.to_octets().startswith(kind.prefix)

    check()


def test_any_apdu_is_of_any_class() -> None:
    seen: set[type[Apdu]] = set()

    @settings(max_examples=300)
    @given(apdus())
    def collect(apdu: Apdu) -> None:
        seen.add(type(apdu))

    collect()
    assert len(seen) > len(CLASSES) / 2
    assert seen <= set(CLASSES)


def test_trees_have_every_tag_and_nest() -> None:
    tags: set[DataTag] = set()
    depths: set[int] = set()

    def look(data: Data) -> int:
        tags.add(data.tag)
        inner = data.value if isinstance(data.value, tuple) else ()
        return 1 + max(map(look, inner), default=0)

    @settings(max_examples=300)
    @given(data_trees())
    def collect(data: Data) -> None:
        depths.add(look(data))

    collect()
    assert tags == set(DataTag)
    assert depths >= {1, 2, 3}


def test_return_parameters_may_be_unreadable() -> None:
    seen: set[type] = set()

    @given(apdus(ActionResponseNormal))
    def collect(apdu: ActionResponseNormal) -> None:
        seen.add(type(apdu.return_parameters))

    collect()
    assert seen == {type(None), Data, DataAccessResult, Unreadable}


@pytest.mark.parametrize(
    ("data_type", "tag"),
    [
        (long_unsigned, DataTag.LONG_UNSIGNED),
        (logical_name, DataTag.OCTET_STRING),
        (array(octet_time), DataTag.ARRAY),
    ],
    ids=["number", "logical-name", "array"],
)
def test_data_of_a_type_has_its_tag(data_type: DataType[Any], tag: DataTag) -> None:
    @QUICKLY
    @given(data_of(data_type))
    def check(data: Data) -> None:
        assert data.tag is tag

    check()


def test_data_of_anything_is_any_data() -> None:
    assert data_of(anything) is data_trees()


@pytest.mark.parametrize("data_type", list(DATA_TYPES.values()), ids=list(DATA_TYPES))
def test_every_declared_type_takes_what_it_is_given(data_type: DataType[Any]) -> None:
    """Read and written again it is the same Data: for every attribute and method of every declared class."""

    @QUICKLY
    @given(data_of(data_type))
    def check(data: Data) -> None:
        value = data_type.from_data(data)
        if data_type.name != "integer 0":  # what a trigger is given is not looked at
            assert data_type(value) == data

    check()


@pytest.mark.parametrize("data_type", list(DATA_TYPES.values()), ids=list(DATA_TYPES))
def test_every_declared_type_refuses_only_as_it_may(data_type: DataType[Any]) -> None:
    """Data of any other shape, or with any other numbers in it, is a value or a RemoteProtocolError, and nothing else."""

    @QUICKLY
    @given(data_trees() | with_other_numbers(data_type))
    def check(data: Data) -> None:
        with contextlib.suppress(RemoteProtocolError):
            data_type.from_data(data)

    check()


@st.composite
def with_other_numbers(draw: st.DrawFn, data_type: DataType[Any]) -> Data:
    """Data of the right shape, each number in it replaced by any that a meter can send."""

    def changed(data: Data) -> Data:
        if isinstance(data.value, tuple):
            return Data(data.tag, tuple(changed(each) for each in data.value))
        return draw(wide) if isinstance(data.value, int) else data

    wide = st.integers(-(1 << 63), (1 << 63) - 1).map(long64)
    return changed(draw(data_of(data_type)))


WITHOUT_HYPOTHESIS = """
import sys
sys.modules["hypothesis"] = None
import meterwright.testing
assert meterwright.testing.run_in_virtual_time is not None
try:
    meterwright.testing.apdus
except ImportError as error:
    from meterwright.errors import UsageError
    assert isinstance(error, UsageError)
    print(error, "|", error.hint)
"""


def test_without_hypothesis_the_rest_works_and_the_strategies_say_what_to_do() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_HYPOTHESIS], capture_output=True, text=True, check=True, timeout=60
    )
    assert "needs hypothesis" in run.stdout
    assert "meterwright[testing]" in run.stdout


def test_testing_imports_hypothesis_only_when_asked() -> None:
    command = "import sys, meterwright.testing; print('hypothesis' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "False"
