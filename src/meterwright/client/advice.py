"""What to try where a meter keeps us out: the hint of an error, made of what the client knows and the error does not.

An error of the association says what the meter answered, which often is nothing. The client knows more: which addresses and
titles it used and what it asked for, that the meter answers its public client, and whether the meter took the number in our
AARQ, which it does only where keys and system titles are right.
"""

from dataclasses import dataclass
from typing import Final

from meterwright.client.credentials import ClientCredentials, CounterReading
from meterwright.client.settings import ClientSettings
from meterwright.errors import (
    AssociationRejected,
    ConnectionLost,
    ExceptionResponseError,
    LoginFailed,
    MeterwrightError,
    Timeout,
)
from meterwright.security import MECHANISMS, SecurityViolation, Violation
from meterwright.values import (
    AcseServiceUserDiagnostic,
    AssociationResult,
    AuthenticationMechanism,
    ExceptionService,
    Protection,
    Role,
)

__all__ = ["NO_REASON", "Known", "advise"]

_User = AcseServiceUserDiagnostic

NO_REASON: Final = frozenset({_User.NULL, _User.NO_REASON_GIVEN})
"""Diagnostics that say nothing."""


@dataclass(slots=True)
class Known:
    """What was found out while an association was opened.

    `number`: the invocation counter of our AARQ, None where none was spent. `counter`: what the meter says it accepted last.
    `is_caught_up`: it was ahead, and we went on above it. `is_turned_away`: the meter said nothing to our AARQ and has not taken
    its number, and answers its public client.
    """

    number: int | None = None
    counter: int | None = None
    is_caught_up: bool = False
    is_turned_away: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether the meter took our AARQ's number."""
        return self.number is not None and self.number == self.counter


def advise(error: MeterwrightError, settings: ClientSettings, known: Known) -> None:
    """Give the error a better hint, where we know one."""
    match error:
        case AssociationRejected():
            hint = _of_rejection(error, settings, known)
        case ExceptionResponseError():
            hint = _of_exception(error, settings, known)
        case SecurityViolation(violation=Violation.TITLE) if settings.credentials.meter_title is not None:
            given = _hex(settings.credentials.meter_title)
            hint = f"another meter answers at this address, or its title in the settings, {given}, is wrong"
        case LoginFailed() if not known.is_turned_away:
            hint = _of_login(error, settings)
        case LoginFailed():
            hint = _of_no_reason("say nothing, or close the connection,", settings, known)
        case Timeout() | ConnectionLost() if known.number is not None:
            hint = _of_no_reason("say nothing, or close the connection,", settings, known)
        case _:
            hint = ""
    error.hint = hint or error.hint


def _of_rejection(error: AssociationRejected, settings: ClientSettings, known: Known) -> str:
    given = settings.credentials
    if error.result is AssociationResult.REJECTED_TRANSIENT:
        return "the meter may be busy, or have no association free: try again later"
    match error.diagnostic:
        case _User.NULL | _User.NO_REASON_GIVEN if not error.reason:
            return _of_no_reason("give no reason", settings, known)
        case _User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED if given.policy:
            return (
                f"we asked for ciphering (security {given.policy.label}), and {_client(settings)} knows none: try security none, "
                f"or another client address; {_SHORT_NAMES}"
            )
        case _User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED:
            return f"we asked for no ciphering, and {_client(settings)} may want it: give its security and keys; {_SHORT_NAMES}"
        case _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED:
            return f"we offered {given.authentication.label}, and {_client(settings)} wants another authentication"
        case _User.CALLING_AP_TITLE_NOT_RECOGNIZED:
            return f"{_client(settings)} is for another system title than ours, {_hex(given.system_title)}: {_OUR_TITLE}"
        case _:
            return ""


def _of_exception(error: ExceptionResponseError, settings: ClientSettings, known: Known) -> str:
    match error.service:
        case ExceptionService.DECIPHERING_ERROR:
            return f"one of these is not what the meter has for {_client(settings)}: {_secrets(settings)}; {_OFFLINE}"
        case ExceptionService.INVOCATION_COUNTER_ERROR if known.number is not None:
            return _of_low_counter(settings.credentials, known, known.number)
        case _:
            return ""


def _of_low_counter(given: ClientCredentials, known: Known, number: int) -> str:
    if known.is_caught_up:
        return (
            f"we went on with {number}, above what the meter told, and that is too low already: another program uses these keys "
            "and our system title at this moment; stop it, or give it a title of its own"
        )
    shown = given.counter_object
    if known.counter is not None:
        return (
            f"our number was {number}, and the counter reads {known.counter}, which is not higher: {shown or 'it'} may be another "
            "client's counter object; give counter_object as 0.0.43.1.x.255 of this client address"
        )
    if shown is None or given.counter_reading is CounterReading.NEVER:
        return f"our number was {number}; let the meter's counter object be read: counter_object, counter_reading"
    return (
        f"our number was {number}, and the counter object {shown} could not be read by the public client "
        f"{given.counter_client}: check both, counter_object and counter_client"
    )


def _of_login(error: LoginFailed, settings: ClientSettings) -> str:
    """Where the meter's Initiate was verified the keys are right, and what is wrong is the secret."""
    mechanism = MECHANISMS.get(settings.credentials.authentication)
    verified = Protection.AUTHENTICATION in settings.credentials.policy.required(Role.SERVER)
    if mechanism is None or not mechanism.needs_secret or not verified:
        return ""
    who = f"the HLS secret of {_client(settings)}"
    if error.refused:
        return f"the keys are right, and {who} is wrong: {_OFFLINE}"
    return f"the keys are right; many meters do so where {who} is wrong: {_OFFLINE}; else the line fell at this very moment"


def _of_no_reason(how: str, settings: ClientSettings, known: Known) -> str:
    """The meter does not say why. `how` it does not."""
    client, server = settings.client_sap, settings.server_sap
    if known.number is None:
        return (
            f"check the client address ({client}) and the logical device ({server}); else the meter may want an authentication, "
            "or not like the services we propose"
        )
    if known.is_taken:
        low = settings.credentials.authentication is AuthenticationMechanism.LOW
        rest = "the password may be wrong, or " if low else ""
        return f"the meter took our AARQ (its counter reads {known.counter}), so the keys and our system title are right: {rest}it may be busy or slow, hold another client, or refuse the services we propose"
    suspects = f"client address {client} and logical device {server}, {_secrets(settings)}"
    if known.counter is None:
        return f"check in this order: address and port, {suspects}; its counter, which may be ahead of ours, could not be read"
    return (
        f"the meter answers its public client; many meters {how} where one of these is wrong, or while they hold another client: "
        f"{suspects}; {_OFFLINE}"
    )


def _secrets(settings: ClientSettings) -> str:
    """What must be right for an AARQ of ours to be understood."""
    given = settings.credentials
    password = "the password, " if given.authentication is AuthenticationMechanism.LOW else ""
    return (
        f"{password}the encryption key, the authentication key, our system title {_hex(given.system_title)}"
    )


def _client(settings: ClientSettings) -> str:
    return f"client address {settings.client_sap}"


def _hex(title: bytes | None) -> str:
    return "" if title is None else title.hex().upper()


_OFFLINE: Final = "check before you try again, meters lock after a few wrong logins"
_OUR_TITLE: Final = "set system_title to the one that the meter was told, or have the meter told ours"
_SHORT_NAMES: Final = "a meter of short names says so too"
