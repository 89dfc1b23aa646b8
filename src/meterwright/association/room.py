"""How much of an APDU the other side takes at once, its protection counted: what fits, and how large a block may be."""

from collections.abc import Callable
from dataclasses import dataclass

from meterwright.apdu import Apdu
from meterwright.association.negotiation import LARGEST_PDU, Context
from meterwright.codec import length_octets
from meterwright.values import Conformance

__all__ = ["Room"]


@dataclass(frozen=True, slots=True)
class Room:
    """What may be sent in one association. `sealed_size`: how long so many octets with that tag are on their way."""

    context: Context
    sealed_size: Callable[[int, int], int] = lambda size, _tag: size

    def fits(self, apdu: Apdu) -> bool:
        """Whether it can be sent as it is: the other side takes it whole, or in general block transfer."""
        octets = apdu.to_octets()
        return self.context.carries(self.sealed_size(len(octets), octets[0]))

    def grants(self, services: Conformance) -> bool:
        """Whether all of these were negotiated."""
        return not services & ~self.context.conformance

    def block_size(self, empty: Apdu) -> int:
        """The most raw data that fit a block, given the APDU of one without any; below 1 where none do."""
        octets = empty.to_octets()
        around, tag = len(octets) - len(length_octets(0)), octets[0]
        size = (self.context.max_send_pdu_size or LARGEST_PDU) - around
        while size > 0 and not self.context.fits(
            self.sealed_size(around + len(length_octets(size)) + size, tag)
        ):
            size -= 1
        return size
