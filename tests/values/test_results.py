"""Result codes against the tables of the Green Book."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    OpenIntEnum,
    ReleaseRequestReason,
    ReleaseResponseReason,
    ServiceErrorClass,
    service_error_name,
)


@pytest.mark.parametrize(
    ("member", "code", "label"),
    [
        (DataAccessResult.READ_WRITE_DENIED, 3, "read-write-denied"),
        (DataAccessResult.LONG_SET_ABORTED, 17, "long-set-aborted"),
        (DataAccessResult.DATA_BLOCK_NUMBER_INVALID, 19, "data-block-number-invalid"),
        (DataAccessResult.OTHER_REASON, 250, "other-reason"),
        (ActionResult.LONG_ACTION_ABORTED, 15, "long-action-aborted"),
        (ActionResult.OTHER_REASON, 250, "other-reason"),
        (ExceptionState.SERVICE_UNKNOWN, 2, "service-unknown"),
        (ExceptionService.INVOCATION_COUNTER_ERROR, 6, "invocation-counter-error"),
        (ConfirmedServiceErrorService.INITIATE_ERROR, 1, "initiate-error"),
        (ConfirmedServiceErrorService.TERMINATE_UP_LOAD, 19, "terminate-up-load"),
        (ServiceErrorClass.TASK, 9, "task"),
        (AssociationResult.REJECTED_TRANSIENT, 2, "rejected-transient"),
        (AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE, 13, "authentication-failure"),
        (AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED, 14, "authentication-required"),
        (ReleaseRequestReason.USER_DEFINED, 0x1E, "user-defined"),
        (ReleaseResponseReason.NOT_FINISHED, 1, "not-finished"),
    ],
    ids=repr,
)
def test_codes_and_labels(member: OpenIntEnum, code: int, label: str) -> None:
    assert (member, member.label) == (code, label)


def test_data_access_and_action_results_agree_on_what_they_share() -> None:
    shared = DataAccessResult.__members__.keys() & ActionResult.__members__.keys()
    assert len(shared) == 11
    assert all(DataAccessResult[name].value == ActionResult[name].value for name in shared)
    assert not ActionResult(19).is_known


@pytest.mark.parametrize(
    ("error_class", "code", "name"),
    [
        (ServiceErrorClass.APPLICATION_REFERENCE, 6, "deciphering-error"),
        (ServiceErrorClass.HARDWARE_RESOURCE, 1, "memory-unavailable"),
        (ServiceErrorClass.VDE_STATE_ERROR, 4, "status-inoperable"),
        (ServiceErrorClass.SERVICE, 1, "pdu-size"),
        (ServiceErrorClass.DEFINITION, 3, "object-attribute-inconsistent"),
        (ServiceErrorClass.ACCESS, 1, "scope-of-access-violated"),
        (ServiceErrorClass.INITIATE, 1, "dlms-version-too-low"),
        (ServiceErrorClass.INITIATE, 4, "refused-by-the-vde-handler"),
        (ServiceErrorClass.LOAD_DATA_SET, 7, "data-set-not-ready"),
        (ServiceErrorClass.TASK, 4, "ti-unusable"),
        (ServiceErrorClass.OTHER, 0, "other"),
        (ServiceErrorClass.INITIATE, 5, "unknown-5"),
        (ServiceErrorClass.CHANGE_SCOPE, 0, "unknown-0"),
        (77, 3, "unknown-3"),
    ],
)
def test_service_error_names(error_class: int, code: int, name: str) -> None:
    assert service_error_name(error_class, code) == name


@given(error_class=st.integers(), code=st.integers())
def test_a_service_error_always_has_a_name(error_class: int, code: int) -> None:
    assert service_error_name(error_class, code)
