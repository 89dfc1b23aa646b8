# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: as gurux_peer.py, it runs under the peer's interpreter, in whose environment alone gurux_dlms exists.
"""The interop peer reads a profile: whole, by entries, by a range of time, each with all columns and with some.

What the library makes of the answers is reported as it is, octets as hex. Times are UTC.

Refuses: nothing by itself.
"""

import argparse
from collections.abc import Callable
from datetime import datetime

from gurux_dlms.objects import GXDLMSProfileGeneric
from gurux_wire import Association


def plain(cell: object) -> object:
    """A cell as JSON can hold it."""
    if isinstance(cell, (bytes, bytearray)):
        return f"hex:{bytes(cell).hex()}"
    return [plain(each) for each in cell] if isinstance(cell, (list, tuple)) else cell


def profile(association: Association, options: argparse.Namespace) -> dict[str, object]:
    """Capture objects and parts of the buffer, each under the name of what was asked for."""
    client, found = association.client, GXDLMSProfileGeneric(options.profile)
    association.read(found, 3)
    some = found.captureObjects[: options.columns]
    start, end = (datetime.fromisoformat(each) for each in (options.start, options.end))
    first, count = options.first, options.count
    asked: dict[str, Callable[[], list[bytes]]] = {
        "entries": lambda: client.readRowsByEntry(found, first, count),
        "entries_of_some_columns": lambda: client.readRowsByEntry(found, first, count, some),
        "range": lambda: client.readRowsByRange(found, start, end),
        "range_of_some_columns": lambda: client.readRowsByRange(found, start, end, some),
    }
    report: dict[str, object] = {
        "capture_objects": [object_.logicalName for object_, _ in found.captureObjects]
    }
    for name, request in asked.items():
        report[name] = read(association, name, request)
    report["sort_method"], report["capture_period"] = association.read(found, 5), association.read(found, 4)
    return report


def read(association: Association, name: str, request: Callable[[], list[bytes]]) -> dict[str, object]:
    """The rows, and the first frame that was sent for them."""
    before = len(association.wire.log)
    rows = association.served(name, request()).value
    return {"rows": plain(rows), "sent": association.wire.log[before]["sent"]}
