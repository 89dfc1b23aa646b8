"""Serial lines that are open, over a pseudo-terminal. How they open is in test_serial_opening."""

import asyncio
import os
import random
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from tests.transport.pty_line import PATIENCE, Line, pty_line
from tests.transport.receivers import Recorder

from meterwright.errors import ConnectionLost
from meterwright.transport.serial import (
    BlockingSerialTransport,
    SerialSettings,
    SerialTransport,
    connect_serial,
    connect_serial_blocking,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")

EVERY_OCTET = bytes(range(256))
BURST = random.Random(7).randbytes(200_000)


@pytest.fixture
def line() -> Iterator[Line]:
    with pty_line() as made:
        yield made


def cuts() -> Callable[[], int]:
    chance = random.Random(11)
    return lambda: chance.choice((1, 2, 7, 100, 3000))


class TestUnderAsyncio:
    """The contract of AsyncTransport."""

    @staticmethod
    def run(
        line: Line, scenario: Callable[[SerialTransport, Recorder], Coroutine[Any, Any, None]]
    ) -> Recorder:
        """Open the port, run the scenario, close it; nothing may reach the loop's exception handler."""
        ours = Recorder()
        unseen: list[object] = []

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
            transport = await connect_serial(line.settings, timeout=5)
            try:
                await scenario(transport, ours)
            finally:
                await transport.close()

        asyncio.run(main())
        assert unseen == []
        return ours

    def test_every_octet_passes_both_ways_as_it_is_and_none_comes_back(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            transport.start(ours)
            transport.write(EVERY_OCTET)
            assert await asyncio.to_thread(line.hear, 256) == EVERY_OCTET
            await asyncio.to_thread(line.send, EVERY_OCTET)
            assert await ours.received(256) == EVERY_OCTET
            assert line.is_silent()
            assert not transport.is_local

        assert self.run(line, scenario).ends == [None]

    def test_bursts_pass_however_they_are_cut(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            transport.start(ours)
            transport.write(BURST)
            assert await asyncio.to_thread(line.hear, len(BURST)) == BURST
            await asyncio.to_thread(line.send, BURST, cuts())
            assert await ours.received(len(BURST)) == BURST

        self.run(line, scenario)

    def test_what_comes_before_the_start_is_kept(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            line.send(b"early bird")
            for _ in range(20):  # as many turns of the loop as it would take to read them
                await asyncio.sleep(0)
            transport.start(ours)
            assert await ours.received(10) == b"early bird"

        self.run(line, scenario)

    def test_a_port_that_vanishes_is_a_lost_connection(self, line: Line) -> None:
        path = line.settings.path

        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            transport.start(ours)
            line.send(b"bye")
            await ours.received(3)
            line.vanish()
            error = await ours.lost()
            assert isinstance(error, ConnectionLost)
            assert f"the serial port {path} is lost" in error.what
            assert "plug the adapter in again" in error.hint
            transport.write(b"nobody listens")

        assert len(self.run(line, scenario).ends) == 1

    def test_writing_to_a_port_that_has_just_vanished(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            transport.start(ours)
            line.vanish()
            transport.write(b"nobody listens")
            transport.write(b"nobody listens")
            assert isinstance(await ours.lost(), ConnectionLost)

        self.run(line, scenario)

    def test_a_port_that_vanishes_before_the_start(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            line.vanish()
            transport.start(ours)
            assert isinstance(await ours.lost(), ConnectionLost)

        self.run(line, scenario)

    def test_closing_twice_is_harmless_and_no_error(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            transport.start(ours)
            transport.write(b"last words")
            await transport.close()
            await transport.close()
            transport.write(b"too late")
            assert line.hear(10) == b"last words"
            assert line.is_silent()

        assert self.run(line, scenario).ends == [None]

    def test_it_may_be_closed_without_being_started(self, line: Line) -> None:
        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            await transport.close()
            transport.start(ours)

        assert self.run(line, scenario).ends == [None]

    def test_a_line_that_takes_nothing_is_closed_after_a_while(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("meterwright.transport.serial._CLOSING_PATIENCE", 0.05)

        async def scenario(transport: SerialTransport, ours: Recorder) -> None:
            transport.start(ours)
            transport.write(bytes(1_000_000))
            await transport.close()
            assert ours.ends == [None]

        self.run(line, scenario)

    def test_the_port_is_free_once_opening_it_was_cancelled(self, line: Line) -> None:
        async def main() -> None:
            for turns in range(12):
                opening = asyncio.ensure_future(connect_serial(line.settings, timeout=5))
                for _ in range(turns):
                    await asyncio.sleep(0)
                opening.cancel()
                await asyncio.gather(opening, return_exceptions=True)
                assert opening.cancelled()
                await (await connect_serial(line.settings, timeout=5)).close()

        asyncio.run(main())


class TestBlocking:
    """The contract of BlockingTransport."""

    @pytest.fixture
    def transport(self, line: Line) -> Iterator[BlockingSerialTransport]:
        made = connect_serial_blocking(line.settings, timeout=5)
        yield made
        made.close()

    @staticmethod
    def read(transport: BlockingSerialTransport, size: int) -> bytes:
        octets = b""
        while len(octets) < size:
            piece = transport.read(timeout=PATIENCE)
            assert piece, "nothing came"
            octets += piece
        return octets

    def test_every_octet_passes_both_ways_as_it_is_and_none_comes_back(
        self, line: Line, transport: BlockingSerialTransport
    ) -> None:
        transport.write(EVERY_OCTET)
        assert line.hear(256) == EVERY_OCTET
        line.send(EVERY_OCTET)
        assert self.read(transport, 256) == EVERY_OCTET
        assert line.is_silent()
        assert not transport.is_local

    def test_bursts_pass_however_they_are_cut(self, line: Line, transport: BlockingSerialTransport) -> None:
        sender = threading.Thread(target=line.send, args=(BURST, cuts()))
        sender.start()
        assert self.read(transport, len(BURST)) == BURST
        sender.join()
        writer = threading.Thread(target=transport.write, args=(BURST,))
        writer.start()
        assert line.hear(len(BURST)) == BURST
        writer.join()

    def test_octets_handed_out_do_not_change_afterwards(
        self, line: Line, transport: BlockingSerialTransport
    ) -> None:
        line.send(b"first")
        kept = self.read(transport, 5)
        line.send(b"other")
        self.read(transport, 5)
        assert kept == b"first"

    @pytest.mark.parametrize("timeout", [0.0, -5.0, 0.01])
    def test_silence_is_nothing_after_the_time_allowed(
        self, transport: BlockingSerialTransport, timeout: float
    ) -> None:
        began = time.monotonic()
        assert transport.read(timeout) == b""
        assert time.monotonic() - began < PATIENCE

    def test_a_port_that_vanishes_is_a_lost_connection(
        self, line: Line, transport: BlockingSerialTransport
    ) -> None:
        path = line.settings.path
        line.vanish()
        for _ in range(2):
            with pytest.raises(ConnectionLost, match=f"the serial port {path} is lost") as caught:
                transport.read(timeout=PATIENCE)
            assert "plug the adapter in again" in caught.value.hint
        with pytest.raises(ConnectionLost):
            transport.write(b"nobody listens")

    def test_after_closing_twice_everything_is_a_lost_connection(
        self, line: Line, transport: BlockingSerialTransport
    ) -> None:
        transport.write(b"last words")
        transport.close()
        transport.close()
        assert line.hear(10) == b"last words"
        with pytest.raises(ConnectionLost):
            transport.write(b"late")
        with pytest.raises(ConnectionLost):
            transport.read(timeout=0)

    def test_a_line_that_takes_nothing_is_lost_after_a_while(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("meterwright.transport.serial._WRITE_PATIENCE", 0.05)
        fast = SerialSettings(line.settings.path, baud=4_000_000)
        transport = connect_serial_blocking(fast, timeout=5)
        with pytest.raises(ConnectionLost, match="it takes no octets any more"):
            transport.write(bytes(100_000))
        transport.close()
