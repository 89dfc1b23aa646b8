"""How an HDLC connection fails, in words: what happened, and what to try first."""

from dataclasses import dataclass
from typing import Final

from meterwright.errors import ConnectionLost, LinkError, RemoteProtocolError, Timeout
from meterwright.link.hdlc.address import HdlcAddress
from meterwright.link.hdlc.reject import FrameReject

__all__ = [
    "Overheard",
    "busy_too_long",
    "disconnected_by_meter",
    "never_sent",
    "no_progress",
    "no_response",
    "refused",
    "rejected",
]


@dataclass(frozen=True, slots=True)
class Overheard:
    """What came while an answer was awaited, and was none."""

    noise: int = 0
    """Octets that were no frame."""
    stranger: tuple[HdlcAddress, HdlcAddress] | None = None
    """Source and destination of the last frame that was not for us."""
    is_echo: bool = False
    """That frame was our own."""


_NOT_SEEN: Final = (
    "the server address (logical device, lower address) or its length may be wrong: meters stay silent then, try 1, 2 and 4 "
    "octets; or the baud rate, "
    "or the meter is busy with another client: it lets go of that after its inactivity time-out, mostly 120 s"
)
_WENT_AWAY: Final = "the line may be bad, or the meter has restarted: connect anew; a slow line wants a longer response time-out"


def no_response(
    frame: str, times: int, server: HdlcAddress, overheard: Overheard, *, connected: bool
) -> Timeout:
    """Nothing was heard that answers `frame`, sent `times` times."""
    return Timeout(
        f"the meter at address {server} did not answer {frame}, sent {times} {'time' if times == 1 else 'times'}",
        layer="hdlc",
        hint=_overheard_hint(overheard) or (_WENT_AWAY if connected else _NOT_SEEN),
    )


def _overheard_hint(overheard: Overheard) -> str:
    if overheard.is_echo:
        return "our own frames come back: the line echoes, so turn the echo filter on"
    if overheard.stranger is not None:
        source, destination = overheard.stranger
        return f"frames came from server {source} for client {destination}: check both addresses"
    if overheard.noise:
        return (
            f"{overheard.noise} octets came that are no HDLC: wrong baud rate, parity or data bits, a noisy line, "
            "or a port that speaks another protocol"
        )
    return ""


def refused() -> LinkError:
    """DM was the answer to SNRM, twice."""
    return LinkError(
        "the meter refused the connection (DM)",
        layer="hdlc",
        hint="it may serve one client at a time: disconnect first, or wait for its inactivity time-out (mostly 120 s); "
        "or it does not know this client address",
    )


def disconnected_by_meter() -> ConnectionLost:
    """DM came over an open connection."""
    return ConnectionLost(
        "the meter says that there is no connection (DM)",
        layer="hdlc",
        hint="it has restarted, or its inactivity time-out ran out: connect and associate anew",
    )


def rejected(information: bytes) -> RemoteProtocolError:
    """FRMR came."""
    told = FrameReject.from_octets(information)
    reason = f", {told}" if told else ""
    return RemoteProtocolError(
        f"the meter rejected a frame (FRMR{reason})",
        layer="hdlc",
        hint="connect anew; if it comes again, propose shorter frames and a window of 1",
    )


def never_sent(receive_number: int, send_number: int) -> RemoteProtocolError:
    """N(R) was out of range."""
    return RemoteProtocolError(
        f"N(R) {receive_number} acknowledges a frame that was never sent (the next is {send_number})",
        layer="hdlc",
        hint="both sides have lost each other: connect anew",
    )


def no_progress(retries: int) -> RemoteProtocolError:
    """Answers come, and none of them gets us any further."""
    return RemoteProtocolError(
        f"the meter answers, and after {retries} retries neither takes our frame nor sends the next",
        layer="hdlc",
        hint="connect anew; the frames proposed may be longer than the meter really takes",
    )


def busy_too_long(seconds: float) -> Timeout:
    """RR or RNR and nothing else, for too long."""
    return Timeout(
        f"the meter is there, but has not answered for {seconds:g} s",
        layer="hdlc",
        hint="it is busy (erasing flash takes minutes on some): be more patient, or connect anew and look",
    )
