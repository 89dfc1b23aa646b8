"""`meterwright simulate`: meters that are not there, on TCP ports of this machine, until somebody says stop."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from cyclopts import Group, Parameter
from rich.text import Text

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.output import complain_on, print_json
from meterwright.cli.running import Interrupted, run
from meterwright.cli.words import AUTHENTICATIONS, POLICIES, SUITES
from meterwright.client import Scheme
from meterwright.errors import UsageError
from meterwright.simulator import (
    FAULTS,
    DirectoryStorage,
    MeterSettings,
    MeterStorage,
    SecuritySettings,
    SimulatedMeter,
    SimulatedService,
    Timing,
    is15959_config,
    is15959_meter,
    meter_name,
    plain_config,
    plain_meter,
    with_faults,
)

__all__ = ["simulate"]

T = TypeVar("T")

_TIMING: Final = Group("Timing", help="How long a simulated meter takes, in seconds.")
_STANDARD: Final = MeterSettings()
_MOST_METERS: Final = 10_000
_LONGEST: Final = 86_400.0

_LINKS: Final[Mapping[str, Scheme]] = {
    "wrapper": Scheme.TCP,
    "hdlc": Scheme.HDLC_TCP,
    "udp": Scheme.UDP,
}


def simulate(
    *,
    count: Annotated[int, Parameter(help="How many meters.")] = 1,
    bind: Annotated[
        str,
        Parameter(
            help="Address to listen on. Whoever reaches it may do anything with these meters: everybody knows their keys."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, Parameter(help="Port of the first meter, the others follow; 0 takes free ones.")
    ] = 4059,
    link: Annotated[
        str,
        Parameter(help="What carries the APDUs: wrapper or hdlc over TCP, or udp (the wrapper over UDP)."),
    ] = "wrapper",
    companion: Annotated[
        str,
        Parameter(
            help="What kind of meter: plain, or is15959, which has its own associations and ignores the three options below."
        ),
    ] = "plain",
    authentication: Annotated[
        str,
        Parameter(help=f"How client 1 proves who it is: {', '.join(AUTHENTICATIONS)}."),
    ] = "none",
    security: Annotated[
        str,
        Parameter(help=f"How its APDUs are protected: {', '.join(POLICIES)}."),
    ] = "none",
    suite: Annotated[int, Parameter(help="Security suite: 0, 1 or 2; high-ecdsa wants 1 or 2.")] = 0,
    image_block_size: Annotated[
        int, Parameter(help="Octets of an image block; each but the last must be exactly as long.")
    ] = _STANDARD.image_block_size,
    max_pdu: Annotated[
        int, Parameter(help="The largest APDU the meter takes, in octets; 0 means any.")
    ] = _STANDARD.max_receive_pdu_size,
    logical_devices: Annotated[
        int, Parameter(help="How many logical devices a plain meter has, from service access point 1 on.")
    ] = _STANDARD.logical_devices,
    fault: Annotated[
        tuple[str, ...],
        Parameter(
            help=f"What is wrong with the meters; may be repeated: {', '.join(FAULTS)}.", show_default=False
        ),
    ] = (),
    state_dir: Annotated[
        Path | None,
        Parameter(help="Where state is kept, in a folder for each meter. A new temporary one unless given."),
    ] = None,
    seed: Annotated[int, Parameter(help="What the meters measure depends on it.")] = 0,
    verify_seconds: Annotated[
        float, Parameter(group=_TIMING, help="To verify an image.")
    ] = _STANDARD.timing.verify_seconds,
    activate_seconds: Annotated[
        float, Parameter(group=_TIMING, help="To activate it.")
    ] = _STANDARD.timing.activate_seconds,
    reboot_seconds: Annotated[
        float, Parameter(group=_TIMING, help="To come up again, unreachable meanwhile.")
    ] = _STANDARD.timing.reboot_seconds,
) -> int:
    """Simulate meters.

    Without --authentication and --security a plain meter has one association, client 16, with all rights; with them client 1 has
    all rights, and client 16 is public. An is15959 meter has the clients 16, 32, 48, and 80 for firmware. Keys are the books'
    test keys; the file named `config` holds all that a client needs.

    Prints a JSON line for each meter once it listens, and runs until it is told to stop (Ctrl-C or SIGTERM). State
    survives: the same --state-dir brings the same meters back, with their firmware and half-transferred images.
    """
    _require_in_range(count, port)
    kind = _kind(companion)
    settings = with_faults(
        MeterSettings(
            image_block_size=image_block_size,
            max_receive_pdu_size=_pdu_size(max_pdu),
            seed=seed,
            logical_devices=logical_devices,
            timing=_timing(verify_seconds, activate_seconds, reboot_seconds),
            security=_security(authentication, security, suite),
        ),
        fault,
    )
    folder = state_dir if state_dir is not None else _fresh_folder()
    try:
        return run(_simulate(kind, settings, folder, scheme=_scheme(link), count=count, bind=bind, port=port))
    except Interrupted as stopped:
        if stopped.by_request:
            return ExitCode.DONE
        raise


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of meter: how one is made, and how the file for its client is written."""

    make: Callable[[int, MeterSettings, MeterStorage], SimulatedMeter]
    describe: Callable[[SimulatedMeter, str], str]


_KINDS: Final[Mapping[str, _Kind]] = {
    "plain": _Kind(
        lambda serial, settings, storage: plain_meter(serial, settings, storage=storage), plain_config
    ),
    "is15959": _Kind(
        lambda serial, settings, storage: is15959_meter(serial, settings, storage=storage), is15959_config
    ),
}


async def _simulate(
    kind: _Kind, settings: MeterSettings, folder: Path, *, scheme: Scheme, count: int, bind: str, port: int
) -> int:
    meters = [
        kind.make(serial, settings, DirectoryStorage(folder / meter_name(serial)))
        for serial in range(1, count + 1)
    ]
    service = SimulatedService(
        meters,
        bind=bind,
        port=port,
        state_dir=folder,
        scheme=scheme,
        describe=kind.describe,
    )
    try:
        for meter in await service.start():
            config = None if meter.config is None else str(meter.config)
            print_json({"event": "listening", "meter": meter.meter, "url": meter.url, "config": config})
        await asyncio.Event().wait()
    finally:
        await service.stop()
    return ExitCode.DONE


def _fresh_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="meterwright-simulate-"))
    complain_on().print(Text(f"state is kept in {folder}; --state-dir names another place"))
    return folder


def _kind(companion: str) -> _Kind:
    return _chosen("--companion", companion, _KINDS)


def _scheme(link: str) -> Scheme:
    return _chosen("--link", link, _LINKS)


def _security(authentication: str, security: str, suite: int) -> SecuritySettings:
    return SecuritySettings(
        authentication=_chosen("--authentication", authentication, AUTHENTICATIONS),
        policy=_chosen("--security", security, POLICIES),
        suite=_chosen("--suite", str(suite), SUITES),
    )


def _chosen(option: str, value: str, known: Mapping[str, T]) -> T:
    try:
        return known[value]
    except KeyError:
        raise UsageError(
            f"{option} {value}: there is no such thing", hint=f"known are {', '.join(known)}"
        ) from None


def _require_in_range(count: int, port: int) -> None:
    if not 1 <= count <= _MOST_METERS:
        raise UsageError(f"--count {count} is not among 1 to {_MOST_METERS}")
    if not 0 <= port <= 0xFFFF:
        raise UsageError(f"--port {port} is not among 0 to 65535")


def _pdu_size(octets: int) -> int:
    if octets and not 64 <= octets <= 0xFFFF:
        raise UsageError(f"--max-pdu {octets} is not 0 and not among 64 to 65535", hint="--max-pdu 1024")
    return octets


def _timing(verify: float, activate: float, reboot: float) -> Timing:
    for option, seconds in (
        ("--verify-seconds", verify),
        ("--activate-seconds", activate),
        ("--reboot-seconds", reboot),
    ):
        if not 0 <= seconds <= _LONGEST:
            raise UsageError(f"{option} {seconds:g} is not among 0 to {_LONGEST:g}")
    return Timing(verify_seconds=verify, activate_seconds=activate, reboot_seconds=reboot)
