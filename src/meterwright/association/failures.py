"""How an association fails on the client's side, in words: what happened, and what to try first. Logins have theirs in `login`."""

from typing import Final

from meterwright.errors import AssociationLost, LocalProtocolError, Timeout
from meterwright.security import SecurityViolation, Violation

__all__ = [
    "challenge_asked_twice",
    "ciphered_without_keys",
    "released_too_early",
    "unanswered",
    "whose_refusal",
]

_SILENCE: Final = "check address, port, client and server SAP; the meter may be busy or serve one client only"


def unanswered(what: str) -> Timeout:
    """Time is up, and nothing has come."""
    return Timeout(f"no answer to {what} in time", layer="association", hint=_SILENCE)


def released_too_early() -> AssociationLost:
    """A request was open when we released."""
    return AssociationLost(
        "the association was released before the answer came",
        layer="association",
        hint="await all answers, then release",
    )


def whose_refusal(label: str) -> AssociationLost:
    """A refusal without invoke id, and more than one request that it could answer."""
    return AssociationLost(
        f"{label} came while several requests could have caused it: which one cannot be told",
        layer="association",
        hint="associate anew; nothing that was open is known to have been done",
    )


def ciphered_without_keys() -> SecurityViolation:
    """Something ciphered came, and nothing was to be ciphered here."""
    return SecurityViolation(
        Violation.KEY,
        "a ciphered APDU came, and this association has no keys",
        hint="a push of the meter's, perhaps: give the keys to read it",
    )


def challenge_asked_twice() -> LocalProtocolError:
    """We were to associate twice with the same credentials."""
    return LocalProtocolError(
        "a challenge is asked once: who heard the answer could give it again",
        layer="association",
        hint="a new association has new credentials",
    )
