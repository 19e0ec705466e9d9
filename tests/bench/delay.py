#!/usr/bin/env python3
"""A TCP proxy that is as slow as a long way, and counts what passes.

    delay.py MILLISECONDS TARGET PORT

It listens on a free port of 127.0.0.1 and prints that port. What arrives is sent on so many
milliseconds later, in both directions, so a round trip takes twice as long. The connection itself takes
a round trip too: the kernel accepts it at once, therefore what the client says first is held back for as
long as the handshake would have taken.

For each connection that has ended it prints the bytes from the client, the bytes to it, and the round
trips: how often the client, having heard something new, said something.
"""

import asyncio
import functools
import sys

# What is under way in one direction at most; reading stops until it has arrived.
WINDOW = 32 * 1024 * 1024
CHUNK = 256 * 1024


class Direction:
    """One direction of a connection: bytes, each with the time it arrives at."""

    def __init__(self, delay):
        self.delay = delay
        self.bytes = 0
        self.under_way = 0
        self.queue = asyncio.Queue()
        self.room = asyncio.Event()
        self.room.set()

    async def take(self, reader, opened, note):
        """Reads until the sender ends, and notes when each piece arrives at the other side. What is
        sent before the connection is opened counts as sent then."""
        clock = asyncio.get_running_loop().time
        try:
            while data := await reader.read(CHUNK):
                note()
                self.bytes += len(data)
                self.under_way += len(data)
                self.queue.put_nowait((max(clock(), opened) + self.delay, data))
                if self.under_way > WINDOW:
                    self.room.clear()
                await self.room.wait()
        except ConnectionError:
            pass
        self.queue.put_nowait((clock() + self.delay, None))

    async def give(self, writer, note):
        """Writes each piece when its time has come."""
        clock = asyncio.get_running_loop().time
        try:
            while True:
                when, data = await self.queue.get()
                await asyncio.sleep(max(0.0, when - clock()))
                if data is None:
                    if writer.can_write_eof():
                        writer.write_eof()
                    return
                note()
                writer.write(data)
                await writer.drain()
                self.under_way -= len(data)
                self.room.set()
        except ConnectionError:
            self.room.set()


class Turns:
    """Counts how often the client speaks after it has heard."""

    def __init__(self):
        self.count = 0
        self.heard = True

    def spoke(self):
        self.count += self.heard
        self.heard = False

    def hears(self):
        self.heard = True


def nothing():
    """Notes nothing."""


async def connection(delay, target, port, reader, writer):
    """Serves one client."""
    accepted = asyncio.get_running_loop().time()
    up, down, turns = Direction(delay), Direction(delay), Turns()
    taking = asyncio.create_task(up.take(reader, accepted + 2 * delay, turns.spoke))
    far_writer = None
    try:
        # The last leg of the handshake arrives after three.
        await asyncio.sleep(3 * delay)
        far_reader, far_writer = await asyncio.open_connection(target, port)
        await asyncio.gather(
            taking,
            up.give(far_writer, nothing),
            down.take(far_reader, accepted, nothing),
            down.give(writer, turns.hears),
        )
    except OSError:
        pass
    finally:
        taking.cancel()
        writer.close()
        if far_writer:
            far_writer.close()
        print(up.bytes, down.bytes, turns.count, flush=True)


async def main():
    delay, target, port = float(sys.argv[1]) / 1000, sys.argv[2], int(sys.argv[3])
    serve = functools.partial(connection, delay, target, port)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
