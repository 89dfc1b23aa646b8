"""Behaviour, declared against interface classes: types, rights, and what is refused how."""

from datetime import UTC, datetime
from functools import partial

import pytest

from meterwright.apdu import SelectiveAccess
from meterwright.cosem import BlockSize, Clock, DataObject, ImageTransfer, Register
from meterwright.data import (
    Data,
    boolean,
    integer,
    long,
    long_unsigned,
    null_data,
    octet_string,
    unsigned,
    visible_string,
)
from meterwright.server import ActionOutcome
from meterwright.simulator import Access, Behaviour, Refusal, Stored, invokes, reads, writes
from meterwright.values import ActionResult, CosemDateTime, DataAccessResult, ScalerUnit, Unit

NOON = CosemDateTime.from_datetime(datetime(2026, 1, 1, 12, tzinfo=UTC))
NIGHT = CosemDateTime.from_datetime(datetime(2026, 1, 2, 0, tzinfo=UTC))


class AClock(Behaviour, implements=Clock):
    """A clock with a bit of everything."""

    def __init__(self, *stored: Stored[int] | Stored[bool]) -> None:
        super().__init__("0.0.1.0.0.255", stored)
        self.shown = NOON
        self.shifted: list[int] = []

    @reads(Clock.time)
    def time(self) -> CosemDateTime:
        return self.shown

    @writes(Clock.time)
    def set_time(self, value: CosemDateTime) -> None:
        self.shown = value

    @writes(Clock.daylight_savings_begin)
    def set_begin(self, value: CosemDateTime) -> None:
        self.shown = value
        raise Refusal(DataAccessResult.TEMPORARY_FAILURE)

    @invokes(Clock.shift_time)
    def shift(self, seconds: int) -> None:
        self.shifted.append(seconds)

    @invokes(Clock.adjust_to_minute)
    def adjust(self, _: None) -> ActionResult:
        return ActionResult.TEMPORARY_FAILURE

    @invokes(Clock.adjust_to_quarter)
    def quarter(self, _: None) -> None:
        raise Refusal(ActionResult.HARDWARE_FAULT)


class ASpecialClock(AClock):
    """Keeps its base's class and functions, and replaces one."""

    @reads(Clock.time)
    def midnight(self) -> CosemDateTime:
        return NIGHT


def refusal(act: object) -> DataAccessResult:
    assert callable(act)
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value.data_access_result


def test_functions_can_be_called_as_they_are() -> None:
    clock = AClock()
    assert clock.time() == NOON
    clock.set_time(NIGHT)
    assert clock.time() == NIGHT
    clock.shift(5)
    assert clock.shifted == [5]
    assert AClock.time.attribute is Clock.time


def test_values_travel_as_their_class_declares() -> None:
    clock = AClock(Stored(Clock.time_zone, -60))
    assert clock.get(1) == octet_string(bytes.fromhex("0000010000ff"))
    assert clock.get(2) == octet_string(NOON.to_octets())
    assert clock.get(3) == long(-60)
    clock.set(2, octet_string(NIGHT.to_octets()))
    assert clock.shown == NIGHT


def test_a_derived_behaviour_replaces_what_it_declares_anew() -> None:
    assert ASpecialClock.interface is Clock
    clock = ASpecialClock()
    assert clock.get(2) == octet_string(NIGHT.to_octets())
    clock.set(2, octet_string(NIGHT.to_octets()))
    assert clock.shown == NIGHT


def test_rights_follow_from_what_is_implemented() -> None:
    clock = AClock(
        Stored(Clock.time_zone, 0), Stored(Clock.daylight_savings_enabled, False, Access.READ_WRITE)
    )
    rights = clock.list_element().access_rights
    modes = {each.attribute_id: each.access_mode for each in rights.attribute_access}
    assert modes == {1: 1, 2: 3, 3: 1, 4: 0, 5: 2, 6: 0, 7: 0, 8: 3, 9: 0}
    methods = {each.method_id: each.access_mode.value for each in rights.method_access}
    assert methods == {1: 1, 2: 0, 3: 1, 4: 0, 5: 0, 6: 1}
    element = clock.list_element()
    assert (element.class_id, element.version, str(element.logical_name)) == (8, 0, "0.0.1.0.0.255")


def test_rights_can_be_taken_away() -> None:
    class Limited(Behaviour, implements=Clock):
        @reads(Clock.time)
        def time(self) -> CosemDateTime:
            return NOON

        @invokes(Clock.shift_time)
        def shift(self, seconds: int) -> None:
            raise AssertionError(seconds)

    clock = Limited(
        "0.0.1.0.0.255",
        [Stored(Clock.time_zone, 0, Access.READ_WRITE)],
        limits={Clock.time: Access.NONE, Clock.time_zone: Access.WRITE, Clock.logical_name: Access.NONE},
        withheld=[Clock.shift_time],
    )
    assert refusal(lambda: clock.get(2)) is DataAccessResult.READ_WRITE_DENIED
    assert refusal(lambda: clock.get(3)) is DataAccessResult.READ_WRITE_DENIED
    clock.set(3, long(5))
    assert clock.get(1) == octet_string(clock.obis.octets)
    assert clock.invoke(6, long(1)) == ActionOutcome(ActionResult.READ_WRITE_DENIED)


@pytest.mark.parametrize(
    ("attribute", "result"),
    [
        (4, DataAccessResult.READ_WRITE_DENIED),
        (5, DataAccessResult.READ_WRITE_DENIED),
        (0, DataAccessResult.OBJECT_UNAVAILABLE),
        (10, DataAccessResult.OBJECT_UNAVAILABLE),
        (-1, DataAccessResult.OBJECT_UNAVAILABLE),
    ],
)
def test_what_cannot_be_read_says_why(attribute: int, result: DataAccessResult) -> None:
    assert refusal(lambda: AClock().get(attribute)) is result


@pytest.mark.parametrize(
    ("attribute", "value", "result"),
    [
        (1, octet_string(bytes(6)), DataAccessResult.READ_WRITE_DENIED),
        (2, octet_string(bytes(11)), DataAccessResult.TYPE_UNMATCHED),
        (2, null_data(None), DataAccessResult.TYPE_UNMATCHED),
        (2, Data(octet_string(b"").tag, bytes(13)), DataAccessResult.TYPE_UNMATCHED),
        (3, integer(5), DataAccessResult.READ_WRITE_DENIED),
        (5, octet_string(NOON.to_octets()), DataAccessResult.TEMPORARY_FAILURE),
        (99, null_data(None), DataAccessResult.OBJECT_UNAVAILABLE),
    ],
)
def test_what_cannot_be_written_says_why(attribute: int, value: Data, result: DataAccessResult) -> None:
    clock = AClock(Stored(Clock.time_zone, 0))
    assert refusal(lambda: clock.set(attribute, value)) is result


def test_a_number_of_another_size_is_another_type() -> None:
    clock = AClock(Stored(Clock.time_zone, 0, Access.READ_WRITE))
    for wrong in (integer(5), long_unsigned(5), boolean(True), visible_string("5")):
        assert refusal(partial(clock.set, 3, wrong)) is DataAccessResult.TYPE_UNMATCHED
    clock.set(3, long(5))
    assert clock.get(3) == long(5)


def test_a_free_type_keeps_its_kind() -> None:
    class Value(Behaviour, implements=DataObject):
        pass

    data = Value("0.0.96.1.0.255", [Stored(DataObject.value, unsigned(1), Access.READ_WRITE)])
    assert refusal(lambda: data.set(2, integer(1))) is DataAccessResult.TYPE_UNMATCHED
    data.set(2, unsigned(7))
    assert data.get(2) == unsigned(7)


def test_a_selector_is_beyond_what_is_offered() -> None:
    selection = SelectiveAccess(1, null_data(None))
    assert refusal(lambda: AClock().get(2, selection)) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(
    ("method", "parameter", "result"),
    [
        (6, long(7), ActionResult.SUCCESS),
        (6, integer(7), ActionResult.TYPE_UNMATCHED),
        (6, None, ActionResult.TYPE_UNMATCHED),
        (3, integer(0), ActionResult.TEMPORARY_FAILURE),
        (1, integer(0), ActionResult.HARDWARE_FAULT),
        (2, integer(0), ActionResult.READ_WRITE_DENIED),
        (7, integer(0), ActionResult.OBJECT_UNAVAILABLE),
        (0, None, ActionResult.OBJECT_UNAVAILABLE),
    ],
)
def test_calls_have_outcomes(method: int, parameter: Data | None, result: ActionResult) -> None:
    assert AClock().invoke(method, parameter) == ActionOutcome(result)


def test_an_attribute_of_another_class_is_a_mistake() -> None:
    class HasUnit(Behaviour, implements=Register):
        @reads(Register.scaler_unit)
        def unit(self) -> ScalerUnit:
            return ScalerUnit(0, Unit.WATT_HOUR)

    with pytest.raises(TypeError, match=r"Wrong: Clock does not declare .*scaler_unit"):
        type("Wrong", (HasUnit,), {}, implements=Clock)

    with pytest.raises(TypeError, match="does not declare"):
        AClock(Stored(ImageTransfer.image_transfer_enabled, True))


def test_the_type_checkers_refuse_another_type() -> None:
    """Each ignore below is proof: without an error there, both type checkers would call it unused."""

    class Wrong(Behaviour, implements=Clock):
        @reads(Clock.time)  # type: ignore[arg-type]  # an int is no CosemDateTime  # pyright: ignore[reportArgumentType]  # as before
        def time(self) -> int:
            return 0

        @writes(Clock.time_zone)  # type: ignore[arg-type]  # a time zone is a number  # pyright: ignore[reportArgumentType]  # as before
        def set_zone(self, value: str) -> None:
            raise AssertionError(value)

        @invokes(Clock.shift_time)  # type: ignore[arg-type]  # it takes seconds  # pyright: ignore[reportArgumentType]  # as before
        def shift(self, seconds: BlockSize) -> None:
            raise AssertionError(seconds)

    Stored(Clock.time_zone, "UTC")  # type: ignore[misc]  # a time zone is a number  # pyright: ignore[reportArgumentType]  # as before
    assert Wrong.readers
