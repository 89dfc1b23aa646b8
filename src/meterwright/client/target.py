"""What both twins share: the address or the open connection they are given, and what a release may end with."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from meterwright.client.address import MeterAddress
from meterwright.client.settings import ClientSettings
from meterwright.errors import AssociationLost, ConnectFailed, LinkError, RemoteProtocolError

__all__ = ["LINE_ERRORS", "addressed", "once"]

C = TypeVar("C")

LINE_ERRORS: Final = (LinkError, AssociationLost, RemoteProtocolError)
"""What a line or a meter may do instead of agreeing to a release."""


def addressed(
    target: MeterAddress | str, settings: ClientSettings | None
) -> tuple[MeterAddress, ClientSettings]:
    """The address, and the settings with the service access points that the address names."""
    address = MeterAddress.parse(target) if isinstance(target, str) else target
    settings = settings or ClientSettings()
    client_sap = settings.client_sap if address.client_sap is None else address.client_sap
    server_sap = settings.server_sap if address.server_sap is None else address.server_sap
    return address, replace(settings, client_sap=client_sap, server_sap=server_sap)


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
