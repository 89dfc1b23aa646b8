"""What carries the APDUs of a client, as values: the wrapper, or HDLC with how its line is set up.

A carrier makes the link for a pair of service access points. `line_is_fresh`: nobody of us has spoken on this line yet.
"""

from dataclasses import dataclass
from typing import Protocol

from meterwright.link import (
    ClientLink,
    GatewayAddress,
    GatewayLink,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    WrapperLink,
)
from meterwright.link.hdlc import GENEROUS, HdlcParameters

__all__ = ["Carrier", "Hdlc", "ThroughGateway", "Wrapper"]


class Carrier(Protocol):
    """Makes the link of a client."""

    def link(self, client_sap: int, server_sap: int, *, line_is_fresh: bool) -> ClientLink:
        """A link between these two. LocalProtocolError where they can't be addressed so."""
        ...


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The wrapper (IEC 62056-47): over TCP or TLS a stream, over UDP one APDU a datagram."""

    datagrams: bool = False

    def link(self, client_sap: int, server_sap: int, *, line_is_fresh: bool) -> ClientLink:
        """A link between these two."""
        del line_is_fresh
        return WrapperLink(client_sap, server_sap, datagrams=self.datagrams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdlc:
    """HDLC (IEC 62056-46), over a serial line or through a TCP gateway. Times in seconds.

    `lower`: the meter's own address on a line of several, `address_size`: octets of the meter's address (1, 2 or 4; a meter stays
    silent on the wrong one), the shortest that fits unless given. `disconnect_first`: a DISC before the first SNRM frees a meter
    that still holds the connection of somebody who died.
    """

    lower: int | None = None
    address_size: int | None = None
    proposal: HdlcParameters | None = GENEROUS
    sizes_are_frames: bool = False
    disconnect_first: bool = True
    response_timeout: float = 5.0
    retries: int = 3
    inter_octet_timeout: float = 1.0
    keep_alive: float | None = None
    echo: bool = False

    def link(self, client_sap: int, server_sap: int, *, line_is_fresh: bool) -> ClientLink:
        """A link between these two. LocalProtocolError where an address does not fit."""
        return HdlcClient(
            HdlcClientSettings(
                client=HdlcAddress.of_client(client_sap),
                server=HdlcAddress.of_server(server_sap, self.lower, self.address_size),
                proposal=self.proposal,
                sizes_are_frames=self.sizes_are_frames,
                disconnect_first=self.disconnect_first and line_is_fresh,
                response_timeout=self.response_timeout,
                retries=self.retries,
                inter_octet_timeout=self.inter_octet_timeout,
                keep_alive=self.keep_alive,
                echo=self.echo,
            )
        )


@dataclass(frozen=True, slots=True)
class ThroughGateway:
    """A meter behind a gateway (Green Book, gateway protocol), which `carrier` goes to; `address` is the meter's behind it.

    Service access points are those of the meter: the gateway hands them on.
    """

    carrier: Carrier
    address: GatewayAddress

    def link(self, client_sap: int, server_sap: int, *, line_is_fresh: bool) -> ClientLink:
        """A link between these two, every APDU with the prefix. LocalProtocolError where they can't be addressed so."""
        inner = self.carrier.link(client_sap, server_sap, line_is_fresh=line_is_fresh)
        return GatewayLink(inner, self.address)
