"""Serial lines that open, and those that do not: what is said, and what to try."""

import asyncio
import errno
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import serialx
from tests.transport.pty_line import PATIENCE, Line, pty_line

from meterwright.errors import ConnectFailed, UsageError
from meterwright.transport.serial import (
    Parity,
    SerialSettings,
    _lost,
    _open_failed,
    connect_serial,
    connect_serial_blocking,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")

PORT = SerialSettings("/dev/ttyUSB0")


@pytest.fixture
def line() -> Iterator[Line]:
    with pty_line() as made:
        yield made


def open_under_asyncio(settings: SerialSettings, timeout: float = 5) -> None:
    async def main() -> None:
        await (await connect_serial(settings, timeout)).close()

    asyncio.run(main())


def open_blocking(settings: SerialSettings, timeout: float = 5) -> None:
    connect_serial_blocking(settings, timeout).close()


Opener = Callable[[SerialSettings], None]
each_twin = pytest.mark.parametrize(
    "open_port", [open_under_asyncio, open_blocking], ids=["asyncio", "blocking"]
)


def refusal(open_port: Opener, settings: SerialSettings) -> ConnectFailed:
    with pytest.raises(ConnectFailed, match=f"cannot open {settings.path}: ") as caught:
        open_port(settings)
    return caught.value


class TestSettings:
    """What may be asked for."""

    def test_the_defaults_are_those_of_hdlc(self) -> None:
        assert str(PORT) == "9600 baud 8N1"

    def test_the_opening_of_mode_e(self) -> None:
        assert str(SerialSettings("COM3", baud=300, data_bits=7, parity=Parity.EVEN)) == "300 baud 7E1"

    @pytest.mark.parametrize(
        "path", ["COM3", r"\\.\COM12", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"]
    )
    def test_a_port_is_named_as_the_system_does(self, path: str) -> None:
        assert SerialSettings(path).path == path

    @pytest.mark.parametrize("path", ["", "socket://192.0.2.7:23", "rfc2217://host", "COM3:", "tcp:meter"])
    def test_a_url_is_no_port(self, path: str) -> None:
        with pytest.raises(UsageError, match="is no serial port") as caught:
            SerialSettings(path)
        assert "COM3" in caught.value.hint

    @pytest.mark.parametrize("baud", [0, -9600])
    def test_a_line_has_a_speed(self, baud: int) -> None:
        with pytest.raises(UsageError, match="cannot run at"):
            SerialSettings("/dev/ttyUSB0", baud=baud)


class TestOpening:
    """What serialx is asked for."""

    def test_the_port_is_set_as_asked_blocking(self, line: Line) -> None:
        settings = SerialSettings(line.settings.path, baud=300, data_bits=7, parity=Parity.EVEN, stop_bits=2)
        transport = connect_serial_blocking(settings, timeout=5)
        assert_set(transport._port)
        transport.close()

    def test_the_port_is_set_as_asked_under_asyncio(self, line: Line) -> None:
        async def main() -> None:
            settings = SerialSettings(
                line.settings.path, baud=300, data_bits=7, parity=Parity.EVEN, stop_bits=2
            )
            transport = await connect_serial(settings, timeout=5)
            assert isinstance(transport._transport, serialx.BaseSerialTransport)
            assert_set(transport._transport.serial)
            await transport.close()

        asyncio.run(main())

    def test_a_windows_name_goes_to_serialx_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[object] = []

        def refuse(path: str, **_options: object) -> NoReturn:
            asked.append(path)
            raise PermissionError(errno.EACCES, "Access is denied")

        async def refuse_too(_loop: object, _factory: object, path: str, **_options: object) -> NoReturn:
            refuse(path)

        monkeypatch.setattr(serialx, "serial_for_url", refuse)
        monkeypatch.setattr(serialx, "create_serial_connection", refuse_too)
        for open_port in (open_blocking, open_under_asyncio):
            refusal(open_port, SerialSettings("COM3"))
        assert asked == ["COM3", "COM3"]

    @each_twin
    def test_a_port_opens_again_after_closing(self, open_port: Opener, line: Line) -> None:
        open_port(line.settings)
        open_port(line.settings)

    @each_twin
    def test_no_octet_is_logged(
        self, open_port: Opener, line: Line, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = logging.getLogger("serialx")
        log.setLevel(logging.NOTSET)
        with caplog.at_level(logging.DEBUG):
            open_port(line.settings)
            transport = connect_serial_blocking(line.settings, timeout=5)
            transport.write(b"password")
            transport.close()
        assert "serialx" not in {record.name.partition(".")[0] for record in caplog.records}

    def test_who_asks_for_the_log_of_serialx_gets_it(self, line: Line) -> None:
        log = logging.getLogger("serialx")
        before = log.level
        log.setLevel(logging.DEBUG)
        try:
            open_blocking(line.settings)
            assert log.level == logging.DEBUG
        finally:
            log.setLevel(before)


def assert_set(port: serialx.BaseSerial) -> None:
    assert (port.baudrate, port.byte_size, port.parity) == (300, 7, serialx.Parity.EVEN)
    assert port.stopbits is serialx.StopBits.TWO
    assert port.exclusive


class TestRefusals:
    """Real ones, where this machine can give them."""

    @each_twin
    def test_no_such_port(self, open_port: Opener, tmp_path: Path) -> None:
        error = refusal(open_port, SerialSettings(str(tmp_path / "ttyUSB0")))
        assert "there is no such port" in error.what
        assert "plugged in" in error.hint

    @each_twin
    def test_a_file_that_is_no_port_is_left_as_it_is(self, open_port: Opener, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_bytes(b"notes")
        assert "that is no serial port" in refusal(open_port, SerialSettings(str(path))).what
        assert "that is no serial port" in refusal(open_port, SerialSettings(str(tmp_path))).what
        assert path.read_bytes() == b"notes"

    @each_twin
    def test_a_port_that_is_open_elsewhere(self, open_port: Opener, line: Line) -> None:
        holder = connect_serial_blocking(line.settings, timeout=5)
        error = refusal(open_port, line.settings)
        assert "another program holds it" in error.what
        assert error.hint
        holder.close()

    @each_twin
    def test_a_port_this_user_may_not_open(
        self, open_port: Opener, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The system refuses; who runs the tests may be root, whom no system refuses."""

        def refuse(path: str, _flags: int) -> NoReturn:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

        monkeypatch.setattr(os, "open", refuse)
        error = refusal(open_port, line.settings)
        assert "this user may not open it" in error.what
        assert "dialout" in error.hint

    @each_twin
    def test_a_setting_the_port_has_not(
        self, open_port: Opener, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_port: object, _update: object) -> NoReturn:
            raise serialx.UnsupportedSetting("Unsupported baudrate 12345")

        monkeypatch.setattr(serialx.Serial, "_reconfigure_port", refuse)
        error = refusal(open_port, SerialSettings(line.settings.path, baud=12345))
        assert "it cannot be set to 12345 baud 8N1" in error.what
        assert "9600 baud 8N1" in error.hint

    @pytest.mark.parametrize(
        ("error", "windows", "reason"),
        [
            (FileNotFoundError(errno.ENOENT, "x"), False, "there is no such port"),
            (PermissionError(errno.EACCES, "x"), False, "this user may not open it"),
            (PermissionError(errno.EPERM, "x"), False, "this user may not open it"),
            (PermissionError(errno.EACCES, "x"), True, "another program holds it"),
            (FileNotFoundError(errno.ENOENT, "x"), True, "there is no such port"),
            (OSError(errno.EBUSY, "x"), False, "another program holds it"),
            (OSError(errno.ENOTTY, "x"), False, "that is no serial port"),
            (OSError(errno.EIO, "x"), False, "there is no serial hardware behind that port"),
            (OSError(errno.ENXIO, "x"), False, "there is no serial hardware behind that port"),
            (OSError(errno.EINVAL, "x"), False, "it cannot be set to 9600 baud 8N1 (Invalid argument)"),
            (ValueError("0.5 is not a valid StopBits"), False, "it cannot be set to 9600 baud 8N1"),
            (OSError(errno.EMFILE, "x"), False, "Too many open files"),
            (OSError("no number"), False, "no number"),
        ],
        ids=repr,
    )
    def test_every_reason_has_plain_words_and_a_next_step(
        self, error: Exception, reason: str, *, windows: bool
    ) -> None:
        told = _open_failed(PORT, error, windows=windows)
        assert told.what.startswith(f"cannot open /dev/ttyUSB0: {reason}")
        assert told.hint
        assert told.where.layer == "transport"

    @pytest.mark.parametrize(
        ("cause", "how"),
        [
            (None, "it is closed"),
            (TimeoutError("Write timeout"), "it takes no octets any more"),
            (OSError(errno.EIO, "x"), "Input/output error"),
            (ValueError("filedescriptor out of range in select()"), "filedescriptor out of range"),
        ],
        ids=repr,
    )
    def test_how_a_port_is_lost(self, cause: Exception | None, how: str) -> None:
        assert f"the serial port COM3 is lost: {how}" in _lost("COM3", cause).what


class TestHangingDrivers:
    """Opening takes no longer than was allowed."""

    def test_a_driver_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def hang(*_arguments: object, **_options: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(serialx, "create_serial_connection", hang)
        with pytest.raises(ConnectFailed, match=r"it did not open in 0\.05 s"):
            open_under_asyncio(PORT, timeout=0.05)

    def test_a_driver_that_hangs_is_closed_when_it_wakes_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wake, closed = threading.Event(), threading.Event()

        class Hanging:
            def open(self) -> None:
                wake.wait(PATIENCE)

            def close(self) -> None:
                closed.set()

        def hanging(_path: str, **_options: object) -> Hanging:
            return Hanging()

        monkeypatch.setattr(serialx, "serial_for_url", hanging)
        with pytest.raises(ConnectFailed, match=r"it did not open in 0\.05 s"):
            connect_serial_blocking(PORT, timeout=0.05)
        assert not closed.is_set()
        wake.set()
        assert closed.wait(PATIENCE)


class TestWithoutSerialx:
    """The extra is not installed."""

    @each_twin
    def test_it_says_how_to_get_it(self, open_port: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "serialx", None)
        with pytest.raises(UsageError, match="which is not installed") as caught:
            open_port(PORT)
        assert caught.value.hint == "pip install 'meterwright[serial]'"

    def test_importing_the_transports_does_not_bring_it(self) -> None:
        code = (
            "import sys, meterwright.transport, meterwright.transport.serial; print('serialx' in sys.modules)"
        )
        told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        assert told.stdout.strip() == "False"
