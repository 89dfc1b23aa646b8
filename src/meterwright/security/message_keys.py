"""The key of one general-ciphering APDU: which it is, how it is told, how it is found again (Green Book 9.2.3.4, 9.5).

==========  ==============  =====================================================================================
global      identified 00   the global unicast key, which both sides have
broadcast   identified 01   the global broadcast key
wrapped     wrapped         a new key each time, under the master key (RFC 3394)
one-pass    agreed 01       C(1e,1s): an ephemeral key of the originator, signed by it, and the recipient's static key
static      agreed 02       C(0e,2s): the static keys of both, and the transaction id
==========  ==============  =====================================================================================

The first two go on with the counters of their keys. A wrapped and a one-pass key are new, and so begin at 0. Under a static
one we go on with our counter all the same: it holds no secret that a transaction id used twice could give away.

An ephemeral key is looked at only after its signature was verified. Refused: what needs a key that this side does not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from meterwright.apdu import AgreedKey, IdentifiedKey, KeyInfo, WrappedKey
from meterwright.errors import RemoteProtocolError
from meterwright.security.ciphers import Ciphers
from meterwright.security.curves import Curve
from meterwright.security.derivation import Parties, derive_key, one_pass, static_unified
from meterwright.security.gcm import Gcm
from meterwright.security.key_pairs import AgreementKey, AgreementPoint, KeyPairs
from meterwright.security.keys import Keys
from meterwright.security.replays import digest
from meterwright.security.secret import Secret
from meterwright.security.suites import suite_of
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.security.wrap import unwrap_key, wrap_key
from meterwright.values import KekId, KeyId

__all__ = ["Addressed", "KeyChoice", "MessageKey", "MessageKeys"]

ONE_PASS_PARAMETERS: Final = b"\x01"
STATIC_PARAMETERS: Final = b"\x02"


class KeyChoice(Enum):
    """Under which key a general-ciphering APDU is."""

    GLOBAL = "global"
    BROADCAST = "broadcast"
    WRAPPED = "wrapped"
    ONE_PASS = "one-pass"  # noqa: S105 - no password: one pass of a key agreement
    STATIC = "static"

    @property
    def is_identified(self) -> bool:
        """Whether it is a key that both sides have, with invocation counters of its own."""
        return self in (KeyChoice.GLOBAL, KeyChoice.BROADCAST)

    @property
    def is_new(self) -> bool:
        """Whether each message has another, so that its counter begins at 0."""
        return self in (KeyChoice.WRAPPED, KeyChoice.ONE_PASS)


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who sends one message to whom: the system titles of both, and the transaction."""

    originator: bytes
    recipient: bytes
    transaction_id: bytes


@dataclass(frozen=True, slots=True, repr=False)
class MessageKey:
    """A key at work. `seen`: by what a key that is for one message is remembered; None where the key has counters."""

    choice: KeyChoice
    cipher: Gcm
    info: KeyInfo
    seen: bytes | None = None


class MessageKeys:
    """Makes and finds the keys of messages. `chance` gives octets for those that are new."""

    def __init__(self, keys: Keys, pairs: KeyPairs, ciphers: Ciphers, chance: Callable[[int], bytes]) -> None:
        self._keys: Final = keys
        self._pairs: Final = pairs
        self._ciphers: Final = ciphers
        self._chance: Final = chance
        self._size: Final = suite_of(keys.suite).key_size

    def missing(self, choice: KeyChoice) -> str | None:
        """What we lack to send under such a key; None where nothing."""
        return next((name for name, there in self._needs(choice) if not there), None)

    def info_size(self, choice: KeyChoice) -> int:
        """How many octets of key-info tell of such a key."""
        if choice.is_identified:
            return 2
        if choice is KeyChoice.WRAPPED:
            return 1 + 1 + 1 + self._size + 8
        agreed = 4 * self._curve.size if choice is KeyChoice.ONE_PASS else 0
        return 1 + 2 + (2 if agreed >= 0x80 else 1) + agreed

    def make(self, choice: KeyChoice, addressed: Addressed) -> MessageKey:
        """The key to send under. SecurityViolation where something is missing."""
        missing = self.missing(choice)
        if missing is not None:
            raise _lacking(missing)
        match choice:
            case KeyChoice.GLOBAL:
                return self._global()
            case KeyChoice.BROADCAST:
                return self._broadcast()
            case KeyChoice.WRAPPED:
                return self._wrapped()
            case KeyChoice.ONE_PASS:
                return self._one_pass(addressed)
            case KeyChoice.STATIC:
                return self._static(addressed)

    def find(self, info: KeyInfo | None, addressed: Addressed) -> MessageKey:
        """The key that came, or that is named. SecurityViolation where it cannot be had, or is not its originator's."""
        match info:
            case None:
                return self._global()
            case IdentifiedKey(KeyId.GLOBAL_UNICAST_ENCRYPTION_KEY):
                return self._global()
            case IdentifiedKey(KeyId.GLOBAL_BROADCAST_ENCRYPTION_KEY):
                return self._broadcast()
            case WrappedKey(KekId.MASTER_KEY, wrapped):
                return self._unwrapped(info, wrapped)
            case AgreedKey(parameters, data) if parameters == ONE_PASS_PARAMETERS:
                return self._one_pass_found(info, data, addressed)
            case AgreedKey(parameters, b"") if parameters == STATIC_PARAMETERS:
                return self._static(addressed)
            case _:
                raise SecurityViolation(
                    Violation.KEY,
                    "a message under a key that is told in no way the books know",
                    hint="known are the global keys, one wrapped under the master key, and agreed ones of the schemes 01 and 02",
                )

    # ------------------------------------------------------------------------------------------ each kind

    def _global(self) -> MessageKey:
        info = IdentifiedKey(KeyId.GLOBAL_UNICAST_ENCRYPTION_KEY)
        return MessageKey(KeyChoice.GLOBAL, self._ciphers.cipher(broadcast=False), info)

    def _broadcast(self) -> MessageKey:
        info = IdentifiedKey(KeyId.GLOBAL_BROADCAST_ENCRYPTION_KEY)
        return MessageKey(KeyChoice.BROADCAST, self._ciphers.cipher(broadcast=True), info)

    def _wrapped(self) -> MessageKey:
        key = Secret(self._chance(self._size))
        info = WrappedKey(KekId.MASTER_KEY, wrap_key(self._master, key))
        return _once(KeyChoice.WRAPPED, key, info)

    def _unwrapped(self, info: WrappedKey, wrapped: bytes) -> MessageKey:
        key = unwrap_key(self._master, wrapped)
        if key.size != self._size:
            raise SecurityViolation(
                Violation.KEY,
                f"a wrapped key of {key.size} octets does not fit suite {int(self._keys.suite)}",
            )
        return _once(KeyChoice.WRAPPED, key, info)

    def _one_pass(self, addressed: Addressed) -> MessageKey:
        signing, point = self._pairs.signing, self._pairs.agreement_point
        if signing is None or point is None:
            raise _lacking("key pairs")
        ephemeral = AgreementKey.from_random(point.curve, self._chance(point.curve.size + 8))
        shown = ephemeral.public.octets
        key = self._derived(ephemeral.agree(point), one_pass(addressed.originator, addressed.recipient))
        return _once(KeyChoice.ONE_PASS, key, AgreedKey(ONE_PASS_PARAMETERS, shown + signing.sign(shown)))

    def _one_pass_found(self, info: AgreedKey, data: bytes, addressed: Addressed) -> MessageKey:
        agreement, verifying = self._pairs.agreement, self._pairs.verifying
        if agreement is None:
            raise _lacking("our key-agreement key")
        if verifying is None:
            raise _lacking("the other side's public signature key")
        size = 2 * agreement.curve.size
        if len(data) != 2 * size:
            raise RemoteProtocolError(
                f"an ephemeral key and its signature of {len(data)} octets: {2 * size} belong there",
                layer="security",
            )
        shown = data[:size]
        verifying.verify(data[size:], shown)
        z = agreement.agree(AgreementPoint.from_wire(agreement.curve, shown))
        key = self._derived(z, one_pass(addressed.originator, addressed.recipient))
        return _once(KeyChoice.ONE_PASS, key, info)

    def _static(self, addressed: Addressed) -> MessageKey:
        agreement, point = self._pairs.agreement, self._pairs.agreement_point
        if agreement is None:
            raise _lacking("our key-agreement key")
        if point is None:
            raise _lacking("the other side's public key-agreement key")
        parties = static_unified(addressed.originator, addressed.recipient, addressed.transaction_id)
        key = self._derived(agreement.agree(point), parties)
        return _once(KeyChoice.STATIC, key, AgreedKey(STATIC_PARAMETERS, b""))

    def _derived(self, agreed: Secret, parties: Parties) -> Secret:
        return derive_key(self._keys.suite, agreed, parties, arc=self._pairs.arc)

    @property
    def _master(self) -> Secret:
        if self._keys.master is None:
            raise _lacking("the master key (KEK)")
        return self._keys.master

    @property
    def _curve(self) -> Curve:
        curve = self._pairs.curve
        if curve is None:
            raise _lacking("key pairs")
        return curve

    def _needs(self, choice: KeyChoice) -> tuple[tuple[str, bool], ...]:
        """What sending under such a key takes, and whether it is there."""
        pairs = self._pairs
        point = ("the other side's public key-agreement key", pairs.agreement_point is not None)
        return {
            KeyChoice.GLOBAL: (),
            KeyChoice.BROADCAST: (
                ("the global broadcast key (GBEK)", self._keys.global_broadcast is not None),
            ),
            KeyChoice.WRAPPED: (("the master key (KEK)", self._keys.master is not None),),
            KeyChoice.ONE_PASS: (("our signature key", pairs.signing is not None), point),
            KeyChoice.STATIC: (("our key-agreement key", pairs.agreement is not None), point),
        }[choice]


def _once(choice: KeyChoice, key: Secret, info: KeyInfo) -> MessageKey:
    return MessageKey(choice, Gcm(key), info, digest(key.reveal()))


def _lacking(what: str) -> SecurityViolation:
    return SecurityViolation(
        Violation.KEY,
        f"{what} is needed for this message, and not known",
        hint="give it, or choose another key",
    )
