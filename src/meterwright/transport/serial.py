"""Serial lines under asyncio and blocking: an RS-485 adapter, an optical head, a port of the machine.

The octets are moved by serialx, which the extra `serial` brings. It is imported when a port is opened and not before, so
that whoever has no serial line needs none of it. A port is opened for us alone where the platform can.
"""

import asyncio
import errno
import logging
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal

from meterwright.errors import ConnectFailed, ConnectionLost, LinkError, UsageError
from meterwright.transport.base import AsyncTransport, BlockingTransport, Receiver
from meterwright.transport.tcp import reason_of

if TYPE_CHECKING:
    from serialx import BaseSerial

__all__ = [
    "BlockingSerialTransport",
    "Parity",
    "SerialSettings",
    "SerialTransport",
    "connect_serial",
    "connect_serial_blocking",
]

_BUFFER_SIZE: Final = 4096
_CLOSING_PATIENCE: Final = 2.0
_WRITE_PATIENCE: Final = 30.0
_LONGEST_OCTET: Final = 12
"""Bits on the line: start, eight of data, parity, two of stop."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""How a URL begins. serialx would take one, and might talk to a network that nobody meant."""


class Parity(Enum):
    """What the parity bit of an octet says."""

    NONE = "N"
    EVEN = "E"
    ODD = "O"


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """A port and how its line is set: 9600 baud 8N1 where a meter speaks HDLC from the start."""

    path: str
    """/dev/ttyUSB0, /dev/serial/by-id/…, COM3."""

    baud: int = 9600
    data_bits: Literal[7, 8] = 8
    parity: Parity = Parity.NONE
    stop_bits: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        if not self.path or _SCHEME.match(self.path):
            raise UsageError(
                f"{self.path!r} is no serial port",
                layer="transport",
                hint="name it as the system does, without scheme or colon: /dev/ttyUSB0, COM3",
            )
        if self.baud < 1:
            raise UsageError(
                f"a line cannot run at {self.baud} baud", layer="transport", hint="most meters take 9600 baud"
            )

    def __str__(self) -> str:
        return f"{self.baud} baud {self.data_bits}{self.parity.value}{self.stop_bits}"


class SerialTransport(asyncio.Protocol, AsyncTransport):
    """One open port."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._closing = False
        self._ended: LinkError | None = None
        self._closed = asyncio.Event()

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._closed.is_set():
            receiver.transport_lost(self._ended)
        elif self._transport is not None:
            self._transport.resume_reading()

    def write(self, octets: bytes) -> None:
        # a port that has just vanished is closing before we are told, and serialx lets nobody write to it then
        if self._transport is not None and not self._closed.is_set() and not self._transport.is_closing():
            self._transport.write(octets)

    async def close(self) -> None:
        self._closing = True
        if self._transport is None or self._closed.is_set():
            return
        self._transport.close()
        try:
            await asyncio.wait_for(self._closed.wait(), _CLOSING_PATIENCE)
        except TimeoutError:
            self._transport.abort()  # the line takes nothing any more: what is unsent is given up
            await (
                self._closed.wait()
            )  # the driver lets go in its own time; until then nobody can open the port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the port is open."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.pause_reading()  # until somebody listens: the system keeps what comes before that

    def data_received(self, data: bytes) -> None:
        """asyncio: these octets have come."""
        if self._receiver is not None:
            self._receiver.octets_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: it is over."""
        self._closed.set()
        if not self._closing:
            self._ended = _lost(self._path, exc)
        if self._receiver is not None:
            self._receiver.transport_lost(self._ended)


class BlockingSerialTransport(BlockingTransport):
    """One open port. It is ours from now on."""

    def __init__(self, port: "BaseSerial", settings: SerialSettings) -> None:
        self._port = port
        self._settings = settings
        self._buffer = bytearray(_BUFFER_SIZE)

    def write(self, octets: bytes) -> None:
        self._require_open()
        patience = _WRITE_PATIENCE + len(octets) * _LONGEST_OCTET / self._settings.baud
        try:
            self._port.write(octets, timeout=patience)
        except (OSError, ValueError) as error:
            raise _lost(self._settings.path, error) from None

    def read(self, timeout: float) -> bytes:
        self._require_open()
        try:
            size = self._port.readinto(self._buffer, timeout=max(timeout, 0.0))
        except (OSError, ValueError) as error:  # ValueError: more files are open than select can watch
            raise _lost(self._settings.path, error) from None
        return bytes(self._buffer[:size])

    def close(self) -> None:
        self._port.close()

    def _require_open(self) -> None:
        if not self._port.is_open:
            raise _lost(self._settings.path, None)


async def connect_serial(settings: SerialSettings, timeout: float) -> SerialTransport:
    """Open a port. ConnectFailed where that is refused, or not done in `timeout` seconds; UsageError without serialx.

    A driver that hangs is waited for even then: when this returns or raises, the port is open or free.
    """
    _need_serialx()
    import serialx  # noqa: PLC0415 - whoever has no serial line need not have it

    line = SerialTransport(settings.path)
    try:
        async with asyncio.timeout(timeout):
            await serialx.create_serial_connection(
                asyncio.get_running_loop(),
                lambda: line,
                settings.path,
                baudrate=settings.baud,
                byte_size=settings.data_bits,
                parity=serialx.Parity(settings.parity.value),
                stopbits=serialx.StopBits(settings.stop_bits),
                exclusive=True,
            )
    except TimeoutError:
        raise _not_in_time(settings, timeout) from None
    except (OSError, ValueError, serialx.SerialException) as error:
        raise _open_failed(settings, error) from None
    return line


def connect_serial_blocking(settings: SerialSettings, timeout: float) -> BlockingSerialTransport:
    """Open a port. ConnectFailed where that is refused, or not done in `timeout` seconds; UsageError without serialx."""
    _need_serialx()
    import serialx  # noqa: PLC0415 - whoever has no serial line need not have it

    try:
        port = serialx.serial_for_url(
            settings.path,
            baudrate=settings.baud,
            byte_size=settings.data_bits,
            parity=serialx.Parity(settings.parity.value),
            stopbits=serialx.StopBits(settings.stop_bits),
            exclusive=True,
        )
        _open_within(port, timeout)
    except TimeoutError:
        raise _not_in_time(settings, timeout) from None
    except (OSError, ValueError, serialx.SerialException) as error:
        raise _open_failed(settings, error) from None
    return BlockingSerialTransport(port, settings)


def _open_within(port: "BaseSerial", timeout: float) -> None:
    """Open it in a thread of its own, for a driver that hangs cannot be interrupted."""
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="serial")
    opening = worker.submit(port.open)
    worker.shutdown(wait=False)
    try:
        opening.result(timeout)
    except TimeoutError:
        opening.add_done_callback(lambda _: port.close())
        raise


def _need_serialx() -> None:
    if find_spec("serialx") is None:
        raise UsageError(
            "serial lines need the library serialx, which is not installed",
            layer="transport",
            hint="pip install 'meterwright[serial]'",
        )
    log = logging.getLogger("serialx")
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)  # below that it logs every octet, and a password is among them


_LISTING: Final = "`python -m serialx.tools.list_ports` lists the ports of this machine"
_BUSY: Final = (
    "another program holds it",
    "end the other program: a meter tool, a terminal, ModemManager",
)
_NO_PORT: Final = ("there is no such port", f"see that the adapter is plugged in; {_LISTING}")
_NOTHING_BEHIND: Final = ("there is no serial hardware behind that port", _LISTING)
_NOT_SERIAL: Final = ("that is no serial port", _LISTING)
_NOT_ALLOWED: Final = (
    "this user may not open it",
    "join the group that owns it (on Debian and Ubuntu: sudo usermod -a -G dialout $USER), then log in again",
)
_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOENT: _NO_PORT,
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EBUSY: _BUSY,
    errno.ENOTTY: _NOT_SERIAL,
    errno.EISDIR: _NOT_SERIAL,
    errno.EIO: _NOTHING_BEHIND,
    errno.ENXIO: _NOTHING_BEHIND,
    errno.ENODEV: _NOTHING_BEHIND,
}
_WINDOWS_REFUSALS: Final[Mapping[int, tuple[str, str]]] = {**_REFUSALS, errno.EACCES: _BUSY}
"""Windows says "access denied" of a port that somebody has open."""


def _open_failed(
    settings: SerialSettings, error: Exception, *, windows: bool = os.name == "nt"
) -> ConnectFailed:
    """The error for a port that did not open; what is in no table is a matter of baud and bits, or told as it is."""
    if isinstance(error, OSError) and error.errno != errno.EINVAL:
        table = _WINDOWS_REFUSALS if windows else _REFUSALS
        reason, hint = table.get(error.errno or 0, (reason_of(error), f"check cable and adapter; {_LISTING}"))
    else:
        told = reason_of(error) if isinstance(error, OSError) else str(error)
        reason = f"it cannot be set to {settings} ({told})"
        hint = "see what the adapter can do; most meters take 9600 baud 8N1"
    return ConnectFailed(f"cannot open {settings.path}: {reason}", layer="transport", hint=hint)


def _not_in_time(settings: SerialSettings, timeout: float) -> ConnectFailed:
    return ConnectFailed(
        f"cannot open {settings.path}: it did not open in {timeout:g} s",
        layer="transport",
        hint="plug the adapter out and in again",
    )


def _lost(path: str, cause: Exception | None) -> ConnectionLost:
    """The error for a port that is open no more."""
    match cause:
        case None:
            how = "it is closed"
        case TimeoutError():
            how = "it takes no octets any more"
        case OSError():
            how = reason_of(cause)
        case _:
            how = str(cause)
    return ConnectionLost(
        f"the serial port {path} is lost: {how}",
        layer="transport",
        hint="plug the adapter in again, see that no other program reads from the port, then connect again",
    )
