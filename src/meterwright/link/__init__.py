"""What carries an APDU: sans-IO machines that cut octets into frames and back, and keep a connection where there is one."""

from meterwright.link.coap import CoapListener, CoapMessage
from meterwright.link.gateway import GatewayAddress, GatewayLink, GatewayServer
from meterwright.link.hdlc import (
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcListener,
    HdlcServer,
    HdlcServerSettings,
)
from meterwright.link.listener import BlockJoiner, Listener
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
from meterwright.link.mbus import LongFrame, MbusFramer, MbusListener
from meterwright.link.plc import LlcFrame, PlcListener
from meterwright.link.prime import PrimeFrame, PrimeFramer, PrimeListener
from meterwright.link.sms import ShortMessage, SmsListener
from meterwright.link.wmbus import Telegram, WmbusListener
from meterwright.link.wrapper import (
    HEADER_SIZE,
    DatagramFramer,
    WrapperFrame,
    WrapperFramer,
    wrapper_datagrams,
)
from meterwright.link.wrapper_links import WrapperLink, WrapperServer

__all__ = [
    "HEADER_SIZE",
    "ApduReceived",
    "BlockJoiner",
    "ClientLink",
    "CoapListener",
    "CoapMessage",
    "DatagramFramer",
    "GatewayAddress",
    "GatewayLink",
    "GatewayServer",
    "HdlcAddress",
    "HdlcClient",
    "HdlcClientSettings",
    "HdlcListener",
    "HdlcServer",
    "HdlcServerSettings",
    "LinkClosed",
    "LinkEvent",
    "LinkFailed",
    "LinkMachine",
    "LinkOpened",
    "Listener",
    "LlcFrame",
    "LongFrame",
    "MbusFramer",
    "MbusListener",
    "PlcListener",
    "PrimeFrame",
    "PrimeFramer",
    "PrimeListener",
    "ServerLink",
    "ShortMessage",
    "SmsListener",
    "Telegram",
    "Unsolicited",
    "WmbusListener",
    "WrapperFrame",
    "WrapperFramer",
    "WrapperLink",
    "WrapperServer",
    "wrapper_datagrams",
]
