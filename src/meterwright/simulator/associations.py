"""What a simulated meter offers to whom: one `AssociationPolicy` for each pair of service access points."""

from dataclasses import dataclass, field
from typing import Final

from meterwright.association import CURRENT_ASSOCIATION
from meterwright.security import MECHANISMS, KeyPairs, Keys, MakersFunction, Secret
from meterwright.values import ApplicationContext, AuthenticationMechanism, Conformance, Obis, SecurityPolicy

__all__ = ["SERVED", "AssociationPolicy", "MeterIdentity"]

SERVED: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.GENERAL_BLOCK_TRANSFER
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.SELECTIVE_ACCESS
    | Conformance.ACCESS
    | Conformance.ATTRIBUTE0_WITH_GET
    | Conformance.ATTRIBUTE0_WITH_SET
    | Conformance.DATA_NOTIFICATION
    | Conformance.EVENT_NOTIFICATION
)
"""The services a simulated meter grants: those that are implemented."""


@dataclass(frozen=True, slots=True)
class AssociationPolicy:
    """An association a meter offers, and what it demands of its client.

    `visible` limits what it shows, None shows all; who may not `write` may only read. `counter` tells the invocation counter that
    was accepted last. `users` are the ids it lets in (None: whoever comes); `plain_release`: an RLRQ without protection ends it,
    even where it is ciphered, as clients of most stacks want it. `logical_name` is a second name of the association object, besides that of the current one; `version` is that of its class.
    """

    client_sap: int = 16
    server_sap: int = 1
    conformance: Conformance = SERVED
    visible: frozenset[Obis] | None = None
    may_write: bool = True
    mechanism: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    secret: Secret | None = None
    makers_function: MakersFunction | None = None
    users: frozenset[int] | None = None
    plain_release: bool = True
    policy: SecurityPolicy = SecurityPolicy.NONE
    counter: Obis | None = None
    security_setup: Obis | None = None
    logical_name: Obis = CURRENT_ASSOCIATION
    version: int = 1

    @property
    def names(self) -> tuple[Obis, ...]:
        """The logical names of its association object."""
        return tuple(dict.fromkeys((CURRENT_ASSOCIATION, self.logical_name)))

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked for and nothing is protected."""
        return self.mechanism is AuthenticationMechanism.LOWEST and not self.policy

    @property
    def needs_keys(self) -> bool:
        """Whether anything of it is protected, or proved, by keys."""
        mechanism = MECHANISMS.get(self.mechanism)
        return bool(self.policy) or (mechanism is not None and mechanism.counts)

    @property
    def needs_pairs(self) -> bool:
        """Whether its clients prove themselves by signatures."""
        mechanism = MECHANISMS.get(self.mechanism)
        return mechanism is not None and mechanism.needs_pairs

    @property
    def context(self) -> ApplicationContext:
        """The application context of its APDUs."""
        return ApplicationContext.LN_CIPHERED if self.policy else ApplicationContext.LN

    def sees(self, obis: Obis) -> bool:
        """Whether this association shows the object."""
        return self.visible is None or obis in self.visible or obis in self.names


@dataclass(frozen=True, slots=True)
class MeterIdentity:
    """What a meter is known by to those who share its keys: its system title (8 octets), and the keys.

    `pairs`: its own private keys, and the public ones of its client.
    """

    system_title: bytes
    keys: Keys = field(repr=False)
    pairs: KeyPairs | None = None
