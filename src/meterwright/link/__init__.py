"""What carries an APDU: sans-IO machines that cut octets into frames and back, and keep a connection where there is one."""

from meterwright.link.hdlc import HdlcAddress, HdlcClient, HdlcClientSettings, HdlcServer, HdlcServerSettings
from meterwright.link.machine import (
    ApduReceived,
    LinkClosed,
    LinkEvent,
    LinkFailed,
    LinkMachine,
    LinkOpened,
    Unsolicited,
    WrapperLink,
)
from meterwright.link.wrapper import HEADER_SIZE, WrapperFrame, WrapperFramer

__all__ = [
    "HEADER_SIZE",
    "ApduReceived",
    "HdlcAddress",
    "HdlcClient",
    "HdlcClientSettings",
    "HdlcServer",
    "HdlcServerSettings",
    "LinkClosed",
    "LinkEvent",
    "LinkFailed",
    "LinkMachine",
    "LinkOpened",
    "Unsolicited",
    "WrapperFrame",
    "WrapperFramer",
    "WrapperLink",
]
