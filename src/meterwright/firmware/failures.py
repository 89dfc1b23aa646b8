"""How an update can fail, and whose failure it is: only failures of the release count against a release.

::

    UpdateFailed
    ├── Unreachable        transient: the meter could not be reached, before anything was activated
    ├── MeterFailed        of the meter: it refused, or its line or hardware did not do what was asked
    ├── ReleaseFailed      of the release: refused by the meter's verification, wrong version after, silent after activation
    ├── CredentialsFailed  of the credentials: never tried again by itself, it locks meters
    └── UpdateRefused      nothing was done, because the plan or a policy says no
"""

from typing import ClassVar

from meterwright.errors import Blame, MeterwrightError
from meterwright.values import Finding, Level

__all__ = [
    "CredentialsFailed",
    "MeterFailed",
    "ReleaseFailed",
    "Unreachable",
    "UpdateFailed",
    "UpdateRefused",
]


class UpdateFailed(MeterwrightError):
    """An update ended without success. `finding` says why; `kind` says whose failure it is."""

    kind: ClassVar[str] = "failed"

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, layer="firmware", hint=hint)
        self.finding = Finding(Level.ERROR, code, message, hint=hint)


class Unreachable(UpdateFailed):
    """The meter could not be reached, or not any more, before anything was activated: another try may do it."""

    kind = "transient"
    blame = Blame.LINE


class MeterFailed(UpdateFailed):
    """The meter refused a step, or did not do what was asked of it."""

    kind = "meter"
    blame = Blame.THEIRS


class ReleaseFailed(UpdateFailed):
    """The image did not pass, or what runs after activation is not what should run, or nothing answers any more."""

    kind = "release"
    blame = Blame.THEIRS


class CredentialsFailed(UpdateFailed):
    """The meter does not let us in."""

    kind = "credentials"
    blame = Blame.CREDENTIALS


class UpdateRefused(UpdateFailed):
    """The plan or a policy says no: nothing was done to the meter."""

    kind = "refused"
    blame = Blame.USER
