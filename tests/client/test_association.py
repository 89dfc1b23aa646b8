"""Connecting, associating, releasing: what goes well, and everything that does not, for both twins."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from tests.client.stage import (
    EXCEPTION,
    HOST,
    OTHER,
    SEVEN,
    TIME,
    Accepted,
    Ground,
    Line,
    Meter,
    Plays,
    Raw,
    Stage,
    Step,
    Threaded,
    Twin,
    Wait,
    accepted,
    closed_port,
    got,
    patient,
    play,
    running_timers,
    settled,
    until,
)

from meterwright.apdu import (
    Aare,
    Aarq,
    Apdu,
    AttributeDescriptor,
    ConfirmedServiceError,
    GetRequestNormal,
    Rlrq,
)
from meterwright.client import BlockingClient, Client, ClientSettings, Timeouts
from meterwright.errors import (
    AssociationRejected,
    ConfirmedServiceErrorReceived,
    ConnectFailed,
    ConnectionLost,
    ExceptionResponseError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport, Receiver, Wire
from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    ConfirmedServiceErrorService,
)

GROUNDS = pytest.mark.parametrize("ground", Ground)
ASYNC = pytest.mark.parametrize("ground", [Ground.MEMORY, Ground.TCP])


@GROUNDS
def test_connect_associate_read_release(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        states = [client.is_associated]
        await client.connect()
        states.append(client.is_associated)
        assert client.context.max_send_pdu_size == 1024
        assert await client.read(TIME) == SEVEN
        await client.close()
        states.append(client.is_associated)
        assert states == [False, True, False]
        assert [type(each) for each in stage.meter.requests] == [Aarq, GetRequestNormal, Rlrq]
        await stage.meter.connections[0].ended.wait()

    play(ground, scenario)


@GROUNDS
def test_a_client_connects_anew_and_has_another_association(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        first = client.association
        await client.close()
        await client.connect()
        assert client.association is not first
        assert await client.read(TIME) == SEVEN
        await client.close()
        assert stage.meter.heard(Rlrq) == 2

    play(ground, scenario)


@GROUNDS
def test_closing_twice_is_harmless_and_so_is_closing_what_was_never_open(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.close()
        await client.connect()
        await client.close()
        await client.close()
        assert stage.meter.heard(Rlrq) == 1

    play(ground, scenario)


@GROUNDS
def test_connecting_twice_is_refused_and_the_first_connection_stays(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await client.connect()
        with pytest.raises(LocalProtocolError, match="connected already") as caught:
            await client.connect()
        assert caught.value.hint
        assert await client.read(TIME) == SEVEN
        await client.close()
        assert stage.meter.heard(Aarq) == 1

    play(ground, scenario)


@ASYNC
def test_of_two_connects_at_once_one_is_refused_and_nothing_leaks(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        outcomes = await asyncio.gather(client.connect(), client.connect(), return_exceptions=True)
        refused = [each for each in outcomes if each is not None]
        assert len(refused) == 1
        assert isinstance(refused[0], LocalProtocolError)
        assert await client.read(TIME) == SEVEN
        await client.close()
        assert len(stage.meter.connections) == 1

    play(ground, scenario)


@GROUNDS
def test_before_connect_and_after_close_the_caller_is_told_to_connect(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        await told_to_connect(client)
        await client.connect()
        await client.close()
        await told_to_connect(client)

    async def told_to_connect(client: Twin) -> None:
        with pytest.raises(LocalProtocolError) as caught:
            await client.read(TIME)
        assert caught.value.hint
        with pytest.raises(LocalProtocolError):
            _ = client.context
        with pytest.raises(LocalProtocolError):
            _ = client.association

    play(ground, scenario)


# ---------------------------------------------------------------------------------------------------- refusals


def rejecting(
    diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic,
    result: AssociationResult = AssociationResult.REJECTED_PERMANENT,
) -> Plays:
    aare = Aare(
        application_context_name=ApplicationContext.LN, result=result, result_source_diagnostic=diagnostic
    )
    return lambda _request: [aare]


DIAGNOSTICS: list[AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic] = [
    *(each for each in AcseServiceUserDiagnostic if each is not AcseServiceUserDiagnostic.NULL),
    *AcseServiceProviderDiagnostic,
]


@pytest.mark.parametrize(
    "result", [AssociationResult.REJECTED_PERMANENT, AssociationResult.REJECTED_TRANSIENT]
)
@pytest.mark.parametrize(
    "diagnostic", DIAGNOSTICS, ids=lambda each: f"{type(each).__name__[4:]}-{each.label}"
)
def test_a_rejection_says_why_and_what_to_try(
    diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic, result: AssociationResult
) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        with pytest.raises(AssociationRejected) as caught:
            await client.connect()
        error = caught.value
        assert (error.result, error.diagnostic) == (result, diagnostic)
        assert diagnostic.label in str(error)
        assert error.hint
        assert not client.is_associated
        await stage.meter.connections[0].ended.wait()
        assert stage.meter.heard(Rlrq) == 0

    play(Ground.MEMORY, scenario, {Aarq: rejecting(diagnostic, result)})


@GROUNDS
def test_after_a_rejection_the_same_client_may_try_again(ground: Ground) -> None:
    answers: Iterator[Plays] = iter([rejecting(AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED)])

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        with pytest.raises(AssociationRejected):
            await client.connect()
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()

    def agreeing(_request: Apdu) -> list[Step]:
        return [accepted()]

    def in_turn(request: Apdu) -> list[Step]:
        return list(next(answers, agreeing)(request))

    play(ground, scenario, {Aarq: in_turn})


INITIATE_ERROR = ConfirmedServiceError(ConfirmedServiceErrorService.INITIATE_ERROR, 6, 2)
NO_ASSOCIATION: dict[str, tuple[list[Step], type[MeterwrightError], str | None]] = {
    "an exception": ([EXCEPTION], ExceptionResponseError, "exception"),
    "a confirmed-service-error": ([INITIATE_ERROR], ConfirmedServiceErrorReceived, "confirmed-service-error"),
    "silence": ([], Timeout, "no answer to the AARQ"),
    "an answer that comes too late": ([Wait(60), accepted()], Timeout, "no answer to the AARQ"),
    "a closed line": ([Line.CLOSE], ConnectionLost, "closed the connection"),
    "HDLC": ([Raw(bytes.fromhex("7EA01E0221939718FC7E"))], RemoteProtocolError, "no wrapper header"),
    "text": ([Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")], RemoteProtocolError, "no wrapper header"),
    "an APDU that is none": ([b"\xff\xff\xff"], RemoteProtocolError, None),
    "an empty APDU": ([b""], RemoteProtocolError, None),
    "an answer to something else": ([got()], Timeout, "no answer to the AARQ"),
    "half an AARE": ([accepted().to_octets()[:20]], RemoteProtocolError, None),
    "an AARE without anything": ([Aare()], RemoteProtocolError, "without a result"),
    "an AARE that grants nonsense": ([accepted(size=5)], RemoteProtocolError, "5 octets is illegal"),
    "an RLRE": ([bytes.fromhex("6303800100")], RemoteProtocolError, "RLRE"),
    "an AARQ": ([bytes.fromhex("6000")], RemoteProtocolError, "does not send"),
}


@GROUNDS
@pytest.mark.parametrize("case", NO_ASSOCIATION)
def test_no_association_comes_of_it(ground: Ground, case: str) -> None:
    steps, kind, words = NO_ASSOCIATION[case]

    async def scenario(stage: Stage) -> None:
        client = stage.client()
        with pytest.raises(kind, match=words):
            await client.connect()
        assert not client.is_associated
        await asyncio.wait_for(stage.meter.connections[0].ended.wait(), 5)
        with pytest.raises(MeterwrightError):
            await client.read(TIME)
        await client.close()

    play(ground, scenario, {Aarq: lambda _request: steps})


@GROUNDS
def test_hdlc_where_the_wrapper_is_expected_is_recognised(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            await stage.client().connect()
        assert "hdlc+tcp://" in caught.value.hint

    play(ground, scenario, {Aarq: lambda _request: [Raw(b"\x7e\xa0\x1e\x02\x21\x93\x97\x18\xfc\x7e")]})


@pytest.mark.parametrize("kind", [Client, BlockingClient])
def test_a_closed_port_is_told_with_address_and_a_hint(kind: type[Client] | type[BlockingClient]) -> None:
    port = closed_port()

    async def scenario() -> None:
        target = f"tcp://{HOST}:{port}"
        client: Twin = Threaded(BlockingClient(target)) if kind is BlockingClient else Client(target)
        with pytest.raises(ConnectFailed, match=f"{HOST} port {port}") as caught:
            await client.connect()
        assert caught.value.hint
        await client.close()
        await settled()

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [Client, BlockingClient])
def test_a_host_without_an_address_is_told(kind: type[Client] | type[BlockingClient]) -> None:
    async def scenario() -> None:
        target = "tcp://no-such-meter.invalid"
        client: Twin = Threaded(BlockingClient(target)) if kind is BlockingClient else Client(target)
        with pytest.raises(ConnectFailed, match="no-such-meter"):
            await client.connect()

    asyncio.run(scenario())


# ---------------------------------------------------------------------------------------------------- the line falls


@GROUNDS
def test_a_drop_while_a_request_is_open_is_told_to_who_asked_and_to_who_asks_next(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        with pytest.raises(ConnectionLost):
            await client.read(TIME)
        assert not client.is_associated
        with pytest.raises(ConnectionLost):
            await client.read(TIME)
        with pytest.raises(ConnectionLost):
            _ = client.context
        await client.close()
        assert stage.meter.heard(Rlrq) == 0

    play(ground, scenario, {GetRequestNormal: lambda _request: [Line.CLOSE]})


@ASYNC
def test_a_drop_while_several_requests_are_open_is_told_to_all(ground: Ground) -> None:
    heard: list[Apdu] = []

    def on_third(request: Apdu) -> list[Step]:
        heard.append(request)
        return [Line.CLOSE] if len(heard) == 3 else []

    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        outcomes = await asyncio.gather(*(client.read(TIME) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in outcomes] == [ConnectionLost] * 3
        await client.close()

    play(ground, scenario, {GetRequestNormal: on_third})


@pytest.mark.parametrize("ground", [Ground.TCP, Ground.THREAD])
def test_a_meter_that_ends_its_half_of_the_line_is_gone(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        with pytest.raises(ConnectionLost):
            await client.read(TIME)
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: [Line.FINISH]})


@pytest.mark.parametrize("ground", [Ground.TCP, Ground.THREAD])
def test_a_connection_that_nobody_serves_times_out(ground: Ground) -> None:
    """Half open: the system accepts for a meter that never comes to it."""

    async def scenario() -> None:
        with socket.socket() as door:
            door.bind((HOST, 0))
            door.listen(1)
            target = f"tcp://{HOST}:{door.getsockname()[1]}"
            client: Twin = (
                Client(target, patient())
                if ground is Ground.TCP
                else Threaded(BlockingClient(target, patient()))
            )
            with pytest.raises(Timeout, match="AARQ") as caught:
                await client.connect()
            assert caught.value.hint
            await settled()

    asyncio.run(scenario())


@GROUNDS
def test_what_broke_the_line_first_is_what_is_told_afterwards(ground: Ground) -> None:
    """Garbage, then the meter hangs up: the garbage is the reason."""

    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        with pytest.raises(RemoteProtocolError, match="no wrapper header"):
            await client.read(TIME)
        await stage.meter.connections[0].stop()
        await asyncio.sleep(0.01)
        with pytest.raises(RemoteProtocolError, match="no wrapper header"):
            await client.read(TIME)
        await client.close()

    play(ground, scenario, {GetRequestNormal: lambda _request: [Raw(b"\x7e\x7e\x7e\x7e\x7e\x7e\x7e\x7e")]})


# ---------------------------------------------------------------------------------------------------- releasing

RELEASES: dict[str, list[Step]] = {
    "silence": [],
    "an exception": [EXCEPTION],
    "a closed line": [Line.CLOSE],
    "garbage on the line": [Raw(b"garbage, garbage")],
    "garbage in a frame": [b"\x63\xff\xff"],
    "an APDU that meters do not send": [bytes.fromhex("6000")],
    "another AARE": [accepted()],
    "an answer to nothing": [got()],
}


@GROUNDS
@pytest.mark.parametrize("case", RELEASES)
def test_a_release_that_goes_wrong_is_no_failure_of_what_went_well(ground: Ground, case: str) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5, release=0.05))
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()
        assert not client.is_associated
        await asyncio.wait_for(stage.meter.connections[0].ended.wait(), 5)
        await client.connect()
        assert await client.read(TIME) == SEVEN
        await client.close()

    play(ground, scenario, {Rlrq: lambda _request: RELEASES[case]})


class Boom(Exception):
    """What a caller's code may raise."""


@ASYNC
def test_leaving_the_block_by_an_exception_releases_the_meter(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        assert isinstance(client, Client)
        with pytest.raises(Boom):
            async with client:
                raise Boom
        assert stage.meter.heard(Rlrq) == 1
        await stage.meter.connections[0].ended.wait()

    play(ground, scenario)


def test_leaving_the_blocking_block_by_an_exception_releases_the_meter() -> None:
    async def scenario(stage: Stage) -> None:
        twin = stage.client()
        assert isinstance(twin, Threaded)
        client = twin.client

        def inside() -> None:
            with client:
                raise Boom

        with pytest.raises(Boom):
            await asyncio.to_thread(inside)
        assert stage.meter.heard(Rlrq) == 1
        await stage.meter.connections[0].ended.wait()

    play(Ground.THREAD, scenario)


@pytest.mark.parametrize("case", ["silence", "a closed line", "garbage in a frame"])
def test_what_was_raised_inside_is_not_hidden_by_a_release_that_goes_wrong(case: str) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client()
        assert isinstance(client, Client)
        with pytest.raises(Boom):
            async with client:
                raise Boom

    play(Ground.MEMORY, scenario, {Rlrq: lambda _request: RELEASES[case]})


def silent(_request: Apdu) -> list[Step]:
    return []


@ASYNC
@pytest.mark.parametrize(
    "script",
    [{GetRequestNormal: silent}, {GetRequestNormal: silent, Rlrq: silent}],
    ids=["the meter agrees", "the meter is silent"],
)
def test_cancelling_inside_releases_the_meter(ground: Ground, script: dict[type[Apdu], Plays]) -> None:
    async def inside(client: Client) -> None:
        async with client:
            await client.read(TIME)

    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5, release=0.05))
        assert isinstance(client, Client)
        task = asyncio.ensure_future(inside(client))
        await until(lambda: stage.meter.heard(GetRequestNormal))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.meter.heard(Rlrq) == 1
        await stage.meter.connections[0].ended.wait()

    play(ground, scenario, script)


@ASYNC
def test_cancelling_while_it_associates_leaves_nothing(ground: Ground) -> None:
    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        task = asyncio.ensure_future(client.connect())
        await until(lambda: stage.meter.heard(Aarq))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await stage.meter.connections[0].ended.wait()
        assert not running_timers()
        await told_off(client)

    async def told_off(client: Twin) -> None:
        with pytest.raises(LocalProtocolError, match="not connected"):
            await client.read(TIME)

    play(ground, scenario, {Aarq: silent})


@ASYNC
def test_closing_while_requests_are_open_answers_them_all(ground: Ground) -> None:
    """Those whose answer was on its way get it; the others learn of the end."""

    def plays(request: Apdu) -> list[Step]:
        assert isinstance(request, GetRequestNormal)
        return [got()] if request.attribute == OTHER else []

    async def scenario(stage: Stage) -> None:
        client = stage.client(patient(5))
        await client.connect()
        reads = [asyncio.ensure_future(client.read(each)) for each in (TIME, OTHER)]
        await asyncio.sleep(0)
        await client.close()
        never, answered = await asyncio.gather(*reads, return_exceptions=True)
        assert answered == SEVEN
        assert isinstance(never, MeterwrightError)

    play(ground, scenario, {GetRequestNormal: plays})


# ---------------------------------------------------------------------------------------------------- late callbacks


class Lingering(AsyncTransport):
    """A transport that tells of its own end, and of octets, after `close` has returned, as a busy loop may have it."""

    def __init__(self, inner: AsyncTransport) -> None:
        self.inner = inner
        self.receiver: Receiver | None = None

    def start(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.inner.start(receiver)

    def write(self, octets: bytes) -> None:
        self.inner.write(octets)

    async def close(self) -> None:
        await self.inner.close()

    def linger(self, octets: bytes) -> None:
        """What the loop had still in hand."""
        assert self.receiver is not None
        self.receiver.octets_received(octets)
        self.receiver.transport_lost(None)


def test_what_an_old_connection_has_to_say_does_not_reach_the_new_one() -> None:
    async def scenario() -> None:
        meter = Meter()
        lines: list[Lingering] = []

        async def dial() -> AsyncTransport:
            wire = Wire()
            meter.attach(wire.meter_end)
            lines.append(Lingering(wire.client_end))
            return lines[-1]

        client = Client(dial, patient(5))
        await client.connect()
        await client.close()
        await client.connect()
        lines[0].linger(b"\x7e\x7e\x7e\x7e\x7e\x7e\x7e\x7e")
        assert client.is_associated
        assert await client.read(TIME) == SEVEN
        await client.close()

    run_in_virtual_time(scenario())


# ---------------------------------------------------------------------------------------------------- settings


def test_each_step_has_its_own_patience() -> None:
    timeouts = Timeouts(connect=1, associate=20, request=300, release=4)
    took: list[float] = []

    async def scenario(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        client = stage.client(ClientSettings(timeouts=timeouts))
        await client.connect()
        began = loop.time()
        with pytest.raises(Timeout):
            await client.read(TIME)
        took.append(loop.time() - began)
        began = loop.time()
        with pytest.raises(Timeout):
            await client.read(TIME, timeout=7)
        took.append(loop.time() - began)
        began = loop.time()
        await client.close()
        took.append(loop.time() - began)

    play(Ground.MEMORY, scenario, {GetRequestNormal: silent, Rlrq: silent})
    assert took == pytest.approx([300, 7, 4])


@GROUNDS
def test_the_service_access_points_are_those_of_the_settings(ground: Ground) -> None:
    """The scripted meter answers as 1 to 16; a client that is another one does not take that for its own."""

    async def scenario(stage: Stage) -> None:
        settings = ClientSettings(client_sap=32, timeouts=Timeouts(associate=0.1))
        with pytest.raises(Timeout):
            await stage.client(settings).connect()

    play(ground, scenario)


def test_an_accepted_connection_is_a_transport() -> None:
    assert issubclass(Accepted, AsyncTransport)
    assert AttributeDescriptor(8, TIME.instance_id, 2) == TIME
