"""What both twins share: the address or the open connection they are given, and what a release may end with."""

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from meterwright.client.address import MeterAddress, Scheme
from meterwright.client.carriers import Carrier, Hdlc, ThroughGateway, Wrapper
from meterwright.client.settings import ClientSettings
from meterwright.errors import AssociationLost, ConnectFailed, LinkError, RemoteProtocolError

__all__ = ["LINE_ERRORS", "addressed", "may_be_local", "once", "peer_name"]

C = TypeVar("C")

LINE_ERRORS: Final = (LinkError, AssociationLost, RemoteProtocolError)
"""What a line or a meter may do instead of agreeing to a release."""


def addressed(
    target: MeterAddress | str, settings: ClientSettings | None
) -> tuple[MeterAddress, ClientSettings]:
    """The address, and the settings with the service access points and the link that the address names."""
    address = MeterAddress.parse(target) if isinstance(target, str) else target
    settings = settings or ClientSettings()
    client_sap = settings.client_sap if address.client_sap is None else address.client_sap
    server_sap = settings.server_sap if address.server_sap is None else address.server_sap
    carrier = _carrier(address, settings.carrier)
    return address, replace(settings, client_sap=client_sap, server_sap=server_sap, carrier=carrier)


def _carrier(address: MeterAddress, given: Carrier) -> Carrier:
    """What the URL says; HDLC as it was set up otherwise, with the addresses of the URL."""
    gateway = address.gateway
    if isinstance(given, ThroughGateway):
        gateway, given = gateway or given.address, given.carrier
    carrier = _line(address, given)
    return carrier if gateway is None else ThroughGateway(carrier, gateway)


def _line(address: MeterAddress, given: Carrier) -> Carrier:
    """What carries the APDUs over the line itself."""
    if address.scheme is Scheme.UDP:
        return Wrapper(datagrams=True)
    if not address.scheme.is_hdlc:
        return given
    hdlc = given if isinstance(given, Hdlc) else Hdlc()
    lower = hdlc.lower if address.lower is None else address.lower
    size = hdlc.address_size if address.address_size is None else address.address_size
    return replace(hdlc, lower=lower, address_size=size)


def may_be_local(address: MeterAddress | None) -> bool:
    """Whether a meter there may be on this machine, as far as can be told before it is connected to."""
    if address is None:
        return True
    if address.serial is not None:
        return False
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return True  # a name: the connection will tell


def peer_name(address: MeterAddress | None, settings: ClientSettings) -> str:
    """A name for a meter and the association with it; "" where it was reached over a connection without an address."""
    if address is None:
        return ""
    return str(replace(address, client_sap=settings.client_sap, server_sap=settings.server_sap))


def once(connection: C) -> Callable[[], C]:
    """Hands over a connection that was given to us open; there is no second time."""
    given = [connection]

    def take() -> C:
        if not given:
            raise ConnectFailed(
                "this connection was given to us open and is used up",
                layer="client",
                hint="wait until the meter dials in again, and make a new client over that connection",
            )
        return given.pop()

    return take
