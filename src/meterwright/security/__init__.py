"""Security: keys, suites, protection of APDUs, invocation counters, authentication. No clock, no chance, no file in here.

`SecurityLayer` is what an association uses; challenges and counters come in from outside. Everything refused on account of
the other side is a `SecurityViolation`.
"""

from meterwright.security.authentication import (
    MECHANISMS,
    Login,
    Mechanism,
    Party,
    challenge_sizes,
    password_is_right,
    prove,
    verify,
)
from meterwright.security.ciphers import Ciphers
from meterwright.security.counters import (
    CounterOwner,
    CounterRecord,
    CounterStore,
    MemoryCounterStore,
    ReceiveCounter,
    Recovery,
    SendCounter,
    fingerprint,
    recover,
)
from meterwright.security.gcm import Gcm
from meterwright.security.keys import BOOK_PASSWORDS, Keys, book_keys, book_keys_in, is_test_key
from meterwright.security.layer import SecurityLayer
from meterwright.security.protection import (
    TITLE_SIZE,
    Envelope,
    Form,
    Opened,
    Style,
    demand,
    is_ciphered,
    protect,
    read_envelope,
    unprotect,
)
from meterwright.security.secret import Secret
from meterwright.security.suites import SUITES, TAG_SIZE, Suite, suite_of
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.security.wrap import unwrap_key, wrap_key

__all__ = [
    "BOOK_PASSWORDS",
    "MECHANISMS",
    "SUITES",
    "TAG_SIZE",
    "TITLE_SIZE",
    "Ciphers",
    "CounterOwner",
    "CounterRecord",
    "CounterStore",
    "Envelope",
    "Form",
    "Gcm",
    "Keys",
    "Login",
    "Mechanism",
    "MemoryCounterStore",
    "Opened",
    "Party",
    "ReceiveCounter",
    "Recovery",
    "Secret",
    "SecurityLayer",
    "SecurityViolation",
    "SendCounter",
    "Style",
    "Suite",
    "Violation",
    "book_keys",
    "book_keys_in",
    "challenge_sizes",
    "demand",
    "fingerprint",
    "is_ciphered",
    "is_test_key",
    "password_is_right",
    "protect",
    "prove",
    "read_envelope",
    "recover",
    "suite_of",
    "unprotect",
    "unwrap_key",
    "verify",
    "wrap_key",
]
