"""A TCP relay that makes a line as slow as those in the field: what passes is held back for a moment, each way.

Only for the demonstration and for tests: on this machine alone an update is over before anybody could interrupt it.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

__all__ = ["SlowLine"]

_LARGEST: Final = 65536


class SlowLine:
    """Listens on a free port of this machine and passes everything on to another, `delay` seconds late.

    `watch` sees what passes towards the other.
    """

    def __init__(
        self, host: str, port: int, delay: float, *, watch: Callable[[bytes], None] = lambda _octets: None
    ) -> None:
        self._host = host
        self._port = port
        self._delay = delay
        self._watch = watch
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._server is None:
            raise RuntimeError("the line is not open")
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:  # the meter is not there: neither is this line
            writer.close()
            return
        there = asyncio.ensure_future(self._pass(reader, far_writer, self._watch))
        back = asyncio.ensure_future(self._pass(far_reader, writer))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            for each in (writer, far_writer):
                each.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        watch: Callable[[bytes], None] = lambda _octets: None,
    ) -> None:
        """From one side to the other, until either is gone."""
        while octets := await reader.read(_LARGEST):
            watch(octets)
            await asyncio.sleep(self._delay)
            writer.write(octets)
            await writer.drain()
