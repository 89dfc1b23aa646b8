# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: as gurux_peer.py, it runs under the peer's interpreter, in whose environment alone gurux_dlms exists.
"""The interop peer's way in: which client it is, how it proves that, and what protects its APDUs, told by options.

`Login` makes association after association, of one client of one meter. Its invocation counter only ever goes up; with
`--counter-object` the meter's own count is read before each, by a public client that is gone again before the secured
one comes.

The library decrypts without verifying. `watch_tags` has every tag that the meter sends computed anew by the library's own
GCM; `Login.tags_checked` counts them, and a wrong one, or a counter of the meter that does not rise, ends the association.
"""

import argparse

from gurux_dlms import GXDLMSClient
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.CountType import CountType
from gurux_dlms.enums import Authentication, Conformance, Security
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.objects.enums import SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient
from gurux_wire import LINKS, Association, PeerError

AUTHENTICATIONS = {
    "none": Authentication.NONE,
    "low": Authentication.LOW,
    "high": Authentication.HIGH,
    "high-md5": Authentication.HIGH_MD5,
    "high-sha1": Authentication.HIGH_SHA1,
    "high-gmac": Authentication.HIGH_GMAC,
    "high-sha256": Authentication.HIGH_SHA256,
}
SECURITIES = {
    "none": Security.NONE,
    "authenticated": Security.AUTHENTICATION,
    "encrypted": Security.ENCRYPTION,
    "authenticated-encrypted": Security.AUTHENTICATION_ENCRYPTION,
}
LINK_OPTIONS = ("hdlc_lower", "address_size", "max_info")
TAG_SIZE = 12
TITLE_SIZE = 8
TITLE = b"MWPEER01"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of whoever talks to a meter."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--link", choices=sorted(LINKS), default="wrapper")
    parser.add_argument("--client", type=int, default=16)
    parser.add_argument("--server", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds an answer may take")
    parser.add_argument(
        "--trace", action="store_true", help="add all octets sent and received as `exchanges`"
    )
    hdlc = parser.add_argument_group("HDLC")
    hdlc.add_argument("--hdlc-lower", type=int, help="lower address; wants --address-size 2 or 4")
    hdlc.add_argument("--address-size", type=int, choices=(1, 2, 4), help="octets of the meter's address: 1")
    hdlc.add_argument("--max-info", type=int, help="octets of information in a frame, both ways: 128")
    security = parser.add_argument_group("security")
    security.add_argument("--authentication", choices=AUTHENTICATIONS, default="none")
    security.add_argument("--password", default="12345678", help="LLS or HLS secret, as text")
    security.add_argument("--security", choices=SECURITIES, default="none")
    security.add_argument("--suite", type=int, choices=(0,), default=0)
    security.add_argument("--ek", type=octets, default=bytes(range(0x10)), help="global unicast key, in hex")
    security.add_argument(
        "--ak", type=octets, default=bytes(range(0xD0, 0xE0)), help="authentication key, in hex"
    )
    security.add_argument("--title", type=octets, default=TITLE, help="system title of the client, in hex")
    security.add_argument(
        "--check-tags",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compute every tag of the meter anew, which the library does not: not while time is taken",
    )
    security.add_argument("--counter", type=int, default=1, help="the first invocation counter, at least")
    security.add_argument("--counter-object", metavar="LN", help="where to read the last one the meter took")
    security.add_argument("--counter-client", type=int, default=16, help="the public client that reads it")
    security.add_argument(
        "--general-protection",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="propose general-glo, which is used then if the meter grants it",
    )


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def misuse(options: argparse.Namespace) -> str:
    """What is wrong with the options, "" where nothing is."""
    if options.link != "hdlc" and any(getattr(options, name) is not None for name in LINK_OPTIONS):
        return "--hdlc-lower, --address-size and --max-info are for --link hdlc"
    if (options.hdlc_lower is not None) != (options.address_size in {2, 4}):
        return "--hdlc-lower and --address-size 2 or 4 belong together"
    if len(options.title) != TITLE_SIZE:
        return f"--title has {TITLE_SIZE} octets"
    return ""


class Login:
    """A client of a meter, told by options: it makes association after association."""

    def __init__(self, options: argparse.Namespace, log: list[dict[str, str]]) -> None:
        self.options = options
        self.log = log
        self.counter_read: int | None = None
        self.tags_checked = 0
        self._counter = options.counter
        self._last: GXDLMSClient | None = None

    def associate(self) -> Association:
        """Connect; the association is made by its `open`, or by `with`."""
        if self.options.counter_object:
            self.counter_read = self._read_counter()
        self._counter = self._next_counter()
        self._last = self._client()
        return self._association(self._last)

    def report(self) -> dict[str, object]:
        """What became of counters and tags; `counter_next` is None for a client that counts nothing."""
        counts = self._last is not None and self._last.settings.cipher is not None
        return {
            "counter_read": self.counter_read,
            "counter_next": self._next_counter() if counts else None,
            "tags_checked": self.tags_checked,
        }

    def _next_counter(self) -> int:
        """More than the meter has seen, more than was used."""
        used = 0 if self._last is None or self._last.settings.cipher is None else counter_of(self._last)
        return max(self._counter, used, 0 if self.counter_read is None else self.counter_read + 1)

    def _read_counter(self) -> int:
        client = GXDLMSClient(
            True, self.options.counter_client, 1, Authentication.NONE, None, LINKS[self.options.link]
        )
        with self._association(client) as association:
            value = association.read(GXDLMSData(self.options.counter_object), 2)
        if not isinstance(value, int):
            raise PeerError(f"{self.options.counter_object} holds no counter but {value!r}")
        return int(value)

    def _association(self, client: GXDLMSClient) -> Association:
        options = self.options
        if options.link == "hdlc":
            set_up_hdlc(client, options)
        else:
            client.serverAddress = options.server
        return Association(client, options, self.log)

    def _client(self) -> GXDLMSClient:
        """A plain client where that is enough: it is what the benchmarks measure."""
        options = self.options
        authentication, security = AUTHENTICATIONS[options.authentication], SECURITIES[options.security]
        told = (True, options.client, options.server, authentication, options.password, LINKS[options.link])
        if security == Security.NONE and authentication in {Authentication.NONE, Authentication.LOW}:
            client = GXDLMSClient(*told)
        else:
            client = GXDLMSSecureClient(*told)
            cipher = client.ciphering
            cipher.security, cipher.securitySuite = security, SecuritySuite(options.suite)
            cipher.systemTitle = options.title
            cipher.blockCipherKey, cipher.authenticationKey = options.ek, options.ak
            cipher.invocationCounter = self._counter
            client.settings.watch = Watch(self)
        if not options.general_protection:
            client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
        return client


def counter_of(client: GXDLMSClient) -> int:
    """The invocation counter that the client uses next."""
    return int(client.settings.cipher.invocationCounter)


def set_up_hdlc(client: GXDLMSClient, options: argparse.Namespace) -> None:
    size = options.address_size or 1
    client.serverAddressSize = size
    client.serverAddress = (
        options.server
        if options.hdlc_lower is None
        else client.getServerAddress(options.server, options.hdlc_lower, size)
    )
    if options.max_info is not None:
        client.hdlcSettings.maxInfoTX = client.hdlcSettings.maxInfoRX = options.max_info


class Watch:
    """What one association received under protection."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.opened = 0
        self.last = -1
        self.complaint = ""
        """Told by the association once the library is through: it hides what is raised in its midst."""

    def saw(self, parameters: AesGcmParameter, plain: bytes, tag: bytes) -> None:
        """An APDU was opened. `tag` are its last octets, whatever they are."""
        self.opened += 1
        number = int(parameters.invocationCounter)
        if number <= self.last:
            self.complaint = f"the meter's invocation counter came to {number} after {self.last}"
        self.last = number
        if parameters.security == Security.ENCRYPTION or not self.login.options.check_tags:
            return
        self.login.tags_checked += 1
        if bytes(tag) != tag_of(parameters, plain):
            self.complaint = f"the meter's tag {bytes(tag).hex()} is wrong"


def tag_of(parameters: AesGcmParameter, plain: bytes) -> bytes:
    """The tag over an APDU that belongs there, by the library."""
    again = AesGcmParameter(
        0, parameters.systemTitle, parameters.blockCipherKey, parameters.authenticationKey
    )
    again.security, again.securitySuite = parameters.security, parameters.securitySuite
    again.invocationCounter, again.type_ = parameters.invocationCounter, CountType.TAG
    return bytes(GXDLMSChippering.encryptAesGcm(again, bytearray(plain)))


def watch_tags() -> None:
    """Have whatever this process decrypts looked at by the `watch` of its settings, where there is one."""
    decrypt = GXCiphering.decrypt

    def watched(settings, parameters, data):
        tag = bytes(data.array())[-TAG_SIZE:]
        plain = decrypt(settings, parameters, data)
        watch = getattr(settings, "watch", None)
        if watch is not None:
            watch.saw(parameters, bytes(plain), tag)
        return plain

    GXCiphering.decrypt = watched
