"""Arrays read by the shape of their rows: the same nodes and the same errors as element by element."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.test_rows import STAMP, array, buffers, elements_of, outcome, structure
from tests.data.test_tree import calls_during

from meterwright.data import DEEPEST_NESTING, Data, DataTag
from meterwright.data.shape import PLAIN_ARRAY
from meterwright.data.tree import DECODERS
from meterwright.testing import data_trees

ROW = structure(Data(DataTag.UNSIGNED, 5), Data(DataTag.OCTET_STRING, STAMP))


@contextmanager
def element_by_element() -> Generator[None]:
    """No shape is looked for."""
    by_shape = DECODERS[DataTag.ARRAY]
    DECODERS[DataTag.ARRAY] = PLAIN_ARRAY
    try:
        yield
    finally:
        DECODERS[DataTag.ARRAY] = by_shape


def plainly(octets: bytes) -> str:
    with element_by_element():
        return outcome(Data.from_octets, octets)


@given(buffers(), st.integers(2, 9), st.lists(data_trees(), max_size=1))
def test_many_rows_are_the_same_nodes(data: Data, times: int, more: list[Data]) -> None:
    octets = structure(array(*elements_of(data) * times, *more), Data(DataTag.UNSIGNED, 1)).to_octets()
    assert outcome(Data.from_octets, octets) == plainly(octets)
    made = elements_of(Data.from_octets(octets))[0]
    assert all(type(row) is Data and type(row.tag) is DataTag for row in elements_of(made))
    assert made.to_octets() == octets[2:-2]


@given(buffers(), st.data())
def test_a_wrong_octet_is_what_it_is_element_by_element(data: Data, draw: st.DataObject) -> None:
    octets = bytearray(array(*elements_of(data) * 8).to_octets())
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(octets) - 1))
        octets[place : place + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2))
        octets = octets or bytearray(1)
    assert outcome(Data.from_octets, bytes(octets)) == plainly(bytes(octets))


def test_every_octet_counts() -> None:
    good = array(*[ROW] * 8).to_octets()
    for place in range(len(good)):
        for octet in (0, 1, 2, 5, 9, 0x11, 0x7F, 0x81, 0xFF, good[place] ^ 1):
            octets = good[:place] + bytes((octet,)) + good[place + 1 :]
            assert outcome(Data.from_octets, octets) == plainly(octets)
        assert outcome(Data.from_octets, good[:place]) == plainly(good[:place])


@pytest.mark.parametrize("deep", [DEEPEST_NESTING - 2, DEEPEST_NESTING - 1, DEEPEST_NESTING])
def test_nesting_is_capped_as_ever(deep: int) -> None:
    octets = b"\x02\x01" * deep + array(*[ROW] * 8).to_octets()
    assert outcome(Data.from_octets, octets) == plainly(octets)


def test_rows_of_one_shape_take_no_call_each() -> None:
    octets = array(*[ROW] * 5000).to_octets()
    assert calls_during(lambda: Data.from_octets(octets)) < 100


def test_arrays_in_arrays_are_not_read_again_at_each_level() -> None:
    data = array(*[ROW] * 8)
    for _ in range(DEEPEST_NESTING // 2 - 1):
        empty = structure(Data(DataTag.NULL_DATA, None))
        data = array(structure(data), *[empty] * 7)
    octets = data.to_octets()
    steps = calls_during(lambda: Data.from_octets(octets))
    with element_by_element():
        assert steps < 3 * calls_during(lambda: Data.from_octets(octets))


def test_all_cells_without_a_value_are_one_node() -> None:
    null = Data(DataTag.NULL_DATA, None)
    made = Data.from_octets(array(*[structure(null, null)] * 8).to_octets())
    assert len({id(cell) for row in elements_of(made) for cell in elements_of(row)}) <= 2
