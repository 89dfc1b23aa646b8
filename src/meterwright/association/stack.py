"""The client's stack: link and association joined, still without any IO.

Octets from the wire go in at the bottom and come out at the top as events; what the association wants to send leaves as
octets for the wire. A security layer has its place between the two.
"""

from meterwright.association.client import ClientAssociation
from meterwright.association.events import ClientEvent
from meterwright.association.negotiation import Proposal
from meterwright.errors import MeterwrightError
from meterwright.link import WrapperFrame, WrapperFramer

__all__ = ["ClientStack"]


class ClientStack:
    """One client SAP talking to one logical device over the wrapper."""

    def __init__(self, client_sap: int, server_sap: int, proposal: Proposal | None = None) -> None:
        self.association = ClientAssociation(proposal)
        self._client_sap = client_sap
        self._server_sap = server_sap
        self._framer = WrapperFramer()

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""
        return self.association.deadline

    def tick(self, now: float) -> list[ClientEvent]:
        """What has taken too long by now."""
        return self.association.tick(now)

    def receive(self, octets: bytes) -> list[ClientEvent]:
        """Octets have come. RemoteProtocolError where the stream can no longer be followed: close it then.

        Frames for another client SAP, or from another logical device, are not ours and are passed over.
        """
        events: list[ClientEvent] = []
        for frame in self._framer.receive(octets):
            if (frame.source, frame.destination) == (self._server_sap, self._client_sap):
                events += self.association.receive(frame.apdu)
        return events

    def data_to_send(self) -> bytes:
        """The octets that are to go out, once each."""
        return b"".join(
            WrapperFrame(self._client_sap, self._server_sap, apdu).to_octets()
            for apdu in self.association.data_to_send()
        )

    def lost(self, error: MeterwrightError) -> list[ClientEvent]:
        """The wire is gone: nothing that was open will be answered."""
        self._framer = WrapperFramer()
        return self.association.lost(error)
