"""InitiateRequest and InitiateResponse: the xDLMS context that an AARQ proposes and an AARE grants (Green Book 9.4.4).

The conformance block is BER inside A-XDR: ``5F 1F 04 00`` and three octets. Old stacks leave out the 1F: taken.
"""

from dataclasses import field
from typing import Annotated, Final, TypeAlias

from meterwright.apdu.registry import APDUS
from meterwright.codec import Apdu, Boolean, Codec, Default, OctetString, Signed, Unsigned, apdu
from meterwright.errors import RemoteProtocolError
from meterwright.values import Conformance

__all__ = ["DLMS_VERSION", "LOGICAL_NAMES_VAA", "SHORT_NAMES_VAA", "InitiateRequest", "InitiateResponse"]

DLMS_VERSION: Final = 6
LOGICAL_NAMES_VAA: Final = 0x0007
"""vaa-name of a response in logical-name referencing."""
SHORT_NAMES_VAA: Final = -0x0600
"""vaa-name FA00: the base name of the association object in short-name referencing."""


class _ConformanceBlock:
    """[APPLICATION 31] IMPLICIT BIT STRING (SIZE (24)), BER coded."""

    def codec(self) -> Codec[Conformance]:
        def write(value: Conformance) -> bytes:
            return b"\x5f\x1f\x04\x00" + value.to_octets()

        def decode(octets: bytes, position: int) -> tuple[Conformance, int]:
            for head in (b"\x5f\x1f\x04\x00", b"\x5f\x04\x00"):
                start = position + len(head)
                if octets[position:start] == head and len(octets) >= start + 3:
                    return Conformance.from_octets(octets[start : start + 3]), start + 3
            raise RemoteProtocolError(
                "no conformance block (5f1f0400 and three octets)", offset=position, layer="apdu"
            )

        return Codec(write, decode)


ConformanceBlock: TypeAlias = Annotated[Conformance, _ConformanceBlock()]
QualityOfService: TypeAlias = Annotated[int, Signed(1)]


@apdu(0x01, registry=APDUS)
class InitiateRequest(Apdu):
    """What the client proposes. `client_max_receive_pdu_size` in octets, 0 means no limit."""

    dedicated_key: Annotated[bytes, OctetString()] | None = field(repr=False)
    response_allowed: Annotated[bool, Default(Boolean(), True)]
    proposed_quality_of_service: QualityOfService | None
    proposed_dlms_version_number: Annotated[int, Unsigned(1)]
    proposed_conformance: ConformanceBlock
    client_max_receive_pdu_size: Annotated[int, Unsigned(2)]


@apdu(0x08, registry=APDUS)
class InitiateResponse(Apdu):
    """What the meter grants. `server_max_receive_pdu_size` in octets, 0 means no limit."""

    negotiated_quality_of_service: QualityOfService | None
    negotiated_dlms_version_number: Annotated[int, Unsigned(1)]
    negotiated_conformance: ConformanceBlock
    server_max_receive_pdu_size: Annotated[int, Unsigned(2)]
    vaa_name: Annotated[int, Signed(2)]
