"""Reaching a meter and reaching it again; and what is said of a meter, or a line, that does not let itself be reached."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.client.stage import (
    EXCEPTION,
    Ground,
    Line,
    Meter,
    Plays,
    Raw,
    Stage,
    Step,
    Wait,
    accepted,
    got,
    play,
)

from meterwright.apdu import Aare, Aarq, Apdu, ConfirmedServiceError, GetRequestNormal
from meterwright.client import Client, ClientSettings, Timeouts
from meterwright.cosem import Clock
from meterwright.data import octet_string
from meterwright.errors import (
    ConnectFailed,
    ConnectionLost,
    DataAccessError,
    LocalProtocolError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.firmware import Outcome, Patience, UpdatePolicy, UpdateResult, update
from meterwright.firmware.failures import CredentialsFailed, MeterFailed, Unreachable, UpdateFailed
from meterwright.firmware.reach import LINE_ERRORS, Reach
from meterwright.image import FirmwareImage
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.transport import AsyncTransport
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
)

NOW = octet_string(bytes.fromhex("07EA0101040A000000FFC400"))
QUICK = Patience(connect=5, reconnect=60, block_attempts=3, poll_first=1, poll_longest=4)
SETTINGS = ClientSettings(timeouts=Timeouts(associate=2, request=2, release=0.5))


def reaching(script: dict[type[Apdu], Plays], scenario: Callable[[Reach, Stage], Awaitable[None]]) -> Meter:
    """Play a scenario with a reach of a scripted meter."""
    seen: list[Meter] = []

    async def whole(stage: Stage) -> None:
        seen.append(stage.meter)
        client = stage.client(SETTINGS)
        assert isinstance(client, Client)
        reach = Reach(client, QUICK)
        try:
            await scenario(reach, stage)
        finally:
            await reach.close()

    telling: dict[type[Apdu], Plays] = {GetRequestNormal: lambda _request: [got(NOW)]}
    play(Ground.MEMORY, whole, telling | script)
    return seen[0]


async def clock(reach: Reach) -> None:
    """Read something."""
    assert (await reach.read(Clock(reach.client).time.get)).year == 2026


def in_turn(*answers: list[Step], then: list[Step]) -> Plays:
    """Other steps each time, and then always the same."""
    left = iter(answers)
    return lambda _request: next(left, then)


@pytest.mark.parametrize("broken", [[], [Line.CLOSE], [Raw(b"\x7e" * 8)], [b"\xff"]])
def test_a_read_is_repeated_over_a_line_that_fell(broken: list[Step]) -> None:
    async def scenario(reach: Reach, stage: Stage) -> None:
        await reach.first()
        await clock(reach)
        assert len(stage.meter.connections) == 2

    reaching({GetRequestNormal: in_turn(broken, then=[got(NOW)])}, scenario)


def test_a_read_is_given_up_after_so_many_lines() -> None:
    async def scenario(reach: Reach, stage: Stage) -> None:
        await reach.first()
        with pytest.raises(ConnectionLost):
            await clock(reach)
        assert stage.meter.heard(GetRequestNormal) == QUICK.block_attempts + 1

    reaching({GetRequestNormal: lambda _request: [Line.CLOSE]}, scenario)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (got(DataAccessResult.READ_WRITE_DENIED), DataAccessError),
        (got(octet_string(b"no time")), RemoteProtocolError),
        (b"\xc4\x01\xc1\x00", RemoteProtocolError),  # cut off, and known by its invoke id
    ],
)
def test_what_a_sound_line_brings_is_not_asked_for_again(answer: Step, kind: type[Exception]) -> None:
    async def scenario(reach: Reach, stage: Stage) -> None:
        await reach.first()
        with pytest.raises(kind):
            await clock(reach)
        assert stage.meter.heard(GetRequestNormal) == 1
        assert len(stage.meter.connections) == 1

    reaching({GetRequestNormal: lambda _request: [answer]}, scenario)


def test_reaching_again_lets_go_of_the_association_first() -> None:
    from meterwright.apdu import Rlrq

    async def scenario(reach: Reach, stage: Stage) -> None:
        await reach.first()
        before = reach.client.association
        await reach.again()
        assert reach.client.association is not before
        assert [type(each) for each in stage.meter.requests] == [Aarq, Rlrq, Aarq]

    reaching({}, scenario)


def refused(diagnostic: AcseServiceUserDiagnostic, *, transient: bool = False) -> Aare:
    result = AssociationResult.REJECTED_TRANSIENT if transient else AssociationResult.REJECTED_PERMANENT
    return Aare(
        application_context_name=ApplicationContext.LN, result=result, result_source_diagnostic=diagnostic
    )


User = AcseServiceUserDiagnostic
CREDENTIALS = {
    User.CALLING_AP_TITLE_NOT_RECOGNIZED,
    User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
    User.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
    User.AUTHENTICATION_FAILURE,
    User.AUTHENTICATION_REQUIRED,
}


@pytest.mark.parametrize("diagnostic", [each for each in User if each is not User.NULL])
def test_a_meter_that_says_no_is_not_asked_twice(diagnostic: AcseServiceUserDiagnostic) -> None:
    """A second try with a wrong secret may lock it."""
    expected = CredentialsFailed if diagnostic in CREDENTIALS else MeterFailed

    async def scenario(reach: Reach, stage: Stage) -> None:
        for attempt in (reach.first, reach.again):
            stage.meter.requests.clear()
            with pytest.raises(UpdateFailed) as caught:
                await attempt()
            assert type(caught.value) is expected
            assert caught.value.finding.code == "association-rejected"
            assert caught.value.hint
            assert stage.meter.heard(Aarq) == 1

    reaching({Aarq: lambda _request: [refused(diagnostic)]}, scenario)


SOON: dict[str, list[Step]] = {
    "silence": [],
    "a closed line": [Line.CLOSE],
    "garbage": [Raw(b"garbage!!")],
    "an exception": [EXCEPTION],
    "a rejection for now": [refused(User.NO_REASON_GIVEN, transient=True)],
    "a rejection for now, of the secret": [refused(User.AUTHENTICATION_FAILURE, transient=True)],
    "a late AARE": [Wait(30), accepted()],
}


@pytest.mark.parametrize("case", SOON)
def test_a_meter_that_does_not_answer_yet_is_asked_again(case: str) -> None:
    async def scenario(reach: Reach, stage: Stage) -> None:
        await reach.first()
        await reach.again()
        assert stage.meter.heard(Aarq) == 3

    reaching({Aarq: in_turn(SOON[case], then=[accepted()])}, scenario)


@pytest.mark.parametrize("case", SOON)
def test_a_meter_that_never_answers_is_unreachable_within_the_patience(case: str) -> None:
    took: list[float] = []

    async def scenario(reach: Reach, stage: Stage) -> None:
        for attempt in (reach.first, reach.again):
            began = virtual_now()
            with pytest.raises(Unreachable) as caught:
                await attempt()
            assert caught.value.finding.code == "meter-unreachable"
            took.append(virtual_now() - began)
        assert stage.meter.heard(Aarq) < 60

    reaching({Aarq: lambda _request: SOON[case]}, scenario)
    assert took[0] <= QUICK.connect + 2.5, "a meter that is not there at first is told soon"
    assert QUICK.reconnect - 4 <= took[1] <= QUICK.reconnect + 2.5


def test_a_meter_that_refuses_the_initiation_as_a_whole_ends_the_update_clearly() -> None:
    error = ConfirmedServiceError(ConfirmedServiceErrorService.INITIATE_ERROR, 6, 2)
    result = updated_by({Aarq: lambda _request: [error]})
    assert result.outcome is Outcome.FAILED
    assert result.as_json()["kind"] == "meter"
    assert result.findings[-1].hint


def updated_by(script: dict[type[Apdu], Plays], tmp_path: Path = Path("/nonexistent")) -> UpdateResult:
    """What becomes of an update of a scripted meter."""

    async def scenario(stage: Stage) -> UpdateResult:
        client = stage.client(SETTINGS)
        assert isinstance(client, Client)
        policy = UpdatePolicy(patience=QUICK)
        return await update(client, FirmwareImage(b"image", "image"), b"NEW", state=tmp_path, policy=policy)

    return play(Ground.MEMORY, scenario, script)


def test_a_meter_without_a_name_over_a_connection_without_an_address_is_refused() -> None:
    """Two meters must never share a journal."""
    denied = got(DataAccessResult.OBJECT_UNDEFINED)
    result = updated_by({GetRequestNormal: lambda _request: [denied]})
    assert result.outcome is Outcome.REFUSED
    assert result.findings[-1].code == "meter-without-name"


def test_a_release_that_breaks_does_not_change_how_an_update_ended() -> None:
    """What a meter does to the RLRQ is no reason to raise out of an update."""
    from meterwright.apdu import Rlrq

    denied = got(DataAccessResult.OBJECT_UNDEFINED)
    releases: list[list[Step]] = [[Raw(b"garbage!!")], [b"\x63\xff"], [Line.CLOSE], [], [EXCEPTION]]
    for steps in releases:
        plays: dict[type[Apdu], Plays] = {
            GetRequestNormal: lambda _request: [denied],
            Rlrq: in_turn(steps, then=steps),
        }
        assert updated_by(plays).findings[-1].code == "meter-without-name"


def test_line_errors_are_those_after_which_nobody_knows() -> None:
    assert issubclass(Timeout, LINE_ERRORS)
    assert issubclass(ConnectFailed, LINE_ERRORS)
    assert not issubclass(DataAccessError, LINE_ERRORS)
    assert not issubclass(LocalProtocolError, LINE_ERRORS)


def test_reaching_is_cancelled_at_once_and_leaves_nothing() -> None:
    async def scenario(reach: Reach, stage: Stage) -> None:
        task = asyncio.ensure_future(reach.again())
        await asyncio.sleep(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stage.meter.heard(Aarq) > 1

    reaching({Aarq: lambda _request: []}, scenario)


def test_a_meter_that_is_not_up_is_waited_for() -> None:
    meter = Meter({GetRequestNormal: lambda _request: [got(NOW)]})

    async def scenario() -> None:
        from meterwright.transport import Wire

        async def dial() -> AsyncTransport:
            if virtual_now() < 30:
                raise ConnectFailed("it reboots")
            wire = Wire()
            meter.attach(wire.meter_end)
            return wire.client_end

        reach = Reach(Client(dial, SETTINGS), QUICK)
        with pytest.raises(Unreachable):
            await reach.first()
        await reach.again()
        await clock(reach)
        assert 30 <= virtual_now() < 40
        await reach.close()
        await meter.stop()

    run_in_virtual_time(scenario())
