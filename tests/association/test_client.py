"""The client's machine: which answer belongs to which request, and what becomes of those that never get one."""

import pytest
from tests.apdu.golden import TIME
from tests.association.client_scripts import (
    GET,
    aare,
    associated,
    exception,
    failed_service,
    got,
    notification,
)

from meterwright.apdu import (
    Aarq,
    Apdu,
    DataNotification,
    EventNotificationRequest,
    ExceptionResponse,
    GetRequestNext,
    GetRequestNormal,
    GetResponseNormal,
    InformationReportRequest,
    Rlrq,
    decode_apdu,
)
from meterwright.association import (
    Answered,
    AssociationEnded,
    AssociationRefused,
    ClientAssociation,
    ClientEvent,
    Credentials,
    LateAnswer,
    Released,
    RequestFailed,
    State,
    Unsolicited,
)
from meterwright.errors import (
    AssociationLost,
    ConfirmedServiceErrorReceived,
    ConnectionLost,
    ExceptionResponseError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.exchange import CONFIRMED, UNCONFIRMED
from meterwright.security import Secret
from meterwright.values import AuthenticationMechanism, InvokeIdAndPriority


def failure(events: list[ClientEvent], invoke_id: int) -> MeterwrightError:
    """The error of the one request that failed."""
    (event,) = [each for each in events if isinstance(each, RequestFailed)]
    assert event.invoke_id == invoke_id
    return event.error


class TestAnswers:
    """An answer is known by its invoke id."""

    def test_a_request_goes_out_once_under_a_fresh_id(self) -> None:
        client = associated()
        first, second = client.request(GET, 1), client.request(GET, 1)
        sent = [decode_apdu(octets) for octets in client.data_to_send()]
        assert [apdu.invoke_id for apdu in sent if isinstance(apdu, GetRequestNormal)] == [first, second]
        assert first != second
        assert client.data_to_send() == []

    def test_service_class_and_priority_are_the_requests(self) -> None:
        client = associated()
        asked = GetRequestNormal(InvokeIdAndPriority(0, confirmed=True, high_priority=False), TIME, None)
        invoke_id = client.request(asked, 1)
        (octets,) = client.data_to_send()
        assert octets[2] == 0x40 | invoke_id

    def test_answers_in_any_order_find_their_requests(self) -> None:
        client = associated()
        ids = [client.request(GET, 1) for _ in range(5)]
        for invoke_id in reversed(ids):
            (event,) = client.receive(got(invoke_id))
            assert isinstance(event, Answered)
            assert event.invoke_id == invoke_id
            assert isinstance(event.apdu, GetResponseNormal)
        assert client.deadline is None

    def test_an_answer_comes_once(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        client.receive(got(invoke_id))
        assert [type(event) for event in client.receive(got(invoke_id))] == [LateAnswer]

    def test_an_answer_to_nobody_is_dropped(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        assert [type(event) for event in client.receive(got(invoke_id ^ 8))] == [LateAnswer]
        assert [type(event) for event in client.receive(got(invoke_id))] == [Answered]

    def test_a_notification_is_never_the_answer(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        (event,) = client.receive(notification)
        assert isinstance(event, Unsolicited)
        assert isinstance(event.apdu, DataNotification)
        assert client.deadline == 1
        assert [type(event) for event in client.receive(got(invoke_id))] == [Answered]

    @pytest.mark.parametrize(
        ("octets", "kind"),
        [
            ("C20000010000600100FF020F01", EventNotificationRequest),
            ("18000102FA00010F01", InformationReportRequest),
        ],
    )
    def test_nor_are_an_event_or_a_report(self, octets: str, kind: type[Apdu]) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        (event,) = client.receive(bytes.fromhex(octets))
        assert isinstance(event, Unsolicited)
        assert type(event.apdu) is kind
        assert client.deadline == 1
        assert [type(event) for event in client.receive(got(invoke_id))] == [Answered]

    @pytest.mark.parametrize("state", State)
    def test_a_notification_may_come_in_any_state(self, state: State) -> None:
        client = in_state(state)
        assert [type(event) for event in client.receive(notification)] == [Unsolicited]
        assert client.state is state

    def test_unconfirmed_requests_are_told_and_not_awaited(self) -> None:
        client = associated()
        client.tell(GetRequestNormal(UNCONFIRMED, TIME, None))
        assert client.deadline is None
        assert len(client.data_to_send()) == 1


class TestInvokeIds:
    """An id that was given up is not used again until its late answer has come."""

    def test_a_late_answer_is_dropped_and_its_id_free_again(self) -> None:
        client = associated()
        ids = [client.request(GET, 1) for _ in range(16)]
        for invoke_id in ids:
            client.give_up(invoke_id)
        with pytest.raises(LocalProtocolError, match="all 16 invoke ids are open or given up") as caught:
            client.request(GET, 1)
        assert "associate anew" in caught.value.hint
        assert [type(event) for event in client.receive(got(ids[3]))] == [LateAnswer]
        assert client.request(GET, 1) == ids[3]

    def test_sixteen_requests_may_be_open(self) -> None:
        client = associated()
        assert len({client.request(GET, 1) for _ in range(16)}) == 16
        with pytest.raises(LocalProtocolError):
            client.request(GET, 1)

    def test_an_id_given_up_is_passed_over(self) -> None:
        client = associated()
        given_up = client.request(GET, 1)
        client.give_up(given_up)
        for _ in range(40):
            invoke_id = client.request(GET, 1)
            assert invoke_id != given_up
            client.receive(got(invoke_id))

    def test_giving_up_what_is_not_open_changes_nothing(self) -> None:
        client = associated()
        client.give_up(5)
        invoke_id = client.request(GET, 1)
        assert [type(event) for event in client.receive(exception)] == [Answered]
        client.give_up(invoke_id)
        assert client.request(GET, 1) != invoke_id

    def test_a_refused_request_takes_no_id(self) -> None:
        client = associated(size=12)
        for _ in range(20):
            with pytest.raises(LocalProtocolError, match="and the meter takes 12"):
                client.request(GET, 1)
        assert client.deadline is None
        assert client.data_to_send() == []

    def test_what_continues_keeps_its_id(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        client.receive(got(invoke_id))
        following = GetRequestNext(CONFIRMED.with_id(invoke_id), 1)
        assert client.request(following, 1, continues=True) == invoke_id

    def test_what_continues_cannot_take_anothers_id(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        with pytest.raises(LocalProtocolError, match="which another request has"):
            client.request(GetRequestNext(CONFIRMED.with_id(invoke_id), 1), 1, continues=True)
        client.give_up(invoke_id)
        with pytest.raises(LocalProtocolError, match="which another request has"):
            client.request(GetRequestNext(CONFIRMED.with_id(invoke_id), 1), 1, continues=True)

    def test_an_apdu_without_an_id_cannot_be_asked(self) -> None:
        client = associated()
        with pytest.raises(LocalProtocolError, match="rlrq carries no invoke id"):
            client.request(Rlrq(), 1)


@pytest.mark.parametrize("refusal", [exception, failed_service], ids=["exception", "service-error"])
class TestRefusalsWithoutInvokeId:
    """An ExceptionResponse or ConfirmedServiceError answers the one open request, or nobody that can be named."""

    def test_with_one_open_it_is_the_answer(self, refusal: bytes) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        (event,) = client.receive(refusal)
        assert isinstance(event, Answered)
        assert event.invoke_id == invoke_id
        assert client.state is State.ASSOCIATED
        assert client.request(GET, 1) != invoke_id

    def test_with_several_open_the_association_ends(self, refusal: bytes) -> None:
        client = associated()
        ids = [client.request(GET, 1) for _ in range(2)]
        events = client.receive(refusal)
        assert [event.invoke_id for event in events if isinstance(event, RequestFailed)] == ids
        assert isinstance(events[-1], AssociationEnded)
        assert isinstance(events[-1].error, AssociationLost)
        assert client.state is State.IDLE
        assert client.deadline is None

    def test_with_one_open_after_one_given_up_the_association_ends(self, refusal: bytes) -> None:
        client = associated()
        client.give_up(client.request(GET, 1))
        invoke_id = client.request(GET, 1)
        assert isinstance(failure(client.receive(refusal), invoke_id), AssociationLost)
        assert client.state is State.IDLE

    def test_after_the_one_given_up_it_is_its_late_answer(self, refusal: bytes) -> None:
        client = associated()
        client.give_up(client.request(GET, 1))
        assert [type(event) for event in client.receive(refusal)] == [LateAnswer]
        client.request(GET, 1)
        assert [type(event) for event in client.receive(refusal)] == [Answered]

    def test_after_several_given_up_none_of_their_ids_is_free(self, refusal: bytes) -> None:
        """Which one it answered cannot be told, so the late answers of all may still come."""
        client = associated()
        given_up = {client.request(GET, 1), client.request(GET, 1)}
        for invoke_id in given_up:
            client.give_up(invoke_id)
        assert [type(event) for event in client.receive(refusal)] == [LateAnswer]
        fresh = {client.request(GET, 1) for _ in range(14)}
        assert fresh.isdisjoint(given_up)
        with pytest.raises(LocalProtocolError, match="all 16 invoke ids"):
            client.request(GET, 1)

    def test_out_of_nowhere_it_is_dropped(self, refusal: bytes) -> None:
        client = associated()
        assert [type(event) for event in client.receive(refusal)] == [LateAnswer]
        assert client.state is State.ASSOCIATED

    def test_instead_of_an_aare_it_refuses_the_association(self, refusal: bytes) -> None:
        client = ClientAssociation()
        client.associate(1)
        (event,) = client.receive(refusal)
        assert isinstance(event, AssociationRefused)
        assert isinstance(event.error, ExceptionResponseError | ConfirmedServiceErrorReceived)
        assert event.error.where.about == "AARQ"
        assert client.state is State.IDLE


class TestTime:
    """Deadlines are numbers that come in; what is late is given up."""

    def test_the_deadline_is_the_earliest(self) -> None:
        client = associated()
        client.request(GET, 7)
        client.request(GET, 3)
        assert client.deadline == 3
        client.release(2)
        assert client.deadline == 2

    def test_before_its_deadline_nothing_happens(self) -> None:
        client = associated()
        client.request(GET, 5)
        assert client.tick(4.999) == []

    def test_at_its_deadline_a_request_fails_and_its_answer_is_late(self) -> None:
        client = associated()
        late, other = client.request(GET, 5), client.request(GET, 6)
        error = failure(client.tick(5), late)
        assert isinstance(error, Timeout)
        assert "get-request-normal" in error.what
        assert error.hint
        assert client.state is State.ASSOCIATED
        assert [type(event) for event in client.receive(got(late))] == [LateAnswer]
        assert [type(event) for event in client.receive(got(other))] == [Answered]

    def test_an_aarq_that_nobody_answers(self) -> None:
        client = ClientAssociation()
        client.associate(deadline=5)
        assert client.tick(4) == []
        (event,) = client.tick(5)
        assert isinstance(event, AssociationRefused)
        assert isinstance(event.error, Timeout)
        assert (client.state, client.deadline) == (State.IDLE, None)

    def test_an_rlrq_that_nobody_answers_is_as_good_as_answered(self) -> None:
        client = associated()
        client.release(deadline=5)
        assert client.tick(5) == [Released()]
        assert (client.state, client.deadline) == (State.IDLE, None)

    def test_a_second_tick_brings_nothing_new(self) -> None:
        client = associated()
        client.request(GET, 5)
        client.tick(5)
        assert client.tick(6) == []


class TestUndecodable:
    """Octets that are no APDU fail the request whose invoke id they bear; else the association is over."""

    def test_with_the_id_of_an_open_request(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        error = failure(client.receive(got(invoke_id)[:-1]), invoke_id)
        assert isinstance(error, RemoteProtocolError)
        assert error.where.offset == 5
        assert client.state is State.ASSOCIATED
        assert client.deadline is None

    def test_with_the_id_of_a_request_given_up(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        client.give_up(invoke_id)
        assert client.receive(got(invoke_id)[:-1]) == []
        client.request(GET, 1)
        assert [type(event) for event in client.receive(exception)] == [Answered]

    @pytest.mark.parametrize("octets", ["", "C4", "C401", "AA0102030405", "0F0000", "C401C7"])
    def test_without(self, octets: str) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        events = client.receive(bytes.fromhex(octets))
        assert isinstance(failure(events, invoke_id), RemoteProtocolError)
        assert isinstance(events[-1], AssociationEnded)
        assert client.state is State.IDLE

    def test_instead_of_an_aare(self) -> None:
        client = ClientAssociation()
        client.associate(1)
        (event,) = client.receive(b"\x61\x05")
        assert isinstance(event, AssociationRefused)
        assert isinstance(event.error, RemoteProtocolError)
        assert client.state is State.IDLE

    def test_when_idle(self) -> None:
        assert ClientAssociation().receive(b"\xaa") == []


class TestOutOfOrder:
    """What a meter may send, but not now, or never."""

    @pytest.mark.parametrize(
        "octets",
        [aare(size=501), bytes.fromhex("6300"), GET.to_octets(), Aarq().to_octets(), Rlrq().to_octets()],
        ids=["second-aare", "rlre-unasked", "get-request", "aarq", "rlrq"],
    )
    def test_it_ends_the_association(self, octets: bytes) -> None:
        client = associated()
        invoke_id = client.request(GET, 1)
        events = client.receive(octets)
        assert isinstance(failure(events, invoke_id), RemoteProtocolError)
        assert [type(event) for event in events] == [RequestFailed, AssociationEnded]
        assert client.state is State.IDLE

    def test_a_request_of_ours_when_there_is_no_association(self) -> None:
        for state in (State.IDLE, State.PENDING, State.RELEASING):
            client = in_state(state)
            client.data_to_send()
            with pytest.raises(LocalProtocolError):
                client.request(GET, 1)
            with pytest.raises(LocalProtocolError):
                client.tell(GET)
            assert client.data_to_send() == []
            assert client.state is state

    def test_a_second_aarq_of_ours(self) -> None:
        client = in_state(State.PENDING)
        with pytest.raises(LocalProtocolError):
            client.associate(2)

    def test_a_release_of_nothing(self) -> None:
        for state in (State.IDLE, State.PENDING, State.RELEASING):
            with pytest.raises(LocalProtocolError):
                in_state(state).release(2)

    def test_there_is_no_context_without_an_association(self) -> None:
        for state in (State.IDLE, State.PENDING):
            with pytest.raises(LocalProtocolError, match="there is no association"):
                _ = in_state(state).context


class TestTheEnd:
    """Released, lost, or begun anew: nothing of the old association is left, and everybody who waited is told."""

    def test_a_release_is_asked_and_answered(self) -> None:
        client = associated()
        client.release(5)
        assert client.data_to_send() == [bytes.fromhex("6203800100")]
        assert client.receive(bytes.fromhex("6303800100")) == [Released()]
        assert (client.state, client.deadline) == (State.IDLE, None)

    def test_an_answer_that_comes_while_releasing_is_still_one(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 5)
        client.release(5)
        assert [type(event) for event in client.receive(got(invoke_id))] == [Answered]
        assert client.receive(bytes.fromhex("6300")) == [Released()]

    def test_a_late_answer_that_comes_while_releasing_is_dropped(self) -> None:
        client = associated()
        invoke_id = client.request(GET, 5)
        client.give_up(invoke_id)
        client.release(5)
        assert [type(event) for event in client.receive(got(invoke_id))] == [LateAnswer]
        assert client.state is State.RELEASING

    @pytest.mark.parametrize("silent", [True, False], ids=["silence", "rlre"])
    def test_requests_still_open_when_it_is_released_fail(self, *, silent: bool) -> None:
        client = associated()
        invoke_id = client.request(GET, 100)
        client.release(5)
        events = client.tick(5) if silent else client.receive(bytes.fromhex("6300"))
        assert isinstance(failure(events, invoke_id), AssociationLost)
        assert events[-1] == Released()
        assert client.deadline is None

    def test_a_lost_link_fails_all(self) -> None:
        client = associated()
        ids = [client.request(GET, 1) for _ in range(3)]
        error = ConnectionLost("cut")
        assert client.lost(error) == [*(RequestFailed(each, error) for each in ids), AssociationEnded(error)]
        assert (client.state, client.deadline) == (State.IDLE, None)

    def test_a_lost_link_while_pending_refuses_the_association(self) -> None:
        error = ConnectionLost("cut")
        assert in_state(State.PENDING).lost(error) == [AssociationRefused(error)]

    def test_a_lost_link_when_idle_is_nothing(self) -> None:
        assert ClientAssociation().lost(ConnectionLost("cut")) == []

    def test_what_was_given_up_before_is_forgotten_by_the_next_association(self) -> None:
        client = associated()
        for invoke_id in [client.request(GET, 1) for _ in range(16)]:
            client.give_up(invoke_id)
        client.lost(ConnectionLost("cut"))
        client.associate(20)
        client.receive(aare())
        client.request(GET, 30)
        assert [type(event) for event in client.receive(exception)] == [Answered]

    def test_each_association_has_its_own_identity(self) -> None:
        client = associated()
        first = client.context.identity
        client.associate(20)
        client.receive(aare())
        assert client.context.identity is not first
        assert client.context.identity != first


class TestSizes:
    """What the meter does not take is not sent."""

    def test_a_request_of_just_the_size_is_sent(self) -> None:
        size = len(GET.to_octets())
        client = associated(size=size)
        client.request(GET, 1)
        client.tell(GET)
        assert [len(octets) for octets in client.data_to_send()] == [size, size]

    def test_one_octet_more_is_not(self) -> None:
        size = len(GET.to_octets())
        client = associated(size=size - 1)
        for send in (lambda: client.request(GET, 1), lambda: client.tell(GET)):
            with pytest.raises(LocalProtocolError, match=f"of {size} octets, and the meter takes {size - 1}"):
                send()

    def test_a_size_of_zero_is_no_limit_but_the_links(self) -> None:
        client = associated(size=0)
        assert client.context.fits(0xFFFF)
        assert not client.context.fits(0x10000)
        client.request(GET, 1)


def test_an_exception_knows_its_counter() -> None:
    client = associated()
    client.request(GET, 1)
    (event,) = client.receive(bytes.fromhex("D8010600000010"))
    assert isinstance(event, Answered)
    assert isinstance(event.apdu, ExceptionResponse)
    assert event.apdu.invocation_counter == 16


def in_state(state: State) -> ClientAssociation:
    """A client that has come that far."""
    if state is State.IDLE:
        return ClientAssociation()
    if state is State.PENDING:
        client = ClientAssociation()
        client.associate(1)
        return client
    if state is State.AUTHENTICATING:
        client = ClientAssociation(
            credentials=Credentials(
                mechanism=AuthenticationMechanism.HIGH, secret=Secret(bytes(16)), challenge=bytes(16)
            )
        )
        client.associate(1)
        challenging = aare(challenge=bytes(range(16)))
        assert client.receive(challenging) == []
        return client
    client = associated()
    if state is State.RELEASING:
        client.release(1)
    return client
