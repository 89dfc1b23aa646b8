"""What a command leaves behind when it ends with an error: words on stderr, with `--json` a line on stdout, an exit code.

That line is the error's own (see `errors.as_json`), but for `firmware update`: its stream always ends with a result.
"""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import platformdirs
from cyclopts import CycloptsError

from meterwright.cli.errors import as_json, of_bug, of_wrong_use, show
from meterwright.cli.exit_codes import exit_code
from meterwright.cli.output import print_json
from meterwright.errors import MeterwrightError, UsageError
from meterwright.firmware import Outcome, UpdateFailed, UpdateRefused, UpdateResult

__all__ = ["tell"]

_UPDATE: Final = ("firmware", "update")


def tell(end: Exception, arguments: Sequence[str]) -> int:
    """Tell what ended a command; the exit code. What is neither ours nor the argument parser's is a bug."""
    match end:
        case MeterwrightError():
            error = end
        case CycloptsError():
            error = of_wrong_use(end)
        case OSError(errno=errno.ENOSPC):
            error = UsageError(f"cannot write: {end.strerror}", hint="make room, or write elsewhere")
        case _:
            error = of_bug(end, Path(platformdirs.user_log_dir("meterwright", appauthor=False)))
    show(error)
    if "--json" in arguments:
        print_json(_result_line(error) if tuple(arguments[:2]) == _UPDATE else as_json(error))
    return exit_code(error)


def _result_line(error: MeterwrightError) -> dict[str, object]:
    """The result of an update that never began, or broke down."""
    if isinstance(error, UpdateFailed):
        failure = error
    elif isinstance(error, UsageError):
        failure = UpdateRefused("wrong-use", str(error), hint=error.hint)
    else:
        failure = UpdateFailed("broke-down", str(error), hint=error.hint)
    outcome = Outcome.REFUSED if isinstance(failure, UpdateRefused) else Outcome.FAILED
    return UpdateResult(outcome, findings=(failure.finding,), failure=failure).as_json()
