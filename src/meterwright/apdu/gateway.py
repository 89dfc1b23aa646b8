"""The prefix for a meter behind a gateway: its network, its address there, and the APDU itself (Green Book, gateway protocol).

It stands before every APDU on its way, blocks of a general block transfer too. The APDU is not looked into.
"""

from dataclasses import field
from typing import Annotated

from meterwright.apdu.registry import APDUS
from meterwright.codec import Apdu, Codec, OctetString, Unsigned, apdu

__all__ = ["CarriedApdu", "GatewayRequest", "GatewayResponse"]


class CarriedApdu:
    """All octets that are left: nothing tells how many there are."""

    def codec(self) -> Codec[bytes]:
        def write(value: bytes) -> bytes:
            return b"" + value

        def decode(octets: bytes, position: int) -> tuple[bytes, int]:
            return octets[position:], len(octets)

        return Codec(write, decode)


@apdu(0xE6, registry=APDUS)
class GatewayRequest(Apdu):
    """An APDU for a meter behind the gateway."""

    network_id: Annotated[int, Unsigned(1)]
    physical_address: Annotated[bytes, OctetString()]
    carried: Annotated[bytes, CarriedApdu()] = field(repr=False)


@apdu(0xE7, registry=APDUS)
class GatewayResponse(Apdu):
    """An APDU of a meter behind the gateway."""

    network_id: Annotated[int, Unsigned(1)]
    physical_address: Annotated[bytes, OctetString()]
    carried: Annotated[bytes, CarriedApdu()] = field(repr=False)
