"""The wrapper in the shape of all links: of a client, and of a meter that serves many.

There is no handshake, so both are open from the start, until their stream can't be followed any more. Of `datagrams` (UDP)
each is a frame of its own, and one that is none ends nothing.
"""

from abc import abstractmethod

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.machine import (
    ApduReceived,
    ClientLink,
    LinkClosed,
    LinkEvent,
    LinkFailed,
    LinkMachine,
    LinkOpened,
    ServerLink,
)
from meterwright.link.wrapper import DatagramFramer, WrapperFrame, WrapperFramer

__all__ = ["WrapperLink", "WrapperServer"]


class _Wrapper(LinkMachine):
    """What both have in common. No time passes here."""

    def __init__(self, *, datagrams: bool = False) -> None:
        self._datagrams = datagrams
        self._framer = self._fresh_framer()
        self._outgoing = bytearray()
        self._broken = False

    @property
    def is_open(self) -> bool:
        return not self._broken

    @property
    def deadline(self) -> float | None:
        return None

    def close(self, now: float) -> list[LinkEvent]:  # noqa: ARG002 - a wrapper needs no time
        return [LinkClosed()]

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:  # noqa: ARG002
        if self._broken:
            return []
        events: list[LinkEvent] = []
        try:
            events += (
                ApduReceived(frame.apdu, frame.source, frame.destination)
                for frame in self._framer.receive(octets)
                if self._is_ours(frame)
            )
            self._framer.receive(b"")  # raises where what follows the last frame is none
        except RemoteProtocolError as error:
            self._broken = True
            events.append(LinkFailed(error))
        return events

    def data_to_send(self) -> bytes:
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def tick(self, now: float) -> list[LinkEvent]:  # noqa: ARG002
        return []

    def lost(self) -> None:
        self._framer = self._fresh_framer()
        self._outgoing.clear()
        self._broken = False

    def _fresh_framer(self) -> WrapperFramer | DatagramFramer:
        return DatagramFramer() if self._datagrams else WrapperFramer()

    def _write(self, frame: WrapperFrame) -> None:
        self._outgoing += frame.to_octets()

    @abstractmethod
    def _is_ours(self, frame: WrapperFrame) -> bool:
        """Whether a frame is for us."""


class WrapperLink(_Wrapper, ClientLink):
    """A client's: frames for another client SAP, or from another logical device, are passed over."""

    def __init__(self, client_sap: int, server_sap: int, *, datagrams: bool = False) -> None:
        super().__init__(datagrams=datagrams)
        self._client_sap = client_sap
        self._server_sap = server_sap

    def open(self, now: float) -> list[LinkEvent]:  # noqa: ARG002
        self.lost()
        return [LinkOpened()]

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True, more: bool = False) -> None:  # noqa: ARG002
        if self._broken:
            raise LocalProtocolError("the link has failed", layer="wrapper", hint="connect anew")
        self._write(WrapperFrame(self._client_sap, self._server_sap, apdu))

    def keep_waiting(self, now: float, *, more: bool = False) -> None:
        """Nothing: what comes comes by itself."""

    def _is_ours(self, frame: WrapperFrame) -> bool:
        return (frame.source, frame.destination) == (self._server_sap, self._client_sap)


class WrapperServer(_Wrapper, ServerLink):
    """A meter's: whoever asks whichever logical device."""

    @property
    def is_lost(self) -> bool:
        return self._broken

    def acknowledge(self, now: float) -> None:
        """Nothing: TCP has said so already."""

    def send_to(self, client: int, server: int, apdu: bytes, now: float, *, confirmed: bool = True) -> None:  # noqa: ARG002
        self._write(WrapperFrame(server, client, apdu))

    def _is_ours(self, frame: WrapperFrame) -> bool:  # noqa: ARG002 - a logical device that is not there answers no
        return True
