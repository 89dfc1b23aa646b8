"""Requests that are too long for one APDU, from one end to the other: both links, every protection."""

import pytest
from tests.association.secured import (
    ATTRIBUTE,
    METHOD,
    Meter,
    apdus_passed,
    client_side,
    meter_side,
    stack_pair,
)

from meterwright.apdu import SetRequestWithDataBlock, SetRequestWithFirstDataBlock, decode_apdu
from meterwright.association import CLIENT_CONFORMANCE, Grant, Proposal
from meterwright.data import octet_string
from meterwright.errors import LocalProtocolError
from meterwright.exchange import invoke, write
from meterwright.testing import StackPair
from meterwright.values import AuthenticationMechanism, Conformance, SecurityPolicy

POLICIES = (SecurityPolicy.NONE, SecurityPolicy.AUTHENTICATED_ENCRYPTED)
LONGEST_PDU = 100

each_link = pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
each_policy = pytest.mark.parametrize("policy", POLICIES, ids=["plain", "protected"])


def joined(
    policy: SecurityPolicy, *, hdlc: bool = False, max_pdu: int = LONGEST_PDU
) -> tuple[StackPair, Meter]:
    """A client and a meter that takes little at once, associated."""
    mechanism = AuthenticationMechanism.LOWEST
    host = Meter(meter_side(mechanism, policy), max_pdu)
    pair = stack_pair(client_side(mechanism, policy), host, hdlc=hdlc)
    pair.associate()
    return pair, host


def sizes(pair: StackPair) -> list[int]:
    """How long each APDU of the client was, after the AARQ."""
    return [len(each.octets) for each in apdus_passed(pair) if each.from_client][1:]


@each_link
@each_policy
@pytest.mark.parametrize("size", [10, 66, 80, 81, 200, 3000])
def test_a_long_write_arrives_whole_and_each_request_fits(
    policy: SecurityPolicy, size: int, *, hdlc: bool
) -> None:
    pair, host = joined(policy, hdlc=hdlc)
    value = octet_string((bytes(range(256)) * 12)[:size])
    pair.converse(write(ATTRIBUTE, value, room=pair.association.room))
    assert host.written == [value]
    assert max(sizes(pair)) <= LONGEST_PDU
    if len(sizes(pair)) > 2:
        assert sizes(pair)[0] == sizes(pair)[1] == LONGEST_PDU


@each_link
@each_policy
@pytest.mark.parametrize("size", [10, 66, 80, 81, 200, 3000])
def test_a_long_call_goes_out_and_comes_back_whole(policy: SecurityPolicy, size: int, *, hdlc: bool) -> None:
    pair, host = joined(policy, hdlc=hdlc)
    value = octet_string((bytes(range(256)) * 12)[:size])
    for _ in range(3):
        assert pair.converse(invoke(METHOD, value, room=pair.association.room)) == value
    assert host.invoked == [value] * 3
    assert max(sizes(pair)) <= LONGEST_PDU


def test_an_answer_longer_than_the_client_takes_comes_in_blocks() -> None:
    mechanism = AuthenticationMechanism.LOWEST
    host = Meter(meter_side(mechanism, SecurityPolicy.NONE))
    pair = StackPair(host, proposal=Proposal(max_receive_pdu_size=50))
    pair.associate()
    value = octet_string(bytes(300))
    assert pair.converse(invoke(METHOD, value, room=pair.association.room)) == value
    from_meter = [len(each.octets) for each in apdus_passed(pair) if not each.from_client][1:]
    assert max(from_meter) == 50
    assert len(from_meter) == 8


def test_the_invoke_id_is_kept_over_the_blocks() -> None:
    pair, _ = joined(SecurityPolicy.NONE)
    pair.converse(write(ATTRIBUTE, octet_string(bytes(300)), room=pair.association.room))
    requests = [decode_apdu(each.octets) for each in apdus_passed(pair) if each.from_client][1:]
    assert isinstance(requests[0], SetRequestWithFirstDataBlock)
    invokes = {requests[0].invoke_id_and_priority}
    for request in requests[1:]:
        assert isinstance(request, SetRequestWithDataBlock)
        invokes.add(request.invoke_id_and_priority)
    assert len(invokes) == 1
    assert len(requests) == 4
    for _ in range(20):  # and it is free again
        pair.converse(write(ATTRIBUTE, octet_string(bytes(300)), room=pair.association.room))


def test_without_blocks_a_long_write_is_refused_before_it_leaves() -> None:
    mechanism = AuthenticationMechanism.LOWEST
    host = Meter(meter_side(mechanism, SecurityPolicy.NONE))
    host.grant = Grant(CLIENT_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, LONGEST_PDU)
    pair = stack_pair(client_side(mechanism, SecurityPolicy.NONE), host)
    pair.associate()
    with pytest.raises(
        LocalProtocolError, match=r"100 octets that the meter takes.*BLOCK_TRANSFER_WITH_SET"
    ) as caught:
        pair.converse(write(ATTRIBUTE, octet_string(bytes(300)), room=pair.association.room))
    assert caught.value.hint
    assert not host.written
    assert not sizes(pair)


def test_where_no_block_fits_at_all_it_says_so() -> None:
    pair, host = joined(SecurityPolicy.NONE, max_pdu=19)
    with pytest.raises(LocalProtocolError, match="not even a block fits the 19 octets"):
        pair.converse(write(ATTRIBUTE, octet_string(bytes(300)), room=pair.association.room))
    assert not host.written
    pair, host = joined(SecurityPolicy.NONE, max_pdu=20)
    pair.converse(write(ATTRIBUTE, octet_string(bytes(30)), room=pair.association.room))
    assert host.written == [octet_string(bytes(30))]
