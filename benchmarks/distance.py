"""Put a server at a distance: a proxy on loopback that holds back every byte for half of a round trip, each way.

    python -m benchmarks.distance HOST:PORT SECONDS

The kernel that this is measured on cannot delay loopback itself (no netem). A connection costs one round trip more, as
the handshake does; what is under way at once is not limited, so that latency is all that is added.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from benchmarks.apart import Apart

_CHUNK = 1 << 16

#: How much is under way in one direction at most, in chunks: 64 MiB, more than any window of these distances.
_UNDER_WAY = 1024


class Distance(Apart):
    """A server at a distance, for as long as the block runs.

    Args:
        host: host and port of the server.
        seconds: of a round trip.
    """

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__("distance", host, seconds)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, half: float, first: float) -> None:
    """Pass on what comes, each piece when its time has come."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_UNDER_WAY)

    async def read() -> None:
        delay = half + first
        while True:
            with contextlib.suppress(OSError):
                data = await reader.read(_CHUNK)
                await pieces.put((loop.time() + delay, data))
                if data:
                    continue
            await pieces.put((loop.time() + delay, b""))
            return

    task = asyncio.create_task(read())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        task.cancel()
        writer.close()


async def _serve(target: str, seconds: float) -> None:
    host, _, port = target.partition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(
            _pump(reader, back, seconds / 2, seconds), _pump(there, writer, seconds / 2, 0), return_exceptions=True
        )

    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=512)
    print(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(sys.argv[1], float(sys.argv[2])))
