"""The plan: everything that decides whether an update succeeds, read before anything is changed.

`make_plan` only reads. It says what will be done, how many blocks are missing, about how long it takes, and what stands in
the way. `decide` is the heart: what may be done with what the meter holds already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from meterwright.apdu import ActionRequestNormal, MethodDescriptor
from meterwright.association import LARGEST_PDU, Context
from meterwright.client import Client
from meterwright.cosem import ImageTransfer
from meterwright.data import Data, DataTag, double_long_unsigned, octet_string
from meterwright.exchange import CONFIRMED
from meterwright.firmware.block_map import BlockMap, reconciled
from meterwright.firmware.journal import ImageIdentity, Memory
from meterwright.firmware.meter import TransferState, UpdatedMeter
from meterwright.firmware.nameplate import Elsewhere
from meterwright.firmware.policy import Activation, UpdatePolicy
from meterwright.image import FirmwareImage
from meterwright.values import Conformance, Finding, ImageTransferStatus, Level, Obis, SecurityPolicy

__all__ = ["FOREIGN_IMAGE", "Asked", "Decision", "Plan", "Standing", "decide", "make_plan"]


class Decision(Enum):
    """What to do with a meter, seen from where its image transfer stands."""

    NOTHING = "nothing to do: it runs already"
    BEGIN = "begin: initiate, then send every block"
    RESUME = "resume: send the blocks that are missing"
    VERIFY = "go on: all blocks are there, verify"
    ACTIVATE = "go on: verified already, activate"
    CONFIRM = "go on: an activation is under way, see what runs"
    WAIT = "wait: the meter is verifying or activating"


_Status = ImageTransferStatus


@dataclass(frozen=True, slots=True)
class Plan:
    """What was read of a meter, and what will be done. `obstacles` stand in the way; sizes in octets, times in seconds.

    `somebody_may_transfer`: a transfer has begun there that our journal does not explain.
    """

    meter: str
    image: ImageIdentity
    version: str | None
    expected_version: str | None
    state: TransferState
    blocks: BlockMap
    decision: Decision
    block_request_size: int
    max_send_pdu_size: int
    round_trip: float
    activation: Activation
    findings: tuple[Finding, ...] = ()
    somebody_may_transfer: bool = False

    @property
    def obstacles(self) -> tuple[Finding, ...]:
        """What stands in the way."""
        return tuple(finding for finding in self.findings if finding.level is Level.ERROR)

    @property
    def blocks_to_send(self) -> int:
        """How many blocks are still to be sent."""
        if self.decision is Decision.BEGIN:
            return self.blocks.total
        return self.blocks.total - self.blocks.count if self.decision is Decision.RESUME else 0

    @property
    def seconds(self) -> float:
        """About how long the transfer takes, by the round trip seen while reading."""
        return self.blocks_to_send * self.round_trip

    def as_json(self) -> dict[str, object]:
        """The plan as JSON."""
        return {
            "event": "plan",
            "meter": self.meter,
            "version": self.version,
            "expected_version": self.expected_version,
            "decision": self.decision.name.lower(),
            "image_size": self.image.size,
            "image_sha256": self.image.sha256,
            "image_identifier": self.image.identifier,
            "block_size": self.image.block_size,
            "blocks_total": self.blocks.total,
            "blocks_to_send": self.blocks_to_send,
            "seconds": round(self.seconds, 1),
            "image_transfer_enabled": self.state.enabled,
            "image_transfer_status": self.state.status.label,
            "block_request_size": self.block_request_size,
            "max_send_pdu_size": self.max_send_pdu_size,
            "activation": self.activation.value,
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an update: which image, under which identifier, and how."""

    image: FirmwareImage
    identifier: bytes
    policy: UpdatePolicy


async def make_plan(
    meter: UpdatedMeter,
    name: str,
    version: str | None,
    memory: Memory,
    asked: Asked,
    *,
    clock: Callable[[], float],
) -> Plan:
    """Read what decides beside name and version, and decide. Changes nothing in the meter."""
    began = clock()
    state = await meter.state()
    round_trip = (clock() - began) / _READS_OF_STATE
    octets, size = len(asked.image), state.block_size
    identity = ImageIdentity(asked.image.sha256, asked.identifier.hex(), octets, size.octets)
    blocks, odd = reconciled(state.bits, state.first_missing, size.block_count(octets))
    standing = Standing(version, state.status, blocks)
    decision, said = decide(identity, standing, memory, asked.policy.expected_version)
    client, context = meter.reach.client, meter.reach.client.context
    request_size = client.sealed_size(_block_request(meter.transfer.obis, min(size.octets, octets)))
    findings = [finding for finding in (odd, said) if finding is not None]
    if decision is not Decision.NOTHING:
        findings += _obstacles(state, context, request_size)
        findings += _connection_notes(client, asked.policy)
        findings += _version_notes(version, asked.policy, meter.elsewhere)
    return Plan(
        meter=name,
        image=identity,
        version=version,
        expected_version=asked.policy.expected_version,
        state=state,
        blocks=blocks,
        decision=decision,
        block_request_size=request_size,
        max_send_pdu_size=context.max_send_pdu_size,
        round_trip=round_trip,
        activation=asked.policy.activation,
        findings=tuple(findings),
        somebody_may_transfer=decision is Decision.BEGIN and _may_be_foreign(state, memory),
    )


def _may_be_foreign(state: TransferState, memory: Memory) -> bool:
    """Whether a transfer that has begun may be somebody else's: it is, unless our journal explains it."""
    if state.status is not _Status.TRANSFER_INITIATED:
        return False
    if memory.image is None or memory.image.block_size != state.block_size.octets:
        return True
    left, _ = reconciled(state.bits, state.first_missing, state.block_size.block_count(memory.image.size))
    return not memory.explains(left)


_READS_OF_STATE: Final = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a meter stands: what runs, attribute 6, and the blocks it holds."""

    version: str | None
    status: ImageTransferStatus
    blocks: BlockMap


def decide(
    identity: ImageIdentity, standing: Standing, memory: Memory, expected_version: str | None
) -> tuple[Decision, Finding | None]:
    """What may be done. Only our own journal can tell that a begun transfer is ours; where it can't, begin anew."""
    ours = memory.image == identity
    if ours and memory.activating:
        said = "an activation of ours has not been seen to end yet"
        return Decision.CONFIRM, _note("activation-undecided", said)
    runs = _runs_already(identity, standing.version, memory, expected_version)
    if runs is not None:
        return Decision.NOTHING, runs
    if standing.status in _WAITING:
        said = f"the meter is at {standing.status.label}: waiting, not initiating"
        return Decision.WAIT, _note("meter-busy", said)
    if not ours or memory.runs is not None:
        return Decision.BEGIN, None
    return _going_on(standing, memory)


def _runs_already(
    identity: ImageIdentity, version: str | None, memory: Memory, expected_version: str | None
) -> Finding | None:
    """How it is known that nothing is to be done, if it is."""
    if version is None:
        return None
    if version == expected_version:
        return _note("runs-already", f"{version} runs already")
    same_image = memory.image is not None and memory.image.sha256 == identity.sha256
    if same_image and memory.runs == version:
        return _note("runs-already", f"this very image was seen to begin running here: {version}")
    return None


def _going_on(standing: Standing, memory: Memory) -> tuple[Decision, Finding | None]:
    """What may be done with a transfer that our journal says is ours: go on, if the block map says so too."""
    explained = memory.explains(standing.blocks)
    match standing.status:
        case _Status.VERIFICATION_SUCCESSFUL if memory.verified or explained:
            return Decision.ACTIVATE, None
        case _Status.TRANSFER_INITIATED if explained:
            return (Decision.VERIFY if standing.blocks.is_full else Decision.RESUME), None
        case _Status.VERIFICATION_SUCCESSFUL | _Status.TRANSFER_INITIATED:
            return Decision.BEGIN, FOREIGN_IMAGE
        case _:
            return Decision.BEGIN, None


_WAITING: Final = frozenset({_Status.VERIFICATION_INITIATED, _Status.ACTIVATION_INITIATED})
FOREIGN_IMAGE: Final = Finding(
    Level.WARNING,
    "foreign-image",
    "the block map is not the one we left: somebody else has begun an image since; beginning anew",
    hint="find out who else updates this meter",
)


def _note(code: str, message: str) -> Finding:
    return Finding(Level.INFO, code, message)


def _connection_notes(client: Client, policy: UpdatePolicy) -> list[Finding]:
    cannot_come_back = policy.activation is Activation.NOW and not client.can_reconnect
    encrypted_only = client.settings.credentials.policy is SecurityPolicy.ENCRYPTED
    return [_CANNOT_COME_BACK] * cannot_come_back + [_ENCRYPTED_ONLY] * encrypted_only


_CANNOT_COME_BACK: Final = Finding(
    Level.ERROR,
    "cannot-come-back",
    "this connection was given to us open: once the meter reboots, what runs then cannot be seen from here",
    hint="transfer and verify over it with activation never; activate over a connection that can be made anew",
)


_ENCRYPTED_ONLY: Final = Finding(
    Level.WARNING,
    "encrypted-only",
    "blocks are encrypted and not authenticated here: whoever is on the line can change bits of them unseen",
    hint="use a client address that authenticates too; else nothing but the maker's signature protects the image",
)


def _obstacles(state: TransferState, context: Context, request_size: int) -> list[Finding]:
    found: list[Finding] = []
    if Conformance.ACTION not in context.conformance:
        found.append(
            Finding(
                Level.ERROR,
                "action-not-granted",
                "the meter did not grant the ACTION service in this association: its methods cannot be called",
                hint="use the client address that is meant for firmware",
            )
        )
    if not context.carries(request_size):
        found.append(
            Finding(
                Level.ERROR,
                "block-larger-than-pdu",
                f"a block of {state.block_size.octets} octets makes a request of {request_size}, protection included,"
                f" and the meter takes {context.max_send_pdu_size or LARGEST_PDU}",
                hint="the meter contradicts itself: ask its maker, or associate with a larger maximum PDU size",
            )
        )
    return found


def _version_notes(version: str | None, policy: UpdatePolicy, elsewhere: Elsewhere | None) -> list[Finding]:
    if version is None:
        where = "over this client address" if elsewhere is None else f"as {elsewhere}"
        return [
            Finding(
                Level.WARNING,
                "version-unreadable",
                f"{policy.version_object} cannot be read {where}: what runs before and after is unknown",
                hint="name the object that holds the firmware's version (--version-object),"
                " or another client address that is shown it: --version-meter",
            )
        ]
    if policy.expected_version is None and policy.activation is Activation.NOW:
        return [_note("version-unknown", "no expected version was given: a change is all that can be proved")]
    return []


def _block_request(instance: Obis, block: int) -> ActionRequestNormal:
    """An ACTION request that carries a block of so many octets."""
    parameter = Data(DataTag.STRUCTURE, (double_long_unsigned(0), octet_string(bytes(block))))
    transfer = ImageTransfer.image_block_transfer
    method = MethodDescriptor(ImageTransfer.class_id, instance, transfer.method_id)
    return ActionRequestNormal(CONFIRMED, method, parameter)
