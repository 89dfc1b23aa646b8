"""Activating and confirming: the one step that can't be taken back, and the proof that it did what it should.

image_activate is sent at most once while its outcome is unknown. What decides is not an answer but what runs afterwards;
a meter that is silent from here on is a failure of the release, never of the line.
"""

from dataclasses import dataclass
from typing import Final

from meterwright.errors import ActionError, MeterwrightError, ServiceError
from meterwright.firmware.events import Phase
from meterwright.firmware.failures import CredentialsFailed, MeterFailed, ReleaseFailed, UpdateFailed
from meterwright.firmware.reach import LINE_ERRORS
from meterwright.firmware.run import Run
from meterwright.firmware.verifying import image_parameter
from meterwright.values import ActionResult, Finding, ImageTransferStatus, Level

__all__ = ["activate", "confirm"]

_Status = ImageTransferStatus
_MOST_ACTIVATIONS: Final = 2
"""The second only where the meter, seen again, is verified and still runs the old version: the first never took hold."""
_REFUSED_FOR_GOOD: Final = frozenset(
    {
        ActionResult.READ_WRITE_DENIED,
        ActionResult.OBJECT_UNDEFINED,
        ActionResult.OBJECT_CLASS_INCONSISTENT,
        ActionResult.OBJECT_UNAVAILABLE,
        ActionResult.TYPE_UNMATCHED,
        ActionResult.SCOPE_OF_ACCESS_VIOLATED,
    }
)


async def activate(run: Run) -> None:
    """Call image_activate once. Whatever is answered, short of a plain refusal, `confirm` finds out what became of it."""
    run.enter(Phase.ACTIVATING)
    reach, method = run.meter.reach, run.meter.transfer.image_activate.descriptor
    parameter = image_parameter(run.policy.quirks.activate_parameter)
    run.journal.activating()
    try:
        await reach.once(lambda: reach.client.invoke(method, parameter, timeout=run.policy.patience.block))
    except ActionError as error:
        if error.result in _REFUSED_FOR_GOOD:
            run.journal.not_activated()
            raise MeterFailed(
                "activate-refused", f"image_activate was refused: {error}", hint=error.hint
            ) from error
    except LINE_ERRORS:
        return  # the meter may be on its way down already


@dataclass(frozen=True, slots=True)
class _Seen:
    """The meter, seen again after activation."""

    status: ImageTransferStatus | None
    version: str | None


async def confirm(run: Run, version_before: str | None) -> str | None:
    """Wait for the meter, see what runs, and say it. The version that runs, where the meter tells it.

    ReleaseFailed where it is not what should run, where the meter does not let us in any more, or where nothing answers within
    the patience.
    """
    run.enter(Phase.CONFIRMING)
    patience = run.policy.patience
    since: tuple[_Seen, float] | None = None
    last: MeterwrightError | None = None
    async for passed in run.polls(patience.confirm):
        try:
            seen = await _look(run)
        except CredentialsFailed as error:
            raise _locked_out(error) from error
        except (UpdateFailed, ServiceError, *LINE_ERRORS) as error:
            # a meter that starts up may refuse at first
            since, last = None, error
            continue
        if _proves(run, seen, version_before):
            return _confirmed(run, seen, version_before)
        if since is None or since[0] != seen:
            since = (seen, passed)
        stood = passed - since[1]
        if stood >= patience.settle and _never_took_hold(run, seen, version_before):
            await activate(run)
            run.enter(Phase.CONFIRMING)
            since = None
        elif seen.status not in _STILL_AT_IT and stood >= _believed_after(run, seen, version_before):
            raise _not_what_should_run(run, seen, version_before)
    raise _silent(run, last) if since is None else _too_long(run)


async def _look(run: Run) -> _Seen:
    """Associate anew, as the meter may have rebooted, and read what runs."""
    meter, within = run.meter, run.policy.patience.poll_longest
    plate = None if meter.elsewhere is None else await meter.elsewhere.look(within)
    if not meter.reach.client.is_associated:
        await meter.reach.again(within)
    status = await meter.status()
    return _Seen(status, await meter.version() if plate is None else plate.version)


def _proves(run: Run, seen: _Seen, before: str | None) -> bool:
    """Whether the new firmware is seen to run."""
    expected = run.policy.expected_version
    if expected is not None:
        return seen.version == expected
    if seen.version is None:
        # What told its version before and does not now has not shown what runs: the status alone is no proof.
        return before is None and seen.status is _Status.ACTIVATION_SUCCESSFUL
    return seen.version != before and seen.status is not _Status.ACTIVATION_INITIATED


def _confirmed(run: Run, seen: _Seen, before: str | None) -> str | None:
    if run.policy.expected_version is None:
        changed = (
            "the meter says so, and its version cannot be read"
            if seen.version is None
            else f"from {before} to {seen.version}"
        )
        run.say(Finding(Level.INFO, "version-changed", f"activation is seen: changed {changed}"))
    run.journal.runs(seen.version or "")
    return seen.version


_STILL_AT_IT: Final = frozenset({_Status.ACTIVATION_INITIATED, None})


def _believed_after(run: Run, seen: _Seen, before: str | None) -> float:
    """How long what is seen must stand, in seconds. A meter may say all is well and reboot only minutes later."""
    patience = run.policy.patience
    may_still_come = seen.version in (before, None) and seen.status is not _Status.ACTIVATION_FAILED
    return patience.unchanged if may_still_come else patience.settle


def _never_took_hold(run: Run, seen: _Seen, before: str | None) -> bool:
    verified = seen.status is _Status.VERIFICATION_SUCCESSFUL
    return verified and seen.version == before and run.journal.memory.activations < _MOST_ACTIVATIONS


def _not_what_should_run(run: Run, seen: _Seen, before: str | None) -> ReleaseFailed:
    run.journal.not_activated()
    run.version_seen = seen.version
    status = "unknown" if seen.status is None else seen.status.label
    if seen.version is None and before is not None:
        return ReleaseFailed(
            "version-unreadable-after",
            f"{before} ran before, and the meter does not tell any more what runs (status {status})",
            hint="read its firmware version over another association before this release is given to another meter",
        )
    if seen.version != before:
        return ReleaseFailed(
            "wrong-version-after",
            f"{seen.version} runs, {run.policy.expected_version} was expected (status {status})",
            hint="the release's manifest may name another version than its image holds",
        )
    return ReleaseFailed(
        "version-unchanged",
        f"{before} still runs after activation (status {status})",
        hint="the meter may have rolled back: read its event log before trying this release again",
    )


def _too_long(run: Run) -> ReleaseFailed:
    return ReleaseFailed(
        "activation-takes-too-long",
        f"the meter is still activating after {run.policy.patience.confirm:.0f} s",
        hint="run the same update again later: it looks what became of it, and activates nothing twice",
    )


def _locked_out(error: CredentialsFailed) -> ReleaseFailed:
    advice = f"; {error.hint}" if error.hint else ""
    return ReleaseFailed(
        "locked-out-after-activation",
        "the meter came back, and what opened an association with it before does so no more, or what it answers is not to be"
        f" believed: {error.what}",
        hint=f"its new firmware may have changed keys, secrets or counters; it is not asked again, meters lock{advice}",
    )


def _silent(run: Run, last: MeterwrightError | None) -> ReleaseFailed:
    why = f"; the last try: {last}" if last is not None else ""
    return ReleaseFailed(
        "silent-after-activation",
        f"nothing was seen of the meter's firmware for {run.policy.patience.confirm:.0f} s after activation{why}",
        hint="go and look at this meter before the release is given to another one",
    )
