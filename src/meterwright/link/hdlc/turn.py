"""Whose turn it is on a half duplex line, until when, and how often it was asked in vain: the client's book-keeping.

A question that was repeated may get two answers. How many may still come is counted (`surplus`), so that many that bring
nothing new can be passed over; without that, one late answer would double all that follow.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["Turn"]

_LONGEST_WAIT: Final = 10
"""Response time-outs; a frame that trickles in may take so long in all."""


@dataclass(slots=True)
class Turn:
    """Ours, until a frame with P has gone out; then the meter's, until one with F comes."""

    ours: bool = True
    deadline: float | None = None
    """When something is to be done: asked again while it is the meter's turn, asked at all while it is ours."""
    attempts: int = 0
    """In a row, without getting any further."""
    surplus: int = 0
    """Answers that may still come to questions that were answered already."""
    _asked: int = 0
    _latest: float = 0.0

    def ask(self, now: float, response_timeout: float) -> None:
        """A frame with P has gone out."""
        self._asked += 1
        self.ours = False
        self.wait(now, response_timeout)

    def wait(self, now: float, response_timeout: float) -> None:
        """The answer may take its whole time from now on."""
        self.deadline = now + response_timeout
        self._latest = now + _LONGEST_WAIT * response_timeout

    def put_off(self, now: float, until: float) -> bool:
        """Whether octets that are just trickling in may put the deadline off, which is done then."""
        if now >= min(until, self._latest):
            return False
        self.deadline = until
        return True

    def answered(self) -> None:
        """A frame with F has come that we go by."""
        self.surplus += max(0, self._asked - 1)
        self._asked = 0
        self.ours = True

    def passed_over(self) -> None:
        """A frame with F has come that says nothing new."""
        self.surplus = max(0, self.surplus - 1)

    def rest(self) -> None:
        """Nothing is awaited; answers to what was asked before may still come."""
        self.ours = True
        self.deadline = None
        self.attempts = 0

    def forget(self) -> None:
        """What was asked before will not be answered."""
        self.surplus = self._asked = 0
