"""The command line, `meterwright`. Nothing of it is imported before it runs: `main` is the way in, `app` its commands."""

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cyclopts import App

    app: App

__all__ = ["app", "main"]

_BROUGHT_BY_THE_EXTRA: Final = frozenset(
    {"cyclopts", "platformdirs", "pydantic", "pydantic_settings", "rich", "tomlkit"}
)
_INTERRUPTED: Final = 130


def main() -> int:
    """Run the command that this process was called with; the exit code."""
    try:
        from meterwright.cli.commands import run_command_line

        return run_command_line(sys.argv[1:])
    except ModuleNotFoundError as missing:
        if missing.name not in _BROUGHT_BY_THE_EXTRA:
            raise
        sys.stderr.write(
            f"error: the command line needs {missing.name}, which is not installed\n"
            "  try: pip install 'meterwright[cli]'\n"
        )
        return 1
    except KeyboardInterrupt:  # before anything was begun
        return _INTERRUPTED


def __getattr__(name: str) -> object:
    if name == "app":
        from meterwright.cli.commands import app as found

        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
