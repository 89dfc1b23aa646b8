"""The machine between link and association: what goes out is protected, what comes in is opened and judged.

One layer serves one association, and is made anew with the next; the counters are handed in, since they outlive it. The
same class serves both roles. A client protects as its policy says, in its manner. A meter answers as it was asked (same layers,
same kind of key, at least the same protection), and never with less than its policy says.

    one glo- or ded- layer          here: the short way, which nearly every APDU goes
    signatures, general-ciphering,  `messages` puts them on and takes them off, `nesting` says which there are to be,
    layers in layers                `numbers` whether they came before

In plain pass: ACSE (the Initiate inside it is protected by `seal_initiate`), and the two ways to say that nothing could be
served, since who cannot open a request cannot protect the answer. They prove nothing, and can do no more harm than silence.
"""

from collections.abc import Callable
from typing import Final

from meterwright.apdu import (
    GLOBAL_TAGS,
    Aare,
    Aarq,
    ConfirmedServiceError,
    ExceptionResponse,
    Rlre,
    Rlrq,
    decode_apdu,
)
from meterwright.errors import LocalProtocolError, SecurityError, UsageError
from meterwright.security.ciphers import Ciphers
from meterwright.security.counters import ReceiveCounter, SendCounter
from meterwright.security.enclosing import Titles
from meterwright.security.key_pairs import KeyPairs
from meterwright.security.keys import Keys
from meterwright.security.messages import Messages, is_protected
from meterwright.security.nesting import Manner, protection_of
from meterwright.security.numbers import PROVING, Layers, Numbers, is_broadcast
from meterwright.security.protection import (
    TITLE_SIZE,
    Form,
    Opened,
    Style,
    demand,
    is_ciphered,
    protect,
    require_protection,
    unprotect,
)
from meterwright.security.recognition import reads, wants_answer
from meterwright.security.replays import ReplayMemory
from meterwright.security.secret import Secret
from meterwright.security.sending import Sending
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.security.which_key import which_key
from meterwright.values import (
    ExceptionService,
    ExceptionState,
    Protection,
    Role,
    SecurityControl,
    SecurityPolicy,
)

__all__ = ["SecurityLayer"]

_ACSE: Final = frozenset(kind.prefix[0] for kind in (Aarq, Aare, Rlrq, Rlre))
_REFUSALS: Final = frozenset((ExceptionResponse.prefix[0], ConfirmedServiceError.prefix[0]))
_CONFIRMED_SERVICE_ERROR: Final = ConfirmedServiceError.prefix[0]
_INITIATE: Final = Form(Protection.BOTH)
_PLAIN: Final = SecurityControl.from_octet(0)
_AS_USUAL: Final = Manner()


class SecurityLayer:
    """Protects and opens the APDUs of one association. `peer_title` may be learned from its AARQ or AARE.

    `peer_restarts`: the meter begins its counter anew when it boots; the first APDU of an association may then have any
    number, which is sound only if a high-level authentication follows. `pairs`, `replays` and `chance` (octets for new keys and
    transaction ids) are for signatures and general-ciphering; `broadcasting` numbers what we send under the broadcast key.
    """

    def __init__(
        self,
        role: Role,
        *,
        own_title: bytes,
        peer_title: bytes | None,
        keys: Keys,
        policy: SecurityPolicy,
        send_counter: SendCounter,
        receive_counter: ReceiveCounter,
        manner: Manner = _AS_USUAL,
        broadcast_counter: ReceiveCounter | None = None,
        peer_restarts: bool = False,
        pairs: KeyPairs | None = None,
        replays: ReplayMemory | None = None,
        broadcasting: SendCounter | None = None,
        chance: Callable[[int], bytes] | None = None,
    ) -> None:
        if len(own_title) != TITLE_SIZE:
            raise UsageError(
                f"a system title has {TITLE_SIZE} octets, not {len(own_title)}", layer="security"
            )
        self.role: Final = role
        self.own_title: Final = own_title
        self.keys: Final = keys
        self.send_counter: Final = send_counter
        self.receive_counter: Final = receive_counter
        self.carried = False
        self.verified = False
        """Whether what came last was authenticated, or signed."""
        self._came: SecurityControl | Protection = Protection.NONE
        self._peer_title: bytes | None = None
        self._ciphers = Ciphers(keys)
        chance = chance or _no_chance
        self._numbers = Numbers(
            send_counter,
            receive_counter,
            broadcast_counter or ReceiveCounter(),
            ReplayMemory() if replays is None else replays,
            broadcasting,
        )
        self._messages = Messages(keys, pairs, self._ciphers, chance=chance, number=self._numbers.next)
        self._required = policy.required(role.other)
        self._required_ciphering = self._required & Protection.BOTH
        self._wants_signature = bool(self._required & Protection.SIGNATURE)
        self._sending = Sending(manner, policy.required(role), self._messages, chance)
        self._asked: tuple[SecurityControl, Style, bool] | None = None
        self._good_control: SecurityControl = _PLAIN
        self._initiate_was_secret = False
        self._peer_restarts = peer_restarts
        if peer_title is not None:
            self.learn_peer_title(peer_title)

    @property
    def is_ciphered(self) -> bool:
        """Whether anything is protected at all: with a policy of none, only a login may need this layer."""
        return self._sending.protects or bool(self._required)

    @property
    def is_sealing_initiates(self) -> bool:
        """Whether our Initiate is to be protected: a client's as its policy says, a meter's also where the client's was."""
        return self.is_ciphered or self._initiate_was_secret

    @property
    def came(self) -> Protection:
        """What was done to the APDU that came last."""
        came = self._came
        return came if isinstance(came, Protection) else came.protection

    @property
    def peer_title(self) -> bytes | None:
        """The system title of the other side, once it is known."""
        return self._peer_title

    def learn_peer_title(self, title: bytes) -> None:
        """The other side told its title (AARQ calling-AP-title, AARE responding-AP-title), or it was set.

        SecurityViolation where it is none, is ours, or is not the one that was known before.
        """
        if len(title) != TITLE_SIZE:
            raise SecurityViolation(
                Violation.TITLE,
                f"a system title of {len(title)} octets; {TITLE_SIZE} belong there",
                hint="set the other side's title where it can't tell it right (security setup, attributes 4 and 5)",
            )
        if title == self.own_title:
            raise SecurityViolation(
                Violation.TITLE,
                "the other side uses our own system title",
                hint="two sides with one title and one key give that key away: set another title",
            )
        if self._peer_title not in (None, title):
            raise SecurityViolation(
                Violation.TITLE,
                "the other side has another system title than the one that is set",
                hint="another meter answers at this address, or the title in the settings is wrong",
            )
        self._peer_title = title

    # -------------------------------------------------------------------------------------------- opening an association

    def seal_initiate(self, initiate: bytes) -> bytes:
        """The user-information of an AARQ, AARE, RLRQ or RLRE: authenticated and encrypted under any policy, as meters do it.

        A ConfirmedServiceError, by which an AARE refuses, stays plain.
        """
        if initiate[:1] == bytes((_CONFIRMED_SERVICE_ERROR,)):
            return initiate
        if not initiate or initiate[0] not in GLOBAL_TAGS:
            raise LocalProtocolError("this is no Initiate", layer="security")
        self._initiate_was_secret = True
        return protect(initiate, self._ciphers, _INITIATE, self.own_title, self.send_counter.next())

    def open_initiate(self, octets: bytes) -> bytes:
        """The Initiate inside a user-information, at least as protected as the policy wants every APDU."""
        if self._peer_restarts:
            self.receive_counter.restart()
        if is_ciphered(octets):
            try:
                opened = unprotect(octets, self._ciphers, self._peer_title)
            except SecurityViolation as violation:
                title = self._peer_title
                raise which_key(octets, violation, self._ciphers, self.role.other, title) from None
            self._judge(opened)
            self._initiate_was_secret = opened.control.encrypted
            return opened.apdu
        if not self._required or octets[:1] == bytes((_CONFIRMED_SERVICE_ERROR,)):
            return octets
        raise _came_plain("an Initiate")

    def use_dedicated(self, key: Secret) -> None:
        """From now on send under the dedicated key of the InitiateRequest. A meter changes over when its client does.

        SecurityViolation where that Initiate was not encrypted (the key is known to the line), or the key is the global one.
        """
        if not self._initiate_was_secret:
            raise SecurityViolation(
                Violation.POLICY,
                "a dedicated key was proposed in an Initiate that was not encrypted",
                hint="everybody on the line knows it; propose none, or encrypt the Initiate",
            )
        if key == self.keys.global_unicast:
            raise SecurityViolation(Violation.KEY, "the dedicated key is the global key itself")
        self._ciphers.use_dedicated(key)
        if self.role is Role.CLIENT:
            self._sending.use_dedicated()

    def open_release(self, octets: bytes) -> bytes:
        """The Initiate inside an RLRQ or RLRE. SecurityViolation where it is not protected: anybody could have sent it then."""
        if not is_ciphered(octets):
            raise _came_plain("the end of an association")
        self._peer_restarts = False  # nobody begins to count anew at the end
        return self.open_initiate(octets)

    # -------------------------------------------------------------------------------------------- APDUs

    def outgoing(self, apdu: bytes, *, unconfirmed: bool = False) -> bytes:
        """The APDU as it is to be sent; each call that protects consumes one invocation counter.

        What is `unconfirmed` goes under the broadcast key, where we were given numbers for it.
        """
        sending = self._sending
        form = sending.form
        if not apdu or apdu[0] in _ACSE or apdu[0] in _REFUSALS:
            return apdu
        if unconfirmed and self._numbers.broadcasting is not None:
            return sending.to_all(apdu, self._titles)
        if form is None:
            return sending.enclosed(apdu, self._titles) if sending.forms else apdu
        if form.style is Style.SERVICE_SPECIFIC and apdu[0] not in GLOBAL_TAGS:
            form = Form(form.protection, Style.GENERAL, form.dedicated)  # a notification, say, has no twin
        return protect(apdu, self._ciphers, form, self.own_title, self.send_counter.next())

    def outgoing_size(self, size: int, tag: int) -> int:
        """How long an APDU of `size` octets that begins with `tag` will be once it is protected."""
        return size if tag in _ACSE or tag in _REFUSALS else self._sending.size(size, tag)

    def require_of_answer(self, protection: Protection) -> None:
        """The next answer is to have this protection, besides what it has: an access right wants it so.

        SecurityViolation where a key for it is missing.
        """
        if self._sending.strengthen(protection):
            self._asked = None  # the next request that is like this one is answered like itself again

    def incoming(self, octets: bytes) -> bytes:
        """The APDU that came. SecurityViolation where its protection does not hold or is not enough, or it is a replay."""
        if is_ciphered(octets) and not self._wants_signature:
            opened = unprotect(octets, self._ciphers, self._peer_title)
            if opened.style is Style.GENERAL and is_protected(opened.apdu):
                return self._incoming_layers(octets)
            self._judge(opened)
            if self.role is Role.SERVER:
                self._answer_alike(opened)
            return opened.apdu
        if is_protected(octets):
            return self._incoming_layers(octets)
        self.carried = self.verified = False
        self._came = Protection.NONE
        if self.role is Role.SERVER:
            self._sending.as_usual()
            self._asked = None
        if self._required and octets[:1] and octets[0] not in _ACSE:
            if octets[0] not in _REFUSALS:
                raise _came_plain("an APDU")
            decode_apdu(octets)  # nothing but a whole one passes for it
        return octets

    def refusal(self, error: SecurityError) -> bytes:
        """What a meter answers to what it could not take: an ExceptionResponse, in plain."""
        counter = error.counter if isinstance(error, SecurityViolation) else None
        service = (
            ExceptionService.DECIPHERING_ERROR
            if counter is None
            else ExceptionService.INVOCATION_COUNTER_ERROR
        )
        return ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, service, counter).to_octets()

    # -------------------------------------------------------------------------------------------- one plain layer

    def _judge(self, opened: Opened) -> None:
        """Whether what was opened is protected enough, from the right side, and new. If so, its number is taken."""
        control = opened.control
        if control is not self._good_control:
            demand(control, self._required_ciphering, self._ciphers.suite)
            self._good_control = control
        if opened.originator != self._peer_title:
            self._judge_originator(opened.originator)
        counter = self._counter_of(opened)
        counter.check(opened.counter, verifiable=control.authenticated)
        self.verified = control.authenticated
        if self.verified or reads(opened.apdu, self.role):  # garbage under a forged number moves nothing
            counter.accept(opened.counter, verified=self.verified)
        self.carried = counter is self.receive_counter
        self._came = control

    def _judge_originator(self, title: bytes) -> None:
        """A message told its originator: it must be the one we talk to, if we know already."""
        if self._peer_title is None:
            self.learn_peer_title(title)
        elif title != self._peer_title:
            raise SecurityViolation(
                Violation.TITLE,
                "an APDU names another originator than the other side of this association",
                hint="another meter on the same line, or the title in the settings is wrong",
            )

    def _counter_of(self, opened: Opened) -> ReceiveCounter:
        if opened.dedicated:
            return self._numbers.dedicated
        if not opened.control.broadcast:
            return self.receive_counter
        self._require_unconfirmed(opened.apdu)
        return self._numbers.broadcast

    def _answer_alike(self, opened: Opened) -> None:
        """A meter's next answer is like this request. Nobody answers a broadcast."""
        asked = (opened.control, opened.style, opened.dedicated)
        if asked == self._asked or opened.control.broadcast:
            return
        self._sending.answer((Form(opened.control.protection, opened.style, opened.dedicated),))
        self._asked = asked

    # -------------------------------------------------------------------------------------------- several layers

    @property
    def _titles(self) -> Titles:
        return Titles(self.own_title, self._peer_title)

    def _incoming_layers(self, octets: bytes) -> bytes:
        """All layers are verified, and then judged together. Only then anything moves."""
        layers = self._messages.peel(octets, self._titles)
        forms = tuple(each.form for each in reversed(layers) if each.form.protection)
        apdu, protection = layers[-1].apdu, protection_of(forms)
        self._judge_layers(layers, apdu, protection)
        verified = bool(protection & PROVING)
        for each in layers:
            self._judge_originator(each.originator)
        self._numbers.check(layers, verifiable=verified)
        broadcast = any(is_broadcast(each) for each in forms)
        if self.role is Role.SERVER and not broadcast:
            transaction_id = next((each.transaction_id for each in layers if each.transaction_id), b"")
            self._sending.answer(forms, transaction_id)
            self._asked = None
        if verified or reads(apdu, self.role):
            self._numbers.accept(layers, verified=verified)
        self.verified, self.carried = verified, self._numbers.carried(layers)
        self._came = protection
        return apdu

    def _judge_layers(self, layers: Layers, apdu: bytes, protection: Protection) -> None:
        """Whether they are enough, of our suite, and all from one sender."""
        require_protection(protection, self._required)
        for each in layers:
            if each.control is not None:
                demand(each.control, Protection.NONE, self._ciphers.suite)
            if is_broadcast(each.form):
                self._require_unconfirmed(apdu)
        if len({each.originator for each in layers}) > 1:
            raise SecurityViolation(Violation.TITLE, "the layers of one message name different originators")

    def _require_unconfirmed(self, apdu: bytes) -> None:
        """What is for all is answered by nobody, and so must not ask for it."""
        if self.role is Role.SERVER and wants_answer(apdu):
            raise SecurityViolation(
                Violation.POLICY,
                "a request under the broadcast key wants an answer",
                hint="what is sent to many is sent unconfirmed",
            )


def _came_plain(what: str) -> SecurityViolation:
    return SecurityViolation(
        Violation.POLICY,
        f"{what} came without protection, and this association wants it protected",
        hint="the other side's security policy is weaker than ours, or somebody stripped the protection",
    )


def _no_chance(_size: int) -> bytes:
    raise LocalProtocolError(
        "a signature or general-ciphering takes random octets, and nothing was given that makes them",
        layer="security",
    )
