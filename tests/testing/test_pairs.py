"""Joined pairs: a conversation as a script, over both kinds of stack."""

from collections.abc import Iterable

import pytest

from meterwright.apdu import (
    ActionRequestNormal,
    Apdu,
    AttributeDescriptor,
    GetRequestNormal,
    GetResponseNormal,
    MethodDescriptor,
    SelectiveAccess,
)
from meterwright.association import CLIENT_CONFORMANCE, AssociationRequested, Grant, Proposal, State
from meterwright.data import Data, unsigned
from meterwright.errors import AssociationRejected, ConnectionLost, DataAccessError, Timeout
from meterwright.exchange import CONFIRMED, UNCONFIRMED, Exchange, Pause, ask, invoke, read, tell, write
from meterwright.server import ActionOutcome, Caller, ObjectHost, Partners
from meterwright.testing import AssociationPair, StackPair, pass_all
from meterwright.testing.pairs import PATIENCE
from meterwright.values import AcseServiceUserDiagnostic, ActionResult, DataAccessResult, Obis

ATTRIBUTE = AttributeDescriptor(1, Obis.of("0.0.96.1.0.255"), 2)
METHOD = MethodDescriptor(3, Obis.of("1.0.1.8.0.255"), 1)


class Host(ObjectHost):
    """One attribute that can be written, and one method that doubles it."""

    def __init__(self) -> None:
        self.value: Data = unsigned(1)

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        if partners.client_sap != 16:
            return AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED
        return Grant(CLIENT_CONFORMANCE & asked.initiate.proposed_conformance, 500)

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        assert caller.partners == Partners(16, 1)
        assert selection is None
        return self.value if attribute == ATTRIBUTE else DataAccessResult.OBJECT_UNDEFINED

    def set(
        self, caller: Caller, attribute: AttributeDescriptor, value: Data, selection: SelectiveAccess | None
    ) -> DataAccessResult:
        assert caller.partners == Partners(16, 1)
        assert (attribute, selection) == (ATTRIBUTE, None)
        self.value = value
        return DataAccessResult.SUCCESS

    def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
        assert caller.partners == Partners(16, 1)
        assert (method, parameters) == (METHOD, None)
        self.value = unsigned(2 * unsigned.from_data(self.value))
        return ActionOutcome(ActionResult.SUCCESS, self.value)


def swallow(_from_client: bool, _octets: bytes) -> Iterable[bytes]:
    """Nothing arrives."""
    return ()


def double_requests(from_client: bool, octets: bytes) -> Iterable[bytes]:
    """Requests arrive twice."""
    return (octets, octets) if from_client else (octets,)


def echo_five(request: Apdu) -> Apdu | None:
    return GetResponseNormal(CONFIRMED, unsigned(5)) if isinstance(request, GetRequestNormal) else None


def test_an_association_pair_converses() -> None:
    pair = AssociationPair(echo_five)
    assert pair.associate().conformance == CLIENT_CONFORMANCE
    assert pair.converse(read(ATTRIBUTE)) == unsigned(5)
    assert [type(request) for request in pair.requests] == [GetRequestNormal]
    pair.release()
    assert (pair.client.state, pair.meter.state) == (State.IDLE, State.IDLE)
    assert [passed.from_client for passed in pair.passed] == [True, False] * 3


def test_a_stack_pair_converses() -> None:
    pair = StackPair(Host())
    assert pair.associate().max_send_pdu_size == 500
    assert pair.converse(read(ATTRIBUTE)) == unsigned(1)
    pair.converse(write(ATTRIBUTE, unsigned(21)))
    assert pair.converse(invoke(METHOD)) == unsigned(42)
    with pytest.raises(DataAccessError, match="object-undefined"):
        pair.converse(read(AttributeDescriptor(1, ATTRIBUTE.instance_id, 3)))
    pair.release()
    assert pair.meter.associated == 0
    assert all(passed.octets.startswith(b"\x00\x01") for passed in pair.passed)


def test_a_stack_pair_raises_what_the_meter_refuses_with() -> None:
    with pytest.raises(AssociationRejected) as caught:
        StackPair(Host(), client_sap=17).associate()
    assert caught.value.diagnostic is AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED


def test_an_association_pair_raises_what_the_meter_refuses_with() -> None:
    with pytest.raises(AssociationRejected):
        AssociationPair(grant=AcseServiceUserDiagnostic.NO_REASON_GIVEN).associate()


def test_silence_lasts_as_long_as_the_client_is_patient() -> None:
    pair = AssociationPair(lambda _request: None)
    pair.associate()
    with pytest.raises(Timeout):
        pair.converse(read(ATTRIBUTE))
    assert pair.now == PATIENCE


def test_a_meter_that_never_answers_the_aarq_and_the_rlrq() -> None:
    pair = AssociationPair()
    pair.interference = swallow
    with pytest.raises(Timeout):
        pair.associate()
    pair.interference = pass_all
    pair.associate()
    pair.interference = swallow
    pair.release()
    assert pair.client.state is State.IDLE
    assert pair.now == 2 * PATIENCE


def test_interference_may_double_what_is_sent() -> None:
    pair = AssociationPair(echo_five)
    pair.associate()
    pair.interference = double_requests
    assert pair.converse(read(ATTRIBUTE)) == unsigned(5)
    assert len(pair.requests) == 2


def test_an_exchange_may_pause_and_tell() -> None:
    def conversation() -> Exchange[Data]:
        yield from tell(ActionRequestNormal(UNCONFIRMED, METHOD, None))
        yield Pause(30)
        answer = yield from ask(GetRequestNormal(CONFIRMED, ATTRIBUTE, None), GetResponseNormal)
        assert isinstance(answer.result, Data)
        return answer.result

    pair = StackPair(Host())
    pair.associate()
    assert pair.converse(conversation()) == unsigned(2)
    assert pair.now == 30


def test_an_exchange_may_catch_what_it_is_thrown() -> None:
    def conversation() -> Exchange[str]:
        try:
            yield from read(ATTRIBUTE)
        except Timeout as error:
            return error.what
        return "answered"

    pair = AssociationPair()
    pair.associate()
    assert "no answer" in pair.converse(conversation())


def test_the_proposal_is_the_callers() -> None:
    pair = StackPair(Host(), proposal=Proposal(max_receive_pdu_size=64))
    assert pair.associate().max_receive_pdu_size == 64


def test_a_lost_link_is_scripted_by_hand() -> None:
    pair = StackPair(Host())
    pair.associate()
    pair.client.lost(ConnectionLost("cut"))
    pair.meter.lost()
    assert pair.associate().max_send_pdu_size == 500
