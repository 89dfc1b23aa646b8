"""How a client comes to an association, as a procedure that either twin carries out.

    read the meter's counter, over its public association     where nothing is known of this key yet
    associate                                                  once
    read the counter, associate                                once more, where a counter that is too low may be the cause

A meter that does not take the number in our AARQ may say so; many close the connection, stay silent, or refuse without a
reason instead. Then its counter is read, and only where it really is ahead of ours the login is tried a second time. Where it is
not, and the meter has not taken our number either, the line is good and the meter does not want us: a failed login. Nothing else
is ever tried again: meters lock after a few wrong logins.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from meterwright.apdu import AttributeDescriptor
from meterwright.association import ClientStack
from meterwright.client.advice import NO_REASON, Known, advise
from meterwright.client.credentials import ClientSecurity, CounterReading
from meterwright.client.settings import ClientSettings
from meterwright.data import Data, double_long_unsigned
from meterwright.errors import (
    AssociationRejected,
    ConnectionLost,
    ExceptionResponseError,
    LinkError,
    LoginFailed,
    MeterwrightError,
    RemoteProtocolError,
    Timeout,
)
from meterwright.link import ClientLink
from meterwright.values import (
    AssociationResult,
    ExceptionService,
    Finding,
    Level,
    Obis,
)

__all__ = ["Associate", "Leave", "Opening", "OpeningStep", "Read", "Redial", "Rest", "opening"]

_DATA: Final = 1
_VALUE: Final = 2


@dataclass(frozen=True, slots=True)
class Associate:
    """Open link and association of this stack. What fails is thrown in, and its link is closed then."""

    stack: ClientStack


@dataclass(frozen=True, slots=True)
class Read:
    """Read this attribute in the association that is open; the value is sent in."""

    attribute: AttributeDescriptor


@dataclass(frozen=True, slots=True)
class Leave:
    """Release the association and close its link; the connection below stays."""


@dataclass(frozen=True, slots=True)
class Redial:
    """Make sure that there is a connection: a new one where the old is gone."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait this many seconds."""

    seconds: float


OpeningStep: TypeAlias = Associate | Read | Leave | Redial | Rest
Opening: TypeAlias = Generator[OpeningStep, Data | None, None]


def opening(
    settings: ClientSettings, security: ClientSecurity, *, can_redial: bool, tell: Callable[[Finding], None]
) -> Opening:
    """The whole procedure. Findings are told as they are made. Raises what keeps the client out, with what to try."""
    procedure = _Procedure(settings, security, tell)
    try:
        yield from procedure.open(can_redial=can_redial)
    except MeterwrightError as error:
        advise(error, settings, procedure.known)
        raise


class _Procedure:
    """The steps, and what was found out on the way."""

    def __init__(
        self, settings: ClientSettings, security: ClientSecurity, tell: Callable[[Finding], None]
    ) -> None:
        self.known = Known()
        self._settings = settings
        self._security = security
        self._tell = tell
        self._line_is_fresh = True

    def open(self, *, can_redial: bool) -> Generator[OpeningStep, Data | None, None]:
        """Associate; once more where a counter that was too low may have kept us out."""
        if self._security.wants_reading:
            yield from self._look_up()
        try:
            yield from self._associate()
        except MeterwrightError as error:
            suspicion = _suspicion(error, can_redial=can_redial)
            sent_none = self.known.number is None  # and so cannot have sent one that is too low
            if suspicion is None or sent_none:
                raise
            if not (yield from self._catch_up(error, suspicion)):
                if self.known.is_turned_away:
                    raise _turned_away(error) from error
                raise
        else:
            return
        yield from self._associate()

    def _associate(self) -> Generator[OpeningStep, Data | None, None]:
        """Associate as we want to. The number that our AARQ spent is known afterwards."""
        settings, before = self._settings, self._security.last
        stack = ClientStack(
            self._link(settings.client_sap),
            settings.proposal,
            self._security.credentials(),
            agreed=settings.pre_established,
        )
        try:
            yield Associate(stack)
        finally:
            spent = self._security.last
            self.known.number = None if spent == before else spent

    def _look_up(self) -> Generator[OpeningStep, Data | None, None]:
        """Read the meter's counter and go on above it. Where it tells none, our own has to do."""
        read = self.known.counter = yield from self._read()
        if read is not None:
            self._follow(read, f"the counter object {self._settings.credentials.counter_object}")

    def _catch_up(
        self, error: MeterwrightError, suspicion: "_Suspicion"
    ) -> Generator[OpeningStep, Data | None, bool]:
        """After a refusal that may be the counter's fault: whether it was, and we have caught up."""
        told = error.invocation_counter if isinstance(error, ExceptionResponseError) else None
        source = "the exception that answered our AARQ"
        if told is None and self.known.counter is not None:
            return False  # it was read before, and we went on above it
        self._line_is_fresh = isinstance(error, ConnectionLost)
        try:
            yield Rest(self._settings.timeouts.between)
            yield Redial()
            if told is None:
                source = f"the counter object {self._settings.credentials.counter_object}"
                told = yield from self._read()
        except LinkError as gone:  # what kept us out tells more
            self._tell(_not_told(self._settings.credentials.counter_object, gone))
            return False
        self.known.counter = told
        if told is None or not self._security.is_ahead(told, certain=suspicion is _Suspicion.TOLD):
            self.known.is_turned_away = (
                told is not None and isinstance(error, LinkError) and not self.known.is_taken
            )
            return False
        self._follow(told, source)
        self.known.is_caught_up = True
        return True

    def _read(self) -> Generator[OpeningStep, Data | None, int | None]:
        credentials = self._settings.credentials
        if credentials.counter_object is None or credentials.counter_reading is CounterReading.NEVER:
            return None
        public = ClientStack(self._link(credentials.counter_client))
        value: Data | None = None
        try:
            yield Associate(public)
            value = yield Read(AttributeDescriptor(_DATA, credentials.counter_object, _VALUE))
        except MeterwrightError as error:
            self._tell(_not_told(credentials.counter_object, error))
            self._line_is_fresh = isinstance(error, ConnectionLost)
        yield Leave()  # a meter serves one association at a time: this one goes, read or not
        yield Rest(self._settings.timeouts.between)
        yield Redial()
        return None if value is None else self._number(value, credentials.counter_object)

    def _number(self, value: Data, counter_object: Obis) -> int | None:
        try:
            return double_long_unsigned.from_data(value)
        except RemoteProtocolError as error:
            self._tell(_not_told(counter_object, error))
            return None

    def _follow(self, read: int, source: str) -> None:
        finding = self._security.follow(read, source)
        if finding is not None:
            self._tell(finding)

    def _link(self, client_sap: int) -> ClientLink:
        fresh, self._line_is_fresh = self._line_is_fresh, False
        return self._settings.carrier.link(client_sap, self._settings.server_sap, line_is_fresh=fresh)


class _Suspicion(Enum):
    """Whether the number in our AARQ was too low."""

    TOLD = "the meter says so"
    POSSIBLE = "this is also how meters show it that do not say so"


def _suspicion(error: MeterwrightError, *, can_redial: bool) -> _Suspicion | None:
    """Whether this may be the counter's fault; None where it is something else."""
    match error:
        case ExceptionResponseError(service=ExceptionService.INVOCATION_COUNTER_ERROR):
            return _Suspicion.TOLD
        case AssociationRejected(result=AssociationResult.REJECTED_PERMANENT, reason=""):
            return _Suspicion.POSSIBLE if error.diagnostic in NO_REASON else None
        case ConnectionLost() | Timeout():
            return _Suspicion.POSSIBLE if can_redial else None
        case _:
            return None


def _turned_away(error: MeterwrightError) -> LoginFailed:
    """What looks like a bad line is none where the meter answers its public client: it must not be tried again and again."""
    return LoginFailed(
        f"the meter does not let us in, and does not say why: {error.what}",
        layer="association",
        refused=False,
    )


def _not_told(counter_object: Obis | None, error: MeterwrightError) -> Finding:
    return Finding(
        Level.INFO,
        "counter-not-told",
        f"the meter's invocation counter {counter_object or ''} could not be read: {error}",
        hint="our own store's number is used; another program with the same keys may be ahead of it",
    )
