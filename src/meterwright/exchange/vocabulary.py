"""The words in which a conversation with a meter is written: `Ask`, `Tell`, `Pause`.

An exchange is a generator. It yields steps and is sent the answers, and knows neither sockets nor clocks nor whether a
coroutine or a thread runs it. One request of an exchange is in flight at a time; several exchanges may share an
association.

    def read(attribute) -> Exchange[Data]:
        answer = yield from ask(GetRequestNormal(CONFIRMED, attribute, None), GetResponseNormal)
        ...
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, overload

from meterwright.apdu import Apdu, AttributeDescriptor, ConfirmedServiceError, ExceptionResponse
from meterwright.association import Room
from meterwright.errors import (
    ConfirmedServiceErrorReceived,
    ExceptionResponseError,
    LocalProtocolError,
    RemoteProtocolError,
)
from meterwright.values import Conformance, InvokeIdAndPriority

__all__ = [
    "CONFIRMED",
    "UNCONFIRMED",
    "Ask",
    "Exchange",
    "Pause",
    "Step",
    "Tell",
    "ask",
    "require_all_attributes",
    "require_blocks",
    "tell",
]

T = TypeVar("T")
A = TypeVar("A", bound=Apdu)
B = TypeVar("B", bound=Apdu)
C = TypeVar("C", bound=Apdu)
D = TypeVar("D", bound=Apdu)


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request and wait for its one answer. The association puts its invoke id into it.

    `continues`: it goes on with a long transfer, so it bears the invoke id of the answer before, and keeps it.
    """

    request: Apdu
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Tell:
    """Send an unconfirmed request: there is no answer."""

    request: Apdu


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds."""

    seconds: float


Step: TypeAlias = Ask | Tell | Pause
Exchange: TypeAlias = Generator[Step, Apdu | None, T]

CONFIRMED: Final = InvokeIdAndPriority(0, confirmed=True, high_priority=True)
"""What a request carries until the association gives it an invoke id."""
UNCONFIRMED: Final = InvokeIdAndPriority(0, confirmed=False, high_priority=True)


@overload
def ask(
    request: Apdu, expected: type[A], /, *, about: str | None = None, continues: bool = False
) -> Exchange[A]: ...
@overload
def ask(
    request: Apdu, expected: type[A], other: type[B], /, *, about: str | None = None, continues: bool = False
) -> Exchange[A | B]: ...
@overload
def ask(
    request: Apdu,
    expected: type[A],
    other: type[B],
    third: type[C],
    fourth: type[D],
    /,
    *,
    about: str | None = None,
    continues: bool = False,
) -> Exchange[A | B | C | D]: ...
def ask(
    request: Apdu, *expected: type[Apdu], about: str | None = None, continues: bool = False
) -> Exchange[Apdu]:
    """Ask, and return the answer if it is of an expected kind.

    An answer that refuses the request as a whole is a ServiceError; any other kind is a RemoteProtocolError.
    """
    answer = yield Ask(request, continues)
    match answer:
        case ExceptionResponse():
            raise ExceptionResponseError(
                answer.state_error,
                answer.service_error,
                invocation_counter=answer.invocation_counter,
                about=about,
            )
        case ConfirmedServiceError():
            raise ConfirmedServiceErrorReceived(answer.service, answer.error_class, answer.code, about=about)
        case _ if isinstance(answer, expected):
            return answer
        case _:
            got = "nothing" if answer is None else answer.label
            wanted = " or ".join(kind.label for kind in expected)
            raise RemoteProtocolError(f"{got} where {wanted} is expected", layer="exchange", about=about)


def tell(request: Apdu) -> Exchange[None]:
    """Send an unconfirmed request."""
    yield Tell(request)


def require_all_attributes(attribute: AttributeDescriptor, room: Room | None, needed: Conformance) -> None:
    """LocalProtocolError where attribute 0, all of them, is meant, and the meter did not grant that."""
    if attribute.attribute_id == 0 and room is not None and not room.grants(needed):
        raise LocalProtocolError(
            f"the meter grants no {needed.name}",
            layer="exchange",
            about=str(attribute),
            hint="ask for one attribute after the other",
        )


def require_blocks(room: Room, blocks: Conformance, about: str) -> None:
    """LocalProtocolError unless the meter granted what a request that is too long for it needs."""
    if not room.grants(blocks):
        raise LocalProtocolError(
            f"the request is longer than the {room.context.max_send_pdu_size} octets that the meter takes, and it grants no"
            f" {blocks.name}",
            layer="exchange",
            about=about,
            hint="send less at once",
        )
