"""The wire in memory, in virtual time: order, delay, interference, and every way in which it ends."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest
from tests.transport.receivers import Recorder

from meterwright.errors import ConnectionLost
from meterwright.testing import run_in_virtual_time, virtual_now
from meterwright.transport import Wire

Scenario = Callable[[Wire, Recorder, Recorder], Coroutine[Any, Any, None]]


def on_a_wire(scenario: Scenario, **options: Any) -> tuple[Recorder, Recorder]:
    """Run a scenario on a wire whose both ends are started; what client and meter were told."""
    ends: list[Recorder] = []

    async def main() -> None:
        wire = Wire(**options)
        ends.extend((Recorder(), Recorder()))
        wire.client_end.start(ends[0])
        wire.meter_end.start(ends[1])
        await scenario(wire, *ends)

    run_in_virtual_time(main())
    client, meter = ends
    return client, meter


def test_octets_arrive_at_the_other_end_in_order() -> None:
    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        for number in range(50):
            wire.client_end.write(bytes((number,)))
        wire.meter_end.write(b"answer")
        assert meter.pieces == []  # not before the next turn of the loop
        await meter.received(50)
        await client.received(6)

    client, meter = on_a_wire(scenario)
    assert meter.octets == bytes(range(50))
    assert client.octets == b"answer"


@pytest.mark.parametrize("delay", [0.0, 1.5])
def test_an_end_comes_after_all_that_was_sent_before(delay: float) -> None:
    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        for number in range(20):
            wire.client_end.write(bytes((number,)))
        await wire.client_end.close()
        await meter.lost()

    client, meter = on_a_wire(scenario, delay=delay)
    assert meter.octets == bytes(range(20))
    assert client.ends == [None]
    assert [type(end) for end in meter.ends] == [ConnectionLost]


def test_delay_passes_in_virtual_time_each_way() -> None:
    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        wire.client_end.write(b"ask")
        await meter.received(3)
        assert virtual_now() == pytest.approx(2.5)
        wire.meter_end.write(b"answer")
        await client.received(6)
        assert virtual_now() == pytest.approx(5)

    on_a_wire(scenario, delay=2.5)


def test_interference_says_what_arrives() -> None:
    seen: list[tuple[bool, bytes]] = []

    def interference(from_client: bool, octets: bytes) -> Iterable[bytes]:
        seen.append((from_client, octets))
        return {b"drop": [], b"double": [octets, octets], b"change": [b"changed"]}.get(octets, [octets])

    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        for octets in (b"drop", b"double", b"change", b"pass"):
            wire.client_end.write(octets)
        wire.meter_end.write(b"drop")
        wire.meter_end.write(b"last")
        await meter.received(len(b"doubledoublechangedpass"))
        await client.received(4)

    client, meter = on_a_wire(scenario, interference=interference)
    assert meter.pieces == [b"double", b"double", b"changed", b"pass"]
    assert client.pieces == [b"last"]
    assert (True, b"drop") in seen
    assert (False, b"drop") in seen


def test_a_cut_ends_both_ends_at_once_and_what_was_on_the_way_is_gone() -> None:
    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        wire.client_end.write(b"on the way")
        wire.cut()
        assert [len(end.ends) for end in (client, meter)] == [1, 1]
        await asyncio.sleep(10)

    client, meter = on_a_wire(scenario, delay=1)
    assert meter.pieces == []
    for end in (*client.ends, *meter.ends):
        assert isinstance(end, ConnectionLost)
        assert "the line was cut" in end.what
        assert end.hint


def test_after_the_end_nothing_passes_and_nothing_is_told_again() -> None:
    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        wire.cut()
        wire.client_end.write(b"late")
        wire.meter_end.write(b"late")
        wire.cut()
        await wire.client_end.close()
        await wire.meter_end.close()
        await asyncio.sleep(1)
        assert wire.client_end.is_closed
        assert wire.meter_end.is_closed

    client, meter = on_a_wire(scenario)
    assert (client.pieces, meter.pieces) == ([], [])
    assert (len(client.ends), len(meter.ends)) == (1, 1)


def test_closing_twice_is_harmless() -> None:
    async def scenario(wire: Wire, client: Recorder, meter: Recorder) -> None:
        await wire.client_end.close()
        await wire.client_end.close()
        await meter.lost()

    client, meter = on_a_wire(scenario)
    assert client.ends == [None]
    assert len(meter.ends) == 1


def test_what_comes_before_the_start_is_kept() -> None:
    async def main() -> None:
        wire = Wire()
        wire.client_end.write(b"early ")
        wire.client_end.write(b"bird")
        await wire.client_end.close()
        await asyncio.sleep(1)
        meter = Recorder()
        wire.meter_end.start(meter)
        assert meter.octets == b"early bird"
        assert [type(end) for end in meter.ends] == [ConnectionLost]

    run_in_virtual_time(main())


class _CoarseLoop(asyncio.SelectorEventLoop):
    """A clock that stands still for a while, as Windows' does: timers made then are for one and the same time."""

    def time(self) -> float:
        return super().time() // 1


def test_order_is_kept_under_a_coarse_clock() -> None:
    async def main() -> None:
        wire = Wire()
        meter = Recorder()
        wire.meter_end.start(meter)
        for number in range(50):
            wire.client_end.write(bytes((number,)))
        assert await meter.received(50) == bytes(range(50))

    with asyncio.Runner(loop_factory=_CoarseLoop) as runner:
        runner.run(main())
