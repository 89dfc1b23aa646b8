"""`meterwright firmware plan` and `update`: bringing one meter to another firmware, or saying what that would take.

The work is done in `meterwright.firmware`; here its arguments are read and its events told.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from meterwright.cli.errors import show
from meterwright.cli.exit_codes import ExitCode, exit_code
from meterwright.cli.meters import NamedMeter, named_meter, split_meter
from meterwright.cli.output import print_json, printable, status_on, stdout
from meterwright.cli.running import Interrupted, run
from meterwright.cli.settings import Settings, load_settings
from meterwright.cli.update_display import Listener, duration, show_finding, watching
from meterwright.client import Client
from meterwright.errors import UsageError
from meterwright.firmware import (
    Activation,
    Decision,
    Outcome,
    Plan,
    Progress,
    UpdateEvent,
    UpdateFailed,
    UpdatePolicy,
    UpdateResult,
)
from meterwright.firmware import plan as make_plan
from meterwright.firmware import update as bring_in
from meterwright.image import FirmwareImage, image_identifier
from meterwright.values import Obis

__all__ = ["plan", "update"]

_Url = Annotated[
    str,
    Parameter(
        name="URL", help="The meter's address, such as tcp://192.0.2.7?client=16. Left out with --meter."
    ),
]
_Image = Annotated[str | None, Parameter(name="IMAGE", help="The file that holds the firmware image.")]
_MeterFile = Annotated[Path | None, Parameter(help="The meter's file, instead of its URL.")]
_Identifier = Annotated[
    str | None,
    Parameter(
        help="What the image is called in this meter: text, or hex:… for octets. The maker tells it; it cannot be guessed."
    ),
]
_ExpectVersion = Annotated[
    str | None,
    Parameter(
        help="The version that must run afterwards. Without it only a change can be proved, not that it is the right one."
    ),
]
_VersionObject = Annotated[
    str | None,
    Parameter(
        help="The object that holds the version that runs. It differs between makers; the companion's unless given."
    ),
]
_VersionMeter = Annotated[
    Path | None,
    Parameter(
        help="Another file of the same meter, whose client reads the version where the firmware client is not shown it."
    ),
]
_Activate = Annotated[
    str,
    Parameter(
        help="now: the meter installs the image and reboots; it may be unreachable for minutes and does not go back by "
        "itself if the image is bad. never: stop after verification, which changes nothing that runs."
    ),
]
_TakeOver = Annotated[
    bool,
    Parameter(
        help="Begin anew although somebody else is transferring an image to this meter right now. Their transfer is lost, "
        "and if they do the same, both never end. Safer: let them finish."
    ),
]
_AnyIdentification = Annotated[
    bool,
    Parameter(
        help="Activate although the meter calls the image otherwise than --identifier. It may be another image altogether, "
        "for another meter. Safer: give the identifier that the meter shows, after asking the maker."
    ),
]
_Json = Annotated[bool, Parameter(help="JSON lines on stdout, and nothing else there.")]


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for, understood."""

    meter: NamedMeter
    image: FirmwareImage
    identifier: bytes
    policy: UpdatePolicy
    settings: Settings
    version_client: Callable[[], Client] | None


@dataclass(frozen=True, slots=True)
class _Version:
    """Where the version is read: which object, and over which other client of the meter."""

    object: str | None
    meter: Path | None


def plan(
    meter_url: _Url,
    image: _Image = None,
    /,
    *,
    meter: _MeterFile = None,
    identifier: _Identifier = None,
    expect_version: _ExpectVersion = None,
    version_object: _VersionObject = None,
    version_meter: _VersionMeter = None,
    activate: _Activate = Activation.NOW.value,
    json: _Json = False,
) -> int:
    """Say what an update would do, and do nothing.

    Reads everything that decides: what runs, the block size, the state of the image transfer, which blocks the meter holds
    already and whether they are of this image. Tells how many blocks are missing, about how long they take, and what stands
    in the way. Ends with 0 where an update can begin, 3 where nothing is to do, 4 where something stands in the way.
    """
    policy = UpdatePolicy(
        activation=_activation(activate),
        expected_version=expect_version,
    )
    order = _order((meter_url, image), meter, identifier, policy, _Version(version_object, version_meter))
    with order.image:
        made = run(
            make_plan(
                order.meter.client(),
                order.image,
                order.identifier,
                state=order.settings.state,
                policy=order.policy,
                version_client=order.version_client,
            )
        )
    if json:
        print_json(made.as_json())
    else:
        _show_plan(made)
    if made.obstacles:
        return ExitCode.REFUSED
    return ExitCode.NOTHING_TO_DO if made.decision is Decision.NOTHING else ExitCode.DONE


def update(
    meter_url: _Url,
    image: _Image = None,
    /,
    *,
    meter: _MeterFile = None,
    identifier: _Identifier = None,
    expect_version: _ExpectVersion = None,
    version_object: _VersionObject = None,
    version_meter: _VersionMeter = None,
    activate: _Activate = Activation.NOW.value,
    take_over: _TakeOver = False,
    any_identification: _AnyIdentification = False,
    json: _Json = False,
) -> int:
    """Bring a meter to run another firmware, and see that it does.

    Plans, enables, initiates, transfers, verifies, inspects, activates and confirms. It may be interrupted at any moment
    (Ctrl-C, a power cut, a lost line): the same command goes on from where it was and sends only what is missing. What is
    found in the meter and is not of this image is never gone on with.

    With --activate now the meter reboots into the new firmware. To see beforehand what will happen, use `firmware plan`;
    to prepare without rebooting, --activate never.
    """
    policy = UpdatePolicy(
        activation=_activation(activate),
        expected_version=expect_version,
        take_over=take_over,
        any_identification=any_identification,
    )
    order = _order((meter_url, image), meter, identifier, policy, _Version(version_object, version_meter))
    with order.image:
        result = _carried_out(order, json=json)
    if not json:
        _show_result(result)
    return _code_of(result)


def _carried_out(order: _Order, *, json: bool) -> UpdateResult:
    with watching(json=json) as listener:
        witness = _Witness(listener)
        client = order.meter.client()
        try:
            return run(
                bring_in(
                    client,
                    order.image,
                    order.identifier,
                    state=order.settings.state,
                    policy=order.policy,
                    version_client=order.version_client,
                    emit=witness,
                )
            )
        except Interrupted:
            witness.interrupted()
            raise


class _Witness:
    """Passes events on, and knows enough to end the stream with a result when the update is interrupted."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._progress: list[Progress] = []
        self._ended = False

    def __call__(self, event: UpdateEvent) -> None:
        if isinstance(event, Progress):
            self._progress = [*self._progress[:1], event]
        self._ended = self._ended or isinstance(event, UpdateResult)
        self._listener(event)

    def interrupted(self) -> None:
        """The last line of the stream is a result, however it ends. `blocks_sent` is what was told so far."""
        if self._ended:
            return
        sent = self._progress[-1].blocks_done - self._progress[0].blocks_done if self._progress else 0
        failure = UpdateFailed(
            "interrupted", "interrupted; the meter was released", hint="the same command goes on from here"
        )
        self._listener(
            UpdateResult(
                Outcome.FAILED, blocks_sent=max(sent, 0), findings=(failure.finding,), failure=failure
            )
        )


def _order(
    arguments: tuple[str, str | None],
    meter: Path | None,
    identifier: str | None,
    policy: UpdatePolicy,
    version: _Version,
) -> _Order:
    """What the arguments mean. UsageError where something is missing, or is of no use."""
    url, rest = split_meter(tuple(each for each in arguments if each is not None), meter)
    if len(rest) != 1:
        what = "no image is named" if not rest else f"{rest[1]!r} is one argument too many"
        raise UsageError(what, hint="give the meter, then the file: (URL | --meter FILE) IMAGE")
    if identifier is None:
        raise UsageError(
            "the image's identifier is not given, and cannot be guessed: each maker has a scheme of its own, meters refuse "
            "images by it, and neither the file nor the meter tells it",
            hint="--identifier TEXT or --identifier hex:…, as the maker's release notes say",
        )
    octets = image_identifier(identifier)
    settings = load_settings()
    named = named_meter(url, meter, settings)
    policy = replace(
        policy,
        version_object=_version_object(version.object, named.companion.version_object),
        image_transfer_object=named.companion.image_transfer_object,
    )
    version_client = None if version.meter is None else named_meter(None, version.meter, settings).client
    return _Order(named, FirmwareImage.open(Path(rest[0])), octets, policy, settings, version_client)


def _activation(text: str) -> Activation:
    try:
        return Activation(text)
    except ValueError:
        pass
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--activate {text}: there is no such thing", hint="--activate now or --activate never"
        ) from None
    raise UsageError(
        f"--activate {text}: scheduled activation is not in this build",
        hint="--activate never now, and the same command with --activate now when the time has come",
    )


def _version_object(text: str | None, usual: Obis) -> Obis:
    try:
        return usual if text is None else Obis.parse(text)
    except ValueError as error:
        raise UsageError(f"--version-object: {error}") from None


_OUTCOMES: Final = {
    Outcome.DONE: ExitCode.DONE,
    Outcome.NOTHING_TO_DO: ExitCode.NOTHING_TO_DO,
    Outcome.REFUSED: ExitCode.REFUSED,
    Outcome.FAILED: ExitCode.FAILED,
}


def _code_of(result: UpdateResult) -> ExitCode:
    return _OUTCOMES[result.outcome] if result.failure is None else exit_code(result.failure)


def _show_result(result: UpdateResult) -> None:
    if result.failure is not None:
        show(result.failure, result.outcome.value)
        return
    before, after = (
        printable(result.version_before or "unknown"),
        printable(result.version_after or "unknown"),
    )
    if result.outcome is Outcome.NOTHING_TO_DO:
        stdout().print(Text(f"nothing to do: {after} runs already"))
        return
    resumed = "" if result.resumed_from is None else f", resumed from block {result.resumed_from}"
    runs = f"{before} → {after}" if before != after else f"{after} runs, as before"
    stdout().print(
        Text.assemble(("done: ", "bold green"), f"{runs} ({result.blocks_sent} blocks sent{resumed})")
    )


def _show_plan(made: Plan) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    held = made.blocks.total - made.blocks_to_send
    expected = "" if made.expected_version is None else f", {made.expected_version} is expected afterwards"
    for name, told in (
        ("meter", made.meter),
        ("runs", f"{made.version or 'unknown'}{expected}"),
        ("image", f"{made.image.size} octets, sha-256 {made.image.sha256[:16]}…"),
        ("blocks", f"{made.blocks.total} of {made.image.block_size} octets; {held} need not be sent"),
        ("image transfer", f"{'enabled' if made.state.enabled else 'disabled'}, {made.state.status.label}"),
        ("decision", made.decision.value),
        ("to send", f"{made.blocks_to_send} blocks, about {duration(made.seconds)}"),
        ("activation", made.activation.value),
    ):
        table.add_row(Text(name, "bold"), Text(printable(told)))
    stdout().print(table)
    for finding in made.findings:
        show_finding(status_on(), finding)
    if made.somebody_may_transfer:
        status_on().print(
            Text(
                "note: a transfer has begun there that is not ours; an update watches it before it begins anew"
            )
        )
