"""The name of every APDU by its first octet (Green Book 9.5), also of those that can't be read without a key.

Service-specific ciphering moves the tag of an xDLMS APDU: by 20 and 40 below 20, by 8 and 10 from C0 on (all in hex), with
the global and the dedicated key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["TAGS", "Tag"]


@dataclass(frozen=True, slots=True)
class Tag:
    """One APDU: its name in kebab case, and whether what follows is ciphered."""

    name: str
    ciphered: bool = False


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
_ONLY_PLAIN: Final = {
    0x0F: "data-notification",
    0x10: "data-notification-confirm",
    0xD8: "exception-response",
    0xD9: "access-request",
    0xDA: "access-response",
    0xE0: "general-block-transfer",
    0xE6: "gateway-request",
    0xE7: "gateway-response",
    0xDF: "general-signing",
    0x60: "aarq",
    0x61: "aare",
    0x62: "rlrq",
    0x63: "rlre",
}
_GENERAL: Final = {
    0xDB: "general-glo-ciphering",
    0xDC: "general-ded-ciphering",
    0xDD: "general-ciphering",
}


def _all() -> dict[int, Tag]:
    plain = {**_SHORT_NAMES_AND_INITIATE, **_LOGICAL_NAMES, **_ONLY_PLAIN}
    tags = {tag: Tag(name) for tag, name in plain.items()}
    for names, global_key, dedicated_key in (
        (_SHORT_NAMES_AND_INITIATE, 0x20, 0x40),
        (_LOGICAL_NAMES, 8, 16),
    ):
        for tag, name in names.items():
            tags[tag + global_key] = Tag(f"glo-{name}", ciphered=True)
            tags[tag + dedicated_key] = Tag(f"ded-{name}", ciphered=True)
    tags.update({tag: Tag(name, ciphered=True) for tag, name in _GENERAL.items()})
    return tags


TAGS: Final[Mapping[int, Tag]] = MappingProxyType(_all())
"""Every APDU tag of the book."""
