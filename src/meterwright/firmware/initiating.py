"""Enabling and initiating: the meter is made ready, patiently, since it may have to erase its flash first.

A status of 1 proves nothing: it may be left over from an earlier transfer. Only status 1 *and* an empty map say that the
meter has begun with this image; no block leaves before.
"""

from typing import Final

from meterwright.cosem import ImageInitiation
from meterwright.errors import ActionError, DataAccessError
from meterwright.firmware.events import Phase
from meterwright.firmware.failures import MeterFailed, UpdateFailed
from meterwright.firmware.meter import BUSY
from meterwright.firmware.reach import LINE_ERRORS
from meterwright.firmware.run import Run
from meterwright.values import ActionResult, Finding, ImageTransferStatus, Level

__all__ = ["enable", "initiate", "restore_enabled"]

_MOST_INITIATIONS: Final = 2
_STILL_WORKING: Final = frozenset({ActionResult.TEMPORARY_FAILURE, ActionResult.HARDWARE_FAULT})


async def enable(run: Run) -> None:
    """Make image_transfer_enabled TRUE and see that it is. MeterFailed where the meter does not let us."""
    enabled = run.meter.transfer.image_transfer_enabled
    if await run.meter.reach.read(enabled.get):
        return
    run.enter(Phase.ENABLING)
    run.journal.enabling(enabled=True)
    try:
        await run.meter.reach.read(lambda: enabled.set(True))  # writing it twice does no harm
    except DataAccessError as error:
        raise MeterFailed(
            "enable-refused", f"image_transfer_enabled cannot be made TRUE: {error}", hint=error.hint
        ) from error
    if not await run.meter.reach.read(enabled.get):
        raise MeterFailed(
            "enable-ignored",
            "image_transfer_enabled was written and is still FALSE",
            hint="another condition may have to be met first: a jumper, a cover, a mode; ask the maker",
        )


async def restore_enabled(run: Run) -> None:
    """Make image_transfer_enabled FALSE again, if it was us who changed it. Said, not fatal, where it fails."""
    if not run.journal.memory.enabled_by_us:
        return
    enabled = run.meter.transfer.image_transfer_enabled
    try:
        await run.meter.reach.read(lambda: enabled.set(False))
    except (DataAccessError, UpdateFailed, *LINE_ERRORS) as error:
        run.say(
            Finding(
                Level.WARNING, "not-restored", f"image_transfer_enabled stays TRUE: {error}", hint=error.hint
            )
        )
    else:
        run.journal.enabling(enabled=False)


async def initiate(run: Run, version_before: str | None) -> None:
    """Call image_transfer_initiate and wait for status 1 and an empty map. MeterFailed where that never comes."""
    run.enter(Phase.INITIATING)
    run.journal.begin(run.identity, version_before)
    patience = run.policy.patience
    for _ in range(_MOST_INITIATIONS):
        answered = await _call(run)
        if await _begun(run, patience.initiate if answered else patience.settle):
            bits = await run.meter.block_map_bits()
            if bits is not None:
                run.journal.read_map(bits)
                if bits.length == run.block_count:
                    run.journal.exact_map()
            return
        if answered:
            break
    raise MeterFailed(
        "initiate-without-effect",
        "the meter did not come to status 1 with an empty block map after image_transfer_initiate",
        hint="no block was sent; the meter may still be erasing: try again later",
    )


async def _call(run: Run) -> bool:
    """Whether the meter answered. What it refuses for good is MeterFailed."""
    method = run.meter.transfer.image_transfer_initiate
    parameter = ImageInitiation(bytes.fromhex(run.identity.identifier), run.identity.size)
    try:
        await run.meter.reach.once(lambda: method.invoke(parameter, timeout=run.policy.patience.initiate))
    except ActionError as error:
        if error.result not in _STILL_WORKING:
            raise MeterFailed(
                "initiate-refused",
                f"image_transfer_initiate was refused: {error}",
                hint="the identifier may not be one this meter takes, or the image may be too large for it",
            ) from error
    except LINE_ERRORS:
        await run.meter.reach.again()
        return False
    return True


async def _begun(run: Run, within: float) -> bool:
    """Whether status 1 and an empty map were seen in that many seconds."""
    async for _ in run.polls(within):
        try:
            state = await run.meter.state()
        except DataAccessError as error:
            if error.result not in BUSY:
                raise
            continue
        empty = state.first_missing == 0 and (state.bits is None or state.bits.count() == 0)
        if state.status is ImageTransferStatus.TRANSFER_INITIATED and empty:
            return True
    return False
