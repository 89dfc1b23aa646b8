"""With which code the command line ends, and why: one table from error class to code, looked up along the MRO.

====  ====================================================================================
code  meaning
====  ====================================================================================
   0  done
   1  failed
   2  wrong use: an option, a file, an address that cannot be used; nothing was done
   3  nothing to do: what is wanted runs already
   4  refused by plan or policy: nothing was done to the meter
   5  unreachable or silent: nobody answered, or not any more
   6  security: a tag, a counter or an authentication
   7  rejected by the meter: it understood and said no
 130  interrupted: the meter was released first
====  ====================================================================================

Where a class alone does not decide (`AssociationRejected` may be about a password or not), `exit_code` looks closer.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from meterwright.errors import (
    AssociationLost,
    AssociationRejected,
    ExceptionResponseError,
    LinkError,
    MeterwrightError,
    SecurityError,
    ServiceError,
    UsageError,
)
from meterwright.firmware.failures import (
    CredentialsFailed,
    MeterFailed,
    ReleaseFailed,
    Unreachable,
    UpdateFailed,
    UpdateRefused,
)
from meterwright.values import AcseServiceUserDiagnostic, ExceptionService

__all__ = ["EXIT_CODES", "ExitCode", "exit_code"]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    NOTHING_TO_DO = 3
    REFUSED = 4
    UNREACHABLE = 5
    SECURITY = 6
    REJECTED = 7
    INTERRUPTED = 130


EXIT_CODES: Final[Mapping[type[MeterwrightError], ExitCode]] = MappingProxyType(
    {
        MeterwrightError: ExitCode.FAILED,
        UsageError: ExitCode.WRONG_USE,
        SecurityError: ExitCode.SECURITY,
        LinkError: ExitCode.UNREACHABLE,
        AssociationLost: ExitCode.UNREACHABLE,
        AssociationRejected: ExitCode.REJECTED,
        ServiceError: ExitCode.REJECTED,
        UpdateFailed: ExitCode.FAILED,
        Unreachable: ExitCode.UNREACHABLE,
        MeterFailed: ExitCode.REJECTED,
        ReleaseFailed: ExitCode.FAILED,
        CredentialsFailed: ExitCode.SECURITY,
        UpdateRefused: ExitCode.REFUSED,
    }
)
"""The code of each class of errors; a class that is not listed has that of the nearest class it derives from."""

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
_CIPHERING: Final = frozenset({ExceptionService.DECIPHERING_ERROR, ExceptionService.INVOCATION_COUNTER_ERROR})
_SILENT: Final = "silent-after-activation"


def exit_code(error: MeterwrightError) -> ExitCode:
    """The code that the command line ends with after this error."""
    match error:
        case AssociationRejected(diagnostic=diagnostic) if diagnostic in _AUTHENTICATION:
            return ExitCode.SECURITY
        case ExceptionResponseError(service=service) if service in _CIPHERING:
            return ExitCode.SECURITY
        case ReleaseFailed(finding=finding) if finding.code == _SILENT:
            return ExitCode.UNREACHABLE
        case _:
            return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
