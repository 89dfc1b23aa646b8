"""What an Initiate that does not open tells about our keys. Nobody but us hears it.

Deciphered without looking at its tag, it reads as an Initiate where the encryption key and the title are right.
"""

from typing import Final

from meterwright.apdu import InitiateRequest, InitiateResponse
from meterwright.security.ciphers import Ciphers
from meterwright.security.protection import is_ciphered, read_envelope
from meterwright.security.suites import TAG_SIZE
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import Protection, Role

__all__ = ["which_key"]

_INITIATES: Final = {Role.CLIENT: InitiateRequest.prefix, Role.SERVER: InitiateResponse.prefix}
"""What an Initiate of each side begins with."""
_CONFORMANCE_BLOCK: Final = bytes.fromhex("5f1f0400")


def which_key(
    octets: bytes, violation: SecurityViolation, ciphers: Ciphers, sender: Role, title: bytes | None
) -> SecurityViolation:
    """The violation again, or one that says which key is wrong. `title` is the sender's."""
    if violation.violation is not Violation.TAG or title is None or not is_ciphered(octets):
        return violation
    envelope = read_envelope(octets)
    if envelope.control.protection is not Protection.BOTH:
        return violation
    control = int(Protection.ENCRYPTION) | int(ciphers.suite)
    nonce = title + envelope.counter.to_bytes(4, "big")
    guess = ciphers.transform(control, dedicated=False).open(nonce, octets[envelope.start : -TAG_SIZE])
    reads = guess[:1] == _INITIATES[sender] and _CONFORMANCE_BLOCK in guess
    what, hint = _AUTHENTICATION_KEY if reads else _ENCRYPTION_KEY
    return SecurityViolation(Violation.TAG, what, hint=hint)


_AUTHENTICATION_KEY: Final = (
    "the authentication key (AK) is not the one of the other side: its Initiate can be read, and the tag is wrong",
    "the encryption key and the system title are right; check the authentication key",
)
_ENCRYPTION_KEY: Final = (
    "the encryption key (EK) is not the one of the other side, or its system title is another: its Initiate does not open",
    "check the encryption key of this client address; then the meter's system title, if the settings give one",
)
