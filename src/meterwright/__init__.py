"""Meterwright: a DLMS/COSEM (IEC 62056) stack for smart meters, made for firmware updates that just work.

    async with Client("tcp://192.0.2.7?client=16") as client:
        print(await Clock(client).time.get())

    result = await update(client, FirmwareImage.open(path), b"NEW-2.0", state=Path("state"))

    print(render_text(explain(bytes.fromhex("c701c1010102"))))

These names are imported when they are first used, so that `import meterwright` costs next to nothing. Each package below
has more, by its own name: `meterwright.values`, `meterwright.cosem`, `meterwright.simulator`, …
"""

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from meterwright.client import (
        BlockingClient,
        Client,
        ClientCredentials,
        ClientSettings,
        FileCounterStore,
        MeterAddress,
        Timeouts,
    )
    from meterwright.cosem import AssociationLn, Clock, DataObject, ImageTransfer, Register
    from meterwright.data import Data, DataTag
    from meterwright.diagnose import render_text
    from meterwright.diagnose.explain import explain
    from meterwright.errors import (
        AssociationLost,
        AssociationRejected,
        LinkError,
        LocalProtocolError,
        MeterwrightError,
        RemoteProtocolError,
        SecurityError,
        ServiceError,
        UsageError,
    )
    from meterwright.firmware import Activation, Outcome, UpdatePolicy, UpdateResult, plan, update
    from meterwright.image import FirmwareImage
    from meterwright.security import Keys, Secret
    from meterwright.values import CosemDateTime, Finding, Obis, Quantity, Unit

    __version__: str

__all__ = [
    "Activation",
    "AssociationLn",
    "AssociationLost",
    "AssociationRejected",
    "BlockingClient",
    "Client",
    "ClientCredentials",
    "ClientSettings",
    "Clock",
    "CosemDateTime",
    "Data",
    "DataObject",
    "DataTag",
    "FileCounterStore",
    "Finding",
    "FirmwareImage",
    "ImageTransfer",
    "Keys",
    "LinkError",
    "LocalProtocolError",
    "MeterAddress",
    "MeterwrightError",
    "Obis",
    "Outcome",
    "Quantity",
    "Register",
    "RemoteProtocolError",
    "Secret",
    "SecurityError",
    "ServiceError",
    "Timeouts",
    "Unit",
    "UpdatePolicy",
    "UpdateResult",
    "UsageError",
    "__version__",
    "explain",
    "plan",
    "render_text",
    "update",
]

_NAMES: Final = {
    "client": (
        "BlockingClient",
        "Client",
        "ClientCredentials",
        "ClientSettings",
        "FileCounterStore",
        "MeterAddress",
        "Timeouts",
    ),
    "cosem": ("AssociationLn", "Clock", "DataObject", "ImageTransfer", "Register"),
    "data": ("Data", "DataTag"),
    "diagnose": ("explain", "render_text"),
    "errors": (
        "AssociationLost",
        "AssociationRejected",
        "LinkError",
        "LocalProtocolError",
        "MeterwrightError",
        "RemoteProtocolError",
        "SecurityError",
        "ServiceError",
        "UsageError",
    ),
    "firmware": ("Activation", "Outcome", "UpdatePolicy", "UpdateResult", "plan", "update"),
    "image": ("FirmwareImage",),
    "security": ("Keys", "Secret"),
    "values": ("CosemDateTime", "Finding", "Obis", "Quantity", "Unit"),
}
_HOMES: Final = MappingProxyType({name: home for home, names in _NAMES.items() for name in names})
"""Which package a name lives in: the twin of the imports above, as a test makes sure."""


def __getattr__(name: str) -> object:
    """A public name, when it is first used."""
    found: object
    if name == "__version__":
        from importlib.metadata import version

        found = version(__name__)
    elif name in _HOMES:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
