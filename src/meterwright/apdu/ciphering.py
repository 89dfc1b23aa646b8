"""Ciphered APDUs, as far as they can be read without a key (Green Book 9.5): a tag, a length, opaque content.

Two families. *Service-specific*: every xDLMS APDU that knows it has a twin ciphered with the global key and one with the
dedicated key, by a tag of its own; the content is security control, invocation counter, and the protected APDU. *General*:
one tag for the global and one for the dedicated key, with the originator's system title, for any APDU, and a third that says
who sends it to whom and by which key. `security` opens the first two; nothing here looks into the content, and no repr shows it: what is only authenticated stands there in plain.
"""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

from meterwright.apdu.fields import OptionalDateTime
from meterwright.apdu.registry import APDUS
from meterwright.codec import (
    Alternative,
    Apdu,
    Choice,
    Declared,
    Enumerated,
    OctetString,
    Sequence,
    apdu,
    sequence,
)
from meterwright.values import CosemDateTime, KekId, KeyId

__all__ = [
    "CIPHERED_SERVICES",
    "DEDICATED_TAGS",
    "GLOBAL_TAGS",
    "PLAIN_TAGS",
    "AgreedKey",
    "CipheredApdu",
    "GeneralCiphering",
    "GeneralDedCiphering",
    "GeneralGloCiphering",
    "IdentifiedKey",
    "KeyInfo",
    "ServiceCiphering",
    "TitledCiphering",
    "WrappedKey",
]


@sequence
class CipheredApdu(Apdu):
    """An APDU whose content needs a key."""


@sequence
class ServiceCiphering(CipheredApdu):
    """A glo- or ded- APDU. `content`: security control, invocation counter, the protected APDU, the tag if there is one."""

    content: Annotated[bytes, OctetString()] = field(repr=False)


@sequence
class TitledCiphering(CipheredApdu):
    """Any APDU, with the title that its nonce is made of. `system_title` has 8 octets, or none where both sides know it."""

    system_title: Annotated[bytes, OctetString()]
    content: Annotated[bytes, OctetString()] = field(repr=False)


@apdu(0xDB, registry=APDUS, label="general-glo-ciphering")
class GeneralGloCiphering(TitledCiphering):
    """Any APDU under a global key."""


@apdu(0xDC, registry=APDUS, label="general-ded-ciphering")
class GeneralDedCiphering(TitledCiphering):
    """Any APDU under the dedicated key."""


@sequence
class IdentifiedKey(Sequence):
    """A global key that both sides have."""

    key_id: Annotated[KeyId, Enumerated(KeyId)]


@sequence
class WrappedKey(Sequence):
    """A key for this APDU alone, wrapped with another that both sides have."""

    kek_id: Annotated[KekId, Enumerated(KekId)]
    key_ciphered_data: Annotated[bytes, OctetString()] = field(repr=False)


@sequence
class AgreedKey(Sequence):
    """A key that both sides work out: 01 is one ephemeral and one static key pair, 02 two static ones."""

    key_parameters: Annotated[bytes, OctetString()]
    key_ciphered_data: Annotated[bytes, OctetString()] = field(repr=False)


KeyInfo: TypeAlias = Annotated[
    IdentifiedKey | WrappedKey | AgreedKey,
    Choice(
        Alternative(0, IdentifiedKey, Declared(IdentifiedKey)),
        Alternative(1, WrappedKey, Declared(WrappedKey)),
        Alternative(2, AgreedKey, Declared(AgreedKey)),
    ),
]


@apdu(0xDD, registry=APDUS)
class GeneralCiphering(CipheredApdu):
    """Any APDU, with who sends it to whom and by which key. All that stands before the key is authenticated with it."""

    transaction_id: Annotated[bytes, OctetString()]
    originator_system_title: Annotated[bytes, OctetString()]
    recipient_system_title: Annotated[bytes, OctetString()]
    date_time: Annotated[CosemDateTime | None, OptionalDateTime()]
    other_information: Annotated[bytes, OctetString()]
    key_info: KeyInfo | None
    content: Annotated[bytes, OctetString()] = field(repr=False)


_SHORT_NAMES_AND_INITIATE: Final = {
    0x01: "initiate-request",
    0x05: "read-request",
    0x06: "write-request",
    0x08: "initiate-response",
    0x0C: "read-response",
    0x0D: "write-response",
    0x0E: "confirmed-service-error",
    0x16: "unconfirmed-write-request",
    0x18: "information-report-request",
}
_LOGICAL_NAMES: Final = {
    0xC0: "get-request",
    0xC1: "set-request",
    0xC2: "event-notification-request",
    0xC3: "action-request",
    0xC4: "get-response",
    0xC5: "set-response",
    0xC7: "action-response",
}
_FAMILIES: Final = ((_SHORT_NAMES_AND_INITIATE, 0x20, 0x40), (_LOGICAL_NAMES, 0x08, 0x10))
"""Plain tags, and how far from them the global and the dedicated twin stand."""

GLOBAL_TAGS: Final[Mapping[int, int]] = MappingProxyType(
    {tag: tag + glo for names, glo, _ in _FAMILIES for tag in names}
)
"""Tag of a plain APDU: tag of its twin under the global key."""

DEDICATED_TAGS: Final[Mapping[int, int]] = MappingProxyType(
    {tag: tag + ded for names, _, ded in _FAMILIES for tag in names}
)
"""Tag of a plain APDU: tag of its twin under the dedicated key."""

PLAIN_TAGS: Final[Mapping[int, int]] = MappingProxyType(
    {twin: tag for tags in (GLOBAL_TAGS, DEDICATED_TAGS) for tag, twin in tags.items()}
)
"""Tag of a ciphered APDU, under either key: tag of what it protects."""


def _service(tag: int, label: str) -> type[ServiceCiphering]:
    name = "".join(word.capitalize() for word in label.split("-"))
    cls = type(name, (ServiceCiphering,), {"__doc__": f"A {label}.", "__module__": __name__})
    return apdu(tag, registry=APDUS, label=label)(cls)


CIPHERED_SERVICES: Final[Mapping[int, type[ServiceCiphering]]] = MappingProxyType(
    {
        tag + distance: _service(tag + distance, f"{prefix}-{name}")
        for names, glo, ded in _FAMILIES
        for prefix, distance in (("glo", glo), ("ded", ded))
        for tag, name in names.items()
    }
)
"""The class of every service-specific ciphered APDU, by its tag."""
