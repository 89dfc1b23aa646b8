"""Read a meter's clock, without asyncio.

    python examples/read_clock_blocking.py "tcp://192.0.2.7:4059?client=16"

`BlockingClient` is the twin of `Client`: the same objects, without `await`.
"""

import sys

from meterwright import BlockingClient, Clock


def main(address: str) -> None:
    """Associate, read the time, release the meter."""
    with BlockingClient(address) as client:
        time = Clock(client).time.get()
    print(f"the meter's clock says {time}")


if __name__ == "__main__":
    main(sys.argv[1])
