"""General block transfer, as one machine: what goes out is cut where it is long, what comes in blocks is put together.

It stands between a link and an association, and sees APDUs as they travel, protected; whoever drives it calls

    transfer.begin(limits)                           # general block transfer was negotiated
    transfer.send(apdu, now, deadline)               # whole where it fits, in blocks where it does not
    for piece in transfer.data_to_send(): ...        # after every call
    events += transfer.receive(apdu, now)            # a block, or anything else
    events += transfer.tick(now)                     # at `deadline`

The rules, beyond the book's (Green Book 9.4.6.13):

* a client has one request under way at a time, the next waits; it alone has a clock. Silence is asked about three times in its
  patience: by its last block again, or, where some of a window came, for what is missing, one by one. What is doubled it passes over;
* a meter answers each block once more that comes once more, and never speaks by itself; a new request ends all that was;
* who was asked in blocks answers in blocks. An APDU in place of a block ends the transfer;
* what nobody acknowledges (window 0, nothing acknowledged, streaming) is a notification, apart from all this.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

from meterwright.apdu import Aare, Aarq, BlockControl, GeneralBlockTransfer, Rlre, Rlrq
from meterwright.errors import MeterwrightError, RemoteProtocolError, Timeout
from meterwright.link.gbt.receiver import LONGEST_APDU, BlockReceiver, Taken
from meterwright.link.gbt.sender import LARGEST_PDU, LARGEST_WINDOW, BlockSender, block_size
from meterwright.link.gbt.states import FIRST, Signal, State, following
from meterwright.link.listener import BlockJoiner, decode_block
from meterwright.values import Role

__all__ = [
    "MOST_REPEATS",
    "TRIES",
    "BlockLimits",
    "BlockTransfer",
    "Piece",
    "TransferEvent",
    "TransferFailed",
    "TransferWentOn",
    "WholeApdu",
]

TRIES: Final = 3
"""How often in a row a client waits in vain before the transfer has failed; so many times in its patience."""

MOST_REPEATS: Final = 16
"""How often a meter sends a window again for a client that acknowledges nothing new: a few octets must not cost it megabytes."""

_ACSE: Final = frozenset(kind.prefix for kind in (Aarq, Aare, Rlrq, Rlre))


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """`max_pdu`: the largest APDU the other side takes, in octets (0: no limit); `window`: how many blocks this side takes in a row."""

    max_pdu: int
    window: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.window <= LARGEST_WINDOW:
            raise ValueError(f"a window is 1..{LARGEST_WINDOW} blocks, not {self.window}")

    def fits(self, apdu: bytes) -> bool:
        """Whether an APDU can go whole. Where there is no limit, the links have one."""
        return len(apdu) <= (self.max_pdu or LARGEST_PDU)


@dataclass(frozen=True, slots=True)
class Piece:
    """An APDU for the link. Where `more` of the same follow at once, it has no answer of its own."""

    apdu: bytes
    more: bool = False
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class WholeApdu:
    """An APDU has come, whole, however many blocks it took."""

    apdu: bytes


@dataclass(frozen=True, slots=True)
class TransferWentOn:
    """Something new has come, so that the answer may take until then."""

    until: float


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """The transfer is over, and nothing of it can be used."""

    error: MeterwrightError


TransferEvent: TypeAlias = WholeApdu | TransferWentOn | TransferFailed


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What a client is to send once its turn comes."""

    apdu: bytes
    deadline: float
    patience: float


class BlockTransfer:
    """One side of one association. `state` tells whose turn it is."""

    def __init__(self, role: Role, longest: int = LONGEST_APDU) -> None:
        self.state = FIRST[role]
        self._role = role
        self._longest = longest
        self._limits: BlockLimits | None = None
        self._outgoing: list[Piece] = []
        self._waiting: deque[_Waiting] = deque()
        self._pushes = BlockJoiner()
        self._begin_exchange()

    def _begin_exchange(self) -> None:
        self._in_blocks = False
        self._sender: BlockSender | None = None
        self._receiver = BlockReceiver(self._longest)
        self._number = 0  # the highest of ours
        self._acknowledged = 0  # the highest of ours that they have
        self._their_window: int | None = None
        self._their_largest = 0
        self._last: Piece | None = None
        self._news = 0  # blocks since we spoke last
        self._announced = 0  # the window we told then
        self._window_end = 0  # the block that it ends with
        self._recover_to = 0  # what was missed, up to where, is asked for one by one
        self._deadline: float | None = None
        self._patience = 0.0
        self._until = 0.0  # a client waits no longer unless something new comes
        self._attempts = 0

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted at the latest; None where nothing is awaited."""
        return self._deadline

    @property
    def is_awaiting(self) -> bool:
        """Whether blocks are under way, and the other side is to send the next."""
        return self._in_blocks and self.state is not State.OURS

    @property
    def has_waiting(self) -> bool:
        """Whether a client has more to send, once its turn comes."""
        return bool(self._waiting)

    def begin(self, limits: BlockLimits | None) -> None:
        """From now on blocks may be used; with None, they may not any more, and what was under way is forgotten."""
        if limits is None and self._limits is not None:
            self.forget()
        self._limits = limits

    def forget(self) -> None:
        """The association is over, or begins anew."""
        self.state = FIRST[self._role]
        self._limits = None
        self._waiting.clear()
        self._pushes.forget()
        self._begin_exchange()

    def data_to_send(self) -> list[Piece]:
        """What is to go out, once each."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def send(self, apdu: bytes, now: float, deadline: float) -> None:
        """Send an APDU. A client's waits for those before it, and goes out no more once its `deadline` has passed."""
        if self._limits is None or apdu[:1] in _ACSE:
            self._outgoing.append(Piece(apdu))
        elif self._role is Role.SERVER:
            self._speak(apdu, self._limits, now, deadline - now)
        else:
            self._waiting.append(_Waiting(apdu, deadline, deadline - now))
            self._send_next(now)

    def tell(self, apdu: bytes) -> None:
        """Send what wants no answer. Where it is long it goes in blocks that nobody acknowledges; one lost costs all of it."""
        limits = self._limits
        if limits is None or limits.fits(apdu):
            self._outgoing.append(Piece(apdu, confirmed=False))
            return
        sender = BlockSender(apdu, block_size(limits.max_pdu))
        for number in range(1, sender.last + 1):
            control = BlockControl(last_block=number == sender.last, streaming=True, window=0)
            block = GeneralBlockTransfer(control, number, 0, sender.data(number))
            self._outgoing.append(Piece(block.to_octets(), confirmed=False))

    def answered(self, now: float) -> None:
        """What came whole was the answer, for a client; a new request, for a meter. Any transfer ends with it."""
        self._move(Signal.CAME)
        self._begin_exchange()
        self._send_next(now)

    def not_answered(self, now: float, until: float) -> None:
        """What came was no answer to what a client has under way, which is awaited until then."""
        if self._role is Role.CLIENT and self._limits is not None and self.state is State.OURS:
            self._begin_exchange()
            self._move(Signal.SENT)
            self._deadline, self._until, self._patience = until, until, until - now

    def hear(self, apdu: bytes) -> list[WholeApdu]:
        """What came without being asked for: whole, or a block that nobody acknowledges."""
        if not apdu.startswith(GeneralBlockTransfer.prefix):
            return [WholeApdu(apdu)]
        whole = self._pushes.add(apdu)
        return [] if not whole else [WholeApdu(whole)]

    def receive(self, apdu: bytes, now: float) -> list[TransferEvent]:
        """An APDU has come: a block, or anything else, which passes through. Never raises."""
        if not apdu.startswith(GeneralBlockTransfer.prefix):
            return [WholeApdu(apdu)]
        block = decode_block(apdu)
        unasked = self._pushes.is_under_way or self.state is State.OURS
        if block is not None and _is_unacknowledged(block, unasked=unasked):
            return [*self.hear(apdu)]
        if self._limits is None:
            return [WholeApdu(apdu)]
        if block is None or not block.block_number:
            return []  # a client asks again, a meter is asked again
        until = self._until
        try:
            events = self._take(block, self._limits, now)
        except RemoteProtocolError as error:
            return self._fail(error)
        return [*events, TransferWentOn(self._until)] if self._until > until else events

    def tick(self, now: float) -> list[TransferEvent]:
        """What has taken too long by now."""
        if self._deadline is None or now < self._deadline:
            return []
        self._attempts += 1
        if not self._in_blocks:  # an answer that never came, and its asker has been told
            self.answered(now)
            return []
        if self._attempts >= TRIES or now >= self._until:
            return self._fail(_silent(self._patience))
        self._wait(now)
        if self._news and self._limits is not None:
            self._recover_to = max(self._recover_to, self._window_end)
            self._acknowledge(self._limits)
        elif self._last is not None:
            self._outgoing.append(self._last)
        return []

    # ------------------------------------------------------------------------------------------ what comes

    def _take(self, block: GeneralBlockTransfer, limits: BlockLimits, now: float) -> list[TransferEvent]:
        is_data = bool(block.block_data) or (self._role is Role.CLIENT and self._receiver.is_under_way)
        if self._role is Role.SERVER:
            if is_data and self.state is not State.RECEIVING:
                if self._receiver.ended_with(block):
                    self._go_on(block, limits, now)
                    return []
                if 1 < block.block_number <= self._receiver.in_order:
                    return []
                self._move(Signal.CAME)
                self._begin_exchange()
                self.state = FIRST[Role.SERVER]
        elif self._is_stale(block, is_data=is_data):
            return []
        self._in_blocks = True
        window = block.block_control.window or 1
        self._their_largest = max(self._their_largest, window)
        if is_data:
            return self._take_data(block, window, limits, now)
        self._take_acknowledgement(block, window, limits, now)
        return []

    def _is_stale(self, block: GeneralBlockTransfer, *, is_data: bool) -> bool:
        """Whether it can't belong to what a client has under way, and so is late, from what went before."""
        if self.state is State.OURS or block.block_number_ack > self._number:
            return True
        is_next = block.block_number <= self._receiver.in_order + 1
        begins_alone = self._sender is None or self.state is State.SENDING
        return is_data and begins_alone and not self._receiver.is_under_way and not is_next

    def _take_acknowledgement(
        self, block: GeneralBlockTransfer, window: int, limits: BlockLimits, now: float
    ) -> None:
        """A block without data: it tells what they have. A client takes each once, lest both answer each other's repetitions."""
        is_new = self._receiver.acknowledging(block.block_number)
        if is_new:
            self._their_window = window
        if is_new or self._role is Role.SERVER:
            self._go_on(block, limits, now)

    def _go_on(self, block: GeneralBlockTransfer, limits: BlockLimits, now: float) -> None:
        """Send from what they miss first on, as many as they take."""
        acknowledged = block.block_number_ack
        if acknowledged > self._number:
            raise RemoteProtocolError(
                f"block {acknowledged} is acknowledged, and {self._number} was the last sent", layer="gbt"
            )
        if acknowledged > self._acknowledged:
            self._acknowledged = acknowledged
            self._went_on(now)
        elif self._role is Role.SERVER:
            self._attempts += 1
            if self._attempts > MOST_REPEATS:
                raise RemoteProtocolError(
                    f"the same blocks were asked for {MOST_REPEATS} times in a row", layer="gbt"
                )
        if self._sender is not None and acknowledged < self._sender.last:
            self._send_window(self._sender, acknowledged + 1, block.block_control.window or 1, limits, now)

    def _take_data(
        self, block: GeneralBlockTransfer, window: int, limits: BlockLimits, now: float
    ) -> list[TransferEvent]:
        receiver, before = self._receiver, self._receiver.in_order
        taken = receiver.take(block)
        self._their_window = window
        if taken is not Taken.NEW:
            if self._role is Role.SERVER and self._last is not None and not block.block_control.streaming:
                self._outgoing.append(self._last)
            return []
        self._sender = None
        self._news += 1
        self._attempts = 0
        if receiver.is_whole:
            return self._arrived()
        self._move(Signal.CAME_PART)
        self._wait(now)
        progress = receiver.in_order > before
        if progress:
            self._went_on(now)
        alone = self._announced == 1 and self._recover_to > 0
        exhausted = progress if alone else bool(self._announced) and self._news >= self._announced
        if not block.block_control.streaming or exhausted:
            self._recover_to = max(self._recover_to, receiver.highest)
            self._acknowledge(limits)
        return []

    def _arrived(self) -> list[TransferEvent]:
        """The last that was missing has come."""
        apdu = self._receiver.apdu()
        self._move(Signal.CAME)
        self._deadline = None
        if self._role is Role.SERVER:
            self._news = self._announced = self._recover_to = 0
        return [WholeApdu(apdu)]

    def _fail(self, error: MeterwrightError) -> list[TransferEvent]:
        """Nothing of it can be used. A meter says nothing: the client will give up, or begin anew."""
        if self._role is Role.SERVER:
            self.state = FIRST[self._role]
            self._begin_exchange()
            return []
        self.forget()
        return [TransferFailed(error)]

    # ------------------------------------------------------------------------------------------ what goes out

    def _send_next(self, now: float) -> None:
        """A client's turn: the next request that is not too late."""
        while self._waiting and self._limits is not None and self.state is State.OURS:
            waiting = self._waiting.popleft()
            if waiting.deadline > now:
                self._begin_exchange()
                self._speak(waiting.apdu, self._limits, now, waiting.patience)

    def _speak(self, apdu: bytes, limits: BlockLimits, now: float, patience: float) -> None:
        self._patience, self._until = patience, now + patience
        in_turn = self.state is State.OURS
        if limits.fits(apdu) and not (in_turn and self._in_blocks):
            if self._role is Role.SERVER:
                self._begin_exchange()
            else:
                self._deadline = now + patience
            self._outgoing.append(Piece(apdu))
            self._move(Signal.SENT)
            return
        self._in_blocks = True
        first = self._number + 1
        self._sender = sender = BlockSender(apdu, block_size(limits.max_pdu), first)
        self._send_window(sender, first, self._their_window or 1, limits, now)

    def _send_window(
        self, sender: BlockSender, first: int, window: int, limits: BlockLimits, now: float
    ) -> None:
        """Send blocks from `first` on. One that was asked for alone is answered by a window of 1, as in the book's figures."""
        alone = window == 1 < self._their_largest
        end = min(first + window - 1, sender.last)
        for number in range(first, end + 1):
            self._last = self._write(
                sender.data(number),
                number,
                BlockControl(
                    last_block=number == sender.last or number < sender.first,
                    streaming=number < end,
                    window=1 if alone else limits.window,
                ),
            )
        self._number = max(self._number, end)
        self._move(Signal.SENT if self._number == sender.last else Signal.SENT_PART)
        self._news = self._announced = 0
        self._wait(now)

    def _acknowledge(self, limits: BlockLimits) -> None:
        receiver = self._receiver
        self._number += 1
        is_missing = receiver.in_order < self._recover_to
        window = 1 if is_missing else limits.window
        if not is_missing:
            self._recover_to = 0
            self._window_end = receiver.in_order + window
        self._news, self._announced = 0, window
        self._last = self._write(b"", self._number, BlockControl(True, False, window))

    def _write(self, data: bytes, number: int, control: BlockControl) -> Piece:
        block = GeneralBlockTransfer(control, number, self._receiver.in_order, data)
        piece = Piece(block.to_octets(), more=control.streaming)
        self._outgoing.append(piece)
        return piece

    def _went_on(self, now: float) -> None:
        self._attempts = 0
        if self._role is Role.CLIENT:
            self._until = now + self._patience

    def _wait(self, now: float) -> None:
        if self._role is Role.CLIENT:
            self._deadline = min(now + self._patience / TRIES, self._until)

    def _move(self, signal: Signal) -> None:
        self.state = following(self.state, signal) or self.state


def _is_unacknowledged(block: GeneralBlockTransfer, *, unasked: bool) -> bool:
    """Whether it is part of what nobody is to acknowledge. Meters set STR on the last block too, or not."""
    control = block.block_control
    if control.window or block.block_number_ack:
        return False
    return control.streaming or (control.last_block and unasked)


def _silent(patience: float) -> Timeout:
    return Timeout(
        f"the meter sends no more blocks, for {patience:g} s, and was asked {TRIES - 1} times more",
        layer="gbt",
        hint="a smaller window, or none (0), may do; what comes later could be anybody's, so the association is over",
    )
