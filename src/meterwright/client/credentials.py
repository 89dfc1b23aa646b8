"""How a client proves who it is, and how what it says is protected.

`ClientCredentials` is what it is given; `ClientSecurity` what it keeps between its associations: the invocation counters of
both directions.

    ClientCredentials(
        authentication=AuthenticationMechanism.HIGH_GMAC,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        keys=Keys(global_unicast=Secret.from_hex(...), authentication=Secret.from_hex(...)),
        system_title=installation_title(state),
        counters=FileCounterStore(state / "counters"),
    )

The books' test keys are refused for any meter that is not on this machine: they protect nothing.
"""

import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from meterwright.association import CURRENT_ASSOCIATION, Credentials, challenge_size
from meterwright.errors import SecurityError, UsageError
from meterwright.security import (
    MECHANISMS,
    CounterOwner,
    CounterStore,
    KeyPairs,
    Keys,
    MakersFunction,
    Manner,
    ReceiveCounter,
    ReplayMemory,
    Secret,
    SecurityLayer,
    SendCounter,
    book_keys_in,
    book_pairs_in,
    recover,
)
from meterwright.values import AuthenticationMechanism, Finding, Obis, Role, SecurityPolicy

__all__ = ["ClientCredentials", "ClientSecurity", "CounterReading", "refuse_book_keys"]

_PUBLIC_CLIENT: Final = 16


class CounterReading(Enum):
    """When the meter is asked for the greatest invocation counter it has accepted, over its public association."""

    FIRST_USE = "first-use"
    """when our store knows no number of this key and title, and where a refusal may be the counter's fault"""
    ALWAYS = "always"
    """before each association"""
    NEVER = "never"
    """not at all"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """What a client is given. Without anything: no authentication, no protection.

    `secret`: the password, or the secret of the mechanism. `keys`, `system_title` (8 octets, ours) and `counters` belong together:
    who protects anything needs all three. `pairs`: our signing key and the meter's verifying key, for HLS 7. `makers_function`: how
    this maker answers challenges in HLS 2, where it is not the usual way. `meter_title`: the meter's, where it does not tell it itself, or is to be checked.
    `counter_object` tells the counter that the meter accepted last, to `counter_client`. `follow_counter`: an operator says that
    a great jump of it is to be followed. `dedicated`: a key for each association, made by us. `association_object` is where the
    answer to a challenge goes; a few meters want their own association's. `user_id`: as whom we come, where the meter has a list
    of users. `plain_release`: end ciphered associations without protection, for meters that know no other end.
    """

    authentication: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    secret: Secret | None = None
    policy: SecurityPolicy = SecurityPolicy.NONE
    keys: Keys | None = None
    pairs: KeyPairs | None = None
    makers_function: MakersFunction | None = None
    system_title: bytes | None = None
    meter_title: bytes | None = None
    counters: CounterStore | None = field(default=None, repr=False)
    counter_object: Obis | None = None
    counter_client: int = _PUBLIC_CLIENT
    counter_reading: CounterReading = CounterReading.FIRST_USE
    follow_counter: bool = False
    manner: Manner = field(default_factory=Manner)
    dedicated: bool = False
    association_object: Obis = CURRENT_ASSOCIATION
    shared_counter: bool = False
    user_id: int | None = None
    plain_release: bool = False

    def __post_init__(self) -> None:
        mechanism = MECHANISMS.get(self.authentication)
        needs_keys = bool(self.policy) or (mechanism is not None and mechanism.counts)
        if needs_keys and self.keys is None:
            raise _missing("keys", "give the encryption and the authentication key")
        if self.keys is not None and self.counters is None:
            raise _missing(
                "a store of invocation counters",
                "a number that protects two APDUs gives the keys away: FileCounterStore(directory) remembers them",
            )
        needs_title = self.keys is not None or (mechanism is not None and mechanism.needs_titles)
        if needs_title and self.system_title is None:
            raise _missing("a system title of ours", "installation_title(state) makes one, once")
        needs_secret = self.authentication is AuthenticationMechanism.LOW or (
            mechanism is not None and mechanism.needs_secret
        )
        if needs_secret and self.secret is None:
            raise _missing("a password or secret", "give the one of this client address")
        if mechanism is not None and mechanism.needs_pairs:
            self._require_pairs()

    def _require_pairs(self) -> None:
        pairs = self.pairs or KeyPairs()
        if pairs.signing is None:
            raise _missing("a signing key of ours", "give the private key whose public half the meter knows")
        if pairs.verifying is None:
            raise _missing("the meter's verifying key", "give its public key, or its certificate's")


def _missing(what: str, hint: str) -> UsageError:
    return UsageError(f"this authentication or protection needs {what}", layer="client", hint=hint)


def _not_followed(finding: Finding | None, source: str) -> SecurityError:
    if finding is None:
        return SecurityError("the meter's counter is not followed", layer="security", about=source)
    may_be_allowed = finding.code != "counter-used-up"
    return SecurityError(
        finding.message,
        layer="security",
        about=source,
        hint=f"{finding.hint}: follow_counter" if may_be_allowed else finding.hint,
    )


def refuse_book_keys(credentials: ClientCredentials, *, is_local: bool) -> None:
    """UsageError where keys that everybody knows would be used for a meter that is not on this machine."""
    if is_local:
        return
    known = () if credentials.keys is None else book_keys_in(credentials.keys)
    known += () if credentials.pairs is None else book_pairs_in(credentials.pairs)
    if known:
        raise UsageError(
            f"test keys from the books, which everybody knows: {', '.join(known)}",
            layer="client",
            hint="they are taken for simulated meters on this machine alone: give the meter's own keys",
        )


class ClientSecurity:
    """What a client keeps between its associations with one meter. One `Credentials` for each comes from here."""

    def __init__(self, credentials: ClientCredentials, peer: str = "") -> None:
        """`peer` names the meter and the association, as well as it can be named before it has said a word."""
        self._given = credentials
        self._replays: Final = ReplayMemory()
        self._receive = ReceiveCounter()
        self._send: SendCounter | None = None
        keys, title, counters = credentials.keys, credentials.system_title, credentials.counters
        if keys is not None and title is not None and counters is not None:
            self._send = SendCounter(counters, CounterOwner.of(keys.global_unicast, title), peer=peer)

    @property
    def counts(self) -> bool:
        """Whether invocation counters matter at all."""
        return self._send is not None

    @property
    def wants_reading(self) -> bool:
        """Whether the meter's counter is to be read before we associate."""
        if self._send is None or self._given.counter_object is None:
            return False
        match self._given.counter_reading:
            case CounterReading.ALWAYS:
                return True
            case CounterReading.NEVER:
                return False
            case CounterReading.FIRST_USE:
                return self._send.record.reserved is None

    def credentials(self) -> Credentials:
        """What to bring to the next association: a fresh challenge, and a layer if anything is protected."""
        given = self._given
        mechanism = MECHANISMS.get(given.authentication)
        titled = mechanism is not None and mechanism.needs_titles
        return Credentials(
            mechanism=given.authentication,
            secret=given.secret,
            challenge=secrets.token_bytes(challenge_size(given.authentication)),
            layer=self._layer(),
            pairs=given.pairs,
            makers_function=given.makers_function,
            system_title=given.system_title if titled else None,
            dedicated=self._dedicated_key(),
            association_object=given.association_object,
            shared_counter=given.shared_counter,
            user_id=given.user_id,
            plain_release=given.plain_release,
        )

    @property
    def last(self) -> int | None:
        """The invocation counter that was spent last; None where none was yet."""
        return None if self._send is None else self._send.last

    def follow(self, read: int, source: str) -> Finding | None:
        """The meter says it accepted `read` last: go on above it, never below our own. What is worth knowing is returned.

        `source` is where it says so. SecurityError where it is not to be followed.
        """
        if self._send is None:
            return None
        recovery = recover(self._send.record, read, operator_agrees=self._given.follow_counter)
        if recovery.start is None:
            raise _not_followed(recovery.finding, source)
        self._send.start_at(recovery.start)
        return recovery.finding

    def is_ahead(self, read: int, *, certain: bool) -> bool:
        """Whether what the meter accepted last explains that it did not take the number we sent last.

        Equal numbers explain it where the meter is `certain` that ours was too low. Else they rather show that it took ours,
        and had another reason.
        """
        last = self.last
        return last is None or read > last or (certain and read == last)

    def _layer(self) -> SecurityLayer | None:
        given = self._given
        if self._send is None or given.keys is None or given.system_title is None:
            return None
        answers_challenge = given.authentication in MECHANISMS
        return SecurityLayer(
            Role.CLIENT,
            own_title=given.system_title,
            peer_title=given.meter_title,
            keys=given.keys,
            policy=given.policy,
            send_counter=self._send,
            receive_counter=self._receive,
            manner=given.manner,
            pairs=given.pairs,
            replays=self._replays,
            chance=secrets.token_bytes,
            # A meter may count anew after a reboot; that the answer is no recording, the challenge shows.
            peer_restarts=answers_challenge,
        )

    def _dedicated_key(self) -> Secret | None:
        keys = self._given.keys
        if not self._given.dedicated or keys is None:
            return None
        return keys.dedicated or Secret(secrets.token_bytes(keys.global_unicast.size))
