# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: as gurux_peer.py, it runs under the peer's interpreter, in whose environment alone gurux_dlms exists.
"""The interop peer's connection: a blocking socket, and on it an association of a gurux-dlms client.

Cuts the stream into whole frames by their own length fields before the library sees them, and gives every wait a
time-out, so that a silent or rambling meter ends a test with a reason.

Refuses: to send a frame whose length field is wrong, as the library makes them where addresses and information have 249 to
255 octets modulo 256; to go on without a proof where one was to be given; what its `watch` (gurux_login.py) complains of.
"""

import argparse
import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any, Self

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSException, GXReplyData
from gurux_dlms.enums import Authentication, Command, InterfaceType

LINKS = {"wrapper": InterfaceType.WRAPPER, "hdlc": InterfaceType.HDLC}
FLAG = 0x7E
SERVED = (Command.GET_RESPONSE, Command.SET_RESPONSE, Command.METHOD_RESPONSE)


class PeerError(Exception):
    """What the peer could not do, in words for whoever reads the failed test."""


class DroppedError(PeerError):
    """The meter closed the connection or kept silent."""


class RefusedError(PeerError):
    """The meter answered with an error: `code` is its data-access-result or action-result."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(f"{what}: result {code} ({GXDLMSException.getDescription(code) or 'unknown'})")
        self.code = code


class Wire:
    """A blocking TCP socket that yields whole frames and remembers what it carried."""

    def __init__(self, host: str, port: int, link: str, timeout: float, log: list[dict[str, str]]) -> None:
        self.link, self.timeout, self.log = link, timeout, log
        self.waiting = bytearray()
        try:
            self.socket = socket.create_connection((host, port), timeout=timeout)
        except OSError as error:
            raise DroppedError(f"cannot connect to {host}:{port}: {error}") from error

    def close(self) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> None:
        if self.link == "hdlc" and 2 + (int.from_bytes(octets[1:3], "big") & 0x7FF) != len(octets):
            raise PeerError(
                f"the library made a frame of a wrong length, choose another --max-info: {octets.hex()}"
            )
        self.log.append({"sent": octets.hex(), "received": ""})
        self.socket.settimeout(self.timeout)
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise DroppedError(f"sending failed: {error}") from error

    def frame(self, deadline: float) -> bytes:
        """The next whole frame, if it has come by the deadline (monotonic seconds)."""
        while not (size := self.frame_size()) or len(self.waiting) < size:
            self.fill(deadline)
        frame = bytes(self.waiting[:size])
        del self.waiting[:size]
        return frame

    def frame_size(self) -> int:
        """Octets the frame at the front will have, 0 while its length has not come yet."""
        if self.link == "wrapper":
            return 8 + int.from_bytes(self.waiting[6:8], "big") if len(self.waiting) >= 8 else 0
        while len(self.waiting) >= 2 and self.waiting[:2] == bytes((FLAG, FLAG)):
            del self.waiting[0]
        return 2 + (int.from_bytes(self.waiting[1:3], "big") & 0x7FF) if len(self.waiting) >= 3 else 0

    def fill(self, deadline: float) -> None:
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            octets = self.socket.recv(65536)
        except OSError as error:
            raise DroppedError(f"no whole answer within {self.timeout} s: {error}") from error
        if not octets:
            raise DroppedError("the meter closed the connection")
        self.waiting += octets
        if self.log:
            self.log[-1]["received"] += octets.hex()


class Association:
    """A client SAP associated with one logical device."""

    def __init__(self, client: GXDLMSClient, options: argparse.Namespace, log: list[dict[str, str]]) -> None:
        self.client = client
        self.notifications = 0
        self.wire = Wire(options.host, options.port, options.link, options.timeout, log)

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.wire.close()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.release()
        finally:
            self.wire.close()

    def open(self) -> None:
        cipher = self.client.settings.cipher
        security, suite = (None, None) if cipher is None else (cipher.security, cipher.securitySuite)
        if snrm := self.client.snrmRequest():
            self.connect(snrm)
        answer = self.ask(self.client.aarqRequest())
        with self.watched():
            self.client.parseAareResponse(answer.data)
        if cipher is not None:
            if security and not self.client.settings.watch.opened:
                raise PeerError("the meter's InitiateResponse came without protection")
            # the library would go on as the InitiateResponse was protected
            cipher.security, cipher.securitySuite = security, suite
        if self.client.isAuthenticationRequired:
            self.prove()
        elif self.client.authentication > Authentication.LOW:
            raise PeerError("the meter accepted without asking for a proof")

    def connect(self, snrm: bytes) -> None:
        """SNRM and UA. The library would send as much in one frame as the meter takes: it is held to what was proposed."""
        settings = self.client.hdlcSettings
        most = settings.maxInfoTX
        answer = self.exchange(snrm)
        if answer.error:
            raise RefusedError("connecting (SNRM)", answer.error)
        self.client.parseUAResponse(answer.data)
        settings.maxInfoTX = min(most, settings.maxInfoTX)

    def prove(self) -> None:
        """Passes 3 and 4 of a high-level authentication."""
        answer = self.served("authenticating (pass 3)", self.client.getApplicationAssociationRequest())
        self.client.parseApplicationAssociationResponse(answer.data)

    def release(self) -> None:
        self.ask(self.client.releaseRequest())
        if self.wire.link == "hdlc":
            self.exchange(self.client.disconnectRequest())

    def abandon(self) -> None:
        """Release after something that may have cost us the meter: it need not answer."""
        with contextlib.suppress(DroppedError):
            self.release()
        self.wire.close()

    def exchange(self, octets: bytes) -> GXReplyData:
        """Send one frame and take the answer whole: all its blocks and segments."""
        reply = GXReplyData()
        self.round_trip(octets, reply)
        while reply.isMoreData():
            self.round_trip(self.client.receiverReady(reply), reply)
        cipher = self.client.settings.cipher
        if cipher is not None and cipher.security and reply.command in SERVED and not reply.cipheredCommand:
            raise PeerError("the meter's answer came without protection")
        return reply

    def round_trip(self, octets: bytes, reply: GXReplyData) -> None:
        """One frame out, and in until the library has its answer: notifications may come first."""
        self.wire.send(bytes(octets))
        deadline = time.monotonic() + self.wire.timeout
        notification = GXReplyData()
        with self.watched():
            while not self.client.getData(GXByteBuffer(self.wire.frame(deadline)), reply, notification):
                self.notifications += notification.isNotify()
                notification = GXReplyData()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """What the watch complains of goes before what the library makes of it."""
        try:
            yield
        finally:
            watch = getattr(self.client.settings, "watch", None)
            if watch is not None and watch.complaint:
                raise PeerError(watch.complaint)

    def ask(self, frames: list[bytes]) -> GXReplyData:
        """Send a request of one or more frames; the last answer counts, all before say that more may come."""
        for frame in frames[:-1]:
            if error := self.exchange(frame).error:
                raise RefusedError("sending a segment of a request", error)
        return self.exchange(frames[-1])

    def served(self, what: str, frames: list[bytes]) -> GXReplyData:
        """As `ask`, for a service that must succeed."""
        reply = self.ask(frames)
        if reply.error:
            raise RefusedError(what, reply.error)
        return reply

    def read(self, target: Any, attribute: int) -> Any:
        """The attribute as it came; `target` keeps what the library makes of it."""
        what = f"reading {target.logicalName} attribute {attribute}"
        reply = self.served(what, self.client.read(target, attribute))
        self.client.updateValue(target, attribute, reply.value)
        return reply.value

    def write(self, target: Any, attribute: int) -> None:
        what = f"writing {target.logicalName} attribute {attribute}"
        self.served(what, self.client.write(target, attribute))
