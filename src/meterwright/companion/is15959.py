"""IS 15959, the Indian companion specification (parts 1 to 3): the associations of its smart meters.

The public client reads the clock and the invocation counters; then a client associates with the counter read plus one. Each
association counts alone. The meter reader has a password (LLS) inside a ciphered context, the other two prove themselves
with HLS mechanism 2, in which the secret is an AES key of 16 octets; all three encrypt and authenticate (some meter readers'
are only encrypted: the meter's file may say so). The firmware client alone reaches the image transfer.

Sources: the object lists of meters and tools in the field agree on service access points, logical names and counters; the
conformance is what meters were seen to answer. Blocks of a long ACTION are not among it, so an image block must fit one APDU.
"""

from typing import Final

from meterwright.companion.profile import AssociationProfile, Companion
from meterwright.values import AuthenticationMechanism, Conformance, Obis, SecurityPolicy

__all__ = [
    "FIRMWARE_CLIENT",
    "IMAGE_ACTIVATION_SCHEDULE",
    "IMAGE_ACTIVATION_SCRIPTS",
    "IS15959",
    "METER_READER",
    "PUBLIC_CLIENT",
    "UTILITY_SETTING",
]

_PUBLIC: Final = Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
_READER: Final = _PUBLIC | Conformance.SELECTIVE_ACCESS
_SETTING: Final = (
    _READER | Conformance.SET | Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
)


def _secured(
    name: str, number: int, client_sap: int, authentication: AuthenticationMechanism, conformance: Conformance
) -> AssociationProfile:
    """An association whose objects all bear its number."""
    return AssociationProfile(
        name=name,
        client_sap=client_sap,
        logical_name=Obis.parse(f"0.0.40.0.{number}.255"),
        authentication=authentication,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        conformance=conformance,
        counter=Obis.parse(f"0.0.43.1.{number}.255"),
        security_setup=Obis.parse(f"0.0.43.0.{number}.255"),
    )


PUBLIC_CLIENT: Final = AssociationProfile(
    name="public client",
    client_sap=16,
    logical_name=Obis.parse("0.0.40.0.1.255"),
    authentication=AuthenticationMechanism.LOWEST,
    policy=SecurityPolicy.NONE,
    conformance=_PUBLIC,
)
METER_READER: Final = _secured("meter reader", 2, 32, AuthenticationMechanism.LOW, _READER)
UTILITY_SETTING: Final = _secured("utility setting", 3, 48, AuthenticationMechanism.HIGH, _SETTING)
FIRMWARE_CLIENT: Final = _secured("firmware upgrade", 5, 80, AuthenticationMechanism.HIGH, _SETTING)

IMAGE_ACTIVATION_SCHEDULE: Final = Obis.parse("0.0.15.0.2.255")
IMAGE_ACTIVATION_SCRIPTS: Final = Obis.parse("0.0.10.0.107.255")

IS15959: Final = Companion(
    name="is15959",
    title="IS 15959, India",
    associations=(PUBLIC_CLIENT, METER_READER, UTILITY_SETTING, FIRMWARE_CLIENT),
)
