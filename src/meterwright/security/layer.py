"""The machine between link and association: what goes out is protected, what comes in is opened and judged.

One layer serves one association, and is made anew with the next; the counters are handed in, since they outlive it. The
same class serves both roles. A client protects as its policy says. A meter answers as it was asked (same style, same
key, at least the same protection), and never with less than its policy says.

In plain pass: ACSE (the Initiate inside it is protected by `seal_initiate`), and the two ways to say that nothing could be
served, since who cannot open a request cannot protect the answer. They prove nothing, and can do no more harm than silence.
"""

from typing import Final

from meterwright.apdu import (
    GLOBAL_TAGS,
    Aare,
    Aarq,
    ConfirmedServiceError,
    ExceptionResponse,
    InitiateRequest,
    InitiateResponse,
    Rlre,
    Rlrq,
    decode_apdu,
)
from meterwright.codec import encode_length
from meterwright.errors import LocalProtocolError, RemoteProtocolError, SecurityError, UsageError
from meterwright.security.ciphers import Ciphers
from meterwright.security.counters import ReceiveCounter, SendCounter
from meterwright.security.keys import Keys
from meterwright.security.protection import (
    TITLE_SIZE,
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
from meterwright.security.suites import TAG_SIZE
from meterwright.security.violation import SecurityViolation, Violation
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
_HEADER_SIZE: Final = 5
_INITIATES: Final = {Role.CLIENT: InitiateRequest.prefix[0], Role.SERVER: InitiateResponse.prefix[0]}
"""What an Initiate of each side begins with."""
_CONFORMANCE_BLOCK: Final = bytes.fromhex("5f1f0400")


class SecurityLayer:
    """Protects and opens the APDUs of one association. `peer_title` may be learned from its AARQ or AARE.

    `peer_restarts`: the meter begins its counter anew when it boots; the first APDU of an association may then have any
    number, which is sound only if a high-level authentication follows.
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
        style: Style = Style.SERVICE_SPECIFIC,
        broadcast_counter: ReceiveCounter | None = None,
        peer_restarts: bool = False,
    ) -> None:
        if len(own_title) != TITLE_SIZE:
            raise UsageError(
                f"a system title has {TITLE_SIZE} octets, not {len(own_title)}", layer="security"
            )
        if policy.wants_signatures:
            raise UsageError(
                "this security policy wants signatures, which are not offered here", layer="security"
            )
        self.role: Final = role
        self.own_title: Final = own_title
        self.keys: Final = keys
        self.send_counter: Final = send_counter
        self.receive_counter: Final = receive_counter
        self.carried = False
        self.verified = False
        """Whether what came last was authenticated."""
        self._peer_title: bytes | None = None
        self._ciphers = Ciphers(keys)
        self._required = policy.required(role.other)
        self._own_protection = policy.required(role)
        self._usual_form = Form(self._own_protection, style) if self._own_protection else None
        self._form = self._usual_form
        self._asked: tuple[SecurityControl, Style, bool] | None = None
        self._dedicated_counter = ReceiveCounter()
        self._broadcast_counter = broadcast_counter or ReceiveCounter()
        self._good_control: SecurityControl = _PLAIN
        self._initiate_was_secret = False
        self._peer_restarts = peer_restarts
        if peer_title is not None:
            self.learn_peer_title(peer_title)

    @property
    def is_ciphered(self) -> bool:
        """Whether anything is protected at all: with a policy of none, only a login may need this layer."""
        return bool(self._own_protection or self._required)

    @property
    def is_sealing_initiates(self) -> bool:
        """Whether our Initiate is to be protected: a client's as its policy says, a meter's also where the client's was."""
        return self.is_ciphered or self._initiate_was_secret

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
                opened = self._open(octets)
            except SecurityViolation as violation:
                raise self._which_key(octets, violation) from None
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
        if self.role is Role.CLIENT and self._form is not None:
            self._form = Form(self._form.protection, self._form.style, dedicated=True)

    def open_release(self, octets: bytes) -> bytes:
        """The Initiate inside an RLRQ or RLRE. SecurityViolation where it is not protected: anybody could have sent it then."""
        if not is_ciphered(octets):
            raise _came_plain("the end of an association")
        self._peer_restarts = False  # nobody begins to count anew at the end
        return self.open_initiate(octets)

    # -------------------------------------------------------------------------------------------- APDUs

    def outgoing(self, apdu: bytes) -> bytes:
        """The APDU as it is to be sent; each call that protects consumes one invocation counter."""
        form = self._form
        if form is None or not apdu or apdu[0] in _ACSE or apdu[0] in _REFUSALS:
            return apdu
        if form.style is Style.SERVICE_SPECIFIC and apdu[0] not in GLOBAL_TAGS:
            form = Form(form.protection, Style.GENERAL, form.dedicated)  # a notification, say, has no twin
        return protect(apdu, self._ciphers, form, self.own_title, self.send_counter.next())

    def outgoing_size(self, size: int, tag: int) -> int:
        """How long an APDU of `size` octets that begins with `tag` will be once it is protected."""
        form = self._form
        if form is None or tag in _ACSE or tag in _REFUSALS:
            return size
        content = _HEADER_SIZE + size
        if form.protection & Protection.AUTHENTICATION:
            content += TAG_SIZE
        general = form.style is Style.GENERAL or tag not in GLOBAL_TAGS
        around = bytearray(1 + (1 + TITLE_SIZE if general else 0))
        encode_length(content, around)
        return len(around) + content

    def incoming(self, octets: bytes) -> bytes:
        """The APDU that came. SecurityViolation where its protection does not hold or is not enough, or it is a replay."""
        if is_ciphered(octets):
            opened = self._open(octets)
            if self.role is Role.SERVER:
                self._answer_alike(opened)
            return opened.apdu
        self.carried = self.verified = False
        if self.role is Role.SERVER:
            self._form, self._asked = self._usual_form, None
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

    def _open(self, octets: bytes) -> Opened:
        opened = unprotect(octets, self._ciphers, self._peer_title)
        control = opened.control
        if control is not self._good_control:
            demand(control, self._required, self._ciphers.suite)
            self._good_control = control
        if opened.originator != self._peer_title:
            self._judge_originator(opened.originator)
        counter = self._counter_of(opened)
        counter.check(opened.counter, verifiable=control.authenticated)
        self.verified = control.authenticated
        if self.verified or _reads(opened.apdu, self.role):  # garbage under a forged number moves nothing
            counter.accept(opened.counter, verified=self.verified)
        self.carried = counter is self.receive_counter
        return opened

    def _which_key(self, octets: bytes, violation: SecurityViolation) -> SecurityViolation:
        """What an Initiate that does not open tells about our keys: nobody but us hears it.

        Deciphered without looking at its tag, it reads as an Initiate where the encryption key and the title are right.
        """
        envelope = read_envelope(octets) if violation.violation is Violation.TAG else None
        title = self._peer_title
        if envelope is None or title is None or envelope.control.protection is not Protection.BOTH:
            return violation
        control = int(Protection.ENCRYPTION) | int(self._ciphers.suite)
        nonce = title + envelope.counter.to_bytes(4, "big")
        guess = self._ciphers.transform(control, dedicated=False).open(
            nonce, octets[envelope.start : -TAG_SIZE]
        )
        reads = guess[:1] == bytes((_INITIATES[self.role.other],)) and _CONFORMANCE_BLOCK in guess
        what, hint = _AUTHENTICATION_KEY if reads else _ENCRYPTION_KEY
        return SecurityViolation(Violation.TAG, what, hint=hint)

    def _judge_originator(self, title: bytes) -> None:
        """A general APDU told its originator: it must be the one we talk to, if we know already."""
        if self._peer_title is None:
            self.learn_peer_title(title)
            return
        raise SecurityViolation(
            Violation.TITLE,
            "an APDU names another originator than the other side of this association",
            hint="another meter on the same line, or the title in the settings is wrong",
        )

    def _counter_of(self, opened: Opened) -> ReceiveCounter:
        if opened.dedicated:
            return self._dedicated_counter
        return self._broadcast_counter if opened.control.broadcast else self.receive_counter

    def _answer_alike(self, opened: Opened) -> None:
        """A meter's next answer is like this request. Nobody answers a broadcast."""
        asked = (opened.control, opened.style, opened.dedicated)
        if asked == self._asked or opened.control.broadcast:
            return
        self._asked = asked
        self._form = Form(self._own_protection | opened.control.protection, opened.style, opened.dedicated)


def _reads(octets: bytes, role: Role) -> bool:
    """Whether these octets are an APDU that the other side sends: garbage hardly ever is one."""
    if octets[:1] not in _SENT_TO[role]:
        return False
    try:
        decode_apdu(octets)
    except RemoteProtocolError:
        return False
    return True


_SENT_TO: Final = {
    Role.CLIENT: frozenset(bytes((tag,)) for tag in (0x08, 0x0F, 0x18, 0xC2, 0xC4, 0xC5, 0xC7, 0xDA)),
    Role.SERVER: frozenset(bytes((tag,)) for tag in (0x01, 0x10, 0xC0, 0xC1, 0xC3, 0xD9)),
}
"""What an APDU begins with that a client, or a meter, is sent under protection."""


def _came_plain(what: str) -> SecurityViolation:
    return SecurityViolation(
        Violation.POLICY,
        f"{what} came without protection, and this association wants it protected",
        hint="the other side's security policy is weaker than ours, or somebody stripped the protection",
    )


_AUTHENTICATION_KEY: Final = (
    "the authentication key (AK) is not the one of the other side: its Initiate can be read, and the tag is wrong",
    "the encryption key and the system title are right; check the authentication key",
)
_ENCRYPTION_KEY: Final = (
    "the encryption key (EK) is not the one of the other side, or its system title is another: its Initiate does not open",
    "check the encryption key of this client address; then the meter's system title, if the settings give one",
)
