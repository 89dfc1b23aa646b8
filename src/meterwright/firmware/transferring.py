"""Transferring: every block the meter misses, ascending, cut at the moment it is sent; then its map, until it is full.

A block's outcome may be unknown (no answer, a lost line): the map tells, so it is read before anything is sent again.
Each round must bring progress; a meter or a line that brings none is given up.
"""

import asyncio
from functools import partial

from meterwright.cosem import BlockSize
from meterwright.errors import ActionError, MeterwrightError
from meterwright.firmware.block_map import BlockMap
from meterwright.firmware.events import Phase
from meterwright.firmware.failures import MeterFailed, Unreachable
from meterwright.firmware.plan import FOREIGN_IMAGE
from meterwright.firmware.reach import LINE_ERRORS
from meterwright.firmware.run import BeginAnew, Run
from meterwright.values import ActionResult, Finding, ImageTransferStatus, Level

__all__ = ["transfer"]


async def transfer(run: Run, blocks: BlockMap) -> None:
    """Send what is missing until the map is full. BeginAnew where the map turns out not to be ours."""
    run.enter(Phase.TRANSFERRING)
    run.journal.read_map(blocks.to_bits())
    run.progress(blocks.count, at_once=True)
    stalled = 0
    trouble: MeterwrightError | None = None
    while not blocks.is_full:
        trouble = await _send_missing(run, blocks)
        after = await _own_map(run, interrupted=trouble is not None)
        stalled = stalled + 1 if after.count <= blocks.count else 0
        if stalled >= run.policy.patience.rounds_without_progress and not after.is_full:
            raise _no_progress(after, trouble)
        blocks = after
        run.progress(blocks.count, at_once=True)


async def _send_missing(run: Run, blocks: BlockMap) -> MeterwrightError | None:
    """One round. What interrupted it, if anything did."""
    held = blocks.count
    for number in blocks.missing():
        try:
            await _send_block(run, number)
        except LINE_ERRORS as error:
            # Of silence too: an association has 16 invoke ids, and each answer that never comes keeps one.
            await run.meter.reach.again()
            return error
        held += 1
        run.progress(held)
    return None


async def _send_block(run: Run, number: int) -> None:
    """One block, offered again in place while the meter is busy. MeterFailed where it stays refused."""
    method = run.meter.transfer.image_block_transfer
    refusal: ActionError | None = None
    for _, pause in zip(range(run.policy.patience.block_attempts), run.policy.patience.polls(), strict=False):
        if refusal is not None:
            await asyncio.sleep(pause)
        block = (await _same_block_size(run)).cut(run.image, number)
        run.journal.sending(number)
        run.blocks_sent += 1
        try:
            await run.meter.reach.once(partial(method.invoke, block, timeout=run.policy.patience.block))
        except ActionError as error:
            refusal = error
        else:
            run.journal.acknowledged(number)
            return
    if refusal is not None:
        raise await _block_refused(run, number, refusal)


async def _same_block_size(run: Run) -> BlockSize:
    size = await run.block_size()
    if size.octets != run.identity.block_size:
        raise BeginAnew(
            Finding(
                Level.WARNING,
                "block-size-changed",
                f"the meter's block size was {run.identity.block_size} and is {size.octets} now: beginning anew",
            )
        )
    return size


async def _own_map(run: Run, *, interrupted: bool) -> BlockMap:
    """The map, if it may be ours."""
    blocks = await run.read_map()
    status = await run.meter.status()
    lost = status is ImageTransferStatus.NOT_INITIATED
    acknowledged = run.journal.memory.acknowledged
    if not interrupted and acknowledged is not None and not blocks.has(acknowledged):
        run.journal.loses_blocks()  # nobody came in between: it is the meter that does not keep what it takes
    if lost or not run.journal.memory.explains(blocks):
        raise BeginAnew(_LOST if lost else FOREIGN_IMAGE)
    run.journal.read_map(blocks.to_bits())
    if interrupted:
        run.resumed, run.resumed_from = True, blocks.first_missing
    return blocks


_LOST = Finding(
    Level.WARNING, "transfer-lost", "the meter has forgotten the transfer (status 0): beginning anew"
)


_NOT_OURS = frozenset({ActionResult.TYPE_UNMATCHED, ActionResult.OTHER_REASON})
"""How a meter refuses a block that does not belong to the transfer it is at."""


async def _block_refused(run: Run, number: int, refusal: ActionError) -> MeterFailed | BeginAnew:
    """What the meter says about itself when it refuses a block: the evidence for whoever has to find the cause.

    BeginAnew where the transfer was taken up again and may be somebody else's.
    """
    if run.resumed and refusal.result in _NOT_OURS:
        return BeginAnew(
            Finding(
                Level.WARNING,
                "block-refused-after-resume",
                f"block {number} of a transfer that was taken up again was refused: {refusal.result.label};"
                " it may be somebody else's transfer: beginning anew",
            )
        )
    size = await run.block_size()
    length = min(size.octets, run.identity.size - number * size.octets)
    status = await run.meter.status()
    first_missing = await run.meter.first_missing()
    standing = "busy" if status is None else status.label
    return MeterFailed(
        "block-refused",
        f"block {number} ({length} octets, image_block_size {size.octets}) was refused: {refusal.result.label};"
        f" the meter is at {standing}, its first missing block is {first_missing}",
        hint=_HINTS.get(refusal.result, refusal.hint),
    )


_HINTS = {
    ActionResult.HARDWARE_FAULT: (
        "the length is what the meter asked for, so look for a busy or failing flash: read attribute 6 later,"
        " then the meter's event log"
    ),
    ActionResult.TEMPORARY_FAILURE: "the meter stays busy: try again later, the transfer will be resumed",
    ActionResult.OTHER_REASON: "the transfer may have been ended from the meter's side: see attribute 6 and the event log",
}


def _no_progress(blocks: BlockMap, trouble: MeterwrightError | None) -> Unreachable | MeterFailed:
    missing = f"{blocks.total - blocks.count} of {blocks.total} blocks are missing, block {blocks.first_missing} first"
    if trouble is not None:
        return Unreachable(
            "line-keeps-failing", f"{missing}; {trouble}", hint="mend the line; the transfer will be resumed"
        )
    return MeterFailed(
        "blocks-not-kept",
        f"{missing}: the meter says success to blocks and does not keep them",
        hint="try again later; if it stays, the meter's memory may be failing",
    )
