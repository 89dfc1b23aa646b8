"""Invocation counters: a number is used once, and a number that came is never taken again (Green Book 9.2.3.3.7, 9.2.7.2).

Under one key, a nonce (system title and counter) that protects two APDUs gives both keys away. So numbers to *send* come from
a `CounterStore` alone: it reserves a range, and what was reserved stays so, whatever happens to who asked. A killed program
leaves a gap, and gaps are legal. A number *received* must be greater than the last one; what was verified counts, what was
only encrypted cannot be believed far.

Numbers run up to FFFFFFFE. At the end stands a new key, never a new beginning.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from meterwright.errors import RemoteProtocolError, SecurityError, UsageError
from meterwright.security.secret import Secret
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Finding, Level

__all__ = [
    "CEILING",
    "FARTHEST_JUMP",
    "FIRST",
    "FIRST_READING_LIMIT",
    "LAST",
    "CounterOwner",
    "CounterRecord",
    "CounterStore",
    "MemoryCounterStore",
    "ReceiveCounter",
    "Recovery",
    "SendCounter",
    "fingerprint",
    "recover",
]

FIRST: Final = 1
"""The number that a key begins with: a meter's counter object says 0 when it has accepted nothing yet."""
LAST: Final = 0xFFFF_FFFE
"""The greatest number that is used."""
CEILING: Final = 0xFFFF_0000
"""Where recovery stops without an operator's word: nobody counts that far, but somebody may say so."""
FARTHEST_JUMP: Final = 1 << 20
"""How far recovery follows a meter forwards without an operator's word."""
FIRST_READING_LIMIT: Final = 1 << 28
"""The same where we have no number of our own yet: a meter that was read for years is far ahead, honestly."""
_BATCH: Final = 256
_UNVERIFIED_JUMP: Final = 1024
_U32: Final = 0xFFFF_FFFF
_DOMAIN: Final = b"meterwright invocation counter 1\0"


def fingerprint(key: Secret) -> str:
    """A name for a key that does not give it away: 64 bits of a hash made for nothing else, in hex."""
    return hashlib.sha256(_DOMAIN + key.reveal()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class CounterOwner:
    """Whose numbers: a key, by its fingerprint, and the system title that sends under it.

    `peer` is empty for the numbers themselves, which all who share key and title take from one place. What one of several
    partners has accepted of them is kept under a name for it.
    """

    key: str
    title: bytes
    peer: str = ""

    @staticmethod
    def of(key: Secret, title: bytes) -> "CounterOwner":
        """The owner of the numbers that `title` sends under `key`."""
        return CounterOwner(fingerprint(key), title)

    def toward(self, peer: str) -> "CounterOwner":
        """The owner of what this partner has accepted."""
        return replace(self, peer=peer)

    def __str__(self) -> str:
        toward = f"-{hashlib.sha256(self.peer.encode()).hexdigest()[:16]}" if self.peer else ""
        return f"{self.key}-{self.title.hex()}{toward}"


@dataclass(frozen=True, slots=True)
class CounterRecord:
    """What a store knows: the greatest number ever reserved, and the greatest that the other side is known to have accepted."""

    reserved: int | None = None
    accepted: int | None = None

    def reserving(self, count: int, at_least: int) -> tuple[range, "CounterRecord"]:
        """The next numbers, and what is known once they are taken. SecurityError where none is left."""
        start = max(FIRST if self.reserved is None else self.reserved + 1, at_least)
        stop = min(start + count, LAST + 1)
        if count < 1 or start >= stop:
            raise SecurityError(
                "the invocation counter of this key is used up",
                layer="security",
                hint="the meter needs a new encryption key; with a new key the counter begins anew",
            )
        return range(start, stop), replace(self, reserved=stop - 1)

    def accepting(self, number: int) -> "CounterRecord":
        """What is known once the other side has accepted this number."""
        return (
            self if self.accepted is not None and number <= self.accepted else replace(self, accepted=number)
        )


class CounterStore(ABC):
    """A port: where numbers come from. Shared by all who send under the same keys, in other processes too.

    `epoch` changes when numbers handed out before may be used by somebody else (a process was forked): they are void then.
    """

    epoch: int = 0

    @abstractmethod
    def record(self, owner: CounterOwner) -> CounterRecord:
        """What is known."""

    @abstractmethod
    def reserve(self, owner: CounterOwner, count: int, at_least: int = FIRST) -> range:
        """Up to `count` numbers, at least one, greater than any ever reserved. When this returns they are reserved for good.

        None of them is lower than `at_least`. SecurityError where none is left.
        """

    @abstractmethod
    def accepted(self, owner: CounterOwner, number: int) -> None:
        """The other side is known to have accepted this number. It may be forgotten; reservations may not."""


class MemoryCounterStore(CounterStore):
    """Remembers as long as it lives: for tests, and for keys that live no longer."""

    def __init__(self) -> None:
        self._records: dict[CounterOwner, CounterRecord] = {}

    def record(self, owner: CounterOwner) -> CounterRecord:
        return self._records.get(owner, CounterRecord())

    def reserve(self, owner: CounterOwner, count: int, at_least: int = FIRST) -> range:
        numbers, self._records[owner] = self.record(owner).reserving(count, at_least)
        return numbers

    def accepted(self, owner: CounterOwner, number: int) -> None:
        self._records[owner] = self.record(owner).accepting(number)


class SendCounter:
    """Numbers to send with, each once. `batch` is how many are reserved at a time: one durable write for so many APDUs."""

    def __init__(
        self, store: CounterStore, owner: CounterOwner, *, peer: str = "", batch: int = _BATCH
    ) -> None:
        """`peer` is a name for who accepts them: other partners may share key and title, and know other numbers of them."""
        if batch < 1:
            raise UsageError(f"a batch of {batch} numbers", layer="security")
        self.owner: Final = owner
        self._accepted_by: Final = owner.toward(peer)
        self._store = store
        self._batch = batch
        self._at_least = FIRST
        self._epoch = store.epoch
        self._numbers: Iterator[int] = iter(())
        self.last: int | None = None

    def next(self) -> int:
        """A number never used before. SecurityError where none is left."""
        number = next(self._numbers, None) if self._epoch == self._store.epoch else None
        if number is None:
            number = self._refill()
        self.last = number
        return number

    def start_at(self, number: int) -> None:
        """Use no number lower than this one from now on. Lower ones than were used already are never used again anyhow."""
        self._at_least = max(self._at_least, number)
        self._numbers = iter(())

    def confirm(self) -> None:
        """The other side answered, and so has accepted what was sent: kept, to judge what it will say of its counter."""
        if self.last is not None:
            self._store.accepted(self._accepted_by, self.last)

    @property
    def record(self) -> CounterRecord:
        """What the store knows of these numbers: all that were reserved, and which the partner has accepted."""
        known = self._store.record(self._accepted_by)
        return CounterRecord(self._store.record(self.owner).reserved, known.accepted)

    def _refill(self) -> int:
        self._epoch = self._store.epoch
        numbers = iter(self._store.reserve(self.owner, self._batch, self._at_least))
        number = next(numbers)
        self._numbers = numbers
        return number


class ReceiveCounter:
    """The numbers of one sender under one key. `last` is the greatest taken; None where none was yet.

    `check`, and then `accept`, what was opened: a tag that is wrong moves nothing. APDUs that are only encrypted prove nothing
    either. They may be `unverified_jump` ahead and not more, and the next one that is verified puts right what they have moved,
    so that nobody is locked out by a forged number for longer than until the next association. (That such APDUs can be
    replayed then is the smaller evil: who can send them can send anything, for nothing holds their octets together.)
    """

    def __init__(self, last: int | None = None, *, unverified_jump: int = _UNVERIFIED_JUMP) -> None:
        self.last = last
        self.before: int | None = None
        self._verified = last
        self._jump = unverified_jump
        self._restarts = False

    def check(self, number: int, *, verifiable: bool) -> None:
        """SecurityViolation where an APDU with this number is a replay, or too far ahead to be believed unverified."""
        floor = self._verified if verifiable else self.last
        if self._restarts and verifiable:
            floor = None
        if floor is not None and number <= floor:
            raise SecurityViolation(
                Violation.COUNTER,
                f"an invocation counter came twice or went back: {number}, after {floor}",
                hint="a replayed APDU; or the sender lost its counter, or another client uses its keys",
                counter=floor + 1,
                came_twice=number == floor,
            )
        if not verifiable and floor is not None and number > floor + self._jump:
            raise SecurityViolation(
                Violation.COUNTER,
                f"an invocation counter jumped from {floor} to {number} in an APDU that nothing authenticates",
                hint="associate anew: what opens an association is authenticated, and may jump",
                counter=floor + 1,
            )
        if number > LAST:
            raise SecurityViolation(
                Violation.COUNTER, "an invocation counter of FFFFFFFF, where a new key belongs", counter=LAST
            )

    def accept(self, number: int, *, verified: bool) -> None:
        """An APDU with this number was taken."""
        self.before, self.last = self.last, number
        if verified:
            self._verified = number
            self._restarts = False

    def restart(self) -> None:
        """The sender may have begun anew, as some meters do when they boot: the next verified APDU may have any number.

        To be used only where a fresh challenge proves right afterwards that it was no recording.
        """
        self._restarts = True

    def check_inner(self, number: int, *, shared: bool = False) -> None:
        """The number inside f(challenge), which came in an APDU of this counter that was accepted a moment ago.

        It is older than the one of the APDU around it, and newer than all before. `shared`: a few meters use one for both.
        """
        outer = self.last
        if outer is None or number > outer or (number == outer and not shared):
            raise _stale(number)
        if self.before is not None and self.before < outer and number <= self.before:
            raise _stale(number)


def _stale(number: int) -> SecurityViolation:
    return SecurityViolation(
        Violation.COUNTER,
        f"the invocation counter {number} in the answer to our challenge is not the one before that of its APDU",
        hint="a recorded answer, or a meter that uses one number for both",
    )


# ------------------------------------------------------------------------------------------------ recovery


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where to go on after the other side said which number it accepted last. `start` is None where that is not to be followed."""

    start: int | None
    finding: Finding | None = None


def recover(ours: CounterRecord, read: int, *, operator_agrees: bool = False) -> Recovery:
    """Where to go on: one above both our own greatest number and the one read, never lower.

    Nothing authenticates what was read (the public client's answer, an exception), so it can't lower ours, and a great jump
    or a number near the end needs an operator's word: a forged value would burn the key for ever.
    """
    if not 0 <= read <= _U32:
        raise RemoteProtocolError(f"an invocation counter of {read}", layer="security")
    own = 0 if ours.reserved is None else ours.reserved
    start = max(own, read) + 1
    if start > LAST:
        return Recovery(None, _USED_UP)
    limit = FIRST_READING_LIMIT if ours.reserved is None else FARTHEST_JUMP
    if not operator_agrees and start > CEILING:
        return Recovery(None, _near_end(start))
    if not operator_agrees and read - own > limit:
        return Recovery(None, _far(read, own))
    if ours.accepted is not None and read < ours.accepted:
        return Recovery(start, _behind(read, ours.accepted))
    if ours.reserved is not None and read > own:
        return Recovery(start, _ahead(read, own))
    return Recovery(start)


_USED_UP: Final = Finding(
    Level.ERROR,
    "counter-used-up",
    "the meter's invocation counter is at its end, or somebody says so",
    hint="read it again over a line you trust; if it is true, the meter needs a new encryption key",
)


def _near_end(start: int) -> Finding:
    return Finding(
        Level.ERROR,
        "counter-near-end",
        f"the invocation counter would go on with {start}, close to its end: this was not followed",
        hint="nothing authenticates this value, and following a forged one would use up the key; check it, then allow it by name",
    )


def _far(read: int, own: int) -> Finding:
    return Finding(
        Level.ERROR,
        "counter-jump",
        f"the meter's invocation counter reads {read}, and ours was {own}: too far ahead to be followed unasked",
        hint="another program uses these keys, or the value is forged; check it, then allow it by name",
    )


def _behind(read: int, accepted: int) -> Finding:
    return Finding(
        Level.WARNING,
        "counter-behind",
        f"the meter's invocation counter reads {read}, though it has accepted {accepted} from us: ours stays",
        hint="its key was changed, the meter was replaced, this is another client's counter object, or an attack",
    )


def _ahead(read: int, own: int) -> Finding:
    return Finding(
        Level.INFO,
        "counter-ahead",
        f"the meter's invocation counter reads {read}, {read - own} ahead of ours",
        hint="another program uses the same keys and system title, or our store is not the one used before",
    )
