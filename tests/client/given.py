"""What a client of one meter is given, right but for what is said: as settings of the library, or as a meter's file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Final

from meterwright.client import ClientCredentials, ClientSettings, CounterReading, MeterAddress, Timeouts
from meterwright.client.carriers import Carrier, Hdlc, Wrapper
from meterwright.security import CounterOwner, CounterStore, Keys, Secret
from meterwright.values import AuthenticationMechanism, Obis, SecurityPolicy

EK: Final = bytes.fromhex("7d0f1c1e5a4b39288716051423324150")
AK: Final = bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90")
WRONG_KEY: Final = bytes.fromhex("55aa55aa55aa55aa55aa55aa55aa55aa")
SECRET: Final = b"s3same-open-7"
TITLE: Final = b"MWC00007"
WRONG_TITLE: Final = b"MWC00008"
METER_TITLE: Final = bytes.fromhex("4D57530000000001")
COUNTER: Final = Obis.parse("0.0.43.1.0.255")
CLIENT, PUBLIC = 1, 16

METER_KEYS: Final = Keys(global_unicast=Secret(EK), authentication=Secret(AK))
PATIENT: Final = Timeouts(connect=5.0, associate=5.0, request=5.0, release=5.0, between=0.01)
"""For real time: nobody is kept waiting, and a busy machine is no silence."""
QUICK: Final = Timeouts(connect=5.0, associate=0.8, request=0.8, release=0.8, between=0.01)
"""The same where somebody will stay silent."""


class Link(Enum):
    """What carries the APDUs."""

    WRAPPER = "wrapper"
    HDLC = "HDLC"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a client is given. Whatever is not said is right."""

    client: int = CLIENT
    server: int = 1
    authentication: AuthenticationMechanism = AuthenticationMechanism.HIGH_SHA256
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED
    secret: bytes | None = SECRET
    ek: bytes = EK
    ak: bytes = AK
    title: bytes = TITLE
    meter_title: bytes | None = None
    counter_object: Obis = COUNTER
    reading: CounterReading = CounterReading.FIRST_USE
    follow: bool = False
    address_size: int | None = None
    lower: int | None = None

    @property
    def has_keys(self) -> bool:
        """Whether anything is protected, or proved, by keys."""
        return bool(self.policy) or self.authentication is AuthenticationMechanism.HIGH_GMAC

    @property
    def owner(self) -> CounterOwner:
        """Whose numbers it uses."""
        return CounterOwner.of(Secret(self.ek), self.title)

    def settings(
        self,
        link: Link,
        store: CounterStore,
        timeouts: Timeouts | None = None,
        carrier: Carrier | None = None,
    ) -> ClientSettings:
        """For the library."""
        keys = Keys(global_unicast=Secret(self.ek), authentication=Secret(self.ak))
        hdlc = Hdlc(lower=self.lower, address_size=self.address_size)
        return ClientSettings(
            client_sap=self.client,
            server_sap=self.server,
            timeouts=timeouts or Timeouts(),
            carrier=carrier or (Wrapper() if link is Link.WRAPPER else hdlc),
            credentials=ClientCredentials(
                authentication=self.authentication,
                secret=None if self.secret is None else Secret(self.secret),
                policy=self.policy,
                keys=keys if self.has_keys else None,
                system_title=self.title,
                meter_title=self.meter_title,
                counters=store,
                counter_object=self.counter_object,
                counter_reading=self.reading,
                follow_counter=self.follow,
            ),
        )

    def file(self, link: Link, port: int, timeouts: Timeouts) -> str:
        """For the command line: a meter's file."""
        none = self.authentication is AuthenticationMechanism.LOWEST
        meter: dict[str, str | int | None] = {
            "url": self.url(link, port),
            "client": self.client,
            "server": self.server,
            "authentication": "none" if none else self.authentication.label,
            "security": self.policy.label,
            "system_title": self.title.hex(),
            "meter_system_title": None if self.meter_title is None else self.meter_title.hex(),
            "counter_object": str(self.counter_object),
            "counter_reading": self.reading.value,
            "follow_counter": "true" if self.follow else None,
        }
        keys = {
            "password": None if self.secret is None else self.secret.hex(),
            "global_unicast": self.ek.hex() if self.has_keys else None,
            "authentication": self.ak.hex() if self.has_keys else None,
        }
        waits = {f"timeouts.{name}": seconds for name, seconds in asdict(timeouts).items()}
        return "\n".join(["[meter]", *_rows(meter), *_rows(waits), "[keys]", *_rows(keys), ""])

    def peer(self, link: Link, port: int) -> str:
        """What a client calls this meter, at that port."""
        address = MeterAddress.parse(self.url(link, port))
        return str(replace(address, client_sap=self.client, server_sap=self.server))

    def url(self, link: Link, port: int) -> str:
        options = {"lower": self.lower, "address_size": self.address_size}
        query = "&".join(f"{name}={value}" for name, value in options.items() if value is not None)
        scheme = "tcp" if link is Link.WRAPPER else "hdlc+tcp"
        return f"{scheme}://127.0.0.1:{port}" + (f"?{query}" if query else "")


def _rows(values: Mapping[str, str | float | None]) -> list[str]:
    """TOML; what is None is left out."""
    return [
        f"{name} = {value}" if isinstance(value, int | float) or value == "true" else f'{name} = "{value}"'
        for name, value in values.items()
        if value is not None
    ]
