"""A simulated meter as its clients see it: who may associate, what objects there are, what is answered to what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulator.rig import EVERYTHING, INVOKE, START, Rig, aarq

from meterwright.apdu import (
    Aare,
    ActionRequestNormal,
    AttributeDescriptor,
    GetRequestNormal,
    GetResponseNormal,
    MethodDescriptor,
    SelectiveAccess,
    decode_apdu,
)
from meterwright.cosem import AssociationLnV1, interface_class
from meterwright.data import Data, DataTag, integer, null_data, octet_string
from meterwright.link import WrapperFrame
from meterwright.server import ServerConnection
from meterwright.simulator import (
    SERVED,
    AssociationPolicy,
    Behaviour,
    ComputedData,
    ManualClock,
    SimulatedMeter,
    meter_name,
    plain_meter,
    serial_digits,
)
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    AuthenticationMechanism,
    BitString,
    Conformance,
    DataAccessResult,
    Obis,
)

PLAIN_OBJECTS = {
    (1, 0, "0.0.42.0.0.255"),
    (1, 0, "0.0.96.1.0.255"),
    (8, 0, "0.0.1.0.0.255"),
    (3, 0, "1.0.1.8.0.255"),
    (3, 0, "1.0.32.7.0.255"),
    (1, 0, "1.0.0.2.0.255"),
    (1, 0, "1.0.0.2.8.255"),
    (7, 1, "1.0.99.1.0.255"),
    (7, 1, "0.0.99.98.0.255"),
    (1, 0, "0.0.96.11.0.255"),
    (18, 0, "0.0.44.0.0.255"),
    (17, 0, "0.0.41.0.0.255"),
    (15, 1, "0.0.40.0.0.255"),
}


def test_another_makers_octets_open_and_close_an_association() -> None:
    rig = Rig()
    (aare,) = rig.send_octets(bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400401e5dffff"))
    assert isinstance(aare, Aare)
    assert aare.to_octets().hex() == (
        "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400001e5d04000007"
    )
    (rlre,) = rig.send_octets(bytes.fromhex("6203800100"))
    assert rlre.to_octets().hex() == "6303800100"
    (exception,) = rig.send_octets(bytes.fromhex("c001c100080000010000ff0200"))
    assert exception.to_octets().hex() == "d80101"


@pytest.mark.parametrize(("client", "server"), [(1, 1), (17, 1), (16, 2), (0, 0)])
def test_nobody_else_gets_an_association(client: int, server: int) -> None:
    aare = Rig().associate(client=client, server=server)
    assert aare.result is AssociationResult.REJECTED_PERMANENT
    assert aare.result_source_diagnostic is AcseServiceUserDiagnostic.NO_REASON_GIVEN


def test_an_authentication_is_not_known() -> None:
    aare = Rig().associate(aarq(mechanism=AuthenticationMechanism.LOW))
    assert (
        aare.result_source_diagnostic
        is AcseServiceUserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
    )
    assert (
        Rig().associate(aarq(mechanism=AuthenticationMechanism.LOWEST)).result is AssociationResult.ACCEPTED
    )


def test_only_what_is_implemented_is_granted() -> None:
    rig = Rig()
    rig.associate(aarq(EVERYTHING))
    assert rig.value(15, "0.0.40.0.0.255", 5) == (
        Data(DataTag.BIT_STRING, BitString(SERVED.to_octets(), 24)),
        Data(DataTag.LONG_UNSIGNED, 1024),
        Data(DataTag.LONG_UNSIGNED, 1024),
        Data(DataTag.UNSIGNED, 6),
        integer(0),
        octet_string(b""),
    )
    rig.associate(aarq(Conformance.GET | Conformance.READ, 0))
    context = rig.value(15, "0.0.40.0.0.255", 5)
    assert isinstance(context, tuple)
    assert context[0] == Data(DataTag.BIT_STRING, BitString(Conformance.GET.to_octets(), 24))
    assert context[2] == Data(DataTag.LONG_UNSIGNED, 0)


def test_the_object_list_names_every_object_once() -> None:
    rig = Rig()
    rig.associate(aarq(max_receive_pdu_size=100))
    listed = AssociationLnV1.object_list.type.from_data(require_data(rig.get(15, "0.0.40.0.0.255", 2)))
    names = [(each.class_id, each.version, str(each.logical_name)) for each in listed]
    assert len(names) == len(PLAIN_OBJECTS)
    assert set(names) == PLAIN_OBJECTS


def test_the_rights_in_the_object_list_are_true() -> None:
    rig = Rig()
    rig.associate()
    listed = AssociationLnV1.object_list.type.from_data(require_data(rig.get(15, "0.0.40.0.0.255", 2)))
    for element in listed:
        name = str(element.logical_name)
        for attribute in element.access_rights.attribute_access:
            result = rig.get(element.class_id, name, attribute.attribute_id)
            assert (result is DataAccessResult.READ_WRITE_DENIED) == (not attribute.access_mode & 1)
            assert isinstance(result, Data) == bool(attribute.access_mode & 1)
            # No attribute is a null-data, so writing one changes nothing, whoever may write.
            written = rig.put(element.class_id, name, attribute.attribute_id, null_data(None))
            may_write = written is DataAccessResult.TYPE_UNMATCHED
            assert may_write == bool(attribute.access_mode & 2)
        declared = interface_class(element.class_id, element.version)
        assert declared is not None
        assert {each.method_id for each in element.access_rights.method_access} == set(declared.methods)


def test_the_association_is_that_of_the_caller() -> None:
    rig = Rig()
    rig.associate()
    assert rig.value(15, "0.0.40.0.0.255", 1) == bytes.fromhex("0000280000ff")
    assert rig.value(15, "0.0.40.0.0.255", 3) == (integer(16), Data(DataTag.LONG_UNSIGNED, 1))
    assert rig.value(15, "0.0.40.0.0.255", 4) == bytes.fromhex("60857405080101")
    assert rig.value(15, "0.0.40.0.0.255", 6) == bytes.fromhex("60857405080200")
    assert rig.value(15, "0.0.40.0.0.255", 8) == 2
    assert rig.get(15, "0.0.40.0.0.255", 7) is DataAccessResult.READ_WRITE_DENIED


def test_attribute_0_is_all_that_can_be_read_and_written() -> None:
    rig = Rig()
    rig.associate()
    everything = require_data(rig.get(8, "0.0.1.0.0.255", 0))
    assert everything == Data(
        DataTag.STRUCTURE, tuple(require_data(rig.get(8, "0.0.1.0.0.255", each)) for each in range(1, 10))
    )
    association = require_data(rig.get(15, "0.0.40.0.0.255", 0)).to_octets()
    assert association.startswith(bytes.fromhex("02 09 09060000280000FF"))
    secret_then_security = bytes.fromhex("00 0906")
    assert secret_then_security in association
    nothing = null_data(None)
    midnight = octet_string(bytes.fromhex("07E70101FF00000000800000"))
    set_clock = Data(DataTag.STRUCTURE, (nothing, midnight, *([nothing] * 7)))
    assert rig.put(8, "0.0.1.0.0.255", 0, set_clock) is DataAccessResult.SUCCESS
    told = rig.value(8, "0.0.1.0.0.255", 2)
    assert isinstance(told, bytes)
    assert told[:2] == bytes.fromhex("07E7")
    for wrong in (nothing, Data(DataTag.STRUCTURE, (nothing,)), Data(DataTag.ARRAY, (nothing,) * 9)):
        assert rig.put(8, "0.0.1.0.0.255", 0, wrong) is DataAccessResult.TYPE_UNMATCHED
    named = Data(DataTag.STRUCTURE, (octet_string(bytes(6)), *([nothing] * 8)))
    assert rig.put(8, "0.0.1.0.0.255", 0, named) is DataAccessResult.READ_WRITE_DENIED


def test_attribute_0_is_out_of_scope_where_it_was_not_negotiated() -> None:
    rig = Rig()
    rig.associate(aarq(Conformance.GET | Conformance.SET))
    assert rig.get(8, "0.0.1.0.0.255", 0) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert rig.put(8, "0.0.1.0.0.255", 0, null_data(None)) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(
    ("class_id", "obis", "attribute", "result"),
    [
        (1, "0.0.99.0.0.255", 2, DataAccessResult.OBJECT_UNDEFINED),
        (3, "0.0.1.0.0.255", 2, DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (8, "0.0.1.0.0.255", 10, DataAccessResult.OBJECT_UNAVAILABLE),
        (8, "0.0.1.0.0.255", 11, DataAccessResult.OBJECT_UNAVAILABLE),
    ],
)
def test_what_is_not_there_says_why(
    class_id: int, obis: str, attribute: int, result: DataAccessResult
) -> None:
    rig = Rig()
    rig.associate()
    assert rig.get(class_id, obis, attribute) is result
    assert rig.put(class_id, obis, attribute, null_data(None)) is result
    expected = (
        ActionResult.OBJECT_UNAVAILABLE if result is DataAccessResult.OBJECT_UNAVAILABLE else int(result)
    )
    assert rig.call(99, None, class_id, obis) == expected


@pytest.mark.parametrize(
    ("class_id", "name", "attribute", "selector"),
    [(8, "0.0.1.0.0.255", 2, 1), (7, "1.0.99.1.0.255", 3, 1), (15, "0.0.40.0.0.255", 2, 4)],
    ids=["no-selectors", "another-attribute", "another-selector"],
)
def test_a_selector_that_is_not_offered_is_refused(
    class_id: int, name: str, attribute: int, selector: int
) -> None:
    rig = Rig()
    rig.associate()
    descriptor = AttributeDescriptor(class_id, Obis.parse(name), attribute)
    answer = rig.ask(GetRequestNormal(INVOKE, descriptor, SelectiveAccess(selector, null_data(None))))
    assert answer == GetResponseNormal(INVOKE, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)


class Broken(ComputedData):
    """Has a bug."""

    def invoke(self, method_id: int, parameters: Data | None) -> object:  # type: ignore[override]  # a bug, on purpose  # pyright: ignore[reportIncompatibleMethodOverride]  # as before
        raise ZeroDivisionError(method_id, parameters)


def broken_value() -> Data:
    raise RuntimeError("a bug")


def meter_with(*objects: Behaviour, policies: tuple[AssociationPolicy, ...] = (AssociationPolicy(),)) -> Rig:
    rig = Rig()
    machine = rig.meter.machine
    meter = SimulatedMeter(
        "MWS0000000009", objects, machine, associations=policies, trouble=rig.troubles.append
    )
    rig.meter = meter
    rig.connection = ServerConnection(meter)
    return rig


def test_a_bug_of_one_object_is_its_own() -> None:
    rig = meter_with(
        Broken("0.0.96.1.0.255", broken_value), ComputedData("0.0.96.1.1.255", lambda: integer(1))
    )
    rig.associate()
    assert rig.get(1, "0.0.96.1.0.255", 2) is DataAccessResult.OTHER_REASON
    assert rig.call(1, None, 1, "0.0.96.1.0.255") is ActionResult.OTHER_REASON
    assert [type(error) for error in rig.troubles] == [RuntimeError, ZeroDivisionError]
    assert rig.get(1, "0.0.96.1.1.255", 2) == integer(1)


def test_an_association_shows_what_it_may() -> None:
    public = AssociationPolicy(client_sap=17, visible=frozenset({Obis.parse("0.0.96.1.0.255")}))
    rig = meter_with(
        ComputedData("0.0.96.1.0.255", lambda: integer(1)),
        ComputedData("0.0.96.1.1.255", lambda: integer(2)),
        policies=(AssociationPolicy(), public),
    )
    rig.associate(client=17)
    seen = AttributeDescriptor(1, Obis.parse("0.0.96.1.0.255"), 2)
    hidden = AttributeDescriptor(1, Obis.parse("0.0.96.1.1.255"), 2)
    assert rig.ask(GetRequestNormal(INVOKE, seen, None), client=17) == GetResponseNormal(INVOKE, integer(1))
    assert rig.ask(GetRequestNormal(INVOKE, hidden, None), client=17) == GetResponseNormal(
        INVOKE, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    )
    listing = rig.ask(
        GetRequestNormal(INVOKE, AttributeDescriptor(15, Obis.parse("0.0.40.0.0.255"), 2), None), client=17
    )
    assert isinstance(listing, GetResponseNormal)
    listed = AssociationLnV1.object_list.type.from_data(require_data(listing.result))
    assert [str(each.logical_name) for each in listed] == ["0.0.96.1.0.255", "0.0.40.0.0.255"]


def test_two_objects_cannot_have_one_name() -> None:
    twice = [ComputedData("0.0.96.1.0.255", lambda: integer(1)) for _ in range(2)]
    with pytest.raises(ValueError, match=r"two objects 0\.0\.96\.1\.0\.255"):
        meter_with(*twice)
    with pytest.raises(ValueError, match="two objects"):
        meter_with(ComputedData("0.0.40.0.0.255", lambda: integer(1)))


def test_names_are_of_ten_digits() -> None:
    assert meter_name(1) == "MWS0000000001"
    assert meter_name(9_999_999_999) == "MWS9999999999"
    assert serial_digits(42) == "0000000042"
    for wrong in (-1, 10_000_000_000):
        with pytest.raises(ValueError, match="ten digits"):
            meter_name(wrong)


@given(st.binary(max_size=60))
def test_no_octets_take_the_meter_down(octets: bytes) -> None:
    clock = ManualClock(START)
    troubles: list[Exception] = []
    connection = ServerConnection(plain_meter(1, clock=clock, trouble=troubles.append))
    for apdu in (aarq().to_octets(), octets, octets[:1] + b"\x01\xc1" + octets[1:], b"\xc0\x01" + octets):
        connection.receive(WrapperFrame(16, 1, apdu).to_octets())
    connection.receive(WrapperFrame(16, 1, aarq().to_octets()).to_octets())
    answers = connection.data_to_send()
    assert answers
    assert troubles == []


@given(
    class_id=st.sampled_from([1, 3, 8, 15, 18]),
    obis=st.sampled_from(sorted(name for _, _, name in PLAIN_OBJECTS)),
    number=st.integers(-1, 12),
    parameter=st.sampled_from(
        [
            None,
            null_data(None),
            integer(0),
            octet_string(b""),
            Data(DataTag.STRUCTURE, (integer(0), integer(0))),
        ]
    ),
)
def test_no_call_takes_the_meter_down(class_id: int, obis: str, number: int, parameter: Data | None) -> None:
    rig = Rig()
    rig.associate()
    rig.ask(ActionRequestNormal(INVOKE, MethodDescriptor(class_id, Obis.parse(obis), number), parameter))
    rig.put(class_id, obis, number, integer(0) if parameter is None else parameter)
    rig.get(class_id, obis, number)
    assert rig.troubles == []


def require_data(result: Data | DataAccessResult | None) -> Data:
    assert isinstance(result, Data), result
    return result


def test_answers_are_apdus_of_their_own() -> None:
    rig = Rig()
    answer = rig.associate()
    assert decode_apdu(answer.to_octets()) == answer
