"""Clients of one meter: `Client` under asyncio, `BlockingClient` for threads. Same stack, same exchanges, same objects."""

from meterwright.client.address import MeterAddress
from meterwright.client.asyncio_client import Client, Connector
from meterwright.client.blocking_client import BlockingClient, BlockingConnector
from meterwright.client.settings import ClientSettings, Timeouts

__all__ = [
    "BlockingClient",
    "BlockingConnector",
    "Client",
    "ClientSettings",
    "Connector",
    "MeterAddress",
    "Timeouts",
]
