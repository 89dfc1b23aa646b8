"""`meterwright simulate`: meters that are not there, on TCP ports of this machine, until somebody says stop."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Group, Parameter
from rich.text import Text

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.output import complain_on, print_json
from meterwright.cli.running import Interrupted, run
from meterwright.errors import UsageError
from meterwright.simulator import (
    DirectoryStorage,
    PlainSettings,
    SimulatedMeter,
    SimulatedService,
    Timing,
    meter_name,
    plain_meter,
)

__all__ = ["simulate"]

_TIMING: Final = Group("Timing", help="How long a simulated meter takes, in seconds.")
_STANDARD: Final = PlainSettings()
_MOST_METERS: Final = 10_000
_LONGEST: Final = 86_400.0

_BUILT: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "--link": ("wrapper", ("hdlc",)),
    "--companion": ("plain", ("is15959",)),
    "--authentication": (
        "none",
        ("low", "high", "high-md5", "high-sha1", "high-gmac", "high-sha256", "high-ecdsa"),
    ),
    "--security": ("none", ("authenticated", "encrypted", "authenticated-encrypted")),
}
"""Option, what this build has for it, and what later ones will have."""


def simulate(
    *,
    count: Annotated[int, Parameter(help="How many meters.")] = 1,
    bind: Annotated[
        str, Parameter(help="Address to listen on. Whoever reaches it may do anything with these meters.")
    ] = "127.0.0.1",
    port: Annotated[
        int, Parameter(help="Port of the first meter, the others follow; 0 takes free ones.")
    ] = 4059,
    link: Annotated[str, Parameter(help="What carries the APDUs: wrapper.")] = "wrapper",
    companion: Annotated[str, Parameter(help="What kind of meter: plain.")] = "plain",
    authentication: Annotated[str, Parameter(help="How clients prove who they are: none.")] = "none",
    security: Annotated[str, Parameter(help="How APDUs are protected: none.")] = "none",
    suite: Annotated[int | None, Parameter(show=False)] = None,
    image_block_size: Annotated[
        int, Parameter(help="Octets of an image block; each but the last must be exactly as long.")
    ] = _STANDARD.image_block_size,
    max_pdu: Annotated[
        int, Parameter(help="The largest APDU the meter takes, in octets; 0 means any.")
    ] = _STANDARD.max_receive_pdu_size,
    fault: Annotated[tuple[str, ...], Parameter(show=False)] = (),
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

    Prints a JSON line for each meter once it listens, and runs until it is told to stop (Ctrl-C or SIGTERM). State
    survives: the same --state-dir brings the same meters back, with their firmware and half-transferred images.
    """
    for option, value in (
        ("--link", link),
        ("--companion", companion),
        ("--authentication", authentication),
        ("--security", security),
    ):
        _require_built(option, value)
    _refuse_what_comes_later(suite, fault)
    _require_in_range(count, port)
    settings = PlainSettings(
        image_block_size=image_block_size,
        max_receive_pdu_size=_pdu_size(max_pdu),
        seed=seed,
        timing=_timing(verify_seconds, activate_seconds, reboot_seconds),
    )
    folder = state_dir if state_dir is not None else _fresh_folder()
    try:
        return run(_simulate(settings, folder, count=count, bind=bind, port=port))
    except Interrupted as stopped:
        if stopped.by_request:
            return ExitCode.DONE
        raise


async def _simulate(settings: PlainSettings, folder: Path, *, count: int, bind: str, port: int) -> int:
    meters = [_meter(serial, settings, folder) for serial in range(1, count + 1)]
    service = SimulatedService(meters, bind=bind, port=port, state_dir=folder)
    try:
        for meter in await service.start():
            config = None if meter.config is None else str(meter.config)
            print_json({"event": "listening", "meter": meter.meter, "url": meter.url, "config": config})
        await asyncio.Event().wait()
    finally:
        await service.stop()
    return ExitCode.DONE


def _meter(serial: int, settings: PlainSettings, folder: Path) -> SimulatedMeter:
    return plain_meter(serial, settings, storage=DirectoryStorage(folder / meter_name(serial)))


def _fresh_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="meterwright-simulate-"))
    complain_on().print(Text(f"state is kept in {folder}; --state-dir names another place"))
    return folder


def _require_built(option: str, value: str) -> None:
    built, later = _BUILT[option]
    if value == built:
        return
    if value in later:
        raise UsageError(f"{option} {value} is not in this build", hint=f"{option} {built}")
    raise UsageError(f"{option} {value}: there is no such thing", hint=f"{option} {built}")


def _refuse_what_comes_later(suite: int | None, fault: tuple[str, ...]) -> None:
    if suite is not None:
        raise UsageError(
            f"--suite {suite} is not in this build: its meters have no security", hint="leave it out"
        )
    if fault:
        raise UsageError(
            f"--fault {fault[0]} is not in this build: its meters have no faults", hint="leave it out"
        )


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
