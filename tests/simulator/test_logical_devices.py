"""Several logical devices in one meter: each with its name, its objects and its associations, over any link."""

import asyncio

import pytest
from tests.simulator.profile_rig import PairAccess
from tests.simulator.rig import INVOKE, START, Rig
from tests.simulator.secured import Bench, given, run

from meterwright.apdu import AttributeDescriptor, GetRequestNormal, GetResponseNormal
from meterwright.association import ClientStack
from meterwright.client import BlockingClient, Client, ClientSettings, Scheme
from meterwright.cosem import (
    AssociatedPartners,
    AssociationLnV1,
    Clock,
    DataObject,
    LogicalDevice,
    Register,
    SapAssignment,
)
from meterwright.data import Data, octet_string
from meterwright.errors import ActionError, AssociationRejected, DataAccessError, MeterwrightError, UsageError
from meterwright.link import HdlcAddress, HdlcClient, HdlcClientSettings, HdlcServer, HdlcServerSettings
from meterwright.simulator import (
    LogicalDevices,
    ManualClock,
    MeterSettings,
    SecuritySettings,
    SimulatedLogicalDevice,
    SimulatedMeter,
    SimulatedService,
    plain_meter,
)
from meterwright.testing import StackPair
from meterwright.values import (
    ActionResult,
    AssociationResult,
    AuthenticationMechanism,
    DataAccessResult,
    Obis,
    SecurityPolicy,
)

NAME, SAPS = "0.0.42.0.0.255", "0.0.41.0.0.255"
MANAGEMENT = LogicalDevice(1, b"MWS0000000001")
SECOND, THIRD = LogicalDevice(2, b"MWS0000000001002"), LogicalDevice(3, b"MWS0000000001003")
NAME_VALUE = AttributeDescriptor(1, Obis.parse(NAME), 2)


def meter(count: int = 3, security: SecuritySettings | None = None) -> SimulatedMeter:
    settings = MeterSettings(logical_devices=count, security=security or SecuritySettings())
    return plain_meter(1, settings, clock=ManualClock(START))


def to(host: SimulatedMeter, sap: int, client_sap: int = 16) -> PairAccess:
    """Access to one logical device, over a connection of its own."""
    return PairAccess(StackPair(host, client_sap=client_sap, server_sap=sap))


def name_of(access: PairAccess) -> object:
    return DataObject(access, NAME).value.get().value


class TestWhoStandsWhere:
    """The SAP assignment object of the management logical device."""

    def test_it_lists_all_of_them(self) -> None:
        assert SapAssignment(to(meter(), 1)).sap_assignment_list.get() == (MANAGEMENT, SECOND, THIRD)
        assert SapAssignment(to(meter(1), 1)).sap_assignment_list.get() == (MANAGEMENT,)

    def test_only_the_management_logical_device_has_it(self) -> None:
        with pytest.raises(DataAccessError) as refused:
            SapAssignment(to(meter(), 2)).sap_assignment_list.get()
        assert refused.value.result is DataAccessResult.OBJECT_UNDEFINED

    def test_each_says_who_it_is_and_has_objects_of_its_own(self) -> None:
        host = meter()
        accesses = [to(host, sap) for sap in (1, 2, 3)]
        assert [name_of(each) for each in accesses] == [
            b"MWS0000000001",
            *(each.logical_device_name for each in (SECOND, THIRD)),
        ]
        energies = {Register(each, "1.0.1.8.0.255").value.get().value for each in accesses}
        assert len(energies) == 3
        lists = [AssociationLnV1(each).object_list.get() for each in accesses]
        assert [len(each) for each in lists] == [13, 5, 5]
        partners = [AssociationLnV1(each).associated_partners_id.get() for each in accesses]
        assert partners == [AssociatedPartners(16, sap) for sap in (1, 2, 3)]
        with pytest.raises(DataAccessError):
            accesses[1].read(AttributeDescriptor(18, Obis.parse("0.0.44.0.0.255"), 2))

    def test_they_share_the_meters_clock(self) -> None:
        host = meter()
        Clock(to(host, 2)).shift_time.invoke(600)
        assert Clock(to(host, 1)).time.get() == Clock(to(host, 3)).time.get()
        assert Clock(to(host, 1)).time.get().minute == 10

    def test_nobody_stands_beyond(self) -> None:
        with pytest.raises(AssociationRejected):
            to(meter(), 4)
        with pytest.raises(AssociationRejected):
            to(meter(1), 2)

    @pytest.mark.parametrize("count", [0, 17])
    def test_there_are_one_to_sixteen(self, count: int) -> None:
        with pytest.raises(UsageError, match="1 to 16"):
            MeterSettings(logical_devices=count)

    def test_two_cannot_stand_in_one_place(self) -> None:
        devices = LogicalDevices()
        devices.add(2, SimulatedLogicalDevice("one", {}, {}))
        with pytest.raises(ValueError, match="two logical devices at 2"):
            devices.add(2, SimulatedLogicalDevice("another", {}, {}))


class TestConnecting:
    """Method 1: where a logical device is to stand."""

    def test_it_moves_and_comes_back(self) -> None:
        host = meter()
        assignment = SapAssignment(to(host, 1))
        assignment.connect_logical_device.invoke(LogicalDevice(9, SECOND.logical_device_name))
        assert assignment.sap_assignment_list.get() == (
            MANAGEMENT,
            THIRD,
            LogicalDevice(9, SECOND.logical_device_name),
        )
        assert name_of(to(host, 9)) == SECOND.logical_device_name
        with pytest.raises(AssociationRejected):
            to(host, 2)
        assignment.connect_logical_device.invoke(SECOND)
        assert assignment.sap_assignment_list.get() == (MANAGEMENT, SECOND, THIRD)

    def test_at_nothing_it_is_off_the_line_and_who_was_in_it_is_told(self) -> None:
        host = meter()
        inside, assignment = to(host, 3), SapAssignment(to(host, 1))
        assignment.connect_logical_device.invoke(LogicalDevice(0, THIRD.logical_device_name))
        assert assignment.sap_assignment_list.get() == (MANAGEMENT, SECOND)
        with pytest.raises(DataAccessError) as refused:
            name_of(inside)
        assert refused.value.result is DataAccessResult.OBJECT_UNAVAILABLE
        assignment.connect_logical_device.invoke(THIRD)
        assert name_of(inside) == THIRD.logical_device_name

    @pytest.mark.parametrize(
        "wanted",
        [
            LogicalDevice(5, b"nobody"),
            LogicalDevice(3, SECOND.logical_device_name),
            LogicalDevice(5, MANAGEMENT.logical_device_name),
            LogicalDevice(0, MANAGEMENT.logical_device_name),
        ],
        ids=["nobody", "where-another-stands", "the-management", "the-management-off"],
    )
    def test_what_it_refuses(self, wanted: LogicalDevice) -> None:
        assignment = SapAssignment(to(meter(), 1))
        with pytest.raises(ActionError) as refused:
            assignment.connect_logical_device.invoke(wanted)
        assert refused.value.result is ActionResult.OTHER_REASON
        assert assignment.sap_assignment_list.get() == (MANAGEMENT, SECOND, THIRD)


class TestAtOnce:
    """Several associations over one connection."""

    def test_over_the_wrapper_they_are_open_at_once(self) -> None:
        rig = Rig(MeterSettings(image_block_size=16, logical_devices=3))

        def named(server: int) -> Data:
            answer = rig.ask(GetRequestNormal(INVOKE, NAME_VALUE, None), server=server)
            assert isinstance(answer, GetResponseNormal)
            assert isinstance(answer.result, Data)
            return answer.result

        for server in (1, 2, 3):
            assert rig.associate(server=server).result is AssociationResult.ACCEPTED
        assert rig.connection.associated == 3
        for server, name in ((3, THIRD), (1, MANAGEMENT), (2, SECOND), (3, THIRD)):
            assert named(server) == octet_string(name.logical_device_name)
        rig.send_octets(bytes.fromhex("6203800100"), server=2)
        assert rig.connection.associated == 2
        assert named(3) == octet_string(THIRD.logical_device_name)
        (exception,) = rig.send(GetRequestNormal(INVOKE, NAME_VALUE, None), server=2)
        assert exception.to_octets().hex() == "d80101"

    def test_over_hdlc_they_come_one_after_the_other(self) -> None:
        host = meter()

        def link(sap: int) -> HdlcClient:
            return HdlcClient(HdlcClientSettings(HdlcAddress.of_client(16), HdlcAddress.of_server(sap)))

        line = HdlcServer(HdlcServerSettings(logical_devices=host.saps))
        pair = StackPair(host, client_link=link(1), meter_link=line)
        for known in (MANAGEMENT, SECOND, THIRD, MANAGEMENT):
            pair.client = ClientStack(link(known.sap))
            access = PairAccess(pair)
            assert name_of(access) == known.logical_device_name
            assert AssociationLnV1(access).associated_partners_id.get().server_sap == known.sap
            pair.release()
            assert pair.meter.associated == 0


@pytest.mark.parametrize("scheme", [Scheme.TCP, Scheme.HDLC_TCP])
def test_a_client_finds_them_over_sockets(scheme: Scheme) -> None:
    def blocking(url: str) -> list[object]:
        names: list[object] = []
        with BlockingClient(f"{url}?client=16") as client:
            listed = client.logical_devices()
        for each in listed:
            with BlockingClient(f"{url}?client=16&server={each.sap}") as client:
                names.append(DataObject(client, NAME).value.get().value)
        return names

    async def scenario() -> None:
        service = SimulatedService([meter()], clock=ManualClock(START), scheme=scheme)
        (listening,) = await service.start()
        url = listening.url.partition("?")[0]
        try:
            async with Client(f"{url}?client=16") as client:
                listed = await client.logical_devices()
            assert listed == (MANAGEMENT, SECOND, THIRD)
            for each in listed:
                async with Client(f"{url}?client=16&server={each.sap}") as client:
                    found = await DataObject(client, NAME).value.get()
                    assert found.value == each.logical_device_name
            assert await asyncio.to_thread(blocking, url) == [each.logical_device_name for each in listed]
        finally:
            await service.stop()

    asyncio.run(scenario())


def test_each_wants_the_login_and_counts_with_the_others() -> None:
    gmac = SecuritySettings(
        authentication=AuthenticationMechanism.HIGH_GMAC, policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED
    )
    settings = MeterSettings(logical_devices=2, security=gmac)

    async def scenario(bench: Bench) -> None:
        for sap in (1, 2, 1, 2):
            credentials = given(counters=bench.counters)
            client = Client(bench.dial, ClientSettings(client_sap=1, server_sap=sap, credentials=credentials))
            async with client:
                found = await DataObject(client, NAME).value.get()
                assert found.value == (MANAGEMENT, SECOND)[sap - 1].logical_device_name
        async with Client(bench.dial, ClientSettings(client_sap=16, server_sap=2)) as client:
            with pytest.raises(MeterwrightError):
                await Register(client, "1.0.1.8.0.255").value.get()

    run(Bench(lambda storage, clock: plain_meter(1, settings, storage=storage, clock=clock)), scenario)
