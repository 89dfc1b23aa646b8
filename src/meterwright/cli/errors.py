"""How a command's end is told: what happened, where, whose fault it is, what to try. Never a traceback, unless asked for.

An exception that is none of ours is a bug: its traceback goes to a file, the user gets one line and the file's name.
"""

import re
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cyclopts import CycloptsError
from rich.text import Text

from meterwright.cli.exit_codes import exit_code
from meterwright.cli.output import complain_on, debugging, printable
from meterwright.errors import MeterwrightError, UsageError

__all__ = ["as_json", "of_bug", "of_wrong_use", "show"]

_WORD_BORDER: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def show(error: MeterwrightError, title: str = "error") -> None:
    """Tell an error on stderr."""
    console = complain_on()
    console.print(Text.assemble((f"{title}: ", "bold red"), printable(error.what)))
    for name, told in (("where", str(error.where)), ("fault of", error.blame.value), ("try", error.hint)):
        if told:
            console.print(Text(f"  {name}: {printable(told)}"))
    if debugging():
        console.print(Text("".join(traceback.format_exception(error)), style="dim"))


def as_json(error: MeterwrightError) -> dict[str, object]:
    """The JSON line of an error."""
    return {
        "event": "error",
        "kind": _WORD_BORDER.sub("-", type(error).__name__).lower(),
        "message": error.what,
        "layer": error.where.layer,
        "offset": error.where.offset,
        "about": error.where.about,
        "blame": error.blame.value,
        "hint": error.hint,
        "exit_code": int(exit_code(error)),
    }


def of_wrong_use(error: CycloptsError) -> UsageError:
    """What the argument parser found, in our words."""
    command = " ".join(["meterwright", *(error.command_chain or ())])
    return UsageError(str(error).rstrip("."), layer="command line", hint=f"{command} --help")


def of_bug(bug: Exception, folder: Path) -> MeterwrightError:
    """What is told when we broke down; the traceback goes to a file in `folder`."""
    told = MeterwrightError(
        f"this is a bug of Meterwright, not a mistake of yours: {type(bug).__name__}: {bug}",
        hint=f"report it with {_keep(bug, folder)}, or set METERWRIGHT_DEBUG=1 to see the traceback",
    )
    told.__cause__ = bug
    return told


def _keep(bug: Exception, folder: Path) -> str:
    """Write the traceback down, for its owner's eyes alone; the name of the file."""
    text = "".join(traceback.format_exception(bug))
    name = f"bug-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.txt"
    for place in (folder, Path(tempfile.gettempdir())):
        path = place / name
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return str(path)
    return "this message (no file could be written)"
