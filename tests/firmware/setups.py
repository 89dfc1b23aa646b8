"""The kinds of meters that updates are tried on: how each is made, and what its firmware client brings."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from meterwright.client import ClientCredentials, ClientSettings
from meterwright.client.carriers import Carrier, Hdlc, Wrapper
from meterwright.companion.is15959 import FIRMWARE_CLIENT
from meterwright.link import HdlcServer, ServerLink, WrapperServer
from meterwright.security import CounterStore, Keys, Manner, Secret, Style, book_keys
from meterwright.simulator import (
    MeterClock,
    MeterSettings,
    MeterStorage,
    SecuritySettings,
    SimulatedMeter,
    is15959_meter,
    plain_meter,
)
from meterwright.values import AuthenticationMechanism, Obis, SecurityPolicy

TITLE: Final = b"MWCTESTS"
PUBLIC: Final = 16
PLAIN_COUNTER: Final = Obis.parse("0.0.43.1.0.255")
PLAIN_SECRET: Final = Secret(b"12345678")
IS15959_SECRET: Final = Secret(b"1234567890123456")

Makes = Callable[[MeterSettings, MeterStorage, MeterClock], SimulatedMeter]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A kind of meter and its firmware client. `credentials` wants the store of the client's counters."""

    name: str
    make: Makes
    client_sap: int
    credentials: Callable[[CounterStore], ClientCredentials]
    carrier: Carrier = field(default_factory=Wrapper)
    link: Callable[[], ServerLink] = WrapperServer

    def client(self, counters: CounterStore) -> ClientSettings:
        """The settings of its firmware client."""
        return ClientSettings(
            client_sap=self.client_sap, carrier=self.carrier, credentials=self.credentials(counters)
        )


def _plain(
    settings: MeterSettings, storage: MeterStorage, clock: MeterClock, security: SecuritySettings
) -> SimulatedMeter:
    return plain_meter(1, replace(settings, security=security), storage=storage, clock=clock)


def plain(
    authentication: AuthenticationMechanism,
    policy: SecurityPolicy,
    *,
    style: Style = Style.SERVICE_SPECIFIC,
    dedicated: bool = False,
) -> Setup:
    """A plain meter with that security, whose client 1 has all rights."""
    security = SecuritySettings(authentication=authentication, policy=policy)

    def credentials(counters: CounterStore) -> ClientCredentials:
        return ClientCredentials(
            authentication=authentication,
            policy=policy,
            secret=PLAIN_SECRET,
            keys=book_keys(),
            system_title=TITLE,
            counters=counters,
            counter_object=PLAIN_COUNTER,
            manner=Manner(style),
            dedicated=dedicated,
        )

    return Setup(
        name=f"{authentication.label}, {policy.label}, {style.value}{', dedicated' * dedicated}",
        make=lambda settings, storage, clock: _plain(settings, storage, clock, security),
        client_sap=1,
        credentials=credentials,
    )


def is15959(
    *,
    secret: Secret = IS15959_SECRET,
    keys: Keys | None = None,
    carrier: Carrier | None = None,
    link: Callable[[], ServerLink] = WrapperServer,
) -> Setup:
    """An IS 15959 meter with that secret and those keys, and its firmware client, which has the same."""

    def make(settings: MeterSettings, storage: MeterStorage, clock: MeterClock) -> SimulatedMeter:
        return is15959_meter(1, settings, secret=secret, keys=keys, storage=storage, clock=clock)

    def credentials(counters: CounterStore) -> ClientCredentials:
        return ClientCredentials(
            authentication=FIRMWARE_CLIENT.authentication,
            policy=FIRMWARE_CLIENT.policy,
            secret=secret,
            keys=keys or book_keys(),
            system_title=TITLE,
            counters=counters,
            counter_object=FIRMWARE_CLIENT.counter,
        )

    return Setup(
        name=f"is15959 over {'the wrapper' if carrier is None else 'HDLC'}",
        make=make,
        client_sap=FIRMWARE_CLIENT.client_sap,
        credentials=credentials,
        carrier=carrier or Wrapper(),
        link=link,
    )


OPEN: Final = Setup(
    name="plain, open",
    make=lambda settings, storage, clock: plain_meter(1, settings, storage=storage, clock=clock),
    client_sap=PUBLIC,
    credentials=lambda _counters: ClientCredentials(),
)
GMAC: Final = plain(AuthenticationMechanism.HIGH_GMAC, SecurityPolicy.AUTHENTICATED_ENCRYPTED)
IS15959: Final = is15959()
IS15959_HDLC: Final = is15959(carrier=Hdlc(), link=HdlcServer)
SECURED: Final = (GMAC, IS15959, IS15959_HDLC)
EVERY: Final = (OPEN, *SECURED)
