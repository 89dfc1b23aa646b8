"""The security setup of a simulated meter: read by whoever may, changed by nobody."""

import pytest

from meterwright.cosem import KeyId, KeyTransfer, SecuritySetupV0
from meterwright.data import Data, enum, octet_string
from meterwright.server import ActionOutcome
from meterwright.simulator import Refusal
from meterwright.simulator.security_setup import SecuritySetupBehaviour
from meterwright.values import ActionResult, DataAccessResult, SecurityPolicy, SecuritySuite

SETUP = "0.0.43.0.5.255"
METER = b"MWS\0\0\0\0\1"


def setup() -> SecuritySetupBehaviour:
    return SecuritySetupBehaviour(
        SETUP,
        server_system_title=METER,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        suite=SecuritySuite.SUITE_1,
    )


def test_policy_suite_and_title_are_as_made() -> None:
    values = [setup().get(number).to_octets().hex() for number in (2, 3, 5)]
    assert values == ["1603", "1601", f"0908{METER.hex()}"]


def test_without_more_it_protects_nothing() -> None:
    plain = SecuritySetupBehaviour(SETUP, server_system_title=METER)
    assert (plain.get(2), plain.get(3)) == (enum(0), enum(0))


def test_the_clients_title_is_what_was_learned_last() -> None:
    learned = b""
    behaviour = SecuritySetupBehaviour(SETUP, server_system_title=METER, client_system_title=lambda: learned)
    assert behaviour.get(4) == octet_string(b"")
    learned = b"MDM00001"
    assert behaviour.get(4) == octet_string(b"MDM00001")
    assert setup().get(4) == octet_string(b"")


def test_nothing_can_be_written_or_called() -> None:
    element = setup().list_element()
    assert (element.class_id, element.version, str(element.logical_name)) == (64, 0, SETUP)
    assert [each.access_mode for each in element.access_rights.attribute_access] == [1] * 5
    assert [each.access_mode for each in element.access_rights.method_access] == [enum(0)] * 2


@pytest.mark.parametrize(
    ("method", "parameter"),
    [
        (1, enum(3)),
        (2, SecuritySetupV0.global_key_transfer.parameter((KeyTransfer(KeyId.MASTER, bytes(24)),))),
    ],
    ids=["activate", "transfer"],
)
def test_methods_are_withheld(method: int, parameter: Data) -> None:
    assert setup().invoke(method, parameter) == ActionOutcome(ActionResult.READ_WRITE_DENIED)


@pytest.mark.parametrize("attribute", [2, 3, 4, 5])
def test_attributes_are_read_only(attribute: int) -> None:
    behaviour = setup()
    with pytest.raises(Refusal) as refused:
        behaviour.set(attribute, behaviour.get(attribute))
    assert refused.value.data_access_result is DataAccessResult.READ_WRITE_DENIED


def test_what_no_meter_of_version_0_has_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="108 is one of version 1"):
        SecuritySetupBehaviour(SETUP, server_system_title=METER, policy=SecurityPolicy(0x6C))
    with pytest.raises(ValueError, match="8 octets, not 3"):
        SecuritySetupBehaviour(SETUP, server_system_title=b"MWS")
