"""Where words go: results to stdout, progress and complaints to stderr; with `--json` JSON lines and nothing else on stdout.

Colours only where a terminal shows them and NO_COLOR does not forbid them (rich sees to that).
"""

import io
import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import Final

from rich.console import Console

__all__ = [
    "complain_on",
    "debugging",
    "prepare_streams",
    "print_json",
    "printable",
    "silence_stdout",
    "status_on",
    "stdout",
]

_WIDE: Final = 200
"""Columns where no terminal sets them: a pipe must not see cut tables."""


def stdout() -> Console:
    """Where results for people go."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_WIDE)


def status_on() -> Console:
    """Where progress and status for people go: stderr."""
    console = Console(stderr=True, highlight=False)
    return console if console.is_terminal else Console(stderr=True, highlight=False, width=_WIDE)


def complain_on() -> Console:
    """Where complaints go: stderr, never wrapped, so that what is said can be copied."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(line: Mapping[str, object]) -> None:
    """One JSON line on stdout, sent off at once: somebody may be reading along."""
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.flush()


def printable(text: str) -> str:
    """The text with control characters written out: what a meter sends must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def debugging() -> bool:
    """Whether METERWRIGHT_DEBUG asks for tracebacks. Read from the environment alone: it must work when settings do not."""
    return os.environ.get("METERWRIGHT_DEBUG", "").lower() in ("1", "true", "yes", "on")


def prepare_streams() -> None:
    """Let no character that a console cannot show stop a command, and let warnings of the log be plain lines."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler()
    handler.setFormatter(_PlainLines("%(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def silence_stdout() -> None:
    """Nobody reads any more: let what is still buffered go nowhere, so that the interpreter ends quietly."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # not a stream of the system's: nothing can break
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


class _PlainLines(logging.Formatter):
    """A record as one line; its traceback only for whoever debugs."""

    def format(self, record: logging.LogRecord) -> str:
        if not debugging():
            record = logging.makeLogRecord({**vars(record), "exc_info": None, "exc_text": None})
        return super().format(record)
