"""Verifying and inspecting: the meter checks what it was given, in its own time, and says what it found.

The answer to image_verify is a beginning, not an end: attribute 6 decides. It survives a lost line, since it is polled.
"""

from typing import Final

from meterwright.cosem import ImageToActivateInfo
from meterwright.data import Data, integer, null_data, unsigned
from meterwright.errors import ActionError
from meterwright.firmware.events import Phase
from meterwright.firmware.failures import MeterFailed, ReleaseFailed
from meterwright.firmware.reach import LINE_ERRORS
from meterwright.firmware.run import BeginAnew, Run
from meterwright.values import ActionResult, Finding, ImageMethodParameter, ImageTransferStatus, Level

__all__ = ["SELF_ACTIVATED", "image_parameter", "inspect", "verify", "wait_while_busy"]

_Status = ImageTransferStatus
SELF_ACTIVATED: Final = frozenset({_Status.ACTIVATION_INITIATED, _Status.ACTIVATION_SUCCESSFUL})
"""Status of a meter that went on from verification to activation by itself."""
_BUSY: Final = frozenset({_Status.VERIFICATION_INITIATED, None})
_MOST_CALLS: Final = 2
_STATUS_DECIDES: Final = frozenset(
    {ActionResult.TEMPORARY_FAILURE, ActionResult.HARDWARE_FAULT, ActionResult.OTHER_REASON}
)


def image_parameter(kind: ImageMethodParameter) -> Data:
    """What image_verify and image_activate are called with."""
    match kind:
        case ImageMethodParameter.INTEGER:
            return integer(0)
        case ImageMethodParameter.UNSIGNED:
            return unsigned(0)
        case ImageMethodParameter.NULL:
            return null_data(None)


async def verify(run: Run) -> bool:
    """Have the image verified. True where the meter went on to activate it by itself.

    BeginAnew where what failed was a transfer taken up again: it may be a mixture. ReleaseFailed where every block of the
    image was sent in one piece and the meter still says no.
    """
    run.enter(Phase.VERIFYING)
    for _ in range(_MOST_CALLS):
        status = await run.meter.status()
        if status is _Status.TRANSFER_INITIATED:
            await _call(run)
            status = await _settled(run)
        if status is _Status.VERIFICATION_SUCCESSFUL:
            run.journal.verified()
            return False
        if status in SELF_ACTIVATED:
            return True
        if status is _Status.VERIFICATION_FAILED:
            raise _failed(run)
        if status is not _Status.TRANSFER_INITIATED:
            break
    raise MeterFailed(
        "verify-without-effect",
        "the meter did not verify the image",
        hint="nothing was activated; read the meter's event log, then try again",
    )


async def wait_while_busy(
    run: Run, busy: frozenset[ImageTransferStatus | None]
) -> ImageTransferStatus | None:
    """Attribute 6 once it is none of `busy` any more, or at the end of the patience."""
    status: ImageTransferStatus | None = None
    async for _ in run.polls(run.policy.patience.verify):
        status = await run.meter.status()
        if status not in busy:
            break
    return status


async def _call(run: Run) -> None:
    reach, method = run.meter.reach, run.meter.transfer.image_verify.descriptor
    parameter = image_parameter(run.policy.quirks.verify_parameter)
    try:
        await reach.once(lambda: reach.client.invoke(method, parameter, timeout=run.policy.patience.block))
    except ActionError as error:
        if error.result not in _STATUS_DECIDES:
            raise MeterFailed(
                "verify-refused", f"image_verify was refused: {error}", hint=error.hint
            ) from error
    except LINE_ERRORS:
        await run.meter.reach.again()


async def _settled(run: Run) -> ImageTransferStatus | None:
    """Attribute 6 when verification has ended, or when it plainly never began."""
    patience = run.policy.patience
    status: ImageTransferStatus | None = None
    async for passed in run.polls(patience.verify):
        status = await run.meter.status()
        never_began = status is _Status.TRANSFER_INITIATED and passed >= patience.settle
        ended = status not in _BUSY and status is not _Status.TRANSFER_INITIATED
        if ended or never_began:
            return status
    raise MeterFailed(
        "verify-takes-too-long",
        f"the meter is still verifying after {patience.verify:.0f} s",
        hint="nothing was activated; run the same update again later: it goes on from there",
    )


def _failed(run: Run) -> BeginAnew | ReleaseFailed:
    if run.resumed:
        return BeginAnew(
            Finding(
                Level.WARNING,
                "verification-failed-after-resume",
                "the meter's verification failed after a transfer that was taken up again: beginning anew",
            )
        )
    return ReleaseFailed(
        "verification-failed",
        "the meter's verification of the image failed; nothing was activated",
        hint="the image may be damaged, not for this meter, or its signature not one that the meter trusts",
    )


async def inspect(run: Run) -> None:
    """Compare what the meter says it will activate with what it was given. BeginAnew or ReleaseFailed where it differs."""
    run.enter(Phase.INSPECTING)
    info = await run.meter.activate_info()
    if not info:
        run.say(
            Finding(
                Level.INFO, "no-activate-info", "the meter does not tell what it will activate (attribute 7)"
            )
        )
        return
    identifier = bytes.fromhex(run.identity.identifier)
    ours = [each for each in info if each.image_to_activate_identification == identifier]
    if not ours and not run.policy.any_identification:
        raise _another_image(run, info)
    for each in ours:
        if each.image_to_activate_size != run.identity.size:
            run.say(
                Finding(
                    Level.WARNING,
                    "activate-info-size",
                    f"the meter will activate {each.image_to_activate_size} octets,"
                    f" the image has {run.identity.size}: a header may be gone",
                )
            )


def _another_image(run: Run, info: tuple[ImageToActivateInfo, ...]) -> BeginAnew | ReleaseFailed:
    found = ", ".join(repr(each.image_to_activate_identification) for each in info)
    message = f"the meter would activate {found}, not {bytes.fromhex(run.identity.identifier)!r}"
    if run.resumed:
        return BeginAnew(
            Finding(
                Level.WARNING,
                "another-image",
                f"{message}: somebody else's; nothing is activated, beginning anew",
            )
        )
    return ReleaseFailed(
        "another-image",
        f"{message}; nothing was activated",
        hint="if the meter is known to name images differently, allow it: --any-identification",
    )
