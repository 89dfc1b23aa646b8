"""explain for programs: JSON lines in, as many JSON lines out, in order. Broken input is told in its line, never raised.

A line is ``{"id": …, "hex": …, "keys": {"encryption_key": …, "authentication_key": …, "system_title": …} | null}``; what comes out is
the object of `Explanation.as_json`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeGuard

from meterwright.diagnose.explain import explain
from meterwright.diagnose.explanation import Explanation, Json
from meterwright.diagnose.keys import OpeningKeys
from meterwright.diagnose.octets import read_octets
from meterwright.errors import UsageError
from meterwright.values import Finding, Level

__all__ = ["explain_batch", "explain_line"]


def explain_batch(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line given, without line ends."""
    for line in lines:
        yield explain_line(line)


def explain_line(line: str) -> str:
    """The answer to one line of a batch."""
    try:
        request: object = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return _refused(None, "not-json", f"the line is no JSON: {str(error)[:80]}")
    if not _is_object(request):
        return _refused(None, "not-an-object", "the line is no JSON object")
    identity, given, keys = request.get("id"), request.get("hex"), request.get("keys")
    if not isinstance(given, str):
        return _refused(identity, "no-hex", "there is no text under the key hex")
    try:
        octets = read_octets(given)
    except UsageError as error:
        return _refused(identity, "no-hex", error.what)
    try:
        opening = OpeningKeys.from_json(keys) if _is_object(keys) else None
    except UsageError as error:
        return _refused(identity, "unusable-keys", error.what)
    if keys is not None and opening is None:
        return _refused(identity, "unusable-keys", "keys are an object of names and hex, or null")
    return _line(explain(octets, opening), identity)


def _refused(identity: Json, code: str, message: str) -> str:
    return _line(Explanation(ok=False, findings=(Finding(Level.ERROR, code, message),)), identity)


def _line(explanation: Explanation, identity: Json) -> str:
    return json.dumps(explanation.as_json(identity), allow_nan=False)


def _is_object(value: object) -> TypeGuard[dict[str, Json]]:
    """Whether it is a JSON object; what json gives is JSON all the way down."""
    return isinstance(value, dict)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
