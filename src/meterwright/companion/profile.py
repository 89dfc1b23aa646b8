"""What a companion specification says of its meters, as frozen values."""

from dataclasses import dataclass
from typing import Final

from meterwright.values import AuthenticationMechanism, Conformance, Obis, SecurityPolicy

__all__ = ["AssociationProfile", "Companion"]

_VERSION: Final = Obis.parse("1.0.0.2.0.255")
_IMAGE_TRANSFER: Final = Obis.parse("0.0.44.0.0.255")


@dataclass(frozen=True, slots=True)
class AssociationProfile:
    """One association: who its client is, how that proves itself, and how its APDUs are protected.

    `logical_name` is that of its association object, `counter` the object that tells its invocation counter to the public client,
    `security_setup` the object that describes its protection. `conformance`: what meters usually grant.
    """

    name: str
    client_sap: int
    logical_name: Obis
    authentication: AuthenticationMechanism
    policy: SecurityPolicy
    conformance: Conformance
    counter: Obis | None = None
    security_setup: Obis | None = None
    server_sap: int = 1


@dataclass(frozen=True, slots=True)
class Companion:
    """One companion specification. `public`: the client that anybody may be."""

    name: str
    title: str
    associations: tuple[AssociationProfile, ...] = ()
    public_sap: int = 16
    version_object: Obis = _VERSION
    image_transfer_object: Obis = _IMAGE_TRANSFER

    def association(self, client_sap: int) -> AssociationProfile | None:
        """The association of that client; None where the companion knows none."""
        return next((each for each in self.associations if each.client_sap == client_sap), None)
