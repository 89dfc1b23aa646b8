"""HDLC (IEC 62056-46): frames, addresses, and the two stations of a line as machines without IO."""

from meterwright.link.hdlc.address import ALL_STATIONS, CALLING_STATION, NO_STATION, HdlcAddress
from meterwright.link.hdlc.client import HdlcClient
from meterwright.link.hdlc.frame import CONTROLS, LONGEST_FRAME, Control, Frame, FrameKind, control
from meterwright.link.hdlc.framer import HdlcFramer
from meterwright.link.hdlc.listener import HdlcListener, PushSegments, is_push
from meterwright.link.hdlc.parameters import HdlcParameters
from meterwright.link.hdlc.reject import FrameReject, RejectReason
from meterwright.link.hdlc.server import HdlcServer
from meterwright.link.hdlc.settings import GENEROUS, HdlcClientSettings, HdlcServerSettings
from meterwright.link.hdlc.states import SENDERS, TRANSITIONS, Role, Signal, State, following, transition

__all__ = [
    "ALL_STATIONS",
    "CALLING_STATION",
    "CONTROLS",
    "GENEROUS",
    "LONGEST_FRAME",
    "NO_STATION",
    "SENDERS",
    "TRANSITIONS",
    "Control",
    "Frame",
    "FrameKind",
    "FrameReject",
    "HdlcAddress",
    "HdlcClient",
    "HdlcClientSettings",
    "HdlcFramer",
    "HdlcListener",
    "HdlcParameters",
    "HdlcServer",
    "HdlcServerSettings",
    "PushSegments",
    "RejectReason",
    "Role",
    "Signal",
    "State",
    "control",
    "following",
    "is_push",
    "transition",
]
