"""One layer around an APDU that names who sends it to whom: general-ciphering and general-signing (Green Book 9.5).

::

    DD  transaction-id originator recipient date-time other-information  key-info  len SC IC content
    DF  transaction-id originator recipient date-time other-information            len APDU    len signature

The first five fields are the header, as it came, octet for octet. In general-ciphering it is authenticated with the APDU (between
authentication key and APDU); some stacks leave it out there, and their meters are answered alike (`GeneralForm.bare`). A
signature is over the header and the content, with all their lengths.

A layer is verified before anything in it is looked at. Whether it was enough, and whether it came before, is judged by others.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from meterwright.apdu import GeneralCiphering, GeneralSigning, decode_apdu
from meterwright.codec import decode_length, length_octets
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.security.ciphers import Ciphers, Transform
from meterwright.security.key_pairs import SigningKey, VerifyingKey
from meterwright.security.message_keys import Addressed, KeyChoice, MessageKey, MessageKeys
from meterwright.security.protection import TITLE_SIZE, Form
from meterwright.security.replays import digest
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Protection, SecurityControl

__all__ = [
    "AnyForm",
    "GeneralForm",
    "Peeled",
    "SignedForm",
    "Titles",
    "open_general",
    "open_signed",
    "seal_general",
    "seal_signed",
]

_CIPHERING: Final = GeneralCiphering.prefix[0]
_SIGNING: Final = GeneralSigning.prefix[0]
_HEADER_FIELDS: Final = 5
_SECURITY_HEADER: Final = 5
_NO_DATE_NO_OTHER: Final = b"\x00\x00"


@dataclass(frozen=True, slots=True)
class GeneralForm:
    """general-ciphering: how, and under which key. `bare`: the header is not authenticated, as some stacks have it."""

    protection: Protection
    key: KeyChoice = KeyChoice.GLOBAL
    bare: bool = False


@dataclass(frozen=True, slots=True)
class SignedForm:
    """general-signing."""

    protection: Protection = field(default=Protection.SIGNATURE, init=False)


AnyForm: TypeAlias = Form | GeneralForm | SignedForm
"""One layer of protection."""


class Peeled(NamedTuple):
    """What one layer held, and how it came. `seen`: by what it is remembered, where it has no counter of a lasting key.

    No repr shows the APDU.
    """

    apdu: bytes
    form: AnyForm
    originator: bytes
    transaction_id: bytes
    number: int = 0
    seen: bytes | None = None
    control: SecurityControl | None = None

    def __repr__(self) -> str:
        return f"Peeled({len(self.apdu)} octets, {self.form!r}, originator={self.originator.hex()})"


@dataclass(frozen=True, slots=True)
class Titles:
    """Our system title, and the other side's, which may not be known yet."""

    own: bytes
    peer: bytes | None

    def sending(self, transaction_id: bytes) -> Addressed:
        """A message of ours. SecurityViolation where we do not know to whom."""
        if self.peer is None:
            raise _unknown_sender()
        return Addressed(self.own, self.peer, transaction_id)

    def receiving(self, message: GeneralCiphering | GeneralSigning) -> Addressed:
        """A message to us. SecurityViolation where it names somebody else as sender or recipient."""
        originator = message.originator_system_title or self.peer
        if originator is None:
            raise _unknown_sender()
        if len(originator) != TITLE_SIZE:
            raise RemoteProtocolError(
                f"a system title of {len(originator)} octets: {TITLE_SIZE} or none are legal",
                layer="security",
            )
        if originator == self.own or self.peer not in (None, originator):
            raise SecurityViolation(
                Violation.TITLE,
                "an APDU names another originator than the other side of this association",
                hint="another meter on the same line, or the title in the settings is wrong",
            )
        recipient = message.recipient_system_title
        if recipient not in (b"", self.own):
            raise SecurityViolation(
                Violation.TITLE,
                "an APDU is for another recipient",
                hint="it was on its way to somebody else, or our system title is another one than the sender has",
            )
        return Addressed(originator, self.own, message.transaction_id)


# ------------------------------------------------------------------------------------------------ general-ciphering


def seal_general(
    apdu: bytes, form: GeneralForm, key: MessageKey, number: int, *, addressed: Addressed, ciphers: Ciphers
) -> bytes:
    """The APDU in general-ciphering. The pair of key and (originator, `number`) must never have been used before."""
    header = _header(addressed)
    control = SecurityControl.from_octet(int(form.protection) | int(ciphers.suite))
    transform = ciphers.general(control, key.cipher, b"" if form.bare else header)
    counter = number.to_bytes(4, "big")
    content = bytes((control.to_octet(),)) + counter + transform.seal(addressed.originator + counter, apdu)
    message = GeneralCiphering(
        addressed.transaction_id, addressed.originator, addressed.recipient, None, b"", key.info, content
    )
    return message.to_octets()


def open_general(octets: bytes, titles: Titles, keys: MessageKeys, ciphers: Ciphers) -> Peeled:
    """What a general-ciphering holds. SecurityViolation where key, tag, title or signature of its key do not fit."""
    message = decode_apdu(octets)
    if not isinstance(message, GeneralCiphering):
        raise RemoteProtocolError("this is no general-ciphering", offset=0, layer="security")
    if len(message.content) < _SECURITY_HEADER:
        raise RemoteProtocolError("no whole security header", layer="security")
    addressed = titles.receiving(message)
    header, after = _header_of(octets)
    if octets[after] not in (0, 1):
        raise RemoteProtocolError(
            "a key-info that is neither there nor left out", offset=after, layer="security"
        )
    control = SecurityControl.from_octet(message.content[0])
    number = int.from_bytes(message.content[1:_SECURITY_HEADER], "big")
    sealed = message.content[_SECURITY_HEADER:]
    if control.protection is Protection.NONE:
        ciphers.require_suite(control)
        empty = GeneralForm(Protection.NONE)
        return Peeled(sealed, empty, addressed.originator, addressed.transaction_id, control=control)
    key = keys.find(message.key_info, addressed)
    if not message.recipient_system_title and not key.choice.is_identified:
        raise _for_nobody()
    nonce = addressed.originator + message.content[1:_SECURITY_HEADER]
    apdu, bare = _opened(sealed, nonce, header, lambda given: ciphers.general(control, key.cipher, given))
    return Peeled(
        apdu,
        GeneralForm(control.protection, key.choice, bare),
        addressed.originator,
        addressed.transaction_id,
        number,
        key.seen,
        control,
    )


def _opened(
    sealed: bytes, nonce: bytes, header: bytes, transform: Callable[[bytes], Transform]
) -> tuple[bytes, bool]:
    """The APDU, and whether the header was left out of what is authenticated."""
    try:
        return transform(header).open(nonce, sealed), False
    except SecurityViolation as violation:
        if violation.violation is not Violation.TAG:
            raise
        try:
            return transform(b"").open(nonce, sealed), True
        except SecurityViolation:
            raise violation from None


# ------------------------------------------------------------------------------------------------ general-signing


def seal_signed(apdu: bytes, addressed: Addressed, key: SigningKey) -> bytes:
    """The APDU in general-signing."""
    signed = _header(addressed) + length_octets(len(apdu)) + apdu
    signature = key.sign(signed)
    return b"".join((bytes((_SIGNING,)), signed, length_octets(len(signature)), signature))


def open_signed(octets: bytes, titles: Titles, key: VerifyingKey) -> Peeled:
    """What a general-signing holds. SecurityViolation where the signature is not the other side's, or it is not for us."""
    message = decode_apdu(octets)
    if not isinstance(message, GeneralSigning):
        raise RemoteProtocolError("this is no general-signing", offset=0, layer="security")
    addressed = titles.receiving(message)
    if not message.recipient_system_title:
        raise _for_nobody()
    _, start = _header_of(octets)
    signed = octets[1 : _field_end(octets, start)]
    key.verify(message.signature, signed)
    return Peeled(
        message.content, SignedForm(), addressed.originator, addressed.transaction_id, seen=digest(signed)
    )


# ------------------------------------------------------------------------------------------------ headers


def _header(addressed: Addressed) -> bytes:
    titles = (addressed.originator, addressed.recipient)
    if any(len(title) != TITLE_SIZE for title in titles):
        raise LocalProtocolError(f"a system title has {TITLE_SIZE} octets", layer="security")
    fields = (addressed.transaction_id, *titles)
    return b"".join(length_octets(len(each)) + each for each in fields) + _NO_DATE_NO_OTHER


def _header_of(octets: bytes) -> tuple[bytes, int]:
    """The header as it came, and where it ends."""
    position = 1
    for _ in range(_HEADER_FIELDS):
        position = _field_end(octets, position)
    return octets[1:position], position


def _field_end(octets: bytes, position: int) -> int:
    length, start = decode_length(octets, position)
    end = start + length
    if end >= len(octets):
        raise RemoteProtocolError("the octets end too early", offset=len(octets), layer="security")
    return end


def _unknown_sender() -> SecurityViolation:
    return SecurityViolation(
        Violation.TITLE,
        "the other side's system title is not known",
        hint="it comes with AARQ and AARE; else give it with the meter's settings (security setup, attributes 4 and 5)",
    )


def _for_nobody() -> SecurityViolation:
    return SecurityViolation(
        Violation.TITLE,
        "a message names no recipient, and what protects it would hold for any",
        hint="the other side must name our system title as the recipient",
    )
