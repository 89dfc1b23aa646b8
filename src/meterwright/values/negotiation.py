"""What client and meter agree on when an association opens.

The conformance block of xDLMS Initiate, and the last arcs of the two object identifiers in the AARQ:
application context and authentication mechanism (Green Book, xDLMS Initiate and ACSE). Refused, with
ValueError: a conformance that is not 24 bits.
"""

from enum import STRICT, IntFlag
from typing import Self

from meterwright.values.open_enum import OpenIntEnum

__all__ = ["ApplicationContext", "AuthenticationMechanism", "Conformance"]

_REMEMBERED_COMBINATIONS = 256


class Conformance(IntFlag, boundary=STRICT):
    """The conformance block: the services a side is able to use or, once negotiated, both may use.

    Bit 0 of the book is the most significant of the 24, hence the falling masks.
    """

    RESERVED_0 = 0x800000
    GENERAL_PROTECTION = 0x400000
    GENERAL_BLOCK_TRANSFER = 0x200000
    READ = 0x100000
    WRITE = 0x080000
    UNCONFIRMED_WRITE = 0x040000
    DELTA_VALUE_ENCODING = 0x020000
    RESERVED_7 = 0x010000
    ATTRIBUTE0_WITH_SET = 0x008000
    PRIORITY_MGMT = 0x004000
    ATTRIBUTE0_WITH_GET = 0x002000
    BLOCK_TRANSFER_WITH_GET_OR_READ = 0x001000
    BLOCK_TRANSFER_WITH_SET_OR_WRITE = 0x000800
    BLOCK_TRANSFER_WITH_ACTION = 0x000400
    MULTIPLE_REFERENCES = 0x000200
    INFORMATION_REPORT = 0x000100
    DATA_NOTIFICATION = 0x000080
    ACCESS = 0x000040
    PARAMETERIZED_ACCESS = 0x000020
    GET = 0x000010
    SET = 0x000008
    SELECTIVE_ACCESS = 0x000004
    EVENT_NOTIFICATION = 0x000002
    ACTION = 0x000001

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        member = super()._missing_(value)
        # An enum remembers every combination it has met, for ever. Here the peer picks among 16 million of
        # them, so beyond a sensible number they are forgotten again: equal still, but not the same object.
        if len(cls._value2member_map_) > _REMEMBERED_COMBINATIONS:
            cls._value2member_map_.pop(value, None)
        return member if isinstance(member, cls) else None

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """From the three octets that follow the count of unused bits; no value of them is refused."""
        if len(octets) != 3:
            raise ValueError(f"a conformance block has 3 octets, not {len(octets)}")
        return cls(int.from_bytes(octets, "big"))

    def to_octets(self) -> bytes:
        """The three octets that follow the count of unused bits."""
        return self.value.to_bytes(3, "big")

    @property
    def labels(self) -> tuple[str, ...]:
        """The services by the book's names, in the order of its bits: `("get", "set", "action")`."""
        return tuple(
            name.lower().replace("_", "-")
            for name, service in type(self).__members__.items()
            if service in self
        )


class ApplicationContext(OpenIntEnum):
    """Last arc of the application context name: how objects are named, and whether APDUs are ciphered."""

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4

    @property
    def is_ciphered(self) -> bool:
        """Whether the association may protect its APDUs; both sides then need a system title."""
        return self in (ApplicationContext.LN_CIPHERED, ApplicationContext.SN_CIPHERED)


class AuthenticationMechanism(OpenIntEnum):
    """Last arc of the mechanism name: how the two sides prove who they are. 8 and up are national."""

    LOWEST = 0
    LOW = 1
    HIGH = 2
    HIGH_MD5 = 3
    HIGH_SHA1 = 4
    HIGH_GMAC = 5
    HIGH_SHA256 = 6
    HIGH_ECDSA = 7
