"""Two sides that can do all: key pairs and a master key of each suite, and what stands around their messages."""

from collections.abc import Callable
from typing import Final, NamedTuple

from tests.security.books import CLIENT, METER

from meterwright.security import (
    AgreementKey,
    CounterOwner,
    KeyChoice,
    KeyPairs,
    Keys,
    Manner,
    MemoryCounterStore,
    ReceiveCounter,
    ReplayMemory,
    Secret,
    SecurityLayer,
    SendCounter,
    SigningKey,
    book_keys,
    curve_of,
)
from meterwright.values import Role, SecurityPolicy, SecuritySuite

SUITES: Final = (SecuritySuite.SUITE_1, SecuritySuite.SUITE_2)
CHOICES: Final = (KeyChoice.GLOBAL, KeyChoice.WRAPPED, KeyChoice.ONE_PASS, KeyChoice.STATIC)
BOTH: Final = SecurityPolicy.AUTHENTICATED_ENCRYPTED
SIGNED: Final = SecurityPolicy.from_words("signed-request+signed-response")
ALL: Final = SecurityPolicy(0xFC)


class Side(NamedTuple):
    """The lasting key pairs of one side."""

    signing: SigningKey
    agreement: AgreementKey


def side(role: Role, suite: SecuritySuite) -> Side:
    """Invented pairs, the same each time."""
    curve = curve_of(suite)
    seed = role.value.encode() * 20
    return Side(
        SigningKey.from_random(curve, b"sign" + seed), AgreementKey.from_random(curve, b"agree" + seed)
    )


def pairs(role: Role, suite: SecuritySuite) -> KeyPairs:
    """What this side holds: its own, and the public halves of the other's."""
    ours, theirs = side(role, suite), side(role.other, suite)
    return KeyPairs(
        signing=ours.signing,
        agreement=ours.agreement,
        verifying=theirs.signing.public,
        agreement_point=theirs.agreement.public,
    )


def all_keys(suite: SecuritySuite) -> Keys:
    """The books' keys, with a master and a broadcast key."""
    book = book_keys(suite)
    size = book.global_unicast.size
    return Keys(
        suite=suite,
        global_unicast=book.global_unicast,
        authentication=book.authentication,
        global_broadcast=Secret(bytes(range(0x30, 0x30 + size))),
        master=Secret(bytes(range(0x60, 0x60 + size))),
    )


def chances() -> Callable[[int], bytes]:
    """Octets that look random and are the same each time."""
    calls = iter(range(1, 1 << 16))

    def chance(size: int) -> bytes:
        return (next(calls).to_bytes(4, "big") * size)[:size]

    return chance


def capable(
    role: Role,
    suite: SecuritySuite = SecuritySuite.SUITE_1,
    *,
    policy: SecurityPolicy = BOTH,
    manner: Manner | None = None,
    keys: Keys | None = None,
    key_pairs: KeyPairs | None = None,
    own: bytes | None = None,
    peer: bytes | None = None,
    start: int = 1,
    replays: ReplayMemory | None = None,
    broadcasts: bool = False,
) -> SecurityLayer:
    """One side that has every key, unless told otherwise."""
    keys = keys or all_keys(suite)
    own = own or (CLIENT if role is Role.CLIENT else METER)
    store = MemoryCounterStore()
    counter = SendCounter(store, CounterOwner.of(keys.global_unicast, own))
    counter.start_at(start)
    broadcasting = None
    if broadcasts and keys.global_broadcast is not None:
        broadcasting = SendCounter(store, CounterOwner.of(keys.global_broadcast, own))
    return SecurityLayer(
        role,
        own_title=own,
        peer_title=peer or (METER if role is Role.CLIENT else CLIENT),
        keys=keys,
        policy=policy,
        send_counter=counter,
        receive_counter=ReceiveCounter(),
        manner=manner or Manner(),
        pairs=key_pairs or pairs(role, suite),
        replays=replays,
        broadcasting=broadcasting,
        chance=chances(),
    )


def two(
    suite: SecuritySuite = SecuritySuite.SUITE_1,
    manner: Manner | None = None,
    policy: SecurityPolicy = BOTH,
) -> tuple[SecurityLayer, SecurityLayer]:
    """A client in that manner, and a meter that answers as it is asked."""
    return (
        capable(Role.CLIENT, suite, policy=policy, manner=manner),
        capable(Role.SERVER, suite, policy=policy),
    )
