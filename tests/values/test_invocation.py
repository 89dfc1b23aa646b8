"""Invoke ids: lossless, and the short one by table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import InvokeIdAndPriority, LongInvokeIdAndPriority


def test_the_usual_octet() -> None:
    assert InvokeIdAndPriority(1).to_octet() == 0xC1
    assert InvokeIdAndPriority.from_octet(0xC1) == InvokeIdAndPriority(
        invoke_id=1, confirmed=True, high_priority=True, reserved=0
    )
    assert InvokeIdAndPriority(5, confirmed=False, high_priority=False).to_octet() == 0x05


@pytest.mark.parametrize("octet", range(256))
def test_every_octet_round_trips(octet: int) -> None:
    value = InvokeIdAndPriority.from_octet(octet)
    assert value.to_octet() == octet
    assert value is InvokeIdAndPriority.from_octet(octet)
    assert value.with_id(9).to_octet() == octet & 0xF0 | 9


@pytest.mark.parametrize("number", [-1, 256, 1000])
def test_what_is_no_octet_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="not an octet"):
        InvokeIdAndPriority.from_octet(number)


def test_ids_outside_four_bits_are_refused() -> None:
    with pytest.raises(ValueError, match=r"invoke id must be 0\.\.15, not 16"):
        InvokeIdAndPriority(16)
    with pytest.raises(ValueError, match=r"invoke id must be 0\.\.15, not -1"):
        InvokeIdAndPriority(1).with_id(-1)
    with pytest.raises(ValueError, match=r"reserved bits must be 0\.\.3, not 4"):
        InvokeIdAndPriority(1, reserved=4)


def test_the_long_one_of_the_books_access_request() -> None:
    value = LongInvokeIdAndPriority.from_int(0x4000_0000)
    assert value == LongInvokeIdAndPriority(0, confirmed=True, high_priority=False)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (LongInvokeIdAndPriority(0x123456), 0xC012_3456),
        (LongInvokeIdAndPriority(1, confirmed=False, high_priority=False), 0x0000_0001),
        (LongInvokeIdAndPriority(1, self_descriptive=True), 0xD000_0001),
        (LongInvokeIdAndPriority(1, break_on_error=True), 0xE000_0001),
        (LongInvokeIdAndPriority(1, reserved=0xF), 0xCF00_0001),
    ],
)
def test_the_bits_of_the_long_one(value: LongInvokeIdAndPriority, number: int) -> None:
    assert value.to_int() == number
    assert LongInvokeIdAndPriority.from_int(number) == value


@given(st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFF_FFFF))
def test_every_long_one_round_trips(number: int, invoke_id: int) -> None:
    value = LongInvokeIdAndPriority.from_int(number)
    assert value.to_int() == number
    assert value.with_id(invoke_id).to_int() == number & 0xFF00_0000 | invoke_id


def test_long_ones_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"long-invoke-id-and-priority must be 0\.\.4294967295"):
        LongInvokeIdAndPriority.from_int(1 << 32)
    with pytest.raises(ValueError, match=r"long invoke id must be 0\.\.16777215"):
        LongInvokeIdAndPriority(1 << 24)
    with pytest.raises(ValueError, match=r"long invoke id must be 0\.\.16777215"):
        LongInvokeIdAndPriority(0).with_id(1 << 24)
    with pytest.raises(ValueError, match=r"reserved bits must be 0\.\.15"):
        LongInvokeIdAndPriority(0, reserved=16)
