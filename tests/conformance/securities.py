"""The columns of the matrix: what both sides bring for each kind of security."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias

from tests.association.secured import DEDICATED, Side, client_side, meter_side
from tests.conformance.proofs import Security
from tests.security.general import all_keys, pairs

from meterwright.security import KeyChoice, Manner, Secret, SignaturePlace, Style, book_keys
from meterwright.values import AuthenticationMechanism, Role, SecurityPolicy, SecuritySuite

Sides: TypeAlias = tuple[Side, Side]
"""The client's and the meter's."""

_Mechanism = AuthenticationMechanism
_Policy = SecurityPolicy


def _login(mechanism: AuthenticationMechanism) -> Sides:
    """A mechanism alone: every APDU travels in plain."""
    return client_side(mechanism, _Policy.NONE), meter_side(mechanism, _Policy.NONE)


def _policy(policy: SecurityPolicy) -> Sides:
    return client_side(policy=policy), meter_side(policy=policy)


def _styled(style: Style, dedicated: Secret | None = None) -> Sides:
    return client_side(style=style, dedicated=dedicated), meter_side()


def _suite(suite: SecuritySuite) -> Sides:
    keys = book_keys(suite)
    return replace(client_side(), keys=keys), replace(meter_side(), keys=keys)


def _manner(manner: Manner) -> Sides:
    """A client that sends so, in suite 1, and a meter that answers as it is asked; both have every key."""
    keys = all_keys(SecuritySuite.SUITE_1)
    client = replace(client_side(), keys=keys, pairs=pairs(Role.CLIENT, SecuritySuite.SUITE_1), manner=manner)
    return client, replace(meter_side(), keys=keys, pairs=pairs(Role.SERVER, SecuritySuite.SUITE_1))


SECURITIES: Final[MappingProxyType[Security, Callable[[], Sides]]] = MappingProxyType(
    {
        Security.NONE: lambda: _login(_Mechanism.LOWEST),
        Security.LOW: lambda: _login(_Mechanism.LOW),
        Security.HIGH: lambda: _login(_Mechanism.HIGH),
        Security.HIGH_MD5: lambda: _login(_Mechanism.HIGH_MD5),
        Security.HIGH_SHA1: lambda: _login(_Mechanism.HIGH_SHA1),
        Security.HIGH_GMAC: lambda: _login(_Mechanism.HIGH_GMAC),
        Security.HIGH_SHA256: lambda: _login(_Mechanism.HIGH_SHA256),
        Security.HIGH_ECDSA: lambda: _login(_Mechanism.HIGH_ECDSA),
        Security.AUTHENTICATED: lambda: _policy(_Policy.AUTHENTICATED),
        Security.ENCRYPTED: lambda: _policy(_Policy.ENCRYPTED),
        Security.BOTH: lambda: _policy(_Policy.AUTHENTICATED_ENCRYPTED),
        Security.DEDICATED: lambda: _styled(Style.SERVICE_SPECIFIC, DEDICATED),
        Security.GENERAL_GLO: lambda: _styled(Style.GENERAL),
        Security.GENERAL_DED: lambda: _styled(Style.GENERAL, DEDICATED),
        Security.SUITE_1: lambda: _suite(SecuritySuite.SUITE_1),
        Security.SUITE_2: lambda: _suite(SecuritySuite.SUITE_2),
        Security.IDENTIFIED: lambda: _manner(Manner(key=KeyChoice.GLOBAL)),
        Security.WRAPPED: lambda: _manner(Manner(key=KeyChoice.WRAPPED)),
        Security.AGREED_1E1S: lambda: _manner(Manner(key=KeyChoice.ONE_PASS)),
        Security.AGREED_0E2S: lambda: _manner(Manner(key=KeyChoice.STATIC)),
        Security.SIGNED: lambda: _manner(Manner(Style.GENERAL, signs=SignaturePlace.OUTSIDE)),
        Security.SIGNED_CIPHERED: lambda: _manner(Manner(key=KeyChoice.GLOBAL, signs=SignaturePlace.INSIDE)),
    }
)
"""Fresh sides for each conversation: a challenge is used once."""

SEEN: Final = MappingProxyType(
    {
        Security.GENERAL_GLO: 0xDB,
        Security.GENERAL_DED: 0xDC,
        Security.IDENTIFIED: 0xDD,
        Security.WRAPPED: 0xDD,
        Security.AGREED_1E1S: 0xDD,
        Security.AGREED_0E2S: 0xDD,
        Security.SIGNED: 0xDF,
        Security.SIGNED_CIPHERED: 0xDD,
    }
)
"""What APDUs begin with on the line, both ways, where it shows there."""
