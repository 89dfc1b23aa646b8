"""Wait for meters that dial in, and read each one's clock.

    python examples/meter_dials_in.py [PORT]

Meters behind a modem often have no address of their own: they connect to us. Such a connection becomes a client's
transport, and from then on all is as usual. Runs until it is interrupted.
"""

import asyncio
import sys

from meterwright import Client, Clock, DataObject, MeterwrightError
from meterwright.transport import adopt_streams


async def main(port: int) -> None:
    """Listen, and serve whoever comes, all at the same time."""
    server = await asyncio.start_server(dialled_in, "127.0.0.1", port)
    async with server:
        print(f"waiting for meters on port {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


async def dialled_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One meter: the association is ours to open, whoever opened the connection."""
    try:
        async with Client.over(adopt_streams(reader, writer)) as client:
            name = await DataObject(client, "0.0.42.0.0.255").value.get()
            time = await Clock(client).time.get()
    except MeterwrightError as error:  # one meter's trouble must not end the service
        print(f"a meter dialled in, and then: {error}", flush=True)
    else:
        text = name.value.decode("latin-1") if isinstance(name.value, bytes) else name.value
        print(f"{text} dialled in, its clock says {time}", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4059))
    except KeyboardInterrupt:
        print("stopped")
