"""Reaching the meter, and reaching it again: one client, many associations in a row.

Reading is repeated after a lost line by itself, as it changes nothing. Whatever changes something is not: its outcome is
unknown then, and only the phase that asked for it knows how to find out.

A login that was refused is never tried again: meters lock. One that was broken off, or refused without a word about who we are,
may have been the line's fault, or that of a meter which starts up; but only where the same credentials have opened this meter
before, not often, and not in a hurry.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from meterwright.client import Client
from meterwright.errors import (
    AssociationLost,
    AssociationRejected,
    ConfirmedServiceErrorReceived,
    ExceptionResponseError,
    LinkError,
    LoginFailed,
    MeterwrightError,
    RemoteProtocolError,
    SecurityError,
)
from meterwright.firmware.failures import CredentialsFailed, MeterFailed, Unreachable, UpdateFailed
from meterwright.firmware.policy import Patience
from meterwright.security import SecurityViolation
from meterwright.values import (
    AcseServiceUserDiagnostic,
    AssociationResult,
    AuthenticationMechanism,
    ExceptionService,
    Finding,
)

__all__ = ["LINE_ERRORS", "Reach"]

T = TypeVar("T")

LINE_ERRORS = (LinkError, AssociationLost, RemoteProtocolError, SecurityViolation)
"""After these nobody knows what became of a request; a new association is the way to find out."""


class Reach:
    """A meter that is associated with anew where the line fell, within `patience`."""

    def __init__(
        self, client: Client, patience: Patience, tell: Callable[[Finding], None] = lambda _finding: None
    ) -> None:
        """`tell` hears what is worth knowing of the associations that are opened."""
        self.client = client
        self.was_let_in = client.is_associated
        """Whether these credentials have opened the meter."""
        self._patience = patience
        self._tell = tell
        self._unexplained = 0
        self._not_before = float("-inf")

    async def close(self) -> None:
        """Release the meter."""
        await self.client.close()

    async def once(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do what may change something. AssociationLost where the meter answers as one that knows of no association of ours."""
        try:
            return await step()
        except ExceptionResponseError as error:
            if error.service not in _NO_ASSOCIATION:
                raise
            raise AssociationLost(
                f"the association is over for the meter: {error.what}", layer="firmware", hint=error.hint
            ) from error

    async def read(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do what changes nothing, again and again if the line falls, as long as the meter can be reached at all."""
        for _ in range(self._patience.block_attempts):
            try:
                return await self.once(step)
            except LINE_ERRORS as error:
                if isinstance(error, RemoteProtocolError) and self.client.is_associated:
                    raise  # the line is sound: the meter's value is not what the standard allows
                await self.again()
        return await step()

    async def first(self) -> None:
        """Associate for the first time. The line is given a few seconds; a meter that says no is not asked again."""
        await self._associate(self._patience.connect)

    async def again(self, within: float | None = None) -> None:
        """Let go of a lost association and make a new one, within so many seconds (the patience's, unless given)."""
        await self.client.close()
        await self._associate(self._patience.reconnect if within is None else within)

    async def _associate(self, within: float) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + within
        for pause in self._patience.polls():
            await asyncio.sleep(max(self._not_before - clock(), 0))
            try:
                await self.client.connect()
            except _NOT_OPENED as error:
                failure = self._no_association(error)
                if not isinstance(failure, Unreachable) or clock() + pause >= deadline:
                    raise failure from error
                await asyncio.sleep(pause)
            else:
                self.was_let_in, self._unexplained = True, 0
                return
            finally:
                for finding in self.client.findings:
                    self._tell(finding)

    def _no_association(self, error: MeterwrightError) -> UpdateFailed:
        """Whose failure it is that there is no association."""
        broken_off = isinstance(error, LoginFailed) and not error.refused
        if self.was_let_in and (broken_off or self._is_refused_without_reason(error)):
            self._unexplained += 1
            self._not_before = asyncio.get_running_loop().time() + self._patience.settle
            if self._unexplained >= _MOST_UNEXPLAINED:
                return CredentialsFailed("login-failed", str(error), hint=error.hint)
            if broken_off:
                return Unreachable("login-broken-off", str(error), hint=error.hint)
        if isinstance(error, SecurityError):
            return CredentialsFailed("login-failed", str(error), hint=error.hint)
        if isinstance(error, ExceptionResponseError) and error.service in _CIPHERING:
            return CredentialsFailed("association-rejected", str(error), hint=error.hint)
        if not _is_final(error):
            return Unreachable("meter-unreachable", str(error), hint=error.hint)
        says_who = isinstance(error, AssociationRejected) and error.diagnostic in _AUTHENTICATION
        kind = CredentialsFailed if says_who else MeterFailed
        return kind("association-rejected", str(error), hint=error.hint)

    def _is_refused_without_reason(self, error: MeterwrightError) -> bool:
        """Whether this may be how the meter says that our credentials are wrong, and it may count."""
        given = self.client.settings.credentials
        proves = given.authentication is not AuthenticationMechanism.LOWEST or bool(given.policy)
        return proves and _is_final(error)


def _is_final(error: MeterwrightError) -> bool:
    """Whether the meter has said no, and not only for now."""
    if isinstance(error, AssociationRejected):
        return error.result is not AssociationResult.REJECTED_TRANSIENT
    return isinstance(error, ConfirmedServiceErrorReceived)


_NOT_OPENED: Final = (
    AssociationRejected,
    ExceptionResponseError,
    ConfirmedServiceErrorReceived,
    SecurityError,
    *LINE_ERRORS,
)
"""How an association that was asked for may fail to come."""
_MOST_UNEXPLAINED: Final = 3
"""Logins in a row that came to nothing and nobody said why, after which that is taken for the answer."""
_CIPHERING: Final = frozenset({ExceptionService.DECIPHERING_ERROR, ExceptionService.INVOCATION_COUNTER_ERROR})
_NO_ASSOCIATION: Final = _CIPHERING | {ExceptionService.OPERATION_NOT_POSSIBLE}
"""How a meter answers a request, in plain, that belongs to no association it knows of, or to none with this key or counter."""
_User = AcseServiceUserDiagnostic
_AUTHENTICATION: Final = frozenset(
    {
        _User.CALLING_AP_TITLE_NOT_RECOGNIZED,
        _User.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
        _User.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
        _User.AUTHENTICATION_FAILURE,
        _User.AUTHENTICATION_REQUIRED,
    }
)
