"""What every link looks like to the layers above: octets of the wire in and out, whole APDUs up and down.

A link is a machine that does no IO and reads no clock. Whoever drives it carries octets between it and the wire, hands
it the time as a number (seconds on any steady clock), and calls `tick` when `deadline` has come::

    events += link.open(now)                     # LinkOpened now or later (a meter's waits instead)
    link.send(apdu, now)                         # once it is open (a meter's: send_to)
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

from meterwright.errors import MeterwrightError

__all__ = [
    "ApduReceived",
    "ClientLink",
    "LinkClosed",
    "LinkEvent",
    "LinkFailed",
    "LinkMachine",
    "LinkOpened",
    "ServerLink",
    "Unsolicited",
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
    """One link: what both roles have."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether APDUs can be sent."""

    @property
    @abstractmethod
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""

    @abstractmethod
    def close(self, now: float) -> list[LinkEvent]:
        """End the connection; LinkClosed or LinkFailed follows, here or later. Closing what is closed is harmless."""

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


class ClientLink(LinkMachine):
    """A client's, to one logical device."""

    @abstractmethod
    def open(self, now: float) -> list[LinkEvent]:
        """Ask for the connection; LinkOpened or LinkFailed follows, here or later."""

    @abstractmethod
    def send(self, apdu: bytes, now: float, *, confirmed: bool = True, more: bool = False) -> None:
        """Send one APDU. One that is not `confirmed` wants no answer, and where the link can, needs no connection.

        With `more` it is a part of a message: what answers comes after the last.
        """

    @abstractmethod
    def keep_waiting(self, now: float, *, more: bool = False) -> None:
        """What came last looked like an answer and was none: the answer is awaited still, and asked for where it must be.

        With `more` it was a part of the answer: the rest is ready, and asked for at once.
        """


class ServerLink(LinkMachine):
    """A meter's, to whichever client asks: it waits to be spoken to."""

    @property
    @abstractmethod
    def is_lost(self) -> bool:
        """Whether what comes can't be followed any more: nothing is left but to close the wire."""

    @abstractmethod
    def send_to(self, client: int, server: int, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Send one APDU from a logical device to a client. LocalProtocolError where there is no way to that client."""

    @abstractmethod
    def acknowledge(self, now: float) -> None:
        """What came last has no answer, or none yet: say that it was heard, where the link has a word for it."""
