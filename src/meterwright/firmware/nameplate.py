"""What a meter is called and what runs there: read over the firmware's client, or over a second one that is shown more.

In India, for one, the firmware client may see nothing but the image transfer, and the version is the meter reader's to read.
A meter serves one association at a time, so the two take turns: the firmware's is released, the other one is opened, read and
released, and the firmware's is opened anew by whoever needs it. What was read in it before, a block size above all, is to be
read anew then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meterwright.client import Client
from meterwright.cosem import DataObject
from meterwright.data import Data
from meterwright.errors import DataAccessError
from meterwright.firmware.failures import UpdateFailed, UpdateRefused
from meterwright.firmware.policy import UpdatePolicy
from meterwright.firmware.reach import Reach
from meterwright.values import Finding

__all__ = ["Elsewhere", "Nameplate", "text_of", "version_text"]


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What a meter is called, and what runs there; None where it does not tell."""

    name: str | None
    version: str | None


class Elsewhere:
    """Second clients of the meter that `firmware` is the first of, one for each look.

    A fresh one, since a meter may count its own APDUs anew when it boots: a client that answers no challenge could not tell
    that from a recording, and would not believe it any more.
    """

    def __init__(
        self,
        make: Callable[[], Client],
        firmware: Client,
        policy: UpdatePolicy,
        tell: Callable[[Finding], None],
    ) -> None:
        """`tell` hears what is worth knowing of the associations that are opened."""
        self._make = make
        self._firmware = firmware
        self._policy = policy
        self._reach = Reach(make(), policy.patience, tell)
        self._seen: str | None = None

    def __str__(self) -> str:
        return f"client {self._reach.client.settings.client_sap}"

    async def look(self, within: float | None = None) -> Nameplate:
        """Release the firmware's association, and read over another one, which is released then too.

        `within`: how many seconds the meter may take to let us in, the patience's for a first connection unless given.
        """
        self._reach.client = client = self._make()
        if not (client.can_reconnect and self._firmware.can_reconnect):
            raise _no_turns()
        await self._firmware.close()
        await asyncio.sleep(client.settings.timeouts.between)
        try:
            await self._reach.again(self._policy.patience.connect if within is None else within)
            name = await text_of(self._reach, DataObject(client, self._policy.name_object))
            version = await text_of(self._reach, DataObject(client, self._policy.version_object))
        except UpdateFailed as error:
            raise type(error)(error.finding.code, f"as {self}: {error.what}", hint=error.hint) from error
        finally:
            await self._reach.close()
        await asyncio.sleep(client.settings.timeouts.between)  # some meters need a moment to let go of it
        self.require_same(name)
        return Nameplate(name, version)

    def require_same(self, name: str | None) -> None:
        """UpdateRefused where a meter of this name is not the one that was seen before."""
        if name is not None and self._seen not in (None, name):
            raise UpdateRefused(
                "two-meters",
                f"{self} and client {self._firmware.settings.client_sap} are answered by two meters,"
                f" or by another one than before: {self._seen} and {name}",
                hint="give both clients the address of one meter; behind a gateway it may have changed",
            )
        self._seen = name or self._seen


def _no_turns() -> UpdateRefused:
    return UpdateRefused(
        "cannot-take-turns",
        "what runs is to be read over a second client, and a connection that was given to us open cannot be made anew",
        hint="give both clients an address to connect to, or name no second one",
    )


async def text_of(reach: Reach, holder: DataObject[Any]) -> str | None:
    """The name or version that an object holds; None where the meter does not tell it in this association."""
    try:
        return version_text(await reach.read(holder.value.get))
    except DataAccessError:
        return None


def version_text(data: Data) -> str:
    """A name or version as text: what is printable as it is, all else as ``hex:…``, several joined by commas."""
    value = data.value
    if isinstance(value, bytes | str):
        octets = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        text = octets.rstrip(b"\0").decode("utf-8", "replace")
        return text if text and text.isprintable() and "\ufffd" not in text else f"hex:{octets.hex()}"
    if isinstance(value, tuple):
        return ", ".join(version_text(each) for each in value)
    return str(value)
