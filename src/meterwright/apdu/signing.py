"""general-signing: any APDU, or one that is ciphered, with a signature over it (Green Book 9.5).

The signature is over all octets from the length of the transaction id to the end of the content, as they came. Nothing here
verifies it; what has not been verified is not to be believed.
"""

from dataclasses import field
from typing import Annotated

from meterwright.apdu.fields import OptionalDateTime
from meterwright.apdu.registry import APDUS
from meterwright.codec import Apdu, OctetString, apdu
from meterwright.values import CosemDateTime

__all__ = ["GeneralSigning"]


@apdu(0xDF, registry=APDUS)
class GeneralSigning(Apdu):
    """Who sends what to whom, and the signature. No repr shows the content."""

    transaction_id: Annotated[bytes, OctetString()]
    originator_system_title: Annotated[bytes, OctetString()]
    recipient_system_title: Annotated[bytes, OctetString()]
    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
    other_information: Annotated[bytes, OctetString()]
    content: Annotated[bytes, OctetString()] = field(repr=False)
    signature: Annotated[bytes, OctetString()]
