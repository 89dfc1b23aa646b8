"""Reaching the meter, and reaching it again: one client, many associations in a row.

Reading is repeated after a lost line by itself, as it changes nothing. Whatever changes something is not: its outcome is
unknown then, and only the phase that asked for it knows how to find out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from meterwright.client import Client
from meterwright.errors import (
    AssociationLost,
    AssociationRejected,
    ExceptionResponseError,
    LinkError,
    MeterwrightError,
    RemoteProtocolError,
)
from meterwright.firmware.failures import CredentialsFailed, MeterFailed, Unreachable, UpdateFailed
from meterwright.firmware.policy import Patience
from meterwright.values import AcseServiceUserDiagnostic, AssociationResult

__all__ = ["LINE_ERRORS", "Reach"]

T = TypeVar("T")

LINE_ERRORS = (LinkError, AssociationLost, RemoteProtocolError)
"""After these nobody knows what became of a request; a new association is the way to find out."""


class Reach:
    """A meter that is associated with anew where the line fell, within `patience`."""

    def __init__(self, client: Client, patience: Patience) -> None:
        self.client = client
        self._patience = patience

    async def close(self) -> None:
        """Release the meter."""
        await self.client.close()

    async def read(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do what changes nothing, again and again if the line falls, as long as the meter can be reached at all."""
        for _ in range(self._patience.block_attempts):
            try:
                return await step()
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
        deadline = asyncio.get_running_loop().time() + within
        for pause in self._patience.polls():
            try:
                await self.client.connect()
            except (AssociationRejected, ExceptionResponseError, *LINE_ERRORS) as error:
                failure = _no_association(error)
                too_late = asyncio.get_running_loop().time() + pause >= deadline
                if not isinstance(failure, Unreachable) or too_late:
                    raise failure from error
                await asyncio.sleep(pause)
            else:
                return


def _no_association(error: MeterwrightError) -> UpdateFailed:
    """Whose failure it is that there is no association."""
    if not isinstance(error, AssociationRejected) or error.result is AssociationResult.REJECTED_TRANSIENT:
        return Unreachable("meter-unreachable", str(error), hint=error.hint)
    kind = CredentialsFailed if error.diagnostic in _AUTHENTICATION else MeterFailed
    return kind("association-rejected", str(error), hint=error.hint)


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
