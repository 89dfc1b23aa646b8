"""An explanation as text for people: offsets and octets on the left, names and values on the right, then what to do.

`render_lines` gives each line with its style and no colour; the command line turns styles into colours. Text from the wire is
made harmless before it comes here (`wording.safe`), but it may hold square brackets: print it as text, never as mark-up.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final

from meterwright.diagnose.explanation import Explanation, Json, Part, State
from meterwright.diagnose.wording import safe
from meterwright.values import Finding, Level

__all__ = ["Style", "render_lines", "render_text"]


class Style(Enum):
    """What a line is."""

    TITLE = "title"
    LAYER = "layer"
    GROUP = "group"
    READ = "read"
    ILLEGAL = "illegal"
    UNREAD = "unread"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    TRY = "try"
    PLAIN = "plain"


_PER_LINE: Final = 8
_MOST_LINES: Final = 3
_OFFSET: Final = 5
_OCTETS: Final = 3 * _PER_LINE - 1
_INDENT: Final = "  "
_STATES: Final = {
    State.READ: Style.READ,
    State.ILLEGAL: Style.ILLEGAL,
    State.UNREAD: Style.UNREAD,
    State.HIDDEN: Style.READ,
}
_LEVELS: Final = {Level.ERROR: Style.ERROR, Level.WARNING: Style.WARNING, Level.INFO: Style.INFO}


def render_text(explanation: Explanation) -> str:
    """The whole explanation as plain text."""
    return "".join(f"{text}\n" for _, text in render_lines(explanation))


def render_lines(explanation: Explanation) -> Iterator[tuple[Style, str]]:
    """Each line with what it is, so that it can be coloured."""
    for number, each in enumerate(explanation.all()):
        if number:
            yield Style.PLAIN, ""
        yield from _one(each)


def _one(explanation: Explanation) -> Iterator[tuple[Style, str]]:
    size = f" ({len(explanation.octets)} octets)" if explanation.octets else ""
    yield Style.TITLE, f"{explanation.type or _untyped(explanation)}{size}"
    for layer in explanation.layers:
        told = ", ".join(f"{name} {_shown(value)}" for name, value in layer.header.items())
        yield Style.LAYER, f"in {layer.kind}{': ' if told else ''}{told}"
    if explanation.part is not None:
        yield Style.PLAIN, ""
        for part in explanation.part.parts or (explanation.part,):
            yield from _part(part, 0)
    if explanation.findings:
        yield Style.PLAIN, ""
        yield Style.TITLE, f"Findings{', most likely first' if len(explanation.findings) > 1 else ''}:"
    for number, finding in enumerate(explanation.findings, start=1):
        yield from _finding(number, finding)


def _untyped(explanation: Explanation) -> str:
    """What carries no APDU: a telegram of text, or a frame alone."""
    return "no APDU" if explanation.part is None else explanation.part.name


def _shown(value: Json) -> str:
    """A field of a layer's header."""
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_shown(each)}" for name, each in value.items()) + ")"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else safe(str(value))


def _part(part: Part, depth: int) -> Iterator[tuple[Style, str]]:
    told = ": ".join(text for text in (part.name, part.value) if text)
    if part.parts:
        yield Style.GROUP, f"{'':{_OFFSET}}  {'':{_OCTETS}}  {_INDENT * depth}{told}"
        for each in part.parts:
            yield from _part(each, depth + 1)
        return
    style = _STATES[part.state]
    rows = list(_rows(part))
    for number, row in enumerate(rows):
        offset = f"{part.start + number * _PER_LINE:>{_OFFSET}}"
        text = f"{offset}  {row:{_OCTETS}}  {_INDENT * depth}{told if number == 0 else ''}"
        yield style, text.rstrip()


def _rows(part: Part) -> Iterator[str]:
    """The octets in lines of eight; a long run ends in how many there are."""
    if part.state is State.HIDDEN or not part.octets:
        yield "··" if part.octets else ""
        return
    shown = part.octets[: _PER_LINE * _MOST_LINES]
    for start in range(0, len(shown), _PER_LINE):
        yield shown[start : start + _PER_LINE].hex(" ")
    if len(shown) < len(part.octets):
        yield f"… {len(part.octets)} octets"


def _finding(number: int, finding: Finding) -> Iterator[tuple[Style, str]]:
    where = "" if finding.offset is None else f" [offset {finding.offset}]"
    yield _LEVELS[finding.level], f"{number:>2}. {finding.message}{where}"
    if finding.hint:
        yield Style.TRY, f"    try: {finding.hint}"
