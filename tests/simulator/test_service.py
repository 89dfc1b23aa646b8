"""Meters that run: time passes by itself, reboots drop the line, ports and files are as promised."""

import asyncio
import stat
import tomllib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.simulator.rig import BLOCK, START, aarq, cut, image_block, initiation, octets

from meterwright.apdu import (
    Aare,
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    AttributeDescriptor,
    GetRequestNormal,
    GetResponseNormal,
    MethodDescriptor,
    decode_apdu,
)
from meterwright.client import Client, Scheme
from meterwright.data import Data, integer
from meterwright.errors import ConnectFailed, LinkError, UsageError
from meterwright.link import WrapperFrame, WrapperFramer
from meterwright.server import ActionOutcome, Caller, Limits, Middleware
from meterwright.simulator import (
    LoopClock,
    MeterClock,
    MeterRunner,
    MeterSettings,
    SimulatedMeter,
    SimulatedService,
    Timing,
    plain_meter,
)
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.transport import AsyncTransport, connect_tcp
from meterwright.values import ActionResult, InvokeIdAndPriority, Obis

IMAGE = octets(3 * BLOCK + 1)
IMAGE_OBJECT = Obis.parse("0.0.44.0.0.255")
INVOKE = InvokeIdAndPriority(1)
TIMING = Timing(verify_seconds=2.0, activate_seconds=3.0, reboot_seconds=60.0)
FAST = Timing(verify_seconds=0.0, activate_seconds=0.0, reboot_seconds=0.7)


@dataclass
class Dialled:
    """A client's end of a connection, one request at a time."""

    transport: AsyncTransport
    answers: asyncio.Queue[Apdu] = field(default_factory=asyncio.Queue[Apdu])
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    framer: WrapperFramer = field(default_factory=WrapperFramer)
    error: LinkError | None = None
    answered: int = 0

    def __post_init__(self) -> None:
        self.transport.start(self)

    def octets_received(self, octets: bytes) -> None:
        for frame in self.framer.receive(octets):
            self.answers.put_nowait(decode_apdu(frame.apdu))
            self.answered += 1

    def transport_lost(self, error: LinkError | None) -> None:
        self.error = error
        self.lost.set()

    async def ask(self, request: Apdu) -> Apdu:
        self.transport.write(WrapperFrame(16, 1, request.to_octets()).to_octets())
        async with asyncio.timeout(30):
            return await self.answers.get()

    async def associate(self) -> None:
        assert isinstance(await self.ask(aarq()), Aare)

    async def call(self, method: int, parameter: Data) -> ActionResult:
        answer = await self.ask(
            ActionRequestNormal(INVOKE, MethodDescriptor(18, IMAGE_OBJECT, method), parameter)
        )
        assert isinstance(answer, ActionResponseNormal)
        return answer.result

    async def value(self, class_id: int, obis: str, attribute: int) -> object:
        descriptor = AttributeDescriptor(class_id, Obis.parse(obis), attribute)
        answer = await self.ask(GetRequestNormal(INVOKE, descriptor, None))
        assert isinstance(answer, GetResponseNormal)
        assert isinstance(answer.result, Data)
        return answer.result.value

    async def update(self) -> None:
        """Up to the answer to image_activate."""
        assert await self.call(1, initiation(len(IMAGE))) is ActionResult.SUCCESS
        for number in range(4):
            assert await self.call(2, image_block(number, cut(IMAGE, number))) is ActionResult.SUCCESS
        assert await self.call(3, integer(0)) is ActionResult.TEMPORARY_FAILURE
        while await self.value(18, "0.0.44.0.0.255", 6) != 3:  # noqa: ASYNC110 - a client can only ask again
            await asyncio.sleep(0.1)
        assert await self.call(4, integer(0)) is ActionResult.TEMPORARY_FAILURE


def meters(
    count: int,
    *,
    timing: Timing = TIMING,
    clock: MeterClock | None = None,
    troubles: list[Exception] | None = None,
) -> list[SimulatedMeter]:
    settings = MeterSettings(image_block_size=BLOCK, timing=timing)
    seen = [] if troubles is None else troubles
    return [plain_meter(serial, settings, clock=clock, trouble=seen.append) for serial in range(1, count + 1)]


Dial = Callable[[], Awaitable[AsyncTransport]]


def in_memory(scenario: Callable[[MeterRunner, Dial], Coroutine[object, object, None]]) -> None:
    """Run a scenario with one meter in virtual time."""

    async def main() -> None:
        clock = LoopClock(START)
        (meter,) = meters(1, clock=clock)
        async with SimulatedService([meter], bind=None, clock=clock) as service:
            await scenario(service.runners[0], service.dial)

    run_in_virtual_time(main())


def test_an_activation_reboots_the_meter() -> None:
    async def scenario(runner: MeterRunner, dial: Dial) -> None:
        client = Dialled(await dial())
        other = Dialled(await dial())
        await client.associate()
        await client.update()
        activated = virtual_now()
        assert not client.lost.is_set()
        await asyncio.gather(client.lost.wait(), other.lost.wait())
        assert virtual_now() - activated == pytest.approx(TIMING.activate_seconds, abs=0.01)
        with pytest.raises(ConnectFailed, match="MWS0000000001 does not answer") as failed:
            await dial()
        assert failed.value.hint
        await asyncio.sleep(TIMING.reboot_seconds - 0.1)
        with pytest.raises(ConnectFailed):
            await dial()
        await asyncio.sleep(0.2)
        again = Dialled(await dial())
        await again.associate()
        assert await again.value(1, "1.0.0.2.0.255", 2) == b"NEW-2.0"
        assert await again.value(18, "0.0.44.0.0.255", 6) == 6
        assert runner.meter.deadline is None

    in_memory(scenario)


def test_time_passes_without_anybody_asking() -> None:
    async def scenario(runner: MeterRunner, dial: Dial) -> None:
        client = Dialled(await dial())
        await client.associate()
        await client.call(1, initiation(BLOCK))
        await client.call(2, image_block(0, bytes(BLOCK)))
        await client.call(4, integer(0))
        await client.transport.close()
        await asyncio.sleep(3600)
        assert runner.meter.machine.record.firmware_identifier == b"NEW-2.0"

    in_memory(scenario)


def test_a_meter_that_is_off_does_not_answer() -> None:
    async def main() -> None:
        (meter,) = meters(1)
        runner = MeterRunner(meter)
        with pytest.raises(ConnectFailed):
            await runner.dial()
        await runner.start()
        client = Dialled(await runner.dial())
        await runner.stop()
        await client.lost.wait()
        await runner.stop()

    run_in_virtual_time(main())


def test_middleware_stands_before_the_meter() -> None:
    class Refuses(Middleware):
        def invoke(self, caller: Caller, method: MethodDescriptor, parameters: Data | None) -> ActionOutcome:
            if method.method_id == 3:
                return ActionOutcome(ActionResult.HARDWARE_FAULT)
            return super().invoke(caller, method, parameters)

    async def main() -> None:
        clock = LoopClock(START)
        service = SimulatedService(meters(1, clock=clock), bind=None, clock=clock, through=Refuses)
        async with service:
            client = Dialled(await service.dial("MWS0000000001"))
            await client.associate()
            assert await client.call(1, initiation(BLOCK)) is ActionResult.SUCCESS
            assert await client.call(3, integer(0)) is ActionResult.HARDWARE_FAULT
            with pytest.raises(ConnectFailed, match="no meter MWS0000000002"):
                await service.dial("MWS0000000002")

    run_in_virtual_time(main())


def over_tcp(scenario: Coroutine[object, object, None]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens behind a socket, which tells nobody; the scenario has its deadline."""
    while not condition():  # noqa: ASYNC110 - as the docstring says
        await asyncio.sleep(0.02)


async def dial_port(port: int) -> Dialled:
    return Dialled(await connect_tcp("127.0.0.1", port, 10))


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_each_meter_has_its_port_and_its_configuration(tmp_path: Path) -> None:
    async def scenario() -> None:
        service = SimulatedService(meters(3), state_dir=tmp_path / "state")
        listening = await service.start()
        assert [each.meter for each in listening] == ["MWS0000000001", "MWS0000000002", "MWS0000000003"]
        for each in listening:
            path = tmp_path / "state" / f"{each.meter}.toml"
            assert each.config == path
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            config = tomllib.loads(path.read_text())
            assert config == {
                "meter": {
                    "url": each.url,
                    "client": 16,
                    "server": 1,
                    "referencing": "ln",
                    "authentication": "none",
                    "security": "none",
                    "companion": "plain",
                }
            }
            client = await dial_port(port_of(each.url))
            await client.associate()
            assert await client.value(1, "0.0.42.0.0.255", 2) == each.meter.encode()
            await client.transport.close()
        await service.stop()
        with pytest.raises(ConnectFailed):
            await dial_port(port_of(listening[0].url))

    over_tcp(scenario())


def test_a_port_comes_back_after_the_reboot() -> None:
    async def scenario() -> None:
        troubles: list[Exception] = []
        service = SimulatedService(meters(1, timing=FAST, troubles=troubles))
        (listening,) = await service.start()
        port = port_of(listening.url)
        client = await dial_port(port)
        await client.associate()
        await client.update()
        await client.lost.wait()
        with pytest.raises(ConnectFailed):
            await dial_port(port)
        await until(lambda: service.runners[0].listener.is_listening)
        again = await dial_port(port)
        await again.associate()
        assert await again.value(1, "1.0.0.2.0.255", 2) == b"NEW-2.0"
        await service.stop()
        assert troubles == []

    over_tcp(scenario())


def test_a_port_that_somebody_took_meanwhile_is_waited_for() -> None:
    async def scenario() -> None:
        troubles: list[Exception] = []
        service = SimulatedService(meters(1, timing=FAST, troubles=troubles))
        (listening,) = await service.start()
        port = port_of(listening.url)
        client = await dial_port(port)
        await client.associate()
        await client.update()
        await client.lost.wait()
        thief = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port)
        await until(lambda: bool(troubles))
        assert isinstance(troubles[0], UsageError)
        thief.close()
        await thief.wait_closed()
        await until(lambda: service.runners[0].listener.is_listening)
        again = await dial_port(port)
        await again.associate()
        await service.stop()
        assert len(troubles) == 1

    over_tcp(scenario())


def test_meters_stand_on_ports_in_a_row_or_not_at_all() -> None:
    async def scenario() -> None:
        taken = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port: int = taken.sockets[0].getsockname()[1]
        service = SimulatedService(meters(2), port=port - 1)
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {port}") as refused:
            await service.start()
        assert "choose another port" in refused.value.hint
        with pytest.raises(ConnectFailed):
            await dial_port(port - 1)
        taken.close()
        await taken.wait_closed()
        listening = await service.start()
        assert [port_of(each.url) for each in listening] == [port - 1, port]
        await service.stop()

    over_tcp(scenario())


def test_there_are_only_so_many_ports() -> None:
    with pytest.raises(UsageError, match="the highest port is 65535") as refused:
        SimulatedService(meters(3), port=65534)
    assert "--count" in refused.value.hint


def test_any_address_is_told_as_one_that_can_be_called() -> None:
    async def scenario() -> None:
        service = SimulatedService(meters(1), bind="0.0.0.0")  # noqa: S104 - that is what is tested
        (listening,) = await service.start()
        assert listening.url == f"tcp://127.0.0.1:{port_of(listening.url)}"
        assert listening.config is None
        await service.stop()

    over_tcp(scenario())


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async def scenario() -> None:
        with pytest.raises(UsageError, match="cannot write") as refused:
            await SimulatedService(meters(1), state_dir=tmp_path / "file").start()
        assert "--state-dir" in refused.value.hint

    over_tcp(scenario())


def test_limits_reach_the_listener() -> None:
    async def main() -> None:
        clock = LoopClock(START)
        troubles: list[Exception] = []
        limits = Limits(connections=1, idle_seconds=10.0)
        (meter,) = meters(1, clock=clock, troubles=troubles)
        async with SimulatedService([meter], bind=None, clock=clock, limits=limits) as service:
            first = Dialled(await service.dial())
            second = Dialled(await service.dial())
            await second.lost.wait()
            assert virtual_now() < 1.0
            assert len(troubles) == 1
            await first.lost.wait()
            assert virtual_now() == pytest.approx(10.0)

    run_in_virtual_time(main())


def test_the_meter_counts_time_from_when_it_is_first_asked() -> None:
    async def main() -> None:
        clock = LoopClock(START)
        await asyncio.sleep(5)
        assert clock.now() == START
        await asyncio.sleep(5)
        assert (clock.now() - START).total_seconds() == 5

    run_in_virtual_time(main())


def test_a_meter_listens_for_datagrams() -> None:
    async def scenario() -> None:
        service = SimulatedService(meters(1), scheme=Scheme.UDP)
        (listening,) = await service.start()
        assert listening.url.startswith("udp://127.0.0.1:")
        async with Client(listening.url) as client:
            assert await client.read(AttributeDescriptor(1, Obis.parse("0.0.42.0.0.255"), 2))
        await service.stop()

    over_tcp(scenario())
