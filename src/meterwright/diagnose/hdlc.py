"""HDLC frames peeled: one or many, segments put together, and what a broken one still tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from meterwright.diagnose.carried import MOST_FRAMES, Carried, error, too_many_frames, truncated, without_llc
from meterwright.diagnose.explanation import Json, Layer
from meterwright.errors import RemoteProtocolError
from meterwright.link.hdlc import (
    CONTROLS,
    Frame,
    FrameKind,
    HdlcAddress,
    HdlcFramer,
    HdlcParameters,
    PushSegments,
)
from meterwright.link.hdlc.address import address_size
from meterwright.link.hdlc.crc import CHECK_SIZE
from meterwright.link.hdlc.frame import FLAG, SHORTEST_FRAME, announced_length
from meterwright.link.hdlc.segments import LLC_COMMAND, LLC_RESPONSE
from meterwright.values import Finding

__all__ = ["bare_frame", "holds_hdlc", "peel_hdlc"]

_KIND: Final = "hdlc"
_FORMAT: Final = 0xA0
_FORMAT_MASK: Final = 0xF0
_CARRIERS: Final = (FrameKind.I, FrameKind.UI)
_NEGOTIATORS: Final = (FrameKind.SNRM, FrameKind.UA)
_HCS_HINT: Final = (
    "noise on the line, or a wrong baud rate or parity; the rest is explained as it came, with care"
)


@dataclass(slots=True)
class _Segments:
    """What one station sends another: the segments under way, and the layers of their frames."""

    joiner: PushSegments = field(default_factory=PushSegments)
    layers: list[Layer] = field(default_factory=list[Layer])


def holds_hdlc(octets: bytes) -> bool:
    """Whether an intact frame stands somewhere in them; its first flag may be missing."""
    return bool(HdlcFramer().receive(bytes((FLAG,)) + octets))


def peel_hdlc(octets: bytes) -> Iterator[Carried]:
    """The APDUs in HDLC frames, and the frames that carry none."""
    framer = HdlcFramer()
    flag = b"" if octets.startswith(bytes((FLAG,))) else bytes((FLAG,))
    frames = framer.receive(flag + octets) + framer.abandon()
    if not frames:
        yield _broken(octets.lstrip(bytes((FLAG,))))
        return
    stations: dict[tuple[bytes, bytes], _Segments] = {}
    for frame in frames[:MOST_FRAMES]:
        yield from _take(frame, stations)
    for each in stations.values():
        if each.layers:
            yield _missing(tuple(each.layers))
    if len(frames) > MOST_FRAMES:
        yield too_many_frames()
    if framer.dropped:
        what = f"{framer.dropped} octets belong to no intact HDLC frame"
        if framer.broken:
            what += f"; {framer.broken} looked like a frame, with a wrong check sequence"
        yield Carried((), None, (error("octets-outside-frames", what, hint="explain them alone"),))


def bare_frame(frame: Frame) -> Iterator[Carried]:
    """The one frame that stands without its flags in a MAC frame of a power line."""
    return _take(frame, {})


def _take(frame: Frame, stations: dict[tuple[bytes, bytes], _Segments]) -> Iterator[Carried]:
    layer = Layer(_KIND, frame.to_octets(), _header(frame))
    if frame.control.kind not in _CARRIERS or not frame.information:
        yield Carried((layer,), None)
        return
    partners = (frame.source.octets, frame.destination.octets)
    segments = stations.setdefault(partners, _Segments())
    missed = segments.joiner.missed
    apdu = segments.joiner.add(frame)
    if segments.joiner.missed != missed and segments.layers:
        yield _missing(tuple(segments.layers))
        segments.layers.clear()
    segments.layers.append(layer)
    if segments.joiner.is_under_way:
        return
    layers = tuple(segments.layers)
    segments.layers.clear()
    if apdu is None:
        yield _missing(layers)
        return
    llc = _llc_of(layers[0])
    yield without_llc(layers, llc + apdu) if llc else Carried(layers, apdu)


def _llc_of(layer: Layer) -> bytes:
    """The LLC header with which the information of this frame begins."""
    frame = Frame.from_octets(layer.octets[1:-1])
    return frame.information[:3] if frame.information.startswith((LLC_COMMAND, LLC_RESPONSE)) else b""


def _missing(layers: tuple[Layer, ...]) -> Carried:
    what = "the segments of an APDU are not complete: its end is missing, or too much"
    return Carried(
        layers, None, (error("segments-missing", what, hint="give all frames of the APDU, in order"),)
    )


def _header(frame: Frame) -> Mapping[str, Json]:
    what = frame.control
    header: dict[str, Json] = {
        "frame": what.kind.value if what.kind is not FrameKind.OTHER else "other",
        "source": frame.source.upper,
        "destination": frame.destination.upper,
        "source_octets": frame.source.octets.hex(),
        "destination_octets": frame.destination.octets.hex(),
        "control": what.octet,
        "segmented": frame.segmented,
    }
    if what.kind is FrameKind.I:
        header.update(send_number=what.send_number, receive_number=what.receive_number)
    elif what.kind is FrameKind.RR or what.kind is FrameKind.RNR:
        header.update(receive_number=what.receive_number)
    elif what.kind in _NEGOTIATORS and frame.information:
        header.update(_parameters(frame.information))
    elif frame.information and what.kind not in _CARRIERS:
        header.update(information=frame.information.hex())
    return header


def _parameters(information: bytes) -> Iterator[tuple[str, Json]]:
    yield "information", information.hex()
    try:
        told = HdlcParameters.from_information(information)
    except RemoteProtocolError:
        return
    yield "max_information_sent", told.transmit_size
    yield "max_information_received", told.receive_size
    yield "window_sent", told.transmit_window
    yield "window_received", told.receive_window


# ------------------------------------------------------------------------------------------------ broken frames


def _broken(octets: bytes) -> Carried:
    """What a frame that is not intact, the flags before it taken away, still tells."""
    if len(octets) < 2 or octets[0] & _FORMAT_MASK != _FORMAT:
        what = "the flag 7e begins an HDLC frame, and no frame follows it (its format is a0 to af)"
        short = len(octets) < 2
        return Carried(
            (Layer(_KIND, octets),), None, (truncated(what) if short else error("no-frame", what),)
        )
    length = announced_length(octets, 0)
    head = _lenient_header(octets)
    if head is None or length < SHORTEST_FRAME:
        what = f"an HDLC frame of {length} octets is announced, only {len(octets)} have come, and no whole header"
        return Carried((Layer(_KIND, octets),), None, (truncated(what),))
    frame, start = head
    finding = _complaint(octets, length, start)
    layer = Layer(_KIND, octets[:length], {**_header(frame), "intact": False})
    information = octets[start : max(start, length - CHECK_SIZE)]
    if frame.control.kind not in _CARRIERS or not information:
        return Carried((layer,), None, (finding,))
    carried = without_llc((layer,), information)
    return replace(carried, findings=(finding, *carried.findings))


def _lenient_header(octets: bytes) -> tuple[Frame, int] | None:
    """What the header says, its check sequence not looked at, and where the information begins."""
    middle = address_size(octets, 2)
    end = address_size(octets, 2 + middle) if middle else None
    if not middle or not end or len(octets) <= 2 + middle + end:
        return None
    control_at = 2 + middle + end
    try:
        destination = HdlcAddress.from_octets(octets[2 : 2 + middle])
        source = HdlcAddress.from_octets(octets[2 + middle : control_at])
    except RemoteProtocolError:
        return None
    frame = Frame(destination, source, CONTROLS[octets[control_at]], b"", bool(octets[0] & 0x08))
    return frame, control_at + 1 + CHECK_SIZE


def _complaint(octets: bytes, length: int, start: int) -> Finding:
    if len(octets) < length:
        return truncated(f"an HDLC frame of {length} octets is announced, only {len(octets)} have come")
    try:
        Frame.from_octets(octets[:length])
    except RemoteProtocolError as problem:
        what = f"{problem.what}, in an HDLC frame of {length} octets whose information begins at {start}"
        return error("check-sequence", what, hint=_HCS_HINT)
    return truncated(f"an HDLC frame of {length} octets, and no flag (7e) ends it")
