"""Everything that is put around an APDU and is not one plain glo- or ded- layer: signatures, general-ciphering, and layers in layers.

`SecurityLayer` asks here when it meets or wants such a message. Nothing is remembered in here: `peel` verifies every layer from the
outside inwards and says what it found; policy, counters and replays are the layer's to judge, once all of it has verified.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from meterwright.apdu import GLOBAL_TAGS, GeneralCiphering, GeneralSigning
from meterwright.codec import length_octets
from meterwright.errors import UsageError
from meterwright.security.ciphers import Ciphers
from meterwright.security.enclosing import (
    AnyForm,
    GeneralForm,
    Peeled,
    SignedForm,
    Titles,
    open_general,
    open_signed,
    seal_general,
    seal_signed,
)
from meterwright.security.key_pairs import KeyPairs, SigningKey, VerifyingKey
from meterwright.security.keys import Keys
from meterwright.security.message_keys import MessageKeys
from meterwright.security.nesting import MOST_LAYERS, Forms, too_deep
from meterwright.security.protection import TITLE_SIZE, Form, Style, is_ciphered, protect, unprotect
from meterwright.security.suites import TAG_SIZE, suite_of
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Protection

__all__ = ["Messages", "is_protected", "sealed_size"]

_CIPHERING: Final = GeneralCiphering.prefix[0]
_SIGNING: Final = GeneralSigning.prefix[0]
_GENERAL: Final = (GeneralCiphering.prefix, GeneralSigning.prefix)
_SECURITY_HEADER: Final = 5


def is_protected(octets: bytes) -> bool:
    """Whether the first octet is that of an APDU with another one inside, ciphered or signed."""
    return is_ciphered(octets) or octets[:1] in _GENERAL


def sealed_size(form: Form, size: int, tag: int) -> int:
    """How long an APDU of `size` octets that begins with `tag` is in a glo- or ded- layer."""
    content = _content_size(form.protection, size)
    general = form.style is Style.GENERAL or tag not in GLOBAL_TAGS
    return 1 + (1 + TITLE_SIZE if general else 0) + len(length_octets(content)) + content


class Messages:
    """The messages of one association, as far as they are more than one plain layer.

    `chance` gives octets for new keys; `number` the next invocation counter for a form that goes on with one.
    """

    def __init__(
        self,
        keys: Keys,
        pairs: KeyPairs | None,
        ciphers: Ciphers,
        *,
        chance: Callable[[int], bytes],
        number: Callable[[AnyForm], int],
    ) -> None:
        self._pairs: Final = pairs or KeyPairs()
        self._require_curve(keys)
        self._ciphers: Final = ciphers
        self._number: Final = number
        self._keys: Final = MessageKeys(keys, self._pairs, ciphers, chance)

    def missing(self, forms: Forms) -> str | None:
        """What we lack to send so; None where nothing."""
        for form in forms:
            if isinstance(form, SignedForm) and self._pairs.signing is None:
                return "our signature key"
            if isinstance(form, GeneralForm) and (missing := self._keys.missing(form.key)) is not None:
                return missing
        return None

    def seal(self, apdu: bytes, forms: Forms, titles: Titles, transaction_id: bytes) -> bytes:
        """The APDU in these layers. SecurityViolation where a key, or the other side's title, is missing."""
        for form in forms:
            apdu = self._sealed(apdu, form, titles, transaction_id)
        return apdu

    def size(self, size: int, tag: int, forms: Forms, transaction_size: int) -> int:
        """How long an APDU of `size` octets that begins with `tag` is in these layers."""
        header = 1 + transaction_size + 2 * (1 + TITLE_SIZE) + 2
        for form in forms:
            match form:
                case Form():
                    size, tag = sealed_size(form, size, tag), _CIPHERING
                case SignedForm():
                    signature = 2 * self._signing.curve.size
                    around = len(length_octets(size)) + len(length_octets(signature)) + signature
                    size, tag = 1 + header + around + size, _SIGNING
                case GeneralForm():
                    content = _content_size(form.protection, size)
                    around = 1 + self._keys.info_size(form.key) + len(length_octets(content))
                    size, tag = 1 + header + around + content, _CIPHERING
        return size

    def peel(self, octets: bytes, titles: Titles) -> tuple[Peeled, ...]:
        """The layers, the outermost first, each verified. The APDU is in the last one."""
        layers: list[Peeled] = []
        while is_protected(octets):
            if len(layers) == MOST_LAYERS:
                raise too_deep()
            layers.append(self._peeled(octets, titles))
            octets = layers[-1].apdu
        return tuple(layers)

    def _sealed(self, apdu: bytes, form: AnyForm, titles: Titles, transaction_id: bytes) -> bytes:
        match form:
            case Form():
                if form.style is Style.SERVICE_SPECIFIC and apdu[0] not in GLOBAL_TAGS:
                    form = replace(form, style=Style.GENERAL)
                return protect(apdu, self._ciphers, form, titles.own, self._number(form))
            case SignedForm():
                return seal_signed(apdu, titles.sending(transaction_id), self._signing)
            case GeneralForm():
                addressed = titles.sending(transaction_id)
                key = self._keys.make(form.key, addressed)
                number = 0 if form.key.is_new else self._number(form)
                return seal_general(apdu, form, key, number, addressed=addressed, ciphers=self._ciphers)

    def _peeled(self, octets: bytes, titles: Titles) -> Peeled:
        if octets[0] == _CIPHERING:
            return open_general(octets, titles, self._keys, self._ciphers)
        if octets[0] == _SIGNING:
            return open_signed(octets, titles, self._verifying)
        opened = unprotect(octets, self._ciphers, titles.peer)
        control = opened.control
        form = Form(control.protection, opened.style, opened.dedicated, control.broadcast)
        return Peeled(opened.apdu, form, opened.originator, b"", opened.counter, control=control)

    @property
    def _signing(self) -> SigningKey:
        if self._pairs.signing is None:
            raise _lacking("our signature key")
        return self._pairs.signing

    @property
    def _verifying(self) -> VerifyingKey:
        if self._pairs.verifying is None:
            raise _lacking("the other side's public signature key")
        return self._pairs.verifying

    def _require_curve(self, keys: Keys) -> None:
        curve = self._pairs.curve
        wanted = suite_of(keys.suite).curve
        if curve is not None and curve is not wanted:
            raise UsageError(
                f"key pairs on {curve.name} do not go with security suite {int(keys.suite)}",
                layer="security",
                hint="suite 0 has none, suite 1 has P-256, suite 2 has P-384",
            )


def _content_size(protection: Protection, size: int) -> int:
    return _SECURITY_HEADER + size + (TAG_SIZE if protection & Protection.AUTHENTICATION else 0)


def _lacking(what: str) -> SecurityViolation:
    return SecurityViolation(
        Violation.KEY,
        f"{what} is needed for a signature, and not known",
        hint="give it with the keys of this meter",
    )
