"""The invocation counters of one association in both directions, by the key that they belong to (Green Book 9.2.7.2.4).

`SecurityLayer` asks here for a number to send with, and whether what came is new. A message in several layers is new if all its
numbers are: they are checked first, and move together.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from meterwright.errors import SecurityError
from meterwright.security.counters import ReceiveCounter, SendCounter
from meterwright.security.enclosing import AnyForm, GeneralForm, Peeled, SignedForm
from meterwright.security.message_keys import KeyChoice
from meterwright.security.protection import Form
from meterwright.security.replays import ReplayMemory
from meterwright.values import Protection

__all__ = ["PROVING", "Layers", "Numbers", "is_broadcast"]

PROVING: Final = Protection.AUTHENTICATION | Protection.SIGNATURE
"""What shows who sent an APDU; encryption alone does not."""

Layers: TypeAlias = tuple[Peeled, ...]
"""The layers of a message that came, the outermost first."""


@dataclass(slots=True)
class Numbers:
    """`replays` remembers messages that no counter protects. `broadcasting`: what we send with under the broadcast key."""

    send: SendCounter
    receive: ReceiveCounter
    broadcast: ReceiveCounter = field(default_factory=ReceiveCounter)
    replays: ReplayMemory = field(default_factory=ReplayMemory)
    broadcasting: SendCounter | None = None
    dedicated: ReceiveCounter = field(default_factory=ReceiveCounter)

    def next(self, form: AnyForm) -> int:
        """A number to send with, never used before. SecurityError where there is none."""
        if not is_broadcast(form):
            return self.send.next()
        if self.broadcasting is None:
            raise SecurityError("the broadcast key has no invocation counter to send with", layer="security")
        return self.broadcasting.next()

    def check(self, layers: Layers, *, verifiable: bool) -> None:
        """SecurityViolation where a number, or a message without one, came before. Nothing moves yet."""
        for layer in layers:
            if (counter := self._counter(layer)) is not None:
                counter.check(layer.number, verifiable=verifiable)
        for layer in _remembered(layers):
            self.replays.check(layer.seen or b"", layer.number)

    def accept(self, layers: Layers, *, verified: bool) -> None:
        """A message was taken."""
        for layer in sorted(layers, key=lambda each: each.number):
            if (counter := self._counter(layer)) is not None:
                counter.accept(layer.number, verified=verified)
        for layer in _remembered(layers):
            self.replays.accept(layer.seen or b"", layer.number)

    def carried(self, layers: Layers) -> bool:
        """Whether the counter of the global key was that of one of these layers."""
        return any(self._counter(layer) is self.receive for layer in layers)

    def _counter(self, layer: Peeled) -> ReceiveCounter | None:
        """The counter that a layer moves; None where it has none."""
        form = layer.form
        if isinstance(form, SignedForm) or layer.seen is not None or not form.protection:
            return None
        if isinstance(form, Form) and form.dedicated:
            return self.dedicated
        return self.broadcast if is_broadcast(form) else self.receive


def is_broadcast(form: AnyForm) -> bool:
    """Whether it is under the broadcast key."""
    if isinstance(form, GeneralForm):
        return form.key is KeyChoice.BROADCAST
    return isinstance(form, Form) and form.broadcast


def _remembered(layers: Layers) -> list[Peeled]:
    """What must be remembered: keys of one message; and signed contents where no number that is authenticated protects them."""
    keys = [each for each in layers if each.seen is not None and not isinstance(each.form, SignedForm)]
    return keys if _has_number(layers) else [each for each in layers if each.seen is not None]


def _has_number(layers: Layers) -> bool:
    """Whether a number, or a key of its own, stands in a layer that it, or one outside it, authenticates."""
    proved = False
    for layer in layers:
        proved = proved or bool(layer.form.protection & PROVING)
        if proved and layer.form.protection & Protection.BOTH:
            return True
    return False
