"""The one tree of errors: drawn as it is, each says what, where, whose fault and what to try."""

import inspect
import re

import pytest

from meterwright import errors
from meterwright.errors import (
    ActionError,
    AssociationRejected,
    Blame,
    ConfirmedServiceErrorReceived,
    ConnectFailed,
    ConnectionLost,
    DataAccessError,
    ExceptionResponseError,
    LinkError,
    LocalProtocolError,
    MeterwrightError,
    RemoteProtocolError,
    SecurityError,
    ServiceError,
    Timeout,
    UsageError,
    Where,
)
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    ConfirmedServiceErrorService,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
)

CLASSES = [
    each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, MeterwrightError)
]


def drawn() -> list[tuple[int, str]]:
    """Depth and name of every line of the tree at the top of the module."""
    assert errors.__doc__ is not None
    found: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"^    (?P<indent>[│ ]*)(?P<branch>├── |└── )?(?P<name>[A-Z]\w+)\b", line)
        if match:
            depth = len(match["indent"]) // 4 + (1 if match["branch"] else 0)
            found.append((depth, match["name"]))
    return found


def test_the_tree_at_the_top_is_the_tree() -> None:
    parents: list[str] = []
    pairs: set[tuple[str, str]] = set()
    for depth, name in drawn():
        del parents[depth:]
        if parents:
            pairs.add((parents[-1], name))
        parents.append(name)
    actual = {
        (base.__name__, each.__name__)
        for each in CLASSES
        for base in each.__bases__
        if issubclass(base, MeterwrightError)
    }
    assert pairs == actual


def test_every_error_is_exported() -> None:
    assert {each.__name__ for each in CLASSES} | {"Blame", "Where"} == set(errors.__all__)


@pytest.mark.parametrize(
    ("kind", "blame"),
    [
        (LocalProtocolError, Blame.OURS),
        (RemoteProtocolError, Blame.THEIRS),
        (UsageError, Blame.USER),
        (SecurityError, Blame.CREDENTIALS),
        (LinkError, Blame.LINE),
        (ConnectFailed, Blame.LINE),
        (ConnectionLost, Blame.LINE),
        (Timeout, Blame.LINE),
        (ServiceError, Blame.THEIRS),
    ],
)
def test_each_blames_one_side(kind: type[MeterwrightError], blame: Blame) -> None:
    assert kind("what").blame is blame


def test_what_where_and_hint() -> None:
    error = RemoteProtocolError("02 where 00 is legal", layer="apdu", offset=5, about="aare", hint="look")
    assert (error.what, error.hint) == ("02 where 00 is legal", "look")
    assert error.where == Where("apdu", 5, "aare")
    assert str(error) == "02 where 00 is legal (aare, in apdu, at octet 5)"
    assert error.args == ("02 where 00 is legal",)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Where(), ""),
        (Where(layer="apdu"), "in apdu"),
        (Where(offset=0), "at octet 0"),
        (Where(about="clock"), "clock"),
        (Where("data", 3, "clock"), "clock, in data, at octet 3"),
    ],
)
def test_places_read_as_sentences(where: Where, text: str) -> None:
    assert str(where) == text


def test_an_error_without_a_place_is_its_sentence() -> None:
    assert str(UsageError("no such file")) == "no such file"


def test_layers_above_fill_in_what_is_unknown_and_nothing_else() -> None:
    error = RemoteProtocolError("broken", offset=0, layer="codec")
    assert error.within(layer="apdu", about="aare") is error
    assert error.where == Where("codec", 0, "aare")
    error.within(about="other")
    assert error.where == Where("codec", 0, "aare")


def test_a_timeout_is_pythons_too() -> None:
    assert issubclass(Timeout, TimeoutError)
    with pytest.raises(TimeoutError):
        raise Timeout("late")


SERVICE_ERRORS = [
    *(
        DataAccessError(result, about="object")
        for result in [*DataAccessResult, DataAccessResult(99)]
        if result
    ),
    *(ActionError(result, about="object") for result in [*ActionResult, ActionResult(99)] if result),
    *(
        ExceptionResponseError(ExceptionState.SERVICE_NOT_ALLOWED, service, about="object")
        for service in [*ExceptionService, ExceptionService(99)]
    ),
    *(
        ConfirmedServiceErrorReceived(service, 5, 1, about="object")
        for service in [*ConfirmedServiceErrorService, ConfirmedServiceErrorService(99)]
    ),
]


@pytest.mark.parametrize(
    "error", SERVICE_ERRORS, ids=[f"{n}-{each.what}" for n, each in enumerate(SERVICE_ERRORS)]
)
def test_every_service_error_says_what_where_and_what_to_try(error: ServiceError) -> None:
    assert error.blame is Blame.THEIRS
    assert error.what.startswith("the meter answered ")
    assert error.hint
    assert error.where.about == "object"


def test_codes_are_shown_by_name_and_number() -> None:
    assert "temporary-failure (2)" in DataAccessError(DataAccessResult.TEMPORARY_FAILURE).what
    assert "unknown-99 (99)" in ActionError(ActionResult(99)).what
    error = ConfirmedServiceErrorReceived(ConfirmedServiceErrorService.INITIATE_ERROR, 6, 2)
    assert "incompatible-conformance" in error.what
    assert (error.service, error.error_class, error.code) == (1, 6, 2)


def test_a_hint_given_replaces_the_usual_one() -> None:
    assert DataAccessError(DataAccessResult.HARDWARE_FAULT, hint="mine").hint == "mine"
    assert ActionError(ActionResult.HARDWARE_FAULT, hint="mine").hint == "mine"
    rejected = AssociationRejected(
        AssociationResult.REJECTED_PERMANENT, AcseServiceUserDiagnostic.AUTHENTICATION_FAILURE, hint="mine"
    )
    assert rejected.hint == "mine"


def test_a_rejection_says_why() -> None:
    rejected = AssociationRejected(
        AssociationResult.REJECTED_TRANSIENT,
        AcseServiceUserDiagnostic.NO_REASON_GIVEN,
        reason="pdu-size-too-short",
    )
    assert str(rejected) == (
        "the meter refused the association: rejected-transient, no-reason-given, pdu-size-too-short (in association)"
    )
