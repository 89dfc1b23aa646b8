"""What an update tells while it runs: one stream of events for the command line, JSON lines, the journal and the web."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from meterwright.firmware.failures import UpdateFailed
from meterwright.values import Finding

__all__ = ["FindingRaised", "Outcome", "Phase", "PhaseEntered", "Progress", "UpdateEvent", "UpdateResult"]


class Phase(Enum):
    """The phases of an update, in this order and by these names everywhere."""

    PLANNING = "planning"
    ENABLING = "enabling"
    INITIATING = "initiating"
    TRANSFERRING = "transferring"
    VERIFYING = "verifying"
    INSPECTING = "inspecting"
    ACTIVATING = "activating"
    CONFIRMING = "confirming"


class Outcome(Enum):
    """How an update ended."""

    DONE = "done"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing-to-do"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """A phase began."""

    phase: Phase

    def as_json(self) -> dict[str, object]:
        """The line of the event stream."""
        return {"event": "phase", "phase": self.phase.value}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the transfer is: blocks the meter holds. `rate` in blocks a second and `eta` in seconds, once known."""

    blocks_done: int
    blocks_total: int
    octets_done: int
    octets_total: int
    rate: float | None = None
    eta: float | None = None

    def as_json(self) -> dict[str, object]:
        """The line of the event stream."""
        return {
            "event": "progress",
            "blocks_done": self.blocks_done,
            "blocks_total": self.blocks_total,
            "octets_done": self.octets_done,
            "octets_total": self.octets_total,
            "rate": None if self.rate is None else round(self.rate, 2),
            "eta": None if self.eta is None else round(self.eta, 1),
        }


@dataclass(frozen=True, slots=True)
class FindingRaised:
    """Something worth knowing, for good or bad."""

    finding: Finding

    def as_json(self) -> dict[str, object]:
        """The line of the event stream."""
        return {"event": "finding", **self.finding.as_json()}


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The last event: how it ended.

    `blocks_sent` counts what this run sent, `resumed_from` is attribute 4 as it was read when a begun transfer was taken
    up again (None where none was). `failure` says why, and whose failure it is.
    """

    outcome: Outcome
    blocks_sent: int = 0
    resumed_from: int | None = None
    version_before: str | None = None
    version_after: str | None = None
    findings: tuple[Finding, ...] = field(default=())
    failure: UpdateFailed | None = None

    def as_json(self) -> dict[str, object]:
        """The line of the event stream."""
        return {
            "event": "result",
            "outcome": self.outcome.value,
            "kind": None if self.failure is None else self.failure.kind,
            "blocks_sent": self.blocks_sent,
            "resumed_from": self.resumed_from,
            "version_before": self.version_before,
            "version_after": self.version_after,
            "findings": [finding.as_json() for finding in self.findings],
        }


UpdateEvent: TypeAlias = PhaseEntered | Progress | FindingRaised | UpdateResult
