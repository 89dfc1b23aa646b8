"""What every link looks like to the layers above: octets of the wire in and out, whole APDUs up and down.

A link is a machine that does no IO and reads no clock. Whoever drives it carries octets between it and the wire, hands
it the time as a number (seconds on any steady clock), and calls `tick` when `deadline` has come::

    events += link.open(now)                     # LinkOpened now or later
    link.send(apdu, now)                         # once it is open
    wire.write(link.data_to_send())              # after every call
    events += link.receive(octets, now)
    events += link.tick(now)                     # at `deadline`
    events += link.close(now)                    # LinkClosed now or later
    link.lost()                                  # the wire is gone

Nothing that comes from the wire raises: what breaks a link is a LinkFailed event, and the link is closed then. Only what
the caller does wrong raises LocalProtocolError.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.link.wrapper import WrapperFrame, WrapperFramer

__all__ = [
    "ApduReceived",
    "LinkClosed",
    "LinkEvent",
    "LinkFailed",
    "LinkMachine",
    "LinkOpened",
    "Unsolicited",
    "WrapperLink",
]


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """APDUs can be sent from now on. A meter learns here which client (`source`) opened which logical device."""

    source: int | None = None
    destination: int | None = None


@dataclass(frozen=True, slots=True)
class ApduReceived:
    """A whole APDU has come, and the SAPs it travelled between."""

    apdu: bytes
    source: int | None = None
    destination: int | None = None


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """A whole APDU that needs no connection and wants no answer of the link: a push, a broadcast."""

    apdu: bytes
    source: int | None = None
    destination: int | None = None


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The link is closed as one side asked, and every association over it has ended."""


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """The link is closed because of `error`, and every association over it has ended."""

    error: MeterwrightError


LinkEvent: TypeAlias = LinkOpened | ApduReceived | Unsolicited | LinkClosed | LinkFailed


class LinkMachine(ABC):
    """One link, in either role."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether APDUs can be sent."""

    @property
    @abstractmethod
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""

    @abstractmethod
    def open(self, now: float) -> list[LinkEvent]:
        """Ask for the connection; LinkOpened or LinkFailed follows, here or later. A meter waits for its client instead."""

    @abstractmethod
    def close(self, now: float) -> list[LinkEvent]:
        """End the connection; LinkClosed or LinkFailed follows, here or later. Closing what is closed is harmless."""

    @abstractmethod
    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Send one APDU. One that is not `confirmed` wants no answer, and where the link can, needs no connection."""

    @abstractmethod
    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        """Octets have come."""

    @abstractmethod
    def data_to_send(self) -> bytes:
        """The octets that are to go out, once each."""

    @abstractmethod
    def tick(self, now: float) -> list[LinkEvent]:
        """What has taken too long by now."""

    @abstractmethod
    def lost(self) -> None:
        """The wire is gone: forget the connection and what was under way."""


class WrapperLink(LinkMachine):
    """The client's side of the wrapper: no handshake, so open from the start, until its stream can't be followed.

    Frames for another client SAP, or from another logical device, are not ours and are passed over.
    """

    def __init__(self, client_sap: int, server_sap: int) -> None:
        self._client_sap = client_sap
        self._server_sap = server_sap
        self._framer = WrapperFramer()
        self._outgoing = bytearray()
        self._broken = False

    @property
    def is_open(self) -> bool:
        return not self._broken

    @property
    def deadline(self) -> float | None:
        return None

    def open(self, now: float) -> list[LinkEvent]:  # noqa: ARG002 - a wrapper needs no time
        self.lost()
        return [LinkOpened()]

    def close(self, now: float) -> list[LinkEvent]:  # noqa: ARG002
        return [LinkClosed()]

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:  # noqa: ARG002
        if self._broken:
            raise LocalProtocolError("the link has failed", layer="wrapper", hint="connect anew")
        self._outgoing += WrapperFrame(self._client_sap, self._server_sap, apdu).to_octets()

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:  # noqa: ARG002
        if self._broken:
            return []
        try:
            frames = self._framer.receive(octets)
        except RemoteProtocolError as error:
            self._broken = True
            return [LinkFailed(error)]
        ours = (self._server_sap, self._client_sap)
        return [
            ApduReceived(frame.apdu, frame.source, frame.destination)
            for frame in frames
            if (frame.source, frame.destination) == ours
        ]

    def data_to_send(self) -> bytes:
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def tick(self, now: float) -> list[LinkEvent]:  # noqa: ARG002
        return []

    def lost(self) -> None:
        self._framer = WrapperFramer()
        self._outgoing.clear()
        self._broken = False
