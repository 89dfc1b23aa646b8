"""In which layers the next APDU goes out: as usual, or as the request was that it answers (Green Book 9.2.7.2.5).

A client always sends as its policy and manner say. A meter does so where it was asked in plain or sends unasked; else it answers in
the layers in which it was asked, and adds what its policy, or an access right, wants besides.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from meterwright.errors import UsageError
from meterwright.security.enclosing import AnyForm, GeneralForm, Titles
from meterwright.security.message_keys import KeyChoice
from meterwright.security.messages import Messages, sealed_size
from meterwright.security.nesting import Forms, Manner, protection_of
from meterwright.security.protection import Form
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Protection

__all__ = ["Sending"]

_TRANSACTION_SIZE: Final = 8
"""Octets of a transaction id of ours."""


class Sending:
    """`form` is the one plain layer of what goes out next, if that is all; else `forms` are its layers, if there are any.

    `transaction_id`: that of the request that is being answered; b"" where it had none.
    """

    def __init__(
        self, manner: Manner, protection: Protection, messages: Messages, chance: Callable[[int], bytes]
    ) -> None:
        self.form: Form | None = None
        self.forms: Forms = ()
        self.transaction_id = b""
        self._manner: Final = manner
        self._messages: Final = messages
        self._chance: Final = chance
        self._usual = manner.forms(protection)
        missing = messages.missing(self._usual)
        if missing is not None:
            raise UsageError(
                f"{missing} is needed for this security policy or manner, and not given",
                layer="security",
                hint="give it, or choose another policy, key or signature",
            )
        self.as_usual()

    @property
    def protects(self) -> bool:
        """Whether anything is protected without being asked for."""
        return bool(self._usual)

    def as_usual(self) -> None:
        """What goes out next answers nothing that was protected."""
        self._use(self._usual)
        self.transaction_id = b""

    def answer(self, forms: Forms, transaction_id: bytes = b"") -> None:
        """What goes out next answers a request in these layers. SecurityViolation where a key for it is missing."""
        self._complete(forms, protection_of(self._usual))
        self.transaction_id = transaction_id

    def strengthen(self, protection: Protection) -> bool:
        """What goes out next has this protection as well: whether that changed anything. SecurityViolation as above."""
        forms = self.forms if self.form is None else (self.form,)
        if not protection & ~protection_of(forms):
            return False
        self._complete(forms, protection)
        return True

    def use_dedicated(self) -> None:
        """From now on send under the dedicated key, in the styles that know one."""
        self._usual = tuple(
            replace(each, dedicated=True) if isinstance(each, Form) else each for each in self._usual
        )
        self.as_usual()

    def size(self, size: int, tag: int) -> int:
        """How long an APDU of `size` octets that begins with `tag` will be."""
        if self.form is not None:
            return sealed_size(self.form, size, tag)
        return self._messages.size(size, tag, self.forms, len(self.transaction_id) or _TRANSACTION_SIZE)

    def enclosed(self, apdu: bytes, titles: Titles) -> bytes:
        """The APDU in its layers."""
        transaction_id = self.transaction_id or self._chance(_TRANSACTION_SIZE)
        return self._messages.seal(apdu, self.forms, titles, transaction_id)

    def to_all(self, apdu: bytes, titles: Titles) -> bytes:
        """The APDU in the usual layers, under the broadcast key."""
        forms = tuple(map(_to_all, self._usual))
        return self._messages.seal(apdu, forms, titles, self._chance(_TRANSACTION_SIZE))

    def _complete(self, forms: Forms, wanted: Protection) -> None:
        answer = self._manner.completed(forms, wanted)
        missing = self._messages.missing(answer)
        if missing is not None:
            raise SecurityViolation(
                Violation.KEY,
                f"{missing} is needed to answer a request as it must be protected, and not known",
                hint="ask in another manner, or give this side the key",
            )
        self._use(answer)

    def _use(self, forms: Forms) -> None:
        only = forms[0] if len(forms) == 1 else None
        self.form = only if isinstance(only, Form) else None
        self.forms = () if self.form is not None else forms


def _to_all(form: AnyForm) -> AnyForm:
    """The same form, under the broadcast key."""
    if isinstance(form, Form):
        return replace(form, dedicated=False, broadcast=True)
    return replace(form, key=KeyChoice.BROADCAST) if isinstance(form, GeneralForm) else form
