"""Dummy cameras that stamp every picture at the moment they answer, in one process.

Each has a loopback address of its own, for devices are asked one request at a time. The first line
on stdout is a JSON list of `host:port`, camera 1 first. A line `NUMBER MODE` on stdin lets a camera
behave so from its next request on; the end of stdin ends the program.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.dummy_server import allow_many_connections
from dev.promise_lines import lines
from dev.stamps import Stamp, paint

LONGEST = 600.0
_ROW = 250


class Mode(StrEnum):
    """How a camera answers."""

    OK = "ok"
    HANG = "hang"
    REFUSE = "refuse"
    TORN = "torn"
    SLOW = "slow"


SICK = tuple(mode for mode in Mode if mode is not Mode.OK)


@dataclass(slots=True)
class Cameras:
    """The street; `slow` is how many seconds a slow camera thinks before it takes its picture."""

    slow: float
    modes: dict[int, Mode] = field(default_factory=dict)

    def heed(self, line: str) -> None:
        """Change one camera as a line of stdin says."""
        number, _, mode = line.partition(" ")
        self.modes[int(number)] = Mode(mode)

    async def talk(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one connection, which carries one request."""
        try:
            async with asyncio.timeout(LONGEST):
                await reader.readuntil(b"\r\n\r\n")
                await self._answer(number, reader, writer)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        mode = self.modes.get(number, Mode.OK)
        if mode is Mode.HANG:
            await reader.read()  # until the client gives up
            return
        if mode is Mode.REFUSE:
            writer.write(_head("500 Internal Server Error", "text/plain", 0))
            return
        if mode is Mode.SLOW:
            await asyncio.sleep(self.slow)
        body = paint(Stamp(number, time.time_ns() // 1_000_000))
        writer.write(_head("200 OK", "image/jpeg", len(body)))
        writer.write(body[: len(body) // 2] if mode is Mode.TORN else body)


def _head(status: str, kind: str, length: int) -> bytes:
    rows = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {length}")
    return "\r\n".join((*rows, "Connection: close", "", "")).encode()


def host(number: int) -> str:
    """The loopback address of a camera."""
    return f"127.0.{1 + number // _ROW}.{1 + number % _ROW}"


async def serve(count: int, slow: float) -> None:
    """Play the street until stdin ends."""
    cameras = Cameras(slow)
    addresses = []
    for number in range(1, count + 1):
        server = await asyncio.start_server(partial(cameras.talk, number), host(number), 0)
        addresses.append("{}:{}".format(*server.sockets[0].getsockname()))
    print(json.dumps(addresses), flush=True)
    async for line in lines():
        cameras.heed(line)


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--slow", type=float, default=2.0)
    options = parser.parse_args()
    allow_many_connections()
    asyncio.run(serve(options.cameras, options.slow))


if __name__ == "__main__":
    main()
