"""Which blocks a meter holds: attributes 3 and 4 read together, and what is made of it where they disagree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.firmware import BlockMap, reconciled
from meterwright.values import BitString, Level

flags = st.lists(st.booleans(), max_size=70)
maps = st.integers(0, 70).flatmap(
    lambda total: st.builds(BlockMap, st.just(total), st.integers(0, (1 << total) - 1))
)


def bits_of(text: str) -> BitString:
    return BitString.from_text(text)


def in_reverse(bits: BitString) -> BitString:
    """As some meters send it: the first block in the least significant bit of the first octet."""
    return BitString(bytes(int(f"{octet:08b}"[::-1], 2) for octet in bits.octets), bits.length)


@given(flags)
def test_a_map_is_its_bits(held: list[bool]) -> None:
    blocks = BlockMap.from_bits(BitString.from_bits(held), len(held))
    assert [blocks.has(number) for number in range(len(held))] == held
    assert blocks.to_bits() == BitString.from_bits(held)
    assert blocks.count == sum(held)


@given(maps)
def test_a_map_survives_being_written_as_bits(blocks: BlockMap) -> None:
    assert BlockMap.from_bits(blocks.to_bits(), blocks.total) == blocks
    assert blocks.to_bits().length == blocks.total


@given(maps)
def test_every_block_is_either_present_or_missing(blocks: BlockMap) -> None:
    present, missing = list(blocks.present()), list(blocks.missing())
    assert sorted(present + missing) == list(range(blocks.total))
    assert present == sorted(present)
    assert missing == sorted(missing)
    assert all(blocks.has(number) for number in present)
    assert not any(blocks.has(number) for number in missing)
    assert blocks.count == len(present)
    assert blocks.is_full is (not missing)
    assert blocks.first_missing == (missing[0] if missing else blocks.total)


@given(st.integers(0, 70), st.integers(0, 100))
def test_up_to_holds_what_lies_below(total: int, first_missing: int) -> None:
    blocks = BlockMap.up_to(first_missing, total)
    assert list(blocks.present()) == list(range(min(first_missing, total)))
    assert blocks.first_missing == min(first_missing, total)


@given(maps, st.data())
def test_within_is_the_order_of_sets(blocks: BlockMap, data: st.DataObject) -> None:
    other = BlockMap(blocks.total, data.draw(st.integers(0, (1 << blocks.total) - 1)))
    assert blocks.is_within(other) is (set(blocks.present()) <= set(other.present()))
    assert blocks.is_within(blocks)
    assert BlockMap.up_to(0, blocks.total).is_within(blocks)
    assert blocks.is_within(BlockMap.up_to(blocks.total, blocks.total))


@given(maps, st.sets(st.integers(0, 69)))
def test_with_blocks_holds_these_too(blocks: BlockMap, numbers: set[int]) -> None:
    numbers = {number for number in numbers if number < blocks.total}
    more = blocks.with_blocks(numbers)
    assert set(more.present()) == set(blocks.present()) | numbers
    assert blocks.is_within(more)
    assert more.total == blocks.total


def test_a_block_that_is_held_already_is_held_once() -> None:
    assert BlockMap.up_to(3, 8).with_blocks({0, 2}) == BlockMap.up_to(3, 8)


@pytest.mark.parametrize(
    ("text", "total", "held"),
    [
        ("110", 3, [0, 1]),
        ("1101", 3, [0, 1]),  # one bit too many: passed over
        ("11011111", 3, [0, 1]),  # padded to an octet, with ones
        ("1" * 100, 3, [0, 1, 2]),  # as long as the meter's flash
        ("11", 5, [0, 1]),  # too short: what is not there is missing
        ("", 5, []),
        ("", 0, []),
        ("1", 0, []),
    ],
)
def test_only_as_many_bits_count_as_there_are_blocks(text: str, total: int, held: list[int]) -> None:
    assert list(BlockMap.from_bits(bits_of(text), total).present()) == held


def test_padding_bits_do_not_count() -> None:
    assert list(BlockMap.from_bits(BitString(b"\xff", 3), 8).present()) == [0, 1, 2]


# ---------------------------------------------------------------------------------------------------- attribute 4


@given(flags)
def test_where_both_attributes_agree_the_map_is_what_it_says(held: list[bool]) -> None:
    bits = BitString.from_bits(held)
    first_missing = next((number for number, each in enumerate(held) if not each), len(held))
    blocks, odd = reconciled(bits, first_missing, len(held))
    assert odd is None
    assert blocks == BlockMap.from_bits(bits, len(held))
    assert blocks.bits_read == len(held)


@pytest.mark.parametrize("first_missing", [10, 11, 0xFFFF_FFFF])
def test_a_full_map_may_be_told_by_any_number_beyond_the_last(first_missing: int) -> None:
    blocks, odd = reconciled(bits_of("1" * 10), first_missing, 10)
    assert odd is None
    assert blocks.is_full


@pytest.mark.parametrize(("first_missing", "held"), [(0, 0), (4, 4), (10, 10), (99, 10)])
def test_where_the_map_is_refused_attribute_4_is_all_there_is(first_missing: int, held: int) -> None:
    blocks, odd = reconciled(None, first_missing, 10)
    assert odd is None
    assert list(blocks.present()) == list(range(held))
    assert blocks.bits_read is None


@pytest.mark.parametrize("held", [1, 3, 5, 9, 12])
def test_a_map_with_its_bits_reversed_is_recognised(held: int) -> None:
    right = BlockMap.up_to(held, 16)
    blocks, odd = reconciled(in_reverse(right.to_bits()), held, 16)
    assert blocks == right
    assert odd is not None
    assert (odd.code, odd.level) == ("block-map-reversed", Level.WARNING)


@pytest.mark.parametrize(
    ("text", "first_missing", "held"),
    [
        ("1111100000", 3, [0, 1, 2]),  # attribute 4 says less
        ("1110000000", 5, [0, 1, 2]),  # the map says less
        ("1110111111", 0, []),
        ("0000000000", 10, []),
        ("1111111111", 4, [0, 1, 2, 3]),
        ("1011000000", 5, [0, 2, 3]),
    ],
)
def test_where_they_disagree_only_what_both_say_is_believed(
    text: str, first_missing: int, held: list[int]
) -> None:
    blocks, odd = reconciled(bits_of(text), first_missing, 10)
    assert list(blocks.present()) == held
    assert odd is not None
    assert odd.code == "block-map-disagrees"


@given(flags, st.integers(0, 80), st.integers(0, 70))
def test_nothing_is_believed_held_that_the_map_denies_either_way(
    held: list[bool], first_missing: int, total: int
) -> None:
    """Whatever a meter says: never a block more than the map (read straight, or in reverse) has."""
    bits = BitString.from_bits(held)
    blocks, odd = reconciled(bits, first_missing, total)
    straight = BlockMap.from_bits(bits, total)
    backwards = BlockMap.from_bits(in_reverse(bits), total)
    assert blocks.total == total
    assert blocks.is_within(straight) or blocks == backwards
    assert (odd is None) is (straight.first_missing == min(first_missing, total))


@pytest.mark.parametrize(("text", "total"), [("11100", 5), ("111000000000", 5), ("111", 5)])
def test_how_many_bits_there_were_is_remembered_and_makes_no_difference_to_equality(
    text: str, total: int
) -> None:
    blocks, _ = reconciled(bits_of(text), 3, total)
    assert blocks.bits_read == len(text)
    assert blocks == BlockMap.up_to(3, total)


def test_a_map_of_a_million_blocks_is_no_work() -> None:
    total = 1_000_000
    blocks = BlockMap.up_to(total - 1, total)
    assert list(blocks.missing()) == [total - 1]
    assert BlockMap.from_bits(blocks.to_bits(), total) == blocks
