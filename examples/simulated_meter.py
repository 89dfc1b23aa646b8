"""Be a meter: for tests of your own software, or to try the other examples on.

    python examples/simulated_meter.py [PORT]

It has a clock, registers, an object list and an image transfer, and takes firmware as strictly as the standard says. It
forgets all with its process, as no storage is given. Runs until it is interrupted.
"""

import asyncio
import sys

from meterwright.simulator import MeterSettings, SimulatedService, plain_meter


async def main(port: int) -> None:
    """Listen until told to stop."""
    meter = plain_meter(serial=7, settings=MeterSettings(image_block_size=200))
    service = SimulatedService([meter], port=port)
    try:
        for listening in await service.start():
            print(f"{listening.meter} listens at {listening.url}?client=16", flush=True)
        await asyncio.Event().wait()
    finally:
        await service.stop()


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4059))
    except KeyboardInterrupt:
        print("stopped")
