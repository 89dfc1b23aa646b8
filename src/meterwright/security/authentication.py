"""Who is there: low-level and high-level security (Green Book 9.2.7.4), as a table of mechanisms.

Four passes: the client's challenge (CtoS) goes in the AARQ, the meter's (StoC) in the AARE; then the client sends f(StoC), and
the meter answers f(CtoS). Both directions are the same function of a prover and what was asked of it, so one row of `MECHANISMS`
serves client and meter alike:

====  ==============================================================================
1     LLS: the secret itself, in plain. There is no challenge; `password_is_right`
2     a maker's own function; unless one is given, AES-128 of the padded challenge under the padded secret: what India and
      most makers mean by it
3, 4  MD5, SHA-1 of challenge and secret
5     GMAC of the challenge; consumes an invocation counter on each side
6     SHA-256 of secret, titles and challenges
7     ECDSA of titles and challenges, with the curve of suite 1 or 2; no secret is shared
====  ==============================================================================

Refused: challenges of another length than the books', and one that equals ours, since the answer to it would be what we are
about to give away.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from meterwright.errors import LocalProtocolError, RemoteProtocolError, UsageError
from meterwright.security.counters import ReceiveCounter, SendCounter
from meterwright.security.gcm import Gcm
from meterwright.security.key_pairs import KeyPairs
from meterwright.security.keys import Keys
from meterwright.security.secret import Secret
from meterwright.security.suites import TAG_SIZE, curve_of
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import AuthenticationMechanism, Role

__all__ = [
    "MECHANISMS",
    "Login",
    "MakersFunction",
    "Mechanism",
    "Party",
    "Proof",
    "challenge_sizes",
    "password_is_right",
    "prove",
    "verify",
]

_AES_BLOCK: Final = 16
_GMAC_SIZE: Final = 1 + 4 + TAG_SIZE
_AUTHENTICATED: Final = 0x10


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a login: its system title (b"" where it has none), and the challenge it asked."""

    title: bytes
    challenge: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """All that the four passes turn on. Made once both challenges are known; what can't be used is refused then.

    `makers_function` is f of mechanism 2, where it is another one than most makers'.
    """

    mechanism: AuthenticationMechanism
    role: Role
    ours: Party
    theirs: Party
    secret: Secret | None = None
    keys: Keys | None = None
    pairs: KeyPairs | None = None
    makers_function: "MakersFunction | None" = None

    def __post_init__(self) -> None:
        row = _row(self.mechanism)
        sizes = row.challenge_sizes
        if len(self.ours.challenge) not in sizes:
            raise LocalProtocolError(_wrong_size("our", self.ours, sizes), layer="security")
        if len(self.theirs.challenge) not in sizes:
            raise RemoteProtocolError(_wrong_size("their", self.theirs, sizes), layer="security")
        if hmac.compare_digest(self.ours.challenge, self.theirs.challenge):
            raise SecurityViolation(
                Violation.PROOF,
                "the other side's challenge equals ours: it is asking for the answer that it should give",
                hint="this is an attack, or a broken meter: nothing was answered",
            )
        row.require(self)

    @property
    def our_proof(self) -> "Proof":
        """What we have to show."""
        return Proof(self.ours, self.theirs, self.secret, self.keys, self.pairs, self.makers_function)

    @property
    def their_proof(self) -> "Proof":
        """What they have to show."""
        return Proof(self.theirs, self.ours, self.secret, self.keys, self.pairs, self.makers_function)


@dataclass(frozen=True, slots=True)
class Proof:
    """f(challenge), seen from the side that computes it: the `prover` answers the `asker.challenge`.

    `pairs` are those of whoever computes or checks it here.
    """

    prover: Party
    asker: Party
    secret: Secret | None
    keys: Keys | None = None
    pairs: KeyPairs | None = None
    makers_function: "MakersFunction | None" = field(default=None, repr=False)

    @property
    def password(self) -> bytes:
        """The secret's octets; LocalProtocolError where there is none (`Mechanism.require` has seen to it)."""
        if self.secret is None:
            raise LocalProtocolError("this mechanism needs a secret", layer="security")
        return self.secret.reveal()

    @property
    def said(self) -> bytes:
        """Titles and challenges, in the order of the mechanisms 6 and 7."""
        prover, asker = self.prover, self.asker
        return prover.title + asker.title + asker.challenge + prover.challenge


MakersFunction = Callable[[Proof], bytes]
"""A maker's own f for mechanism 2: the answer to `asker.challenge`. Both sides have the same one."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One way to prove it: what it needs, and f. `f` gets the invocation counter where it consumes one, else 0.

    `is_right` tells whether an answer is right, for an f that only its prover can compute.
    """

    f: Callable[[Proof, int], bytes]
    is_right: Callable[[Proof, bytes], bool] | None = None
    counts: bool = False
    needs_secret: bool = True
    needs_titles: bool = False
    needs_pairs: bool = False
    challenge_sizes: range = range(8, 65)

    def accepts(self, proof: Proof, number: int, given: bytes) -> bool:
        """Whether `given` is f, in a time that tells nothing about it."""
        if self.is_right is not None:
            return self.is_right(proof, given)
        return hmac.compare_digest(self.f(proof, number), given)

    def require(self, login: Login) -> None:
        """UsageError where something that this mechanism needs was not given."""
        if self.needs_secret and login.secret is None:
            raise UsageError(
                f"{login.mechanism.label} needs a secret", layer="security", hint="give the HLS secret"
            )
        if self.counts and (login.keys is None or login.keys.authentication is None):
            raise UsageError(
                f"{login.mechanism.label} needs keys",
                layer="security",
                hint="give encryption and authentication key",
            )
        if self.needs_pairs:
            _require_pairs(login)
        if self.needs_titles and not (len(login.ours.title) == len(login.theirs.title) == 8):
            raise UsageError(
                f"{login.mechanism.label} needs the system titles of both sides",
                layer="security",
                hint="the meter's comes with its AARE; else give it with the meter's settings",
            )


def challenge_sizes(mechanism: AuthenticationMechanism) -> range:
    """How many octets a challenge of this mechanism may have."""
    return _row(mechanism).challenge_sizes


def password_is_right(expected: Secret, given: bytes | None) -> bool:
    """Low-level security: whether this is the password, in a time that tells nothing about it."""
    return expected.matches(given or b"")


def prove(login: Login, counter: SendCounter | None = None) -> bytes:
    """What answers their challenge: pass 3 of a client, pass 4 of a meter. `counter` gives the number where one is consumed.

    It must be called before the APDU that carries it is protected, so that the number inside is the older one.
    """
    row = _row(login.mechanism)
    if not row.counts:
        return row.f(login.our_proof, 0)
    if counter is None:
        raise LocalProtocolError(f"{login.mechanism.label} consumes an invocation counter", layer="security")
    return row.f(login.our_proof, counter.next())


def verify(
    login: Login,
    given: bytes,
    counter: ReceiveCounter | None = None,
    *,
    carried: bool = False,
    shared_counter: bool = False,
) -> None:
    """SecurityViolation where `given` is not f of our challenge.

    `counter`: the numbers of the other side under the global key, where the mechanism consumes one. `carried`: the APDU around it
    was protected under that key, and its number accepted a moment ago (`SecurityLayer.carried`). `shared_counter`: one of the few
    meters that use one number for both.
    """
    row = _row(login.mechanism)
    number = 0
    if row.counts:
        if counter is None:
            raise LocalProtocolError(
                f"{login.mechanism.label} consumes an invocation counter", layer="security"
            )
        number = _number_in(login, given)
    if not row.accepts(login.their_proof, number, given):
        raise _not_proved(login)
    if counter is None or not row.counts:
        return
    if carried:
        counter.check_inner(number, shared=shared_counter)
    else:
        counter.check(number, verifiable=True)
        counter.accept(number, verified=True)


def _number_in(login: Login, given: bytes) -> int:
    """The invocation counter in SC, IC, tag; SC is covered by the comparison that follows."""
    if len(given) != _GMAC_SIZE:
        raise _not_proved(login)
    return int.from_bytes(given[1:5], "big")


def _require_pairs(login: Login) -> None:
    pairs, label = login.pairs or KeyPairs(), login.mechanism.label
    missing = {"a signing key of ours": pairs.signing, "the other side's verifying key": pairs.verifying}
    for what, key in missing.items():
        if key is None:
            raise UsageError(f"{label} needs {what}", layer="security", hint="give both")
    if login.keys is not None and pairs.curve is not curve_of(login.keys.suite):
        raise UsageError(
            f"{label} with other curves than that of security suite {int(login.keys.suite)}",
            layer="security",
            hint="all keys of an association are of one suite",
        )


def _not_proved(login: Login) -> SecurityViolation:
    if _row(login.mechanism).needs_pairs:
        return SecurityViolation(
            Violation.PROOF,
            f"the {login.role.other.value}'s signature is not one of the key that we know as its own",
            hint="this is not the one we wanted, or its verifying key in our settings is another one; nothing more was asked of it",
        )
    if login.role is Role.CLIENT:
        return SecurityViolation(
            Violation.PROOF,
            "the meter's answer to our challenge is wrong: this is not the meter, or it has other keys",
            hint="nothing more was asked of it; check secret and keys offline, meters lock after a few wrong logins",
        )
    return SecurityViolation(
        Violation.PROOF,
        "the client's answer to our challenge is wrong",
        hint="its secret or its keys are not those of this association",
    )


def _wrong_size(whose: str, party: Party, sizes: range) -> str:
    return f"{whose} challenge has {len(party.challenge)} octets: {sizes.start} to {sizes.stop - 1} are legal"


# ------------------------------------------------------------------------------------------------ the functions


def _manufacturer(proof: Proof, _number: int) -> bytes:
    return (proof.makers_function or _aes)(proof)


def _aes(proof: Proof) -> bytes:
    """AES-128 in ECB: the challenge is as good as random, and the books leave the function to makers, who chose this."""
    secret, challenge = proof.password, proof.asker.challenge
    if len(secret) > _AES_BLOCK:
        raise UsageError(
            f"a secret of {len(secret)} octets: this authentication takes up to {_AES_BLOCK}",
            layer="security",
            hint="check the secret; it may have been given in hex where text was wanted",
        )
    key = algorithms.AES(secret.ljust(_AES_BLOCK, b"\0"))
    padded = challenge.ljust(-(-len(challenge) // _AES_BLOCK) * _AES_BLOCK, b"\0")
    encryptor = Cipher(key, modes.ECB()).encryptor()  # noqa: S305 - what the meters do
    return encryptor.update(padded) + encryptor.finalize()


def _md5(proof: Proof, _number: int) -> bytes:
    return hashlib.md5(proof.asker.challenge + proof.password, usedforsecurity=False).digest()


def _sha1(proof: Proof, _number: int) -> bytes:
    return hashlib.sha1(proof.asker.challenge + proof.password, usedforsecurity=False).digest()


def _sha256(proof: Proof, _number: int) -> bytes:
    return hashlib.sha256(proof.password + proof.said).digest()


def _gmac(proof: Proof, number: int) -> bytes:
    if proof.keys is None or proof.keys.authentication is None:
        raise LocalProtocolError("this mechanism needs keys", layer="security")
    control = bytes((_AUTHENTICATED | int(proof.keys.suite),))
    counter = number.to_bytes(4, "big")
    associated = control + proof.keys.authentication.reveal() + proof.asker.challenge
    tag = Gcm(proof.keys.global_unicast).tag(proof.prover.title + counter, associated)
    return control + counter + tag


def _ecdsa(proof: Proof, _number: int) -> bytes:
    if proof.pairs is None or proof.pairs.signing is None:
        raise LocalProtocolError("this mechanism needs a signing key", layer="security")
    return proof.pairs.signing.sign(proof.said)


def _is_signed(proof: Proof, given: bytes) -> bool:
    if proof.pairs is None or proof.pairs.verifying is None:
        raise LocalProtocolError("this mechanism needs a verifying key", layer="security")
    return proof.pairs.verifying.made(given, proof.said)


MECHANISMS: Final[Mapping[AuthenticationMechanism, Mechanism]] = MappingProxyType(
    {
        AuthenticationMechanism.HIGH: Mechanism(_manufacturer),
        AuthenticationMechanism.HIGH_MD5: Mechanism(_md5),
        AuthenticationMechanism.HIGH_SHA1: Mechanism(_sha1),
        AuthenticationMechanism.HIGH_GMAC: Mechanism(
            _gmac, counts=True, needs_secret=False, needs_titles=True
        ),
        AuthenticationMechanism.HIGH_SHA256: Mechanism(_sha256, needs_titles=True),
        AuthenticationMechanism.HIGH_ECDSA: Mechanism(
            _ecdsa,
            _is_signed,
            needs_secret=False,
            needs_titles=True,
            needs_pairs=True,
            challenge_sizes=range(32, 65),
        ),
    }
)
"""Every mechanism with challenges that is understood here."""


def _row(mechanism: AuthenticationMechanism) -> Mechanism:
    try:
        return MECHANISMS[mechanism]
    except KeyError:
        raise UsageError(
            f"{mechanism.label} is no authentication by challenge that is understood here",
            layer="security",
            hint=f"known are {', '.join(each.label for each in MECHANISMS)}",
        ) from None
