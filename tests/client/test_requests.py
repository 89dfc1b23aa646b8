"""Requests and their answers: whose is whose, what comes late, what comes unasked, what never comes."""

import asyncio
from collections.abc import Awaitable, Iterator

import pytest
from tests.client.stage import (
    EXCEPTION,
    OTHER,
    PATIENCE,
    RESET,
    SEVEN,
    TIME,
    Ground,
    Line,
    Plays,
    Raw,
    Stage,
    Step,
    Wait,
    accepted,
    got,
    patient,
    play,
    pushed,
    running_timers,
    until,
)

from meterwright.apdu import (
    Aarq,
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    DataNotification,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseWithDataBlock,
    GetResponseWithList,
    SetRequestNormal,
    SetResponseNormal,
)
from meterwright.association import CLIENT_CONFORMANCE
from meterwright.data import Data, integer, octet_string
from meterwright.errors import (
    ActionError,
    AssociationLost,
    ConnectionLost,
    DataAccessError,
    ExceptionResponseError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.exchange import CONFIRMED, UNCONFIRMED, Ask, Exchange, Pause, Tell
from meterwright.values import ActionResult, Conformance, DataAccessResult, Obis

GROUNDS = pytest.mark.parametrize("ground", Ground)
ASYNC = pytest.mark.parametrize("ground", [Ground.MEMORY, Ground.TCP])


def attribute(number: int) -> AttributeDescriptor:
    """One of many attributes."""
    return AttributeDescriptor(1, Obis.parse("0.0.96.1.0.255"), number)


def echo(request: Apdu) -> list[Step]:
    """The value is the number of the attribute."""
    assert isinstance(request, GetRequestNormal)
    return [got(integer(request.attribute.attribute_id))]


def silent(_request: Apdu) -> list[Step]:
    return []


# ---------------------------------------------------------------------------------------------------- whose answer


@ASYNC
def test_several_exchanges_at_once_get_their_own_answers_though_these_come_backwards(ground: Ground) -> None:
    asked: list[Apdu] = []

    async def scenario(stage: Stage) -> None:
        def backwards(request: Apdu) -> list[Step]:
            asked.append(request)
            if len(asked) == 12:
                for each in reversed(asked):
                    stage.meter.connections[0].play(each, echo(each))
            return []

        stage.meter.script[GetRequestNormal] = backwards
        client = stage.client(patient(5))
        await client.connect()
        values = await asyncio.gather(*(client.read(attribute(number)) for number in range(1, 13)))
        assert [value.value for value in values] == list(range(1, 13))
        await client.close()

    play(ground, scenario)


@ASYNC
def test_sixteen_requests_fit_and_a_seventeenth_is_refused(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        reads = [asyncio.ensure_future(client.read(TIME)) for _ in range(16)]
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="all 16 invoke ids"):
            await client.read(TIME)
        stage.meter.script[GetRequestNormal] = lambda _request: [got()]
        await until(lambda: stage.meter.heard(GetRequestNormal) == 16)
        for request in stage.meter.requests[1:]:
            stage.meter.connections[0].play(request, [got()])
        assert await asyncio.gather(*reads) == [SEVEN] * 16
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: silent})


def first_late() -> Plays:
    """The first GET is answered after its time, with 1; the others at once, with 2."""
    values: Iterator[Step] = iter([Wait(PATIENCE * 1.4)])

    def plays(_request: Apdu) -> list[Step]:
        late = next(values, None)
        return [late, got(integer(1))] if late is not None else [got(integer(2))]

    return plays


@GROUNDS
def test_a_late_answer_is_dropped_and_the_next_request_gets_its_own(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(Timeout) as caught:
            await client.read(TIME)
        assert caught.value.hint
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while loop.time() < until:
            assert await client.read(OTHER) == integer(2)
            await asyncio.sleep(0.01)
        assert client.is_associated
        await client.close()

    play(ground, scenario, {GetRequestNormal: first_late()})


@GROUNDS
def test_a_late_answer_before_the_answer_in_the_same_breath(ground: Ground) -> None:
    """The meter was busy: both answers come together, the old one first."""
    pending: list[Apdu] = []

    async def scenario(stage: Stage) -> None:
        def together(request: Apdu) -> list[Step]:
            pending.append(request)
            if len(pending) == 1:
                return []
            stage.meter.connections[0].play(pending[0], [got(integer(1))])
            return [got(integer(2))]

        stage.meter.script[GetRequestNormal] = together
        client = stage.client()
        await client.connect()
        with pytest.raises(Timeout):
            await client.read(TIME)
        assert await client.read(TIME) == integer(2)
        await client.close()

    play(ground, scenario)


@ASYNC
def test_an_answer_to_a_cancelled_request_is_dropped(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        task = asyncio.ensure_future(client.read(TIME))
        await until(lambda: stage.meter.heard(GetRequestNormal))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        stage.meter.script[GetRequestNormal] = lambda _request: [got(integer(2))]
        stage.meter.connections[0].play(stage.meter.requests[-1], [got(integer(1))])
        assert await client.read(TIME) == integer(2)
        await client.close()

    play(ground, scenario, {GetRequestNormal: silent})


@GROUNDS
def test_when_all_invoke_ids_are_given_up_the_caller_is_told_to_associate_anew(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        for _ in range(16):
            with pytest.raises(Timeout):
                await client.read(TIME, timeout=0.005)
        with pytest.raises(LocalProtocolError, match="all 16 invoke ids") as caught:
            await client.read(TIME)
        assert "associate anew" in caught.value.hint
        await client.close()
        stage.meter.script[GetRequestNormal] = lambda _request: [got()]
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: silent})


@GROUNDS
def test_one_late_answer_gives_its_invoke_id_back(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        for _ in range(16):
            with pytest.raises(Timeout):
                await client.read(TIME, timeout=0.005)
        stage.meter.script[GetRequestNormal] = lambda _request: [got()]
        stage.meter.connections[0].play(stage.meter.requests[5], [got(integer(1))])
        if (
            ground is Ground.THREAD
        ):  # it reads only while it waits for something: nothing but the release is left
            await client.close()
            return
        await asyncio.sleep(0.05)
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: silent})


# ---------------------------------------------------------------------------------------------------- no invoke id


@GROUNDS
def test_an_exception_answers_the_one_open_request(ground: Ground) -> None:
    answers: Iterator[Step] = iter([EXCEPTION])

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(ExceptionResponseError) as caught:
            await client.read(TIME)
        assert str(TIME) in str(caught.value)
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: [next(answers, got())]})


@GROUNDS
def test_an_exception_while_one_is_given_up_ends_the_association(ground: Ground) -> None:
    turns: list[list[Step]] = [[], [EXCEPTION]]
    answers = iter(turns)

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(Timeout):
            await client.read(TIME, timeout=0.05)
        with pytest.raises(AssociationLost) as caught:
            await client.read(TIME)
        assert "associate anew" in caught.value.hint
        assert not client.is_associated
        with pytest.raises(AssociationLost):
            await client.read(TIME)
        await client.close()
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: next(answers, [got()])})


@ASYNC
def test_an_exception_while_several_are_open_is_told_to_everybody(ground: Ground) -> None:
    heard: list[Apdu] = []

    def on_third(request: Apdu) -> list[Step]:
        heard.append(request)
        return [EXCEPTION] if len(heard) == 3 else []

    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        outcomes = await asyncio.gather(*(client.read(TIME) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in outcomes] == [AssociationLost] * 3
        assert not running_timers() or ground is Ground.TCP
        await client.close()

    play(ground, scenario, {GetRequestNormal: on_third})


# ---------------------------------------------------------------------------------------------------- unasked


@GROUNDS
def test_a_notification_before_the_answer_goes_to_the_callback_and_is_not_the_answer(ground: Ground) -> None:
    unasked: list[Apdu] = []

    async def scenario(stage: Stage) -> None:
        client = stage.client(unsolicited=unasked.append)
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: [pushed(1), Wait(0.01), pushed(2), got()]})
    assert [each.notification_body for each in unasked if isinstance(each, DataNotification)] == [
        integer(1),
        integer(2),
    ]


@GROUNDS
def test_a_notification_alone_is_no_answer(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(Timeout):
            await client.read(TIME)
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: [pushed()]})


@GROUNDS
def test_notifications_come_before_the_aare_and_while_releasing_too(ground: Ground) -> None:
    unasked: list[Apdu] = []

    async def scenario(stage: Stage) -> None:
        client = stage.client(unsolicited=unasked.append)
        await client.connect()
        await client.close()

    from meterwright.apdu import Rlre, Rlrq
    from meterwright.values import ReleaseResponseReason

    released = Rlre(reason=ReleaseResponseReason.NORMAL)
    play(
        ground,
        scenario,
        {
            Aarq: lambda _request: [pushed(1), accepted()],
            Rlrq: lambda _request: [pushed(2), Wait(0.01), released],
        },
    )
    assert len(unasked) == 2


class Boom(Exception):
    """What a callback may raise."""


def explodes(_apdu: Apdu) -> None:
    raise Boom


@ASYNC
def test_a_callback_that_raises_is_the_loops_to_tell_and_harms_nobody(ground: Ground) -> None:
    seen: list[object] = []

    async def scenario(stage: Stage) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, what: seen.append(what["exception"]))
        client = stage.client(unsolicited=explodes)
        await client.connect()
        assert await client.read(TIME) == SEVEN
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: [pushed(), got()]})
    assert [type(each) for each in seen] == [Boom, Boom]


def test_a_callback_that_raises_in_the_blocking_twin_is_raised_where_it_waited_and_mixes_nothing_up() -> None:
    values = iter(range(1, 100))

    async def scenario(stage: Stage) -> None:
        client = stage.client(unsolicited=explodes)
        await client.connect()
        with pytest.raises(Boom):
            await client.read(TIME)
        stage.meter.script[GetRequestNormal] = lambda _request: [got(integer(next(values)))]
        for number in range(1, 40):  # more than there are invoke ids
            assert await client.read(TIME) == integer(number)
        await client.close()

    play(Ground.THREAD, scenario, {GetRequestNormal: lambda _request: [pushed(), got(integer(100))]})


def test_a_callback_may_ask_the_meter_itself() -> None:
    """In the blocking twin it is called while somebody waits: both get their own answers."""
    heard: list[Data] = []

    async def scenario(stage: Stage) -> None:
        from tests.client.stage import HOST

        from meterwright.client import BlockingClient
        from meterwright.transport import connect_blocking

        def ask_back(_apdu: Apdu) -> None:
            heard.append(client.read(attribute(2)))

        def plays(request: Apdu) -> list[Step]:
            assert isinstance(request, GetRequestNormal)
            first = request.attribute.attribute_id == 1
            return [pushed(), *echo(request)] if first else echo(request)

        stage.meter.script[GetRequestNormal] = plays
        client = BlockingClient(
            lambda: connect_blocking(HOST, stage.port, 5.0), patient(5), unsolicited=ask_back
        )
        await asyncio.to_thread(client.connect)
        assert await asyncio.to_thread(client.read, attribute(1)) == integer(1)
        await asyncio.to_thread(client.close)

    play(Ground.THREAD, scenario)
    assert heard == [integer(2)]


# ---------------------------------------------------------------------------------------------------- services


@GROUNDS
def test_a_list_with_refused_items_gives_their_results_in_place(ground: Ground) -> None:
    results = (SEVEN, DataAccessResult.READ_WRITE_DENIED, DataAccessResult.OBJECT_UNDEFINED, integer(8))

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        assert await client.read_list([attribute(number) for number in range(1, 5)]) == results
        with pytest.raises(RemoteProtocolError, match="4 results for 2 attributes"):
            await client.read_list([TIME, OTHER])
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {GetRequestWithList: lambda _request: [GetResponseWithList(CONFIRMED, results)]})


@GROUNDS
def test_refusals_of_read_write_and_invoke_are_errors_with_a_hint(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        for refused, kind in (
            (client.read(TIME), DataAccessError),
            (client.write(TIME, SEVEN), DataAccessError),
            (client.invoke(RESET, SEVEN), ActionError),
        ):
            with pytest.raises(kind) as caught:
                await refused
            assert caught.value.hint
        await client.close()

    denied = DataAccessResult.READ_WRITE_DENIED
    play(
        ground,
        scenario,
        {
            GetRequestNormal: lambda _request: [got(denied)],
            SetRequestNormal: lambda _request: [SetResponseNormal(CONFIRMED, denied)],
            ActionRequestNormal: lambda _request: [
                ActionResponseNormal(CONFIRMED, ActionResult.READ_WRITE_DENIED, None)
            ],
        },
    )


@GROUNDS
def test_write_and_invoke_go_well(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        await client.write(TIME, SEVEN)
        assert await client.invoke(RESET, SEVEN) is None
        assert await client.invoke(RESET) is None
        await client.close()

    play(ground, scenario)


def in_blocks(raw: bytes, size: int) -> dict[type[Apdu], Plays]:
    """A meter that answers any GET with these octets in blocks."""
    blocks = [raw[start : start + size] for start in range(0, len(raw), size)]

    def block(number: int) -> list[Step]:
        last = number == len(blocks)
        return [GetResponseWithDataBlock(CONFIRMED, last, number, blocks[number - 1])]

    def following(request: Apdu) -> list[Step]:
        assert isinstance(request, GetRequestNext)
        return block(request.block_number + 1)

    return {GetRequestNormal: lambda _request: block(1), GetRequestNext: following}


LONG = octet_string(bytes(range(256)) * 3)


@GROUNDS
@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_a_long_value_comes_in_blocks_under_one_invoke_id(ground: Ground, size: int) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        assert await client.read(TIME) == LONG
        ids = {
            each.invoke_id
            for each in stage.meter.requests
            if isinstance(each, GetRequestNormal | GetRequestNext)
        }
        assert len(ids) == 1
        await client.close()

    play(ground, scenario, in_blocks(LONG.to_octets(), size))


@GROUNDS
@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ([], Timeout),
        ([Line.CLOSE], ConnectionLost),
        ([GetResponseWithDataBlock(CONFIRMED, False, 9, b"x")], RemoteProtocolError),
        ([GetResponseWithDataBlock(CONFIRMED, False, 2, b"")], RemoteProtocolError),
        ([GetResponseWithDataBlock(CONFIRMED, True, 2, DataAccessResult.LONG_GET_ABORTED)], DataAccessError),
        ([EXCEPTION], ExceptionResponseError),
        ([b"\xc4\x02\xff\xff"], RemoteProtocolError),
        ([Raw(b"no wrapper")], RemoteProtocolError),
        ([got()], RemoteProtocolError),
    ],
    ids=["silence", "drop", "wrong number", "empty", "aborted", "exception", "garbage", "no frame", "other"],
)
def test_a_long_value_that_breaks_off(
    ground: Ground, ending: list[Step], kind: type[MeterwrightError]
) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(kind):
            await client.read(TIME)
        await client.close()

    script = in_blocks(LONG.to_octets(), 100)
    script[GetRequestNext] = lambda _request: ending
    play(ground, scenario, script)


@GROUNDS
def test_a_value_that_no_frame_holds_is_refused_and_the_client_stays_usable(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(LocalProtocolError):
            await client.write(TIME, octet_string(bytes(70_000)))
        assert client.is_associated
        assert await client.read(TIME) == SEVEN
        await client.close()

    services = CLIENT_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    play(ground, scenario, {Aarq: lambda _request: [accepted(0, services)]})


# ---------------------------------------------------------------------------------------------------- exchanges

NORMAL = GetRequestNormal(CONFIRMED, TIME, None)


@GROUNDS
def test_run_carries_out_all_kinds_of_steps(ground: Ground) -> None:
    told = SetRequestNormal(UNCONFIRMED, TIME, None, SEVEN)

    def conversation() -> Exchange[list[str]]:
        labels: list[str] = []
        answer = yield Ask(NORMAL)
        labels.append("" if answer is None else answer.label)
        assert (yield Tell(told)) is None
        assert (yield Pause(0.01)) is None
        answer = yield Ask(NORMAL)
        labels.append("" if answer is None else answer.label)
        return labels

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        assert await client.run(conversation()) == ["get-response-normal"] * 2
        assert told in stage.meter.requests
        await client.close()

    play(ground, scenario, {SetRequestNormal: silent})


class Closed:
    """An exchange that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def ask(self) -> Exchange[None]:
        try:
            yield Ask(NORMAL)
        finally:
            self.closed = True


@GROUNDS
@pytest.mark.parametrize("ending", [[], [Line.CLOSE]], ids=["silence", "drop"])
def test_run_closes_the_exchange_whose_request_fails(ground: Ground, ending: list[Step]) -> None:
    exchange = Closed()

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(MeterwrightError):
            await client.run(exchange.ask())
        assert exchange.closed
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: ending})


@GROUNDS
def test_run_closes_the_exchange_where_there_is_no_connection(ground: Ground) -> None:
    def telling() -> Exchange[None]:
        try:
            yield Tell(NORMAL)
        finally:
            closed.append(True)

    closed: list[bool] = []
    exchange = Closed()

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        with pytest.raises(LocalProtocolError, match="not connected"):
            await client.run(exchange.ask())
        with pytest.raises(LocalProtocolError, match="not connected"):
            await client.run(telling())

    play(ground, scenario)
    assert exchange.closed
    assert closed == [True]


@ASYNC
def test_run_closes_the_exchange_that_is_cancelled(ground: Ground) -> None:
    exchange = Closed()

    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        task = asyncio.ensure_future(client.run(exchange.ask()))
        await until(lambda: stage.meter.heard(GetRequestNormal))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert exchange.closed
        await client.close()

    play(ground, scenario, {GetRequestNormal: silent})


@GROUNDS
def test_the_timeout_of_a_call_goes_before_that_of_the_settings(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        client = stage.client(patient(30, release=0.05))
        await client.connect()
        began = loop.time()
        for failing in (
            client.read(TIME, timeout=0.02),
            client.read_list([TIME], timeout=0.02),
            client.write(TIME, SEVEN, timeout=0.02),
            client.invoke(RESET, SEVEN, timeout=0.02),
            client.run(Closed().ask(), 0.02),
        ):
            with pytest.raises(Timeout):
                await failing
        assert loop.time() - began < 10
        await client.close()

    kinds = (GetRequestNormal, GetRequestWithList, SetRequestNormal, ActionRequestNormal)
    play(ground, scenario, dict.fromkeys(kinds, silent))


def test_a_timer_runs_only_while_something_is_awaited() -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        assert not running_timers()
        for _ in range(3):
            await client.read(TIME)
            assert not running_timers()
        await client.close()
        await asyncio.sleep(0.001)  # the wire tells the meter
        assert not running_timers()

    play(Ground.MEMORY, scenario)


async def outcome_of(reading: Awaitable[Data]) -> type[BaseException] | None:
    """What a read raised, if anything."""
    try:
        await reading
    except MeterwrightError as error:
        return type(error)
    return None


@pytest.mark.parametrize("ground", [Ground.TCP, Ground.THREAD])
def test_writing_to_a_dead_line_is_told_and_ends_the_association(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(2))
        await client.connect()
        await stage.meter.stop()
        outcomes = [await outcome_of(client.read(TIME)) for _ in range(3)]
        assert outcomes == [ConnectionLost] * 3
        assert not client.is_associated
        await client.close()

    play(ground, scenario)


@ASYNC
def test_closing_while_it_connects_leaves_nothing_open(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        task = asyncio.ensure_future(client.connect())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(ConnectionLost, match="the client closed"):
            await task
        assert not client.is_associated
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {Aarq: lambda _request: [Wait(0.01), accepted()]})
