"""The rows of the table of troubles that are about invocation counters."""

from dataclasses import replace
from typing import Final

from tests.client.faulty_meters import Faulty, Instead, as_it_is, shown
from tests.client.given import (
    Given,
    Link,
)
from tests.client.misdeeds import (
    COUNTER_ERROR,
    NO_REASON,
    NoPublicClient,
    SaysNo,
    aare_instead,
    exception,
    instead_of,
)
from tests.client.trouble import Trouble

from meterwright.client import CounterReading
from meterwright.errors import (
    AssociationRejected,
    ConnectionLost,
    ExceptionResponseError,
    SecurityError,
    Timeout,
)
from meterwright.values import (
    DataAccessResult,
    ExceptionService,
)

_FORGED: Final = 0xFFFF_FFF0
_SILENCE: Final = Instead.SILENCE
_CLOSE: Final = Instead.CLOSE


def _counters() -> list[Trouble]:
    works = Trouble(symptom="", error=None, code=0)
    ahead = replace(works, meter=Faulty(accepted=5000), logins=2, findings=("counter-ahead",))
    low = {
        "and answers so, with its value": (as_it_is, 0),
        "and answers so, without a value": (instead_of(COUNTER_ERROR, COUNTER_ERROR), 1),
        "and closes the connection": (instead_of(COUNTER_ERROR, _CLOSE), 1),
        "and stays silent": (instead_of(COUNTER_ERROR, _SILENCE), 1),
        "and refuses without a reason": (instead_of(COUNTER_ERROR, NO_REASON), 1),
    }
    forgets = instead_of(COUNTER_ERROR, Instead.FORGET)
    forged = Trouble(
        symptom="", error=SecurityError, code=6, logins=0, readings=1, causes=("forged", "follow_counter")
    )
    return [
        replace(
            works,
            symptom="a new store, and the meter's counter is ahead",
            meter=Faulty(accepted=5000),
            reserved=None,
            readings=1,
        ),
        replace(
            works,
            symptom="a new store, and the counter object cannot be read",
            reserved=None,
            readings=1,
            meter=Faulty(shows=DataAccessResult.READ_WRITE_DENIED),
            findings=("counter-not-told",),
        ),
        replace(
            works,
            symptom="a new store, and the meter has no public client",
            reserved=None,
            meter=Faulty(through=NoPublicClient),
            findings=("counter-not-told",),
        ),
        replace(
            works,
            symptom="a new store, no public client, and the meter's counter is ahead and told",
            reserved=None,
            meter=Faulty(through=NoPublicClient, accepted=5000),
            logins=2,
            findings=("counter-not-told", "counter-ahead"),
        ),
        *(
            replace(
                ahead,
                symptom=f"the meter's counter is ahead of our store, {how}",
                meter=Faulty(accepted=5000, answers=answers),
                readings=readings,
            )
            for how, (answers, readings) in low.items()
        ),
        replace(
            ahead,
            symptom="the meter's counter is ahead of our store, and forgets the HDLC connection",
            links=(Link.HDLC,),
            meter=Faulty(accepted=5000, answers=forgets),
            readings=1,
        ),
        replace(
            works,
            symptom="the meter's counter reads less than it has accepted",
            given=Given(reading=CounterReading.ALWAYS),
            meter=Faulty(shows=shown(7)),
            accepted=200,
            readings=1,
            findings=("counter-behind",),
        ),
        replace(
            forged,
            symptom="the counter object tells a forged value",
            meter=Faulty(shows=shown(_FORGED)),
            reserved=None,
        ),
        replace(
            forged,
            symptom="an exception tells a forged value",
            logins=1,
            readings=0,
            meter=Faulty(answers=aare_instead(exception(ExceptionService.INVOCATION_COUNTER_ERROR, _FORGED))),
        ),
        replace(
            forged,
            symptom="the counter object is further ahead than can be believed",
            meter=Faulty(shows=shown(3 << 20)),
            given=Given(reading=CounterReading.ALWAYS),
        ),
        replace(
            works,
            symptom="a forged value, and an operator's word to follow it",
            reserved=None,
            readings=1,
            meter=Faulty(shows=shown(_FORGED)),
            given=Given(follow=True),
        ),
        Trouble(
            symptom="the meter calls our number too low, and again once we have caught up",
            error=ExceptionResponseError,
            code=6,
            logins=2,
            findings=("counter-ahead",),
            causes=("another program", "system title"),
            meter=Faulty(answers=aare_instead(exception(ExceptionService.INVOCATION_COUNTER_ERROR, 5000))),
        ),
        Trouble(
            symptom="the meter calls our number too low, and its counter object is not ahead of it",
            error=ExceptionResponseError,
            code=6,
            readings=1,
            causes=("counter object", "0.0.43.1"),
            meter=Faulty(answers=aare_instead(COUNTER_ERROR), shows=shown(7)),
        ),
        Trouble(
            symptom="the meter calls our number too low, and its counter object cannot be read",
            error=ExceptionResponseError,
            code=6,
            readings=1,
            causes=("counter object", "public client"),
            meter=Faulty(answers=aare_instead(COUNTER_ERROR), shows=DataAccessResult.READ_WRITE_DENIED),
            findings=("counter-not-told",),
        ),
    ]


def _not_the_counter() -> list[Trouble]:
    """The meter takes our number, and keeps us out all the same."""
    taken = Trouble(symptom="", error=AssociationRejected, code=7, readings=1, causes=("keys", "are right"))
    return [
        replace(
            taken,
            symptom="the meter takes our keys, and refuses without a reason",
            meter=Faulty(through=SaysNo),
        ),
        replace(
            taken,
            symptom="the meter takes our keys, and stays silent",
            error=Timeout,
            code=5,
            meter=Faulty(answers=aare_instead(_SILENCE)),
        ),
        replace(
            taken,
            symptom="the meter takes our keys, and closes the connection",
            error=ConnectionLost,
            code=5,
            meter=Faulty(answers=aare_instead(_CLOSE)),
        ),
    ]


COUNTER_TROUBLES: Final = (*_counters(), *_not_the_counter())
