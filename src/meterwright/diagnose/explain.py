"""explain: what some octets mean, octet by octet, and why a meter may have answered so. It never raises.

    explanation = explain(bytes.fromhex("c701c1010102114373f23adf37a31d0decb749d496dbd1ca"))
    print(render_text(explanation))

It peels what stands around the APDU (`layers`), reads the APDU by its declaration and names each run of octets (`annotate`),
and adds findings: causes of what the meter reports, breaches of the standard, quirks (`findings`, `quirks`). Octets of other
links and ciphered APDUs are named, and said not to be opened by this build.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from meterwright.apdu import (
    APDUS,
    ActionResponseNormal,
    Apdu,
    CipheredApdu,
    ConfirmedServiceError,
    Unreadable,
)
from meterwright.apdu.acse import AcseApdu
from meterwright.codec import Span
from meterwright.data import Data
from meterwright.diagnose.annotate import annotate, broken
from meterwright.diagnose.explanation import Explanation, Json, Part, State
from meterwright.diagnose.findings import breach, causes_of, notes_of, password_note, trailing, unreadable
from meterwright.diagnose.layers import Carried, peel
from meterwright.diagnose.quirks import other_encoding
from meterwright.diagnose.readings import readings
from meterwright.diagnose.tags import TAGS
from meterwright.diagnose.wording import data_json, iso, json_of
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import CosemDateTime, Finding, InvokeIdAndPriority, Level, LongInvokeIdAndPriority

__all__ = ["explain"]

_USER_INFORMATION: Final = "user-information"
_MOST_OCTETS: Final = 256 * 1024
"""Four times the longest APDU that a wrapper frame or a PDU size can tell: more is no APDU, and would take minutes."""
_TOO_MUCH: Final = Finding(
    Level.ERROR,
    "too-long",
    f"only the first {_MOST_OCTETS} octets are explained, and here they are exceeded",
    hint="explain the rest apart",
)
_NOT_UNDERSTOOD: Final = {
    "ciphered",
    "illegal-octet",
    "trailing-octets",
    "truncated",
    "unknown-apdu-tag",
    "unreadable-rest",
}
"""Findings that say that some octets were not understood."""


def explain(octets: bytes) -> Explanation:
    """What the octets mean: an APDU, bare or in wrapper frames. Whatever they are, there is an answer."""
    explained: list[Explanation] = []
    budget = _MOST_OCTETS
    for each in peel(bytes(octets)):
        budget -= len(each.apdu or b"")
        carried = each if budget >= 0 else Carried(each.layers, None, (_TOO_MUCH,))
        if explained and not carried.layers and carried.apdu is None:
            explained[-1] = _with_findings(explained[-1], carried.findings)
        else:
            explained.append(_explain(carried))
        if budget < 0:
            break
    first, *others = explained
    return replace(first, following=tuple(others))


def _with_findings(explanation: Explanation, findings: tuple[Finding, ...]) -> Explanation:
    ok = explanation.ok and not any(finding.level is Level.ERROR for finding in findings)
    return replace(explanation, ok=ok, findings=(*explanation.findings, *findings))


def _explain(carried: Carried) -> Explanation:
    if carried.apdu is None:
        return Explanation(ok=False, layers=carried.layers, findings=carried.findings)
    read = _read(carried.apdu)
    secret = any(part.state is State.HIDDEN for part in read.part.leaves())
    explanation = Explanation(
        ok=read.ok,
        octets=carried.apdu,
        layers=carried.layers,
        type=read.type,
        part=read.part,
        fields=read.fields,
        plaintext=None if read.ciphered or secret or read.type is None else carried.apdu,
        invoke_id=read.invoke_id,
        datetime=read.datetime,
        values=() if read.apdu is None or secret else readings(read.apdu),
        data=None if secret else read.data,
        findings=tuple(read.findings),
    )
    return _with_findings(explanation, carried.findings)


@dataclass(slots=True)
class _Read:
    """What was read of one APDU."""

    part: Part
    findings: list[Finding]
    ok: bool = False
    type: str | None = None
    ciphered: bool = False
    apdu: Apdu | None = None
    fields: dict[str, Json] = field(default_factory=dict[str, Json])
    invoke_id: int | None = None
    datetime: str | None = None
    data: Json = None


def _read(octets: bytes, *, inside: bool = False) -> _Read:
    """One APDU; `inside` one whose own user-information is not opened again."""
    try:
        cls = APDUS.find(octets)
    except RemoteProtocolError as error:
        return _unread(octets, error)
    if issubclass(cls, CipheredApdu):
        return _unread(octets)
    span, problem = APDUS.trace(octets)
    part, quirks = annotate(octets, cls, span, problem)
    apdu = span.value if isinstance(span.value, Apdu) else None
    findings = [*causes_of(span), *_breaches(octets, span, problem), *quirks]
    read = _Read(part, findings, type=cls.label, apdu=apdu)
    _tell_fields(read, span)
    if password := password_note(span):
        findings.append(password)
    if apdu is not None and span.end is not None:
        findings.extend(notes_of(apdu))
        if not quirks and (other := _rewritten(apdu, octets[: span.end])):
            findings.append(other)
    if issubclass(cls, AcseApdu) and not inside:
        _open_user_information(read, span)
    read.ok = not any(finding.code in _NOT_UNDERSTOOD for finding in read.findings)
    return read


def _unread(octets: bytes, error: RemoteProtocolError | None = None) -> _Read:
    """An APDU that is ciphered, or none: named by its tag where the book has one."""
    tag = TAGS.get(octets[0]) if octets else None
    if tag is None:
        first = f"{octets[0]:02x} is no tag of an APDU" if octets else "there is not a single octet"
        hint = "an APDU begins with a tag such as c0 or 60, a wrapper frame with 0001"
        finding = Finding(Level.ERROR, "unknown-apdu-tag", first, 0, hint=hint)
        return _Read(broken(octets, "unknown", 0, first), [finding])
    if error is not None:
        return _Read(broken(octets, tag.name, 1, error.what), [breach(error, octets)], type=tag.name)
    told = f"{tag.name} ({octets[0]:02x}) is ciphered; this build can't open it"
    hint = "decipher it first, and explain the plaintext"
    finding = Finding(Level.ERROR, "ciphered", told, 0, hint=hint)
    head = Part(0, 1, tag.name, "tag", octets[:1])
    rest = Part(1, len(octets), "ciphered", "", octets[1:], State.UNREAD)
    part = Part(0, len(octets), tag.name, "", octets, parts=(head, rest) if len(octets) > 1 else (head,))
    return _Read(part, [finding], type=tag.name, ciphered=True)


def _breaches(octets: bytes, span: Span, error: RemoteProtocolError | None) -> Iterator[Finding]:
    if error is not None:
        yield breach(error, octets)
    elif isinstance(span.value, ActionResponseNormal) and isinstance(
        span.value.return_parameters, Unreadable
    ):
        rest = span.value.return_parameters
        yield from unreadable(rest, len(octets) - len(rest.octets), len(octets))
    elif span.end is not None and span.end < len(octets):
        yield trailing(octets, span.end)


def _rewritten(apdu: Apdu, octets: bytes) -> Finding | None:
    try:
        return other_encoding(octets, apdu.to_octets())
    except LocalProtocolError:
        return None


def _tell_fields(read: _Read, span: Span) -> None:
    """What programs want to know of the fields that were read, though a later one may be broken."""
    secret = {part.name for part in read.part.parts if part.state is State.HIDDEN}
    for child in span.children:
        if child.end is None:
            continue
        read.fields[child.name.replace("-", "_")] = (
            "not shown" if child.name in secret else json_of(child.value)
        )
        if isinstance(child.value, InvokeIdAndPriority | LongInvokeIdAndPriority):
            read.invoke_id = child.value.invoke_id
        elif isinstance(child.value, CosemDateTime):
            read.datetime = iso(child.value)
        elif isinstance(child.value, Data) and read.data is None:
            read.data = data_json(child.value)


def _open_user_information(read: _Read, span: Span) -> None:
    """Explain the xDLMS APDU that an ACSE APDU carries, in its place."""
    for child in span.children:
        if child.name != _USER_INFORMATION or child.end is None or not isinstance(child.value, bytes):
            continue
        start = child.end - len(child.value)
        inner = _read(child.value, inside=True)
        read.fields[_USER_INFORMATION.replace("-", "_")] = {"type": inner.type, **inner.fields}
        moved = [_moved(finding, start) for finding in inner.findings]
        # A ConfirmedServiceError says why, where the AARE around it only says no.
        reason_first = isinstance(inner.apdu, ConfirmedServiceError)
        read.findings = [*moved, *read.findings] if reason_first else [*read.findings, *moved]
        head = Part(child.start, start, "header", "tags and lengths", read.part.octets[child.start : start])
        parts = tuple(
            replace(part, value=inner.type or "", parts=(head, *_inner(inner.part.moved(start))))
            if part.name == _USER_INFORMATION
            else part
            for part in read.part.parts
        )
        read.part = replace(read.part, parts=parts)
        if inner.ciphered:
            read.ciphered = True


def _inner(part: Part) -> tuple[Part, ...]:
    return part.parts or (part,)


def _moved(finding: Finding, by: int) -> Finding:
    return finding if finding.offset is None else replace(finding, offset=finding.offset + by)
