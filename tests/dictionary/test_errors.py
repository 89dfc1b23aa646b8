"""Every result code has a row that says what it means, where that is known from and, for a failure, what to try."""

import re
from collections import Counter

import pytest

from meterwright.dictionary import (
    ERROR_LISTS,
    Context,
    ErrorMeaning,
    error_meaning,
    error_rows,
    service_error_meaning,
)
from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    OpenIntEnum,
    ReleaseRequestReason,
    ReleaseResponseReason,
    ServiceErrorClass,
    service_error_name,
)

ROWS = list(error_rows())
IDS = [f"{name}-{row.name}-{row.context}-{position}" for position, (name, row) in enumerate(ROWS)]
CODES = [code for enum in ERROR_LISTS for code in enum.__members__.values()]

# Nothing to try: what ended well, names of services, and why somebody left.
WITHOUT_CAUSES = {
    (DataAccessResult, 0),
    (ActionResult, 0),
    (AssociationResult, 0),
    (AssociationResult, 1),  # the diagnostic beside it has them
}
NO_FAILURES = {ConfirmedServiceErrorService, ReleaseRequestReason, ReleaseResponseReason}
FAILURES = [
    code for code in CODES if type(code) not in NO_FAILURES and (type(code), int(code)) not in WITHOUT_CAUSES
]


@pytest.mark.parametrize("code", CODES, ids=repr)
def test_every_code_has_a_row_with_its_own_name(code: OpenIntEnum) -> None:
    meaning = error_meaning(code)
    assert (meaning.name, meaning.code) == (code.label, int(code))
    assert "in no book" not in meaning.meaning


@pytest.mark.parametrize("code", FAILURES, ids=repr)
def test_every_failure_has_causes_with_a_next_step(code: OpenIntEnum) -> None:
    assert error_meaning(code).causes


@pytest.mark.parametrize("error_class", ServiceErrorClass.__members__.values(), ids=str)
def test_every_service_error_has_a_row(error_class: ServiceErrorClass) -> None:
    rows = {row.code: row.name for name, row in ROWS if name == "service-error"}
    assert rows
    for code in range(256):
        label = service_error_name(error_class, code)
        meaning = service_error_meaning(error_class, code)
        assert meaning.name == f"{error_class.label}, {label}"
        assert meaning.causes
        # A code with a name of its own has a meaning of its own.
        assert (meaning.meaning == error_meaning(error_class).meaning) == label.startswith("unknown-")


def test_there_is_no_row_for_a_code_of_no_book() -> None:
    numbers = {name: {int(code) for code in enum.__members__.values()} for enum, name in ERROR_LISTS.items()}
    assert [row for name, row in ROWS if name in numbers and row.code not in numbers[name]] == []


def test_no_code_is_told_twice() -> None:
    enums = {name: enum for enum, name in ERROR_LISTS.items()}
    told = Counter((name, row.code, row.context) for name, row in ROWS if name in enums)
    likely = {("action-result", 1, Context.IMAGE_BLOCK_TRANSFER)}  # the general row points to this one
    assert {key for key, count in told.items() if count > 1} == likely


@pytest.mark.parametrize(("name", "row"), ROWS, ids=IDS)
def test_a_row_is_well_formed(name: str, row: ErrorMeaning) -> None:
    assert row.meaning
    assert is_source(row.source)
    assert len({cause.name for cause in row.causes}) == len(row.causes)
    for cause in row.causes:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cause.name)
        assert cause.text
        assert cause.next_step
        assert is_source(cause.source)


def test_the_failure_that_began_it_all() -> None:
    causes = error_meaning(ActionResult.HARDWARE_FAULT, Context.IMAGE_BLOCK_TRANSFER).causes
    assert [cause.name for cause in causes] == ["block-size-mismatch", "busy-or-flash-fault", "meter-fault"]
    assert "attribute 2" in causes[0].next_step
    assert "attribute 6" in causes[1].next_step
    assert "attributes 3 and 4" in causes[2].next_step
    assert causes[0].source == "https://www.gurux.fi/forum/19522"


def test_without_a_context_the_most_likely_one_is_assumed() -> None:
    meaning = error_meaning(ActionResult.HARDWARE_FAULT)
    assert meaning.context is Context.IMAGE_BLOCK_TRANSFER
    assert meaning.causes == error_meaning(ActionResult.HARDWARE_FAULT, Context.IMAGE_BLOCK_TRANSFER).causes


def test_a_context_without_a_row_of_its_own_takes_the_general_one() -> None:
    code = ActionResult.OBJECT_UNDEFINED
    assert error_meaning(code, Context.IMAGE_VERIFY) == error_meaning(code)


@pytest.mark.parametrize("context", Context, ids=str)
def test_every_context_is_used(context: Context) -> None:
    assert any(row.context is context for _, row in ROWS)


@pytest.mark.parametrize("code", [DataAccessResult(99), ActionResult(19), ExceptionService(77)], ids=repr)
def test_a_code_of_no_book_is_called_so(code: OpenIntEnum) -> None:
    meaning = error_meaning(code)
    assert meaning.name == code.label
    assert "in no book" in meaning.meaning
    assert meaning.causes


def test_diagnostics_of_user_and_provider_are_kept_apart() -> None:
    user = error_meaning(AcseServiceUserDiagnostic(2))
    provider = error_meaning(AcseServiceProviderDiagnostic(2))
    assert (user.name, provider.name) == ("application-context-name-not-supported", "no-common-acse-version")


def is_source(text: str) -> bool:
    """A clause of a public book or a public address."""
    return text.startswith(("Green Book ", "Blue Book ", "IEC 6", "https://")) and len(text) > len(
        "Green Book "
    )
