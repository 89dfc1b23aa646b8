"""A meter's address as one line: ``tcp://host:4059?client=16&server=1``. Never holds a secret.

========  ==================================================  ==================================
scheme    carries                                             where
========  ==================================================  ==================================
tcp       the wrapper over TCP (IEC 62056-47)                 ``//host[:4059]``
udp       the wrapper over UDP, one APDU a datagram           ``//host[:4059]``
tls       the wrapper over TLS over TCP                       ``//host[:4059]``
hdlc+tcp  HDLC through a TCP gateway, or HDLC over IP         ``//host:port``
hdlc      HDLC over a serial line (IEC 62056-46)              ``///dev/ttyUSB0``, ``//COM3``
========  ==================================================  ==================================

Options of all: ``client``, ``server`` (service access points), ``gateway`` (the meter is behind a gateway: its network id there, a slash, and its
physical address in hex, as in ``gateway=1/0a0b``). Of HDLC: ``lower`` (the meter's own address on a line of several),
``address_size`` (1, 2 or 4 octets). Of a serial line: ``baud``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from meterwright.errors import LocalProtocolError, UsageError
from meterwright.link import GatewayAddress, HdlcAddress
from meterwright.transport.serial import SerialSettings

__all__ = ["MeterAddress", "Scheme"]

_DEFAULT_PORT: Final = 4059
_SECRETS: Final = frozenset({"password", "secret", "key", "ek", "ak", "keys"})
_LARGEST_SAP: Final = 0xFFFF
_LARGEST_BAUD: Final = 4_000_000
_WINDOWS_PORT: Final = re.compile(r"com[0-9]{1,3}", re.IGNORECASE)
_GATEWAY: Final = "gateway"
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_TRUE: Final = frozenset({"1", "true", "yes"})


class Scheme(Enum):
    """What carries the APDUs, and over what."""

    TCP = "tcp"
    UDP = "udp"
    TLS = "tls"
    HDLC_TCP = "hdlc+tcp"
    HDLC = "hdlc"

    @property
    def is_hdlc(self) -> bool:
        """Whether HDLC carries them."""
        return self in (Scheme.HDLC_TCP, Scheme.HDLC)


_BOTH: Final = {"client": (0, _LARGEST_SAP), "server": (0, _LARGEST_SAP)}
_HDLC: Final = {**_BOTH, "lower": (0, 0x3FFF), "address_size": (1, 4)}
_OPTIONS: Final[Mapping[Scheme, Mapping[str, tuple[int, int]]]] = MappingProxyType(
    {
        Scheme.TCP: _BOTH,
        Scheme.UDP: _BOTH,
        Scheme.TLS: _BOTH,
        Scheme.HDLC_TCP: _HDLC,
        Scheme.HDLC: {**_HDLC, "baud": (50, _LARGEST_BAUD)},
    }
)
"""The options of each scheme, and their ranges."""


@dataclass(frozen=True, slots=True)
class MeterAddress:
    """Where a meter is, and between which service access points to talk; None where the address does not say.

    `host` and `port` are those of TCP; a meter on a `serial` line has none.
    """

    host: str
    port: int = _DEFAULT_PORT
    client_sap: int | None = None
    server_sap: int | None = None
    scheme: Scheme = Scheme.TCP
    lower: int | None = None
    address_size: int | None = None
    serial: SerialSettings | None = None
    gateway: GatewayAddress | None = None

    def __str__(self) -> str:
        options = (
            ("client", self.client_sap),
            ("server", self.server_sap),
            ("lower", self.lower),
            ("address_size", self.address_size),
            ("baud", None if self.serial is None else self.serial.baud),
            ("gateway", self.gateway),
        )
        query = "&".join(f"{name}={value}" for name, value in options if value is not None)
        return f"{self.scheme.value}://{self._place}" + (f"?{query}" if query else "")

    @property
    def _place(self) -> str:
        if self.serial is not None:
            return self.serial.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "MeterAddress":
        """Read an address. UsageError says what is wrong with it."""
        try:
            parts = urlsplit(text)
        except ValueError:
            raise _refused("its host is none; an IPv6 address stands in brackets") from None
        _refuse_secrets(parts)
        scheme = _scheme(parts.scheme)
        options = _options(parts.query, scheme)
        if parts.fragment:
            raise _refused("nothing belongs behind ?client=…&server=…")
        address = (
            cls(host="", port=0, serial=_serial(parts, options))
            if scheme is Scheme.HDLC
            else cls(host=_host(parts), port=_port(parts, scheme))
        )
        found = replace(_with_options(address, scheme, options), gateway=_gateway(parts.query))
        if scheme.is_hdlc:
            _require_hdlc_addresses(found)
        return found


def _with_options(address: MeterAddress, scheme: Scheme, options: Mapping[str, int]) -> MeterAddress:
    return MeterAddress(
        host=address.host,
        port=address.port,
        client_sap=options.get("client"),
        server_sap=options.get("server"),
        scheme=scheme,
        lower=options.get("lower"),
        address_size=options.get("address_size"),
        serial=address.serial,
    )


_SECRETS_HINT: Final = "secrets belong in the meter's TOML file, as env:NAME or file:PATH"


def _scheme(text: str) -> Scheme:
    try:
        return Scheme(text)
    except ValueError:
        known = ", ".join(each.value for each in Scheme)
        raise _refused(f"{text or 'no scheme'} is not among: {known}") from None


def _host(parts: SplitResult) -> str:
    if not parts.hostname:
        raise _refused("there is no host")
    if parts.path not in ("", "/"):
        raise _refused("nothing belongs behind the port but ?client=…&server=…")
    return parts.hostname


def _serial(parts: SplitResult, options: Mapping[str, int]) -> SerialSettings:
    """The serial line: a path behind three slashes, or the name of a Windows port behind two."""
    path = unquote(parts.path)
    name = parts.netloc
    if name and not (_WINDOWS_PORT.fullmatch(name) and path in ("", "/")):
        raise _refused(f"{name:.40} is no serial line: three slashes stand before its path")
    if not name and path in ("", "/"):
        raise _refused("there is no serial line")
    return SerialSettings(name.upper() or path, baud=options.get("baud", SerialSettings("-").baud))


def _port(parts: SplitResult, scheme: Scheme) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _refused("its port is no number from 1 to 65535; an IPv6 address stands in brackets")
    if port is None and scheme is Scheme.HDLC_TCP:
        raise _refused("HDLC over TCP has no usual port: say which")
    return _DEFAULT_PORT if port is None else port


def _options(query: str, scheme: Scheme) -> dict[str, int]:
    known = _OPTIONS[scheme]
    options: dict[str, int] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() in _SECRETS:
            raise UsageError(f"{name} must not stand in an address", hint=_SECRETS_HINT)
        if name == _GATEWAY:
            continue
        if name == "mode_e":
            if value.lower() in _TRUE:
                raise UsageError(
                    "the opening of IEC 62056-21 mode E is not in this build",
                    hint="set the optical head, or the meter, to HDLC from the start",
                )
            continue
        if name not in known:
            raise _refused(f"{name} is not among: {', '.join((*known, _GATEWAY))}")
        if name in options:
            raise _refused(f"{name} is given twice")
        low, high = known[name]
        if not _is_number(value, high) or int(value) < low:
            raise _refused(f"{name}={value:.20} is no {_WORDS[name]} ({low} to {high})")
        options[name] = int(value)
    return options


def _gateway(query: str) -> GatewayAddress | None:
    """The meter's address behind a gateway, where there is one."""
    given = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == _GATEWAY]
    if not given:
        return None
    if len(given) > 1:
        raise _refused(f"{_GATEWAY} is given twice")
    network, _, physical = given[0].partition("/")
    if not (_is_number(network, 0xFF) and _HEX.fullmatch(physical)):
        raise _refused(
            f"{_GATEWAY}={given[0]:.20} is no network id (0 to 255), slash and physical address in hex"
        )
    try:
        return GatewayAddress(int(network), bytes.fromhex(physical))
    except LocalProtocolError as error:
        raise _refused(error.what) from None


_WORDS: Final = {
    "client": "service access point",
    "server": "service access point",
    "lower": "lower HDLC address",
    "address_size": "number of address octets",
    "baud": "speed in baud",
}


def _is_number(text: str, highest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(f"{highest}") and int(text) <= highest


def _require_hdlc_addresses(address: MeterAddress) -> None:
    """HDLC has fewer addresses than the wrapper: told here, where a person can mend it."""
    try:
        if address.client_sap is not None:
            HdlcAddress.of_client(address.client_sap)
        if address.server_sap is not None or address.lower is not None or address.address_size is not None:
            HdlcAddress.of_server(
                1 if address.server_sap is None else address.server_sap, address.lower, address.address_size
            )
    except LocalProtocolError as error:
        raise _refused(error.what) from None


def _refuse_secrets(parts: SplitResult) -> None:
    """Before anything else is said about an address: what else is said may repeat parts of it."""
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address holds no user or password", hint=_SECRETS_HINT)
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name in _SECRETS:
            raise UsageError(f"{name} must not stand in an address", hint=_SECRETS_HINT)


def _refused(why: str) -> UsageError:
    return UsageError(
        f"this is no meter address: {why}",
        hint="write tcp://HOST[:4059][?client=16&server=1], udp:// or tls:// alike, hdlc+tcp://HOST:PORT or hdlc:///dev/ttyUSB0?baud=9600",
    )
