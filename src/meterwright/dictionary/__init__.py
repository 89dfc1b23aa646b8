"""The dictionary: what codes mean, as data with their sources. OBIS codes in English; errors with causes and next steps."""

from meterwright.dictionary.errors import (
    ERROR_LISTS,
    Cause,
    Context,
    ErrorMeaning,
    error_meaning,
    error_rows,
    service_error_meaning,
)
from meterwright.dictionary.obis import describe, is_likely, medium, object_rows

__all__ = [
    "ERROR_LISTS",
    "Cause",
    "Context",
    "ErrorMeaning",
    "describe",
    "error_meaning",
    "error_rows",
    "is_likely",
    "medium",
    "object_rows",
    "service_error_meaning",
]
