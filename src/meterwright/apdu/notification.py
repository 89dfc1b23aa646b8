"""What a meter sends unasked: DataNotification (Green Book 9.3.10)."""

from typing import Annotated

from meterwright.apdu.fields import DataValue, LongInvokeIdField, OptionalDateTime
from meterwright.apdu.registry import APDUS
from meterwright.codec import Apdu, apdu
from meterwright.values import CosemDateTime

__all__ = ["DataNotification", "DataNotificationConfirm"]


@apdu(0x0F, registry=APDUS)
class DataNotification(Apdu):
    """A push: when, and what."""

    long_invoke_id_and_priority: LongInvokeIdField
    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
    notification_body: DataValue


@apdu(0x10, registry=APDUS)
class DataNotificationConfirm(Apdu):
    """A confirmed push has arrived."""

    long_invoke_id_and_priority: LongInvokeIdField
    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
