"""The numbers as a table for people."""

import platform
from collections.abc import Sequence

from tests.bench.measures import Row

__all__ = ["table"]

_HEADINGS = ("what", "unit", "ours", "±", "beside", "", "±", "ratio", "lowest–highest")
_TEXTS = (0, 1, 4)
"""These columns hold text and are flush left; all others hold numbers."""


def table(rows: Sequence[Row], rounds: int) -> str:
    """One line a row, and what the columns mean."""
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(cells[column]) for cells in lines) for column in range(len(_HEADINGS))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    heading, *body = (_line(cells, widths) for cells in lines)
    return "\n".join(
        [
            f"Meterwright beside gurux-dlms, Python {platform.python_version()}, all on one core; median of {rounds} rounds",
            rule,
            heading,
            rule,
            *body,
            rule,
            "± is half of what lies between the lowest and the highest round. The ratio says how many times as good we are",
            "(for times: how many times as short), round by round. CPU s are seconds of the client's processor.",
            "AESGCM is one bare call of `AESGCM.encrypt` on octets of the same length: less than that nobody can do.",
            "iter_unpack is one bare `struct.Struct.iter_unpack` over the same buffer, which looks at no tag and no length.",
        ]
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.measure.what,
        row.measure.unit,
        _number(row.ours.median),
        f"{row.ours.spread:.0%}",
        row.measure.beside,
        _number(row.other.median),
        f"{row.other.spread:.0%}",
        f"{_ratio(row.ratio.median)}×",
        f"{_ratio(row.ratio.low)}–{_ratio(row.ratio.high)}",
    )


def _number(value: float) -> str:
    """Three digits that count, and no more: 123 456 is 123 000."""
    if value < 100:
        return f"{value:.3g}"
    digits = len(str(int(value)))
    return f"{round(value, 3 - digits):,.0f}".replace(",", " ")


def _ratio(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if column in _TEXTS else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()
