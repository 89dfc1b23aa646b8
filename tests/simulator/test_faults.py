"""Faults by name: each changes what a meter does, may be asked for twice, and is told where it is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.rig import BLOCK, Rig, cut, octets

from meterwright.errors import UsageError
from meterwright.simulator import FAULTS, MeterSettings, with_faults
from meterwright.values import ActionResult

HARDWARE_FAULT = "wrong-length-hardware-fault"
IMAGE = octets(2 * BLOCK + 5)


def rig(*faults: str) -> Rig:
    rig = Rig(with_faults(MeterSettings(image_block_size=BLOCK), faults))
    rig.associate()
    assert rig.initiate(len(IMAGE)) is ActionResult.SUCCESS
    return rig


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK + 1, 200])
def test_a_block_of_the_wrong_length_is_a_hardware_fault(length: int) -> None:
    assert rig().block(0, bytes(length)) is ActionResult.TYPE_UNMATCHED
    faulty = rig(HARDWARE_FAULT)
    assert faulty.block(0, bytes(length)) is ActionResult.HARDWARE_FAULT
    assert faulty.meter.machine.record.blocks_rejected == 1
    assert faulty.first_missing() == 0


def test_the_last_block_has_a_right_length_too() -> None:
    faulty = rig(HARDWARE_FAULT)
    assert faulty.block(2, bytes(BLOCK)) is ActionResult.HARDWARE_FAULT
    assert faulty.block(2, cut(IMAGE, 2)) is ActionResult.SUCCESS


def test_right_blocks_are_taken_as_ever() -> None:
    faulty = rig(HARDWARE_FAULT)
    faulty.send_image(IMAGE)
    assert faulty.verify() is ActionResult.TEMPORARY_FAILURE


def test_nothing_else_is_changed() -> None:
    assert rig(HARDWARE_FAULT).block(9, bytes(BLOCK)) is ActionResult.OTHER_REASON


def test_without_faults_nothing_is_changed() -> None:
    settings = MeterSettings()
    assert with_faults(settings, ()) is settings


def test_a_fault_may_be_asked_for_twice() -> None:
    assert with_faults(MeterSettings(), [*FAULTS, *FAULTS]) == with_faults(MeterSettings(), FAULTS)


@given(st.text(max_size=100))
def test_another_name_is_told_with_those_that_are_known(name: str) -> None:
    if name in FAULTS:
        return
    with pytest.raises(UsageError, match="there is no fault") as told:
        with_faults(MeterSettings(), [name])
    assert HARDWARE_FAULT in told.value.hint
    assert len(told.value.what) < 90
