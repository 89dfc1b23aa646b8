"""Who is there, and how it is proved: what each side brings to one association, and the passes of a login in both roles.

    AARQ   mechanism, password or challenge CtoS      AARE   challenge StoC
    pass 3 reply_to_HLS_authentication(f(StoC))       pass 4 f(CtoS)          (Green Book 9.2.7.4, Blue Book 4.4.4.3.1)

`Credentials` are made anew for each association: a challenge is used once. The functions f stand in
`security.authentication`; here stands what is sent when, and what is made of the answer. Nothing may be asked for before
pass 4 has proved right, and who proved wrong is not asked again: meters lock after a few wrong logins.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from meterwright.apdu import ActionRequestNormal, ActionResponseNormal, MethodDescriptor
from meterwright.data import Data, DataTag, octet_string
from meterwright.errors import LoginFailed, RemoteProtocolError, UsageError
from meterwright.security import (
    MECHANISMS,
    KeyPairs,
    Keys,
    Login,
    MakersFunction,
    Party,
    Secret,
    SecurityLayer,
    SecurityViolation,
    VerifyingKey,
    Violation,
    prove,
    verify,
)
from meterwright.values import (
    ActionResult,
    ApplicationContext,
    AuthenticationMechanism,
    InvokeIdAndPriority,
    Obis,
    Role,
)

__all__ = [
    "CURRENT_ASSOCIATION",
    "Certified",
    "Credentials",
    "LoginMachine",
    "broken_off",
    "challenge_size",
    "is_reply_to_challenge",
    "not_proved_by_meter",
    "refused",
    "require_mechanism",
]

Certified = Callable[[bytes, bytes], VerifyingKey]
"""Called with the AE qualifier and the system title of the other side: the key that the certificate in the one gives to the other.

SecurityViolation where the certificate is none, not that title's, or not to be trusted.
"""

CURRENT_ASSOCIATION: Final = Obis.parse("0.0.40.0.0.255")
"""The association object that always is the association one asks in."""

_ASSOCIATION_LN: Final = 15
_REPLY_TO_HLS_AUTHENTICATION: Final = 1
_WITHOUT_CHALLENGE: Final = frozenset({AuthenticationMechanism.LOWEST, AuthenticationMechanism.LOW})
_CONFIRMED: Final = InvokeIdAndPriority(0, confirmed=True, high_priority=True)
_USUAL_CHALLENGE: Final = 16
_LONG_CHALLENGE: Final = 32


def challenge_size(mechanism: AuthenticationMechanism) -> int:
    """How many octets of challenge we make; 0 where the mechanism has none."""
    if mechanism in _WITHOUT_CHALLENGE:
        return 0
    return _LONG_CHALLENGE if mechanism is AuthenticationMechanism.HIGH_ECDSA else _USUAL_CHALLENGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What one side brings to one association, in either role.

    `secret` is the password or the secret of the mechanism, `challenge` what we ask the other side (for the mechanisms that
    have one; octets of chance from outside). `layer` protects the APDUs; without one they travel in plain, and `system_title` is
    for mechanisms that need one all the same. `pairs`: our signing key and the other side's verifying key, where they prove it.
    `makers_function`: f of mechanism 2, where it is not the usual one. `dedicated` is the key that a client proposes for this
    association alone. `user_id` is whom a client names as its user, `users` whom a meter lets in (None: everybody). `ae_qualifier`
    goes with our AARQ or AARE, as a certificate does; `certified` reads the other side's verifying key out of its own, and judges
    it. `plain_release`: an RLRQ in plain may end a ciphered association. `shared_counter` takes f(challenge) from the few who use one invocation counter for it and for the APDU
    around it.
    """

    mechanism: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    secret: Secret | None = None
    challenge: bytes = field(default=b"", repr=False)
    layer: SecurityLayer | None = None
    pairs: KeyPairs | None = None
    makers_function: MakersFunction | None = None
    system_title: bytes | None = None
    dedicated: Secret | None = None
    association_object: Obis = CURRENT_ASSOCIATION
    user_id: int | None = None
    users: frozenset[int] | None = None
    ae_qualifier: bytes | None = None
    certified: Certified | None = field(default=None, repr=False)
    plain_release: bool = False
    shared_counter: bool = False

    def __post_init__(self) -> None:
        if self.dedicated is not None and not self.context.is_ciphered:
            raise UsageError(
                "a dedicated key would be proposed in plain, and everybody would know it",
                layer="association",
                hint="it goes with a security policy that protects something: set one, or propose no key",
            )

    @property
    def context(self) -> ApplicationContext:
        """The application context that goes with it."""
        ciphered = self.layer is not None and self.layer.is_ciphered
        return ApplicationContext.LN_CIPHERED if ciphered else ApplicationContext.LN

    @property
    def challenges(self) -> bool:
        """Whether each side must answer a challenge of the other."""
        return self.mechanism not in _WITHOUT_CHALLENGE

    @property
    def authentication_value(self) -> bytes | None:
        """What stands in our AARQ: the password, the challenge, or nothing."""
        if self.mechanism is AuthenticationMechanism.LOW:
            return b"" if self.secret is None else self.secret.reveal()
        return self.challenge if self.challenges else None

    @property
    def keys(self) -> Keys | None:
        """The keys of the layer."""
        return None if self.layer is None else self.layer.keys

    @property
    def title(self) -> bytes | None:
        """Our system title, where there is one."""
        return self.system_title if self.layer is None else self.layer.own_title

    @property
    def needs_titles(self) -> bool:
        """Whether nothing goes without the system titles of both sides."""
        mechanism = MECHANISMS.get(self.mechanism)
        return self.context.is_ciphered or (mechanism is not None and mechanism.needs_titles)


class LoginMachine:
    """Passes 3 and 4, in either role, once both challenges are known.

    SecurityViolation where the other side asks for the answer to its own challenge, UsageError where a secret or a key is missing.
    """

    def __init__(
        self,
        role: Role,
        credentials: Credentials,
        their_challenge: bytes,
        their_title: bytes | None,
        their_qualifier: bytes | None = None,
    ) -> None:
        self.invoke_id: int | None = None
        self._credentials = credentials
        layer = credentials.layer
        their_title = (None if layer is None else layer.peer_title) or their_title or b""
        self._login = Login(
            mechanism=credentials.mechanism,
            role=role,
            ours=Party(credentials.title or b"", credentials.challenge),
            theirs=Party(their_title, their_challenge),
            secret=credentials.secret,
            keys=credentials.keys,
            pairs=_pairs(credentials, their_qualifier, their_title),
            makers_function=credentials.makers_function,
        )

    def reply(self, invoke_id: int) -> ActionRequestNormal:
        """Pass 3: what answers the meter's challenge. To be made before anything is protected that is sent after it."""
        self.invoke_id = invoke_id
        method = MethodDescriptor(
            _ASSOCIATION_LN, self._credentials.association_object, _REPLY_TO_HLS_AUTHENTICATION
        )
        return ActionRequestNormal(_CONFIRMED.with_id(invoke_id), method, octet_string(self._prove()))

    def judge_answer(self, answer: ActionResponseNormal) -> None:
        """Pass 4, for the client: LoginFailed or SecurityViolation where the meter refuses us, or is not the meter."""
        if answer.result is not ActionResult.SUCCESS:
            raise refused(f"action-result {answer.result.label}")
        returned = answer.return_parameters
        if not isinstance(returned, Data):
            raise not_proved_by_meter()
        self._verify(returned)

    def judge_reply(self, request: ActionRequestNormal) -> ActionResponseNormal:
        """Pass 3, for the meter, and its pass 4. SecurityViolation where the client did not prove itself."""
        if request.parameters is None:
            raise _no_proof()
        self._verify(request.parameters)
        return ActionResponseNormal(
            request.invoke_id_and_priority, ActionResult.SUCCESS, octet_string(self._prove())
        )

    def _prove(self) -> bytes:
        layer = self._credentials.layer
        return prove(self._login, None if layer is None else layer.send_counter)

    def _verify(self, given: Data) -> None:
        if given.tag is not DataTag.OCTET_STRING or not isinstance(given.value, bytes):
            raise _no_proof()
        layer = self._credentials.layer
        verify(
            self._login,
            given.value,
            None if layer is None else layer.receive_counter,
            carried=layer is not None and layer.carried,
            shared_counter=self._credentials.shared_counter,
        )


def _pairs(credentials: Credentials, qualifier: bytes | None, title: bytes) -> KeyPairs | None:
    """The pairs of a login. A verifying key that is set is the one; else the other side's certificate tells it."""
    pairs, certified = credentials.pairs, credentials.certified
    if pairs is None or pairs.verifying is not None or certified is None or not qualifier:
        return pairs
    return replace(pairs, verifying=certified(qualifier, title))


def is_reply_to_challenge(request: object) -> bool:
    """Whether a request is pass 3 of a login."""
    if not isinstance(request, ActionRequestNormal):
        return False
    method = request.method
    return (method.class_id, method.method_id) == (_ASSOCIATION_LN, _REPLY_TO_HLS_AUTHENTICATION)


def require_mechanism(told: AuthenticationMechanism | None, credentials: Credentials) -> None:
    """RemoteProtocolError where an AARE speaks of another authentication by challenge than ours, or of one that we did not offer.

    The meter would judge our answer by that one, and count it as a wrong login.
    """
    ours = credentials.mechanism
    if told is None or told is ours or {told, ours} <= _WITHOUT_CHALLENGE:
        return
    raise RemoteProtocolError(
        f"the meter speaks of the authentication {told.label}, and was asked for {ours.label}: nothing was answered",
        layer="association",
        hint="set the authentication that it wants for this client address",
    )


def refused(how: str) -> LoginFailed:
    """The meter said no to our answer to its challenge."""
    return LoginFailed(
        f"the meter does not accept our answer to its challenge ({how})",
        layer="association",
        hint="the secret, or the keys, of this client address are wrong: check them offline, and do not try again blindly, "
        "meters lock after a few wrong logins",
    )


def broken_off(how: str) -> LoginFailed:
    """The meter ended the talk, or fell silent, when it was given the answer to its challenge."""
    return LoginFailed(
        f"the meter did not answer our proof of who we are: {how}",
        layer="association",
        hint="many meters do so when the secret or the keys are wrong: check them offline before trying again, meters lock; "
        "else the line fell at this very moment",
        refused=False,
    )


def not_proved_by_meter() -> SecurityViolation:
    """The meter opened the association without the answer to our challenge."""
    return SecurityViolation(
        Violation.PROOF,
        "the meter lets us in without answering our challenge: it has not shown that it is the meter",
        hint="nothing was asked of it; it may want another authentication, or this is not the meter",
    )


def _no_proof() -> RemoteProtocolError:
    return RemoteProtocolError("an answer to a challenge that is no octet string", layer="association")
