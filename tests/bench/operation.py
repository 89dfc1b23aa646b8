"""One piece of codec work that both sides do."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Operation"]


@dataclass(frozen=True, slots=True)
class Operation:
    """`key` is the measure's, `peer` the name of the same work in gurux_bench.py; `scale` counts the rows of one go.

    `limit`: what no library of this kind can do without. It is timed too, and `<key>_limit` is the measure of both.
    """

    key: str
    peer: str
    octets: bytes
    work: Callable[[], object]
    scale: int = 1
    limit: Callable[[], object] | None = None
