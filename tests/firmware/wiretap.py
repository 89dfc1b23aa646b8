"""Listens on every wire of a rig: which APDUs were sent, and which invocation counters were spent on them, lost or not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from meterwright.apdu import Aare, Aarq, decode_apdu
from meterwright.link import WrapperFramer
from meterwright.link.hdlc import FrameKind, HdlcFramer
from meterwright.link.hdlc.segments import Reassembly
from meterwright.security import is_ciphered, read_envelope
from meterwright.transport import Interference

_FLAG: Final = 0x7E
_LONGEST_APDU: Final = 0xFFFF


@dataclass(frozen=True)
class Sent:
    """An APDU as it left, from which end, by or to which client."""

    from_client: bool
    client_sap: int
    apdu: bytes


@dataclass(frozen=True)
class Spent:
    """A number that was spent under the one key of a rig: by whom, on what."""

    from_client: bool
    title: bytes
    counter: int
    octets: bytes
    client_sap: int


@dataclass
class Wiretap:
    """What was sent over all wires that it listened on, in order. `since` is where it is counted from."""

    sent: list[Sent] = field(default_factory=list[Sent])
    since: int = 0

    def count_anew(self) -> None:
        """Count only what is sent from now on."""
        self.since = len(self.sent)

    def on(self, interference: Interference | None) -> Interference:
        """Listen on a new wire, before whatever interferes with it."""
        readers: dict[bool, _Reader] = {}

        def passing(from_client: bool, message: bytes) -> list[bytes]:
            if message:
                reader = readers.setdefault(
                    from_client, _HdlcReader() if message[0] == _FLAG else _WrapperReader()
                )
                for source, destination, apdu in reader.receive(message):
                    self.sent.append(Sent(from_client, source if from_client else destination, apdu))
            return [message] if interference is None else list(interference(from_client, message))

        return passing

    def aarqs(self, client_sap: int) -> int:
        """How often this client asked to be let in."""
        return sum(
            each.from_client and each.client_sap == client_sap and each.apdu.startswith(Aarq.prefix)
            for each in self.sent[self.since :]
        )

    def numbers(self, *, of_client: bool) -> list[int]:
        """The numbers that were spent on one side since then."""
        return [each.counter for each in self.spent(self.since) if each.from_client is of_client]

    def spent(self, since: int = 0) -> list[Spent]:
        """Every number that protected an APDU, or the Initiate inside of one."""
        titles: dict[tuple[bool, int], bytes] = {}
        found: list[Spent] = []
        for index, each in enumerate(self.sent):
            octets, end = each.apdu, (each.from_client, each.client_sap)
            if octets[:1] in (Aarq.prefix, Aare.prefix):
                opening = decode_apdu(octets)
                assert isinstance(opening, Aarq | Aare)
                title = opening.calling_ap_title if isinstance(opening, Aarq) else opening.responding_ap_title
                titles[end] = title or titles.get(end, b"")
                octets = opening.user_information or b""
            if is_ciphered(octets) and index >= since:
                envelope = read_envelope(octets)
                assert envelope.title in (None, titles[end])
                found.append(Spent(each.from_client, titles[end], envelope.counter, octets, each.client_sap))
        return found

    def check(self, *, of: Callable[[Spent], bool] = lambda _spent: True) -> None:
        """The numbers of each end rise. One comes again only around the very same octets: a link says them once more.

        Two clients that take turns share the numbers of one store, each in its own order.
        """
        last: dict[tuple[bool, bytes, int], int] = {}
        known: dict[tuple[bool, bytes, int], bytes] = {}
        for each in filter(of, self.spent()):
            octets = known.setdefault((each.from_client, each.title, each.counter), each.octets)
            assert octets == each.octets, f"{each.counter} was spent twice"
            end = (each.from_client, each.title, each.client_sap)
            assert each.counter >= last.get(end, 0), f"{each.counter} was spent after {last[end]}"
            last[end] = each.counter


class _Reader(Protocol):
    def receive(self, octets: bytes) -> list[tuple[int, int, bytes]]: ...


class _WrapperReader:
    def __init__(self) -> None:
        self._framer = WrapperFramer()

    def receive(self, octets: bytes) -> list[tuple[int, int, bytes]]:
        return [(frame.source, frame.destination, frame.apdu) for frame in self._framer.receive(octets)]


class _HdlcReader:
    """Puts I frames together; one that is said again is passed over."""

    def __init__(self) -> None:
        self._framer = HdlcFramer()
        self._segments = Reassembly(_LONGEST_APDU)
        self._last: tuple[int, bytes] | None = None

    def receive(self, octets: bytes) -> list[tuple[int, int, bytes]]:
        apdus: list[tuple[int, int, bytes]] = []
        for frame in self._framer.receive(octets):
            this = (frame.control.send_number, frame.information)
            if frame.control.kind in (FrameKind.SNRM, FrameKind.UA):
                self._last = None
                self._segments.forget()
            if frame.control.kind is not FrameKind.I or this == self._last:
                continue
            self._last = this
            apdu = self._segments.add(frame.information, last=not frame.segmented)
            if apdu is not None:
                apdus.append((frame.source.upper, frame.destination.upper, apdu))
        return apdus
