"""Small pure values, the ground floor: every layer may use them and they use none.

=================  ====================================================================================
obis               Obis, the name of an object in a meter
cosem_time         date and time with wildcards and deviation
clock_status       what a meter thinks of its own clock
quantity, unit     numbers with a unit, exactly scaled
bit_string         bit strings, among them the block map of an image transfer
results            what a meter says became of a request
negotiation        what is agreed on when an association opens
invocation         what ties an answer to its request
security           suites, policies, the security control octet
image_status       how far a meter is with a new image
finding            something a person should know
quirks             where meters depart from the standard
open_enum          the enumeration that takes any octet
=================  ====================================================================================

Two rules hold for all. Octets of the right number always make a value, however senseless, and give the same
octets back: meters send such things, and it is for the layers above to judge. Misuse by a programmer is a
plain ValueError or TypeError, since these values know nothing of `errors`.
"""

from meterwright.values.bit_string import BitString
from meterwright.values.clock_status import ClockStatus
from meterwright.values.cosem_time import (
    DAYLIGHT_SAVING_BEGIN,
    DAYLIGHT_SAVING_END,
    LAST_DAY,
    SECOND_LAST_DAY,
    CosemDate,
    CosemDateTime,
    CosemTime,
)
from meterwright.values.finding import Finding, Level
from meterwright.values.image_status import ImageTransferStatus
from meterwright.values.invocation import InvokeIdAndPriority, LongInvokeIdAndPriority
from meterwright.values.negotiation import ApplicationContext, AuthenticationMechanism, Conformance
from meterwright.values.obis import Obis
from meterwright.values.open_enum import OpenIntEnum
from meterwright.values.quantity import Quantity, ScalerUnit
from meterwright.values.quirks import ImageMethodParameter, Quirks
from meterwright.values.results import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    ReleaseRequestReason,
    ReleaseResponseReason,
    ServiceErrorClass,
    service_error_name,
)
from meterwright.values.security import (
    CertificateEntity,
    CertificateType,
    KekId,
    KeyId,
    Protection,
    Role,
    SecurityControl,
    SecurityPolicy,
    SecuritySuite,
)
from meterwright.values.unit import Unit

__all__ = [
    "DAYLIGHT_SAVING_BEGIN",
    "DAYLIGHT_SAVING_END",
    "LAST_DAY",
    "SECOND_LAST_DAY",
    "AcseServiceProviderDiagnostic",
    "AcseServiceUserDiagnostic",
    "ActionResult",
    "ApplicationContext",
    "AssociationResult",
    "AuthenticationMechanism",
    "BitString",
    "CertificateEntity",
    "CertificateType",
    "ClockStatus",
    "ConfirmedServiceErrorService",
    "Conformance",
    "CosemDate",
    "CosemDateTime",
    "CosemTime",
    "DataAccessResult",
    "ExceptionService",
    "ExceptionState",
    "Finding",
    "ImageMethodParameter",
    "ImageTransferStatus",
    "InvokeIdAndPriority",
    "KekId",
    "KeyId",
    "Level",
    "LongInvokeIdAndPriority",
    "Obis",
    "OpenIntEnum",
    "Protection",
    "Quantity",
    "Quirks",
    "ReleaseRequestReason",
    "ReleaseResponseReason",
    "Role",
    "ScalerUnit",
    "SecurityControl",
    "SecurityPolicy",
    "SecuritySuite",
    "ServiceErrorClass",
    "Unit",
    "service_error_name",
]
