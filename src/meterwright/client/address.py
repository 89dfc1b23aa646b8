"""A meter's address as one line: ``tcp://host:4059?client=16&server=1``. Never holds a secret.

=======  ======================================  ============
scheme   carries                                 default port
=======  ======================================  ============
tcp      the wrapper over TCP (IEC 62056-47)     4059
=======  ======================================  ============
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from meterwright.errors import UsageError

__all__ = ["MeterAddress"]

_DEFAULT_PORT: Final = 4059
_KNOWN: Final = ("client", "server")
_SECRETS: Final = frozenset({"password", "secret", "key", "ek", "ak", "keys"})
_LARGEST_SAP: Final = 0xFFFF
_MOST_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class MeterAddress:
    """Where a meter is, and between which service access points to talk; None where the address does not say."""

    host: str
    port: int = _DEFAULT_PORT
    client_sap: int | None = None
    server_sap: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = [("client", self.client_sap), ("server", self.server_sap)]
        query = "&".join(f"{name}={value}" for name, value in options if value is not None)
        return f"tcp://{host}:{self.port}" + (f"?{query}" if query else "")

    @classmethod
    def parse(cls, text: str) -> "MeterAddress":
        """Read an address. UsageError says what is wrong with it."""
        try:
            parts = urlsplit(text)
        except ValueError:
            raise _refused("its host is none; an IPv6 address stands in brackets") from None
        _refuse_secrets(parts)
        if parts.scheme != "tcp":
            raise _refused(f"{parts.scheme or 'no scheme'} is not among: tcp")
        if not parts.hostname:
            raise _refused("there is no host")
        if parts.path not in ("", "/") or parts.fragment:
            raise _refused("nothing belongs behind the port but ?client=…&server=…")
        options = _options(parts.query)
        return cls(
            host=parts.hostname,
            port=_port(parts),
            client_sap=options.get("client"),
            server_sap=options.get("server"),
        )


_SECRETS_HINT: Final = "secrets belong in the meter's TOML file, as env:NAME or file:PATH"


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _refused("its port is no number from 1 to 65535; an IPv6 address stands in brackets")
    return _DEFAULT_PORT if port is None else port


def _options(query: str) -> dict[str, int]:
    options: dict[str, int] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() in _SECRETS:
            raise UsageError(f"{name} must not stand in an address", hint=_SECRETS_HINT)
        if name not in _KNOWN:
            raise _refused(f"{name} is not among: {', '.join(_KNOWN)}")
        if name in options:
            raise _refused(f"{name} is given twice")
        if not _is_sap(value):
            raise _refused(f"{name}={value:.20} is no service access point (0 to {_LARGEST_SAP})")
        options[name] = int(value)
    return options


def _is_sap(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) <= _LARGEST_SAP


def _refuse_secrets(parts: SplitResult) -> None:
    """Before anything else is said about an address: what else is said may repeat parts of it."""
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address holds no user or password", hint=_SECRETS_HINT)
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name in _SECRETS:
            raise UsageError(f"{name} must not stand in an address", hint=_SECRETS_HINT)


def _refused(why: str) -> UsageError:
    return UsageError(f"this is no meter address: {why}", hint="write tcp://HOST[:4059][?client=16&server=1]")
