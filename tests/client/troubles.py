"""Everything that may be wrong between a client and a meter before anything is read, as one table.

tests/client and tests/cli play each row; docs/troubles.md shows what a user is told. To write that page anew:

    .venv/bin/python -m tests.client.told
"""

from dataclasses import replace
from typing import Final

from tests.client.counter_troubles import COUNTER_TROUBLES
from tests.client.faulty_meters import Busy, Faulty, Instead, Noise
from tests.client.given import (
    AK,
    EK,
    METER_KEYS,
    SECRET,
    WRONG_KEY,
    WRONG_TITLE,
    Given,
    Link,
)
from tests.client.misdeeds import (
    NO_REASON,
    UNREADABLE,
    OneTitle,
    aare_instead,
    instead_of,
    proof_instead,
    sealed_under,
    with_another_proof,
)
from tests.client.trouble import Trouble

from meterwright.errors import (
    AssociationRejected,
    ExceptionResponseError,
    LinkError,
    LoginFailed,
    RemoteProtocolError,
    Timeout,
)
from meterwright.link import HdlcServerSettings
from meterwright.security import (
    Keys,
    Secret,
    SecurityViolation,
)
from meterwright.simulator import SecuritySettings
from meterwright.values import (
    AuthenticationMechanism,
    SecurityPolicy,
)

__all__ = ["TROUBLES", "Trouble"]


# ------------------------------------------------------------------------------------------------ what meters want

_Mechanism = AuthenticationMechanism
_PLAIN: Final = SecurityPolicy.NONE
_PASSWORD: Final = SecuritySettings(
    authentication=_Mechanism.LOW, policy=_PLAIN, secret=Secret(SECRET), keys=METER_KEYS
)
_CIPHERED_PASSWORD: Final = replace(_PASSWORD, policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED)
_UNCIPHERED: Final = replace(_PASSWORD, authentication=_Mechanism.HIGH_SHA256)
_LOW: Final = Given(authentication=_Mechanism.LOW, policy=_PLAIN)
_CIPHERED_LOW: Final = Given(authentication=_Mechanism.LOW)
_OTHER_SECRET: Final = b"s3same-shut-8"
_OTHER_EK: Final = Keys(global_unicast=Secret(WRONG_KEY), authentication=Secret(AK))
_OTHER_AK: Final = Keys(global_unicast=Secret(EK), authentication=Secret(WRONG_KEY))
_SILENCE: Final = Instead.SILENCE
_CLOSE: Final = Instead.CLOSE


def _wrong_keys() -> list[Trouble]:
    unreadable = ("encryption key", "authentication key", "system title")
    refused = Trouble(
        symptom="", error=ExceptionResponseError, code=6, causes=unreadable, alike="the meter cannot decipher"
    )
    silent = Trouble(
        symptom="",
        error=LoginFailed,
        code=6,
        meter=Faulty(answers=instead_of(UNREADABLE, _SILENCE)),
        readings=1,
        causes=unreadable,
        alike="the meter stays silent, and answers its public client",
    )
    closes = replace(
        silent,
        meter=Faulty(answers=instead_of(UNREADABLE, _CLOSE)),
        alike="the meter closes the connection, and answers its public client",
    )
    ek, ak, title = Given(ek=WRONG_KEY), Given(ak=WRONG_KEY), Given(title=WRONG_TITLE)
    one_title = Faulty(through=OneTitle, answers=aare_instead(UNREADABLE))
    return [
        replace(refused, symptom="wrong encryption key", given=ek),
        replace(refused, symptom="wrong authentication key", given=ak),
        replace(refused, symptom="a system title that the meter does not know", given=title, meter=one_title),
        replace(silent, symptom="wrong encryption key, and the meter stays silent", given=ek),
        replace(silent, symptom="wrong authentication key, and the meter stays silent", given=ak),
        replace(closes, symptom="wrong encryption key, and the meter closes the connection", given=ek),
        replace(closes, symptom="wrong authentication key, and the meter closes the connection", given=ak),
        Trouble(
            symptom="wrong encryption key, and the meter gives no reason",
            error=AssociationRejected,
            code=7,
            given=ek,
            meter=Faulty(answers=instead_of(UNREADABLE, NO_REASON)),
            readings=1,
            causes=unreadable,
            alike="no reason, and the number of the AARQ was not taken",
        ),
        Trouble(
            symptom="another encryption key in what the meter sends",
            error=SecurityViolation,
            code=6,
            meter=Faulty(answers=sealed_under(_OTHER_EK)),
            causes=("encryption key", "system title"),
        ),
        Trouble(
            symptom="another authentication key in what the meter sends",
            error=SecurityViolation,
            code=6,
            meter=Faulty(answers=sealed_under(_OTHER_AK)),
            causes=("authentication key",),
        ),
    ]


def _wrong_secrets() -> list[Trouble]:
    secret = Given(secret=_OTHER_SECRET)
    password = replace(_LOW, secret=_OTHER_SECRET)
    login = Trouble(symptom="", error=LoginFailed, code=6, given=secret, causes=("secret", "meters lock"))
    return [
        replace(login, symptom="wrong HLS secret"),
        replace(
            login,
            symptom="wrong HLS secret, and the meter closes the connection",
            meter=Faulty(answers=proof_instead(_CLOSE)),
        ),
        replace(
            login,
            symptom="wrong HLS secret, and the meter stays silent",
            meter=Faulty(answers=proof_instead(_SILENCE)),
        ),
        Trouble(
            symptom="a meter that does not know the HLS secret",
            error=SecurityViolation,
            code=6,
            meter=Faulty(answers=with_another_proof),
            causes=("secret",),
        ),
        Trouble(
            symptom="wrong password",
            error=AssociationRejected,
            code=6,
            given=password,
            meter=Faulty(security=_PASSWORD),
            causes=("password", "meters lock"),
            alike="the meter says that the authentication failed",
        ),
        Trouble(
            symptom="wrong password, ciphered",
            error=AssociationRejected,
            code=6,
            given=replace(_CIPHERED_LOW, secret=_OTHER_SECRET),
            meter=Faulty(security=_CIPHERED_PASSWORD),
            causes=("password", "meters lock"),
            alike="the meter says that the authentication failed",
        ),
        Trouble(
            symptom="wrong password, ciphered, and the meter gives no reason",
            error=AssociationRejected,
            code=7,
            given=replace(_CIPHERED_LOW, secret=_OTHER_SECRET),
            meter=Faulty(security=_CIPHERED_PASSWORD, answers=aare_instead(NO_REASON)),
            readings=1,
            causes=("client address", "password", "encryption key"),
        ),
    ]


def _wrong_titles() -> list[Trouble]:
    return [
        Trouble(
            symptom="a system title that the meter refuses",
            error=AssociationRejected,
            code=6,
            given=Given(title=WRONG_TITLE),
            meter=Faulty(through=OneTitle),
            causes=("system title", WRONG_TITLE.hex().upper()),
        ),
        Trouble(
            symptom="another system title of the meter in the settings",
            error=SecurityViolation,
            code=6,
            given=Given(meter_title=b"MWS\0\0\0\0\7"),
            causes=("another meter answers", "title in the settings", "4D57530000000007"),
        ),
    ]


def _addresses() -> list[Trouble]:
    hdlc, wrapper = (Link.HDLC,), (Link.WRAPPER,)
    unknown = Trouble(
        symptom="",
        error=AssociationRejected,
        code=7,
        readings=1,
        causes=("client address", "logical device"),
        alike="no reason, and the number of the AARQ was not taken",
    )
    silent = Trouble(
        symptom="",
        error=Timeout,
        code=5,
        links=hdlc,
        logins=0,
        causes=("address", "length", "baud", "busy"),
        alike="nobody answers on an HDLC line",
    )
    plain = Given(authentication=_Mechanism.LOWEST, policy=_PLAIN)
    return [
        replace(unknown, symptom="wrong client address", given=Given(client=99)),
        replace(
            unknown,
            symptom="wrong logical device",
            given=Given(server=7),
            links=wrapper,
            readings=0,
            alike="",
            findings=("counter-not-told",),
        ),
        replace(
            unknown,
            symptom="wrong client address, without keys",
            given=replace(plain, client=99),
            readings=0,
            alike="no reason, and no keys",
        ),
        replace(
            unknown,
            symptom="wrong logical device, without keys",
            given=replace(plain, client=16, server=7),
            readings=0,
            links=wrapper,
            alike="no reason, and no keys",
        ),
        replace(silent, symptom="wrong logical device on an HDLC line", given=Given(server=7)),
        replace(
            silent,
            symptom="wrong HDLC address",
            given=Given(lower=18),
            meter=Faulty(hdlc=HdlcServerSettings(lower=17)),
        ),
        replace(
            silent,
            symptom="an HDLC address of the wrong length",
            given=Given(lower=17, address_size=2),
            meter=Faulty(hdlc=HdlcServerSettings(lower=17, sizes=frozenset({4}))),
        ),
        replace(
            silent,
            symptom="wrong baud rate, or noise, on an HDLC line",
            causes=("baud rate", "noisy"),
            alike="",
            meter=Faulty(line=lambda: Noise(bytes.fromhex("00f8e0c0fe"))),
        ),
        Trouble(
            symptom="another protocol at this port",
            error=RemoteProtocolError,
            code=1,
            links=wrapper,
            logins=0,
            meter=Faulty(line=lambda: Noise(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            causes=("address", "port"),
        ),
        Trouble(
            symptom="HDLC at a port that is taken for the wrapper's",
            error=RemoteProtocolError,
            code=1,
            links=wrapper,
            logins=0,
            meter=Faulty(line=lambda: Noise(bytes.fromhex("7ea0070321931f0e7e7e"))),
            causes=("hdlc+tcp",),
        ),
        Trouble(
            symptom="the meter is busy with another client",
            error=LinkError,
            code=5,
            links=hdlc,
            logins=0,
            meter=Faulty(line=Busy),
            causes=("one client at a time", "client address"),
        ),
    ]


def _wants() -> list[Trouble]:
    other = Given(authentication=_Mechanism.HIGH_SHA1)
    return [
        Trouble(
            symptom="wrong authentication mechanism",
            error=AssociationRejected,
            code=6,
            given=other,
            causes=("high-sha1",),
        ),
        Trouble(
            symptom="no authentication, and the meter wants one",
            error=AssociationRejected,
            code=6,
            given=Given(authentication=_Mechanism.LOWEST),
            causes=("mechanism and secret",),
        ),
        Trouble(
            symptom="ciphering, and the meter knows none",
            error=AssociationRejected,
            code=7,
            meter=Faulty(security=_UNCIPHERED),
            causes=("security", "authenticated-encrypted"),
        ),
        Trouble(
            symptom="no ciphering, and the meter wants it",
            error=AssociationRejected,
            code=7,
            given=Given(policy=_PLAIN),
            causes=("keys",),
        ),
    ]


TROUBLES: Final = {
    row.symptom: row
    for row in (
        *_wrong_keys(),
        *_wrong_secrets(),
        *_wrong_titles(),
        *COUNTER_TROUBLES,
        *_addresses(),
        *_wants(),
    )
}
"""The rows, by what is wrong."""
