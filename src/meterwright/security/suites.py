"""The security suites as a table (Green Book 9.2.3): what each means for AES-GCM.

Signatures and key agreement of suites 1 and 2 come in as further columns; their ciphering is here already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from meterwright.errors import UsageError
from meterwright.values import SecuritySuite

__all__ = ["SUITES", "TAG_SIZE", "Suite", "suite_of"]

TAG_SIZE: Final = 12
"""Octets of an authentication tag, in all suites: the first 12 of GCM's 16."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite. `key_size`: octets of every symmetric key in it, the authentication and the wrapping key too."""

    id: SecuritySuite
    cipher: str
    key_size: int


SUITES: Final[Mapping[SecuritySuite, Suite]] = MappingProxyType(
    {
        suite.id: suite
        for suite in (
            Suite(SecuritySuite.SUITE_0, "AES-GCM-128", 16),
            Suite(SecuritySuite.SUITE_1, "AES-GCM-128", 16),
            Suite(SecuritySuite.SUITE_2, "AES-GCM-256", 32),
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
