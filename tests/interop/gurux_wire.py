# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: as gurux_peer.py, it runs under the peer's interpreter, in whose environment alone gurux_dlms exists.
"""The interop peer's connection: a blocking socket, and on it an association of a gurux-dlms client.

Cuts the stream into whole frames by their own length fields before the library sees them, and gives every wait a
time-out, so that a silent or rambling meter ends a test with a reason. Refuses anything but plain associations.
"""

import argparse
import contextlib
import socket
import time
from typing import Any, Self

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSException, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType

LINKS = {"wrapper": InterfaceType.WRAPPER, "hdlc": InterfaceType.HDLC}
FLAG = 0x7E


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
    """A client SAP associated with one logical device, without security."""

    def __init__(self, options: argparse.Namespace, log: list[dict[str, str]]) -> None:
        self.client = GXDLMSClient(
            True, options.client, options.server, Authentication.NONE, None, LINKS[options.link]
        )
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
        if snrm := self.client.snrmRequest():
            self.client.parseUAResponse(self.exchange(snrm).data)
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)

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
        return reply

    def round_trip(self, octets: bytes, reply: GXReplyData) -> None:
        """One frame out, and in until the library has its answer: notifications may come first."""
        self.wire.send(bytes(octets))
        deadline = time.monotonic() + self.wire.timeout
        notification = GXReplyData()
        while not self.client.getData(GXByteBuffer(self.wire.frame(deadline)), reply, notification):
            self.notifications += notification.isNotify()
            notification = GXReplyData()

    def ask(self, frames: list[bytes]) -> GXReplyData:
        """Send a request of one or more frames; the last answer counts."""
        reply = GXReplyData()
        for frame in frames:
            reply = self.exchange(frame)
        return reply

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
