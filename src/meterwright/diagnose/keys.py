"""The keys that `explain` is given to open what is ciphered, and the system titles of those who may have sent it. No repr shows a key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from meterwright.diagnose.explanation import Json
from meterwright.errors import UsageError
from meterwright.security import SUITES, TITLE_SIZE, Ciphers, Gcm, Keys, Secret

__all__ = ["OpeningKeys"]

_ENCRYPTION: Final = "encryption_key"
_AUTHENTICATION: Final = "authentication_key"
_BROADCAST: Final = "broadcast_key"
_DEDICATED: Final = "dedicated_key"
_TITLES: Final = ("system_title", "client_system_title", "server_system_title")
_KNOWN: Final = (_ENCRYPTION, _AUTHENTICATION, _BROADCAST, _DEDICATED, *_TITLES)


@dataclass(frozen=True)
class OpeningKeys:
    """What opens ciphered APDUs: `encryption` is the global unicast key, or whatever key they are encrypted with.

    Without `authentication` tags can't be verified, and what is shown then says so. `titles` are tried in turn where an APDU does
    not name its sender. UsageError where keys do not fit each other, or a title has not eight octets.
    """

    encryption: Secret
    authentication: Secret | None = None
    broadcast: Secret | None = None
    dedicated: Secret | None = None
    titles: tuple[bytes, ...] = field(default=())

    def __post_init__(self) -> None:
        if any(len(title) != TITLE_SIZE for title in self.titles):
            raise UsageError(f"a system title has {TITLE_SIZE} octets", hint="16 hex digits")
        _ = self.ciphers

    @cached_property
    def ciphers(self) -> Ciphers:
        """The keys at work."""
        suite = next(
            (number for number, suite in SUITES.items() if suite.key_size == self.encryption.size), None
        )
        if suite is None:
            raise UsageError(
                f"an encryption key of {self.encryption.size} octets fits no security suite",
                hint="16 or 32 octets",
            )
        return Ciphers(
            Keys(
                suite=suite,
                global_unicast=self.encryption,
                authentication=self.authentication,
                global_broadcast=self.broadcast,
                dedicated=self.dedicated,
            )
        )

    def stream(self, *, dedicated: bool, broadcast: bool) -> Gcm | None:
        """What decrypts without verifying; None where that key is not there."""
        key = self.dedicated if dedicated else self.broadcast if broadcast else self.encryption
        return None if key is None else Gcm(key)

    @staticmethod
    def from_json(told: Mapping[str, Json]) -> "OpeningKeys":
        """The keys of a batch line: hex under `encryption_key`, `authentication_key`, … UsageError repeats no value."""
        unknown = sorted(set(told) - set(_KNOWN))
        if unknown:
            raise UsageError(f"keys have no {unknown[0][:40]!r}", hint=f"there are {', '.join(_KNOWN)}")
        octets = {name: _octets(name, value) for name, value in told.items() if value is not None}
        if _ENCRYPTION not in octets:
            raise UsageError(f"keys without {_ENCRYPTION} open nothing", hint="give it as hex digits")
        secrets = {name: Secret(octets[name]) for name in _KNOWN[:4] if name in octets}
        return OpeningKeys(
            secrets[_ENCRYPTION],
            secrets.get(_AUTHENTICATION),
            secrets.get(_BROADCAST),
            secrets.get(_DEDICATED),
            tuple(octets[name] for name in _TITLES if name in octets),
        )


def _octets(name: str, value: Json) -> bytes:
    try:
        octets = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        octets = b""
    if not octets:
        raise UsageError(f"{name} is no hex", hint="write hex digits alone")
    return octets
