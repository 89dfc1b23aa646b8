"""How a simulated meter is set up: sizes, timing, firmware, and its security where no companion says so."""

from dataclasses import dataclass, field
from typing import Final

from meterwright.cosem import AssociationLn, interface_class
from meterwright.errors import UsageError
from meterwright.security import (
    MECHANISMS,
    KeyPairs,
    Keys,
    MakersFunction,
    Secret,
    book_keys,
    book_pairs,
    suite_of,
)
from meterwright.simulator.image_machine import Judgement, Timing
from meterwright.simulator.image_transfer import largest_block
from meterwright.values import ActionResult, AuthenticationMechanism, Role, SecurityPolicy, SecuritySuite

__all__ = ["MOST_LOGICAL_DEVICES", "MeterSettings", "SecuritySettings"]

MOST_LOGICAL_DEVICES: Final = 16
"""How many logical devices a simulated meter may have: as many as a connection has associations."""
_BOOK_SECRET: Final = Secret(b"12345678")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySettings:
    """How clients of a plain meter prove who they are, and how their APDUs are protected. The keys are the books' unless given.

    `makers_function`: how challenges are answered under HIGH, where it is not the usual way.
    """

    authentication: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    policy: SecurityPolicy = SecurityPolicy.NONE
    suite: SecuritySuite = SecuritySuite.SUITE_0
    secret: Secret = _BOOK_SECRET
    keys: Keys | None = None
    pairs: KeyPairs | None = None
    makers_function: MakersFunction | None = None

    def __post_init__(self) -> None:
        known = (AuthenticationMechanism.LOWEST, AuthenticationMechanism.LOW, *MECHANISMS)
        if self.authentication not in known:
            raise UsageError(
                f"{self.authentication.label} is no authentication that simulated meters know",
                hint=f"known are {', '.join(each.label for each in known)}",
            )
        row = MECHANISMS.get(self.authentication)
        if row is not None and row.needs_pairs and self.meter_pairs is None:
            raise UsageError(
                f"security suite {int(self.suite)} has no signatures, and {self.authentication.label} is one",
                hint="suite 1 and suite 2 have",
            )

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked for and nothing is protected."""
        return self.authentication is AuthenticationMechanism.LOWEST and not self.policy

    @property
    def meter_keys(self) -> Keys:
        """The keys that the meter has."""
        return self.keys or book_keys(self.suite)

    @property
    def meter_pairs(self) -> KeyPairs | None:
        """Its pairs of keys, with the public halves of its client; None where the suite has none."""
        if self.pairs is not None or suite_of(self.suite).curve is None:
            return self.pairs
        return book_pairs(self.suite, Role.SERVER)


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """How a simulated meter is made. Sizes in octets.

    `block_window`: how many blocks of a general block transfer it takes in a row; 0 grants none.
    `force_block_size` allows an image block size whose blocks do not fit the meter's own PDU, as a fault of the meter.
    `association_version` is that of the class Association LN, 0 to 3. `wrong_length`: what a block is answered with that is not
    exactly as long as it must be.
    """

    image_block_size: int = 128
    image_capacity: int = 16 << 20
    image_transfer_enabled: bool = True
    firmware_identifier: bytes = b"MW-1.0"
    max_receive_pdu_size: int = 1024
    block_window: int = 5
    force_block_size: bool = False
    seed: int = 0
    logical_devices: int = 1
    association_version: int = 1
    timing: Timing = field(default_factory=Timing)
    judgement: Judgement = field(default_factory=Judgement)
    security: SecuritySettings = field(default_factory=SecuritySettings)
    wrong_length: ActionResult = ActionResult.TYPE_UNMATCHED

    def __post_init__(self) -> None:
        if not 1 <= self.logical_devices <= MOST_LOGICAL_DEVICES:
            raise UsageError(
                f"{self.logical_devices} logical devices are not among 1 to {MOST_LOGICAL_DEVICES}",
                hint="a connection carries an association with each",
            )
        if interface_class(AssociationLn.class_id, self.association_version) is None:
            raise UsageError(
                f"there is no version {self.association_version} of Association LN", hint="0 to 3 are"
            )
        self.require_blocks_fit(sealed=bool(self.security.policy))

    def require_blocks_fit(self, *, sealed: bool) -> None:
        """UsageError where a block in its request, `sealed` where that is protected, is longer than the meter takes."""
        most = largest_block(self.max_receive_pdu_size, sealed=sealed)
        if self.image_block_size < 1 or (self.image_block_size > most and not self.force_block_size):
            raise UsageError(
                f"an image block size of {self.image_block_size} octets does not fit the meter's PDU of "
                f"{self.max_receive_pdu_size} octets{', protected as it is' if sealed else ''}",
                hint=f"1 to {most} octets fit",
            )
