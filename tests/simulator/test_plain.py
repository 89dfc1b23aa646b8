"""The plain meter: what it measures, and its clock."""

import pytest
from tests.simulator.rig import START, Rig

from meterwright.data import Data, DataTag, enum, integer, long, octet_string
from meterwright.simulator import MeterSettings
from meterwright.values import ActionResult, CosemDateTime, DataAccessResult

CLOCK, ENERGY, VOLTAGE = "0.0.1.0.0.255", "1.0.1.8.0.255", "1.0.32.7.0.255"


def plain(serial: int = 1, seed: int = 0) -> Rig:
    rig = Rig(MeterSettings(seed=seed), serial=serial)
    rig.associate()
    return rig


def test_it_says_who_it_is() -> None:
    rig = plain(42)
    assert rig.value(1, "0.0.42.0.0.255", 2) == b"MWS0000000042"
    assert rig.value(1, "0.0.96.1.0.255", 2) == b"0000000042"
    assert rig.value(1, "1.0.0.2.0.255", 2) == b"MW-1.0"
    signature = rig.value(1, "1.0.0.2.8.255", 2)
    assert isinstance(signature, bytes)
    assert len(signature) == 32


def test_energy_grows_with_time_and_has_its_unit() -> None:
    rig = plain()
    assert rig.get(3, ENERGY, 3) == Data(DataTag.STRUCTURE, (integer(-1), enum(30)))
    before = rig.value(3, ENERGY, 2)
    rig.wait(3600)
    after = rig.value(3, ENERGY, 2)
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert 2000 <= after - before <= 8000  # 200 to 800 W for an hour, in 0.1 Wh


def test_voltage_swings() -> None:
    rig = plain()
    assert rig.get(3, VOLTAGE, 3) == Data(DataTag.STRUCTURE, (integer(-1), enum(35)))
    seen: set[object] = set()
    for _ in range(60):
        value = rig.value(3, VOLTAGE, 2)
        assert isinstance(value, int)
        assert 2250 <= value <= 2350
        seen.add(value)
        rig.wait(10)
    assert len(seen) > 10


def test_the_same_seed_measures_the_same() -> None:
    assert plain().value(3, ENERGY, 2) == plain().value(3, ENERGY, 2)
    assert plain(seed=0).value(3, ENERGY, 2) != plain(seed=1).value(3, ENERGY, 2)
    assert plain(serial=1).value(3, ENERGY, 2) != plain(serial=2).value(3, ENERGY, 2)


def test_the_clock_runs() -> None:
    rig = plain()
    assert rig.value(8, CLOCK, 2) == CosemDateTime.from_datetime(START).to_octets()
    rig.wait(90)
    time = rig.value(8, CLOCK, 2)
    assert isinstance(time, bytes)
    assert (CosemDateTime.from_octets(time).to_datetime() - START).total_seconds() == 90


def test_the_clock_can_be_set_and_energy_does_not_care() -> None:
    rig = plain()
    energy = rig.value(3, ENERGY, 2)
    other = CosemDateTime.from_datetime(START.replace(year=2031))
    assert rig.put(8, CLOCK, 2, octet_string(other.to_octets())) is DataAccessResult.SUCCESS
    assert rig.value(8, CLOCK, 2) == other.to_octets()
    assert rig.value(3, ENERGY, 2) == energy


def test_a_time_without_deviation_is_local() -> None:
    rig = plain()
    local = CosemDateTime(2030, 5, 6, hour=7, minute=8, second=9)
    assert rig.put(8, CLOCK, 2, octet_string(local.to_octets())) is DataAccessResult.SUCCESS
    time = rig.value(8, CLOCK, 2)
    assert isinstance(time, bytes)
    assert CosemDateTime.from_octets(time).to_datetime().isoformat() == "2030-05-06T07:08:09+00:00"


@pytest.mark.parametrize("wrong", [CosemDateTime(), CosemDateTime(2030, 2, 30, hour=0, minute=0, second=0)])
def test_a_time_that_is_none_is_refused(wrong: CosemDateTime) -> None:
    rig = plain()
    assert rig.put(8, CLOCK, 2, octet_string(wrong.to_octets())) is DataAccessResult.OTHER_REASON
    assert rig.value(8, CLOCK, 2) == CosemDateTime.from_datetime(START).to_octets()


def test_the_clock_can_be_shifted() -> None:
    rig = plain()
    assert rig.call(6, long(-30), 8, CLOCK) is ActionResult.SUCCESS
    time = rig.value(8, CLOCK, 2)
    assert isinstance(time, bytes)
    assert (CosemDateTime.from_octets(time).to_datetime() - START).total_seconds() == -30
    assert rig.call(6, long(901), 8, CLOCK) is ActionResult.OTHER_REASON
