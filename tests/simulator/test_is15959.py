"""The IS 15959 meter: who sees, reads, writes and calls what, told by hand here and asked of the real objects."""

from collections.abc import Coroutine
from typing import Final

import pytest
from tests.simulator.secured import (
    IS15959_SECRET,
    METER_TITLE,
    TITLE,
    Bench,
    given,
    is15959,
    run,
)

from meterwright.apdu import AttributeDescriptor, MethodDescriptor
from meterwright.client import Client
from meterwright.companion import IS15959, AssociationProfile
from meterwright.companion.is15959 import FIRMWARE_CLIENT, METER_READER, PUBLIC_CLIENT, UTILITY_SETTING
from meterwright.cosem import AssociationLnV1, SecuritySetupV0, interface_class
from meterwright.data import Data, octet_string
from meterwright.errors import (
    ActionError,
    AssociationRejected,
    DataAccessError,
    ExceptionResponseError,
    LoginFailed,
    MeterwrightError,
    UsageError,
)
from meterwright.security import Secret
from meterwright.simulator import MeterSettings, largest_block
from meterwright.values import (
    ActionResult,
    AuthenticationMechanism,
    DataAccessResult,
    Obis,
    SecurityPolicy,
    SecuritySuite,
)

CLOCK, NAME, SERIAL = "0.0.1.0.0.255", "0.0.42.0.0.255", "0.0.96.1.0.255"
MAKER, METER_ID, CATEGORY = "0.0.96.1.1.255", "0.0.96.1.2.255", "0.0.94.91.11.255"
ENERGY, VOLTAGE = "1.0.1.8.0.255", "1.0.32.7.0.255"
VERSION, SIGNATURE = "1.0.0.2.0.255", "1.0.0.2.8.255"
IMAGE, SCHEDULE, SCRIPTS = "0.0.44.0.0.255", "0.0.15.0.2.255", "0.0.10.0.107.255"
COUNTERS = tuple(f"0.0.43.1.{number}.255" for number in (2, 3, 5))
SETUPS = tuple(f"0.0.43.0.{number}.255" for number in (2, 3, 5))
CURRENT = "0.0.40.0.0.255"

LOAD, EVENTS, EVENT_CODE = "1.0.99.1.0.255", "0.0.99.98.0.255", "0.0.96.11.0.255"

NAMEPLATE = {NAME, SERIAL, MAKER, METER_ID, CATEGORY, VERSION, SIGNATURE}
METERING = {*NAMEPLATE, CLOCK, ENERGY, VOLTAGE, LOAD, EVENTS, EVENT_CODE}
SEES: Final = {
    16: {CLOCK, NAME, *COUNTERS},
    32: {*METERING, COUNTERS[0], SETUPS[0]},
    48: {*METERING, *COUNTERS, *SETUPS},
    80: {CLOCK, NAME, VERSION, SIGNATURE, IMAGE, SCHEDULE, SCRIPTS, COUNTERS[2], SETUPS[2]},
}
WRITES: Final = {
    16: set[tuple[str, int]](),
    32: set[tuple[str, int]](),
    48: {(CLOCK, 2)},
    80: {(CLOCK, 2), (IMAGE, 5), (SCHEDULE, 4)},
}
CALLS: Final = {
    16: set[tuple[str, int]](),
    32: set[tuple[str, int]](),
    48: {(CLOCK, 6), (LOAD, 1), (LOAD, 2), (EVENTS, 1), (EVENTS, 2)},
    80: {(CLOCK, 6), (IMAGE, 1), (IMAGE, 2), (IMAGE, 3), (IMAGE, 4), (SCRIPTS, 1)},
}
PROFILES = {each.client_sap: each for each in IS15959.associations}
DONE = "done"
NO_SUCH_SERVICE = "no such service"
INVISIBLE = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED.label
DENIED = DataAccessResult.READ_WRITE_DENIED.label


async def outcome(asked: Coroutine[object, object, object]) -> str:
    """The label of what the meter answered; done where it did as it was asked."""
    try:
        await asked
    except ExceptionResponseError:
        return NO_SUCH_SERVICE
    except (DataAccessError, ActionError) as refused:
        return refused.result.label
    return DONE


def everything(bench: Bench) -> list[tuple[int, int, Obis]]:
    """Class, version and name of every object that the meter has."""
    return [(each.interface.class_id, each.interface.version, each.obis) for each in bench.meter.objects]


@pytest.mark.parametrize("client_sap", SEES)
class TestWhoMayWhat:
    def test_the_object_list_shows_what_a_client_sees(self, client_sap: int) -> None:
        async def scenario(bench: Bench) -> None:
            async with bench.known(PROFILES[client_sap]) as client:
                elements = await AssociationLnV1(client).object_list.get()
            assert {str(each.logical_name) for each in elements} == {*SEES[client_sap], CURRENT}
            access = {
                (str(each.logical_name), right.attribute_id): right.access_mode
                for each in elements
                for right in each.access_rights.attribute_access
            }
            assert {named for named, mode in access.items() if mode & 2} == WRITES[client_sap]
            calls = {
                (str(each.logical_name), right.method_id)
                for each in elements
                for right in each.access_rights.method_access
                if right.access_mode.value
            }
            assert calls == CALLS[client_sap]

        run(Bench(is15959()), scenario)

    def test_what_it_sees_it_reads_and_nothing_else(self, client_sap: int) -> None:
        async def scenario(bench: Bench) -> None:
            objects = everything(bench)
            assert {str(obis) for _, _, obis in objects} == {
                name for names in SEES.values() for name in names
            }
            async with bench.known(PROFILES[client_sap]) as client:
                for class_id, _, obis in objects:
                    answer = await outcome(client.read(AttributeDescriptor(class_id, obis, 2)))
                    assert answer == (DONE if str(obis) in SEES[client_sap] else INVISIBLE), obis
                    wrong_class = await outcome(client.read(AttributeDescriptor(99, obis, 2)))
                    assert wrong_class != DONE

        run(Bench(is15959()), scenario)

    def test_it_writes_and_calls_what_it_may_and_nothing_else(self, client_sap: int) -> None:
        async def scenario(bench: Bench) -> None:
            for class_id, version, obis in everything(bench):
                interface = interface_class(class_id, version)
                assert interface is not None
                async with bench.known(PROFILES[client_sap]) as client:
                    for number in interface.attributes:
                        answer = await write_back(client, AttributeDescriptor(class_id, obis, number))
                        allowed = (str(obis), number) in WRITES[client_sap]
                        assert answer == expected(client_sap, obis, allowed=allowed)
                    for number in interface.methods:
                        answer = await call_wrongly(client, MethodDescriptor(class_id, obis, number))
                        allowed = (str(obis), number) in CALLS[client_sap]
                        assert answer == expected(client_sap, obis, allowed=allowed)

        run(Bench(is15959()), scenario)


def expected(client_sap: int, obis: Obis, *, allowed: bool) -> str:
    if client_sap in (16, 32):
        return NO_SUCH_SERVICE
    if str(obis) not in SEES[client_sap]:
        return INVISIBLE
    return DONE if allowed else DENIED


async def write_back(client: Client, attribute: AttributeDescriptor) -> str:
    """What becomes of writing an attribute with the value that it has."""
    try:
        value = await client.read(attribute)
    except DataAccessError:
        value = octet_string(b"")
    if not client.context.fits(len(value.to_octets()) + 100):
        value = octet_string(b"")  # whoever may not write it is told so before it is looked at
    return await outcome(client.write(attribute, value))


async def call_wrongly(client: Client, method: MethodDescriptor) -> str:
    """What becomes of a call with what is no parameter of any method: who may call is told so, or does."""
    answer = await outcome(client.invoke(method, octet_string(b"no parameter of any method")))
    taken = (ActionResult.TYPE_UNMATCHED.label, ActionResult.OTHER_REASON.label)
    return DONE if answer in taken else answer


@pytest.mark.parametrize("profile", IS15959.associations, ids=lambda each: str(each.client_sap))
class TestAssociations:
    def test_it_grants_what_the_companion_says(self, profile: AssociationProfile) -> None:
        async def scenario(bench: Bench) -> None:
            async with bench.known(profile) as client:
                granted = client.context.conformance
                assert not granted & ~profile.conformance
                assert client.context.max_send_pdu_size == 1024
                own = AssociationLnV1(client, str(profile.logical_name))
                assert await own.logical_name.get() == profile.logical_name
                assert await own.object_list.get() == await AssociationLnV1(client).object_list.get()
                partners = await own.associated_partners_id.get()
                assert (partners.client_sap, partners.server_sap) == (profile.client_sap, 1)
                mechanism = await own.authentication_mechanism_name.get()
                assert mechanism.value == bytes((*b"\x60\x85\x74\x05\x08\x02", profile.authentication))
                context = await own.application_context_name.get()
                assert context.value == bytes((*b"\x60\x85\x74\x05\x08\x01", 3 if profile.policy else 1))
                setup = await own.security_setup_reference.get()
                assert setup == (profile.security_setup or Obis(bytes(6)))

        run(Bench(is15959()), scenario)

    def test_another_association_cannot_be_looked_at(self, profile: AssociationProfile) -> None:
        async def scenario(bench: Bench) -> None:
            async with bench.known(profile) as client:
                for other in IS15959.associations:
                    if other is not profile:
                        wanted = AttributeDescriptor(15, other.logical_name, 2)
                        assert await outcome(client.read(wanted)) == "object-undefined"

        run(Bench(is15959()), scenario)

    def test_its_security_setup_tells_what_protects_it(self, profile: AssociationProfile) -> None:
        if profile.security_setup is None:
            assert profile is PUBLIC_CLIENT
            return

        async def scenario(bench: Bench) -> None:
            async with bench.known(profile) as client:
                setup = SecuritySetupV0(client, str(profile.security_setup))
                assert await setup.security_policy.get() is SecurityPolicy.AUTHENTICATED_ENCRYPTED
                assert await setup.security_suite.get() is SecuritySuite.SUITE_0
                assert await setup.client_system_title.get() == TITLE
                assert await setup.server_system_title.get() == METER_TITLE

        run(Bench(is15959()), scenario)


SECURED = (METER_READER, UTILITY_SETTING, FIRMWARE_CLIENT)


class TestRefusals:
    @pytest.mark.parametrize("profile", SECURED, ids=lambda each: str(each.client_sap))
    @pytest.mark.parametrize("secret", [b"1234567890123457", b"12345678", b"x"])
    def test_a_wrong_secret_is_refused_and_counted(self, profile: AssociationProfile, secret: bytes) -> None:
        async def scenario(bench: Bench) -> None:
            credentials = given(profile.authentication, secret=Secret(secret), counter_object=profile.counter)
            for count in (1, 2):
                with pytest.raises((AssociationRejected, LoginFailed)):
                    await bench.client(profile.client_sap, credentials).connect()
                assert bench.meter.machine.record.failed_logins == count
            async with bench.known(profile):
                pass
            assert bench.meter.machine.record.failed_logins == 2

        run(Bench(is15959()), scenario)

    @pytest.mark.parametrize("profile", SECURED, ids=lambda each: str(each.client_sap))
    @pytest.mark.parametrize(
        ("authentication", "policy"),
        [
            (AuthenticationMechanism.LOWEST, SecurityPolicy.NONE),
            (AuthenticationMechanism.LOWEST, SecurityPolicy.AUTHENTICATED_ENCRYPTED),
            (AuthenticationMechanism.HIGH_GMAC, SecurityPolicy.AUTHENTICATED_ENCRYPTED),
            (AuthenticationMechanism.LOW, SecurityPolicy.NONE),
            (AuthenticationMechanism.HIGH, SecurityPolicy.NONE),
        ],
    )
    def test_another_way_in_is_none(
        self, profile: AssociationProfile, authentication: AuthenticationMechanism, policy: SecurityPolicy
    ) -> None:
        async def scenario(bench: Bench) -> None:
            credentials = given(authentication, policy, secret=IS15959_SECRET, counter_object=None)
            with pytest.raises(MeterwrightError):
                await bench.client(profile.client_sap, credentials).connect()
            assert bench.meter.machine.record.failed_logins > 0

        run(Bench(is15959()), scenario)

    @pytest.mark.parametrize("client_sap", [1, 17, 64, 96])
    def test_who_is_in_no_book_is_turned_away_and_logs_in_nowhere(self, client_sap: int) -> None:
        async def scenario(bench: Bench) -> None:
            with pytest.raises(AssociationRejected):
                await bench.client(client_sap).connect()
            assert bench.meter.machine.record.failed_logins == 0

        run(Bench(is15959()), scenario)


class TestBlocks:
    def test_a_block_must_fit_protected_as_it_is(self) -> None:
        most = largest_block(256, sealed=True)
        assert most < largest_block(256)
        make = is15959(MeterSettings(max_receive_pdu_size=256, image_block_size=most))

        async def scenario(bench: Bench) -> None:
            async with bench.known(FIRMWARE_CLIENT) as client:
                initiate = Data.from_octets(bytes.fromhex("020209034E455706") + (2 * most).to_bytes(4, "big"))
                image = Obis.parse(IMAGE)
                assert await client.invoke(MethodDescriptor(18, image, 1), initiate) is None
                block = bytes.fromhex("0202060000000009") + length(most) + bytes(most)
                await client.invoke(MethodDescriptor(18, image, 2), Data.from_octets(block))

        run(Bench(make), scenario)

    def test_a_longer_one_makes_no_meter(self) -> None:
        settings = MeterSettings(
            max_receive_pdu_size=256, image_block_size=largest_block(256, sealed=True) + 1
        )
        with pytest.raises(UsageError, match="protected as it is"):
            run(Bench(is15959(settings)), unreached)


async def unreached(_bench: Bench) -> None:
    raise AssertionError("there is a meter")


def length(octets: int) -> bytes:
    return bytes((octets,)) if octets < 0x80 else bytes((0x81, octets))
