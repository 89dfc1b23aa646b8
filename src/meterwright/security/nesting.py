"""Layers of protection inside one another: how many there are, what they amount to, and how to answer alike.

An APDU may be signed and then ciphered, or ciphered and then signed (Green Book 9.2.7.2.5). The forms of a message stand in the
order in which they were put around it, the innermost first. Refused: more than `MOST_LAYERS`.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias

from meterwright.errors import RemoteProtocolError
from meterwright.security.enclosing import AnyForm, GeneralForm, SignedForm
from meterwright.security.message_keys import KeyChoice
from meterwright.security.protection import Form, Style
from meterwright.values import Protection

__all__ = ["MOST_LAYERS", "Forms", "Manner", "SignaturePlace", "protection_of", "too_deep"]

MOST_LAYERS: Final = 3
"""Layers around one APDU: signed and ciphered is two, and nobody was seen to need a fourth."""

Forms: TypeAlias = tuple[AnyForm, ...]
"""The layers around an APDU, the innermost first."""


class SignaturePlace(Enum):
    """Where a signature stands in a message that is ciphered as well."""

    INSIDE = "inside"
    """signed, and then ciphered: the usual order"""
    OUTSIDE = "outside"
    """ciphered, and then signed"""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a side protects what it sends of its own accord; *how much* is its security policy's to say.

    `key`: general-ciphering, under such a key; without one `style` tells which of the older ways. `signs`: a signature under any
    policy, and where; a policy that wants one has it inside. `bare`: general-ciphering that leaves its header out of what is
    authenticated, for meters which do.
    """

    style: Style = Style.SERVICE_SPECIFIC
    key: KeyChoice | None = None
    signs: SignaturePlace | None = None
    bare: bool = False

    @property
    def is_general(self) -> bool:
        """Whether it takes a meter that knows general protection."""
        return self.style is Style.GENERAL or self.key is not None or self.signs is not None

    def forms(self, protection: Protection) -> Forms:
        """The layers that give this protection, and a signature where we sign anyhow."""
        return self.completed((), protection if self.signs is None else protection | Protection.SIGNATURE)

    def completed(self, forms: Forms, wanted: Protection) -> Forms:
        """These layers, and what they lack of the protection that is wanted."""
        missing = wanted & ~protection_of(forms)
        if missing & Protection.BOTH:
            forms = self._ciphered(forms, missing & Protection.BOTH)
        if not missing & Protection.SIGNATURE:
            return forms
        return (*forms, SignedForm()) if self.signs is SignaturePlace.OUTSIDE else (SignedForm(), *forms)

    def _ciphered(self, forms: Forms, missing: Protection) -> Forms:
        """A layer that ciphers already does the rest as well; else there is one more around all."""
        for place, form in enumerate(forms):
            if not isinstance(form, SignedForm):
                stronger = replace(form, protection=form.protection | missing)
                return (*forms[:place], stronger, *forms[place + 1 :])
        return (*forms, self._ciphering(missing))

    def _ciphering(self, protection: Protection) -> AnyForm:
        if self.key is None:
            return Form(protection, self.style)
        return GeneralForm(protection, self.key, self.bare)


def protection_of(forms: Forms) -> Protection:
    """What these layers do to an APDU, taken together."""
    together = Protection.NONE
    for each in forms:
        together |= each.protection
    return together


def too_deep() -> RemoteProtocolError:
    """The error for layers without end."""
    return RemoteProtocolError(
        f"an APDU is in more than {MOST_LAYERS} layers of protection: the rest was not looked at",
        layer="security",
    )
