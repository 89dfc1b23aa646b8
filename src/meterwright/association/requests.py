"""The requests of a client that are on their way, by invoke id: which are open, given up, or to be gone on with.

An invoke id that was given up is not used again until its late answer has come, so that no answer is taken for another's.
GET, SET and ACTION have ids of 4 bits, ACCESS has ids of 24: two sets of numbers, in one book.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from meterwright.apdu import InvokedApdu, LongInvokedApdu
from meterwright.errors import LocalProtocolError

__all__ = ["InvokeId", "LongInvokeId", "OpenRequests", "invoke_id_of", "with_invoke_id"]

_INVOKE_IDS: Final = 1 << 4
_LONG_INVOKE_IDS: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class LongInvokeId:
    """An invoke id of 24 bits: another one than the short id of the same number."""

    number: int


InvokeId: TypeAlias = int | LongInvokeId
"""By which an answer is known: a number of 4 bits, or a long one."""


def invoke_id_of(apdu: InvokedApdu | LongInvokedApdu) -> InvokeId:
    """The invoke id that an APDU bears."""
    return LongInvokeId(apdu.invoke_id) if isinstance(apdu, LongInvokedApdu) else apdu.invoke_id


def with_invoke_id(apdu: InvokedApdu | LongInvokedApdu, invoke_id: InvokeId) -> InvokedApdu | LongInvokedApdu:
    """The same request under another invoke id of its kind."""
    match apdu, invoke_id:
        case LongInvokedApdu(), LongInvokeId(number):
            return replace(apdu, long_invoke_id_and_priority=apdu.long_invoke_id_and_priority.with_id(number))
        case InvokedApdu(), int():
            return replace(apdu, invoke_id_and_priority=apdu.invoke_id_and_priority.with_id(invoke_id))
        case _:
            raise LocalProtocolError(f"{apdu.label} bears no invoke id like {invoke_id}", layer="association")


@dataclass(frozen=True, slots=True)
class _Open:
    """A request on its way: what it was and until when its answer may take."""

    label: str
    deadline: float


class OpenRequests:
    """The book of one association."""

    def __init__(self) -> None:
        self._open: dict[InvokeId, _Open] = {}
        self._given_up: set[InvokeId] = set()
        self._continuing: set[InvokeId] = (
            set()
        )  # a long answer is under way: its next block is asked for under the same id
        self._last = self._last_long = 0

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[InvokeId]:
        return iter(tuple(self._open))

    def __contains__(self, invoke_id: InvokeId) -> bool:
        return invoke_id in self._open

    @property
    def deadline(self) -> float | None:
        """When the first of them is late; None where none is open."""
        return min((each.deadline for each in self._open.values()), default=None)

    @property
    def only(self) -> InvokeId | None:
        """The one open request, if an answer that names none can be nobody else's."""
        return next(iter(self._open)) if len(self._open) == 1 and not self._given_up else None

    def fresh_id(self) -> int:
        """An invoke id of 4 bits that nobody has. LocalProtocolError where none is left."""
        for step in range(1, _INVOKE_IDS + 1):
            invoke_id = (self._last + step) % _INVOKE_IDS
            if not self._is_taken(invoke_id):
                self._last = invoke_id
                return invoke_id
        raise _none_left(_INVOKE_IDS)

    def fresh_long_id(self) -> LongInvokeId:
        """An invoke id of 24 bits that nobody has. LocalProtocolError where none is left."""
        for step in range(1, _LONG_INVOKE_IDS + 1):
            invoke_id = LongInvokeId((self._last_long + step) % _LONG_INVOKE_IDS)
            if not self._is_taken(invoke_id):
                self._last_long = invoke_id.number
                return invoke_id
        raise _none_left(_LONG_INVOKE_IDS)

    def kept_id(self, apdu: InvokedApdu | LongInvokedApdu) -> InvokeId:
        """The invoke id of a request that goes on with a long transfer. LocalProtocolError where another request has it."""
        invoke_id = invoke_id_of(apdu)
        if invoke_id in self._open or invoke_id in self._given_up:
            raise LocalProtocolError(
                f"{apdu.label} would continue under invoke id {apdu.invoke_id}, which another request has",
                layer="association",
            )
        self._continuing.discard(invoke_id)
        return invoke_id

    def add(self, invoke_id: InvokeId, label: str, deadline: float) -> None:
        """A request has gone out."""
        self._open[invoke_id] = _Open(label, deadline)

    def postpone(self, until: float) -> None:
        """Parts of an answer come: all that is open may take until then."""
        self._open = {each: _Open(was.label, max(was.deadline, until)) for each, was in self._open.items()}

    def answered(self, invoke_id: InvokeId, *, continues: bool = False) -> None:
        """Its answer has come. Of a long answer that `continues`, the id is kept for the next block."""
        del self._open[invoke_id]
        if continues:
            self._continuing.add(invoke_id)

    def end_transfer(self, invoke_id: InvokeId) -> None:
        """Nobody asks for the next block of this one any more: its id is free."""
        self._continuing.discard(invoke_id)

    def give_up(self, invoke_id: InvokeId) -> None:
        """Await this answer no longer."""
        if self._open.pop(invoke_id, None) is not None:
            self._given_up.add(invoke_id)

    def late_answer(self, invoke_id: InvokeId) -> bool:
        """An answer to what was given up has come: whether it was."""
        was_given_up = invoke_id in self._given_up
        self._given_up.discard(invoke_id)
        return was_given_up

    def late_refusal(self) -> None:
        """A refusal without invoke id has come, and no request is open: it frees the id of the one given up, if it is one."""
        if len(self._given_up) == 1:
            self._given_up.clear()

    def overdue(self, now: float) -> list[tuple[InvokeId, str]]:
        """Invoke ids and names of what has taken too long by now."""
        return [(invoke_id, each.label) for invoke_id, each in self._open.items() if each.deadline <= now]

    def forget(self) -> None:
        """The association is over."""
        self._open.clear()
        self._given_up.clear()
        self._continuing.clear()

    def _is_taken(self, invoke_id: InvokeId) -> bool:
        return any(invoke_id in taken for taken in (self._open, self._given_up, self._continuing))


def _none_left(ids: int) -> LocalProtocolError:
    return LocalProtocolError(
        f"all {ids} invoke ids are open or given up", layer="association", hint="associate anew"
    )
