"""Long frames of wired M-Bus peeled: segments put together, and what a broken frame still tells."""

from collections.abc import Iterator, Mapping
from typing import Final

from meterwright.diagnose.carried import MOST_FRAMES, Carried, error, too_many_frames, truncated
from meterwright.diagnose.explanation import Json, Layer
from meterwright.errors import RemoteProtocolError
from meterwright.link import LongFrame, MbusFramer
from meterwright.link.mbus import SegmentJoiner
from meterwright.link.mbus.frame import LONGEST_FRAME, announced_size
from meterwright.values import Finding

__all__ = ["holds_mbus", "looks_like_mbus", "peel_mbus"]

_KIND: Final = "mbus"
_HEAD: Final = 4


def looks_like_mbus(octets: bytes) -> bool:
    """Whether they begin as a long frame: 68 L L 68."""
    return len(octets) > _HEAD and octets[0] == octets[3] == 0x68 and octets[1] == octets[2]


def holds_mbus(octets: bytes) -> bool:
    """Whether an intact long frame that carries DLMS stands somewhere in them."""
    return any(frame.segment is not None for frame in MbusFramer().receive(octets))


def peel_mbus(octets: bytes) -> Iterator[Carried]:
    """The APDUs in long frames, and the frames that carry none."""
    framer = MbusFramer()
    frames = framer.receive(octets) + framer.abandon()
    if not frames:
        yield _broken(octets)
        return
    joiner, layers = SegmentJoiner(), list[Layer]()
    for frame in frames[:MOST_FRAMES]:
        yield from _take(frame, joiner, layers)
    if layers:
        yield _missing(tuple(layers))
    if len(frames) > MOST_FRAMES:
        yield too_many_frames()
    if framer.dropped:
        what = f"{framer.dropped} octets belong to no intact M-Bus frame"
        yield Carried((), None, (error("octets-outside-frames", what, hint="explain them alone"),))


def _take(frame: LongFrame, joiner: SegmentJoiner, layers: list[Layer]) -> Iterator[Carried]:
    layer = Layer(_KIND, frame.to_octets(), _header(frame))
    segment = frame.segment
    if segment is None:
        what = f"CI {frame.information[0]:02x} of an M-Bus frame is none of DLMS (00 to 1f)"
        yield Carried((layer,), None, (error("no-apdu", what),))
        return
    missed = joiner.missed
    apdu = joiner.add(frame.address, segment)
    if joiner.missed != missed and layers:
        yield _missing(tuple(layers))
        layers.clear()
    layers.append(layer)
    if joiner.is_under_way:
        return
    carried = _missing(tuple(layers)) if apdu is None else Carried(tuple(layers), apdu or None)
    layers.clear()
    yield carried


def _missing(layers: tuple[Layer, ...]) -> Carried:
    what = "the segments of an APDU in M-Bus frames are not complete: the low digit of CI numbers them from 0, 10 marks the last"
    return Carried(
        layers, None, (error("segments-missing", what, hint="give all frames of the APDU, in order"),)
    )


def _header(frame: LongFrame) -> Mapping[str, Json]:
    segment = frame.segment
    header: dict[str, Json] = {"control": frame.control, "address": frame.address, "ci": frame.information[0]}
    if segment is not None:
        header.update(source=segment.source, destination=segment.destination)
        header.update(segment=segment.number, last=segment.last)
    return header


def _broken(octets: bytes) -> Carried:
    """What the first frame, which is not intact, still tells."""
    size = announced_size(octets, 0) or LONGEST_FRAME
    body = octets[_HEAD : size - 2]
    if len(octets) < size:
        finding = truncated(f"an M-Bus frame of {size} octets is announced, only {len(octets)} have come")
    else:
        finding = _complaint(octets[:size])
    if len(body) < 3:
        return Carried((Layer(_KIND, octets),), None, (finding,))
    frame = LongFrame(body[0], body[1], body[2:])
    layer = Layer(_KIND, octets[:size], {**_header(frame), "intact": False})
    segment = frame.segment
    return Carried((layer,), None if segment is None else segment.octets or None, (finding,))


def _complaint(octets: bytes) -> Finding:
    try:
        LongFrame.from_octets(octets)
    except RemoteProtocolError as problem:
        return error(
            "check-sequence", problem.what, hint=problem.hint or "octets were lost or altered on the way"
        )
    return truncated("an M-Bus frame is not whole")
