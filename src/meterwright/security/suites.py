"""The security suites as a table (Green Book 9.2.3): what each means for AES-GCM, for signatures and for key agreement."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError
from meterwright.security.curves import P_256, P_384, Curve
from meterwright.values import SecuritySuite

__all__ = ["SUITES", "TAG_SIZE", "Suite", "curve_of", "suite_of"]

TAG_SIZE: Final = 12
"""Octets of an authentication tag, in all suites: the first 12 of GCM's 16."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite. `key_size`: octets of every symmetric key in it, the authentication and the wrapping key too.

    `curve`: of signatures and key agreement; None where the suite has neither.
    """

    id: SecuritySuite
    cipher: str
    key_size: int
    curve: Curve | None = None


SUITES: Final[Mapping[SecuritySuite, Suite]] = MappingProxyType(
    {
        suite.id: suite
        for suite in (
            Suite(SecuritySuite.SUITE_0, "AES-GCM-128", 16),
            Suite(SecuritySuite.SUITE_1, "AES-GCM-128", 16, P_256),
            Suite(SecuritySuite.SUITE_2, "AES-GCM-256", 32, P_384),
        )
    }
)
"""Every suite there is."""


def suite_of(number: SecuritySuite) -> Suite:
    """The row of a suite. UsageError where the books have none."""
    try:
        return SUITES[number]
    except KeyError:
        raise UsageError(
            f"there is no security suite {int(number)}",
            layer="security",
            hint="0, 1 and 2 are the books' suites",
        ) from None


def curve_of(number: SecuritySuite) -> Curve:
    """The curve of a suite. UsageError where it has none: suite 0, and what the books do not have."""
    curve = suite_of(number).curve
    if curve is None:
        raise UsageError(
            f"security suite {int(number)} has no signatures and no key agreement",
            layer="security",
            hint="suite 1 and suite 2 have",
        )
    return curve
