"""The update of one meter: planning, enabling, initiating, transferring, verifying, inspecting, activating, confirming.

    result = await update(Client("tcp://192.0.2.7?client=16"), image, b"NEW-2.0", state=Path("state"))

Whatever happens, the meter is released and the result says how it ended. Cancelling is safe at any moment: the journal
knows what was done, and the same call takes it up again.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from meterwright.client import Client
from meterwright.errors import LinkError, LocalProtocolError, MeterwrightError, SecurityError, UsageError
from meterwright.firmware.activating import activate, confirm
from meterwright.firmware.block_map import BlockMap
from meterwright.firmware.events import FindingRaised, Outcome, Phase, PhaseEntered, UpdateEvent, UpdateResult
from meterwright.firmware.failures import (
    CredentialsFailed,
    MeterFailed,
    Unreachable,
    UpdateFailed,
    UpdateRefused,
)
from meterwright.firmware.initiating import enable, initiate, restore_enabled
from meterwright.firmware.journal import Journal, journal_path
from meterwright.firmware.meter import UpdatedMeter
from meterwright.firmware.nameplate import Elsewhere
from meterwright.firmware.plan import Asked, Decision, Plan, make_plan
from meterwright.firmware.policy import Activation, UpdatePolicy
from meterwright.firmware.reach import Reach
from meterwright.firmware.run import BeginAnew, Run, turns
from meterwright.firmware.transferring import transfer
from meterwright.firmware.verifying import inspect, verify
from meterwright.image import FirmwareImage
from meterwright.values import Finding, ImageTransferStatus, Level

__all__ = ["Update", "plan", "update"]

_MOST_PLANS: Final = 4
_WAITED_FOR: Final = frozenset(
    {ImageTransferStatus.VERIFICATION_INITIATED, ImageTransferStatus.ACTIVATION_INITIATED, None}
)


async def update(
    client: Client,
    image: FirmwareImage,
    identifier: bytes,
    *,
    state: Path,
    policy: UpdatePolicy | None = None,
    version_client: Callable[[], Client] | None = None,
    emit: Callable[[UpdateEvent], None] = lambda _event: None,
) -> UpdateResult:
    """Bring one meter to run `image`. `identifier` is what the maker named it; `state` is where journals are kept.

    `version_client` makes another client of the same meter, a fresh one each time, by which the version is read where `client`
    is not shown it: the two take turns at the meter, and have one store of counters where they have the same keys.
    Never raises for what a meter or a line does: the result says it, and is also the last event given to `emit`.
    """
    made = Update(
        client, image, identifier, state=state, policy=policy, version_client=version_client, emit=emit
    )
    return await made.run()


async def plan(
    client: Client,
    image: FirmwareImage,
    identifier: bytes,
    *,
    state: Path,
    policy: UpdatePolicy | None = None,
    version_client: Callable[[], Client] | None = None,
) -> Plan:
    """What `update` would do, without doing any of it. UpdateFailed where the meter can't be asked."""
    made = Update(client, image, identifier, state=state, policy=policy, version_client=version_client)
    try:
        planned, _ = await made.plan()
        return planned
    finally:
        await client.close()


class Update:
    """One update of one meter."""

    def __init__(
        self,
        client: Client,
        image: FirmwareImage,
        identifier: bytes,
        *,
        state: Path,
        policy: UpdatePolicy | None = None,
        version_client: Callable[[], Client] | None = None,
        emit: Callable[[UpdateEvent], None] = lambda _event: None,
    ) -> None:
        policy = policy or UpdatePolicy()
        self._client = client
        self._image = image
        self._identifier = identifier
        self._state = state
        self._policy = policy
        self._emit = emit
        self._findings: list[Finding] = []
        self._reach = Reach(client, policy.patience, self._say)
        elsewhere = None if version_client is None else Elsewhere(version_client, client, policy, self._say)
        self._meter = UpdatedMeter(self._reach, policy, elsewhere)
        self._run: Run | None = None
        self._version_before: str | None = None
        self._version_after: str | None = None

    async def plan(self) -> tuple[Plan, Journal]:
        """Associate, read, decide."""
        elsewhere = self._meter.elsewhere
        seen = None if elsewhere is None else await elsewhere.look()
        if not self._client.is_associated:
            await (self._reach.again() if self._reach.was_let_in else self._reach.first())
        told = await self._meter.name()
        if elsewhere is not None:
            elsewhere.require_same(told)
        name = self._named(told or (None if seen is None else seen.name))
        version = await self._meter.version() if seen is None else seen.version
        journal = Journal(journal_path(self._state, name))
        clock = asyncio.get_running_loop().time
        asked = Asked(self._image, self._identifier, self._policy)
        made = await make_plan(self._meter, name, version, journal.memory, asked, clock=clock)
        return made, journal

    def _named(self, name: str | None) -> str:
        """What the meter is called: its logical device name, else its address. A journal must never serve two meters."""
        if name:
            return name
        if self._client.address is None:
            raise UpdateRefused(
                "meter-without-name",
                "the meter tells no logical device name, and was reached over a connection without an address",
                hint="name the object that holds its name: UpdatePolicy(name_object=…)",
            )
        return f"at {self._client.address}"

    async def run(self) -> UpdateResult:
        """All phases, and the result."""
        failure: UpdateFailed | None = None
        try:
            outcome = await self._phases()
        except MeterwrightError as error:
            failure = _judged(error)
            self._say(failure.finding)
            outcome = Outcome.REFUSED if isinstance(failure, UpdateRefused) else Outcome.FAILED
        except asyncio.CancelledError:
            await self._reach.close()
            self._say(_INTERRUPTED.finding)
            self._emit(self._result(Outcome.FAILED, _INTERRUPTED))
            raise
        finally:
            await self._reach.close()
        result = self._result(outcome, failure)
        self._emit(result)
        return result

    async def _phases(self) -> Outcome:
        self._emit(PhaseEntered(Phase.PLANNING))
        made, journal = await self._settled_plan()
        for finding in made.findings:
            self._say(finding)
        self._version_before = made.version
        if made.decision is Decision.NOTHING:
            self._version_after = made.version
            if journal.memory.runs is not None:  # an update that ended before it could tidy up
                await restore_enabled(self._new_run(made, journal))
            return Outcome.NOTHING_TO_DO
        if made.obstacles:
            raise UpdateRefused("plan-refuses", made.obstacles[0].message, hint=made.obstacles[0].hint)
        if made.somebody_may_transfer:
            await self._watch()
        self._run = run = self._begun(made, journal)
        self._version_after = await self._bring_in(run, made)
        if run.journal.memory.runs is not None:  # with FALSE the methods fail, a later activation too
            await restore_enabled(run)
        return Outcome.DONE

    async def _settled_plan(self) -> tuple[Plan, Journal]:
        """The plan, once the meter is not at something that must not be disturbed."""
        for _ in range(_MOST_PLANS):
            made, journal = await self.plan()
            if made.decision is not Decision.WAIT:
                return made, journal
            for finding in made.findings:
                self._say(finding)
            await self._wait()
        raise MeterFailed(
            "meter-stays-busy",
            "the meter has been verifying or activating all the time",
            hint="somebody else may be at it: try again later",
        )

    async def _wait(self) -> None:
        async for _ in turns(self._policy.patience, self._policy.patience.verify):
            if await self._meter.status() not in _WAITED_FOR:
                return

    async def _watch(self) -> None:
        """Somebody else's transfer may be running: look whether it moves before it is wiped."""
        self._say(
            Finding(
                Level.INFO,
                "watching",
                f"a transfer has begun here that is not ours: watching it for {self._policy.patience.watch:g} s",
            )
        )
        first = await self._meter.first_missing()
        async for _ in turns(self._policy.patience, self._policy.patience.watch):
            if await self._meter.first_missing() != first and not self._policy.take_over:
                raise UpdateRefused(
                    "somebody-transfers",
                    "somebody else is transferring an image to this meter right now",
                    hint="let them finish, or take over: --take-over",
                )
        self._say(Finding(Level.WARNING, "begun-transfer-replaced", "nobody goes on with it: beginning anew"))

    def _begun(self, made: Plan, journal: Journal) -> Run:
        run = self._new_run(made, journal)
        if made.decision is not Decision.BEGIN:
            run.resumed = True
            run.resumed_from = min(made.state.first_missing, made.blocks.total)
            self._version_before = journal.memory.version_before
        return run

    def _new_run(self, made: Plan, journal: Journal) -> Run:
        run = Run(self._meter, self._image, made.image, policy=self._policy, journal=journal, emit=self._emit)
        run.findings = self._findings
        return run

    async def _bring_in(self, run: Run, made: Plan) -> str | None:
        """From where the meter stands to the new firmware; begun anew once where what is there can't be trusted."""
        before = self._version_before
        if made.decision is Decision.CONFIRM:
            return await confirm(run, before)
        try:
            activated = await self._make_verified(run, made.decision, made.blocks)
        except BeginAnew as anew:
            run.say(anew.finding)
            run.resumed, run.resumed_from = False, None
            activated = await self._make_verified_anew(run)
        if activated:
            run.journal.activating()
        elif self._policy.activation is Activation.NEVER:
            run.say(
                Finding(Level.INFO, "not-activated", "the image is verified and not activated, as was asked")
            )
            return before
        else:
            await activate(run)
        return await confirm(run, before)

    async def _make_verified_anew(self, run: Run) -> bool:
        try:
            return await self._make_verified(run, Decision.BEGIN, BlockMap.up_to(0, run.block_count))
        except BeginAnew as again:
            raise MeterFailed(
                "transfer-disturbed",
                f"{again.finding.message}, for the second time: giving up",
                hint="somebody else may be updating this meter; nothing was activated",
            ) from again

    async def _make_verified(self, run: Run, decision: Decision, blocks: BlockMap) -> bool:
        """From a decision to an image that is verified and inspected. True where the meter activated it by itself."""
        await enable(run)
        if decision is Decision.BEGIN:
            await initiate(run, self._version_before)
            blocks = BlockMap.up_to(0, run.block_count)
        if decision in (Decision.BEGIN, Decision.RESUME):
            await transfer(run, blocks)
        if decision is not Decision.ACTIVATE and await verify(run):
            return True
        await inspect(run)
        return False

    def _say(self, finding: Finding) -> None:
        if finding not in self._findings:
            self._findings.append(finding)
            self._emit(FindingRaised(finding))

    def _result(self, outcome: Outcome, failure: UpdateFailed | None) -> UpdateResult:
        run = self._run
        return UpdateResult(
            outcome=outcome,
            blocks_sent=0 if run is None else run.blocks_sent,
            resumed_from=None if run is None else run.resumed_from,
            version_before=self._version_before,
            version_after=self._version_after or (None if run is None else run.version_seen),
            findings=tuple(self._findings),
            failure=failure,
        )


_INTERRUPTED: Final = UpdateFailed(
    "interrupted",
    "the update was interrupted; the meter was released",
    hint="the same command goes on from here",
)


def _judged(error: MeterwrightError) -> UpdateFailed:
    """Whose failure an error is that no phase has judged."""
    if isinstance(error, UpdateFailed):
        return error
    for kind, (failure, code) in _JUDGEMENTS.items():
        if isinstance(error, kind):
            return failure(code, str(error), hint=error.hint)
    return MeterFailed("meter-refused", str(error), hint=error.hint or _ASK_THE_MAKER)


_ASK_THE_MAKER: Final = (
    "the meter does not do what the standard says: ask its maker, with the logical name and attribute"
)
_JUDGEMENTS: Final[Mapping[type[MeterwrightError], tuple[type[UpdateFailed], str]]] = {
    SecurityError: (CredentialsFailed, "security"),
    LinkError: (Unreachable, "meter-unreachable"),
    LocalProtocolError: (UpdateFailed, "our-mistake"),
    UsageError: (UpdateRefused, "cannot-be-used"),
}
