"""Clients of one meter: `Client` under asyncio, `BlockingClient` for threads. Same stack, same exchanges, same objects."""

from meterwright.client.address import MeterAddress, Scheme
from meterwright.client.asyncio_client import Client
from meterwright.client.blocking_client import BlockingClient
from meterwright.client.carriers import Carrier, Hdlc, ThroughGateway, Wrapper
from meterwright.client.connectors import BlockingConnector, Connector
from meterwright.client.counters import FileCounterStore
from meterwright.client.credentials import ClientCredentials, CounterReading
from meterwright.client.identity import installation_title
from meterwright.client.settings import ClientSettings, Timeouts

__all__ = [
    "BlockingClient",
    "BlockingConnector",
    "Carrier",
    "Client",
    "ClientCredentials",
    "ClientSettings",
    "Connector",
    "CounterReading",
    "FileCounterStore",
    "Hdlc",
    "MeterAddress",
    "Scheme",
    "ThroughGateway",
    "Timeouts",
    "Wrapper",
    "installation_title",
]
