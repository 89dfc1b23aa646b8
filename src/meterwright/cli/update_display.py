"""How an update is watched: a bar where there is a terminal, plain lines where there is none, JSON lines for programs.

All three are listeners to the one stream of events; none of them changes what the update does.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from meterwright.cli.output import print_json, printable, status_on
from meterwright.firmware import FindingRaised, Phase, PhaseEntered, Progress, UpdateEvent, UpdateResult
from meterwright.values import Finding, Level

__all__ = ["PHASES", "Listener", "duration", "show_finding", "watching"]

Listener = Callable[[UpdateEvent], None]

PHASES: Final = {
    Phase.PLANNING: "reading what decides",
    Phase.ENABLING: "enabling the image transfer",
    Phase.INITIATING: "initiating; the meter may erase its flash",
    Phase.TRANSFERRING: "transferring",
    Phase.VERIFYING: "the meter verifies",
    Phase.INSPECTING: "comparing what it will activate",
    Phase.ACTIVATING: "activating",
    Phase.CONFIRMING: "waiting for the new firmware to be seen",
}
"""What happens in each phase, for people."""
_LEVELS: Final = {
    Level.INFO: ("note", "cyan"),
    Level.WARNING: ("warning", "yellow"),
    Level.ERROR: ("error", "bold red"),
}
_STEPS: Final = 10
_SHORTEST_BAR: Final = 5
_LONGEST_BAR: Final = 30
_BESIDE_THE_BAR: Final = 76
_MANY: Final = 10 * 1024


class _Display(Protocol):
    """What shows phases and progress."""

    def phase(self, phase: Phase) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    def finding(self, finding: Finding) -> None: ...


@contextmanager
def watching(*, json: bool) -> Generator[Listener]:
    """A listener for one update, for as long as it runs."""
    if json:
        yield lambda event: print_json(event.as_json())
        return
    console = status_on()
    if console.is_terminal:
        with _bar(console) as bar:
            yield _for_people(_OnTerminal(bar))
    else:
        yield _for_people(_InLines(console))


def show_finding(console: Console, finding: Finding) -> None:
    """A finding in a line or two."""
    word, style = _LEVELS[finding.level]
    console.print(Text.assemble((f"{word}: ", style), printable(finding.message)))
    if finding.hint:
        console.print(Text(f"  try: {printable(finding.hint)}"))


def duration(seconds: float) -> str:
    """A time a person can grasp: `42 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if seconds >= 1 or not seconds else "less than a second"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _for_people(display: _Display) -> Listener:
    def listen(event: UpdateEvent) -> None:
        match event:
            case PhaseEntered(phase):
                display.phase(phase)
            case Progress():
                display.progress(event)
            case FindingRaised(finding) if finding.level is not Level.ERROR:
                display.finding(finding)
            case FindingRaised() | UpdateResult():
                pass  # what went wrong is told at the end, with whose fault it is

    return listen


class _InLines:
    """Plain lines: a phase when it begins, progress at every tenth."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = -1

    def phase(self, phase: Phase) -> None:
        self._console.print(Text(f"{phase.value}: {PHASES[phase]}"))

    def progress(self, progress: Progress) -> None:
        step = progress.blocks_done * _STEPS // progress.blocks_total
        if step != self._told:
            self._told = step
            told = f"{progress.blocks_done}/{progress.blocks_total} blocks, {_octets(progress)}{_speed(progress)}"
            self._console.print(Text(f"  {step * 100 // _STEPS:3} %: {told}"))

    def finding(self, finding: Finding) -> None:
        show_finding(self._console, finding)


class _OnTerminal:
    """A bar that stays at the bottom; findings pass above it."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("connecting", total=None, told="")

    def phase(self, phase: Phase) -> None:
        self._bar.update(self._task, description=phase.value, told=PHASES[phase])

    def progress(self, progress: Progress) -> None:
        told = f"{progress.blocks_done}/{progress.blocks_total} blocks, {_octets(progress)}{_speed(progress)}"
        self._bar.update(self._task, total=progress.blocks_total, completed=progress.blocks_done, told=told)

    def finding(self, finding: Finding) -> None:
        show_finding(self._bar.console, finding)


class _Percent(ProgressColumn):
    """How much is done, once anything is known of it."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.percentage:3.0f} %")


def _bar(console: Console) -> Bar:
    return Bar(
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=max(_SHORTEST_BAR, min(_LONGEST_BAR, console.width - _BESIDE_THE_BAR))),
        _Percent(table_column=Column(no_wrap=True, min_width=5)),
        TextColumn("{task.fields[told]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=console,
        transient=True,
    )


def _octets(progress: Progress) -> str:
    if progress.octets_total < _MANY:
        return f"{progress.octets_done}/{progress.octets_total} octets"
    return f"{progress.octets_done / 1024:.1f}/{progress.octets_total / 1024:.1f} KiB"


def _speed(progress: Progress) -> str:
    if not progress.rate:
        return ""
    left = "" if progress.eta is None else f", {duration(progress.eta)} left"
    return f", {progress.rate:.0f} blocks/s{left}"
