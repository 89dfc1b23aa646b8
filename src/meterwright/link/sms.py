"""The short wrapper of SMS (IEC 62056-5-3, annex B): two octets before every APDU, one message an APDU.

::

    destination | source | APDU         the service access points, one octet each; a client's push goes to its own SAP

The network cuts what is longer than one message (140 octets) and puts it together again, so nothing of that is seen here. The order of
the two octets is the annex's; no capture of a meter's SMS was at hand to see it kept.
"""

from dataclasses import dataclass

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.listener import Listener
from meterwright.link.machine import Unsolicited

__all__ = ["ShortMessage", "SmsListener"]

_HEADER = 2


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """One APDU and the SAPs it travels between."""

    source: int
    destination: int
    apdu: bytes

    def to_octets(self) -> bytes:
        """The user data of the message. LocalProtocolError where a SAP has more than one octet."""
        if not (0 <= self.source <= 0xFF and 0 <= self.destination <= 0xFF):
            raise LocalProtocolError("a SAP in an SMS has one octet", layer="sms")
        return bytes((self.destination, self.source)) + self.apdu

    @staticmethod
    def from_octets(octets: bytes) -> "ShortMessage":
        """What a message carries. RemoteProtocolError where there is no APDU in it."""
        if len(octets) <= _HEADER:
            raise RemoteProtocolError(
                f"an SMS of {len(octets)} octets carries no APDU", layer="sms", offset=len(octets)
            )
        return ShortMessage(octets[1], octets[0], octets[_HEADER:])


class SmsListener(Listener):
    """Takes one message after the other. `broken` counts those that carry no APDU."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = 0

    def receive(self, octets: bytes, now: float) -> list[Unsolicited]:  # noqa: ARG002 - a message needs no time
        """One message has come, whole."""
        try:
            message = ShortMessage.from_octets(octets)
        except RemoteProtocolError:
            self.broken += 1
            return []
        partners = (message.source, message.destination)
        return self._told(message.apdu, *partners, sender=partners)
