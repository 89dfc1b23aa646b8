"""An HDLC line on which a meter speaks unasked and nobody answers: consumer ports, pushes through a one-way gateway.

Meters push in UI frames, and what they make of the standard is taken as they mean it:

* control octet 10 or 00, those of an I frame, where 03 or 13 (UI) is legal;
* a push in segments (IEC 62056-46 6.4.2.3), with an LLC header before the first only, or before every one;
* a push in the blocks of a general block transfer, with an LLC header before the first only;
* addresses of 1, 2 or 4 octets, and flags that two frames share.

Frames that belong to a connection are passed over. Two meters that push in segments at once would need an arbiter that a one-way line
does not have, so one APDU is put together at a time: whoever speaks in between ends it.
"""

from typing import Final

from meterwright.apdu import (
    GLOBAL_TAGS,
    DataNotification,
    EventNotificationRequest,
    GeneralBlockTransfer,
    GeneralCiphering,
    GeneralDedCiphering,
    GeneralGloCiphering,
    GeneralSigning,
    InformationReportRequest,
)
from meterwright.errors import RemoteProtocolError
from meterwright.link.hdlc.frame import Frame, FrameKind
from meterwright.link.hdlc.framer import HdlcFramer
from meterwright.link.hdlc.segments import LLC_COMMAND, LLC_RESPONSE, Reassembly
from meterwright.link.listener import LONGEST_PUSH, FramedListener
from meterwright.link.machine import Unsolicited

__all__ = ["HdlcListener", "PushSegments", "is_push"]

_LLC: Final = (LLC_COMMAND, LLC_RESPONSE)
_LLC_SIZE: Final = len(LLC_COMMAND)
_PLAIN_PUSHES: Final = (DataNotification, EventNotificationRequest, InformationReportRequest)
_WRAPPED_PUSHES: Final = (
    GeneralBlockTransfer,
    GeneralCiphering,
    GeneralDedCiphering,
    GeneralGloCiphering,
    GeneralSigning,
)
_PUSHED: Final = frozenset(
    {each.prefix[0] for each in (*_PLAIN_PUSHES, *_WRAPPED_PUSHES)}
    | {GLOBAL_TAGS[each.prefix[0]] for each in _PLAIN_PUSHES if each.prefix[0] in GLOBAL_TAGS}
)
"""How the APDU of a push begins."""
_STRAY_CONTROLS: Final = (0x00, 0x10)
"""An I frame numbered 0, which some meters send for UI."""


def is_push(frame: Frame) -> bool:
    """Whether a frame carries what a meter sends unasked."""
    return frame.control.kind is FrameKind.UI or (
        frame.control.octet in _STRAY_CONTROLS and bool(frame.information)
    )


class PushSegments:
    """The segments of one push after the other, whoever leaves out or repeats the LLC header."""

    def __init__(self, longest: int = LONGEST_PUSH) -> None:
        self.missed = 0
        """Pushes of which some segment did not come, or that grew too long."""
        self._segments = Reassembly(longest)
        self._partners: tuple[bytes, bytes] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether segments have come and the last has not."""
        return self._segments.is_under_way

    def add(self, frame: Frame) -> bytes | None:
        """The push, where this frame carries its end. None where more must follow, and where it can't be put together."""
        partners = (frame.source.octets, frame.destination.octets)
        information = frame.information
        if self.is_under_way:
            if partners != self._partners or begins_a_push(information):
                self.forget()
            elif information.startswith(_LLC):
                information = information[_LLC_SIZE:]
        self._partners = partners
        try:
            return self._segments.add(information, last=not frame.segmented)
        except RemoteProtocolError:
            self.missed += 1
            return None

    def forget(self) -> None:
        """Give up what is under way; it is counted as missed."""
        self.missed += self.is_under_way
        self._segments.forget()


def begins_a_push(information: bytes) -> bool:
    """Whether it is an LLC header and then an APDU. A repeated header has the midst of one behind it, which seldom looks so."""
    return information.startswith(_LLC) and len(information) > _LLC_SIZE and information[_LLC_SIZE] in _PUSHED


class HdlcListener(FramedListener[Frame]):
    """One line. `dropped` octets were no frame, `broken` frames had a wrong check sequence, `passed_over` were no push.

    After `pause` seconds without an octet whatever is under way has ended. Meters send a push in one go, but for some (E450) that pause
    for three seconds in its midst.
    """

    def __init__(self, longest_apdu: int = LONGEST_PUSH, *, pause: float = 5.0) -> None:
        self._segments = PushSegments(longest_apdu)
        super().__init__(HdlcFramer(), self._segments, longest_apdu, pause)

    def _paused(self) -> None:
        self._segments.forget()

    def _take(self, frame: Frame) -> list[Unsolicited]:
        if not is_push(frame):
            self.passed_over += 1
            return []
        apdu = self._segments.add(frame)
        return [] if apdu is None else self._told(apdu, frame.source.upper, frame.destination.upper)
