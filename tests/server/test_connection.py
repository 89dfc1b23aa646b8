"""One connection: several associations, what breaks only one of them, and what breaks the connection."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.hosts import AARQ, Host, Line, aarq

from meterwright.apdu import (
    Aare,
    AttributeDescriptor,
    DataNotification,
    ExceptionResponse,
    GetRequestNormal,
    GetResponseNormal,
    Rlre,
    SetRequestNormal,
)
from meterwright.data import integer, octet_string
from meterwright.errors import RemoteProtocolError
from meterwright.link import WrapperFrame
from meterwright.server import MOST_ASSOCIATIONS, Partners, ServerConnection
from meterwright.values import (
    AcseServiceUserDiagnostic,
    AssociationResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
    Obis,
)

INVOKE = InvokeIdAndPriority(1)
ATTRIBUTE = AttributeDescriptor(3, Obis.parse("0.0.1.0.0.255"), 2)
GET = GetRequestNormal(INVOKE, ATTRIBUTE, None)
GOT = GetResponseNormal(INVOKE, octet_string(bytes(3)))
NOT_ASSOCIATED = ExceptionResponse(
    ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE, None
)


def test_nothing_is_served_without_an_association() -> None:
    line = Line(Host())
    assert line.ask(GET) == NOT_ASSOCIATED
    line.ask(AARQ)
    assert line.connection.associated == 1
    assert line.ask(GET) == GOT
    assert isinstance(line.ask(b"\x62\x03\x80\x01\x00"), Rlre)
    assert line.connection.associated == 0
    assert line.ask(GET) == NOT_ASSOCIATED


def test_each_pair_of_partners_has_its_own_association() -> None:
    line = Line(Host())
    line.ask(AARQ, client=16)
    line.ask(AARQ, client=17)
    assert line.ask(GET, client=18) == NOT_ASSOCIATED
    assert line.ask(GET, client=16, server=2) == NOT_ASSOCIATED
    line.ask(b"\x62\x00", client=16)
    assert line.ask(GET, client=17) == GOT
    assert line.connection.associated == 1


def test_who_is_refused_is_not_served() -> None:
    host = Host()
    host.grant = AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED
    line = Line(host)
    aare = line.ask(AARQ)
    assert isinstance(aare, Aare)
    assert aare.result is AssociationResult.REJECTED_PERMANENT
    assert aare.result_source_diagnostic is AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED
    assert line.ask(GET) == NOT_ASSOCIATED


def test_a_refused_reassociation_ends_the_old_one() -> None:
    host = Host()
    line = Line(host)
    line.ask(AARQ)
    host.grant = AcseServiceUserDiagnostic.NO_REASON_GIVEN
    line.ask(AARQ)
    assert line.ask(GET) == NOT_ASSOCIATED


def test_too_many_partners_end_the_connection() -> None:
    line = Line(Host())
    for client in range(MOST_ASSOCIATIONS):
        line.ask(AARQ, client=client)
    line.ask(GET, client=0)
    with pytest.raises(RemoteProtocolError, match=f"more than {MOST_ASSOCIATIONS} pairs"):
        line.send(AARQ, client=MOST_ASSOCIATIONS)


def test_what_is_no_wrapper_ends_the_connection() -> None:
    connection = ServerConnection(Host())
    with pytest.raises(RemoteProtocolError, match="no wrapper header"):
        connection.receive(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("octets", "state", "service"),
    [
        (b"", ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED),
        (b"\xff", ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED),
        (b"\xc0", ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE),
        (b"\xc0\x01\xc1", ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE),
        (b"\xc3\x09", ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.OPERATION_NOT_POSSIBLE),
        (GOT.to_octets(), ExceptionState.SERVICE_UNKNOWN, ExceptionService.SERVICE_NOT_SUPPORTED),
    ],
)
def test_what_is_no_request_is_refused_and_the_association_stands(
    octets: bytes, state: ExceptionState, service: ExceptionService
) -> None:
    line = Line(Host())
    line.ask(AARQ)
    assert line.ask(octets) == ExceptionResponse(state, service, None)
    assert line.ask(GET) == GOT


def test_a_request_longer_than_the_meter_takes_is_refused() -> None:
    host = Host(max_pdu=100)
    line = Line(host)
    line.ask(AARQ)
    room = 100 - len(SetRequestNormal(INVOKE, ATTRIBUTE, None, octet_string(b"")).to_octets())
    fits = SetRequestNormal(INVOKE, ATTRIBUTE, None, octet_string(bytes(room)))
    assert len(fits.to_octets()) == 100
    assert not isinstance(line.ask(fits), ExceptionResponse)
    seen = len(host.seen)
    too_long = SetRequestNormal(INVOKE, ATTRIBUTE, None, octet_string(bytes(room + 1)))
    assert line.ask(too_long) == ExceptionResponse(
        ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.PDU_TOO_LONG, None
    )
    assert len(host.seen) == seen
    assert line.ask(GET) == GOT


def test_a_meter_without_a_limit_takes_any_length() -> None:
    line = Line(Host(max_pdu=0))
    line.ask(AARQ)
    long = SetRequestNormal(INVOKE, ATTRIBUTE, None, octet_string(bytes(60_000)))
    assert not isinstance(line.ask(long), ExceptionResponse)


@given(st.lists(st.integers(1, 40), max_size=30))
def test_frames_may_be_cut_anywhere(cuts: list[int]) -> None:
    connection = ServerConnection(Host())
    stream = b"".join(
        WrapperFrame(16, 1, apdu).to_octets() for apdu in (AARQ, GET.to_octets(), GET.to_octets())
    )
    position = 0
    for size in cuts:
        connection.receive(stream[position : position + size])
        position += size
    connection.receive(stream[position:])
    answer = WrapperFrame(1, 16, GOT.to_octets()).to_octets()
    assert connection.data_to_send().endswith(answer + answer)
    assert connection.data_to_send() == b""


@given(st.binary(max_size=80))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    line = Line(Host())
    line.ask(AARQ)
    line.send(octets)
    assert line.send(aarq(100))
    with suppress(RemoteProtocolError):
        line.connection.receive(octets)


def test_a_notification_needs_no_association() -> None:
    line = Line(Host())
    pushed = DataNotification(LongInvokeIdAndPriority(1), None, integer(5))
    line.connection.notify(pushed, Partners(16, 1))
    assert line.collect() == [pushed]


def test_a_lost_wire_ends_all_associations() -> None:
    line = Line(Host())
    line.ask(AARQ, client=16)
    line.ask(AARQ, client=17)
    line.connection.lost()
    assert line.connection.associated == 0
    assert line.ask(GET) == NOT_ASSOCIATED
