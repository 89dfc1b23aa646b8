"""What a meter sends unasked: DataNotification, EventNotification and, by short names, InformationReport (Green Book 9.3.10 on)."""

from functools import partial
from typing import Annotated, Final, TypeAlias

from meterwright.apdu.fields import AttributeDescriptor, DataValue, LongInvokedApdu, OptionalDateTime
from meterwright.apdu.registry import APDUS
from meterwright.apdu.variable_access import VariableAccess
from meterwright.codec import Apdu, Codec, FixedOctets, Mapped, OctetString, Optional, apdu
from meterwright.values import CosemDateTime

__all__ = [
    "FIXED_YEARS",
    "DataNotification",
    "DataNotificationConfirm",
    "EventNotificationRequest",
    "EventTime",
    "InformationReportRequest",
    "Notification",
]

FIXED_YEARS: Final = (0x07, 0x08)
"""How the year of a date-time begins, from 1792 to 2303; no date-time has a length like that."""


class EventTime:
    """OCTET STRING OPTIONAL: the date-time of an event, its length before it; an empty one is none.

    Older books give it a fixed size and no length, and a data tag (09) before the length is seen too: taken as what they mean.
    """

    def codec(self) -> Codec[CosemDateTime | None]:
        counted = Optional(OptionalDateTime()).codec()
        fixed = FixedOctets(12).codec()

        def decode(octets: bytes, position: int) -> tuple[CosemDateTime | None, int]:
            if octets[position] == 1 and octets[position + 1] in FIXED_YEARS:
                content, end = fixed.decode(octets, position + 1)
                return CosemDateTime.from_octets(content), end
            return counted.decode(octets, position)

        return Codec(counted.write, decode)


GENERALIZED_TIME: Final = Mapped(
    OctetString(), partial(str, encoding="latin-1"), partial(str.encode, encoding="latin-1")
)
"""GeneralizedTime: a text such as 20240101000000Z; nobody sends it, so nothing is read from it."""


@apdu(0x0F, registry=APDUS)
class DataNotification(LongInvokedApdu):
    """A push: when, and what."""

    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
    notification_body: DataValue


@apdu(0x10, registry=APDUS)
class DataNotificationConfirm(LongInvokedApdu):
    """A confirmed push has arrived."""

    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]


@apdu(0xC2, registry=APDUS)
class EventNotificationRequest(Apdu):
    """Something has happened: when, and the attribute that tells of it."""

    time: Annotated[CosemDateTime | None, EventTime()]
    attribute: AttributeDescriptor
    value: DataValue


@apdu(0x18, registry=APDUS)
class InformationReportRequest(Apdu):
    """Attributes by their short names, and their values in the same order."""

    current_time: Annotated[str, GENERALIZED_TIME] | None
    variables: tuple[VariableAccess, ...]
    values: tuple[DataValue, ...]


Notification: TypeAlias = DataNotification | EventNotificationRequest | InformationReportRequest
"""What a meter sends unasked."""
