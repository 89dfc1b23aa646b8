"""What a protection can fail at. Every refusal of this room that the peer may have caused is a `SecurityViolation`.

It says which promise was broken, so that a meter can answer by the book and a client can tell what to try next. It never
says more than that: which octet of a tag or of a key was wrong is nobody's business.
"""

from enum import Enum

from meterwright.errors import SecurityError

__all__ = ["SecurityViolation", "Violation"]


class Violation(Enum):
    """Which promise was broken."""

    TAG = "authentication tag"
    """made with other keys or another title, or altered on the way"""
    COUNTER = "invocation counter"
    """replayed, or further ahead than can be believed"""
    POLICY = "security policy"
    """less protected than this association wants"""
    KEY = "key"
    """a key that this side does not have"""
    TITLE = "system title"
    """an originator that is unknown, or not the one of this association"""
    SIGNATURE = "signature"
    """made with another key, or of other octets"""
    CERTIFICATE = "certificate"
    """not issued by anybody trusted, not valid, for another use, or another's"""
    PROOF = "authentication"
    """the other side has not shown that it knows the secret"""


class SecurityViolation(SecurityError):
    """An APDU, or a login, broke a promise. `counter`: the lowest invocation counter that would have been taken.

    `came_twice`: it is, or may be, what came last, once more. Its answer is on its way.
    """

    def __init__(
        self,
        violation: Violation,
        what: str,
        *,
        hint: str = "",
        about: str | None = None,
        counter: int | None = None,
        came_twice: bool = False,
    ) -> None:
        super().__init__(what, layer="security", about=about, hint=hint)
        self.violation = violation
        self.counter = counter
        self.came_twice = came_twice
