"""What a result code means, why meters give it and what to try, from `errors.toml`.

Every known code has a row; a code of no book gets a sentence that says so. Where the situation is known (a `Context`), its
own more specific causes are given instead of the general ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from meterwright.dictionary.package import Table, load, table_of, tables, text_of
from meterwright.values import (
    AcseServiceProviderDiagnostic,
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

__all__ = [
    "ERROR_LISTS",
    "Cause",
    "Context",
    "ErrorMeaning",
    "error_meaning",
    "error_rows",
    "service_error_meaning",
]


class Context(Enum):
    """A situation that makes the causes of an error more specific: which call was answered."""

    IMAGE_TRANSFER_INITIATE = "image-transfer-initiate"
    IMAGE_BLOCK_TRANSFER = "image-block-transfer"
    IMAGE_VERIFY = "image-verify"
    IMAGE_ACTIVATE = "image-activate"
    IMAGE_TRANSFER_POLLING = "image-transfer-polling"
    """reading attributes of an image transfer object"""
    IMAGE_TRANSFER_ENABLING = "image-transfer-enabling"
    """writing image_transfer_enabled"""


@dataclass(frozen=True, slots=True)
class Cause:
    """One likely cause: a kebab-case name, what it is, what to do next, and where that is known from."""

    name: str
    text: str
    next_step: str
    source: str


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """One code in plain words, with its causes, most likely first."""

    name: str
    code: int
    meaning: str
    source: str
    causes: tuple[Cause, ...] = ()
    context: Context | None = None
    """The situation these causes are for: the one asked for, or the one in which this answer is met most."""


ERROR_LISTS: Final[Mapping[type[OpenIntEnum], str]] = {
    DataAccessResult: "data-access-result",
    ActionResult: "action-result",
    ExceptionState: "exception-state",
    ExceptionService: "exception-service",
    ConfirmedServiceErrorService: "confirmed-service-error-service",
    ServiceErrorClass: "service-error-class",
    AssociationResult: "association-result",
    AcseServiceUserDiagnostic: "acse-service-user",
    AcseServiceProviderDiagnostic: "acse-service-provider",
    ReleaseRequestReason: "release-request-reason",
    ReleaseResponseReason: "release-response-reason",
}
"""Which list of `errors.toml` tells the codes of an enumeration."""

_SERVICE_ERROR: Final = "service-error"
_FILE: Final = "errors.toml"
_UNKNOWN: Final = (
    "this code is in no book: the meter has it from its maker, or the octet was damaged on the way"
)
_ASK_THE_MAKER: Final = Cause(
    "maker-specific", "a code of the maker's own", "ask the maker what it means", ""
)


def error_meaning(code: OpenIntEnum, context: Context | None = None) -> ErrorMeaning:
    """The meaning of a result code, in the given situation where the dictionary knows something special about it."""
    known = _meanings(ERROR_LISTS[type(code)])
    found = known.get((None, int(code), context)) or known.get((None, int(code), None))
    return found or ErrorMeaning(code.label, int(code), _UNKNOWN, "", (_ASK_THE_MAKER,))


def service_error_meaning(error_class: int, code: int) -> ErrorMeaning:
    """The meaning of a ConfirmedServiceError's code within its class; the causes of the class where the code has none."""
    of_class = error_meaning(ServiceErrorClass(error_class))
    found = _meanings(_SERVICE_ERROR).get((error_class, code, None))
    name = f"{of_class.name}, {service_error_name(error_class, code)}"
    if found is None:
        return ErrorMeaning(name, code, of_class.meaning, of_class.source, of_class.causes)
    meaning = f"{of_class.meaning}: {found.meaning}"
    return ErrorMeaning(name, code, meaning, found.source, found.causes or of_class.causes)


def error_rows() -> Iterator[tuple[str, ErrorMeaning]]:
    """All rows, each with the name of its list: for documentation and tests."""
    for name in (*ERROR_LISTS.values(), _SERVICE_ERROR):
        for meaning in _meanings(name).values():
            yield name, meaning


@cache
def _meanings(name: str) -> Mapping[tuple[int | None, int, Context | None], ErrorMeaning]:
    """The rows of one list by class (service errors alone have one), code and context."""
    document = load(_FILE)
    rows = {_key(row): row for row in tables(document, name)}
    if len(rows) != len(tables(document, name)):
        raise TypeError(f"{name} in {_FILE} tells a code twice")
    return {key: _meaning(row, rows) for key, row in rows.items()}


def _key(row: Table) -> tuple[int | None, int, Context | None]:
    code, error_class, context = row.get("code"), row.get("class"), row.get("context")
    if not isinstance(code, int) or not isinstance(error_class, int | None):
        raise TypeError(f"no code in {row}")
    return error_class, code, None if context is None else Context(context)


def _meaning(row: Table, rows: Mapping[tuple[int | None, int, Context | None], Table]) -> ErrorMeaning:
    error_class, code, context = _key(row)
    told = row
    if "likely" in row:
        context = Context(row["likely"])
        told = rows[error_class, code, context]
    return ErrorMeaning(
        text_of(row, "name"), code, text_of(row, "meaning"), _source(row), tuple(_causes(told)), context
    )


def _causes(row: Table) -> Iterator[Cause]:
    for each in tables(row, "causes"):
        source = _source(each) if "source" in each else _source(row)
        yield Cause(text_of(each, "name"), text_of(each, "text"), text_of(each, "next"), source)


def _source(row: Table) -> str:
    """The source in full; TypeError where a row has none or names one that is not listed."""
    return text_of(table_of(load(_FILE), "sources"), text_of(row, "source"))
