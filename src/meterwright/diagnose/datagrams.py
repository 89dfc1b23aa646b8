"""Carriers that hand over one APDU at a time, recognised by their form: wireless M-Bus, CoAP, PRIME, SMS, power line.

None has a mark that an APDU could not begin with, so an APDU has precedence, and a carrier is believed only where all of it fits: its
check sequences, its lengths, and an APDU inside.
"""

from collections.abc import Callable, Iterator
from typing import Final

from meterwright.apdu import APDUS
from meterwright.diagnose.carried import MOST_FRAMES, Carried, error, too_many_frames
from meterwright.diagnose.explanation import Json, Layer
from meterwright.diagnose.hdlc import bare_frame
from meterwright.errors import RemoteProtocolError
from meterwright.link import CoapMessage, LlcFrame, PrimeFramer, ShortMessage, Telegram
from meterwright.link.plc import decode_hdlc_llc
from meterwright.link.prime import ConcentratorMessage, PrimeFrame
from meterwright.link.wmbus import dlms_segment

__all__ = ["is_whole_apdu", "peel_checked_telegram", "peel_datagram", "peel_prime"]

_PRIME_ONLY: Final = (b"\x00\x02", b"\x00\x03")


def is_whole_apdu(octets: bytes) -> bool:
    """Whether the octets are one APDU, or one and padding."""
    span, problem = APDUS.trace(octets)
    return problem is None and span.end is not None and not any(octets[span.end :])


def begins_an_apdu(octets: bytes) -> bool:
    """Whether the first octets are those of an APDU."""
    try:
        APDUS.find(octets)
    except RemoteProtocolError:
        return False
    return True


def peel_checked_telegram(octets: bytes) -> tuple[Carried, ...] | None:
    """A wireless M-Bus telegram whose check sequences fit: nothing else is one by chance."""
    try:
        telegram = Telegram.from_octets(octets)
    except RemoteProtocolError:
        return None
    return (_of_telegram(telegram, octets),) if telegram.checked else None


def peel_datagram(octets: bytes) -> tuple[Carried, ...] | None:
    """What a carrier without any mark holds; None where no carrier fits."""
    for peel in _CARRIERS:
        if (found := peel(octets)) is not None:
            return found
    return None


def peel_prime(octets: bytes) -> tuple[Carried, ...] | None:
    """Frames of a PRIME concentrator, where their version or a message in them tells them from the plain wrapper."""
    try:
        framer = PrimeFramer()
        frames = framer.receive(octets)
        framer.receive(b"")
    except RemoteProtocolError:
        return None
    if not frames or (not octets.startswith(_PRIME_ONLY) and all(frame.message is None for frame in frames)):
        return None
    carried = tuple(_of_prime(frame) for frame in frames[:MOST_FRAMES])
    return carried if len(frames) <= MOST_FRAMES else (*carried, too_many_frames())


def _of_telegram(telegram: Telegram, octets: bytes) -> Carried:
    header: dict[str, Json] = {
        "control": telegram.control,
        "manufacturer": telegram.manufacturer,
        "identification": telegram.identification,
        "version": telegram.version,
        "medium": telegram.medium,
        "ci": telegram.information[0] if telegram.information else None,
    }
    try:
        segment = dlms_segment(telegram.information)
    except RemoteProtocolError as problem:
        return Carried((Layer("wmbus", octets, header),), None, (error("no-apdu", problem.what),))
    header.update(source=segment.source, destination=segment.destination)
    layer = Layer("wmbus", octets, header)
    if segment.number or not segment.last:
        what = f"segment {segment.number} of an APDU in several telegrams, which are put together by a listener only"
        return Carried((layer,), segment.octets, (error("segments-missing", what),))
    return Carried((layer,), segment.octets)


def _unchecked_telegram(octets: bytes) -> tuple[Carried, ...] | None:
    try:
        telegram = Telegram.from_octets(octets)
        segment = dlms_segment(telegram.information)
    except RemoteProtocolError:
        return None
    fits = segment.number == 0 and begins_an_apdu(segment.octets)
    return (_of_telegram(telegram, octets),) if fits else None


def _coap(octets: bytes) -> tuple[Carried, ...] | None:
    try:
        message = CoapMessage.from_octets(octets)
    except RemoteProtocolError:
        return None
    header: dict[str, Json] = {
        "type": message.type.name.lower().replace("_", "-"),
        "code": f"{message.code >> 5}.{message.code & 0x1F:02}",
        "message_id": message.message_id,
        "token": message.token.hex(),
        "path": message.path,
    }
    layer = Layer("coap", octets[: len(octets) - len(message.payload)], header)
    try:
        frame = message.carried()
    except RemoteProtocolError as problem:
        believed = message.options and message.payload and "blocks" in problem.what
        return (Carried((layer,), None, (error("coap-blocks", problem.what),)),) if believed else None
    if not begins_an_apdu(frame.apdu):
        return None
    if len(frame.apdu) == len(message.payload):
        return (Carried((layer,), frame.apdu),)
    partners: dict[str, Json] = {"version": 1, "source": frame.source, "destination": frame.destination}
    wrapper = Layer("wrapper", message.payload[:8], {**partners, "length": len(frame.apdu)})
    return (Carried((layer, wrapper), frame.apdu),)


def _power_line(octets: bytes) -> tuple[Carried, ...] | None:
    try:
        frame = LlcFrame.from_octets(octets)
    except RemoteProtocolError:
        return _hdlc_on_power_line(octets)
    if not begins_an_apdu(frame.apdu):
        return None
    layer = Layer("plc", octets[:3], {"source": frame.source, "destination": frame.destination})
    return (Carried((layer,), frame.apdu),)


def _hdlc_on_power_line(octets: bytes) -> tuple[Carried, ...] | None:
    try:
        return tuple(bare_frame(decode_hdlc_llc(octets)))
    except RemoteProtocolError:
        return None


def _short_message(octets: bytes) -> tuple[Carried, ...] | None:
    try:
        message = ShortMessage.from_octets(octets)
    except RemoteProtocolError:
        return None
    if not is_whole_apdu(message.apdu):
        return None
    layer = Layer("sms", octets[:2], {"destination": message.destination, "source": message.source})
    return (Carried((layer,), message.apdu),)


def _of_prime(frame: PrimeFrame) -> Carried:
    header: dict[str, Json] = {
        "version": frame.version,
        "source": frame.source,
        "destination": frame.destination,
        "length": len(frame.content),
    }
    message = frame.message
    if message is None:
        return Carried((Layer("prime", b"", header),), frame.content or None)
    return Carried((Layer("prime", frame.content, {**header, **dict(_told(message))}),), None)


def _told(message: ConcentratorMessage) -> Iterator[tuple[str, Json]]:
    yield "message", message.kind.name.lower().replace("_", "-")
    for name, value in (("number", message.number), ("capabilities", message.capabilities)):
        if value is not None:
            yield name, value
    for name, octets in (("identifier", message.identifier), ("eui48", message.eui48)):
        if octets is not None:
            yield name, octets.hex()


_CARRIERS: Final[tuple[Callable[[bytes], tuple[Carried, ...] | None], ...]] = (
    _coap,
    _power_line,
    _short_message,
    _unchecked_telegram,
)
"""From the one whose form is the least likely to come by chance to the one that is the likeliest."""
