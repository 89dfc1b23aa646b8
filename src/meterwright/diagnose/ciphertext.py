"""The content of a ciphered APDU that stays closed, in its parts: security header, ciphertext, tag (Green Book 9.2.7.2.4)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from meterwright.codec import decode_length
from meterwright.diagnose.explanation import Json, Part, State
from meterwright.errors import RemoteProtocolError
from meterwright.security import TAG_SIZE
from meterwright.values import SecurityControl

__all__ = ["closed_content"]

_CONTENT: Final = "content"
_HEADER: Final = 5


def closed_content(part: Part) -> tuple[Part, dict[str, Json]]:
    """The parts of a ciphered APDU with its content taken apart, and what its header says."""
    content = next((each for each in part.parts if each.name == _CONTENT and not each.parts), None)
    start = None if content is None else _start(content)
    if content is None or start is None:
        return part, {}
    length = _run(content, 0, start, "length", f"{len(content.octets) - start} octets")
    opened = replace(content, value="", parts=(length, *_split(content, start)))
    header: dict[str, Json] = {
        "security_control": content.octets[start],
        "invocation_counter": int.from_bytes(content.octets[start + 1 : start + _HEADER], "big"),
    }
    return replace(part, parts=tuple(opened if each is content else each for each in part.parts)), header


def _start(part: Part) -> int | None:
    """Where the content begins behind its length; None where it has no whole header."""
    try:
        length, start = decode_length(part.octets, 0)
    except (IndexError, RemoteProtocolError):
        return None
    return start if length == len(part.octets) - start >= _HEADER else None


def _split(part: Part, start: int) -> Iterator[Part]:
    """The runs of octets in a content that begins at `start`."""
    octets = part.octets
    control = SecurityControl.from_octet(octets[start])
    counter = int.from_bytes(octets[start + 1 : start + _HEADER], "big")
    yield _run(part, start, start + 1, "security-control", _control(control))
    yield _run(part, start + 1, start + _HEADER, "invocation-counter", str(counter))
    start += _HEADER
    tag = TAG_SIZE if control.authenticated and len(octets) - start >= TAG_SIZE else 0
    end = len(octets) - tag
    if end > start:
        name = "ciphertext" if control.encrypted else "plaintext"
        yield _run(part, start, end, name, f"{end - start} octets", state=State.UNREAD)
    if tag:
        yield _run(part, end, len(octets), "authentication-tag", "")


def _run(part: Part, start: int, end: int, name: str, value: str, *, state: State = State.READ) -> Part:
    return Part(part.start + start, part.start + end, name, value, part.octets[start:end], state)


def _control(control: SecurityControl) -> str:
    words = [
        word
        for word, said in (
            ("authenticated", control.authenticated),
            ("encrypted", control.encrypted),
            ("broadcast key", control.broadcast),
            ("compressed", control.compressed),
        )
        if said
    ]
    return f"suite {int(control.suite)}, {', '.join(words) or 'unprotected'}"
