"""A meter behind a gateway (Green Book, gateway protocol): every APDU has a prefix that names it, outside of everything else.

::

    E6 | network id | length | physical address | APDU       to the meter
    E7 | network id | length | physical address | APDU       from it

The prefix stands around blocks of a general block transfer and around ciphered APDUs; the link below does not know that it is there.
What comes for or from another address is passed over. A gateway that can't reach the meter says so in its own name, without the prefix: an
exception or a service error is taken as the answer then, anything else without a prefix is not.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Final

from meterwright.apdu import (
    ConfirmedServiceError,
    DataNotification,
    EventNotificationRequest,
    ExceptionResponse,
    GatewayRequest,
    GatewayResponse,
    InformationReportRequest,
    decode_apdu,
)
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.machine import (
    ApduReceived,
    ClientLink,
    LinkEvent,
    LinkMachine,
    ServerLink,
    Unsolicited,
)

__all__ = ["GatewayAddress", "GatewayLink", "GatewayServer"]

_LONGEST_ADDRESS: Final = 127
_REFUSALS: Final = (ExceptionResponse.prefix, ConfirmedServiceError.prefix)
_NOTIFICATIONS: Final = (
    DataNotification.prefix,
    EventNotificationRequest.prefix,
    InformationReportRequest.prefix,
)


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """Where the meter is behind its gateway: which of the gateway's networks, and its address there."""

    network_id: int
    physical_address: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.network_id <= 0xFF or len(self.physical_address) > _LONGEST_ADDRESS:
            raise LocalProtocolError(
                f"a network id has one octet, a physical address at most {_LONGEST_ADDRESS}", layer="gateway"
            )

    def __str__(self) -> str:
        return f"{self.network_id}/{self.physical_address.hex()}"

    def to_meter(self, apdu: bytes) -> bytes:
        """The APDU as it goes to the meter."""
        return GatewayRequest(self.network_id, self.physical_address, apdu).to_octets()

    def from_meter(self, apdu: bytes) -> bytes:
        """The APDU as the meter sends it."""
        return GatewayResponse(self.network_id, self.physical_address, apdu).to_octets()

    def carried(self, octets: bytes) -> bytes | None:
        """The APDU behind a prefix with this address, of either direction; None where there is none."""
        if not octets.startswith((GatewayRequest.prefix, GatewayResponse.prefix)):
            return None
        try:
            apdu = decode_apdu(octets)
        except RemoteProtocolError:
            return None
        if not isinstance(apdu, GatewayRequest | GatewayResponse):
            return None
        here = (apdu.network_id, apdu.physical_address) == (self.network_id, self.physical_address)
        return apdu.carried if here and apdu.carried else None


class _Prefixed(LinkMachine):
    """What both roles have in common: all but the APDUs is the inner link's. `passed_over` counts what was not for us."""

    def __init__(self, inner: LinkMachine, address: GatewayAddress) -> None:
        self.passed_over = 0
        self._machine = inner
        self._address = address

    @property
    def is_open(self) -> bool:
        return self._machine.is_open

    @property
    def deadline(self) -> float | None:
        return self._machine.deadline

    def close(self, now: float) -> list[LinkEvent]:
        return self._unwrapped(self._machine.close(now), now)

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        return self._unwrapped(self._machine.receive(octets, now), now)

    def data_to_send(self) -> bytes:
        return self._machine.data_to_send()

    def tick(self, now: float) -> list[LinkEvent]:
        return self._unwrapped(self._machine.tick(now), now)

    def lost(self) -> None:
        self._machine.lost()

    def _unwrapped(self, events: list[LinkEvent], now: float) -> list[LinkEvent]:
        return [told for event in events for told in self._unwrap(event, now)]

    def _unwrap(self, event: LinkEvent, now: float) -> list[LinkEvent]:
        if not isinstance(event, ApduReceived | Unsolicited):
            return [event]
        apdu = self._address.carried(event.apdu)
        if apdu is None:
            return self._strange(event, now)
        if isinstance(event, ApduReceived) and apdu.startswith(_NOTIFICATIONS):
            self._was_no_answer(now)  # which the inner link could not see
            return [Unsolicited(apdu, event.source, event.destination)]
        return [type(event)(apdu, event.source, event.destination)]

    def _strange(self, event: ApduReceived | Unsolicited, now: float) -> list[LinkEvent]:
        """An APDU without our prefix."""
        self.passed_over += 1
        if isinstance(event, ApduReceived):
            self._was_no_answer(now)
        return []

    @abstractmethod
    def _was_no_answer(self, now: float) -> None:
        """What came asks for nothing and answers nothing: the inner link goes on as if it had not come."""


class GatewayLink(_Prefixed, ClientLink):
    """A client's, to a meter behind a gateway, over `inner`, which is a link to the gateway."""

    def __init__(self, inner: ClientLink, address: GatewayAddress) -> None:
        super().__init__(inner, address)
        self._inner = inner

    def open(self, now: float) -> list[LinkEvent]:
        return self._unwrapped(self._inner.open(now), now)

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True, more: bool = False) -> None:
        self._inner.send(self._address.to_meter(apdu), now, confirmed=confirmed, more=more)

    def keep_waiting(self, now: float, *, more: bool = False) -> None:
        self._inner.keep_waiting(now, more=more)

    def _strange(self, event: ApduReceived | Unsolicited, now: float) -> list[LinkEvent]:
        if isinstance(event, ApduReceived) and event.apdu.startswith(_REFUSALS):
            return [event]
        return super()._strange(event, now)

    def _was_no_answer(self, now: float) -> None:
        self._inner.keep_waiting(now)


class GatewayServer(_Prefixed, ServerLink):
    """A meter's behind its gateway, or the gateway's for one meter: what has its prefix is for it, and it answers with one."""

    def __init__(self, inner: ServerLink, address: GatewayAddress) -> None:
        super().__init__(inner, address)
        self._inner = inner

    @property
    def is_lost(self) -> bool:
        return self._inner.is_lost

    def send_to(self, client: int, server: int, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        self._inner.send_to(client, server, self._address.from_meter(apdu), now, confirmed=confirmed)

    def acknowledge(self, now: float) -> None:
        self._inner.acknowledge(now)

    def _was_no_answer(self, now: float) -> None:
        self._inner.acknowledge(now)
