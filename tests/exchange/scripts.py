"""Runs an exchange against a list of answers, without any machine below it."""

from collections.abc import Iterable
from typing import TypeVar

from meterwright.apdu import Apdu
from meterwright.exchange import Ask, Exchange

__all__ = ["converse"]

T = TypeVar("T")


def converse(exchange: Exchange[T], answers: Iterable[Apdu | None]) -> tuple[T, list[Ask]]:
    """What the exchange returns, and what it asked, when these answers come in this order. All of them must be wanted."""
    asked: list[Ask] = []
    step = next(exchange)
    for answer in answers:
        assert isinstance(step, Ask)
        asked.append(step)
        try:
            step = exchange.send(answer)
        except StopIteration as end:
            result: T = end.value
            assert len(asked) == len(list(answers))
            return result, asked
    raise AssertionError(f"another answer is wanted, to {step}")
