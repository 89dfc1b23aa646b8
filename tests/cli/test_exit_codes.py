"""Every error has an exit code, and the right one."""

import pytest

from meterwright import errors
from meterwright.cli.exit_codes import EXIT_CODES, ExitCode, exit_code
from meterwright.firmware import failures
from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
)

User = AcseServiceUserDiagnostic


def rejected(
    diagnostic: AcseServiceUserDiagnostic | AcseServiceProviderDiagnostic,
) -> errors.MeterwrightError:
    return errors.AssociationRejected(AssociationResult.REJECTED_PERMANENT, diagnostic)


def exception(service: ExceptionService) -> errors.MeterwrightError:
    return errors.ExceptionResponseError(ExceptionState.SERVICE_NOT_ALLOWED, service)


def test_the_codes_are_the_documented_ones() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "WRONG_USE": 2,
        "NOTHING_TO_DO": 3,
        "REFUSED": 4,
        "UNREACHABLE": 5,
        "SECURITY": 6,
        "REJECTED": 7,
        "INTERRUPTED": 130,
    }


def test_the_root_has_a_code_so_every_error_has() -> None:
    assert EXIT_CODES[errors.MeterwrightError] is ExitCode.FAILED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.MeterwrightError("x"), 1),
        (errors.LocalProtocolError("x"), 1),
        (errors.RemoteProtocolError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.SecurityError("x"), 6),
        (errors.ConnectFailed("x"), 5),
        (errors.ConnectionLost("x"), 5),
        (errors.Timeout("x"), 5),
        (errors.AssociationLost("x"), 5),
        (rejected(User.NO_REASON_GIVEN), 7),
        (rejected(User.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED), 7),
        (rejected(User.AUTHENTICATION_FAILURE), 6),
        (rejected(User.AUTHENTICATION_REQUIRED), 6),
        (rejected(User.AUTHENTICATION_MECHANISM_NAME_REQUIRED), 6),
        (rejected(AcseServiceProviderDiagnostic.NO_REASON_GIVEN), 7),
        (errors.DataAccessError(DataAccessResult.READ_WRITE_DENIED), 7),
        (errors.ActionError(ActionResult.HARDWARE_FAULT), 7),
        (exception(ExceptionService.SERVICE_NOT_SUPPORTED), 7),
        (exception(ExceptionService.DECIPHERING_ERROR), 6),
        (exception(ExceptionService.INVOCATION_COUNTER_ERROR), 6),
        (errors.ConfirmedServiceErrorReceived(ConfirmedServiceErrorService.READ, 0, 0), 7),
        (failures.UpdateFailed("x", "x"), 1),
        (failures.Unreachable("x", "x"), 5),
        (failures.MeterFailed("x", "x"), 7),
        (failures.ReleaseFailed("wrong-version-after", "x"), 1),
        (failures.ReleaseFailed("silent-after-activation", "x"), 5),
        (failures.CredentialsFailed("x", "x"), 6),
        (failures.UpdateRefused("x", "x"), 4),
    ],
)
def test_an_error_has_its_code(error: errors.MeterwrightError, code: int) -> None:
    assert exit_code(error) == code
