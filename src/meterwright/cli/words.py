"""The words that options and meters' files have for authentications, security policies and suites."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from meterwright.values import AuthenticationMechanism, SecurityPolicy, SecuritySuite

__all__ = ["AUTHENTICATIONS", "POLICIES", "SUITES"]

AUTHENTICATIONS: Final[Mapping[str, AuthenticationMechanism]] = MappingProxyType(
    {
        "none" if each is AuthenticationMechanism.LOWEST else each.label: each
        for each in AuthenticationMechanism
    }
)
"""How a client proves who it is, by the word for it."""

POLICIES: Final[Mapping[str, SecurityPolicy]] = MappingProxyType(
    {each.label: each for each in SecurityPolicy}
)
"""How its APDUs are protected."""

SUITES: Final[Mapping[str, SecuritySuite]] = MappingProxyType(
    {str(int(each)): each for each in SecuritySuite}
)
"""The security suites."""
