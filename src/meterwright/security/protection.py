"""Protecting one APDU and opening one (Green Book 9.2.7.2, 9.5): no state, no policy, no memory of counters.

::

    service-specific   tag  len                  SC IC content     the tag tells the service, and which key
    general            DB|DC  len title  len     SC IC content     any APDU; the title may be left out

The nonce is the originator's system title and the invocation counter IC. **How an APDU is opened is decided by the security
control SC that came with it**; whether that was enough is a question apart, `demand`, which whoever knows the policy must
ask. SC 20 has no integrity: whoever sits on the line flips bits of it unseen. All that can be told then is whether its first
octet is the one which the outer tag promises, and it is told for every SC.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from meterwright.apdu import DEDICATED_TAGS, GLOBAL_TAGS, GeneralDedCiphering, GeneralGloCiphering
from meterwright.codec import decode_length, length_octets
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.security.ciphers import Ciphers
from meterwright.security.suites import TAG_SIZE
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Protection, SecurityControl, SecuritySuite

__all__ = [
    "TITLE_SIZE",
    "Envelope",
    "Form",
    "Opened",
    "Style",
    "demand",
    "is_ciphered",
    "protect",
    "read_envelope",
    "require_protection",
    "unprotect",
]

TITLE_SIZE: Final = 8
"""Octets of a system title: three letters of the maker, five that make it unique."""

_GENERAL_GLO, _GENERAL_DED = GeneralGloCiphering.prefix[0], GeneralDedCiphering.prefix[0]
_HEADER: Final = struct.Struct(">BI")
_pack_header, _unpack_header, _HEADER_SIZE = _HEADER.pack, _HEADER.unpack_from, _HEADER.size
_new: Final = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # generic, as it should be
"""Makes what was opened for less than calling `Opened`."""
_BROADCAST: Final = 0x40
_TWINS: Final = {
    dedicated: {tag: bytes((twin,)) for tag, twin in twins.items()}
    for dedicated, twins in ((False, GLOBAL_TAGS), (True, DEDICATED_TAGS))
}
"""Under the dedicated key or not: the tag of a plain APDU, and that of its twin."""


class Style(Enum):
    """What stands around a protected APDU."""

    SERVICE_SPECIFIC = "service-specific"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Form:
    """How an APDU is to be protected: `protection` at least one bit, by which key, in which style."""

    protection: Protection
    style: Style = Style.SERVICE_SPECIFIC
    dedicated: bool = False
    broadcast: bool = False
    _control: int = field(init=False, repr=False, compare=False)
    _twins: Mapping[int, bytes] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.protection:
            raise LocalProtocolError("an APDU without protection needs no form", layer="security")
        if self.dedicated and self.broadcast:
            raise LocalProtocolError("a dedicated key is for one association, not for all", layer="security")
        twins = _TWINS[self.dedicated] if self.style is Style.SERVICE_SPECIFIC else None
        object.__setattr__(self, "_control", int(self.protection) | (_BROADCAST if self.broadcast else 0))
        object.__setattr__(self, "_twins", twins)

    def control(self, suite: int) -> int:
        """The security control octet that says so in this suite."""
        return self._control | suite

    def before_length(self, apdu: bytes, title: bytes) -> bytes:
        """What stands before the length: the tag, and in general style the title."""
        if self._twins is None:
            return bytes((_GENERAL_DED if self.dedicated else _GENERAL_GLO, TITLE_SIZE)) + title
        twin = self._twins.get(apdu[0]) if apdu else None
        if twin is None:
            raise LocalProtocolError(
                f"an APDU that begins with {apdu[:1].hex() or 'nothing'} has no ciphered twin",
                layer="security",
                hint="general ciphering takes any APDU",
            )
        return twin


@dataclass(frozen=True, slots=True)
class Envelope:
    """What can be read of a protected APDU without a key. `title` is None where it names no originator.

    `plain_tag`: the first octet of what is inside, where the outer tag tells. `start`: where the content begins.
    """

    style: Style
    dedicated: bool
    control: SecurityControl
    counter: int
    title: bytes | None
    plain_tag: int | None
    start: int


class Opened(NamedTuple):
    """An APDU out of its protection, who sent it, and how it came. No repr shows the APDU: it may be a key transfer."""

    apdu: bytes
    control: SecurityControl
    counter: int
    originator: bytes
    style: Style
    dedicated: bool

    def __repr__(self) -> str:
        return f"Opened({len(self.apdu)} octets, {self.control!r}, counter={self.counter}, originator={self.originator.hex()})"


class _Outer(NamedTuple):
    """What the first octet of a protected APDU tells. `plain_tag`: the first octet of what is inside; None in general style."""

    style: Style
    dedicated: bool
    plain_tag: int | None


_OUTER: Final = {
    _GENERAL_GLO: _Outer(Style.GENERAL, False, None),
    _GENERAL_DED: _Outer(Style.GENERAL, True, None),
    **{twin: _Outer(Style.SERVICE_SPECIFIC, False, tag) for tag, twin in GLOBAL_TAGS.items()},
    **{twin: _Outer(Style.SERVICE_SPECIFIC, True, tag) for tag, twin in DEDICATED_TAGS.items()},
}


# ------------------------------------------------------------------------------------------------ protecting


def protect(apdu: bytes, ciphers: Ciphers, form: Form, title: bytes, counter: int) -> bytes:
    """The APDU under protection. The pair of key and (`title`, `counter`) must never have been used before."""
    if len(title) != TITLE_SIZE:
        raise LocalProtocolError(
            f"a system title has {TITLE_SIZE} octets, not {len(title)}", layer="security"
        )
    control = form.control(ciphers.suite)
    try:
        header = _pack_header(control, counter)
    except struct.error:
        raise LocalProtocolError(f"{counter} is no invocation counter", layer="security") from None
    before = form.before_length(apdu, title)
    sealed = ciphers.transform(control, dedicated=form.dedicated).seal(title + header[1:], apdu)
    return b"".join((before, length_octets(_HEADER_SIZE + len(sealed)), header, sealed))


# ------------------------------------------------------------------------------------------------ opening


def is_ciphered(octets: bytes) -> bool:
    """Whether the first octet is that of an APDU which `unprotect` opens."""
    return octets[0] in _OUTER if octets else False


def read_envelope(octets: bytes) -> Envelope:
    """What stands around a protected APDU. RemoteProtocolError where that is not as the standard has it."""
    outer = _outer(octets)
    title, start = _title_and_start(octets, outer)
    control, counter = _unpack_header(octets, start)
    return Envelope(
        style=outer.style,
        dedicated=outer.dedicated,
        control=SecurityControl.from_octet(control),
        counter=counter,
        title=title,
        plain_tag=outer.plain_tag,
        start=start + _HEADER_SIZE,
    )


def unprotect(octets: bytes, ciphers: Ciphers, originator: bytes | None) -> Opened:
    """What a protected APDU holds. `originator`: the system title of the sender, if it is known.

    A general APDU may name its sender, and then that one is the originator. SecurityViolation where tag, key or title do not
    fit, RemoteProtocolError where the octets break the standard.
    """
    outer = style, dedicated, promised = _outer(octets)
    named, start = _title_and_start(octets, outer)
    title = named or originator
    if title is None:
        raise SecurityViolation(
            Violation.TITLE,
            "the sender's system title is not known, and without it nothing it sends can be opened",
            hint="it comes with the AARE; else give it with the meter's settings (security setup, attribute 5)",
        )
    control, counter = _unpack_header(octets, start)
    content = start + _HEADER_SIZE
    transform = ciphers.transform(control, dedicated=dedicated)
    apdu = transform.open(title + octets[start + 1 : content], octets[content:])
    if not apdu or (promised is not None and apdu[0] != promised):
        raise SecurityViolation(
            Violation.TAG,
            "a ciphered APDU does not hold what its tag promises",
            hint="without authentication this is how a wrong key or system title shows; else it was altered",
        )
    return _new(Opened, (apdu, transform.control, counter, title, style, dedicated))


def demand(control: SecurityControl, required: Protection, suite: SecuritySuite) -> None:
    """SecurityViolation where what came is less protected than is required, or of another suite."""
    require_protection(control.protection, required)
    if control.suite is not suite:
        raise SecurityViolation(
            Violation.POLICY,
            f"an APDU of security suite {int(control.suite)} in an association of suite {int(suite)}",
            hint="set the meter's own suite",
        )


def require_protection(came: Protection, required: Protection) -> None:
    """SecurityViolation where what came is less protected than is required."""
    if required & ~came:
        raise SecurityViolation(
            Violation.POLICY,
            f"an APDU came {came.words}, and this association wants it {required.words}",
            hint="the other side's security policy is weaker than ours, or somebody stripped the protection",
        )


def _outer(octets: bytes) -> _Outer:
    """What the first octet tells. RemoteProtocolError where it is none of a ciphered APDU."""
    outer = _OUTER.get(octets[0]) if octets else None
    if outer is None:
        raise RemoteProtocolError("this is no ciphered APDU", offset=0, layer="security")
    return outer


def _title_and_start(octets: bytes, outer: _Outer) -> tuple[bytes | None, int]:
    """The title that a general APDU names (else None), and where the security header starts."""
    title, position = _title(octets) if outer.plain_tag is None else (None, 1)
    if position >= len(octets):
        raise RemoteProtocolError("the octets end too early", offset=len(octets), layer="security")
    length, start = octets[position], position + 1
    if length >= 0x80:
        length, start = decode_length(octets, position)
    left = len(octets) - start
    if length != left and not _counts_a_missing_tag(octets, start, length):
        raise RemoteProtocolError(
            f"a ciphered APDU tells a length of {length} octets, and {left} follow",
            offset=position,
            layer="security",
        )
    if left < _HEADER_SIZE:
        raise RemoteProtocolError("no whole security header", offset=start, layer="security")
    return title, start


def _counts_a_missing_tag(octets: bytes, start: int, length: int) -> bool:
    """Whether the length is that of an authenticated APDU, and this one is only encrypted.

    gocosem sends its lengths so, and the meters that it talks to take them. Nothing is lost by taking them too: what is only
    encrypted can be cut short by anybody.
    """
    missing = start + length - len(octets)
    return missing == TAG_SIZE and start < len(octets) and not octets[start] & Protection.AUTHENTICATION


def _title(octets: bytes) -> tuple[bytes | None, int]:
    size = octets[1] if len(octets) > 1 else 0
    if size not in (0, TITLE_SIZE):
        raise RemoteProtocolError(
            f"a system title of {size} octets: {TITLE_SIZE} or none are legal", offset=1, layer="security"
        )
    return octets[2 : 2 + size] or None, 2 + size
