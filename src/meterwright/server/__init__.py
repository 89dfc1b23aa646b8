"""The meter's protocol side: associations, dispatch of services, and the port behind which its objects live."""

from meterwright.server.connection import MOST_ASSOCIATIONS, ServerConnection
from meterwright.server.dispatch import Dispatcher
from meterwright.server.host import ActionOutcome, Caller, ObjectHost, Partners
from meterwright.server.listener import Limits, Listener, Trouble, log_trouble
from meterwright.server.middleware import Middleware

__all__ = [
    "MOST_ASSOCIATIONS",
    "ActionOutcome",
    "Caller",
    "Dispatcher",
    "Limits",
    "Listener",
    "Middleware",
    "ObjectHost",
    "Partners",
    "ServerConnection",
    "Trouble",
    "log_trouble",
]
