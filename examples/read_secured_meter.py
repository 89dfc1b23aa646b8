"""Read a meter that wants to know who asks: over HDLC, with a high-level login, every message encrypted and authenticated.

    python examples/read_secured_meter.py "hdlc+tcp://192.0.2.7:4000?client=48"

It is one of IS 15959; for another kind, say in `ClientCredentials` what the companion says here. Secret and keys come from the
environment, in hex: METER_SECRET, METER_EK, METER_AK. No meter at hand? `meterwright simulate --companion is15959 --link hdlc`
is one, and the file that it names has all three.
"""

import asyncio
import os
import sys
from pathlib import Path

from meterwright import Client, ClientSettings, Clock, DataObject, MeterAddress
from meterwright.client import ClientCredentials, FileCounterStore
from meterwright.client.identity import installation_title
from meterwright.companion import IS15959
from meterwright.security import Keys, Secret


async def main(address: MeterAddress) -> None:
    """Read the meter's counter as the public client, log in above it, read name and time."""
    settings = ClientSettings(credentials=credentials(address.client_sap or IS15959.public_sap))
    async with Client(address, settings) as client:
        name = await DataObject(client, "0.0.42.0.0.255").value.get()
        print(f"this is {name.value.decode() if isinstance(name.value, bytes) else name.value}")
        print(f"its clock says {await Clock(client).time.get()}")
    for finding in client.findings:  # such as a counter that was ahead of ours
        print(f"{finding.level.value}: {finding.message}")


def credentials(client_sap: int) -> ClientCredentials:
    """What this client address brings: the companion knows how, the environment has the secrets, and the state is ours."""
    profile = IS15959.association(client_sap)
    if profile is None:
        sys.exit(f"IS 15959 has no client {client_sap}")
    state = Path(os.environ.get("METERWRIGHT_STATE", "meterwright-state"))
    return ClientCredentials(
        authentication=profile.authentication,
        policy=profile.policy,
        secret=secret("METER_SECRET"),
        keys=Keys(global_unicast=secret("METER_EK"), authentication=secret("METER_AK")),
        system_title=installation_title(state),
        counters=FileCounterStore(state / "counters"),
        counter_object=profile.counter,
    )


def secret(name: str) -> Secret:
    """What an environment variable holds. It shows in no message and no repr from here on."""
    return Secret.from_hex(os.environ[name])


if __name__ == "__main__":
    asyncio.run(main(MeterAddress.parse(sys.argv[1])))
