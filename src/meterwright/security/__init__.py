"""Security: keys, suites, protection of APDUs, invocation counters, authentication. No clock, no chance, no file in here.

`SecurityLayer` is what an association uses; challenges and counters come in from outside. Everything refused on account of
the other side is a `SecurityViolation`.
"""

from meterwright.security.authentication import (
    MECHANISMS,
    Login,
    MakersFunction,
    Mechanism,
    Party,
    Proof,
    challenge_sizes,
    password_is_right,
    prove,
    verify,
)
from meterwright.security.certificate_requests import CertificateRequest
from meterwright.security.certificate_store import MOST_CERTIFICATES, CertificateStore
from meterwright.security.certificates import LONGEST_CERTIFICATE, Certificate
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
from meterwright.security.curves import P_256, P_384, Curve
from meterwright.security.derivation import (
    Arc,
    Parties,
    Purpose,
    derive_key,
    ephemeral_unified,
    one_pass,
    static_unified,
)
from meterwright.security.gcm import Gcm
from meterwright.security.key_pairs import AgreementKey, AgreementPoint, KeyPairs, SigningKey, VerifyingKey
from meterwright.security.keys import (
    BOOK_PASSWORDS,
    Keys,
    book_keys,
    book_keys_in,
    book_pairs,
    book_pairs_in,
    is_test_key,
)
from meterwright.security.layer import SecurityLayer
from meterwright.security.message_keys import KeyChoice
from meterwright.security.messages import is_protected
from meterwright.security.nesting import MOST_LAYERS, Manner, SignaturePlace
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
from meterwright.security.replays import ReplayMemory
from meterwright.security.secret import Secret
from meterwright.security.suites import SUITES, TAG_SIZE, Suite, curve_of, suite_of
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.security.wrap import unwrap_key, wrap_key

__all__ = [
    "BOOK_PASSWORDS",
    "LONGEST_CERTIFICATE",
    "MECHANISMS",
    "MOST_CERTIFICATES",
    "MOST_LAYERS",
    "P_256",
    "P_384",
    "SUITES",
    "TAG_SIZE",
    "TITLE_SIZE",
    "AgreementKey",
    "AgreementPoint",
    "Arc",
    "Certificate",
    "CertificateRequest",
    "CertificateStore",
    "Ciphers",
    "CounterOwner",
    "CounterRecord",
    "CounterStore",
    "Curve",
    "Envelope",
    "Form",
    "Gcm",
    "KeyChoice",
    "KeyPairs",
    "Keys",
    "Login",
    "MakersFunction",
    "Manner",
    "Mechanism",
    "MemoryCounterStore",
    "Opened",
    "Parties",
    "Party",
    "Proof",
    "Purpose",
    "ReceiveCounter",
    "Recovery",
    "ReplayMemory",
    "Secret",
    "SecurityLayer",
    "SecurityViolation",
    "SendCounter",
    "SignaturePlace",
    "SigningKey",
    "Style",
    "Suite",
    "VerifyingKey",
    "Violation",
    "book_keys",
    "book_keys_in",
    "book_pairs",
    "book_pairs_in",
    "challenge_sizes",
    "curve_of",
    "demand",
    "derive_key",
    "ephemeral_unified",
    "fingerprint",
    "is_ciphered",
    "is_protected",
    "is_test_key",
    "one_pass",
    "password_is_right",
    "protect",
    "prove",
    "read_envelope",
    "recover",
    "static_unified",
    "suite_of",
    "unprotect",
    "unwrap_key",
    "verify",
    "wrap_key",
]
