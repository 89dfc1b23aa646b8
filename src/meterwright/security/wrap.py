"""Keys under a key: AES key wrap (RFC 3394), with which a meter is given new keys (Green Book 9.2.2.5, class 64).

The result is 8 octets longer than the key. Refused: keys that are no multiple of 8 octets, and what was not wrapped under this key.
"""

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from meterwright.errors import UsageError
from meterwright.security.secret import Secret
from meterwright.security.violation import SecurityViolation, Violation

__all__ = ["unwrap_key", "wrap_key"]


def wrap_key(master: Secret, key: Secret) -> bytes:
    """`key` under the master key (KEK)."""
    try:
        return aes_key_wrap(master.reveal(), key.reveal())
    except ValueError:
        raise UsageError(
            f"a key of {key.size} octets cannot be wrapped under one of {master.size}",
            layer="security",
            hint="the master key has 16 or 32 octets, as its suite wants; keys have 16 or 32",
        ) from None


def unwrap_key(master: Secret, wrapped: bytes) -> Secret:
    """What was wrapped under the master key. SecurityViolation where it was not, or was altered."""
    try:
        return Secret(aes_key_unwrap(master.reveal(), wrapped))
    except (InvalidUnwrap, ValueError):
        raise SecurityViolation(
            Violation.KEY,
            "a wrapped key does not open",
            hint="it was wrapped under another master key, or altered on its way",
        ) from None
