"""explain: what some octets mean, octet by octet, and why a meter may have answered so. It never raises.

    explanation = explain(bytes.fromhex("c701c1010102114373f23adf37a31d0decb749d496dbd1ca"))
    print(render_text(explanation))

It peels what stands around the APDU (`layers`), reads the APDU by its declaration and names each run of octets (`annotate`),
and adds findings: causes of what the meter reports, breaches of the standard, quirks (`findings`, `quirks`). APDUs in APDUs are opened
(`envelopes`), ciphered ones where their keys are given; without keys all that stands around the ciphertext is named.
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
    DataNotification,
    Unreadable,
)
from meterwright.apdu.acse import AcseApdu
from meterwright.codec import Span
from meterwright.data import Data
from meterwright.diagnose.annotate import annotate, broken
from meterwright.diagnose.carried import MOST_OCTETS, Carried
from meterwright.diagnose.ciphertext import closed_content
from meterwright.diagnose.envelopes import Deciphered, decipher, join_blocks, open_envelopes
from meterwright.diagnose.explanation import Explanation, Json, Layer, Part, Reading, State
from meterwright.diagnose.findings import breach, causes_of, notes_of, password_note, trailing, unreadable
from meterwright.diagnose.keys import OpeningKeys
from meterwright.diagnose.layers import peel
from meterwright.diagnose.quirks import other_encoding, quirk
from meterwright.diagnose.readings import readings
from meterwright.diagnose.tags import TAGS
from meterwright.diagnose.telegrams import TELEGRAM, read_telegram
from meterwright.diagnose.untagged import UntaggedPush
from meterwright.diagnose.wording import data_json, iso, json_of
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.values import CosemDateTime, Finding, InvokeIdAndPriority, Level, LongInvokeIdAndPriority

__all__ = ["explain"]

_USER_INFORMATION: Final = "user-information"
_BODY: Final = "notification-body"
_TITLES: Final = ("calling-ap-title", "responding-ap-title")
_CIPHERED: Final = "ciphered"
_SAID_BETTER: Final = {"not-opened", "no-system-title"}
"""Findings that say why a ciphered APDU stays closed although there are keys."""
_MOST_INPUT: Final = 4 * MOST_OCTETS
"""With what stands around the APDUs."""
_TOO_MUCH: Final = Finding(
    Level.ERROR,
    "too-long",
    f"only the first {MOST_OCTETS} octets are explained, and here they are exceeded",
    hint="explain the rest apart",
)
_NOT_UNDERSTOOD: Final = {
    _CIPHERED,
    "illegal-octet",
    "trailing-octets",
    "truncated",
    "unknown-apdu-tag",
    "unreadable-rest",
}
"""Findings that say that some octets were not understood."""


def explain(octets: bytes, keys: OpeningKeys | None = None) -> Explanation:
    """What the octets mean: an APDU, bare or in frames of any link. Whatever they are, there is an answer.

    `keys` open what is ciphered, where they fit.
    """
    explained: list[Explanation] = []
    budget = MOST_OCTETS
    opened = (open_envelopes(each, keys) for each in peel(bytes(octets[:_MOST_INPUT])))
    for each in join_blocks(opened, keys):
        budget -= len(each.apdu or b"")
        carried = each if budget >= 0 else Carried(each.layers, None, (_TOO_MUCH,))
        if explained and not carried.layers and carried.apdu is None:
            explained[-1] = _with_findings(explained[-1], carried.findings)
        else:
            explained.append(_explain(carried, keys))
        if budget < 0:
            break
    if budget >= 0 and len(octets) > _MOST_INPUT:
        explained[-1] = _with_findings(explained[-1], (_TOO_MUCH,))
    first, *others = explained
    return replace(first, following=tuple(others))


def _with_findings(explanation: Explanation, findings: tuple[Finding, ...]) -> Explanation:
    ok = explanation.ok and not any(finding.level is Level.ERROR for finding in findings)
    told = explanation.findings
    if any(finding.code in _SAID_BETTER for finding in findings):
        told = tuple(finding for finding in told if finding.code != _CIPHERED)
    return replace(explanation, ok=ok, findings=(*told, *findings))


def _explain(carried: Carried, keys: OpeningKeys | None) -> Explanation:
    if carried.apdu is None:
        return _with_findings(Explanation(ok=bool(carried.layers), layers=carried.layers), carried.findings)
    if carried.apdu.startswith(TELEGRAM):
        return _with_findings(_telegram(carried.layers, carried.apdu), carried.findings)
    read = _read(carried.apdu, keys)
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
        values=() if secret else read.values or (() if read.apdu is None else readings(read.apdu)),
        data=None if secret else read.data,
        findings=tuple(read.findings),
    )
    return _with_findings(explanation, carried.findings)


def _telegram(layers: tuple[Layer, ...], octets: bytes) -> Explanation:
    """A telegram of a consumer port, which is text and no APDU."""
    told = read_telegram(octets)
    layer = Layer("p1", octets, {"identification": told.identification, "crc_ok": told.crc_ok})
    return Explanation(
        ok=not any(finding.level is Level.ERROR for finding in told.findings),
        octets=octets,
        layers=(*layers, layer),
        part=told.part,
        plaintext=octets,
        values=told.values,
        findings=told.findings,
    )


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
    values: tuple[Reading, ...] = ()


def _read(octets: bytes, keys: OpeningKeys | None, *, inside: bool = False) -> _Read:
    """One APDU; `inside` one whose own user-information is not opened again."""
    try:
        cls = APDUS.find(octets)
    except RemoteProtocolError as error:
        return _unread(octets, error)
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
    if cls is DataNotification and not (problem is None and span.end == len(octets)):
        _try_untagged(read, span)
    if issubclass(cls, CipheredApdu):
        _close(read, octets)
    elif issubclass(cls, AcseApdu) and not inside:
        _open_user_information(read, span, keys)
    read.ok = not any(finding.code in _NOT_UNDERSTOOD for finding in read.findings)
    return read


def _unread(octets: bytes, error: RemoteProtocolError) -> _Read:
    """An APDU that is none, or whose choice is none: named by its tag where the book has one."""
    tag = TAGS.get(octets[0]) if octets else None
    if tag is None:
        first = f"{octets[0]:02x} is no tag of an APDU" if octets else "there is not a single octet"
        hint = "an APDU begins with a tag such as c0 or 60, a wrapper frame with 0001"
        finding = Finding(Level.ERROR, "unknown-apdu-tag", first, 0, hint=hint)
        return _Read(broken(octets, "unknown", 0, first), [finding])
    return _Read(broken(octets, tag.name, 1, error.what), [breach(error, octets)], type=tag.name)


def _try_untagged(read: _Read, span: Span) -> None:
    """A push that is no Data may be one with untagged descriptors, which is understood then."""
    octets = read.part.octets
    body = span.children[-1] if span.children else span
    if body.name != _BODY:
        return
    try:
        push = UntaggedPush(octets, body.start)
    except RemoteProtocolError:
        return
    before = [part for part in read.part.parts if part.end <= body.start]
    whole = Part(body.start, len(octets), _BODY, "", octets[body.start :], parts=tuple(push.parts))
    read.part = replace(read.part, parts=(*before, whole))
    read.values, read.data = tuple(push.values), None
    read.fields.pop(_BODY.replace("-", "_"), None)
    message = "attribute descriptors stand in structures without tags; as Data, which is legal there, it can't be read"
    read.findings = [quirk("untagged-descriptors", message, body.start)]


def _close(read: _Read, octets: bytes) -> None:
    """Name what stands before the ciphertext, and say that the rest wants a key."""
    read.ciphered = True
    told = f"{read.type} ({octets[0]:02x}) is ciphered: all that is not named here needs its key"
    hint = "give the keys, or decipher it first and explain the plaintext"
    read.findings.insert(0, Finding(Level.ERROR, "ciphered", told, 0, hint=hint))
    read.part, header = closed_content(read.part)
    read.fields.pop("content", None)
    read.fields.update(header)


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
    secret = {
        part.name for part in read.part.parts if any(leaf.state is State.HIDDEN for leaf in part.leaves())
    }
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


def _open_user_information(read: _Read, span: Span, keys: OpeningKeys | None) -> None:
    """Explain the xDLMS APDU that an ACSE APDU carries, in its place."""
    titles = [
        child.value for child in span.children if child.name in _TITLES and isinstance(child.value, bytes)
    ]
    for child in span.children:
        if child.name != _USER_INFORMATION or child.end is None or not isinstance(child.value, bytes):
            continue
        start = child.end - len(child.value)
        opened = Deciphered(None, {}) if keys is None else decipher(child.value, keys, titles)
        inner = _read(opened.apdu or child.value, keys, inside=True)
        told: dict[str, Json] = {"type": inner.type, **inner.fields}
        if opened.apdu is not None:
            secret = any(part.state is State.HIDDEN for part in inner.part.leaves())
            told.update(opened.header)
            told.update(plaintext=None if secret else opened.apdu.hex())
        read.fields[_USER_INFORMATION.replace("-", "_")] = told
        moved = [
            replace(finding, offset=child.start) if opened.apdu else _moved(finding, start)
            for finding in inner.findings
        ]
        # A ConfirmedServiceError says why, where the AARE around it only says no.
        reason_first = isinstance(inner.apdu, ConfirmedServiceError)
        read.findings = [*moved, *read.findings] if reason_first else [*read.findings, *moved]
        read.findings.extend(replace(finding, offset=child.start) for finding in opened.findings)
        head = Part(child.start, start, "header", "tags and lengths", read.part.octets[child.start : start])
        parts = (
            (head, *_inner(inner.part.moved(start)))
            if opened.apdu is None
            else (head, _ciphertext(read, child, start))
        )
        read.part = replace(
            read.part,
            parts=tuple(
                replace(part, value=inner.type or "", parts=parts) if part.name == _USER_INFORMATION else part
                for part in read.part.parts
            ),
        )
        if inner.ciphered:
            read.ciphered = True


def _ciphertext(read: _Read, child: Span, start: int) -> Part:
    """The octets of what was deciphered, which stands among the fields."""
    end = len(read.part.octets) if child.end is None else child.end
    return Part(start, end, "ciphertext", "deciphered", read.part.octets[start:end])


def _inner(part: Part) -> tuple[Part, ...]:
    return part.parts or (part,)


def _moved(finding: Finding, by: int) -> Finding:
    return finding if finding.offset is None else replace(finding, offset=finding.offset + by)
