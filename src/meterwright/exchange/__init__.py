"""Conversations with a meter as generators: read, write, invoke. Drivers run them, under asyncio or in a thread."""

from meterwright.exchange.access import (
    AccessAction,
    Accessed,
    AccessGet,
    AccessOptions,
    AccessPart,
    AccessSet,
    access,
    tell_access,
)
from meterwright.exchange.action import Called, invoke, invoke_list
from meterwright.exchange.assembler import LONGEST_ASSEMBLED, Assembler
from meterwright.exchange.cutter import Cutter
from meterwright.exchange.get import read, read_list, read_octets
from meterwright.exchange.notification import RecentNotifications, confirm
from meterwright.exchange.priority import at_normal_priority
from meterwright.exchange.set import write, write_list
from meterwright.exchange.vocabulary import (
    CONFIRMED,
    UNCONFIRMED,
    Ask,
    Exchange,
    Pause,
    Step,
    Tell,
    ask,
    tell,
)

__all__ = [
    "CONFIRMED",
    "LONGEST_ASSEMBLED",
    "UNCONFIRMED",
    "AccessAction",
    "AccessGet",
    "AccessOptions",
    "AccessPart",
    "AccessSet",
    "Accessed",
    "Ask",
    "Assembler",
    "Called",
    "Cutter",
    "Exchange",
    "Pause",
    "RecentNotifications",
    "Step",
    "Tell",
    "access",
    "ask",
    "at_normal_priority",
    "confirm",
    "invoke",
    "invoke_list",
    "read",
    "read_list",
    "read_octets",
    "tell",
    "tell_access",
    "write",
    "write_list",
]
