"""Which meter is meant: by URL, or by `--meter FILE.toml`, which also holds how to talk to it and its secrets.

What the file leaves out is said by its companion, for the client that is meant: how it proves who it is, how its APDUs are
protected, which object tells its invocation counter. Our own system title is this installation's, and the counters are
kept beside it, below the settings' `state`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from meterwright.association import CURRENT_ASSOCIATION
from meterwright.cli.meter_files import KEY_NAMES, DescribedMeter, DescribedTls, MeterFile, read_meter_file
from meterwright.cli.output import complain_on
from meterwright.cli.secrets import is_elsewhere, resolve_secret, tell_if_open
from meterwright.cli.settings import Settings
from meterwright.cli.update_display import show_finding
from meterwright.cli.words import AUTHENTICATIONS, POLICIES, SUITES
from meterwright.client import (
    Client,
    ClientCredentials,
    ClientSettings,
    CounterReading,
    FileCounterStore,
    MeterAddress,
    Timeouts,
)
from meterwright.client.identity import installation_title
from meterwright.companion import PLAIN, AssociationProfile, Companion, companion_named
from meterwright.errors import UsageError
from meterwright.security import (
    MECHANISMS,
    CounterStore,
    KeyPairs,
    Keys,
    Manner,
    MemoryCounterStore,
    Secret,
    SigningKey,
    Style,
    VerifyingKey,
    curve_of,
)
from meterwright.transport.tls import TlsSettings
from meterwright.values import (
    AuthenticationMechanism,
    Finding,
    Obis,
    SecurityPolicy,
    SecuritySuite,
)

__all__ = ["NamedMeter", "connected", "named_meter", "require_usable", "split_meter"]

T = TypeVar("T")

_PUBLIC_CLIENT: Final = 16
_USUAL_COUNTER: Final = Obis.parse("0.0.43.1.0.255")
_TITLE_SIZE: Final = 8


class NamedMeter:
    """A meter that was named by its user: its address, how to talk to it, and what kind of meter it is."""

    def __init__(self, address: MeterAddress, settings: ClientSettings, companion: Companion = PLAIN) -> None:
        self.address = address
        self.settings = settings
        self.companion = companion

    def __str__(self) -> str:
        return str(self.address)

    def client(self) -> Client:
        """A client of it, not connected yet."""
        return Client(self.address, self.settings)


@asynccontextmanager
async def connected(client: Client) -> AsyncGenerator[Client]:
    """The client with its association, released at the end. What was noticed on the way there is told on stderr."""
    try:
        try:
            await client.connect()
        finally:
            for finding in client.findings:
                _notice(finding)
        yield client
    finally:
        await client.close()


def split_meter(arguments: tuple[str, ...], meter: Path | None) -> tuple[str | None, tuple[str, ...]]:
    """The URL among positional arguments, which comes first unless `--meter` names the meter, and the others."""
    if meter is None:
        if not arguments:
            raise UsageError(
                "no meter is named", hint="give its URL, such as tcp://HOST?client=16, or --meter FILE"
            )
        return arguments[0], arguments[1:]
    if arguments and "://" in arguments[0]:
        raise UsageError(
            "a meter is named by URL or by --meter FILE, not by both", hint="leave one of them out"
        )
    return None, arguments


def named_meter(url: str | None, file: Path | None, settings: Settings) -> NamedMeter:
    """The meter of that URL or file. UsageError says what is wrong with either."""
    if file is None:
        address = MeterAddress.parse(url or "")
        return NamedMeter(address, ClientSettings(timeouts=settings.timeouts))
    described = read_meter_file(file)
    values: list[str | None] = [*described.keys.model_dump().values()]
    if any(value is not None and not is_elsewhere(value) for value in values):
        tell_if_open(file, _notice)
    ours = _Ours(
        lambda: installation_title(settings.state),
        lambda: FileCounterStore(settings.counters),
        settings.timeouts,
        lambda text, what: resolve_secret(text, base=file.parent, what=what, notice=_notice),
        file.parent,
    )
    try:
        return _named(described, ours)
    except UsageError as error:
        raise UsageError(f"{file}: {error.what}", hint=error.hint) from None


def require_usable(described: MeterFile) -> None:
    """UsageError where no client could be made of what a file says. Nothing is drawn, kept or looked up for it."""
    _named(
        described,
        _Ours(
            lambda: bytes(_TITLE_SIZE),
            MemoryCounterStore,
            Timeouts(),
            lambda text, what: resolve_secret(text, base=Path(), what=what),
            Path(),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Ours:
    """What a client takes from this installation: its title and counters, where they are wanted, and how to find secrets.

    `folder` is where the paths in a meter's file begin.
    """

    title: Callable[[], bytes]
    counters: Callable[[], CounterStore]
    timeouts: Timeouts
    secret: Callable[[str, str], Secret]
    folder: Path


def _notice(finding: Finding) -> None:
    show_finding(complain_on(), finding)


def _named(described: MeterFile, ours: _Ours) -> NamedMeter:
    meter = described.meter
    companion = companion_named(meter.companion)
    address = _address(meter)
    client_sap = _PUBLIC_CLIENT if address.client_sap is None else address.client_sap
    profile = companion.association(client_sap)
    given = meter.timeouts.model_dump(exclude_none=True)
    client = ClientSettings(
        timeouts=replace(ours.timeouts, **given),
        tls=_tls(described.tls, ours.folder),
        credentials=_credentials(meter, profile, companion, _secrets(described, ours), ours),
    )
    return NamedMeter(address, client, companion)


def _tls(described: DescribedTls, folder: Path) -> TlsSettings:
    def path(text: str | None) -> Path | None:
        return None if text is None else folder / text

    return TlsSettings(
        ca=path(described.ca),
        certificate=path(described.certificate),
        private_key=path(described.private_key),
        server_name=described.server_name,
    )


def _address(meter: DescribedMeter) -> MeterAddress:
    """The address, with the service access points of the file. UsageError where the URL says others."""
    address = MeterAddress.parse(meter.url)
    for name, in_url, in_file in (
        ("client", address.client_sap, meter.client),
        ("server", address.server_sap, meter.server),
    ):
        if None not in (in_url, in_file) and in_url != in_file:
            raise UsageError(f"{name} is {in_file}, and {in_url} in its url", hint="say it once")
    return replace(
        address,
        client_sap=address.client_sap if meter.client is None else meter.client,
        server_sap=address.server_sap if meter.server is None else meter.server,
    )


def _secrets(described: MeterFile, ours: _Ours) -> Mapping[str, Secret]:
    values: dict[str, str | None] = described.keys.model_dump()
    return {
        name: ours.secret(text, f"keys.{name}") for name in KEY_NAMES if (text := values[name]) is not None
    }


def _credentials(
    meter: DescribedMeter,
    profile: AssociationProfile | None,
    companion: Companion,
    secrets: Mapping[str, Secret],
    ours: _Ours,
) -> ClientCredentials:
    authentication, policy = _protection(meter, profile)
    mechanism = MECHANISMS.get(authentication)
    needs_keys = bool(policy) or (mechanism is not None and mechanism.counts)
    titled = needs_keys or (mechanism is not None and mechanism.needs_titles)
    suite = _said("suite", str(meter.suite), SUITES)
    own_title, meter_title = _titles(meter)
    _require_password(authentication, secrets)
    return ClientCredentials(
        authentication=authentication,
        secret=secrets.get("password"),
        policy=policy,
        keys=_keys(suite, secrets) if needs_keys else None,
        pairs=_pairs(suite, secrets) if mechanism is not None and mechanism.needs_pairs else None,
        system_title=(own_title or ours.title()) if titled else None,
        meter_title=meter_title,
        counters=ours.counters() if needs_keys else None,
        counter_object=_counter_object(meter, profile),
        counter_client=companion.public_sap,
        counter_reading=CounterReading(meter.counter_reading),
        follow_counter=meter.follow_counter,
        manner=Manner(Style.GENERAL if meter.general_ciphering else Style.SERVICE_SPECIFIC),
        dedicated=meter.dedicated_key or "dedicated" in secrets,
        association_object=_obis("association_object", meter.association_object) or CURRENT_ASSOCIATION,
    )


def _protection(
    meter: DescribedMeter, profile: AssociationProfile | None
) -> tuple[AuthenticationMechanism, SecurityPolicy]:
    """How we prove who we are, and how our APDUs are protected: as the file says, else as the companion."""
    authentication = AuthenticationMechanism.LOWEST if profile is None else profile.authentication
    policy = SecurityPolicy.NONE if profile is None else profile.policy
    if meter.authentication is not None:
        authentication = _said("authentication", meter.authentication, AUTHENTICATIONS)
    if meter.security is not None:
        policy = _said("security", meter.security, POLICIES)
    return authentication, policy


def _said(what: str, text: str, known: Mapping[str, T]) -> T:
    if text not in known:
        raise UsageError(f"{what} = {text!r} is not in this build", hint=f"known are {', '.join(known)}")
    return known[text]


def _require_password(authentication: AuthenticationMechanism, secrets: Mapping[str, Secret]) -> None:
    mechanism = MECHANISMS.get(authentication)
    needed = authentication is AuthenticationMechanism.LOW or (
        mechanism is not None and mechanism.needs_secret
    )
    if needed and "password" not in secrets:
        raise UsageError(
            f"the authentication {authentication.label} needs a password, and [keys] has none",
            hint="give password: the LLS password or the HLS secret of this client address",
        )


def _keys(suite: SecuritySuite, secrets: Mapping[str, Secret]) -> Keys:
    """The keys. Both of them whatever the policy: the Initiate is encrypted and authenticated under each."""
    missing = [name for name in ("global_unicast", "authentication") if name not in secrets]
    if missing:
        raise UsageError(
            f"this client address needs keys, and [keys] has no {' and no '.join(missing)}",
            hint="give global_unicast (the encryption key) and authentication (the authentication key)",
        )
    return Keys(
        suite=suite,
        global_unicast=secrets["global_unicast"],
        authentication=secrets.get("authentication"),
        global_broadcast=secrets.get("global_broadcast"),
        dedicated=secrets.get("dedicated"),
    )


def _pairs(suite: SecuritySuite, secrets: Mapping[str, Secret]) -> KeyPairs:
    """Our signing key and the meter's verifying key."""
    curve = curve_of(suite)
    missing = [name for name in ("signing", "verifying") if name not in secrets]
    if missing:
        raise UsageError(
            f"this client address signs, and [keys] has no {' and no '.join(missing)}",
            hint="give signing (our private key) and verifying (the meter's public key): hex, or file: and a PEM file",
        )
    return KeyPairs(
        signing=SigningKey.from_secret(curve, secrets["signing"]),
        verifying=VerifyingKey.from_octets(curve, secrets["verifying"].reveal()),
    )


def _titles(meter: DescribedMeter) -> tuple[bytes | None, bytes | None]:
    """Our system title and the meter's, where the file gives them."""
    ours = _title("system_title", meter.system_title)
    theirs = _title("meter_system_title", meter.meter_system_title)
    if ours is not None and ours == theirs:
        raise UsageError(
            "system_title and meter_system_title are the same",
            hint="system_title is ours, and may be left out; meter_system_title is the meter's",
        )
    return ours, theirs


def _title(what: str, text: str | None) -> bytes | None:
    """A system title: 16 hex digits, or text: and eight letters."""
    if text is None:
        return None
    try:
        octets = (
            text.removeprefix("text:").encode("ascii") if text.startswith("text:") else bytes.fromhex(text)
        )
    except ValueError:
        octets = b""
    if len(octets) != _TITLE_SIZE:
        raise UsageError(f"{what} is no system title", hint="write 16 hex digits, or text: and eight letters")
    return octets


def _counter_object(meter: DescribedMeter, profile: AssociationProfile | None) -> Obis | None:
    given = _obis("counter_object", meter.counter_object)
    if given is not None:
        return given
    return _USUAL_COUNTER if profile is None else profile.counter


def _obis(what: str, text: str | None) -> Obis | None:
    try:
        return None if text is None else Obis.parse(text)
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None
