"""The examples of the books, and pairs of layers that talk to each other."""

from collections.abc import Iterator
from typing import Final

from meterwright.security import (
    Ciphers,
    CounterOwner,
    Keys,
    Manner,
    MemoryCounterStore,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    Style,
    book_keys,
)
from meterwright.values import Role, SecurityPolicy, SecuritySuite

CLIENT: Final = bytes.fromhex("4D4D4D0000000001")
METER: Final = bytes.fromhex("4D4D4D0000BC614E")
COUNTER: Final = 0x01234567
GET: Final = bytes.fromhex("C0010000080000010000FF0200")
"""The get-request that the Green Book protects in every way."""
ANSWER: Final = bytes.fromhex("C401C1000F01")
NOTIFICATION: Final = bytes.fromhex("0F00000001000F01")
INITIATE: Final = bytes.fromhex("01000000065F1F0400007E1F04B0")
GRANT: Final = bytes.fromhex("0800065F1F0400007E1F04B00007")
CTOS: Final = bytes.fromhex("4B35366956616759")
STOC: Final = bytes.fromhex("503677524A323146")
DEDICATED: Final = Secret(bytes.fromhex("00112233445566778899AABBCCDDEEFF"))
BROADCAST: Final = Secret(bytes.fromhex("0F0E0D0C0B0A09080706050403020100"))

POLICIES: Final = (
    SecurityPolicy.AUTHENTICATED,
    SecurityPolicy.ENCRYPTED,
    SecurityPolicy.AUTHENTICATED_ENCRYPTED,
)
AUTHENTICATED_POLICIES: Final = (SecurityPolicy.AUTHENTICATED, SecurityPolicy.AUTHENTICATED_ENCRYPTED)


def ciphers(suite: SecuritySuite = SecuritySuite.SUITE_0) -> Ciphers:
    """The books' keys, ready."""
    return Ciphers(book_keys(suite))


def layer(
    role: Role,
    *,
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
    keys: Keys | None = None,
    own: bytes | None = None,
    peer: bytes | None = None,
    start: int = 1,
    last: int | None = None,
    style: Style = Style.SERVICE_SPECIFIC,
    peer_restarts: bool = False,
) -> SecurityLayer:
    """One side, with counters of its own; titles and keys are the books' unless given."""
    keys = keys or book_keys()
    own = own or (CLIENT if role is Role.CLIENT else METER)
    counter = SendCounter(MemoryCounterStore(), CounterOwner.of(keys.global_unicast, own), batch=5)
    counter.start_at(start)
    return SecurityLayer(
        role,
        own_title=own,
        peer_title=peer or (METER if role is Role.CLIENT else CLIENT),
        keys=keys,
        policy=policy,
        send_counter=counter,
        receive_counter=ReceiveCounter(last),
        manner=Manner(style),
        peer_restarts=peer_restarts,
    )


def pair(
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED, style: Style = Style.SERVICE_SPECIFIC
) -> tuple[SecurityLayer, SecurityLayer]:
    """A client and a meter under one policy."""
    return layer(Role.CLIENT, policy=policy, style=style), layer(Role.SERVER, policy=policy)


def flipped(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Every variant of the octets with one bit wrong, and in which octet."""
    for bit in range(8 * len(octets)):
        wrong = bytearray(octets)
        wrong[bit >> 3] ^= 1 << (bit & 7)
        yield bit >> 3, bytes(wrong)
