"""How patient, how bold and how careful an update is. Frozen; the defaults suit a meter at the far end of a slow line."""

from dataclasses import dataclass, field
from enum import Enum

from meterwright.values import Obis, Quirks

__all__ = ["Activation", "Patience", "UpdatePolicy"]


class Activation(Enum):
    """When a verified image is activated."""

    NOW = "now"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds, and how often to try.

    `connect`: for a meter that does not answer at first, as it may be rebooting; `reconnect`: for one that did before.
    `initiate`: a meter may erase its flash first. `verify`: it may check a signature over the whole image. `confirm`: it may
    install, reboot and find its network again. `settle`: how long a state must stand before it is believed to be final;
    `unchanged`: the same for an old version that still runs after activation, as some meters reboot only minutes later.
    """

    initiate: float = 120.0
    block: float = 30.0
    verify: float = 900.0
    confirm: float = 1800.0
    connect: float = 5.0
    reconnect: float = 120.0
    settle: float = 20.0
    unchanged: float = 180.0
    watch: float = 10.0
    poll_first: float = 0.5
    poll_longest: float = 10.0
    block_attempts: int = 4
    rounds_without_progress: int = 3

    def polls(self) -> "PollTimes":
        """Pauses between polls: short at first, then longer, never longer than `poll_longest`."""
        return PollTimes(self.poll_first, self.poll_longest)


class PollTimes:
    """An endless, growing series of pauses in seconds."""

    def __init__(self, first: float, longest: float) -> None:
        self._next = first
        self._longest = longest

    def __iter__(self) -> "PollTimes":
        return self

    def __next__(self) -> float:
        pause = self._next
        self._next = min(self._next * 1.5, self._longest)
        return pause


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """What is wanted of an update.

    `expected_version` is what must run afterwards; None where nobody knows: then "changed from A to B" is all that can be
    said. `version_object` holds the running firmware's identifier. `take_over` begins anew though somebody else is
    transferring. `any_identification` accepts a meter whose image_to_activate_info names the image differently.
    """

    activation: Activation = Activation.NOW
    expected_version: str | None = None
    version_object: Obis = field(default_factory=lambda: Obis.parse("1.0.0.2.0.255"))
    image_transfer_object: Obis = field(default_factory=lambda: Obis.parse("0.0.44.0.0.255"))
    name_object: Obis = field(default_factory=lambda: Obis.parse("0.0.42.0.0.255"))
    take_over: bool = False
    any_identification: bool = False
    patience: Patience = field(default_factory=Patience)
    quirks: Quirks = field(default_factory=Quirks)
