"""The object list in part, and the logical devices: selectors octet for octet, and every way meters leave rights out."""

import asyncio

import pytest
from tests.cosem.fakes import AsyncFake, BlockingFake

from meterwright.cosem import (
    AccessRights,
    AssociationLn,
    AssociationLnV0,
    ListedObject,
    LogicalDevice,
    ObjectListElement,
    SapAssignment,
)
from meterwright.data import Data
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import Obis

LIST = "15/0.0.40.0.0.255/2"
CLOCK = Obis.of("0.0.1.0.0.255")
NAMED = ListedObject(8, 0, CLOCK)
HEAD = "12 00 08 11 00 09 06 00 00 01 00 00 FF"
SAPS = "17/0.0.41.0.0.255"


def fake(octets: str) -> BlockingFake:
    """A meter with this object list."""
    return BlockingFake({LIST: Data.from_octets(bytes.fromhex(octets))})


def sent(meter: BlockingFake) -> tuple[int, str]:
    """The selector that was sent last, and its parameters."""
    selection = meter.read_with[-1]
    assert selection is not None
    return selection.access_selector, selection.access_parameters.to_octets().hex(" ").upper()


@pytest.mark.parametrize(
    "octets",
    [f"01 01 02 03 {HEAD}", f"01 01 02 04 {HEAD} 00", f"01 01 02 04 {HEAD} 02 02 01 00 01 00"],
    ids=["three-elements", "null-data", "all-the-same"],
)
def test_rights_are_left_out_in_three_ways(octets: str) -> None:
    meter = fake(octets)
    assert AssociationLn(meter).object_list.without_rights() == (NAMED,)
    assert sent(meter) == (1, "00")
    assert AssociationLnV0(meter).object_list.of_classes(8, 7) == (NAMED,)
    assert sent(meter) == (2, "01 02 12 00 08 12 00 07")


def test_some_objects_come_with_their_rights() -> None:
    meter = fake(f"01 01 02 04 {HEAD} 02 02 01 00 01 00")
    found = AssociationLn(meter).object_list.of_objects((8, "0.0.1.0.0.255"), (1, Obis.of("0.0.42.0.0.255")))
    assert found == (ObjectListElement(8, 0, CLOCK, AccessRights((), ())),)
    assert sent(meter) == (
        3,
        "01 02 02 02 12 00 08 09 06 00 00 01 00 00 FF 02 02 12 00 01 09 06 00 00 2A 00 00 FF",
    )


def test_awaited_it_is_the_same() -> None:
    meter = fake(f"01 01 02 04 {HEAD} 02 02 01 00 01 00")
    awaited = AsyncFake(meter.values)

    async def talk() -> None:
        mine, other = AssociationLn(awaited).object_list, AssociationLn(meter).object_list
        assert await mine.without_rights() == other.without_rights()
        assert await mine.of_classes(8) == other.of_classes(8)
        assert await mine.of_objects((8, CLOCK)) == other.of_objects((8, CLOCK))
        assert await mine.get() == other.get()

    asyncio.run(talk())
    assert awaited.read_with == meter.read_with


@pytest.mark.parametrize("octets", ["00", "01 01 02 02 12 00 08 11 00", "01 01 11 08"])
def test_what_is_no_list_is_refused(octets: str) -> None:
    with pytest.raises(RemoteProtocolError, match="object_list"):
        AssociationLn(fake(octets)).object_list.without_rights()


def test_a_class_that_there_cannot_be() -> None:
    with pytest.raises(LocalProtocolError):
        AssociationLn(fake("01 00")).object_list.of_classes(0x10000)


def test_logical_devices_octet_for_octet() -> None:
    assert (SapAssignment.class_id, SapAssignment.version) == (17, 0)
    octets = bytes.fromhex("01 02 02 02 12 00 01 09 03 4D 57 31 02 02 12 00 02 09 03 4D 57 32")
    meter = BlockingFake({f"{SAPS}/2": Data.from_octets(octets)})
    devices = (LogicalDevice(1, b"MW1"), LogicalDevice(2, b"MW2"))
    assert SapAssignment(meter).sap_assignment_list.get() == devices
    assert SapAssignment.sap_assignment_list.type(devices).to_octets() == octets
    SapAssignment(meter).connect_logical_device.invoke(LogicalDevice(3, b"MW2"))
    [(method, data)] = meter.invoked
    assert (method, data and data.to_octets().hex()) == (
        "17/0.0.41.0.0.255/method 1",
        "020212000309034d5732",
    )
