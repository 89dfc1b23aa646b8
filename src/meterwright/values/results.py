"""Result codes: what a meter, or its association layer, says became of a request.

The codes of the xDLMS services (Green Book, COSEM APDU definitions: Data-Access-Result, Action-Result,
ConfirmedServiceError, ExceptionResponse) and of ACSE (AARE, RLRQ, RLRE). All are open: a code that is in no
book is kept and named `unknown-<n>`. What a code means for the user, and what to try, is not told here but
in `dictionary`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from meterwright.values.open_enum import OpenIntEnum

__all__ = [
    "AcseServiceProviderDiagnostic",
    "AcseServiceUserDiagnostic",
    "ActionResult",
    "AssociationResult",
    "ConfirmedServiceErrorService",
    "DataAccessResult",
    "ExceptionService",
    "ExceptionState",
    "ReleaseRequestReason",
    "ReleaseResponseReason",
    "ServiceErrorClass",
    "service_error_name",
]


class DataAccessResult(OpenIntEnum):
    """Data-Access-Result: the outcome of reading or writing one attribute."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_GET_ABORTED = 15
    NO_LONG_GET_IN_PROGRESS = 16
    LONG_SET_ABORTED = 17
    NO_LONG_SET_IN_PROGRESS = 18
    DATA_BLOCK_NUMBER_INVALID = 19
    OTHER_REASON = 250


class ActionResult(OpenIntEnum):
    """Action-Result: the outcome of invoking one method.

    The list has no 19 (data-block-number-invalid): meters send it all the same, we never do.
    """

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_ACTION_ABORTED = 15
    NO_LONG_ACTION_IN_PROGRESS = 16
    OTHER_REASON = 250


class ExceptionState(OpenIntEnum):
    """ExceptionResponse, state-error: whether the service exists or is only not allowed now."""

    SERVICE_NOT_ALLOWED = 1
    SERVICE_UNKNOWN = 2


class ExceptionService(OpenIntEnum):
    """ExceptionResponse, service-error. After 6 the meter's invocation counter follows, as u32."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    PDU_TOO_LONG = 4
    DECIPHERING_ERROR = 5
    INVOCATION_COUNTER_ERROR = 6


class ConfirmedServiceErrorService(OpenIntEnum):
    """ConfirmedServiceError, first octet: the service that failed (names of IEC 61334-4-41)."""

    INITIATE_ERROR = 1
    GET_STATUS = 2
    GET_NAME_LIST = 3
    GET_VARIABLE_ATTRIBUTE = 4
    READ = 5
    WRITE = 6
    GET_DATA_SET_ATTRIBUTE = 7
    GET_TI_ATTRIBUTE = 8
    CHANGE_SCOPE = 9
    START = 10
    STOP = 11
    RESUME = 12
    MAKE_USABLE = 13
    INITIATE_LOAD = 14
    LOAD_SEGMENT = 15
    TERMINATE_LOAD = 16
    INITIATE_UP_LOAD = 17
    UP_LOAD_SEGMENT = 18
    TERMINATE_UP_LOAD = 19


class ServiceErrorClass(OpenIntEnum):
    """ConfirmedServiceError, second octet: which list the third octet is a code of."""

    APPLICATION_REFERENCE = 0
    HARDWARE_RESOURCE = 1
    VDE_STATE_ERROR = 2
    SERVICE = 3
    DEFINITION = 4
    ACCESS = 5
    INITIATE = 6
    LOAD_DATA_SET = 7
    CHANGE_SCOPE = 8
    TASK = 9
    OTHER = 10


class AssociationResult(OpenIntEnum):
    """AARE, result. Only the transient rejection may be tried again unchanged."""

    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class AcseServiceUserDiagnostic(OpenIntEnum):
    """AARE, result-source-diagnostic, choice acse-service-user: the application's own reason."""

    NULL = 0
    NO_REASON_GIVEN = 1
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED = 2
    CALLING_AP_TITLE_NOT_RECOGNIZED = 3
    CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 4
    CALLING_AE_QUALIFIER_NOT_RECOGNIZED = 5
    CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 6
    CALLED_AP_TITLE_NOT_RECOGNIZED = 7
    CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 8
    CALLED_AE_QUALIFIER_NOT_RECOGNIZED = 9
    CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 10
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED = 11
    AUTHENTICATION_MECHANISM_NAME_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14
    """No refusal: with result accepted it opens passes 3 and 4 of high-level security."""


class AcseServiceProviderDiagnostic(OpenIntEnum):
    """AARE, result-source-diagnostic, choice acse-service-provider: ACSE's own reason."""

    NULL = 0
    NO_REASON_GIVEN = 1
    NO_COMMON_ACSE_VERSION = 2


class ReleaseRequestReason(OpenIntEnum):
    """RLRQ, reason."""

    NORMAL = 0
    URGENT = 1
    USER_DEFINED = 30


class ReleaseResponseReason(OpenIntEnum):
    """RLRE, reason."""

    NORMAL = 0
    NOT_FINISHED = 1
    USER_DEFINED = 30


def service_error_name(error_class: int, code: int) -> str:
    """The name of a ConfirmedServiceError's third octet within its class, or `unknown-<n>`."""
    names = _SERVICE_ERROR_NAMES.get(error_class, ())
    return names[code] if 0 <= code < len(names) else f"unknown-{code}"


# Each row lists the codes 0, 1, 2 … of one class. The books leave change-scope without codes.
_SERVICE_ERROR_NAMES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        ServiceErrorClass.APPLICATION_REFERENCE: (
            "other",
            "time-elapsed",
            "application-unreachable",
            "application-reference-invalid",
            "application-context-unsupported",
            "provider-communication-error",
            "deciphering-error",
        ),
        ServiceErrorClass.HARDWARE_RESOURCE: (
            "other",
            "memory-unavailable",
            "processor-resource-unavailable",
            "mass-storage-unavailable",
            "other-resource-unavailable",
        ),
        ServiceErrorClass.VDE_STATE_ERROR: (
            "other",
            "no-dlms-context",
            "loading-data-set",
            "status-nochange",
            "status-inoperable",
        ),
        ServiceErrorClass.SERVICE: ("other", "pdu-size", "service-unsupported"),
        ServiceErrorClass.DEFINITION: (
            "other",
            "object-undefined",
            "object-class-inconsistent",
            "object-attribute-inconsistent",
        ),
        ServiceErrorClass.ACCESS: (
            "other",
            "scope-of-access-violated",
            "object-access-invalid",
            "hardware-fault",
            "object-unavailable",
        ),
        ServiceErrorClass.INITIATE: (
            "other",
            "dlms-version-too-low",
            "incompatible-conformance",
            "pdu-size-too-short",
            "refused-by-the-vde-handler",
        ),
        ServiceErrorClass.LOAD_DATA_SET: (
            "other",
            "primitive-out-of-sequence",
            "not-loadable",
            "dataset-size-too-large",
            "not-awaited-segment",
            "interpretation-failure",
            "storage-failure",
            "data-set-not-ready",
        ),
        ServiceErrorClass.TASK: (
            "other",
            "no-remote-control",
            "ti-stopped",
            "ti-running",
            "ti-unusable",
        ),
        ServiceErrorClass.OTHER: ("other",),
    }
)
