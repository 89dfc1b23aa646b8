"""Findings about one APDU: why a meter answered so, most likely cause first, and where its octets break the standard."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from meterwright.apdu import (
    Aare,
    Aarq,
    AccessRequest,
    AccessResponse,
    ActionRequestWithList,
    ActionResponseNormal,
    Apdu,
    ConfirmedServiceError,
    ExceptionResponse,
    InformationReportRequest,
    Rlre,
    SetRequestWithList,
    UnconfirmedWriteRequest,
    Unreadable,
    WriteRequest,
)
from meterwright.codec import Span
from meterwright.diagnose.wording import legal
from meterwright.dictionary import ErrorMeaning, error_meaning, service_error_meaning
from meterwright.errors import RemoteProtocolError
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    AssociationResult,
    AuthenticationMechanism,
    DataAccessResult,
    ExceptionService,
    Finding,
    Level,
    ReleaseResponseReason,
)

__all__ = ["breach", "causes_of", "notes_of", "password_note", "trailing", "unreadable"]

_LONGEST_TAG: Final = 12
"""Octets of an authentication tag, which ends every authenticated APDU."""
_TOO_MANY: Final = "octets too many"
_CANNOT_STAND: Final = "cannot stand"
"""What codec says of a count that the octets left can't hold."""
_ADDRESS: Final = "https://"


# ------------------------------------------------------------------------------------------------ causes


def causes_of(span: Span) -> Iterator[Finding]:
    """Why the meter answered so: the causes of every failure an APDU tells, each failure once."""
    tell = _WHOLE.get(type(span.value))
    if tell is not None:
        yield from tell(span)
        return
    told: set[tuple[type, int]] = set()
    for result, offset in _results(span):
        if (type(result), int(result)) not in told:
            told.add((type(result), int(result)))
            yield from _causes(error_meaning(result), offset)


def _results(span: Span) -> Iterator[tuple[DataAccessResult | ActionResult, int]]:
    """The failures in an answer, and the octet each stands in: the last of its run."""
    value = span.value
    if isinstance(value, DataAccessResult | ActionResult) and span.end is not None:
        if int(value):
            yield value, span.end - 1
        return
    for child in span.children:
        yield from _results(child)


def _causes(meaning: ErrorMeaning, offset: int | None) -> Iterator[Finding]:
    for cause in meaning.causes:
        seen = f" ({cause.source})" if cause.source.startswith(_ADDRESS) else ""
        where = f", as the answer to {meaning.context.value.replace('-', '_')}" if meaning.context else ""
        message = f"{meaning.name}{where}: {cause.text}"
        yield Finding(Level.ERROR, cause.name, message, offset, hint=f"{cause.next_step}{seen}")


def _exception(span: Span) -> Iterator[Finding]:
    answer = span.value
    if not isinstance(answer, ExceptionResponse):
        return
    yield from _causes(error_meaning(answer.service_error), 2)
    counter = answer.invocation_counter
    if answer.service_error is ExceptionService.INVOCATION_COUNTER_ERROR and counter is not None:
        message = (
            f"the meter's invocation counter is {counter}; nothing protects this answer, so take it with care"
        )
        hint = f"go on with at least {counter + 1}, and never below our own counter"
        yield Finding(Level.INFO, "invocation-counter", message, 3, hint=hint)
    yield from _causes(error_meaning(answer.state_error), 1)


def _service_error(span: Span) -> Iterator[Finding]:
    error = span.value
    if isinstance(error, ConfirmedServiceError):
        yield from _causes(service_error_meaning(error.error_class, error.code), 3)


def _aare(span: Span) -> Iterator[Finding]:
    answer = span.value
    if not isinstance(answer, Aare) or answer.result is None:
        return
    offsets = {child.name: child.end - 1 for child in span.children if child.end is not None}
    diagnostic = answer.result_source_diagnostic
    if answer.result is not AssociationResult.ACCEPTED:
        if diagnostic is not None:
            yield from _causes(error_meaning(diagnostic), offsets.get("result-source-diagnostic"))
        yield from _causes(error_meaning(answer.result), offsets.get("result"))
    elif diagnostic is AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED:
        message = "accepted, but not open yet: the meter now waits for pass 3 of high-level authentication"
        hint = "call reply_to_HLS_authentication (method 1 of the association object)"
        yield Finding(
            Level.INFO, "authentication-follows", message, offsets.get("result-source-diagnostic"), hint=hint
        )


def _rlre(span: Span) -> Iterator[Finding]:
    answer = span.value
    if isinstance(answer, Rlre) and answer.reason is ReleaseResponseReason.NOT_FINISHED:
        yield from _causes(error_meaning(answer.reason), (span.end or 1) - 1)


_WHOLE: Final[Mapping[type, Callable[[Span], Iterator[Finding]]]] = {
    Aare: _aare,
    ConfirmedServiceError: _service_error,
    ExceptionResponse: _exception,
    Rlre: _rlre,
}


# ------------------------------------------------------------------------------------------------ breaches


def breach(error: RemoteProtocolError, octets: bytes) -> Finding:
    """Where reading ended, and what would have been legal there."""
    size = len(octets)
    at = size if error.where.offset is None else min(error.where.offset, size)
    if at == size:
        return Finding(
            Level.ERROR,
            "truncated",
            f"{legal(error.what)}: the APDU has {size} octets and is not complete",
            size,
            hint="copy it whole; if it is whole, octets were lost on the way or a length in it is wrong",
        )
    hint = "copy it whole; if it is whole, the count is wrong" if _CANNOT_STAND in error.what else ""
    return Finding(Level.ERROR, "illegal-octet", _at(at, size, error.what), at, hint=hint)


def unreadable(value: Unreadable, start: int, size: int) -> Iterator[Finding]:
    """Return parameters that break the standard, and what the octets after them may be."""
    at = min(value.offset, size)
    if _TOO_MANY in value.problem:
        yield _too_many(size - at, at)
        return
    lead = (
        f"octet {start} ({value.octets[0]:02x}) says that return parameters follow, but "
        if at > start
        else ""
    )
    code = "illegal-octet" if at < size else "truncated"
    yield Finding(Level.ERROR, code, f"{lead}{_at(at, size, value.problem)}", at)
    rest = size - at - 1
    if rest <= 0:
        return
    guess = (
        "they could be an undecrypted or wrongly cut rest ending in a 12-octet authentication tag"
        if rest >= _LONGEST_TAG
        else "they could be a rest of another answer"
    )
    yield Finding(
        Level.WARNING,
        "unreadable-rest",
        f"the {rest} octets after it can't be read; {guess}",
        at + 1,
        hint="look at how the APDU was cut and deciphered; the result before it holds all the same",
    )


def _at(at: int, size: int, problem: str) -> str:
    """The sentence about the octet that is not legal; codec's own begins with that octet where it can tell it."""
    told = legal(problem)
    if at == size:
        return told
    return f"octet {at} is {told}" if " where " in told else f"octet {at}: {told}"


def trailing(octets: bytes, end: int) -> Finding:
    """Octets after a complete APDU: padding, or something unknown."""
    rest = octets[end:]
    if not any(rest):
        return Finding(Level.WARNING, "quirk-zero-padding", f"{len(rest)} zero octets pad the APDU", end)
    return _too_many(len(rest), end)


def _too_many(count: int, end: int) -> Finding:
    message = f"the APDU ends at octet {end}, and {count} more follow; none is legal there"
    return Finding(
        Level.ERROR, "trailing-octets", message, end, hint="explain them alone: they may be another APDU"
    )


# ------------------------------------------------------------------------------------------------ notes


def password_note(span: Span) -> Finding | None:
    """A warning where an AARQ holds a password in the clear, or may hold one in what could not be read."""
    apdu = span.value
    if isinstance(apdu, Aarq):
        if apdu.mechanism_name is not AuthenticationMechanism.LOW or not apdu.calling_authentication_value:
            return None
    elif span.name != Aarq.label:
        return None
    message = f"these octets {'hold' if isinstance(apdu, Aarq) else 'may hold'} a password in the clear"
    return Finding(Level.WARNING, "password-inside", message, hint="do not post them anywhere")


def notes_of(apdu: Apdu) -> Iterator[Finding]:
    """What else a person should know."""
    if isinstance(apdu, ActionResponseNormal) and int(apdu.result) == 19:
        message = "19 (data-block-number-invalid) is a data-access-result; an action-result has no such code"
        yield Finding(Level.WARNING, "quirk-action-result-19", message, 3)
    sizes = {name.replace("_", "-"): len(getattr(apdu, name) or ()) for name in _PARALLEL.get(type(apdu), ())}
    repeated = not isinstance(apdu, AccessResponse) or apdu.request_specifications is not None
    if not repeated:
        sizes.pop("request-specifications")
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{count} {name}" for name, count in sizes.items())
        message = f"lists that belong together are not equally long: {told}"
        hint = "each element of one belongs to the element of the other in its place: some are missing, or too much"
        yield Finding(Level.ERROR, "unequal-lists", message, hint=hint)


_PARALLEL: Final[Mapping[type, tuple[str, ...]]] = {
    AccessRequest: ("specifications", "data"),
    AccessResponse: ("request_specifications", "data", "results"),
    ActionRequestWithList: ("methods", "parameters"),
    InformationReportRequest: ("variables", "values"),
    SetRequestWithList: ("attributes", "values"),
    UnconfirmedWriteRequest: ("variables", "values"),
    WriteRequest: ("variables", "values"),
}
"""APDUs with lists whose elements belong together, place by place."""
