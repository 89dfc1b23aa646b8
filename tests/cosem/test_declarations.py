"""Interface classes: declared once, without two of anything, and the same for everybody who asks."""

import asyncio
from typing import Any

import pytest
from tests.cosem.fakes import AsyncFake, BlockingFake

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.cosem import (
    INTERFACE_CLASSES,
    AssociationLn,
    AssociationLnV0,
    AssociationLnV1,
    AssociationLnV2,
    AsyncAttribute,
    AsyncMethod,
    Attribute,
    BlockingAttribute,
    BlockingMethod,
    Clock,
    DataObject,
    ImageInitiation,
    ImageTransfer,
    InterfaceClass,
    Method,
    Register,
    interface_class,
    trigger,
)
from meterwright.data import Data, DataTag, integer, octet_date_time, octet_string, structure, unsigned
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import CosemDateTime, Obis, ScalerUnit, Unit

CLASSES = list(INTERFACE_CLASSES.values())
each_class = pytest.mark.parametrize("declared", CLASSES, ids=lambda declared: declared.__name__)
MOMENT = CosemDateTime.from_octets(bytes.fromhex("07E8010101000000FF800000"))
TIME = "8/0.0.1.0.0.255/2"


def members(declared: type[InterfaceClass[Any]]) -> list[Attribute[Any] | Method[Any, Any]]:
    """All attributes and methods."""
    return [*declared.attributes.values(), *declared.methods.values()]


class TestEveryClass:
    """What holds for all of them."""

    @each_class
    def test_it_stands_in_the_catalog_by_its_numbers(self, declared: type[InterfaceClass[Any]]) -> None:
        assert INTERFACE_CLASSES[declared.class_id, declared.version] is declared
        assert interface_class(declared.class_id, declared.version) is declared

    @each_class
    def test_numbers_and_names_are_unique_and_dense(self, declared: type[InterfaceClass[Any]]) -> None:
        assert list(declared.attributes) == sorted(declared.attributes)
        assert list(declared.attributes) == list(range(1, len(declared.attributes) + 1))
        assert sorted(declared.methods) == list(range(1, len(declared.methods) + 1))
        names = [member.name for member in members(declared)]
        assert len(set(names)) == len(names)

    @each_class
    def test_attribute_1_is_the_logical_name(self, declared: type[InterfaceClass[Any]]) -> None:
        assert declared.attributes[1] is InterfaceClass.logical_name

    @each_class
    def test_members_know_their_names_and_are_found_on_the_class(
        self, declared: type[InterfaceClass[Any]]
    ) -> None:
        for member in members(declared):
            assert getattr(declared, member.name) is member
            assert member.name in repr(member)

    @each_class
    def test_structures_are_structures(self, declared: type[InterfaceClass[Any]]) -> None:
        kinds = [each.type for each in declared.attributes.values()]
        kinds += [kind for each in declared.methods.values() for kind in (each.parameter, each.returns)]
        for kind in kinds:
            assert kind.name.startswith("structure") == (kind.tag is DataTag.STRUCTURE)

    @each_class
    def test_the_tables_cannot_be_changed(self, declared: type[InterfaceClass[Any]]) -> None:
        for table in (declared.attributes, declared.methods):
            with pytest.raises(TypeError):
                table[99] = None  # type: ignore[index]  # pyright: ignore[reportIndexIssue]  # that is what is tested


class TestTheCatalog:
    """Which class stands behind a number."""

    def test_the_newest_where_no_version_is_named(self) -> None:
        assert interface_class(15) is AssociationLn
        assert interface_class(8) is Clock

    def test_each_version_is_a_class_of_its_own(self) -> None:
        versions = [interface_class(15, version) for version in range(4)]
        assert versions == [AssociationLnV0, AssociationLnV1, AssociationLnV2, AssociationLn]

    def test_what_nobody_declared(self) -> None:
        assert interface_class(15, 9) is None
        assert interface_class(9999) is None

    def test_later_versions_have_what_earlier_ones_have(self) -> None:
        assert AssociationLn.object_list is AssociationLnV0.object_list
        assert (
            set(AssociationLnV0.attributes)
            < set(AssociationLnV1.attributes)
            < set(AssociationLnV2.attributes)
        )


class TestDeclaring:
    """A class of one's own."""

    def test_a_number_twice_is_refused(self) -> None:
        with pytest.raises(TypeError, match="Wrong: a number is used twice"):

            class Wrong(InterfaceClass[AsyncFake], class_id=9000, version=0):  # pyright: ignore[reportUnusedClass]  # it never comes to be
                one = Attribute(2, unsigned)
                other = Attribute(2, unsigned)

    def test_a_method_number_twice_is_refused(self) -> None:
        with pytest.raises(TypeError, match="Wrong: a number is used twice"):

            class Wrong(InterfaceClass[AsyncFake], class_id=9000, version=0):  # pyright: ignore[reportUnusedClass]  # it never comes to be
                one = Method(1, trigger)
                other = Method(1, unsigned)

    def test_a_redeclared_name_replaces_the_one_before(self) -> None:
        class Base(InterfaceClass[AsyncFake], class_id=9000, version=0):
            value = Attribute(2, unsigned)

        class Newer(Base, version=1):
            value = Attribute(2, integer)

        assert Newer.attributes[2].type is integer
        assert Base.attributes[2].type is unsigned
        assert (Newer.class_id, Newer.version) == (9000, 1)

    def test_a_class_of_which_meters_have_several_needs_a_name(self) -> None:
        with pytest.raises(TypeError, match="Register needs a logical name"):
            Register(AsyncFake())
        assert Register(AsyncFake(), "1.0.1.8.0.255").obis == Obis.of("1.0.1.8.0.255")

    def test_a_class_of_which_meters_have_one_knows_its_name(self) -> None:
        assert Clock(AsyncFake()).obis == Obis.of("0.0.1.0.0.255")
        assert Clock(AsyncFake(), Obis.of("0.0.1.1.0.255")).obis == Obis.of("0.0.1.1.0.255")


class TestTwins:
    """One declaration, awaited or blocking."""

    def test_what_a_name_gives_depends_on_where_it_is_asked(self) -> None:
        assert isinstance(Clock.time, Attribute)
        assert isinstance(Clock(AsyncFake()).time, AsyncAttribute)
        assert isinstance(Clock(BlockingFake()).time, BlockingAttribute)
        assert isinstance(Clock.shift_time, Method)
        assert isinstance(Clock(AsyncFake()).shift_time, AsyncMethod)
        assert isinstance(Clock(BlockingFake()).shift_time, BlockingMethod)

    def test_descriptors_name_the_object(self) -> None:
        clock = Clock(AsyncFake())
        assert clock.time.descriptor == AttributeDescriptor(8, Obis.of("0.0.1.0.0.255"), 2)
        assert clock.shift_time.descriptor == MethodDescriptor(8, Obis.of("0.0.1.0.0.255"), 6)
        assert TIME in repr(clock.time)
        assert "0.0.1.0.0.255" in repr(clock)

    def test_reading(self) -> None:
        values = {TIME: octet_date_time(MOMENT)}
        selection = SelectiveAccess(1, integer(0))
        blocking, awaited = BlockingFake(values), AsyncFake(values)
        assert Clock(blocking).time.get(selection) == MOMENT
        assert asyncio.run(Clock(awaited).time.get(selection)) == MOMENT
        assert blocking.read_with == awaited.read_with == [selection]

    def test_writing(self) -> None:
        blocking, awaited = BlockingFake(), AsyncFake()
        Clock(blocking).time_zone.set(60)
        asyncio.run(Clock(awaited).time_zone.set(60))
        assert blocking.written == awaited.written == [("8/0.0.1.0.0.255/3", Data(DataTag.LONG, 60))]

    def test_calling(self) -> None:
        blocking, awaited = BlockingFake(), AsyncFake()
        parameter = ImageInitiation(b"NEW-2.0", 1000)
        ImageTransfer(blocking).image_transfer_initiate.invoke(parameter)
        asyncio.run(ImageTransfer(awaited).image_transfer_initiate.invoke(parameter))
        expected = ("18/0.0.44.0.0.255/method 1", structure(ImageInitiation)(parameter))
        assert blocking.invoked == awaited.invoked == [expected]

    def test_a_call_may_have_more_time_than_others(self) -> None:
        blocking, awaited = BlockingFake(), AsyncFake()
        ImageTransfer(blocking).image_verify.invoke(timeout=60)
        asyncio.run(ImageTransfer(awaited).image_verify.invoke(timeout=60))
        assert blocking.timeouts == awaited.timeouts == [60]

    def test_calling_without_a_parameter_sends_integer_0(self) -> None:
        blocking, awaited = BlockingFake(), AsyncFake()
        ImageTransfer(blocking).image_verify.invoke()
        asyncio.run(ImageTransfer(awaited).image_verify.invoke())
        assert blocking.invoked == awaited.invoked == [("18/0.0.44.0.0.255/method 3", integer(0))]

    def test_a_method_that_returns_something(self) -> None:
        blocking = BlockingFake()
        blocking.returned = octet_string(b"answer")
        assert AssociationLn(blocking).reply_to_hls_authentication.invoke(b"ask") == b"answer"

    @pytest.mark.parametrize("returned", [None, octet_string(b"more"), unsigned(1)])
    def test_a_method_that_returns_nothing_ignores_what_a_meter_adds(self, returned: Data | None) -> None:
        blocking = BlockingFake()
        blocking.returned = returned
        Clock(blocking).adjust_to_quarter.invoke()
        assert len(blocking.invoked) == 1

    def test_a_register_is_a_number_with_a_unit(self) -> None:
        name = "1.0.1.8.0.255"
        values = {
            f"3/{name}/2": Data(DataTag.DOUBLE_LONG_UNSIGNED, 12345),
            f"3/{name}/3": Data(DataTag.STRUCTURE, (integer(-1), Data(DataTag.ENUM, 30))),
        }
        register = Register(BlockingFake(values), name)
        assert register.value.get() == Data(DataTag.DOUBLE_LONG_UNSIGNED, 12345)
        assert register.scaler_unit.get() == ScalerUnit(-1, Unit(30))


class TestWhatDoesNotFit:
    """Theirs is told with the object's name, ours before anything is sent."""

    def test_a_value_of_no_legal_type(self) -> None:
        clock = Clock(BlockingFake({TIME: unsigned(1)}))
        with pytest.raises(RemoteProtocolError, match="unsigned where octet-string") as caught:
            clock.time.get()
        assert caught.value.where.about == "8/0.0.1.0.0.255/2 time"

    @pytest.mark.parametrize("value", [40_000, "60", None, b"6"])
    def test_a_value_that_does_not_fit_is_not_sent(self, value: Any) -> None:
        blocking, awaited = BlockingFake(), AsyncFake()
        with pytest.raises(LocalProtocolError, match="long"):
            Clock(blocking).time_zone.set(value)
        with pytest.raises(LocalProtocolError, match="long"):
            asyncio.run(Clock(awaited).time_zone.set(value))
        assert blocking.written == awaited.written == []

    def test_a_secret_of_the_wrong_type_does_not_show(self) -> None:
        association: Any = AssociationLn(BlockingFake())
        with pytest.raises(LocalProtocolError) as caught:
            association.secret.set("12345678")
        assert "1234" not in str(caught.value)

    def test_any_data_may_be_written_where_anything_may_stand(self) -> None:
        blocking = BlockingFake()
        DataObject(blocking, "0.0.96.1.0.255").value.set(octet_string(b"x"))
        assert blocking.written == [("1/0.0.96.1.0.255/2", octet_string(b"x"))]
