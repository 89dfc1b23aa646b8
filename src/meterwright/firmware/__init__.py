"""The update of one meter: plan it, do it, resume it, prove it."""

from meterwright.firmware.block_map import BlockMap, reconciled
from meterwright.firmware.events import (
    FindingRaised,
    Outcome,
    Phase,
    PhaseEntered,
    Progress,
    UpdateEvent,
    UpdateResult,
)
from meterwright.firmware.failures import (
    CredentialsFailed,
    MeterFailed,
    ReleaseFailed,
    Unreachable,
    UpdateFailed,
    UpdateRefused,
)
from meterwright.firmware.journal import ImageIdentity, Journal, Memory, journal_path
from meterwright.firmware.plan import Decision, Plan
from meterwright.firmware.policy import Activation, Patience, UpdatePolicy
from meterwright.firmware.update import plan, update

__all__ = [
    "Activation",
    "BlockMap",
    "CredentialsFailed",
    "Decision",
    "FindingRaised",
    "ImageIdentity",
    "Journal",
    "Memory",
    "MeterFailed",
    "Outcome",
    "Patience",
    "Phase",
    "PhaseEntered",
    "Plan",
    "Progress",
    "ReleaseFailed",
    "Unreachable",
    "UpdateEvent",
    "UpdateFailed",
    "UpdatePolicy",
    "UpdateRefused",
    "UpdateResult",
    "journal_path",
    "plan",
    "reconciled",
    "update",
]
