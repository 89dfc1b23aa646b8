"""How the stations of an HDLC line are set up: addresses, what is proposed, and how patient they are.

All times are in seconds. The defaults suit a serial line or a TCP gateway nearby; modems and power line carriers want a
`response_timeout` of 10 to 60.
"""

from dataclasses import dataclass, replace
from typing import Final

from meterwright.errors import LocalProtocolError
from meterwright.link.hdlc.address import HdlcAddress
from meterwright.link.hdlc.parameters import LARGEST_SIZE, SMALLEST_SIZE, HdlcParameters

__all__ = ["GENEROUS", "HdlcClientSettings", "HdlcServerSettings"]

GENEROUS: Final = HdlcParameters(LARGEST_SIZE, LARGEST_SIZE)
"""The longest frames the standard allows, one at a time. The other side answers with what it can."""

_DEFAULTS: Final = HdlcParameters()
_FRAME_OVERHEAD: Final = 9  # flags, format, control, HCS and FCS
_LONGEST_APDU: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class HdlcClientSettings:
    """A client of one meter."""

    client: HdlcAddress
    server: HdlcAddress

    proposal: HdlcParameters | None = GENEROUS
    """What the SNRM proposes; None sends it plain, and takes whatever the meter announces."""

    sizes_are_frames: bool = False
    """The meter means whole frames where the standard means the information in them, so that we send less in one."""

    disconnect_first: bool = False
    """Send DISC before SNRM, for a meter that may still hold the connection of somebody who died."""

    response_timeout: float = 5.0
    """How long an answer may take before it is asked for again (T1)."""

    retries: int = 3
    """How often in a row, without getting any further, before the link has failed (N2)."""

    poll_interval: float = 0.5
    """Between two questions to a meter that is busy, or that has not answered a request yet."""

    patience: float = 180.0
    """How long a meter may say that it is busy, before the link has failed."""

    keep_alive: float | None = None
    """After how much idle time the meter is asked whether it is still there; None never asks."""

    inter_octet_timeout: float = 1.0
    """The longest pause within one frame."""

    echo: bool = False
    """The line gives back what we send (an optical head, two-wire RS-485): drop it."""

    longest_apdu: int = _LONGEST_APDU

    def __post_init__(self) -> None:
        times = (self.response_timeout, self.poll_interval, self.patience, self.inter_octet_timeout)
        _require_positive(*times, *(() if self.keep_alive is None else (self.keep_alive,)))
        if self.retries < 0:
            raise LocalProtocolError("retries cannot be negative", layer="hdlc")

    def agreed(self, told: HdlcParameters) -> HdlcParameters:
        """What holds in a connection whose UA told `told`."""
        agreed = told.mirrored() if self.proposal is None else self.proposal.agreed_with(told)
        if not self.sizes_are_frames:
            return agreed
        room = agreed.transmit_size - _FRAME_OVERHEAD - self.client.size - self.server.size
        return replace(agreed, transmit_size=max(room, SMALLEST_SIZE))

    def is_ours(self, source: HdlcAddress, destination: HdlcAddress, *, unconfirmed: bool) -> bool:
        """Whether a frame that goes this way is for this client."""
        if not self.server.matches(source):
            return unconfirmed and self.server.is_all_stations
        return self.client.matches(destination) or (unconfirmed and destination.is_all_stations)


@dataclass(frozen=True, slots=True)
class HdlcServerSettings:
    """A meter on a line."""

    logical_devices: frozenset[int] = frozenset({1})
    """The upper addresses that it answers to."""

    lower: int | None = None
    """Its lower address; None answers to any."""

    sizes: frozenset[int] = frozenset({1, 2, 4})
    """The lengths of address that it answers to. Most meters are set to one."""

    parameters: HdlcParameters = GENEROUS
    """The most that it sends and takes."""

    unasked: HdlcParameters = _DEFAULTS
    """What its UA announces where the SNRM was plain. Meters are known that announce more than the default then."""

    wide_sizes: bool = False
    """Tell sizes in two octets even where one would do, as some meters."""

    inactivity_timeout: float | None = 120.0
    """After how much silence the connection is dropped without a word; None never drops it."""

    answer_within: float = 0.5
    """How long the answer to a request may take before an RR says that it was heard. The client then asks for it."""

    inter_octet_timeout: float = 1.0
    """The longest pause within one frame."""

    longest_apdu: int = _LONGEST_APDU

    def __post_init__(self) -> None:
        limits = () if self.inactivity_timeout is None else (self.inactivity_timeout,)
        _require_positive(self.answer_within, self.inter_octet_timeout, *limits)
        if not self.sizes <= {1, 2, 4}:
            raise LocalProtocolError("HDLC addresses have 1, 2 or 4 octets", layer="hdlc")

    def is_ours(self, address: HdlcAddress) -> bool:
        """Whether a frame to this address is for this meter alone."""
        if address.size not in self.sizes or address.upper not in self.logical_devices:
            return False
        return address.lower is None or self.lower is None or address.lower == self.lower

    def is_broadcast(self, address: HdlcAddress) -> bool:
        """Whether a frame to this address is for this meter among others."""
        if not address.is_all_stations or address.size not in self.sizes:
            return False
        everything = HdlcAddress(0x3FFF, 0x3FFF, 4)
        return address.upper in self.logical_devices or everything.matches(address)


def _require_positive(*times: float) -> None:
    if min(times) <= 0:
        raise LocalProtocolError("a time-out is longer than nothing", layer="hdlc")
