"""The association object in its four versions: true to who asks, and with the rights as each version tells them."""

import pytest
from tests.simulator.profile_rig import PairAccess
from tests.simulator.rig import START

from meterwright.apdu import AttributeDescriptor
from meterwright.cosem import (
    AssociatedPartners,
    AssociationLn,
    AssociationLnV0,
    AssociationLnV1,
    AssociationLnV2,
    AssociationStatus,
    ListedObject,
    User,
)
from meterwright.data import DataTag
from meterwright.errors import DataAccessError, UsageError
from meterwright.simulator import ManualClock, MeterSettings, plain_meter
from meterwright.testing import StackPair
from meterwright.values import DataAccessResult, Obis

CURRENT = Obis.parse("0.0.40.0.0.255")
VERSIONS: dict[int, type[AssociationLnV0[PairAccess]]] = {
    0: AssociationLnV0,
    1: AssociationLnV1,
    2: AssociationLnV2,
    3: AssociationLn,
}


def access(version: int, sap: int = 1) -> PairAccess:
    settings = MeterSettings(association_version=version, logical_devices=2)
    return PairAccess(StackPair(plain_meter(1, settings, clock=ManualClock(START)), server_sap=sap))


@pytest.mark.parametrize("version", VERSIONS)
class TestEachVersion:
    def test_it_is_true_to_who_asks(self, version: int) -> None:
        for sap in (1, 2):
            association = VERSIONS[version](access(version, sap))
            assert association.associated_partners_id.get() == AssociatedPartners(16, sap)
            assert association.association_status.get() is AssociationStatus.ASSOCIATED
            context = association.xdlms_context_info.get()
            assert (context.max_receive_pdu_size, context.max_send_pdu_size) == (1024, 0xFFFF)
            assert ListedObject(15, version, CURRENT) in association.object_list.of_classes(15)

    def test_every_attribute_of_the_version_can_be_read_but_the_secret(self, version: int) -> None:
        meter, declared = access(version), VERSIONS[version]
        for number in range(1, 13):
            attribute = AttributeDescriptor(15, CURRENT, number)
            if number in declared.attributes and number != declared.secret.attribute_id:
                declared.attributes[number].type.from_data(meter.read(attribute))
                continue
            with pytest.raises(DataAccessError) as refused:
                meter.read(attribute)
            assert refused.value.result is (
                DataAccessResult.READ_WRITE_DENIED
                if number in declared.attributes
                else DataAccessResult.OBJECT_UNAVAILABLE
            )

    def test_the_rights_are_the_same_and_told_in_its_way(self, version: int) -> None:
        elements = VERSIONS[version](access(version)).object_list.get()
        methods = [each for element in elements for each in element.access_rights.method_access]
        assert {each.access_mode.tag for each in methods} == {
            DataTag.BOOLEAN if version == 0 else DataTag.ENUM
        }
        others = AssociationLnV1(access(1)).object_list.get()
        for element, other in zip(elements[:-1], others[:-1], strict=True):
            mine, theirs = element.access_rights, other.access_rights
            assert mine.attribute_access == theirs.attribute_access
            assert [bool(each.access_mode.value) for each in mine.method_access] == [
                bool(each.access_mode.value) for each in theirs.method_access
            ]


@pytest.mark.parametrize("version", [2, 3])
def test_without_users_the_current_one_is_nobody(version: int) -> None:
    association = AssociationLnV2(access(version))
    assert association.user_list.get() == ()
    assert association.current_user.get() == User(0, "")


@pytest.mark.parametrize("version", [-1, 4])
def test_there_are_four_versions(version: int) -> None:
    with pytest.raises(UsageError, match=f"no version {version} of Association LN"):
        MeterSettings(association_version=version)
