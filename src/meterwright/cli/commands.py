"""The commands, and the one place where a command's end becomes an exit code.

A command returns its code or raises; `run_command_line` tells what was raised (see `errors`) and never lets a traceback out.
The commands themselves are named here and imported when they are called.
"""

import importlib.metadata
from collections.abc import Sequence
from typing import Final

from cyclopts import App, Parameter
from rich.text import Text

from meterwright.cli.output import complain_on, prepare_streams, silence_stdout

__all__ = ["app", "run_command_line"]

_NO_NEGATIVES: Final = Parameter(negative=())
_HERE: Final = "meterwright.cli"
_LISTING: Final = frozenset({"firmware", "keys", "--help", "-h"})
"""Arguments that make a list of commands, if there are no others."""
_INTERRUPTED: Final = 130
_UNREAD: Final = 1


def _version() -> str:
    return importlib.metadata.version("meterwright")


app = App(
    name="meterwright",
    help="Talks to DLMS/COSEM smart meters (IEC 62056): reads them, explains them, updates their firmware, simulates them.",
    help_epilogue=(
        "Exit codes: 0 done, 1 failed, 2 wrong use, 3 nothing to do, 4 refused by plan or policy, 5 unreachable or silent, "
        "6 security, 7 rejected by the meter, 130 interrupted (the meter is released first)."
    ),
    version=_version,
    default_parameter=_NO_NEGATIVES,
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
firmware = App(
    name="firmware",
    help="The firmware of one meter: what runs, what an update would do, and the update.",
    default_parameter=_NO_NEGATIVES,
)
keys = App(
    name="keys",
    help="Keys of meters: a maker's list becomes a file for each meter.",
    default_parameter=_NO_NEGATIVES,
)
app.command(firmware)
app.command(keys)
app.command(f"{_HERE}.get:get")
app.command(f"{_HERE}.objects:objects")
firmware.command(f"{_HERE}.firmware:plan")
firmware.command(f"{_HERE}.firmware:update")
firmware.command(f"{_HERE}.firmware_status:status")
keys.command(f"{_HERE}.key_import.command:import_keys", name="import")
app.command(f"{_HERE}.explain:explain")
app.command(f"{_HERE}.simulate:simulate")
app.command(f"{_HERE}.demo:demo")
app.command(f"{_HERE}.settings:show_config", name="--show-config")


def run_command_line(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    prepare_streams()
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        complain_on().print(Text("interrupted"))
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read our results went away: nobody is left to tell
        silence_stdout()
        return _UNREAD


def _run(arguments: Sequence[str]) -> int:
    if _LISTING.issuperset(arguments):
        _import_commands()
    try:
        code = app(arguments)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        from meterwright.cli.endings import tell  # noqa: PLC0415 - only a command that fails needs all that

        return tell(error, arguments)
    return int(code) if isinstance(code, int) else 0


def _import_commands() -> None:
    """A command that is listed is described by its own docstring."""
    for group in (app, firmware, keys):
        for name in group:
            group[name]  # looking it up imports it
