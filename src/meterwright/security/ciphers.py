"""The keys of one association at work: for each security control, one transform that seals and opens (Green Book 9.2.7.2.4).

::

    SC 10   APDU T           T over SC, authentication key, [header,] APDU
    SC 20   ciphertext       no tag, and so no integrity
    SC 30   ciphertext T     T over SC, authentication key, [header,] ciphertext

Transforms are made when a control is first met, and kept: a key is scheduled once, and the hot path is one look-up. Those of
general-ciphering are made for one APDU each, as its header is authenticated too. Refused:
SC 00 (nothing is protected), compression (nobody has it), the broadcast bit with a dedicated key, a suite whose keys are of
another length, keys that are not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meterwright.security.gcm import Gcm, missing_tag
from meterwright.security.keys import Keys
from meterwright.security.secret import Secret
from meterwright.security.suites import SUITES, TAG_SIZE, suite_of
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Protection, SecurityControl, SecuritySuite

__all__ = ["Ciphers", "Transform"]

_DEDICATED: Final = 0x100
"""No bit of a control octet: sets the transforms under the dedicated key apart."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Transform:
    """What one security control does to an APDU under one key.

    ``seal(nonce, apdu)`` gives what stands after the security header, ``open(nonce, content)`` the APDU again, or a
    SecurityViolation where there is a tag and it is wrong.
    """

    control: SecurityControl
    seal: Callable[[bytes, bytes], bytes]
    open: Callable[[bytes, bytes], bytes]


def _authenticated(control: SecurityControl, cipher: Gcm, associated: bytes) -> Transform:
    def seal(nonce: bytes, apdu: bytes) -> bytes:
        return apdu + cipher.tag(nonce, associated + apdu)

    def open_(nonce: bytes, content: bytes) -> bytes:
        if len(content) < TAG_SIZE:
            raise missing_tag()
        apdu = content[:-TAG_SIZE]
        cipher.check(nonce, content[-TAG_SIZE:], associated + apdu)
        return apdu

    return Transform(control, seal, open_)


def _encrypted(control: SecurityControl, cipher: Gcm) -> Transform:
    return Transform(control, cipher.stream, cipher.stream)


def _both(control: SecurityControl, cipher: Gcm, associated: bytes) -> Transform:
    return Transform(control, cipher.sealer(associated), cipher.opener(associated))


class Ciphers:
    """The keys of one association, each scheduled once. No repr shows them."""

    __slots__ = ("__authentication", "_broadcast", "_dedicated", "_transforms", "_unicast", "suite")

    def __init__(self, keys: Keys) -> None:
        self.suite: Final[SecuritySuite] = keys.suite
        self.__authentication = keys.authentication
        self._unicast = Gcm(keys.global_unicast)
        self._broadcast = None if keys.global_broadcast is None else Gcm(keys.global_broadcast)
        self._dedicated = None if keys.dedicated is None else Gcm(keys.dedicated)
        self._transforms: dict[int, Transform] = {}

    def use_dedicated(self, key: Secret) -> None:
        """A dedicated key was agreed on. SecurityViolation where it is not as long as the suite wants."""
        if key.size != suite_of(self.suite).key_size:
            raise SecurityViolation(
                Violation.KEY, f"a dedicated key of {key.size} octets does not fit suite {int(self.suite)}"
            )
        self._dedicated = Gcm(key)
        self._transforms.clear()

    def transform(self, control: int, *, dedicated: bool) -> Transform:
        """What this control octet means under our keys. SecurityViolation where it may not be, or a key is missing."""
        number = control | _DEDICATED if dedicated else control
        known = self._transforms.get(number)
        if known is None:
            known = self._make(SecurityControl.from_octet(control), dedicated=dedicated)
            self._transforms[number] = known
        return known

    def general(self, control: SecurityControl, cipher: Gcm, header: bytes) -> Transform:
        """What this control octet means in general-ciphering, where a `header` is authenticated as well. It is not kept."""
        if control.broadcast:
            raise SecurityViolation(
                Violation.POLICY,
                "the broadcast bit is set in general-ciphering, which names its key otherwise",
            )
        self.require_suite(control)
        return self._transform(control, cipher, header)

    def require_suite(self, control: SecurityControl) -> None:
        """SecurityViolation where it says compressed, or another suite than that of our keys."""
        if control.compressed:
            raise SecurityViolation(
                Violation.POLICY,
                "a compressed APDU, and compression was not agreed on",
                hint="switch compression off in the meter; nothing decompresses it here",
            )
        suite = SUITES.get(control.suite)
        if suite is None or suite.key_size != suite_of(self.suite).key_size:
            raise SecurityViolation(
                Violation.POLICY,
                f"an APDU of security suite {int(control.suite)}, and the keys here are of suite {int(self.suite)}",
                hint="set the meter's own suite, and give keys of its length",
            )

    def cipher(self, *, broadcast: bool) -> Gcm:
        """That of a global key. SecurityViolation where it is the broadcast key, and there is none."""
        if not broadcast:
            return self._unicast
        if self._broadcast is None:
            raise SecurityViolation(
                Violation.KEY, "the broadcast key is not known", hint="give the global broadcast key (GBEK)"
            )
        return self._broadcast

    def _make(self, control: SecurityControl, *, dedicated: bool) -> Transform:
        if control.protection is Protection.NONE:
            raise SecurityViolation(
                Violation.POLICY, "a ciphered APDU that is neither authenticated nor encrypted"
            )
        self.require_suite(control)
        if not dedicated:
            return self._transform(control, self.cipher(broadcast=control.broadcast))
        if control.broadcast:
            raise SecurityViolation(Violation.POLICY, "the broadcast bit is set under a dedicated key")
        if self._dedicated is None:
            raise SecurityViolation(
                Violation.KEY, "a dedicated key is used, and none was agreed on", hint="associate anew"
            )
        return self._transform(control, self._dedicated)

    def _transform(self, control: SecurityControl, cipher: Gcm, header: bytes = b"") -> Transform:
        if not control.authenticated:
            return _encrypted(control, cipher)
        if self.__authentication is None:
            raise SecurityViolation(
                Violation.KEY, "the authentication key is not known", hint="give the authentication key (GAK)"
            )
        associated = bytes((control.to_octet(),)) + self.__authentication.reveal() + header
        make = _both if control.encrypted else _authenticated
        return make(control, cipher, associated)
