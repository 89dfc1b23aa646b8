"""Read a meter's clock.

    python examples/read_clock.py "tcp://192.0.2.7:4059?client=16"

No meter at hand? `python examples/simulated_meter.py` is one, and prints its address.
"""

import asyncio
import sys

from meterwright import Client, Clock


async def main(address: str) -> None:
    """Associate, read the time, release the meter."""
    async with Client(address) as client:
        time = await Clock(client).time.get()
    print(f"the meter's clock says {time}")
    if time.is_exact:  # a meter may leave parts of it open
        print(f"which is {time.to_datetime().isoformat()}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
