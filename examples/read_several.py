"""Read several attributes in one request.

    python examples/read_several.py "tcp://192.0.2.7:4059?client=16"

A list request takes one round trip for all of them. What the meter refuses comes back as the reason it gives, in the place
of the value; the others are there all the same. A register's number means nothing without its scaler and unit, so both
are asked for.
"""

import asyncio
import sys

from meterwright import Client, Data, DataObject, Quantity, Register
from meterwright.data import scaler_unit
from meterwright.values import DataAccessResult


async def main(address: str) -> None:
    """One request, four values."""
    async with Client(address) as client:
        name = DataObject(client, "0.0.42.0.0.255")
        energy = Register(client, "1.0.1.8.0.255")
        nothing = DataObject(client, "0.0.96.50.99.255")
        wanted = (name.value, energy.value, energy.scaler_unit, nothing.value)
        name_read, number, scale, missing = await client.read_list([each.descriptor for each in wanted])
    print(f"logical device name: {text(name_read)}")
    if isinstance(number, Data) and isinstance(scale, Data) and isinstance(number.value, int):
        print(f"active energy import: {Quantity.scaled(number.value, scaler_unit.from_data(scale))}")
    print(f"{nothing.obis}: {text(missing)}")


def text(result: Data | DataAccessResult) -> str:
    """A value for people, or why there is none."""
    if isinstance(result, DataAccessResult):
        return f"refused, {result.label}"
    return result.value.decode("latin-1") if isinstance(result.value, bytes) else str(result.value)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
