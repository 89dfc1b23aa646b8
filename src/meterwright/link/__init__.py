"""What carries an APDU: sans-IO machines that cut octets into frames and back, and keep a connection where there is one."""

from meterwright.link.hdlc import HdlcAddress, HdlcClient, HdlcClientSettings, HdlcServer, HdlcServerSettings
from meterwright.link.machine import (
    ApduReceived,
    ClientLink,
    LinkClosed,
    LinkEvent,
    LinkFailed,
    LinkMachine,
    LinkOpened,
    ServerLink,
    Unsolicited,
)
from meterwright.link.wrapper import HEADER_SIZE, WrapperFrame, WrapperFramer
from meterwright.link.wrapper_links import WrapperLink, WrapperServer

__all__ = [
    "HEADER_SIZE",
    "ApduReceived",
    "ClientLink",
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
    "ServerLink",
    "Unsolicited",
    "WrapperFrame",
    "WrapperFramer",
    "WrapperLink",
    "WrapperServer",
]
