"""ACCESS: what is sent octet for octet, what a meter does with it, and answers that are none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apdu.golden import SERIAL, TIME, VERIFY
from tests.exchange.scripts import converse
from tests.server.hosts import Host

from meterwright.apdu import (
    AccessRequest,
    AccessRequestGet,
    AccessResponse,
    AccessResponseAction,
    AccessResponseGet,
    AccessResponseSet,
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
)
from meterwright.association import CLIENT_CONFORMANCE, Context, Proposal, Room
from meterwright.cosem import AssociationIdentity
from meterwright.data import Data, DataTag, integer, null_data, octet_string, unsigned
from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.exchange import (
    AccessAction,
    Accessed,
    AccessGet,
    AccessOptions,
    AccessPart,
    AccessSet,
    Ask,
    Called,
    Step,
    Tell,
    access,
    tell_access,
)
from meterwright.testing import StackPair
from meterwright.testing.strategies import data_trees
from meterwright.values import (
    ActionResult,
    Conformance,
    CosemDateTime,
    DataAccessResult,
    LongInvokeIdAndPriority,
    Obis,
)

OK, DENIED = DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED
DONE, FAULT = ActionResult.SUCCESS, ActionResult.HARDWARE_FAULT
NOTHING = null_data(None)
ENTRIES = SelectiveAccess(2, unsigned(1))
LONG = LongInvokeIdAndPriority(0)
PARTS: list[AccessPart] = [
    AccessGet(TIME),
    AccessSet(SERIAL, integer(1)),
    AccessAction(VERIFY, integer(0)),
    AccessGet(SERIAL, ENTRIES),
    AccessSet(SERIAL, integer(2), ENTRIES),
    AccessAction(VERIFY),
]
RESULTS = (
    AccessResponseGet(OK),
    AccessResponseSet(DENIED),
    AccessResponseAction(DONE),
    AccessResponseGet(DENIED),
    AccessResponseSet(OK),
    AccessResponseAction(FAULT),
)
VALUES = (octet_string(b"12"), NOTHING, integer(5), NOTHING, NOTHING, NOTHING)
ANSWER = AccessResponse(LONG, None, None, VALUES, RESULTS)


def room(conformance: Conformance = CLIENT_CONFORMANCE) -> Room:
    return Room(Context(AssociationIdentity("test"), conformance, 500, 500))


def asked(step: Step) -> AccessRequest:
    assert isinstance(step, Ask | Tell)
    assert isinstance(step.request, AccessRequest)
    return step.request


def test_a_request_of_every_kind_of_part_octet_for_octet() -> None:
    options = AccessOptions(
        break_on_error=True,
        self_descriptive=True,
        high_priority=False,
        date_time=CosemDateTime.from_octets(bytes.fromhex("07EA0101FF00000000FF8000")),
    )
    request = asked(next(access(PARTS, options, room=room())))
    assert request.to_octets() == bytes.fromhex(
        "D9 70000000 0C 07EA0101FF00000000FF8000"
        "06"
        "01 0008 0000010000FF 02"
        "02 0001 0000600100FF 02"
        "03 0012 00002C0000FF 03"
        "04 0001 0000600100FF 02 02 1101"
        "05 0001 0000600100FF 02 02 1101"
        "03 0012 00002C0000FF 03"
        "06 00 0F01 0F00 00 0F02 00"
    )


def test_each_part_has_what_became_of_it() -> None:
    results, steps = converse(access(PARTS), [ANSWER])
    assert results == (VALUES[0], DENIED, Called(DONE, integer(5)), DENIED, OK, Called(FAULT))
    assert asked(steps[0]).long_invoke_id_and_priority == LONG


def test_the_parts_are_repeated_where_that_was_asked_for() -> None:
    options = AccessOptions(self_descriptive=True)
    specifications = asked(next(access(PARTS, options))).specifications
    told = replace(ANSWER, request_specifications=specifications)
    assert converse(access(PARTS, options), [told])[0] == converse(access(PARTS), [ANSWER])[0]


@pytest.mark.parametrize(
    ("answer", "options", "says"),
    [
        (replace(ANSWER, data=VALUES[:-1]), None, "5 data and 6 results for 6 parts"),
        (replace(ANSWER, results=RESULTS[:-1]), None, "6 data and 5 results for 6 parts"),
        (
            replace(ANSWER, data=VALUES[:-1], results=RESULTS[:-1]),
            None,
            "5 data and 5 results for 6 parts",
        ),
        (
            replace(ANSWER, results=(AccessResponseSet(OK), *RESULTS[1:])),
            None,
            "AccessResponseSet is the result of AccessGet",
        ),
        (
            replace(ANSWER, results=(*RESULTS[:-1], AccessResponseGet(OK))),
            None,
            "AccessResponseGet is the result of AccessAction",
        ),
        (ANSWER, AccessOptions(self_descriptive=True), "not repeated"),
        (
            replace(ANSWER, request_specifications=(AccessRequestGet(TIME),)),
            None,
            "other parts than were sent",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_answer_to_something_else_is_refused(
    answer: AccessResponse, options: AccessOptions | None, says: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=says):
        converse(access(PARTS, options), [answer])


@pytest.mark.parametrize(
    ("parts", "without"),
    [(PARTS[:1], Conformance.ACCESS), (PARTS, Conformance.SELECTIVE_ACCESS)],
    ids=["access", "selective access"],
)
def test_nothing_is_sent_that_was_not_granted(parts: list[AccessPart], without: Conformance) -> None:
    for exchange in (access, tell_access):
        with pytest.raises(LocalProtocolError, match=f"grants no {without.name}"):
            next(exchange(parts, room=room(CLIENT_CONFORMANCE & ~without)))


def test_nobody_waits_for_the_answer_to_an_unconfirmed_one() -> None:
    host = Host()
    pair = StackPair(host)
    pair.associate()
    pair.converse(tell_access([AccessSet(SERIAL, integer(3))], room=pair.association.room))
    assert host.seen[-1] == (SERIAL, integer(3), None)
    assert pair.association.deadline is None
    assert pair.passed[-1].from_client


# ------------------------------------------------------------------------------------------------ against a meter


def attribute(number: int) -> AttributeDescriptor:
    """The host answers reading with so many octets, writing with this number."""
    return AttributeDescriptor(number, Obis.of("0.0.1.0.0.255"), 2)


def method(number: int) -> MethodDescriptor:
    """The host answers calling it with this number, and its parameters."""
    return MethodDescriptor(number, Obis.of("0.0.1.0.0.255"), 1)


def by_the_host(part: AccessPart) -> Accessed:
    """What the host makes of a part."""
    match part:
        case AccessGet(wanted):
            return octet_string(bytes(wanted.class_id))
        case AccessSet(wanted):
            return DataAccessResult(wanted.class_id)
        case AccessAction(called, parameters):
            result = ActionResult(called.class_id)
            given = parameters is not None and parameters.tag is not DataTag.NULL_DATA
            return Called(result, parameters if given and result is DONE else None)


def has_failed(became: Accessed) -> bool:
    match became:
        case Data():
            return False
        case Called(result):
            return result is not DONE
        case _:
            return became is not OK


def not_attempted(part: AccessPart) -> Accessed:
    return (
        Called(ActionResult.OTHER_REASON) if isinstance(part, AccessAction) else DataAccessResult.OTHER_REASON
    )


SELECTIONS = st.none() | st.builds(SelectiveAccess, st.integers(0, 255), data_trees())
PART = st.one_of(
    st.builds(AccessGet, st.integers(0, 40).map(attribute), SELECTIONS),
    st.builds(AccessSet, st.sampled_from([0, 0, 1, 3, 250]).map(attribute), data_trees(), SELECTIONS),
    st.builds(AccessAction, st.sampled_from([0, 0, 2, 15]).map(method), st.none() | data_trees()),
)
OPTIONS = st.builds(
    AccessOptions, break_on_error=st.booleans(), self_descriptive=st.booleans(), high_priority=st.booleans()
)


@given(parts=st.lists(PART, max_size=12), options=OPTIONS)
def test_any_parts_are_done_in_their_order_and_no_further_than_asked(
    parts: list[AccessPart], options: AccessOptions
) -> None:
    pair = StackPair(Host(max_pdu=0))
    pair.associate()
    expected = [by_the_host(part) for part in parts]
    failures = [index for index, became in enumerate(expected) if has_failed(became)]
    if options.break_on_error and failures:
        first = failures[0] + 1
        expected[first:] = [not_attempted(part) for part in parts[first:]]
    assert pair.converse(access(parts, options, room=pair.association.room)) == tuple(expected)


def test_nothing_is_done_after_the_first_failure_where_that_was_asked_for() -> None:
    host = Host()
    pair = StackPair(host)
    pair.associate()
    parts: list[AccessPart] = [
        AccessSet(attribute(0), integer(1)),
        AccessSet(attribute(3), integer(2)),
        AccessAction(method(0)),
    ]
    results = pair.converse(access(parts, AccessOptions(break_on_error=True)))
    assert results == (OK, DENIED, Called(ActionResult.OTHER_REASON))
    assert host.seen[-2:] == [(attribute(0), integer(1), None), (attribute(3), integer(2), None)]
    assert pair.converse(access(parts)) == (OK, DENIED, Called(DONE))


def test_an_answer_longer_than_the_client_takes_is_refused_by_the_book() -> None:
    pair = StackPair(Host(), proposal=Proposal(max_receive_pdu_size=64))
    pair.associate()
    with pytest.raises(MeterwrightError, match="pdu-too-long"):
        pair.converse(access([AccessGet(attribute(30))] * 3))
    assert pair.converse(access([AccessGet(attribute(30))])) == (octet_string(bytes(30)),)
