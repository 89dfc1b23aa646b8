"""The priority of a conversation: every request is of high priority unless it is wrapped (Green Book 9.4.6, priority management)."""

from dataclasses import replace
from typing import TypeVar

from meterwright.apdu import Apdu, InvokedApdu, LongInvokedApdu
from meterwright.errors import MeterwrightError
from meterwright.exchange.vocabulary import Ask, Exchange, Step, Tell

__all__ = ["at_normal_priority"]

T = TypeVar("T")


def at_normal_priority(exchange: Exchange[T]) -> Exchange[T]:
    """The same conversation with requests of normal priority: a meter that manages priorities may serve others before them."""
    try:
        step = next(exchange)
        while True:
            try:
                answer = yield _lowered(step)
            except MeterwrightError as error:
                step = exchange.throw(error)
            else:
                step = exchange.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        exchange.close()


def _lowered(step: Step) -> Step:
    match step:
        case Ask(request, continues):
            return Ask(_normal(request), continues)
        case Tell(request):
            return Tell(_normal(request))
        case _:
            return step


def _normal(request: Apdu) -> Apdu:
    match request:
        case InvokedApdu():
            invoke = replace(request.invoke_id_and_priority, high_priority=False)
            return replace(request, invoke_id_and_priority=invoke)
        case LongInvokedApdu():
            long_invoke = replace(request.long_invoke_id_and_priority, high_priority=False)
            return replace(request, long_invoke_id_and_priority=long_invoke)
        case _:
            return request
